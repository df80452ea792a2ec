"""Heat equation u_t = u_xx, and u_t = u_xx + u_yy on the disk."""

from __future__ import annotations

import numpy as np
import sympy as sp

from sciml.conditions import Dirichlet
from sciml.geometry import Disk, Interval
from sciml.ibvp import IBVP
from sciml.problems.case import ProblemCase
from sciml.references.heat_kernel import HeatKernel
from sciml.references.solution import ReferenceSolution
from sciml.solution import Solution
from sciml.symbols import coordinates, field

x, y, t = coordinates("x y t")
u = field("u", x, t)
_KLAUSEN = "Klausen et al. 2025, arXiv 2510.25731"
_TENTH = sp.Rational(1, 10)


def _rod(initial: sp.Expr, left: sp.Expr, right: sp.Expr, name: str, final: sp.Expr = _TENTH) -> IBVP:
    """The equation on the unit interval with given data at the start and at both ends."""
    return IBVP(
        pde=sp.Eq(u.diff(t), u.diff(x, 2)),
        domain=Interval(x, 0, 1),
        time=(t, 0, final),
        initial={u: initial},
        boundary=[Dirichlet(u, left, on="left"), Dirichlet(u, right, on="right")],
        name=name,
    )


def _by_kernel(problem: IBVP, breaks: tuple[float, ...] = ()) -> Solution:
    kernel = HeatKernel(problem.initial[u], x, (0, 1), breaks=breaks)

    def derivative(points: np.ndarray, orders: tuple[int, ...]) -> np.ndarray:
        return kernel.derivative(points[:, 0], points[:, 1], (orders[0], orders[1]))

    return ReferenceSolution(problem, derivative, status="heat kernel")


def sine(mode: int = 4, final: sp.Expr = _TENTH) -> ProblemCase:
    """One decaying mode, u = sin(mπx) exp(-m²π²t).

    Source: `sine` of Klausen et al. 2025 has m = 4; m = 1 and final = 1/2 is the textbook rod.

    Args:
        mode: m.
        final: Last time.

    Returns:
        The case.
    """
    shape = sp.sin(mode * sp.pi * x)
    values = {(0.3, 0.05): -2.1886025521745e-4} if mode == 4 else {}
    problem = _rod(shape, sp.S.Zero, sp.S.Zero, "heat, sine", final)
    return ProblemCase(problem, shape * sp.exp(-((mode * sp.pi) ** 2) * t), _KLAUSEN, values)


def sine_mix() -> ProblemCase:
    """Three modes, u0 = sin(2πx)/2 - sin(4πx)/5 + 7 sin(12πx)/10.

    Source: Klausen et al. 2025, `sine_mix`.

    Returns:
        The case.
    """
    amplitudes = {2: sp.Rational(1, 2), 4: sp.Rational(-1, 5), 12: sp.Rational(7, 10)}
    exact = sp.Add(*[a * sp.sin(m * sp.pi * x) * sp.exp(-((m * sp.pi) ** 2) * t) for m, a in amplitudes.items()])
    problem = _rod(exact.subs(t, 0), sp.S.Zero, sp.S.Zero, "heat, mixed sines")
    return ProblemCase(problem, exact, _KLAUSEN, {(0.3, 0.05): 0.0660999412317454})


def polynomial() -> ProblemCase:
    """Data x² + x³ - x⁵ + x⁷ between the fixed values 0 and 2.

    Source: Klausen et al. 2025, `poly`; reference by the heat kernel.

    Returns:
        The case.
    """
    problem = _rod(x**2 + x**3 - x**5 + x**7, sp.S.Zero, sp.Integer(2), "heat, polynomial")
    return ProblemCase(problem, _by_kernel, _KLAUSEN, {(0.3, 0.05): 0.269896428067932})


def gauss() -> ProblemCase:
    """Data exp(-5 (x - 1/2)²), both ends kept at exp(-5/4).

    Source: Klausen et al. 2025, heat `gauss`; reference by the heat kernel.

    Returns:
        The case.
    """
    end = sp.exp(-sp.Rational(5, 4))
    problem = _rod(sp.exp(-5 * (x - sp.Rational(1, 2)) ** 2), end, end, "heat, Gaussian")
    return ProblemCase(problem, _by_kernel, _KLAUSEN, {(0.3, 0.05): 0.617478290899849})


def step() -> ProblemCase:
    """Two steep fronts, u0 = [tanh 500(x - 2/5) - tanh 500(x - 3/5)]/2.

    Source: Klausen et al. 2025, `step`; reference by the heat kernel.

    Returns:
        The case.
    """
    fronts = (sp.Rational(2, 5), sp.Rational(3, 5))
    profile = sum(sign * sp.tanh(500 * (x - c)) for sign, c in zip((1, -1), fronts, strict=True)) / 2
    # tanh has poles at a distance of π/1000 from the axis: cells grow with the distance from the front
    offsets = 2e-3 * np.array([-32, -16, -8, -4, -2, -1, 0, 1, 2, 4, 8, 16, 32])
    breaks = tuple(float(c) + offset for c in fronts for offset in offsets)
    problem = _rod(profile, sp.S.Zero, sp.S.Zero, "heat, step")
    values = {(0.3, 0.05): 0.193073533709874, (0.5, 0.01): 0.520463744331095}
    return ProblemCase(problem, lambda p: _by_kernel(p, breaks), _KLAUSEN, values)


def jump() -> ProblemCase:
    """Discontinuous data: u0 = 1 on (2/5, 3/5), 0 elsewhere.

    u = Σ_n H(x - 2n, t) - H(-x - 2n, t), H(z, t) = [erf((z - 2/5)/√(4t)) - erf((z - 3/5)/√(4t))]/2: images of the
    solution on the line. Terms with |n| > 2 are below 1e-20 for t <= 1/10.

    Source: Carslaw and Jaeger 1959, Conduction of Heat in Solids, section 2.4.

    Returns:
        The case.
    """
    low, high = sp.Rational(2, 5), sp.Rational(3, 5)

    def pulse(z: sp.Expr) -> sp.Expr:
        return (sp.erf((z - low) / sp.sqrt(4 * t)) - sp.erf((z - high) / sp.sqrt(4 * t))) / 2

    exact = sp.Add(*[pulse(x - 2 * n) - pulse(-x - 2 * n) for n in range(-2, 3)])
    problem = _rod(sp.Heaviside(x - low) - sp.Heaviside(x - high), sp.S.Zero, sp.S.Zero, "heat, jump")
    return ProblemCase(problem, exact, "Carslaw and Jaeger 1959, section 2.4", {(0.5, 0.01): 0.520499877616438})


def oscillating_walls() -> ProblemCase:
    """A damped thermal wave, u = exp(-kx) cos(2k²t - kx) with k = 3, on [0, 1] × [0, 1].

    Source: Stokes's second problem; Carslaw and Jaeger 1959, section 2.6.

    Returns:
        The case.
    """
    exact = sp.exp(-3 * x) * sp.cos(18 * t - 3 * x)
    problem = _rod(exact.subs(t, 0), exact.subs(x, 0), exact.subs(x, 1), "heat, oscillating walls", sp.S.One)
    source = "Carslaw and Jaeger 1959, section 2.6"
    return ProblemCase(problem, exact, source, {(0.4, 0.35): 0.113844708336789})


def decaying_source() -> ProblemCase:
    """u_t = u_xx - exp(-t) (1 - π²) sin(πx) on [-1, 1] × [0, 1], u = sin(πx) exp(-t).

    Source: heat benchmark of Krasowski, Naujoks et al. 2026 (PINNfluence, arXiv 2409.08958), after Lu et al. 2021,
    DeepXDE, SIAM Review 63, 208.

    Returns:
        The case.
    """
    shape = sp.sin(sp.pi * x)
    problem = IBVP(
        pde=sp.Eq(u.diff(t), u.diff(x, 2) - sp.exp(-t) * (1 - sp.pi**2) * shape),
        domain=Interval(x, -1, 1),
        time=(t, 0, 1),
        initial={u: shape},
        boundary=[Dirichlet(u, 0)],
        name="heat, decaying source",
    )
    return ProblemCase(problem, shape * sp.exp(-t), "Krasowski, Naujoks et al. 2026, arXiv 2409.08958")


def _disk(exact: sp.Expr, name: str, value: float) -> ProblemCase:
    w = field("u", x, y, t)
    problem = IBVP(
        pde=sp.Eq(w.diff(t), w.diff(x, 2) + w.diff(y, 2)),
        domain=Disk((x, y)),
        time=(t, 0, sp.Rational(1, 5)),
        initial={w: exact.subs(t, 0)},
        boundary=[Dirichlet(w, exact)],
        name=name,
    )
    return ProblemCase(problem, exact, "fundamental and separated solutions", {(0.1, 0.4, 0.05): value})


def disk_pulse() -> ProblemCase:
    """A spreading Gaussian on the unit disk, exp(-20 |x - c|²/(1 + 80t))/(1 + 80t), c = (3/10, -1/5).

    Source: shifted fundamental solution (Carslaw and Jaeger 1959, section 10.3).

    Returns:
        The case.
    """
    square = (x - sp.Rational(3, 10)) ** 2 + (y + sp.Rational(1, 5)) ** 2
    exact = sp.exp(-20 * square / (1 + 80 * t)) / (1 + 80 * t)
    return _disk(exact, "heat, pulse on the disk", 0.0403793035989311)


def disk_product() -> ProblemCase:
    """A thermal wave times a decaying mode on the unit disk, exp(-2x) cos(8t - 2x) exp(-9t) cos 3y.

    Source: product of two one-dimensional solutions (Carslaw and Jaeger 1959, section 1.15).

    Returns:
        The case.
    """
    exact = sp.exp(-2 * x) * sp.cos(8 * t - 2 * x) * sp.exp(-9 * t) * sp.cos(3 * y)
    return _disk(exact, "heat, product on the disk", 0.185396583045954)
