"""LieSolver: linear problems by sums of exact solutions, fitted to the conditions by one linear solve."""

from __future__ import annotations

import dataclasses
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp
import torch

from sciml.arguments import explained, require_number
from sciml.classification import LinearForm, linear_form
from sciml.errors import SolverError, SolverWarning
from sciml.ibvp import IBVP, require_ibvp
from sciml.jumps import warn_of_jumps
from sciml.record import RowMap, TrainingRecord
from sciml.solution import Callback, Solution, require_callbacks
from solvers.lie.atoms import Atoms, FormulaAtoms
from solvers.lie.by_map import carried, solve_nonlinear
from solvers.lie.dictionaries import Dictionary, densities, dictionary_of, made_of_data
from solvers.lie.evolution.collocation import Judge, collocation, is_evolution
from solvers.lie.fit import LinearFit, pruned, solve_rows
from solvers.lie.inhomogeneous import Particular, homogeneous, particular_solution, reduced, without_data
from solvers.lie.placement import place_rows, unit_scale
from solvers.lie.planar.uniqueness import check_unique
from solvers.lie.rows import ConditionRows
from solvers.lie.solution import LieSolution
from solvers.lie.sparse.fit import SparseFit, SparseProblem, sparse_fit
from solvers.lie.sparse.seeds import templates_of
from solvers.lie.spectral import spectral_fit
from solvers.lie.statement import Statement
from solvers.lie.wellposed import check_spectral_unique, require_well_posed, warn_unbounded

_OTHERWISE = "use PINN"
_GOOD = 1e-4  # mismatch of a collocation below which least squares, which are slower, are not tried
_INSIDE = 256  # points that tell the size of a solution


@dataclass(frozen=True, eq=False)
class _Candidate:
    """A fit, the largest mismatch on held-out rows and where, relative to the data."""

    families: list[Atoms]
    amplitudes: np.ndarray
    rows: ConditionRows | None
    error: float
    place: str
    method: str
    check: ConditionRows | None = None
    particular: Particular | None = None


@explained("LieSolver(tol=1e-10)")
class LieSolver:
    """Sums of exact solutions made by symmetries, fitted to initial and boundary data (after arXiv 2510.25731).

    One equation with constant coefficients on an interval in time: separated modes, exponentials on the
    characteristic variety, polynomials, layers and kinks, one linear solve; rows held out choose the size. Every
    other linear problem: Chebyshev polynomials whose equations are rows too, and whose residual is in the status.

    Args:
        tol: Largest mismatch of the conditions, relative to the data, on held-out rows.
        max_terms: Most terms of the answer; None for no limit. Where the linear solve needs more, matching pursuit
            chooses among its atoms and ones whose group parameters are then moved by variable projection, until the
            tolerance or the budget is reached; the status says what was reached.
        seed: Seed of the derivation of symmetries.

    Raises:
        SolverError: If an option is out of range.

    Example:
        >>> from sciml.problems import heat
        >>> case = heat.sine()
        >>> lie = LieSolver().solve(case.problem)
        >>> print(f"{lie(x=0.3, t=0.05):.6e}")
        -2.188603e-04
    """

    def __init__(self, tol: float = 1e-10, max_terms: int | None = None, seed: int = 0) -> None:
        require_number(tol, "tol", above=0, most=1, fix="LieSolver(tol=1e-10)")
        require_number(max_terms, "max_terms", least=1, whole=True, optional=True, fix="LieSolver(max_terms=200)")
        require_number(seed, "seed", least=0, whole=True, fix="LieSolver(seed=0)")
        self.tol, self.max_terms, self.seed = tol, max_terms, seed

    def solve(self, problem: IBVP, callbacks: Sequence[Callback] = ()) -> Solution:
        """Solve a problem.

        Args:
            problem: A linear problem, or a nonlinear one that a map makes linear.
            callbacks: Called as callback(level, levels, {"error": ..., "terms": ...}); a true answer stops.

        Returns:
            The best solution found.

        Raises:
            SolverError: If the problem is not linear, ill-posed, or has unknown coefficients.
        """
        require_ibvp(problem)
        require_callbacks(callbacks)
        warn_of_jumps(problem)
        started = time.process_time()

        def inner(linear: IBVP, tol: float) -> Solution:
            return LieSolver(tol, self.max_terms, self.seed).solve(linear, callbacks)

        if not problem.classification.linear and not problem.unknowns:
            return solve_nonlinear(problem, inner, self.tol)
        forms = _linear_forms(problem)
        if (mapped := carried(problem, inner, self.tol)) is not None:
            return mapped
        particular = particular_solution(problem, forms, self.tol)
        if particular is not None and made_of_data(Statement(homogeneous(problem, forms), forms, seed=self.seed)):
            rest = reduced(problem, forms, particular)
            if rest is not None:
                return _summed(problem, None if without_data(rest) else self.solve(rest, callbacks), particular)
            if problem.domain.symbolic_bounds is not None:
                particular = None  # a polynomial for the whole
        statement = Statement(homogeneous(problem, forms) if particular else problem, forms, seed=self.seed)
        if particular is not None and particular.moving:
            statement.moving_data = True  # what is left of the data moves with it
        best: _Candidate | None = None
        history: dict[str, Any] = {"error": [], "terms": []}
        for level, candidate in enumerate(self._candidates(problem, statement, particular)):
            history["error"].append(candidate.error)
            history["terms"].append(len(candidate.amplitudes))
            if best is None or candidate.error < best.error:
                best = candidate
            values = {"error": candidate.error, "terms": float(len(candidate.amplitudes))}
            if any([bool(callback(level, 6, values)) for callback in callbacks]) or best.error <= self.tol:
                break
        assert best is not None
        known = best.particular.atom if best.particular is not None else None
        check_unique(problem, best.families, best.rows, best.error, known)
        best = _with_particular(self._within_budget(_pruned(best, self.tol), best, statement))
        history |= {"reached": best.error, "seconds": time.process_time() - started}
        history["symmetry_seconds"] = statement.symmetry_seconds
        status = (
            f"{best.method}, {int(np.count_nonzero(best.amplitudes))} terms; largest relative mismatch on held-out "
            f"rows {best.error:.1e} at {best.place}"
        )
        if best.error > self.tol:
            status = f"tolerance {self.tol:g} not reached: {status}"
            warnings.warn(status, SolverWarning, stacklevel=2)
        return LieSolution(problem, best.families, best.amplitudes, status, history, _record(best))

    def _candidates(self, problem: IBVP, statement: Statement, particular: Particular | None) -> Iterator[_Candidate]:
        dictionary = dictionary_of(statement)
        if dictionary is not None:
            for count in dictionary.levels():
                families = dictionary.build(count)
                if self.max_terms and count > dictionary.levels()[0] and sum(map(len, families)) > 6 * self.max_terms:
                    return  # a pool large enough for the pursuit
                yield _fitted(statement.problem, families, dictionary, count, particular)
            return
        forms = _linear_forms(problem)
        found = collocation(problem, forms, self.tol)
        if found is not None:
            atom, error, place = found
            method = "spectral collocation, the equations hold only to the mismatch given"
            yield _Candidate([atom], np.ones(1), None, error, place, method)
            if error <= max(self.tol, _GOOD):
                return
        atom, error = spectral_fit(problem, self.tol)
        check_spectral_unique(problem, error)
        place = "root mean square over equations and conditions"
        if is_evolution(problem, forms):  # a residual adds up in time
            error, place = Judge(problem, forms).error(atom)
        method = "Chebyshev least squares, the equations hold only to the mismatch given"
        yield _Candidate([atom], np.ones(1), None, error, place, method)

    def _within_budget(self, pruned_fit: _Candidate, whole: _Candidate, statement: Statement) -> _Candidate:
        """The fit itself, or a sparse one where it has more terms than allowed."""
        rows, check, particular = whole.rows, whole.check, whole.particular
        if self.max_terms is None or rows is None or check is None:
            return pruned_fit
        budget = self.max_terms - (particular is not None)
        if np.count_nonzero(pruned_fit.amplitudes) <= budget:
            return pruned_fit
        if budget < 1:
            raise SolverError("max_terms >= 2 where a particular solution is one of the terms",
                              f"max_terms={self.max_terms}", "LieSolver(max_terms=30)")  # fmt: skip
        problem = SparseProblem(rows, _target(rows, particular), whole.families, templates_of(statement))

        def judged(fit: SparseFit) -> _Candidate:
            return _judged(fit.families, fit.amplitudes, rows, check, particular)

        fit = sparse_fit(problem, budget, lambda fit: judged(fit).error <= self.tol, self.seed)
        share = fit.residual / max(float(np.linalg.norm(problem.target)), 1e-300)
        method = f"sparse sum of at most {self.max_terms} exact atoms, root mean square mismatch {share:.1e}"
        return dataclasses.replace(judged(fit), method=method)


def _summed(problem: IBVP, inner: Solution | None, particular: Particular) -> Solution:
    """The solution of what is left, and the particular solution."""
    if inner is None:
        status = "a particular solution in closed form meets all data: exact"
        history = {"error": [0.0], "terms": [1], "reached": 0.0}
        return LieSolution(problem, [particular.atom], np.ones(1), status, history)
    assert isinstance(inner, LieSolution)
    amplitudes = np.append(inner.amplitudes, 1.0)
    families = [*inner.families, particular.atom]
    return LieSolution(problem, families, amplitudes, inner.status, inner.history, inner.record)


def _linear_forms(problem: IBVP) -> list[LinearForm]:
    if problem.unknowns:
        raise SolverError("known coefficients", ", ".join(map(str, problem.unknowns)), _OTHERWISE)
    forms = [linear_form(problem.substitute(e), problem.fields, problem.coordinates) for e in problem.equations]
    conditions = [linear_form(problem.substitute(e), problem.fields, problem.coordinates)
                  for term in problem.terms for e in term.expressions]  # fmt: skip
    linear = [form for form in forms if form is not None]
    if len(linear) < len(forms) or any(form is None for form in conditions):
        raise SolverError("linear equations and conditions", "a nonlinear one", _OTHERWISE)
    require_well_posed(problem, linear)
    warn_unbounded(problem, linear)
    return linear


def _fitted(
    problem: IBVP, families: list[Atoms], dictionary: Dictionary, count: int, particular: Particular | None
) -> _Candidate:
    families = [family for family in families if len(family)] or [_zero(problem)]  # data without a single mode
    scale = unit_scale(problem)
    rows, check = [ConditionRows(problem, place_rows(problem, d), scale, d.level) for d in densities(dictionary, count)]
    fit = solve_rows(rows.matrix(families), _target(rows, particular), rows.row_weights)
    return _judged(families, fit.amplitudes, rows, check, particular)


def _target(rows: ConditionRows, particular: Particular | None) -> np.ndarray:
    """The data, less what the particular solution does there; 0 where it meets all of them to rounding."""
    data = rows.target()
    if particular is None:
        return data
    part = rows.matrix([particular.atom])[:, 0]
    rest, unit = data - part, rows.severity
    size = float(np.abs(unit * data).max(initial=0.0) + np.abs(unit * part).max(initial=0.0))
    met = float(np.abs(unit * rest).max(initial=0.0)) <= 4 * np.finfo(float).eps * size
    return np.zeros_like(rest) if met else rest


def _pruned(best: _Candidate, tol: float) -> _Candidate:
    """Fewer terms where the held-out rows allow it; atoms without an amplitude are dropped."""
    if best.rows is None or best.check is None:
        return best
    # a mismatch above the tolerance measures no terms: what is missed at a jump dies out inside, terms do not
    met = best.error <= tol
    rows, matrix = best.rows, best.rows.matrix(best.families)
    target = _target(rows, best.particular)
    residual = float(np.linalg.norm(rows.row_weights * (matrix @ best.amplitudes - target)))
    fit = LinearFit(best.amplitudes, 0, residual)
    fit = pruned(matrix, target, rows.row_weights, fit) if met else fit
    sparse = _judged(best.families, fit.amplitudes, rows, best.check, best.particular)
    if sparse.error > max(2 * best.error, 1e-3 * tol) or (met and sparse.error > tol):
        sparse = best
    sparse = dataclasses.replace(sparse, amplitudes=_without_rounding(sparse, matrix, 0.1 if met else 0.0))
    families, amplitudes, start = [], [], 0
    for family in sparse.families:
        own = sparse.amplitudes[start : start + len(family)]
        start += len(family)
        if own.any():
            families.append(family if own.all() else family.take(np.flatnonzero(own)))
            amplitudes.append(own[own != 0])
    if not families:  # the particular solution alone
        families, amplitudes = [_zero(rows.problem)], [np.zeros(1)]
    return _judged(families, np.concatenate(amplitudes), rows, best.check, best.particular)


def _without_rounding(fit: _Candidate, matrix: np.ndarray, share: float) -> np.ndarray:
    """Amplitudes without the smallest terms, together a share of the mismatch or less than rounding."""
    assert fit.rows is not None
    assert fit.check is not None
    parts = np.abs(fit.amplitudes) * np.abs(fit.rows.severity[:, None] * matrix).max(axis=0, initial=0.0)
    order, scale = np.argsort(parts), _scale(fit.check, fit.families, fit.amplitudes, fit.particular)
    error = fit.error if np.isfinite(fit.error) else 0.0
    dropped = order[np.cumsum(parts[order]) <= max(share * error, float(np.finfo(float).eps)) * scale]
    amplitudes = fit.amplitudes.copy()
    amplitudes[dropped] = 0.0
    return amplitudes


def _zero(problem: IBVP) -> Atoms:
    return FormulaAtoms(problem.coordinates, [sp.S.Zero] * len(problem.fields), name="zero")


def _with_particular(best: _Candidate) -> _Candidate:
    if best.particular is None or best.rows is None:
        return best
    families, amplitudes = [*best.families, best.particular.atom], np.append(best.amplitudes, 1.0)
    return dataclasses.replace(best, families=families, amplitudes=amplitudes)


def _judged(
    families: list[Atoms],
    amplitudes: np.ndarray,
    rows: ConditionRows,
    check: ConditionRows,
    particular: Particular | None,
) -> _Candidate:
    """A fit with its largest mismatch on held-out rows, relative to the data."""
    problem, target, factor = check.problem, _target(check, particular), check.severity
    mismatch = np.abs(factor * (check.matrix(families) @ amplitudes - target))
    size = _scale(check, families, amplitudes, particular)
    worst = int(np.argmax(np.where(np.isfinite(mismatch), mismatch, np.inf)))
    location = np.concatenate(check.locations)[worst]
    place = ", ".join(f"{s} = {v:.4g}" for s, v in zip(problem.coordinates, location, strict=True))
    error = float(mismatch[worst]) / size
    error = max(error, particular.error if particular else 0.0) if np.isfinite(error) else np.inf
    return _Candidate(families, amplitudes, rows, error, place, "exact atoms", check, particular)


def _scale(check: ConditionRows, families: list[Atoms], amplitudes: np.ndarray, particular: Particular | None) -> float:
    """Size of the data, or of the solution inside where a source makes it; parts that cancel there do not count."""
    problem, size = check.problem, float(np.abs(check.severity * check.target()).max(initial=0.0))
    if particular is not None:
        points = problem.domain.sample(_INSIDE, seed=0, time=problem.bounds[-1] if problem.time else None)
        whole = LieSolution(problem, [*families, particular.atom], np.append(amplitudes, 1.0))
        alone = LieSolution(problem, [particular.atom], np.ones(1))
        size = max(size, min(float(np.abs(part.evaluate(points)).max()) for part in (alone, whole)))
    return max(size, 1e-300)


def _record(best: _Candidate) -> TrainingRecord | None:
    """Rows of the conditions, parameters the amplitudes."""
    if best.rows is None:
        return None
    rows, families = best.rows, best.families
    matrix, target = torch.from_numpy(rows.matrix(families)), torch.from_numpy(rows.target())

    def quantity(theta: torch.Tensor, points: torch.Tensor, needed: Sequence[Any]) -> torch.Tensor:
        jets = [family.jets(points.detach().numpy(), list(needed)) for family in families]
        return torch.from_numpy(np.concatenate(jets, axis=2)) @ theta

    return TrainingRecord(
        parameters=torch.from_numpy(best.amplitudes.copy()),
        points=rows.points,
        rows=RowMap(
            lambda theta: matrix @ theta - target,
            lambda theta: (matrix @ theta - target, matrix),
            np.concatenate(rows.ids),
            np.concatenate(rows.labels),
        ),
        weights=torch.from_numpy(rows.row_weights**2),
        quantity=quantity,
    )
