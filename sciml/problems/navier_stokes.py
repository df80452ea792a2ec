"""Incompressible Navier–Stokes equations with closed solutions, density 1."""

from __future__ import annotations

from collections.abc import Sequence

import sympy as sp

from sciml.conditions import Dirichlet, Periodic
from sciml.geometry import Box, Rectangle
from sciml.ibvp import IBVP
from sciml.problems.case import ProblemCase
from sciml.symbols import coordinates, field

x, y, z, t = coordinates("x y z t")
THIN = sp.Rational(1, 100)


def equations(
    velocity: Sequence[sp.Expr], pressure: sp.Expr, space: Sequence[sp.Symbol], viscosity: sp.Expr, time: bool = False
) -> dict[str, sp.Eq]:
    """Continuity and momentum: ∇·u = 0 and u_t + (u·∇)u + ∇p = νΔu.

    Args:
        velocity: Components u, v(, w).
        pressure: p.
        space: Space coordinates.
        viscosity: ν.
        time: Whether the flow depends on time `t`.

    Returns:
        Equations by name: "continuity", "momentum x", ...

    Example:
        >>> u, v, p = (field(name, x, y) for name in "uvp")
        >>> equations([u, v], p, (x, y), sp.Rational(1, 20))["continuity"]
        Eq(Derivative(u(x, y), x) + Derivative(v(x, y), y), 0)
    """
    system = {"continuity": sp.Eq(sp.Add(*[c.diff(s) for c, s in zip(velocity, space, strict=True)]), 0)}
    for component, axis in zip(velocity, space, strict=True):
        convection = sp.Add(*[c * component.diff(s) for c, s in zip(velocity, space, strict=True)])
        change = component.diff(t) if time else sp.S.Zero
        friction = viscosity * sp.Add(*[component.diff(s, 2) for s in space])
        system[f"momentum {axis}"] = sp.Eq(change + convection + pressure.diff(axis), friction)
    return system


def kovasznay(reynolds: int = 20) -> ProblemCase:
    """Steady flow behind a grid on [-1/2, 1] × [-1/2, 3/2], ν = 1/Re; the pressure is free up to a constant.

    u = 1 - e^{λx} cos 2πy, v = λ/(2π) e^{λx} sin 2πy, p = (1 - e^{2λx})/2, λ = Re/2 - √(Re²/4 + 4π²).

    Source: Kovasznay 1948, Math. Proc. Camb. Phil. Soc. 44, 58.

    Args:
        reynolds: Re.

    Returns:
        The case.
    """
    u, v, p = (field(name, x, y) for name in "uvp")
    number = sp.sympify(reynolds)
    growth = number / 2 - sp.sqrt(number**2 / 4 + 4 * sp.pi**2)
    exact = {
        u: 1 - sp.exp(growth * x) * sp.cos(2 * sp.pi * y),
        v: growth / (2 * sp.pi) * sp.exp(growth * x) * sp.sin(2 * sp.pi * y),
        p: (1 - sp.exp(2 * growth * x)) / 2,
    }
    half = sp.Rational(1, 2)
    problem = IBVP(
        pde=equations([u, v], p, (x, y), 1 / number),
        domain=Rectangle((x, -half, 1), (y, -half, 3 * half)),
        boundary=[Dirichlet(u, exact[u]), Dirichlet(v, exact[v])],
        fields=[u, v, p],
        name=f"Kovasznay flow, Re {reynolds}",
    )
    return ProblemCase(problem, exact, "Kovasznay 1948")


def taylor_green(viscosity: sp.Expr = THIN) -> ProblemCase:
    """Decaying periodic vortices on [0, 2π]² × [0, 1].

    u = -cos x sin y e^{-2νt}, v = sin x cos y e^{-2νt}, p = -(cos 2x + cos 2y) e^{-4νt}/4.

    Source: Taylor and Green 1937, Proc. R. Soc. A 158, 499.

    Args:
        viscosity: ν.

    Returns:
        The case.
    """
    u, v, p = (field(name, x, y, t) for name in "uvp")
    viscosity = sp.sympify(viscosity)
    decay = sp.exp(-2 * viscosity * t)
    exact = {
        u: -sp.cos(x) * sp.sin(y) * decay,
        v: sp.sin(x) * sp.cos(y) * decay,
        p: -(sp.cos(2 * x) + sp.cos(2 * y)) * decay**2 / 4,
    }
    pairs = (("left", "right"), ("bottom", "top"))
    problem = IBVP(
        pde=equations([u, v], p, (x, y), viscosity, time=True),
        domain=Rectangle((x, 0, 2 * sp.pi), (y, 0, 2 * sp.pi)),
        time=(t, 0, 1),
        initial={u: exact[u].subs(t, 0), v: exact[v].subs(t, 0)},
        boundary=[Periodic(known, on=pair) for known in (u, v, p) for pair in pairs],
        fields=[u, v, p],
        name="Taylor–Green vortex",
    )
    return ProblemCase(problem, exact, "Taylor and Green 1937")


def beltrami() -> ProblemCase:
    """Three-dimensional decaying flow with vorticity parallel to velocity on [-1, 1]³ × [0, 1], a = d = ν = 1.

    u = -a [e^{ax} sin(ay + dz) + e^{az} cos(ax + dy)] e^{-νd²t} and cyclic permutations.

    Source: Ethier and Steinman 1994, Int. J. Numer. Meth. Fluids 19, 369.

    Returns:
        The case.
    """
    velocity = [field(name, x, y, z, t) for name in "uvw"]
    p = field("p", x, y, z, t)
    decay = sp.exp(-t)
    cycles = [(x, y, z), (y, z, x), (z, x, y)]
    exact = {
        known: -(sp.exp(a) * sp.sin(b + c) + sp.exp(c) * sp.cos(a + b)) * decay
        for known, (a, b, c) in zip(velocity, cycles, strict=True)
    }
    exact[p] = (
        -sp.Rational(1, 2)
        * decay**2
        * sp.Add(*[sp.exp(2 * a) + 2 * sp.sin(a + b) * sp.cos(c + a) * sp.exp(b + c) for a, b, c in cycles])
    )
    problem = IBVP(
        pde=equations(velocity, p, (x, y, z), sp.S.One, time=True),
        domain=Box((x, -1, 1), (y, -1, 1), (z, -1, 1)),
        time=(t, 0, 1),
        initial={known: exact[known].subs(t, 0) for known in velocity},
        boundary=[Dirichlet(known, exact[known]) for known in velocity],
        fields=[*velocity, p],
        name="Beltrami flow",
    )
    return ProblemCase(problem, exact, "Ethier and Steinman 1994")
