"""Linked maps: training points beside predictions, each answering a click on the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from sciml.errors import PointsError, ScimlError, SolverError
from sciml.notebook.encoding import colour_tables, encoded
from sciml.notebook.page import source
from sciml.notebook.picture import Picture, traitlets

MOST_NUMBERS = 4_000_000
Answer = Callable[[Sequence[int]], np.ndarray]


class LinkedMaps(Picture):
    """Click a training point to see the predictions it moved; click a prediction to see what shaped it.

    Works from the matrix of influences alone, also in an exported page and after the kernel has gone; the
    exact effect of a group and a real refit are answered by the kernel.

    Args:
        scores: Influences: `values` (n_query, n_points), `ids`, `train`, `kinds`, `query`, `before`,
            `coordinates`, `target`, `unit`, `plot()`.
        group: IDs -> exact change of every prediction when they are removed together, (n_query,).
        refit: IDs -> change of every prediction after training again without them, (n_query,).

    Raises:
        SolverError: If they are no scores.

    Attributes:
        selection: IDs of the selected training points.
        query: Number of the selected prediction, or -1.

    Example:
        >>> from types import SimpleNamespace
        >>> scores = SimpleNamespace(values=np.array([[1.0, -2.0]]), ids=np.array([7, 9]), train=np.zeros((2, 1)),
        ...     kinds=np.array(["pde", "pde"]), query=None, before=None, coordinates=("x",), target="u", unit="u",
        ...     plot=None)
        >>> maps = LinkedMaps(scores)
        >>> maps.select([9]); maps.selection
        [9]
    """

    _esm = source("draw.js", "linked.js")
    title: ClassVar[str] = "influence maps"
    exported: ClassVar[tuple[str, ...]] = ("state", "selection", "query")
    selection = traitlets.List(traitlets.Int()).tag(sync=True)
    query = traitlets.Int(-1).tag(sync=True)

    def __init__(self, scores: Any, group: Answer | None = None, refit: Answer | None = None) -> None:
        if not hasattr(scores, "ids"):
            raise SolverError("scores", type(scores).__name__, "Influence(solution).scores(u, at=points).explore()")
        self.scores, self._answers = scores, {"group": group, "refit": refit}
        state = _state(scores) | {"can_group": group is not None, "can_refit": refit is not None}
        self._shown = state.pop("shown")
        super().__init__(lambda: scores.plot(), state=state)
        self.on_msg(self._answer)

    def select(self, ids: Sequence[int]) -> None:
        """Select training points.

        Args:
            ids: Their IDs.

        Raises:
            PointsError: If an ID is unknown.
        """
        known = set(self.state["ids"])
        foreign = [int(i) for i in ids if int(i) not in known]
        if foreign:
            raise PointsError("ids among scores.ids", f"unknown: {foreign[:8]}", "see scores.ids")
        self.selection = [int(i) for i in ids]

    def _answer(self, _: Any, content: dict[str, Any], __: Any) -> None:
        asked, ids = content.get("ask"), [int(i) for i in content.get("ids", [])]
        function = self._answers.get(str(asked))
        if function is None or not ids:
            return
        self.send({"answer": asked, "ids": ids, "started": True})  # a refit takes a while
        try:
            values = np.asarray(function(ids), dtype=float).reshape(-1)[self._shown]
            self.send({"answer": asked, "ids": ids, "values": values.tolist()})
        except ScimlError as error:
            self.send({"answer": asked, "ids": ids, "error": str(error)})


def _state(scores: Any) -> dict[str, Any]:
    queries, columns = scores.values.shape
    shown = np.arange(queries)
    note = scores.unit
    if scores.values.size > MOST_NUMBERS:
        shown = np.unique(np.linspace(0, queries - 1, max(1, MOST_NUMBERS // columns)).astype(int))
        note += f"\n{len(shown)} of {queries} predictions are shown; the scores hold all"
    kinds, kind_of = np.unique(scores.kinds.astype(str), return_inverse=True)
    names = [*scores.coordinates, *(f"column {i}" for i in range(len(scores.coordinates), scores.train.shape[1]))]
    query = np.zeros((len(shown), 0)) if scores.query is None else scores.query[shown]
    before = np.zeros(len(shown)) if scores.before is None else np.asarray(scores.before, dtype=float)[shown]
    return {
        "title": f"influence on {scores.target}", "target": scores.target, "note": note, "names": names,
        "verb": "removed" if "removed" in scores.unit else "changed",
        "axes": [1, 0] if len(names) == 2 and names[1] == "t" else [0, min(1, len(names) - 1)],
        "lengths": [k < len(scores.coordinates) and name != "t" for k, name in enumerate(names)],
        "shape": [len(shown), columns], "values": encoded(scores.values[shown]),
        "ids": [int(i) for i in scores.ids], "kinds": kinds.tolist(), "kind_of": encoded(kind_of, "<u2"),
        "train": [encoded(column, "<f8") for column in scores.train.T],
        "query": [encoded(column, "<f8") for column in query.T],
        "before": encoded(before, "<f8"), "tables": colour_tables(), "shown": shown,
    }  # fmt: skip
