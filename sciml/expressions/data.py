"""Data of a problem at points, as one-sided limits at the ends of an interval.

At an end of a coordinate's range the value of g is lim g(s) for s going to the end from inside:
erfc(1/sqrt(t)) at t = 0 is 0, Heaviside(x) at the left end 0 is 1. Where the formula itself gives no finite
number inside the range, the limit from all sides is taken if they agree: sin(x)/x at x = 0 is 1. A square root
whose argument is negative only by rounding, as sqrt(1 - x² - y²) on the unit circle, is 0.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence

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
        (n,) float64; NaN where no finite limit exists.

    Example:
        >>> import numpy as np, sympy as sp
        >>> t = sp.Symbol("t", real=True)
        >>> evaluate_data(sp.erfc(1 / sp.sqrt(t)), [t], np.array([[0.0], [1.0]]), [(0, 1)]).round(6)
        array([0.      , 0.157299])
    """
    points = np.asarray(points, dtype=np.float64)
    if len(points) == 0:
        return np.zeros(0)
    program = _compiled(expression, tuple(coordinates))
    values = _run(program, points)
    if not _has_limits(expression):
        return values
    ends = np.zeros(points.shape, dtype=int) if bounds is None else _at_ends(points, bounds)
    suspect = ~np.isfinite(values)
    edge = np.flatnonzero(ends.any(axis=1) & ~suspect)
    suspect[edge[_jumps(program, points[edge], ends[edge], values[edge])]] = True
    if suspect.any():
        values[suspect] = _limits(expression, coordinates, points[suspect], ends[suspect])
    return values


@functools.lru_cache(maxsize=256)
def _has_limits(expression: sp.Expr) -> bool:
    """Whether SymPy sees what the values depend on."""
    return bool(expression.free_symbols) and not is_numeric_only(expression)


@functools.lru_cache(maxsize=256)
def _compiled(expression: sp.Expr, coordinates: tuple[sp.Symbol, ...]) -> Program:
    return Program([expression], coordinates)


def _run(program: Program, points: np.ndarray) -> np.ndarray:
    columns = [torch.tensor(column) for column in points.T]
    with torch.no_grad():
        return program(*columns)[0].numpy().copy()


def _at_ends(points: np.ndarray, bounds: Sequence[tuple[float, float]]) -> np.ndarray:
    """+1 where a coordinate sits at its lower end, -1 at its upper end, else 0: the way inwards."""
    lower, upper = np.asarray(bounds, dtype=float).T
    return np.where(points == lower, 1, np.where(points == upper, -1, 0))


def _jumps(program: Program, points: np.ndarray, ends: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Different from a neighbour inside by more than the neighbours differ, or no neighbour."""
    if len(points) == 0:
        return np.zeros(0, dtype=bool)
    scale = np.maximum(np.abs(points), 1.0)
    near = _run(program, points + 1e-14 * ends * scale)
    nearer = _run(program, points + 4e-14 * ends * scale)
    with np.errstate(invalid="ignore"):
        return ~(np.abs(near - values) <= 50 * np.abs(nearer - near) + 1e-10 * (1 + np.abs(values)))


def _limits(expression: sp.Expr, coordinates: Sequence[sp.Symbol], points: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Limits by evaluation with many digits at two tiny distances and from all sides, which must agree."""
    function = sp.lambdify(list(coordinates), expression, modules="mpmath")
    moving = [symbol in expression.free_symbols for symbol in coordinates]
    result = np.full(len(points), np.nan)
    with mpmath.workdps(_DIGITS):
        for i, (point, end) in enumerate(zip(points, ends, strict=True)):
            result[i] = _limit(function, point, end, moving)
            if np.isnan(result[i]):
                result[i] = _rounded_root(function, point)
    return result


def _limit(function: Callable, point: np.ndarray, end: np.ndarray, moving: Sequence[bool]) -> float:
    if not end.any():
        ways = [way for way in itertools.product(*((-1, 1) if m else (0,) for m in moving))]
    else:
        ways = [tuple(int(e) for e in end)]
    values = []
    for way, distance in itertools.product(ways, _DISTANCES):
        shifted = [mpmath.mpf(float(c)) + w * mpmath.mpf(distance) for c, w in zip(point, way, strict=True)]
        values.append(_real(function, shifted))
    last = values[-1]
    agree = all(abs(value - last) <= 1e-9 * (1 + abs(last)) for value in values)
    return last if agree else float("nan")


def _rounded_root(function: Callable, point: np.ndarray) -> float:
    """The real part where the imaginary part is of the size of the root of a rounding error."""
    try:
        value = mpmath.mpmathify(function(*[mpmath.mpf(float(c)) for c in point]))
    except (ZeroDivisionError, ValueError, OverflowError, TypeError, mpmath.libmp.NoConvergence):
        return float("nan")
    small = 0 < abs(value.imag) < 1e-7 * (1 + abs(value.real))
    return float(value.real) if small else float("nan")


def _real(function: Callable, arguments: list) -> float:
    try:
        value = mpmath.mpmathify(function(*arguments))
        return float(value.real) if abs(value.imag) < mpmath.mpf("1e-20") else float("nan")
    except (ZeroDivisionError, ValueError, OverflowError, TypeError, mpmath.libmp.NoConvergence):
        return float("nan")
