"""Flow around a cylinder in a channel: DFG benchmark 2D-1, known by its forces."""

from __future__ import annotations

import sympy as sp

from sciml.conditions import Condition, Dirichlet, Neumann
from sciml.geometry import Disk, Rectangle
from sciml.ibvp import IBVP
from sciml.problems.case import ProblemCase
from sciml.problems.navier_stokes import equations
from sciml.symbols import coordinates, field

x, y = coordinates("x y")


def dfg_steady() -> ProblemCase:
    """Steady flow at Re 20 past a cylinder of diameter 1 in [0, 22] × [0, 41/10], in units of diameter and mean speed.

    Inflow u = 6y(4.1 - y)/4.1², no slip on walls and cylinder, outflow u_x/Re = p and v_x = 0. With the force
    F = ∮ (-p n + (∇u + ∇uᵀ)n/Re) ds on the cylinder, n into the fluid, drag is 2F_x, lift is 2F_y, and the pressure
    difference is p(3/2, 2) - p(5/2, 2). In the benchmark's units (diameter 0.1, mean speed 0.2) the coefficients
    are the same and the pressure difference is 0.04 times as large, 0.11752016697.

    Source: Schäfer and Turek 1996, Notes Numer. Fluid Mech. 52, 547; numbers: FeatFlow benchmark pages, Nabh 1998,
    John and Matthies 2001, Int. J. Numer. Meth. Fluids 37, 885.

    Returns:
        The case, without a reference solution.
    """
    u, v, p = (field(name, x, y) for name in "uvp")
    height, viscosity = sp.Rational(41, 10), sp.Rational(1, 20)
    channel = Rectangle((x, 0, 22), (y, 0, height))
    cylinder = Disk((x, y), center=(2, 2), radius=sp.Rational(1, 2), name="cylinder")
    solid = ["bottom", "top", "cylinder"]
    problem = IBVP(
        pde=equations([u, v], p, (x, y), viscosity),
        domain=channel - cylinder,
        boundary=[
            Dirichlet(u, 6 * y * (height - y) / height**2, on="left"),
            Dirichlet(u, 0, on=solid),
            Dirichlet(v, 0, on=["left", *solid]),
            Condition(sp.Eq(viscosity * u.diff(x), p), on="right"),
            Neumann(v, 0, on="right"),
        ],
        fields=[u, v, p],
        name="flow around a cylinder, Re 20",
    )
    numbers = {
        "drag coefficient": 5.57953523384,
        "lift coefficient": 0.010618948146,
        "pressure difference": 0.11752016697 / 0.04,
    }
    return ProblemCase(problem, None, "Schäfer and Turek 1996, 2D-1", numbers=numbers)
