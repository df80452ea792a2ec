"""Wave equation u_tt = c² u_xx, and u_tt = u_xx + u_yy."""

from __future__ import annotations

import numpy as np
import sympy as sp

from sciml.conditions import Dirichlet
from sciml.geometry import Interval, Rectangle
from sciml.ibvp import IBVP
from sciml.problems.case import ProblemCase
from sciml.references.solution import ReferenceSolution
from sciml.solution import Solution
from sciml.symbols import coordinates, field

x, y, t = coordinates("x y t")
u = field("u", x, t)
w = field("u", x, y, t)
_KLAUSEN = "Klausen et al. 2025, arXiv 2510.25731"
_HALF = sp.Rational(1, 2)


def _string(initial: sp.Expr, name: str, speed: int = 1, left: int = 0, right: int = 0) -> IBVP:
    """A string on the unit interval, released at rest."""
    return IBVP(
        pde=sp.Eq(u.diff(t, 2), speed**2 * u.diff(x, 2)),
        domain=Interval(x, 0, 1),
        time=(t, 0, 1),
        initial={u: initial, u.diff(t): 0},
        boundary=[Dirichlet(u, left, on="left"), Dirichlet(u, right, on="right")],
        name=name,
    )


def _released(initial: sp.Expr, left: int = 0, right: int = 0) -> sp.Expr:
    """Solution of d'Alembert on [0, 1] × [0, 1]: the data minus a straight line, continued oddly at both ends."""
    line = left + (right - left) * x
    inside = sp.Lambda(x, initial - line)
    from_left = sp.Piecewise((inside(x - t), x >= t), (-inside(t - x), True))
    from_right = sp.Piecewise((inside(x + t), x + t <= 1), (-inside(2 - x - t), True))
    return line + (from_left + from_right) / 2


def sine() -> ProblemCase:
    """A standing wave, u = sin(4πx) cos(4πt).

    Source: Klausen et al. 2025, wave `sine`.

    Returns:
        The case.
    """
    shape = sp.sin(4 * sp.pi * x)
    exact = shape * sp.cos(4 * sp.pi * t)
    return ProblemCase(_string(shape, "wave, sine"), exact, _KLAUSEN, {(0.3, 0.85): 0.18163563200134})


def sine_mix() -> ProblemCase:
    """Three standing waves, u0 = sin(2πx)/2 - sin(4πx)/5 + 7 sin(12πx)/10.

    Source: Klausen et al. 2025, wave `sine_mix`.

    Returns:
        The case.
    """
    amplitudes = {2: _HALF, 4: sp.Rational(-1, 5), 12: sp.Rational(7, 10)}
    exact = sp.Add(*[a * sp.sin(m * sp.pi * x) * sp.cos(m * sp.pi * t) for m, a in amplitudes.items()])
    problem = _string(exact.subs(t, 0), "wave, mixed sines")
    return ProblemCase(problem, exact, _KLAUSEN, {(0.3, 0.85): -0.295413248218464})


def polynomial() -> ProblemCase:
    """Data x² + x³ - x⁵ + x⁷ between the fixed values 0 and 2; kinks of u_x run along the characteristics.

    Source: Klausen et al. 2025, wave `poly`.

    Returns:
        The case.
    """
    shape = x**2 + x**3 - x**5 + x**7
    return ProblemCase(_string(shape, "wave, polynomial", right=2), _released(shape, right=2), _KLAUSEN)


def gauss() -> ProblemCase:
    """Data exp(-50 (x - 1/2)²) between ends at 0; the data miss the ends by 3.7e-6, which gives a warning.

    Source: Klausen et al. 2025, wave `gauss`.

    Returns:
        The case.
    """
    shape = sp.exp(-50 * (x - _HALF) ** 2)
    return ProblemCase(_string(shape, "wave, Gaussian"), _released(shape), _KLAUSEN, {(0.3, 0.85): -0.442342196851389})


def gauss_mix() -> ProblemCase:
    """Two pulses, 7 exp(-100 (x - 2/5)²)/10 + exp(-500 (x - 7/10)²); a jump of 8e-8 at the left end gives a warning.

    Source: Klausen et al. 2025, wave `gauss_mix`.

    Returns:
        The case.
    """
    broad, narrow = (x - sp.Rational(2, 5)) ** 2, (x - sp.Rational(7, 10)) ** 2
    shape = sp.Rational(7, 10) * sp.exp(-100 * broad) + sp.exp(-500 * narrow)
    problem = _string(shape, "wave, two Gaussians")
    return ProblemCase(problem, _released(shape), _KLAUSEN, {(0.3, 0.85): -0.0369027364561364})


def step() -> ProblemCase:
    """Two steep fronts, u0 = [tanh 500(x - 2/5) - tanh 500(x - 3/5)]/2.

    Source: Klausen et al. 2025, wave `step`.

    Returns:
        The case.
    """
    fronts = (sp.Rational(2, 5), sp.Rational(3, 5))
    shape = (sp.tanh(500 * (x - fronts[0])) - sp.tanh(500 * (x - fronts[1]))) / 2
    return ProblemCase(_string(shape, "wave, step"), _released(shape), _KLAUSEN, {(0.3, 0.85): -0.5})


def jump() -> ProblemCase:
    """Discontinuous data: u0 = 1 on (2/5, 3/5), 0 elsewhere; the equation holds away from the characteristics.

    Source: d'Alembert 1747; the discontinuous limit of `step`.

    Returns:
        The case.
    """
    shape = sp.Piecewise((1, (x > sp.Rational(2, 5)) & (x < sp.Rational(3, 5))), (0, True))
    return ProblemCase(_string(shape, "wave, jump"), _released(shape), "d'Alembert 1747", {(0.3, 0.85): -0.5})


def two_modes() -> ProblemCase:
    """u_tt = 4 u_xx with u = sin(πx) cos(2πt) + sin(4πx) cos(8πt)/2: a slow and a fast mode.

    Source: Wang, Yu and Perdikaris 2022, J. Comput. Phys. 449, 110768; wave benchmark of Krasowski, Naujoks et al.
    2026 (PINNfluence, arXiv 2409.08958).

    Returns:
        The case.
    """
    exact = sp.sin(sp.pi * x) * sp.cos(2 * sp.pi * t) + sp.sin(4 * sp.pi * x) * sp.cos(8 * sp.pi * t) / 2
    problem = _string(exact.subs(t, 0), "wave, two modes", speed=2)
    return ProblemCase(problem, exact, "Krasowski, Naujoks et al. 2026, arXiv 2409.08958")


def _membrane_modes(problem: IBVP, count: int = 64) -> Solution:
    """Σ b_m(9/20) b_n(11/20) sin(mπx) sin(nπy) cos(π√(m² + n²) t), b_n(c) = 2√(π/200) exp(-n²π²/800) sin(nπc)."""
    n = np.arange(1, count + 1)
    size = 2 * np.sqrt(np.pi / 200) * np.exp(-((n * np.pi) ** 2) / 800)
    amplitude = np.outer(size * np.sin(0.45 * np.pi * n), size * np.sin(0.55 * np.pi * n))
    frequency = np.pi * np.hypot(n[:, None], n)

    def derivative(points: np.ndarray, orders: tuple[int, ...]) -> np.ndarray:
        sines = [
            (n * np.pi) ** k * np.sin(np.pi * points[:, [axis]] * n + k * np.pi / 2)
            for axis, k in enumerate(orders[:2])
        ]
        k = orders[2]
        out = np.empty(len(points))
        for i, time in enumerate(points[:, 2]):  # one (count, count) table at a time
            clock = amplitude * frequency**k * np.cos(frequency * time + k * np.pi / 2)
            out[i] = sines[0][i] @ clock @ sines[1][i]
        return out

    return ReferenceSolution(problem, derivative, status=f"{count} × {count} modes")


def membrane() -> ProblemCase:
    """A Gaussian pulse exp(-200 |x - (9/20, 11/20)|²) on the unit square with fixed sides, released at rest.

    The coefficients use integrals over the whole line: an error below 1e-18.

    Source: separation of variables (Courant and Hilbert 1953, section V.5).

    Returns:
        The case.
    """
    pulse = sp.exp(-200 * ((x - sp.Rational(9, 20)) ** 2 + (y - sp.Rational(11, 20)) ** 2))
    problem = IBVP(
        pde=sp.Eq(w.diff(t, 2), w.diff(x, 2) + w.diff(y, 2)),
        domain=Rectangle((x, 0, 1), (y, 0, 1)),
        time=(t, 0, 1),
        initial={w: pulse, w.diff(t): 0},
        boundary=[Dirichlet(w, 0)],
        name="wave, membrane",
    )
    values = {(0.5, 0.5, 0.3): -0.0341741700886178, (0.2, 0.7, 1.0): 0.0689437456698944}
    return ProblemCase(problem, _membrane_modes, "Courant and Hilbert 1953, section V.5", values)


def complex_source() -> ProblemCase:
    """A smooth ring wave on [-1, 1]², u = Re (x² + y² - (t - 3i/10)²)^(-1/2).

    Source: fundamental solution with its source at a complex time (Deschamps 1971, Electron. Lett. 7, 684).

    Returns:
        The case.
    """
    # (A + iB)^(-1/2) has the real part √((R + A)/2)/R, R = |A + iB|
    real, imaginary = x**2 + y**2 - t**2 + sp.Rational(9, 100), sp.Rational(3, 5) * t
    modulus = sp.sqrt(real**2 + imaginary**2)
    exact = sp.sqrt((modulus + real) / 2) / modulus
    problem = IBVP(
        pde=sp.Eq(w.diff(t, 2), w.diff(x, 2) + w.diff(y, 2)),
        domain=Rectangle((x, -1, 1), (y, -1, 1)),
        time=(t, 0, 1),
        initial={w: 1 / sp.sqrt(x**2 + y**2 + sp.Rational(9, 100)), w.diff(t): 0},
        boundary=[Dirichlet(w, exact)],
        name="wave, complex source",
    )
    return ProblemCase(problem, exact, "Deschamps 1971", {(0.3, -0.2, 0.6): 0.908450346409728})
