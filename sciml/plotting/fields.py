"""A solution as a picture, beside a reference and their difference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sciml.comparison import compare_values, reference_values, without_constant
from sciml.plotting.figure import Figure, colour_bar
from sciml.plotting.frames import Frame, frames_of

FIELD_COLOURS, DIFFERENCE_COLOURS = "viridis", "RdBu_r"
_MAP = 3.0  # inches that labels and colour bar leave to a map across


def plot_solution(
    solution: Any,
    compare: Any = None,
    *,
    times: Sequence[float] | None = None,
    resolution: int = 160,
    title: str | None = None,
) -> Figure:
    """Draw every field of a solution; with a reference also the reference and the difference.

    One space dimension without time gives curves, with time a map over time and space; the plane gives
    maps, with time one per instant; a body gives its middle slice. Solution and reference share a colour
    scale, the difference has a symmetric one of its own.

    Args:
        solution: A solution.
        compare: A solution, an expression or {field: expression}; None for no comparison.
        times: Instants of the snapshots in the plane.
        resolution: Points along the longest side.
        title: Title of the figure; the problem's name when omitted.

    Returns:
        A matplotlib figure (use `figure.savefig("heat.png")`); pyplot is not involved.

    Example:
        >>> from sciml import Dirichlet, ExactSolution, IBVP, Interval, coordinates, field
        >>> x = coordinates("x"); u = field("u", x)
        >>> problem = IBVP(u.diff(x, 2) - 2, Interval(x, 0, 1), boundary=[Dirichlet(u, x**2)])
        >>> len(plot_solution(ExactSolution(problem, x**2)).axes)
        1
    """
    problem = solution.problem
    frames = frames_of(problem, times, resolution)
    rows = [(k, frame) for k in range(len(problem.fields)) for frame in frames]
    columns = 1 if compare is None else 3 if frames[0].kind != "line" else 2
    height = min(3.3, _MAP * frames[0].proportion + 1.2)
    figure = Figure(figsize=(4.4 * columns + 0.4, height * len(rows) + 0.4), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.12)  # type: ignore[union-attr, call-arg]
    axes = np.atleast_1d(figure.subplots(len(rows), columns, squeeze=False))
    evaluated = {id(frame): _values(solution, compare, frame) for frame in frames}
    for line, (k, frame) in zip(axes, rows, strict=True):
        mine, theirs = evaluated[id(frame)]
        _row(figure, line, solution, compare, frame, k, mine, theirs)
    figure.suptitle(problem.name if title is None else title)
    return figure


def _values(solution: Any, compare: Any, frame: Frame) -> tuple[np.ndarray, np.ndarray | None]:
    """Values of both; with a comparison, without constants that the problem leaves free."""
    problem = solution.problem
    if compare is None:
        return solution.evaluate(frame.points), None
    mine = without_constant(problem, solution.evaluate, frame.points)
    return mine, without_constant(problem, lambda points: reference_values(problem, compare, points), frame.points)


def _row(
    figure: Figure, line: np.ndarray, solution: Any, compare: Any, frame: Frame, k: int, mine: np.ndarray,
    theirs: np.ndarray | None,
) -> None:  # fmt: skip
    name = solution.problem.field_names[k]
    own, other = _label(solution), _label(compare)
    where = f" at {frame.title}" if frame.title else ""
    if frame.kind == "line":
        frame.draw(line[0], mine[:, k], label=own, color="C0", linewidth=2)
        line[0].set_ylabel(name)
    else:
        together = mine[:, k] if theirs is None else np.concatenate([mine[:, k], theirs[:, k]])
        style = {"cmap": FIELD_COLOURS, "vmin": float(together.min()), "vmax": float(together.max())}
        colour_bar(figure, frame.draw(line[0], mine[:, k], **style), line[0], name)
    line[0].set_title(f"{name}{where}: {own}")
    if theirs is None:
        return
    report = compare_values(solution.problem, mine, theirs)
    difference = mine[:, k] - theirs[:, k]
    if frame.kind == "line":
        frame.draw(line[0], theirs[:, k], label=other, color="C1", linestyle="--")
        line[0].legend()
        frame.draw(line[-1], difference, color="C3")
        line[-1].set_ylabel(f"difference of {name}")
    else:
        colour_bar(figure, frame.draw(line[1], theirs[:, k], **style), line[1], name)
        line[1].set_title(f"{name}{where}: {other}")
        rounding = float(np.finfo(float).eps * np.abs(together).max())  # what a difference of 0 is drawn on
        size = float(np.abs(difference).max()) or rounding or 1.0
        picture = frame.draw(line[2], difference, cmap=DIFFERENCE_COLOURS, vmin=-size, vmax=size)
        colour_bar(figure, picture, line[2], f"difference of {name}", format="%.1e")
    line[-1].set_title(
        f"{own} minus {other}\nrelative L2 {report.relative_l2[name]:.1e}, max {report.maximum[name]:.1e}"
    )


def _label(solution: Any) -> str:
    """How a legend calls a solution: PINN, FiniteElement, exact."""
    if not hasattr(solution, "problem"):
        return "exact"
    name = type(solution).__name__.removesuffix("Solution")
    return "exact" if name == "Exact" else name or "reference"
