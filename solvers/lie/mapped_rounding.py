"""How far the float64 values of a mapped solution may be from the exact ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import sympy as sp

from solvers.lie.bounds.rounding import UNIT, rounding_error
from solvers.lie.bounds.sup import NotEnclosed, size_by_cells
from solvers.lie.certificate import exact_sum, sum_rounding
from solvers.lie.maps import MappedProblem
from solvers.lie.solution import LieSolution


def mapped_rounding(problem: Any, mapped: MappedProblem, inner: LieSolution) -> float:
    """Bound of the rounding of u = m(x, t) w(y(x, t), s(t)) as it is evaluated: places, w there, the product.

    A place that is off by δ moves w by sup|w'| δ, so that |error| <= sup|m| (E_w + Σ sup|∂w| δ) + sup|w| E_m plus the
    rounding of the product, with E the rounding of w and of m.

    Args:
        problem: The problem of u.
        mapped: The map and the problem of w.
        inner: w.

    Returns:
        The bound.

    Raises:
        NotEnclosed: If u contains derivatives of w, or a part cannot be enclosed.
    """
    new, old = mapped.map.new_coordinates, problem.coordinates
    unit = problem.substitute(mapped.map.formula).replace(mapped.map.pulled.func, sp.Lambda(old, sp.Integer(1))).doit()
    linear = problem.substitute(mapped.map.formula).replace(mapped.map.pulled.func, sp.Lambda(old, sp.Symbol("w")))
    if sp.simplify(linear.doit() - sp.Symbol("w") * unit) != 0 or unit == 0:
        raise NotEnclosed("the rounding of a formula with derivatives of w is not bounded")
    own = sum_rounding(inner.problem, inner.families, inner.amplitudes)
    if own is None:
        raise NotEnclosed("the rounding of the evaluation is not bounded for these atoms of w")
    box = _box(np.array(problem.bounds))
    bounds = np.array(inner.problem.bounds)
    (exact,) = exact_sum(inner.problem, inner.families, inner.amplitudes).values()
    for axis, (symbol, place) in enumerate(zip(inner.problem.coordinates, new, strict=True)):
        shift = _rounding(mapped.places[place], old, box) + 2 * UNIT * float(np.abs(bounds[axis]).max())
        own += size_by_cells(exact.diff(symbol), inner.problem.coordinates, _box(bounds)) * shift
    size, factor = size_by_cells(exact, inner.problem.coordinates, _box(bounds)), size_by_cells(unit, old, box)
    return float((factor * own + (size + own) * (_rounding(unit, old, box) + UNIT * factor)) * (1 + 1e-9))


def _box(bounds: np.ndarray) -> tuple[tuple[sp.Rational, sp.Rational], ...]:
    return tuple((sp.Rational(low), sp.Rational(high)) for low, high in bounds.tolist())


def _rounding(expression: sp.Expr, axes: tuple[sp.Symbol, ...], box: Any) -> float:
    error, left = rounding_error(expression, axes, box)
    if left:
        raise NotEnclosed("the rounding of the map near its singular points is not bounded")
    return error
