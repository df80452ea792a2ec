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


def drawn_terms(points: PointSet, wanted: Sequence[str] | None = None) -> list[str]:
    """Terms whose points may be drawn anew: those of the interior, of faces and of the start that have points.

    Args:
        points: The present points.
        wanted: Kinds, or None for all.

    Returns:
        Their names.

    Raises:
        PointsError: If there is none, or none of a kind that is wanted.
    """
    kinds = dict(zip(points.terms, points.term_kinds, strict=True))
    names = [name for name in points.terms if kinds[name] in DRAWN and points.mask(name).any()]
    absent = set(wanted or ()) - {kinds[name] for name in names}
    if absent:
        raise PointsError(
            f"points of the kind {', '.join(sorted(absent))}", "none",
            "a hard constraint meets such conditions exactly: leave that kind out",
        )  # fmt: skip
    names = [name for name in names if wanted is None or kinds[name] in wanted]
    if not names:
        raise PointsError("points in the interior, on faces or at the start", repr(points), "sample(problem, ...)")
    return names


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


def nearest_shares(problem: IBVP, points: PointSet, seed: int, names: Sequence[str] | None = None) -> PointSet:
    """Weights by the share of the domain of each term that lies nearest to a point, calibrated.

    A point with nothing near it keeps a fiftieth of the mean weight.

    Args:
        problem: The problem.
        points: The points.
        seed: Seed of the Sobol points that stand for the domain.
        names: Terms; all that may be drawn when None.

    Returns:
        The points with such weights; observations and fixed points keep theirs.
    """
    low, high = np.array(problem.bounds).T
    everywhere = reference_points(problem, points, seed)
    weight = points.weight.copy()
    for name in drawn_terms(points) if names is None else names:
        own = points.mask(name)
        tree = cKDTree((points.coordinates[own] - low) / (high - low))
        _, nearest = tree.query((everywhere.of(name).coordinates - low) / (high - low))
        share = np.bincount(nearest, minlength=int(own.sum())) / len(nearest)
        weight[own] = np.maximum(share, _LEAST_WEIGHT / own.sum())
    return calibrated(problem, points.with_weight(weight), everywhere, names)


def calibrated(problem: IBVP, points: PointSet, everywhere: PointSet, names: Sequence[str] | None = None) -> PointSet:
    """Weights changed as little as possible so that they integrate quadratic functions over each term's domain.

    min Σ (w - w₀)²/w₀ with Σ w φ(x) = mean of φ, φ = 1, x_i, x_i x_j (calibration; Deville and Särndal 1992); linear
    functions alone, or none, where a weight would lose more than half.

    Args:
        problem: The problem.
        points: The points.
        everywhere: Points that stand for the domains.
        names: Terms; all that may be drawn when None.

    Returns:
        The points with such weights.
    """
    low, high = np.array(problem.bounds).T
    weight = points.weight.copy()
    for name in drawn_terms(points) if names is None else names:
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
