"""Where drawn points lie and what they weigh: denser at the edges, by a score, or all alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sciml.drawing import by_score
from sciml.errors import PointsError
from sciml.ibvp import IBVP
from sciml.points import PointSet


def denser_at_edges(problem: IBVP, points: PointSet) -> PointSet:
    """Evenly drawn points moved towards the ends of every axis, with weights that keep the integrals.

    s in (0, 1) becomes (1 - cos πs)/2, the density of Chebyshev points, with weight (π/2) sin πs: where points lie
    on one side only, a fit is worst. Axes of space count where the domain is their product.

    Args:
        problem: The problem.
        points: Its points, drawn evenly.

    Returns:
        The points with their IDs; observations and fixed points stay.

    Example:
        >>> from sciml import sample
        >>> from sciml.problems import poisson
        >>> problem = poisson.square().problem
        >>> points = denser_at_edges(problem, sample(problem, interior=500))
        >>> x = points.of("pde").coordinates[:, 0]
        >>> bool(0.18 < (x < 0.1).mean() < 0.23), round(float(points.of("pde").weight @ x**2), 2)
        (True, 0.33)
    """
    product = problem.domain.symbolic_bounds is not None
    low, high = np.array(problem.bounds).T
    unit = (points.coordinates - low) / (high - low)
    drawn = np.isin(points.kinds, ("interior", "boundary", "initial"))
    coordinates, weight = points.coordinates.copy(), points.weight.copy()
    for axis in range(0 if product else len(problem.space), len(low)):
        inner = drawn & (unit[:, axis] > 1e-12) & (unit[:, axis] < 1 - 1e-12)  # what lies on a face stays there
        angle = np.pi * unit[inner, axis]
        coordinates[inner, axis] = low[axis] + (high - low)[axis] * np.sin(angle / 2) ** 2
        weight[inner] *= np.pi / 2 * np.sin(angle)
    return replace(points, coordinates=coordinates).with_weight(weight)


def equal_weights(points: PointSet, name: str) -> PointSet:
    """Weights 1/n on one term; the others keep theirs.

    Args:
        points: The points.
        name: The term.

    Returns:
        The points with such weights.
    """
    weight = points.weight.copy()
    weight[points.mask(name)] = 1.0 / max(int(points.mask(name).sum()), 1)
    return points.with_weight(weight)


def scored(
    points: PointSet, name: str, pool: np.ndarray, scores: np.ndarray, add: int | None, generator: np.random.Generator
) -> PointSet:
    """Points of one term by the score of candidates, without replacement and of equal weight.

    With `add`, so many are added with density ∝ score²; without, all are drawn anew with density score/mean + 1,
    as many as there are (Wu et al. 2023, arXiv 2207.10289; Naujoks et al. 2025, arXiv 2506.16443).

    Args:
        points: The present points.
        name: The term.
        pool: Candidates, (n, d).
        scores: Their scores, (n,).
        add: Number of points to add, or None.
        generator: Source of the draw.

    Returns:
        The new points.

    Raises:
        PointsError: If there is no candidate, a score is not finite, or all are zero.
    """
    check_scores([scores])
    count = int(points.mask(name).sum()) if add is None else add
    if count > len(pool):
        raise PointsError(f"at least {count} candidates", f"{len(pool)}", "give more candidates")
    power, floor = (1.0, 1.0) if add is None else (2.0, 0.0)
    chosen = by_score(scores, power, floor, count, generator)
    kept = points.remove(points.ids_of(name)) if add is None else points
    return equal_weights(kept.add(pool[chosen], name), name)


def check_scores(scores: Sequence[np.ndarray]) -> None:
    """Refuse scores that say nothing.

    Args:
        scores: Scores of the candidates, one array per type.

    Raises:
        PointsError: If there are none, one is not finite, or all are zero.
    """
    if not sum(map(len, scores)):
        raise PointsError("at least one candidate", "an empty pool", "give more candidates")
    bad = sum(int((~np.isfinite(values)).sum()) for values in scores)
    if bad:
        raise PointsError("finite scores", f"{bad} NaN or infinite", "the training has diverged: see solution.status")
    if not any(values.any() for values in scores):
        raise PointsError("a score above zero", "zeros only", "the residual vanishes: there is nothing to choose by")
