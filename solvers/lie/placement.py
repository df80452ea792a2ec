"""Where the rows lie: composite Gauss points on faces, in time and at the start, weighted as quadrature."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sciml.compatibility import term_data
from sciml.expressions.data import evaluate_data
from sciml.geometry import Interval, Rectangle
from sciml.ibvp import IBVP
from sciml.jets import jet_atoms
from sciml.points import PointSet
from sciml.terms import Term
from solvers.lie.breaks import gauss, kinks, panels
from solvers.lie.planar.outline import data_breaks, has_slope, path

_START = (1e-5, 1e-4, 1e-3, 1e-2, 0.04, 0.12, 0.25, 0.5, 0.75)  # panels in time, finer where data meet the start


@dataclass(frozen=True)
class Density:
    """How many rows.

    Attributes:
        line: Panels along a line in one dimension, at least.
        order: Gauss points per panel; another order gives independent points.
        clustering: Smallest distance to a corner, relative to the side.
        interior: Rows of the equations per coordinate; 0 for none.
        shift: Seed of the points in regions without a product form.
        level: Weigh values at all points of a steady boundary alike, slopes by the square of the quadrature weight:
            what clusters at a corner then counts there as elsewhere.
        time: Panels of equal length in time, at least.
    """

    line: int = 4
    order: int = 12
    clustering: float = 1e-2
    interior: int = 0
    shift: int = 0
    level: bool = False
    time: int = 1


def place_rows(problem: IBVP, density: Density) -> PointSet:
    """Points and quadrature weights of every term.

    Args:
        problem: The problem.
        density: How many.

    Returns:
        The points; weights sum to 1 per term.
    """
    blocks = []
    for index, term in enumerate(problem.terms):
        points, weights = term_points(problem, term, density)
        if len(points):
            blocks.append((points, weights / weights.sum(), np.full(len(points), index), term))
    values = [term.observation.values if term.observation else np.full(len(p), np.nan) for p, _, _, term in blocks]
    return PointSet(
        np.concatenate([block[0] for block in blocks]),
        term=np.concatenate([block[2] for block in blocks]),
        terms=tuple(term.name for term in problem.terms),
        weight=np.concatenate([block[1] for block in blocks]),
        value=np.concatenate(values),
        term_kinds=tuple(term.kind for term in problem.terms),
    )


def term_points(problem: IBVP, term: Term, density: Density) -> tuple[np.ndarray, np.ndarray]:
    """Points of one term, and weights: the lengths they stand for, on a steady boundary in the plane."""
    if term.observation is not None:
        return term.observation.points, np.ones(len(term.observation.points))
    if term.kind == "point":
        assert term.point is not None
        place = [float(problem.substitute(term.point[s])) for s in problem.coordinates if s in term.point]
        if len(place) == len(problem.coordinates):
            return np.array([place]), np.ones(1)
        t, w = time_nodes(problem, term, density)
        return np.column_stack([np.tile(place, (len(t), 1)), t]), w
    if term.kind == "interior":
        return _interior(problem, density)
    if term.kind == "initial":
        space, weights = _inside(problem, term, density)
        return np.column_stack([space, np.full(len(space), problem.bounds[-1][0])]), weights
    faces = term.faces[:1] if term.periodic else term.faces
    parts = [_on_face(problem, term, face, density) for face in faces]
    weights = np.concatenate([w for _, w in parts])
    if density.level and problem.time is None:
        weights = (weights / weights.max()) ** (2 * max(has_slope(problem, face) for face in faces))
    return np.concatenate([p for p, _ in parts]), weights


def _interior(problem: IBVP, density: Density) -> tuple[np.ndarray, np.ndarray]:
    n = density.interior
    if not n:
        return np.zeros((0, len(problem.coordinates))), np.zeros(0)
    bounds = problem.bounds
    if isinstance(problem.domain, (Interval, Rectangle)):
        return product([gauss(np.array(b), n + density.order % 2) for b in bounds])
    time = bounds[-1] if problem.time else None
    points = problem.domain.sample(n ** len(bounds) * 3 // 4, seed=density.shift, time=time)
    return points, np.ones(len(points))


def product(axes: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """Product of one-dimensional rules: points (N, d) and weights (N,)."""
    grids = np.meshgrid(*[nodes for nodes, _ in axes], indexing="ij")
    weights = np.meshgrid(*[w for _, w in axes], indexing="ij")
    return np.stack([g.ravel() for g in grids], axis=1), np.prod([w.ravel() for w in weights], axis=0)


def _data_along(problem: IBVP, term: Term, axis: int, fixed: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Data of a term along one coordinate, the others fixed at rows of `fixed`."""
    data = [d for d in term_data(term, problem) if not d.free_symbols - set(problem.coordinates)]

    def function(places: np.ndarray) -> np.ndarray:
        columns = []
        for row in fixed:
            points = np.tile(row, (len(places), 1))
            points[:, axis] = places
            columns += [evaluate_data(d, problem.coordinates, points) for d in data]
        return np.stack(columns, axis=1) if columns else np.zeros((len(places), 0))

    return function


def _inside(problem: IBVP, term: Term, density: Density) -> tuple[np.ndarray, np.ndarray]:
    bounds, start = problem.domain.bounds, problem.bounds[-1][0]
    if isinstance(problem.domain, (Interval, Rectangle)):
        axes = []
        for axis, (low, high) in enumerate(bounds):
            middle = np.array([[0.5 * (a + b) for a, b in bounds] + [start]])
            if len(bounds) == 2:
                middle = np.concatenate([middle, [*middle, [0.23 * (b - a) for a, b in bounds] + [0.0]]])
            edges = [np.linspace(low, high, density.line + 1)]
            edges += [np.array(_data_kinks(problem, term, axis))]
            ends = np.unique(np.concatenate(edges).round(15))
            ends = panels(_data_along(problem, term, axis, middle), list(ends), 1e-10, most=len(ends) + 64)
            axes.append(gauss(ends, density.order))
        return product(axes)
    count = max(400, (density.line * density.order) ** 2 // 2)
    points = problem.domain.sample(count, seed=density.shift)
    return points, np.ones(len(points))


def _data_kinks(problem: IBVP, term: Term, axis: int) -> list[float]:
    symbol, (low, high) = problem.coordinates[axis], problem.bounds[axis]
    return sorted({k for data in term_data(term, problem) for k in kinks(data, symbol, low, high)})


def time_nodes(problem: IBVP, term: Term, density: Density, place: np.ndarray | None = None) -> tuple[np.ndarray, ...]:
    """Gauss points in time: finer near the start, at kinks, and where the data vary."""
    start, end = problem.bounds[-1]
    ends = [*np.linspace(start, end, density.time + 1), *(start + (end - start) * np.array(_START))]
    ends = sorted({*ends, *_data_kinks(problem, term, len(problem.bounds) - 1)})
    if place is not None:
        row = np.array([[*place, 0.0]])
        ends = list(panels(_data_along(problem, term, len(problem.bounds) - 1, row), ends, 1e-9, most=len(ends) + 40))
    order = max(4, density.order // 2 + density.line // 4) if len(problem.space) == 1 else density.order // 2
    return gauss(np.array(ends), order)


def _on_face(problem: IBVP, term: Term, face: str, density: Density) -> tuple[np.ndarray, np.ndarray]:
    domain = problem.domain
    if len(problem.space) == 1:
        place = domain.sample_face(face, 1)[0]
        if problem.time is None:
            return place[None, :], np.ones(1)
        t, w = time_nodes(problem, term, density, place)
        return np.column_stack([np.full(len(t), place[0]), t]), w
    if len(problem.space) == 2:
        space, weights = _along_face(problem, face, density)
    else:
        space = domain.sample_face(face, (density.line * density.order) ** 2 // 4, seed=density.shift)
        weights = np.ones(len(space))
    if problem.time is None:
        return space, weights
    t, w = time_nodes(problem, term, density)
    i, j = (index.ravel() for index in np.meshgrid(np.arange(len(space)), np.arange(len(t)), indexing="ij"))
    return np.column_stack([space[i], t[j]]), weights[i] * w[j]


def graded(density: Density, marks: tuple[float, ...] = (0.0, 1.0)) -> np.ndarray:
    """Ends of panels on [0, 1], geometric towards marks down to the clustering."""
    steps = max(1, math.ceil(math.log(0.5 / density.clustering) / math.log(3.0)))
    half = 0.5 * 3.0 ** -np.arange(steps + 1.0)
    stops = sorted({0.0, 1.0, *marks})
    ends = [np.linspace(0.0, 1.0, density.line + 1), np.array(stops)]
    for low, high in itertools.pairwise(stops):
        ends += [low + (high - low) * half] if low in marks else []
        ends += [high - (high - low) * half] if high in marks else []
    return np.unique(np.concatenate(ends).round(15))


def _along_face(problem: IBVP, face: str, density: Density) -> tuple[np.ndarray, np.ndarray]:
    known = {tuple(np.round(c, 9)) for c in problem.domain.corners()}
    blocks, sizes = [], []
    for name, shape, data in problem.domain.primitives():
        if name == face:
            ends = [at for at, end in zip((0.0, 1.0), data[:2], strict=True) if tuple(np.round(end, 9)) in known]
            marks = (*ends, *data_breaks(problem, face, shape, data))
            fraction, weight = gauss(graded(density, marks), density.order)
            blocks.append(path(shape, data)(fraction))
            sizes.append(np.linalg.norm(np.diff(blocks[-1], axis=0), axis=1).sum() * weight)
    return np.concatenate(blocks), np.concatenate(sizes)


def unit_scale(problem: IBVP) -> dict[str, float]:
    """λ by term: L^2m for m derivatives in space and T^2k for k in time, so that rows have the unit of the field."""
    length = float(max(high - low for low, high in problem.domain.bounds))
    duration = problem.bounds[-1][1] - problem.bounds[-1][0] if problem.time else 1.0
    scale = {}
    for term in problem.terms:
        orders = [
            jet[1] for e in term.expressions for jet in jet_atoms(e, problem.fields, problem.coordinates).values()
        ]
        space = len(problem.space)
        in_space = max([sum(o[:space]) for o in orders], default=0)
        in_time = max([sum(o[space:]) for o in orders], default=0)
        scale[term.name] = length ** (2 * in_space) * duration ** (2 * in_time)
    return scale
