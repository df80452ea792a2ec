"""Data and coefficients of a problem at points of a mesh."""

from __future__ import annotations

import numpy as np
import sympy as sp

from sciml.conditions import normal
from sciml.errors import SolverError
from sciml.expressions.data import evaluate_data
from sciml.ibvp import IBVP


def sampled(
    expression: sp.Expr, problem: IBVP, points: np.ndarray, t: float | None = None, normals: np.ndarray | None = None
) -> np.ndarray:
    """Values of data or coefficients, limits from inside at the ends of ranges, refused where not finite.

    Args:
        expression: Expression of the coordinates and the normal.
        problem: The problem.
        points: (n, d) in space.
        t: Time.
        normals: (n, d), needed where the expression has components of the normal.

    Returns:
        (n,).

    Raises:
        SolverError: If a value is not finite.
    """
    columns, symbols, bounds = [points], list(problem.coordinates), list(problem.bounds)
    if problem.time is not None:
        columns.append(np.full((len(points), 1), t))
    if normals is not None:
        components = normal(*problem.space)
        symbols += components if isinstance(components, tuple) else [components]
        bounds += [(np.nan, np.nan)] * normals.shape[1]  # no ends
        columns.append(normals)
    values = evaluate_data(problem.substitute(expression), symbols, np.hstack(columns), bounds)
    if not np.isfinite(values).all():
        place = points[~np.isfinite(values)][0]
        given = f"{expression} at {tuple(map(float, place))}" + (f", {problem.time[0]} = {t:g}" if problem.time else "")
        raise SolverError("finite data and coefficients", given, "finite elements need them up to the boundary")
    return values
