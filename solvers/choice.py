"""Choice: one call that picks a solver, and says why."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any

from sciml.errors import MissingExtraError, ProblemError, SolverError, SolverWarning
from sciml.ibvp import IBVP, require_ibvp
from sciml.networks import MLP
from sciml.solution import Callback, Solution
from solvers.lie import LieSolver
from solvers.pinn import PINN
from solvers.reference import FiniteElement

METHODS = ("auto", "lie", "pinn", "fem")


def solve(problem: IBVP, method: str = "auto", *, seed: int = 0, callbacks: Sequence[Callback] = ()) -> Solution:
    """Solve a problem with the solver that fits it, or with a named one; the solvers have more settings.

    "auto": a linear problem goes to `LieSolver`, and its answer is kept where it reaches its tolerance on rows that
    were not fitted; else to `FiniteElement` (known convergence order, no training). What is nonlinear, or has
    coefficients to be estimated, goes to `PINN`. What a solver refuses goes to the next one.

    Args:
        problem: The problem.
        method: "auto", "lie", "pinn" or "fem".
        seed: Seed of solvers that draw random numbers.
        callbacks: Called as `callback(step, total, values)`; a true answer asks to stop.

    Returns:
        The solution; its `status` begins with the choice and the reason.

    Raises:
        ProblemError: If it is no problem.
        SolverError: If the method is unknown, or every solver refuses; then with the reasons of all.

    Example:
        >>> import sympy as sp
        >>> from sciml import IBVP, Dirichlet, Interval, coordinates, field
        >>> x, t = coordinates("x t"); u = field("u", x, t)
        >>> heat = IBVP(sp.Eq(u.diff(t), u.diff(x, 2)), Interval(x, 0, 1), time=(t, 0, 1),
        ...             initial={u: sp.sin(sp.pi * x)}, boundary=[Dirichlet(u, 0)])
        >>> solve(heat).status.split(":")[0]
        'LieSolver, because the problem is linear and its tolerance was reached'
    """
    require_ibvp(problem)
    if method not in METHODS:
        raise SolverError(f"a method among {', '.join(METHODS)}", repr(method), 'solve(problem, method="auto")')
    makers = _makers(seed)
    if method != "auto":
        return makers[method]().solve(problem, callbacks)
    if problem.unknowns or problem.observations:
        return _first(problem, [("pinn", "it has coefficients to be estimated or measurements")], makers, callbacks)
    if not problem.classification.linear:
        return _first(problem, [("pinn", "the problem is nonlinear"), ("fem", "PINN refused it")], makers, callbacks)
    order = [
        ("lie", "the problem is linear and its tolerance was reached"),
        ("fem", "the problem is linear, and LieSolver did not reach its tolerance"),
        ("pinn", "LieSolver and FiniteElement did not serve"),
    ]
    return _first(problem, order, makers, callbacks)


def _makers(seed: int) -> dict[str, Callable[[], Any]]:
    return {
        "lie": lambda: LieSolver(seed=seed),
        "pinn": lambda: PINN(MLP(width=20, depth=3), seed=seed),
        "fem": FiniteElement,
    }


def _first(
    problem: IBVP, order: Sequence[tuple[str, str]], makers: dict[str, Callable[[], Any]], callbacks: Sequence[Callback]
) -> Solution:
    """The first solver that takes the problem and, for LieSolver, reaches its tolerance."""
    refusals = []
    for name, reason in order:
        solver = makers[name]()
        title = type(solver).__name__
        try:
            with warnings.catch_warnings(record=True) as heard:
                warnings.simplefilter("always")
                solution: Solution = solver.solve(problem, callbacks)
        except (SolverError, ProblemError, MissingExtraError) as error:
            refusals.append(f"{title}: {str(error).splitlines()[0].removeprefix('expected: ')}")
            continue
        if name == "lie" and any(issubclass(warning.category, SolverWarning) for warning in heard):
            refusals.append(f"{title}: {solution.status}")
            continue
        for warning in heard:
            warnings.warn(warning.message, warning.category, stacklevel=3)
        solution.status = f"{title}, because {reason}: {solution.status}"
        return solution
    raise SolverError("a problem that one of the solvers takes", "; ".join(refusals), "see the page How to choose")
