"""Data of a problem at points, as one-sided limits at the ends of an interval.

At an end of a coordinate's range the value of g is lim g(s) for s going to the end from inside:
erfc(1/sqrt(t)) at t = 0 is 0, sin(x)/x at x = 0 is 1, Heaviside(x) at the left end 0 is 1.
"""

from __future__ import annotations

from collections.abc import Sequence

import mpmath
import numpy as np
import sympy as sp
import torch

from sciml.callables import is_numeric_only
from sciml.expressions.compiler import Program

_DIGITS = 120  # enough for cancellations of up to 1e-80 at the distances below
_DISTANCES = ("1e-30", "1e-32")


def evaluate_data(
    expression: sp.Expr,
    coordinates: Sequence[sp.Symbol],
    points: np.ndarray,
    bounds: Sequence[tuple[float, float]] | None = None,
) -> np.ndarray:
    """Values of an expression of the coordinates.

    Args:
        expression: Expression of the coordinates, parameters substituted.
        coordinates: Symbols, one per column of `points`.
        points: (n, d).
        bounds: Range of each coordinate; where a point lies at an end, the limit from inside is taken.

    Returns:
        (n,) float64; NaN or infinity where no finite limit exists.

    Example:
        >>> import numpy as np, sympy as sp
        >>> t = sp.Symbol("t", real=True)
        >>> evaluate_data(sp.erfc(1 / sp.sqrt(t)), [t], np.array([[0.0], [1.0]]), [(0, 1)]).round(6)
        array([0.      , 0.157299])
    """
    points = np.asarray(points, dtype=np.float64)
    if len(points) == 0:
        return np.zeros(0)
    program = Program([expression], coordinates)
    values = _run(program, points)
    if bounds is None or not expression.free_symbols:
        return values
    ends = _at_ends(points, bounds)
    suspects = np.flatnonzero(ends.any(axis=1))
    suspects = suspects[_suspicious(program, points[suspects], ends[suspects], values[suspects])]
    if len(suspects) and not is_numeric_only(expression):
        values[suspects] = _limits(expression, coordinates, points[suspects], ends[suspects])
    return values


def _run(program: Program, points: np.ndarray) -> np.ndarray:
    columns = [torch.tensor(column) for column in points.T]
    with torch.no_grad():
        return program(*columns)[0].numpy().copy()


def _at_ends(points: np.ndarray, bounds: Sequence[tuple[float, float]]) -> np.ndarray:
    """+1 where a coordinate sits at its lower end, -1 at its upper end, else 0: the way inwards."""
    lower, upper = np.asarray(bounds, dtype=float).T
    return np.where(points == lower, 1, np.where(points == upper, -1, 0))


def _suspicious(program: Program, points: np.ndarray, ends: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Not finite, or different from a neighbour inside by more than the neighbours differ (a jump)."""
    if len(points) == 0:
        return np.zeros(0, dtype=bool)
    scale = np.maximum(np.abs(points), 1.0)
    near = _run(program, points + 1e-14 * ends * scale)
    nearer = _run(program, points + 4e-14 * ends * scale)
    with np.errstate(invalid="ignore"):
        jump = np.abs(near - values) > 50 * np.abs(nearer - near) + 1e-10 * (1 + np.abs(values))
    return ~np.isfinite(values) | jump


def _limits(expression: sp.Expr, coordinates: Sequence[sp.Symbol], points: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Limits by evaluation with many digits at two tiny distances that must agree."""
    function = sp.lambdify(list(coordinates), expression, modules="mpmath")
    result = np.full(len(points), np.nan)
    with mpmath.workdps(_DIGITS):
        for i, (point, end) in enumerate(zip(points, ends, strict=True)):
            pair = []
            for distance in _DISTANCES:
                shifted = [
                    mpmath.mpf(float(c)) + int(e) * mpmath.mpf(distance) for c, e in zip(point, end, strict=True)
                ]
                pair.append(_real(function, shifted))
            if abs(pair[0] - pair[1]) <= 1e-9 * (1 + abs(pair[1])):
                result[i] = pair[1]
    return result


def _real(function: object, arguments: list) -> float:
    try:
        value = mpmath.mpmathify(function(*arguments))  # type: ignore[operator]
        return float(value.real) if abs(value.imag) < mpmath.mpf("1e-20") else float("nan")
    except (ZeroDivisionError, ValueError, OverflowError, mpmath.libmp.NoConvergence):
        return float("nan")
