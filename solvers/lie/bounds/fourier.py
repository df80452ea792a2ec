r"""Sine coefficients of a mismatch, with a proven error.

On each piece g = p + r with |r| <= ε; ∫ p sin(nπs) is a Gauss sum up to the error of Gauss quadrature for the entire
function p sin, and r adds at most ε times the length.
"""

from __future__ import annotations

import numpy as np
import sympy as sp

from solvers.lie.bounds.balls import precision
from solvers.lie.bounds.chebyshev import as_array, choose_degree, node_values
from solvers.lie.bounds.kinks import Box, halves, smooth_pieces
from solvers.lie.bounds.patches import interval
from solvers.lie.bounds.program import Program
from solvers.lie.bounds.sup import Deadline, NotEnclosed


def sine_coefficients(
    gap: sp.Expr, symbol: sp.Symbol, low: sp.Expr, high: sp.Expr, count: int, size: float, deadline: Deadline
) -> tuple[np.ndarray, float]:
    """∫ g(s) sin(nπ(s - low)/(high - low)) ds for n = 1..count, and by how much they may be wrong.

    Args:
        gap: g.
        symbol: s.
        low: Lower end.
        high: Upper end.
        count: How many.
        size: sup |g|, the scale of the accuracy.
        deadline: When to give up.

    Returns:
        (count,) and the error.

    Raises:
        NotEnclosed: If g is too irregular.
    """
    length = float(high - low) * (1 + 1e-15)
    if gap == 0:
        return np.zeros(count), 0.0
    axis, box, place, stretch = interval(symbol, low, high)
    scale = float(stretch)
    waves = np.arange(1, count + 1) * np.pi / length
    total, loss = np.zeros(count), 0.0
    pieces = [(Program(p.expression, (axis,)), p.box) for p in smooth_pieces(gap.xreplace(place), (axis,), (box,))]
    used = 0
    while pieces:
        used += 1
        deadline.check("the sine coefficients of a mismatch")
        if used > 2000:
            raise NotEnclosed("the mismatch is too irregular for its sine coefficients")
        program, part = pieces.pop()
        with precision(64):
            found = choose_degree(program, part, 1e-6 * size, 48)
        if found is None:
            if float(part[0][1] - part[0][0]) * scale < 1e-9 * length:
                loss += float(part[0][1] - part[0][0]) * scale * size
                continue
            pieces += [(program, half) for half in halves(part, 0)]
            continue
        with precision(256):
            values, spread = as_array(node_values(program, part, found.degree), [found.degree + 1])
        half = float(part[0][1] - part[0][0]) * scale / 2
        total += _gauss_sum(values, part, box, scale, waves)
        loss += 2 * half * (found.error + 4 * spread + 1e-12 * size)
    return total, loss * 1.01


def _gauss_sum(values: np.ndarray, part: Box, box: tuple, scale: float, waves: np.ndarray) -> np.ndarray:
    """∫ p(s) sin(w s) over a piece; enough Gauss nodes for the fastest wave to be exact to rounding."""
    degree = len(values) - 1
    half = float(part[0][1] - part[0][0]) * scale / 2
    middle = (float(part[0][0] + part[0][1]) / 2 - float(box[0])) * scale
    # with n nodes the error is that of a polynomial of degree 2n - 1: (e w h/(2 (2n - degree)))^(2n - degree)
    nodes, weights = np.polynomial.legendre.leggauss(degree // 2 + 24 + int(1.5 * half * waves[-1]))
    theta = (np.arange(degree + 1) + 0.5) * np.pi / (degree + 1)
    table = 2 / (degree + 1) * np.cos(np.outer(np.arange(degree + 1), theta))
    table[0] /= 2
    polynomial = np.polynomial.chebyshev.chebval(nodes, table @ values)
    return half * (np.sin(np.outer(waves, middle + half * nodes)) @ (weights * polynomial))
