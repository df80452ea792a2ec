"""Intervals, boxes and their set operations."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import sympy as sp

from sciml.arguments import explained
from sciml.errors import GeometryError
from sciml.geometry.base import Geometry
from sciml.geometry.cells import Cells, Facets
from sciml.geometry.exact import check_extent, check_range, check_symbols, shown
from sciml.geometry.naming import operation_text, subtracted_names
from sciml.geometry.serialisation import number_to_data, symbol_to_data

_BLOCK = 1 << 16


class CellRegion(Geometry):
    """A union of axis-parallel boxes, in one or three coordinates.

    Args:
        symbols: The coordinates.
        cells: The cells.
        order: Names of faces in the order in which they are listed; those without a facet are dropped.
    """

    def __init__(self, symbols: tuple[sp.Symbol, ...], cells: Cells, order: tuple[str, ...]) -> None:
        """Check the arguments and build the cells."""
        self._symbols, self._cells = symbols, cells
        present = {cells.names[i] for i in set(self._facets.label.tolist())}
        self._face_names = tuple(name for name in dict.fromkeys(order) if name in present)
        low, high = self._facets.low.min(axis=0), self._facets.high.max(axis=0)
        self._limits = check_extent((float(a), float(b)) for a, b in zip(low, high, strict=True))

    @cached_property
    def _facets(self) -> Facets:
        return self._cells.facets()

    def _of(self, faces: tuple[str, ...] | None) -> Facets:
        if faces is None:
            return self._facets
        return self._facets.of([i for i, name in enumerate(self._cells.names) if name in faces])

    @property
    def measure(self) -> float:
        """Exact length or volume."""
        boxes = self._cells.boxes()
        return float(np.prod(boxes[:, 1] - boxes[:, 0], axis=1).sum())

    def face_measure(self, face: str) -> float:
        """Number of ends of intervals, or area.

        Args:
            face: Name of the face.

        Returns:
            Its measure.

        Raises:
            GeometryError: If there is no such face.
        """
        return float(self._of(self._known((face,))).sizes.sum())

    def _inside(self, points: np.ndarray) -> np.ndarray:
        return self._cells.contain(points)

    def _squares(self, points: np.ndarray, facets: Facets) -> np.ndarray:
        return sum(
            (points[:, k, None] - np.clip(points[:, k, None], facets.low[:, k], facets.high[:, k])) ** 2
            for k in range(self.dimension)
        )

    def _distance(self, points: np.ndarray, faces: tuple[str, ...] | None) -> np.ndarray:
        facets = self._of(faces)
        step = max(1, _BLOCK // len(facets.axis))
        blocks = [points[i : i + step] for i in range(0, len(points), step)] or [points]
        return np.sqrt(np.concatenate([self._squares(block, facets).min(axis=1) for block in blocks]))

    def _normals(self, points: np.ndarray, faces: tuple[str, ...]) -> np.ndarray:
        facets = self._of(faces)
        nearest = self._squares(points, facets).argmin(axis=1)
        vectors = np.zeros(points.shape)
        vectors[np.arange(len(points)), facets.axis[nearest]] = facets.sign[nearest]
        return vectors

    def corners(self) -> np.ndarray:
        """Vertices of a solid; an interval has none.

        Returns:
            Array `(k, d)`.
        """
        facets, d = self._facets, self.dimension
        if d == 1:
            return np.empty((0, 1))
        choices = np.array(np.meshgrid(*[(0, 1)] * d, indexing="ij")).reshape(d, -1).T
        ends = np.stack([facets.low, facets.high])
        points = np.concatenate([np.stack([ends[c[k], :, k] for k in range(d)], axis=1) for c in choices])
        unique, inverse = np.unique(points, axis=0, return_inverse=True)
        return np.array([p for i, p in enumerate(unique) if len(set(self._axes_at(inverse.ravel() == i))) == d])

    def _axes_at(self, hit: np.ndarray) -> list[int]:
        return np.tile(self._facets.axis, 2**self.dimension)[hit].tolist()

    def corner_faces(self) -> list[tuple[np.ndarray, str, str]]:
        """Middles of the edges along which two faces meet.

        Returns:
            Triples (point, first face, second face).
        """
        facets, names, found = self._facets, self._cells.names, []
        for i in range(len(facets.axis)):
            low = np.maximum(facets.low[i], facets.low[i + 1 :])
            high = np.minimum(facets.high[i], facets.high[i + 1 :])
            edges = (low <= high).all(axis=1) & ((high > low).sum(axis=1) == self.dimension - 2)
            edges &= facets.label[i + 1 :] != facets.label[i]
            if self.dimension > 1:
                for j in np.flatnonzero(edges):
                    pair = (names[facets.label[i]], names[facets.label[i + 1 + j]])
                    first, second = sorted(pair, key=self.faces.index)
                    found.append((0.5 * (low[j] + high[j]), first, second))
        return found

    def face_expression(self, face: str) -> sp.Expr | None:
        """Expression that vanishes on the face.

        Args:
            face: Its name.

        Returns:
            `x - c`; None if the face lies in several planes.

        Raises:
            GeometryError: If there is no such face.
        """
        facets = self._of(self._known((face,)))
        planes = {(int(axis), float(low[axis])) for axis, low in zip(facets.axis, facets.low, strict=True)}
        if len(planes) > 1:
            return None
        axis, value = planes.pop()
        return self.coordinates[axis] - self._exact_knot(axis, value)

    def _exact_knot(self, axis: int, value: float) -> sp.Expr:
        exact_ends = self._exact_ends()[axis]
        return min(exact_ends, key=lambda end: abs(float(end) - value))

    def _exact_ends(self) -> tuple[tuple[sp.Expr, ...], ...]:
        """Per axis the exact ends of all boxes that the region is made of."""
        raise NotImplementedError

    def primitives(self) -> tuple[tuple[str, str, Any], ...]:
        """The facets of the boundary.

        Returns:
            `(face, "point", (position, sign))` in one dimension, else
            `(face, "facet", (lower corner, upper corner, axis, sign))`; sign gives the outward direction.
        """
        names, found = self._cells.names, []
        f = self._facets
        for low, high, axis, sign, label in zip(f.low, f.high, f.axis, f.sign, f.label, strict=True):
            if self.dimension == 1:
                found.append((names[label], "point", (float(low[0]), int(sign))))
            else:
                data: Any = (tuple(low.tolist()), tuple(high.tolist()), int(axis), int(sign))
                found.append((names[label], "facet", data))
        return tuple(found)

    def _combine(self, operation: str, other: Geometry) -> Geometry:
        assert isinstance(other, CellRegion)  # same coordinates
        return CellCombination(operation, self, other)

    def _renamed(self, names: Mapping[str, str]) -> None:
        self._cells = self._cells.renamed({i: names.get(name, name) for i, name in enumerate(self._cells.names)})
        self.__dict__.pop("_facets", None)

    def _cover(self) -> np.ndarray:
        whole = np.array(self.bounds).T[None]
        thin = self.measure < 0.25 * np.prod(whole[0, 1] - whole[0, 0])
        return self._cells.boxes() if self.dimension == 1 or thin else whole

    def _face_columns(self, face: str) -> int:
        return self.dimension - 1 if self.dimension > 1 else int(len(self._of((face,)).axis) > 1)

    def _face_sizes(self, face: str) -> np.ndarray:
        return self._of((face,)).sizes

    def _face_points(self, face: str, part: np.ndarray, unit: np.ndarray) -> np.ndarray:
        facets = self._of((face,))
        low, high, axis = facets.low[part], facets.high[part], facets.axis[part]
        shares = np.zeros(low.shape)
        for k in range(self.dimension if self.dimension > 1 else 0):
            rows = axis == k
            shares[np.ix_(rows, [i for i in range(self.dimension) if i != k])] = unit[rows]
        return low + np.where(high > low, np.clip(shares, 1e-6, 1.0 - 1e-6), 0.0) * (high - low)


class _Cuboid(CellRegion):
    """One box: what an interval and a box share."""

    def __init__(self, axes: tuple[tuple, ...], what: str) -> None:
        """Check the arguments and build the cells."""
        checked = [check_range(axis, what) for axis in axes]
        self._ends = tuple((low, high) for _, low, high in checked)
        symbols = check_symbols([symbol for symbol, _, _ in checked])
        bounds = np.array([[float(a), float(b)] for a, b in self._ends])
        super().__init__(symbols, Cells.box(bounds, self._side_names), self._side_names)

    @property
    def symbolic_bounds(self) -> tuple[tuple[sp.Expr, sp.Expr], ...]:
        """Exact ends per axis."""
        return self._ends

    @property
    def measure(self) -> float:
        """Exact length or volume."""
        return float(sp.Mul(*[high - low for low, high in self._ends]))

    def _exact_ends(self) -> tuple[tuple[sp.Expr, ...], ...]:
        return self._ends

    def _recipe(self) -> dict[str, Any]:
        return {
            "kind": type(self).__name__.lower(),
            "coordinates": [symbol_to_data(symbol) for symbol in self.coordinates],
            "bounds": [[number_to_data(end) for end in ends] for ends in self._ends],
        }


@explained("Interval(x, 0, 1)")
class Interval(_Cuboid):
    """The interval `[a, b]` with faces left and right.

    Args:
        symbol: The coordinate.
        lower: Left end.
        upper: Right end.

    Raises:
        GeometryError: If an end is no finite number, or the interval is empty or reversed.

    Example:
        >>> x = sp.Symbol("x", real=True)
        >>> Interval(x, 0, sp.pi).symbolic_bounds
        ((0, pi),)
        >>> (Interval(x, 0, 3) - Interval(x, 1, 2)).measure
        2.0
    """

    _side_names: ClassVar[tuple[str, ...]] = ("left", "right")

    def __init__(self, symbol: sp.Symbol, lower: object, upper: object) -> None:
        """Check the arguments and build the cells."""
        super().__init__(((symbol, lower, upper),), "Interval")

    def __repr__(self) -> str:
        """The constructor call."""
        ((a, b),) = self._ends
        return self._with_names(f"Interval({self.coordinates[0]}, {shown(a)}, {shown(b)})")


@explained("Box((x, 0, 1), (y, 0, 1), (z, 0, 1))")
class Box(_Cuboid):
    """The box `[a, b] × [c, d] × [e, f]` with faces left, right, bottom, top, back (low) and front (high).

    Args:
        first: `(x, a, b)`.
        second: `(y, c, d)`.
        third: `(z, e, f)`.

    Raises:
        GeometryError: If an axis is not `(symbol, low, high)`, or is empty or reversed.

    Example:
        >>> x, y, z = sp.symbols("x y z", real=True)
        >>> cube = Box((x, 0, 1), (y, 0, 1), (z, 0, 1))
        >>> cube.signed_distance([[0.5, 0.5, 0.25]])
        array([-0.25])
    """

    _side_names: ClassVar[tuple[str, ...]] = ("left", "right", "bottom", "top", "back", "front")

    def __init__(self, first: tuple, second: tuple, third: tuple) -> None:
        """Check the arguments and build the cells."""
        super().__init__((first, second, third), "Box")

    def __repr__(self) -> str:
        """The constructor call."""
        axes = ", ".join(
            f"({s}, {shown(a)}, {shown(b)})" for s, (a, b) in zip(self.coordinates, self._ends, strict=True)
        )
        return self._with_names(f"Box({axes})")


class CellCombination(CellRegion):
    """Union, intersection or difference of intervals or boxes; write `A | B`, `A & B`, `A - B`.

    Args:
        operation: "union", "intersection" or "difference".
        first: A region.
        second: Another region in the same coordinates.

    Raises:
        GeometryError: If nothing is left, or a name would belong to both regions.
    """

    def __init__(self, operation: str, first: CellRegion, second: CellRegion) -> None:
        """Check the arguments and build the cells."""
        self._operation, self._operands = operation, (first, second)
        cells = first._cells.combine(second._cells, operation)
        if not cells.inside.any():
            raise GeometryError(
                f"for the {operation}: a region with an interior",
                operation_text(operation, first, second),
                "check positions and sizes",
            )
        count = len(first._cells.names)
        present = set(cells.facets().label.tolist())
        names = {face: face for face in second.faces}
        if operation == "difference":
            names = subtracted_names(
                second,
                {cells.names[i] for i in present if i < count},
                {cells.names[i] for i in present if i >= count},
            )
        final = {i: name if i < count else names.get(name, name) for i, name in enumerate(cells.names)}
        super().__init__(first.coordinates, cells.renamed(final), (*first.faces, *names.values()))

    def _exact_ends(self) -> tuple[tuple[sp.Expr, ...], ...]:
        pairs = zip(*(operand._exact_ends() for operand in self._operands), strict=True)
        return tuple(a + b for a, b in pairs)

    def _recipe(self) -> dict[str, Any]:
        return {
            "kind": self._operation,
            "first": self._operands[0].to_dict(),
            "second": self._operands[1].to_dict(),
        }

    def __repr__(self) -> str:
        """The formula."""
        text = operation_text(self._operation, *self._operands)
        return self._with_names(f"({text})") if self._aliases else text
