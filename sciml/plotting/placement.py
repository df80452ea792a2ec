"""Where the points of an objective lie."""

from __future__ import annotations

import numpy as np

from sciml.errors import PointsError
from sciml.ibvp import IBVP
from sciml.plotting.figure import Figure
from sciml.points import PointSet


def plot_points(problem: IBVP, points: PointSet) -> Figure:
    """Points of every term in the first two coordinates (time horizontal where there is time in one dimension).

    Args:
        problem: The problem.
        points: Its points.

    Returns:
        A matplotlib figure.

    Raises:
        PointsError: If the points have other columns than the problem.
    """
    names = [symbol.name for symbol in problem.coordinates]
    if points.coordinates.shape[1] != len(names):
        raise PointsError(f"points with columns {', '.join(names)}", f"{points.coordinates.shape[1]} columns", "")
    figure = Figure(figsize=(6.4, 4.4), layout="constrained")
    axis = figure.subplots()
    first, second = (1, 0) if len(problem.space) == 1 and problem.time is not None else (0, 1)
    for i, name in enumerate(points.terms):
        place = points.of(name).coordinates
        if not len(place):
            continue
        vertical = place[:, second] if len(names) > 1 else np.zeros(len(place))
        axis.plot(place[:, first], vertical, ".", markersize=3 if name == "pde" else 5, color=f"C{i}", label=name)
    axis.set_xlabel(names[first])
    axis.set_ylabel(names[second] if len(names) > 1 else "")
    axis.set_title(f"{len(np.unique(points.ids))} points")
    axis.legend(fontsize="small", loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure
