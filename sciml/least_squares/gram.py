"""Gram matrix AᵀA, by the symmetric rank-k update of BLAS where it can be used."""

from __future__ import annotations

import torch
from scipy.linalg import blas
from torch import Tensor


def gram(rows: Tensor) -> Tensor:
    """AᵀA; on the CPU by the symmetric rank-k update of BLAS, half the work of a general product.

    Args:
        rows: A, (N, P), float64.

    Returns:
        (P, P), exactly symmetric.
    """
    lower = lower_gram(rows)
    return lower.tril() + lower.tril(-1).T


def lower_gram(rows: Tensor) -> Tensor:
    """AᵀA on and below the diagonal: all that a Cholesky factor needs."""
    if rows.device.type != "cpu" or not rows.numel():
        return rows.T @ rows
    array = rows.detach().numpy()
    # either order of memory is read as it is
    upper = blas.dsyrk(1.0, array.T) if array.flags.c_contiguous else blas.dsyrk(1.0, array, trans=1)
    return torch.from_numpy(upper.T)
