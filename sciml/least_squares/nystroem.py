"""Nyström preconditioner and the factor made of it: solves with AᵀA + μI from products alone.

AᵀA ≈ U Λ Uᵀ from its action on a random block (Frangella, Tropp & Udell 2023, arXiv 2110.02820); the
preconditioner U (Λ + μ)⁻¹(λ_k + μ) Uᵀ + (I - UUᵀ) leaves a condition number near 1 where the rank exceeds twice
the effective dimension. Used for natural-gradient training by Bioli, Marcati & Sangalli 2025, arXiv 2505.11638.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from sciml.least_squares.iterative import conjugate_gradient

Map = Callable[[Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class NystroemApproximation:
    """U (P, k) and Λ (k,) with AᵀA ≈ U Λ Uᵀ from below."""

    vectors: Tensor
    eigenvalues: Tensor

    def precondition(self, damping: float) -> Map:
        """The map v -> approximate (AᵀA + μI)⁻¹v, up to a factor."""
        last = float(self.eigenvalues[-1])
        shrink = (last + damping) / (self.eigenvalues + damping) - 1
        return lambda v: v + self.vectors @ (shrink * (self.vectors.T @ v))

    def effective_dimension(self, damping: float) -> float:
        """Σ λ/(λ + μ) over the k eigenvalues found: a lower bound."""
        return float((self.eigenvalues / (self.eigenvalues + damping)).sum())


def nystroem(product: Map, size: int, rank: int, seed: int = 0) -> NystroemApproximation:
    """Approximate a positive semidefinite matrix by its action on `rank` random orthonormal vectors.

    Args:
        product: v (P,) -> AᵀAv.
        size: P.
        rank: k <= P.
        seed: Seed of the vectors.

    Returns:
        The approximation, eigenvalues in decreasing order.

    Example:
        >>> import torch
        >>> found = nystroem(lambda v: torch.arange(5.0, dtype=torch.float64) * v, 5, 5)
        >>> [round(abs(float(value)), 6) for value in found.eigenvalues]
        [4.0, 3.0, 2.0, 1.0, 0.0]
    """
    generator = torch.Generator().manual_seed(seed)
    start, _ = torch.linalg.qr(torch.randn(size, min(rank, size), dtype=torch.float64, generator=generator))
    image = torch.stack([product(column) for column in start.T], dim=1)
    shift = float(torch.finfo(torch.float64).eps) * float(image.norm())
    image = image + shift * start
    core = start.T @ image
    lower = torch.linalg.cholesky((core + core.T) / 2)
    half = torch.linalg.solve_triangular(lower, image.T, upper=False).T
    vectors, singular, _ = torch.linalg.svd(half, full_matrices=False)
    return NystroemApproximation(vectors, (singular**2 - shift).clamp(min=0))


@dataclass(frozen=True, eq=False)
class SketchedHat:
    """A B⁻¹Aᵀ ≈ WᵀW from a Nyström approximation: leverage from below, complements from above.

    Attributes:
        half: W, (k, N).
    """

    half: Tensor

    @classmethod
    def of(cls, sketch: NystroemApproximation, push: Map, damping: float) -> SketchedHat:
        """W = (Λ + μ)^(-1/2) Uᵀ Aᵀ by k products."""
        scaled = sketch.vectors / torch.sqrt(sketch.eigenvalues + damping)
        return cls(torch.stack([push(column) for column in scaled.T]))

    def leverage(self) -> Tensor:
        """h_i, (N,)."""
        return (self.half**2).sum(dim=0)

    def complement(self, index: Tensor) -> Tensor:
        """I - A_C B⁻¹A_Cᵀ for sets of rows (..., m)."""
        chosen = self.half[:, index]
        hat = torch.einsum("k...m,k...n->...mn", chosen, chosen)
        return torch.eye(index.shape[-1], dtype=hat.dtype, device=hat.device) - hat


class Hat(Protocol):
    """What is known of A B⁻¹Aᵀ."""

    def leverage(self) -> Tensor:
        """h_i, (N,)."""
        ...

    def complement(self, index: Tensor) -> Tensor:
        """I - A_C B⁻¹A_Cᵀ for sets of rows (..., m)."""
        ...


@dataclass(frozen=True, eq=False)
class IterativeFactor:
    """Solves with a positive definite B from its products: the interface of `DampedFactor` without a factor.

    Attributes:
        product: v -> Bv.
        push: v -> Av.
        pull: u -> Aᵀu.
        condition: Approximate inverse of B.
        hat: Leverage and complements, as good as they are.
        tolerance: Relative residual of each solve.
    """

    product: Map
    push: Map
    pull: Map
    condition: Map
    hat: Hat
    tolerance: float = 1e-10
    kind: str = "iterative"

    def solve(self, vectors: Tensor) -> Tensor:
        """B⁻¹v for v (P,) or (P, k), column by column."""
        if vectors.ndim == 2:
            return torch.stack([self.solve(column) for column in vectors.T], dim=1)
        if not bool(vectors.any()):
            return torch.zeros_like(vectors)
        return conjugate_gradient(self.product, vectors, self.condition, self.tolerance, 2000)

    def solve_rows(self, values: Tensor) -> Tensor:
        """B⁻¹Aᵀv for v (N,) or (N, k)."""
        if values.ndim == 2:
            return torch.stack([self.solve_rows(column) for column in values.T], dim=1)
        return self.solve(self.pull(values))

    def row_products(self, vectors: Tensor) -> Tensor:
        """A B⁻¹v for v (P,) or (P, k)."""
        if vectors.ndim == 2:
            return torch.stack([self.row_products(column) for column in vectors.T], dim=1)
        return self.push(self.solve(vectors))

    def leverage(self) -> Tensor:
        """h_i, (N,), of `hat`."""
        return self.hat.leverage()

    def complement(self, index: Tensor) -> Tensor:
        """I - A_C B⁻¹A_Cᵀ of `hat` for sets of rows (..., m)."""
        return self.hat.complement(index)
