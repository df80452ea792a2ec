"""Points that two segments or arcs share, touching and overlapping included."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from sciml.geometry.curves import Piece, Point


def shared_points(first: Piece, second: Piece, tolerance: float) -> list[Point]:
    """Isolated common points, and the ends of common stretches.

    A distance below `tolerance` counts as contact: a line that misses a circle by less, or cuts it by less,
    is a tangent.

    Args:
        first: A piece.
        second: Another piece.
        tolerance: Absolute tolerance of distances.

    Returns:
        Points, perhaps several within the tolerance of each other.
    """
    found = [end for end in (first.start, first.end) if second.distance(end) <= tolerance]
    found += [end for end in (second.start, second.end) if first.distance(end) <= tolerance]
    if first.turn and second.turn:
        crossings = _circles(first, second, tolerance)
    elif first.turn or second.turn:
        line, arc = (second, first) if first.turn else (first, second)
        crossings = _line_circle(line, arc, tolerance)
    else:
        crossings = _lines(first, second)
    return found + [
        point
        for point in crossings
        if first.distance(point) <= 4.0 * tolerance and second.distance(point) <= 4.0 * tolerance
    ]


def _lines(first: Piece, second: Piece) -> list[Point]:
    (ax, ay), (bx, by) = first.start, first.end
    (cx, cy), (dx, dy) = second.start, second.end
    ux, uy, vx, vy = bx - ax, by - ay, dx - cx, dy - cy
    cross = ux * vy - uy * vx
    if abs(cross) <= 1e-14 * math.hypot(ux, uy) * math.hypot(vx, vy):
        return []
    share = ((cx - ax) * vy - (cy - ay) * vx) / cross
    return [(ax + share * ux, ay + share * uy)]


def _line_circle(line: Piece, arc: Piece, tolerance: float) -> list[Point]:
    (ax, ay), (cx, cy) = line.start, arc.center
    tx, ty = line.tangent(line.start)
    along = (cx - ax) * tx + (cy - ay) * ty
    across = (ax - cx) * ty - (ay - cy) * tx  # signed distance of the line from the centre
    foot = (ax + along * tx, ay + along * ty)
    if abs(abs(across) - arc.radius) <= tolerance:
        return [foot]
    if abs(across) > arc.radius:
        return []
    half = math.sqrt((arc.radius - abs(across)) * (arc.radius + abs(across)))
    return [(foot[0] + sign * half * tx, foot[1] + sign * half * ty) for sign in (-1.0, 1.0)]


def _circles(first: Piece, second: Piece, tolerance: float) -> list[Point]:
    (ax, ay), (bx, by), r, s = first.center, second.center, first.radius, second.radius
    apart = math.hypot(bx - ax, by - ay)
    if apart + abs(r - s) <= tolerance:
        return []  # one circle: only ends of the arcs matter
    if apart > r + s + tolerance or apart < abs(r - s) - tolerance or not apart:
        return []
    ux, uy = (bx - ax) / apart, (by - ay) / apart
    if abs(apart - r - s) <= tolerance or abs(apart - abs(r - s)) <= tolerance:
        side = r if apart > max(r, s) or r > s else -r
        return [(ax + side * ux, ay + side * uy)]
    along = 0.5 * (apart + (r - s) * (r + s) / apart)
    half = math.sqrt(max((r - along) * (r + along), 0.0))
    return [(ax + along * ux - sign * half * uy, ay + along * uy + sign * half * ux) for sign in (-1.0, 1.0)]


def near_pairs(first: Sequence[Piece], second: Sequence[Piece], tolerance: float) -> np.ndarray:
    """Pairs of pieces whose boxes meet: only they can share points.

    Args:
        first: Pieces.
        second: Pieces.
        tolerance: Margin around the boxes.

    Returns:
        Index pairs `(k, 2)`.
    """
    a = np.array([piece.box() for piece in first]).reshape(-1, 4)
    b = np.array([piece.box() for piece in second]).reshape(-1, 4)
    apart = np.zeros((len(a), len(b)), dtype=bool)
    for axis in (0, 1):
        apart |= a[:, None, axis] > b[None, :, axis + 2] + 2.0 * tolerance
        apart |= b[None, :, axis] > a[:, None, axis + 2] + 2.0 * tolerance
    return np.argwhere(~apart)
