"""Exact calculus on sums of monomials in coordinates, roots of them, and functions with known derivatives.

A sum is a dictionary {exponents: rational coefficient} over generators: a coordinate (or its square root), a constant
such as √π, a negative power of a sum, a function of the coordinates. Exponents are integers of either sign. Derivatives
follow from those of the generators, so that like terms meet and cancel exactly, which SymPy reaches only by expanding
large sums.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sympy as sp

from solvers.lie.bounds.balls import flint

Exponents = tuple[tuple[int, int], ...]
Sum = dict[Exponents, object]
_LARGEST = 60000


class TooLarge(Exception):
    """The sum has too many monomials to be handled."""


class Monomials:
    """Sums over the generators met so far.

    Args:
        coordinates: The variables.
    """

    def __init__(self, coordinates: Sequence[sp.Symbol]) -> None:
        self.coordinates = tuple(coordinates)
        self.generators: list[sp.Expr] = []
        self._numbers: dict[sp.Expr, int] = {}
        self._derivatives: dict[tuple[int, sp.Symbol], Sum] = {}
        self._roots = dict.fromkeys(self.coordinates, 1)

    def admit_roots(self, expression: sp.Expr) -> None:
        """Use the q-th root of a coordinate as generator where fractional powers of it occur; call this first."""
        for power in expression.atoms(sp.Pow):
            if power.base in self._roots and power.exp.is_Rational:
                self._roots[power.base] = int(sp.ilcm(self._roots[power.base], power.exp.q))

    def _generator(self, node: sp.Expr) -> int:
        if node not in self._numbers:
            self._numbers[node] = len(self.generators)
            self.generators.append(node)
        return self._numbers[node]

    def read(self, expression: sp.Expr) -> Sum:
        """The sum that an expression is.

        Args:
            expression: Any expression; floats count as the binary numbers that they are.

        Returns:
            The sum.
        """
        if expression.is_Rational or expression.is_Float:
            number = sp.Rational(expression)
            return {(): flint.fmpq(int(number.p), int(number.q))} if number else {}
        if expression.is_Add:
            total: Sum = {}
            for argument in expression.args:
                add_to(total, self.read(argument))
            return total
        if expression.is_Mul:
            product: Sum = {(): flint.fmpq(1)}
            for argument in expression.args:
                product = multiply(product, self.read(argument))
            return product
        if isinstance(expression, sp.Pow) and expression.exp.is_Rational:
            return self._power(expression.base, expression.exp)
        if expression in self._roots:
            return self._power(expression, sp.S.One)
        if expression.is_Atom:
            return {((self._generator(expression), 1),): flint.fmpq(1)}
        same = expression.func(*[canonical(argument) for argument in expression.args])
        if same.func != expression.func:
            return self.read(same)
        return {((self._generator(same), 1),): flint.fmpq(1)}

    def _power(self, base: sp.Expr, exponent: sp.Rational) -> Sum:
        if base in self._roots:
            order = self._roots[base]
            root = self._generator(sp.Pow(base, sp.Rational(1, order)))
            return {((root, int(exponent * order)),): flint.fmpq(1)}
        if exponent.is_Integer and exponent > 0 and not base.is_Atom:
            return self._repeated(self.read(base), int(exponent))
        if exponent.is_Integer and exponent < 0 and not base.is_Add and not base.is_Atom:
            inner = self.read(base)
            if len(inner) == 1:
                ((powers, number),) = inner.items()
                inverse: Sum = {tuple((g, -k) for g, k in powers): 1 / number}  # type: ignore[operator]
                return self._repeated(inverse, -int(exponent))
        root = self._generator(sp.Pow(canonical(base), sp.Rational(1, exponent.q), evaluate=exponent.q > 1))
        return {((root, int(exponent.p)),): flint.fmpq(1)}

    def _repeated(self, factor: Sum, times: int) -> Sum:
        result: Sum = {(): flint.fmpq(1)}
        for _ in range(times):
            result = multiply(result, factor)
        return result

    def derivative(self, total: Sum, symbol: sp.Symbol) -> Sum:
        """∂ of a sum.

        Args:
            total: The sum.
            symbol: A coordinate.

        Returns:
            The derivative.
        """
        result: Sum = {}
        for powers, number in total.items():
            for generator, exponent in powers:
                inner = self._generator_derivative(generator, symbol)
                if inner:
                    lowered = _times_power(powers, generator, -1)
                    add_to(result, multiply({lowered: number * exponent}, inner))  # type: ignore[operator]
        return result

    def _generator_derivative(self, generator: int, symbol: sp.Symbol) -> Sum:
        key = (generator, symbol)
        if key not in self._derivatives:
            node = self.generators[generator]
            self._derivatives[key] = self.read(node.diff(symbol)) if symbol in node.free_symbols else {}
        return self._derivatives[key]

    def expression(self, total: Mapping[Exponents, object]) -> sp.Expr:
        """Back to SymPy; numbers like 4 - 39/π² that multiply the same function stand as one factor."""
        groups: dict[Exponents, list[sp.Expr]] = {}
        for powers, number in total.items():
            coefficient = sp.Rational(int(number.p), int(number.q))  # type: ignore[attr-defined]
            fixed = [(g, k) for g, k in powers if not self.generators[g].free_symbols]
            moving = tuple((g, k) for g, k in powers if self.generators[g].free_symbols)
            groups.setdefault(moving, []).append(sp.Mul(coefficient, *[self.generators[g] ** k for g, k in fixed]))
        return sp.Add(*[
            sp.Mul(sp.Add(*numbers), *[self.generators[g] ** k for g, k in moving])
            for moving, numbers in groups.items()
        ])


def canonical(argument: sp.Expr) -> sp.Expr:
    """One form for equal arguments, so that exp((1 - x)²) and exp((x - 1)²) are the same generator.

    Args:
        argument: Argument of a function.

    Returns:
        An equal expression, without floats.
    """
    exact = argument.xreplace({f: sp.Rational(f) for f in argument.atoms(sp.Float)})
    if not exact.free_symbols:
        return exact
    try:
        numerator, denominator = sp.fraction(sp.cancel(exact))
        return sp.factor(numerator) / denominator
    except (sp.PolynomialError, NotImplementedError):
        return sp.expand(exact)


def add_to(total: Sum, other: Mapping[Exponents, object]) -> None:
    """Add a sum to another in place; what cancels disappears."""
    for powers, number in other.items():
        new = total.get(powers, 0) + number  # type: ignore[operator]
        if new == 0:
            total.pop(powers, None)
        else:
            total[powers] = new
    if len(total) > _LARGEST:
        raise TooLarge


def multiply(first: Sum, second: Sum) -> Sum:
    """Product of two sums."""
    result: Sum = {}
    for a, x in first.items():
        part: Sum = {}
        for b, y in second.items():
            powers = a
            for generator, exponent in b:
                powers = _times_power(powers, generator, exponent)
            part[powers] = part.get(powers, 0) + x * y  # type: ignore[operator]
        add_to(result, {powers: number for powers, number in part.items() if number != 0})
    return result


def _times_power(powers: Exponents, generator: int, exponent: int) -> Exponents:
    table = dict(powers)
    table[generator] = table.get(generator, 0) + exponent
    return tuple(sorted((g, k) for g, k in table.items() if k))
