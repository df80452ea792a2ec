"""Fisher's equation u_t = u_xx + u (1 - u)."""

from __future__ import annotations

import sympy as sp

from sciml.conditions import Dirichlet
from sciml.geometry import Interval
from sciml.ibvp import IBVP
from sciml.problems.case import ProblemCase
from sciml.symbols import coordinates, field

x, t = coordinates("x t")
u = field("u", x, t)


def front() -> ProblemCase:
    """The front of speed 5/√6 on [-10, 10] × [0, 2], u = [1 + exp((x - 5t/√6)/√6)]⁻².

    Source: Ablowitz and Zeppetella 1979, Bull. Math. Biol. 41, 835.

    Returns:
        The case.
    """
    exact = (1 + sp.exp((x - 5 * t / sp.sqrt(6)) / sp.sqrt(6))) ** -2
    problem = IBVP(
        pde=sp.Eq(u.diff(t), u.diff(x, 2) + u * (1 - u)),
        domain=Interval(x, -10, 10),
        time=(t, 0, 2),
        initial={u: exact.subs(t, 0)},
        boundary=[Dirichlet(u, exact)],
        name="Fisher, front",
    )
    return ProblemCase(problem, exact, "Ablowitz and Zeppetella 1979")
