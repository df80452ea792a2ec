"""Pictures of plane flows: streamlines over the speed or the vorticity, and profiles beside published points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sciml.flows.fields import profile, velocity, vorticity
from sciml.plotting.figure import Figure, colour_bar


def plot_flow(
    solution: Any, colour: str = "speed", time: float | None = None, resolution: int = 160, title: str | None = None
) -> Figure:
    """Streamlines over a map of the speed or the vorticity.

    Args:
        solution: A solution of a plane flow.
        colour: "speed" or "vorticity".
        time: The instant.
        resolution: Points along the longer side.
        title: Title; the problem's name when omitted.

    Returns:
        A matplotlib figure.
    """
    problem = solution.problem
    (x0, x1), (y0, y1) = problem.domain.bounds
    longest = max(x1 - x0, y1 - y0)
    nx, ny = (max(int(resolution * side / longest), 24) for side in (x1 - x0, y1 - y0))
    x, y = np.linspace(x0, x1, nx), np.linspace(y0, y1, ny)
    grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    inside = problem.domain.contains(grid, 1e-12)
    speed, value = np.full((len(grid), 2), np.nan), np.full(len(grid), np.nan)
    speed[inside] = velocity(solution, grid[inside], time)
    value[inside] = (
        vorticity(solution, grid[inside], time) if colour == "vorticity" else np.linalg.norm(speed[inside], axis=1)
    )
    width = 6.4 if (x1 - x0) < 2 * (y1 - y0) else 11.0
    height = (width - 1.9) * (y1 - y0) / (x1 - x0) + 0.9  # what labels and colour bar leave to equal axes
    figure = Figure(figsize=(width, max(2.4, height)), layout="constrained")
    axis = figure.subplots()
    limit = float(np.nanquantile(np.abs(value), 0.98)) or 1.0
    style: dict[str, Any] = {"cmap": "viridis", "vmin": 0.0, "vmax": float(np.nanmax(value))}
    if colour == "vorticity":
        style = {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit}
    picture = axis.pcolormesh(x, y, value.reshape(ny, nx), shading="gouraud", **style)
    colour_bar(figure, picture, axis, colour)
    u, v = (np.ma.masked_invalid(speed[:, k].reshape(ny, nx)) for k in (0, 1))
    axis.streamplot(
        x, y, u, v, color="white" if colour == "speed" else "black", linewidth=0.6, density=1.4, arrowsize=0.7
    )
    axis.set(xlim=(x0, x1), ylim=(y0, y1), aspect="equal")
    axis.set_xlabel(str(problem.space[0]))
    axis.set_ylabel(str(problem.space[1]))
    axis.set_title(problem.name if title is None else title)
    return figure


def plot_profiles(
    solutions: Mapping[str, Any],
    lines: Sequence[tuple[str, Sequence[float], Sequence[float]]],
    tables: Sequence[Mapping[str, tuple[np.ndarray, np.ndarray]]] = (),
    time: float | None = None,
) -> Figure:
    """A field along lines, for several solutions, beside published points.

    Args:
        solutions: Label -> solution.
        lines: Field name, first and last point of each line.
        tables: Per line: label -> coordinate along the line and value of published points.
        time: The instant.

    Returns:
        A matplotlib figure with one axis per line.
    """
    figure = Figure(figsize=(5.2 * len(lines), 4.0), layout="constrained")
    axes = np.atleast_1d(figure.subplots(1, len(lines)))
    for k, (axis, (name, start, end)) in enumerate(zip(axes, lines, strict=True)):
        along = int(np.abs(np.subtract(end, start)).argmax())
        for i, (label, solution) in enumerate(solutions.items()):
            points, values = profile(solution, start, end, time=time)
            axis.plot(points[:, along], values[name], label=label, color=f"C{i}", linestyle="-" if i == 0 else "--")
        for i, (label, (place, value)) in enumerate(tables[k].items() if k < len(tables) else ()):
            axis.plot(place, value, "os^d"[i % 4], color="black", markersize=4, fillstyle="none", label=label)
        axis.set_xlabel(str(solution.problem.space[along]))
        axis.set_ylabel(name)
        axis.grid(visible=True, alpha=0.3)
        axis.legend()
    return figure
