"""Hypotheses on smoothness: where a formula may be differentiated, and where its derivative holds no hidden jump.

A derivative of a formula with branches leaves out what happens at the branch: Piecewise((0, x < c), (1, True)) has the
derivative 0. Bounds that use ∂e need e continuous; a residual that is the classical one needs an approximation that is
smooth in the open domain, without kinks, poles or cuts there. At the boundary, and at the start, it may be singular.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sympy as sp

from solvers.lie.bounds.kinks import Box, analytic_form, decided, deciding_argument
from solvers.lie.bounds.sup import NotEnclosed
from solvers.lie.bounds.zeros import nonzero_inside, vanishes, without_floats

_BRANCHES = (sp.Abs, sp.sign, sp.Heaviside, sp.Max, sp.Min, sp.Piecewise)
_JUMPS = (sp.sign, sp.Heaviside, sp.Piecewise)
_POSITIVE = (sp.log, sp.loggamma, sp.digamma, sp.gamma, sp.bessely, sp.besselk)
_POLES: dict[Any, Any] = {
    sp.tan: sp.cos, sp.sec: sp.cos, sp.cot: sp.sin, sp.csc: sp.sin, sp.coth: sp.sinh, sp.csch: sp.sinh,
    sp.acot: lambda a: a, sp.asin: lambda a: 1 - a**2, sp.acos: lambda a: 1 - a**2, sp.atanh: lambda a: 1 - a**2,
    sp.acosh: lambda a: a - 1,
}  # fmt: skip


def require_smooth(
    expression: sp.Expr,
    domain: Any,
    bounds: Sequence[tuple],
    coordinates: Sequence[sp.Symbol],
    branches: bool = False,
) -> None:
    """The expression must be smooth in the open domain and the open time interval.

    Args:
        expression: An expression of the coordinates.
        domain: Geometry, for points that lie outside a domain that is no box.
        bounds: Rational ends of every coordinate; a box around the domain, and the time interval.
        coordinates: In that order.
        branches: Whether branches are allowed, as their jumps have been dealt with.

    Raises:
        NotEnclosed: If that is not proven.

    Example:
        >>> from sciml import Interval, coordinates
        >>> x, t = coordinates("x t")
        >>> unit = (sp.S.Zero, sp.S.One)
        >>> require_smooth(sp.exp(-(x**2) / t) / sp.sqrt(t), Interval(x, 0, 1), [unit, unit], [x, t])
        >>> require_smooth(sp.Abs(x - sp.Rational(1, 2)), Interval(x, 0, 1), [unit, unit], [x, t])
        Traceback (most recent call last):
        ...
        solvers.lie.bounds.sup.NotEnclosed: the approximation has kinks or jumps inside: its derivatives hide them
    """
    if not branches and has_branches(expression):
        raise NotEnclosed("the approximation has kinks or jumps inside: its derivatives hide them")
    table = dict(zip(coordinates, bounds, strict=True))
    for critical in _critical(expression):
        if not nonzero_inside(critical, domain, table):
            raise NotEnclosed(f"the approximation may be singular inside the domain, where {critical} = 0")


def has_branches(expression: sp.Expr) -> bool:
    """Whether a formula has kinks or jumps."""
    return bool(analytic_form(sp.sympify(expression)).has(*_BRANCHES))


def require_continuous(expression: sp.Expr, axes: Sequence[sp.Symbol], box: Box, what: str) -> None:
    """Branches must meet continuously, so that the derivative of the formula is that of the function.

    Args:
        expression: An expression of the axes, smooth elsewhere.
        axes: Variables.
        box: Rational ends.
        what: What is to be continuous, for the message.

    Raises:
        NotEnclosed: If that is not proven.
    """
    reason = f"{what} may jump inside: no bound is known by its derivative"
    stack = [analytic_form(expression)]
    for _ in range(64):
        if not stack:
            return
        current = stack.pop()
        if not current.has(*_JUMPS):
            table = dict(zip(axes, box, strict=True))
            if any(not nonzero_inside(critical, None, table) for critical in _critical(current)):
                raise NotEnclosed(reason)
            continue
        argument = _jumping_argument(current)
        free = argument.free_symbols
        roots = _roots(argument, *free) if len(free) == 1 else None
        if roots is None:
            raise NotEnclosed(reason)
        (symbol,) = free
        low, high = box[list(axes).index(symbol)]
        sides = [decided(current, argument, sign) for sign in (-1, 1)]
        gap = sides[1] - sides[0]
        for root in roots:
            if low < root < high and not vanishes(gap.xreplace({symbol: root})):
                raise NotEnclosed(reason)
        stack += sides
    raise NotEnclosed(reason)


def travels(expression: sp.Expr, space: sp.Symbol, time: sp.Symbol, speeds: Sequence[sp.Expr], whole: bool) -> bool:
    """Whether every term with branches is a function of x - ct for one of the speeds, so that its jumps move with it.

    Args:
        expression: A sum.
        space: x.
        time: t.
        speeds: c.
        whole: Whether the whole term must be such a function, or its branches alone.

    Returns:
        True where it is so.
    """
    for term in sp.Add.make_args(analytic_form(expression)):
        if not term.has(*_BRANCHES):
            continue
        if not any(_moves(term, space, time, speed, whole) for speed in speeds):
            return False
    return True


def _moves(term: sp.Expr, space: sp.Symbol, time: sp.Symbol, speed: sp.Expr, whole: bool) -> bool:
    moved = term.xreplace({space: space + speed * time})
    nodes = [moved] if whole else [a for node in moved.atoms(*_BRANCHES) for a in _deciders(node)]
    return all(time not in sp.expand(node).free_symbols or time not in sp.simplify(node).free_symbols for node in nodes)


def _deciders(node: sp.Basic) -> list[sp.Expr]:
    if isinstance(node, sp.Piecewise):
        relations = [r for _, c in node.args for r in c.atoms(sp.core.relational.Relational)]
        return [r.lhs - r.rhs for r in relations]
    if isinstance(node, (sp.Max, sp.Min)):
        return [a - node.args[0] for a in node.args[1:]]
    return [node.args[0]]


def _jumping_argument(expression: sp.Expr) -> sp.Expr:
    """What decides the innermost branch within the jumping ones."""
    node = next(n for n in sp.postorder_traversal(expression) if isinstance(n, _JUMPS))
    argument = deciding_argument(node)
    assert argument is not None
    return argument


def _roots(argument: sp.Expr, symbol: sp.Symbol) -> list[sp.Expr] | None:
    """Real roots of a polynomial with rational coefficients; None for other functions."""
    try:
        polynomial = sp.Poly(without_floats(argument), symbol)
    except sp.PolynomialError:
        return None
    return sp.real_roots(polynomial) if polynomial.domain.is_QQ or polynomial.domain.is_ZZ else None


def _critical(expression: sp.Expr) -> Iterator[sp.Expr]:
    """Expressions that must not vanish, or must stay positive, for the formula to be smooth."""
    seen = set()
    for node in sp.preorder_traversal(expression):
        found = None
        if isinstance(node, sp.Pow) and node.base.free_symbols and not (node.exp.is_Integer and node.exp >= 0):
            found = node.base
        elif isinstance(node, _POSITIVE):
            found = node.args[-1] if not isinstance(node, sp.log) else node.args[0]
        elif isinstance(node, (sp.besselj, sp.besseli)) and not node.args[0].is_Integer:
            found = node.args[1]
        elif isinstance(node, sp.atan2):
            found = node  # the cut
        elif node.func in _POLES:
            found = _POLES[node.func](node.args[0])
        if found is not None and found.free_symbols and found not in seen:
            seen.add(found)
            yield found
