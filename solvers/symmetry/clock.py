"""Budgets of processor time and memory that long computations ask now and then."""

from __future__ import annotations

import os
import sys
import time


class BudgetError(Exception):
    """A budget is spent; what is known so far is kept by the caller."""


class OutOfTimeError(BudgetError):
    """The time is spent."""


class OutOfMemoryError(BudgetError):
    """The memory is spent."""


class Clock:
    """Processor time since the start and memory of the process, each with an optional limit.

    Args:
        seconds: Processor seconds, or None.
        memory: Megabytes that the process may grow by, or None.
    """

    def __init__(self, seconds: float | None = None, memory: float | None = None) -> None:
        self.start, self.seconds, self.memory = time.process_time(), seconds, memory
        self._calls, self._resident = 0, resident_megabytes() if memory is not None else 0.0

    def elapsed(self) -> float:
        """Processor seconds so far."""
        return time.process_time() - self.start

    def check(self) -> None:
        """Stop if a budget is spent."""
        if self.seconds is not None and self.elapsed() > self.seconds:
            raise OutOfTimeError(f"{self.seconds:g} CPU seconds are spent")
        if self.memory is not None:
            self._calls += 1
            # Reading the memory costs more than the time: every 64th call will do.
            if self._calls % 64 == 1 and resident_megabytes() - self._resident > self.memory:
                raise OutOfMemoryError(f"{self.memory:g} MB of memory are spent")

    def remaining(self) -> float:
        """Processor seconds left; infinite without a limit."""
        return float("inf") if self.seconds is None else self.seconds - self.elapsed()


def resident_megabytes() -> float:
    """Memory that the process holds now; the largest so far where the system does not tell more."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    except OSError:
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / 2**20 if sys.platform == "darwin" else peak / 2**10
