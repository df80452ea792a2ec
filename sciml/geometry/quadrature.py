"""Quadrature rules of regions and faces: Gauss-Legendre piece by piece, so that smooth integrands converge fast."""

from __future__ import annotations

import itertools

import numpy as np

from sciml.errors import GeometryError
from sciml.geometry.base import Geometry
from sciml.geometry.box import CellRegion
from sciml.geometry.planar import Planar
from sciml.references.quadrature import gauss_legendre

Rule = tuple[np.ndarray, np.ndarray]


def unit_rule(nodes: int, dimension: int) -> Rule:
    """Gauss-Legendre rule of the unit cube.

    Args:
        nodes: Nodes per direction.
        dimension: Number of directions; 0 gives one empty node of weight 1.

    Returns:
        Nodes (nodes^dimension, dimension) and weights, which sum to 1.
    """
    place, weight = gauss_legendre(nodes)
    place, weight = (place + 1) / 2, weight / 2
    points = np.array(list(itertools.product(place, repeat=dimension))).reshape(-1, dimension)
    weights = np.array([np.prod(w) for w in itertools.product(weight, repeat=dimension)])
    return points, weights


def region_rule(geometry: Geometry, nodes: int = 16) -> Rule:
    """Rule of the interior: boxes cell by cell, plane regions in strips between the corners of their boundary.

    A strip's outer variable is x = m + h sin(πs/2), under which the square roots of arcs become smooth.

    Args:
        geometry: The region.
        nodes: Nodes per direction and piece.

    Returns:
        Points (n, d) and weights (n,), which sum to the measure.

    Raises:
        GeometryError: If the geometry is of an unknown kind.

    Example:
        >>> import sympy as sp
        >>> from sciml.geometry import Disk
        >>> points, weights = region_rule(Disk(sp.symbols("x y"), center=(0, 0), radius=1))
        >>> bool(abs(weights @ points[:, 0] ** 2 - np.pi / 4) < 1e-10)
        True
    """
    if isinstance(geometry, CellRegion):
        unit, weight = unit_rule(nodes, geometry.dimension)
        boxes = geometry._cells.boxes()
        size = boxes[:, 1] - boxes[:, 0]
        points = boxes[:, :1] + unit[None] * size[:, None]
        return points.reshape(-1, geometry.dimension), (size.prod(axis=1)[:, None] * weight).ravel()
    if isinstance(geometry, Planar):
        return _planar_rule(geometry, nodes)
    raise GeometryError("an interval, a box or a region of the plane", type(geometry).__name__, "")


def _planar_rule(geometry: Planar, nodes: int) -> Rule:
    arcs = [piece for piece in geometry._pieces if piece.turn]
    ends = [x for piece in geometry._pieces for x in (piece.start[0], piece.end[0])]
    ends += [piece.center[0] + sign * piece.radius for piece in arcs for sign in (-1, 1)]
    low, high = geometry.bounds[0]
    cuts = np.unique([x for x in ends if low <= x <= high])
    cuts = cuts[np.concatenate([[True], np.diff(cuts) > 1e-12 * (high - low)])]
    s, w = gauss_legendre(nodes)
    points, weights = [], []
    for left, right in itertools.pairwise(cuts):
        half = (right - left) / 2
        xs = left + half + half * np.sin(np.pi * s / 2)
        widths = half * np.pi / 2 * np.cos(np.pi * s / 2) * w
        for x, width in zip(xs, widths, strict=True):
            heights = _crossings(geometry, float(x))
            for bottom, top in zip(heights[::2], heights[1::2], strict=True):
                y = bottom + (top - bottom) * (s + 1) / 2
                points.append(np.column_stack([np.full(nodes, x), y]))
                weights.append(width * (top - bottom) / 2 * w)
    return np.concatenate(points), np.concatenate(weights)


def _crossings(geometry: Planar, x: float) -> list[float]:
    """Heights at which the boundary crosses a vertical line that meets no corner."""
    found = []
    for piece in geometry._pieces:
        (ax, ay), (bx, by) = piece.start, piece.end
        if not piece.turn:
            if min(ax, bx) < x < max(ax, bx):
                found.append(ay + (by - ay) * (x - ax) / (bx - ax))
            continue
        offset = x - piece.center[0]
        if abs(offset) < piece.radius:
            rise = float(np.sqrt((piece.radius - offset) * (piece.radius + offset)))
            ys = (piece.center[1] + rise, piece.center[1] - rise)
            found += [y for y in ys if 0 < piece.place((x, y)) < piece.sweep]
    return sorted(found)


def face_rule(geometry: Geometry, face: str, nodes: int = 16) -> Rule:
    """Rule of a face, uniform in length or area on each of its pieces.

    Args:
        geometry: The region.
        face: Name of the face.
        nodes: Nodes per direction and piece.

    Returns:
        Points (n, d) and weights (n,), which sum to the measure of the face.

    Raises:
        GeometryError: If there is no such face.
    """
    measure = geometry.face_measure(face)
    if geometry.dimension == 1:
        return geometry.sample_face(face, round(measure), "grid"), np.ones(round(measure))
    unit, weight = unit_rule(nodes, geometry._face_columns(face))
    sizes = geometry._face_sizes(face)
    blocks = [geometry._face_points(face, np.full(len(unit), i), unit) for i in range(len(sizes))]
    return np.concatenate(blocks), (sizes[:, None] * weight).ravel()
