"""The linear fit: columns scaled, truncated singular values, and rows held out that judge it."""

from __future__ import annotations

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


def solve_rows(matrix: np.ndarray, target: np.ndarray, weights: np.ndarray, cut: float = 1e-14) -> LinearFit:
    """Min |W (A a - y)| over the singular vectors of the column-scaled W A with σ > cut σ_max.

    No ridge: columns are scaled to norm 1, then small singular values are cut, which bounds the amplitudes without
    a bias of the large ones (Adcock & Huybrechs 2019, SIAM Rev. 61, 443). A QR factorisation comes first.

    Args:
        matrix: A, (N, n).
        target: y, (N,).
        weights: Diagonal of W, (N,).
        cut: Relative size of the smallest singular value kept.

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
    scaled = rows[:, usable] / norms[usable]
    if scaled.shape[0] > scaled.shape[1]:
        q, r = scipy.linalg.qr(scaled, mode="economic", check_finite=False)
        reduced = q.T @ right
    else:
        r, reduced = scaled, right
    left, singular, vectors = scipy.linalg.svd(r, full_matrices=False, check_finite=False)
    keep = singular > cut * singular[:1].max(initial=0.0)
    solution = vectors[keep].T @ ((left[:, keep].T @ reduced) / singular[keep])
    amplitudes = np.zeros(matrix.shape[1])
    amplitudes[usable] = solution / norms[usable]
    residual = float(np.linalg.norm(scaled @ solution - right))
    return LinearFit(amplitudes, int(keep.sum()), residual)
