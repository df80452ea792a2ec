"""Callbacks for trainings: every step recorded, early stop, live plot, TensorBoard.

A callback is called as `callback(step, total, values)` after every step; a true answer stops the training. `values`
holds "loss" and "seconds", at every look at the held-out points also "held out" and "loss <term>". Any function will
do; objects may have methods `begin(run)` and `finish()`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sciml.errors import MissingExtraError, SolverError
from sciml.ibvp import IBVP
from sciml.plotting import plot_history
from solvers.pinn.monitor import History, Run


class Recorder:
    """Records every step, where `solution.history` has the looks at the held-out points only.

    Attributes:
        series: Named series with one entry per step, NaN where a figure is missing.

    Example:
        >>> recorder = Recorder()
        >>> recorder(1, 10, {"loss": 2.0}); recorder(2, 10, {"loss": 1.0, "held out": 1.5})
        >>> recorder.series
        {'step': [1.0, 2.0], 'loss': [2.0, 1.0], 'held out': [nan, 1.5]}
    """

    def __init__(self) -> None:
        self._history = History()

    @property
    def series(self) -> dict[str, list[float]]:
        """The series."""
        return self._history.series

    def __call__(self, step: int, total: int, values: Mapping[str, float]) -> None:
        """Add one step."""
        self._history.append({"step": step, **values})


class EarlyStopping:
    """Stops where a figure has not fallen by a factor for a number of steps.

    Args:
        patience: Steps to wait.
        factor: The figure has to fall below this share of its last success.
        watch: Name of the figure.

    Raises:
        SolverError: If an argument is out of range.

    Example:
        >>> stop = EarlyStopping(patience=2)
        >>> [stop(step, 9, {"held out": value}) for step, value in enumerate([4.0, 1.0, 0.9, 0.8])]
        [False, False, False, True]
    """

    def __init__(self, patience: int = 200, factor: float = 0.5, watch: str = "held out") -> None:
        if patience < 1 or not 0 < factor <= 1:
            given = f"patience={patience}, factor={factor}"
            raise SolverError("patience >= 1 and 0 < factor <= 1", given, "EarlyStopping(patience=200)")
        self.patience, self.factor, self.watch = patience, factor, watch
        self._goal, self._since = math.inf, 0

    def begin(self, run: Run) -> None:
        """Forget what an earlier training did."""
        self._goal, self._since = math.inf, 0

    def __call__(self, step: int, total: int, values: Mapping[str, float]) -> bool:
        """Whether the patience is over."""
        value = values.get(self.watch, math.nan)
        if value < self._goal or math.isinf(self._goal):
            if not math.isnan(value):
                self._goal, self._since = self.factor * value, step
            return False
        return step - self._since >= self.patience


class LivePlot:
    """Draws the losses again every few seconds while the network trains.

    Args:
        seconds: Wall-clock seconds between drawings.
        show: What to do with the matplotlib figure; by default it replaces the output of the notebook cell, and
            outside of notebooks the file `path`.
        path: Image file, written anew with every drawing.

    Raises:
        SolverError: If the interval is negative, or there is nowhere to draw to.
    """

    def __init__(
        self, seconds: float = 5.0, show: Callable[[Any], None] | None = None, path: str | Path | None = None
    ) -> None:
        if not seconds >= 0:
            raise SolverError("seconds >= 0", repr(seconds), "LivePlot(seconds=5)")
        self.seconds, self.path = seconds, path
        self._show = show or (self._save if path is not None else _notebook_output())
        self._history, self._last = History(), -math.inf
        self._problem: IBVP | None = None

    def begin(self, run: Run) -> None:
        """Learn the title."""
        self._history, self._last, self._problem = History(), -math.inf, run.problem

    def __call__(self, step: int, total: int, values: Mapping[str, float]) -> None:
        """Draw where it is time."""
        if "held out" in values:
            self._history.append({"step": step, **values})
            if time.monotonic() - self._last >= self.seconds:
                self._draw()

    def finish(self) -> None:
        """Draw the end."""
        if len(self._history):
            self._draw()

    def _draw(self) -> None:
        self._show(plot_history(_Series(self._history.series, self._problem)))
        self._last = time.monotonic()

    def _save(self, figure: Any) -> None:
        figure.savefig(self.path)


class _Series:
    """What `plot_history` reads of a solution."""

    def __init__(self, history: Mapping[str, Any], problem: Any) -> None:
        self.history, self.problem = history, problem


def _notebook_output() -> Callable[[Any], None]:
    try:
        from IPython.display import display
    except ImportError as error:
        raise MissingExtraError("a notebook, or show= or path=", "no IPython", 'LivePlot(path="losses.png")') from error
    handles: list[Any] = []

    def show(figure: Any) -> None:
        if handles:
            handles[0].update(figure)
        else:
            handles.append(display(figure, display_id=True))

    return show


class TensorBoard:
    """Writes every figure as a scalar for TensorBoard; needs the extra "tensorboard".

    Args:
        folder: Where the event files go.

    Raises:
        MissingExtraError: If TensorBoard is not installed.
    """

    def __init__(self, folder: str | Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise MissingExtraError("TensorBoard", str(error), 'pip install "sciml[tensorboard]"') from error
        self._writer = SummaryWriter(str(folder))

    def __call__(self, step: int, total: int, values: Mapping[str, float]) -> None:
        """Write one step."""
        for name, value in values.items():
            self._writer.add_scalar(name.replace(" ", "/", 1), value, step)

    def finish(self) -> None:
        """Write what is still in memory."""
        self._writer.flush()
