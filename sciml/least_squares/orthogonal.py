"""Least squares by orthogonal factors: as accurate as the numbers allow, at twice the cost of normal equations."""

from __future__ import annotations

import numpy as np
import torch
from scipy.linalg import qr, solve_triangular
from torch import Tensor

from sciml.errors import SolverError


def orthogonal_solution(rows: Tensor, right: Tensor, damping: float = 1e-14) -> Tensor:
    """Minimise |A x - b|² + μ² |D x|² by Householder QR of [A b; μD 0], D the lengths of A's columns.

    Products AᵀA lose half of the digits, which nearly dependent columns, as of random features, do not forgive. μ is
    `damping` times √P: what is left undetermined by rounding stays small (Golub & Van Loan 2013, section 6.1).

    Args:
        rows: A, (N, P).
        right: b, (N,).
        damping: Relative damping, some times the rounding unit.

    Returns:
        x, (P,).

    Raises:
        SolverError: If the shapes disagree or the damping is not positive.

    Example:
        >>> import torch
        >>> A = torch.tensor([[1.0, 1.0], [1.0, 1.0 + 1e-9], [1.0, 2.0]], dtype=torch.float64)
        >>> x = orthogonal_solution(A, A @ torch.tensor([3.0, -1.0], dtype=torch.float64))
        >>> bool((x - torch.tensor([3.0, -1.0])).abs().max() < 1e-6)
        True
    """
    if rows.ndim != 2 or right.shape != rows.shape[:1] or not damping > 0:
        raise SolverError(
            "A (N, P), b (N,), damping > 0", f"A {tuple(rows.shape)}, b {tuple(right.shape)}, damping {damping}", ""
        )
    matrix, (count, size) = rows.detach().numpy(), rows.shape
    if not size:
        return rows.new_zeros(0)
    length = np.linalg.norm(matrix, axis=0)
    length[length == 0] = 1.0
    stacked = np.zeros((count + size, size + 1), order="F")
    stacked[:count, :size] = matrix / length
    stacked[:count, size] = right.detach().numpy()
    stacked[count + np.arange(size), np.arange(size)] = damping * size**0.5
    triangle = qr(stacked, mode="r", overwrite_a=True, check_finite=False)[0]
    return torch.from_numpy(
        solve_triangular(triangle[:size, :size], triangle[:size, size], check_finite=False) / length
    )
