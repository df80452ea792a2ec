"""Symmetries that the heat equation lacks: waves, fronts, turned regions and systems, by every solver."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy as sp

from sciml import IBVP, MLP, Dirichlet, Interval, Polygon, coordinates, field
from solvers import PINN, FiniteElement, LieSolver, solve
from solvers.pinn import Ensemble

x, y, t = coordinates("x y t")
u, v, w = field("u", x, t), field("v", x, t), field("w", x, y)
UNIT = np.random.default_rng(3).random((300, 2))


def pinn(**options: Any) -> PINN:
    return PINN(MLP(width=10, depth=2), **{"seed": 0, "steps": 60, "progress": False, **options})


def short(names: Any, fast: str) -> list[Any]:
    """All names, those that take long marked slow."""
    return [name if name in fast.split(", ") else pytest.param(name, marks=pytest.mark.slow) for name in names]


def values(solver: Any, problem: IBVP, places: np.ndarray) -> np.ndarray:
    return solver.solve(problem).evaluate(places)


# waves: x -> L x + s and t -> T t change the speed to L/T; t -> -t changes the sign of the velocity only


def wave(length: Any, shift: Any, duration: Any, factor: Any) -> IBVP:
    s = (x - shift) / length
    speed = length / duration
    return IBVP(sp.Eq(u.diff(t, 2), speed**2 * u.diff(x, 2)), Interval(x, shift, shift + length), (t, 0, duration),
                {u: factor * sp.sin(sp.pi * s), u.diff(t): factor * sp.sin(2 * sp.pi * s) / duration},
                [Dirichlet(u, 0)])  # fmt: skip


WAVES: dict[str, tuple[Callable[[], Any], float]] = {
    "LieSolver": (LieSolver, 1e-8),
    "FiniteElement": (FiniteElement, 2e-4),
    "PINN": (lambda: pinn(optimiser="lm"), 5e-2),
    "PINN, soft": (lambda: pinn(optimiser="lm", constraints="soft"), 5e-2),
    "auto": (lambda: Chosen(), 1e-8),
}


class Chosen:
    def solve(self, problem: IBVP) -> Any:
        return solve(problem)


@pytest.mark.parametrize("name", short(WAVES, "LieSolver, auto"))
def test_waves_of_other_lengths_times_and_amplitudes(name: str) -> None:
    make, tolerance = WAVES[name]
    first = values(make(), wave(sp.Integer(1), 0, sp.Integer(1), 1), UNIT)
    places = np.column_stack([3 * UNIT[:, 0] - 2, UNIT[:, 1] / 5])
    moved = values(make(), wave(sp.Integer(3), -2, sp.Rational(1, 5), 100), places)
    assert np.abs(moved / 100 - first).max() <= tolerance


# Burgers: x -> a x, t -> a² t, u -> u/a


def front(a: Any) -> IBVP:
    return IBVP(u.diff(t) + u * u.diff(x) - u.diff(x, 2) / 10, Interval(x, 0, a), (t, 0, a**2 / 2),
                {u: sp.sin(sp.pi * x / a) / a}, [Dirichlet(u, 0)])  # fmt: skip


FRONTS: dict[str, tuple[Callable[[], Any], float]] = {
    "LieSolver": (LieSolver, 1e-6),
    "FiniteElement": (FiniteElement, 1e-4),
    "PINN": (pinn, 2e-2),
}


@pytest.mark.parametrize("name", short(FRONTS, ""))
def test_fronts_of_burgers_equation_scale(name: str) -> None:
    make, tolerance = FRONTS[name]
    places = UNIT * [1.0, 0.5]
    first = values(make(), front(sp.Integer(1)), places)
    moved = values(make(), front(sp.Integer(4)), places * [4.0, 16.0])
    assert np.abs(4 * moved - first).max() <= tolerance


# the plane: rotations by any angle, shifts and scalings of region and data


CORNERS = [(0, 0), (2, 0), (2, 1), (1, 2), (0, 1)]


def poisson(angle: Any, size: Any, shift: tuple[Any, Any]) -> IBVP:
    """Δw = 4/size² with w = X² + Y² + e^X cos Y at the boundary, X and Y the coordinates before the motion."""
    c, s = sp.cos(angle), sp.sin(angle)
    corners = [(size * (c * a - s * b) + shift[0], size * (s * a + c * b) + shift[1]) for a, b in CORNERS]
    a, b = (x - shift[0]) / size, (y - shift[1]) / size
    before = {"X": c * a + s * b, "Y": -s * a + c * b}
    data = before["X"] ** 2 + before["Y"] ** 2 + sp.exp(before["X"]) * sp.cos(before["Y"]) * sp.sin(before["X"])
    region = Polygon((x, y), [(float(p), float(q)) for p, q in corners], name="rim")
    return IBVP(w.diff(x, 2) + w.diff(y, 2) - 4 / size**2, region, boundary=[Dirichlet(w, data)])


REGIONS: dict[str, tuple[Callable[[], Any], float]] = {
    "LieSolver": (LieSolver, 1e-6),
    "FiniteElement": (lambda: FiniteElement(), 2e-3),
    "PINN": (lambda: pinn(steps=80), 2e-2),
}


@pytest.mark.parametrize("name", short(REGIONS, "FiniteElement"))
def test_regions_turned_by_any_angle(name: str) -> None:
    make, tolerance = REGIONS[name]
    inner = 0.15 + 0.8 * UNIT
    first = values(make(), poisson(sp.Integer(0), sp.Integer(1), (0, 0)), inner)
    turn = np.array([[np.cos(0.7), -np.sin(0.7)], [np.sin(0.7), np.cos(0.7)]])
    moved = values(make(), poisson(sp.Rational(7, 10), sp.Integer(5), (-3, 20)), 5 * inner @ turn.T + [-3, 20])
    assert np.abs(moved - first).max() <= tolerance * np.abs(first).max()


# systems: the names of fields and the order of equations do not matter; a factor common to all fields comes through


def pair(order: int, factor: Any) -> IBVP:
    equations = [sp.Eq(u.diff(t), u.diff(x, 2) / 4 - v), sp.Eq(v.diff(t), v.diff(x, 2) / 4 + u)]
    start = {u: factor * sp.sin(sp.pi * x), v: factor * sp.sin(2 * sp.pi * x)}
    sides = [Dirichlet(u, 0), Dirichlet(v, 0)]
    return IBVP(equations[::order], Interval(x, 0, 1), (t, 0, 1), dict(list(start.items())[::order]), sides[::order])


SYSTEMS: dict[str, tuple[Callable[[], Any], float]] = {
    "LieSolver": (LieSolver, 1e-6),
    "FiniteElement": (FiniteElement, 1e-4),
    "PINN": (lambda: pinn(optimiser="lm"), 2e-2),
    "PINN in slabs": (lambda: pinn(optimiser="lm", slabs=2), 2e-2),
    "Ensemble": (lambda: Ensemble(pinn(optimiser="lm", steps=40), 2), 2e-2),
}


@pytest.mark.parametrize("name", short(SYSTEMS, "LieSolver"))
def test_the_order_of_equations_and_fields_does_not_matter(name: str) -> None:
    make, tolerance = SYSTEMS[name]
    first = make().solve(pair(1, 1))
    again = make().solve(pair(-1, 1000))
    for known in (u, v):
        expected, found = (s.derivative(known, UNIT) for s in (first, again))
        assert np.abs(found / 1000 - expected).max() <= tolerance
