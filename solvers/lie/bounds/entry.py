"""error_bound: from a problem and an approximation to a rigorous bound of the error."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import sympy as sp

from sciml.errors import SolverError
from solvers.lie.bounds.balls import available
from solvers.lie.bounds.budget import OutOfTime, cpu_limit
from solvers.lie.bounds.burgers import burgers_bound, read_burgers
from solvers.lie.bounds.helmholtz import helmholtz_bound
from solvers.lie.bounds.maximum import elliptic_bound, parabolic_bound
from solvers.lie.bounds.mismatch import Mismatch
from solvers.lie.bounds.operator import Operator, read_operator
from solvers.lie.bounds.patches import Enclosure
from solvers.lie.bounds.regularity import has_branches, travels
from solvers.lie.bounds.result import Bound
from solvers.lie.bounds.schroedinger import read_schroedinger, schroedinger_bound
from solvers.lie.bounds.sup import Deadline, NotEnclosed
from solvers.lie.bounds.transport import advection_bound, read_system, system_bound
from solvers.lie.bounds.waves import wave_bound


def error_bound(
    problem: Any,
    approximation: Any,
    *,
    seconds: float | None = 60.0,
    atom_units: float | Sequence[float] | None = None,
    rounding: float | None = None,
    regular: bool = False,
    solved: Mapping[Any, sp.Expr] | None = None,
    slack: float = 0.0,
) -> Bound:
    """Rigorous bound of the error of an approximation in closed form.

    The mismatch with the data and the residual of the equations are enclosed (Arb balls, Chebyshev interpolation with a
    proven remainder), multiplied by the stability constant of the kind of problem, and the rounding of the float64
    evaluation is added. Nothing is sampled.

    Args:
        problem: A linear `IBVP`, or one with Burgers' equation.
        approximation: {field: expression}, an expression for a single field, or an object with such an `expr`.
        seconds: CPU time after which there is no bound; None for no limit.
        atom_units: None: the rounding is that of the formula, evaluated as it stands in float64, in any order of the
            sums. A number u_j (or one per term) is a promise of the caller, for an object with `terms` that evaluates
            its atoms in a better way than by their formulas: each computed atom is within u_j 2^-53 sup|φ_j|.
        rounding: Another promise of the caller, in place of both: each computed value is within it of the exact one.
        regular: A promise that the approximation is smooth in the open domain, or a weak solution across its kinks;
            else that must be proven from the formula.
        solved: Another promise: parts of the approximation, by field, that solve the equations without sources.
        slack: Beside `solved`: by how much its residual may differ from 0, the highest time derivative with factor 1.

    Returns:
        The bound; `sup` is None where none is known, with the reason.

    Raises:
        SolverError: If the approximation is no expression for each field.

    Example:
        >>> import sympy as sp
        >>> from sciml.problems import heat
        >>> case = heat.sine(1)
        >>> bound = error_bound(case.problem, case.exact * (1 + sp.Rational(1, 1000)))
        >>> bound.sup is None or 1e-3 <= bound.sup <= 1.2e-3
        True
    """
    if not available():
        _expressions(problem, approximation)
        return Bound(None, None, 'the bound needs python-flint: pip install "sciml[rigorous]"')
    try:
        with cpu_limit(seconds):
            expressions = _expressions(problem, approximation)
            enclosure = Enclosure(Deadline.after(seconds), tuple(problem.space))
            terms = _terms(approximation, atom_units)
            mismatch = Mismatch(problem, expressions, enclosure, terms, rounding, regular, solved, slack)
            bound = _finite(_stability(mismatch))
            rounding, left = mismatch.rounding
    except NotEnclosed as refusal:
        return Bound(None, None, str(refusal))
    except OutOfTime:
        return Bound(None, None, f"not finished within {seconds:.3g} s of CPU time")
    return _with_rounding(bound, rounding, left, float(problem.domain.measure) * (1 + 1e-12))


def _with_rounding(bound: Bound, rounding: float, left: Any, measure: float) -> Bound:
    """The bound of the exact approximation and the rounding of its evaluation, outwards."""
    details, reason = bound.details | {"rounding": rounding}, bound.reason
    if left:
        details["rounding unknown at"] = left
        reason += "; rounding near singular points of the approximation is not included"
    sup = None if bound.sup is None else math.nextafter(bound.sup + rounding, math.inf)
    l2 = bound.l2
    if l2 is None and bound.sup is not None:
        l2 = bound.sup * math.sqrt(measure)
    l2 = None if l2 is None else (l2 + rounding * math.sqrt(measure)) * (1 + 1e-12)
    return dataclasses.replace(bound, sup=sup, l2=l2, reason=reason, details=details)


def _expressions(problem: Any, approximation: Any) -> dict[Any, sp.Expr]:
    given = getattr(approximation, "expr", approximation)
    if not isinstance(given, Mapping):
        given = {problem.fields[0]: given}
    try:
        found = {known: problem.substitute(sp.sympify(given[known])) for known in problem.fields}
    except (KeyError, sp.SympifyError):
        found = {}
    allowed = set(problem.coordinates)
    if len(found) != len(problem.fields) or any(e.free_symbols - allowed for e in found.values()):
        raise SolverError(
            f"an expression of {problem.coordinates} for each of {problem.fields}",
            str(given)[:200],
            "error_bound(problem, {u: expression})",
        )
    return found


def _terms(approximation: Any, units: float | Sequence[float] | None) -> list | None:
    if units is None:
        return None
    terms = getattr(approximation, "terms", None)
    if terms is None:
        raise SolverError("an approximation with terms (atom, amplitude) beside atom_units", repr(approximation)[:100])
    every = [float(units)] * len(terms) if isinstance(units, (int, float)) else [float(v) for v in units]
    if len(every) != len(terms) or not all(v >= 0 for v in every):
        raise SolverError("one non-negative number of atom_units per term", f"{len(every)} for {len(terms)} terms")
    atoms = [term.atom if isinstance(term.atom, tuple) else (term.atom,) for term in terms]
    return [(term.amplitude, atom, unit) for term, atom, unit in zip(terms, atoms, every, strict=True)]


def _finite(bound: Bound) -> Bound:
    if bound.sup is not None and not math.isfinite(bound.sup):
        raise NotEnclosed("the bound is not finite")
    l2 = bound.l2 if bound.l2 is not None and math.isfinite(bound.l2) else None
    return dataclasses.replace(bound, l2=l2)


def _branches_travel(mismatch: Mismatch, operator: Operator) -> bool:
    """Whether kinks and jumps move along characteristics, where a weak solution may have them."""
    expressions = list(mismatch.expressions.values())
    if len(mismatch.space) != 1 or not any(map(has_branches, expressions)):
        return False
    x, time = mismatch.space[0], mismatch.time
    if operator.time_order == 2 and operator.speed_squared is not None and operator.damping == 0:
        speed = sp.sqrt(operator.speed_squared)
        return all(travels(e, x, time, (speed, -speed), whole=True) for e in expressions)
    if operator.time_order == 1 and not any(operator.second) and operator.first[0].is_number:
        return all(travels(e, x, time, (-operator.first[0],), whole=False) for e in expressions)
    return False


def _stability(mismatch: Mismatch) -> Bound:
    """The bound of the kind of problem at hand."""
    problem = mismatch.problem
    if problem.unknowns:
        raise NotEnclosed("a problem with unknown coefficients carries no error bound")
    if not problem.classification.linear:
        reading = read_burgers(problem)
        if reading is None:
            raise NotEnclosed("no bound is known for this nonlinear equation")
        mismatch.require_smooth()
        return burgers_bound(mismatch, reading)
    if len(problem.fields) > 1:
        mismatch.require_smooth()
        pair = read_schroedinger(problem)
        if pair is not None:
            return schroedinger_bound(mismatch, pair)
        matrices = read_system(problem)
        if matrices is None:
            raise NotEnclosed("no bound is known for this system")
        return system_bound(mismatch, matrices)
    operator = read_operator(problem)
    mismatch.require_smooth(branches=_branches_travel(mismatch, operator))
    if operator.time_order == 2:
        return wave_bound(mismatch, operator)
    if operator.time_order == 1:
        if not any(operator.second):
            return advection_bound(mismatch, operator)
        return parabolic_bound(mismatch, operator)
    try:
        return elliptic_bound(mismatch, operator)
    except NotEnclosed as refusal:
        if "zero-order" not in str(refusal):
            raise
        return helmholtz_bound(mismatch, operator)
