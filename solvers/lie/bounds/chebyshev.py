r"""Sup and L2 norm of an analytic function on a box, by interpolation with a proven remainder.

On [-1, 1], f analytic in the Bernstein ellipse E_ρ with |f| <= M there obeys |f - p_n| <= 4 M ρ^(-n)/(ρ - 1) for the
interpolant in n+1 Chebyshev points (Trefethen 2013, Approximation Theory and Approximation Practice, theorem 8.2).
The polynomial is bounded by its values at N > n further Chebyshev points, |p_n| <= max/cos(nπ/(2N)) (Ehlich and
Zeller 1964, Math. Z. 86, 41). On a box the operators are applied axis by axis: f - I_1⋯I_d f is bounded by
Σ_i Λ^(i-1) times the remainder of one axis, Λ <= (2/π) log(n+1) + 1 the Lebesgue constant.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from solvers.lie.bounds.balls import Ball, flint, rational, upper
from solvers.lie.bounds.kinks import Box
from solvers.lie.bounds.program import Program

RATIOS = (1.5, 2.2, 4.0, 8.0, 16.0, 32.0, 64.0, 256.0)
_FINER = 8
_ROUNDING = 1e-11  # of the float matrices below, relative to the largest nodal value; their entries are good to 1e-13


@dataclass(frozen=True)
class Remainder:
    """An ellipse and the degree that it needs."""

    degree: int
    error: float


def centre_and_half(box: Box) -> list[tuple[Ball, Ball]]:
    """Centre and half-width per axis."""
    return [(rational((low + high) / 2), rational((high - low) / 2)) for low, high in box]


def ellipse_bound(program: Program, box: Box, ratio: float, cuts: int = 1) -> float:
    """Bound of |f| on the product of the ellipses E_ρ, each covered by rectangles; infinity where not analytic.

    The function is real on the real axes. Conjugation of all variables leaves |f| unchanged, so that one axis needs
    its upper half only.

    Args:
        program: f.
        box: The real box.
        ratio: ρ.
        cuts: Rectangles per axis.

    Returns:
        M.
    """
    grid = []
    for axis, (centre, half) in enumerate(centre_and_half(box)):
        rho = flint.arb(ratio)
        wide, tall = half * (rho + 1 / rho) / 2, half * (rho - 1 / rho) / 2
        vertical = [tall * flint.arb(0.5, 0.5)] if axis == 0 else [tall * flint.arb(0, 1)]
        step = wide / cuts
        grid.append([flint.acb(centre - wide + step * (2 * k + 1) + step * flint.arb(0, 1), v)
                     for k in range(cuts) for v in vertical])  # fmt: skip
    return max(upper(value) for value in program(grid))


def choose_degree(program: Program, box: Box, tolerance: float, largest: int) -> Remainder | None:
    """The smallest degree whose remainder is below a tolerance, over several ellipses.

    Args:
        program: f.
        box: The box.
        tolerance: Wanted remainder.
        largest: Largest degree that is worth it; more: None.

    Returns:
        Degree and the remainder proven.
    """
    best: Remainder | None = None
    dimension = len(box)
    for cuts in (1, 4):
        if cuts > 1 and (best is not None or dimension > 2):
            break
        for ratio in RATIOS:
            size = ellipse_bound(program, box, ratio, cuts)
            if not math.isfinite(size):
                break  # a larger ellipse holds the same trouble
            found = _degree(size, ratio, tolerance, dimension, largest)
            if found is not None and (best is None or found.degree < best.degree):
                best = found
            elif best is not None and found is None:
                break
    return best


def _degree(size: float, ratio: float, tolerance: float, dimension: int, largest: int) -> Remainder | None:
    for degree in range(2, largest + 1, 2):
        error = remainder(size, ratio, degree, dimension)
        if error <= tolerance:
            return Remainder(degree, error)
    return None


def remainder(size: float, ratio: float, degree: int, dimension: int) -> float:
    """|f - p| on the box, for |f| <= size on the ellipses."""
    lebesgue = 2 / math.pi * math.log(degree + 1) + 1
    one = 4 * size * math.exp(-degree * math.log(ratio)) / (ratio - 1)
    return one * sum(lebesgue**k for k in range(dimension)) * (1 + 1e-9)


@functools.lru_cache(maxsize=256)
def _angles(degree: int, bits: int) -> tuple[Ball, ...]:
    return tuple((flint.arb(flint.fmpq(2 * k + 1, 2 * (degree + 1)))).cos_pi() for k in range(degree + 1))


def nodes(degree: int, centre: Ball, half: Ball) -> list[Ball]:
    """Balls around the Chebyshev points of an interval."""
    return [centre + half * c for c in _angles(degree, flint.ctx.prec)]


@functools.lru_cache(maxsize=256)
def _interpolation(degree: int, kind: str) -> np.ndarray:
    """Values at Chebyshev nodes -> values at finer Chebyshev nodes, or at Gauss nodes times the root of the weight."""
    theta = (np.arange(degree + 1) + 0.5) * np.pi / (degree + 1)
    coefficients = 2 / (degree + 1) * np.cos(np.outer(np.arange(degree + 1), theta))
    coefficients[0] /= 2
    if kind == "fine":
        count = _FINER * max(degree, 1)
        where = np.cos((np.arange(count) + 0.5) * np.pi / count)
        weight = np.ones(count)
    else:
        where, weight = np.polynomial.legendre.leggauss(degree + 1)
    basis = np.cos(np.outer(np.arccos(np.clip(where, -1, 1)), np.arange(degree + 1)))
    return np.sqrt(weight)[:, None] * (basis @ coefficients)


def polynomial_norms(values: np.ndarray) -> tuple[float, float]:
    """Bounds of the sup norm and the L2 norm on [-1, 1]^d of the interpolant.

    Args:
        values: Values at the Chebyshev nodes, one axis of the array per variable.

    Returns:
        Both, rounded up.
    """
    scale = float(np.abs(values).max(initial=0.0))
    if scale == 0:
        return 0.0, 0.0
    fine, gauss, factor, lebesgue = values / scale, values / scale, 1.0, 1.0
    for axis in range(values.ndim):
        degree = values.shape[axis] - 1
        fine = _along(_interpolation(degree, "fine"), fine, axis)
        gauss = _along(_interpolation(degree, "gauss"), gauss, axis)
        factor /= math.cos(math.pi / (2 * _FINER)) if degree else 1.0
        lebesgue *= 2 / math.pi * math.log(degree + 1) + 1
    slack = _ROUNDING * lebesgue * (1 + values.size)
    sup = (float(np.abs(fine).max()) + slack) * factor
    square = math.sqrt(float((gauss**2).sum())) + slack * 2 ** (values.ndim / 2)
    return sup * scale * (1 + 1e-12), square * scale * (1 + 1e-12)


def _along(matrix: np.ndarray, values: np.ndarray, axis: int) -> np.ndarray:
    return np.moveaxis(np.tensordot(matrix, values, axes=(1, axis)), 0, axis)


def node_values(program: Program, box: Box, degree: int) -> list[Ball]:
    """Values at the tensor grid of Chebyshev nodes, at the working precision."""
    return program([nodes(degree, centre, half) for centre, half in centre_and_half(box)])


def as_array(balls: Sequence[Ball], shape: Sequence[int]) -> tuple[np.ndarray, float]:
    """Midpoints as floats, and the largest distance of anything in a ball from its float."""
    middles = np.array([float(ball.mid()) for ball in balls])
    radius = max((float(ball.rad()) for ball in balls), default=0.0)
    spread = radius * (1 + 1e-9) + 2.0**-52 * float(np.abs(middles).max(initial=0.0))
    return middles.reshape(shape), spread + 5e-324
