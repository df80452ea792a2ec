"""Which solver fits into memory: estimated before anything is computed."""

from __future__ import annotations

import os

from sciml.errors import SolverError

DENSE_FACTOR = 12000  # rows or parameters up to which a factor is made


def choose_solver(solver: str, rows: int, size: int, kind: str) -> str:
    """Dense where a factor fits into memory, else iterative.

    Args:
        solver: As the user asked.
        rows: Number of rows.
        size: Number of parameters.
        kind: "ggn" or "hessian".

    Returns:
        "auto" for the smaller factor, "iterative", or what the user asked for.

    Raises:
        SolverError: If what was asked for does not fit.
    """
    small = min(rows, size)
    bytes_needed = 8.0 * (3.0 * rows * size + 3.0 * small**2 + (2.0 * size**2 if kind == "hessian" else 0.0))
    free = _free_bytes()
    fits = small <= DENSE_FACTOR and bytes_needed < 0.8 * free
    if solver == "auto":
        return "auto" if fits else "iterative"
    if solver != "iterative" and bytes_needed >= 0.95 * free:
        raise SolverError(
            f"about {bytes_needed / 1e9:.1f} GB for {rows} rows and {size} parameters",
            f"{free / 1e9:.1f} GB free",
            'solver="iterative" needs no dense matrix',
        )
    return solver


def check_queries(queries: int, rows: int, size: int) -> None:
    """Refuse queries whose matrices would not fit, before anything is computed.

    Args:
        queries: Number of queries.
        rows: Number of residual rows.
        size: Number of parameters.

    Raises:
        SolverError: If they do not fit.
    """
    needed, free = 8.0 * queries * (3.0 * rows + 1.2 * size), _free_bytes()  # as measured
    if needed > 0.8 * free:
        raise SolverError(
            f"memory for {queries} queries, {rows} rows and {size} parameters: about {needed / 1e9:.1f} GB",
            f"{free / 1e9:.1f} GB free",
            "influence.stream_scores or influence.total_scores go through them part by part",
        )


def _free_bytes() -> float:
    """Memory that can be had without swapping."""
    try:
        with open("/proc/meminfo") as file:
            lines = dict(line.split(":", 1) for line in file)
        return 1024.0 * float(lines["MemAvailable"].split()[0])
    except (OSError, KeyError, ValueError):
        return float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")) / 2
