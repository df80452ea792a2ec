"""Classification of a problem's equations: linear, homogeneous, order, coefficients, type."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp
from sympy.core.function import AppliedUndef

from sciml.callables import NumericFunction, is_numeric_only
from sciml.jets import Jet, highest_order, jet_atoms


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
        backward: An evolution equation that is ill-posed forwards in time, such as u_t = -u_xx.
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
            coefficient = sp.simplify(coefficient)
            if coefficient.has(*symbols.values()):
                return None
        coefficients[atoms[atom]] = coefficient
    source = flat.xreplace(dict.fromkeys(symbols.values(), sp.Integer(0)))
    return LinearForm(coefficients, source)


def classify(problem: Any) -> Classification:
    """Classify the equations of a problem, parameters at their values.

    The type of a scalar second-order equation is the signature of its principal part (Courant & Hilbert
    1962, vol. II, ch. III), taken at random points of the domain and, where quasilinear, random jets.

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
    kind, reason, backward = _type(equations, problem, jets)
    return Classification(
        linear=linear,
        homogeneous=linear and all(sp.simplify(form.source) == 0 for form in known),
        order=max([sum(jet[1]) for jet in jets], default=0),
        time_order=time_order,
        constant_coefficients=linear
        and not any(c.has(*coordinates) for form in known for c in form.coefficients.values()),
        type=kind,
        reason=reason,
        backward=backward,
    )


def _type(equations: Sequence[sp.Expr], problem: Any, jets: set[Jet]) -> tuple[str, str, bool]:
    if len(equations) > 1 or len(problem.fields) > 1:
        return _system_type(equations, problem, jets)
    order = max([sum(jet[1]) for jet in jets], default=0)
    if any(is_numeric_only(equation) for equation in equations):
        return "mixed", "the equation is numeric-only", False
    if order <= 1:
        return "hyperbolic", "a scalar first-order equation has real characteristics", False
    if order > 2:
        return _evolution_type(equations[0], problem, order)
    return _second_order_type(equations[0], problem)


def _samples(expressions: Sequence[sp.Expr], problem: Any, count: int = 16) -> np.ndarray:
    """Values of expressions of coordinates and jets at random places: (count, len(expressions))."""
    generator = np.random.default_rng(0)
    atoms: dict[sp.Expr, Jet] = {}
    for expression in expressions:
        atoms |= jet_atoms(expression, problem.fields, problem.coordinates)
    symbols = {atom: sp.Dummy(real=True) for atom in atoms}
    lower, upper = np.array(problem.bounds, dtype=float).T
    rows = []
    for _ in range(count):
        point = lower + (upper - lower) * (0.02 + 0.96 * generator.random(len(lower)))
        values = dict(zip(problem.coordinates, map(float, point), strict=True))
        values |= {symbols[atom]: float(v) for atom, v in zip(atoms, generator.normal(size=len(atoms)), strict=True)}
        values |= {symbol: unknown.start for symbol, unknown in problem.unknowns.items()}
        rows.append([complex(sp.N(e.xreplace(symbols).xreplace(values))).real for e in expressions])
    return np.array(rows)


def _second_order_type(equation: sp.Expr, problem: Any) -> tuple[str, str, bool]:
    coordinates, known = problem.coordinates, problem.fields[0]
    d = len(coordinates)
    principal = [equation.diff(_jet(known, coordinates[i], coordinates[j])) / (1 if i == j else 2)
                 for i in range(d) for j in range(d)]  # fmt: skip
    first = [equation.diff(known.diff(symbol)) for symbol in coordinates]
    try:
        values = _samples([*principal, *first], problem)
    except (TypeError, ValueError, ZeroDivisionError):
        return "mixed", "the principal part could not be evaluated", False
    kinds, backward = set(), False
    for row in values:
        matrix, vector = row[: d * d].reshape(d, d), row[d * d :]
        eigenvalues, vectors = np.linalg.eigh(matrix)
        zero = np.abs(eigenvalues) < 1e-12 * max(np.abs(eigenvalues).max(), 1e-300)
        positive, negative = int((eigenvalues[~zero] > 0).sum()), int((eigenvalues[~zero] < 0).sum())
        kinds.add(_signature(int(zero.sum()), positive, negative))
        if zero.sum() == 1 and problem.time and abs(vectors[-1, zero][0]) > 1 - 1e-9:
            backward = backward or vector[-1] * eigenvalues[~zero].sum() > 0
    if len(kinds) > 1:
        return "mixed", f"the type changes: {', '.join(sorted(kinds))}", backward
    kind = kinds.pop()
    return kind, "signature of the principal part", backward and kind == "parabolic"


def _jet(known: sp.Expr, first: sp.Symbol, second: sp.Symbol) -> sp.Expr:
    return sp.Derivative(known, (first, 2)) if first == second else sp.Derivative(known, first, second).doit()


def _signature(zeros: int, positive: int, negative: int) -> str:
    if zeros == 0:
        if min(positive, negative) == 0:
            return "elliptic"
        return "hyperbolic" if min(positive, negative) == 1 else "mixed"
    return "parabolic" if zeros == 1 and min(positive, negative) == 0 else "mixed"


def _evolution_type(equation: sp.Expr, problem: Any, order: int) -> tuple[str, str, bool]:
    """u_t = c ∂_x^m u + ...: odd m dispersive, even m parabolic if c·i^m < 0, else backward."""
    known = problem.fields[0]
    if problem.time is None or highest_order([equation], known, (problem.time[0],)) != 1:
        return "mixed", f"order {order}", False
    if order % 2:
        return "dispersive", f"odd order {order} in space", False
    leading = [equation.diff(sp.Derivative(known, (symbol, order))) for symbol in problem.space]
    values = _samples([*leading, equation.diff(known.diff(problem.time[0]))], problem)
    sign = -values[:, :-1] * values[:, -1:] * (-1) ** (order // 2)
    return "parabolic", f"even order {order} in space", bool((sign > 0).any())


def _system_type(equations: Sequence[sp.Expr], problem: Any, jets: set[Jet]) -> tuple[str, str, bool]:
    order = max([sum(jet[1]) for jet in jets], default=0)
    if order != 1 or len(problem.coordinates) != 2 or len(equations) != len(problem.fields):
        return "mixed", "a system", False
    blocks = [[equation.diff(known.diff(symbol)) for equation in equations for known in problem.fields]
              for symbol in problem.coordinates]  # fmt: skip
    count = len(equations)
    kinds = set()
    for row in _samples(blocks[0] + blocks[1], problem):
        a, b = row.reshape(2, count, count)
        if abs(np.linalg.det(b)) < 1e-12:
            return "mixed", "a first-order system with a singular matrix", False
        speeds = np.linalg.eigvals(np.linalg.solve(b, a))
        real = np.abs(speeds.imag) < 1e-7 * (1 + np.abs(speeds))
        kinds.add("hyperbolic" if real.all() else "elliptic" if not real.any() else "mixed")
    kind = kinds.pop() if len(kinds) == 1 else "mixed"
    return kind, "characteristic speeds of the first-order system", False
