"""Norms of an expression over a box: rigorous, adaptive.

The box is cut at kinks; on each smooth piece the expression is enclosed by Chebyshev interpolation with a proven
remainder (`chebyshev`), or by one ball where that is good enough (towards a singular end), or the piece is halved.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import sympy as sp

from sciml.errors import UnsupportedFunctionError
from solvers.lie.bounds.balls import Ball, highest, hull, lower, lowest, precision, rational, upper
from solvers.lie.bounds.chebyshev import as_array, choose_degree, node_values, polynomial_norms
from solvers.lie.bounds.kinks import Box, Piece, halves, smooth_pieces, whole_box
from solvers.lie.bounds.program import Program, constant

_LARGEST = {1: 48, 2: 24, 3: 14}
_PROBES = {1: 17, 2: 7, 3: 4}
_MOST_BITS = 1024
_UNDECIDED_DEPTH = 6
_NEGLIGIBLE = 1e-25  # of the size of the terms: sin(2π + t) - sin(t) is 0, but SymPy need not see it
_MOST_PIECES = {1: 4000, 2: 3000, 3: 600}


class NotEnclosed(Exception):
    """No finite bound was found; the text says why."""


@dataclass(frozen=True)
class Norms:
    """Bounds of the norms over a box.

    Attributes:
        sup: Not below any value of |f|.
        attained: A value that |f| reaches, rounded down; the gap to `sup` is what the enclosure costs.
        l2: Not below the L2 norm over the box (in the variables of the box).
    """

    sup: float
    attained: float
    l2: float


ZERO = Norms(0.0, 0.0, 0.0)


@dataclass
class Deadline:
    """A limit on process CPU time; None is no limit."""

    end: float | None = None

    @classmethod
    def after(cls, seconds: float | None) -> Deadline:
        """A deadline so many CPU seconds from now."""
        return cls(None if seconds is None else time.process_time() + seconds)

    def check(self, what: str) -> None:
        """Stop with the reason when it has passed.

        Args:
            what: What was being done.

        Raises:
            NotEnclosed: When it has passed.
        """
        if self.end is not None and time.process_time() > self.end:
            raise NotEnclosed(f"the time for the enclosure of {what} is over; pass seconds=...")


def norms(
    expression: sp.Expr,
    axes: Sequence[sp.Symbol],
    box: Box,
    target: float = 0.0,
    deadline: Deadline | None = None,
    accuracy: float = 0.05,
) -> Norms:
    """Rigorous norms of a real expression over a box.

    Args:
        expression: Any expression of the axes.
        axes: Variables, at most three.
        box: Rational ends.
        target: A sup below this is as good as 0: the enclosure need not be sharper.
        deadline: When to give up.
        accuracy: Relative gap that is allowed between enclosure and function.

    Returns:
        The norms.

    Raises:
        NotEnclosed: If no finite bound is found.
    """
    deadline = deadline or Deadline()
    expression = sp.sympify(expression)
    if expression == 0:
        return ZERO
    used = [i for i, s in enumerate(axes) if s in expression.free_symbols]
    if len(used) < len(axes):
        inner = norms(expression, [axes[i] for i in used], tuple(box[i] for i in used), target, deadline, accuracy)
        volume = math.prod(float(high - low) for i, (low, high) in enumerate(box) if i not in used)
        return Norms(inner.sup, inner.attained, inner.l2 * math.sqrt(volume) * (1 + 1e-12))
    if not axes:
        return _number_norms(expression)
    if len(axes) > 3:
        raise NotEnclosed("a mismatch of more than three variables is not enclosed")
    try:
        with precision(128):
            return _Search(axes, box, target, deadline, accuracy).run(expression)
    except UnsupportedFunctionError as error:
        raise NotEnclosed(str(error).replace("\n  ", "; ")) from error


def _number_norms(expression: sp.Expr) -> Norms:
    try:
        with precision(256):
            value = constant(expression)
    except UnsupportedFunctionError as error:
        raise NotEnclosed(str(error).replace("\n  ", "; ")) from error
    if not value.is_finite():
        raise NotEnclosed(f"{expression} has no finite value")
    return Norms(upper(value), lower(value), upper(value))


class _Search:
    """The adaptive subdivision of one box."""

    def __init__(self, axes: Sequence[sp.Symbol], box: Box, target: float, deadline: Deadline, accuracy: float) -> None:
        self.axes, self.box, self.target, self.deadline, self.accuracy = tuple(axes), box, target, deadline, accuracy
        self.attained, self.sup, self.square = 0.0, 0.0, 0.0
        self._programs: dict[sp.Expr, Program] = {}
        self.count, self.floor = 0, 0.0

    def run(self, expression: sp.Expr) -> Norms:
        stack = [(self._compiled(piece), piece, 0) for piece in smooth_pieces(expression, self.axes, self.box)]
        for program, piece, _ in stack:
            if piece.origin is None:
                self._probe(program, piece.box)
        self.floor = _NEGLIGIBLE * max([self._plain(program, piece.box) for program, piece, _ in stack])
        cut: set[tuple[sp.Expr, Box]] = set()
        while stack:
            self.count += 1
            self.deadline.check("a mismatch")
            if self.count > _MOST_PIECES[len(self.axes)]:
                raise NotEnclosed("the function is too irregular to be enclosed in a reasonable number of pieces")
            program, piece, depth = stack.pop()
            sup, mean = self._enclose(program, piece, depth)
            undecided = piece.origin is not None and depth < _UNDECIDED_DEPTH
            if math.isfinite(sup) and not (undecided and sup > (1 + self.accuracy) * self._goal):
                self.sup = max(self.sup, sup)
                self.square += mean * mean * self._volume(piece.box) * (1 + 1e-12)
                continue
            if undecided:  # both branches lead to the same smaller boxes
                if (piece.origin, piece.box) in cut:
                    continue
                cut.add((piece.origin, piece.box))
            for half in self._halves(program, piece.box):
                parts = smooth_pieces(piece.origin, self.axes, half, 1) if undecided else [piece._replace(box=half)]
                stack += [(program if not undecided else self._compiled(p), p, depth + 1) for p in parts]
        return Norms(self.sup, self.attained, math.sqrt(self.square) * (1 + 1e-12))

    def _compiled(self, piece: Piece) -> Program:
        if piece.expression not in self._programs:
            self._programs[piece.expression] = Program(piece.expression, self.axes)
        return self._programs[piece.expression]

    def _plain(self, program: Program, part: Box) -> float:
        """One ball over a piece, 0 where it is not finite."""
        with precision(64):
            size = upper(program(whole_box(part))[0])
        return size if math.isfinite(size) else 0.0

    def _probe(self, program: Program, part: Box) -> None:
        """Values at a few inner points: what |f| reaches, so that small pieces need no sharp enclosure."""
        count = _PROBES[len(part)]
        grid = [[rational(low + (high - low) * sp.Rational(2 * k + 1, 2 * count)) for k in range(count)]
                for low, high in part]  # fmt: skip
        self.attained = max([self.attained, *(lower(value) for value in program(grid))])

    @property
    def _goal(self) -> float:
        return max(self.attained, self.target, self.floor, 1e-300)

    def _volume(self, part: Box) -> float:
        return math.prod(float(high - low) for low, high in part)

    def _enclose(self, program: Program, piece: Piece, depth: int) -> tuple[float, float]:
        """Bounds of the sup and of the root mean square on a piece; infinite ones ask for halves."""
        part = piece.box
        bits = 64 + depth  # the place of a tiny piece must be told from its end
        with precision(bits):
            plain = upper(program(whole_box(part))[0])
        wanted = max(self.accuracy * self._goal, self.target / 2 if self.attained < self.target / 3 else 0.0)
        if plain <= max(self.target, wanted) or (depth > 12 and plain <= (1 + self.accuracy) * self._goal):
            return plain, plain
        with precision(bits):
            found = choose_degree(program, part, wanted, _LARGEST[len(part)])
        if found is None:
            return math.inf, math.inf
        middles, spread = self._node_values(program, part, found.degree, wanted)
        if not spread <= wanted:
            return math.inf, math.inf
        # errors of the nodal values go through the interpolation with the Lebesgue constants
        lebesgue = (2 / math.pi * math.log(found.degree + 1) + 1) ** len(part)
        loss = found.error + spread * lebesgue * 1.01
        sup, square = polynomial_norms(middles)
        if piece.origin is None:
            self.attained = max(self.attained, float(abs(middles).max()) - spread)
        return sup + loss, square * 2.0 ** (-len(part) / 2) + loss  # from [-1, 1]^d to a mean

    def _node_values(self, program: Program, part: Box, degree: int, wanted: float) -> tuple[np.ndarray, float]:
        """Values at the nodes with as many bits as the cancellation between the terms asks for."""
        shape, bits = [degree + 1] * len(part), 128
        while True:
            with precision(bits):
                middles, spread = as_array(node_values(program, part, degree), shape)
            if spread <= wanted or bits >= _MOST_BITS:
                return middles, spread
            bits *= 2

    def _halves(self, program: Program, part: Box) -> list[Box]:
        """Cut the axis along which the function resists most: the one whose cut gives the smaller balls."""
        if len(part) == 1:
            return halves(part, 0)
        scored = []
        for axis in range(len(part)):
            both = halves(part, axis)
            with precision(64):
                sizes = [upper(program(whole_box(half))[0]) for half in both]
            extent = float((part[axis][1] - part[axis][0]) / (self.box[axis][1] - self.box[axis][0]))
            scored.append((max(sizes), -extent, axis))
        if all(math.isinf(size) for size, _, _ in scored) or scored[0][0] == scored[1][0]:
            return halves(part, min(scored, key=lambda item: item[1])[2])
        best = min(scored)[2]
        share = [float((b - a) / (high - low)) for (a, b), (low, high) in zip(part, self.box, strict=True)]
        return halves(part, best if share[best] > max(share) / 64 else share.index(max(share)))


def size_by_cells(expression: sp.Expr, axes: Sequence[sp.Symbol], box: Box, deadline: Deadline | None = None) -> float:
    """Quick bound of |f|: one ball per cell of a coarse grid, and `norms` only where that is not finite.

    Args:
        expression: f.
        axes: Variables.
        box: Rational ends.
        deadline: When to give up.

    Returns:
        The bound.

    Raises:
        NotEnclosed: If there is no finite one.
    """
    try:
        with precision(64):
            largest = max(max(map(upper, _on_cells(piece, axes))) for piece in smooth_pieces(expression, axes, box))
    except UnsupportedFunctionError as error:
        raise NotEnclosed(str(error).replace("\n  ", "; ")) from error
    return largest if math.isfinite(largest) else norms(expression, axes, box, 0.0, deadline, 0.5).sup


def is_bounded(expression: sp.Expr, axes: Sequence[sp.Symbol], box: Box) -> bool:
    """Whether balls on a coarse grid of cells are finite: then so is the function; a quick test.

    Args:
        expression: f.
        axes: Variables.
        box: Rational ends.

    Returns:
        True where proven.
    """
    try:
        with precision(64):
            return all(ball.is_finite() for piece in smooth_pieces(expression, axes, box)
                       for ball in _on_cells(piece, axes))  # fmt: skip
    except UnsupportedFunctionError:
        return False


def _on_cells(piece: Piece, axes: Sequence[sp.Symbol]) -> list[Ball]:
    count = {0: 1, 1: 64, 2: 16, 3: 6}.get(len(axes), 3)
    grid = [[hull(rational(low + (high - low) * sp.Rational(k, count)),
                  rational(low + (high - low) * sp.Rational(k + 1, count))) for k in range(count)]
            for low, high in piece.box]  # fmt: skip
    return Program(piece.expression, axes)(grid)


def range_of(
    expression: sp.Expr, axes: Sequence[sp.Symbol], box: Box, deadline: Deadline | None = None
) -> tuple[float, float]:
    """Lower and upper bound of an expression over a box, to a few percent of its spread.

    Args:
        expression: An expression.
        axes: Variables.
        box: Rational ends.
        deadline: When to give up.

    Returns:
        (lower, upper), never inside the true range.

    Raises:
        NotEnclosed: If a finite bound is not found.
    """
    expression = sp.sympify(expression)
    if not expression.free_symbols & set(axes):
        with precision(128):
            value = constant(expression)
        return lowest(value), highest(value)
    # f - middle is enclosed as a norm, to a part of the sampled spread
    samples = _samples(expression, axes, box)
    middle, spread = sp.Float((min(samples) + max(samples)) / 2), (max(samples) - min(samples)) / 2
    target = 0.005 * spread + 1e-9 * max(map(abs, samples))
    found = norms(expression - middle, axes, box, target, deadline, 0.01)
    low, high = float(middle) - found.sup, float(middle) + found.sup
    with precision(64):
        plain = _plain(expression, axes, box)
    return max(math.nextafter(low, -math.inf), plain[0]), min(math.nextafter(high, math.inf), plain[1])


def _plain(expression: sp.Expr, axes: Sequence[sp.Symbol], box: Box) -> tuple[float, float]:
    """One ball over each smooth piece: wide, but it keeps the sign of x² where that touches 0."""
    values = [Program(piece.expression, axes)(whole_box(piece.box))[0]
              for piece in smooth_pieces(expression, axes, box)]  # fmt: skip
    lows = [0.0 if value.is_finite() and value >= 0 else lowest(value) for value in values]
    return min(lows), max(highest(value) for value in values)


def _samples(expression: sp.Expr, axes: Sequence[sp.Symbol], box: Box) -> list[float]:
    """Values at a few points, for orientation only."""
    found = []
    with precision(64):
        for piece in smooth_pieces(expression, axes, box):
            program = Program(piece.expression, tuple(axes))
            ticks = [[rational(a + (b - a) * sp.Rational(k, 8)) for k in range(9)] for a, b in piece.box]
            if len(axes) > 2:
                ticks = [column[::4] for column in ticks]
            found += [float(v.mid()) for v in program(ticks) if v.is_finite()]
    if not found:
        raise NotEnclosed("a coefficient has no finite value")
    return found
