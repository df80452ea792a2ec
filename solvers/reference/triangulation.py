"""Triangulations of planar regions bounded by segments and arcs.

Boundary nodes are placed first, on the exact pieces of the boundary. Interior nodes start on hexagonal
lattices and are moved as if the edges were springs under pressure (Persson & Strang, SIAM Review 46 (2004)
329); the triangles are Delaunay's. An edge of the boundary that is not an edge of the triangulation is
split until it is, so the boundary is always kept. Nothing is random.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import Delaunay, cKDTree

from sciml.errors import ConvergenceError, SolverError
from sciml.geometry.planar import Planar

_ANGLE = np.pi / 8  # most that an edge turns along an arc
GROWTH = 0.35  # growth of the edge length with the distance from the boundary
_SWEEPS = 40
_MOST = 400_000  # nodes


@dataclass(frozen=True)
class Triangulation:
    """Triangles of a planar region.

    Attributes:
        points: (n, 2) vertices.
        triangles: (k, 3) counterclockwise.
        edges: (e, 2) edges of the boundary.
        faces: Name of the face of each edge.
        middles: (e, 2) the point of the exact boundary in the middle of each edge.
    """

    points: np.ndarray
    triangles: np.ndarray
    edges: np.ndarray
    faces: tuple[str, ...]
    middles: np.ndarray

    def quality(self) -> np.ndarray:
        """Twice the ratio of the inscribed to the circumscribed radius: 1 for an equilateral triangle, (k,)."""
        a, b, c = (np.linalg.norm(np.diff(self.points[self.triangles[:, pair]], axis=1)[:, 0], axis=1)
                   for pair in ([0, 1], [1, 2], [2, 0]))  # fmt: skip
        return (b + c - a) * (c + a - b) * (a + b - c) / (a * b * c)


class _Boundary:
    """The edges of the boundary as parts [start, end] of the pieces, as fractions of their length."""

    def __init__(self, domain: Planar, size: float, refine: Mapping[str, float]) -> None:
        self.pieces = domain.primitives()
        parts: list[tuple[int, float, float]] = []
        for i, (face, kind, data) in enumerate(self.pieces):
            count = max(1, int(np.ceil(_length(kind, data) / min(refine.get(face, size), size) * (1 - 1e-12))))
            if kind == "arc":
                count = max(count, int(np.ceil(_sweep(data) / _ANGLE - 1e-9)))
            knots = np.linspace(0.0, 1.0, count + 1)
            parts += [(i, float(a), float(b)) for a, b in itertools.pairwise(knots)]
        self.parts = parts
        self._tolerance = 1e-9 * domain.size

    def nodes(self) -> tuple[np.ndarray, np.ndarray]:
        """Vertices (n, 2) without repetition, and the edges (e, 2) between them."""
        ends = np.concatenate([self._at([p[1] for p in self.parts]), self._at([p[2] for p in self.parts])])
        pairs = cKDTree(ends).query_pairs(self._tolerance, output_type="ndarray")
        links = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(ends),) * 2)
        label = connected_components(links, directed=False)[1]
        _, first = np.unique(label, return_index=True)
        return ends[first], label.reshape(2, -1).T

    def middles(self) -> np.ndarray:
        return self._at([0.5 * (a + b) for _, a, b in self.parts])

    def faces(self) -> tuple[str, ...]:
        return tuple(self.pieces[i][0] for i, _, _ in self.parts)

    def _at(self, fractions: list[float]) -> np.ndarray:
        return np.array([_position(*self.pieces[i][1:], f) for (i, _, _), f in zip(self.parts, fractions, strict=True)])

    def split(self, where: np.ndarray) -> None:
        """Halve the edges marked true."""
        new = []
        for (i, a, b), cut in zip(self.parts, where, strict=True):
            middle = 0.5 * (a + b)
            new += [(i, a, middle), (i, middle, b)] if cut else [(i, a, b)]
        self.parts = new
        if len(new) > _MOST:
            raise SolverError(
                "a mesh of moderate size", f"more than {_MOST} edges of the boundary", "a larger mesh_size"
            )

    def grade(self) -> None:
        """Halve edges that are long for the gap to other parts of the boundary, or for their neighbours."""
        for _ in range(30):
            points, edges = self.nodes()
            lengths = np.linalg.norm(points[edges[:, 0]] - points[edges[:, 1]], axis=1)
            shortest = np.full(len(points), np.inf)
            np.minimum.at(shortest, edges.ravel(), np.repeat(lengths, 2))
            long = (lengths > 2.5 * shortest[edges].min(axis=1)) | (lengths > 1.5 * self._gaps(points, edges, lengths))
            if not long.any():
                return
            self.split(long)

    def _gaps(self, points: np.ndarray, edges: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """Distance of the middle of each edge to the nearest vertex on a piece that does not touch its own."""
        near = min(24, len(points))
        distance, index = cKDTree(points).query(points[edges].mean(axis=1), k=near)
        owners: list[set[int]] = [set() for _ in points]  # pieces through each vertex
        for (piece, _, _), (a, b) in zip(self.parts, edges, strict=True):
            owners[a].add(piece)
            owners[b].add(piece)
        touching: list[set[int]] = [set() for _ in self.pieces]
        for pieces in owners:
            for piece in pieces:
                touching[piece] |= pieces
        gaps = np.full(len(edges), np.inf)
        for k, (piece, _, _) in enumerate(self.parts):
            for d, j in zip(distance[k], index[k], strict=True):
                if d < 0.75 * lengths[k] and not owners[j] & touching[piece]:
                    gaps[k] = d
                    break
        return gaps


def triangulate(domain: Planar, size: float, refine: Mapping[str, float] | None = None) -> Triangulation:
    """Triangles with edges of about a given length, shorter where the boundary needs it.

    Args:
        domain: A planar region.
        size: Edge length.
        refine: Smaller edge lengths on faces, growing into the interior.

    Returns:
        The triangulation.

    Raises:
        ConvergenceError: If no valid triangulation is found.
        SolverError: If it would be too large.
    """
    if domain.measure / size**2 > _MOST:
        raise SolverError(
            "a mesh of moderate size", f"about {domain.measure / size**2:.2g} nodes", "a larger mesh_size"
        )
    boundary = _Boundary(domain, size, refine or {})
    boundary.grade()
    points, edges = boundary.nodes()
    spacing = _Spacing(points, edges, size)
    inner = _lattices(domain, spacing)
    inner = _relaxed(domain, points, inner, spacing)
    for _ in range(40):
        points, edges = boundary.nodes()
        cells = Delaunay(np.vstack([points, inner])).simplices
        missing = ~_present(edges, cells, len(points) + len(inner))
        if not missing.any():
            break
        centres, radii = points[edges[missing]].mean(axis=1), _edge_lengths(points, edges[missing]) / 2
        inside = np.zeros(len(inner), dtype=bool)
        for centre, radius in zip(centres, radii, strict=True):
            inside |= np.linalg.norm(inner - centre, axis=1) < radius
        if inside.any():
            inner = inner[~inside]
        else:
            boundary.split(missing)
    else:
        raise ConvergenceError("a triangulation that contains the boundary", repr(domain), "try another mesh_size")
    points = np.vstack([points, inner])
    triangles = _left_of(edges, _counterclockwise(points, cells), len(points))
    used, triangles = np.unique(triangles, return_inverse=True)
    place = np.full(len(points), -1)
    place[used] = np.arange(len(used))
    result = Triangulation(points[used], triangles.reshape(-1, 3), place[edges], boundary.faces(), boundary.middles())
    _check(result, domain)
    return result


def _check(mesh: Triangulation, domain: Planar) -> None:
    a, b, c = mesh.points[mesh.triangles].swapaxes(0, 1)
    area = 0.5 * float(((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]).sum())
    start, end = mesh.points[mesh.edges].swapaxes(0, 1)
    chord = 0.5 * float((start[:, 0] * end[:, 1] - start[:, 1] * end[:, 0]).sum())
    if abs(area - chord) > 1e-8 * domain.measure or mesh.edges.min() < 0 or mesh.quality().min() < 1e-3:
        raise ConvergenceError("a triangulation that fills the region", repr(domain), "try another mesh_size")


def _length(kind: str, data: Any) -> float:
    return (
        data[3] * _sweep(data) if kind == "arc" else float(np.hypot(data[1][0] - data[0][0], data[1][1] - data[0][1]))
    )


def _angles(data: Any) -> tuple[float, float]:
    """Angle of the start of an arc and the signed angle that it covers."""
    (ax, ay), (bx, by), (cx, cy), _, turn = data
    ux, uy, vx, vy = ax - cx, ay - cy, bx - cx, by - cy
    sweep = turn * np.arctan2(ux * vy - uy * vx, ux * vx + uy * vy)
    return float(np.arctan2(uy, ux)), float(turn * (sweep if sweep > 0 else sweep + 2 * np.pi))


def _sweep(data: Any) -> float:
    return abs(_angles(data)[1])


def _position(kind: str, data: Any, fraction: float) -> tuple[float, float]:
    (ax, ay), (bx, by) = data[:2]
    if fraction in {0.0, 1.0}:
        return (bx, by) if fraction > 0.5 else (ax, ay)
    if kind == "arc":
        (cx, cy), radius = data[2:4]
        start, sweep = _angles(data)
        angle = start + sweep * fraction
        return float(cx + radius * np.cos(angle)), float(cy + radius * np.sin(angle))
    return ax + fraction * (bx - ax), ay + fraction * (by - ay)


def _edge_lengths(points: np.ndarray, edges: np.ndarray) -> np.ndarray:
    return np.linalg.norm(points[edges[:, 0]] - points[edges[:, 1]], axis=1)


class _Spacing:
    """Wanted edge length: that of the nearest boundary, growing with the distance from it, at most `size`."""

    def __init__(self, points: np.ndarray, edges: np.ndarray, size: float) -> None:
        lengths = _edge_lengths(points, edges)
        total, count = np.zeros(len(points)), np.zeros(len(points))
        np.add.at(total, edges.ravel(), np.repeat(lengths, 2))
        np.add.at(count, edges.ravel(), 1.0)
        own = total / count
        short = own < 0.8 * size
        self.size, self._points, self._own = size, points[short], own[short]
        self.smallest = min(size, float(own.min()))

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """Wanted length at points, (n,)."""
        result = np.full(len(points), self.size)
        for start in range(0, len(self._points), 64):
            block = slice(start, start + 64)
            distance = np.linalg.norm(points[:, None] - self._points[block], axis=2)
            np.minimum(result, (self._own[block] + GROWTH * distance).min(axis=1), out=result)
        return result


def _lattices(domain: Planar, spacing: _Spacing) -> np.ndarray:
    """Hexagonal lattices of halved spacings, each where its spacing is wanted."""
    parts = []
    (x0, x1), (y0, y1) = domain.bounds
    levels = int(np.ceil(np.log2(spacing.size / spacing.smallest) + 1e-9)) + 1
    for level in range(levels):
        step = spacing.size / 2**level
        rows, columns = int((y1 - y0) / (step * 0.866)) + 2, int((x1 - x0) / step) + 2
        if rows * columns > 20 * _MOST:
            raise SolverError("a mesh of moderate size", f"details of size {step:.2g}", "a larger mesh_size or detail")
        j, i = np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij")
        grid = np.stack([x0 + (i + 0.5 * (j % 2) + 0.1) * step, y0 + (j + 0.37) * 0.866 * step], axis=-1).reshape(-1, 2)
        wanted = spacing(grid)
        fits = (wanted <= step * 2**0.5) | (level == 0)
        fits &= (wanted > step / 2**0.5) | (level == levels - 1)
        grid, wanted = grid[fits], wanted[fits]
        parts.append(grid[domain.signed_distance(grid) < -0.6 * wanted] if len(grid) else grid)
    return np.concatenate(parts)


def _relaxed(domain: Planar, fixed: np.ndarray, inner: np.ndarray, spacing: _Spacing) -> np.ndarray:
    """Interior points after the springs have found their balance; none comes close to the boundary."""
    first = len(fixed)
    for _ in range(_SWEEPS if len(inner) else 0):
        points = np.vstack([fixed, inner])
        cells = Delaunay(points).simplices
        cells = cells[domain.signed_distance(points[cells].mean(axis=1)) < 0]
        bars = np.unique(np.sort(cells[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1), axis=0)
        vectors = points[bars[:, 0]] - points[bars[:, 1]]
        lengths = np.maximum(np.linalg.norm(vectors, axis=1), 1e-12 * spacing.size)
        wanted = spacing(points[bars].mean(axis=1))
        wanted *= 1.2 * np.sqrt((lengths**2).sum() / (wanted**2).sum())
        push = 0.2 * (np.maximum(wanted - lengths, 0.0) / lengths)[:, None] * vectors
        move = np.zeros_like(points)
        np.add.at(move, bars[:, 0], push)
        np.add.at(move, bars[:, 1], -push)
        moved = inner + move[first:]
        allowed = domain.signed_distance(moved) < -0.45 * spacing(moved)
        inner = np.where(allowed[:, None], moved, inner)
        if np.linalg.norm(move[first:], axis=1).max() < 0.01 * spacing.smallest:
            break
    return inner


def _present(edges: np.ndarray, cells: np.ndarray, count: int) -> np.ndarray:
    """Which edges are sides of triangles."""
    sides = np.sort(cells[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    sorted_edges = np.sort(edges, axis=1)
    return np.isin(sorted_edges[:, 0] * count + sorted_edges[:, 1], sides[:, 0] * count + sides[:, 1])


def _counterclockwise(points: np.ndarray, cells: np.ndarray) -> np.ndarray:
    a, b, c = points[cells].swapaxes(0, 1)
    turned = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0] < 0
    return np.where(turned[:, None], cells[:, ::-1], cells)


def _left_of(edges: np.ndarray, cells: np.ndarray, count: int) -> np.ndarray:
    """Triangles in the parts of the plane to the left of the boundary, found by crossing inner sides only."""
    sides = cells[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
    owner = np.repeat(np.arange(len(cells)), 3)
    directed = {(int(a), int(b)): int(k) for (a, b), k in zip(sides, owner, strict=True)}
    walls = {(int(a), int(b)) for a, b in edges}
    links = [(k, directed[b, a]) for (a, b), k in directed.items()
             if (b, a) in directed and (a, b) not in walls and (b, a) not in walls]  # fmt: skip
    rows, columns = np.array(links).reshape(-1, 2).T
    graph = coo_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(cells),) * 2)
    label = connected_components(graph, directed=False)[1]
    inside = {label[directed[edge]] for edge in walls if edge in directed}
    return cells[np.isin(label, list(inside))]
