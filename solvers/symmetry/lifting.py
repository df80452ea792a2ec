"""From modular vectors and values back to rational numbers and rational functions of the parameters."""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt, lcm

import sympy as sp
from sympy.polys.matrices import DomainMatrix

from solvers.symmetry.echelon import Echelon, Row
from solvers.symmetry.points import Point
from solvers.symmetry.polynomials import Polynomial, constant, factors, support
from solvers.symmetry.ring import Ring


def rational(value: int, prime: int) -> tuple[int, int] | None:
    """The fraction n/d with small n and d that equals `value` modulo `prime`, or None."""
    bound = isqrt(prime // 2)
    a, b, s, t = prime, value % prime, 0, 1
    while b > bound:
        q = a // b
        a, b, s, t = b, a - q * b, t, s - q * t
    if not t or abs(t) > bound:
        return None
    return (b, t) if t > 0 else (-b, -t)


def lift_vector(
    ring: Ring, rows: Sequence[dict[int, Polynomial]], modular: Sequence[Row], vector: Row, point: Point
) -> dict[int, Polynomial] | None:
    """A null vector modulo a prime as an exact one, with polynomials in the parameters as entries.

    Args:
        ring: The ring of the entries.
        rows: The matrix.
        modular: The matrix at the point.
        vector: A null vector at the point.
        point: Values of the parameters and the prime.

    Returns:
        The null vector without denominators, or None where no small one is found.
    """
    touched = [i for i, row in enumerate(modular) if any(n in vector for n in row)]
    if not support(rows[i][n] for i in touched for n in rows[i] if n in vector):
        fractions = {n: rational(value, point.prime) for n, value in vector.items()}
        if all(fractions.values()):
            common = lcm(*(f[1] for f in fractions.values() if f))
            return {n: constant(f[0] * common // f[1]) for n, f in fractions.items() if f}
    return _lift_parametric(ring, rows, modular, vector, point, touched)


def _lift_parametric(ring, rows, modular, vector: Row, point: Point, touched: list[int]):
    columns = sorted(vector)
    echelon, chosen = Echelon(point.prime), []
    for i in touched:
        restricted = {n: modular[i][n] for n in columns if n in modular[i]}
        if restricted and echelon.insert(restricted) is not None:
            chosen.append(i)
        if len(chosen) == len(columns) - 1:
            break
    field = ParameterField(ring, support(rows[i][n] for i in chosen for n in rows[i] if n in vector))
    matrix = [[field.element(rows[i].get(n, {})) for n in columns] for i in chosen]
    if not matrix:
        return {n: constant(1) for n in columns} if len(columns) == 1 else None
    kernel = DomainMatrix(matrix, (len(matrix), len(columns)), field.domain).nullspace()
    if kernel.shape[0] != 1:
        return None
    return field.polynomials(columns, [kernel[0, j].element for j in range(len(columns))])


class ParameterField:
    """The field of rational functions of the constants of a ring.

    A root of a parameter takes the place of the parameter (k = R**2), roots of numbers become algebraic numbers.

    Args:
        ring: The ring.
        generators: The generators that occur.
    """

    def __init__(self, ring: Ring, generators: set[int]) -> None:
        self.ring = ring
        self.images: dict[int, sp.Expr] = {}
        self.numbers: dict[int, sp.Expr] = {}
        symbols: list[sp.Symbol] = []
        for k in sorted(generators, reverse=True):
            if k in ring.relations:
                degree, base = ring.relations[k]
                inner = support([base])
                if not inner:
                    self.numbers[k] = ring.expressions[k]
                    self.images[k] = ring.expressions[k]
                    continue
                symbol = sp.Dummy(f"r{k}")
                if base == {1 << (16 * min(inner)): 1}:
                    self.images[min(inner)] = symbol**degree
            else:
                symbol = sp.Dummy(f"p{k}")
            if k not in self.images:
                self.images[k] = symbol
                symbols.append(symbol)
                self.numbers[k] = symbol
        self.symbols = symbols
        roots = [v for v in self.numbers.values() if v not in symbols]
        domain = sp.QQ.algebraic_field(*roots) if roots else sp.QQ
        self.domain = domain.frac_field(*symbols) if symbols else domain
        self.algebraic = bool(roots)

    def element(self, polynomial: Polynomial):
        """The field element of a polynomial in the constants."""
        total = self.domain.zero
        for monomial, coefficient in polynomial.items():
            term = sp.Integer(coefficient)
            for k, exponent in factors(monomial):
                term *= self.images[k] ** exponent
            total += self.domain.from_sympy(sp.expand(term))
        return total

    def expression(self, element) -> sp.Expr:
        """A field element in the symbols of the ring."""
        names = {v: self.ring.expressions[k] for k, v in self.numbers.items()}
        return self.domain.to_sympy(element).xreplace(names)

    def polynomials(self, columns: list[int], entries: list) -> dict[int, Polynomial]:
        """Entries without denominators as polynomials of the ring."""
        expressions = [self.domain.to_sympy(entry) for entry in entries]
        numerators = [sp.fraction(sp.together(e)) for e in expressions]
        common = sp.Integer(1)
        for _, denominator in numerators:
            common = sp.lcm(common, denominator) if self.symbols else sp.ilcm(common, denominator)
        return {
            n: self._polynomial(sp.expand(sp.cancel(common * e))) for n, e in zip(columns, expressions, strict=True)
        }

    def _polynomial(self, expression: sp.Expr) -> Polynomial:
        generators = {v: k for k, v in self.numbers.items()}
        if not generators:
            return constant(int(expression))
        poly = sp.Poly(expression, *generators, domain=sp.QQ)
        result: Polynomial = {}
        for powers, coefficient in poly.terms():
            monomial = sum(e << (16 * k) for e, k in zip(powers, generators.values(), strict=True))
            result[monomial] = int(coefficient)
        return {m: c for m, c in result.items() if c}
