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
        held: What the other coordinates are, "z = 0.5" for instance.
    """

    points: np.ndarray
    inside: np.ndarray
    shape: tuple[int, ...]
    axes: tuple[str, ...]
    limits: tuple[tuple[float, float], ...]
    equal: bool
    slider: str
    values: np.ndarray
    held: str

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
    """The first one or two free space coordinates, with a slider over time, or over the next one without time.

    Args:
        problem: The problem.
        frames: Frames along the slider.
        resolution: Points along the longest side of a frame.
        fixed: Coordinate to the value at which the domain or the time interval is cut; what is then neither drawn
            nor on the slider is held in the middle of its range.

    Returns:
        The grid.

    Raises:
        ProblemError: If a fixed coordinate is unknown, outside of its range, or no space coordinate is left.
    """
    cut = _cut(problem, fixed)
    space, rest = _free(problem, cut)
    drawn, rest = space[:2], [*space[2:], *rest]
    return _grid(problem, drawn, rest[-1] if rest else None, frames, resolution, cut)


def plane_grid(problem: IBVP, resolution: int, fixed: Mapping[Any, float] | None = None) -> Grid:
    """One picture of a problem: time and space in one dimension, else the plane of the first two free coordinates.

    Args:
        problem: The problem.
        resolution: Points along the longest side.
        fixed: Coordinate to the value at which the domain or the time interval is cut.

    Returns:
        A grid of one frame; the other coordinates are in the middle of their range.

    Raises:
        ProblemError: If a fixed coordinate is unknown, outside of its range, or no space coordinate is left.
    """
    cut = _cut(problem, fixed)
    space, time = _free(problem, cut)
    return _grid(problem, [*time, *space] if len(space) == 1 else space[:2], None, 1, resolution, cut)


def _cut(problem: IBVP, fixed: Mapping[Any, float] | None) -> dict[str, float]:
    """The values of fixed coordinates by name, checked."""
    ends = {str(symbol): limits for symbol, limits in zip(problem.coordinates, problem.bounds, strict=True)}
    cut = {}
    for key, value in (fixed or {}).items():
        if str(key) not in ends:
            raise ProblemError(f"fixed coordinates among: {', '.join(ends)}", str(key), "fixed={t: 0.5}")
        low, high = ends[str(key)]
        if not low <= float(value) <= high:
            raise ProblemError(f"{key} between {low:g} and {high:g}", f"{key} = {float(value):g}", "")
        cut[str(key)] = float(value)
    if all(symbol.name in cut for symbol in problem.space):
        raise ProblemError("a space coordinate that is not fixed", ", ".join(cut), "it is the horizontal axis")
    return cut


def _free(problem: IBVP, cut: Mapping[str, float]) -> tuple[list[int], list[int]]:
    """Numbers of the free space coordinates, and of time where it is free."""
    free = [k for k, symbol in enumerate(problem.coordinates) if symbol.name not in cut]
    return [k for k in free if k < len(problem.space)], [k for k in free if k >= len(problem.space)]


def _grid(
    problem: IBVP, drawn: Sequence[int], slider: int | None, frames: int, resolution: int, cut: Mapping[str, float]
) -> Grid:
    bounds, names = problem.bounds, [symbol.name for symbol in problem.coordinates]
    equal = len(drawn) == 2 and max(drawn) < len(problem.space)
    sizes = np.array([bounds[k][1] - bounds[k][0] for k in drawn])
    counts = np.maximum(8, np.round(resolution * sizes / sizes.max()).astype(int) + 1) if equal else [resolution] * 2
    lines = [np.linspace(*bounds[k], count) for k, count in zip(drawn, counts, strict=False)]
    plane = np.stack([axis.ravel() for axis in np.meshgrid(*lines, indexing="ij")], axis=1)
    values = np.zeros(1) if slider is None else np.linspace(*bounds[slider], frames)
    held = {
        k: cut.get(name, float(np.mean(bounds[k]))) for k, name in enumerate(names) if k not in {*drawn, slider}
    }  # fmt: skip
    places = np.empty((len(values), len(plane), len(names)))
    for k, value in held.items():
        places[:, :, k] = value
    places[:, :, list(drawn)] = plane
    if slider is not None:
        places[:, :, slider] = values[:, None]
    flat = places.reshape(-1, len(names))
    inside = problem.domain.contains(flat[:, : len(problem.space)], tolerance=1e-10)
    return Grid(
        flat[inside], inside.reshape(len(values), len(plane)), tuple(len(line) for line in lines),
        tuple(names[k] for k in drawn), tuple(bounds[k] for k in drawn), equal, "" if slider is None else names[slider],
        values, ", ".join(f"{names[k]} = {value:.4g}" for k, value in held.items()),
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
