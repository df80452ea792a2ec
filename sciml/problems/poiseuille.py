"""Plane channel flow with a parabolic profile (Poiseuille), density 1."""

from __future__ import annotations

import sympy as sp

from sciml.conditions import Condition, Dirichlet, Neumann
from sciml.geometry import Rectangle
from sciml.ibvp import IBVP
from sciml.problems.case import ProblemCase
from sciml.problems.navier_stokes import equations
from sciml.symbols import coordinates, field

x, y = coordinates("x y")
TENTH = sp.Rational(1, 10)


def channel(viscosity: sp.Expr = TENTH, length: sp.Expr = sp.S.One) -> ProblemCase:
    """Inflow u = 4y(1 - y) into [0, L] × [0, 1], free outflow ν u_x = p, v_x = 0.

    u = 4y(1 - y), v = 0, p = 8ν(L - x). The walls feel the drag 8νL, the pressure drop times the height.

    Source: Poiseuille 1840; Landau and Lifshitz, Fluid Mechanics, § 17. Stable below a Reynolds number of 5772 of
    half the height and the largest speed (Orszag 1971, J. Fluid Mech. 50, 689), that is for ν > 1/11544.

    Args:
        viscosity: ν.
        length: L.

    Returns:
        The case.
    """
    u, v, p = (field(name, x, y) for name in "uvp")
    viscosity, length = sp.sympify(viscosity), sp.sympify(length)
    exact = {u: 4 * y * (1 - y), v: sp.S.Zero, p: 8 * viscosity * (length - x)}
    problem = IBVP(
        pde=equations([u, v], p, (x, y), viscosity),
        domain=Rectangle((x, 0, length), (y, 0, 1)),
        boundary=[
            Dirichlet(u, exact[u], on="left"),
            Dirichlet(u, 0, on=["bottom", "top"]),
            Dirichlet(v, 0, on=["left", "bottom", "top"]),
            Condition(sp.Eq(viscosity * u.diff(x), p), on="right"),
            Neumann(v, 0, on="right"),
        ],
        fields=[u, v, p],
        name="Poiseuille flow",
    )
    return ProblemCase(problem, exact, "Poiseuille 1840", numbers={"drag of the walls": float(8 * viscosity * length)})
