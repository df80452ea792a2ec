"""Backward-facing step: a channel that widens to twice its height, known by its points of separation."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import sympy as sp

from sciml.conditions import Condition, Dirichlet, Neumann
from sciml.errors import ProblemWarning
from sciml.flows.forces import reattachment
from sciml.geometry import Polygon
from sciml.ibvp import IBVP
from sciml.problems.case import ProblemCase
from sciml.problems.navier_stokes import equations
from sciml.solution import Solution
from sciml.symbols import coordinates, field

x, y = coordinates("x y")
_UNSTABLE = 997  # Barkley, Gomes and Henderson 2002: 748 with the largest speed and the height of the step


def backward_facing(reynolds: int = 800, length: int = 30) -> ProblemCase:
    """Steady flow behind a step of half the height of the channel [0, L] × [-1/2, 1/2].

    The lower half of the left side is the "step"; through the upper half, the "inlet", flows u = 24y(1/2 - y), of mean
    speed 1. The outflow is free: u_x/Re = p, v_x = 0. Re is that of the mean speed at the inflow and the height of the
    channel. At Re 800 the flow attaches to the lower wall at x = 6.10 and leaves the upper one between 4.85 and 10.48.
    Above Re 997 it is unstable to waves along the span (Barkley, Gomes and Henderson 2002, J. Fluid Mech. 473, 167),
    which gives a warning.

    Source: Gartling 1990, Int. J. Numer. Meth. Fluids 11, 953.

    Args:
        reynolds: Re.
        length: L.

    Returns:
        The case, without a reference solution.
    """
    u, v, p = (field(name, x, y) for name in "uvp")
    half, viscosity = sp.Rational(1, 2), sp.Rational(1, reynolds)
    if reynolds > _UNSTABLE:
        warnings.warn(f"the steady plane flow behind the step is unstable above Re {_UNSTABLE}, given Re {reynolds}",
                      ProblemWarning, stacklevel=2)  # fmt: skip
    solid = ["bottom", "top", "step"]
    corners = [(0, -half), (length, -half), (length, half), (0, half), (0, 0)]
    problem = IBVP(
        pde=equations([u, v], p, (x, y), viscosity),
        domain=Polygon((x, y), corners, name=["bottom", "right", "top", "inlet", "step"]),
        boundary=[
            Dirichlet(u, 24 * y * (half - y), on="inlet"),
            Dirichlet(u, 0, on=solid),
            Dirichlet(v, 0, on=["inlet", *solid]),
            Condition(sp.Eq(viscosity * u.diff(x), p), on="right"),
            Neumann(v, 0, on="right"),
        ],
        fields=[u, v, p],
        name=f"backward-facing step, Re {reynolds}",
    )
    known = {"lower reattachment": 6.10, "upper separation": 4.85, "upper reattachment": 10.48}
    numbers = known if (reynolds, length) == (800, 30) else {}
    return ProblemCase(problem, None, "Gartling 1990", numbers=numbers, functionals=_FUNCTIONALS)


def _change(face: str, number: int) -> Callable[[Solution], float]:
    """The n-th change of sign of the wall shear away from the ends of the wall; NaN where there is none."""

    def take(solution: Solution) -> float:
        places = reattachment(solution, face)
        places = places[places > 0.5]  # a corner eddy sits at the foot of the step
        return float(places[number]) if len(places) > number else float("nan")

    return take


_FUNCTIONALS: dict[str, Callable[[Solution], float]] = {
    "lower reattachment": _change("bottom", 0),
    "upper separation": _change("top", 0),
    "upper reattachment": _change("top", 1),
}
