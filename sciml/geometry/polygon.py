"""Simple polygons, with holes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import sympy as sp

from sciml.arguments import explained
from sciml.errors import GeometryError
from sciml.geometry.curves import ExactPoint, Piece, segment
from sciml.geometry.exact import check_name, check_symbols, exact_point, shown
from sciml.geometry.intersections import near_pairs, shared_points
from sciml.geometry.overlay import has_interior, overlay, tolerances
from sciml.geometry.planar import Planar
from sciml.geometry.serialisation import number_to_data, symbol_to_data


@explained("Polygon((x, y), [(0, 0), (1, 0), (0, 1)])")
class Polygon(Planar):
    """A polygon, given by its vertices in either direction, perhaps with polygonal holes.

    Args:
        symbols: Both coordinates `(x, y)`.
        vertices: At least three points; the last is joined to the first.
        name: One name for the whole outline, or one per edge; edge i runs from vertex i to vertex i + 1.
        holes: One list of vertices per hole; the face is "hole", or "hole_0", "hole_1", ... of several.

    Raises:
        GeometryError: If an outline is degenerate or cuts itself, or a hole leaves the polygon.

    Example:
        >>> x, y = sp.symbols("x y", real=True)
        >>> frame = Polygon((x, y), [(0, 0), (4, 0), (0, 3)], holes=[[(1, 1), (1, 1.5), (1.5, 1)]])
        >>> frame.faces, frame.measure, frame.face_measure("boundary")
        (('boundary', 'hole'), 5.875, 12.0)
    """

    def __init__(
        self,
        symbols: tuple[sp.Symbol, sp.Symbol],
        vertices: Sequence,
        name: str | Sequence[str] = "boundary",
        holes: Sequence[Sequence] = (),
    ) -> None:
        """Check the arguments."""
        if not isinstance(symbols, (tuple, list, sp.Tuple)) or len(symbols) != 2:
            raise GeometryError("Polygon: two coordinates (x, y)", repr(symbols), "Polygon((x, y), vertices)")
        self._vertices_given = _points(vertices, "Polygon")
        self._names = _edge_names(name, len(self._vertices_given))
        if not isinstance(holes, (list, tuple)):
            raise GeometryError("holes: a list of lists of vertices", repr(holes), "holes=[[(x0, y0), ...]]")
        self._holes = tuple(_points(hole, f"hole {i}") for i, hole in enumerate(holes))
        single = len(self._holes) == 1
        hole_names = ["hole"] if single else [f"hole_{i}" for i in range(len(self._holes))]
        if set(hole_names) & set(self._names):
            raise GeometryError("edges named otherwise than the holes", ", ".join(hole_names), "rename the edges")
        pieces = _loop(self._vertices_given, self._names, "Polygon")
        for hole, label in zip(self._holes, hole_names, strict=True):
            pieces = _without(pieces, _loop(hole, (label,) * len(hole), label), label)
        super().__init__(check_symbols(symbols), pieces, (*self._names, *hole_names))

    @property
    def vertices(self) -> np.ndarray:
        """The vertices of the outline as given, `(k, 2)`."""
        return np.array(self._vertices_given, dtype=float)

    @property
    def holes(self) -> tuple[np.ndarray, ...]:
        """The vertices of the holes as given."""
        return tuple(np.array(hole, dtype=float) for hole in self._holes)

    def _recipe(self) -> dict[str, Any]:
        data = [[[number_to_data(v) for v in p] for p in loop] for loop in (self._vertices_given, *self._holes)]
        return {
            "kind": "polygon",
            "coordinates": [symbol_to_data(symbol) for symbol in self.coordinates],
            "vertices": data[0],
            "names": list(self._names),
            "holes": data[1:],
        }

    def __repr__(self) -> str:
        """The constructor call."""
        x, y = self.coordinates
        name = repr(self._names[0]) if len(set(self._names)) == 1 else repr(self._names)
        holes = f", holes=[{', '.join(map(_text, self._holes))}]" if self._holes else ""
        return self._with_names(f"Polygon(({x}, {y}), {_text(self._vertices_given)}, name={name}{holes})")


def _text(points: tuple[ExactPoint, ...]) -> str:
    return "[" + ", ".join(f"({shown(x)}, {shown(y)})" for x, y in points) + "]"


def _points(vertices: object, what: str) -> tuple[ExactPoint, ...]:
    if isinstance(vertices, np.ndarray) and vertices.ndim == 2:
        vertices = vertices.tolist()
    if not isinstance(vertices, (list, tuple)) or len(vertices) < 3:
        raise GeometryError(f"{what}: at least three vertices", repr(vertices), "[(0, 0), (1, 0), (0, 1)]")
    points = tuple(exact_point(vertex, 2, f"{what}: vertex {i}") for i, vertex in enumerate(vertices))
    floats = np.array(points, dtype=float)
    same = np.flatnonzero((floats == np.roll(floats, -1, axis=0)).all(axis=1))
    if same.size:
        raise GeometryError(
            f"{what}: different neighbouring vertices",
            f"edge {same[0]} has length zero at {points[same[0]]}",
            "drop one of them; the first vertex is not repeated at the end",
        )
    return points


def _edge_names(name: object, edges: int) -> tuple[str, ...]:
    if isinstance(name, str):
        return (check_name(name),) * edges
    if not isinstance(name, (list, tuple)) or len(name) != edges:
        raise GeometryError(f"one name, or {edges} names: one per edge", repr(name), 'for instance name="wall"')
    return tuple(check_name(one) for one in name)


def _loop(points: tuple[ExactPoint, ...], names: tuple[str, ...], what: str) -> tuple[Piece, ...]:
    """The outline run counterclockwise."""
    pieces = [segment(p, q, name) for p, q, name in zip(points, (*points[1:], points[0]), names, strict=True)]
    _check_simple(pieces, what)
    if sum(piece.area(pieces[0].start) for piece in pieces) < 0.0:
        pieces = [replace(segment(p.carrier.second, p.carrier.first, p.face)) for p in reversed(pieces)]  # type: ignore[union-attr]
    return tuple(pieces)


def _check_simple(pieces: list[Piece], what: str) -> None:
    count, (contact, vertex) = len(pieces), tolerances(pieces)
    for i, j in near_pairs(pieces, pieces, contact):
        if i >= j:
            continue
        common = shared_points(pieces[i], pieces[j], contact)
        neighbours = {1: [pieces[i].end], count - 1: [pieces[i].start]}
        allowed = neighbours.get(j - i, [])
        bad = [p for p in common if all(math.dist(p, q) > vertex for q in allowed)]
        if bad:
            raise GeometryError(
                f"{what}: an outline that does not cut or touch itself",
                f"edges {i} and {j} meet at ({bad[0][0]:.6g}, {bad[0][1]:.6g})",
                "check the order of the vertices; build pinched regions as unions",
            )


def _without(pieces: tuple[Piece, ...], hole: tuple[Piece, ...], label: str) -> tuple[Piece, ...]:
    origin = pieces[0].start
    whole, removed = (sum(piece.area(origin) for piece in loop) for loop in (pieces, hole))
    rest = overlay(pieces, hole, "difference")
    left = sum(piece.area(origin) for piece in rest)
    if not has_interior(rest) or abs(whole - removed - left) > 1e-9 * whole:
        raise GeometryError(
            f"{label} inside the polygon and clear of other holes",
            "a hole that sticks out, overlaps another, or leaves nothing",
            "use differences of polygons for such shapes",
        )
    return rest
