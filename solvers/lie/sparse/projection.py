"""Variable projection: the amplitudes eliminated, the exact Jacobian of what is left."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg

_DEPENDENT = 1e-12  # relative size of a pivot below which a column is left out


@dataclass(frozen=True, eq=False)
class Projection:
    """min_a |A a - y| at one place of the parameters.

    Attributes:
        amplitudes: a, (n,); 0 for columns that depend on others.
        residual: r = y - A a, (N,).
        basis: Orthonormal basis Q of the columns in use, (N, k).
        triangle: R of the scaled columns in use.
        kept: Their indices, as pivoted.
        norms: Norms of all columns.
    """

    amplitudes: np.ndarray
    residual: np.ndarray
    basis: np.ndarray
    triangle: np.ndarray
    kept: np.ndarray
    norms: np.ndarray


def project(matrix: np.ndarray, target: np.ndarray) -> Projection:
    """Solve for the amplitudes by a rank-revealing QR of the columns scaled to norm 1.

    Args:
        matrix: A, weighted rows, (N, n).
        target: Y, weighted, (N,).

    Returns:
        Amplitudes, residual, and the factors.
    """
    norms = np.linalg.norm(matrix, axis=0)
    norms = np.where(norms > 1e-150, norms, 1.0)
    q, r, pivots = scipy.linalg.qr(matrix / norms, mode="economic", pivoting=True, check_finite=False)
    pivot = np.abs(np.diag(r))
    rank = int(np.count_nonzero(pivot > _DEPENDENT * pivot[:1].max(initial=0.0)))
    basis, triangle, kept = q[:, :rank], r[:rank, :rank], pivots[:rank]
    amplitudes = np.zeros(matrix.shape[1])
    inside = basis.T @ target
    amplitudes[kept] = scipy.linalg.solve_triangular(triangle, inside) / norms[kept]
    return Projection(amplitudes, target - basis @ inside, basis, triangle, kept, norms)


def projected_jacobian(at: Projection, slopes: np.ndarray, owners: np.ndarray, exact: bool = True) -> np.ndarray:
    r"""∂r/∂θ of the residual r(θ) = y - A(θ) A⁺(θ) y.

    Column k is -P A_k a - (A⁺)ᵀ A_kᵀ r, P = I - QQᵀ, A_k = ∂A/∂θ_k (Golub & Pereyra 1973, SIAM J. Numer. Anal. 10,
    413). A parameter moves one column: A_k = d_k e_jᵀ, so A_k a = a_j d_k, A_kᵀ r = e_j (d_k·r), and all columns come
    from the one QR of A: (A⁺)ᵀ v = Q R⁻ᵀ v. Kaufman 1975 (BIT 15, 49) leaves the second term out.

    Args:
        at: The projection at θ.
        slopes: d_k = ∂(column j(k))/∂θ_k, weighted, (N, K).
        owners: j(k), the column that θ_k moves, (K,).
        exact: Whether to keep the second term.

    Returns:
        (N, K).

    Example:
        >>> A = np.array([[1.0], [2.0], [0.0]]); y = np.array([1.0, 0.0, 1.0]); d = np.array([[0.0], [0.0], [1.0]])
        >>> step = 1e-6
        >>> moved = project(A + step * d, y).residual - project(A - step * d, y).residual
        >>> bool(np.allclose(projected_jacobian(project(A, y), d, np.array([0])), moved[:, None] / (2 * step)))
        True
    """
    moved = slopes * at.amplitudes[owners]
    jacobian = at.basis @ (at.basis.T @ moved) - moved
    if exact:
        places = np.full(len(at.norms), -1)
        places[at.kept] = np.arange(len(at.kept))
        seen = places[owners] >= 0
        right = np.zeros((len(at.kept), slopes.shape[1]))
        right[places[owners[seen]], np.flatnonzero(seen)] = (at.residual @ slopes[:, seen]) / at.norms[owners[seen]]
        jacobian -= at.basis @ scipy.linalg.solve_triangular(at.triangle, right, trans="T")
    return jacobian
