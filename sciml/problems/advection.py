"""Advection equation u_t + c u_x = 0."""

from __future__ import annotations

import sympy as sp

from sciml.conditions import Dirichlet, Periodic
from sciml.geometry import Interval
from sciml.ibvp import IBVP
from sciml.problems.case import ProblemCase
from sciml.symbols import coordinates, field

x, t = coordinates("x t")
u = field("u", x, t)


def sine(speed: int = 80) -> ProblemCase:
    """A sine carried around [0, 2π] with periodic ends, u = sin(x - ct), t <= 1.

    Source: Krishnapriyan et al. 2021, NeurIPS 34 (failure modes of physics-informed networks); c = 80: Wang et al.
    2023, arXiv 2308.08468.

    Args:
        speed: c.

    Returns:
        The case.
    """
    problem = IBVP(
        pde=sp.Eq(u.diff(t) + speed * u.diff(x), 0),
        domain=Interval(x, 0, 2 * sp.pi),
        time=(t, 0, 1),
        initial={u: sp.sin(x)},
        boundary=[Periodic(u)],
        name=f"advection, sine, speed {speed}",
    )
    return ProblemCase(problem, sp.sin(x - speed * t), "Krishnapriyan et al. 2021")


def pulse() -> ProblemCase:
    """A Gaussian carried along [0, 1] at speed 1/2, given at the inflow end only: u = exp(-50 (x - 1/4 - t/2)²).

    Source: method of characteristics (Evans 2010, Partial Differential Equations, section 2.1).

    Returns:
        The case.
    """
    exact = sp.exp(-50 * (x - sp.Rational(1, 4) - t / 2) ** 2)
    problem = IBVP(
        pde=sp.Eq(u.diff(t) + u.diff(x) / 2, 0),
        domain=Interval(x, 0, 1),
        time=(t, 0, 1),
        initial={u: exact.subs(t, 0)},
        boundary=[Dirichlet(u, exact, on="left")],
        name="advection, pulse",
    )
    return ProblemCase(problem, exact, "Evans 2010, section 2.1")
