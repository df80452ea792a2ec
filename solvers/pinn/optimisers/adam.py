"""Adam (Kingma & Ba 2015, arXiv 1412.6980) on the flat parameter vector."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from sciml.errors import SolverError
from solvers.pinn.objective import Objective
from solvers.pinn.optimisers.protocol import Step


class Adam:
    """Adam with bias correction.

    Args:
        rate: Learning rate.
        betas: Decay of the first and second moment.

    Raises:
        SolverError: If the rate is not positive.
    """

    name = "Adam"
    first_order = True  # the objective may change between any two steps

    def __init__(self, rate: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999)) -> None:
        if not rate > 0:
            raise SolverError("rate > 0", str(rate), "Adam(rate=1e-3)")
        self.rate, self.betas = rate, betas
        self._count, self._first, self._second = 0, torch.zeros(0), torch.zeros(0)

    def step(self, objective: Objective, theta: Tensor) -> Step:
        """One step.

        Args:
            objective: The objective.
            theta: θ.

        Returns:
            The step; its loss is the one before the step, as the one after would cost an evaluation.
        """
        evaluation = objective.evaluate(theta)
        gradient = evaluation.gradient
        assert gradient is not None
        if self._first.shape != gradient.shape:
            self._first, self._second = torch.zeros_like(gradient), torch.zeros_like(gradient)
        self._count += 1
        a, b = self.betas
        self._first = a * self._first + (1 - a) * gradient
        self._second = b * self._second + (1 - b) * gradient**2
        mean, square = self._first / (1 - a**self._count), self._second / (1 - b**self._count)
        return Step(
            theta - self.rate * mean / (square.sqrt() + 1e-12),
            evaluation.loss,
            "",
            {"gradient norm": float(gradient.norm())},
        )

    def moved(self) -> None:
        """The moments stay: they average over points anyway."""

    def state(self) -> dict[str, Any]:
        """Moments and step count."""
        return {"count": self._count, "first": self._first, "second": self._second}

    def load_state(self, state: dict[str, Any]) -> None:
        """Continue from `state()`."""
        self._count, self._first, self._second = int(state["count"]), state["first"], state["second"]
