"""Which problems LieSolver refuses or warns of: ill-posed evolutions, unbounded coefficients, many solutions."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import scipy.linalg
import sympy as sp

from sciml.classification import LinearForm
from sciml.errors import SolverError, SolverWarning
from sciml.expressions.data import evaluate_data
from sciml.ibvp import IBVP
from solvers.lie.placement import Density, place_rows
from solvers.lie.planar.uniqueness import judge_uniqueness
from solvers.lie.rows import ConditionRows
from solvers.lie.spectral import equation_scale
from solvers.lie.spectral_atoms import TensorBasis

_FITTED = "or PINN, which fits what can be fitted in the least-squares sense"
_SHORT = (300.0, 600.0)  # wave numbers, in units of the domain, of Hadamard's test
_SIZES = {1: 40, 2: 12}


def require_well_posed(problem: IBVP, forms: Sequence[LinearForm]) -> None:
    """Refuse evolutions whose short waves grow without bound, and steady equations with initial data.

    Coefficients are frozen at places, and P(iξ, λ) = 0 is solved for λ at two short wave lengths in several directions:
    Re λ that grows with |ξ| is Hadamard's instability (Petrovsky 1938).

    Args:
        problem: A linear problem.
        forms: Its equations.

    Raises:
        SolverError: If it is ill-posed.
    """
    kind = problem.classification
    if kind.type == "elliptic" and problem.time is not None:
        raise SolverError("a well-posed evolution", "an elliptic equation with initial data (Cauchy problem)",
                          f"state it without time, with a condition on every face; {_FITTED}")  # fmt: skip
    if kind.backward or _short_waves_grow(problem, forms):
        raise SolverError("a well-posed evolution", "an equation that is ill-posed forwards in time",
                          f"check the sign of the diffusion, or reverse time; {_FITTED}")  # fmt: skip


def _short_waves_grow(problem: IBVP, forms: Sequence[LinearForm]) -> bool:
    if problem.time is None or len(problem.space) < 2:  # one dimension: the classification knows
        return False
    count, bounds = len(problem.fields), np.array(problem.bounds)
    places = np.random.default_rng(0).uniform(bounds[:, 0], bounds[:, 1], (24, len(bounds)))
    directions = np.random.default_rng(1).standard_normal((24, len(problem.space)))
    directions[: len(problem.space)] = np.eye(len(problem.space))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    lengths = np.diff(bounds[: len(problem.space)], axis=1)[:, 0]
    rows = [{jet: _values(c, problem, places) for jet, c in form.coefficients.items()} for form in forms]
    highest = max(orders[-1] for row in rows for _, orders in row)
    if highest == 0 or len(rows) != count:
        return False
    for place in range(len(places)):
        first, second = (_fastest(rows, place, wave * directions / lengths, highest, count) for wave in _SHORT)
        if first is None or second is None:
            return False
        if ((second > 1.5 * first) & (second > _SHORT[0] ** 0.5)).any():
            return True
    return False


def _values(coefficient: sp.Expr, problem: IBVP, places: np.ndarray) -> np.ndarray:
    known = problem.substitute(sp.sympify(coefficient))
    return np.broadcast_to(evaluate_data(known, problem.coordinates, places), len(places))


def _fastest(rows: list[dict], place: int, waves: np.ndarray, highest: int, count: int) -> np.ndarray | None:
    """The largest Re λ for each wave vector, rounding taken off; None where the time derivatives are degenerate."""
    found = []
    for wave in waves:
        parts = np.zeros((highest + 1, count, count), dtype=complex)
        for i, row in enumerate(rows):
            for (field, orders), values in row.items():
                parts[orders[-1], i, field] += values[place] * np.prod((1j * wave) ** np.array(orders[:-1]))
        if not np.isfinite(parts).all() or np.linalg.cond(parts[-1]) > 1e10:
            return None
        companion = np.zeros((highest * count, highest * count), dtype=complex)
        companion[: -count or None, count:] = np.eye((highest - 1) * count) if highest > 1 else 0
        for k in range(highest):
            companion[-count:, k * count : (k + 1) * count] = -np.linalg.solve(parts[-1], parts[k])
        rates = np.linalg.eigvals(companion)
        found.append(float((rates.real - 1e-7 * np.abs(rates).max()).max()))
    return np.maximum(np.array(found), 0.0)


def warn_unbounded(problem: IBVP, forms: Sequence[LinearForm]) -> None:
    """Warn of coefficients that are not bounded on the closed domain.

    Args:
        problem: A linear problem.
        forms: Its equations.
    """
    for coefficient in dict.fromkeys(c for form in forms for c in form.coefficients.values()):
        known = problem.substitute(sp.sympify(coefficient))
        if not known.free_symbols & set(problem.coordinates):
            continue
        place = _unbounded_at(known, problem)
        if place:
            warnings.warn(f"the coefficient {known} is not bounded near {place}: the solution may be singular there "
                          "and the accuracy low; compare with PINN, or cut the place off", SolverWarning,
                          stacklevel=3)  # fmt: skip


def _unbounded_at(coefficient: sp.Expr, problem: IBVP) -> str:
    """Where a coefficient has no finite value, or its denominator changes sign; "" where it is bounded."""
    symbols = problem.coordinates
    time = (float(problem.time[1]), float(problem.time[2])) if problem.time else None
    parts = [problem.domain.sample(2000, method="grid", time=time)]
    parts += [problem.domain.sample_face(face, 64, method="grid", time=time) for face in problem.faces]
    places = np.concatenate(parts)
    values = np.abs(np.broadcast_to(evaluate_data(coefficient, symbols, places), len(places)))
    wrong = ~np.isfinite(values)
    _, below = sp.fraction(sp.together(coefficient))
    if below.free_symbols & set(symbols):
        signs = np.broadcast_to(evaluate_data(below, symbols, places), len(places))
        small = np.abs(signs) <= 1e-13 * np.nanmax(np.abs(signs))
        # an even pole between two points leaves no sign: the values there stand out
        wrong |= small | ((values > 1e5 * np.nanmedian(values)) & (values > 1e5))
        inside = signs[: len(parts[0])]
        if np.nanmin(inside) < 0 < np.nanmax(inside) and not wrong.any():
            wrong[int(np.nanargmin(np.abs(inside)))] = True
    if not wrong.any():
        return ""
    where = places[int(np.argmax(wrong))]
    return ", ".join(f"{s} = {v:.4g}" for s, v in zip(symbols, where, strict=True) if s in coefficient.free_symbols)


def check_spectral_unique(problem: IBVP, error: float) -> None:
    """Refuse a steady problem whose homogeneous problem has a solution other than 0, warn near one.

    The smallest singular value of equations and conditions, relative to the values inside, over Chebyshev polynomials.

    Args:
        problem: A steady linear problem.
        error: Relative mismatch of its fit.

    Raises:
        SolverError: At a resonance, or for pure slopes whose integral does not fit.
    """
    d = len(problem.space)
    if problem.time is not None or d not in _SIZES or len(problem.fields) != 1:
        return
    size = _SIZES[d]
    basis = TensorBasis(np.array(problem.bounds), (size,) * d, 1)
    points = place_rows(problem, Density(order=10, interior=size + 4, shift=1))
    rows = ConditionRows(problem, points, equation_scale(problem))
    matrix = rows.row_weights[:, None] * rows.matrix([basis])
    inside = basis.jets(problem.domain.sample(400, seed=1), [(0, (0,) * d)])[:, 0] / 20
    stacked = np.concatenate([matrix, inside])
    if not np.isfinite(stacked).all():
        return
    left, singular, _ = scipy.linalg.svd(stacked / np.linalg.norm(stacked, axis=0), full_matrices=False)
    kept = left[: len(matrix), singular > 1e-11 * singular[0]]
    judge_uniqueness(problem, float(scipy.linalg.svdvals(kept)[-1]), rows, error)
