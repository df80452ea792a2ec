"""Temporal causality: whether predictions rest on the past, against training points whose times are shuffled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from influence.diagnosis.pictured import COLOURS, Pictured
from influence.scores import Scores
from sciml.errors import SolverError

_CELLS = 2_000_000  # predictions times points used at most: more do not narrow the band


@dataclass(frozen=True, eq=False)
class TemporalCausality(Pictured):
    """Share of the influence on a prediction that comes from later training points.

    Attributes:
        eta: η, 0 if everything comes from the past.
        baseline: Mean share of training points that lie later: η if influence were uniform.
        band: 95 % of η over permutations of the points' times.
        p_value: Two-sided, by permutation.
        drawn: η of the permutations.
        times: Times of the predictions, (n_query,).
        later: Share from later points, prediction by prediction, (n_query,).
    """

    eta: float
    baseline: float
    band: tuple[float, float]
    p_value: float
    drawn: np.ndarray
    times: np.ndarray
    later: np.ndarray

    @property
    def below(self) -> bool:
        """Whether η lies below the band: the past outweighs what the density of points explains."""
        return self.eta < self.band[0]

    def __str__(self) -> str:
        """η, baseline and band."""
        where = "below" if self.below else "above" if self.eta > self.band[1] else "inside"
        return (f"temporal causality: η = {self.eta:.2f}, uniform baseline {self.baseline:.2f}, {where} the "
                f"permutation band [{self.band[0]:.2f}, {self.band[1]:.2f}] (p = {self.p_value:.3f})")  # fmt: skip

    def draw(self, axis: Any) -> None:
        """Histogram of the permutations, with η and the baseline.

        Args:
            axis: Matplotlib axes.
        """
        axis.hist(self.drawn, bins=24, color="#BBBBBB", label="times shuffled")
        axis.axvline(self.baseline, color="black", linestyle="--", linewidth=1, label=f"uniform {self.baseline:.2f}")
        axis.axvline(self.eta, color=COLOURS[1], linewidth=2, label=f"η = {self.eta:.2f}")
        low, high = min(self.eta, self.drawn.min()), max(self.eta, self.drawn.max())
        axis.set_xlim(low - 0.15 * (high - low) - 0.01, high + 0.15 * (high - low) + 0.01)
        axis.set_xlabel("share of the influence from later points")
        axis.set_yticks([])
        axis.legend(fontsize="small")
        axis.set_title("temporal causality", fontsize="medium")


def temporal_causality(scores: Scores, column: int = -1, permutations: int = 499, seed: int = 0) -> TemporalCausality:
    """η = 1 - mean_z [Σ_{t_x <= t_z} |I(x, z)| / Σ_x |I(x, z)|], after Krasowski, Naujoks et al. 2026.

    The band shuffles the times of the training points and keeps their influences.

    Args:
        scores: Influences on predictions with places.
        column: The coordinate that is time; the last by default.
        permutations: Number of shuffles, at least 200 for a band.
        seed: Seed of the shuffles.

    Returns:
        η with baseline and band.

    Raises:
        SolverError: If predictions have no places.

    Example:
        >>> import numpy as np
        >>> from influence.scores import Scores
        >>> rng = np.random.default_rng(0)
        >>> train, query = rng.random((200, 2)), rng.random((50, 2))
        >>> past = (train[:, 1] <= query[:, 1:]).astype(float)
        >>> made = Scores(past, np.arange(200), train, np.array(["pde"] * 200), query, "u", "")
        >>> found = temporal_causality(made)
        >>> found.eta, found.below
        (0.0, True)
    """
    if scores.query is None:
        raise SolverError("predictions with places", "scores without query points", "influence.scores(u, at=points)")
    keep = slice(None, None, 1 + len(scores.values) * len(scores.ids) // _CELLS)
    size = np.abs(scores.values[keep])
    total = size.sum(axis=1)
    keep_row = total > 0
    if not keep_row.any():
        raise SolverError("predictions that some point influences", "influences that all vanish", "")
    size, times = size[keep_row] / total[keep_row, None], scores.query[keep][keep_row, column]
    train = scores.train[:, column]
    later = (size * (train > times[:, None])).sum(axis=1)
    eta = float(later.mean())
    baseline = float((train > times[:, None]).mean())
    drawn = _shuffled(size, train, times, permutations, np.random.default_rng(seed))
    extreme = (np.abs(drawn - drawn.mean()) >= abs(eta - drawn.mean())).sum()
    low, high = np.quantile(drawn, [0.025, 0.975])
    p_value = float((1 + extreme) / (1 + permutations))
    return TemporalCausality(eta, baseline, (float(low), float(high)), p_value, drawn, times, later)


def _shuffled(
    size: np.ndarray, train: np.ndarray, times: np.ndarray, permutations: int, rng: np.random.Generator
) -> np.ndarray:
    """η with shuffled times: Σ over points of the mean influence on predictions that lie earlier."""
    order = np.argsort(times, kind="stable")
    until = np.concatenate([np.zeros((1, size.shape[1])), np.cumsum(size[order], axis=0)]) / len(times)
    rank = np.searchsorted(times[order], train, side="left")  # predictions earlier than each time label
    columns = np.arange(size.shape[1])
    return np.array([until[rng.permutation(rank), columns].sum() for _ in range(permutations)])
