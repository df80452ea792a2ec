"""Laplace equation Δu = 0 in two dimensions."""

from __future__ import annotations

import sympy as sp

from sciml.conditions import Dirichlet
from sciml.geometry import Geometry, Polygon, Rectangle
from sciml.ibvp import IBVP
from sciml.problems.case import ProblemCase
from sciml.symbols import coordinates, field

x, y = coordinates("x y")
u = field("u", x, y)
_CORNERS = [(0, 0), (2, 0), (2, 1), (1, 1), (1, 2), (0, 2)]


def _problem(domain: Geometry, boundary: sp.Expr, name: str) -> IBVP:
    return IBVP(pde=sp.Eq(u.diff(x, 2) + u.diff(y, 2), 0), domain=domain, boundary=[Dirichlet(u, boundary)], name=name)


def square() -> ProblemCase:
    """The unit square with u = sin(πx) on its top and 0 elsewhere: u = sin(πx) sinh(πy)/sinh π.

    Source: separation of variables (Courant and Hilbert 1953, section V.3).

    Returns:
        The case.
    """
    exact = sp.sin(sp.pi * x) * sp.sinh(sp.pi * y) / sp.sinh(sp.pi)
    problem = IBVP(
        pde=sp.Eq(u.diff(x, 2) + u.diff(y, 2), 0),
        domain=Rectangle((x, 0, 1), (y, 0, 1)),
        boundary=[Dirichlet(u, sp.sin(sp.pi * x), on="top"), Dirichlet(u, 0, on=["left", "right", "bottom"])],
        name="Laplace, square",
    )
    return ProblemCase(problem, exact, "Courant and Hilbert 1953, section V.3")


def l_shape() -> ProblemCase:
    """The L-shape with u = x² on its boundary; u varies like r^(2/3) near the re-entrant corner (1, 1).

    No closed form; the value beside the corner is good to 1e-10.

    Source: Trefethen 2018, "8-digit Laplace solutions on polygons?", NA Digest (29 November); Gopal and Trefethen
    2019, SIAM J. Numer. Anal. 57, 2074.

    Returns:
        The case.
    """
    problem = _problem(Polygon((x, y), _CORNERS), x**2, "Laplace, L-shape")
    return ProblemCase(problem, None, "Gopal and Trefethen 2019", {(0.99, 0.99): 1.0267919261})


def reentrant_corner() -> ProblemCase:
    """The L-shape with the singular solution r^(2/3) sin(2θ/3) around the corner (1, 1), 0 on both its edges.

    Source: Strang and Fix 1973, An Analysis of the Finite Element Method, section 8.1.

    Returns:
        The case.
    """
    # angle from the bisector of the domain at the corner, which keeps the cut of atan2 outside
    along, across = 2 - x - y, x - y
    angle = sp.atan2(across, along) + 3 * sp.pi / 4
    exact = ((x - 1) ** 2 + (y - 1) ** 2) ** sp.Rational(1, 3) * sp.sin(2 * angle / 3)
    problem = _problem(Polygon((x, y), _CORNERS), exact, "Laplace, re-entrant corner")
    return ProblemCase(problem, exact, "Strang and Fix 1973, section 8.1")
