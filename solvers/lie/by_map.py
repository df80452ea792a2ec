"""Solving by a change of variables: nonlinear equations to linear ones, linear ones to the heat equation."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable

import numpy as np
import sympy as sp

from sciml.compatibility import term_data
from sciml.conditions import Dirichlet, Periodic
from sciml.errors import ScimlError, SolverError, SolverWarning
from sciml.expressions.data import evaluate_data
from sciml.ibvp import IBVP
from sciml.references.cole_hopf import ColeHopf
from sciml.solution import Solution
from solvers.lie.bounds.burgers import read_burgers
from solvers.lie.mapped_solution import KernelSolution, MappedSolution
from solvers.lie.maps import MappedProblem, mapped_problem
from solvers.lie.placement import Density, place_rows, unit_scale
from solvers.lie.rows import ConditionRows
from solvers.lie.solution import LieSolution

_SPAN = 1e-6  # a w that falls further is not resolved by a sum of modes of size 1
_FINEST = 1e-14  # tolerance of w where u loses digits
Linear = Callable[[IBVP, float], Solution]


def solve_nonlinear(problem: IBVP, solve: Linear, tol: float) -> Solution:
    """A nonlinear problem by its linearising map.

    Burgers' equation with walls at rest or periodic sides, whose w spans many orders of magnitude, is solved by the
    heat kernel, a log-scaled positive integral (Hopf 1950); everything else by a sum of exact solutions.

    Args:
        problem: A nonlinear problem.
        solve: The solver of linear problems to a tolerance.
        tol: Wanted accuracy.

    Returns:
        The solution.

    Raises:
        SolverError: If no map linearises it.
    """
    kernel, span = _kernel(problem), 1.0
    if kernel is None or kernel.extension == "odd":
        mapped, derivation = _timed_map(problem)
        span = _span(mapped)
    if kernel is not None and (kernel.extension == "none" or span < _SPAN):  # on a ring w itself need not be periodic
        return KernelSolution(problem, kernel, "heat kernel applied to exp(-∫u0/(2ν)), in logarithmic scale")
    found = _solved(problem, mapped, derivation, lambda linear: solve(linear, max(tol * span, _FINEST)))
    lost = _mismatch(problem, found)
    inner = found.status.replace(f"tolerance {max(tol * span, _FINEST):g} not reached: ", "")
    found.status = f"largest relative mismatch of the conditions {lost:.1e}; {inner}"
    if not lost <= tol:
        low = f" w falls to {span:.0e} of its largest value;" if span < 0.1 else ""
        found.status = f"tolerance {tol:g} not reached:{low} {found.status}"
        warnings.warn(found.status, SolverWarning, stacklevel=3)
    return found


def carried(problem: IBVP, solve: Linear, tol: float) -> Solution | None:
    """A linear parabolic problem with variable coefficients by its equivalence to the heat equation.

    Args:
        problem: A linear homogeneous problem.
        solve: The solver of problems with constant coefficients to a tolerance.
        tol: Wanted accuracy.

    Returns:
        The solution; None where there is no such map, it moves the boundary, or the accuracy is missed.
    """
    kind = problem.classification
    fits = len(problem.fields) == 1 and len(problem.space) == 1 and problem.time is not None
    if not fits or kind.constant_coefficients or not kind.homogeneous or kind.type != "parabolic":
        return None
    try:
        found = _solved(problem, *_timed_map(problem), lambda heat: solve(heat, tol))
    except ScimlError:
        return None
    return found if found.inner_error <= tol and _mismatch(problem, found) <= tol else None


def _mismatch(problem: IBVP, found: MappedSolution) -> float:
    """Largest mismatch of the conditions relative to the data, in the variables of the problem."""
    rows = ConditionRows(problem, place_rows(problem, Density(order=9)), unit_scale(problem))
    factor, target = rows.severity, rows.target()
    return float(np.abs(factor * (rows.values(found) - target)).max() / max(np.abs(factor * target).max(), 1e-300))


def _timed_map(problem: IBVP) -> tuple[MappedProblem, float]:
    """The mapped problem, and CPU seconds of its derivation."""
    started = time.process_time()
    return mapped_problem(problem), time.process_time() - started


def _solved(
    problem: IBVP, mapped: MappedProblem, derivation: float, solve: Callable[[IBVP], Solution]
) -> MappedSolution:
    started = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SolverWarning)
        inner = solve(mapped.problem)
    if not isinstance(inner, LieSolution):
        raise SolverError("a map to constant coefficients", str(mapped.problem.equations[0]), "use PINN")
    derivation += inner.history.get("symmetry_seconds", 0.0)
    history = dict(inner.history) | {"seconds": time.process_time() - started, "symmetry_seconds": derivation}
    return MappedSolution(problem, mapped, inner, f"{mapped.map.kind} map; {inner.status}", history)


def _span(mapped: MappedProblem) -> float:
    """Smallest |w| over the largest at the start and on the sides, as far as the data tell."""
    problem = mapped.problem
    grid = np.linspace(*problem.bounds[0], 257)
    points = np.column_stack([grid, np.full(257, problem.bounds[1][0])])
    (data,) = problem.initial.values()
    values = np.abs(evaluate_data(problem.substitute(data), problem.coordinates, points))
    return float(values.min() / max(values.max(), 1e-300))


def _kernel(problem: IBVP) -> ColeHopf | None:
    reading = read_burgers(problem)
    if reading is None:
        return None
    (x,), u = problem.space, problem.fields[0]
    data = problem.substitute(problem.initial[u])
    low, high = problem.domain.symbolic_bounds[0]  # type: ignore[index]
    boundary = [term for term in problem.terms if term.kind == "boundary"]
    conditions = [term.condition for term in boundary]
    if all(isinstance(c, Periodic) for c in conditions):
        if sp.simplify(data.xreplace({x: x + high - low}) - data) != 0:
            return None
        extension = "none"
    elif all(isinstance(c, Dirichlet) for c in conditions) and not any(
        d != 0 for term in boundary for d in term_data(term, problem)
    ):
        extension = "odd"
    else:
        return None
    try:
        return ColeHopf(data, x, (low, high), float(reading[0]), extension)
    except ScimlError:
        return None
