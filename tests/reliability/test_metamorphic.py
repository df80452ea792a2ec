"""A transformed problem has the transformed solution, whatever solver; the transformations are derived symmetries."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest
import sympy as sp

from sciml import IBVP, MLP, Dirichlet, Interval, Neumann, Rectangle, coordinates, field
from solvers import PINN, FiniteElement, LieSolver, point_symmetries

x, y, t = coordinates("x y t")
u, w = field("u", x, t), field("w", x, y)
SOLVERS: dict[str, tuple[Any, float]] = {
    "PINN": (lambda: PINN(MLP(width=10, depth=2), seed=0, steps=60, progress=False), 2e-3),
    "LieSolver": (LieSolver, 1e-8),
    "FiniteElement": (FiniteElement, 1e-4),
}
PLACES = np.random.default_rng(0).random((400, 2)) * [1.0, 0.5]


def heat(length: Any, duration: Any, shift: Any, level: Any, slope: Any, factor: Any, mirrored: bool) -> IBVP:
    """u_t = u_xx/2, u(x, 0) = sin πx + x under x -> length x + shift, u -> factor u + level + slope x."""
    s = (x - shift) / length
    s = 1 - s if mirrored else s
    start = sp.sin(sp.pi * s) + s
    value = factor * start + level + slope * x
    ends, low = (["right", "left"], shift + length) if mirrored else (["left", "right"], shift)
    side = Dirichlet(u, level + slope * low, on=ends[0])
    flux = (factor / length) * (1 - sp.pi) + (-slope if mirrored else slope)
    return IBVP(sp.Eq(u.diff(t), u.diff(x, 2) / 2), Interval(x, shift, shift + length), (t, 0, duration),
                {u: value}, [side, Neumann(u, flux, on=ends[1])])  # fmt: skip


MOVES = {
    "shift": {"shift": sp.Rational(7, 2)},
    "scaling": {"length": 40},
    "small": {"length": sp.Rational(1, 50)},
    "amplitude": {"factor": 10**4},
    "superposition with a + bx": {"level": 3, "slope": -2},
    "reflection": {"mirrored": True},
    "all": {"shift": -2, "length": 3, "factor": -5, "level": 1, "slope": 2, "mirrored": True},
}


@functools.cache
def base(solver: str) -> np.ndarray:
    return SOLVERS[solver][0]().solve(moved({})).evaluate(PLACES)


def moved(change: dict[str, Any]) -> IBVP:
    whole = {"length": sp.Integer(1), "shift": 0, "level": 0, "slope": 0, "factor": 1, "mirrored": False, **change}
    return heat(duration=sp.Rational(1, 2) * whole["length"] ** 2, **whole)


@pytest.mark.parametrize(
    ("solver", "name"),
    [
        pytest.param(solver, name, marks=pytest.mark.slow if solver == "PINN" and name != "all" else ())
        for solver in SOLVERS
        for name in MOVES
    ],
)
def test_moved_heat_problems(solver: str, name: str) -> None:
    (make, tolerance), expected = SOLVERS[solver], base(solver)
    change = MOVES[name]
    length, shift = float(change.get("length", 1)), float(change.get("shift", 0))
    s = 1 - PLACES[:, 0] if change.get("mirrored") else PLACES[:, 0]
    places = np.column_stack([length * s + shift, length**2 * PLACES[:, 1]])
    factor, level, slope = (float(change.get(key, d)) for key, d in (("factor", 1), ("level", 0), ("slope", 0)))
    wanted = factor * expected[:, 0] + level + slope * places[:, 0]
    found = make().solve(moved(change)).evaluate(places)[:, 0]
    assert np.abs(found - wanted).max() <= tolerance * max(abs(factor), abs(slope) * length) * 2


@pytest.mark.parametrize("number", range(6))
def test_every_derived_symmetry_carries_a_solution_to_a_solution(number: int) -> None:
    """A heat solution, moved by each generator, solves the equation."""
    generators = point_symmetries(sp.Eq(u.diff(t), u.diff(x, 2)), [u]).generators
    solution = sp.exp(-t) * sp.sin(x) + x**2 + 2 * t
    carried = generators[number].transform(solution, sp.Rational(1, 5))
    residual = carried.diff(t) - carried.diff(x, 2)
    values = sp.lambdify((x, t), residual)(*np.random.default_rng(1).uniform(0.1, 0.9, (2, 50)))
    size = sp.lambdify((x, t), carried.diff(x, 2))(*np.random.default_rng(1).uniform(0.1, 0.9, (2, 50)))
    assert np.abs(values).max() <= 1e-10 * max(np.abs(size).max(), 1.0)


def test_rotated_square_for_the_reference_and_the_symmetry_solver() -> None:
    """Laplace's equation is invariant under rotations: data turned by 90 degrees give the solution turned."""
    data = sp.cos(x) * sp.exp(y) + x * y
    square = Rectangle((x, -1, 1), (y, -1, 1))
    turned = data.subs({x: y, y: -x}, simultaneous=True)
    places = np.random.default_rng(2).uniform(-1, 1, (300, 2))
    for solver, tolerance in ((LieSolver(), 1e-8), (FiniteElement(mesh_size=0.2), 1e-3)):
        first, second = (
            solver.solve(IBVP(w.diff(x, 2) + w.diff(y, 2), square, boundary=[Dirichlet(w, g)])) for g in (data, turned)
        )
        rotated = np.column_stack([places[:, 1], -places[:, 0]])
        assert np.abs(second.evaluate(places) - first.evaluate(rotated)).max() < tolerance
