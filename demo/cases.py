"""The problems of the demonstration, in the notation of the README."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sympy as sp

from sciml import IBVP, MLP, Dirichlet, Disk, Interval, coordinates, field
from solvers import PINN, FiniteElement


@dataclass(frozen=True)
class Case:
    """A problem, its exact solution, the solvers that try it, and what to look at."""

    title: str
    problem: IBVP
    exact: sp.Expr
    solvers: dict[str, Any]
    remark: str


def heat() -> Case:
    """Cooling rod."""
    x, t = coordinates("x t")
    u = field("u", x, t)
    problem = IBVP(
        pde=sp.Eq(u.diff(t), u.diff(x, 2)),
        domain=Interval(x, 0, 1),
        time=(t, 0, sp.Rational(1, 2)),
        initial={u: sp.sin(sp.pi * x)},
        boundary=[Dirichlet(u, 0)],
        name="heat equation",
    )
    return Case(
        "Heat equation on an interval",
        problem,
        sp.exp(-(sp.pi**2) * t) * sp.sin(sp.pi * x),
        {"PINN": PINN(MLP(width=16, depth=2), seed=0, seconds=12), "FiniteElement": FiniteElement()},
        "One statement, two solvers. The network meets the initial and boundary data exactly by construction.",
    )


def disk_with_hole() -> Case:
    """Poisson's equation between two circles that share no centre."""
    x, y = coordinates("x y")
    w = field("w", x, y)
    exact = x**2 * y + sp.cos(2 * x)
    outer = Disk((x, y), center=(0, 0), radius=1, name="outer")
    hole = Disk((x, y), center=(sp.Rational(3, 10), 0), radius=sp.Rational(1, 4), name="hole")
    problem = IBVP(
        pde=sp.Eq(w.diff(x, 2) + w.diff(y, 2), exact.diff(x, 2) + exact.diff(y, 2)),
        domain=outer - hole,
        boundary=[Dirichlet(w, exact)],
        name="Poisson equation",
    )
    return Case(
        "Poisson equation on a disk with a hole",
        problem,
        exact,
        {"PINN": PINN(MLP(width=20, depth=2), seed=0, seconds=20), "FiniteElement": FiniteElement()},
        'Set operations keep the names of the faces: conditions may say on="outer" or on="hole".',
    )


CASES: tuple[Callable[[], Case], ...] = (heat, disk_with_hole)
