"""Unknown coefficients of inverse problems: where the search begins and its bounds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import sympy as sp

from sciml.errors import ProblemError


@dataclass(frozen=True)
class Unknown:
    """An unknown coefficient of an inverse problem.

    Attributes:
        start: Where the search begins.
        lower: Lower bound or None.
        upper: Upper bound or None.
    """

    start: float
    lower: float | None = None
    upper: float | None = None


def unknown(symbol: Any, value: Any) -> Unknown:
    """Read one entry of `unknowns={...}`.

    Args:
        symbol: The coefficient.
        value: Start, `(start, lower, upper)` or an `Unknown`.

    Returns:
        The unknown, infinite bounds as None.

    Raises:
        ProblemError: If it is none of these, or start and bounds are out of order.
    """
    numbers = value if isinstance(value, (list, tuple)) else (value,)
    if isinstance(value, Unknown):
        numbers = (value.start, value.lower, value.upper)
    try:
        start, lower, upper = [None if v is None else float(v) for v in (*numbers, None, None)[:3]]
        lower, upper = (None if v is None or math.isinf(v) else v for v in (lower, upper))
        ordered = (start is not None and math.isfinite(start) and (lower is None or lower < start)
                   and (upper is None or start < upper))  # fmt: skip
    except (TypeError, ValueError):
        ordered = False
    if not ordered or len(numbers) > 3 or not isinstance(symbol, sp.Symbol):
        raise ProblemError(
            "unknowns={symbol: start} or {symbol: (start, lower, upper)} with lower < start < upper, all finite",
            f"{symbol!r}: {value!r}",
            "the key is the SymPy symbol, the values are numbers",
        )
    assert start is not None
    return Unknown(start, lower, upper)
