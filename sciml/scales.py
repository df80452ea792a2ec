"""Scales: how large fields, and the summands of equations and conditions, are, so that residuals can be judged.

A residual is small when the summands that it is made of balance: r = Σ_k s_k with |r| far below max |s_k|. Where all
summands are small themselves (a homogeneous condition, a constant solution), the size is that of the summand for
a field of the known spread that varies once over the domain: U/L^|a| for a derivative D^a u.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import sympy as sp

from sciml.compatibility import term_data
from sciml.errors import ScimlError
from sciml.expressions.data import evaluate_data
from sciml.ibvp import IBVP
from sciml.jets import field_atoms, jet_atoms
from sciml.points import PointSet
from sciml.terms import Term

Labelled = tuple[np.ndarray, np.ndarray]
"""Names of the components (N,) and residuals (N,) of rows."""

_PLACES = 512
_FLAT = 0.01  # a field that varies by less than this share of its size counts as constant


@dataclass(frozen=True, eq=False)
class Scales:
    """Sizes of the fields of one solution.

    Attributes:
        fields: Spread of each field over domain and data; a hundredth of its size where it is constant.
        inside: Spread of each field's prediction over the interior.
        given: Spread of each field in its data; 0 where none are given.
    """

    fields: tuple[float, ...]
    inside: tuple[float, ...]
    given: tuple[float, ...]


def field_scales(problem: IBVP, values: Callable[[np.ndarray], np.ndarray]) -> Scales:
    """Spread of every field over interior predictions and over the data of conditions u = g.

    Args:
        problem: The problem.
        values: Points (n, d) to predictions (n, m).

    Returns:
        The scales.
    """
    time = None if problem.time is None else problem.bounds[-1]
    inner = values(problem.domain.sample(_PLACES, "sobol", 0, time))
    inner = inner[np.isfinite(inner).all(axis=1)]
    inner = inner if len(inner) else np.zeros((1, len(problem.fields)))
    data = _data(problem)
    inside = [float(column.std()) for column in inner.T]
    given = [_spread_of(data[known]) for known in problem.fields]
    sizes = [max(float(np.abs(column).max()), *(float(np.abs(part).max()) for part in data[known]), 0.0)
             for column, known in zip(inner.T, problem.fields, strict=True)]  # fmt: skip
    spreads = [max(a, b, _FLAT * size) or 1.0 for a, b, size in zip(inside, given, sizes, strict=True)]
    return Scales(tuple(spreads), tuple(inside), tuple(given))


def _data(problem: IBVP) -> dict[sp.Expr, list[np.ndarray]]:
    """Values that conditions of the form u = g give to each field."""
    found: dict[sp.Expr, list[np.ndarray]] = {known: [np.zeros(1)][:0] for known in problem.fields}
    for term in problem.terms:
        if term.kind == "interior":
            continue
        for expression, fixed in zip(term.expressions, term_data(term, problem), strict=True):
            moving = [part for part in sp.Add.make_args(expression) if field_atoms(part)]
            if len(moving) != 1 or moving[0] not in found:
                continue
            if term.observation is not None:
                found[moving[0]].append(np.asarray(term.observation.values))
            elif not fixed.free_symbols - set(problem.coordinates):
                found[moving[0]].append(-evaluate_data(fixed, problem.coordinates, _places(problem, term)))
    return found


def _places(problem: IBVP, term: Term) -> np.ndarray:
    domain, time = problem.domain, None if problem.time is None else problem.bounds[-1]
    if term.kind == "point" and term.point is not None:
        return np.array([[float(problem.substitute(term.point.get(s, sp.S.Zero))) for s in problem.coordinates]])
    if term.kind == "boundary":
        return np.concatenate([domain.sample_face(face, _PLACES // 8, "sobol", 0, time) for face in term.faces])
    space = domain.sample(_PLACES // 8, "sobol", 0)
    return space if time is None else np.column_stack([space, np.full(len(space), time[0])])


def _spread_of(parts: list[np.ndarray]) -> float:
    """Root mean square distance from the overall mean, of the part that varies most."""
    if not parts:
        return 0.0
    every = np.concatenate(parts)
    every = every[np.isfinite(every)]
    centre = float(np.mean([np.nanmean(part) for part in parts]))
    return float(max(np.sqrt(np.nanmean((part - centre) ** 2)) for part in parts)) if len(every) else 0.0


def summand_sizes(
    problem: IBVP,
    rows: Callable[[PointSet, list[Term]], Labelled],
    points: PointSet,
    spreads: tuple[float, ...],
    estimates: Mapping[sp.Symbol, float],
) -> dict[str, float]:
    """Root mean square of the largest summand of every component, over points of the terms.

    Args:
        problem: The problem.
        rows: Points and terms to residuals and their labels.
        points: Points.
        spreads: Spread of each field.
        estimates: Values of the unknown coefficients.

    Returns:
        Component -> positive size.
    """
    sizes = {}
    for term in problem.terms:
        place = points.of(term.name) if term.name in points.terms else points.take(np.zeros(0, dtype=int))
        for name, expression in zip(term.components, term.expressions, strict=True):
            floor = expected_size(problem, expression, spreads, estimates)
            sizes[name] = max(floor, _largest(problem, rows, term, name, expression, place)) or 1.0
    return sizes


def summands(expression: sp.Expr, atoms: Iterable[sp.Expr]) -> list[sp.Expr]:
    """What balances in a residual: monomials of the jets with their whole coefficients, and the data as one.

    Args:
        expression: The residual.
        atoms: Its jets.

    Returns:
        Summands that are not zero; their sum is the residual.
    """
    moving = tuple(atoms)
    fixed, rest = expression.as_independent(*moving, as_Add=True) if moving else (expression, sp.S.Zero)
    found: dict[sp.Expr, sp.Expr] = {}
    for part in sp.Add.make_args(sp.expand(rest)):
        coefficient, monomial = part.as_independent(*moving, as_Add=False) if moving else (part, sp.S.One)
        found[monomial] = found.get(monomial, sp.S.Zero) + coefficient
    parts = [coefficient * monomial for monomial, coefficient in found.items()]
    return [part for part in (fixed, *parts) if part != 0]


def _largest(
    problem: IBVP,
    rows: Callable[[PointSet, list[Term]], Labelled],
    term: Term,
    name: str,
    expression: sp.Expr,
    place: PointSet,
) -> float:
    parts = summands(expression, jet_atoms(expression, problem.fields, problem.coordinates))
    if not len(place) or len(parts) < 2 or term.periodic:
        return 0.0
    names = tuple(f"{name} summand {i}" for i in range(len(parts)))
    split = replace(term, expressions=tuple(parts), components=names)
    observed = np.where(np.isnan(place.value), np.nan, 0.0)  # an observed value would enter every summand
    try:
        labels, values = rows(replace(place, value=observed), [split])
    except ScimlError:
        return 0.0
    own = [values[labels == part] for part in names]
    return max(
        float(np.sqrt(np.mean(part[np.isfinite(part)] ** 2))) if np.isfinite(part).any() else 0.0 for part in own
    )


def expected_size(
    problem: IBVP, expression: sp.Expr, spreads: tuple[float, ...], estimates: Mapping[sp.Symbol, float]
) -> float:
    """Size of the largest summand for fields of the known spread that vary once over the domain.

    Args:
        problem: The problem.
        expression: A residual.
        spreads: Spread of each field.
        estimates: Values of the unknown coefficients.

    Returns:
        The size, 0 where it is not finite.
    """
    flat = problem.substitute(expression)
    numbers = {symbol: sp.Float(value, 17) for symbol, value in estimates.items()}
    extents = [high - low for low, high in problem.bounds]
    atoms = jet_atoms(flat, problem.fields, problem.coordinates)
    rates = {
        atom: sp.Float(spreads[k] / math.prod(extent**n for extent, n in zip(extents, orders, strict=True)), 17)
        for atom, (k, orders) in atoms.items()
    }
    time = None if problem.time is None else problem.bounds[-1]
    places = problem.domain.sample(64, "sobol", 0, time)
    largest = 0.0
    for part in summands(flat, atoms):
        moved = part.xreplace(numbers).xreplace(rates)
        if atoms and part.has(*atoms):
            moved = moved.subs({s: 1 for s in moved.free_symbols - set(problem.coordinates)})
            values = evaluate_data(moved, problem.coordinates, places)
            largest = max(largest, float(np.sqrt(np.nanmean(values**2))))
    return largest if np.isfinite(largest) else 0.0
