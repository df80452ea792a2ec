"""Choosing points: a network, its objective and its candidates, and the two ways to a new set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from influence.asking import Asker
from influence.curvature import Curvature, build_curvature
from influence.design import Candidates, greedy
from influence.pools import (
    Block,
    calibrated,
    draw_pool,
    drawn_terms,
    joined,
    measured,
    nearest_shares,
    present,
    reference_points,
)
from sciml.drawing import stratified
from sciml.errors import PointsError
from sciml.ibvp import IBVP
from sciml.points import PointSet, sample
from sciml.record import TrainingRecord
from sciml.recording import record_of
from sciml.residuals import ConstrainedNetwork

_DIRECTIONS, _PLACES, _PRESELECTED, _FLOOR = 32, 256, 5, 0.5


@dataclass(frozen=True, eq=False)
class Scene:
    """A network in training.

    Attributes:
        problem: The problem.
        model: The network, with or without its hard constraint.
        points: Its points.
        scale: λ by name.
        target: Quantity of interest, or None for the fields.
        at: Its points.
        seed: Seed of this call.
    """

    problem: IBVP
    model: nn.Module
    points: PointSet
    scale: Mapping[str, float] | None
    target: Any
    at: Any
    seed: int

    def record(self, points: PointSet) -> TrainingRecord:
        """The objective on some points."""
        if isinstance(self.model, ConstrainedNetwork):
            return record_of(self.problem, self.model.network, points, self.scale, self.model.constraint)
        return record_of(self.problem, self.model, points, self.scale)

    @cached_property
    def known(self) -> tuple[TrainingRecord, Curvature]:
        """The objective on the present points, and its linearisation."""
        drawn_terms(self.points)  # a clear error where there is nothing to choose from
        record = self.record(self.points)
        return record, build_curvature(record, "ggn", None, "auto")

    @cached_property
    def directions(self) -> Tensor:
        """Gradients of the quantities, (m, P); many are mixed with random signs, which keeps |b|² in the mean."""
        record, curvature = self.known
        asker = Asker(record, self.problem, curvature)
        if self.target is not None:
            query = asker.query(self.target, self.at)
            gradient = query.gradient if query.jacobian is None else query.jacobian
        else:
            name = self.problem.terms[0].name
            places = sample(self.problem, interior=_PLACES, method="sobol", seed=1).of(name).coordinates
            queries = [asker.query(known, places) for known in self.problem.fields]
            sizes = [max(float(query.value.square().mean()), 1e-24) ** 0.5 for query in queries]
            gradient = torch.cat([query.gradient / size for query, size in zip(queries, sizes, strict=True)])
        if len(gradient) > _DIRECTIONS:
            signs = np.random.default_rng(self.seed).choice([-1.0, 1.0], (_DIRECTIONS, len(gradient)))
            gradient = torch.tensor(signs) @ gradient / _DIRECTIONS**0.5
        return gradient

    def pool(self, count: int) -> list[Block]:
        """Candidates of every type with their rows."""
        record, curvature = self.known
        return measured(record, curvature, draw_pool(self.problem, self.points, count, self.seed))


def candidates_of(block: Block, curvature: Curvature, directions: Tensor, level: float, sign: int) -> Candidates:
    """A block of points as candidates for adding or dropping.

    Args:
        block: The points.
        curvature: The linearisation, whose factor holds the points to be dropped and not those to be added.
        directions: Gradients of the quantities, (m, P).
        level: s².
        sign: +1 for adding, -1 for dropping.

    Returns:
        The candidates.
    """
    count, rows, size = block.rows.shape
    solved = curvature.factor.solve(block.rows.reshape(-1, size).T).T.reshape(count, rows, size)
    return Candidates(block.rows, solved, block.residual, solved @ directions.T, level, sign)


def replaced(scene: Scene, count: int, uniform: float, weighted: bool) -> PointSet:
    """All drawn points anew: numbers by the mass of √score, density by √score, weights by its inverse.

    Args:
        scene: The network.
        count: Number of candidates.
        uniform: Share of evenly drawn points.
        weighted: Whether weights compensate for the density.

    Returns:
        The new points.

    Raises:
        PointsError: If a score is not finite.
    """
    blocks, points, curvature = scene.pool(count), scene.points, scene.known[1]
    level = _level(blocks)
    density = [
        candidates_of(b, curvature, scene.directions, level, 1).scores().clamp(min=0).sqrt().numpy() for b in blocks
    ]
    if not all(np.isfinite(values).all() for values in density):
        raise PointsError("finite scores", "NaN or infinite ones", "the training has diverged: see solution.status")
    now = np.array([int(points.mask(block.name).sum()) for block in blocks])
    mass = np.array([values.mean() * number for values, number in zip(density, now, strict=True)])
    share = mass / mass.sum() if mass.sum() > 0 else now / now.sum()
    numbers = _whole(_FLOOR * now + (1 - _FLOOR) * now.sum() * share)
    names = np.array(points.terms)[points.term]
    new, generator = points.take(~np.isin(names, [block.name for block in blocks])), np.random.default_rng(scene.seed)
    for block, values, number in zip(blocks, density, numbers, strict=True):
        mean = values.mean()
        relative = uniform + (1 - uniform) * (values / mean if mean > 0 else np.ones_like(values))
        chosen = stratified(block.places, relative, min(int(number), len(values)), generator)
        weight = 1 / relative[chosen] if weighted else np.ones(len(chosen))
        new = new.add(block.places[chosen], block.name, weight=weight)
    return calibrated(scene.problem, new, reference_points(scene.problem, new, scene.seed)) if weighted else new


def exchanged(scene: Scene, count: int, wanted: int | None, drop: bool, weighted: bool) -> PointSet:
    """The best candidates one by one; then as many of the least useful points are dropped.

    Args:
        scene: The network.
        count: Number of candidates.
        wanted: Number of points to add.
        drop: Whether to drop as many.
        weighted: Whether weights follow the new places.

    Returns:
        The new points.

    Raises:
        PointsError: If more points are wanted than there are.
    """
    points, names = scene.points, drawn_terms(scene.points)
    size = sum(int(points.mask(name).sum()) for name in names)
    wanted = wanted or max(1, size // (4 if drop else 10))
    if drop and wanted >= size:
        raise PointsError(f"count below the {size} present points", f"count={wanted}", 'mode="replace" draws all anew')
    blocks, curvature = scene.pool(count), scene.known[1]
    level = _level(blocks)
    first = [candidates_of(block, curvature, scene.directions, level, 1).scores() for block in blocks]
    limit = torch.cat(first).topk(min(_PRESELECTED * wanted, sum(map(len, first)))).values.min()
    best = joined([block.take((score >= limit).numpy()) for block, score in zip(blocks, first, strict=True)])
    chosen = greedy(candidates_of(best, curvature, scene.directions, level, 1), wanted)
    new = points
    for name in names:
        own = [k for k in chosen if best.labels[k] == name]
        if own:
            new = new.add(best.places[own], name)
    if weighted:
        new = nearest_shares(scene.problem, new, scene.seed)
    if drop:
        new = new.remove(_useless(scene, new, names, len(chosen), level))
        new = nearest_shares(scene.problem, new, scene.seed) if weighted else new
    return new


def _useless(scene: Scene, points: PointSet, names: Sequence[str], count: int, level: float) -> np.ndarray:
    """IDs of the points whose absence changes least; of every type half the points it had before stay."""
    record = scene.record(points)
    curvature = build_curvature(record, "ggn", None, "auto")
    block = present(record, curvature, points, names)
    kinds = torch.tensor([names.index(label) for label in block.labels])
    before = [int(scene.points.mask(name).sum()) for name in names]
    now = [int((kinds == k).sum()) for k in range(len(names))]
    allowed = torch.tensor([max(0, have - int(np.ceil(_FLOOR * had))) for have, had in zip(now, before, strict=True)])
    dropping = candidates_of(block, curvature, scene.directions, level, -1)
    return block.ids[greedy(dropping, count, kinds, allowed)]


def _level(blocks: Sequence[Block]) -> float:
    if not blocks:
        raise PointsError("at least one candidate", "an empty pool", "InfluenceSampler(candidates=10000)")
    return float(torch.cat([block.residual.reshape(-1) for block in blocks]).square().mean())


def _whole(numbers: np.ndarray) -> np.ndarray:
    """Whole numbers with the same sum, each at least 1."""
    floor = np.maximum(np.floor(numbers), 1).astype(int)
    missing = round(numbers.sum()) - int(floor.sum())
    order = np.argsort(-(numbers - floor), kind="stable")
    floor[order[: max(missing, 0)]] += 1
    return floor
