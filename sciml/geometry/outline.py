"""Distance, side and normals of a boundary of segments and arcs, for many points at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from sciml.geometry.curves import Piece

_BLOCK = 1 << 16  # entries of a points × pieces table: small enough for the cache


def _blocks(points: np.ndarray, pieces: int, work: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    step = max(1, _BLOCK // max(pieces, 1))
    parts = [work(points[i : i + step]) for i in range(0, len(points), step)]
    return np.concatenate(parts) if parts else work(points)


class Outline:
    """Pieces as arrays.

    Args:
        pieces: Segments and arcs.
    """

    def __init__(self, pieces: Sequence[Piece]) -> None:
        """Collect the arrays."""
        self.start = np.array([piece.start for piece in pieces]).reshape(-1, 2).T
        self.end = np.array([piece.end for piece in pieces]).reshape(-1, 2).T
        self.turn = np.array([piece.turn for piece in pieces], dtype=float)
        self.center = np.array([piece.center for piece in pieces]).reshape(-1, 2).T
        self.radius = np.array([piece.radius for piece in pieces])
        self.arcs = np.flatnonzero(self.turn)

    def _squares(self, points: np.ndarray) -> np.ndarray:
        """Squared distances `(n, pieces)`."""
        px, py = points[:, :1], points[:, 1:]
        (ax, ay), (bx, by) = self.start, self.end
        dx, dy = bx - ax, by - ay
        share = np.clip(((px - ax) * dx + (py - ay) * dy) / (dx * dx + dy * dy), 0.0, 1.0)
        squares = (px - ax - share * dx) ** 2 + (py - ay - share * dy) ** 2
        if self.arcs.size:
            squares[:, self.arcs] = self._arc_squares(px, py)
        return squares

    def _arc_squares(self, px: np.ndarray, py: np.ndarray) -> np.ndarray:
        k = self.arcs
        (ax, ay), (bx, by), (cx, cy), turn = self.start[:, k], self.end[:, k], self.center[:, k], self.turn[k]
        qx, qy = px - cx, py - cy
        # arcs cover at most half a turn, so the wedge is where both ends are on the right side
        after = turn * ((ax - cx) * qy - (ay - cy) * qx) >= 0.0
        before = turn * (qx * (by - cy) - qy * (bx - cx)) >= 0.0
        radial = (np.hypot(qx, qy) - self.radius[k]) ** 2
        ends = np.minimum((px - ax) ** 2 + (py - ay) ** 2, (px - bx) ** 2 + (py - by) ** 2)
        return np.where(after & before, radial, ends)

    def distance(self, points: np.ndarray) -> np.ndarray:
        """Distance to the nearest piece.

        Args:
            points: Array `(n, 2)`.

        Returns:
            Distances `(n,)`.
        """
        return np.sqrt(_blocks(points, len(self.turn), lambda block: self._squares(block).min(axis=1)))

    def nearest(self, points: np.ndarray) -> np.ndarray:
        """Index of the nearest piece.

        Args:
            points: Array `(n, 2)`.

        Returns:
            Indices `(n,)`.
        """
        return _blocks(points, len(self.turn), lambda block: self._squares(block).argmin(axis=1))

    def winding(self, points: np.ndarray) -> np.ndarray:
        """Winding number of the boundary around points: 1 inside, 0 outside.

        Crossings of a ray with the chords, plus 1 for each cap between an arc and its chord that holds the
        point. A point on a chord counts as moved by (ε, ε²), ε → 0, in both terms.

        Args:
            points: Array `(n, 2)`.

        Returns:
            Whole numbers `(n,)`.
        """
        return _blocks(points, len(self.turn), self._winding)

    def _winding(self, points: np.ndarray) -> np.ndarray:
        px, py = points[:, :1], points[:, 1:]
        (ax, ay), (bx, by) = self.start, self.end
        dx, dy = bx - ax, by - ay
        side = dx * (py - ay) - dy * (px - ax)
        below, beyond = ay <= py, by <= py
        crossings = (below & ~beyond & (side > 0.0)).sum(axis=1) - (beyond & ~below & (side < 0.0)).sum(axis=1)
        if self.arcs.size:
            k = self.arcs
            tie = np.where(dy[k], -np.sign(dy[k]), np.sign(dx[k]))
            left = np.where(side[:, k], side[:, k], tie) * self.turn[k]
            (cx, cy), r = self.center[:, k], self.radius[k]
            cap = (left < 0.0) & ((px - cx) ** 2 + (py - cy) ** 2 < r * r)
            crossings = crossings + (cap * self.turn[k]).sum(axis=1).astype(int)
        return crossings

    def normals(self, points: np.ndarray) -> np.ndarray:
        """Unit normals of the nearest piece, to the right of its direction: out of the region.

        Args:
            points: Array `(n, 2)`.

        Returns:
            Unit vectors `(n, 2)`.
        """
        k = self.nearest(points)
        direction = self.end[:, k] - self.start[:, k]
        straight = np.stack([direction[1], -direction[0]])
        radial = self.turn[k] * (points.T - self.center[:, k])
        vector = np.where(self.turn[k].astype(bool) & radial.any(axis=0), radial, straight)
        return (vector / np.hypot(*vector)).T
