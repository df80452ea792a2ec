"""Settling: a model that is nearly at a minimum is taken there, on a copy, before it is explained.

Training on points drawn anew ends beside the minimum on the last points. Where a Gauss-Newton step would still gain no
more than a tenth of the loss, Newton's method minimises L(θ) + (δ/2)|θ - θ_0|² from the trained θ_0 on: then the
objective that influences speak of has a minimum to move. What that changed is said in the reliability.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from influence.curvature import Curvature, build_curvature
from influence.refits import refit
from influence.reliability import near_minimum, stationary
from sciml.errors import SolverError
from sciml.record import TrainingRecord


def trained_record(solution: Any) -> TrainingRecord:
    """The objective of a solution, or the record itself.

    Args:
        solution: A solution with a `record`, or a `TrainingRecord`.

    Returns:
        The record.

    Raises:
        SolverError: If there is none.
    """
    record = solution if isinstance(solution, TrainingRecord) else getattr(solution, "record", None)
    if not isinstance(record, TrainingRecord):
        raise SolverError(
            "a solution with a training record, or a TrainingRecord",
            f"{type(solution).__name__} without one",
            "solutions of PINN and of a fitted LieSolver have one; Influence.from_rows takes your own rows",
        )
    return record


def linearised(
    record: TrainingRecord, kind: str, damping: float | None, solver: str, settle: bool
) -> tuple[TrainingRecord, Curvature]:
    """The curvature of a trained model, or of the minimum beside it.

    Args:
        record: The objective.
        kind: "ggn" or "hessian".
        damping: δ, or None.
        solver: See `build_curvature`.
        settle: Whether to move to the minimum where it is near.

    Returns:
        The record, with parameters of the minimum where that was found, and the curvature there.
    """
    first = build_curvature(record, "ggn" if settle else kind, damping, solver)
    moved = _settled(record, first) if settle else None
    if moved is None:
        return record, first if first.kind == kind else build_curvature(record, kind, damping, solver)
    theta, steps = moved
    made = replace(record, parameters=theta)
    curvature = build_curvature(made, kind, first.proximal, solver, first)
    slope = curvature.gradient + first.proximal * (theta - first.theta)
    unused = 0.5 * float(slope @ curvature.factor.solve(slope))
    lowest = first.lowest if curvature.lowest is None else curvature.lowest
    notes = (*curvature.notes, _note(record, theta, steps))
    return made, replace(curvature, slope=slope, unused=unused, lowest=lowest, notes=notes)


def _settled(record: TrainingRecord, curvature: Curvature) -> tuple[Tensor, int] | None:
    """The minimiser beside θ_0 and the steps to it; None where there is no need or it is not near."""
    if stationary(curvature) or not near_minimum(curvature) or not curvature.exact:
        return None
    made = refit(record, replace(curvature, gradient=torch.zeros_like(curvature.theta)), record.weights)
    return (made.theta, made.steps) if made.converged else None


def _note(record: TrainingRecord, theta: Tensor, steps: int) -> str:
    """What settling did."""
    before, after = (float(record.loss(t.detach())) for t in (record.parameters.to(torch.float64), theta))
    text = f"settled on its last points: {steps} Newton step(s) lowered the loss by {1 - after / before:.2g} of it"
    moved = _field_change(record, theta)
    return text if moved is None else f"{text} and moved fields by up to {moved:.1e} of their spread"


def _field_change(record: TrainingRecord, theta: Tensor) -> float | None:
    """Largest change of a field at the training points, in units of its spread there."""
    if record.quantity is None or record.problem is None:
        return None
    order = (0,) * len(record.problem.coordinates)
    jets = [(k, order) for k in range(len(record.problem.fields))]
    where = torch.tensor(record.points.coordinates)
    with torch.no_grad():
        before, after = (record.quantity(t, where, jets).numpy() for t in (record.parameters.to(theta.dtype), theta))
    return float((np.abs(after - before).max(axis=0) / np.maximum(np.ptp(before, axis=0), 1e-300)).max())


def made_again(kind: Any, given: tuple) -> Any:
    """An `Influence` in another process; what it warned of was said where it was made first.

    Args:
        kind: The class.
        given: Its arguments.

    Returns:
        The object.
    """
    made = kind.__new__(kind)
    made._make(*given)
    return made
