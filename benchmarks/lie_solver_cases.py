"""Problems of the LieSolver benchmark beyond the library, each with a reference of its own kind."""

from __future__ import annotations

import numpy as np
import sympy as sp
from scipy.optimize import brentq
from scipy.special import j0, j1, jn_zeros, wofz

from sciml import IBVP, Dirichlet, Disk, Interval, Neumann, Periodic, Rectangle, Robin, coordinates, field
from sciml.problems import burgers
from sciml.problems.case import ProblemCase
from sciml.references.solution import ReferenceSolution

x, y, t = coordinates("x y t")
u, w = field("u", x, t), field("w", x, y, t)
_GAUSS = 240  # nodes of the quadrature of the coefficients


def sine_coefficients(data: np.ndarray, nodes: np.ndarray, weights: np.ndarray, count: int) -> np.ndarray:
    """2 ∫ f sin(nπx) dx for n = 1 ... count on the unit interval."""
    modes = np.sin(np.pi * np.outer(np.arange(1, count + 1), nodes))
    return 2 * modes @ (weights * data)


def _coefficients(data: sp.Expr, symbol: sp.Symbol, count: int) -> np.ndarray:
    nodes, weights = np.polynomial.legendre.leggauss(_GAUSS)
    nodes, weights = 0.5 + nodes / 2, weights / 2
    return sine_coefficients(sp.lambdify(symbol, data, "numpy")(nodes) + 0 * nodes, nodes, weights, count)


def telegraph() -> ProblemCase:
    """A damped string, u_tt + 2 u_t + u = u_xx, plucked smoothly: a sine series with its own clocks."""
    data = sp.exp(3 * sp.cos(2 * sp.pi * x)) * sp.sin(3 * sp.pi * x) / 20
    problem = IBVP(u.diff(t, 2) + 2 * u.diff(t) + u - u.diff(x, 2), Interval(x, 0, 1), (t, 0, 2),
                   {u: data, u.diff(t): 0}, [Dirichlet(u, 0)], name="telegraph equation")  # fmt: skip
    modes = np.arange(1, 101)
    amplitude, rate = _coefficients(data, x, 100), np.pi * modes  # u = e^{-t} v with v_tt = v_xx

    def values(points: np.ndarray, orders: tuple[int, ...]) -> np.ndarray:
        turn = np.outer(points[:, 1], rate)
        clock = np.exp(-points[:, 1:2]) * (np.cos(turn) + np.sin(turn) / rate)
        return (clock * np.sin(np.outer(points[:, 0], rate))) @ amplitude

    return ProblemCase(problem, lambda p: ReferenceSolution(p, values), "sine series")


def linear_potential() -> ProblemCase:
    """u_t = u_xx - x u, for which no dictionary is made by hand: u = exp(-xt + t³/3) w(x - t², t), w_t = w_xx."""
    moved = x - t**2
    inside = 1 + sp.exp(-4 * t) * sp.sin(2 * moved) + sp.exp(-(moved**2) / (1 + 4 * t)) / sp.sqrt(1 + 4 * t)
    exact = sp.exp(-x * t + t**3 / 3) * inside
    problem = IBVP(u.diff(t) - u.diff(x, 2) + x * u, Interval(x, -1, 2), (t, 0, 1), {u: exact.subs(t, 0)},
                   [Dirichlet(u, exact.subs(x, -1), on="left"), Dirichlet(u, exact.subs(x, 2), on="right")],
                   name="heat with a linear potential")  # fmt: skip
    return ProblemCase(problem, exact, "Galilean map in closed form")


def heat_rectangle() -> ProblemCase:
    """Heat on the unit square: a product of two sine series."""
    parts = (sp.exp(-20 * (x - sp.Rational(2, 5)) ** 2) * sp.sin(sp.pi * x), y * (1 - y) * sp.exp(y))
    problem = IBVP(w.diff(t) - w.diff(x, 2) - w.diff(y, 2), Rectangle((x, 0, 1), (y, 0, 1)),
                   (t, 0, sp.Rational(1, 10)), {w: parts[0] * parts[1]}, [Dirichlet(w, 0)],
                   name="heat, unit square")  # fmt: skip
    count = 4000
    rate = np.pi * np.arange(1, count + 1)
    first = np.append(_coefficients(parts[0], x, 100), np.zeros(count - 100))
    n = np.pi * np.arange(1, count + 1)  # 2∫ y(1-y) e^y sin(ny) dy in closed form, from ∫ e^{(1+in)y}
    s = 1 + 1j * n
    end = np.exp(1.0) * np.exp(1j * n)
    zeroth = (end - 1) / s
    once = (end - zeroth) / s
    twice = (end - 2 * once) / s
    second = 2 * (once - twice).imag

    def values(points: np.ndarray, orders: tuple[int, ...]) -> np.ndarray:
        total = np.ones(len(points))
        for axis, amplitude in enumerate((first, second)):
            part = np.zeros(len(points))
            for low in range(0, count, 500):
                k = slice(low, low + 500)
                part += (np.sin(np.outer(points[:, axis], rate[k]))
                         * np.exp(-np.outer(points[:, 2], rate[k] ** 2))) @ amplitude[k]  # fmt: skip
            total *= part
        return total

    return ProblemCase(problem, lambda p: ReferenceSolution(p, values), "sine series")


def disk_cooling() -> ProblemCase:
    """A hot disk cooled at its rim, u0 = 1 - r²: a Bessel series, 8 Σ J0(λr) exp(-λ²t)/(λ³ J1(λ))."""
    problem = IBVP(w.diff(t) - w.diff(x, 2) - w.diff(y, 2), Disk((x, y)), (t, 0, sp.Rational(1, 5)),
                   {w: 1 - x**2 - y**2}, [Dirichlet(w, 0)], name="heat, cooling disk")  # fmt: skip
    zeros = jn_zeros(0, 2000)
    amplitude = 8 / (zeros**3 * j1(zeros))

    def values(points: np.ndarray, orders: tuple[int, ...]) -> np.ndarray:
        radius, clock = np.hypot(points[:, 0], points[:, 1]), points[:, 2]
        return (j0(np.outer(radius, zeros)) * np.exp(-np.outer(clock, zeros**2))) @ amplitude

    return ProblemCase(problem, lambda p: ReferenceSolution(p, values), "Carslaw and Jaeger 1959, section 7.6")


def acoustics() -> ProblemCase:
    """p_t + 4 v_x = 0, v_t + p_x = 0 around a ring: two pulses that travel apart, with an impedance of 2."""
    p, v = field("p", x, t), field("v", x, t)
    bump = sp.Lambda(x, sp.exp(sp.cos(2 * sp.pi * x) * 3 - 3))
    right, left = bump(x - 2 * t), bump(x + 2 * t)
    problem = IBVP([p.diff(t) + 4 * v.diff(x), v.diff(t) + p.diff(x)], Interval(x, 0, 1), (t, 0, 1),
                   {p: bump(x), v: 0}, [Periodic(p), Periodic(v)], name="acoustics on a ring")  # fmt: skip
    return ProblemCase(problem, {p: (right + left) / 2, v: (right - left) / 4}, "d'Alembert")


def maxwell() -> ProblemCase:
    """E_t + B_x = 0, B_t + E_x = 0 between conducting walls, E = 0 on both: images of the pulse."""
    e, b = field("E", x, t), field("B", x, t)
    bump = sp.Lambda(x, sum(sp.exp(-150 * (x - sp.Rational(1, 2) - 2 * n) ** 2)
                            - sp.exp(-150 * (x + sp.Rational(1, 2) - 2 * n) ** 2) for n in range(-2, 4)))  # fmt: skip
    right, left = bump(x - t), bump(x + t)
    problem = IBVP([e.diff(t) + b.diff(x), b.diff(t) + e.diff(x)], Interval(x, 0, 1), (t, 0, 1),
                   {e: bump(x), b: 0}, [Dirichlet(e, 0)], name="Maxwell's equations in a cavity")  # fmt: skip
    return ProblemCase(problem, {e: (right + left) / 2, b: (right - left) / 2}, "d'Alembert")


def robin_rod() -> ProblemCase:
    """A rod that loses heat at one end, u_x + 2u = 0, insulated at the other: modes at the roots of κ tan κ = 2."""
    data = sp.exp(-8 * x**2)
    problem = IBVP(u.diff(t) - u.diff(x, 2), Interval(x, 0, 1), (t, 0, sp.Rational(1, 5)), {u: data},
                   [Neumann(u, 0, on="left"), Robin(u, 2, 0, on="right")], name="heat, Robin end")  # fmt: skip
    kappa = np.array([
        brentq(lambda k: k * np.sin(k) - 2 * np.cos(k), n * np.pi, (n + 0.5) * np.pi) for n in range(4000)
    ])
    # ∫ exp(-8x²) cos κx dx = Re √(π/32) e^{-κ²/32} erf(√8 + iκ/√32), without overflow by the Faddeeva function
    end = np.sqrt(8) + 1j * kappa / np.sqrt(32)
    whole = np.sqrt(np.pi / 32) * (np.exp(-(kappa**2) / 32) - np.exp(-8 - 1j * kappa) * wofz(1j * end)).real
    amplitude = whole / (0.5 + np.sin(2 * kappa) / (4 * kappa))

    def values(points: np.ndarray, orders: tuple[int, ...]) -> np.ndarray:
        clock = np.exp(-np.outer(points[:, 1], kappa**2))
        return (np.cos(np.outer(points[:, 0], kappa)) * clock) @ amplitude

    return ProblemCase(problem, lambda p: ReferenceSolution(p, values), "Carslaw and Jaeger 1959, section 3.9")


def burgers_small(viscosity: sp.Expr) -> ProblemCase:
    """Burgers' equation from sin(πx): Hopf's integral by the trapezoidal rule, which is exact for such integrands."""
    case, nu = burgers.sine(viscosity), float(viscosity)
    z = np.linspace(-9.0, 9.0, 4001)

    def values(points: np.ndarray, orders: tuple[int, ...]) -> np.ndarray:
        shift = z * np.sqrt(4 * nu * points[:, 1:2])
        place = points[:, :1] - shift
        power = np.cos(np.pi * place) / (2 * np.pi * nu) - z**2
        weight = np.exp(power - power.max(axis=1, keepdims=True))
        return (weight * np.sin(np.pi * place)).sum(axis=1) / weight.sum(axis=1)

    problem = case.problem.replace(name=f"Burgers, ν = {nu:.2g}")
    return ProblemCase(problem, lambda p: ReferenceSolution(p, values), case.source, case.values)


EXTRA = {
    "burgers 0.1": lambda: burgers_small(sp.Rational(1, 10)),
    "telegraph": telegraph, "linear potential": linear_potential, "heat rectangle": heat_rectangle,
    "disk cooling": disk_cooling, "acoustics": acoustics, "maxwell": maxwell, "robin rod": robin_rod,
    "burgers 0.02": lambda: burgers_small(sp.Rational(1, 50)),
    "burgers 0.01/pi": lambda: burgers_small(sp.Rational(1, 100) / sp.pi),
}  # fmt: skip
