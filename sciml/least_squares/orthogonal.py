"""Least squares by orthogonal factors: as accurate as the numbers allow, at twice the cost of normal equations."""

from __future__ import annotations

import numpy as np
import torch
from scipy.linalg import qr, solve_triangular
from torch import Tensor

from sciml.errors import SolverError
from sciml.least_squares.sharded import ShardedMatrix


def orthogonal_solution(rows: Tensor | ShardedMatrix, right: Tensor, damping: float = 1e-14) -> Tensor:
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
    if len(rows.shape) != 2 or right.shape != rows.shape[:1] or not damping > 0:
        raise SolverError(
            "A (N, P), b (N,), damping > 0", f"A {tuple(rows.shape)}, b {tuple(right.shape)}, damping {damping}", ""
        )
    if not rows.shape[1]:
        return right.new_zeros(0)
    stacked, length = _equations(rows, right)
    size = rows.shape[1]
    corner = np.arange(size)
    stacked[len(stacked) - size + corner, corner] = damping * size**0.5
    triangle = qr(stacked, mode="r", overwrite_a=True, check_finite=False)[0]
    solution = solve_triangular(triangle[:size, :size], triangle[:size, size], check_finite=False) / length
    return torch.from_numpy(solution).to(right.device)


def _equations(rows: Tensor | ShardedMatrix, right: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """[A D⁻¹ b], or fewer rows with the same solution where A lies on several processes, above P rows of 0; and D."""
    if isinstance(rows, Tensor):
        matrix = rows.detach().cpu().numpy()
        length = np.linalg.norm(matrix, axis=0)
        length[length == 0] = 1.0
        stacked = np.zeros((len(matrix) + len(length), len(length) + 1), order="F")
        stacked[: len(matrix), :-1] = matrix / length
        stacked[: len(matrix), -1] = right.detach().cpu().numpy()
        return stacked, length
    length = rows.column_lengths().numpy()
    length[length == 0] = 1.0
    reduced = rows.triangles(torch.from_numpy(length), right).numpy()
    return np.concatenate([reduced, np.zeros((len(length), len(length) + 1))]).copy(order="F"), length
