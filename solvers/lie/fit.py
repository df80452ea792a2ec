"""The linear fit: columns scaled, truncated singular values, and rows held out that judge it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.linalg


@dataclass(frozen=True, eq=False)
class LinearFit:
    """Amplitudes of a fit.

    Attributes:
        amplitudes: (n,).
        rank: Number of singular values kept.
        residual: Root mean square of the weighted rows.
    """

    amplitudes: np.ndarray
    rank: int
    residual: float


_EPS = float(np.finfo(float).eps)
_ROUNDING = 10.0  # units of rounding per amplitude, in the balance of mismatch against cancellation


def solve_rows(
    matrix: np.ndarray, target: np.ndarray, weights: np.ndarray, cut: float = 1e-15, beyond: float = 0.0
) -> LinearFit:
    """Min |W (A a - y)| over the first k singular vectors of the column-scaled W A, k where mismatch meets rounding.

    No ridge: columns are scaled to norm 1, then small singular values are cut, without a bias of the large ones
    (Adcock & Huybrechs 2019, SIAM Rev. 61, 443). Evaluating the sum costs rounding in proportion to the amplitudes,
    so k minimises |W (A a_k - y)| + 10 eps |a_k| (scaled amplitudes): a vector that buys less mismatch than rounding
    stays out. A QR factorisation comes first.

    Args:
        matrix: A, (N, n).
        target: y, (N,).
        weights: Diagonal of W, (N,).
        cut: Relative size of the smallest singular value looked at.
        beyond: Norm of the part of the target that was split off, as no column reaches it.

    Returns:
        The fit.

    Example:
        >>> A = np.array([[1.0, 1.0], [1.0, 1.0], [0.0, 0.0]])
        >>> solve_rows(A, np.array([2.0, 2.0, 0.0]), np.ones(3)).amplitudes.round(12)
        array([1., 1.])
    """
    rows, right = weights[:, None] * matrix, weights * target
    norms = np.linalg.norm(rows, axis=0)
    usable = np.isfinite(norms) & (norms > 1e-150)
    if not usable.any():  # old LAPACK refuses a matrix without columns
        return LinearFit(np.zeros(matrix.shape[1]), 0, float(np.linalg.norm(right)))
    scaled = rows[:, usable] / norms[usable]
    r, reduced, outside = scaled, right, beyond
    if scaled.shape[0] > scaled.shape[1]:
        q, r = scipy.linalg.qr(scaled, mode="economic", check_finite=False)
        reduced = q.T @ right
        outside = math.hypot(beyond, float(np.linalg.norm(right - q @ reduced)))
    solution, rank = _truncated(r, reduced, outside, cut)
    amplitudes = np.zeros(matrix.shape[1])
    amplitudes[usable] = solution / norms[usable]
    return LinearFit(amplitudes, rank, math.hypot(beyond, float(np.linalg.norm(scaled @ solution - right))))


def _truncated(matrix: np.ndarray, right: np.ndarray, outside: float, cut: float) -> tuple[np.ndarray, int]:
    left, singular, vectors = scipy.linalg.svd(matrix, full_matrices=False, check_finite=False)
    keep = singular > cut * singular[:1].max(initial=0.0)
    coefficients, singular = left[:, keep].T @ right, singular[keep]
    beyond = outside**2 + float(np.linalg.norm(right - left[:, keep] @ coefficients)) ** 2
    mismatch = np.sqrt(beyond + np.append(np.cumsum((coefficients**2)[::-1])[::-1], 0.0))
    size = np.sqrt(np.append(0.0, np.cumsum((coefficients / singular) ** 2)))
    rank = int(np.argmin(mismatch + _ROUNDING * _EPS * size))
    return vectors[keep][:rank].T @ (coefficients[:rank] / singular[:rank]), rank


def pruned(
    matrix: np.ndarray, target: np.ndarray, weights: np.ndarray, fit: LinearFit, slack: float = 2.0
) -> LinearFit:
    """Fewer terms for the same mismatch: the fit again on the columns that contribute most.

    Args:
        matrix: A.
        target: y.
        weights: Diagonal of W.
        fit: The fit on all columns.
        slack: Factor by which the mismatch may grow.

    Returns:
        The sparsest fit found whose mismatch is at most slack times that of `fit`, or rounding.

    Example:
        >>> A = np.array([[1.0, 1.0, 0.0], [0.0, 1e-9, 0.0], [0.0, 0.0, 1.0]])
        >>> whole = solve_rows(A, np.array([2.0, 0.0, 1e-20]), np.ones(3))
        >>> pruned(A, np.array([2.0, 0.0, 1e-20]), np.ones(3), whole).amplitudes
        array([2., 0., 0.])
    """
    rows, right = weights[:, None] * matrix, weights * target
    parts, size = np.abs(fit.amplitudes) * np.linalg.norm(rows, axis=0), float(np.linalg.norm(right))
    allowed = slack * max(fit.residual, 4 * _EPS * size)
    counts = [int(np.count_nonzero(parts > level * size)) for level in 10.0 ** np.arange(-2, -17, -1)]
    counts = [k for k in sorted(set(counts)) if 0 < k < np.count_nonzero(fit.amplitudes)]
    if not counts:
        return fit
    beyond, order = 0.0, np.argsort(-parts, kind="stable")
    if rows.shape[0] > rows.shape[1]:  # once for all subsets
        q, r = scipy.linalg.qr(rows, mode="economic", check_finite=False)
        reduced = q.T @ right
        rows, right, beyond = r, reduced, float(np.linalg.norm(right - q @ reduced))

    def on(count: int) -> LinearFit | None:
        keep = np.sort(order[:count])
        again = solve_rows(rows[:, keep], right, np.ones(len(right)), beyond=beyond)
        if again.residual > allowed:
            return None
        amplitudes = np.zeros_like(fit.amplitudes)
        amplitudes[keep] = again.amplitudes
        return LinearFit(amplitudes, again.rank, again.residual)

    return _sparsest(on, counts, fit)


def _sparsest(on: Callable[[int], LinearFit | None], counts: list[int], fit: LinearFit) -> LinearFit:
    """The first of few terms, each cheap to try; among many by bisection, as the mismatch falls with their number.

    It falls only nearly: near rounding a fit on more columns may be the worse one, and an exact short sum be missed.

    Returns:
        The fit; the whole one where none is good enough.
    """
    few = [count for count in counts if count <= fit.amplitudes.size // 8]
    for count in few:
        found = on(count)
        if found is not None:
            return found
    best, low, high = fit, len(few), len(counts)
    while low < high:
        middle = (low + high) // 2
        found = on(counts[middle])
        best, low, high = (best, middle + 1, high) if found is None else (found, low, middle)
    return best
