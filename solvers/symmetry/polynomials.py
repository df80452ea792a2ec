"""Sparse integer polynomials whose monomials are packed into one Python integer.

A polynomial is a dictionary `{monomial: coefficient}`. Generator number `k` owns the 16 bits from `16 k` on, so the
product of two monomials is one integer addition, whatever the number of generators, and new generators (jets,
derivatives of arbitrary functions) can be added at any time without touching what exists.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from math import gcd

BITS = 16
FIELD = (1 << BITS) - 1

Polynomial = dict[int, int]
ONE: Polynomial = {0: 1}


def variable(k: int, power: int = 1) -> Polynomial:
    """Generator `k` to a power."""
    return {power << (BITS * k): 1}


def constant(value: int) -> Polynomial:
    """An integer."""
    return {0: value} if value else {}


@lru_cache(maxsize=1 << 18)
def factors(monomial: int) -> tuple[tuple[int, int], ...]:
    """The pairs (generator, exponent) of a monomial, in order of the generators."""
    found = []
    while monomial:
        k = ((monomial & -monomial).bit_length() - 1) // BITS
        exponent = (monomial >> (BITS * k)) & FIELD
        found.append((k, exponent))
        monomial ^= exponent << (BITS * k)
    return tuple(found)


def mask(generators: Iterable[int]) -> int:
    """The bits owned by some generators."""
    bits = 0
    for k in generators:
        bits |= FIELD << (BITS * k)
    return bits


def support(polynomials: Iterable[Polynomial]) -> set[int]:
    """All generators that occur."""
    union = 0
    for polynomial in polynomials:
        for monomial in polynomial:
            union |= monomial
    return {k for k, _ in factors(union)}


def add(a: Polynomial, b: Polynomial) -> Polynomial:
    """The sum."""
    result = dict(a)
    accumulate(result, b)
    return result


def accumulate(total: Polynomial, term: Polynomial, factor: int = 1) -> None:
    """`total += factor * term`, in place."""
    for monomial, coefficient in term.items():
        value = total.get(monomial, 0) + factor * coefficient
        if value:
            total[monomial] = value
        else:
            total.pop(monomial, None)


def scale(a: Polynomial, factor: int) -> Polynomial:
    """The product with an integer."""
    return {monomial: factor * coefficient for monomial, coefficient in a.items()} if factor else {}


def multiply(a: Polynomial, b: Polynomial) -> Polynomial:
    """The product."""
    if len(a) > len(b):
        a, b = b, a
    if len(a) == 1:
        [(shift, factor)] = a.items()
        return {monomial + shift: factor * coefficient for monomial, coefficient in b.items()}
    result: Polynomial = {}
    get = result.get
    for shift, factor in a.items():
        for monomial, coefficient in b.items():
            product = monomial + shift
            result[product] = get(product, 0) + factor * coefficient
    return {monomial: coefficient for monomial, coefficient in result.items() if coefficient}


def power(a: Polynomial, exponent: int) -> Polynomial:
    """A non-negative integer power."""
    result = ONE
    while exponent:
        if exponent & 1:
            result = multiply(result, a)
        exponent >>= 1
        if exponent:
            a = multiply(a, a)
    return result


def derive(a: Polynomial, image: Callable[[int], Polynomial]) -> Polynomial:
    """Apply the derivation that sends generator `k` to `image(k)`."""
    result: Polynomial = {}
    for monomial, coefficient in a.items():
        for k, exponent in factors(monomial):
            inner = image(k)
            if inner:
                shift = monomial - (1 << (BITS * k))
                value = coefficient * exponent
                for other, weight in inner.items():
                    product = shift + other
                    result[product] = result.get(product, 0) + value * weight
    return {monomial: coefficient for monomial, coefficient in result.items() if coefficient}


def coefficients_in(a: Polynomial, k: int) -> dict[int, Polynomial]:
    """The coefficients of the powers of generator `k`."""
    shift = BITS * k
    result: dict[int, Polynomial] = {}
    for monomial, coefficient in a.items():
        exponent = (monomial >> shift) & FIELD
        result.setdefault(exponent, {})[monomial - (exponent << shift)] = coefficient
    return result


def split(a: Polynomial, bits: int) -> dict[int, Polynomial]:
    """Collect by the part of each monomial inside `bits`."""
    result: dict[int, Polynomial] = {}
    for monomial, coefficient in a.items():
        outer = monomial & bits
        result.setdefault(outer, {})[monomial ^ outer] = coefficient
    return result


def content(polynomials: Iterable[Polynomial]) -> int:
    """Greatest common divisor of all integer coefficients."""
    common = 0
    for polynomial in polynomials:
        for coefficient in polynomial.values():
            common = gcd(common, coefficient)
            if common == 1:
                return 1
    return common


def common_monomial(polynomials: Iterable[Polynomial]) -> int:
    """The largest monomial that divides all of them."""
    shared: dict[int, int] | None = None
    for polynomial in polynomials:
        for monomial in polynomial:
            present = dict(factors(monomial))
            known = present if shared is None else shared
            shared = {k: min(e, present[k]) for k, e in known.items() if k in present}
            if not shared:
                return 0
    return sum(exponent << (BITS * k) for k, exponent in (shared or {}).items())
