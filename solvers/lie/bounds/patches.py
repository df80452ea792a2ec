"""Patches: the domain and its faces as images of boxes, on which expressions are enclosed.

A place x = X(s) turns an expression of the coordinates into one of the parameters s. The maps are exact and analytic:
affine for boxes, edges and triangles, polar for disks and arcs.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import sympy as sp

from sciml.geometry import Disk
from sciml.terms import rationalise
from solvers.lie.bounds.kinks import Box
from solvers.lie.bounds.sup import Deadline, Norms, is_bounded, norms, range_of

UNIT_INTERVAL = (sp.S.Zero, sp.S.One)


@dataclass(frozen=True)
class Patch:
    """An image of a box.

    Attributes:
        axes: Parameters.
        box: Their rational ranges.
        place: Coordinate -> expression of the parameters.
        stretch: |det| of an affine map, by which an L2 norm over the box is scaled; None where it varies.
        normal: Outward unit normal on a face, as expressions of the parameters.
        face: Name of the face.
    """

    axes: tuple[sp.Symbol, ...]
    box: Box
    place: dict[sp.Symbol, sp.Expr] = field(default_factory=dict)
    stretch: sp.Expr | None = sp.S.One
    normal: tuple[sp.Expr, ...] = ()
    face: str = ""

    def pull(self, expression: sp.Expr, space: Sequence[sp.Symbol] = ()) -> sp.Expr:
        """The expression in the parameters; components of the normal are put in."""
        normals = {sp.Symbol(f"n_{s}", real=True): n for s, n in zip(space, self.normal, strict=False)}
        return expression.xreplace(normals | self.place)

    def times(self, symbol: sp.Symbol, start: sp.Expr, end: sp.Expr) -> Patch:
        """The patch times an interval."""
        axis, box, place, stretch = interval(symbol, start, end)
        scale = None if self.stretch is None else self.stretch * stretch
        return Patch((*self.axes, axis), (*self.box, box), self.place | place, scale, self.normal, self.face)


def interval(symbol: sp.Symbol, low: sp.Expr, high: sp.Expr) -> tuple[sp.Symbol, tuple, dict, sp.Expr]:
    """An axis for a coordinate on [low, high]: itself, or low + (high - low) s where an end is irrational."""
    low, high = exact(low), exact(high)
    if low.is_Rational and high.is_Rational:
        return symbol, (low, high), {}, sp.S.One
    axis = sp.Dummy(f"s_{symbol}", real=True)
    return axis, UNIT_INTERVAL, {symbol: low + (high - low) * axis}, high - low


def exact(number: Any) -> sp.Expr:
    """A number without floats: the shortest decimal of a float, as the package reads floats everywhere."""
    return rationalise(sp.sympify(number))


def domain_patches(domain: Any) -> list[Patch]:
    """Patches that cover a region (they may reach beyond it only for regions cut by other regions).

    Args:
        domain: Geometry.

    Returns:
        The patches.
    """
    ends = domain.symbolic_bounds
    if ends is not None:
        patch = Patch((), ())
        for symbol, (low, high) in zip(domain.coordinates, ends, strict=True):
            patch = patch.times(symbol, low, high)
        return [patch]
    if isinstance(domain, Disk):
        radius, angle = sp.Dummy("r", real=True), sp.Dummy("theta", real=True)
        place = _on_circle(domain.coordinates, [exact(c) for c in domain.center], exact(domain.radius) * radius, angle)
        quarters = [(sp.Integer(k), sp.Integer(k + 1)) for k in range(-2, 2)]
        return [Patch((radius, angle), (UNIT_INTERVAL, q), place, None) for q in quarters]
    pieces = domain.primitives()
    if domain.dimension == 2 and all(kind == "segment" for _, kind, _ in pieces):
        return _polygon_cover(domain, pieces)
    if domain.dimension in {1, 3}:
        return _cells(domain)
    patch = Patch((), ())  # a box around it
    for symbol, (low, high) in zip(domain.coordinates, domain.bounds, strict=True):
        patch = patch.times(symbol, exact(float(low)), exact(float(high)))
    return [patch]


def _on_circle(
    coordinates: Sequence[sp.Symbol], centre: Sequence[sp.Expr], radius: sp.Expr, angle: sp.Symbol
) -> dict[sp.Symbol, sp.Expr]:
    """Angle in quarter turns, so that its range is rational."""
    x, y = coordinates
    turn = sp.pi * angle / 2
    return {x: centre[0] + radius * sp.cos(turn), y: centre[1] + radius * sp.sin(turn)}


def _cells(domain: Any) -> list[Patch]:
    """Boxes of a region made of boxes."""
    found = []
    for low, high in domain._cells.boxes():
        patch = Patch((), ())
        for symbol, a, b in zip(domain.coordinates, low, high, strict=True):
            patch = patch.times(symbol, exact(float(a)), exact(float(b)))
        found.append(patch)
    return found


def _polygon_cover(domain: Any, pieces: Sequence[tuple[str, str, Any]]) -> list[Patch]:
    """Trapezia between the horizontal lines through the vertices: where two edges bound a strip, x is affine in y."""
    corners = {point for _, _, data in pieces for point in data}
    levels = sorted({exact(point[1]) for point in corners})
    edges = [tuple((exact(a), exact(b)) for a, b in data) for _, _, data in pieces]
    x, y = domain.coordinates
    across = sp.Dummy("s", real=True)
    found = []
    for low, high in itertools.pairwise(levels):
        middle = (low + high) / 2
        crossing = []
        for (ax, ay), (bx, by) in edges:
            if min(ay, by) <= low and max(ay, by) >= high:
                crossing.append((ax + (bx - ax) * (middle - ay) / (by - ay), ax + (bx - ax) * (y - ay) / (by - ay)))
        crossing.sort(key=lambda pair: pair[0])
        for (_, left), (_, right) in zip(crossing[::2], crossing[1::2], strict=True):
            place = {x: left + (right - left) * across}
            stretch = right - left if (right - left).is_number else None
            axis, span, time_place, scale = interval(y, low, high)
            place = {key: value.xreplace(time_place) for key, value in place.items()} | time_place
            found.append(Patch((across, axis), (UNIT_INTERVAL, span), place, stretch and stretch * scale))
    return found


def face_patches(domain: Any, face: str) -> list[Patch]:
    """Patches of a face, with outward normals.

    Args:
        domain: Geometry.
        face: Name.

    Returns:
        The patches.
    """
    found = []
    for name, kind, data in domain.primitives():
        if name == face:
            found += [_piece(domain, kind, data, face)]
    return found


def _piece(domain: Any, kind: str, data: Any, face: str) -> Patch:
    symbols = domain.coordinates
    if kind == "point":
        position, sign = data
        return Patch((), (), {symbols[0]: _end(domain, 0, position)}, sp.S.One, (sp.Integer(sign),), face)
    if kind == "facet":
        low, high, axis, sign = data
        patch = Patch((), (), {symbols[axis]: _end(domain, axis, low[axis])})
        for k, symbol in enumerate(symbols):
            if k != axis:
                patch = patch.times(symbol, _end(domain, k, low[k]), _end(domain, k, high[k]))
        normal = tuple(sp.Integer(sign) if k == axis else sp.S.Zero for k in range(len(symbols)))
        return Patch(patch.axes, patch.box, patch.place, patch.stretch, normal, face)
    if kind == "segment":
        (ax, ay), (bx, by) = [tuple(_end(domain, k, c) for k, c in enumerate(point)) for point in data]
        return _segment(symbols, (ax, ay), (bx, by), face)
    start, end, centre, radius, turn = data
    return _arc(symbols, start, end, centre, radius, turn, face)


def _end(domain: Any, axis: int, value: float) -> sp.Expr:
    """The exact end that a float stands for."""
    ends = domain.symbolic_bounds
    for end in ends[axis] if ends is not None else ():
        if float(end).hex() == value.hex():  # the same number
            return exact(end)
    return exact(float(value))


def _segment(symbols: Sequence[sp.Symbol], start: tuple, end: tuple, face: str) -> Patch:
    (ax, ay), (bx, by) = start, end
    length = sp.sqrt((bx - ax) ** 2 + (by - ay) ** 2)
    normal = ((by - ay) / length, -(bx - ax) / length)  # the region lies to the left
    for axis in range(2):
        if start[axis] == end[axis]:
            other = 1 - axis
            ends = sorted((start[other], end[other]))
            name, box, place, stretch = interval(symbols[other], *ends)
            return Patch((name,), (box,), {symbols[axis]: start[axis]} | place, stretch, normal, face)
    s = sp.Dummy("s", real=True)
    place = {symbols[0]: ax + (bx - ax) * s, symbols[1]: ay + (by - ay) * s}
    return Patch((s,), (UNIT_INTERVAL,), place, length, normal, face)


def _arc(symbols: Sequence[sp.Symbol], start: Any, end: Any, centre: Any, radius: float, turn: int, face: str) -> Patch:
    """Angles in quarter turns; ends are rounded outwards to cover the arc."""
    first = np.arctan2(start[1] - centre[1], start[0] - centre[0])
    last = np.arctan2(end[1] - centre[1], end[0] - centre[0])
    low, high = (first, last) if turn > 0 else (last, first)
    if high <= low + 1e-12:
        high += 2 * np.pi
    box = tuple(_quarter(value * 2 / np.pi, side) for value, side in ((low, -1), (high, 1)))
    angle = sp.Dummy("theta", real=True)
    place = _on_circle(symbols, [exact(c) for c in centre], exact(radius), angle)
    unit = (sp.cos(sp.pi * angle / 2), sp.sin(sp.pi * angle / 2))
    normal = unit if turn > 0 else tuple(-n for n in unit)
    return Patch((angle,), (box,), place, exact(radius) * sp.pi / 2, normal, face)


def _quarter(value: float, side: int) -> sp.Rational:
    near = sp.Rational(round(value))
    return near if abs(value - round(value)) < 1e-12 else sp.Rational(value) + side * sp.Rational(1, 10**12)


@dataclass
class Enclosure:
    """Norms of expressions over patches, with one deadline."""

    deadline: Deadline
    space: tuple[sp.Symbol, ...] = ()

    def norms(
        self, expression: sp.Expr, patches: Sequence[Patch], target: float = 0.0, accuracy: float = 0.05
    ) -> Norms:
        """Norms over the union of patches; L2 is infinite where a map is not affine.

        Args:
            expression: An expression of the coordinates.
            patches: Where.
            target: Below this a sup is as good as 0.
            accuracy: Relative gap allowed.

        Returns:
            The norms.
        """
        sup, attained, square = 0.0, 0.0, 0.0
        for patch in patches:
            pulled = patch.pull(expression, self.space)
            found = norms(pulled, patch.axes, patch.box, max(target, attained), self.deadline, accuracy)
            sup, attained = max(sup, found.sup), max(attained, found.attained)
            stretch = float("inf") if patch.stretch is None else float(sp.N(abs(patch.stretch), 20)) * (1 + 1e-12)
            square += found.l2**2 * stretch if found.l2 else 0.0
        return Norms(sup, attained, square**0.5 * (1 + 1e-12))

    def source(self, expressions: Sequence[sp.Expr], patches: Sequence[Patch], duration: float, target: float) -> float:
        """∫ |f(t)|_2 dt <= √T |f| in L2 of space and time, for the vector f of some expressions."""
        square = sum(self.norms(e, patches, target).l2 ** 2 for e in expressions if e != 0)
        return (square * duration) ** 0.5 * (1 + 1e-12)

    def bounded(self, expression: sp.Expr, patches: Sequence[Patch]) -> bool:
        """Whether an expression is proven to be bounded over patches."""
        return all(is_bounded(patch.pull(expression, self.space), patch.axes, patch.box) for patch in patches)

    def range(self, expression: sp.Expr, patches: Sequence[Patch]) -> tuple[float, float]:
        """Bounds from below and above over patches."""
        pairs = [range_of(patch.pull(expression, self.space), patch.axes, patch.box, self.deadline)
                 for patch in patches]  # fmt: skip
        return min(low for low, _ in pairs), max(high for _, high in pairs)
