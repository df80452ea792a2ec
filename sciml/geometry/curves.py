"""Oriented segments and arcs: the pieces that bound a planar region, which lies to their left."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import sympy as sp

Point = tuple[float, float]
ExactPoint = tuple[sp.Expr, ...]


@dataclass(frozen=True)
class Line:
    """The straight line through two exact points.

    Args:
        first: A point.
        second: Another point.
    """

    first: ExactPoint
    second: ExactPoint

    def level(self, coordinates: Sequence[sp.Symbol]) -> sp.Expr:
        """Expression that vanishes on the line, scaled so that equal lines give equal expressions.

        Args:
            coordinates: Both coordinates.

        Returns:
            `x - m*y - c`, or `y - c` for a horizontal line.
        """
        x, y = coordinates
        dx, dy = (sp.radsimp(sp.expand(b - a)) for a, b in zip(self.first, self.second, strict=True))
        if dy.is_zero:
            return y - self.first[1]
        slope = sp.radsimp(dx / dy)
        return x - slope * y - sp.expand(sp.radsimp(self.first[0] - slope * self.first[1]))


@dataclass(frozen=True)
class Circle:
    """A circle with exact centre and radius.

    Args:
        center: Centre.
        radius: Radius.
    """

    center: ExactPoint
    radius: sp.Expr

    def level(self, coordinates: Sequence[sp.Symbol]) -> sp.Expr:
        """Expression that vanishes on the circle.

        Args:
            coordinates: Both coordinates.

        Returns:
            `(x - cx)**2 + (y - cy)**2 - r**2`.
        """
        squares = ((s - c) ** 2 for s, c in zip(coordinates, self.center, strict=True))
        return sp.Add(*squares) - self.radius**2


@dataclass(frozen=True)
class Piece:
    """A segment, or an arc of at most half a circle, from `start` to `end`.

    Args:
        start: First point.
        end: Last point.
        face: Name of the face that the piece belongs to.
        carrier: The exact line or circle.
        turn: 0 for a segment, 1 for an arc run counterclockwise, -1 clockwise.
        center: Centre of an arc.
        radius: Radius of an arc.
    """

    start: Point
    end: Point
    face: str
    carrier: Line | Circle
    turn: int = 0
    center: Point = (0.0, 0.0)
    radius: float = 0.0

    @property
    def angle(self) -> float:
        """Angle of the start of an arc."""
        return math.atan2(self.start[1] - self.center[1], self.start[0] - self.center[0])

    @property
    def sweep(self) -> float:
        """Positive angle that an arc covers."""
        return self.place(self.end)

    @property
    def length(self) -> float:
        """Exact length."""
        return self.radius * self.sweep if self.turn else math.dist(self.start, self.end)

    def area(self, origin: Point) -> float:
        r"""Share of the piece in the enclosed area, by Green's theorem.

        The area is ½∮(x dy − y dx); a chord from a to b gives ½ a×b, and between chord and arc lies
        ½ r²(σ − sin σ).

        Args:
            origin: Any fixed point; one nearby keeps rounding small.

        Returns:
            Signed area.
        """
        (ax, ay), (bx, by), (ox, oy) = self.start, self.end, origin
        chord = 0.5 * ((ax - ox) * (by - oy) - (ay - oy) * (bx - ox))
        sweep = self.sweep if self.turn else 0.0
        return chord + 0.5 * self.turn * self.radius**2 * (sweep - math.sin(sweep))

    def at(self, fraction: np.ndarray) -> np.ndarray:
        """Points at fractions of the length.

        Args:
            fraction: Numbers in [0, 1], shape `(n,)`.

        Returns:
            Points `(n, 2)`.
        """
        if not self.turn:
            start, end = np.array(self.start), np.array(self.end)
            return start + fraction[:, None] * (end - start)
        angle = self.angle + self.turn * self.sweep * fraction
        return np.array(self.center) + self.radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)

    def middle(self) -> Point:
        """The point at half the length."""
        x, y = self.at(np.array([0.5]))[0]
        return float(x), float(y)

    def place(self, point: Point) -> float:
        """Where a point of the carrier lies along the piece: 0 at the start, growing.

        Args:
            point: A point on the line or circle.

        Returns:
            Length from the start for a segment, angle from the start for an arc.
        """
        if not self.turn:
            (ax, ay), (bx, by) = self.start, self.end
            return ((point[0] - ax) * (bx - ax) + (point[1] - ay) * (by - ay)) / math.dist(self.start, self.end)
        (cx, cy), (ax, ay) = self.center, self.start
        ux, uy, vx, vy = ax - cx, ay - cy, point[0] - cx, point[1] - cy
        angle = self.turn * math.atan2(ux * vy - uy * vx, ux * vx + uy * vy)
        return angle if angle > -0.5 * math.pi else angle + 2.0 * math.pi

    def distance(self, point: Point) -> float:
        """Distance of a point.

        Args:
            point: Any point.

        Returns:
            Euclidean distance to the piece.
        """
        x, y = point
        if not self.turn:
            length = math.dist(self.start, self.end)
            share = min(max(self.place(point) / length, 0.0), 1.0)
            (ax, ay), (bx, by) = self.start, self.end
            return math.hypot(x - ax - share * (bx - ax), y - ay - share * (by - ay))
        if 0.0 <= self.place(point) <= self.sweep:
            return abs(math.dist(point, self.center) - self.radius)
        return min(math.dist(point, self.start), math.dist(point, self.end))

    def tangent(self, point: Point) -> Point:
        """Unit tangent in the direction of travel.

        Args:
            point: A point of the piece.

        Returns:
            The direction.
        """
        if self.turn:
            dx, dy = -self.turn * (point[1] - self.center[1]), self.turn * (point[0] - self.center[0])
        else:
            dx, dy = self.end[0] - self.start[0], self.end[1] - self.start[1]
        norm = math.hypot(dx, dy)
        return dx / norm, dy / norm

    def between(self, start: Point, end: Point) -> Piece:
        """The part from one of its points to a later one.

        Args:
            start: First point.
            end: Last point.

        Returns:
            A piece of the same carrier.
        """
        return replace(self, start=start, end=end)

    def reversed(self) -> Piece:
        """The same points run backwards: the region changes sides."""
        return replace(self, start=self.end, end=self.start, turn=-self.turn)

    def box(self) -> tuple[float, float, float, float]:
        """Smallest box: low x, low y, high x, high y."""
        points = [self.start, self.end]
        if self.turn:
            (cx, cy), r = self.center, self.radius
            extremes = ((cx + r, cy), (cx, cy + r), (cx - r, cy), (cx, cy - r))
            points += [point for point in extremes if 0.0 <= self.place(point) <= self.sweep]
        xs, ys = zip(*points, strict=True)
        return min(xs), min(ys), max(xs), max(ys)


def segment(start: ExactPoint, end: ExactPoint, face: str) -> Piece:
    """A segment between exact points.

    Args:
        start: First point.
        end: Last point.
        face: Name of its face.

    Returns:
        The piece.
    """
    (ax, ay), (bx, by) = start, end
    return Piece((float(ax), float(ay)), (float(bx), float(by)), face, Line(start, end))


def full_circle(center: ExactPoint, radius: sp.Expr, face: str) -> tuple[Piece, Piece]:
    """A circle run counterclockwise, as two half circles.

    Args:
        center: Centre.
        radius: Radius.
        face: Name of its face.

    Returns:
        Upper and lower half.
    """
    x, y, r = float(center[0]), float(center[1]), float(radius)
    east, west = (x + r, y), (x - r, y)
    upper = Piece(east, west, face, Circle(center, radius), 1, (x, y), r)
    return upper, upper.between(west, east)
