r"""Rounding of the float64 evaluation that a user sees: a running error analysis on boxes.

Every step of the straight-line program carries |computed - exact| <= error, and also a relative error, which survives
where values are unbounded (1/√t at t = 0). A sum of n terms in any order costs (n-1) u Σ|terms|, a product of n
factors (n-1) u |product| (Higham 2002, Accuracy and Stability of Numerical Algorithms, sections 3.1 and 4.2); an
elementary function is taken to be good to 2 units in the last place, a special one to 8. Errors of arguments are
multiplied by the derivative over the box.
"""

from __future__ import annotations

import functools
import heapq
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import sympy as sp

from sciml.errors import UnsupportedFunctionError
from solvers.lie.bounds.balls import Ball, flint, hull, lower, precision, rational, upper
from solvers.lie.bounds.kinks import Box, smooth_pieces
from solvers.lie.bounds.program import Program, spread
from solvers.lie.bounds.sup import Deadline, NotEnclosed
from solvers.lie.bounds.tails import Tail

UNIT = 2.0**-53
_SPECIAL = (sp.besselj, sp.bessely, sp.besseli, sp.besselk, sp.airyai, sp.airybi, sp.gamma, sp.loggamma, sp.erfi)
_TAIL_SENSITIVITY = {sp.erf: 0.5, sp.erfc: 0.5, sp.exp: 0.5, sp.tanh: 0.5, sp.atan: 0.5}
"""sup |z f'(z)| over the half-lines where f is bounded, for all but exp over all reals."""
_DEPTH = 14
_CUTS = 600
_CELLS = {1: 24, 2: 12, 3: 5, 4: 3}


@dataclass(frozen=True)
class Rounded:
    """A value with what the computed one may be off by."""

    value: Ball
    absolute: float
    relative: float

    @property
    def error(self) -> float:
        """The better of both."""
        if self.relative == 0:
            return 0.0
        size = math.inf if isinstance(self.value, Tail) else upper(self.value)
        return min(self.absolute, self.relative * size)

    @property
    def size(self) -> float:
        """Bound of the modulus."""
        return math.inf if isinstance(self.value, Tail) else upper(self.value)

    @property
    def rate(self) -> float:
        """The better relative error."""
        if self.absolute == 0:
            return 0.0
        least = lower(self.value.low) if isinstance(self.value, Tail) else lower(self.value)
        return min(self.relative, self.absolute / least if least > 0 else math.inf)


def rounding_error(
    expression: sp.Expr, axes: Sequence[sp.Symbol], box: Box, deadline: Deadline | None = None
) -> tuple[float, list[Box]]:
    """Bound of |computed - exact| over a box, for evaluation in float64 at float64 points.

    Args:
        expression: What is evaluated.
        axes: Variables.
        box: Rational ends.
        deadline: When to give up.

    Returns:
        The bound, and the tiny boxes around singular points (erf(x/√t) at the origin) for which it does not hold.

    Raises:
        NotEnclosed: If no finite one is found.
    """
    deadline, worst = deadline or Deadline(), 0.0
    left: list[Box] = []
    try:
        with precision(53):
            for piece in smooth_pieces(expression, axes, box):
                program = Program(piece.expression, axes)
                found, rest = _over(program, piece.box, deadline)
                worst, left = max(worst, found), left + rest
    except UnsupportedFunctionError as error:
        raise NotEnclosed(str(error).replace("\n  ", "; ")) from error
    return worst, left


def _over(program: Program, box: Box, deadline: Deadline) -> tuple[float, list[Box]]:
    """Tensor cells first; those that give the largest error, or none, are cut as long as that helps."""
    found = _cells(program, box, _CELLS[len(box)], 0)
    reached = _at_centres(program, box, _CELLS[len(box)])
    left: list[Box] = []
    heap = [(-error, number, cell, depth) for number, (error, cell, depth) in enumerate(found)]
    heapq.heapify(heap)
    for number in range(len(found), len(found) + _CUTS):
        deadline.check("rounding")
        worst, _, cell, depth = heap[0]
        if not math.isinf(worst) and (depth >= _DEPTH or -worst <= 1.2 * reached):
            break
        if depth >= _DEPTH:
            heapq.heappop(heap)
            left.append(cell)
            continue
        parts = _cells(program, cell, 2, depth + 1)
        if max(error for error, _, _ in parts) > -0.9 * worst and not math.isinf(worst):
            break
        heapq.heappop(heap)
        for k, (error, part, level) in enumerate(parts):
            heapq.heappush(heap, (-error, number * 64 + k, part, level))
    if math.isinf(heap[0][0]):
        raise NotEnclosed("the rounding errors of the approximation could not be bounded near a singularity")
    return -heap[0][0], left


def _at_centres(program: Program, box: Box, count: int) -> float:
    """The largest error at the centres of the cells: a bound over the cells cannot be smaller."""
    grid = [[rational(low + (high - low) * sp.Rational(2 * k + 1, 2 * count)) for k in range(count)]
            for low, high in box]  # fmt: skip
    return max((r.error for r in _run(program, grid) if math.isfinite(r.error)), default=0.0)


def _cells(program: Program, box: Box, count: int, depth: int) -> list[tuple[float, Box, int]]:
    """Error of every cell of a tensor grid of cells."""
    ends = [[(low + (high - low) * sp.Rational(k, count), low + (high - low) * sp.Rational(k + 1, count))
             for k in range(count)] for low, high in box]  # fmt: skip
    grid = [[hull(rational(low), rational(high)) for low, high in column] for column in ends]
    results = _run(program, grid)
    errors = [r.error if not math.isnan(r.error) else math.inf for r in results]
    return [(e, cell, depth) for e, cell in zip(errors, itertools.product(*ends), strict=True)]


def _run(program: Program, grid: Sequence[Sequence[Ball]]) -> list[Rounded]:
    shape = [len(values) for values in grid]
    state: list[list[Rounded]] = []
    for (kind, detail, slots, axes), node in zip(program.steps, program.nodes, strict=True):
        if kind == "axis":
            values = [Rounded(v, 0.0, 0.0) for v in grid[detail]]
        elif kind == "number":
            values = [_number(node)]
        else:
            columns = [spread(state[s], program.steps[s][3], axes, shape) for s in slots]
            rows = zip(*columns, strict=True)
            if kind == "call":
                values = [_call(node, detail, row) for row in rows]
            else:
                values = [_sum(row) if kind == "sum" else _product(row) for row in rows]
        state.append(values)
    return spread(state[program.output], program.steps[program.output][3], tuple(range(len(shape))), shape)


def _number(node: sp.Basic) -> Rounded:
    value = Program(node, ())([])[0]
    exact = (node.is_Integer and abs(int(node)) < 2**53) or (
        (node.is_Rational or node.is_Float) and sp.Rational(float(node)) == sp.Rational(node)
    )
    return Rounded(value, 0.0, 0.0) if exact else Rounded(value, UNIT * upper(value), UNIT)


def _sum(terms: Sequence[Rounded]) -> Rounded:
    total = functools.reduce(lambda a, b: a + b, [term.value for term in terms])
    if isinstance(total, Tail):
        return Rounded(total, math.inf, _tail_rate(terms, lower(total.low)))
    if len(terms) == 2:  # one addition: relative to its result
        loss = terms[0].error + terms[1].error
        absolute = loss + UNIT * (upper(total) + loss)
        return Rounded(total, absolute, UNIT if loss == 0 else math.inf)
    size = sum(term.size + term.error for term in terms)
    absolute = sum(term.error for term in terms) + (len(terms) - 1) * UNIT * size
    return Rounded(total, absolute, math.inf)


def _tail_rate(terms: Sequence[Rounded], least: float) -> float:
    """Relative error of a sum of tails T and bounded b: |ΣT| <= |sum| + |Σb|, and |sum| >= least."""
    if least <= 0:
        return math.inf
    tails = [term for term in terms if isinstance(term.value, Tail)]
    others = [term for term in terms if not isinstance(term.value, Tail)]
    bounded, absolute = sum(t.size for t in others), sum(t.error for t in others)
    rate = max(term.rate for term in tails) + len(terms) * UNIT
    return rate * (1 + 2 * bounded / least) * (1 + 1e-6) + absolute / least


def _product(factors: Sequence[Rounded]) -> Rounded:
    total = functools.reduce(lambda a, b: a * b, [factor.value for factor in factors])
    count = max(sum(not _power_of_two(factor) for factor in factors) - 1, 0)
    relative = sum(factor.rate for factor in factors) * (1 + 1e-6) + count * UNIT * (1 + 1e-6)
    absolute, size = 0.0, 1.0
    for factor in factors:  # (s + a)(f + e) - s f = a f + (s + a) e
        absolute = absolute * factor.size + (size + absolute) * factor.error if size < math.inf else math.inf
        size *= factor.size
    absolute = absolute + count * UNIT * (size + absolute)
    return Rounded(total, absolute if absolute == absolute else math.inf, relative if relative < 1e-3 else math.inf)


def _power_of_two(factor: Rounded) -> bool:
    """Multiplication by it is exact."""
    value = factor.value
    return bool(
        factor.absolute == 0
        and isinstance(value, flint.arb)
        and value.is_exact()
        and value != 0
        and math.frexp(abs(float(value)))[0] <= 0.5  # the mantissa is in [1/2, 1)
        and flint.arb(float(value)) == value
    )


def _call(node: sp.Basic, function: object, arguments: Sequence[Rounded]) -> Rounded:
    value = function(*[argument.value for argument in arguments])  # type: ignore[operator]
    special = isinstance(node, _SPECIAL)
    size = math.inf if isinstance(value, Tail) else upper(value)
    own = 16 * UNIT * max(size, 1.0) if special else 4 * UNIT * size
    rate = 4 * UNIT if not special else math.inf
    unknown = len(arguments) == 1 and not isinstance(node, sp.Pow) and not _known(arguments[0].value, node)
    if unknown:
        return Rounded(value, own + _TAIL_SENSITIVITY.get(type(node), math.inf) * arguments[0].rate, math.inf)
    if isinstance(node, sp.Pow) and node.exp.is_number:
        base = arguments[0]
        rate = abs(float(node.exp)) * base.rate * (1 + 1e-6) + 4 * UNIT
        if isinstance(base.value, Tail) or isinstance(value, Tail):
            return Rounded(value, math.inf, rate)
        if node.exp == sp.S.Half and base.error and not math.isfinite(_slope(node, 0, arguments)):
            return Rounded(value, own + math.sqrt(base.error), rate)  # |√(x+δ) - √x| <= √δ
        propagated = _slope(node, 0, arguments) * base.error if base.error else 0.0
        return Rounded(value, own + propagated, rate)
    total = own
    for i, argument in enumerate(arguments):
        if argument.error:
            total += _slope(node, i, arguments) * argument.error
    return Rounded(value, total, math.inf if any(a.error for a in arguments) else rate)


def _known(value: Ball, node: sp.Basic) -> bool:
    """Whether the derivative over the argument can be used: not over half-lines or where nothing is known."""
    return not isinstance(value, Tail) and (value.is_finite() or isinstance(node, sp.exp))


def _slope(node: sp.Basic, index: int, arguments: Sequence[Rounded]) -> float:
    """Bound of |∂f/∂argument| over everything the computed arguments can be."""
    program = _derivative(node.func, tuple(a for a in node.args if _fixed(node, a)), len(arguments), index)
    balls = [a.value + flint.arb(0, a.error) for a in arguments]
    return upper(program([[ball] for ball in balls])[0])


def _fixed(node: sp.Basic, argument: sp.Expr) -> bool:
    """Arguments that are part of the function: the order of a Bessel function, a numeric exponent."""
    if isinstance(node, sp.Pow):
        return argument is node.exp and node.exp.is_number
    return isinstance(node, (sp.besselj, sp.bessely, sp.besseli, sp.besselk)) and argument is node.args[0]


@functools.lru_cache(maxsize=512)
def _derivative(head: type, fixed: tuple[sp.Expr, ...], count: int, index: int) -> Program:
    dummies = sp.symbols(f"z:{count}", real=True)
    expression = head(*dummies, *fixed) if issubclass(head, sp.Pow) else head(*fixed, *dummies)
    return Program(expression.diff(dummies[index]), dummies)
