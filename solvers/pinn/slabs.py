"""A problem cut into slabs of time: each begins where the solution of the one before ends."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import sympy as sp

from sciml.conditions import Condition, Observations
from sciml.errors import ProblemWarning, SolverError
from sciml.ibvp import IBVP
from sciml.known_function import known_function
from sciml.solution import Solution


def slab_edges(problem: IBVP, slabs: int) -> list[sp.Expr]:
    """Times at which slabs of equal length begin and end, exact.

    Args:
        problem: The problem.
        slabs: Their number.

    Returns:
        slabs + 1 times.

    Raises:
        SolverError: If the problem cannot be solved slab by slab.
    """
    if problem.time is None or not problem.initial:
        raise SolverError("a problem with time and initial data for slabs", "none", "PINN(..., slabs=1)")
    if problem.unknowns:
        names = ", ".join(map(str, problem.unknowns))
        raise SolverError("known coefficients: slabs are fitted one by one", f"unknown {names}", "PINN(..., slabs=1)")
    other = [term.name for term in problem.terms if term.kind == "initial" and term.condition is not None]
    if other:
        raise SolverError("initial data as initial={field: value} for slabs", ", ".join(other), "PINN(..., slabs=1)")
    _, start, end = problem.time
    return [start + (end - start) * sp.Rational(k, slabs) for k in range(slabs + 1)]


def slab_problem(problem: IBVP, edges: Sequence[sp.Expr], number: int, before: Solution | None) -> IBVP:
    """The problem on one slab.

    Args:
        problem: The whole problem.
        edges: From `slab_edges`.
        number: Number of the slab, from 0.
        before: Solution of the slab before; None for the first.

    Returns:
        The problem, with final values of `before` as initial data, and the observations and fixed points that
        belong to its times; a time on an edge belongs to the earlier slab.
    """
    assert problem.time is not None
    t, low, high = problem.time[0], float(edges[number]), float(edges[number + 1])

    def mine(time: Any) -> Any:
        return (time <= high) & ((time > low) if number else (time >= low))

    changes: dict[str, Any] = {"time": (t, edges[number], edges[number + 1])}
    if before is not None:
        changes["initial"] = {key: _final_value(problem, key, before, low) for key in problem.initial}
    changes["observations"] = [_part(observed, keep) for observed in problem.observations
                               if (keep := mine(observed.points[:, -1])).any()]  # fmt: skip
    changes["boundary"] = [condition for condition in problem.boundary if _at_time(problem, condition, t, mine)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ProblemWarning)  # said when the user built the problem
        return problem.replace(**changes)


def _final_value(problem: IBVP, key: sp.Expr, before: Solution, time: float) -> sp.Expr:
    known, order = (key.expr, int(key.derivative_count)) if isinstance(key, sp.Derivative) else (key, 0)
    index = problem.fields.index(known)

    values = partial(_values_at, before, time, index, order)
    name = f"final_{problem.field_names[index]}"
    return known_function(name, len(problem.space), values, "it is a network")(*problem.space)


def _values_at(
    before: Solution, time: float, index: int, order: int, space: np.ndarray, orders: tuple[int, ...]
) -> np.ndarray:
    points = np.column_stack([space, np.full(len(space), time)])
    return before.jets(points, [(index, (*orders, order))])[:, 0]


def _part(observed: Observations, keep: np.ndarray) -> Observations:
    return Observations(observed.quantity, observed.points[keep], observed.values[keep], observed.sigma, observed.name)


def _at_time(problem: IBVP, condition: Any, t: sp.Symbol, mine: Any) -> bool:
    point = condition.point if isinstance(condition, Condition) else None
    return point is None or t not in point or bool(mine(float(problem.substitute(sp.sympify(point[t])))))
