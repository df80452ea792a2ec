"""Newton steps of a changed objective, by conjugate gradients on exact Hessian products."""

from __future__ import annotations

from torch import Tensor

from influence.curvature import Curvature
from influence.hessian import hessian_operator
from sciml.least_squares import conjugate_gradient
from sciml.record import TrainingRecord


def changed_solve(
    changed: TrainingRecord, curvature: Curvature, theta: Tensor, right: Tensor, tolerance: float, shift: float = 0.0
) -> Tensor:
    """(H' + δI + shift)⁻¹v with H' the Hessian of a changed objective, preconditioned by the factor of the trained one.

    Args:
        changed: The objective with other weights.
        curvature: Curvature of the trained objective.
        theta: Where H' is taken.
        right: v, (P,).
        tolerance: Relative residual.
        shift: Further damping.

    Returns:
        (P,).

    Raises:
        ConvergenceError: If the changed Hessian is indefinite or the tolerance is not reached.
    """
    exact = hessian_operator(changed, theta)

    def product(vector: Tensor) -> Tensor:
        return exact(vector) + (curvature.proximal + shift) * vector

    return conjugate_gradient(product, right, curvature.factor.solve, tolerance, 300)
