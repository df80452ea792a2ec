"""Spectrum: one eigendecomposition of AᵀA or AAᵀ that answers for every damping."""

from __future__ import annotations

import torch
from torch import Tensor

from sciml.least_squares.gram import gram


class Spectrum:
    """A = U S Vᵀ by the smaller Gram matrix: effective dimension, leverage and A B⁻¹v for B = AᵀA + μI, for any μ.

    Squares lose singular values below 1e-8 of the largest; they are worth nothing at any μ above 1e-15 of
    the largest eigenvalue, and smaller dampings are refused.

    Args:
        rows: A, (N, P), float64.

    Example:
        >>> import torch
        >>> A = torch.randn(6, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        >>> round(Spectrum(A).effective_dimension(1e-9), 6)
        3.0
    """

    def __init__(self, rows: Tensor) -> None:
        wide = rows.shape[0] < rows.shape[1]
        values, vectors = torch.linalg.eigh(gram(rows.T if wide else rows))
        keep = values > values[-1:].clamp(min=0) * 1e-15
        self.eigenvalues = values[keep].flip(0)
        chosen = vectors[:, keep].flip(1)
        # coordinates U (N, k) of the rows: A = U S Vᵀ
        self.left = chosen if wide else rows @ chosen / torch.sqrt(self.eigenvalues)
        self._rows = rows

    def effective_dimension(self, damping: float) -> float:
        """Σ s²/(s² + μ) = Σ h_i: how many parameters the rows determine against the damping.

        Args:
            damping: μ >= 0.

        Returns:
            A number between 0 and min(N, P).
        """
        return float((self.eigenvalues / (self.eigenvalues + damping)).sum())

    def leverage(self, damping: float) -> Tensor:
        """h_i at damping μ, (N,)."""
        return (self.left**2) @ (self.eigenvalues / (self.eigenvalues + damping))

    def projected(self, vectors: Tensor) -> Tensor:
        """Uᵀ A v, (k, ...): what `row_products` needs of v, whatever the damping."""
        return self.left.T @ (self._rows @ vectors)

    def row_products(self, projected: Tensor, damping: float) -> Tensor:
        """A B⁻¹v, (N, q), from `projected(v)`.

        Args:
            projected: From `projected`.
            damping: μ.

        Returns:
            (N, q).
        """
        return self.left @ (projected / (self.eigenvalues + damping)[:, None])
