"""Well-posedness findings, collected when a problem is built."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import sympy as sp
from sympy.core.function import AppliedUndef

from sciml.callables import is_numeric_only
from sciml.compatibility import corner_findings, data_findings
from sciml.condition_counts import condition_findings
from sciml.conditions import Observations
from sciml.errors import NotSymbolicError, ProblemError, UnsupportedFunctionError
from sciml.findings import Finding
from sciml.flows.findings import flow_findings
from sciml.geometry.advice import face_advice
from sciml.jets import field_atoms, highest_order
from sciml.terms import Term, free_constant


def check_statement(problem: Any) -> list[Finding]:
    """All symbolic findings.

    Args:
        problem: A problem whose parts are set.

    Returns:
        Findings, errors and others mixed.
    """
    checks = (
        _equations,
        _applied_elsewhere,
        _symbols,
        _names,
        _initial_values,
        _faces,
        _observed,
        condition_findings,
        _gauge,
    )
    return [finding for check in checks for finding in check(problem)]


def _equations(problem: Any) -> Iterator[Finding]:
    equations, names = problem.equations, problem.equation_names
    if not problem.fields:
        yield Finding("error", f"no field of the coordinates {problem.coordinates} in the equations; declare one with "
                               f'field("u", {", ".join(map(str, problem.coordinates))})')  # fmt: skip
        return
    if not any(known.atoms(sp.Derivative) for known in equations) and not _opaque(problem):
        yield Finding("error", "no derivative in the equations: not a differential equation")
    for i, (name, equation) in enumerate(zip(names, equations, strict=False)):
        if equation == 0:
            yield Finding("error", f"equation {name!r} is 0 = 0; note that u(x, 0).diff(t) is 0 in SymPy")
        elif equation in equations[:i] or -equation in equations[:i]:
            yield Finding("error", f"equation {name!r} is the same as an earlier one; state each once")
    if len(names) != len(equations) or len(set(names)) < len(equations):
        yield Finding("error", f"one different name per equation expected, given {names}")
    counts = f"{len(equations)} equation(s) for {len(problem.fields)} field(s) ({', '.join(problem.field_names)})"
    if len(equations) < len(problem.fields):
        yield Finding("error", f"{counts}: under-determined; known functions are written as expressions, "
                               "numbers as parameters")  # fmt: skip
    if len(equations) > len(problem.fields):
        yield Finding("warning", f"{counts}: over-determined, solvable only where the equations agree")
    for known in problem.fields:
        if equations and not any(known in field_atoms(equation) for equation in equations):
            yield Finding("error", f"the field {known} appears in no equation")


def _opaque(problem: Any) -> bool:
    return any(is_numeric_only(equation) for equation in problem.equations)


def _all_expressions(problem: Any) -> Iterator[tuple[str, sp.Expr]]:
    for term in problem.terms:
        yield from zip(term.components, term.expressions, strict=True)


def _applied_elsewhere(problem: Any) -> Iterator[Finding]:
    own = set(problem.fields)
    names = {known.func.__name__: known for known in problem.fields}
    for name, expression in _all_expressions(problem):
        for atom in sorted(field_atoms(expression) - own, key=str):
            label = atom.func.__name__
            if label in names and atom.func == names[label].func:
                yield Finding("error", f"{name}: {atom} is the field away from its own arguments; write "
                                       f"{names[label]}, and where it holds by initial=, boundary= or "
                                       "Condition(on=...)")  # fmt: skip
            elif label in names:
                yield Finding("error", f"{name}: {atom} has the name of the field {names[label]} but other "
                                       "assumptions; declare it once with field(...)")  # fmt: skip
            elif set(atom.args) <= set(problem.coordinates) or name in problem.equation_names:
                yield Finding("error", f"{name}: {atom} is no field of the problem ({', '.join(map(str, own))}); "
                                       f"fields depend on all of {problem.coordinates}; write known functions as "
                                       "expressions")  # fmt: skip
    if len(names) < len(problem.fields):
        yield Finding("error", f"one field per name expected, given {', '.join(map(str, problem.fields))}")
    for known in problem.fields:
        if set(known.args) != set(problem.coordinates):
            yield Finding("error", f"the field {known} should depend on exactly {problem.coordinates} (space, then "
                                   "time); a known function is written as an expression")  # fmt: skip
    for name, expression in _all_expressions(problem):
        if expression.atoms(sp.Subs, sp.Integral):
            yield Finding("error", f"{name}: values at other places and integrals are not supported in residuals: "
                                   f"{expression}; say where it holds by Condition(Eq(...), on=...)")  # fmt: skip


def _symbols(problem: Any) -> Iterator[Finding]:
    normals = {sp.Symbol(f"n_{symbol}", real=True) for symbol in problem.space}
    known = {*problem.coordinates, *problem.parameters, *problem.unknowns}
    by_name = {symbol.name: symbol for symbol in known}
    used: set[sp.Symbol] = set()
    reported: set[sp.Symbol] = set()
    for term in problem.terms:
        allowed = known | (normals if term.kind == "boundary" else set())
        for name, expression in zip(term.components, term.expressions, strict=True):
            used |= expression.free_symbols
            for symbol in sorted(expression.free_symbols - allowed - reported, key=str):
                reported.add(symbol)
                if symbol.name in by_name:
                    other = by_name[symbol.name]
                    yield Finding("error", f"{name}: the symbol {symbol} has the name of a declared one but other "
                                           f"assumptions ({_assumptions(symbol)} against {_assumptions(other)}); "
                                           "use the same object everywhere")  # fmt: skip
                else:
                    yield Finding("error", f"{name}: unknown symbol {symbol}; give its value in parameters={{...}} "
                                           "or declare it in unknowns={...}")  # fmt: skip
    for symbol in sorted(set(problem.parameters) - used, key=str):
        yield Finding("note", f"the parameter {symbol} is not used")
    for symbol in sorted(set(problem.unknowns) - used, key=str):
        yield Finding("error", f"the unknown coefficient {symbol} appears in no equation")
    if problem.unknowns and not problem.observations:
        yield Finding("warning", "unknown coefficients without observations: nothing may determine them")


def _assumptions(symbol: sp.Symbol) -> str:
    return ", ".join(f"{k}={v}" for k, v in sorted(symbol._assumptions_orig.items())) or "no assumptions"


def _names(problem: Any) -> Iterator[Finding]:
    overlap = {symbol.name for symbol in problem.coordinates} & {known.func.__name__ for known in problem.fields}
    overlap |= {s.name for s in problem.coordinates} & {s.name for s in (*problem.parameters, *problem.unknowns)}
    if overlap:
        yield Finding("error", f"names used twice: {', '.join(sorted(overlap))}")


def _initial_values(problem: Any) -> Iterator[Finding]:
    free = [term for term in problem.terms if term.kind == "initial" and term.condition is not None]
    if problem.time is None:
        if problem.initial or free:
            yield Finding("error", "initial values in a problem without time=(t, t0, t1)")
        return
    t = problem.time[0]
    allowed: list[sp.Expr] = []
    for known in problem.fields:
        order = highest_order(problem.equations, known, (t,))
        keys = [known.diff(t, k) if k else known for k in range(order)]
        allowed += keys
        missing = [key for key in keys if key not in problem.initial]
        stated = sum(known in field_atoms(expression) for term in free for expression in term.expressions)
        if len(missing) > stated:
            yield Finding("error", f"{known} is of order {order} in time and needs {order} initial value(s); missing: "
                                   + ", ".join(f"{{{key}: ...}}" for key in missing))  # fmt: skip
        elif len(missing) < stated:
            yield Finding("warning", f"{known} has more initial conditions than its order {order} in time")
    for key, value in problem.initial.items():
        if key not in allowed:
            wanted = ", ".join(map(str, allowed)) or "the fields (none has a derivative in time)"
            yield Finding("error", f"the initial value {{{key}: {value}}} belongs to none of {wanted}: "
                                   + _key_advice(key, problem))  # fmt: skip
        if value.has(t) or field_atoms(value):
            yield Finding("error", f"the initial value of {key} should depend on {problem.space} only, given {value}")


def _key_advice(key: Any, problem: Any) -> str:
    if isinstance(key, str):
        return "the key is the field itself, u, not its name"
    if isinstance(key, sp.Number):
        return "u(x, 0).diff(t) is 0 in SymPy, write u.diff(t)"
    own = {known.func for known in problem.fields}
    if isinstance(key, AppliedUndef) and key.func in own and key not in problem.fields:
        return "write the field with its own arguments, u(x, t); the time is meant to be the start"
    return "not needed there"


def _faces(problem: Any) -> Iterator[Finding]:
    told: set[str] = set()
    for term in problem.terms:
        for face in term.faces:
            if face not in problem.faces:
                advice = face_advice(problem.domain, face)
                known = f"{term.name}: unknown face {face!r}; the domain has {', '.join(problem.faces)}"
                yield Finding("error", known if advice in told else f"{known} ({advice})")
                told.add(advice)
        if term.periodic and set(term.faces) <= set(problem.faces):
            yield from _opposite(problem, term)
        if term.point is not None:
            yield from _point(problem, term)


def _point(problem: Any, term: Term) -> Iterator[Finding]:
    point = {symbol: problem.substitute(value) for symbol, value in term.point.items()}  # type: ignore[union-attr]
    if problem.time is not None and set(point) == set(problem.space):  # one place, at all times
        point[problem.time[0]] = problem.time[1]
    if set(point) != set(problem.coordinates):
        example = ", ".join(f"{symbol}: ..." for symbol in problem.coordinates)
        yield Finding("error", f"{term.name}: a point needs a value for each of {problem.coordinates}, with the "
                               f"symbols as keys: on={{{example}}}")  # fmt: skip
        return
    if not all(value.is_number and value.is_real and value.is_finite for value in point.values()):
        yield Finding("error", f"{term.name}: a point needs finite real numbers, given {point}")
        return
    place = np.array([[float(point[symbol]) for symbol in problem.coordinates]])
    if outside_of(problem, place).any():
        yield Finding(
            "error", f"{term.name}: the point lies outside the domain {problem.domain!r} or the time interval"
        )


def outside_of(problem: Any, points: np.ndarray) -> np.ndarray:
    """Which points lie outside the domain or the time interval, by more than rounding.

    Args:
        problem: The problem.
        points: Points, (n, d), finite.

    Returns:
        The mask, (n,).
    """
    outside = ~problem.domain.contains(points[:, : len(problem.space)], tolerance=1e-9)
    if problem.time is not None:
        start, end = problem.bounds[-1]
        slack = 1e-9 * (end - start)
        outside |= (points[:, -1] < start - slack) | (points[:, -1] > end + slack)
    return outside


def _opposite(problem: Any, term: Term) -> Iterator[Finding]:
    first, second = (problem.domain.normals(face, problem.domain.sample_face(face, 4)) for face in term.faces)
    equal = abs(problem.domain.face_measure(term.faces[0]) - problem.domain.face_measure(term.faces[1])) < 1e-9
    if not equal or abs(first[0] + second[0]).max() > 1e-9:
        yield Finding("error", f"{term.name}: periodic faces must be opposite and of equal size")


def _observed(problem: Any) -> Iterator[Finding]:
    width = len(problem.coordinates)
    for observations in problem.observations:
        if not isinstance(observations, Observations):
            continue
        if observations.points.shape[1] != width:
            yield Finding("error", f"observation points need {width} columns {problem.coordinates}, given "
                                   f"{observations.points.shape[1]}")  # fmt: skip
            continue
        outside = outside_of(problem, observations.points)
        if outside.any():
            place = tuple(map(float, observations.points[outside][0]))
            yield Finding(
                "error", f"{int(outside.sum())} observation point(s) outside the domain, the first is {place}"
            )


def _gauge(problem: Any) -> Iterator[Finding]:
    for known in problem.fields:
        if problem.terms and free_constant(problem, known):
            yield Finding("note", f"{known} is determined only up to a constant; a Condition at a point would fix it")


def check_data(problem: Any) -> list[Finding]:
    """Numerical findings: data that are not finite, functions without numbers, corner jumps, backward equations.

    Args:
        problem: A problem without symbolic errors.

    Returns:
        The findings.
    """
    try:
        findings = list(data_findings(problem))
        if not any(finding.severity == "error" for finding in findings):
            findings += corner_findings(problem)
            findings += flow_findings(problem)
        backward = problem.classification.backward
    except (UnsupportedFunctionError, NotSymbolicError, ProblemError) as error:
        return [Finding("error", str(error).replace("\n ", ";"))]
    if backward:
        like = "u_tt = -u_xx" if max(problem.classification.time_order.values()) > 1 else "u_t = -u_xx"
        findings.append(Finding("warning", f"the equation is ill-posed forwards in time (like {like}): check the sign"))
    return findings
