"""verify: the certificate of a candidate for the solution of a problem."""

from __future__ import annotations

import math
from typing import Any

from sciml.errors import ProblemError, ScimlError
from sciml.scales import Scales, field_scales
from sciml.solution import Solution
from sciml.verification.balance import balance_check
from sciml.verification.candidate import as_solution
from sciml.verification.certificate import Certificate, Check
from sciml.verification.rows import component_sizes, fresh_points, row_checks, value_checks
from sciml.verification.weak import BUMPS, jumps, weak_check

_FEW = {1: 96, 2: 16, 3: 8}  # bumps: they cost more in the plane and in space
_REFERENCE = 5.0  # a coarse reference has an error of its own


def verify(
    problem: Any, candidate: Any, tolerance: float = 0.01, reference: Any = None, bound: bool = True
) -> Certificate:
    """Check a candidate without trusting what made it.

    On fresh points: the residual of every equation over the size of its largest term, the mismatch of every condition
    over the size of its terms (for u = g the spread of u), measurements in units of σ. Equations with fluxes: the
    balance over the whole domain and time. Solutions with few derivatives, and equations with piecewise
    coefficients: the weak form. With a reference, the relative error in L2; a rigorous bound where there is one.

    A small residual does not bound the error where the problem is ill-conditioned; a reference or a bound does.

    Args:
        problem: The problem.
        candidate: A solution of any solver, also of a problem stated otherwise, a module from (n, d) to (n, m), an
            expression, or {field: expression}.
        tolerance: Largest share that passes; a reference may differ by five times as much.
        reference: A solution, an expression, {field: expression}, or a solver, which then solves the problem.
        bound: Whether to state the error bound of solutions that have one (takes up to 10 s once).

    Returns:
        The certificate.

    Raises:
        ProblemError: If an argument does not fit.

    Example:
        >>> import sympy as sp
        >>> from sciml import IBVP, Dirichlet, Interval, coordinates, field
        >>> x = coordinates("x"); u = field("u", x)
        >>> problem = IBVP(sp.Eq(u.diff(x, 2), 2), Interval(x, 0, 1), boundary=[Dirichlet(u, x**2)])
        >>> verify(problem, x**2).verdict, verify(problem, x**2 + x / 10).verdict
        ('verified', 'suspect')
        >>> [check.kind for check in verify(problem, x**2 + x / 10).suspects]
        ['condition']
    """
    if isinstance(tolerance, bool) or not isinstance(tolerance, (int, float)) or not 0 < tolerance < 1:
        raise ProblemError("a tolerance between 0 and 1", repr(tolerance), "verify(problem, solution, tolerance=0.01)")
    solution = as_solution(problem, candidate)
    scales, points = field_scales(solution.problem, solution.evaluate), fresh_points(solution.problem)
    sizes = component_sizes(solution, points, scales)
    rows = row_checks(solution, points, sizes, tolerance)
    checks = [
        *value_checks(solution, points),
        *_with_weak_forms(solution, rows, scales, tolerance),
        *_balances(solution, sizes, tolerance),
    ]
    if reference is not None:
        checks += _against(solution, reference, _REFERENCE * tolerance)
    if bound and candidate is solution and hasattr(solution, "error_bound"):
        checks.append(_bound(solution))
    title = problem.name or ", ".join(problem.field_names)
    return Certificate(f"{type(solution).__name__}({title})", float(tolerance), tuple(checks))


def unmet_equations(solution: Solution, tolerance: float = 0.01) -> list[Check]:
    """Equations that a solution leaves unsolved, tested with a few bumps: a look that a solver can afford at its end.

    Args:
        solution: The solution.
        tolerance: Largest share of the size of its terms that passes.

    Returns:
        The checks that did not pass; what cannot be tested is left out.

    Example:
        >>> import sympy as sp
        >>> from sciml import IBVP, Dirichlet, ExactSolution, Interval, coordinates, field
        >>> x = coordinates("x"); u = field("u", x)
        >>> problem = IBVP(sp.Eq(u.diff(x, 2), 2), Interval(x, 0, 1), boundary=[Dirichlet(u, x**2)])
        >>> [check.name for check in unmet_equations(ExactSolution(problem, x**3))]
        ['pde']
    """
    scales = field_scales(solution.problem, solution.evaluate).fields
    bumps = _FEW[len(solution.problem.space)]
    numbers = range(len(solution.problem.equations))
    checks = [_weak(solution, number, scales, tolerance, bumps) for number in numbers]
    return [check for check in checks if not check.passed and math.isfinite(check.value)]


def _with_weak_forms(solution: Solution, rows: list[Check], scales: Scales, tolerance: float) -> list[Check]:
    """The rows, with the weak form beside or instead of the residual of an equation where that says too little."""
    number, found = 0, list[Check]()
    for check in rows:
        if check.kind != "equation":
            found.append(check)
            continue
        strong = solution.continuous_derivatives is None and not check.note.startswith("not checked")
        if strong:
            found.append(check)
        if not strong or jumps(solution.problem, number):
            found.append(_weak(solution, number, scales.fields, tolerance))
        number += 1
    return found


def _weak(solution: Solution, number: int, spreads: tuple[float, ...], tolerance: float, bumps: int = BUMPS) -> Check:
    try:
        return weak_check(solution, number, spreads, tolerance, bumps)
    except ScimlError as error:
        name = solution.problem.equation_names[number]
        return Check("weak form", name, float("nan"), tolerance, f"not checked: {error.expected}")


def _balances(solution: Solution, sizes: dict[str, float], tolerance: float) -> list[Check]:
    found = []
    for number, name in enumerate(solution.problem.equation_names):
        try:
            check = balance_check(solution, number, sizes[name], tolerance)
        except ScimlError as error:
            check = Check("balance", name, float("nan"), None, f"not checked: {error.expected}")
        if check is not None:
            found.append(check)
    return found


def _against(solution: Solution, reference: Any, limit: float) -> list[Check]:
    solved = reference.solve(solution.problem) if hasattr(reference, "solve") else reference
    report = solution.error(solved)
    kind = type(solved).__name__ if isinstance(solved, Solution) else "formula"
    return [
        Check("reference", name, value, limit, f"relative L2 difference from {kind} at {report.points} points")
        for name, value in report.relative_l2.items()
    ]


def _bound(solution: Any) -> Check:
    value = solution.error_bound
    return Check("bound", "largest error", float("nan") if value is None else float(value), None,
                 str(solution.error_bound_reason).split("\n")[0][:120])  # fmt: skip
