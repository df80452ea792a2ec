"""The value of an expression at the start, as a limit from later times; and exponentials in one piece."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import sympy as sp

from solvers.lie.bounds.sup import NotEnclosed

_LIMITS: dict[Any, Callable[[sp.Expr], sp.Expr]] = {
    sp.erf: sp.sign,
    sp.erfc: lambda b: 1 - sp.sign(b),
    sp.tanh: sp.sign,
    sp.atan: lambda b: sp.pi * sp.sign(b) / 2,
}
_SINGULAR = (sp.zoo, sp.nan, sp.oo, -sp.oo)
Sign = Callable[[sp.Expr], int]


def joined_exponentials(expression: Any) -> Any:
    """Products of exponentials, and arguments of erf and the like, in one piece.

    exp(-25/(4t)) exp(5x/(2t)) exp(-x²/(4t)) becomes exp(-(x-5)²/(4t)): balls around the factors may be unbounded where
    the product is small.

    Args:
        expression: Any expression.

    Returns:
        An equal expression.
    """

    def join(node: Any) -> Any:
        exponents = [f.args[0] for f in node.args if isinstance(f, sp.exp)]
        if len(exponents) < 2:
            return node
        rest = [f for f in node.args if not isinstance(f, sp.exp)]
        return sp.Mul(*rest, _factored_exponential(sp.Add(*exponents)))

    if expression.has(sp.exp):
        expression = expression.replace(lambda e: isinstance(e, sp.Mul), join)
    return expression.replace(_has_sum_in_it, _joined_argument)


def _has_sum_in_it(node: Any) -> bool:
    return type(node) in _LIMITS and bool(node.args[0].is_Add)


@functools.lru_cache(maxsize=4096)
def _joined_argument(node: Any) -> Any:
    """erf(x/(2√t) - 2/√t) as erf((x - 4)/(2√t)): the parts are unbounded with opposite signs."""
    exact = node.args[0].xreplace({f: sp.Rational(f) for f in node.args[0].atoms(sp.Float)})
    numerator, denominator = sp.fraction(sp.together(exact))
    return node.func(sp.expand(numerator) / denominator) if denominator.free_symbols else node


@functools.lru_cache(maxsize=4096)
def _factored_exponential(exponent: sp.Expr) -> sp.Expr:
    exact = exponent.xreplace({f: sp.Rational(f) for f in exponent.atoms(sp.Float)})
    numerator, denominator = sp.fraction(sp.together(exact))
    if not denominator.free_symbols:
        return sp.exp(exponent)
    try:
        return sp.exp(sp.factor(numerator) / denominator)
    except (sp.PolynomialError, NotImplementedError):
        return sp.exp(exact)


def at_start(expression: sp.Expr, time: sp.Symbol, start: sp.Expr, sign: Sign = lambda b: 1) -> sp.Expr:
    """The limit of f(x, t) for t to t0 from above, almost everywhere in x.

    erf(b/√t) becomes sign(b); t^p exp(b/t) becomes 0 where b < 0, and for p >= 0 also where b <= 0.

    Args:
        expression: f.
        time: t.
        start: t0.
        sign: -1 where an expression of the space coordinates is negative on the whole domain, 0 where it is not
            positive, else 1.

    Returns:
        An expression of the space coordinates.

    Raises:
        NotEnclosed: If the limit is not of these kinds.
    """
    direct = expression.xreplace({time: start})
    if not direct.has(*_SINGULAR):
        return direct
    root = sp.Dummy("root", positive=True)
    value = _limit(joined_exponentials(expression).xreplace({time: start + root**2}), root, sign)
    if value.has(*_SINGULAR):
        raise NotEnclosed(f"the approximation has no value at {time} = {start} that could be found")
    return value


def _limit(node: sp.Expr, root: sp.Symbol, sign: Sign) -> sp.Expr:
    direct = node.xreplace({root: sp.S.Zero})
    if not direct.has(*_SINGULAR):
        return direct
    if node.is_Add:
        return sp.Add(*[_limit(argument, root, sign) for argument in node.args])
    if node.is_Mul:
        return _product_limit(node, root, sign)
    if type(node) in _LIMITS or isinstance(node, sp.exp):
        coefficient, power = _leading(node.args[0], root)
        if power >= 0 or coefficient.has(*_SINGULAR):
            return sp.nan
        if not isinstance(node, sp.exp):
            return _LIMITS[type(node)](coefficient)
        return sp.S.Zero if sign(coefficient) <= 0 else sp.nan
    return sp.nan


def _product_limit(node: sp.Expr, root: sp.Symbol, sign: Sign) -> sp.Expr:
    power, small, others = sp.S.Zero, None, []
    for factor in node.args:
        base, exponent = factor.as_base_exp()
        if base == root and exponent.is_Rational:
            power += exponent
        elif isinstance(factor, sp.exp) and factor.xreplace({root: sp.S.Zero}).has(*_SINGULAR):
            coefficient, order = _leading(factor.args[0], root)
            if order < 0 and small is None:
                small = sign(coefficient)
            else:
                return sp.nan
        else:
            others.append(_limit(factor, root, sign))
    rest = sp.Mul(*others)
    if small is not None:
        vanishes = small < 0 or (small == 0 and power >= 0)
        return sp.S.Zero if vanishes and not rest.has(*_SINGULAR) else sp.nan
    return rest if power == 0 else sp.S.Zero if power > 0 else sp.nan


def _leading(argument: sp.Expr, root: sp.Symbol) -> tuple[sp.Expr, int]:
    """c, k with argument ~ c root^k."""
    numerator, denominator = sp.fraction(sp.together(argument))
    try:
        top, bottom = sp.Poly(numerator, root), sp.Poly(denominator, root)
    except sp.PolynomialError:
        return sp.nan, 0
    (above,), first = top.terms()[-1]
    (below,), second = bottom.terms()[-1]
    return first / second, above - below
