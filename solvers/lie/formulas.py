"""Formulas of many terms, put together without bringing them to SymPy's canonical form."""

from __future__ import annotations

from collections.abc import Iterable

import sympy as sp

_LONG = 10**4  # denominators above stand for floats


def long_sum(parts: Iterable[sp.Expr]) -> sp.Expr:
    """Σ of distinct terms in the order given; `sympy.Add` compares and sorts them, minutes for thousands.

    Args:
        parts: Terms that neither cancel nor merge.

    Returns:
        The sum.

    Example:
        >>> x = sp.Symbol("x")
        >>> long_sum([x**2, sp.S.Zero, x, sp.S.One])
        x**2 + x + 1
    """
    return sp.Add(*(part for part in parts if part), evaluate=False)


def long_product(*factors: sp.Expr) -> sp.Expr:
    """Π of factors, numbers merged and in front, nothing multiplied out.

    Args:
        factors: Factors; products among them are flattened.

    Returns:
        The product.

    Example:
        >>> x = sp.Symbol("x")
        >>> long_product(sp.Integer(2), sp.cos(x), 3 * x)
        6*x*cos(x)
    """
    flat = [part for factor in factors for part in sp.Mul.make_args(factor)]
    number = sp.Mul(*[part for part in flat if part.is_Number])
    rest = [part for part in flat if not part.is_Number]
    return number if number.is_zero else sp.Mul(*([] if number == 1 else [number]), *rest, evaluate=False)


def readable(expression: sp.Expr) -> sp.Expr:
    """Long fractions, which stand for floats exactly, as floats; sums and functions keep their form.

    Args:
        expression: Any expression.

    Returns:
        The same with floats.

    Example:
        >>> x = sp.Symbol("x")
        >>> readable(sp.exp(-sp.Rational(123457, 100000) * x) + x / 3)
        x/3 + exp(-1.23457*x)
    """
    floats = {q: sp.Float(q) for q in expression.atoms(sp.Rational) if q.q > _LONG}
    return _replaced(expression, floats) if floats else expression


def _replaced(expression: sp.Expr, known: dict[sp.Expr, sp.Expr]) -> sp.Expr:
    """`xreplace` that evaluates only constants and powers; what is met again is taken from `known`."""
    if expression not in known:
        parts = [_replaced(part, known) for part in expression.args]
        if all(new is old for new, old in zip(parts, expression.args, strict=True)):
            known[expression] = expression
        elif not expression.free_symbols:
            known[expression] = expression.func(*parts)
        elif isinstance(expression, sp.Mul):
            known[expression] = long_product(*parts)
        elif isinstance(expression, sp.Add | sp.Function):
            known[expression] = expression.func(*parts, evaluate=False)
        else:
            known[expression] = expression.func(*parts)
    return known[expression]
