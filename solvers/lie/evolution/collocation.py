"""Evolution equations by polynomials of adaptive degree, judged by their residual and mismatch."""

from __future__ import annotations

import math

import numpy as np
import sympy as sp

from sciml.callables import is_numeric_only
from sciml.classification import LinearForm
from sciml.errors import ScimlError
from sciml.expressions.data import evaluate_data
from sciml.geometry import Interval, Rectangle
from sciml.ibvp import IBVP
from solvers.lie.evolution.line import on_line
from solvers.lie.evolution.rectangle import on_rectangle, separable_parts
from solvers.lie.placement import Density, place_rows, unit_scale
from solvers.lie.rows import ConditionRows
from solvers.lie.sharpest import sharpest_places
from solvers.lie.spectral_atoms import ChebyshevAtoms

_FIRST = {1: (24, 16), 2: (16, 16, 12)}
_MOST = {1: (192, 256), 2: (96, 96, 96)}
_PROMISING = 1e-7  # tails of coefficients from which on a polynomial is judged
_TIMES = 16
_INSIDE = {1: 2000, 2: 1500}


def is_evolution(problem: IBVP, forms: list[LinearForm]) -> bool:
    """Whether collocation applies: linear in time on an interval or, separable, on a rectangle.

    Args:
        problem: A linear problem.
        forms: Its equations.

    Returns:
        The answer, by the form of the equations and conditions.
    """
    if problem.time is None or any(t.kind in {"point", "observation"} for t in problem.terms):
        return False
    if any(sp.sympify(c).has(problem.time[0]) for form in forms for c in form.coefficients.values()):
        return False
    if len(problem.space) == 1:
        return isinstance(problem.domain, Interval) and len(forms) == len(problem.fields)
    plain = len(problem.space) == 2 and isinstance(problem.domain, Rectangle) and len(problem.fields) == 1
    return plain and separable_parts(problem, forms) is not None


def collocation(problem: IBVP, forms: list[LinearForm], tol: float) -> tuple[ChebyshevAtoms, float, str] | None:
    """The solution as one polynomial, its degrees doubled where its coefficients have not decayed.

    Args:
        problem: A linear problem.
        forms: Its equations.
        tol: Wanted error.

    Returns:
        The polynomial, its error as judged by `Judge`, and where; None where the method does not apply.
    """
    if not is_evolution(problem, forms):
        return None
    d, solve = len(problem.space), on_line if len(problem.space) == 1 else on_rectangle
    sizes, judge = _FIRST[d], None
    best: tuple[ChebyshevAtoms, float, str] | None = None
    while True:
        try:
            series = solve(problem, forms, sizes)
        except (ScimlError, np.linalg.LinAlgError):
            series = None
        if series is None or not np.isfinite(series).all():
            return best
        atom = ChebyshevAtoms(np.array(problem.bounds), _trimmed(series), "spectral solution")
        tails = _tails(series)
        grown = tuple(min(2 * n, most) if tail > 0.03 * tol else n
                      for n, most, tail in zip(sizes, _MOST[d], tails, strict=True))  # fmt: skip
        if max(tails) <= max(tol, _PROMISING) or grown == sizes:
            judge = judge or Judge(problem, forms)
            error, place = judge.error(atom)
            if best is None or error < best[1]:
                best = atom, error, place
            if error <= 0.3 * tol or error > 3 * best[1]:  # beyond that degree only rounding grows
                return best
        if grown == sizes:
            return best
        sizes = grown


class Judge:
    """Largest relative mismatch on held-out rows, and the residual times its largest effect T^k/k!.

    For an evolution of order k whose energy or maximum does not grow, a residual f moves the solution by at most
    T|f| (k = 1) or T²|f|/2 (k = 2), Duhamel's principle.

    Args:
        problem: The problem.
        forms: Its equations.
    """

    def __init__(self, problem: IBVP, forms: list[LinearForm]) -> None:
        self.problem, self.forms = problem, forms
        self.rows = ConditionRows(problem, place_rows(problem, Density(order=7, shift=2)), unit_scale(problem))
        self.places = problem.domain.sample(_INSIDE[len(problem.space)], seed=3, time=problem.bounds[-1])
        if len(problem.space) > 1:  # few times, each of which is summed once
            start, end = problem.bounds[-1]
            slots = np.floor((self.places[:, -1] - start) / (end - start) * _TIMES).clip(0, _TIMES - 1)
            self.places[:, -1] = start + (end - start) * ((slots * 0.6180339887498949 + 0.07) % 1.0)
        for form in forms:
            source = problem.substitute(form.source)
            if source.free_symbols and not is_numeric_only(source):
                self.places = np.concatenate([self.places, sharpest_places(problem, source)])

    def error(self, atom: ChebyshevAtoms) -> tuple[float, str]:
        """The error relative to the data or the solution, and its place."""
        problem, rows = self.problem, self.rows
        mismatch = np.abs(rows.severity * (rows.matrix([atom])[:, 0] - rows.target()))
        values = atom.jets(self.places, [(i, (0,) * len(problem.bounds)) for i in range(len(problem.fields))])
        size = float(max(np.abs(rows.severity * rows.target()).max(initial=0.0), np.abs(values).max(), 1e-300))
        residual = np.max([self._residual(atom, form) for form in self.forms], axis=0)
        worst = float(max(mismatch.max(initial=0.0), residual.max())) / size
        if mismatch.max(initial=0.0) > residual.max():
            at = np.concatenate(rows.locations)[int(np.argmax(mismatch))]
        else:
            at = self.places[int(np.argmax(residual))]
        return worst, ", ".join(f"{s} = {v:.4g}" for s, v in zip(problem.coordinates, at, strict=True))

    def _residual(self, atom: ChebyshevAtoms, form: LinearForm) -> np.ndarray:
        """T^k/k! |f|, the equation divided by the smallest coefficient of its highest time derivative."""
        problem, jets = self.problem, list(form.coefficients)
        table = atom.jets(self.places, jets)[:, :, 0]
        total = np.asarray(evaluate_data(problem.substitute(form.source), problem.coordinates, self.places)).copy()
        order = max(orders[-1] for _, orders in jets)
        lead = np.zeros(len(self.places))
        for k, jet in enumerate(jets):
            factor = np.asarray(evaluate_data(sp.sympify(form.coefficients[jet]), problem.coordinates, self.places))
            total += factor * table[:, k]
            if jet[1][-1] == order:
                lead = np.maximum(lead, np.abs(factor))
        duration = problem.bounds[-1][1] - problem.bounds[-1][0]
        return np.abs(total) * duration**order / math.factorial(order) / np.maximum(lead, 1e-300)


def _tails(series: np.ndarray) -> list[float]:
    """Largest of the last coefficients along every axis, relative to the largest of all."""
    size, found = float(np.abs(series).max(initial=1e-300)), []
    for axis in range(2, series.ndim):
        last = np.take(np.abs(series), range(-max(2, series.shape[axis] // 8), 0), axis=axis)
        found.append(float(last.max()) / size)
    return found


def _trimmed(series: np.ndarray) -> np.ndarray:
    """Without the coefficients that are rounding."""
    small = np.abs(series) < 2e-16 * np.abs(series).max(initial=0.0)
    series = np.where(small, 0.0, series)
    for axis in range(2, series.ndim):
        used = np.flatnonzero(np.abs(series).max(axis=tuple(i for i in range(series.ndim) if i != axis)))
        series = np.take(series, range(int(used[-1]) + 1 if len(used) else 1), axis=axis)
    return np.ascontiguousarray(series)
