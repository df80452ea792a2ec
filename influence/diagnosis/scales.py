"""Scales of a training record: sizes of fields and of summands, by `sciml.scales`."""

from __future__ import annotations

import numpy as np
import torch

from influence.functions import Influence
from sciml import scales
from sciml.points import PointSet
from sciml.scales import Labelled, Scales
from sciml.terms import Term


def field_scales(influence: Influence) -> Scales | None:
    """Spread of every field over interior predictions and over the data of conditions u = g.

    Args:
        influence: Influence of the solution.

    Returns:
        The scales; None without a problem.
    """
    problem, quantity = influence.problem, influence.record.quantity
    if problem is None or quantity is None:
        return None
    jets = [(k, (0,) * len(problem.coordinates)) for k in range(len(problem.fields))]

    def values(points: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return quantity(influence.curvature.theta, torch.tensor(points), jets).detach().numpy()

    return scales.field_scales(problem, values)


def summand_sizes(influence: Influence, points: PointSet, spreads: tuple[float, ...]) -> dict[str, float]:
    """Root mean square of the largest summand of every component, over points of the terms.

    Args:
        influence: Influence of the solution.
        points: Points.
        spreads: Spread of each field.

    Returns:
        Component -> size; empty where a record cannot evaluate other rows.
    """
    problem, at = influence.problem, influence.record.rows.at
    if problem is None or at is None:
        return {}

    def rows(places: PointSet, terms: list[Term]) -> Labelled:
        made = at(places, terms)
        with torch.no_grad():
            return made.labels, made.residual(influence.curvature.theta).detach().numpy()

    count = len(problem.unknowns)
    estimates = influence.record.parameters[-count:].tolist() if count else []
    return scales.summand_sizes(problem, rows, points, spreads, dict(zip(problem.unknowns, estimates, strict=True)))
