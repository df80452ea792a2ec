"""Search for a place where data grow without bound: a pole between the sample points."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import sympy as sp
import torch

from sciml.callables import is_numeric_only
from sciml.expressions.compiler import Program
from sciml.expressions.singular import singular_nodes

_STARTS, _HALVINGS = 4, 50


def find_pole(
    expression: sp.Expr,
    coordinates: Sequence[sp.Symbol],
    points: np.ndarray,
    allowed: Callable[[np.ndarray], np.ndarray],
) -> np.ndarray | None:
    """A place at which |expression| is infinite, by a pattern search from the largest sampled values.

    A bounded function stops growing as the steps shrink; 1/s doubles and log s grows evenly at each halving.
    Finding none is no proof that there is none.

    Args:
        expression: Data of the coordinates.
        coordinates: Symbols, one per column.
        points: (n, d) places where the search may begin.
        allowed: (k, d) -> (k,) whether places belong to the domain.

    Returns:
        (d,) the place, or None.

    Example:
        >>> x = sp.Symbol("x", real=True)
        >>> grid, everywhere = np.linspace(0, 1, 8)[:, None], lambda p: (abs(p[:, 0] - 0.5) <= 0.5)
        >>> find_pole(1 / (x - sp.Rational(1, 3)), [x], grid, everywhere).round(6)
        array([0.333333])
        >>> find_pole(1 / (x + 1), [x], grid, everywhere) is None
        True
    """
    moving = [i for i, symbol in enumerate(coordinates) if symbol in expression.free_symbols]
    if not moving or is_numeric_only(expression) or not singular_nodes(expression):
        return None
    program = Program([expression], coordinates)

    def size(places: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            values = program(*[torch.tensor(column) for column in places.T])[0].numpy()
        return np.where(allowed(places), np.nan_to_num(np.abs(values), nan=-1.0, posinf=np.inf), -1.0)

    extent = np.ptp(points, axis=0)
    step = extent / max(len(points) ** (1 / len(moving)), 2) * 2
    for start in np.argsort(-size(points))[:_STARTS]:
        place = _climb(size, points[start].copy(), step, moving)
        if place is not None and _interior(place, extent, moving, allowed):
            return place
    return None


def _climb(size: Callable, place: np.ndarray, step: np.ndarray, moving: Sequence[int]) -> np.ndarray | None:
    directions = np.zeros((2 * len(moving), len(place)))
    for row, axis in enumerate(moving):
        directions[2 * row, axis], directions[2 * row + 1, axis] = 1.0, -1.0
    best, history = float(size(place[None])[0]), []
    for _ in range(_HALVINGS):
        for _ in range(4):
            trial = place + directions * step
            values = size(trial)
            if values.max() <= best:
                break
            place, best = trial[values.argmax()], float(values.max())
        if np.isinf(best):
            return place
        history.append(best)
        step = step / 2
    return place if best - history[-12] > 0.05 * best else None


def _interior(place: np.ndarray, extent: np.ndarray, moving: Sequence[int], allowed: Callable) -> bool:
    """Singular data at an end are the author's business; inside they are an error."""
    shifts = [sign * 1e-6 * extent[axis] * np.eye(len(place))[axis] for axis in moving for sign in (-1, 1)]
    return bool(allowed(place + np.array(shifts)).all())
