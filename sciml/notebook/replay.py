"""Replay: how a solution came about, with a slider over the training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sciml.checkpoint import load_solution
from sciml.errors import SolverError
from sciml.notebook.grids import plane_grid
from sciml.notebook.viewer import FieldViewer, quantities, viewer_state
from sciml.solution import Solution, require_solution


class Snapshots:
    """Callback that keeps copies of the solution while it is trained.

    Never more than `most`: when there are too many, every second one is dropped and they are taken half as often.

    Args:
        every: Steps between copies.
        most: Largest number of copies.

    Raises:
        SolverError: If `every` or `most` is too small.

    Example:
        >>> import sympy as sp
        >>> from sciml import IBVP, MLP, Dirichlet, Interval, coordinates, field
        >>> from solvers import PINN
        >>> x = coordinates("x"); u = field("u", x)
        >>> problem = IBVP(sp.Eq(u.diff(x, 2), -sp.sin(x)), Interval(x, 0, sp.pi), boundary=[Dirichlet(u, 0)])
        >>> film = Snapshots(every=2)
        >>> solution = PINN(MLP(width=4, depth=1), steps=6).solve(problem, [film])
        >>> film.steps
        [0, 2, 4, 6]
    """

    def __init__(self, every: int = 10, most: int = 40) -> None:
        if every < 1 or most < 2:
            raise SolverError("every >= 1 and most >= 2", f"every={every}, most={most}", "Snapshots(every=10)")
        self.every, self.most = every, most
        self.steps: list[int] = []
        self.solutions: list[Solution] = []
        self._run: Any = None
        self._last = 0

    def begin(self, run: Any) -> None:
        """Keep the state before the first step."""
        self._run, self.steps, self.solutions = run, [], []
        self._keep(0)

    def __call__(self, step: int, total: int, values: Mapping[str, float]) -> None:
        """Keep the state where it is due."""
        self._last = step
        if step % self.every == 0:
            self._keep(step)

    def finish(self) -> None:
        """Keep the last state."""
        if self._last and self.steps[-1] != self._last:
            self._keep(self._last)

    def _keep(self, step: int) -> None:
        if len(self.steps) >= self.most:
            self.steps, self.solutions, self.every = self.steps[::2], self.solutions[::2], 2 * self.every
            if step % self.every:
                return
        self.steps.append(step)
        self.solutions.append(self._run.solution())

    def replay(self, reference: Any = None, *, fixed: Mapping[Any, float] | None = None) -> Replay:
        """The film.

        Args:
            reference: What to compare with.
            fixed: Coordinate to the value at which the domain or the time interval is cut.

        Returns:
            The picture.
        """
        return Replay(self.solutions, self.steps, reference, fixed=fixed)


class Replay(FieldViewer):
    """Solutions of one problem, one after the other, with a slider over the steps of their training.

    Args:
        solutions: Solutions, or paths of saved ones.
        steps: Number of each, shown beside the slider; 0, 1, ... when omitted.
        reference: What to compare with.
        resolution: Points along the longest side.
        fixed: Coordinate to the value at which the domain or the time interval is cut.

    Raises:
        SolverError: If there is no solution, or the number of steps differs.
    """

    title = "training"

    def __init__(
        self,
        solutions: Sequence[Solution | str | Path],
        steps: Sequence[float] | None = None,
        reference: Any = None,
        *,
        resolution: int = 80,
        fixed: Mapping[Any, float] | None = None,
    ) -> None:
        call = "Replay(film.solutions, film.steps)"
        known = [
            load_solution(one) if isinstance(one, (str, Path)) else require_solution(one, call) for one in solutions
        ]
        numbers = list(range(len(known))) if steps is None else [float(step) for step in steps]
        if not known or len(numbers) != len(known):
            given = f"{len(known)} solutions, {len(numbers)} steps"
            raise SolverError("at least one solution, and a step for each", given, "Replay(film.solutions, film.steps)")
        problem = known[-1].problem
        grid = plane_grid(problem, resolution, fixed)
        shown = [quantities(one, reference, grid) for one in known]
        stacked = {kind: np.stack([values[kind] for values in shown]) for kind in shown[0]}
        title = f"{problem.name or ', '.join(problem.field_names)}: training"
        slider = {"name": "step", "values": numbers}
        state = viewer_state(problem, grid, stacked, title, f"{len(known)} states of one training", slider)
        super(FieldViewer, self).__init__(
            lambda: known[self.frame].plot(compare=reference), state=state, field=problem.field_names[0],
            frame=len(known) - 1,
        )  # fmt: skip
