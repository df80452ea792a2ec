"""Damping sweep: effective dimension, rankings and their agreement over a range of dampings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.stats import kendalltau
from torch import Tensor

from influence.actions import Blocks, sum_points
from influence.curvature import Curvature
from influence.targets import Query
from sciml.errors import SolverError
from sciml.least_squares import DampedFactor, Spectrum, gathered

_TOP = 20


@dataclass(frozen=True, eq=False)
class Sweep:
    """What changes with the damping; Gauss-Newton curvature throughout.

    Attributes:
        damping: λ + δ, (k,).
        effective_dimension: Σ h_i, (k,).
        overlap: Share of the 20 most influential points that are those of the model's own damping, (k,).
        kendall: Kendall's τ of those 20 points between the two rankings, (k,).
        values: Influences of removal, (k, n_query, n_points).
    """

    damping: np.ndarray
    effective_dimension: np.ndarray
    overlap: np.ndarray
    kendall: np.ndarray
    values: np.ndarray

    def __str__(self) -> str:
        """A table."""
        head = "   damping  eff. dim.  top-20 kept  Kendall"
        rows = zip(self.damping, self.effective_dimension, self.overlap, self.kendall, strict=True)
        return "\n".join([head, *(f"{d:10.2e} {e:10.1f} {o:11.0%} {t:8.2f}" for d, e, o, t in rows)])


def _all_rows(curvature: Curvature) -> Tensor:
    """A with the rows of a diagonal regularisation."""
    if curvature.rows is None:
        raise SolverError("a factor that holds its rows", "the iterative solver", "give a model that fits memory")
    return gathered(curvature.factor.rows) if isinstance(curvature.factor, DampedFactor) else curvature.rows


def _removals(spectrum: Spectrum, projected: Tensor, residual: Tensor, damping: float, blocks: Blocks) -> Tensor:
    """Influence of removals of points, (q, n), at one damping."""
    count = len(residual)
    products = spectrum.row_products(projected, damping)[:count]
    share = spectrum.eigenvalues / (spectrum.eigenvalues + damping)
    z = torch.zeros_like(residual)
    for _, rows in blocks.groups:
        left = spectrum.left[rows]
        hat = torch.einsum("kme,e,kne->kmn", left, share, left)
        eye = torch.eye(rows.shape[1], dtype=torch.float64)
        z[rows] = torch.linalg.solve(eye - hat, residual[rows][..., None])[..., 0]
    return sum_points((products * z[:, None]).T, blocks)


def _ranking(values: Tensor) -> np.ndarray:
    return values.abs().mean(dim=0).numpy()


def _overlap(first: np.ndarray, second: np.ndarray) -> float:
    k = min(_TOP, len(first))
    return len(set(np.argsort(-first)[:k].tolist()) & set(np.argsort(-second)[:k].tolist())) / k


def damping_sweep(curvature: Curvature, blocks: Blocks, query: Query, factors: Any = None) -> Sweep:
    """Sweep the damping with one eigendecomposition.

    Args:
        curvature: The curvature.
        blocks: Points.
        query: The quantity; a quadratic one to first order.
        factors: Multiples of the damping.

    Returns:
        The sweep.

    Raises:
        SolverError: If a factor is not positive.
    """
    scale = np.logspace(-2, 2, 9) if factors is None else np.atleast_1d(np.asarray(factors, dtype=np.float64))
    if not (scale > 0).all():
        raise SolverError("positive multiples of the damping", str(scale), "")
    spectrum = Spectrum(_all_rows(curvature))
    base = curvature.damping or 1e-8 * float(spectrum.eigenvalues[0])
    projected = spectrum.projected(query.gradient.T)
    own = _ranking(_removals(spectrum, projected, curvature.residual, base, blocks))
    chosen = np.argsort(-own)[:_TOP]
    values = [_removals(spectrum, projected, curvature.residual, base * s, blocks) for s in scale]
    ranks = [_ranking(value) for value in values]
    return Sweep(
        base * scale,
        np.array([spectrum.effective_dimension(base * s) for s in scale]),
        np.array([_overlap(own, rank) for rank in ranks]),
        np.array([_kendall(own[chosen], rank[chosen]) for rank in ranks]),
        torch.stack(values).numpy(),
    )


def _kendall(first: np.ndarray, second: np.ndarray) -> float:
    if len(first) < 2 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return float(np.allclose(first, second))
    return float(kendalltau(first, second).statistic)


def top_overlap(curvature: Curvature, blocks: Blocks, query: Query) -> dict[str, float]:
    """Share of the 20 most influential points kept at three times and a third of the damping.

    Args:
        curvature: The curvature.
        blocks: Points.
        query: The quantity.

    Returns:
        "x3" and "/3" -> share; nothing where there is no damping or no matrix.
    """
    if curvature.rows is None or not curvature.damping > 0:
        return {}
    sweep = damping_sweep(curvature, blocks, query, [3.0, 1 / 3])
    return {"x3": float(sweep.overlap[0]), "/3": float(sweep.overlap[1])}
