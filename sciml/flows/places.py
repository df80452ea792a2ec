"""Points and rules at which a flow is looked at, with the time where there is one."""

from __future__ import annotations

from typing import Any

import numpy as np

from sciml.errors import PointsError
from sciml.geometry.quadrature import region_rule


def with_time(problem: Any, points: Any, time: float | None) -> np.ndarray:
    """Points in space with a column of time, where the problem has one.

    Args:
        problem: The problem.
        points: (n, d) in space, or with the time already there.
        time: The instant.

    Returns:
        (n, number of coordinates).

    Raises:
        PointsError: If a time is missing or not wanted.
    """
    array = np.atleast_2d(np.asarray(points, dtype=float))
    if array.shape[1] == len(problem.coordinates) and time is None:
        return array
    if problem.time is None or time is None or array.shape[1] != len(problem.space):
        expected = "no time" if problem.time is None else "time=..., an instant"
        raise PointsError(f"points with {len(problem.space)} columns, and {expected}",
                          f"{array.shape[1]} columns, time={time}", "")  # fmt: skip
    return np.column_stack([array, np.full(len(array), float(time))])


def volume_rules(solution: Any, nodes: int) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """A coarse and a fine rule of the domain; the cells of a piecewise solution where it has any.

    Args:
        solution: A solution.
        nodes: Nodes per direction and piece of the fine rule.

    Returns:
        Points (n, d) and weights (n,), twice.
    """
    own = getattr(solution, "cell_rule", None)
    if own is not None:
        return own(4), own(6)
    domain = solution.problem.domain
    return region_rule(domain, max(nodes // 2, 4)), region_rule(domain, nodes)
