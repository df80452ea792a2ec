"""What a person sees while a network trains: budget, progress bar, history."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from tqdm.auto import tqdm

from sciml.errors import SolverWarning
from sciml.ibvp import IBVP
from sciml.solution import Callback, Solution


class Budget:
    """Process CPU time since the start, against an allowance.

    Args:
        seconds: Allowance; None for no limit.
        used: Seconds that earlier parts of the same training took.
    """

    def __init__(self, seconds: float | None, used: float = 0.0) -> None:
        self.seconds = seconds
        self._start = time.process_time() - used

    @property
    def used(self) -> float:
        """CPU seconds so far."""
        return time.process_time() - self._start

    def allows(self, cost: float) -> bool:
        """Whether work of so many seconds still fits."""
        return self.seconds is None or self.used + cost <= self.seconds

    def check(self) -> None:
        """Leave a step that takes longer than expected.

        Raises:
            BudgetSpentError: If nothing is left.
        """
        if not self.allows(0.0):
            raise BudgetSpentError

    def share(self, parts: int) -> Budget:
        """A budget for the next of several equal parts of what is left, on the same clock."""
        if self.seconds is None:
            return Budget(None, self.used)
        return Budget(self.used + max(self.seconds - self.used, 0.0) / parts, self.used)


class BudgetSpentError(Exception):
    """Raised inside a step when the CPU time is spent; the step is given up."""


class History:
    """Named series, one entry per record; what is missing in a record is NaN.

    Args:
        series: Series to continue.
    """

    def __init__(self, series: Mapping[str, Sequence[float]] | None = None) -> None:
        self.series: dict[str, list[float]] = {name: list(values) for name, values in (series or {}).items()}

    def __len__(self) -> int:
        """Number of records."""
        return max(map(len, self.series.values()), default=0)

    def append(self, values: Mapping[str, float]) -> None:
        """Add one record."""
        count = len(self)
        for name, value in values.items():
            self.series.setdefault(name, [float("nan")] * count).append(float(value))
        for column in self.series.values():
            if len(column) == count:
                column.append(float("nan"))


class Run(Protocol):
    """What a callback with a method `begin(run)` may ask of a running training."""

    problem: IBVP

    def solution(self) -> Solution:
        """The solution as it is now: a copy, which the training does not touch."""
        ...

    def snapshot(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Everything needed to continue bit by bit, as JSON-able values and arrays."""
        ...


class Progress:
    """A tqdm bar over steps, and the user's callbacks.

    A callback may have methods `begin(run)` and `finish()`, called before the first and after the last step. One
    that raises is reported by a warning and not called again: the training goes on.

    Args:
        total: Most steps.
        show: True, False, or None for "only on a terminal".
        callbacks: Called as `callback(step, total, values)`; a true answer asks to stop.
        initial: Steps done before.
        title: Text in front of the bar.
    """

    def __init__(
        self, total: int, show: bool | None, callbacks: Sequence[Callback], initial: int = 0, title: str = "PINN"
    ) -> None:
        disable = None if show is None else not show
        self.bar = tqdm(total=total, initial=initial, disable=disable, desc=title, unit="step", mininterval=0.5)
        self.total, self.callbacks = total, list(callbacks)
        self._shown: dict[str, str] = {}

    def begin(self, run: Run) -> None:
        """Tell the callbacks what they watch; here an exception is the caller's, as nothing is lost yet."""
        for callback in self.callbacks:
            begin = getattr(callback, "begin", None)
            if begin is not None:
                begin(run)

    def update(self, step: int, values: Mapping[str, float]) -> bool:
        """Show one step.

        Args:
            step: Steps done.
            values: Named figures.

        Returns:
            Whether a callback asked to stop.
        """
        self.bar.update(step - self.bar.n)
        named = {name: value for name, value in values.items() if name == "held out" or name.startswith("loss")}
        # the held-out residual and the named losses come now and then: they stay on the bar in between
        self._shown |= {name.removeprefix("loss "): f"{value:.1e}" for name, value in named.items()}
        self.bar.set_postfix(self._shown, refresh=False)
        return any([self._call(callback, step, self.total, values) for callback in tuple(self.callbacks)])

    def finish(self) -> None:
        """Tell the callbacks that no step follows."""
        for callback in tuple(self.callbacks):
            if hasattr(callback, "finish"):
                self._call(callback.finish)

    def _call(self, callback: Callable[..., Any], *arguments: Any) -> bool:
        try:
            return bool(callback(*arguments))
        except Exception as error:
            owner = getattr(callback, "__self__", callback)
            self.callbacks = [other for other in self.callbacks if other is not owner]
            name = getattr(owner, "__name__", type(owner).__name__)
            warnings.warn(
                f"callback {name} raised {type(error).__name__}: {error}; the training goes on without it",
                SolverWarning,
                stacklevel=3,
            )
            return False

    def close(self) -> None:
        """Remove the bar's resources."""
        self.bar.close()


def record_values(parts: Mapping[str, float], **figures: Any) -> dict[str, float]:
    """One record of the history: figures first, then the named losses."""
    return {**figures, **{f"loss {name}": value for name, value in parts.items()}}
