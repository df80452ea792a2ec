"""Corners of a planar boundary, with angles, kinds of conditions and places where data bend."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp

from sciml.compatibility import term_data
from sciml.ibvp import IBVP
from sciml.jets import jet_atoms
from solvers.lie.breaks import kinks


@dataclass(frozen=True)
class Corner:
    """A point of the boundary where the solution may be singular, in the coordinates of a frame.

    Attributes:
        place: z.
        inward: Direction of the bisector of the domain, modulus 1.
        angle: Angle inside, (0, 2π].
        slopes: Whether the conditions before and after it contain derivatives.
        room: Distance to the other end of the shorter side.
        bend: Whether it is a place where the data, not the boundary, bend.
    """

    place: complex
    inward: complex
    angle: float
    slopes: tuple[bool, bool]
    room: float
    bend: bool = False


def path(shape: str, data: Any) -> Callable[[np.ndarray], np.ndarray]:
    """Points of a piece of a boundary at fractions of its length, (n,) -> (n, 2)."""
    start, end = np.array(data[0]), np.array(data[1])
    if shape in {"segment", "facet"}:
        return lambda fraction: start + fraction[:, None] * (end - start)
    first, sweep = _angles(data)
    centre, radius = np.array(data[2]), data[3]

    def arc(fraction: np.ndarray) -> np.ndarray:
        angle = first + sweep * fraction
        return np.asarray(centre + radius * np.stack([np.cos(angle), np.sin(angle)], axis=1))

    return arc


def _angles(data: Any) -> tuple[float, float]:
    start, end, centre, _, turn = data
    first, last = (math.atan2(p[1] - centre[1], p[0] - centre[0]) for p in (start, end))
    return first, turn * ((turn * (last - first)) % (2 * math.pi) or 2 * math.pi)


def face_data(problem: IBVP, face: str) -> list[sp.Expr]:
    """Data of all conditions on a face."""
    return [d for term in problem.terms if face in term.faces for d in term_data(term, problem)]


def data_breaks(problem: IBVP, face: str, shape: str, data: Any) -> list[float]:
    """Fractions of a piece at which the data on it may bend or jump."""
    bent = [e for e in face_data(problem, face) if e.has(sp.Abs, sp.Heaviside, sp.sign, sp.Max, sp.Min, sp.Piecewise)]
    if not bent:
        return []
    s = sp.Dummy("s", real=True)
    if shape in {"segment", "facet"}:
        at = [sp.Float(float(a)) + s * sp.Float(float(b - a)) for a, b in zip(data[0], data[1], strict=True)]
        at = [sp.nsimplify(e, rational=True) for e in at]
    else:
        first, sweep = _angles(data)
        (cx, cy), r = data[2], data[3]
        at = [cx + r * sp.cos(first + sweep * s), cy + r * sp.sin(first + sweep * s)]
    table = dict(zip(problem.space, at, strict=False))
    found = {place for expression in bent for place in kinks(expression.xreplace(table), s, 0.0, 1.0)}
    return sorted(f for f in found if 1e-9 < f < 1 - 1e-9)


def has_slope(problem: IBVP, face: str) -> bool:
    """Whether a condition on a face contains derivatives."""
    return any(
        sum(jet[1])
        for term in problem.terms
        if face in term.faces
        for e in term.expressions
        for jet in jet_atoms(e, problem.fields, problem.coordinates).values()
    )


def corners(problem: IBVP, stretch: np.ndarray, place: Callable[[np.ndarray], np.ndarray]) -> list[Corner]:
    """Corners of the domain, changes of the condition, and bends of the data.

    Args:
        problem: A problem in the plane.
        stretch: L of the frame.
        place: Points (n, 2) -> z (n,).

    Returns:
        The corners.
    """
    pieces = problem.domain.primitives()
    known = {tuple(np.round(c, 9)) for c in problem.domain.corners()}
    arriving = {tuple(np.round(data[1], 9)): (face, shape, data) for face, shape, data in pieces}
    found = []
    for face, shape, data in pieces:
        curve, slope = path(shape, data), has_slope(problem, face)
        key = tuple(np.round(data[0], 9))
        leave, ends = _direction(curve, 0.0, 1.0, stretch), place(np.array([data[0], data[1]]))
        room = float(abs(ends[1] - ends[0])) if ends[1] != ends[0] else 2 * data[3]
        if key in known and key in arriving:
            before, kind, other = arriving[key]
            back = _direction(path(kind, other), 1.0, -1.0, stretch)
            angle = float(np.angle(back / leave)) % (2 * math.pi) or 2 * math.pi
            far = place(np.array([other[0]]))[0]
            slopes = (has_slope(problem, before), slope)
            inward = leave * np.exp(0.5j * angle)
            found.append(Corner(ends[0], complex(inward), angle, slopes, min(room, float(abs(far - ends[0])) or room)))
        for fraction in data_breaks(problem, face, shape, data):
            here = place(curve(np.array([fraction])))[0]
            inward = 1j * _direction(curve, fraction, 1.0, stretch)
            distance = room * min(fraction, 1 - fraction)
            found.append(Corner(complex(here), complex(inward), math.pi, (slope, slope), distance, True))
    return found


def _direction(curve: Callable[[np.ndarray], np.ndarray], at: float, way: float, stretch: np.ndarray) -> complex:
    """Unit tangent of a segment or arc in the frame, exact for segments."""
    step = 1e-6
    if at in {0.0, 1.0}:
        a, b, c = curve(np.array([at, at + way * step, at + 2 * way * step]))
        tangent = (4 * (b - a) - (c - a)) if step else b - a
    else:
        a, b = curve(np.array([at - step, at + step]))
        tangent = way * (b - a)
    line = curve(np.array([0.0, 0.5, 1.0]))
    if np.allclose(line[1], (line[0] + line[2]) / 2, rtol=0, atol=1e-14 * np.abs(line).max() + 1e-300):
        tangent = way * (line[2] - line[0])
    moved = stretch @ tangent
    direction = complex(moved[0], moved[1])
    return direction / abs(direction)
