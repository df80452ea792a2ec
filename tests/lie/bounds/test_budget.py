"""The limit on CPU time."""

from __future__ import annotations

import gc
import sys
import time
from typing import Any

import pytest

from solvers.lie.bounds.budget import OutOfTime, cpu_limit


def spin(seconds: float) -> None:
    start = time.process_time()
    while time.process_time() - start < seconds:
        pass


class Dying:
    def __del__(self) -> None:
        spin(0.15)


@pytest.mark.parametrize("where", ["garbage collector", "destructor"])
def test_a_limit_that_passes_where_exceptions_are_dropped_is_raised_afterwards(where, monkeypatch) -> None:
    dropped: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", dropped.append)

    def callback(phase: str, info: dict) -> None:
        spin(0.15)

    def work() -> None:
        with cpu_limit(0.05):
            if where == "garbage collector":
                gc.collect(0)  # no garbage of others, whose weak references may call back
            else:
                made = Dying()
                del made
            spin(5.0)

    gc.collect()
    gc.callbacks.append(callback)
    try:
        with pytest.raises(OutOfTime):
            work()
    finally:
        gc.callbacks.remove(callback)
    assert not dropped
