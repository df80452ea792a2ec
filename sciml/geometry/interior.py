"""Points inside a region that is known by boxes around it and a test of membership."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sciml.sampling import lattice, part_points, spread

Member = Callable[[np.ndarray], np.ndarray]
_PREFIX_METHODS = ("sobol", "uniform")  # a prefix of these is as good as the whole
_ROUNDS = 60


def interior_points(
    boxes: np.ndarray, measure: float, member: Member, n: int, timed: bool, method: str, seed: int
) -> np.ndarray | None:
    """Points of uniform density in the region, by rejection of those of the boxes that lie outside.

    Args:
        boxes: Lower and upper corners of boxes that cover the region without overlap, `(k, 2, d)`.
        measure: Measure of the region.
        member: Whether points `(n, d)` lie inside.
        n: Number of points.
        timed: Whether a further column in (0, 1) is wanted.
        method: See `sciml.sampling.unit_points`.
        seed: Seed of the method.

    Returns:
        Array `(n, d)`, or `(n, d + 1)`; None if the region is too thin to hit.
    """
    volumes = np.prod(boxes[:, 1] - boxes[:, 0], axis=1)
    fill = min(1.0, measure / volumes.sum())
    full, dimension = fill > 1.0 - 1e-12, boxes.shape[2]
    if method == "grid" and not full and dimension > 1:
        return _grid(boxes, measure, member, n, timed)
    wanted = n if full else int(np.ceil(n / fill))
    for _ in range(_ROUNDS):
        index, points = part_points(volumes, wanted, dimension, int(timed), method, seed)
        low, high = boxes[index, 0], boxes[index, 1]
        points[:, :dimension] = low + points[:, :dimension] * (high - low)
        kept = np.flatnonzero(member(points[:, :dimension]))
        if len(kept) >= n:
            return points[kept[:n] if method in _PREFIX_METHODS else kept[spread(len(kept), n)]]
        wanted += int(np.ceil((n - len(kept)) / fill)) + 1
    return None


def _grid(boxes: np.ndarray, measure: float, member: Member, n: int, timed: bool) -> np.ndarray | None:
    """Cell centres of one grid over the bounding box, times equal steps in time; the coarsest that has n inside."""
    extent = boxes[:, 1].max(axis=0) - boxes[:, 0].min(axis=0)
    columns = len(extent) + timed
    side = max(1, int((n * np.prod(extent) / measure) ** (1.0 / columns)))
    for attempt in range(_ROUNDS):
        points = lattice(boxes, side)
        points = points[member(points)]
        if timed:
            steps = (np.arange(side) + 0.5) / side
            points = np.hstack([np.repeat(points, side, axis=0), np.tile(steps, len(points))[:, None]])
        if len(points) >= n:
            return points[spread(len(points), n)]
        side += 1 + attempt * side // 100  # slowly at first; a diagonal needle may need far more than its area says
    return None
