"""The arguments of a PINN, checked, and what makes two trainings the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from sciml.resampling import Resampler
from solvers.pinn.checkpointing import describe
from solvers.pinn.placement import Counts


@dataclass(frozen=True)
class Settings:
    """The arguments of `PINN`, checked."""

    network: nn.Module | None
    seed: int
    steps: int | None
    tolerance: float
    points: Counts | None
    resampler: Resampler | None
    constraints: str
    weights: Mapping[str, float]
    weighting: Any
    optimiser: Any
    progress: bool | None
    device: torch.device | None = None

    def described(self) -> dict[str, Any]:
        """What two trainings must agree on to be the same: everything but limits and display."""
        chosen = self.optimiser
        if isinstance(chosen, (list, tuple)):
            chosen = [optimiser for optimiser, _ in chosen]
        plain = {
            name: getattr(self, name)
            for name in ("network", "seed", "points", "resampler", "constraints", "weights", "weighting")
        }
        return describe({**plain, "optimiser": chosen})
