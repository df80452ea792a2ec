"""Numerical checks of data: finite inside the domain, and agreeing where faces and the start meet."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import sympy as sp

from sciml.callables import NumericFunction, is_numeric_only
from sciml.conditions import Dirichlet, Observations, normal
from sciml.expressions.compiler import Program
from sciml.expressions.data import evaluate_data
from sciml.expressions.poles import find_pole
from sciml.expressions.singular import singular_nodes
from sciml.findings import Finding
from sciml.jets import field_atoms, jet_atoms
from sciml.terms import Term

_SAMPLES = 256
LARGEST = 1e100  # numbers are squared; their inverses, too


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
    if isinstance(term.condition, Observations):
        return term.condition.points, None
    if term.point is not None:
        start = problem.time[1] if problem.time is not None else 0  # where time is open, at its start
        return np.array([[float(problem.substitute(term.point.get(s, start))) for s in problem.coordinates]]), None
    normals = None
    if term.kind == "boundary":
        pieces = [domain.sample_face(face, _SAMPLES // len(term.faces)) for face in term.faces]
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


def data_findings(problem: Any) -> Iterator[Finding]:
    """Data that are not finite inside the domain, and expressions that do not compile.

    Args:
        problem: A problem without symbolic errors.

    Yields:
        The findings.
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
            yield from _magnitudes(problem, name, expression, values)
            bad = ~np.isfinite(values)
            place = points[bad][0] if bad.any() else _pole(problem, term, data, points)
            if place is not None:
                shown = data if term.kind == "interior" else -data
                yield Finding("error", f"{name}: the data are not finite at {_shown(problem, place)}; they must be "
                                       f"finite inside the domain: {shown}")  # fmt: skip
        if term.kind == "interior":
            yield from _coefficient_findings(problem, term, points)


def _magnitudes(problem: Any, name: str, expression: sp.Expr, values: np.ndarray) -> Iterator[Finding]:
    """Numbers whose squares float64 does not hold: residuals are squared, and would be 0 or infinite."""
    numbers = [abs(number) for number in problem.substitute(expression).atoms(sp.Number) if number.is_finite]
    strange = [number for number in numbers if number and not 1 / LARGEST < number < LARGEST]
    data = np.abs(values[np.isfinite(values)])
    shown = [f"{sp.Float(number, 3)}" for number in strange[:3]]
    shown += [f"data of size {data.max():.3g}"] if len(data) and data.max() >= LARGEST else []
    if shown:
        yield Finding("error", f"{name}: numbers between {1 / LARGEST:g} and {LARGEST:g} expected, so that their "
                               f"squares are numbers, given {', '.join(shown)}: choose other units")  # fmt: skip


def _pole(problem: Any, term: Term, data: sp.Expr, points: np.ndarray) -> np.ndarray | None:
    if term.kind not in {"interior", "initial", "boundary"} or data.free_symbols - set(problem.coordinates):
        return None
    return find_pole(data, problem.coordinates, points, functools.partial(_belongs, problem, term))


def _belongs(problem: Any, term: Term, places: np.ndarray) -> np.ndarray:
    space = places[:, : len(problem.space)]
    on_face = term.kind == "boundary"
    inside = problem.domain.on_face(term.faces, space) if on_face else problem.domain.contains(space)
    if problem.time is not None:
        start, end = problem.bounds[-1]
        inside = inside & (places[:, -1] >= start) & (places[:, -1] <= (start if term.kind == "initial" else end))
    return inside


def _coefficient_findings(problem: Any, term: Term, points: np.ndarray) -> Iterator[Finding]:
    """Factors of the equations with a pole inside the domain."""
    for name, expression in zip(term.components, term.expressions, strict=True):
        for node in singular_nodes(problem.substitute(expression)):
            if field_atoms(node) or not node.free_symbols <= set(problem.coordinates):
                continue
            place = find_pole(node, problem.coordinates, points, functools.partial(_belongs, problem, term))
            if place is not None:
                yield Finding("warning", f"{name}: the coefficient {node} is singular inside the domain, at "
                                         f"{_shown(problem, place)}")  # fmt: skip


def _shown(problem: Any, place: np.ndarray) -> str:
    return ", ".join(f"{s}={v:.6g}" for s, v in zip(problem.coordinates, place, strict=True))


def _compiles(problem: Any, expression: sp.Expr, normals: Sequence[sp.Symbol]) -> None:
    jets = jet_atoms(expression, problem.fields, problem.coordinates)
    Program([problem.substitute(expression)], [*problem.coordinates, *normals, *problem.unknowns, *jets])


def corner_findings(problem: Any) -> Iterator[Finding]:
    """Jumps between boundary conditions and initial values, and between Dirichlet data of two faces.

    Args:
        problem: A problem whose data are finite.

    Yields:
        A warning with the size of the jump where a value jumps, a note where only a derivative does.
    """
    dirichlet = [term for term in problem.terms if isinstance(term.condition, Dirichlet)]
    if problem.time is not None:
        for term in problem.terms:
            if term.kind == "boundary":
                yield from _start_jumps(problem, term)
    if len(problem.space) == 2:
        yield from _vertex_jumps(problem, dirichlet)


def _start_jumps(problem: Any, term: Term) -> Iterator[Finding]:
    """Each condition with the initial values put in, at the start; differentiated in time where u_t is given."""
    t = problem.time[0]
    for name, residual in zip(term.components, map(problem.substitute, term.expressions), strict=True):
        if residual.free_symbols & set(problem.unknowns):
            continue
        yield from _start_jump(problem, term, name, residual)
        known = getattr(term.condition, "field", None)
        if known is not None and known.diff(t) in problem.initial and not _opaque_in(residual, t):
            yield from _start_jump(problem, term, f"{name}, differentiated in time,", residual.diff(t))


def _start_jump(problem: Any, term: Term, name: str, residual: sp.Expr) -> Iterator[Finding]:
    gap = _with_initial_values(residual, problem)
    if gap is None:
        return
    order = max([sum(jet[1][:-1]) for jet in jet_atoms(residual, problem.fields, problem.coordinates).values()])
    components = normal(*problem.space)
    symbols = (*problem.coordinates, *(components if isinstance(components, tuple) else (components,)))
    start = problem.bounds[-1][0]
    sides = []
    for face in term.faces:
        space = _matching(problem, term, face)
        columns = np.column_stack([space, np.full(len(space), start), problem.domain.normals(face, space)])
        bounds = [*problem.bounds, *[(-2.0, 2.0)] * len(problem.space)]
        sides.append((face, columns, evaluate_data(gap, symbols, columns, bounds)))
    if term.periodic:
        face, columns, values = sides[0]
        sides = [("+".join(term.faces), columns, values - sides[1][2])]
    what = f"the initial values and {name!r} disagree on "
    for face, columns, values in sides:
        yield from _jump(values, columns[:, : len(problem.coordinates)], what + face, problem, order)


def _matching(problem: Any, term: Term, face: str) -> np.ndarray:
    """Points on a face; on the second face of a periodic pair those opposite to the first's."""
    space = problem.domain.sample_face(term.faces[0] if term.periodic else face, 16)
    if term.periodic and face != term.faces[0]:
        axis = problem.space.index(problem.face_axis(face))
        space = space.copy()
        space[:, axis] = problem.domain.sample_face(face, 2)[0, axis]
    return space


def _with_initial_values(residual: sp.Expr, problem: Any) -> sp.Expr | None:
    """The residual of a condition for the initial state, or None where that is not known or opaque."""
    values = {}
    for atom, (index, orders) in jet_atoms(residual, problem.fields, problem.coordinates).items():
        known, k = problem.fields[index], orders[-1]
        data = problem.initial.get(known.diff(problem.time[0], k) if k else known)
        pairs = [(s, n) for s, n in zip(problem.space, orders[:-1], strict=True) if n]
        if data is None or (pairs and is_numeric_only(data)) or data.free_symbols & set(problem.unknowns):
            return None
        values[atom] = problem.substitute(data).diff(*pairs) if pairs else problem.substitute(data)
    gap = residual.xreplace(values)
    return None if gap.has(sp.DiracDelta, sp.Derivative) else gap  # a slope of data with jumps


def _opaque_in(residual: sp.Expr, t: sp.Symbol) -> bool:
    return any(t in node.free_symbols for node in residual.atoms(NumericFunction))


def _vertex_jumps(problem: Any, dirichlet: Sequence[Term]) -> Iterator[Finding]:
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
                if difference.free_symbols - set(problem.coordinates):
                    continue
                gap = evaluate_data(difference, problem.coordinates, point, problem.bounds)
                yield from _jump(gap, point, f"{first.name!r} and {second.name!r} disagree at their corner", problem)


def _jump(gap: np.ndarray, points: np.ndarray, what: str, problem: Any, order: int = 0) -> Iterator[Finding]:
    infinite = ~np.isfinite(gap)
    gap = np.where(infinite, 0.0, np.abs(gap))
    if infinite.any():
        text = f"{what}: the data are not finite at {_shown(problem, points[infinite.argmax()])}"
        yield Finding("note" if order else "warning", text if order else f"{text}; accuracy will be limited near it")
    if len(gap) and gap.max() > 1e-9:
        place = _shown(problem, points[gap.argmax()])
        if order:
            yield Finding("note", f"{what}: a derivative jumps by {gap.max():.3g} at {place}")
        else:
            yield Finding("warning", f"{what}: jump of {gap.max():.3g} at {place}; accuracy will be limited near it")
