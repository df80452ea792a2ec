"""Field viewer: a solution frame by frame, beside a reference, its error and its residual."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from sciml.comparison import reference_values, without_constant
from sciml.errors import SolverError
from sciml.ibvp import IBVP
from sciml.notebook.encoding import colour_tables, encoded
from sciml.notebook.grids import Grid, frames_grid, residual_size
from sciml.notebook.page import source
from sciml.notebook.picture import Picture, traitlets
from sciml.solution import require_solution


class FieldViewer(Picture):
    """A solution with a slider over time; beside it a reference on the same colour scale, error and residual.

    One space dimension gives curves, the plane maps; a body is cut, with the slider over the third coordinate
    where there is no time. `fixed` cuts anywhere: {y: 0.5} shows curves over x, {t: 1} a body at that time.

    Args:
        solution: A solution.
        reference: A solution, expression or {field: expression} to compare with.
        frames: Frames along the slider.
        resolution: Points along the longest side.
        fixed: Coordinate to the value at which the domain or the time interval is cut.

    Attributes:
        frame: Number of the frame that is shown.
        field: Name of the field that is shown.

    Raises:
        SolverError: If it is no solution, or there is less than one frame or point.
        ProblemError: If a fixed coordinate is unknown or outside of its range, or the reference lacks a field.

    Example:
        >>> import sympy as sp
        >>> from sciml import IBVP, Dirichlet, ExactSolution, Interval, coordinates, field
        >>> x, t = coordinates("x t"); u = field("u", x, t)
        >>> heat = IBVP(u.diff(t) - u.diff(x, 2), Interval(x, 0, 1), time=(t, 0, 1), initial={u: sp.sin(sp.pi * x)},
        ...             boundary=[Dirichlet(u, 0)])
        >>> view = FieldViewer(ExactSolution(heat, sp.exp(-sp.pi**2 * t) * sp.sin(sp.pi * x)), frames=5)
        >>> view.state["panels"], view.frame
        (['solution', 'residual'], 0)
    """

    _esm = source("draw.js", "viewer.js")
    title: ClassVar[str] = "solution"
    exported: ClassVar[tuple[str, ...]] = ("state", "frame", "field")
    frame = traitlets.Int(0).tag(sync=True)
    field = traitlets.Unicode().tag(sync=True)

    def __init__(
        self,
        solution: Any,
        reference: Any = None,
        *,
        frames: int = 41,
        resolution: int = 100,
        fixed: Mapping[Any, float] | None = None,
    ) -> None:
        if frames < 1 or resolution < 2:
            given = f"frames={frames}, resolution={resolution}"
            raise SolverError("at least one frame and two points", given, "FieldViewer(solution, frames=41)")
        problem = require_solution(solution, "FieldViewer(PINN(...).solve(problem))").problem
        grid = frames_grid(problem, frames, resolution, fixed)
        title = f"{problem.name or ', '.join(problem.field_names)}: {type(solution).__name__}"
        state = viewer_state(problem, grid, quantities(solution, reference, grid), title, str(solution.status))
        super().__init__(
            lambda: solution.plot(compare=reference), state=state, field=problem.field_names[0],
            frame=len(grid.values) // 2 if grid.slider in map(str, problem.space) else 0,  # faces show data alone
        )  # fmt: skip


def quantities(solution: Any, reference: Any, grid: Grid) -> dict[str, np.ndarray]:
    """What is shown of a solution.

    Args:
        solution: The solution.
        reference: What to compare with, or None.
        grid: Where.

    Returns:
        Values of each quantity at the grid's points, (k, m).
    """
    problem = solution.problem
    kinds = {"solution": solution.evaluate(grid.points)}
    if reference is not None:
        mine = without_constant(problem, solution.evaluate, grid.points)
        theirs = without_constant(problem, lambda p: reference_values(problem, reference, p), grid.points)
        kinds = {"solution": mine, "reference": theirs, "error": mine - theirs}
    residual = residual_size(solution, grid.points)
    return {**kinds, "residual": np.repeat(residual[:, None], len(problem.fields), axis=1)}


def viewer_state(
    problem: IBVP,
    grid: Grid,
    kinds: Mapping[str, np.ndarray],
    title: str,
    note: str,
    slider: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """What a viewer shows, as text and numbers.

    Args:
        problem: The problem.
        grid: Where the values are.
        kinds: Values of each quantity, (k, m), or (frames, k, m) where each frame has values of its own.
        title: Title.
        note: Text below.
        slider: Name and values of the slider in place of the grid's; error and residual then have a scale of their
            own in every frame, because a training makes them smaller by orders of magnitude.

    Returns:
        The state.
    """
    curves = len(grid.shape) == 1

    def frames(values: np.ndarray, k: int) -> str:
        if values.ndim == 3:
            return encoded(np.concatenate([grid.spread(frame[:, k]) for frame in values]))
        return encoded(grid.spread(values[:, k]))

    return {
        "title": title + (f" at {grid.held}" if grid.held else ""), "note": note,
        "panels": [kind for kind in kinds if not (curves and kind == "reference")],
        "axes": [grid.axes[0], "" if curves else grid.axes[1]], "limits": [list(ends) for ends in grid.limits],
        "signed": len(problem.equations) == 1, "equal": grid.equal, "shape": list(grid.shape),
        "across": encoded(np.linspace(*grid.limits[0], grid.shape[0]), "<f8"), "count": int(np.prod(grid.shape)),
        "slider": dict(slider or {"name": grid.slider, "values": grid.values.tolist()}), "tables": colour_tables(),
        "own_scale": slider is not None,
        "data": {name: {kind: frames(values, k) for kind, values in kinds.items()}
                 for k, name in enumerate(problem.field_names)},
    }  # fmt: skip
