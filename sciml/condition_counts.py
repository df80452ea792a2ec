"""How many conditions every field has on the boundary, against how many its equations need."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import sympy as sp
from sympy.core.function import AppliedUndef

from sciml.callables import is_numeric_only
from sciml.classification import linear_form
from sciml.conditions import Dirichlet, Neumann, Periodic, Robin
from sciml.expressions.data import evaluate_data
from sciml.findings import Finding
from sciml.jets import field_atoms, highest_order
from sciml.terms import Term

_ADVICE = "; add Dirichlet, Neumann, Robin or Periodic (a wall without flux is Neumann(u, 0))"


def condition_findings(problem: Any) -> Iterator[Finding]:
    """Conditions that are missing, repeated, or too many, field by field.

    Args:
        problem: A problem whose terms are built.

    Yields:
        The findings: an error for a scalar second-order equation, else a warning with the count.
    """
    for known in problem.fields:
        terms = [term for term in problem.terms if term.kind == "boundary" and _concerns(term, known)]
        yield from _repeated(problem, terms, known)
        yield from _missing(problem, terms, known)
        yield from _high_order(problem, known, terms)
    if len(problem.fields) == len(problem.equations) == 1:
        yield from _characteristics(problem)


def _concerns(term: Term, known: AppliedUndef) -> bool:
    return any(known in field_atoms(expression) for expression in term.expressions)


def _across(problem: Any, face: str) -> list[sp.Symbol]:
    """Coordinates that change along the normal of a face."""
    normals = abs(problem.domain.normals(face, problem.domain.sample_face(face, 4)))
    return [symbol for symbol, n in zip(problem.space, normals.max(axis=0), strict=True) if n > 1e-9]


def _order_across(problem: Any, known: AppliedUndef, face: str) -> int:
    """Order across a face; along curved faces the largest order in one coordinate counts."""
    return max(highest_order(problem.equations, known, (symbol,)) for symbol in _across(problem, face))


def _missing(problem: Any, terms: list[Term], known: AppliedUndef) -> Iterator[Finding]:
    bare = [face for face in problem.faces if not any(face in term.faces for term in terms)]
    missing = [face for face in bare if _order_across(problem, known, face) == 2]
    if not missing:
        return
    if len(problem.coordinates) == 1:
        # an ordinary differential equation may have both its conditions at one end or at points
        points = sum(term.kind == "point" and _concerns(term, known) for term in problem.terms)
        if points + sum(len(term.faces) for term in terms) >= 2:
            return
    numeric = any(is_numeric_only(equation) for equation in problem.equations)
    scalar = len(problem.fields) == 1 and not numeric and not problem.observations
    message = (f"{known} has second derivatives across {len(missing)} face(s) without a condition: "
               f"{', '.join(missing)}")  # fmt: skip
    yield Finding("error" if scalar else "warning", message + _ADVICE)


def _repeated(problem: Any, terms: list[Term], known: AppliedUndef) -> Iterator[Finding]:
    owner: dict[tuple[str, type], Term] = {}
    faces = set(problem.faces)
    for term in terms:
        kind = type(term.condition)
        if kind not in {Dirichlet, Neumann, Robin, Periodic}:
            continue
        for face in [face for face in term.faces if face in faces]:
            for (place, other_kind), other in list(owner.items()):
                if place != face or term is other:
                    continue
                both = f"{known} has two conditions on {face}: {other.name!r} and {term.name!r}"
                if other_kind is kind:
                    yield Finding("error", f"{both}; keep one")
                elif _order_across(problem, known, face) <= 2 and len(problem.coordinates) > 1:
                    yield Finding("warning", f"{both}; that over-determines a second-order equation")
            owner.setdefault((face, kind), term)


def _high_order(problem: Any, known: AppliedUndef, terms: list[Term]) -> Iterator[Finding]:
    """Order m > 2: m conditions on an interval, m/2 on every face in more dimensions."""
    if len(problem.space) == 1:
        symbol = problem.space[0]
        order = highest_order(problem.equations, known, (symbol,))
        points = sum(term.kind == "point" and _concerns(term, known) for term in problem.terms)
        count = points + sum(len(term.expressions) * (1 if term.periodic else len(term.faces)) for term in terms)
        if order > 2 and count != order:
            yield Finding("warning", f"{known} is of order {order} in {symbol} and usually needs {order} conditions "
                                     f"on the boundary, given {count}")  # fmt: skip
        return
    for face in problem.faces:
        order = _order_across(problem, known, face)
        here = [term for term in terms if face in term.faces]
        count = sum(1 if not term.periodic else order // 2 for term in here)
        if order > 2 and count < order // 2:
            yield Finding("warning", f"{known} is of order {order} across {face} and usually needs {order // 2} "
                                     f"conditions there, given {count}")  # fmt: skip


def _characteristics(problem: Any) -> Iterator[Finding]:
    """A scalar linear first-order equation a·∇u + a_t u_t = ...: one condition where it flows in, none where out."""
    known = problem.fields[0]
    form = linear_form(problem.substitute(problem.equations[0]), problem.fields, problem.coordinates)
    if form is None or max((sum(orders) for _, orders in form.coefficients), default=0) != 1:
        return
    terms = [term for term in problem.terms if term.kind in {"boundary", "point"} and _concerns(term, known)]
    if len(problem.coordinates) == 1:
        count = sum(max(len(term.faces), 1) for term in terms)
        if count != 1:
            yield Finding("warning", f"{known} is of first order and needs 1 condition, given {count}")
        return
    if problem.time is None or any(c.free_symbols & set(problem.unknowns) for c in form.coefficients.values()):
        return  # a steady flow may be stated on either side
    inflow, outflow = _flow_faces(problem, form.coefficients)
    missing = [face for face in inflow if not any(face in term.faces for term in terms)]
    surplus = [face for face in outflow
               if any(face in term.faces and isinstance(term.condition, Dirichlet) for term in terms)]  # fmt: skip
    if missing:
        yield Finding("warning", f"{known} flows in through {len(missing)} face(s) without a condition: "
                                 f"{', '.join(missing)}; add Dirichlet or Periodic")  # fmt: skip
    if surplus:
        yield Finding("warning", f"{known} flows out through {', '.join(surplus)}: a Dirichlet condition there "
                                 "over-determines a first-order equation")  # fmt: skip


def _flow_faces(problem: Any, coefficients: dict) -> tuple[list[str], list[str]]:
    """Faces through which characteristics enter, and those through which they only leave."""
    d = len(problem.coordinates)
    units = [tuple(int(i == j) for j in range(d)) for i in range(d)]
    velocity = [coefficients.get((0, unit), sp.Integer(0)) for unit in units]
    start, end = problem.bounds[-1]
    inflow, outflow = [], []
    for face in problem.faces:
        space = problem.domain.sample_face(face, 16)
        times = np.linspace(start, end, len(space) + 2)[1:-1]
        points = np.column_stack([space, times])
        values = [evaluate_data(speed, problem.coordinates, points, problem.bounds) for speed in velocity]
        normals = problem.domain.normals(face, space)
        through = sum(v * n for v, n in zip(values[:-1], normals.T, strict=True)) * np.sign(values[-1])
        if (through < -1e-12).any():
            inflow.append(face)
        elif (through > 1e-12).all():
            outflow.append(face)
    return inflow, outflow
