"""Expressions as NumPy functions of many points."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import sympy as sp
from numpy.typing import NDArray

Array = NDArray[np.float64]
PointFunction = Callable[[Array], Array]


def stacked(symbols: Sequence[sp.Symbol], expressions: Sequence[sp.Expr]) -> PointFunction:
    """A NumPy function for several expressions at many points.

    Args:
        symbols: Arguments; one column each.
        expressions: One column of the result each.

    Returns:
        Function from (n, d) to (n, m).
    """
    plain = [sp.Symbol(f"v{k}") for k in range(len(symbols))]
    table = dict(zip(symbols, plain, strict=True))
    function = sp.lambdify(plain, [e.xreplace(table) for e in expressions], "numpy", cse=True)

    def evaluate(points: Array) -> Array:
        with np.errstate(all="ignore"):
            columns = function(*points.T)
        return np.stack([np.broadcast_to(np.asarray(c, dtype=np.float64), len(points)) for c in columns], axis=1)

    return evaluate
