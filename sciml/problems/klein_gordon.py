"""Klein–Gordon equations u_tt = u_xx - V'(u)."""

from __future__ import annotations

import sympy as sp

from sciml.conditions import Dirichlet
from sciml.geometry import Interval
from sciml.ibvp import IBVP
from sciml.problems.case import ProblemCase
from sciml.symbols import coordinates, field

x, t = coordinates("x t")
u = field("u", x, t)


def _problem(force: sp.Expr, exact: sp.Expr, half_length: sp.Expr, name: str) -> IBVP:
    return IBVP(
        pde=sp.Eq(u.diff(t, 2), u.diff(x, 2) - force),
        domain=Interval(x, -half_length, half_length),
        time=(t, 0, 1),
        initial={u: exact.subs(t, 0), u.diff(t): exact.diff(t).subs(t, 0)},
        boundary=[Dirichlet(u, exact)],
        name=name,
    )


def wave() -> ProblemCase:
    """A massive wave, u_tt = u_xx - 9u, u = cos(4x - 5t) on [-1, 1] × [0, 1].

    Source: Whitham 1974, Linear and Nonlinear Waves, section 11.1.

    Returns:
        The case.
    """
    exact = sp.cos(4 * x - 5 * t)
    return ProblemCase(_problem(9 * u, exact, sp.S.One, "Klein–Gordon, wave"), exact, "Whitham 1974, section 11.1")


def kink() -> ProblemCase:
    """A moving kink, u_tt = u_xx + u - u³, u = tanh((x - vt)/√(2(1 - v²))), v = 3/5, on [-5, 5] × [0, 1].

    Source: Drazin and Johnson 1989, Solitons, exercise 2.7; Rajaraman 1982, Solitons and Instantons, section 2.3.

    Returns:
        The case.
    """
    speed = sp.Rational(3, 5)
    exact = sp.tanh((x - speed * t) / sp.sqrt(2 * (1 - speed**2)))
    problem = _problem(u**3 - u, exact, sp.Integer(5), "Klein–Gordon, kink")
    return ProblemCase(problem, exact, "Rajaraman 1982, section 2.3")
