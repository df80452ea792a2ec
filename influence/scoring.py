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
from influence.two_phase import FINE, phases, two_phase, weighted_mean
from sciml.drawing import stratified
from sciml.errors import PointsError
from sciml.ibvp import IBVP
from sciml.placing import denser_at_edges
from sciml.points import PointSet, sample
from sciml.record import TrainingRecord
from sciml.resampling import TrainingView
from sciml.residuals import ConstrainedNetwork, HardConstraint, ResidualSystem
from sciml.terms import Term


@dataclass(frozen=True)
class Settings:
    """How candidates are drawn and scored.

    Attributes:
        uniform: Share of evenly drawn points.
        neighbours: Candidates over which ρ² is averaged.
        edges: Whether candidates are denser at the edges, as the points of `PINN` are.
        phases: 2 takes a quarter of the candidates to find where the others are drawn.
        kinds: Kinds of points that are chosen; None for all that there are.
    """

    uniform: float = 0.25
    neighbours: int = 8
    edges: bool = True
    phases: int = 1
    kinds: tuple[str, ...] | None = None


@dataclass(frozen=True, eq=False)
class Pool:
    """Candidates of one term.

    Attributes:
        points: The candidates.
        squares: Σ ρ² over the rows of each, (n,).
        unit: Coordinates in the unit box, (n, d).
        share: Even density over the density of the places that candidates were drawn from, (n,).
        probability: With which each was drawn from these places, (n,).
        neighbours: Candidates over which ρ² is averaged.
    """

    points: PointSet
    squares: np.ndarray
    unit: np.ndarray
    share: np.ndarray
    probability: np.ndarray
    neighbours: int

    @property
    def name(self) -> str:
        """Its term."""
        return self.points.terms[int(self.points.term[0])]

    @property
    def places(self) -> np.ndarray:
        """Coordinates, (n, d)."""
        return self.points.coordinates

    def mean(self, values: np.ndarray) -> float:
        """Mean over the places of values at the candidates."""
        return weighted_mean(values, self.probability)

    def energy(self) -> np.ndarray:
        """Mean of ρ² over the nearest candidates: a residual passes through zero where it is far from solved."""
        count = min(self.neighbours, len(self.unit))
        if count <= 1:
            return self.squares
        _, near = cKDTree(self.unit).query(self.unit, k=count)
        return self.squares[near].mean(axis=1)

    def density(self, scores: np.ndarray, uniform: float) -> np.ndarray:
        """Density relative to that of the places: a mixture of even points and of the score."""
        return uniform * self.share + (1 - uniform) * scores / self.mean(scores)

    def thinned(self, count: int, scores: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """Indices of some candidates, half of them by score."""
        if count >= len(scores):
            return np.arange(len(scores))
        return stratified(self.unit, self.density(scores, 0.5) / self.probability, count, generator)

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
    wanted = {kind: max([round(share * sizes[n]) for n in names if kinds[n] == kind], default=0) for kind in DRAWN}
    if not all(wanted[kinds[name]] for name in names):
        raise PointsError("at least one candidate of every type", f"candidates={count}", "candidates=10000")
    numbers = {kind: number * (FINE if settings.phases == 2 else 1) for kind, number in wanted.items()}
    drawn = sample(problem, **numbers, method="sobol", seed=seed)
    drawn = drawn.take(np.isin(np.array(drawn.terms)[drawn.term], names))
    drawn = denser_at_edges(problem, drawn) if settings.edges else drawn
    rng = np.random.default_rng(seed)
    return [
        _pool(problem, model, drawn.of(term.name), term, view, (wanted[term.kind], sizes[term.name]), settings, rng)
        for term in problem.terms
        if term.name in names
    ]


def _pool(
    problem: IBVP, model: nn.Module, places: PointSet, term: Term, view: TrainingView, numbers: tuple[int, int],
    settings: Settings, generator: np.random.Generator,
) -> Pool:  # fmt: skip
    """Candidates of one term among places: `numbers` are those of candidates and of the present points."""
    network, constraint = unwrapped(model)
    start = {symbol: unknown.start for symbol, unknown in problem.unknowns.items()}
    coefficients = start | dict(view.coefficients)
    given = [torch.tensor(float(coefficients[symbol]), dtype=torch.float64) for symbol in problem.unknowns]
    scale = np.array([view.scale.get(name, view.scale.get(term.name, 1.0)) for name in term.components])
    system = ResidualSystem(problem, constraint, terms=[term])

    def size(index: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            rows = system.rows(network, places.take(index), given, parameters=False)
        return np.sqrt(2 * rows.terms[0].values.detach().numpy() ** 2 @ scale / numbers[1])

    even = places.weight / places.weight.mean()
    most = min(numbers[0], len(places))
    counts = phases(most, settings.phases == 2)
    found = two_phase(places.coordinates, even, size, counts, settings.uniform, generator)
    if not np.isfinite(found.score).all():
        raise PointsError(
            f"finite residuals at the candidates of {term.name!r}",
            f"{int((~np.isfinite(found.score)).sum())} are not", "see solution.status",
        )  # fmt: skip
    low, high = np.array(problem.bounds).T
    own = places.take(found.index)
    unit = (own.coordinates - low) / (high - low)
    return Pool(own, found.score**2, unit, even[found.index], found.probability, settings.neighbours)


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
