"""Pools: candidates for new points of every type, with their rows, and the weights of what was chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.spatial import cKDTree
from torch import Tensor

from influence.curvature import Curvature
from sciml.errors import PointsError
from sciml.ibvp import IBVP
from sciml.points import PointSet, sample
from sciml.record import TrainingRecord

DRAWN = ("interior", "boundary", "initial")
_PER_POINT, _LEAST_WEIGHT = 20, 0.02


@dataclass(frozen=True, eq=False)
class Block:
    """Points with their rows.

    Attributes:
        places: Coordinates, (n, d).
        ids: IDs, (n,).
        labels: Term of each point, (n,).
        rows: Scaled rows, (n, k, P).
        residual: ρ, (n, k).
    """

    places: np.ndarray
    ids: np.ndarray
    labels: np.ndarray
    rows: Tensor
    residual: Tensor

    @property
    def name(self) -> str:
        """Its term, where it has one."""
        return str(self.labels[0])

    def take(self, chosen: np.ndarray) -> Block:
        """Some of its points."""
        keep = torch.tensor(chosen)
        return Block(self.places[chosen], self.ids[chosen], self.labels[chosen], self.rows[keep], self.residual[keep])


def joined(blocks: Sequence[Block]) -> Block:
    """Blocks as one, with zero rows where a point has fewer than others.

    Args:
        blocks: The blocks.

    Returns:
        One block.
    """
    most = max(block.rows.shape[1] for block in blocks)
    rows = [torch.nn.functional.pad(block.rows, (0, 0, 0, most - block.rows.shape[1])) for block in blocks]
    residual = [torch.nn.functional.pad(block.residual, (0, most - block.residual.shape[1])) for block in blocks]
    places, ids = np.concatenate([block.places for block in blocks]), np.concatenate([block.ids for block in blocks])
    labels = np.concatenate([block.labels for block in blocks])
    return Block(places, ids, labels, torch.cat(rows), torch.cat(residual))


def present(record: TrainingRecord, curvature: Curvature, points: PointSet, names: Sequence[str]) -> Block:
    """The present points that may be dropped, each with all its rows.

    Args:
        record: The objective.
        curvature: Its linearisation, which holds the rows.
        points: Its points.
        names: Terms whose points may be dropped; a point that also serves another term stays.

    Returns:
        The points, labelled by the first of their terms.
    """
    terms = np.array(points.terms)[points.term]
    free = np.setdiff1d(points.ids[np.isin(terms, names)], points.ids[~np.isin(terms, names)])
    order = np.argsort(record.rows.ids, kind="stable")
    starts = np.searchsorted(record.rows.ids[order], free)
    ends = np.searchsorted(record.rows.ids[order], free, side="right")
    most = int((ends - starts).max())
    where = starts[:, None] + np.arange(most)
    real = torch.tensor(where < ends[:, None])
    index = torch.tensor(order[np.minimum(where, len(order) - 1)])
    assert curvature.rows is not None
    first = {int(i): term for i, term in zip(points.ids[::-1], terms[::-1], strict=True)}
    labels = np.array([first[int(i)] for i in free], dtype=object)
    rows, residual = curvature.rows[index] * real[:, :, None], curvature.residual[index] * real
    return Block(points.locate(free), free, labels, rows, residual)


def drawn_terms(points: PointSet) -> list[str]:
    """Terms whose points may be drawn anew: those of the interior, of faces and of the start that have points.

    Args:
        points: The present points.

    Returns:
        Their names.

    Raises:
        PointsError: If there is none.
    """
    kinds = dict(zip(points.terms, points.term_kinds, strict=True))
    names = [name for name in points.terms if kinds[name] in DRAWN and points.mask(name).any()]
    if not names:
        raise PointsError("points in the interior, on faces or at the start", repr(points), "sample(problem, ...)")
    return names


def draw_pool(problem: IBVP, points: PointSet, count: int, seed: int) -> PointSet:
    """Sobol candidates for every term that has points, in proportion to the present numbers.

    Args:
        problem: The problem.
        points: The present points.
        count: About how many in all.
        seed: Seed.

    Returns:
        The candidates; terms that a hard constraint has removed have none.

    Raises:
        PointsError: If the pool would be empty.
    """
    names = drawn_terms(points)
    sizes = {name: int(points.mask(name).sum()) for name in names}
    kinds = dict(zip(points.terms, points.term_kinds, strict=True))
    share = count / sum(sizes.values())
    numbers = {kind: max([round(share * sizes[n]) for n in names if kinds[n] == kind], default=0) for kind in DRAWN}
    if not any(numbers.values()):
        raise PointsError("at least one candidate", f"candidates={count}", "InfluenceSampler(candidates=10000)")
    pool = sample(problem, **numbers, method="sobol", seed=seed)
    return pool.take(np.isin(np.array(pool.terms)[pool.term], names))


def measured(record: TrainingRecord, curvature: Curvature, pool: PointSet) -> list[Block]:
    """Rows of candidates, scaled by √(2w) with the mean weight w of the present rows of the same component.

    Args:
        record: The objective.
        curvature: Its linearisation.
        pool: The candidates.

    Returns:
        One block per term.

    Raises:
        PointsError: If a residual is not finite.
    """
    assert record.rows.at is not None
    weights = {label: float(record.weights[record.rows.labels == label].mean()) for label in set(record.rows.labels)}
    blocks = []
    for name in pool.terms:
        piece = pool.of(name)
        if not len(piece):
            continue
        rows = record.rows.at(piece, None)
        residual, jacobian = rows.jacobian(curvature.theta)
        if not bool(residual.isfinite().all()):
            bad = int((~residual.isfinite()).sum())
            raise PointsError(
                f"finite residuals at the candidates of {name!r}", f"{bad} are not", "see solution.status"
            )
        scale = residual.new_tensor([(2 * weights[label]) ** 0.5 for label in rows.labels])
        shape = (len(piece), len(residual) // len(piece))
        scaled = (scale[:, None] * jacobian).reshape(*shape, -1)
        labels = np.full(len(piece), name, dtype=object)
        blocks.append(Block(piece.coordinates, piece.ids, labels, scaled, (scale * residual).reshape(shape)))
    return blocks


def reference_points(problem: IBVP, points: PointSet, seed: int) -> PointSet:
    """Many Sobol points of every term, which stand for its domain.

    Args:
        problem: The problem.
        points: The points that are to be weighted.
        seed: Seed.

    Returns:
        Twenty times as many points as the largest term has.
    """
    largest = max(int(points.mask(name).sum()) for name in drawn_terms(points))
    return sample(problem, **dict.fromkeys(DRAWN, _PER_POINT * largest), method="sobol", seed=seed)


def nearest_shares(problem: IBVP, points: PointSet, seed: int) -> PointSet:
    """Weights by the share of the domain of each term that lies nearest to a point, calibrated.

    A point with nothing near it keeps a fiftieth of the mean weight.

    Args:
        problem: The problem.
        points: The points.
        seed: Seed of the Sobol points that stand for the domain.

    Returns:
        The points with such weights; observations and fixed points keep theirs.
    """
    low, high = np.array(problem.bounds).T
    everywhere = reference_points(problem, points, seed)
    weight = points.weight.copy()
    for name in drawn_terms(points):
        own = points.mask(name)
        tree = cKDTree((points.coordinates[own] - low) / (high - low))
        _, nearest = tree.query((everywhere.of(name).coordinates - low) / (high - low))
        share = np.bincount(nearest, minlength=int(own.sum())) / len(nearest)
        weight[own] = np.maximum(share, _LEAST_WEIGHT / own.sum())
    return calibrated(problem, points.with_weight(weight), everywhere)


def calibrated(problem: IBVP, points: PointSet, everywhere: PointSet) -> PointSet:
    """Weights changed as little as possible so that they integrate quadratic functions over each term's domain.

    min Σ (w - w₀)²/w₀ with Σ w φ(x) = mean of φ, φ = 1, x_i, x_i x_j (calibration; Deville and Särndal 1992); linear
    functions alone, or none, where a weight would lose more than half.

    Args:
        problem: The problem.
        points: The points.
        everywhere: Points that stand for the domains.

    Returns:
        The points with such weights.
    """
    low, high = np.array(problem.bounds).T
    weight = points.weight.copy()
    for name in drawn_terms(points):
        own, first = points.mask(name), points.of(name).weight
        inner, outer = ((s.of(name).coordinates - low) / (high - low) for s in (points, everywhere))
        for degree in (2, 1):
            basis, wanted = _monomials(inner, degree), _monomials(outer, degree).mean(axis=0)
            gram = basis.T @ (first[:, None] * basis)
            factor = 1 + basis @ np.linalg.lstsq(gram, wanted - first @ basis, rcond=1e-10)[0]
            if factor.min() > 0.5:
                weight[own] = first * factor
                break
    return points.with_weight(weight)


def _monomials(unit: np.ndarray, degree: int) -> np.ndarray:
    centred = 2 * unit - 1
    columns = [np.ones(len(unit)), *centred.T]
    if degree == 2:
        columns += [centred[:, i] * centred[:, j] for i in range(unit.shape[1]) for j in range(i + 1)]
    return np.stack(columns, axis=1)
