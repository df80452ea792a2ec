"""Places: where some rows lie, in words that a person can act on."""

from __future__ import annotations

import numpy as np

from influence.functions import Influence

_WIDE = 0.6  # share of a coordinate's extent that is no place in particular


def describe(influence: Influence, rows: np.ndarray) -> str:
    """Faces, and ranges of the coordinates where they are narrow.

    Args:
        influence: Influence of the solution.
        rows: Indices of rows.

    Returns:
        For instance "on right, 0.21 <= t <= 0.29"; empty where the rows are everywhere.
    """
    points, problem = influence.record.points, influence.problem
    ids = np.unique(influence.record.rows.ids[rows])
    place = points.locate(ids)
    parts = []
    if problem is None:
        names: tuple[str, ...] = tuple(f"column {i}" for i in range(place.shape[1]))
        every = points.coordinates
        bounds = list(zip(every.min(axis=0), every.max(axis=0), strict=True))
    else:
        names, bounds = tuple(symbol.name for symbol in problem.coordinates), list(problem.bounds)
        space = place[:, : len(problem.space)]
        parts = [f"on {face}" for face in problem.faces if problem.domain.on_face(face, space).all()][:1]
    for name, column, (low, high) in zip(names, place.T, bounds, strict=True):
        near, far = (float(value) for value in np.quantile(column, [0.05, 0.95]))
        if not parts and near == far and len(ids) > 1:
            parts.append(f"{name} = {near:.3g}")
        elif near < far < near + _WIDE * (high - low):
            parts.append(f"{near:.3g} <= {name} <= {far:.3g}")
    if len(ids) <= 3:
        parts.append("at " + "; ".join("(" + ", ".join(f"{value:.3g}" for value in row) + ")" for row in place))
    return ", ".join(parts)
