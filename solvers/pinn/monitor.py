"""What a person sees while a network trains: budget, progress bar, history."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from tqdm.auto import tqdm

from sciml.solution import Callback


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


class Progress:
    """A tqdm bar over steps, and the user's callbacks.

    Args:
        total: Most steps.
        show: True, False, or None for "only on a terminal".
        callbacks: Called as `callback(step, total, values)`; a true answer asks to stop.
        initial: Steps done before.
    """

    def __init__(self, total: int, show: bool | None, callbacks: Sequence[Callback], initial: int = 0) -> None:
        disable = None if show is None else not show
        self.bar = tqdm(total=total, initial=initial, disable=disable, desc="PINN", unit="step", mininterval=0.5)
        self.total, self.callbacks = total, tuple(callbacks)

    def update(self, step: int, values: Mapping[str, float]) -> bool:
        """Show one step.

        Args:
            step: Steps done.
            values: Named figures.

        Returns:
            Whether a callback asked to stop.
        """
        self.bar.update(step - self.bar.n)
        shown = {name: f"{value:.1e}" for name, value in values.items() if name in ("loss", "held out")}
        self.bar.set_postfix(shown, refresh=False)
        return any([bool(callback(step, self.total, values)) for callback in self.callbacks])

    def close(self) -> None:
        """Remove the bar's resources."""
        self.bar.close()


def record_values(parts: Mapping[str, float], **figures: Any) -> dict[str, float]:
    """One record of the history: figures first, then the named losses."""
    return {**figures, **{f"loss {name}": value for name, value in parts.items()}}
