"""A limit on the CPU time of a bound that holds also inside of long symbolic steps."""

from __future__ import annotations

import contextlib
import gc
import signal
import threading
import time
from collections.abc import Generator
from types import FrameType

_AGAIN = 0.05  # seconds to the next try where an exception would be lost, or was


class OutOfTime(BaseException):
    """The limit has passed; no `Exception`, so that nobody's fallback swallows it."""


@contextlib.contextmanager
def cpu_limit(seconds: float | None) -> Generator[None]:
    """Raise `OutOfTime` inside the block once the process has used so many CPU seconds.

    By the timer of the system (setitimer, ITIMER_PROF), whose handler and rest are put back afterwards. Without it,
    outside the main thread, and where somebody else uses it, the block runs on and relies on its own checks.

    Args:
        seconds: The limit; None for none.

    Example:
        >>> try:
        ...     with cpu_limit(0.05):
        ...         while True:
        ...             pass
        ... except OutOfTime:
        ...     print("stopped")
        stopped
    """
    usable = hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
    if seconds is None or not usable:
        yield
        return
    known = signal.getsignal(signal.SIGPROF)
    ours = getattr(known, "ours", False)
    if not (ours or (known in (signal.SIG_DFL, signal.SIG_IGN) and not signal.getitimer(signal.ITIMER_PROF)[0])):
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        if not _swallows(frame):
            raise OutOfTime

    stop.ours = True  # type: ignore[attr-defined]
    started, outer = time.process_time(), signal.getitimer(signal.ITIMER_PROF)[0]
    if ours and outer and outer < seconds:
        yield  # the limit outside is the tighter one
        return
    signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, max(seconds, 1e-3), _AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        signal.signal(signal.SIGPROF, known)
        if outer:
            signal.setitimer(signal.ITIMER_PROF, max(outer - (time.process_time() - started), 1e-3), _AGAIN)


def _swallows(frame: FrameType | None) -> bool:
    """Whether Python would print and drop an exception here: in callbacks of the garbage collector and destructors."""
    callbacks = {getattr(callback, "__code__", None) for callback in gc.callbacks} - {None}
    while frame is not None:
        if frame.f_code in callbacks or frame.f_code.co_name == "__del__":
            return True
        frame = frame.f_back
    return False
