"""Memory: what a run would take, and a refusal before it starts where that is more than there is."""

from __future__ import annotations

import os
from pathlib import Path

from sciml.errors import SolverError

_GIB = 2.0**30
_CONTROL_GROUP = Path("/sys/fs/cgroup/memory.max")


def memory_limit() -> float:
    """Bytes that this process may use: physical memory, or the limit of its control group.

    Returns:
        Bytes; infinity where the system does not tell.
    """
    try:
        limit = float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, ValueError, OSError):
        limit = float("inf")
    try:
        return min(limit, float(_CONTROL_GROUP.read_text()))
    except (OSError, ValueError):
        return limit


def require_memory(needed: float, what: str, fix: str) -> None:
    """Refuse a run that would not fit.

    Args:
        needed: Bytes.
        what: What needs them.
        fix: What to do instead.

    Raises:
        SolverError: If there is less memory, with both numbers.
    """
    limit = memory_limit()
    if needed > limit:
        raise SolverError(f"a run within {limit / _GIB:.3g} GiB", f"{what}: {needed / _GIB:.3g} GiB", fix)
