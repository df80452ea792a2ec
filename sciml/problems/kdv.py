"""Korteweg–de Vries equation u_t + 6 u u_x + u_xxx = 0."""

from __future__ import annotations

import sympy as sp

from sciml.conditions import Dirichlet, Neumann
from sciml.geometry import Interval
from sciml.ibvp import IBVP
from sciml.problems.case import ProblemCase
from sciml.symbols import coordinates, field

x, t = coordinates("x t")
u = field("u", x, t)


def _problem(exact: sp.Expr, half_length: int, time: tuple, name: str) -> IBVP:
    """Three conditions at the ends: both values and the slope on the right (Bona, Sun and Zhang 2003)."""
    return IBVP(
        pde=sp.Eq(u.diff(t) + 6 * u * u.diff(x) + u.diff(x, 3), 0),
        domain=Interval(x, -half_length, half_length),
        time=time,
        initial={u: exact.subs(t, time[1])},
        boundary=[Dirichlet(u, exact), Neumann(u, exact.diff(x), on="right")],
        name=name,
    )


def soliton() -> ProblemCase:
    """One soliton of speed c = 4 on [-8, 8] × [0, 1], u = (c/2) sech²(√c (x + 2 - ct)/2).

    Source: Korteweg and de Vries 1895, Phil. Mag. 39, 422; Drazin and Johnson 1989, Solitons, section 2.2.

    Returns:
        The case.
    """
    exact = 2 * sp.sech(x + 2 - 4 * t) ** 2
    problem = _problem(exact, 8, (t, 0, 1), "KdV, soliton")
    return ProblemCase(problem, exact, "Drazin and Johnson 1989, section 2.2")


def two_solitons() -> ProblemCase:
    """Solitons of speed 16 and 4 that overtake at t = 0, on [-10, 10] × [-3/10, 3/10].

    u = 12 (3 + 4 cosh(2x - 8t) + cosh(4x - 64t)) / (3 cosh(x - 28t) + cosh(3x - 36t))².

    Source: Drazin and Johnson 1989, Solitons, section 4.5.

    Returns:
        The case.
    """
    numerator = 3 + 4 * sp.cosh(2 * x - 8 * t) + sp.cosh(4 * x - 64 * t)
    exact = 12 * numerator / (3 * sp.cosh(x - 28 * t) + sp.cosh(3 * x - 36 * t)) ** 2
    end = sp.Rational(3, 10)
    problem = _problem(exact, 10, (t, -end, end), "KdV, two solitons")
    return ProblemCase(problem, exact, "Drazin and Johnson 1989, section 4.5")
