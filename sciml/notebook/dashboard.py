"""Dashboard: a training that a person can watch and stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np

from sciml.errors import SolverError
from sciml.ibvp import IBVP, require_ibvp
from sciml.notebook.encoding import colour_tables, encoded
from sciml.notebook.grids import Grid, plane_grid, residual_size
from sciml.notebook.page import source
from sciml.notebook.picture import Picture, traitlets
from sciml.plotting import plot_history
from sciml.plotting.figure import Figure
from sciml.points import PointSet
from sciml.solution import Callback, Solution, Solver

LEAST_SECONDS = 0.5
LARGEST_SHARE = 0.1
MOST_RECORDS, MOST_POINTS = 400, 4000


class Dashboard(Picture):
    """Losses, points added and dropped, and the residual map of a running training, with a Stop button.

    A callback: `solver.solve(problem, [dashboard])`. While a cell runs, a notebook does not hear its buttons;
    `train(solver, problem)` therefore trains in a thread, so that Stop works and other cells can run.
    It is drawn at most twice a second, and so rarely that it takes less than a tenth of the time.

    Args:
        problem: The problem that is solved.
        resolution: Points along the longest side of the residual map.
        fixed: Coordinate to the value at which the residual map cuts the domain or the time interval; points are
            shown wherever they are. Middle of its range for a coordinate that cannot be drawn.

    Raises:
        ProblemError: If it is no problem, or a fixed coordinate is unknown or outside of its range.

    Attributes:
        now: What is shown.
        stop: Whether the training was asked to stop.

    Example:
        >>> import sympy as sp
        >>> from sciml import IBVP, MLP, Dirichlet, Interval, coordinates, field
        >>> from solvers import PINN
        >>> x = coordinates("x"); u = field("u", x)
        >>> problem = IBVP(sp.Eq(u.diff(x, 2), -sp.sin(x)), Interval(x, 0, sp.pi), boundary=[Dirichlet(u, 0)])
        >>> board = Dashboard(problem)
        >>> board.train(PINN(MLP(width=4, depth=1), steps=5), problem); solution = board.result()
        >>> board.now["step"], board.now["done"]
        (5, True)
    """

    _esm = source("draw.js", "dashboard.js")
    title: ClassVar[str] = "training"
    exported: ClassVar[tuple[str, ...]] = ("state", "now")
    now = traitlets.Dict().tag(sync=True)
    stop = traitlets.Bool(False).tag(sync=True)

    def __init__(self, problem: IBVP, *, resolution: int = 40, fixed: Mapping[Any, float] | None = None) -> None:
        self.problem = require_ibvp(problem)
        self._grid: Grid = plane_grid(problem, resolution, fixed)
        self._run: Any = None
        self._thread: threading.Thread | None = None
        self._solution: Solution | None = None
        self._error: BaseException | None = None
        state = {
            "title": f"training: {problem.name or ', '.join(problem.field_names)}", "can_stop": False,
            "signed": len(problem.equations) == 1,
            "axes": list(self._grid.axes), "limits": [list(ends) for ends in self._grid.limits],
            "shape": list(self._grid.shape), "held": self._grid.held, "equal": self._grid.equal,
            "tables": colour_tables(),
        }  # fmt: skip
        super().__init__(self._drawn, state=state)
        self._reset()

    def _reset(self) -> None:
        if self._thread is None or not self._thread.is_alive():  # else Stop may have been pressed before the start
            self.stop = False
        self._records: list[tuple[int, dict[str, float]]] = []
        self._points: tuple[np.ndarray, np.ndarray] | None = None
        self._started = self._last = time.monotonic()
        self._cost, self._step, self._total, self._held_out, self._drawings = 0.0, 0, 0, float("nan"), 0

    def train(self, solver: Solver, problem: IBVP | None = None, callbacks: Sequence[Callback] = ()) -> None:
        """Start a training in the background; `result()` waits for its solution.

        Args:
            solver: The solver.
            problem: The problem; the dashboard's when omitted.
            callbacks: More callbacks.

        Raises:
            SolverError: If a training is still running, or it is no solver.
        """
        if not callable(getattr(solver, "solve", None)):
            raise SolverError("a solver", type(solver).__name__, "board.train(PINN(...)), the problem is known")
        if self._thread is not None and self._thread.is_alive():
            raise SolverError("one training at a time", "one is running", "press Stop, or wait with result()")
        self.state = {**self.state, "can_stop": True}
        self._solution = self._error = None
        self.stop, self.now = False, {}
        self._thread = threading.Thread(
            target=self._work, args=(solver, problem or self.problem, callbacks), daemon=True
        )
        self._thread.start()

    def _work(self, solver: Solver, problem: IBVP, callbacks: Sequence[Callback]) -> None:
        try:
            self._solution = solver.solve(problem, [self, *callbacks])
        except BaseException as error:
            self._error = error
            self.now = {**self.now, "done": True, "error": f"{type(error).__name__}: {error}"}
        if not self.now.get("done"):  # a solver that does not tell its steps
            self.now = {**self.now, "done": True}

    def result(self, timeout: float | None = None) -> Solution:
        """The solution of the training in the background; waits until it ends.

        Args:
            timeout: Seconds to wait at most.

        Returns:
            The solution.

        Raises:
            SolverError: If nothing was started, or it is still running after that time.
        """
        if self._thread is None:
            raise SolverError("a training", "none was started", "dashboard.train(solver)")
        self._thread.join(timeout)
        if self._thread.is_alive():
            raise SolverError("a finished training", "it is still running", "wait longer, or press Stop")
        if self._error is not None:
            raise self._error
        assert self._solution is not None
        return self._solution

    def begin(self, run: Any) -> None:
        """Called by the solver before the first step."""
        self._run = run
        self._reset()

    def __call__(self, step: int, total: int, values: Mapping[str, float]) -> bool:
        """Called by the solver after every step.

        Args:
            step: Steps done.
            total: Most steps.
            values: Named figures.

        Returns:
            Whether the training shall stop.
        """
        self._step, self._total = step, total
        self._held_out = float(values.get("held out", self._held_out))
        self._records.append((step, {k: float(v) for k, v in values.items() if k.startswith(("loss", "held out"))}))
        if len(self._records) > 2 * MOST_RECORDS:
            self._records = self._records[::2]
        due = max(LEAST_SECONDS, self._cost / LARGEST_SHARE)
        if time.monotonic() - self._last >= due:
            self._show(done=False)
        return bool(self.stop)

    def finish(self) -> None:
        """Called by the solver after the last step."""
        if self._drawings:  # the last picture, too, comes half a second after the one before
            time.sleep(max(0.0, LEAST_SECONDS - (time.monotonic() - self._last)))
        self._show(done=True)

    def _show(self, done: bool) -> None:
        started = time.monotonic()
        names = list(dict.fromkeys(name for _, values in self._records for name in values))
        shown = self._records[:: max(1, len(self._records) // MOST_RECORDS)]
        solution = self._run.solution() if self._run is not None else None
        points = solution.record.points if solution is not None and solution.record is not None else None
        change, places = self._changed(points)
        residual = np.zeros(0) if solution is None else self._grid.spread(residual_size(solution, self._grid.points))
        self.now = {
            "step": self._step, "total": self._total, "done": done, "held_out": _root(self._held_out),
            "seconds": f"{time.monotonic() - self._started:.0f}", "steps": [step for step, _ in shown],
            "series": {name: [_number(values.get(name)) for _, values in shown] for name in names},
            "points": [encoded(column) for column in places.T], "change": encoded(change, "u1"),
            "counts": {name: int((change == k).sum()) for k, name in enumerate(("kept", "added", "dropped"))},
            "residual": encoded(residual),
        }  # fmt: skip
        self._drawings += 1
        self._last = time.monotonic()
        self._cost = self._last - started

    def _changed(self, points: PointSet | None) -> tuple[np.ndarray, np.ndarray]:
        """0 kept, 1 added, 2 dropped since the last update, and the places in the plane that is drawn."""
        if points is None:
            return np.zeros(0), np.zeros((0, 2))
        axes = [[symbol.name for symbol in self.problem.coordinates].index(name) for name in self._grid.axes]
        ids, first = np.unique(points.ids, return_index=True)
        places = points.coordinates[first][:, axes]
        old, self._points = self._points, (ids, places)
        change = np.zeros(len(ids)) if old is None else 1.0 - np.isin(ids, old[0])
        if old is not None:
            gone = ~np.isin(old[0], ids)
            change, places = np.concatenate([change, np.full(gone.sum(), 2.0)]), np.concatenate([places, old[1][gone]])
        if places.shape[1] == 1:
            places = np.column_stack([places, np.zeros(len(places))])
        thin = slice(None, None, max(1, -(-len(places) // MOST_POINTS)))
        return change[thin], places[thin]

    def _drawn(self) -> Figure:
        names = dict.fromkeys(name for _, values in self._records for name in values)
        series = {name: [values.get(name, np.nan) for _, values in self._records] for name in names}
        if not series:
            return Figure(figsize=(6.4, 1.0))
        history = {"step": [step for step, _ in self._records], **series}
        return plot_history(SimpleNamespace(history=history, problem=self.problem))


def _number(value: float | None) -> float | None:
    return value if value is not None and np.isfinite(value) else None


def _root(value: float) -> float | None:
    return float(np.sqrt(value)) if np.isfinite(value) and value >= 0 else None
