r"""Bounds for Δe + k² e = f on a box with Dirichlet sides, k² off the spectrum.

Split e = w + z, w harmonic with the mismatch g on the sides, |w| <= |g|. In eigenfunctions φ_j (|φ_j|² <= 2^d/|Ω|),
(λ_j - k²) z_j = k² w_j - f_j, so that with |w|_2 <= |Ω|^(1/2) |g|

    |z| <= 2^(d/2) |Ω|^(-1/2) S (k² |w|_2 + |f|_2),   S² = Σ_j 1/(λ_j - k²)²,

finite for d <= 3, and |e|_2 <= (1 + k²/δ) |w|_2 + |f|_2/δ, δ = min |λ_j - k²|. The pointwise sum over all
eigenfunctions replaces k² δ^-1 times the norm of Green's function of the Laplacian, which is larger. Modes near k² are
treated one by one: by Green's second identity -λ_j w_j = ∮ g ∂_n φ_j, a sine coefficient of g.
"""

from __future__ import annotations

import contextlib
import math

import numpy as np
import sympy as sp

from solvers.lie.bounds.fourier import sine_coefficients
from solvers.lie.bounds.lifts import face_gaps
from solvers.lie.bounds.mismatch import Mismatch
from solvers.lie.bounds.operator import Operator
from solvers.lie.bounds.result import Bound
from solvers.lie.bounds.sup import NotEnclosed

_MODES = {1: 400, 2: 48, 3: 16}


def helmholtz_bound(mismatch: Mismatch, operator: Operator) -> Bound:
    """Bound for the Helmholtz equation.

    Args:
        mismatch: The mismatch.
        operator: a Δ + a k² with constants.

    Returns:
        The bound.

    Raises:
        NotEnclosed: If the domain, the conditions or the spectrum do not allow one.
    """
    mismatch.require_all_sides()
    a, dimension = operator.second[0, 0], len(mismatch.space)
    plain = operator.second == a * sp.eye(dimension) and not any(operator.first)
    if not (plain and a.is_number and sp.sympify(operator.zero).is_number):
        raise NotEnclosed("the zero-order coefficient has the wrong sign for a maximum principle")
    if mismatch.problem.domain.symbolic_bounds is None:
        raise NotEnclosed("no proven distance of k² from the Dirichlet spectrum: it is known for boxes only")
    square = float(operator.zero / a)
    gaps = face_gaps(mismatch, 0)
    sides = [float(high - low) for low, high in mismatch.problem.domain.symbolic_bounds]
    volume = math.prod(sides) * (1 + 1e-14)
    shifts, tail = _spectrum(sides, square)
    nearest = float(np.abs(shifts).min()) - 1e-13 * abs(square)
    if nearest <= 1e-6 * abs(square):
        raise NotEnclosed("k² is an eigenvalue of the Dirichlet problem, or too close to one to tell")
    size = max(mismatch.side_sup(side) for side in mismatch.sides)
    residual = mismatch.residuals[0] / operator.scale / a
    source = mismatch.residual_sup(residual, 0.01 * max(size * nearest, mismatch.noise) / math.sqrt(volume))
    harmonic, forced = math.sqrt(volume) * size, math.sqrt(volume) * source
    l2 = (1 + square / nearest) * harmonic + forced / nearest
    peak = 2 ** (dimension / 2) / math.sqrt(volume) * (1 + 1e-12)
    green = math.sqrt(float((1 / shifts**2).sum()) * (1 + 1e-6) + tail)
    whole = peak * green * (square * harmonic + forced)
    if dimension == 2:
        with contextlib.suppress(NotEnclosed):  # out of time, or too irregular: the bound above holds
            whole = min(whole, _mode_by_mode(mismatch, gaps, sides, square, size) + peak * green * forced)
    parts = {"value": size, "residual": source, "distance from the spectrum": nearest}
    return Bound((size + whole) * (1 + 1e-6), l2 * (1 + 1e-6), "expansion in Dirichlet eigenfunctions", parts)


def _eigenvalues(sides: list[float], count: int) -> np.ndarray:
    axes = [(np.arange(1, count + 1) * np.pi / side) ** 2 for side in sides]
    return sum(np.ix_(*axes))  # type: ignore[return-value]


def _spectrum(sides: list[float], square: float) -> tuple[np.ndarray, float]:
    """λ_j - k² for the modes listed, and a bound of Σ 1/(λ - k²)² over the others."""
    # beyond the list some index n_i > N; there λ - k² >= s λ with s = 1 - k²/λ_min, and Σ 1/λ² is at most an integral
    dimension = len(sides)
    count = max(_MODES[dimension], math.ceil(3 * math.sqrt(abs(square)) * max(sides) / math.pi))
    shifts = _eigenvalues(sides, count).ravel() - square
    tail = 0.0
    for axis, side in enumerate(sides):
        least = ((count + 1) * math.pi / side) ** 2
        ratio = 1 - square / least
        if ratio <= 0:
            raise NotEnclosed("too many modes below k²")
        others = [s for i, s in enumerate(sides) if i != axis]
        tail += _tail_sum(side, others, count) / ratio**2
    return shifts, tail * (1 + 1e-6)


def _tail_sum(side: float, others: list[float], count: int) -> float:
    r"""Bound of Σ_{n > N} Σ_{others} λ^-2, sums by integrals."""
    # with A = (nπ/L)²: ∫_0^∞ (A + (mπ/M)²)^-2 dm = M/(4 A^(3/2)), and a second such integral gives M M'/(4π A)
    unit = (side / math.pi) ** 2
    if not others:
        return unit**2 / (3 * count**3)
    if len(others) == 1:
        return others[0] / 4 * unit**1.5 / (2 * count**2)
    return others[0] * others[1] / (4 * math.pi) * unit / count


def _mode_by_mode(mismatch: Mismatch, gaps: dict, sides: list[float], square: float, size: float) -> float:
    """Bound of |z| with the coefficients w_mn of the listed modes from the sine coefficients of g."""
    # for φ = 2/√(ab) sin(mπx/a) sin(nπy/b), by Green's identity
    # λ w = 2/√(ab) [(mπ/a)(ĝ_left(n) - (-1)^m ĝ_right(n)) + (nπ/b)(ĝ_bottom(m) - (-1)^n ĝ_top(m))]
    width, height = sides
    count = max(_MODES[2], math.ceil(3 * math.sqrt(abs(square)) * max(sides) / math.pi))
    along, error = {}, 0.0
    for (axis, end), gap in gaps.items():
        other = 1 - axis
        low, high = mismatch.problem.domain.symbolic_bounds[other]
        deadline = mismatch.enclosure.deadline
        found = sine_coefficients(gap, mismatch.space[other], low, high, count, size, deadline)
        along[axis, end], error = found[0], max(error, found[1])
    waves = [np.arange(1, count + 1) * np.pi / side for side in sides]
    signs = (-1.0) ** np.arange(1, count + 1)
    from_sides = np.outer(waves[0], along[0, 0]) - np.outer(signs * waves[0], along[0, 1])
    from_sides += np.outer(along[1, 0], waves[1]) - np.outer(along[1, 1], signs * waves[1])
    eigenvalues = _eigenvalues(sides, count)
    peak = 2 / math.sqrt(width * height)
    weights = peak**2 * square / eigenvalues / (eigenvalues - square)
    doubt = float((np.abs(weights) * 2 * error * np.add.outer(waves[0], waves[1])).sum())
    _, tail = _spectrum(sides, square)
    rest = peak * math.sqrt(tail) * square * math.sqrt(width * height) * size
    return (_sine_sup(weights * from_sides) + doubt + rest) * (1 + 1e-6)


def _sine_sup(coefficients: np.ndarray) -> float:
    """Bound of |Σ c_mn sin(mθ) sin(nφ)|: values at M points per period, over cos(πN/M) per axis (degree N)."""
    count = len(coefficients)
    table = np.sin(np.outer(np.arange(8 * count + 1) * np.pi / (8 * count), np.arange(1, count + 1)))
    largest = float(np.abs(table @ coefficients @ table.T).max())
    return largest / math.cos(math.pi / 16) ** 2 + 1e-12 * float(np.abs(coefficients).sum())
