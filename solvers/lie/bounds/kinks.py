"""Kinks and jumps: an expression with Abs, Max, Heaviside, Piecewise, ... becomes smooth pieces.

A piece is a box on which every such function has chosen its branch. Roots of the deciding arguments are found
exactly where they are rational; an irrational root is enclosed in a tiny box that counts for both branches. Values at
an isolated point do not matter: they are one-sided limits.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import sympy as sp

from sciml.errors import UnsupportedFunctionError
from solvers.lie.bounds.balls import flint, hull, rational
from solvers.lie.bounds.program import Program

Box = tuple[tuple[sp.Rational, sp.Rational], ...]
_TINY = sp.Rational(1, 2**40)
_HEADS = (sp.Abs, sp.sign, sp.Heaviside, sp.Max, sp.Min, sp.Piecewise)
_LIMIT = 4000


def analytic_form(expression: sp.Expr) -> sp.Expr:
    """atan2 by atan; re, im, conjugate and |.| of complex arguments by the reflected expression, which is analytic.

    For real variables conj f(s) = f̄(s), where f̄ has -i for i; off the cuts this holds for every function here.

    Args:
        expression: Any expression.

    Returns:
        An equal one for real variables.
    """
    expression = expression.replace(sp.atan2, _along_ray)
    # atan2(y, x) = 2 atan(y/(√(x² + y²) + x)) is analytic off the negative x axis
    expression = expression.replace(sp.atan2, lambda y, x: 2 * sp.atan(y / (sp.sqrt(x**2 + y**2) + x)))
    if not expression.has(sp.I, sp.re, sp.im, sp.conjugate):
        return expression

    def mirror(inner: sp.Expr) -> sp.Expr:
        return inner.xreplace({sp.I: -sp.I})

    expression = expression.replace(sp.re, lambda a: (a + mirror(a)) / 2)
    expression = expression.replace(sp.im, lambda a: (a - mirror(a)) / (2 * sp.I))
    expression = expression.replace(sp.conjugate, mirror)
    return expression.replace(lambda e: isinstance(e, sp.Abs) and e.has(sp.I),
                              lambda e: sp.sqrt(e.args[0] * mirror(e.args[0])))  # fmt: skip


def _along_ray(y: sp.Expr, x: sp.Expr) -> sp.Expr:
    """atan2(as, bs) with numbers a and b is constant on either side of s = 0."""
    ratio = sp.cancel(y / x) if x != 0 and y != 0 else sp.nan
    if not (ratio.is_number and ratio.is_finite and x.free_symbols):
        return sp.atan2(y, x)
    here, there = sp.atan2(ratio, 1), sp.atan2(-ratio, -1)
    return here * (1 + sp.sign(x)) / 2 + there * (1 - sp.sign(x)) / 2


def deciding_argument(expression: sp.Expr) -> sp.Expr | None:
    """The expression whose sign decides an innermost branch, or None where there is no branch."""
    for node in sp.postorder_traversal(expression):
        if isinstance(node, (sp.floor, sp.ceiling, sp.frac, sp.Mod)):
            raise UnsupportedFunctionError("a function whose values can be enclosed", type(node).__name__, "")
        if isinstance(node, _HEADS):
            return _argument(node)
    return None


def _argument(node: sp.Basic) -> sp.Expr:
    if isinstance(node, (sp.Abs, sp.sign, sp.Heaviside)):
        return node.args[0]
    if isinstance(node, (sp.Max, sp.Min)):
        return node.args[0] - node.args[1]
    return _relation(node).lhs - _relation(node).rhs


def _relation(node: sp.Basic) -> sp.Basic:
    for condition in [condition for _, condition in node.args]:
        found = sorted(condition.atoms(sp.core.relational.Relational), key=sp.default_sort_key)
        if found:
            return found[0]
    raise UnsupportedFunctionError("a Piecewise with conditions that compare expressions", str(node), "")


def decided(expression: sp.Expr, argument: sp.Expr, sign: int) -> sp.Expr:
    """The expression where the argument has that sign.

    Args:
        expression: Expression with branches.
        argument: From `deciding_argument`.
        sign: 1 or -1.

    Returns:
        The expression with every branch taken that hangs on the argument.
    """

    def choose(node: sp.Basic) -> sp.Basic:
        if not isinstance(node, _HEADS):
            return node
        own = _argument(node)
        if own != argument and own != -argument:
            return node
        side = sign if own == argument else -sign
        if isinstance(node, sp.Abs):
            return side * own
        if isinstance(node, sp.sign):
            return sp.Integer(side)
        if isinstance(node, sp.Heaviside):
            return sp.Integer((side + 1) // 2)
        if isinstance(node, (sp.Max, sp.Min)):
            keep = 0 if (side > 0) == isinstance(node, sp.Max) else 1
            return node.func(node.args[keep], *node.args[2:])
        relation = _relation(node)
        truth = {sp.Gt: side > 0, sp.Ge: side > 0, sp.Lt: side < 0, sp.Le: side < 0, sp.Ne: True, sp.Eq: False}
        return node.xreplace({relation: sp.true if truth[relation.func] else sp.false})

    return _bottom_up(expression, choose)


def _bottom_up(expression: sp.Basic, function: object) -> sp.Basic:
    if expression.args and expression.has(*_HEADS):
        arguments = [_bottom_up(argument, function) if isinstance(argument, sp.Basic) else argument
                     for argument in expression.args]  # fmt: skip
        expression = expression.func(*arguments) if arguments != list(expression.args) else expression
    return function(expression)  # type: ignore[operator]


class Piece(NamedTuple):
    """A smooth piece.

    Attributes:
        expression: Free of branches; its values count on the box.
        box: Where.
        origin: None, or the expression with the branch that could not be decided here: then the piece stands for one
            of the branches, and smaller boxes may decide.
    """

    expression: sp.Expr
    box: Box
    origin: sp.Expr | None = None


def smooth_pieces(expression: sp.Expr, axes: Sequence[sp.Symbol], box: Box, cuts: int = 8) -> Iterator[Piece]:
    """Boxes with an expression free of branches; together they cover the box.

    Args:
        expression: Any expression of the axes.
        axes: Variables.
        box: Rational ends per axis.
        cuts: Into how many parts an axis is cut where a branch hangs on several variables.

    Yields:
        The pieces.

    Raises:
        UnsupportedFunctionError: If the branches cannot be told apart in a reasonable number of boxes.
    """
    stack: list[Piece] = [Piece(analytic_form(expression), tuple(box))]
    count = 0
    while stack:
        count += 1
        if count > _LIMIT:
            raise UnsupportedFunctionError("kinks that can be located", str(expression)[:120], "")
        current, here, origin = stack.pop()
        argument = deciding_argument(current)
        if argument is None:
            yield Piece(current, here, origin)
            continue
        free = [i for i, s in enumerate(axes) if s in argument.free_symbols]
        if len(free) == 1:
            (axis,) = free
            for low, high, signs in _split_axis(argument, axes[axis], *here[axis]):
                part = (*here[:axis], (low, high), *here[axis + 1 :])
                stack += [Piece(decided(current, argument, sign), part, origin) for sign in signs]
            continue
        sign = _sign(Program(argument, axes), here)
        widest = max(free, key=lambda i: here[i][1] - here[i][0], default=None)
        if sign:
            stack.append(Piece(decided(current, argument, sign), here, origin))
        elif widest is not None and _fraction(here, box, widest) > sp.Rational(1, cuts):
            stack += [Piece(current, half, origin) for half in halves(here, widest)]
        else:
            stack += [Piece(decided(current, argument, sign), here, origin or current) for sign in (1, -1)]


def halves(box: Box, axis: int) -> list[Box]:
    """A box cut in two."""
    low, high = box[axis]
    middle = (low + high) / 2
    return [(*box[:axis], part, *box[axis + 1 :]) for part in ((low, middle), (middle, high))]


def _fraction(box: Box, whole: Box, axis: int) -> sp.Rational:
    return (box[axis][1] - box[axis][0]) / (whole[axis][1] - whole[axis][0])


def _sign(program: Program, box: Box) -> int:
    value = program([[hull(rational(low), rational(high))] for low, high in box])[0]
    return 1 if value > 0 else -1 if value < 0 else 0


def _split_axis(
    argument: sp.Expr, symbol: sp.Symbol, low: sp.Rational, high: sp.Rational
) -> list[tuple[sp.Rational, sp.Rational, tuple[int, ...]]]:
    """Intervals with the possible signs of an argument of one variable."""
    roots = _rational_roots(argument, symbol)
    program = Program(argument, (symbol,))
    if roots is not None:
        ends = [low, *sorted(r for r in roots if low < r < high), high]
        result: list[tuple[sp.Rational, sp.Rational, tuple[int, ...]]] = []
        for a, b in itertools.pairwise(ends):
            value = program([[rational((a + b) / 2)]])[0]
            result.append((a, b, (1,) if value > 0 else (-1,) if value < 0 else (1, -1)))
        return result
    return _bisected(program, low, high)


def _rational_roots(argument: sp.Expr, symbol: sp.Symbol) -> list[sp.Rational] | None:
    """All real roots of a polynomial, if they are rational; else None."""
    exact = argument.xreplace({f: sp.Rational(f) for f in argument.atoms(sp.Float)})
    try:
        polynomial = sp.Poly(exact, symbol)
        if not polynomial.domain.is_QQ and not polynomial.domain.is_ZZ:
            return None
        roots = sp.real_roots(polynomial, multiple=True) if polynomial.degree() > 0 else []
    except (sp.PolynomialError, NotImplementedError):
        return None
    return sorted(set(roots)) if all(root.is_Rational for root in roots) else None


def _bisected(
    program: Program, low: sp.Rational, high: sp.Rational
) -> list[tuple[sp.Rational, sp.Rational, tuple[int, ...]]]:
    """Bisection until the sign is certain or the interval is tiny; neighbours of one sign are joined."""
    tiny, stack = (high - low) * _TINY, [(low, high)]
    found: list[tuple[sp.Rational, sp.Rational, tuple[int, ...]]] = []
    while stack:
        a, b = stack.pop()
        sign = _sign(program, ((a, b),))
        if sign or b - a <= tiny:
            signs: tuple[int, ...] = (sign,) if sign else (1, -1)
            if found and found[-1][2] == signs:
                found[-1] = (found[-1][0], b, signs)
            else:
                found.append((a, b, signs))
        else:
            stack += [((a + b) / 2, b), (a, (a + b) / 2)]
        if len(found) + len(stack) > _LIMIT:
            raise UnsupportedFunctionError("kinks that can be located", str(program.axes), "")
    return found


def whole_box(ends: Sequence[tuple[sp.Rational, sp.Rational]]) -> list[list[flint.arb]]:
    """The box as one ball per axis, for `Program`."""
    return [[hull(rational(low), rational(high))] for low, high in ends]
