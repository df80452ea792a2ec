"""Scoring: candidates of every type with their scaled residuals, smoothed, and with their Jacobian rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.spatial import cKDTree
from torch import nn

from influence.curvature import Curvature
from influence.pools import DRAWN, Block
from sciml.drawing import stratified
from sciml.errors import PointsError
from sciml.ibvp import IBVP
from sciml.placing import denser_at_edges
from sciml.points import PointSet, sample
from sciml.record import TrainingRecord
from sciml.resampling import TrainingView
from sciml.residuals import ConstrainedNetwork, HardConstraint, ResidualSystem


@dataclass(frozen=True)
class Settings:
    """How candidates are drawn and scored.

    Attributes:
        uniform: Share of evenly drawn points.
        neighbours: Candidates over which ρ² is averaged.
        edges: Whether candidates are denser at the edges, as the points of `PINN` are.
        kinds: Kinds of points that are chosen; None for all that there are.
    """

    uniform: float = 0.25
    neighbours: int = 8
    edges: bool = True
    kinds: tuple[str, ...] | None = None


@dataclass(frozen=True, eq=False)
class Pool:
    """Candidates of one term.

    Attributes:
        points: The candidates; their weights are those of their density.
        squares: Σ ρ² over the rows of each, (n,).
        unit: Coordinates in the unit box, (n, d).
        neighbours: Candidates over which ρ² is averaged.
    """

    points: PointSet
    squares: np.ndarray
    unit: np.ndarray
    neighbours: int

    @property
    def name(self) -> str:
        """Its term."""
        return self.points.terms[int(self.points.term[0])]

    @property
    def places(self) -> np.ndarray:
        """Coordinates, (n, d)."""
        return self.points.coordinates

    @property
    def share(self) -> np.ndarray:
        """Even density over the density of the candidates, mean 1, (n,)."""
        return self.points.weight / self.points.weight.mean()

    def energy(self) -> np.ndarray:
        """Mean of ρ² over the nearest candidates: a residual passes through zero where it is far from solved."""
        count = min(self.neighbours, len(self.unit))
        if count <= 1:
            return self.squares
        _, near = cKDTree(self.unit).query(self.unit, k=count)
        return self.squares[near].mean(axis=1)

    def density(self, scores: np.ndarray, uniform: float) -> np.ndarray:
        """Density relative to that of the candidates: a mixture of even points and of the score."""
        return uniform * self.share + (1 - uniform) * scores / scores.mean()

    def thinned(self, count: int, scores: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """Indices of some candidates, half of them by score."""
        if count >= len(scores):
            return np.arange(len(scores))
        return stratified(self.unit, self.density(scores, 0.5), count, generator)

    def nearest(self, some: np.ndarray) -> np.ndarray:
        """Position in `some` of the nearest of these candidates to every candidate, (n,)."""
        return np.asarray(cKDTree(self.unit[some]).query(self.unit)[1])


def unwrapped(model: nn.Module) -> tuple[nn.Module, HardConstraint | None]:
    """The network and its hard constraint, where it has one."""
    return (model.network, model.constraint) if isinstance(model, ConstrainedNetwork) else (model, None)


def draw_pools(
    problem: IBVP, model: nn.Module, points: PointSet, names: Sequence[str], view: TrainingView, count: int,
    seed: int, settings: Settings,
) -> list[Pool]:  # fmt: skip
    """Sobol candidates for every term, in proportion to the present numbers, with their scaled residuals.

    Args:
        problem: The problem.
        model: The network, or a `ConstrainedNetwork`.
        points: The present points.
        names: Terms.
        view: λ and coefficients.
        count: About how many in all.
        seed: Seed.
        settings: How.

    Returns:
        One pool per term.

    Raises:
        PointsError: If a pool would be empty, or a residual is not finite.
    """
    sizes = {name: int(points.mask(name).sum()) for name in names}
    kinds = dict(zip(points.terms, points.term_kinds, strict=True))
    share = count / sum(sizes.values())
    numbers = {kind: max([round(share * sizes[n]) for n in names if kinds[n] == kind], default=0) for kind in DRAWN}
    if not all(numbers[kinds[name]] for name in names):
        raise PointsError("at least one candidate of every type", f"candidates={count}", "candidates=10000")
    drawn = sample(problem, **numbers, method="sobol", seed=seed)
    drawn = drawn.take(np.isin(np.array(drawn.terms)[drawn.term], names))
    drawn = denser_at_edges(problem, drawn) if settings.edges else drawn
    low, high = np.array(problem.bounds).T
    terms = [term for term in problem.terms if term.name in names]
    network, constraint = unwrapped(model)
    start = {symbol: unknown.start for symbol, unknown in problem.unknowns.items()}
    coefficients = start | dict(view.coefficients)
    given = [torch.tensor(float(coefficients[symbol]), dtype=torch.float64) for symbol in problem.unknowns]
    with torch.no_grad():
        rows = ResidualSystem(problem, constraint, terms=terms).rows(network, drawn, given, parameters=False)
    pools = []
    for term in rows.terms:
        own = drawn.of(term.name)
        scale = [view.scale.get(name, view.scale.get(term.name, 1.0)) for name in term.components]
        values = term.values.detach().numpy() ** 2
        if not np.isfinite(values).all():
            raise PointsError(
                f"finite residuals at the candidates of {term.name!r}",
                f"{int((~np.isfinite(values)).sum())} are not", "see solution.status",
            )  # fmt: skip
        squares = 2 * values @ np.array(scale) / sizes[term.name]
        pools.append(Pool(own, squares, (own.coordinates - low) / (high - low), settings.neighbours))
    return pools


def measured(record: TrainingRecord, curvature: Curvature, points: PointSet) -> list[Block]:
    """Rows of candidates, scaled by √(2w) with the mean weight w of the present rows of the same component.

    Args:
        record: The objective.
        curvature: Its linearisation.
        points: The candidates.

    Returns:
        One block per term.
    """
    assert record.rows.at is not None
    weights = {label: float(record.weights[record.rows.labels == label].mean()) for label in set(record.rows.labels)}
    blocks = []
    for name in points.terms:
        piece = points.of(name)
        if not len(piece):
            continue
        rows = record.rows.at(piece, None)
        residual, jacobian = rows.jacobian(curvature.theta)
        root = residual.new_tensor([(2 * weights[label]) ** 0.5 for label in rows.labels])
        shape = (len(piece), len(residual) // len(piece))
        scaled = (root[:, None] * jacobian).reshape(*shape, -1)
        labels = np.full(len(piece), name, dtype=object)
        blocks.append(Block(piece.coordinates, piece.ids, labels, scaled, (root * residual).reshape(shape)))
    return blocks
