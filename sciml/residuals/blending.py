"""Symbolic G and φ of one field: transfinite blending on boxes, weighted face data elsewhere.

Boxes: Boolean sum of one blending projector per axis (Gordon & Hall 1973). Elsewhere
G = Σ g_i W_i with W_i = Π_{j≠i} φ_j / Σ_k Π_{j≠k} φ_j, exact on every face (Rvachev & Sheiko 1995).
Time: u = u0 + [G - G(t0)] + τφN, second order u0 + s u1 + [G - G(t0) - s G_t(t0)] + τ²φN, s = t - t0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp

from sciml.callables import NumericFunction
from sciml.conditions import Dirichlet
from sciml.expressions.data import evaluate_data
from sciml.residuals.levels import Levels
from sciml.terms import Term

_ROUGH = (sp.Heaviside, sp.Abs, sp.sign, sp.Piecewise, sp.Max, sp.Min, sp.floor, sp.ceiling, sp.Mod)


@dataclass(frozen=True)
class FieldForm:
    """G, φ, the terms that they satisfy, and why others resist."""

    particular: sp.Expr
    factor: sp.Expr
    satisfied: tuple[str, ...]
    reasons: Mapping[str, str]

    @staticmethod
    def free(reasons: Mapping[str, str]) -> FieldForm:
        """No constraint: u = N."""
        return FieldForm(sp.Integer(0), sp.Integer(1), (), reasons)


def field_form(problem: Any, known: sp.Expr, levels: Levels) -> FieldForm:
    """G and φ of one field.

    Args:
        problem: The problem.
        known: The field.
        levels: Level functions of the domain's faces.

    Returns:
        The form; terms that cannot be met exactly are listed with the reason.
    """
    reasons: dict[str, str] = {}
    faces: dict[str, tuple[Term, sp.Expr]] = {}
    for term in problem.terms:
        if isinstance(term.condition, Dirichlet) and term.condition.field == known:
            data = known - problem.substitute(term.expressions[0])
            if reason := _rough(data, problem):
                reasons[term.name] = reason
            else:
                faces.update(dict.fromkeys(term.faces, (term, data)))
    if problem.domain.symbolic_bounds is None:
        reasons |= _drop_missing(faces, levels)
    dirichlet = tuple(dict.fromkeys(term.name for term, _ in faces.values()))
    data = {face: value for face, (_, value) in faces.items()}
    if _disagree(problem, data):
        reasons.update(dict.fromkeys(dirichlet, "data of neighbouring faces disagree at a corner"))
        data, dirichlet = {}, ()
    particular, factor = _spatial(problem, data, levels)
    if problem.time is None or not any(_key_field(key) == known for key in problem.initial):
        return FieldForm(particular, factor, dirichlet, reasons)
    return _with_start(problem, known, FieldForm(particular, factor, dirichlet, reasons), data)


def _key_field(key: sp.Expr) -> sp.Expr:
    return key.expr if isinstance(key, sp.Derivative) else key


def _rough(data: sp.Expr, problem: Any) -> str:
    if not all(node.differentiable for node in data.atoms(NumericFunction)):
        return "the data are numeric-only and have no derivatives"
    if data.has(*_ROUGH) or data.has(*problem.unknowns):
        return "the data are not smooth or contain unknown coefficients"
    return ""


def _drop_missing(faces: dict[str, tuple[Term, sp.Expr]], levels: Levels) -> dict[str, str]:
    """Take the terms out that have faces without level function; returns why."""
    reasons: dict[str, str] = {}
    while faces:
        missing = levels.missing(faces)
        if not missing and len({value for _, value in faces.values()}) > 1:  # data are blended face by face
            missing = [face for face in faces if levels.of([face]) is None]
        if not missing:
            break
        for term in {faces[face][0].name: faces[face][0] for face in missing}.values():
            here = ", ".join(face for face in missing if face in term.faces)
            reasons[term.name] = f"no level function that is smooth, and positive inside, for {here}"
            for face in term.faces:
                faces.pop(face, None)
    return reasons


def _disagree(problem: Any, data: Mapping[str, sp.Expr]) -> bool:
    if len(problem.space) < 2 or len(set(data.values())) < 2:
        return False
    for vertex, first, second in problem.domain.corner_faces():
        if first in data and second in data and data[first] != data[second]:
            point = np.append(vertex, [np.mean(problem.bounds[-1])] if problem.time else [])[None, :]
            if not abs(evaluate_data(data[first] - data[second], problem.coordinates, point)[0]) < 1e-10:
                return True
    return False


def _spatial(problem: Any, data: Mapping[str, sp.Expr], levels: Levels) -> tuple[sp.Expr, sp.Expr]:
    if not data:
        return sp.Integer(0), sp.Integer(1)
    box = problem.domain.symbolic_bounds
    if box is not None:
        return _box_form(problem, data, box)
    distance = levels.of(data)
    assert distance is not None  # what has none was dropped
    factor = distance / sp.nsimplify(problem.domain.size)
    if len(set(data.values())) == 1:
        return next(iter(data.values())), factor
    single = {face: levels.of([face]) for face in data}
    others = {face: sp.Mul(*[phi for other, phi in single.items() if other != face]) for face in data}
    total = sp.Add(*others.values())
    return sp.Add(*[data[face] * others[face] for face in data]) / total, factor


def _box_form(problem: Any, data: Mapping[str, sp.Expr], box: Sequence) -> tuple[sp.Expr, sp.Expr]:
    """Boolean sum of axis projectors; φ is the product of distance/extent, 1 at the centre of an axis."""
    names, factor = problem.faces, sp.Integer(1)
    axes = []
    for i, (symbol, (low, high)) in enumerate(zip(problem.space, box, strict=True)):
        s = (symbol - low) / (high - low)
        lower, upper = names[2 * i] in data, names[2 * i + 1] in data
        factor *= 4 * s * (1 - s) if lower and upper else s if lower else 1 - s if upper else 1
        if lower or upper:
            # data as functions on their face alone: what they are elsewhere would spoil the other faces
            ends = ((data.get(names[2 * i]), low), (data.get(names[2 * i + 1]), high))
            axes.append((symbol, low, high, s, *(_on_face(known, symbol, end) for known, end in ends)))
    result = sp.Integer(0)
    # P1 ⊕ P2 ⊕ ... : add to the blend so far what it misses on the next pair of faces
    for symbol, low, high, s, lower_data, upper_data in axes:
        missing_low = lower_data - result.subs(symbol, low) if lower_data is not None else None
        missing_high = upper_data - result.subs(symbol, high) if upper_data is not None else None
        if missing_low is not None and missing_high is not None:
            result += (1 - s) * missing_low + s * missing_high
        else:
            result += missing_low if missing_low is not None else missing_high
    return result, factor


def _on_face(data: sp.Expr | None, symbol: sp.Symbol, end: sp.Expr) -> sp.Expr | None:
    """Data at the end of an axis; the limit where they are 0/0 there."""
    if data is None:
        return None
    value = data.subs(symbol, end)
    return data.limit(symbol, end) if value.has(sp.nan, sp.zoo) else value


def _with_start(problem: Any, known: sp.Expr, form: FieldForm, data: Mapping[str, sp.Expr]) -> FieldForm:
    t, start, end = problem.time
    keys = [key for key in problem.initial if _key_field(key) == known]
    keys.sort(key=lambda key: key.derivative_count if isinstance(key, sp.Derivative) else 0)
    values = [problem.substitute(problem.initial[key]) for key in keys]
    starts = [term for term in problem.terms if term.kind == "initial" and term.condition is None]
    names = [term.name for term in starts if any(term.expressions[0].has(key) for key in keys)]
    reason = next((text for text in (_rough(value, problem) for value in values) if text), "")
    if not reason and _start_gap(problem, data, values) > 1e-9:
        reason = "initial and boundary data disagree where they meet"
    if reason:
        return FieldForm(form.particular, form.factor, form.satisfied, {**form.reasons, **dict.fromkeys(names, reason)})
    s = t - start
    particular = form.particular
    for order, value in enumerate(values):
        at_start = form.particular.diff(t, order).subs(t, start) if order else form.particular.subs(t, start)
        particular += s**order * (value - at_start)
    factor = form.factor * (s / (end - start)) ** len(values)
    return FieldForm(particular, factor, (*form.satisfied, *names), form.reasons)


def _start_gap(problem: Any, data: Mapping[str, sp.Expr], values: Sequence[sp.Expr]) -> float:
    """Largest mismatch at t0 on the faces with data, of values and of time derivatives."""
    t, start = problem.time[0], problem.bounds[-1][0]
    gap = 0.0
    for face, expression in data.items():
        space = problem.domain.sample_face(face, 32)
        points = np.column_stack([space, np.full(len(space), start)])
        for order, value in enumerate(values):
            given = expression.diff(t, order) if order else expression
            difference = evaluate_data(given - value, problem.coordinates, points, problem.bounds)
            gap = max(gap, float(np.abs(difference).max()) if np.isfinite(difference).all() else np.inf)
    return gap
