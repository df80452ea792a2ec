"""A direction that lowers all losses alike, in place of the gradient of their sum."""

from __future__ import annotations

import torch
from torch import Tensor

from solvers.pinn.objective import Evaluation, Objective
from solvers.pinn.weighting.scheme import Weighting


class ConflictFree(Weighting):
    """The direction that lowers the losses of all components alike, in place of the gradient (ConFIG).

    With unit gradients u_i as rows of U: ĝ = unit(U⁺ 1), g = (Σ_i g_iᵀ ĝ) ĝ, so that g_iᵀ g has the same sign and
    relative size for all i (Liu, Chu & Thuerey 2024, arXiv 2408.11104). For Adam and SOAP only: the direction is the
    gradient of no loss, so that line searches and Gauss-Newton models do not apply.
    """

    first_order_only = True

    def wrap(self, objective: Objective) -> Objective:
        """The objective with another gradient."""
        return _ConflictFreeObjective(objective)


class _ConflictFreeObjective(Objective):
    """An objective that shows the conflict-free direction as its gradient."""

    def __init__(self, objective: Objective) -> None:
        self.__dict__.update(objective.__dict__)
        self._inner = objective

    def evaluate(self, theta: Tensor, gradient: bool = True) -> Evaluation:
        """Loss and parts as they are, and the conflict-free direction."""
        evaluation = self._inner.evaluate(theta, gradient=False)
        if not gradient:
            return evaluation
        gradients = self._inner.component_gradients(theta, self.scale)
        return Evaluation(evaluation.loss, conflict_free(torch.stack(list(gradients.values()))), evaluation.parts)


def conflict_free(gradients: Tensor) -> Tensor:
    """The conflict-free direction of several gradients.

    Args:
        gradients: (m, P); rows that vanish have no say.

    Returns:
        (P,).

    Example:
        >>> import torch
        >>> g = conflict_free(torch.tensor([[3.0, 0.0], [-1.0, 1.0]], dtype=torch.float64))
        >>> units = torch.tensor([[1.0, 0.0], [-0.5**0.5, 0.5**0.5]], dtype=torch.float64)
        >>> bool(torch.allclose(units @ g, (units @ g)[0].expand(2))) and bool((units @ g > 0).all())
        True
    """
    norms = gradients.norm(dim=1)
    alive = gradients[norms > 0]
    if not len(alive):
        return torch.zeros_like(gradients[0])
    units = alive / norms[norms > 0][:, None]
    direction = torch.linalg.lstsq(units, torch.ones(len(units), 1, dtype=units.dtype), driver="gelsd").solution[:, 0]
    size = direction.norm()
    if not float(size) > 0:
        return torch.zeros_like(direction)
    direction = direction / size
    return (alive @ direction).sum() * direction
