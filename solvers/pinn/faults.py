"""What to say when a training meets numbers that are not finite: which term, and at which points."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from solvers.pinn.objective import Objective

_SHOWN = 3  # points named in a message


class Trouble(str):
    """A reason to stop that the user must hear about, not only read in the status."""

    __slots__ = ()


def unsolved(part: float) -> str:
    """What to say of an answer that leaves so much of the equations unexplained.

    Args:
        part: Held-out residual in units of the equations' size at the start.

    Returns:
        A text.
    """
    return (
        f"the problem is not solved: {part:.1e} of the size of its equations and conditions is left on held-out points;"
        " give more time (seconds=), a larger network or time slabs (slabs=), and check that the problem is well posed"
    )


def not_finite(objective: Objective, good: Tensor, reached: Tensor) -> Trouble:
    """Where the objective stops being finite.

    Looked for in this order: residuals at the last good parameters, their derivatives in the parameters
    there, and residuals at the parameters that the failed step reached.

    Args:
        objective: The objective.
        good: θ before the step, finite.
        reached: θ after it.

    Returns:
        Names of terms, number of points and the first of them.
    """
    for theta, what in ((good, "residual"), (good, "derivative"), (reached, "residual after the step")):
        if not bool(torch.isfinite(theta).all()):
            continue
        rows = objective.rows(theta)
        bad = ~torch.isfinite(rows.flat())
        if what == "derivative" and not bool(bad.any()):
            bad = _bad_slopes(objective, theta)
        if bool(bad.any()):
            return Trouble(
                f"the loss is not finite: {what} of {_named(objective, rows.labels, rows.ids, bad)}; {_KEPT}"
            )
    return Trouble(f"the loss is not finite: the step itself overflows, every residual is finite before it; {_KEPT}")


_KEPT = "the last good state is returned"


def _bad_slopes(objective: Objective, theta: Tensor) -> Tensor:
    try:
        return ~torch.isfinite(objective.linearise(theta).row_squares())
    except (RuntimeError, ValueError):  # the diagnosis must never hide the fault
        return torch.zeros(len(objective.rows(theta).flat()), dtype=torch.bool, device=theta.device)


def _named(objective: Objective, labels: np.ndarray, ids: np.ndarray, bad: Tensor) -> str:
    mask = bad.cpu().numpy()
    parts = []
    for name in dict.fromkeys(labels[mask]):
        places = objective.points.locate(ids[mask & (labels == name)])
        shown = "; ".join(_place(objective, place) for place in places[:_SHOWN])
        more = f" and {len(places) - _SHOWN} more" if len(places) > _SHOWN else ""
        parts.append(f"term {name!r} at {shown}{more}")
    return ", ".join(parts)


def _place(objective: Objective, place: np.ndarray) -> str:
    symbols = objective.system.problem.coordinates
    return ", ".join(f"{symbol}={value:.4g}" for symbol, value in zip(symbols, place, strict=True))
