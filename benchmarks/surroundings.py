"""Where and with what a benchmark ran."""

from __future__ import annotations

import contextlib
import os
import platform
import resource
import subprocess
import time
from importlib.metadata import version
from pathlib import Path

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def surroundings() -> str:
    """Date, machine, versions and commit in one paragraph."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "numpy", "scipy", "sympy"))
    asked = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    commit = f", commit {asked.stdout.strip()}" if asked.returncode == 0 else ""
    return (
        f"{time.strftime('%Y-%m-%d')}, {platform.machine()} with {os.cpu_count()} cores, one thread, CPU seconds; "
        f"Python {platform.python_version()}, {packages}{commit}"
    )


def begin_peak() -> None:
    """Forget the peak of memory so far, where the system can (Linux)."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak() -> float:
    """Peak of resident memory since `begin_peak`, MiB."""
    with contextlib.suppress(OSError):
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
