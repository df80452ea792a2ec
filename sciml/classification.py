"""Classification of a problem's equations: linear, homogeneous, order, coefficients, type."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sympy as sp
from sympy.core.function import AppliedUndef

from sciml.callables import NumericFunction, is_numeric_only
from sciml.equation_type import equation_type
from sciml.jets import Jet, jet_atoms


@dataclass(frozen=True)
class Classification:
    """What kind of equations a problem has.

    Attributes:
        linear: Affine in the fields and their derivatives.
        homogeneous: Linear without a term free of the fields.
        order: Highest order of derivative.
        time_order: Highest order in time of each field, 0 when steady.
        constant_coefficients: Linear with coefficients free of the coordinates.
        type: "elliptic", "parabolic", "hyperbolic", "dispersive" or "mixed" (also systems of several kinds).
        reason: How the type was found.
        backward: An evolution equation that is ill-posed forwards in time, such as u_t = -u_xx or u_tt = -u_xx.
    """

    linear: bool
    homogeneous: bool
    order: int
    time_order: dict[AppliedUndef, int]
    constant_coefficients: bool
    type: str
    reason: str
    backward: bool = False


@dataclass(frozen=True)
class LinearForm:
    """An affine expression: Σ coefficients[jet] · jet + source."""

    coefficients: dict[Jet, sp.Expr]
    source: sp.Expr


def linear_form(
    expression: sp.Expr, fields: Sequence[AppliedUndef], coordinates: Sequence[sp.Symbol]
) -> LinearForm | None:
    """Coefficients of an expression that is affine in the fields' jets.

    Args:
        expression: A residual or a condition.
        fields: Unknown fields.
        coordinates: Coordinates, time last.

    Returns:
        The form, or None where the expression is not affine (or opaque).

    Example:
        >>> from sciml import coordinates, field
        >>> x, t = coordinates("x t"); u = field("u", x, t)
        >>> linear_form(u.diff(t) - x * u.diff(x, 2) - 3, [u], (x, t)).coefficients
        {(0, (0, 1)): 1, (0, (2, 0)): -x}
    """
    atoms = jet_atoms(expression, fields, coordinates)
    symbols = {atom: sp.Dummy(f"j{i}", real=True) for i, atom in enumerate(atoms)}
    flat = expression.xreplace(symbols)
    if is_numeric_only(flat) and any(
        set(node.free_symbols) & set(symbols.values()) for node in flat.atoms(NumericFunction)
    ):
        return None
    coefficients: dict[Jet, sp.Expr] = {}
    for atom, symbol in symbols.items():
        coefficient = flat.diff(symbol)
        if coefficient.has(*symbols.values()):
            if _surely_varies(coefficient, list(symbols.values())):  # spares a long simplification
                return None
            coefficient = sp.simplify(coefficient)
            if coefficient.has(*symbols.values()):
                return None
        coefficients[atoms[atom]] = coefficient
    source = flat.xreplace(dict.fromkeys(symbols.values(), sp.Integer(0)))
    return LinearForm(coefficients, source)


def _surely_varies(coefficient: sp.Expr, symbols: Sequence[sp.Symbol]) -> bool:
    """Whether a slope in one of the symbols is not zero at some place, by numbers."""
    return any(_surely_nonzero(coefficient.diff(s)) for s in symbols if s in coefficient.free_symbols)


def _surely_nonzero(expression: sp.Expr) -> bool:
    """Whether an expression is not zero at some place, by numbers."""
    symbols = sorted(expression.free_symbols, key=str)
    try:
        value = expression.xreplace({s: sp.Float((0.37 + 0.618 * i) % 1 + 0.05, 40) for i, s in enumerate(symbols)})
        return 1e-6 < abs(complex(value)) < float("inf")
    except (TypeError, ValueError, OverflowError):
        return False


def classify(problem: Any) -> Classification:
    """Classify the equations of a problem, parameters at their values.

    Args:
        problem: The problem.

    Returns:
        Its classification.
    """
    equations = [problem.substitute(equation) for equation in problem.equations]
    coordinates, fields = problem.coordinates, problem.fields
    forms = [linear_form(equation, fields, coordinates) for equation in equations]
    linear = all(form is not None for form in forms)
    known = [form for form in forms if form is not None]
    jets = {jet for equation in equations for jet in jet_atoms(equation, fields, coordinates).values()}
    time_order = {known_field: max([jet[1][-1] for jet in jets if jet[0] == i], default=0) if problem.time else 0
                  for i, known_field in enumerate(fields)}  # fmt: skip
    found = equation_type(equations, problem, jets, linear)
    return Classification(
        linear=linear,
        homogeneous=linear and all(_vanishes(form.source) for form in known),
        order=max([sum(jet[1]) for jet in jets], default=0),
        time_order=time_order,
        constant_coefficients=linear
        and all(_constant(c, coordinates) for form in known for c in form.coefficients.values()),
        type=found.name,
        reason=found.reason,
        backward=found.backward,
    )


def _vanishes(expression: sp.Expr) -> bool:
    return expression == 0 or (not _surely_nonzero(expression) and sp.simplify(expression) == 0)


def _constant(coefficient: sp.Expr, coordinates: Sequence[sp.Symbol]) -> bool:
    return not coefficient.has(*coordinates) or not sp.simplify(coefficient).has(*coordinates)
