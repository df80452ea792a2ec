"""Lid-driven cavity: steady Navier–Stokes flow in the unit square, known by its extrema."""

from __future__ import annotations

import warnings

import numpy as np
import sympy as sp

from sciml.conditions import Dirichlet
from sciml.errors import ProblemError, ProblemWarning
from sciml.geometry import Rectangle
from sciml.ibvp import IBVP
from sciml.problems.case import ProblemCase
from sciml.problems.navier_stokes import equations
from sciml.solution import Solution
from sciml.symbols import coordinates, field

x, y = coordinates("x y")
_LIDS = {
    "raw": sp.S.One,
    "smooth": 16 * x**2 * (1 - x) ** 2,
    "steep": 1 - sp.cosh(50 * (x - sp.Rational(1, 2))) / sp.cosh(25),
}
_UNSTABLE = 8000  # the steady plane flow loses stability near 8018: Auteri, Parolini and Quartapelle 2002
# min u on x = 1/2, max v and min v on y = 1/2
_EXTREMA = {
    ("raw", 100): (-0.2140417, 0.1795728, -0.2538030),
    ("raw", 400): (-0.32873, 0.30383, -0.45407),
    ("raw", 1000): (-0.3885698, 0.3769447, -0.5270771),
    ("smooth", 100): (-0.1634, 0.1393, -0.1953),
    ("smooth", 400): (-0.2341, 0.2116, -0.3293),
    ("smooth", 1000): (-0.2768, 0.2618, -0.3785),
}


def lid(reynolds: int = 100, profile: str = "smooth") -> ProblemCase:
    """Flow in the unit square below a moving lid; the pressure is free up to a constant.

    The "raw" lid u = 1 jumps at the upper corners, where pressure and vorticity grow like 1/r: building it gives a
    warning. The "smooth" lid is u = 16x²(1 - x)², the "steep" one u = 1 - cosh(50(x - 1/2))/cosh 25.
    Above Re 8000 the plane steady flow is unstable (Hopf bifurcation near 8018: Auteri, Parolini and Quartapelle 2002,
    J. Comput. Phys. 183, 1), which gives a warning too; in a long cavity waves along the span grow from about 790 on.

    Source: Ghia, Ghia and Shin 1982, J. Comput. Phys. 48, 387. Extrema of the raw lid: Marchi, Suero and Araki 2009
    (Re 100), Botella and Peyret 1998, Computers and Fluids 27, 421 (Re 1000); Re 400 and the smooth lid by graded
    Q2/Q1 elements, good to the digits given.

    Args:
        reynolds: Re; extrema are known for 100, 400 and 1000.
        profile: "smooth", "steep" or "raw".

    Returns:
        The case, without a reference solution.

    Raises:
        ProblemError: If there is no such profile.
    """
    if profile not in _LIDS:
        raise ProblemError(f"a profile among {', '.join(_LIDS)}", repr(profile), 'lid(100, profile="smooth")')
    u, v, p = (field(name, x, y) for name in "uvp")
    walls = ["left", "right", "bottom"]
    problem = IBVP(
        pde=equations([u, v], p, (x, y), sp.Rational(1, reynolds)),
        domain=Rectangle((x, 0, 1), (y, 0, 1)),
        boundary=[Dirichlet(u, _LIDS[profile], on="top"), Dirichlet(u, 0, on=walls), Dirichlet(v, 0)],
        fields=[u, v, p],
        name=f"lid-driven cavity, {profile} lid, Re {reynolds}",
    )
    if reynolds > _UNSTABLE:
        warnings.warn(f"the steady plane flow in the cavity is unstable above Re {_UNSTABLE} (Hopf bifurcation near "
                      f"8018), given Re {reynolds}", ProblemWarning, stacklevel=2)  # fmt: skip
    names = ("min u on x = 1/2", "max v on y = 1/2", "min v on y = 1/2")
    known = _EXTREMA.get((profile, reynolds))
    numbers = dict(zip(names, known, strict=True)) if known else {}
    functionals = dict(zip(names, (_least_u, _greatest_v, _least_v), strict=True))
    return ProblemCase(problem, None, "Ghia, Ghia and Shin 1982", numbers=numbers, functionals=functionals)


_LINE = np.linspace(0.0, 1.0, 10001)  # to 1e-8 of an extremum's value


def _least_u(solution: Solution) -> float:
    return float(solution(x=0.5, y=_LINE)["u"].min())


def _greatest_v(solution: Solution) -> float:
    return float(solution(x=_LINE, y=0.5)["v"].max())


def _least_v(solution: Solution) -> float:
    return float(solution(x=_LINE, y=0.5)["v"].min())
