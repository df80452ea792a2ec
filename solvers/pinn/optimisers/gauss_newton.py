"""Full Gauss–Newton steps by orthogonal factors: the way to fit a model that is linear in its parameters."""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor

from sciml.errors import SolverError
from sciml.least_squares import orthogonal_solution
from solvers.pinn.objective import Objective
from solvers.pinn.optimisers.protocol import Step

_HALVINGS = 10
_GAIN = 0.5  # least relative decrease of the loss of a step that is worth another


class GaussNewton:
    """Undamped steps -A⁺ρ, halved until the loss falls (Gauss 1809; Björck 1996, section 9.2).

    For linear rows one step reaches the minimum. Near it, or where the basis is exhausted, steps gain little: then it
    says so.

    Args:
        damping: Relative damping of the factor, some times the rounding unit.

    Raises:
        SolverError: If the damping is not positive.
    """

    name = "Gauss-Newton"

    def __init__(self, damping: float = 1e-14) -> None:
        if not damping > 0:
            raise SolverError("damping > 0", str(damping), "GaussNewton(damping=1e-14)")
        self.damping = damping

    def step(self, objective: Objective, theta: Tensor) -> Step:
        """One step, as long as it may be.

        Args:
            objective: The objective.
            theta: θ, (P,).

        Returns:
            The step.
        """
        rows = objective.linearise(theta)
        loss = float(rows.loss)
        if not math.isfinite(float(rows.matrix.sum())):
            return Step(theta, float("nan"))
        move, length = orthogonal_solution(rows.matrix, -rows.residual, self.damping), 1.0
        for _ in range(_HALVINGS):
            candidate = theta + length * move
            new = objective.scaled_residual(candidate)
            reached = 0.5 * float(new @ new)
            if reached < loss:
                stuck = "" if loss - reached > _GAIN * loss else "steps gain little"
                return Step(candidate, reached, stuck, {"step length": length})
            length /= 2
        return Step(theta, loss, "no decrease along the step", {"step length": 0.0})

    def moved(self) -> None:
        """There is no memory."""

    def state(self) -> dict[str, Any]:
        """Nothing."""
        return {}

    def load_state(self, state: dict[str, Any]) -> None:
        """Nothing to continue."""
