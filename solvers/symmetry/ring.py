"""The differential ring in which everything is computed: coordinates, parameters, jets and other functions.

Every function that is no polynomial (sin u, u**n, sqrt(1 + u_x**2), 1/x, an arbitrary F(u)) is one more generator,
called a theta, with a derivation rule `d theta = sum_j outer_j d(argument_j)` and, if it is algebraic over the others,
a relation. Inverses are thetas too; they are cleared jointly before anything is compared with zero.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import gcd

import sympy as sp
from sympy.core.function import AppliedUndef

from solvers.symmetry.polynomials import (
    BITS,
    ONE,
    Polynomial,
    accumulate,
    coefficients_in,
    common_monomial,
    constant,
    content,
    derive,
    factors,
    multiply,
    power,
    scale,
    support,
    variable,
)

Index = tuple[int, ...]
Rule = tuple[Callable[[], Polynomial], Polynomial]


class Ring:
    """Generators with their meaning, rules and relations; `expressions[k]` is generator `k` in SymPy.

    Args:
        coordinates: The independent variables.
        fields: The unknowns, applied to the coordinates.
    """

    def __init__(self, coordinates: Sequence[sp.Symbol], fields: Sequence[AppliedUndef]) -> None:
        self.coordinates, self.fields = tuple(coordinates), tuple(fields)
        self.expressions: list[sp.Expr] = []
        self.known: dict[object, int] = {}
        self.jet_index: dict[int, tuple[int, Index]] = {}
        self.rules: dict[int, list[Rule]] = {}
        self.inverted: dict[int, Polynomial] = {}
        self.relations: dict[int, tuple[int, Polynomial]] = {}
        self.circles: dict[int, int] = {}
        self.parameters: list[int] = []
        for symbol in self.coordinates:
            self.generator(symbol, symbol)
        zero = (0,) * len(self.coordinates)
        for number in range(len(self.fields)):
            self.jet(number, zero)
        self.base = tuple(range(len(self.coordinates) + len(self.fields)))

    def generator(self, key: object, expression: sp.Expr) -> int:
        """The generator with this key, made if it is new."""
        if key not in self.known:
            self.known[key] = len(self.expressions)
            self.expressions.append(expression)
        return self.known[key]

    def jet(self, number: int, index: Index) -> int:
        """The derivative of field `number` with orders `index`."""
        key = (number, index)
        if key not in self.known:
            expression = self.fields[number]
            orders = [(s, n) for s, n in zip(self.coordinates, index, strict=True) if n]
            k = self.generator(key, sp.Derivative(expression, *orders) if orders else expression)
            self.jet_index[k] = key
        return self.known[key]

    def parameter(self, expression: sp.Expr) -> Polynomial:
        """A constant that is a generator of its own."""
        k = self.generator(expression, expression)
        if k not in self.parameters:
            self.parameters.append(k)
        return variable(k)

    def theta(self, expression: sp.Expr, rules: list[Rule]) -> int:
        """A function generator with its derivation rule."""
        k = self.generator(expression, expression)
        self.rules.setdefault(k, rules)
        return k

    def root(self, expression: sp.Expr, degree: int, base: Polynomial) -> Polynomial:
        """`expression = base**(1/degree)`, with its relation; `base` must be free of inverses."""
        if expression not in self.known:
            k = self.generator(expression, expression)
            outer = multiply(multiply(variable(k), self.inverse(base)), self.inverse(constant(degree)))
            self.rules[k] = [(lambda: outer, base)]
            self.relations[k] = (degree, base)
        return variable(self.known[expression])

    def circle(self, sine: sp.Expr, cosine: sp.Expr, argument: Polynomial) -> None:
        """Sine and cosine of one argument with S**2 = 1 - C**2."""
        if sine in self.known:
            return
        s, c = self.generator(sine, sine), self.generator(cosine, cosine)
        self.rules[s] = [(lambda: variable(c), argument)]
        self.rules[c] = [(lambda: scale(variable(s), -1), argument)]
        square = scale(variable(c, 2), -1)
        accumulate(square, ONE)
        self.relations[s] = (2, square)
        self.circles[s], self.circles[c] = c, s

    def inverse(self, polynomial: Polynomial) -> Polynomial:
        """One over a polynomial: a product of inverses of its factors."""
        if polynomial in ({0: 1}, {0: -1}):
            return polynomial
        [numerator], denominator = self.cleared([polynomial])
        result = denominator
        number = content([numerator])
        if len(numerator) == 1 and next(iter(numerator.values())) < 0:
            number = -number
        if number != 1:
            result = multiply(result, self._inverse_of(constant(abs(number)), sp.Integer(abs(number))))
            result = scale(result, 1 if number > 0 else -1)
        shared = common_monomial([numerator])
        for k, exponent in factors(shared):
            result = multiply(result, power(self._inverse_of(variable(k), self.expressions[k]), exponent))
        rest = {monomial - shared: c // number for monomial, c in numerator.items()}
        return result if len(rest) == 1 else multiply(result, self._inverse_of_factors(rest))

    def _inverse_of_factors(self, polynomial: Polynomial) -> Polynomial:
        used = sorted(support([polynomial]))
        symbols = [sp.Dummy(f"g{k}") for k in used]
        terms = {tuple(dict(factors(m)).get(k, 0) for k in used): coefficient for m, coefficient in polynomial.items()}
        lead, parts = sp.Poly(terms, *symbols, domain=sp.ZZ).factor_list()
        result = constant(int(lead))
        for part, exponent in parts:
            piece = {
                sum(e << (BITS * k) for e, k in zip(powers, used, strict=True)): int(c) for powers, c in part.terms()
            }
            result = multiply(result, power(self._inverse_of(piece, self.expression(piece)), exponent))
        return result

    def _inverse_of(self, polynomial: Polynomial, expression: sp.Expr) -> Polynomial:
        key = ("inverse", frozenset(polynomial.items()))
        if key not in self.known:
            k = self.generator(key, 1 / expression)
            self.inverted[k] = polynomial
            self.rules[k] = [(lambda: scale(variable(k, 2), -1), polynomial)]
        return variable(self.known[key])

    def cleared(self, polynomials: Sequence[Polynomial]) -> tuple[list[Polynomial], Polynomial]:
        """All multiplied by the smallest common denominator, normalised, and that denominator."""
        result, denominator = [dict(a) for a in polynomials], ONE
        while True:
            present = [k for k in support(result) if k in self.inverted]
            if not present:
                return [self.normal(a) for a in result], denominator
            k = max(present)
            parts = [coefficients_in(a, k) for a in result]
            highest = max(max(p, default=0) for p in parts)
            powers = [power(self.inverted[k], e) for e in range(highest + 1)]
            denominator = multiply(denominator, powers[highest])
            result = []
            for part in parts:
                total: Polynomial = {}
                for exponent, coefficient in part.items():
                    accumulate(total, multiply(coefficient, powers[highest - exponent]))
                result.append(total)

    def normal(self, polynomial: Polynomial) -> Polynomial:
        """Reduce by the relations among the generators."""
        if not self.relations:
            return polynomial
        for k in sorted(self.relations, reverse=True):
            degree, square = self.relations[k]
            parts = coefficients_in(polynomial, k)
            if max(parts, default=0) < degree:
                continue
            total: Polynomial = {}
            for exponent, coefficient in parts.items():
                high, low = divmod(exponent, degree)
                term = multiply(coefficient, multiply(power(square, high), variable(k, low)))
                accumulate(total, term)
            return self.normal(self.cleared([total])[0][0] if support([square]) & set(self.inverted) else total)
        return polynomial

    def is_zero(self, polynomial: Polynomial) -> bool:
        """Is it the zero function?"""
        return not polynomial or not self.cleared([polynomial])[0][0]

    def expression(self, polynomial: Polynomial) -> sp.Expr:
        """The polynomial as a SymPy expression."""
        return sp.Add(
            *(
                sp.Mul(coefficient, *(self.expressions[k] ** e for k, e in factors(monomial)))
                for monomial, coefficient in polynomial.items()
            )
        )

    def depends_on_jets(self, k: int) -> bool:
        """Does generator `k` contain a derivative of a field (not only the fields themselves)?"""
        if k in self.jet_index:
            return any(self.jet_index[k][1])
        return any(self.depends_on_jets(j) for _, argument in self.rules.get(k, ()) for j in support([argument]))

    def base_of(self, k: int) -> set[int]:
        """The coordinates, jets and parameters on which generator `k` depends."""
        if k not in self.rules:
            return {k}
        return set().union(*(self.base_of(j) for _, argument in self.rules[k] for j in support([argument])))

    @property
    def constants(self) -> set[int]:
        """Parameters and everything made of parameters only, for instance their roots."""
        plain = set(self.parameters)
        return plain | {k for k in self.rules if self.base_of(k) <= plain}

    def partial(self, v: int) -> Callable[[int], Polynomial]:
        """The image function of the partial derivative by generator `v` (a coordinate or a jet)."""
        memory: dict[int, Polynomial] = {v: ONE}

        def image(k: int) -> Polynomial:
            if k not in memory:
                total: Polynomial = {}
                for outer, argument in self.rules.get(k, ()):
                    inner = derive(argument, image)
                    if inner:
                        accumulate(total, multiply(outer(), inner))
                memory[k] = total
            return memory[k]

        return image


def primitive(polynomial: Polynomial) -> Polynomial:
    """Divide by the integer content; the sign is that of the largest monomial."""
    if not polynomial:
        return polynomial
    number = content([polynomial])
    if polynomial[max(polynomial)] < 0:
        number = -number
    return {monomial: c // number for monomial, c in polynomial.items()} if number != 1 else polynomial


def integer_gcd(values: Sequence[int]) -> int:
    """Greatest common divisor of integers."""
    return gcd(*values)
