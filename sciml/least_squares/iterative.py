"""Preconditioned conjugate gradients for products beyond dense size."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from sciml.errors import ConvergenceError


def conjugate_gradient(
    product: Callable[[Tensor], Tensor],
    right: Tensor,
    preconditioner: Callable[[Tensor], Tensor] | None = None,
    tolerance: float = 1e-10,
    iterations: int = 1000,
) -> Tensor:
    """Solve Bx = v for a symmetric positive definite B given by its products (Hestenes & Stiefel 1952).

    Args:
        product: v -> Bv.
        right: v, (P,).
        preconditioner: Approximate inverse of B.
        tolerance: Relative residual to reach.
        iterations: Most iterations.

    Returns:
        x, (P,).

    Raises:
        ConvergenceError: If B is found indefinite or the tolerance is not reached.

    Example:
        >>> import torch
        >>> B = torch.diag(torch.tensor([1.0, 4.0, 9.0], dtype=torch.float64))
        >>> conjugate_gradient(lambda v: B @ v, torch.ones(3, dtype=torch.float64)).numpy().round(4)
        array([1.    , 0.25  , 0.1111])
    """
    apply = preconditioner or (lambda v: v)
    solution, residual = torch.zeros_like(right), right.clone()
    goal = tolerance * float(right.norm())
    direction = conditioned = apply(residual)
    inner = residual @ conditioned
    for _ in range(iterations):
        if float(residual.norm()) <= goal:
            return solution
        image = product(direction)
        curvature = direction @ image
        if float(curvature) <= 0:
            raise ConvergenceError(
                "a positive definite matrix",
                f"curvature {float(curvature):.3g} along a direction",
                "add damping",
            )
        length = inner / curvature
        solution, residual = solution + length * direction, residual - length * image
        conditioned = apply(residual)
        inner, before = residual @ conditioned, inner
        direction = conditioned + (inner / before) * direction
    if float(residual.norm()) <= goal:
        return solution
    raise ConvergenceError(
        f"relative residual {tolerance} within {iterations} iterations",
        f"{float(residual.norm()) / max(float(right.norm()), 1e-300):.3g}",
        "give a preconditioner or more damping",
    )
