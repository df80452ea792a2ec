"""Study: a family of problems solved one by one, or side by side on an executor."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sciml.errors import SolverError
from sciml.executors import check_executor, run_tasks
from sciml.ibvp import IBVP
from sciml.solution import Solution
from solvers.choice import solve


def study(
    make: Callable[[Any], IBVP], values: Iterable[Any], solver: Any = None, executor: Any = None
) -> list[Solution]:
    """Solutions of `make(value)` for every value.

    Args:
        make: Builds the problem of a value; called here.
        values: Values of the parameter, or of several as tuples.
        solver: An object with `solve(problem)`, as `PINN(MLP(), seed=0)`; `solvers.solve` chooses when None.
        executor: None for one after the other, a number of processes, or anything with `submit`, as the executors of
            `concurrent.futures` or a `dask.distributed.Client`.

    Returns:
        The solutions in the order of the values: the same whatever the executor, as every solver is seeded.

    Raises:
        SolverError: If the solver, the executor, the function or the values are none. What a solver raises carries a
            note with the value.

    Example:
        >>> import sympy as sp
        >>> from sciml import IBVP, Dirichlet, Interval, coordinates, field
        >>> x = coordinates("x"); u = field("u", x)
        >>> def bar(load):
        ...     return IBVP(sp.Eq(u.diff(x, 2), -load), Interval(x, 0, 1), boundary=[Dirichlet(u, 0)])
        >>> [round(float(solution(x=0.5)), 6) for solution in study(bar, [8, 16])]
        [1.0, 2.0]
    """
    check_executor(executor)
    if not callable(make) or not isinstance(values, Iterable):
        given = f"{type(make).__name__}, {type(values).__name__}"
        raise SolverError("a function that builds a problem, and values", given, "study(make, [0.1, 0.2])")
    if solver is not None and not hasattr(solver, "solve"):
        raise SolverError("a solver: an object with solve(problem)", repr(solver), "study(make, values, PINN(MLP()))")
    tasks = {f"{number}: {value!r}": (solver, make(value)) for number, value in enumerate(values)}
    return run_tasks(_solved, tasks, executor)


def _solved(solver: Any, problem: IBVP) -> Solution:
    return solve(problem) if solver is None else solver.solve(problem)
