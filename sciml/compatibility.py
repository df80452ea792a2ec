"""Numerical checks of data: finite inside the domain, and agreeing where faces and the start meet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import sympy as sp

from sciml.conditions import Dirichlet, normal
from sciml.expressions.compiler import Program
from sciml.expressions.data import evaluate_data
from sciml.jets import field_atoms, jet_atoms
from sciml.terms import Term

_SAMPLES = 64


def term_data(term: Term, problem: Any) -> list[sp.Expr]:
    """The part of each component that is free of fields and unknowns, with parameters put in: minus the data g."""
    parts = []
    for expression in term.expressions:
        moving = [*field_atoms(expression), *problem.unknowns]
        fixed, _ = problem.substitute(expression).as_independent(*moving, as_Add=True)
        parts.append(fixed)
    return parts


def _term_points(term: Term, problem: Any) -> tuple[np.ndarray, np.ndarray | None]:
    """A few points of a term, (n, d), and the normals there."""
    domain = problem.domain
    if term.kind == "observation":
        return term.condition.points, None
    if term.kind == "point":
        return np.array([[float(problem.substitute(term.point[s])) for s in problem.coordinates]]), None
    normals = None
    if term.kind == "boundary":
        pieces = [domain.sample_face(face, _SAMPLES) for face in term.faces]
        space = np.concatenate(pieces)
        normals = np.concatenate([domain.normals(face, piece) for face, piece in zip(term.faces, pieces, strict=True)])
    else:
        space = domain.sample(_SAMPLES)
    if problem.time is None:
        return space, normals
    start, end = problem.bounds[-1]
    times = np.full(len(space), start) if term.kind == "initial" else start + (end - start) * (
        (np.arange(len(space)) * 0.6180339887498949 + 0.5) % 1.0
    )  # fmt: skip
    return np.column_stack([space, times]), normals


def data_findings(problem: Any) -> Iterator[tuple[str, str]]:
    """Data that are not finite inside the domain, and expressions that do not compile.

    Args:
        problem: A problem without symbolic errors.

    Yields:
        (severity, message).
    """
    components = normal(*problem.space)
    normal_symbols = components if isinstance(components, tuple) else (components,)
    for term in problem.terms:
        points, normals = _term_points(term, problem)
        for name, expression, data in zip(term.components, term.expressions, term_data(term, problem), strict=True):
            _compiles(problem, expression, normal_symbols)
            if normals is not None and data.has(*normal_symbols):
                columns = np.column_stack([points, normals])
                values = evaluate_data(data, (*problem.coordinates, *normal_symbols), columns)
            else:
                values = evaluate_data(data, problem.coordinates, points, problem.bounds)
            bad = ~np.isfinite(values)
            if bad.any():
                place = ", ".join(f"{s}={v:.6g}" for s, v in zip(problem.coordinates, points[bad][0], strict=True))
                yield "error", f"{name}: the data are not finite at {place} ({values[bad][0]})"


def _compiles(problem: Any, expression: sp.Expr, normals: Sequence[sp.Symbol]) -> None:
    jets = jet_atoms(expression, problem.fields, problem.coordinates)
    Program([problem.substitute(expression)], [*problem.coordinates, *normals, *problem.unknowns, *jets])


def corner_findings(problem: Any) -> Iterator[tuple[str, str]]:
    """Jumps between Dirichlet data and initial values, and between Dirichlet data of two faces.

    Args:
        problem: A problem whose data are finite.

    Yields:
        ("warning", message with the size of the jump).
    """
    dirichlet = [term for term in problem.terms if isinstance(term.condition, Dirichlet)]
    for term in dirichlet:
        yield from _start_jumps(problem, term)
    if len(problem.space) == 2:
        yield from _vertex_jumps(problem, dirichlet)


def _start_jumps(problem: Any, term: Term) -> Iterator[tuple[str, str]]:
    known = term.condition.field
    if problem.time is None:
        return
    t, start = problem.time[0], problem.bounds[-1][0]
    residual = problem.substitute(term.expressions[0])
    for key, value in problem.initial.items():
        order = key.derivative_count if isinstance(key, sp.Derivative) else 0
        if (key.expr if order else key) != known or (order and _opaque_in(residual, t)):
            continue
        data = (known - residual).diff(t, order) if order else known - residual
        for face in term.faces:
            space = problem.domain.sample_face(face, 16)
            points = np.column_stack([space, np.full(len(space), start)])
            gap = evaluate_data(data, problem.coordinates, points, problem.bounds) - evaluate_data(
                problem.substitute(value), problem.coordinates, points, problem.bounds
            )
            yield from _jump(gap, points, f"initial value of {key} and {term.name!r} disagree on {face}", problem)


def _opaque_in(residual: sp.Expr, t: sp.Symbol) -> bool:
    from sciml.callables import NumericFunction

    return any(t in node.free_symbols for node in residual.atoms(NumericFunction))


def _vertex_jumps(problem: Any, dirichlet: Sequence[Term]) -> Iterator[tuple[str, str]]:
    for vertex, first_face, second_face in problem.domain.corner_faces():
        for i, first in enumerate(dirichlet):
            for second in dirichlet[i + 1 :]:
                pair = {first_face, second_face}
                if first.condition.field != second.condition.field or first_face == second_face:
                    continue
                if not (pair & set(first.faces) and pair & set(second.faces)) or pair <= set(first.faces):
                    continue
                point = np.atleast_2d(vertex)
                if problem.time is not None:
                    point = np.column_stack([point, [np.mean(problem.bounds[-1])]])
                difference = problem.substitute(first.expressions[0] - second.expressions[0])
                gap = evaluate_data(difference, problem.coordinates, point, problem.bounds)
                yield from _jump(gap, point, f"{first.name!r} and {second.name!r} disagree at their corner", problem)


def _jump(gap: np.ndarray, points: np.ndarray, what: str, problem: Any) -> Iterator[tuple[str, str]]:
    gap = np.abs(gap[np.isfinite(gap)])
    if len(gap) and gap.max() > 1e-9:
        place = ", ".join(f"{s}={v:.6g}" for s, v in zip(problem.coordinates, points[gap.argmax()], strict=True))
        yield "warning", f"{what}: jump of {gap.max():.3g} at {place}; accuracy will be limited near it"
