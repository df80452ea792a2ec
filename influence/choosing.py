"""Choosing points: a network, its objective and its candidates, and the two ways to a new set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import sympy as sp
import torch
from torch import Tensor, nn

from influence.asking import Asker
from influence.curvature import Curvature, Factor, build_curvature
from influence.design import Candidates, greedy
from influence.pools import Block, drawn_terms, joined, nearest_shares, present
from influence.scoring import Pool, Settings, draw_pools, measured, unwrapped
from sciml.drawing import inclusion, stratified
from sciml.errors import PointsError
from sciml.ibvp import IBVP
from sciml.least_squares import gathered, scale_rows
from sciml.placing import check_scores
from sciml.points import PointSet, sample
from sciml.record import TrainingRecord
from sciml.recording import record_of
from sciml.resampling import TrainingView

_DIRECTIONS, _PLACES, _PRESELECTED, _FLOOR = 32, 256, 5, 0.5
_MEASURED = 2  # candidates with a Jacobian per point that is drawn


@dataclass(frozen=True, eq=False)
class Scene:
    """A network in training.

    Attributes:
        problem: The problem.
        model: The network, with or without its hard constraint.
        points: Its points.
        view: What the trainer says.
        target: Quantity of interest, or None for the fields.
        at: Its points.
        seed: Seed of this call.
        settings: How candidates are drawn and scored.
    """

    problem: IBVP
    model: nn.Module
    points: PointSet
    view: TrainingView
    target: Any
    at: Any
    seed: int
    settings: Settings

    def record(self, points: PointSet) -> TrainingRecord:
        """The objective on some points."""
        network, constraint = unwrapped(self.model)
        return record_of(self.problem, network, points, self.view.scale, constraint, self.view.coefficients)

    @cached_property
    def names(self) -> list[str]:
        """Terms whose points are chosen."""
        return drawn_terms(self.points, self.settings.kinds)

    @cached_property
    def known(self) -> tuple[TrainingRecord, Curvature]:
        """The objective on the present points and its linearisation, with the trainer's factor where it has one."""
        record = self.record(self.points)
        factor = self.view.factor
        if factor is None or factor.rows.shape[1] != len(record.parameters):
            return record, build_curvature(record, "ggn", None, "auto")
        root, none = torch.sqrt(2 * record.weights), torch.zeros_like(record.parameters)
        residual, rows = torch.zeros_like(root), None
        if self.target is not None and not isinstance(self.target, sp.Expr):  # it may be a function of training rows
            scaled = scale_rows(*record.rows.jacobian(record.parameters), record.weights)
            residual, rows = scaled.residual, gathered(scaled.matrix)
        return record, Curvature(
            record.parameters, residual, root, none, none, factor.gathered(), "ggn", factor.damping, 0.0, None,
            float("nan"), float("nan"), rows,
        )  # fmt: skip

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

    def pools(self, count: int) -> list[Pool]:
        """Candidates of every type with their residuals."""
        return draw_pools(self.problem, self.model, self.points, self.names, self.view, count, self.seed, self.settings)


def candidates_of(block: Block, factor: Factor, directions: Tensor, level: float, sign: int) -> Candidates:
    """A block of points as candidates for adding or dropping.

    Args:
        block: The points.
        factor: Factor of G, which holds the points to be dropped and not those to be added.
        directions: Gradients of the quantities, (m, P).
        level: s².
        sign: +1 for adding, -1 for dropping.

    Returns:
        The candidates.
    """
    count, rows, size = block.rows.shape
    solved = factor.solve(block.rows.reshape(-1, size).T).T.reshape(count, rows, size)
    return Candidates(block.rows, solved, block.residual, solved @ directions.T, level, sign)


def replaced(scene: Scene, count: int, total: int | None, propagate: bool, weighted: bool) -> PointSet:
    """All drawn points anew: numbers by the mass of the score, density by the score, weights by its inverse.

    The score of a candidate is the root of the mean of ρ² over its neighbours; with `propagate`, it is √score of
    `Candidates` with that mean in place of ρ², at twice as many candidates as points, the others take that of the
    nearest.

    Args:
        scene: The network.
        count: Number of candidates.
        total: Number of points; as many as there are when None.
        propagate: Whether the effect on the quantity counts.
        weighted: Whether weights compensate for the density.

    Returns:
        The new points.

    Raises:
        PointsError: If a score is not finite, all are zero, or there are fewer points than types.
    """
    points, pools = scene.points, scene.pools(count)
    now = np.array([int(points.mask(pool.name).sum()) for pool in pools])
    total = int(now.sum()) if total is None else total
    if total < len(pools):
        raise PointsError(f"at least one point for each of {len(pools)} conditions and equations", f"{total}", "")
    energy = [pool.energy() for pool in pools]
    level = sum(pool.mean(e) for pool, e in zip(pools, energy, strict=True)) / len(energy)
    scores = [np.sqrt(e) for e in energy]
    if propagate:
        scores = [_propagated(scene, pool, e, level, int(n)) for pool, e, n in zip(pools, energy, now, strict=True)]
    check_scores(scores)
    mass = now * [pool.mean(values) for pool, values in zip(pools, scores, strict=True)]
    numbers = whole(total * (_FLOOR * now / now.sum() + (1 - _FLOOR) * mass / mass.sum()))
    names = np.array(points.terms)[points.term]
    new, generator = points.take(~np.isin(names, [pool.name for pool in pools])), np.random.default_rng(scene.seed)
    for pool, values, number in zip(pools, scores, numbers, strict=True):
        wanted = min(int(number), len(values))
        share = inclusion(pool.density(values, scene.settings.uniform) / pool.probability, wanted)
        chosen = stratified(pool.places, share, wanted, generator)
        weight = (pool.share / (share * pool.probability))[chosen] if weighted else np.ones(len(chosen))
        new = new.add(pool.places[chosen], pool.name, weight=weight)
    return new


def _propagated(scene: Scene, pool: Pool, energy: np.ndarray, level: float, number: int) -> np.ndarray:
    """√((e² + s²) |B|²/(1 + h)) with the second factor at some candidates, and the nearest of them elsewhere."""
    record, curvature = scene.known
    some = pool.thinned(_MEASURED * number, np.sqrt(energy), np.random.default_rng(scene.seed))
    block = measured(record, curvature, pool.points.take(np.isin(np.arange(len(energy)), some)))[0]
    candidates = candidates_of(block, curvature.factor, scene.directions, 1.0, 1)
    candidates.residual = torch.zeros_like(candidates.residual)  # what is left of the score is the variance
    reach = np.log(candidates.scores().clamp(min=1e-300).numpy())
    return np.sqrt(energy + level) * np.exp(0.5 * (reach - reach.mean()))[pool.nearest(some)]


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
    points, names = scene.points, scene.names
    size = sum(int(points.mask(name).sum()) for name in names)
    wanted = wanted or max(1, size // (4 if drop else 10))
    if drop and wanted >= size:
        raise PointsError(f"count below the {size} present points", f"count={wanted}", 'mode="replace" draws all anew')
    record, curvature = scene.known
    pools = scene.pools(count)
    check_scores([np.sqrt(pool.squares) for pool in pools])
    blocks = [block for pool in pools for block in measured(record, curvature, pool.points)]
    level = float(torch.cat([block.residual.reshape(-1) for block in blocks]).square().mean())
    first = [candidates_of(block, curvature.factor, scene.directions, level, 1).scores() for block in blocks]
    check_scores([score.numpy() for score in first])
    limit = torch.cat(first).topk(min(_PRESELECTED * wanted, sum(map(len, first)))).values.min()
    best = joined([block.take((score >= limit).numpy()) for block, score in zip(blocks, first, strict=True)])
    chosen = greedy(candidates_of(best, curvature.factor, scene.directions, level, 1), wanted)
    new = points
    for name in names:
        own = [k for k in chosen if best.labels[k] == name]
        if own:
            new = new.add(best.places[own], name)
    if weighted:
        new = nearest_shares(scene.problem, new, scene.seed, names)
    if drop:
        new = new.remove(_useless(scene, new, names, len(chosen), level))
        new = nearest_shares(scene.problem, new, scene.seed, names) if weighted else new
    return new


def _useless(scene: Scene, points: PointSet, names: Sequence[str], count: int, level: float) -> np.ndarray:
    """IDs of the points whose absence changes least; of every type half the points it had before stay."""
    record, factor = scene.record(points), scene.view.factor
    curvature = build_curvature(record, "ggn", None if factor is None else factor.damping, "auto")
    block = present(record, curvature, points, names)
    kinds = torch.tensor([names.index(label) for label in block.labels])
    before = [int(scene.points.mask(name).sum()) for name in names]
    now = [int((kinds == k).sum()) for k in range(len(names))]
    allowed = torch.tensor([max(0, have - int(np.ceil(_FLOOR * had))) for have, had in zip(now, before, strict=True)])
    dropping = candidates_of(block, curvature.factor, scene.directions, level, -1)
    return block.ids[greedy(dropping, count, kinds, allowed)]


def whole(numbers: np.ndarray) -> np.ndarray:
    """Whole numbers with the same sum, each at least 1.

    Args:
        numbers: Positive numbers, (n,), with a sum of n or more.

    Returns:
        (n,) whole numbers.

    Example:
        >>> whole(np.array([0.2, 2.5, 1.3]))
        array([1, 2, 1])
    """
    result = np.maximum(np.floor(numbers), 1).astype(int)
    order = np.argsort(result - numbers, kind="stable")
    missing = round(numbers.sum()) - int(result.sum())
    result[order[: max(missing, 0)]] += 1
    while missing < 0:  # a type below 1 was rounded up at the cost of the largest
        result[int(np.argmax(result))] -= 1
        missing += 1
    return result
