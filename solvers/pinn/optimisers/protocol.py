"""What the training loop needs from an optimiser."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from torch import Tensor

from solvers.pinn.objective import Objective


@dataclass(frozen=True, eq=False)
class Step:
    """Outcome of one step.

    Attributes:
        theta: The new iterate; the old one where nothing better was found.
        loss: Loss there, on the objective's points.
        stuck: Why no further progress is possible on these points; empty while there is.
        numbers: Figures worth recording, such as the damping.
    """

    theta: Tensor
    loss: float
    stuck: str = ""
    numbers: dict[str, float] = field(default_factory=dict)


class Optimiser(Protocol):
    """A method that improves θ step by step; all of its memory is in `state`."""

    name: str

    def step(self, objective: Objective, theta: Tensor) -> Step:
        """One step from θ."""
        ...

    def moved(self) -> None:
        """The points of the objective have changed: drop what refers to the old ones."""
        ...

    def state(self) -> dict[str, Any]:
        """Everything needed to continue bit by bit: numbers and tensors."""
        ...

    def load_state(self, state: dict[str, Any]) -> None:
        """Continue from `state()`."""
        ...
