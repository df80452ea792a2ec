"""A budget of processor time that long computations ask now and then."""

from __future__ import annotations

import time


class OutOfTimeError(Exception):
    """The budget is spent; what is known so far is kept by the caller."""


class Clock:
    """Processor time since the start, with an optional limit.

    Args:
        seconds: The limit, or None.
    """

    def __init__(self, seconds: float | None) -> None:
        self.start, self.seconds = time.process_time(), seconds

    def elapsed(self) -> float:
        """Processor seconds so far."""
        return time.process_time() - self.start

    def check(self) -> None:
        """Stop if the budget is spent."""
        if self.seconds is not None and self.elapsed() > self.seconds:
            raise OutOfTimeError

    def remaining(self) -> float:
        """Processor seconds left; infinite without a limit."""
        return float("inf") if self.seconds is None else self.seconds - self.elapsed()
