"""Frames: where a picture's values are taken, and how they are drawn, for every kind of domain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.tri import Triangulation

from sciml.errors import ProblemError
from sciml.ibvp import IBVP


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of a solution.

    Attributes:
        points: (n, d) places of evaluation, time last.
        kind: "line", "mesh" or "triangles".
        axes: Labels of the horizontal and, in the plane, the vertical axis.
        title: What is held fixed, for instance "t = 0.5".
        horizontal: Horizontal coordinate of each point.
        vertical: Vertical coordinate of each point, in the plane.
        shape: Shape of a mesh.
        triangles: Triangulation of scattered points.
        equal: Whether both axes are lengths and share one scale.
    """

    points: np.ndarray
    kind: str
    axes: tuple[str, ...]
    title: str
    horizontal: np.ndarray
    vertical: np.ndarray | None = None
    shape: tuple[int, int] | None = None
    triangles: Triangulation | None = None
    equal: bool = False

    @property
    def proportion(self) -> float:
        """Height over width on paper; 1 where the axes are free."""
        if not self.equal or self.vertical is None:
            return 1.0
        return float(np.ptp(self.vertical) / np.ptp(self.horizontal))

    def draw(self, axis: Any, values: np.ndarray, **style: Any) -> Any:
        """Draw values of the frame's points.

        Args:
            axis: Matplotlib axes.
            values: (n,).
            **style: Colour map and limits, or line style.

        Returns:
            The artist.
        """
        axis.set_xlabel(self.axes[0])
        if self.kind == "line":
            order = np.argsort(self.horizontal, kind="stable")
            return axis.plot(self.horizontal[order], values[order], **style)[0]
        axis.set_ylabel(self.axes[1])
        if self.equal:
            axis.set_aspect("equal")
        if self.kind == "mesh":
            assert self.shape is not None
            assert self.vertical is not None
            grids = [array.reshape(self.shape) for array in (self.horizontal, self.vertical, values)]
            return axis.pcolormesh(*grids, shading="gouraud", rasterized=True, **style)
        return axis.tripcolor(self.triangles, values, shading="gouraud", rasterized=True, **style)


def frames_of(problem: IBVP, times: Sequence[float] | None = None, resolution: int = 160) -> list[Frame]:
    """The frames in which a problem's solutions are shown.

    Args:
        problem: The problem.
        times: Instants of the snapshots in two or three space dimensions; four evenly spaced ones when omitted.
        resolution: Points along the longest side.

    Returns:
        A line for one space dimension, a space-time mesh with time, snapshots of the plane, or the middle
        slice of a body.

    Raises:
        ProblemError: If an instant lies outside the time interval.
    """
    if len(problem.space) == 1:
        return [_line(problem, 4 * resolution) if problem.time is None else _space_time(problem, resolution)]
    if problem.time is None:
        return [_plane(problem, resolution, None)]
    start, end = problem.bounds[-1]
    chosen = list(np.linspace(start, end, 4)) if times is None else [float(time) for time in times]
    if not all(start <= time <= end for time in chosen):
        raise ProblemError(f"times between {start:g} and {end:g}", str(chosen), "")
    return [_plane(problem, resolution, time) for time in chosen]


def _inside(problem: IBVP, points: np.ndarray) -> np.ndarray:
    return problem.domain.contains(points[:, : len(problem.space)], tolerance=1e-10)


def _line(problem: IBVP, count: int) -> Frame:
    low, high = problem.bounds[0]
    points = np.linspace(low, high, count)[:, None]
    points = points[_inside(problem, points)]
    return Frame(points, "line", (problem.space[0].name,), "", points[:, 0])


def _space_time(problem: IBVP, resolution: int) -> Frame:
    (low, high), (start, end) = problem.bounds
    x, t = np.meshgrid(np.linspace(low, high, resolution), np.linspace(start, end, resolution), indexing="ij")
    points = np.column_stack([x.ravel(), t.ravel()])
    names = (problem.coordinates[1].name, problem.coordinates[0].name)
    keep = _inside(problem, points)
    if keep.all():
        return Frame(points, "mesh", names, "", points[:, 1], points[:, 0], x.shape)
    points = points[keep]
    return _triangulated(problem, points, names, "", points[:, 1], points[:, 0], equal=False)


def _plane(problem: IBVP, resolution: int, time: float | None) -> Frame:
    (a, b), (c, d) = problem.bounds[:2]
    step = max(b - a, d - c) / resolution
    counts = [max(8, round((high - low) / step)) for low, high in ((a, b), (c, d))]
    x, y = np.meshgrid(np.linspace(a, b, counts[0]), np.linspace(c, d, counts[1]), indexing="ij")
    points, title = np.column_stack([x.ravel(), y.ravel()]), []
    names = tuple(symbol.name for symbol in problem.space[:2])
    if len(problem.space) == 3:
        middle = float(np.mean(problem.bounds[2]))
        points = np.column_stack([points, np.full(len(points), middle)])
        title.append(f"{problem.space[2].name} = {middle:g}")
    else:
        points = np.concatenate([points, _rim(problem, step)])
    points = points[_inside(problem, points)]
    if time is not None:
        assert problem.time is not None
        points = np.column_stack([points, np.full(len(points), time)])
        title.append(f"{problem.time[0]} = {time:.3g}")
    return _triangulated(problem, points, names, ", ".join(title), points[:, 0], points[:, 1], equal=True)


def _rim(problem: IBVP, step: float) -> np.ndarray:
    """Points along every face, so that the picture ends where the domain ends."""
    domain = problem.domain
    corners = [np.atleast_2d(vertex) for vertex, _, _ in domain.corner_faces()]
    faces = [
        domain.sample_face(face, max(8, int(domain.face_measure(face) / step)), method="grid") for face in domain.faces
    ]
    return np.concatenate([*faces, *corners])


def _triangulated(
    problem: IBVP, points: np.ndarray, names: tuple[str, ...], title: str, x: np.ndarray, y: np.ndarray, equal: bool
) -> Frame:
    triangles = Triangulation(x, y)
    centres = points[triangles.triangles].mean(axis=1)
    triangles.set_mask(~_inside(problem, centres))
    return Frame(points, "triangles", names, title, x, y, triangles=triangles, equal=equal)
