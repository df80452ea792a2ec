"""Influence on any number of query points in bounded memory: part by part, with a progress bar, stopped at any time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from influence.functions import Influence
from influence.scores import Scores
from sciml.arguments import real_array, require_number
from sciml.errors import PointsError, SolverError

PART_BYTES = 2**28  # of one part


@dataclass(frozen=True, eq=False)
class TotalScores:
    """What every training point does to many predictions together.

    Attributes:
        ids: IDs of the training points, (n_points,).
        train: Their coordinates, (n_points, d).
        mean: Mean change over the queries, (n_points,); signs cancel.
        size: Mean absolute change, (n_points,).
        largest: Largest absolute change, (n_points,).
        where: Index of the query where it happens, (n_points,).
        queries: Number of queries.
    """

    ids: np.ndarray
    train: np.ndarray
    mean: np.ndarray
    size: np.ndarray
    largest: np.ndarray
    where: np.ndarray
    queries: int

    def top(self, count: int = 10) -> np.ndarray:
        """IDs of the points with the largest mean absolute change, the largest first."""
        return self.ids[np.argsort(-self.size, kind="stable")[:count]]


def stream_scores(
    influence: Influence, target: Any, at: Any, part: int | None = None, progress: bool | None = None, **options: Any
) -> Iterator[Scores]:
    """The scores of `Influence.scores` for consecutive parts of the queries.

    A million queries of a thousand training points are 8 GB as one matrix; a part takes about 256 MiB.

    Args:
        influence: The influence object.
        target: As for `Influence.scores`.
        at: Query points, (n, d).
        part: Queries at a time; None for what fits.
        progress: Whether to show a bar; None where there are several parts and a terminal.
        **options: As for `Influence.scores`.

    Yields:
        The scores of one part after the other, rows in the order of `at`.

    Raises:
        SolverError: If `part` is no positive whole number, or `influence` no influence object.
        PointsError: If the query points are no real numbers.
    """
    if not isinstance(influence, Influence):
        raise SolverError(
            "an Influence object", type(influence).__name__, "stream_scores(Influence(solution), u, points)"
        )
    require_number(part, "part", least=1, whole=True, optional=True, fix="part=None chooses it")
    points = np.atleast_2d(real_array(at, "query points (n, d)", PointsError))
    if part is None:
        row = 8.0 * (3 * len(influence.curvature.residual) + 1.2 * len(influence.record.parameters))
        part = max(1, int(PART_BYTES / row))
    starts = range(0, len(points), part)
    hidden = (len(starts) < 2) if progress is None else not progress
    # disable=None hides the bar where there is no terminal
    with tqdm(
        total=len(points), desc="influence", unit="query", disable=hidden or (None if progress is None else False)
    ) as bar:
        for start in starts:
            scores = influence.scores(target, at=points[start : start + part], **options)
            bar.update(len(scores.values))
            yield scores


def total_scores(
    influence: Influence, target: Any, at: Any, part: int | None = None, progress: bool | None = None, **options: Any
) -> TotalScores:
    """Mean, mean absolute and largest change over many queries, without their matrix.

    Args:
        influence: The influence object.
        target: As for `Influence.scores`.
        at: Query points, (n, d).
        part: Queries at a time; None for what fits.
        progress: Whether to show a bar; None where there are several parts and a terminal.
        **options: As for `Influence.scores`.

    Returns:
        The totals.

    Raises:
        SolverError: If there are no queries.

    Example:
        >>> import numpy as np, torch
        >>> from influence import Influence, RowBlock
        >>> x = np.linspace(0, 1, 9)[:, None]
        >>> line = RowBlock("data", x, lambda theta, z: theta[0] + theta[1] * z[0] - z[0] ** 2, 1 / 9)
        >>> fitted = torch.linalg.lstsq(torch.tensor(np.hstack([x**0, x])), torch.tensor(x**2)).solution[:, 0]
        >>> influence = Influence.from_rows(fitted, [line])
        >>> at_x = lambda theta, z: theta[0] + theta[1] * z[0]
        >>> totals = total_scores(influence, at_x, np.random.default_rng(0).random((500, 1)), part=100)
        >>> totals.queries, sorted(totals.top(2).tolist())
        (500, [0, 8])
    """
    total, size, count = np.zeros(len(influence.ids)), np.zeros(len(influence.ids)), 0
    largest = where = scores = None
    for scores in stream_scores(influence, target, at, part, progress, **options):
        absolute = np.abs(scores.values)
        row = absolute.argmax(axis=0)
        highest = absolute[row, np.arange(absolute.shape[1])]
        if largest is None or where is None:
            largest, where = highest, row
        else:
            where = np.where(highest > largest, row + count, where)
            largest = np.maximum(largest, highest)
        total, size = total + scores.values.sum(axis=0), size + absolute.sum(axis=0)
        count += len(absolute)
    if scores is None or largest is None or where is None:
        raise SolverError("query points", "none", "at=points of shape (n, d)")
    return TotalScores(scores.ids, scores.train, total / count, size / count, largest, where, count)
