"""Places where data are not smooth, and panels on which they are resolved."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np
import sympy as sp
from scipy.optimize import brentq

from sciml.expressions.data import evaluate_data

_SAMPLES = 513


def kinks(expression: sp.Expr, symbol: sp.Symbol, lower: float, upper: float) -> list[float]:
    """Where an expression of one symbol may jump or bend: zeros of what is inside Heaviside, Abs, Max, Piecewise.

    Args:
        expression: The data.
        symbol: Their coordinate.
        lower: Start of the interval.
        upper: End of the interval.

    Returns:
        Sorted places strictly inside.

    Example:
        >>> x = sp.Symbol("x", real=True)
        >>> kinks(sp.Max(x - sp.Rational(1, 4), 0), x, 0.0, 1.0)
        [0.25]
    """
    places: set[float] = set()
    for switch in _switches(expression):
        if switch.free_symbols != {symbol}:
            continue
        grid = np.linspace(lower, upper, _SAMPLES)
        values = evaluate_data(switch, [symbol], grid[:, None])
        for i in np.flatnonzero((values[:-1] * values[1:] <= 0) & ((values[:-1] != 0) | (values[1:] != 0))):
            root = _root(switch, symbol, grid[i], grid[i + 1], values[i], values[i + 1])
            if lower < root < upper:
                places.add(root)
    merged: list[float] = []
    for place in sorted(places):
        if not merged or place - merged[-1] > 1e-13 * (upper - lower):
            merged.append(place)
    return merged


def _root(switch: sp.Expr, symbol: sp.Symbol, left: float, right: float, at_left: float, at_right: float) -> float:
    if sp.Poly(switch, symbol).degree() == 1 if switch.is_polynomial(symbol) else False:
        return float(sp.solve(switch, symbol)[0])
    if at_left == 0 or at_right == 0:
        return float(left if at_left == 0 else right)
    return float(brentq(sp.lambdify(symbol, switch, "numpy"), left, right, xtol=1e-15))


def _switches(expression: sp.Expr) -> set[sp.Expr]:
    found: set[sp.Expr] = set()
    for node in sp.preorder_traversal(expression):
        if isinstance(node, (sp.Heaviside, sp.Abs, sp.sign)):
            found.add(node.args[0])
        elif isinstance(node, (sp.Max, sp.Min)):
            found |= {a - b for i, a in enumerate(node.args) for b in node.args[i + 1 :]}
        elif isinstance(node, sp.core.relational.Relational):
            found.add(node.lhs - node.rhs)
    return found


def panels(
    function: Callable[[np.ndarray], np.ndarray],
    ends: Sequence[float],
    tolerance: float,
    most: int = 96,
    order: int = 16,
) -> np.ndarray:
    """Bisect panels until the Chebyshev series of a function has decayed on each.

    Args:
        function: (n,) places -> (n, c) values.
        ends: Ends of the first panels.
        tolerance: Size of the last coefficients, relative to the largest value.
        most: Most panels.
        order: Points per panel.

    Returns:
        Sorted ends of the panels.
    """
    nodes = np.cos(np.pi * (np.arange(order) + 0.5) / order)
    transform = np.cos(np.outer(np.arange(order), np.arccos(nodes))) * 2 / order
    work = list(itertools.pairwise(ends))
    done: list[tuple[float, float]] = []
    scale = 0.0
    while work:  # the values of a generation of panels at once
        generation, work = work, []
        places = np.concatenate([(low + high) / 2 + nodes * (high - low) / 2 for low, high in generation])
        values = np.split(np.nan_to_num(function(places)), len(generation))
        for number, ((low, high), own) in enumerate(zip(generation, values, strict=True), 1):
            scale = max(scale, float(np.abs(own).max(initial=0.0)))
            tail = np.abs(transform[-3:] @ own).max(initial=0.0)
            narrow = high - low < 1e-9 * (ends[-1] - ends[0])
            if tail <= tolerance * scale or narrow or len(generation) - number + len(work) + len(done) >= most:
                done.append((low, high))
            else:
                middle = (low + high) / 2
                work += [(low, middle), (middle, high)]
    return np.array(sorted({end for panel in done for end in panel}))


def gauss(ends: np.ndarray, order: int) -> tuple[np.ndarray, np.ndarray]:
    """Composite Gauss–Legendre nodes and weights on panels.

    Args:
        ends: (P + 1,) ends of the panels.
        order: Nodes per panel.

    Returns:
        Nodes and weights, (P · order,).
    """
    nodes, weights = np.polynomial.legendre.leggauss(order)
    half = np.diff(ends)[:, None] / 2
    middles = (ends[1:] + ends[:-1])[:, None] / 2
    return (middles + half * nodes).ravel(), (half * weights).ravel()
