r"""The weak form of a linear system, read from the symbolic problem.

An equation Σ_j a^j_kl ∂_kl u_j + b^j_k ∂_k u_j + c^j u_j + m^j ∂_t u_j + ... + s = 0 is multiplied by a test
function v and its second-order part is integrated by parts (Brenner & Scott 2008, ch. 0 and 5):

    ∫ v a_kl ∂_kl u = -∫ a_kl ∂_k v ∂_l u - ∫ v (∂_k a_kl) ∂_l u + ∮ v n·A∇u .

A condition γ·∇u + Σ_j β_j u_j = g on a face gives n·A∇u = κ γ·∇u + τ·∇u with κ = (n·A n)/(n·γ) and
τ = A n - κ γ, which is tangential because n·τ = 0. So the boundary integral is
∮ v [κ (g - Σ_j β_j u_j) + τ·∇u], also where A is anisotropic or the derivative oblique. A plain normal
derivative has γ = n, and for isotropic A the term τ vanishes.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import sympy as sp
from scipy.optimize import linear_sum_assignment

from sciml.callables import is_numeric_only
from sciml.classification import LinearForm, linear_form
from sciml.conditions import Observations
from sciml.errors import NotSymbolicError, SolverError, SolverWarning
from sciml.ibvp import IBVP
from sciml.terms import Term

_PINN = "use a PINN for this problem"
Matrix = list[list[sp.Expr]]


@dataclass(frozen=True)
class Entry:
    """One term ∫ coefficient · (v or ∂v) · ∂_t^order (u_j or ∂u_j) of an equation.

    Attributes:
        field: Index j of the trial field.
        order: Order in time.
        test: Axis of the derivative of v, None for v itself.
        trial: Axis of the derivative of u, None for u itself.
        coefficient: Expression of the coordinates.
    """

    field: int
    order: int
    test: int | None
    trial: int | None
    coefficient: sp.Expr


@dataclass(frozen=True)
class Equation:
    """The weak form of the equation that belongs to one field.

    Attributes:
        entries: Its volume terms.
        source: The part free of the fields.
        principal: Matrix A of each field with second derivatives.
    """

    entries: tuple[Entry, ...]
    source: sp.Expr
    principal: dict[int, Matrix]


@dataclass(frozen=True)
class FaceRow:
    """A linear condition γ·∇u + Σ_j β_j u_j = g of one field on faces.

    Attributes:
        faces: The faces.
        field: Index of its field.
        gradient: γ; None for a value condition.
        values: β_j per field.
        data: g, expression of coordinates and normal.
    """

    faces: tuple[str, ...]
    field: int
    gradient: tuple[sp.Expr, ...] | None
    values: dict[int, sp.Expr]
    data: sp.Expr


@dataclass(frozen=True)
class WeakForm:
    """The weak form of a problem.

    Attributes:
        equations: One per field, in the order of the fields.
        rows: Conditions on faces.
        periodic: (field, first face, second face).
        floating: Fields that the problem fixes only up to a constant.
    """

    equations: tuple[Equation, ...]
    rows: tuple[FaceRow, ...]
    periodic: tuple[tuple[int, str, str], ...]
    floating: tuple[int, ...]

    @property
    def time_order(self) -> list[int]:
        """Highest order in time of each field."""
        orders = [0] * len(self.equations)
        for equation in self.equations:
            for entry in equation.entries:
                orders[entry.field] = max(orders[entry.field], entry.order)
        return orders


def weak_form(problem: IBVP) -> WeakForm:
    """Read the weak form.

    Args:
        problem: A problem.

    Returns:
        Its weak form.

    Raises:
        SolverError: If the problem is outside what the method covers, with the reason.
    """
    if problem.unknowns or any(isinstance(term.condition, Observations) for term in problem.terms):
        raise SolverError("a forward problem for finite elements", "unknown coefficients or observations", _PINN)
    if len(problem.equations) != len(problem.fields):
        given = f"{len(problem.equations)} equations for {len(problem.fields)} fields"
        raise SolverError("as many equations as fields for finite elements", given, _PINN)
    forms = []
    for name, equation in zip(problem.equation_names, problem.equations, strict=True):
        form = linear_form(problem.substitute(equation), problem.fields, problem.coordinates)
        if form is None:
            given = "an opaque function" if is_numeric_only(equation) else "a nonlinear equation"
            raise SolverError("linear equations in SymPy for finite elements", f"{name!r} is {given}", _PINN)
        forms.append(form)
    equations = tuple(_equation(forms[k], problem) for k in _pairing(forms, problem))
    rows: list[FaceRow] = []
    periodic: list[tuple[int, str, str]] = []
    for term in problem.terms:
        if term.kind == "boundary" and term.periodic:
            first, second = term.faces
            periodic.append((problem.fields.index(term.condition.field), first, second))
        elif term.kind == "boundary":
            rows.append(_face_row(term, problem))
        elif term.kind == "point" or (term.kind == "initial" and term.condition is not None):
            raise SolverError("conditions on faces for finite elements", f"{term.name!r}", _PINN)
    return WeakForm(equations, tuple(rows), tuple(periodic), _floating(equations, rows))


def _pairing(forms: Sequence[LinearForm], problem: IBVP) -> list[int]:
    """For each field the equation that is tested with it: the one with its highest derivatives."""
    d, count = len(problem.space), len(forms)
    score = np.full((count, count), -1e6)
    for k, form in enumerate(forms):
        for (field, orders), coefficient in form.coefficients.items():
            if coefficient != 0:
                space, time = sum(orders[:d]), sum(orders[d:])
                value = 100.0 if space == 2 else 10.0 * time if time else 1.0 if space == 0 else 0.5
                score[field, k] = max(score[field, k], value)
    score += 1e-3 * np.eye(count)  # the order of the statement decides between equals
    fields, equations = linear_sum_assignment(score, maximize=True)
    for field, k in zip(fields, equations, strict=True):
        own = [orders for (i, orders), c in forms[k].coefficients.items() if i == field and c != 0]
        if not any(sum(o[:d]) != 1 or sum(o[d:]) for o in own) and count > 1:
            raise SolverError(
                "a system in which every field has an equation with its second derivatives, its time derivative or "
                "itself",
                f"{problem.field_names[field]} is a constraint multiplier, like a pressure",
                _PINN,
            )
    return [int(k) for k in equations]


def _equation(form: LinearForm, problem: IBVP) -> Equation:
    d = len(problem.space)
    entries: list[Entry] = []
    principal: dict[int, Matrix] = {}
    for (field, orders), coefficient in form.coefficients.items():
        axes = [axis for axis in range(d) for _ in range(orders[axis])]
        order = orders[d] if problem.time else 0
        if coefficient == 0:
            continue
        if len(axes) > 2 or order > 2 or (len(axes) == 2 and order):
            raise SolverError(
                "second order in space and in time, without time derivatives of second space derivatives, for finite "
                "elements",
                f"the derivative {orders} of {problem.field_names[field]} in {problem.coordinates}",
                _PINN,
            )
        if len(axes) == 2:
            matrix = principal.setdefault(field, [[sp.Integer(0)] * d for _ in range(d)])
            for k, j in {(axes[0], axes[1]), (axes[1], axes[0])}:
                matrix[k][j] += coefficient if axes[0] == axes[1] else coefficient / 2
        else:
            entries.append(Entry(field, order, None, axes[0] if axes else None, coefficient))
    for field, matrix in principal.items():
        entries += _by_parts(field, matrix, problem)
    return Equation(tuple(entries), form.source, principal)


def _by_parts(field: int, matrix: Matrix, problem: IBVP) -> list[Entry]:
    entries = []
    for k, symbol in enumerate(problem.space):
        for j, coefficient in enumerate(matrix[k]):
            if coefficient == 0:
                continue
            if coefficient.has(sp.Piecewise, sp.sign, sp.floor):
                warnings.warn(f"the piecewise coefficient {coefficient} is read as that of a flux: A∇u is continuous "
                              "where it jumps", SolverWarning, stacklevel=5)  # fmt: skip
            entries.append(Entry(field, 0, k, j, -coefficient))
            try:
                slope = coefficient.diff(symbol)
            except NotSymbolicError as error:
                raise SolverError("coefficients of second derivatives in SymPy", str(error), _PINN) from error
            if slope.has(sp.DiracDelta, sp.Derivative, sp.Subs):
                raise SolverError(
                    "coefficients of second derivatives without jumps",
                    f"{coefficient}, whose derivative is {slope}",
                    "smooth the jump, for instance by tanh",
                )
            if slope != 0:
                entries.append(Entry(field, 0, None, j, -slope))
    return entries


def _face_row(term: Term, problem: IBVP) -> FaceRow:
    d, name = len(problem.space), repr(term.name)
    form = linear_form(problem.substitute(term.expressions[0]), problem.fields, problem.coordinates)
    if form is None:
        raise SolverError("linear conditions for finite elements", f"{name} is nonlinear or opaque", _PINN)
    gradients: dict[int, list[sp.Expr]] = {}
    values: dict[int, sp.Expr] = {}
    for (field, orders), coefficient in form.coefficients.items():
        if coefficient == 0:
            continue
        if sum(orders) > 1 or any(orders[d:]):
            raise SolverError("conditions on values and first space derivatives", f"{name}", _PINN)
        if any(orders):
            gradients.setdefault(field, [sp.Integer(0)] * d)[orders.index(1)] = coefficient
        else:
            values[field] = coefficient
    if len(gradients) > 1 or (not gradients and len(values) != 1):
        raise SolverError("conditions with one field's gradient, or on one field's value", f"{name}", _PINN)
    if gradients:
        ((field, gradient),) = gradients.items()
        return FaceRow(term.faces, field, tuple(gradient), values, -form.source)
    ((field, factor),) = values.items()
    return FaceRow(term.faces, field, None, {}, -form.source / factor)


def _floating(equations: Sequence[Equation], rows: Sequence[FaceRow]) -> tuple[int, ...]:
    fixed = {entry.field for equation in equations for entry in equation.entries
             if entry.trial is None or entry.order}  # fmt: skip
    for row in rows:
        fixed |= {row.field} if row.gradient is None else set(row.values)
    # a first-order equation is fixed by its boundary, a missing one there shows as a singular matrix
    second = {field for equation in equations for field in equation.principal}
    return tuple(sorted(second - fixed))
