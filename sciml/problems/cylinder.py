"""Flow around a cylinder in a channel: DFG benchmark 2D-1, known by its forces."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import sympy as sp

from sciml.conditions import Condition, Dirichlet, Neumann
from sciml.errors import ProblemWarning
from sciml.flows.forces import force
from sciml.geometry import Disk, Rectangle
from sciml.ibvp import IBVP
from sciml.problems.case import ProblemCase
from sciml.problems.navier_stokes import equations
from sciml.solution import Solution
from sciml.symbols import coordinates, field

x, y = coordinates("x y")


_UNIT = 0.04  # published pressures are ρ U² p with mean speed U = 0.2


def dfg_steady(reynolds: int = 20) -> ProblemCase:
    """Steady flow past a cylinder of diameter 1 in [0, 22] × [0, 41/10], in units of diameter and mean speed.

    Inflow u = 6y(4.1 - y)/4.1², no slip on walls and cylinder, outflow u_x/Re = p and v_x = 0. With the force
    F = ∮ (-p n + (∇u + ∇uᵀ)n/Re) ds on the cylinder, n into the fluid, drag is 2F_x, lift is 2F_y, and the pressure
    difference is p(3/2, 2) - p(5/2, 2). In the benchmark's units (diameter 0.1, mean speed 0.2) the coefficients
    are the same and the pressure difference is 0.04 times as large: the functionals report that published value.
    Drag and lift come from the balance of momentum around the cylinder, and "by its traction" from the line integral.
    The benchmark is Re 20. Vortices are shed at Re 100, and from Re 46.6 on without walls (Jackson 1987, J. Fluid Mech.
    182, 23): above 45 there is a warning that the steady flow is unstable.

    Source: Schäfer and Turek 1996, Notes Numer. Fluid Mech. 52, 547; numbers: FeatFlow benchmark pages, Nabh 1998,
    John and Matthies 2001, Int. J. Numer. Meth. Fluids 37, 885.

    Args:
        reynolds: Re of mean speed and diameter; numbers are known for 20.

    Returns:
        The case, without a reference solution.
    """
    u, v, p = (field(name, x, y) for name in "uvp")
    height, viscosity = sp.Rational(41, 10), sp.Rational(1, reynolds)
    if reynolds > 45:
        warnings.warn(f"the steady flow around a cylinder is unstable at Re {reynolds}: vortices are shed; state it "
                      "with time", ProblemWarning, stacklevel=2)  # fmt: skip
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
        name=f"flow around a cylinder, Re {reynolds}",
    )
    numbers = {
        "drag coefficient": 5.57953523384,
        "lift coefficient": 0.010618948146,
        "pressure difference": 0.11752016697,
    }
    return ProblemCase(problem, None, "Schäfer and Turek 1996, 2D-1", numbers=numbers if reynolds == 20 else {},
                       functionals=_FUNCTIONALS)  # fmt: skip


def _coefficient(axis: int, method: str) -> Callable[[Solution], float]:
    return lambda solution: 2.0 * float(force(solution, "cylinder", method).value[axis])


def _pressure_difference(solution: Solution) -> float:
    front, back = solution(x=[1.5, 2.5], y=[2.0, 2.0])["p"]
    return _UNIT * float(front - back)


_FUNCTIONALS: dict[str, Callable[[Solution], float]] = {
    "drag coefficient": _coefficient(0, "volume"),
    "lift coefficient": _coefficient(1, "volume"),
    "pressure difference": _pressure_difference,
    "drag coefficient by its traction": _coefficient(0, "line"),
    "lift coefficient by its traction": _coefficient(1, "line"),
}
