"""Self-influence: which points pull the solution towards themselves alone, where they lie, and what they serve.

Cook's distance ρ²h/(1 - h)² of a row (Cook 1977) measures how far its removal moves the whole fit; the studentised
residual |ρ|/√(1 - h) how badly it agrees with the others. Faulty data, and regions that the points do not resolve,
show as rows that stand out from the rest in both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from influence.diagnosis.pictured import COLOURS, Pictured, map_axes
from influence.functions import Influence
from sciml.point_set import PointSet

_ALONE = 0.01  # 1 - h of a row that others hardly check
_PEERS = 8  # rows of a component below which none can stand out
_NORMAL = 0.6745  # median of |N(0, 1)|


@dataclass(frozen=True, eq=False)
class SelfInfluence(Pictured):
    """Cook's distance of every row, and the rows that stand out.

    Attributes:
        cook: Cook's distance, (N,), in units of the objective.
        student: |ρ|/√(1 - h) over its robust spread among the rows of the same kind, (N,).
        outlying: Rows beyond what the largest of so many normal numbers reaches once in a hundred times, (N,).
        ids: Point ID of each row.
        labels: Component of each row.
        places: Coordinates of each row's point, (N, d).
        coordinates: Names of the coordinates.
        time: Whether the last one is time.
    """

    cook: np.ndarray
    student: np.ndarray
    outlying: np.ndarray
    ids: np.ndarray
    labels: np.ndarray
    places: np.ndarray
    coordinates: tuple[str, ...]
    time: bool

    @property
    def share(self) -> float:
        """Share of the outlying rows in all self-influence."""
        total = float(self.cook.sum())
        return float(self.cook[self.outlying].sum()) / total if total > 0 else 0.0

    def top(self, k: int = 10) -> np.ndarray:
        """IDs of the k points of largest Cook's distance.

        Args:
            k: How many.

        Returns:
            IDs, the largest first.
        """
        ids, code = np.unique(self.ids, return_inverse=True)
        return ids[np.argsort(-np.bincount(code, weights=self.cook), kind="stable")[:k]]

    def __str__(self) -> str:
        """How many stand out."""
        return (
            f"self-influence: {int(self.outlying.sum())} of {len(self.cook)} rows stand out and hold {self.share:.0%} "
            f"of Cook's distance; largest studentised residual {self.student.max():.1f}"
        )

    def draw(self, axis: Any) -> None:
        """Rows at their places, size and colour by Cook's distance; outlying ones ringed.

        Args:
            axis: Matplotlib axes.
        """
        columns = self.places.shape[1]
        first, second = map_axes(columns, self.time)
        root = np.sqrt(self.cook / max(float(self.cook.max()), 1e-300))
        vertical = self.places[:, second] if columns > 1 else root
        order = np.argsort(root)
        size = root[order]
        dots = axis.scatter(self.places[order, first], vertical[order], s=4 + 40 * size, c=size, cmap="viridis_r")
        axis.figure.colorbar(dots, ax=axis, label="√(Cook's distance / largest)")
        ring = self.outlying
        style = {"s": 70, "facecolors": "none", "edgecolors": COLOURS[1], "linewidths": 1.2}
        axis.scatter(self.places[ring, first], vertical[ring], **style)
        axis.set_xlabel(self.coordinates[first])
        axis.set_ylabel(self.coordinates[second] if columns > 1 else "√(Cook / largest)")
        axis.set_title(f"self-influence; {int(ring.sum())} outlying rows ringed", fontsize="medium")


def self_influence(influence: Influence) -> SelfInfluence:
    """Cook's distances, and rows whose studentised residual stands out.

    The spread is the median of |t|/0.6745 among the rows of a kind: equations, conditions (all of them
    together: their weights make them comparable), and each set of observations. Rows stand out beyond
    √(2 ln(200 n)), which the largest of n normal numbers exceeds once in a hundred times.

    Args:
        influence: Influence of the solution.

    Returns:
        The distances.
    """
    record, curvature = influence.record, influence.curvature
    kept = np.clip(1 - influence.leverage, 1e-12, None)
    rho = curvature.residual.numpy()
    labels = record.rows.labels.astype(str)
    kinds = row_kinds(influence)
    # a row that alone determines a direction cannot disagree with others along it
    student = np.where(kept > _ALONE, np.abs(rho) / np.sqrt(kept), 0.0)
    _, code, counts = np.unique(labels, return_inverse=True, return_counts=True)
    student[counts[code] < _PEERS] = 0.0
    outlying = np.zeros(len(rho), dtype=bool)
    for kind in np.unique(kinds):
        own = kinds == kind
        spread = float(np.median(student[own])) / _NORMAL
        if spread > 0:
            student[own] /= spread
            outlying[own] = student[own] > np.sqrt(2 * np.log(200 * own.sum()))
        elif student[own].any():  # most rows are met exactly: those that are not stand out
            outlying[own] = student[own] > 0
            student[own] /= student[own].max()
    problem = influence.problem
    places = record.points.locate(record.rows.ids)
    names = [f"column {i}" for i in range(places.shape[1])]
    if problem is not None:
        names = [symbol.name for symbol in problem.coordinates]
    timed = problem is not None and problem.time is not None
    cook = influence.self_influence
    return SelfInfluence(cook, student, outlying, record.rows.ids, labels, places, tuple(names), timed)


def row_kinds(influence: Influence) -> np.ndarray:
    """Kind of every row: "equation", "condition", or the name of its set of observations (or of its block).

    Args:
        influence: Influence of the solution.

    Returns:
        (N,) strings.
    """
    points, rows = influence.record.points, influence.record.rows
    labels = rows.labels.astype(str)
    kinds = np.empty(len(labels), dtype=object)
    for label in np.unique(labels):
        term = term_of(influence, label)
        kind = points.term_kinds[points.terms.index(term)] if term in points.terms else "interior"
        if influence.problem is None:
            kinds[labels == label] = term
        else:
            known = {"observation": term, "interior": "equation"}
            kinds[labels == label] = known.get(kind, "condition")
    return kinds.astype(str)


def term_of(influence: Influence, label: str) -> str:
    """Name of the term that a component belongs to.

    Args:
        influence: Influence of the solution.
        label: Component.

    Returns:
        The term; the block for rows of a user's own.
    """
    if influence.problem is not None:
        for term in influence.problem.terms:
            if label in term.components:
                return term.name
    points: PointSet = influence.record.points
    return label if label in points.terms else label.partition("[")[0]
