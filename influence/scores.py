"""Scores: influences of points on quantities, with what is needed to read them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from influence.pictures import plot_scores
from influence.ranking import Ranking, ranking
from influence.reliability import Reliability
from sciml.arguments import require_number
from sciml.checkpoint import read_tables, write_tables
from sciml.errors import CheckpointError, PointsError, SolverError
from sciml.plotting.figure import Figure

KIND = "influence scores"


@dataclass(frozen=True, eq=False)
class Scores:
    """Predicted changes of quantities, one column per point or group.

    Attributes:
        values: (n_query, n_points); the change of the quantity, in its unit: + means that it rises.
        ids: ID of each column, (n_points,).
        train: Coordinates of each column, (n_points, d).
        kinds: Terms that each column's point serves, joined by " + ".
        query: Places of the quantities, (n_query, d), or None.
        target: What the quantity is.
        unit: Unit and sign of the values, in words.
        by_row: The same per residual row, (n_query, N); None where rows do not add up.
        row_ids: Point ID of each row.
        row_labels: Component of each row.
        before: The quantities as they are, (n_query,).
        coordinates: Names of the coordinates.
        reliability: How far to trust them.
        stability: Share of the 20 largest columns that stay at three times and a third of the damping.
        rates: For rates of moving: gradients with respect to the place, (n_query, n_points, d).
    """

    values: np.ndarray
    ids: np.ndarray
    train: np.ndarray
    kinds: np.ndarray
    query: np.ndarray | None
    target: str
    unit: str
    by_row: np.ndarray | None = None
    row_ids: np.ndarray | None = None
    row_labels: np.ndarray | None = None
    before: np.ndarray | None = None
    coordinates: tuple[str, ...] = ()
    reliability: Reliability | None = None
    rates: np.ndarray | None = None
    _stability: Callable[[], dict[str, float]] | dict[str, float] | None = field(default=None, repr=False)
    _together: Mapping[str, Callable[[Sequence[int]], np.ndarray]] = field(default_factory=dict, repr=False)

    @property
    def stability(self) -> dict[str, float]:
        """Overlap of the 20 largest points under three times and a third of the damping; computed when asked for."""
        if callable(self._stability):
            object.__setattr__(self, "_stability", self._stability())
        return dict(self._stability or {})  # type: ignore[arg-type]

    def __len__(self) -> int:
        """Number of points."""
        return len(self.ids)

    def __repr__(self) -> str:
        """Shape, meaning, sign, reliability."""
        count, columns = self.values.shape
        text = f"Scores({count} x {columns}: {self.unit}; largest |value| {np.abs(self.values).max(initial=0.0):.3g})"
        return text if self.reliability is None else f"{text}\n{self.reliability}"

    def report(self) -> str:
        """The repr with the stability of the ranking."""
        overlap = ", ".join(f"{name}: {share:.0%}" for name, share in self.stability.items())
        return f"{self!r}\ntop 20 kept at damping {overlap}" if overlap else repr(self)

    def aggregate(self, how: str = "mean absolute") -> np.ndarray:
        """One number per point over all queries.

        Args:
            how: "mean absolute", "mean", "sum", "max absolute" or "rms".

        Returns:
            (n_points,).

        Raises:
            SolverError: If `how` is unknown.
        """
        rules: dict[str, Callable[[np.ndarray], np.ndarray]] = {
            "mean absolute": lambda v: np.abs(v).mean(axis=0),
            "mean": lambda v: v.mean(axis=0),
            "sum": lambda v: v.sum(axis=0),
            "max absolute": lambda v: np.abs(v).max(axis=0),
            "rms": lambda v: np.sqrt((v**2).mean(axis=0)),
        }
        if how not in rules:
            raise SolverError(f"one of {', '.join(rules)}", repr(how), "scores.aggregate()")
        return rules[how](self.values)

    def top(self, k: int = 10, how: str = "mean absolute") -> Ranking:
        """IDs of the k points of largest influence; printed with condition, place and influence of each.

        Args:
            k: How many.
            how: See `aggregate`; ranked by absolute value.

        Returns:
            (k,) IDs, the largest first.
        """
        require_number(k, "k", least=1, whole=True, fix="scores.top(10)")
        values = self.aggregate(how)
        order = np.argsort(-np.abs(values), kind="stable")[:k]
        signed = len(self.values) == 1  # one quantity: its change, with sign
        meaning = f"change of {self.target}" if signed else f"change of {self.target}, {how} of {len(self.values)}"
        shown = (self.values[0] if signed else values)[order]
        return ranking(self.ids[order], self.train[order], self.kinds[order], shown, meaning, self.coordinates)

    def sort(self, how: str = "mean absolute") -> Scores:
        """The same with the most influential points first.

        Args:
            how: See `aggregate`.

        Returns:
            New scores.
        """
        return self.take(np.argsort(-np.abs(self.aggregate(how)), kind="stable"))

    def take(self, columns: Any) -> Scores:
        """Some columns.

        Args:
            columns: Indices or booleans.

        Returns:
            New scores.
        """
        parts = {name: getattr(self, name)[columns] for name in ("ids", "train", "kinds")}
        rates = None if self.rates is None else self.rates[:, columns]
        return replace(self, values=self.values[:, columns], rates=rates, **parts)

    def of(self, ids: Sequence[int] | np.ndarray) -> np.ndarray:
        """Columns of some points.

        Args:
            ids: IDs.

        Returns:
            (n_query, len(ids)).

        Raises:
            PointsError: If an ID is unknown.
        """
        place = {int(identity): i for i, identity in enumerate(self.ids)}
        missing = [identity for identity in np.atleast_1d(ids) if int(identity) not in place]
        if missing:
            raise PointsError("ids among scores.ids", f"unknown: {missing[:8]}", "")
        return self.values[:, [place[int(identity)] for identity in np.atleast_1d(ids)]]

    def of_term(self, label: str) -> np.ndarray:
        """Sum of the shares of the rows of one component, (n_query,).

        Args:
            label: Name of the component.

        Returns:
            (n_query,).

        Raises:
            SolverError: If rows do not add up for this action, or none has that label.
        """
        if self.by_row is None or self.row_labels is None or label not in set(self.row_labels):
            known = [] if self.row_labels is None else sorted(set(self.row_labels))
            raise SolverError(f"a component among {', '.join(known) or 'none'}", repr(label), "see scores.row_labels")
        return self.by_row[:, self.row_labels == label].sum(axis=1)

    def plot(self, query: int | None = None, how: str = "mean absolute") -> Figure:
        """Points coloured by influence: of one query with its sign, or over all queries.

        Args:
            query: Index of the query; None aggregates.
            how: See `aggregate`.

        Returns:
            A matplotlib figure.
        """
        return plot_scores(self, query, how)

    def explore(self) -> Any:
        """The interactive picture: training points and predictions, each answering a click on the other.

        Where the picture belongs to a model in memory, the exact effect of a group and a real refit without it
        are computed on request; `picture.html(path)` writes a page that needs no kernel.

        Returns:
            A `sciml.notebook.linked.LinkedMaps`; without the extra `notebook` it shows its static figure.
        """
        from sciml.notebook.linked import LinkedMaps

        return LinkedMaps(self, self._together.get("group"), self._together.get("refit"))

    def save(self, path: str | Path) -> Path:
        """Write `path.json` and its arrays, every byte under a checksum.

        Args:
            path: Path without suffix.

        Returns:
            The path of the JSON file.
        """
        arrays = {
            name: np.ascontiguousarray(value)
            for name in ("values", "ids", "train", "query", "by_row", "row_ids", "before", "rates")
            if (value := getattr(self, name)) is not None
        }
        content = {
            "target": self.target, "unit": self.unit, "coordinates": list(self.coordinates),
            "kinds": [str(kind) for kind in self.kinds],
            "row_labels": None if self.row_labels is None else [str(label) for label in self.row_labels],
            "reliability": None if self.reliability is None else self.reliability.as_dict(),
            "stability": self._stability if isinstance(self._stability, dict) else None,
        }  # fmt: skip
        return write_tables(path, KIND, content, arrays)

    @classmethod
    def load(cls, path: str | Path) -> Scores:
        """Read scores back, values bitwise those that were saved.

        Args:
            path: The path given to `save`.

        Returns:
            The scores.

        Raises:
            CheckpointError: If a file is missing, damaged or of another kind.
        """
        content, arrays = read_tables(path, KIND)
        _require_shapes(content, arrays)
        try:
            trust = content["reliability"]
            known = None if trust is None else Reliability.from_dict(trust)
            labels = content["row_labels"]
            return cls(**{
                "query": None, **arrays,
                "kinds": np.array(content["kinds"], dtype=object),
                "target": content["target"], "unit": content["unit"], "coordinates": tuple(content["coordinates"]),
                "row_labels": None if labels is None else np.array(labels, dtype=object),
                "reliability": known, "_stability": content["stability"],
            })  # fmt: skip
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            given = f"{type(error).__name__}: {error}"
            raise CheckpointError("saved scores", given, "use the version that wrote the file") from error


def _require_shapes(content: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
    """Refuse tables of which parts are missing, of other types, or do not belong together."""
    texts = {"target": content.get("target"), "unit": content.get("unit")}
    lists = [content.get(name) for name in ("kinds", "coordinates")] + [content.get("row_labels") or []]
    fine = all(isinstance(text, str) for text in texts.values()) and {"values", "ids", "train"} <= set(arrays)
    fine &= all(isinstance(entry, list) and all(isinstance(text, str) for text in entry) for entry in lists)
    stability = content.get("stability")
    fine &= isinstance(stability, (dict, type(None)))
    fine = fine and all(isinstance(value, (int, float)) for value in (stability or {}).values())
    if fine:
        sizes = {name: array.shape for name, array in arrays.items()}
        asked, count = sizes["values"] if len(sizes["values"]) == 2 else (-1, -1)
        width = sizes["train"][-1] if len(sizes["train"]) == 2 else -1
        (rows,) = sizes.get("row_ids", (-1,)) if len(sizes.get("row_ids", (-1,))) == 1 else (-1,)
        wanted = {
            "values": (asked, count), "ids": (count,), "train": (count, width), "query": (asked, width),
            "by_row": (asked, rows), "row_ids": (rows,), "before": (asked,), "rates": (asked, count, width),
        }  # fmt: skip
        whole = ("ids", "row_ids")
        fine = all(shape == wanted.get(name) for name, shape in sizes.items())
        fine &= all(array.dtype.kind in ("iu" if name in whole else "f") for name, array in arrays.items())
        fine &= len(lists[0]) == count and (content.get("row_labels") is None or len(lists[2]) == rows)
    if not fine:
        raise CheckpointError("the tables of scores, of shapes that agree", "other ones", "the file is damaged")
