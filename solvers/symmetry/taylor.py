"""Truncated power series in several variables with many digits: derivatives without symbolic work."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from decimal import Decimal, DecimalException
from functools import lru_cache

import mpmath
import sympy as sp

DIGITS = 60

Series = list[Decimal]
Value = Decimal | Series


class SeriesDomainError(ArithmeticError):
    """The expression has no real power series at this point."""


class TaylorRing:
    """Series Σ c_K h^K with |K| ≤ order, as dense lists of Taylor coefficients in graded order.

    The lists of a lower order are prefixes of those of a higher one. Constants may stay plain numbers.

    Args:
        dimension: Number of variables h.
        order: Highest total order that is kept.
    """

    def __init__(self, dimension: int, order: int) -> None:
        """Tabulate the products of monomials."""
        self.order = order
        self.indices = [
            index
            for degree in range(order + 1)
            for index in itertools.product(range(degree, -1, -1), repeat=dimension)
            if sum(index) == degree
        ]
        self.position = {index: k for k, index in enumerate(self.indices)}
        self._rows = [
            [
                (k, self.position[tuple(map(sum, zip(left, right, strict=True)))])
                for k, right in enumerate(self.indices)
                if sum(left) + sum(right) <= order
            ]
            for left in self.indices
        ]

    def constant(self, value: Decimal) -> Series:
        """The series of a constant."""
        return [value] + [Decimal(0)] * (len(self.indices) - 1)

    def variable(self, axis: int, value: Decimal) -> Series:
        """The series `value + h_axis`."""
        series = self.constant(value)
        if self.order:
            series[1 + axis] = Decimal(1)
        return series

    def add(self, a: Value, b: Value) -> Value:
        """Sum."""
        if isinstance(a, Decimal):
            if isinstance(b, Decimal):
                return a + b
            a, b = b, a
        if isinstance(b, Decimal):
            return [a[0] + b, *a[1:]]
        return [p + q for p, q in zip(a, b, strict=True)]

    def multiply(self, a: Value, b: Value) -> Value:
        """Truncated product."""
        if isinstance(a, Decimal):
            return a * b if isinstance(b, Decimal) else [a * q for q in b]
        if isinstance(b, Decimal):
            return [p * b for p in a]
        result = [Decimal(0)] * len(a)
        for p, row in zip(a, self._rows, strict=True):
            if p:
                for k, target in row:
                    result[target] += p * b[k]
        return result

    def compose(self, derivatives: Sequence[Decimal], inner: Series) -> Series:
        """f(inner) from the derivatives of f at the constant term of `inner`."""
        shift = [Decimal(0), *inner[1:]]
        result: Value = derivatives[-1] / math.factorial(len(derivatives) - 1)
        for k in range(len(derivatives) - 2, -1, -1):
            result = self.add(self.multiply(shift, result), derivatives[k] / math.factorial(k))
        return result if isinstance(result, list) else self.constant(result)

    def power(self, base: Value, exponent: Value) -> Value:
        """`base ** exponent`, real branch; constant or series exponent."""
        if isinstance(exponent, list):
            return self.function(sp.exp, [self.multiply(exponent, self.function(sp.log, [base]))])
        start = base if isinstance(base, Decimal) else base[0]
        whole = exponent == exponent.to_integral_value()
        if (not whole and start <= 0) or (exponent < 0 and start == 0):
            raise SeriesDomainError("power of a number without a real value")
        if isinstance(base, Decimal):
            return base ** int(exponent) if whole else base**exponent
        derivatives, factor = [], Decimal(1)
        for k in range(self.order + 1):
            remaining = exponent - k
            # Decimal refuses 0 ** 0; the constant term of a shifted variable is zero.
            value = Decimal(1) if not remaining else start ** int(remaining) if whole and factor else Decimal(0)
            derivatives.append(factor * (value if whole else start**remaining) if factor else Decimal(0))
            factor *= remaining
        return self.compose(derivatives, base)

    def function(self, head: type, arguments: Sequence[Value]) -> Value:
        """A SymPy function of series, by its partial derivatives at the constant terms."""
        starts = [a if isinstance(a, Decimal) else a[0] for a in arguments]
        moving = [k for k, a in enumerate(arguments) if isinstance(a, list)]
        if len(moving) == 1:
            derivatives = _derivatives(head, starts, moving[0], self.order)
            inner = arguments[moving[0]]
            assert isinstance(inner, list)
            return self.compose(derivatives, inner)
        if not moving:
            return _partial(head, starts, (0,) * len(starts))
        return self._several(head, arguments, starts, moving)

    def _several(self, head: type, arguments: Sequence[Value], starts: list[Decimal], moving: list[int]) -> Value:
        total: Value = Decimal(0)
        for orders in TaylorRing(len(moving), self.order).indices:
            full = [0] * len(starts)
            term: Value = Decimal(1)
            for axis, count in zip(moving, orders, strict=True):
                full[axis] = count
                series = arguments[axis]
                assert isinstance(series, list)
                for _ in range(count):
                    term = self.multiply(term, [Decimal(0), *series[1:]])
            weight = _partial(head, starts, tuple(full)) / math.prod(map(math.factorial, orders))
            total = self.add(total, self.multiply(term, weight))
        return total

    def evaluate(self, expression: sp.Expr, values: Mapping[sp.Expr, Value], memo: dict) -> Value:
        """The series of an expression.

        Args:
            expression: SymPy expression whose leaves are numbers and keys of `values`.
            values: Series or constants of the leaves.
            memo: Cache of subexpressions, to be reused with the same `values` only.

        Returns:
            A series, or a number if the expression is constant; `SeriesDomainError` where it is not real.
        """
        known = values.get(expression)
        if known is None:
            known = memo.get(expression)
        if known is not None:
            return known
        result: Value
        if expression.is_Add or expression.is_Mul:
            combine = self.add if expression.is_Add else self.multiply
            result = Decimal(0) if expression.is_Add else Decimal(1)
            for argument in expression.args:
                result = combine(result, self.evaluate(argument, values, memo))
        elif expression.is_Rational:
            result = Decimal(int(expression.p)) / Decimal(int(expression.q))
        elif expression.is_Pow:
            result = self.power(*(self.evaluate(a, values, memo) for a in expression.args))
        elif expression.is_Function:
            result = self.function(expression.func, [self.evaluate(a, values, memo) for a in expression.args])
        else:
            result = decimal(expression)
        memo[expression] = result
        return result


def decimal(number: sp.Expr) -> Decimal:
    """A real SymPy number with all digits.

    Args:
        number: Expression without free symbols.

    Returns:
        Its value.

    Raises:
        SeriesDomainError: If it is not a finite real number.
    """
    value = sp.N(number, DIGITS)
    if not (value.is_Float or value.is_Rational):
        value = sp.re(value) if abs(sp.im(value)) < 10 ** (10 - DIGITS) * (1 + abs(sp.re(value))) else sp.nan
    if not (value.is_Float or value.is_Rational) or not value.is_finite:
        raise SeriesDomainError(f"no finite real value: {number}")
    return Decimal(str(sp.Float(value, DIGITS)))


def _derivatives(head: type, starts: list[Decimal], axis: int, order: int) -> list[Decimal]:
    start = starts[axis]
    if head is sp.exp:
        return [start.exp()] * (order + 1)
    if head is sp.log:
        if start <= 0:
            raise SeriesDomainError("logarithm of a number that is not positive")
        factors = (math.factorial(k - 1) * (-1) ** (k - 1) / start**k for k in range(1, order + 1))
        return [start.ln(), *factors]
    if head in (sp.sin, sp.cos):
        with mpmath.workdps(DIGITS):
            sine, cosine = (Decimal(str(f(mpmath.mpf(str(start))))) for f in (mpmath.sin, mpmath.cos))
        cycle = [sine, cosine, -sine, -cosine]
        return [cycle[(k + (head is sp.cos)) % 4] for k in range(order + 1)]
    orders = [tuple(k if a == axis else 0 for a in range(len(starts))) for k in range(order + 1)]
    return [_partial(head, starts, o) for o in orders]


@lru_cache(maxsize=512)
def _symbolic(head: type, orders: tuple[int, ...]) -> tuple[tuple[sp.Dummy, ...], sp.Expr]:
    symbols = tuple(sp.Dummy(real=True) for _ in orders)
    expression = head(*symbols)
    for symbol, order in zip(symbols, orders, strict=True):
        expression = expression.diff(symbol, order)
    return symbols, expression


def _partial(head: type, starts: list[Decimal], orders: tuple[int, ...]) -> Decimal:
    symbols, expression = _symbolic(head, orders)
    try:
        numbers = [sp.Float(str(value), DIGITS) for value in starts]
        return decimal(expression.xreplace(dict(zip(symbols, numbers, strict=True))).doit())
    except (DecimalException, TypeError) as error:
        raise SeriesDomainError(str(error)) from error
