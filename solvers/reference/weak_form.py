r"""The weak form of a linear system, read from the symbolic problem.

An equation Σ_j a^j_kl ∂_kl u_j + b^j_k ∂_k u_j + c^j u_j + m^j ∂_t u_j + ... + s = 0 is multiplied by a test
function v and its second-order part is integrated by parts (Brenner & Scott 2008, ch. 0 and 5):

    ∫ v a_kl ∂_kl u = -∫ a_kl ∂_k v ∂_l u - ∫ v (∂_k a_kl) ∂_l u + ∮ v n·A∇u .

A condition γ·∇u + Σ_j β_j u_j = g on a face gives n·A∇u = κ γ·∇u + τ·∇u with κ = (n·A n)/(n·γ) and
τ = A n - κ γ, which is tangential because n·τ = 0. So the boundary integral is
∮ v [κ (g - Σ_j β_j u_j) + τ·∇u], also where A is anisotropic or the derivative oblique. A plain normal
derivative has γ = n, and for isotropic A the term τ vanishes. Tangential derivatives of other fields in the condition,
as in a traction, join the Σ_j.

A field without derivatives of its own in "its" equation, whose gradient drives the others, is the multiplier of a
constraint, like the pressure of an incompressible flow. It gets elements of one degree less (Taylor & Hood 1973), and
∫ v ∂p is left as it is, so that a condition ν ∂u/∂n = p n is the natural one.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field

import numpy as np
import sympy as sp
from scipy.optimize import linear_sum_assignment

from sciml.classification import linear_form
from sciml.conditions import Observations
from sciml.errors import NotSymbolicError, SolverError, SolverWarning
from sciml.ibvp import IBVP
from sciml.jets import Jet
from sciml.terms import Term
from solvers.reference.data import sampled
from solvers.reference.nonlinearity import Nonlinear, Split, by_parts, first_order_jets, split_equation

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
        nonlinear: Its nonlinear volume terms.
        quasilinear: Fields whose second derivatives have coefficients that depend on the fields.
    """

    entries: tuple[Entry, ...]
    source: sp.Expr
    principal: dict[int, Matrix]
    nonlinear: tuple[Nonlinear, ...] = ()
    quasilinear: frozenset[int] = frozenset()


@dataclass(frozen=True)
class FaceRow:
    """A linear condition γ·∇u + Σ_j β_j u_j = g of one field on faces.

    Attributes:
        faces: The faces.
        field: Index of its field.
        gradient: γ; None for a value condition.
        values: β_j per field.
        data: g, expression of coordinates and normal.
        others: Gradients of further fields, tangential to the faces.
    """

    faces: tuple[str, ...]
    field: int
    gradient: tuple[sp.Expr, ...] | None
    values: dict[int, sp.Expr]
    data: sp.Expr
    others: dict[int, tuple[sp.Expr, ...]] = dataclass_field(default_factory=dict)


@dataclass(frozen=True)
class Gauge:
    """A value that a field, free up to a constant, takes at a place.

    Attributes:
        field: Index of the field.
        place: Place in space.
        value: Expression of time.
    """

    field: int
    place: tuple[float, ...]
    value: sp.Expr


@dataclass(frozen=True)
class WeakForm:
    """The weak form of a problem.

    Attributes:
        equations: One per field, in the order of the fields.
        rows: Conditions on faces.
        periodic: (field, first face, second face).
        floating: Fields that faces and equations fix only up to a constant.
        multipliers: Fields that enforce a constraint, like a pressure.
        gauges: Values of floating fields at places.
    """

    equations: tuple[Equation, ...]
    rows: tuple[FaceRow, ...]
    periodic: tuple[tuple[int, str, str], ...]
    floating: tuple[int, ...]
    multipliers: tuple[int, ...] = ()
    gauges: tuple[Gauge, ...] = ()

    @property
    def nonlinear(self) -> bool:
        """Whether any equation has a nonlinear term."""
        return any(equation.nonlinear for equation in self.equations)

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
    splits = [
        split_equation(name, problem.substitute(equation), problem)
        for name, equation in zip(problem.equation_names, problem.equations, strict=True)
    ]
    order = _pairing(splits, problem)
    multipliers = _multipliers([splits[k] for k in order], problem)
    equations = tuple(_equation(splits[k], problem) for k in order)
    rows: list[FaceRow] = []
    periodic: list[tuple[int, str, str]] = []
    points: list[Term] = []
    for term in problem.terms:
        if term.kind == "boundary" and term.periodic:
            first, second = term.faces
            periodic.append((problem.fields.index(term.condition.field), first, second))
        elif term.kind == "boundary":
            rows.append(_face_row(term, problem))
        elif term.kind == "point":
            points.append(term)
        elif term.kind == "initial" and term.condition is not None:
            raise SolverError("conditions on faces for finite elements", f"{term.name!r}", _PINN)
    floating = _floating(equations, rows, multipliers, problem)
    gauges = tuple(_gauge(term, floating, problem) for term in points)
    return WeakForm(equations, tuple(rows), tuple(periodic), floating, multipliers, gauges)


def _jets(split: Split) -> set[Jet]:
    """Jets outside the nonlinear remainder."""
    return {jet for jet, c in split.linear.coefficients.items() if c != 0} | set(split.quasilinear)


def _pairing(splits: Sequence[Split], problem: IBVP) -> list[int]:
    """For each field the equation that is tested with it: the one with its highest derivatives."""
    d, count = len(problem.space), len(splits)
    score = np.full((count, count), -50.0)  # a pressure is not in its own equation
    for k, split in enumerate(splits):
        for field, orders in _jets(split):
            space, time = sum(orders[:d]), sum(orders[d:])
            value = 100.0 if space == 2 else 10.0 * time if time else 1.0 if space == 0 else 0.5
            # u_xx and u_yy tell the first momentum equation with its stress from the second, which has u_xy
            pure = 1e-2 * sum(max(o[:d]) == 2 for i, o in _jets(split) if i == field)
            score[field, k] = max(score[field, k], value + pure)
    score += 1e-3 * np.eye(count)  # the order of the statement decides between equals
    fields, equations = linear_sum_assignment(score, maximize=True)
    return [int(k) for _, k in sorted(zip(fields, equations, strict=True))]


def _multipliers(splits: Sequence[Split], problem: IBVP) -> tuple[int, ...]:
    """Fields p whose equation is a constraint on the derivatives of fields that p's gradient drives."""
    d, found = len(problem.space), []
    jets = [_jets(split) for split in splits]
    for field, split in enumerate(splits):
        own = {orders for i, orders in jets[field] if i == field}
        driven = {row for row, line in enumerate(jets) if row != field
                  and any(i == field and sum(o[:d]) == 1 and not any(o[d:]) for i, o in line)
                  and any(i == row and sum(o[:d]) == 2 for i, o in line)}  # fmt: skip
        constrained = {i for i, o in jets[field] if i != field and sum(o[:d]) == 1}
        if driven & constrained and all(not any(orders) for orders in own) and split.remainder == 0:
            found.append(field)
        elif not any(sum(o[:d]) != 1 or sum(o[d:]) for o in own) and len(splits) > 1 and split.remainder == 0:
            raise SolverError(
                "a system in which every field has an equation with its second derivatives, its time derivative or "
                "itself, or is the pressure of a flow with friction",
                f"{problem.field_names[field]} is none of these",
                _PINN,
            )
    return tuple(found)


def _equation(split: Split, problem: IBVP) -> Equation:
    d, form = len(problem.space), split.linear
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
    quasilinear = frozenset(field for field, _ in split.quasilinear)
    return Equation(tuple(entries), form.source, principal, by_parts(split.quasilinear, split.remainder, problem),
                    quasilinear)  # fmt: skip


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
    if gradients:
        field = _owner(gradients, term, problem)
        gradient = gradients.pop(field)
        others = {index: tuple(other) for index, other in gradients.items()}
        return FaceRow(term.faces, field, tuple(gradient), values, -form.source, others)
    if len(values) != 1:
        raise SolverError("conditions on one field's value, or with derivatives", f"{name}", _PINN)
    ((field, factor),) = values.items()
    return FaceRow(term.faces, field, None, {}, -form.source / factor)


def _owner(gradients: dict[int, list[sp.Expr]], term: Term, problem: IBVP) -> int:
    """The only field of a condition that is differentiated across its faces."""
    if len(gradients) == 1:
        return next(iter(gradients))
    t = None if problem.time is None else float(np.mean(problem.bounds[-1]))
    across = set()
    for face in term.faces:
        points = problem.domain.sample_face(face, 16)
        normals = problem.domain.normals(face, points)
        for index, gradient in gradients.items():
            parts = [sampled(g, problem, points, t, normals) * n for g, n in zip(gradient, normals.T, strict=True)]
            if np.abs(sum(parts)).max() > 1e-9:
                across.add(index)
    if len(across) != 1:
        names = ", ".join(problem.field_names[index] for index in sorted(across))
        raise SolverError("conditions with the normal derivative of one field", f"{term.name!r} has those of {names}",
                          "state the condition of each component by its own normal derivative")  # fmt: skip
    return across.pop()


def _gauge(term: Term, floating: Sequence[int], problem: IBVP) -> Gauge:
    form = linear_form(problem.substitute(term.expressions[0]), problem.fields, problem.coordinates)
    jets = [jet for jet, c in form.coefficients.items() if c != 0] if form else []
    point = term.point or {}
    if (
        form is None
        or len(jets) != 1
        or any(jets[0][1])
        or jets[0][0] not in floating
        or set(point) != {*problem.space}
    ):
        raise SolverError(
            "conditions on faces for finite elements, and at a point only the level of a field that is free up to a "
            "constant",
            f"{term.name!r}",
            _PINN,
        )
    place = tuple(float(problem.substitute(point[symbol])) for symbol in problem.space)
    values = dict(zip(problem.space, place, strict=True))
    return Gauge(jets[0][0], place, (-form.source / form.coefficients[jets[0]]).subs(values))


def _floating(
    equations: Sequence[Equation], rows: Sequence[FaceRow], multipliers: Sequence[int], problem: IBVP
) -> tuple[int, ...]:
    fixed = {entry.field for equation in equations for entry in equation.entries
             if entry.trial is None or entry.order}  # fmt: skip
    for equation in equations:
        fixed |= {field for field, axis in first_order_jets(equation.nonlinear, problem).values() if axis is None}
    for row in rows:
        fixed |= {row.field} if row.gradient is None else set(row.values)
    # a first-order equation is fixed by its boundary, a missing one there shows as a singular matrix
    second = {field for equation in equations for field in (*equation.principal, *equation.quasilinear)}
    return tuple(sorted((second | set(multipliers)) - fixed))
