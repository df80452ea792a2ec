"""One least-squares solve with a fixed basis: sines on an interval, what is natural elsewhere."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import sympy as sp
from scipy.special import jv

from sciml.classification import linear_form
from sciml.conditions import Dirichlet
from sciml.geometry import Rectangle
from sciml.ibvp import IBVP
from sciml.jets import Jet
from sciml.problems.case import ProblemCase
from solvers.lie.atoms import FormulaAtoms
from solvers.lie.interval_dictionary import read_evolution
from solvers.lie.placement import Density, place_rows, unit_scale
from solvers.lie.rows import ConditionRows
from solvers.lie.statement import Statement

SINES, PRODUCTS, PLANE = 60, 20, 60


class Columns:
    """Functions known by values only, for Dirichlet rows.

    Args:
        values: Points -> (N, n).
    """

    def __init__(self, values: Any) -> None:
        self.values = values

    def jets(self, points: np.ndarray, needed: Sequence[Jet]) -> np.ndarray:
        """Values, for every jet that is asked for."""
        return np.repeat(self.values(points)[:, None, :], len(needed), axis=1)


def one_least_squares(case: ProblemCase, points: np.ndarray | None) -> str:
    """Number of functions, relative L2 error, seconds.

    Args:
        case: The problem.
        points: Where errors are taken; None for 2048 points of the domain.

    Returns:
        The cell of the table; "-" where there is no natural fixed basis.
    """
    problem = case.problem
    forms = [linear_form(problem.substitute(e), problem.fields, problem.coordinates) for e in problem.equations]
    if any(f is None for f in forms) or case.reference is None or not problem.classification.homogeneous:
        return "-"
    started = time.process_time()
    basis = fixed_basis(problem, Statement(problem, [f for f in forms if f is not None]))
    if basis is None:
        return "-"
    density = Density(line=12 if problem.time is not None and len(problem.space) == 2 else 30, order=8)
    made = ConditionRows(problem, place_rows(problem, density), unit_scale(problem))
    matrix = made.row_weights[:, None] * made.matrix([basis])  # type: ignore[list-item]
    norms = np.maximum(np.linalg.norm(matrix, axis=0), 1e-300)
    amplitudes = np.linalg.lstsq(matrix / norms, made.row_weights * made.target(), rcond=1e-15)[0] / norms
    seconds = time.process_time() - started
    if points is None:
        points = problem.domain.sample(2048, seed=3, time=problem.bounds[-1] if problem.time else None)
    values = basis.jets(points, [(0, (0,) * len(problem.coordinates))])[:, 0] @ amplitudes
    reference = case.reference.evaluate(points)[:, 0]
    error = np.linalg.norm(values - reference) / np.linalg.norm(reference)
    return f"{matrix.shape[1]}, {error:.1e}, {seconds:.2f}"


def fixed_basis(problem: IBVP, statement: Statement) -> Any:
    """Sines and an affine function; products of sines; harmonic polynomials; Fourier–Bessel functions."""
    if len(problem.fields) > 1 or not statement.constant:
        return None
    if problem.time is not None and len(problem.space) == 1:
        return _sines(problem, statement)
    dirichlet = all(isinstance(term.condition, Dirichlet) for term in problem.terms if term.kind == "boundary")
    if problem.time is None and len(problem.space) == 2 and dirichlet:
        return _plane(problem, statement)
    if problem.time is not None and isinstance(problem.domain, Rectangle) and dirichlet:
        return _products(problem, statement)
    return None


def _clocks(rate_terms: tuple[sp.Expr, ...], squared: sp.Expr, t: sp.Expr) -> list[sp.Expr]:
    """Clocks of T1 u_t + T2 u_tt = squared u, two for two orders in time."""
    if len(rate_terms) == 1:
        return [sp.exp(squared / rate_terms[0] * t)]
    first, second = rate_terms
    swing = sp.sqrt(-squared / second - (first / (2 * second)) ** 2)
    decay = sp.exp(-first / (2 * second) * t)
    return [decay * sp.cos(swing * t), decay * sp.sin(swing * t)]


def _sines(problem: IBVP, statement: Statement) -> Any:
    evolution = read_evolution(statement)
    if evolution is None or evolution.b or evolution.a * evolution.in_time[-1] >= 0:
        return None
    (x,), t = problem.space, problem.coordinates[1]
    (a, b), (start, _) = problem.bounds
    n, z = sp.Symbol("n", positive=True), sp.pi / (b - a)
    orders = tuple(sp.Float(c) for c in evolution.in_time[1:])
    squared = evolution.a * (z * n) ** 2 - evolution.c
    families = [FormulaAtoms((x, t), [clock * sp.sin(z * n * (x - a))], [n], np.arange(1.0, SINES + 1)[:, None])
                for clock in _clocks(orders, squared, t - start)]  # fmt: skip
    if evolution.c == 0:
        families += [FormulaAtoms((x, t), [part]) for part in (sp.S.One, x)]
    return _Joined(families)


def _products(problem: IBVP, statement: Statement) -> Any:
    x, y, t = problem.coordinates
    (a, b), (c, d), (start, _) = problem.bounds
    m, n = sp.symbols("m n", positive=True)
    forms = {orders: value for (_, orders), value in statement.forms[0].coefficients.items()}
    if set(forms) - {(2, 0, 0), (0, 2, 0), (0, 0, 0), (0, 0, 1), (0, 0, 2)}:
        return None
    p, q = sp.pi * m / (b - a), sp.pi * n / (d - c)
    squared = forms[2, 0, 0] * p**2 + forms[0, 2, 0] * q**2 - forms.get((0, 0, 0), 0)
    orders = tuple(sp.sympify(forms.get((0, 0, k), 0)) for k in ((1, 2) if (0, 0, 2) in forms else (1,)))
    shape = sp.sin(p * (x - a)) * sp.sin(q * (y - c))
    numbers = np.stack(np.meshgrid(*[np.arange(1.0, PRODUCTS + 1)] * 2), axis=-1).reshape(-1, 2)
    return _Joined([FormulaAtoms((x, y, t), [clock * shape], [m, n], numbers)
                    for clock in _clocks(orders, squared, t - start)])  # fmt: skip


def _plane(problem: IBVP, statement: Statement) -> Any:
    forms = {orders: float(value) for (_, orders), value in statement.forms[0].coefficients.items()}
    if set(forms) - {(2, 0), (0, 2), (0, 0)} or forms.get((2, 0)) != forms.get((0, 2)):
        return None
    wave = forms.get((0, 0), 0.0) / forms[2, 0]
    if wave < 0:
        return None
    middle = np.mean(problem.bounds, axis=1)
    radius = float(np.linalg.norm(np.diff(problem.bounds, axis=1))) / 2

    def values(points: np.ndarray) -> np.ndarray:
        z = (points - middle) @ np.array([1, 1j])
        n = np.arange(PLANE + 1)
        radial = jv(n, np.sqrt(wave) * np.abs(z)[:, None]) if wave else (np.abs(z)[:, None] / radius) ** n
        turned = radial * np.exp(1j * n * np.angle(z)[:, None])
        return np.hstack([turned.real, turned.imag[:, 1:]])

    return Columns(values)


class _Joined:
    """Several families as one."""

    def __init__(self, families: list[FormulaAtoms]) -> None:
        self.families = families

    def jets(self, points: np.ndarray, needed: Sequence[Jet]) -> np.ndarray:
        """All of them side by side."""
        return np.concatenate([family.jets(points, list(needed)) for family in self.families], axis=2)
