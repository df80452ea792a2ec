"""Points of a problem: where the points of its terms lie (`sample`), and the `PointSet` that holds them."""

from __future__ import annotations

from typing import Any, overload

import numpy as np

from sciml.arguments import explained
from sciml.errors import PointsError
from sciml.geometry import Geometry
from sciml.point_set import PointSet
from sciml.sampling import apportion, check_count, unit_points

__all__ = ["PointSet", "sample"]

Time = tuple[float, float] | None


@overload
def sample(problem: Geometry, n: int = ..., method: str = ..., seed: int = ...) -> np.ndarray: ...


@overload
def sample(
    problem: Any,
    interior: int = ...,
    boundary: int = ...,
    initial: int = ...,
    method: str = ...,
    seed: int = ...,
) -> PointSet: ...


def sample(problem: Any, *arguments: Any, **options: Any) -> PointSet | np.ndarray:
    """Points for every term of a problem, or points inside a geometry.

    `sample(problem, interior=1000, boundary=200, initial=200, method="sobol", seed=0)`: equations hold at
    `interior` points of domain × (t0, t1); each boundary condition at `boundary` points of its faces times
    (t0, t1), shared among the faces in proportion to their measure, at least one per face; each initial
    condition at `initial` points at t0. Conditions on the same faces, and all initial conditions, share
    their points.
    A periodic condition has its points on the first of its two faces; observations have the points at which
    they were made; a condition at a fixed point has that point. Weights are 1/n per term.

    `sample(geometry, n=1000, method="sobol", seed=0)`: the same as `geometry.sample`.

    Args:
        problem: An IBVP, or a geometry.
        *arguments: Numbers, method and seed by position.
        **options: The same by name.

    Returns:
        A `PointSet`; an array `(n, d)` for a geometry.

    Raises:
        PointsError: If a number is negative, a method unknown, or a fixed or observed point outside the problem.

    Example:
        >>> import sympy as sp
        >>> from sciml.geometry import Interval
        >>> sample(Interval(sp.Symbol("x"), 0, 1), 3, "grid").ravel()
        array([0.16666667, 0.5       , 0.83333333])
    """
    if not isinstance(problem, Geometry) and not hasattr(problem, "terms"):
        raise PointsError("an IBVP, or a geometry", repr(problem)[:120], "sample(problem, interior=1000)")
    if isinstance(problem, Geometry):
        return _sample_geometry(problem, *arguments, **options)
    return _sample_problem(problem, *arguments, **options)


@explained('sample(domain, 1000, method="sobol", seed=0)')
def _sample_geometry(geometry: Geometry, n: int = 1000, method: str = "sobol", seed: int = 0) -> np.ndarray:
    return geometry.sample(n, method, seed)


@explained("sample(problem, interior=1000, boundary=200, initial=200)")
def _sample_problem(
    problem: Any,
    interior: int = 1000,
    boundary: int = 200,
    initial: int = 200,
    method: str = "sobol",
    seed: int = 0,
) -> PointSet:
    counts = {"interior": interior, "boundary": boundary, "initial": initial, "point": 1}
    for name, count in counts.items():
        check_count(count, name)
    unit_points(0, 1, method, seed)  # checks method and seed before any work
    place = _Placement(problem, counts, method, seed)
    shared: dict[object, tuple[int, np.ndarray]] = {}
    parts, next_id = [], 0
    for index, term in enumerate(problem.terms):
        key = place.key(term, index)
        if key not in shared:
            points = place.points(term, seed + 7919 * len(shared))
            shared[key] = (next_id, points)
            next_id += len(points)
        first, points = shared[key]
        values = term.observation.values if term.kind == "observation" else np.full(len(points), np.nan)
        parts.append((points, np.arange(first, first + len(points)), np.full(len(points), index), values))
    coordinates, ids, memberships, value = (np.concatenate(column) for column in zip(*parts, strict=True))
    names, kinds = (tuple(getattr(term, name) for term in problem.terms) for name in ("name", "kind"))
    return PointSet(coordinates, ids, memberships, names, value=np.ravel(value), next_id=next_id, term_kinds=kinds)


class _Placement:
    """The places of one problem's terms for given numbers of points and a method."""

    def __init__(self, problem: Any, counts: dict[str, int], method: str, seed: int) -> None:
        self.domain: Geometry = problem.domain
        self.time: Time = None if problem.time is None else (float(problem.time[1]), float(problem.time[2]))
        self.symbols = (*self.domain.coordinates, *(problem.time[:1] if problem.time is not None else ()))
        self.counts, self.method = counts, method

    def key(self, term: Any, index: int) -> object:
        """Terms of equal key share their points."""
        if term.kind in ("interior", "initial"):
            return term.kind
        return (term.kind, self._faces(term)) if term.kind == "boundary" else index

    def points(self, term: Any, seed: int) -> np.ndarray:
        if term.kind == "interior":
            return self.domain.sample(self.counts["interior"], self.method, seed, self.time)
        if term.kind == "initial":
            points = self.domain.sample(self.counts["initial"], self.method, seed)
            start = self.time[0] if self.time else 0.0
            return np.column_stack([points, np.full(len(points), start)])
        if term.kind == "observation":
            return self._observed(term)
        return self._fixed(term, seed) if term.kind == "point" else self._on_faces(term, seed)

    def _faces(self, term: Any) -> tuple[str, ...]:
        if getattr(term, "periodic", False):
            return tuple(term.faces[:1])
        return tuple(face for face in self.domain.faces if face in term.faces)  # in one order, to be shared

    def _observed(self, term: Any) -> np.ndarray:
        points = np.asarray(term.observation.points, dtype=float)
        if points.ndim != 2 or points.shape[1] != len(self.symbols):
            names = ", ".join(map(str, self.symbols))
            raise PointsError(f"observation points with columns {names}", f"shape {points.shape}", "time goes last")
        return self._within(points, term)

    def _within(self, points: np.ndarray, term: Any) -> np.ndarray:
        """The points, all of them in the closed domain and time interval."""
        outside = ~self.domain.contains(points[:, : self.domain.dimension], tolerance=1e-9)
        if self.time is not None:
            (start, end), slack = self.time, 1e-9 * max(1.0, self.time[1] - self.time[0])
            outside |= (points[:, -1] < start - slack) | (points[:, -1] > end + slack)
        if outside.any():
            raise PointsError(
                f"points of {term.name!r} in the domain" + (f" at times {self.time}" if self.time else ""),
                f"{points[outside][0].tolist()}",
                "drop points outside, or move them",
            )
        return points

    def _on_faces(self, term: Any, seed: int) -> np.ndarray:
        faces = self._faces(term)
        measures = np.array([self.domain.face_measure(face) for face in faces])
        total = self.counts["boundary"]
        shares, method = proportional(total, measures), self.method
        if self.domain.dimension == 1 and self.time is None:
            # an end is one place, however often it is drawn: each end once, by the grid over the ends of a face
            shares, method = measures.round().astype(int) * (total > 0), "grid"
        drawn = [
            self.domain.sample_face(face, int(count), method, seed + 104729 * i, self.time)
            for i, (face, count) in enumerate(zip(faces, shares, strict=True))
        ]
        return np.concatenate(drawn)

    def _fixed(self, term: Any, seed: int) -> np.ndarray:
        """The point; where only time is left open, points along it."""
        given = {symbol: float(value) for symbol, value in term.point.items()}
        missing = [symbol for symbol in self.symbols if symbol not in given]
        if missing and (self.time is None or missing != [self.symbols[-1]]):
            raise PointsError(
                f"a value for each of {', '.join(map(str, self.symbols))}",
                ", ".join(map(str, given)),
                "time alone may be left out: the condition then holds at all times",
            )
        count = max(1, self.counts["boundary"]) if missing else 1
        row = [given.get(symbol, 0.0) for symbol in self.symbols]
        points = np.tile(row, (count, 1))
        if missing and self.time:
            start, end = self.time
            points[:, -1] = start + unit_points(count, 1, self.method, seed)[:, 0] * (end - start)
        return self._within(points, term)


def proportional(total: int, measures: np.ndarray) -> np.ndarray:
    """Whole numbers in proportion to measures, each at least 1, that sum to `total` where it suffices.

    Args:
        total: How many to share out; 0 gives 0 to all.
        measures: Positive measures `(k,)`.

    Returns:
        Numbers `(k,)`; ones where `total` is smaller than k.

    Example:
        >>> proportional(10, np.array([2.2, 2.2, 0.41, 0.41, 0.01]))
        array([4, 3, 1, 1, 1])
    """
    count = len(measures)
    if total == 0:
        return np.zeros(count, dtype=int)
    if total <= count:
        return np.ones(count, dtype=int)
    # what each would have above the guaranteed one
    return 1 + apportion(total - count, np.maximum(total * measures / measures.sum() - 1.0, 0.0))
