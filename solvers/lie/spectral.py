"""Spectral least squares: Chebyshev polynomials with the equations among the rows, for any linear problem."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import sympy as sp

from sciml.callables import is_numeric_only
from sciml.compatibility import term_data
from sciml.ibvp import IBVP
from sciml.points import PointSet
from solvers.lie.fit import solve_rows
from solvers.lie.placement import Density, place_rows, unit_scale
from solvers.lie.rows import ConditionRows
from solvers.lie.sharpest import sharpest_places
from solvers.lie.spectral_atoms import ChebyshevAtoms, TensorBasis

# sizes per axis; from three axes on polynomials of a total degree, which spend no unknowns on the corners of the cube
_DEGREES = {1: (16, 32, 64, 128), 2: (10, 16, 24, 32), 3: (8, 12, 17), 4: (6, 9)}


def spectral_fit(
    problem: IBVP, tolerance: float, equations_only: bool = False, most: int = 1600
) -> tuple[ChebyshevAtoms, float]:
    """Minimise equations and conditions over tensor Chebyshev polynomials of growing degree.

    Args:
        problem: A linear problem.
        tolerance: Relative residual at which to stop.
        equations_only: Leave the conditions out: a particular solution of least norm.
        most: Most unknowns.

    Returns:
        One atom, and the root mean square residual on held-out rows relative to the data, or the largest where the
        sources are largest; infinite where a source is 0 at all points looked at, though not as an expression.
    """
    bounds = np.array(problem.bounds)
    d, m = len(bounds), len(problem.fields)
    scale = equation_scale(problem)
    sharp = _sharp_rows(problem, scale)
    best: tuple[ChebyshevAtoms, float] | None = None
    for size in _DEGREES[d]:
        basis = TensorBasis(bounds, (size,) * d, m, size - 1 if d > 2 else None)
        if best is not None and len(basis) > most:
            break
        inside = size + 4 if d < 3 else 3 * size // 4 + 2
        made = [
            ConditionRows(problem, place_rows(problem, Density(order=order, interior=inside, shift=shift)), scale)
            for order, shift in ((10, 1), (7, 2))
        ]
        chosen = [_interior_only(rows) if equations_only else slice(None) for rows in made]
        fit_rows, check = made
        first, second = chosen
        fit = solve_rows(fit_rows.matrix([basis])[first], fit_rows.target()[first], fit_rows.row_weights[first], 1e-13)
        atom = ChebyshevAtoms(bounds, basis.table(fit.amplitudes), "spectral solution")
        residual = check.matrix([atom])[second, 0] - check.target()[second]
        size_of_data = float(np.linalg.norm((check.row_weights * check.target())[second]))
        error = float(np.linalg.norm(check.row_weights[second] * residual) / max(size_of_data, 1e-300))
        error = max(error, sharp(atom))
        if best is None or error < best[1]:
            best = atom, error
        if error <= 0.03 * tolerance:
            break
    assert best is not None
    return best


def _sharp_rows(problem: IBVP, scale: dict[str, float]) -> Callable[[ChebyshevAtoms], float]:
    """The largest residual of the equations at the places of their largest sources, relative to these."""
    blocks, missed = [], False
    for index, term in enumerate(problem.terms):
        if term.kind == "interior" and not is_numeric_only(term.expressions[0]):
            source = sp.Add(*term_data(term, problem))
            places = sharpest_places(problem, source) if source.free_symbols else np.zeros((0, len(problem.bounds)))
            missed |= bool(source.free_symbols) and not len(places)
            blocks.append((places, np.full(len(places), index)))
    if missed or not sum(len(places) for places, _ in blocks):
        return lambda atom: np.inf if missed else 0.0
    places, terms = np.concatenate([b[0] for b in blocks]), np.concatenate([b[1] for b in blocks])
    points = PointSet(places, term=terms, terms=tuple(t.name for t in problem.terms), weight=np.ones(len(places)),
                      value=np.full(len(places), np.nan), term_kinds=tuple(t.kind for t in problem.terms))  # fmt: skip
    rows = ConditionRows(problem, points, scale)
    size = float(np.abs(rows.row_weights * rows.target()).max())

    def largest(atom: ChebyshevAtoms) -> float:
        residual = rows.row_weights * (rows.matrix([atom])[:, 0] - rows.target())
        return float(np.abs(residual).max()) / max(size, 1e-300)

    return largest


def _interior_only(rows: ConditionRows) -> np.ndarray:
    names = {name for term in rows.problem.terms if term.kind == "interior" for name in term.components}
    return np.isin(np.concatenate(rows.labels), list(names))


def equation_scale(problem: IBVP) -> dict[str, float]:
    """λ by term as `unit_scale`, the equations divided by their largest coefficient over the unit of its jet."""
    scale = unit_scale(problem)
    interior = [term.name for term in problem.terms if term.kind == "interior"]
    points = place_rows(problem, Density(order=6, interior=4))
    rows = ConditionRows(problem, points, dict.fromkeys(scale, 1.0))
    lengths = np.diff(np.array(problem.bounds), axis=1)[:, 0]
    for term, name in zip(rows._terms, [n for n in points.terms if (points.mask(n)).any()], strict=True):
        if name in interior:
            place = term.places[0]
            units = np.array([np.prod(lengths ** -np.array(orders, dtype=float)) for _, orders in place.needed])
            scale[name] = 1.0 / max(float((np.abs(place.coefficients) * units).max()), 1e-300) ** 2
    return scale
