"""Random points modulo primes, on the relations among the generators."""

from __future__ import annotations

import random

from sympy import isprime

from solvers.symmetry.polynomials import Polynomial, factors
from solvers.symmetry.ring import Ring

ODD_DEGREES = 3 * 5 * 7 * 11


class NoPointError(Exception):
    """A root does not exist at this point modulo this prime, or a denominator vanishes."""


def random_prime(generator: random.Random) -> int:
    """A prime near 2**61 modulo which square roots are easy and roots of degree 3, 5, 7, 11 are unique."""
    while True:
        candidate = generator.randrange(1 << 60, 1 << 61) | 3
        if all((candidate - 1) % d for d in (3, 5, 7, 11)) and isprime(candidate):
            return candidate


class Point:
    """Values of all generators of a ring modulo a prime.

    Args:
        ring: The ring.
        prime: The modulus.
        generator: Source of random values.
        fixed: Values prescribed for some generators.
    """

    def __init__(self, ring: Ring, prime: int, generator: random.Random, fixed: dict[int, int] | None = None) -> None:
        self.ring, self.prime, self.generator = ring, prime, generator
        self.values: dict[int, int] = dict(fixed or {})

    def value(self, k: int) -> int:
        """The value of generator `k`."""
        if k not in self.values:
            self.values[k] = self._value(k)
        return self.values[k]

    def _value(self, k: int) -> int:
        ring, prime = self.ring, self.prime
        if k in ring.inverted:
            value = self.evaluate(ring.inverted[k])
            if not value:
                raise NoPointError
            return pow(value, -1, prime)
        if k in ring.circles:
            tangent = self.generator.randrange(2, prime)
            scale = pow(1 + tangent * tangent, -1, prime)
            sine = k if k in ring.relations else ring.circles[k]
            self.values[sine] = 2 * tangent * scale % prime
            self.values[ring.circles[sine]] = (1 - tangent * tangent) * scale % prime
            return self.values[k]
        if k in ring.relations:
            degree, base = ring.relations[k]
            return modular_root(self.evaluate(base), degree, prime)
        return self.generator.randrange(2, prime)

    def evaluate(self, polynomial: Polynomial) -> int:
        """The value of a polynomial."""
        total, prime = 0, self.prime
        for monomial, coefficient in polynomial.items():
            term = coefficient
            for k, exponent in factors(monomial):
                value = self.value(k)
                term = term * (value if exponent == 1 else pow(value, exponent, prime)) % prime
            total += term
        return total % prime


def modular_root(value: int, degree: int, prime: int) -> int:
    """A root of given degree modulo a prime p = 3 mod 4; NoPointError if there is none.

    Args:
        value: The radicand.
        degree: The degree.
        prime: The modulus.

    Returns:
        The root; of two square roots the one that is a square itself.

    Raises:
        NoPointError: If the radicand has no such root.
    """
    odd = degree
    while odd % 2 == 0:
        odd //= 2
        value = pow(value, (prime + 1) // 4, prime)
    if odd > 1:
        try:
            value = pow(value, pow(odd, -1, prime - 1), prime)
        except ValueError as error:
            raise NoPointError from error
    return value


def random_point(ring: Ring, generator: random.Random, generators: set[int]) -> Point:
    """A point at which all given generators have values that satisfy their relations.

    Args:
        ring: The ring.
        generator: Source of random values; the prime is drawn too.
        generators: Generators that must have a value.

    Returns:
        The point.

    Raises:
        NoPointError: If none is found.
    """
    for _ in range(200):
        point = Point(ring, random_prime(generator), generator)
        try:
            for k in sorted(generators):
                point.value(k)
            consistent = all(
                (pow(point.value(k), degree, point.prime) - point.evaluate(base)) % point.prime == 0
                for k, (degree, base) in ring.relations.items()
                if k in point.values
            )
        except NoPointError:
            continue
        if consistent:
            return point
    raise NoPointError
