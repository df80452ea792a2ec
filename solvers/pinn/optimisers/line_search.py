"""Strong Wolfe line search along a direction, with every evaluation used once."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import line_search
from torch import Tensor

from solvers.pinn.objective import Objective

_CURVATURE = 0.9  # of quasi-Newton methods (Nocedal & Wright 2006, section 3.1)
_EVALUATIONS = 25


@dataclass(frozen=True, eq=False)
class Landing:
    """Where a line search ended."""

    theta: Tensor
    loss: float
    gradient: Tensor
    length: float


def search(
    objective: Objective, theta: Tensor, loss: float, gradient: Tensor, direction: Tensor, first: float = 1.0
) -> Landing | None:
    """A point that satisfies the strong Wolfe conditions.

    Args:
        objective: The objective.
        theta: Start.
        loss: Loss there.
        gradient: Gradient there.
        direction: Direction of descent.
        first: Length of the first trial.

    Returns:
        The point with its gradient, or None where none was found.
    """
    seen: dict[bytes, tuple[float, Tensor]] = {}

    def at(x: np.ndarray) -> tuple[float, Tensor]:
        key = x.tobytes()
        if key not in seen:
            evaluation = objective.evaluate(torch.tensor(x, device=theta.device))
            assert evaluation.gradient is not None
            value = evaluation.loss if np.isfinite(evaluation.loss) else float("inf")
            seen[key] = value, torch.nan_to_num(evaluation.gradient)
        return seen[key]

    start, along = theta.cpu().numpy(), (first * direction).cpu().numpy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a failed search is answered by None
        length, *_ = line_search(
            lambda x: at(x)[0], lambda x: at(x)[1].cpu().numpy(), start, along, gradient.cpu().numpy(), loss,
            c2=_CURVATURE, maxiter=_EVALUATIONS,
        )  # fmt: skip
    if length is None:
        return _lowest(seen, theta, loss, direction)
    place = start + length * along
    value, slope = at(place)
    return Landing(torch.tensor(place, device=theta.device), value, slope, float(length) * first)


def _lowest(seen: dict[bytes, tuple[float, Tensor]], theta: Tensor, loss: float, direction: Tensor) -> Landing | None:
    """The best point that a failed search has met, where it is an improvement at all."""
    key, (value, slope) = min(seen.items(), key=lambda item: item[1][0], default=(b"", (float("inf"), theta)))
    if not value < loss:
        return None
    place = torch.tensor(np.frombuffer(key), device=theta.device)
    return Landing(place, value, slope, float((place - theta).norm() / direction.norm()))
