"""The error bound of a solution, asked of `solvers.lie.bounds`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sympy as sp

from sciml.ibvp import IBVP

try:
    from solvers.lie.bounds import error_bound
except ImportError:
    error_bound = None  # type: ignore[assignment]


@dataclass(frozen=True)
class NoBound:
    """No bound, and why."""

    reason: str
    sup: float | None = None
    l2: float | None = None


def certify(problem: IBVP, expressions: Mapping[sp.Expr, sp.Expr]) -> Any:
    """Bound of the error of an approximation.

    Args:
        problem: The problem.
        expressions: Field -> closed form.

    Returns:
        `sup`, `l2` and `reason`.
    """
    if error_bound is None:
        return NoBound("no bound is computed: the enclosures are not part of this installation")
    return error_bound(problem, expressions)
