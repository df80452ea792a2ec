"""Vorticity, streamlines, stream function and profiles of a flow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sciml.errors import PointsError
from sciml.flows.places import with_time
from sciml.flows.recognition import flow_of
from sciml.references.quadrature import gauss_legendre


def velocity(solution: Any, points: Any, time: float | None = None) -> np.ndarray:
    """Velocity in the order of the space coordinates.

    Args:
        solution: A solution of a flow.
        points: (n, d) in space, or with time last.
        time: The instant, where points are in space.

    Returns:
        (n, d).
    """
    problem = solution.problem
    columns = [problem.fields.index(component) for component in flow_of(problem).velocity]
    return solution.evaluate(with_time(problem, points, time))[:, columns]


def vorticity(solution: Any, points: Any, time: float | None = None) -> np.ndarray:
    """∇ × u: one component in the plane, three in space.

    Args:
        solution: A solution of a flow.
        points: (n, d) in space, or with time last.
        time: The instant, where points are in space.

    Returns:
        (n,) or (n, 3).

    Example:
        >>> from sciml.problems import navier_stokes
        >>> vortex = navier_stokes.taylor_green().reference
        >>> vorticity(vortex, [[0.0, 0.0]], time=0.0).round(12)  # 2 cos x cos y
        array([2.])
    """
    problem, at = solution.problem, with_time(solution.problem, points, time)
    u, space = flow_of(problem).velocity, problem.space
    turns = [(0, 1)] if len(space) == 2 else [(1, 2), (2, 0), (0, 1)]
    columns = [solution.derivative(u[b].diff(space[a]) - u[a].diff(space[b]), at) for a, b in turns]
    return columns[0] if len(columns) == 1 else np.stack(columns, axis=1)


def profile(
    solution: Any, start: Sequence[float], end: Sequence[float], count: int = 201, time: float | None = None
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Fields along a straight line, such as a centreline.

    Args:
        solution: A solution.
        start: First point, in space.
        end: Last point.
        count: Number of points.
        time: The instant.

    Returns:
        Points (count, d), and field name -> values (count,).
    """
    way = np.linspace(0.0, 1.0, count)[:, None]
    points = np.asarray(start, dtype=float) * (1 - way) + np.asarray(end, dtype=float) * way
    values = solution.evaluate(with_time(solution.problem, points, time))
    return points, dict(zip(solution.problem.field_names, values.T, strict=True))


def stream_function(
    solution: Any, points: Any, origin: Sequence[float], time: float | None = None, panels: int = 24
) -> np.ndarray:
    """ψ with u = ∂ψ/∂y, v = -∂ψ/∂x and ψ(origin) = 0: the flux through the line from the origin.

    Args:
        solution: A solution of a plane flow.
        points: (n, 2) in space; the straight line from the origin to each must lie in the domain.
        origin: Where ψ = 0.
        time: The instant.
        panels: Panels of the line, with four Gauss points each.

    Returns:
        (n,).

    Raises:
        PointsError: If the problem is not plane or a line leaves the domain.
    """
    array, first = np.atleast_2d(np.asarray(points, dtype=float)), np.asarray(origin, dtype=float)
    if array.shape[1] != 2:
        raise PointsError("points in the plane", f"{array.shape[1]} columns", "")
    node, weight = gauss_legendre(4)
    s = (np.arange(panels)[:, None] + (node + 1) / 2).ravel() / panels
    w = np.tile(weight / (2 * panels), panels)
    places = first + s[None, :, None] * (array - first)[:, None, :]
    if not solution.problem.domain.contains(places.reshape(-1, 2), 1e-9).all():
        raise PointsError("lines from the origin inside the domain", "one that leaves it", "another origin")
    speed = velocity(solution, places.reshape(-1, 2), time).reshape(*places.shape)
    step = array - first
    return ((speed[:, :, 0] * step[:, None, 1] - speed[:, :, 1] * step[:, None, 0]) * w).sum(axis=1)


def streamlines(
    solution: Any, seeds: Any, time: float | None = None, step: float | None = None, count: int = 400
) -> list[np.ndarray]:
    """Lines along the velocity from seeds, forwards and backwards, by the classical Runge-Kutta method in arc length.

    Args:
        solution: A solution of a flow.
        seeds: (n, d) starting points.
        time: The instant.
        step: Arc length of a step; 1/400 of the size of the domain when omitted.
        count: Most steps each way.

    Returns:
        One (k, d) array per seed; a line ends at the boundary or where the flow stands still.
    """
    domain = solution.problem.domain
    h = step or domain.size / 400
    start = np.atleast_2d(np.asarray(seeds, dtype=float))

    def direction(points: np.ndarray) -> np.ndarray:
        inside = domain.contains(points, 1e-9)
        result = np.zeros_like(points)
        if inside.any():
            speed = velocity(solution, points[inside], time)
            size = np.linalg.norm(speed, axis=1, keepdims=True)
            result[inside] = np.where(size > 1e-12, speed / np.maximum(size, 1e-300), 0.0)
        return result

    ways = []
    for sign in (-h, h):
        here, alive, path = start.copy(), np.ones(len(start), dtype=bool), [start]
        for _ in range(count):
            k1 = direction(here)
            k2 = direction(here + sign / 2 * k1)
            k3 = direction(here + sign / 2 * k2)
            k4 = direction(here + sign * k3)
            moved = here + sign / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
            alive &= domain.contains(moved, 1e-9) & (np.linalg.norm(moved - here, axis=1) > 0.1 * h)
            here = np.where(alive[:, None], moved, here)
            path.append(np.where(alive[:, None], here, np.nan))
            if not alive.any():
                break
        ways.append(np.stack(path))
    lines = [np.concatenate([ways[0][:0:-1, k], ways[1][:, k]]) for k in range(len(start))]
    return [line[np.isfinite(line).all(axis=1)] for line in lines]
