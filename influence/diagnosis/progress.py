"""Progress: how much a few more steps would gain, and whether the parameters can move the solution at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from influence.diagnosis.pictured import Pictured, bars
from influence.functions import Influence
from sciml.least_squares import NormalMatrix, gathered, scale_rows

_SHIFTS = (1e-10, 1e-8, 1e-6, 1e-4, 1e-2, 1.0)  # of the largest eigenvalue
FAINT = 1e-3  # of the largest sensitivity


@dataclass(frozen=True, eq=False)
class Unfinished:
    """A few Levenberg-Marquardt steps from where the training ended.

    Attributes:
        drop: Share of the loss that they take away; 0 if none goes down.
        step: Change of θ, (P,).
        loss: Loss at the end of the training.
        steps: Steps done.
    """

    drop: float
    step: torch.Tensor
    loss: float
    steps: int

    def __str__(self) -> str:
        """The gain."""
        what = "one more Gauss-Newton step lowers" if self.steps == 1 else f"{self.steps} more Gauss-Newton steps lower"
        return f"{what} the loss {self.loss:.2e} by {self.drop:.1%}"


def unfinished_training(influence: Influence, steps: int = 1) -> Unfinished:
    """Go on with the training: in each step the best of six dampings on the true objective.

    Args:
        influence: Influence of the solution.
        steps: Most steps.

    Returns:
        What was gained.
    """
    record, curvature = influence.record, influence.curvature
    with torch.no_grad():
        start = float(record.loss(curvature.theta))
    theta, best = curvature.theta, start
    for number in range(steps):
        before = theta
        for step in _steps(influence, None if number == 0 else theta):
            with torch.no_grad():
                loss = float(record.loss(before + step))
            if np.isfinite(loss) and loss < best:
                theta, best = before + step, loss
        if theta is before:
            break
    return Unfinished(1 - best / start if start > 0 else 0.0, theta - curvature.theta, start, steps)


def _steps(influence: Influence, theta: torch.Tensor | None) -> list[torch.Tensor]:
    """Steps of six dampings from θ; from where the curvature was taken when None."""
    curvature, record = influence.curvature, influence.record
    matrix, gradient = curvature.rows, curvature.gradient
    if matrix is None or not curvature.largest > 0:
        return [-curvature.factor.solve(gradient)] if theta is None else []
    if theta is not None:
        residual, jacobian = record.rows.jacobian(theta)
        scaled = scale_rows(residual, jacobian, record.weights.to(torch.float64))
        matrix = gathered(scaled.matrix)
        gradient = scaled.gradient + torch.as_tensor(record.regularisation) * (theta - record.reference)
    normal = NormalMatrix(matrix)
    shifts = [curvature.decay + share * curvature.largest for share in _SHIFTS]
    return [-normal.factor(shift).solve(gradient) for shift in shifts]


@dataclass(frozen=True, eq=False)
class Sensitivity(Pictured):
    """How strongly each parameter acts on the residual rows.

    Attributes:
        columns: Norm of each parameter's column, over the largest, (P,).
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

    @property
    def dying(self) -> bool:
        """Whether sensitivities differ by more than a thousand among the layers before the last: signals die out."""
        hidden = self.levels[:-2]
        return bool(len(hidden) and hidden.max() > 0 and hidden.min() < FAINT * hidden.max())

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


def sensitivity(
    influence: Influence, model: nn.Module | None = None, gradient: torch.Tensor | None = None
) -> Sensitivity | None:
    """Norms of the columns of A = √(2w) J, and of the gradients of predictions where these are given.

    The smaller of the two counts, each over its largest: a term of enormous weight may hide that predictions do not
    depend on a parameter.

    Args:
        influence: Influence of the solution.
        model: Its network, whose layers are then named.
        gradient: Gradients of predictions, (n, P).

    Returns:
        The norms; None where A is not held.
    """
    rows = influence.curvature.rows
    if rows is None:
        return None
    columns = _relative(rows)
    if gradient is not None:
        count = len(columns) - len(influence.record.unknowns)  # coefficients act on rows alone
        columns[:count] = np.minimum(columns, _relative(gradient))[:count]
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


def _relative(rows: torch.Tensor) -> np.ndarray:
    columns = torch.linalg.vector_norm(rows, dim=0).numpy()
    return columns / (float(columns.max()) or 1.0)
