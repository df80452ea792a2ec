"""Poisson equation -Δu = f in two dimensions."""

from __future__ import annotations

import numpy as np
import sympy as sp
from scipy.special import exp1

from sciml.conditions import Dirichlet
from sciml.errors import ProblemError
from sciml.geometry import Disk, Geometry, Rectangle
from sciml.ibvp import IBVP
from sciml.problems.case import ProblemCase
from sciml.references.solution import ReferenceSolution
from sciml.solution import Solution
from sciml.symbols import coordinates, field

x, y = coordinates("x y")
u = field("u", x, y)
WIDTH = sp.Rational(1, 50)


def _problem(source: sp.Expr, domain: Geometry, boundary: sp.Expr, name: str) -> IBVP:
    return IBVP(
        pde=sp.Eq(-u.diff(x, 2) - u.diff(y, 2), source), domain=domain, boundary=[Dirichlet(u, boundary)], name=name
    )


def square() -> ProblemCase:
    """-Δu = 2π² sin(πx) sin(πy) on the unit square, u = 0 on its boundary; u = sin(πx) sin(πy).

    Source: eigenfunction of the square (Courant and Hilbert 1953, section V.5).

    Returns:
        The case.
    """
    exact = sp.sin(sp.pi * x) * sp.sin(sp.pi * y)
    problem = _problem(2 * sp.pi**2 * exact, Rectangle((x, 0, 1), (y, 0, 1)), sp.S.Zero, "Poisson, square")
    return ProblemCase(problem, exact, "Courant and Hilbert 1953, section V.5")


def disk_with_hole() -> ProblemCase:
    """-Δu = 1 on the unit disk without a disk of radius 1/4 around (3/10, 1/5).

    u = (1 - x² - y²)/4 - ln(16 |x - c|²)/4: uniform heating, plus a line source in the hole, c its centre. The data
    on both circles are u itself; on the hole the logarithm vanishes.

    Source: fundamental solution (Evans 2010, Partial Differential Equations, section 2.2).

    Returns:
        The case.
    """
    center = (sp.Rational(3, 10), sp.Rational(1, 5))
    distance_squared = (x - center[0]) ** 2 + (y - center[1]) ** 2
    exact = (1 - x**2 - y**2) / 4 - sp.log(16 * distance_squared) / 4
    domain = Disk((x, y)) - Disk((x, y), center=center, radius=sp.Rational(1, 4), name="hole")
    problem = _problem(sp.S.One, domain, exact, "Poisson, disk with a hole")
    return ProblemCase(problem, exact, "Evans 2010, section 2.2")


def annulus() -> ProblemCase:
    """-Δu = 4 between circles of radius 1/4 and 1, u = 0 on both: u = 1 - r² + (15/16) ln r/ln 4.

    Source: pressure-driven flow between concentric cylinders (Bird, Stewart and Lightfoot 2002, Transport Phenomena,
    section 2.4).

    Returns:
        The case.
    """
    square_radius = x**2 + y**2
    exact = 1 - square_radius + sp.Rational(15, 32) * sp.log(square_radius) / sp.log(4)
    domain = Disk((x, y)) - Disk((x, y), radius=sp.Rational(1, 4), name="hole")
    problem = _problem(sp.Integer(4), domain, sp.S.Zero, "Poisson, annulus")
    return ProblemCase(problem, exact, "Bird, Stewart and Lightfoot 2002, section 2.4")


def _peak_jets(points: np.ndarray, orders: tuple[int, ...]) -> np.ndarray:
    """Potential u = -[ln r + E₁(ρ)/2]/(2π) with ρ = r²/(2s²), and its derivatives to second order, also at r = 0."""
    s = float(WIDTH)
    # from 1e-300 on, ln r + E₁(ρ)/2 is its limit to rounding
    square_radius = np.maximum((points**2).sum(axis=1), 1e-300)
    rho = square_radius / (2 * s**2)
    if orders == (0, 0):
        return -(np.log(square_radius) + exp1(rho)) / (4 * np.pi)
    mean = -np.expm1(-rho) / rho
    slope = -mean / (4 * np.pi * s**2)  # u_r/r
    if sum(orders) == 1:
        return points[:, orders.index(1)] * slope
    if sum(orders) > 2:
        raise ProblemError("derivatives to second order", str(orders), "the equation contains no other derivative")
    # the Hessian is slope · identity + (u_rr - u_r/r) n nᵀ
    bend = (mean - np.exp(-rho)) / (2 * np.pi * s**2) / square_radius
    first, second = (0, 1) if orders == (1, 1) else (orders.index(2),) * 2
    return slope * (first == second) + bend * points[:, first] * points[:, second]


def peak() -> ProblemCase:
    """A peaked source on the unit disk, -Δu = exp(-r²/(2s²))/(2πs²), s = 1/50, u = 0 at r = 1.

    u = -[ln r + E₁(r²/(2s²))/2]/(2π), up to exp(-1250). The reference -ln r/(2π) in the literature is wrong for
    r < 3s, where it grows without bound; the true peak is u(0) = [ln(1/(2s²)) + γ]/(4π).

    Source: Poisson benchmark of Krasowski, Naujoks et al. 2026 (PINNfluence, arXiv 2409.08958), corrected.

    Returns:
        The case.
    """
    density = sp.exp(-(x**2 + y**2) / (2 * WIDTH**2)) / (2 * sp.pi * WIDTH**2)
    problem = _problem(density, Disk((x, y)), sp.S.Zero, "Poisson, peak")

    def exact(peaked: IBVP) -> Solution:
        return ReferenceSolution(peaked, _peak_jets, status="exponential integral")

    top = float((sp.log(1 / (2 * WIDTH**2)) + sp.EulerGamma) / (4 * sp.pi))
    return ProblemCase(problem, exact, "Krasowski, Naujoks et al. 2026, arXiv 2409.08958", {(0.0, 0.0): top})
