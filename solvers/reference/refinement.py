"""Uniform refinement of triangulations: every triangle is cut into four, new nodes of the boundary lie on it."""

from __future__ import annotations

import numpy as np

from solvers.reference.triangulation import Triangulation


def refined(mesh: Triangulation) -> Triangulation:
    """Halve all edges.

    Meshes that follow from each other in this way have errors that fall regularly, by 2^k for a method of order k,
    which independent meshes have not: a small quantity, as the lift of a nearly symmetric flow, depends on where their
    nodes happen to lie.

    Args:
        mesh: The triangulation.

    Returns:
        One with four times as many triangles.
    """
    sides = np.sort(np.concatenate([mesh.triangles[:, pair] for pair in ([0, 1], [1, 2], [2, 0])]), axis=1)
    pairs, number = np.unique(sides, axis=0, return_inverse=True)
    count = len(mesh.points)
    middle = mesh.points[pairs].mean(axis=1)
    position = {tuple(pair): k for k, pair in enumerate(pairs.tolist())}
    outer = np.array([position[tuple(pair)] for pair in np.sort(mesh.edges, axis=1).tolist()])
    middle[outer] = mesh.middles
    a, b, c = mesh.triangles.T
    ab, bc, ca = count + number.reshape(3, -1)
    triangles = np.concatenate([np.stack(corners, axis=1) for corners in
                                ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))])  # fmt: skip
    start, end, new = mesh.edges[:, 0], mesh.edges[:, 1], count + outer
    edges = np.concatenate([np.stack([start, new], axis=1), np.stack([new, end], axis=1)])
    first, last = mesh.points[mesh.edges].transpose(1, 0, 2)
    middles = np.concatenate([_between(first, mesh.middles, last), _between(last, mesh.middles, first)])
    return Triangulation(np.concatenate([mesh.points, middle]), triangles, edges, mesh.faces * 2, middles)


def _between(start: np.ndarray, middle: np.ndarray, end: np.ndarray) -> np.ndarray:
    """The middle of the part from start to middle of segments or arcs, (e, 2)."""
    straight, chord = (start + middle) / 2, np.linalg.norm(end - start, axis=1)
    rise = middle - (start + end) / 2
    height = np.linalg.norm(rise, axis=1)
    arc = height > 1e-12 * chord
    radius = (chord[arc] ** 2 / 4 + height[arc] ** 2) / (2 * height[arc])
    centre = middle[arc] - rise[arc] * (radius / height[arc])[:, None]
    outward = straight[arc] - centre
    result = straight.copy()
    result[arc] = centre + outward * (radius / np.linalg.norm(outward, axis=1))[:, None]
    return result
