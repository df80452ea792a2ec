"""Functions that generators need, read off from the spectrum of ad Y on the counted solution space.

Let Y be a symmetry that is known already. X -> [Y, X] maps the r-dimensional space of symmetries into itself; its
matrix on the free derivatives at a random point is read off from the reduced determining equations. An eigenvalue
lambda of multiplicity mu says that, in a coordinate s with Y(s) = 1, there are generators exp(lambda s) s**k times
something invariant, k < mu. With Y = d/dt these are exponentials and circular functions of t; with a scaling, powers
and logarithms.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import sympy as sp

from solvers.symmetry.clock import Clock
from solvers.symmetry.counting import Prolonged
from solvers.symmetry.determining import Form, System, add_term
from solvers.symmetry.echelon import Row, null_space
from solvers.symmetry.lifting import rational
from solvers.symmetry.points import NoPointError, Point, random_prime
from solvers.symmetry.polynomials import Polynomial, coefficients_in, derive, multiply, scale, support
from solvers.symmetry.reduction import raised
from solvers.symmetry.ring import Ring

LAMBDA = sp.Dummy("lambda")
HEIGHT = 10**7


def bracket(system: System, components: Sequence[Polynomial]) -> dict[int, Form]:
    """[Y, X] for unknown X: each unknown function of the bracket as a linear form in those of X.

    Args:
        system: Determining equations, which name the unknown functions.
        components: Coefficients of Y.

    Returns:
        Function number to linear form.
    """
    ring, unknowns = system.ring, system.unknowns
    images = [ring.partial(k) for k in ring.base]
    place = {k: j for j, k in enumerate(unknowns.variables)}
    forms = [*unknowns.xi, *unknowns.eta]
    result: dict[int, Form] = {}
    for c, form in enumerate(forms):
        total: Form = {}
        for j, k in enumerate(ring.base):
            if components[j]:
                for (f, index), factor in form.items():
                    add_term(total, (f, index), multiply(components[j], derive(factor, images[j])))
                    if k in place:
                        add_term(total, (f, raised(index, place[k])), multiply(components[j], factor))
            slope = scale(derive(components[c], images[j]), -1)
            if slope:
                for column, factor in forms[j].items():
                    add_term(total, column, multiply(slope, factor))
        for (f, _), factor in form.items():
            result[f] = {column: part for column, poly in total.items() if (part := _coefficient(poly, factor))}
    return result


def _coefficient(polynomial: Polynomial, factor: Polynomial) -> Polynomial:
    """What stands before `factor`, which is 1 or one field."""
    used = support([factor])
    return coefficients_in(polynomial, used.pop()).get(1, {}) if used else polynomial


def adjoint_matrix(prolonged: Prolonged, forms: Mapping[int, Form], order: int) -> list[list[int]]:
    """The matrix of X -> [Y, X] on the free derivatives up to `order`, modulo the prime of the point.

    Args:
        prolonged: Determining equations, prolonged at least to `order` + 1.
        forms: From `bracket`.
        order: The order of the stop rule.

    Returns:
        Row i is the i-th free derivative of the bracket in terms of those of X.
    """
    keys = prolonged.parametric(order)
    matrix = []
    for key in keys:
        f, index = prolonged.column(key)
        row: Row = prolonged.echelon.remainder(prolonged.row(forms[f], index))
        matrix.append([row.get(other, 0) for other in keys])
    return matrix


def characteristic_polynomial(matrix: list[list[int]], prime: int) -> list[int]:
    """Coefficients of det(lambda - A) modulo a prime, highest first (Faddeev and LeVerrier)."""
    n = len(matrix)
    result, product = [1], [[0] * n for _ in range(n)]
    for k in range(1, n + 1):
        for i in range(n):
            product[i][i] += result[-1]
        product = [[sum(a * b for a, b in zip(row, column, strict=True) if a and b) % prime
                    for column in zip(*product, strict=True)] for row in matrix]  # fmt: skip
        trace = sum(product[i][i] for i in range(n))
        result.append(-trace * pow(k, -1, prime) % prime)
    return result


class Spectrum:
    """Eigenvalues of ad Y as exact functions of the parameters.

    The characteristic polynomial is computed at random points; its coefficients are reconstructed as rational
    functions of the parameters from as many values as that takes, and factored over the rational numbers.

    Args:
        system: Determining equations.
        order: Order m of the stop rule.
        prolongation: Prolongation order N.
        generator: Source of random numbers.
        clock: Budget.
    """

    def __init__(self, system: System, order: int, prolongation: int, generator: random.Random, clock: Clock) -> None:
        self.system, self.order, self.prolongation = system, order, prolongation
        self.generator, self.clock = generator, clock
        used = support(poly for form in system.equations for poly in form.values())
        constants = set().union(*(system.ring.base_of(k) for k in used)) & set(system.ring.parameters)
        self.parameters = sorted(constants)
        self.rooted = any(k in system.ring.relations and not system.ring.base_of(k) - set(system.ring.parameters)
                          for k in used)  # fmt: skip
        self.prime = random_prime(generator)

    def factors(self, components: Sequence[Polynomial]) -> list[tuple[sp.Poly, int]]:
        """Irreducible factors of the characteristic polynomial of ad Y with their multiplicities.

        Args:
            components: Coefficients of Y.

        Returns:
            Polynomials in `LAMBDA`; empty where they were not reconstructed.
        """
        forms = bracket(self.system, components)
        parameters = self.parameters or []
        if self.rooted or len(parameters) > 4:
            return []
        symbols = [self.system.ring.expressions[k] for k in parameters]
        for degree in range(1, 9) if parameters else (0,):
            expression = self._interpolated(forms, parameters, symbols, degree)
            if expression is not None:
                _, parts = sp.factor_list(expression, LAMBDA, *symbols)
                return [(sp.Poly(p, LAMBDA), mu) for p, mu in parts if sp.Poly(p, LAMBDA).degree() > 0]
        return []

    def _interpolated(self, forms, parameters: list[int], symbols: list, degree: int) -> sp.Expr | None:
        exponents = [e for e in itertools.product(range(degree + 1), repeat=len(parameters)) if sum(e) <= degree]
        samples = []
        for _ in range(2 * len(exponents) + 2 if parameters else 1):
            sample = self._sample(forms, parameters)
            if sample is None:
                return None
            samples.append(sample)
        numerators = []
        for j in range(len(samples[0][1])):
            value = _rational_function([(p, c[j]) for p, c in samples], exponents, symbols, self.prime)
            if value is None:
                return None
            numerators.append(value)
        return sp.numer(sp.together(sum(c * LAMBDA ** (len(numerators) - 1 - j) for j, c in enumerate(numerators))))

    def _sample(self, forms, parameters: list[int]) -> tuple[list[int], list[int]] | None:
        self.clock.check()
        values = {k: self.generator.randrange(2, self.prime) for k in parameters}
        for _ in range(20):
            point = Point(self.system.ring, self.prime, self.generator, values)
            try:
                prolonged = Prolonged(self.system, self.generator, self.clock, point)
                prolonged.extend(self.prolongation)
                matrix = adjoint_matrix(prolonged, forms, self.order)
            except NoPointError:
                continue
            return [values[k] for k in parameters], characteristic_polynomial(matrix, self.prime)
        return None


def _rational_function(samples, exponents, symbols, prime: int) -> sp.Expr | None:
    """The rational function with the given values, numerator and denominator in the span of the exponents."""
    n = len(exponents)
    rows = []
    for values, result in samples:
        monomials = []
        for e in exponents:
            product = 1
            for v, power in zip(values, e, strict=True):
                product = product * pow(v, power, prime) % prime
            monomials.append(product)
        row = {k: m for k, m in enumerate(monomials) if m}
        row |= {n + k: v for k, m in enumerate(monomials) if (v := -m * result % prime)}
        rows.append(row)
    kernel = null_space(rows, range(2 * n), prime)
    if not kernel:
        return None
    parts = [sp.Integer(0), sp.Integer(0)]
    for k, value in kernel[0].items():
        fraction = rational(value, prime)
        if fraction is None or abs(fraction[0]) > HEIGHT or fraction[1] > HEIGHT:
            return None
        a, b = fraction
        parts[k // n] += sp.Rational(a, b) * sp.Mul(*(s**e for s, e in zip(symbols, exponents[k % n], strict=True)))
    return None if parts[1] == 0 else sp.cancel(parts[0] / parts[1])


def diagonal_parts(ring: Ring, components: Sequence[Polynomial]) -> dict[sp.Expr, tuple[sp.Expr, sp.Expr]] | None:
    """Y(z) = a + b z with a b = 0 for every variable z, or None if the field is not of this form."""
    result = {}
    for k, polynomial in zip(ring.base, components, strict=True):
        parts = coefficients_in(polynomial, k)
        constants = support(parts.values())
        if set(parts) - {0, 1} or len(parts) > 1 or constants - set(ring.parameters):
            return None
        a, b = (ring.expression(parts.get(e, {})) for e in (0, 1))
        result[ring.expressions[k]] = a, b
    return result


@dataclass(frozen=True)
class Sector:
    """Functions of one variable that belong to one eigenvalue.

    Attributes:
        atoms: Expressions, for instance cos(2 t) and sin(2 t).
        variable: The variable on which they depend.
    """

    atoms: tuple[sp.Expr, ...]
    variable: sp.Expr


def sectors(
    factors: Sequence[tuple[sp.Poly, int]], diagonal: Mapping[sp.Expr, tuple[sp.Expr, sp.Expr]]
) -> Iterator[Sector]:
    """Functions for the eigenvalues of a field whose flow is diagonal.

    Args:
        factors: From `Spectrum.factors`.
        diagonal: Variable z to (a, b) where Y(z) = a + b z, a b = 0.

    Yields:
        Sectors, one per eigenvalue, variable and shift by the weight of a component.
    """
    weights = {b for _, b in diagonal.values() if b != 0}
    for z, (a, b) in diagonal.items():
        if a == 0 and b == 0:
            continue
        shifts = {n * w for n in (-2, -1, 0, 1, 2) for w in weights} | {sp.Integer(0)}
        ordered = sorted(shifts, key=sp.default_sort_key)
        for p, mu in factors:
            for real, imaginary in eigenvalues(p):
                atoms = [f for shift in ordered for f in _functions(z, a, b, real + shift, imaginary)]
                if b != 0 and mu * p.degree() > 1:
                    atoms = [f * sp.log(z) ** k for f in atoms for k in range(min(mu, 3))]
                if set(atoms) != {sp.Integer(1)}:
                    yield Sector(tuple(dict.fromkeys(atoms)), z)


def _functions(z: sp.Expr, a: sp.Expr, b: sp.Expr, real: sp.Expr, imaginary: sp.Expr) -> tuple[sp.Expr, ...]:
    s = z / a if b == 0 else sp.log(z) / b
    growth = sp.exp(sp.expand(real * s)) if b == 0 else z ** sp.cancel(real / b)
    if b != 0:
        # Integer powers belong to the polynomial part of the ansatz, negative ones do not.
        whole = sp.floor(real / b) if (real / b).is_Rational else sp.Integer(0)
        growth = z ** min(whole, sp.Integer(0)) * z ** sp.cancel(real / b - whole)
    if imaginary == 0:
        return (growth,)
    angle = sp.expand(imaginary * s)
    return growth * sp.cos(angle), growth * sp.sin(angle)


def eigenvalues(polynomial: sp.Poly) -> list[tuple[sp.Expr, sp.Expr]]:
    """Roots of an irreducible factor as (real part, imaginary part >= 0); empty where no radicals are known.

    Args:
        polynomial: In `LAMBDA`, coefficients in the parameters.

    Returns:
        One pair per root or conjugate pair.
    """
    if polynomial.degree() > 4:
        return []
    result: list[tuple[sp.Expr, sp.Expr]] = []
    # Parameters of unknown sign: written for positive values, as the check will use them.
    names = {s: sp.Dummy(s.name, positive=True) for s in polynomial.free_symbols_in_domain}
    back = {dummy: s for s, dummy in names.items()}
    for root in sp.roots(sp.Poly(polynomial.as_expr().xreplace(names), LAMBDA)):
        root = sp.sqrtdenest(sp.expand(root))
        real, imaginary = root.as_real_imag() if root.has(sp.I) else (root, sp.Integer(0))
        if real.has(sp.re, sp.im, sp.arg, sp.atan2) or imaginary.has(sp.re, sp.im, sp.arg, sp.atan2):
            return []
        imaginary = -imaginary if imaginary.could_extract_minus_sign() else imaginary
        pair = sp.radsimp(real).xreplace(back), sp.radsimp(imaginary).xreplace(back)
        if pair not in result:
            result.append(pair)
    return result
