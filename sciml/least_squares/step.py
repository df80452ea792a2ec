"""Scaled rows and the damped Gauss–Newton step."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from sciml.errors import SolverError
from sciml.least_squares.factor import DampedFactor, damped_factor
from sciml.least_squares.sharded import ShardedMatrix


@dataclass(frozen=True, eq=False)
class ScaledRows:
    """A = √(2w) J and ρ = √(2w) r, so that L = Σ w r² = |ρ|²/2, grad L = Aᵀρ and AᵀA is its Gauss–Newton Hessian."""

    matrix: Tensor | ShardedMatrix
    residual: Tensor

    @property
    def loss(self) -> Tensor:
        """Σ w r² = |ρ|²/2."""
        return 0.5 * self.residual @ self.residual

    @property
    def gradient(self) -> Tensor:
        """Gradient of Σ w r²."""
        return self.matrix.T @ self.residual

    def row_squares(self) -> Tensor:
        """Squared length of every row of A, (N,); finite unless an entry is not."""
        return (self.matrix**2).sum(dim=1) if isinstance(self.matrix, Tensor) else self.matrix.row_squares()


def scale_rows(residual: Tensor, jacobian: Tensor, weights: Tensor, overwrite: bool = False) -> ScaledRows:
    """Rows of `min Σ w r²` in the scaling used everywhere.

    Args:
        residual: r, (N,).
        jacobian: J, (N, P).
        weights: w >= 0, (N,).
        overwrite: Whether A may take the memory of J.

    Returns:
        A and ρ.

    Raises:
        SolverError: If shapes disagree or a weight is negative.
    """
    if residual.shape != weights.shape or jacobian.shape[:1] != residual.shape or bool((weights < 0).any()):
        raise SolverError(
            "r (N,), J (N, P), w (N,) >= 0",
            f"r {tuple(residual.shape)}, J {tuple(jacobian.shape)}, w {tuple(weights.shape)}",
            "one residual, one row of J and one weight each",
        )
    root = torch.sqrt(2 * weights)
    matrix = jacobian.mul_(root[:, None]) if overwrite else root[:, None] * jacobian
    return ScaledRows(matrix, root * residual)


def gauss_newton_step(rows: ScaledRows, damping: float, centre: Tensor | None = None) -> tuple[Tensor, DampedFactor]:
    """The step -(AᵀA + μI)⁻¹Aᵀρ of Levenberg (1944) and Marquardt (1963).

    Args:
        rows: Scaled rows.
        damping: μ.
        centre: θ - θ_ref when (μ/2)|θ - θ_ref|² is part of the objective rather than a trust region.

    Returns:
        The step (P,) and the factor, for reuse.
    """
    factor = damped_factor(rows.matrix, damping)
    step = -factor.solve_rows(rows.residual)
    if centre is not None:
        step = step - damping * factor.solve(centre)
    return step, factor
