"""SOAP: Adam in the slowly rotating eigenbasis of Shampoo's preconditioner (Vyas et al. 2024, arXiv 2409.11321)."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from sciml.errors import SolverError
from solvers.pinn.objective import Objective
from solvers.pinn.optimisers.protocol import Step


class SOAP:
    """Adam on gradients rotated layer by layer into the eigenbases of GGᵀ and GᵀG.

    Args:
        rate: Learning rate.
        betas: Decay of the first and second moment and, third, of the matrices.
        every: Steps between updates of the eigenbases.

    Raises:
        SolverError: If the rate is not positive or `every` below 1.
    """

    name = "SOAP"
    first_order = True  # the objective may change between any two steps

    def __init__(
        self, rate: float = 3e-3, betas: tuple[float, float, float] = (0.95, 0.95, 0.95), every: int = 10
    ) -> None:
        if not rate > 0 or every < 1:
            raise SolverError("rate > 0 and every >= 1", f"rate={rate}, every={every}", "SOAP(rate=3e-3)")
        self.rate, self.betas, self.every = rate, betas, every
        self._count = 0
        self._tensors: dict[str, Tensor] = {}

    def step(self, objective: Objective, theta: Tensor) -> Step:
        """One step.

        Args:
            objective: The objective.
            theta: θ.

        Returns:
            The step; its loss is the one before the step.
        """
        evaluation = objective.evaluate(theta)
        gradient = evaluation.gradient
        assert gradient is not None
        self._count += 1
        shapes = [tuple(p.shape) for p in objective.trainable] + [(1,)] * len(objective.unknowns)
        moves, start = [], 0
        for i, shape in enumerate(shapes):
            size = math.prod(shape)
            moves.append(self._layer(i, gradient[start : start + size].reshape(shape)).reshape(-1))
            start += size
        return Step(
            theta - self.rate * torch.cat(moves), evaluation.loss, "", {"gradient norm": float(gradient.norm())}
        )

    def _layer(self, i: int, gradient: Tensor) -> Tensor:
        bases = self._bases(i, gradient) if gradient.ndim == 2 else None
        a, b, _ = self.betas
        first = self._moment(f"{i} first", gradient, a)
        rotated = _rotate(gradient, bases)
        second = self._moment(f"{i} second", rotated**2, b)
        mean = _rotate(first, bases) / (1 - a**self._count)
        move = mean / ((second / (1 - b**self._count)).sqrt() + 1e-12)
        return _rotate(move, bases and (bases[0].T, bases[1].T))

    def _moment(self, name: str, value: Tensor, decay: float) -> Tensor:
        old = self._tensors.get(name, torch.zeros_like(value))
        self._tensors[name] = decay * old + (1 - decay) * value
        return self._tensors[name]

    def _bases(self, i: int, gradient: Tensor) -> tuple[Tensor, Tensor]:
        """Orthogonal Q_L, Q_R with rotated = Q_Lᵀ G Q_R, refreshed by one step of orthogonal iteration."""
        for side, product in (("left", gradient @ gradient.T), ("right", gradient.T @ gradient)):
            matrix = self._moment(f"{i} {side} matrix", product, self.betas[2])
            name = f"{i} {side} basis"
            if name not in self._tensors:
                self._tensors[name] = torch.linalg.eigh(matrix)[1].flip(1)
            elif self._count % self.every == 0:
                self._tensors[name] = torch.linalg.qr(matrix @ self._tensors[name])[0]
        return self._tensors[f"{i} left basis"], self._tensors[f"{i} right basis"]

    def moved(self) -> None:
        """The averages stay."""

    def state(self) -> dict[str, Any]:
        """Moments, matrices, bases and step count."""
        return {"count": self._count, **self._tensors}

    def load_state(self, state: dict[str, Any]) -> None:
        """Continue from `state()`."""
        self._tensors = dict(state)
        self._count = int(self._tensors.pop("count"))


def _rotate(matrix: Tensor, bases: tuple[Tensor, Tensor] | None) -> Tensor:
    return matrix if bases is None else bases[0].T @ matrix @ bases[1]
