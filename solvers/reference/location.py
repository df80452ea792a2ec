"""Which element holds a point, and where in it: for many points at once."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from solvers.reference.shapes import shape_functions

_NEIGHBOURS = {1: 3, 2: 16, 3: 48}
_FINALISTS = 4  # elements examined with their curved sides


class ElementFinder:
    """Finds elements by the distance of their centroids.

    A point outside all elements, for instance between a curved edge and the true boundary, belongs to the
    element that it leaves least, measured by its smallest barycentric coordinate.

    Args:
        nodes: (N, d) positions of all nodes.
        elements: (E, b) nodes of each element, vertices first.
        degree: Degree of the map from the reference simplex.
    """

    def __init__(self, nodes: np.ndarray, elements: np.ndarray, degree: int) -> None:
        self._nodes, self._elements, self._degree = nodes, elements, degree
        d = nodes.shape[1]
        vertices = nodes[elements[:, : d + 1]]
        self._origin = vertices[:, 0]
        self._inverse = np.linalg.inv((vertices[:, 1:] - vertices[:, :1]).swapaxes(1, 2))
        self._tree = cKDTree(vertices.mean(axis=1))

    def find(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Elements and reference coordinates.

        Args:
            points: (n, d).

        Returns:
            Element of each point (n,), coordinates in the reference simplex (n, d).
        """
        count = len(self._elements)
        near = min(_NEIGHBOURS[points.shape[1]], count)
        owner, reference, depth = self._among(points, near)
        lost = np.flatnonzero(depth < -1e-9)
        if lost.size and near < count:
            again = self._among(points[lost], min(12 * near, count))
            better = again[2] > depth[lost]
            owner[lost[better]], reference[lost[better]] = again[0][better], again[1][better]
        return owner, reference

    def _among(self, points: np.ndarray, near: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        n, d = points.shape
        candidates = self._tree.query(points, k=near)[1].reshape(n, near)
        offset = points[:, None] - self._origin[candidates]
        straight = np.einsum("nkij,nkj->nki", self._inverse[candidates], offset)
        best = np.argsort(-_depth(straight), axis=1, kind="stable")[:, :_FINALISTS]
        owner = np.take_along_axis(candidates, best, axis=1)
        start = np.take_along_axis(straight, best[:, :, None], axis=1)
        k = owner.shape[1]
        refined = self._invert(np.repeat(points, k, axis=0), owner.ravel(), start.reshape(-1, d)).reshape(n, k, d)
        depth = _depth(refined)
        winner = depth.argmax(axis=1)
        rows = np.arange(n)
        return owner[rows, winner], refined[rows, winner], depth[rows, winner]

    def _invert(self, points: np.ndarray, owner: np.ndarray, start: np.ndarray) -> np.ndarray:
        """Newton's method for x(X) = point; far from the element, where it may fail, the start is kept."""
        if self._degree == 1:
            return start
        corners = self._nodes[self._elements[owner]]
        close = np.abs(start).max(axis=1) < 2.0
        reference = start.copy()
        reference[~close] = -1.0  # never chosen before a close one
        current = start[close]
        for _ in range(8):
            values, slopes, _ = shape_functions(current, self._degree)
            gap = points[close] - np.einsum("nb,nbi->ni", values, corners[close])
            jacobian = np.einsum("nbi,nbk->nik", corners[close], slopes)
            step = np.clip(np.linalg.solve(jacobian, gap[:, :, None])[:, :, 0], -0.5, 0.5)
            current = current + step
            if np.abs(step).max(initial=0.0) < 1e-14:
                break
        reference[close] = current
        return reference


def _depth(reference: np.ndarray) -> np.ndarray:
    """Smallest barycentric coordinate: negative outside."""
    return np.minimum(reference.min(axis=-1), 1.0 - reference.sum(axis=-1))
