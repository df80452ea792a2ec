"""Presentation: numbers become `Scores`, with coordinates, kinds, unit, sign and reliability."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from torch import Tensor

from influence.actions import Blocks
from influence.curvature import Curvature
from influence.reliability import Reliability
from influence.scores import Scores
from influence.sweep import top_overlap
from influence.targets import Query
from sciml.ibvp import IBVP
from sciml.record import TrainingRecord

SIGNS = {
    "remove": "when the point is removed (+: it rises)",
    "add": "when the point is added (+: it rises)",
    "reweight": "when the weight of the point is multiplied by {factor:g} (+: it rises)",
    "value": "per unit by which the data of the point are raised (+: it rises with them)",
    "move": "when the point is moved to its new place (+: it rises)",
    "rate": "per unit length that the point is moved, in the direction of the largest change",
}


@dataclass(frozen=True, eq=False)
class Presenter:
    """Makes scores of one model.

    Attributes:
        record: The record.
        problem: Its problem, or None.
        curvature: Its curvature.
        reliability: How far to trust it.
        blocks: Its points.
    """

    record: TrainingRecord
    problem: IBVP | None
    curvature: Curvature
    reliability: Reliability
    blocks: Blocks

    def columns(
        self, query: Query, values: np.ndarray, ids: np.ndarray, place: np.ndarray, kinds: np.ndarray, sign: str
    ) -> Scores:
        """Scores of any columns.

        Args:
            query: The quantity.
            values: (n_query, n).
            ids: (n,).
            place: (n, d).
            kinds: (n,).
            sign: What a positive number means.

        Returns:
            The scores.
        """
        names = () if self.problem is None else tuple(symbol.name for symbol in self.problem.coordinates)
        return Scores(
            values, np.asarray(ids), place, kinds, query.points, query.name,
            f"change of {query.name}, in its unit, {sign}", before=query.value.numpy(), coordinates=names,
            reliability=self.reliability, _stability=lambda: top_overlap(self.curvature, self.blocks, query),
        )  # fmt: skip

    def points(self, query: Query, values: Tensor, by_row: Tensor | None, sign: str) -> Scores:
        """Scores of the training points.

        Args:
            query: The quantity.
            values: (n_query, n_points).
            by_row: (n_query, N), or None.
            sign: What a positive number means.

        Returns:
            The scores.
        """
        ids, points, rows = self.blocks.ids, self.record.points, self.record.rows
        serves: dict[int, list[str]] = {}
        for identity, index in zip(points.ids.tolist(), points.term.tolist(), strict=True):
            serves.setdefault(identity, []).append(points.terms[index])
        kinds = np.array([" + ".join(serves[int(identity)]) for identity in ids], dtype=object)
        made = self.columns(query, values.numpy(), ids, points.locate(ids), kinds, sign)
        if by_row is None:
            return made
        labels = np.asarray(rows.labels.astype(str), dtype=object)
        return replace(made, by_row=by_row.numpy(), row_ids=np.asarray(rows.ids), row_labels=labels)

    def group(self, query: Query, values: Tensor, index: np.ndarray, sign: str) -> Scores:
        """Scores of one group.

        Args:
            query: The quantity.
            values: (n_query, 1).
            index: Rows of the group.
            sign: What a positive number means.

        Returns:
            The scores; the column's ID is the group's first, its place the mean.
        """
        own = np.unique(self.record.rows.ids[index])
        place = self.record.points.locate(own).mean(axis=0)[None]
        kinds = np.array([" + ".join(sorted(set(self.record.rows.labels[index].astype(str))))], dtype=object)
        sign = sign.replace("the point", f"the group of {len(own)} points")
        return self.columns(query, values.numpy(), own[:1], place, kinds, sign)
