"""Well-posedness findings, collected when a problem is built."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sympy as sp
from sympy.core.function import AppliedUndef

from sciml.callables import is_numeric_only
from sciml.conditions import Dirichlet, Neumann, Periodic, Robin
from sciml.errors import UnsupportedFunctionError
from sciml.jets import field_atoms, highest_order
from sciml.terms import Term


@dataclass(frozen=True)
class Finding:
    """One finding: severity "error", "warning" or "note", and what to do about it."""

    severity: str
    message: str


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
        _conditions,
    )
    return [finding for check in checks for finding in check(problem)]


def _equations(problem: Any) -> Iterator[Finding]:
    if not problem.fields:
        yield Finding("error", f"no field of the coordinates {problem.coordinates} in the equations; declare one with "
                               f'field("u", {", ".join(map(str, problem.coordinates))})')  # fmt: skip
        return
    if not any(equation.atoms(sp.Derivative) for equation in problem.equations):
        yield Finding("error", "no derivative in the equations: not a differential equation")
    for name, equation in zip(problem.equation_names, problem.equations, strict=False):
        if equation == 0:
            yield Finding("error", f"equation {name!r} is 0 = 0; note that u(x, 0).diff(t) is 0 in SymPy")
    if len(problem.equation_names) != len(problem.equations) or len(set(problem.equation_names)) < len(
        problem.equations
    ):
        yield Finding("error", "one different name per equation expected")
    if len(problem.equations) < len(problem.fields):
        yield Finding("error", f"{len(problem.equations)} equation(s) for {len(problem.fields)} fields "
                               f"({', '.join(problem.field_names)}): under-determined")  # fmt: skip


def _all_expressions(problem: Any) -> Iterator[tuple[str, sp.Expr]]:
    for term in problem.terms:
        for name, expression in zip(term.components, term.expressions, strict=True):
            yield name, expression


def _applied_elsewhere(problem: Any) -> Iterator[Finding]:
    own = set(problem.fields)
    names = {known.func.__name__: known for known in problem.fields}
    for name, expression in _all_expressions(problem):
        for atom in field_atoms(expression) - own:
            label = atom.func.__name__
            if label in names and atom.func == names[label].func:
                yield Finding("error", f"{name}: {atom} is the field away from its own arguments; write {names[label]} and "
                                       "say where it holds by initial=, boundary= or Condition(on=...)")  # fmt: skip
            elif label in names:
                yield Finding("error", f"{name}: {atom} has the name of the field {names[label]} but other assumptions; "
                                       "declare it once with field(...)")  # fmt: skip
            elif set(atom.args) <= set(problem.coordinates) or name in problem.equation_names:
                yield Finding("error", f"{name}: {atom} is no field of the problem {tuple(map(str, problem.fields))}; fields "
                                       f"depend on all of {problem.coordinates}; known functions need an expression")  # fmt: skip
    for known in problem.fields:
        if not isinstance(known, AppliedUndef) or set(known.args) != set(problem.coordinates):
            yield Finding(
                "error",
                f"the field {known} should depend on exactly {problem.coordinates} (space, then time)",
            )
    for name, expression in _all_expressions(problem):
        if expression.atoms(sp.Subs, sp.Integral):
            yield Finding("error", f"{name}: substituted derivatives and integrals are not supported in residuals: "
                                   f"{expression}")  # fmt: skip


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
                    yield Finding("error", f"{name}: the symbol {symbol} has the name of a declared one but other assumptions "
                                           f"({_assumptions(symbol)} against {_assumptions(by_name[symbol.name])}); "
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
    if problem.time is None:
        if problem.initial:
            yield Finding("error", "initial values in a problem without time=(t, t0, t1)")
        return
    t = problem.time[0]
    allowed = {}
    for known in problem.fields:
        order = highest_order(problem.equations, known, (t,))
        keys = [known.diff(t, k) if k else known for k in range(order)]
        allowed.update(dict.fromkeys(keys, known))
        missing = [key for key in keys if key not in problem.initial]
        if missing:
            yield Finding("error", f"{known} is of order {order} in time and needs {order} initial value(s); missing: "
                                   + ", ".join(f"{{{key}: ...}}" for key in missing))  # fmt: skip
    for key, value in problem.initial.items():
        if key not in allowed:
            hint = (
                "u(x, 0).diff(t) is 0 in SymPy, write u.diff(t)" if not getattr(key, "args", ()) else "not needed there"
            )
            yield Finding("error", f"the initial value {{{key}: {value}}} belongs to none of "
                                   f"{', '.join(map(str, allowed)) or 'the fields (none is of first order in time)'}: {hint}")  # fmt: skip
        if value.has(t) or field_atoms(value):
            yield Finding("error", f"the initial value of {key} should depend on {problem.space} only, given {value}")


def _faces(problem: Any) -> Iterator[Finding]:
    for term in problem.terms:
        for face in term.faces:
            if face not in problem.faces:
                yield Finding("error", f"{term.name}: unknown face {face!r}; the domain has {', '.join(problem.faces)}")
        if term.periodic and set(term.faces) <= set(problem.faces):
            yield from _opposite(problem, term)
        if term.point is not None and set(term.point) != set(problem.coordinates):
            yield Finding("error", f"{term.name}: a point needs a value for each of {problem.coordinates}")


def _opposite(problem: Any, term: Term) -> Iterator[Finding]:
    first, second = (problem.domain.normals(face, problem.domain.sample_face(face, 4)) for face in term.faces)
    equal = abs(problem.domain.face_measure(term.faces[0]) - problem.domain.face_measure(term.faces[1])) < 1e-9
    if not equal or abs(first[0] + second[0]).max() > 1e-9:
        yield Finding("error", f"{term.name}: periodic faces must be opposite and of equal size")


def _observed(problem: Any) -> Iterator[Finding]:
    width = len(problem.coordinates)
    for observations in problem.observations:
        if observations.points.shape[1] != width:
            yield Finding("error", f"observation points need {width} columns {problem.coordinates}, given "
                                   f"{observations.points.shape[1]}")  # fmt: skip
            continue
        outside = ~problem.domain.contains(observations.points[:, : len(problem.space)], tolerance=1e-9)
        if problem.time is not None:
            start, end = problem.bounds[-1]
            outside |= (observations.points[:, -1] < start - 1e-9) | (observations.points[:, -1] > end + 1e-9)
        if outside.any():
            yield Finding("error", f"{int(outside.sum())} observation point(s) outside the domain, the first is "
                                   f"{observations.points[outside][0]}")  # fmt: skip


def _conditions(problem: Any) -> Iterator[Finding]:
    numeric = any(is_numeric_only(equation) for equation in problem.equations)
    for known in problem.fields:
        terms = [term for term in problem.terms if term.kind == "boundary" and _concerns(term, known)]
        yield from _repeated(terms, known)
        missing = [face for face in problem.faces
                   if _needs_condition(problem, known, face) and not any(face in term.faces for term in terms)]  # fmt: skip
        if missing:
            scalar = len(problem.fields) == 1 and not numeric and not problem.observations
            message = f"{known} has second derivatives across {', '.join(missing)} but no condition there"
            advice = "; add Dirichlet, Neumann, Robin or Periodic (a wall without flux is Neumann(u, 0))"
            yield Finding("error" if scalar else "warning", message + advice)
        yield from _high_order(problem, known, terms)


def _concerns(term: Term, known: AppliedUndef) -> bool:
    return any(known in field_atoms(expression) for expression in term.expressions)


def _needs_condition(problem: Any, known: AppliedUndef, face: str) -> bool:
    """Second order across the face; along curved faces the order in all space coordinates counts."""
    normals = abs(problem.domain.normals(face, problem.domain.sample_face(face, 4)))
    across = [symbol for symbol, n in zip(problem.space, normals.max(axis=0), strict=True) if n > 1e-9]
    return max(highest_order(problem.equations, known, (symbol,)) for symbol in across) == 2


def _repeated(terms: list[Term], known: AppliedUndef) -> Iterator[Finding]:
    owner: dict[tuple[str, str], Term] = {}
    for term in terms:
        if not isinstance(term.condition, (Dirichlet, Neumann, Robin, Periodic)):
            continue
        for face in term.faces:
            for other_kind in ("Dirichlet", "Neumann", "Robin", "Periodic"):
                other = owner.get((face, other_kind))
                if other is None:
                    continue
                same = other_kind == type(term.condition).__name__
                yield Finding("error" if same else "warning",
                              f"{known} has two conditions on {face}: {other.name!r} and {term.name!r}"
                              + ("; keep one" if same else "; that over-determines a second-order equation"))  # fmt: skip
            owner[face, type(term.condition).__name__] = term


def _high_order(problem: Any, known: AppliedUndef, terms: list[Term]) -> Iterator[Finding]:
    for symbol in problem.space:
        order = highest_order(problem.equations, known, (symbol,))
        if order <= 2 or len(problem.space) > 1:
            continue
        count = sum(len(term.expressions) * (1 if term.periodic else len(term.faces)) for term in terms)
        if count < order:
            yield Finding("warning", f"{known} is of order {order} in {symbol} and usually needs {order} conditions on the "
                                     f"boundary, given {count}")  # fmt: skip


def check_data(problem: Any) -> list[Finding]:
    """Numerical findings: data that are not finite, functions without numbers, corner jumps, backward equations.

    Args:
        problem: A problem without symbolic errors.

    Returns:
        The findings.
    """
    from sciml.compatibility import corner_findings, data_findings

    try:
        findings = [Finding(*pair) for pair in data_findings(problem)]
        if not any(finding.severity == "error" for finding in findings):
            findings += [Finding(*pair) for pair in corner_findings(problem)]
    except UnsupportedFunctionError as error:
        return [Finding("error", str(error).replace("\n ", ";"))]
    if problem.classification.backward:
        findings.append(
            Finding("warning", "the equation is ill-posed forwards in time (like u_t = -u_xx): check the sign")
        )
    return findings
