"""Terms of the objective: the equations, every condition and every set of observations, in one shape."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any

import sympy as sp
from sympy.core.function import AppliedUndef

from sciml.callables import data_expression
from sciml.conditions import Condition, FaceCondition, Observations, Periodic, Robin
from sciml.errors import ProblemError
from sciml.geometry.exact import shown
from sciml.jets import field_atoms, highest_order
from sciml.symbols import jet_name

KINDS = ("interior", "boundary", "initial", "observation", "point")


@dataclass(frozen=True, eq=False)
class Term:
    """One term of the objective: residual expressions that should vanish on a set of points.

    Attributes:
        name: Unique name, used in losses, points and influence.
        kind: "interior", "boundary", "initial", "observation" or "point".
        expressions: Residual expressions, one per component.
        components: Name of each component.
        faces: Faces on which it holds; for a periodic condition the two faces.
        condition: The condition that the user wrote, None for the equations.
        point: Coordinates of a fixed point.
    """

    name: str
    kind: str
    expressions: tuple[sp.Expr, ...]
    components: tuple[str, ...]
    faces: tuple[str, ...] = ()
    condition: Any = None
    point: dict[sp.Symbol, sp.Expr] | None = dataclass_field(default=None)

    @property
    def periodic(self) -> bool:
        """Whether the rows compare two opposite faces."""
        return isinstance(self.condition, Periodic)

    @property
    def observation(self) -> Observations | None:
        """The measurements of an observation term."""
        return self.condition if isinstance(self.condition, Observations) else None


def rationalise(expression: Any) -> Any:
    """Replace every float by the rational of its shortest decimal form, or by the multiple of π that it is.

    Args:
        expression: Anything; what is no SymPy object comes back unchanged.

    Returns:
        The exact expression; `float()` gives each float back bitwise.

    Example:
        >>> rationalise(sp.Symbol("x") * 0.1), rationalise(sp.Symbol("x") * math.pi)
        (x/10, pi*x)
    """
    if not isinstance(expression, sp.Basic):
        return expression
    floats = {number: _exact_number(float(number)) for number in expression.atoms(sp.Float)
              if number.is_finite}  # fmt: skip
    return expression.xreplace(floats) if floats else expression


def _exact_number(number: float) -> sp.Expr:
    for denominator in (1, 2, 3, 4, 6, 8):
        multiple = round(number * denominator / math.pi)
        if 0 < abs(multiple) <= 64 * denominator and float(sp.pi * multiple / denominator).hex() == number.hex():
            return sp.pi * sp.Rational(multiple, denominator)
    return sp.Rational(repr(number))


def equation_terms(equations: Sequence[sp.Expr], names: Sequence[str]) -> Term:
    """The term of the equations themselves."""
    return Term("pde", "interior", tuple(equations), tuple(names))


def initial_terms(initial: dict[sp.Expr, sp.Expr]) -> list[Term]:
    """One term per initial value: key minus data."""
    terms = []
    for key, value in initial.items():
        if isinstance(key, sp.Derivative):
            name = "initial " + jet_name(key.expr, {s: int(c) for s, c in key.variable_count})
        else:
            name = f"initial {key.func.__name__}"
        terms.append(Term(name, "initial", (key - value,), (name,)))
    return terms


def condition_term(condition: Any, problem: Any) -> Term:
    """The term of one boundary condition.

    Args:
        condition: A condition object.
        problem: The problem being built: `space`, `coordinates`, `equations`, `faces` are read.

    Returns:
        The term.

    Raises:
        ProblemError: If the object is no condition or its data are no expression.
    """
    if isinstance(condition, FaceCondition):
        return _face_term(condition, problem)
    if isinstance(condition, Periodic):
        return _periodic_term(condition, problem)
    if isinstance(condition, Condition):
        return _free_term(condition, problem)
    raise ProblemError(
        "Dirichlet, Neumann, Robin, Periodic or Condition objects in `boundary`",
        repr(condition),
        "boundary=[Dirichlet(u, 0)]",
    )


def _label(kind: str, fields: str, faces: Sequence[str], problem: Any) -> str:
    where = "" if set(faces) == set(problem.faces) else " " + "+".join(faces)
    return f"{kind} {fields}{where}".strip()


def _field_name(known: Any) -> str:
    if not isinstance(known, AppliedUndef):
        raise ProblemError("a field such as u in a condition", repr(known),
                           "Dirichlet(u, 0); derivatives and relations go into Condition(Eq(...), on=...)")  # fmt: skip
    return known.func.__name__


def _face_data(value: Any, problem: Any, what: str) -> sp.Expr:
    """Data on faces as an exact expression of coordinates, normals, parameters and unknowns."""
    expression = rationalise(data_expression(value, problem.coordinates, what))
    if field_atoms(expression):
        raise ProblemError(f"data of coordinates and parameters for {what}", str(expression),
                           "use Condition(Eq(...), on=...) for relations between fields")  # fmt: skip
    return expression


def _face_term(condition: FaceCondition, problem: Any) -> Term:
    faces = condition.on if condition.on is not None else problem.faces
    label = _label(type(condition).__name__.lower(), _field_name(condition.field), faces, problem)
    value = _face_data(condition.value, problem, f"the condition {label!r}")
    if isinstance(condition, Robin):
        beta = _face_data(condition.beta, problem, f"beta in the condition {label!r}")
        condition = Robin(condition.field, beta, condition.value, condition.on)
    residual = rationalise(condition.operator(problem.space)).doit() - value
    return Term(label, "boundary", (residual,), (label,), tuple(faces), condition)


def _periodic_term(condition: Periodic, problem: Any) -> Term:
    name = _field_name(condition.field)
    unknown_faces = [face for face in condition.on if face not in problem.faces]
    if unknown_faces:
        raise ProblemError(f"faces among {', '.join(problem.faces)} in a periodic condition",
                           ", ".join(map(repr, unknown_faces)), 'Periodic(u, on=("left", "right"))')  # fmt: skip
    axis = problem.face_axis(condition.on[0])
    order = max(1, highest_order(problem.equations, condition.field, (axis,))) if condition.derivatives else 1
    expressions = tuple(condition.field.diff(axis, k) if k else condition.field for k in range(order))
    label = _label("periodic", name, condition.on, problem)
    components = tuple(f"{label} {jet_name(condition.field, {axis: k})}" if k else label for k in range(order))
    return Term(label, "boundary", expressions, components, condition.on, condition)


def _free_term(condition: Condition, problem: Any) -> Term:
    residual = rationalise(condition.residual).doit()
    fields = ",".join(sorted(atom.func.__name__ for atom in field_atoms(residual)))
    if not fields:
        raise ProblemError("a Condition on a field", str(condition.equation), "Condition(Eq(u.diff(x), u), on='left')")
    if condition.point is not None:
        label = f"condition {fields} at " + ",".join(f"{s}={shown(v)}" for s, v in condition.point.items())
        return Term(label, "point", (residual,), (label,), (), condition, condition.point)
    if condition.on == ("initial",):
        label = f"condition {fields} initial"
        return Term(label, "initial", (residual,), (label,), (), condition)
    faces = condition.on if condition.on is not None else problem.faces
    label = _label("condition", fields, faces, problem)
    return Term(label, "boundary", (residual,), (label,), tuple(faces), condition)


def observation_term(observations: Observations) -> Term:
    """Rows quantity(point) - measured value; the values travel with the points."""
    if not isinstance(observations.quantity, sp.Expr) or not field_atoms(observations.quantity):
        raise ProblemError("a field or an expression of fields in Observations", repr(observations.quantity),
                           "Observations(u, points, values)")  # fmt: skip
    name = observations.name or f"observed {observations.quantity}"
    return Term(name, "observation", (rationalise(observations.quantity).doit(),), (name,), (), observations)


def unique_names(terms: Sequence[Term]) -> tuple[Term, ...]:
    """Number terms of equal name: "dirichlet u left", "dirichlet u left 2"."""
    seen: dict[str, int] = {}
    result = []
    for term in terms:
        seen[term.name] = seen.get(term.name, 0) + 1
        if seen[term.name] > 1:
            suffix = f" {seen[term.name]}"
            components = tuple(name + suffix for name in term.components)
            term = dataclasses.replace(term, name=term.name + suffix, components=components)
        result.append(term)
    return tuple(result)


def free_constant(problem: Any, known: sp.Expr) -> bool:
    """Whether equations and conditions determine a field only up to a constant (or function of time).

    Args:
        problem: The problem.
        known: The field.

    Returns:
        True where only its space derivatives appear anywhere, and periodic differences.
    """
    for term in problem.terms:
        for expression in () if term.periodic else term.expressions:
            bare = expression.replace(lambda e: isinstance(e, sp.Derivative) and e.expr == known, lambda e: sp.Dummy())
            if bare.has(known):
                return False
    if problem.time is not None and highest_order(problem.equations, known, (problem.time[0],)):
        return False
    return highest_order(problem.equations, known, problem.space) > 0
