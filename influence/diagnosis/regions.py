"""Regions: how much of the influence comes from a part of the domain, and how near it comes from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from influence.diagnosis.pictured import COLOURS, Pictured
from influence.scores import Scores
from sciml.errors import PointsError, SolverError

Region = Callable[[np.ndarray], np.ndarray] | np.ndarray
KERNELS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "exponential": lambda distance: np.exp(-distance / 2),
    "gaussian": lambda distance: np.exp(-(distance**2) / 2),
}
_BLOCK = 256  # predictions at a time


@dataclass(frozen=True, eq=False)
class RegionFraction(Pictured):
    """Share of the influence that comes from the training points of a region.

    Attributes:
        value: ρ, mean over the predictions asked.
        uniform: Share of the training points that lie there.
        shares: Prediction by prediction, (n,).
        points: Number of training points there.
    """

    value: float
    uniform: float
    shares: np.ndarray
    points: int

    def __str__(self) -> str:
        """Share against share of points."""
        return f"region: {self.value:.0%} of the influence from {self.uniform:.0%} of the points ({self.points})"

    def draw(self, axis: Any) -> None:
        """Histogram over predictions.

        Args:
            axis: Matplotlib axes.
        """
        axis.hist(self.shares, bins=np.linspace(0, 1, 31), color=COLOURS[0])
        axis.axvline(self.uniform, color="black", linestyle="--", linewidth=1, label="share of the points")
        axis.axvline(self.value, color=COLOURS[1], linewidth=2, label=f"mean {self.value:.2f}")
        axis.set_xlabel("share of the influence from the region")
        axis.set_ylabel("predictions")
        axis.legend(fontsize="small")
        axis.set_title("region", fontsize="medium")


def region_fraction(scores: Scores, train: Region, test: Region | None = None) -> RegionFraction:
    """ρ = mean over z in R_te of Σ_{x in R_tr} |I(x, z)| / Σ_x |I(x, z)| (Naujoks et al. 2024, arXiv 2409.08958).

    Args:
        scores: Influences.
        train: R_tr: booleans (n_points,), or a function from coordinates (n, d) to booleans.
        test: R_te: booleans (n_query,) or a function; all predictions when None.

    Returns:
        The share.

    Raises:
        PointsError: If a region is empty or of the wrong length.
        SolverError: If no prediction there has any influence.
    """
    inside = _mask(train, scores.train, "training points")
    if test is not None and scores.query is None:
        raise PointsError("predictions with places", "scores without query points", "influence.scores(u, at=points)")
    wanted = np.ones(len(scores.values), bool) if test is None else _mask(test, scores.query, "predictions")
    size = np.abs(scores.values[wanted])
    total = size.sum(axis=1)
    shares = size[total > 0][:, inside].sum(axis=1) / total[total > 0]
    if not len(shares):
        raise SolverError("predictions that some point influences", "influences that all vanish", "")
    return RegionFraction(float(shares.mean()), float(inside.mean()), shares, int(inside.sum()))


def _mask(region: Region, points: Any, what: str) -> np.ndarray:
    mask = np.asarray(region(points) if callable(region) else region)
    if mask.dtype != bool or mask.shape != (len(points),) or not mask.any():
        given = f"{mask.dtype} {mask.shape}, {int(mask.sum()) if mask.dtype == bool else 0} inside"
        raise PointsError(f"booleans for {len(points)} {what}, at least one true", given, "lambda z: z[:, 0] < 0.5")
    return mask


@dataclass(frozen=True, eq=False)
class Proximity(Pictured):
    """How near to a prediction its influence comes from: mean of a kernel of the distance.

    Attributes:
        value: Mean over predictions: 1 if everything comes from the place itself.
        uniform: The same for equal influences.
        band: 95 % of the value over permutations of the points' places.
        values: Prediction by prediction, (n_query,).
        kernel: Name of the kernel.
    """

    value: float
    uniform: float
    band: tuple[float, float]
    values: np.ndarray
    kernel: str

    def __str__(self) -> str:
        """Value, uniform value and band."""
        return (f"proximity ({self.kernel}): {self.value:.3f}, uniform {self.uniform:.3f}, permutation band "
                f"[{self.band[0]:.3f}, {self.band[1]:.3f}]")  # fmt: skip

    def draw(self, axis: Any) -> None:
        """Histogram over predictions.

        Args:
            axis: Matplotlib axes.
        """
        axis.hist(self.values, bins=30, color=COLOURS[0])
        axis.axvspan(*self.band, color="#BBBBBB", alpha=0.6, label="places shuffled")
        axis.axvline(self.value, color=COLOURS[1], linewidth=2, label=f"mean {self.value:.3f}")
        axis.set_xlabel("proximity of the influence")
        axis.set_ylabel("predictions")
        axis.legend(fontsize="small")
        axis.set_title(f"proximity, {self.kernel} kernel", fontsize="medium")


def proximity(scores: Scores, kernel: str = "exponential", permutations: int = 200, seed: int = 0) -> Proximity:
    """Mean over z of Σ_x k(x, z) |I(x, z)| / Σ_x |I(x, z)|, coordinates scaled to [0, 1].

    Args:
        scores: Influences on predictions with places.
        kernel: "exponential", k = exp(-d/2), as published (Krasowski, Naujoks et al. 2026), or "gaussian", exp(-d²/2).
        permutations: Shuffles of the points' places for the band.
        seed: Their seed.

    Returns:
        The proximity.

    Raises:
        SolverError: If the kernel is unknown or predictions have no places.
    """
    if kernel not in KERNELS or scores.query is None:
        raise SolverError(f"a kernel among {', '.join(KERNELS)} and predictions with places", repr(kernel), "")
    every = np.concatenate([scores.train, scores.query])
    low, extent = every.min(axis=0), np.ptp(every, axis=0)
    train, query = ((z - low) / np.where(extent > 0, extent, 1.0) for z in (scores.train, scores.query))
    size = np.abs(scores.values)
    total = size.sum(axis=1)
    size, query = size[total > 0] / total[total > 0, None], query[total > 0]
    if not len(size):
        raise SolverError("predictions that some point influences", "influences that all vanish", "")
    near = np.concatenate([_kernel(query[i : i + _BLOCK], train, kernel) for i in range(0, len(query), _BLOCK)])
    values = (near * size).sum(axis=1)
    rng = np.random.default_rng(seed)
    few = slice(None, None, 1 + len(query) // 200)
    drawn = [float((near[few][:, rng.permutation(len(train))] * size[few]).sum() / len(query[few]))
             for _ in range(permutations)]  # fmt: skip
    low_end, high_end = np.quantile(drawn, [0.025, 0.975])
    return Proximity(float(values.mean()), float(near.mean()), (float(low_end), float(high_end)), values, kernel)


def _kernel(query: np.ndarray, train: np.ndarray, kernel: str) -> np.ndarray:
    square = (query**2).sum(axis=1)[:, None] + (train**2).sum(axis=1) - 2 * query @ train.T
    return KERNELS[kernel](np.sqrt(np.maximum(square, 0.0)))
