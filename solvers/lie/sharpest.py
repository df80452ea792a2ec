"""Where a source is largest: places that rows on a fixed grid may miss."""

from __future__ import annotations

import numpy as np
import sympy as sp

from sciml.expressions.data import evaluate_data
from sciml.ibvp import IBVP

_GRID = {1: 4000, 2: 200, 3: 34, 4: 14}  # samples per axis
_BEST, _COPIES, _ROUNDS = 24, 32, 14


def sharpest_places(problem: IBVP, source: sp.Expr) -> np.ndarray:
    """Points of the domain around the largest values of an expression, by a grid and closer looks at its best places.

    Args:
        problem: The problem, whose parameters have values.
        source: An expression of the coordinates.

    Returns:
        (n, d), the last of them the largest value found; (0, d) where all samples are 0 or not finite.
    """
    bounds, generator = np.array(problem.bounds), np.random.default_rng(0)
    count = _GRID[len(bounds)]
    axes = [low + (high - low) * (np.arange(count) + 0.37) / count for low, high in bounds]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(bounds))
    reach, kept = np.diff(bounds, axis=1)[:, 0] / count, np.zeros((0, len(bounds)))
    for _ in range(_ROUNDS):
        points = np.clip(points, bounds[:, 0], bounds[:, 1])
        points = np.concatenate([kept, points[np.asarray(_inside(problem, points))]])
        sizes = np.nan_to_num(np.abs(evaluate_data(source, problem.coordinates, points)), nan=0.0, posinf=0.0)
        kept = points[np.argsort(sizes)[-_BEST:]][np.sort(sizes)[-_BEST:] > 0]
        if not len(kept):
            break
        spread = generator.uniform(-1.0, 1.0, (_COPIES, *kept.shape)) * reach
        points, reach = (kept + spread).reshape(-1, len(bounds)), reach / 2
    return kept


def _inside(problem: IBVP, points: np.ndarray) -> np.ndarray:
    return np.asarray(problem.domain.contains(points[:, : len(problem.space)], 0.0))
