"""Progress: how much a few more steps would gain, and whether the parameters can move the solution at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from influence.diagnosis.pictured import Pictured, bars
from influence.functions import Influence
from sciml.least_squares import NormalMatrix

_SHIFTS = (1e-10, 1e-8, 1e-6, 1e-4, 1e-2, 1.0)  # of the largest eigenvalue
FAINT = 1e-3  # of the largest sensitivity


@dataclass(frozen=True, eq=False)
class Unfinished:
    """The best Levenberg-Marquardt step from where the training ended.

    Attributes:
        drop: Share of the loss that it takes away; 0 if none goes down.
        step: The step, (P,).
        loss: Loss at the end of the training.
    """

    drop: float
    step: torch.Tensor
    loss: float

    def __str__(self) -> str:
        """The gain."""
        return f"one more Gauss-Newton step lowers the loss {self.loss:.2e} by {self.drop:.1%}"


def unfinished_training(influence: Influence) -> Unfinished:
    """Try damped Gauss-Newton steps and evaluate the true objective after each.

    Args:
        influence: Influence of the solution.

    Returns:
        The step of the largest decrease.
    """
    curvature, record = influence.curvature, influence.record
    theta, gradient = curvature.theta, curvature.gradient
    with torch.no_grad():
        start = float(record.loss(theta))
    best, move = start, torch.zeros_like(theta)
    for step in _steps(influence, gradient):
        with torch.no_grad():
            loss = float(record.loss(theta + step))
        if np.isfinite(loss) and loss < best:
            best, move = loss, step
    return Unfinished(1 - best / start if start > 0 else 0.0, move, start)


def _steps(influence: Influence, gradient: torch.Tensor) -> list[torch.Tensor]:
    curvature = influence.curvature
    if curvature.rows is None or not curvature.largest > 0:
        return [-curvature.factor.solve(gradient)]
    normal = NormalMatrix(curvature.rows)
    shifts = [curvature.decay + share * curvature.largest for share in _SHIFTS]
    return [-normal.factor(shift).solve(gradient) for shift in shifts]


@dataclass(frozen=True, eq=False)
class Sensitivity(Pictured):
    """How strongly each parameter acts on the residual rows.

    Attributes:
        columns: Norm of each parameter's column of A, over the largest, (P,).
        faint: Share of the parameters below a thousandth.
        layers: Names of the network's parameter tensors; empty where they are not known.
        levels: Root mean square of the columns of each, over the largest.
    """

    columns: np.ndarray
    faint: float
    layers: tuple[str, ...]
    levels: np.ndarray

    @property
    def vanishing(self) -> bool:
        """Whether most parameters, or all of one layer, hardly act."""
        return self.faint > 0.5 or bool((self.levels < FAINT).any())

    def __str__(self) -> str:
        """Share of faint parameters."""
        weakest = ""
        if len(self.layers):
            i = int(self.levels.argmin())
            weakest = f"; weakest layer {self.layers[i]} at {self.levels[i]:.1e} of the strongest"
        return f"sensitivity: {self.faint:.0%} of {len(self.columns)} parameters below 1/1000 of the largest{weakest}"

    def draw(self, axis: Any) -> None:
        """Layers on a logarithmic axis, or the sorted columns.

        Args:
            axis: Matplotlib axes.
        """
        if len(self.layers):
            bars(axis, self.layers, np.maximum(self.levels, 1e-16), "sensitivity of the layer over the largest")
            axis.set_xscale("log")
        else:
            axis.semilogy(np.sort(np.maximum(self.columns, 1e-16))[::-1])
            axis.set_xlabel("parameter")
            axis.set_ylabel("sensitivity over the largest")
        axis.axvline(FAINT, color="black", linestyle="--") if len(self.layers) else axis.axhline(FAINT, color="black")
        axis.set_title("sensitivity to the parameters", fontsize="medium")


def sensitivity(influence: Influence, model: nn.Module | None = None) -> Sensitivity | None:
    """Norms of the columns of A = √(2w) J.

    Args:
        influence: Influence of the solution.
        model: Its network, whose layers are then named.

    Returns:
        The norms; None where A is not held.
    """
    rows = influence.curvature.rows
    if rows is None:
        return None
    columns = torch.linalg.vector_norm(rows, dim=0).numpy()
    largest = float(columns.max()) or 1.0
    columns = columns / largest
    names, levels, start = [], [], 0
    if isinstance(model, nn.Module):
        own = [(name, p.numel()) for name, p in model.named_parameters() if p.requires_grad]
        if sum(count for _, count in own) + len(influence.record.unknowns) == len(columns):
            for name, count in own:
                names.append(name)
                levels.append(float(np.sqrt(np.mean(columns[start : start + count] ** 2))))
                start += count
    strongest = max(levels, default=1.0) or 1.0
    return Sensitivity(columns, float((columns < FAINT).mean()), tuple(names), np.array(levels) / strongest)
