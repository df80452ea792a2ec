"""Helmholtz equation Δu + k²u = 0 in two dimensions."""

from __future__ import annotations

import sympy as sp

from sciml.conditions import Dirichlet
from sciml.geometry import Rectangle
from sciml.ibvp import IBVP
from sciml.problems.case import ProblemCase
from sciml.symbols import coordinates, field

x, y = coordinates("x y")
u = field("u", x, y)


def _problem(exact: sp.Expr, wavenumber: int, name: str) -> IBVP:
    return IBVP(
        pde=sp.Eq(u.diff(x, 2) + u.diff(y, 2) + wavenumber**2 * u, 0),
        domain=Rectangle((x, 0, 1), (y, 0, 1)),
        boundary=[Dirichlet(u, exact)],
        name=name,
    )


def point_source() -> ProblemCase:
    """Standing waves of a source outside the unit square, u = Y₀(k |x - (-1/5, 3/10)|), k = 20.

    Source: fundamental solution (Colton and Kress 2013, Inverse Acoustic and Electromagnetic Scattering Theory,
    section 3.5).

    Returns:
        The case.
    """
    exact = sp.bessely(0, 20 * sp.sqrt((x + sp.Rational(1, 5)) ** 2 + (y - sp.Rational(3, 10)) ** 2))
    values = {(0.5, 0.5): 0.194824701479618, (0.9, 0.95): -0.0569479752304143}
    problem = _problem(exact, 20, "Helmholtz, point source")
    return ProblemCase(problem, exact, "Colton and Kress 2013, section 3.5", values)


def plane_wave() -> ProblemCase:
    """A plane wave on the unit square, u = cos(6x + 8y), k = 10.

    Source: Colton and Kress 2013, section 2.1.

    Returns:
        The case.
    """
    exact = sp.cos(6 * x + 8 * y)
    return ProblemCase(_problem(exact, 10, "Helmholtz, plane wave"), exact, "Colton and Kress 2013, section 2.1")
