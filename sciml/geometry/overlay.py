"""Set operations on planar regions given by oriented boundary pieces."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from sciml.errors import GeometryError
from sciml.geometry.curves import Piece, Point
from sciml.geometry.intersections import near_pairs, shared_points
from sciml.geometry.outline import Outline


def tolerances(pieces: Sequence[Piece]) -> tuple[float, float]:
    """Distances that count as contact of two curves, and as one vertex.

    Both grow with the extent L of the picture and with the rounding of its coordinates. Where curves of radius
    r meet at a depth δ just above the contact tolerance, rounding ε moves their crossing by about ε√(r/2δ);
    points are one vertex well above that.

    Args:
        pieces: All pieces of the picture.

    Returns:
        Contact and vertex tolerance.
    """
    boxes = np.array([piece.box() for piece in pieces])
    extent = float((boxes[:, 2:].max(axis=0) - boxes[:, :2].min(axis=0)).max())
    largest = float(np.abs(boxes).max())
    return 1e-12 * extent + 1e-14 * largest, 1e-9 * extent + 1e-11 * largest


@dataclass(frozen=True)
class Part:
    """A piece between two vertices of the overlay.

    Args:
        piece: The piece.
        start: Index of its first vertex.
        end: Index of its last vertex.
    """

    piece: Piece
    start: int
    end: int

    def reversed(self) -> Part:
        """The part run backwards."""
        return Part(self.piece.reversed(), self.end, self.start)


def overlay(first: Sequence[Piece], second: Sequence[Piece], operation: str) -> tuple[Piece, ...]:
    """Boundary of the union, intersection or difference of two regions.

    All pieces are cut where the boundaries meet. A part of one boundary is inside the other region, outside,
    or coincides with a part of the other boundary in equal or opposite direction; this decides whether it
    bounds the result (Requicha & Voelcker, *Proc. IEEE* 73 (1985) 30: regularised set operations). On common
    stretches the first region gives the name.

    Args:
        first: Boundary of the first region, which lies to its left.
        second: Boundary of the second region.
        operation: "union", "intersection" or "difference".

    Returns:
        Boundary of the result; empty for the empty set.

    Raises:
        GeometryError: If the parts do not close up, which needs features near the rounding error.
    """
    contact, vertex = tolerances((*first, *second))
    parts_first, parts_second = _split(first, second, contact, vertex)
    same, opposite, matched = _coincident(parts_first, parts_second, 10.0 * vertex)
    inside_second = _inside(parts_first, second)
    inside_first = _inside(parts_second, first)
    result: list[Part] = []
    for i, part in enumerate(parts_first):
        if i in same or i in opposite:
            keep = i in opposite if operation == "difference" else i in same
        else:
            keep = inside_second[i] == (operation == "intersection")
        if keep:
            result.append(part)
    for i, part in enumerate(parts_second):
        if i not in matched and inside_first[i] == (operation != "union"):
            result.append(part.reversed() if operation == "difference" else part)
    _check_closed(result)
    return tuple(part.piece for part in result)


def has_interior(pieces: Sequence[Piece]) -> bool:
    """Whether a boundary holds more than slivers thinner than the contact tolerance.

    Args:
        pieces: A closed boundary.

    Returns:
        False for an empty boundary, and for one whose area is within rounding of 0.
    """
    if not pieces:
        return False
    area = sum(piece.area(pieces[0].start) for piece in pieces)
    return area > tolerances(pieces)[0] * sum(piece.length for piece in pieces)


def _split(
    first: Sequence[Piece], second: Sequence[Piece], contact: float, tolerance: float
) -> tuple[list[Part], list[Part]]:
    """Cut both boundaries at their common points."""
    pieces = [*first, *second]
    points: list[Point] = [end for piece in pieces for end in (piece.start, piece.end)]
    on: list[list[int]] = [[2 * i, 2 * i + 1] for i in range(len(pieces))]
    for i, j in near_pairs(first, second, tolerance):
        for point in shared_points(first[i], second[j], contact):
            on[i].append(len(points))
            on[len(first) + j].append(len(points))
            points.append(point)
    vertex = _merge(np.array(points), tolerance)
    parts: list[list[Part]] = [[], []]
    for i, piece in enumerate(pieces):
        parts[i >= len(first)] += _cut(piece, vertex[on[i]], points)
    return parts[0], parts[1]


def _cut(piece: Piece, vertices: np.ndarray, points: list[Point]) -> list[Part]:
    start, end = int(vertices[0]), int(vertices[1])
    inner = {int(v) for v in vertices[2:]} - {start, end}
    chain = [start, *sorted(inner, key=lambda v: piece.place(points[v])), end]
    return [Part(piece.between(points[a], points[b]), a, b) for a, b in pairwise(chain) if a != b]


def _merge(points: np.ndarray, tolerance: float) -> np.ndarray:
    """For each point the first of the points that are chained to it within the tolerance."""
    pairs = cKDTree(points).query_pairs(tolerance, output_type="ndarray")
    n = len(points)
    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    label = connected_components(graph, directed=False)[1]
    return np.unique(label, return_index=True)[1][label]


def _coincident(first: Sequence[Part], second: Sequence[Part], tolerance: float) -> tuple[set[int], set[int], set[int]]:
    """Parts of the first that run with, and against, a part of the second; and those of the second."""
    by_ends: dict[frozenset[int], list[int]] = defaultdict(list)
    for j, part in enumerate(second):
        by_ends[frozenset((part.start, part.end))].append(j)
    same: set[int] = set()
    opposite: set[int] = set()
    matched: set[int] = set()
    for i, part in enumerate(first):
        for j in by_ends.get(frozenset((part.start, part.end)), ()):
            if math.dist(part.piece.middle(), second[j].piece.middle()) <= tolerance:
                (same if part.start == second[j].start else opposite).add(i)
                matched.add(j)
    return same, opposite, matched


def _inside(parts: Sequence[Part], region: Sequence[Piece]) -> np.ndarray:
    middles = np.array([part.piece.middle() for part in parts]).reshape(-1, 2)
    return Outline(region).winding(middles) > 0


def _check_closed(parts: Sequence[Part]) -> None:
    balance: Counter[int] = Counter()
    for part in parts:
        balance[part.start] += 1
        balance[part.end] -= 1
    if any(balance.values()):
        raise GeometryError(
            "two regions whose boundaries cross, touch or coincide cleanly",
            "features near the rounding error of the coordinates",
            "move one of them: distances should be 0 or above a billionth of the size",
        )
