"""Grids: where a picture's values are taken, frame by frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sciml.errors import ProblemError
from sciml.ibvp import IBVP


@dataclass(frozen=True, eq=False)
class Grid:
    """Frames of one picture: a line or a plane, repeated along one more coordinate.

    Attributes:
        points: (k, d) places of all frames that lie inside the domain, in the order of `inside`.
        inside: (frames, n) whether a place of the picture lies in the domain.
        shape: Shape of one frame, (n,) or (nx, ny).
        axes: Names of its axes.
        limits: Ends of its axes.
        equal: Whether both axes are lengths and share one scale.
        slider: Name of the coordinate that tells frames apart, "" for a single frame.
        values: Its values, (frames,).
    """

    points: np.ndarray
    inside: np.ndarray
    shape: tuple[int, ...]
    axes: tuple[str, ...]
    limits: tuple[tuple[float, float], ...]
    equal: bool
    slider: str
    values: np.ndarray

    def spread(self, values: np.ndarray) -> np.ndarray:
        """Values at the points as frames, NaN outside the domain.

        Args:
            values: (len(points),).

        Returns:
            (frames, n).
        """
        full = np.full(self.inside.shape, np.nan)
        full[self.inside] = values
        return full


def frames_grid(problem: IBVP, frames: int, resolution: int, fixed: Mapping[Any, float] | None = None) -> Grid:
    """The first one or two space coordinates, with a slider over time, or over the third one where there is no time.

    Args:
        problem: The problem.
        frames: Frames along the slider.
        resolution: Points along the longest side of a frame.
        fixed: Value of a coordinate that is neither drawn nor on the slider; the middle of its range if not given.

    Returns:
        The grid.

    Raises:
        ProblemError: If a fixed coordinate is unknown or drawn.
    """
    drawn = list(range(min(2, len(problem.space))))
    rest = list(range(len(drawn), len(problem.coordinates)))
    slider = rest.pop() if rest else None
    names = [symbol.name for symbol in problem.coordinates]
    given = {str(key): float(value) for key, value in (fixed or {}).items()}
    if set(given) - {names[k] for k in rest}:
        free = ", ".join(names[k] for k in rest) or "none"
        raise ProblemError(f"fixed coordinates among: {free}", ", ".join(given), "others are drawn or on the slider")
    return _grid(problem, drawn, slider, frames, resolution, given)


def plane_grid(problem: IBVP, resolution: int) -> Grid:
    """One picture of a problem: time and space in one dimension, else the plane of the first two coordinates.

    Args:
        problem: The problem.
        resolution: Points along the longest side.

    Returns:
        A grid of one frame; the other coordinates are in the middle of their range.
    """
    line = [0] if problem.time is None else [1, 0]
    drawn = line if len(problem.space) == 1 else [0, 1]
    return _grid(problem, drawn, None, 1, resolution, {})


def _grid(
    problem: IBVP, drawn: Sequence[int], slider: int | None, frames: int, resolution: int, fixed: Mapping[str, float]
) -> Grid:
    bounds, names = problem.bounds, [symbol.name for symbol in problem.coordinates]
    equal = len(drawn) == 2 and max(drawn) < len(problem.space)
    sizes = np.array([bounds[k][1] - bounds[k][0] for k in drawn])
    counts = np.maximum(8, np.round(resolution * sizes / sizes.max()).astype(int) + 1) if equal else [resolution] * 2
    lines = [np.linspace(*bounds[k], count) for k, count in zip(drawn, counts, strict=False)]
    plane = np.stack([axis.ravel() for axis in np.meshgrid(*lines, indexing="ij")], axis=1)
    values = np.zeros(1) if slider is None else np.linspace(*bounds[slider], frames)
    places = np.empty((len(values), len(plane), len(names)))
    for k in range(len(names)):
        places[:, :, k] = fixed.get(names[k], float(np.mean(bounds[k])))
    places[:, :, list(drawn)] = plane
    if slider is not None:
        places[:, :, slider] = values[:, None]
    flat = places.reshape(-1, len(names))
    inside = problem.domain.contains(flat[:, : len(problem.space)], tolerance=1e-10)
    return Grid(
        flat[inside], inside.reshape(len(values), len(plane)), tuple(len(line) for line in lines),
        tuple(names[k] for k in drawn), tuple(bounds[k] for k in drawn), equal, "" if slider is None else names[slider],
        values,
    )  # fmt: skip


def residual_size(solution: Any, points: np.ndarray) -> np.ndarray:
    """The residual of a single equation with its sign, else the root of the sum of squares.

    Args:
        solution: A solution.
        points: (n, d).

    Returns:
        (n,).
    """
    values = np.asarray(solution.residual(points), dtype=float)
    return values[:, 0] if values.shape[1] == 1 else np.sqrt((values**2).sum(axis=1))
