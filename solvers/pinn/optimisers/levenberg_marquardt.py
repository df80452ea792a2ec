"""Levenberg–Marquardt with geodesic acceleration and gain-ratio damping.

Step v = -(AᵀA + μI)⁻¹Aᵀρ (Levenberg 1944, Marquardt 1963), in parameter or sample space, whichever is
smaller. Second-order correction a from the directional second derivative of the residual along v
(Transtrum & Sethna 2012, arXiv 1201.5885): ρ_vv = (2/h)[(ρ(θ+hv) - ρ)/h - Av], step v + a/2, refused where
2|a| > 0.75|v|. Damping by the ratio of the actual to the predicted decrease (Nielsen 1999).
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from sciml.errors import SolverError
from sciml.least_squares import DampedFactor, NormalMatrix, ScaledRows
from solvers.pinn.objective import Objective
from solvers.pinn.optimisers.protocol import Step

_PROBE = 0.1  # length of the finite difference along v, relative to v
_BEND = 0.75  # largest 2|a|/|v| of an accepted step
_TRIALS = 12


class LevenbergMarquardt:
    """Damped Gauss–Newton steps.

    Args:
        damping: μ at the start.
        geodesic: Whether to add the second-order correction.

    Attributes:
        factor: Factor of the last accepted step, for a resampler that needs one; None before.

    Raises:
        SolverError: If the damping is not positive.
    """

    name = "Levenberg-Marquardt"

    def __init__(self, damping: float = 1e-2, geodesic: bool = True) -> None:
        if not damping > 0:
            raise SolverError("damping > 0", str(damping), "LevenbergMarquardt(damping=1e-2)")
        self.damping, self.geodesic = damping, geodesic
        self._growth = 2.0
        self.factor: DampedFactor | None = None

    def step(self, objective: Objective, theta: Tensor) -> Step:
        """One accepted step, after as many increases of the damping as it takes.

        Args:
            objective: The objective.
            theta: θ, (P,).

        Returns:
            The step.
        """
        self.factor = None  # its memory is needed
        rows = objective.linearise(theta)
        if not math.isfinite(float(rows.matrix.sum())):
            return Step(theta, float("nan"))
        normal, gradient, loss = NormalMatrix(rows.matrix), rows.gradient, float(rows.loss)
        for _ in range(_TRIALS):
            factor = normal.factor(self.damping)
            move = -factor.solve_rows(rows.residual)
            predicted = 0.5 * float(move @ (self.damping * move - gradient))
            if not predicted > 1e-16 * loss:
                return Step(theta, loss, "the model predicts no further decrease", self._numbers(gradient))
            bend = self._bend(objective, theta, rows, factor, move)
            if bend is not None:
                candidate = theta + move + 0.5 * bend
                new = objective.scaled_residual(candidate)
                reached = 0.5 * float(new @ new)
                if reached < loss:
                    self.factor = factor
                    self._accept((loss - reached) / predicted)
                    return Step(candidate, reached, "", self._numbers(gradient))
            self.damping *= self._growth
            self._growth = min(1.5 * self._growth, 8.0)
        return Step(theta, loss, "no decrease along damped steps", self._numbers(gradient))

    def _bend(
        self, objective: Objective, theta: Tensor, rows: ScaledRows, factor: DampedFactor, move: Tensor
    ) -> Tensor | None:
        """The acceleration a; None where the path bends too much for the step."""
        if not self.geodesic:
            return torch.zeros_like(move)
        probe = objective.scaled_residual(theta + _PROBE * move)
        second = (2 / _PROBE) * ((probe - rows.residual) / _PROBE - rows.matrix @ move)
        if not bool(torch.isfinite(second).all()):
            return None
        bend = -factor.solve_rows(second)
        return bend if 2 * float(bend.norm()) <= _BEND * float(move.norm()) else None

    def _accept(self, ratio: float) -> None:
        self.damping *= max(1 / 5, 1 - (2 * min(ratio, 1.0) - 1) ** 3)
        self._growth = 2.0

    def _numbers(self, gradient: Tensor) -> dict[str, float]:
        return {"damping": self.damping, "gradient norm": float(gradient.norm())}

    def moved(self) -> None:
        """The damping stays: it belongs to the problem rather than to the points."""

    def state(self) -> dict[str, Any]:
        """Damping and its growth."""
        return {"damping": self.damping, "growth": self._growth}

    def load_state(self, state: dict[str, Any]) -> None:
        """Continue from `state()`."""
        self.damping, self._growth = float(state["damping"]), float(state["growth"])
