"""Regions of the plane bounded by segments and arcs, and their set operations."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
import sympy as sp

from sciml.errors import GeometryError
from sciml.geometry.base import Geometry
from sciml.geometry.curves import Piece, Point
from sciml.geometry.exact import check_extent
from sciml.geometry.naming import operation_text, subtracted_names
from sciml.geometry.outline import Outline
from sciml.geometry.overlay import has_interior, overlay, tolerances

_SECOND = "\0"  # marks pieces of the second operand during a set operation


class Planar(Geometry):
    """A region of the plane.

    Args:
        symbols: Both coordinates.
        pieces: Closed oriented boundary, the region to its left.
        order: Names of faces in the order in which they are listed; those without a piece are dropped.
    """

    def __init__(self, symbols: tuple[sp.Symbol, ...], pieces: Sequence[Piece], order: Sequence[str]) -> None:
        """Find faces and bounds."""
        self._symbols = symbols
        self._pieces = tuple(pieces)
        present = {piece.face for piece in pieces}
        self._face_names = tuple(name for name in dict.fromkeys(order) if name in present)
        boxes = np.array([piece.box() for piece in pieces])
        low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
        self._limits = check_extent((float(a), float(b)) for a, b in zip(low, high, strict=True))

    @property
    def measure(self) -> float:
        """Exact area."""
        origin = self._pieces[0].start
        return float(sum(piece.area(origin) for piece in self._pieces))

    def face_measure(self, face: str) -> float:
        """Exact length of a face.

        Args:
            face: Its name.

        Returns:
            The sum of the lengths of its pieces.

        Raises:
            GeometryError: If there is no such face.
        """
        return float(sum(piece.length for piece in self._of(self._known((face,)))))

    def _of(self, faces: tuple[str, ...] | None) -> tuple[Piece, ...]:
        return tuple(piece for piece in self._pieces if faces is None or piece.face in faces)

    @cached_property
    def _outline(self) -> Outline:
        return Outline(self._pieces)

    def _inside(self, points: np.ndarray) -> np.ndarray:
        return self._outline.winding(points) > 0

    def _distance(self, points: np.ndarray, faces: tuple[str, ...] | None) -> np.ndarray:
        outline = self._outline if faces is None else Outline(self._of(faces))
        return outline.distance(points)

    def _normals(self, points: np.ndarray, faces: tuple[str, ...]) -> np.ndarray:
        return Outline(self._of(faces)).normals(points)

    def _vertices(self) -> dict[Point, tuple[list[Piece], list[Piece]]]:
        """Pieces that arrive at, and leave from, each end point."""
        found: dict[Point, tuple[list[Piece], list[Piece]]] = defaultdict(lambda: ([], []))
        for piece in self._pieces:
            found[piece.end][0].append(piece)
            found[piece.start][1].append(piece)
        return {point: ends for point, ends in found.items() if not _smooth(point, *ends)}

    def corners(self) -> np.ndarray:
        """Points where the boundary turns, changes its face, or touches itself.

        Returns:
            Array `(k, 2)`.
        """
        return np.array(list(self._vertices())).reshape(-1, 2)

    def corner_faces(self) -> list[tuple[np.ndarray, str, str]]:
        """Points where two faces meet.

        Returns:
            Triples (point, first face, second face), faces in their listed order.
        """
        found = []
        for point, ends in self._vertices().items():
            here = {piece.face for pieces in ends for piece in pieces}
            names = [face for face in self.faces if face in here]
            found += [(np.array(point), a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
        return found

    def face_expression(self, face: str) -> sp.Expr | None:
        """Expression that vanishes on the face.

        Args:
            face: Its name.

        Returns:
            The equation of its line or circle; None if the face has several.

        Raises:
            GeometryError: If there is no such face.
        """
        carriers = dict.fromkeys(piece.carrier for piece in self._of(self._known((face,))))
        levels = dict.fromkeys(carrier.level(self.coordinates) for carrier in carriers)
        return next(iter(levels)) if len(levels) == 1 else None

    def primitives(self) -> tuple[tuple[str, str, Any], ...]:
        """The pieces of the boundary, each with the region to its left.

        Returns:
            `(face, "segment", (start, end))` and `(face, "arc", (start, end, centre, radius, turn))`, where
            turn is 1 for counterclockwise and an arc covers at most half a circle.
        """
        return tuple(
            (p.face, "arc", (p.start, p.end, p.center, p.radius, p.turn))
            if p.turn
            else (p.face, "segment", (p.start, p.end))
            for p in self._pieces
        )

    def _combine(self, operation: str, other: Geometry) -> Geometry:
        assert isinstance(other, Planar)  # same two coordinates
        return PlanarCombination(operation, self, other)

    def _renamed(self, names: Mapping[str, str]) -> None:
        self._pieces = tuple(replace(piece, face=names.get(piece.face, piece.face)) for piece in self._pieces)

    def _cover(self) -> np.ndarray:
        """Boxes that hold the region and are filled by it to a fair part."""
        boxes = np.array(self.bounds).T[None]
        for _ in range(14):
            if self.measure > 0.25 * np.prod(boxes[:, 1] - boxes[:, 0], axis=1).sum():
                break
            middle, half = boxes.mean(axis=1), 0.25 * (boxes[:, 1] - boxes[:, 0])
            signs = np.array([(-1, -1), (-1, 1), (1, -1), (1, 1)])
            centers = (middle[:, None] + signs * half[:, None]).reshape(-1, 2)
            half = np.repeat(half, 4, axis=0)
            hit = self.signed_distance(centers) < np.hypot(*half.T)
            boxes = np.stack([centers - half, centers + half], axis=1)[hit]
        return boxes

    def _face_columns(self, face: str) -> int:
        return 1

    def _face_sizes(self, face: str) -> np.ndarray:
        return np.array([piece.length for piece in self._of((face,))])

    def _face_points(self, face: str, part: np.ndarray, unit: np.ndarray) -> np.ndarray:
        pieces = self._of((face,))
        share = np.clip(unit[:, 0], 1e-6, 1.0 - 1e-6)  # off the vertices, where the normal jumps
        points = np.empty((len(unit), 2))
        for i in np.unique(part):
            points[part == i] = pieces[i].at(share[part == i])
        return points


def _smooth(point: Point, arriving: list[Piece], leaving: list[Piece]) -> bool:
    if len(arriving) != 1 or len(leaving) != 1 or arriving[0].face != leaving[0].face:
        return False
    (ax, ay), (bx, by) = arriving[0].tangent(point), leaving[0].tangent(point)
    return ax * bx + ay * by > 0.0 and abs(ax * by - ay * bx) < 1e-7


class PlanarCombination(Planar):
    """Union, intersection or difference of two planar regions; write `A | B`, `A & B`, `A - B`.

    Args:
        operation: "union", "intersection" or "difference".
        first: A region.
        second: Another region in the same coordinates.

    Raises:
        GeometryError: If nothing is left, sizes differ too much, or a name would belong to both regions.
    """

    def __init__(self, operation: str, first: Planar, second: Planar) -> None:
        """Find faces and bounds."""
        self._operation, self._operands = operation, (first, second)
        extents = [max(high - low for low, high in shape.bounds) for shape in (first, second)]
        if min(extents) < 1e2 * tolerances((*first._pieces, *second._pieces))[1]:
            raise GeometryError(
                "regions of comparable size",
                f"extents {extents[0]:g} and {extents[1]:g}",
                "rescale the problem",
            )
        marked = [replace(piece, face=_SECOND + piece.face) for piece in second._pieces]
        pieces = overlay(first._pieces, marked, operation)
        names = {face: face for face in second.faces}
        if operation == "difference":
            present = {piece.face for piece in pieces}
            names = subtracted_names(
                second,
                {face for face in present if not face.startswith(_SECOND)},
                {face.removeprefix(_SECOND) for face in present if face.startswith(_SECOND)},
            )
        final = {_SECOND + face: name for face, name in names.items()}
        pieces = tuple(replace(piece, face=final.get(piece.face, piece.face)) for piece in pieces)
        if not has_interior(pieces):
            raise GeometryError(
                f"for the {operation}: a region with an interior",
                operation_text(operation, first, second),
                "check positions and sizes",
            )
        super().__init__(first.coordinates, pieces, (*first.faces, *names.values()))

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
