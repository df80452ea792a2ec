"""Holes of a region of the plane: closed parts of its boundary that lie inside another one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sciml.geometry.base import Geometry
from sciml.geometry.curves import Piece
from sciml.geometry.outline import Outline
from sciml.geometry.planar import Planar


@dataclass(frozen=True)
class Hole:
    """A hole.

    Attributes:
        centre: A point inside the hole, well away from the region.
        radius: Distance from the centre to the nearest point of the region.
        reach: Distance from the centre to the farthest point of the hole's boundary.
        faces: Names of the faces that bound it.
    """

    centre: tuple[float, float]
    radius: float
    reach: float
    faces: tuple[str, ...]


def holes(geometry: Geometry) -> tuple[Hole, ...]:
    """The holes of a region; none for intervals and boxes.

    Args:
        geometry: The region.

    Returns:
        The holes, in the order of their boundaries.

    Example:
        >>> import sympy as sp
        >>> from sciml.geometry import Disk, Rectangle
        >>> x, y = sp.symbols("x y", real=True)
        >>> channel = Rectangle((x, 0, 22), (y, 0, 4)) - Disk((x, y), center=(2, 2), radius=sp.Rational(1, 2))
        >>> [(hole.centre, hole.radius, hole.faces) for hole in holes(channel)]
        [((2.0, 2.0), 0.5, ('boundary',))]
    """
    if not isinstance(geometry, Planar):
        return ()
    # the region lies to the left: its outer boundary runs counterclockwise, that of a hole clockwise
    loops = [loop for loop in _loops(geometry._pieces) if sum(piece.area(loop[0].start) for piece in loop) < 0]
    return tuple(_hole(loop) for loop in loops)


def _loops(pieces: tuple[Piece, ...]) -> list[list[Piece]]:
    left, found = list(pieces), []
    while left:
        loop = [left.pop(0)]
        while loop[-1].end != loop[0].start:
            following = next((piece for piece in left if piece.start == loop[-1].end), None)
            if following is None:  # cannot happen for a closed boundary
                break
            left.remove(following)
            loop.append(following)
        found.append(loop)
    return found


def _hole(loop: list[Piece]) -> Hole:
    boxes = np.array([piece.box() for piece in loop])
    low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    faces = tuple(dict.fromkeys(piece.face for piece in loop))
    side = np.linspace(0.02, 0.98, 49)
    grid = low + (high - low) * np.stack(np.meshgrid(side, side, indexing="ij"), axis=-1).reshape(-1, 2)
    candidates, outline = np.concatenate([(low + high)[None] / 2, grid]), Outline(loop)
    room = np.where(outline.winding(candidates) != 0, outline.distance(candidates), 0.0)
    best = 0 if room[0] > 0.5 * room.max() else int(np.argmax(room))  # the middle, where it is well inside
    centre, radius = candidates[best], room[best]
    along = np.concatenate([piece.at(np.linspace(0.0, 1.0, 65)) for piece in loop])
    reach = float(np.linalg.norm(along - centre, axis=1).max())
    return Hole((float(centre[0]), float(centre[1])), float(radius), reach, faces)
