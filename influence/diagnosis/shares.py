"""Shares: how much of the influence on a prediction each loss component has, where components fight, and when.

The influence of a component on the prediction at z is that of its rows, Σ_x I^L(x, z): influences are linear in the
rows (Naujoks, Krasowski et al. 2024, arXiv 2409.08958).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from influence.diagnosis.pictured import COLOURS, Pictured, bars
from influence.scores import Scores
from sciml.errors import SolverError


@dataclass(frozen=True, eq=False)
class ComponentRatio(Pictured):
    """Share of every loss component in the influence on every prediction.

    Attributes:
        names: Components.
        values: r_L(z), (n_query, components); rows sum to 1.
        rows: Share of each component in the number of rows, (components,).
    """

    names: tuple[str, ...]
    values: np.ndarray
    rows: np.ndarray

    @property
    def mean(self) -> np.ndarray:
        """Mean over predictions, (components,)."""
        return self.values.mean(axis=0)

    def __str__(self) -> str:
        """Components with their shares."""
        parts = [f"{name} {share:.0%}" for name, share in zip(self.names, self.mean, strict=True)]
        return "share of the influence: " + ", ".join(parts)

    def draw(self, axis: Any) -> None:
        """Bars of the mean shares; black lines are shares of the rows.

        Args:
            axis: Matplotlib axes.
        """
        bars(axis, self.names, self.mean, "share of absolute influence (line: share of the rows)", self.rows)
        axis.set_xlim(0, 1)
        axis.set_title("loss components", fontsize="medium")


def component_ratio(scores: Scores) -> ComponentRatio:
    """r_L(z) = Σ_x |I^L(x, z)| / Σ_L' Σ_x |I^L'(x, z)| (Krasowski, Naujoks et al. 2026, arXiv 2409.08958 v3).

    Args:
        scores: Influences with their rows, as `Influence.scores` gives them for "remove".

    Returns:
        The shares.

    Raises:
        SolverError: If the scores are not known row by row.
    """
    by_row, labels = _rows(scores)
    names = tuple(dict.fromkeys(labels.tolist()))
    sums = np.stack([np.abs(by_row[:, labels == name]).sum(axis=1) for name in names], axis=1)
    counts = np.array([(labels == name).mean() for name in names])
    return ComponentRatio(names, _shares(sums), counts)


def _rows(scores: Scores) -> tuple[np.ndarray, np.ndarray]:
    if scores.by_row is None or scores.row_labels is None or scores.row_ids is None:
        raise SolverError("scores whose rows add up", "scores without rows", 'influence.scores(u, at) or "value"')
    return scores.by_row, scores.row_labels.astype(str)


def _shares(sums: np.ndarray) -> np.ndarray:
    """Rows divided by their sums; equal shares where nothing has influence."""
    total = sums.sum(axis=1, keepdims=True)
    return np.where(total > 0, sums / np.where(total > 0, total, 1.0), 1.0 / sums.shape[1])


@dataclass(frozen=True, eq=False)
class Cancellation(Pictured):
    """How far the components at one point work against each other.

    Attributes:
        values: κ(x, z), (n_query, n): 0 where they reinforce, 1 where they cancel; only points of several rows.
        ids: Those points, (n,).
        train: Their places, (n, d).
    """

    values: np.ndarray
    ids: np.ndarray
    train: np.ndarray

    @property
    def median(self) -> float:
        """Median κ; NaN where no point has several rows."""
        return float(np.median(self.values)) if self.values.size else float("nan")

    def __str__(self) -> str:
        """The median."""
        if not self.values.size:
            return "cancellation: no point has more than one row"
        return f"cancellation: median {self.median:.2f} over {len(self.ids)} points of several rows"

    def draw(self, axis: Any) -> None:
        """Histogram of κ.

        Args:
            axis: Matplotlib axes.
        """
        axis.hist(self.values.ravel(), bins=np.linspace(0, 1, 21), color=COLOURS[0])
        axis.set_xlabel("κ: 0 components reinforce, 1 they cancel")
        axis.set_yticks([])
        axis.set_title(str(self), fontsize="medium")


def cancellation(scores: Scores) -> Cancellation:
    """κ(x, z) = 1 - |Σ_L I^L(x, z)| / Σ_L |I^L(x, z)| on points that several rows belong to.

    Args:
        scores: Influences with their rows.

    Returns:
        The values; empty where every point has one row, for which κ is 0 by definition.

    Raises:
        SolverError: If the scores are not known row by row.
    """
    by_row, _ = _rows(scores)
    column = {identity: i for i, identity in enumerate(scores.ids.tolist())}
    owner = np.array([column[identity] for identity in np.asarray(scores.row_ids).tolist()])
    several = np.flatnonzero(np.bincount(owner, minlength=len(scores.ids)) > 1)
    signed, size = np.zeros((2, len(by_row), len(scores.ids)))
    np.add.at(signed.T, owner, by_row.T)
    np.add.at(size.T, owner, np.abs(by_row).T)
    size, signed = size[:, several], signed[:, several]
    values = np.where(size > 0, 1 - np.abs(signed) / np.where(size > 0, size, 1.0), 0.0)
    return Cancellation(values, scores.ids[several], scores.train[several])


@dataclass(frozen=True, eq=False)
class InitialShare(Pictured):
    """Share of the initial condition in the influence, along a coordinate of the predictions.

    Attributes:
        labels: Components counted.
        along: Name of the coordinate.
        edges: Bins, (bins + 1,).
        values: Mean share in each bin, (bins,); NaN in an empty one.
        trend: Spearman correlation of share and coordinate over predictions.
        p_value: Probability of a trend so negative if the coordinate did not matter, by permutation.
        uniform: Share of those components in the number of rows.
    """

    labels: tuple[str, ...]
    along: str
    edges: np.ndarray
    values: np.ndarray
    trend: float
    p_value: float
    uniform: float

    @property
    def early(self) -> float:
        """Mean over the first third."""
        return float(np.nanmean(self.values[: max(1, len(self.values) // 3)]))

    @property
    def late(self) -> float:
        """Mean over the last third."""
        return float(np.nanmean(self.values[-max(1, len(self.values) // 3) :]))

    def __str__(self) -> str:
        """Early and late share."""
        word = "falls" if self.p_value < 0.01 else "does not fall"
        return (f"share of {', '.join(self.labels)}: {self.early:.0%} early, {self.late:.0%} late in {self.along}; "
                f"it {word} (rank correlation {self.trend:+.2f}, p = {self.p_value:.3f})")  # fmt: skip

    def draw(self, axis: Any) -> None:
        """The share against the coordinate.

        Args:
            axis: Matplotlib axes.
        """
        axis.stairs(np.nan_to_num(self.values), self.edges, fill=True, color=COLOURS[0], alpha=0.7)
        axis.axhline(self.uniform, color="black", linestyle="--", linewidth=1, label="share of the rows")
        axis.set_ylim(0, 1)
        axis.set_xlabel(f"{self.along} of the prediction")
        axis.set_ylabel("share of the influence")
        axis.set_title(f"share of {', '.join(self.labels)}"[:48], fontsize="medium")
        axis.legend(fontsize="small", loc="upper right")


def initial_share(
    scores: Scores,
    labels: Sequence[str] | None = None,
    column: int = -1,
    bins: int = 50,
    permutations: int = 999,
    seed: int = 0,
) -> InitialShare:
    """r_IC(z) of `component_ratio`, binned over a coordinate of z: time, or x for a flow.

    Args:
        scores: Influences with their rows and places of the predictions.
        labels: Components that count; those named "initial ..." when None.
        column: Coordinate; time is the last.
        bins: Number of bins, fewer where there are few predictions.
        permutations: Draws of the permutation test of a falling trend.
        seed: Seed of the draws.

    Returns:
        The binned share and its trend.

    Raises:
        SolverError: If there are no such components or no places of predictions.
    """
    ratio = component_ratio(scores)
    wanted = [name for name in ratio.names if (name.startswith("initial") if labels is None else name in set(labels))]
    if not wanted or scores.query is None:
        raise SolverError(
            "rows of an initial condition and predictions with places",
            ", ".join(ratio.names),
            "initial_share(scores, labels=[...]); data met by a hard constraint have no rows",
        )
    share = ratio.values[:, [ratio.names.index(name) for name in wanted]].sum(axis=1)
    place = scores.query[:, column]
    edges = np.linspace(place.min(), place.max() or 1.0, 1 + max(3, min(bins, len(place) // 4)))
    slot = np.clip(np.searchsorted(edges, place, side="right") - 1, 0, len(edges) - 2)
    counts = np.bincount(slot, minlength=len(edges) - 1)
    sums = np.bincount(slot, weights=share, minlength=len(edges) - 1)
    values = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
    trend, p_value = _falling(place, share, permutations, seed)
    names = scores.coordinates
    along = names[column] if len(names) == scores.query.shape[1] else f"column {column}"
    uniform = float(sum(ratio.rows[ratio.names.index(name)] for name in wanted))
    return InitialShare(tuple(wanted), along, edges, values, trend, p_value, uniform)


def _falling(place: np.ndarray, share: np.ndarray, permutations: int, seed: int) -> tuple[float, float]:
    """Rank correlation, and the share of permutations that are as negative."""
    first, second = (np.argsort(np.argsort(values)).astype(float) for values in (place, share))
    first, second = first - first.mean(), second - second.mean()
    scale = np.linalg.norm(first) * np.linalg.norm(second)
    if scale == 0 or np.ptp(share) == 0:
        return 0.0, 1.0
    trend = float(first @ second / scale)
    rng = np.random.default_rng(seed)
    drawn = np.array([first @ rng.permutation(second) for _ in range(permutations)]) / scale
    return trend, float((1 + (drawn <= trend).sum()) / (1 + permutations))
