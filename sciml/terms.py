"""Terms of the objective: the equations, every condition and every set of observations, in one shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any

import sympy as sp

from sciml.callables import data_expression
from sciml.conditions import Condition, FaceCondition, Observations, Periodic
from sciml.errors import ProblemError
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
    """Replace every float by the rational of its shortest decimal form; `float()` gives it back bitwise."""
    if not isinstance(expression, sp.Basic):
        return expression
    floats = {number: sp.Rational(repr(float(number))) for number in expression.atoms(sp.Float)
              if number.is_finite}  # fmt: skip
    return expression.xreplace(floats) if floats else expression


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
    if not field_atoms(known):
        raise ProblemError("a field such as u in a condition", repr(known), "Dirichlet(u, 0)")
    return known.func.__name__


def _face_term(condition: FaceCondition, problem: Any) -> Term:
    faces = condition.on if condition.on is not None else problem.faces
    label = _label(type(condition).__name__.lower(), _field_name(condition.field), faces, problem)
    value = rationalise(data_expression(condition.value, problem.coordinates, f"the condition {label!r}"))
    if field_atoms(value):
        raise ProblemError(
            f"data of coordinates and parameters in {label!r}",
            str(value),
            "use Condition(Eq(...), on=...) for relations",
        )
    residual = rationalise(condition.operator(problem.space)).doit() - value
    return Term(label, "boundary", (residual,), (label,), tuple(faces), condition)


def _periodic_term(condition: Periodic, problem: Any) -> Term:
    name = _field_name(condition.field)
    axis = problem.face_axis(condition.on[0])
    order = max(1, highest_order(problem.equations, condition.field, (axis,)))
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
        label = f"condition {fields} at " + ",".join(f"{s}={v}" for s, v in condition.point.items())
        return Term(label, "point", (residual,), (label,), (), condition, condition.point)
    if condition.on == ("initial",):
        label = f"condition {fields} initial"
        return Term(label, "initial", (residual,), (label,), (), condition)
    faces = condition.on if condition.on is not None else problem.faces
    label = _label("condition", fields, faces, problem)
    return Term(label, "boundary", (residual,), (label,), tuple(faces), condition)


def observation_term(observations: Observations) -> Term:
    """Rows quantity(point) - measured value; the values travel with the points."""
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
            term = Term(term.name + suffix, term.kind, term.expressions,
                        tuple(name + suffix for name in term.components), term.faces, term.condition, term.point)  # fmt: skip
        result.append(term)
    return tuple(result)
