"""The error bound of a solution: none yet, and the reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sympy as sp

from sciml.ibvp import IBVP


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
    return NoBound("rigorous enclosures are not implemented yet: judge the solution by its held-out mismatch")
