"""Balls: the arithmetic of Arb (Johansson 2017, IEEE Trans. Comput. 66, 1281), through python-flint.

A ball [m ± r] holds every value that a quantity can have; every operation widens r by its own rounding. The
library belongs to the extra `rigorous`; without it `flint` is None and no bound is computed.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import sympy as sp

try:
    import flint
except ImportError:
    flint = None  # type: ignore[assignment]

Ball = Any
"""A real ball `flint.arb`, a complex ball `flint.acb`, or a `Tail`."""


def available() -> bool:
    """Whether python-flint is installed."""
    return flint is not None


@contextmanager
def precision(bits: int) -> Generator[None]:
    """Work with so many bits; the setting of the caller comes back afterwards.

    Args:
        bits: Bits of a midpoint.

    Yields:
        Nothing.
    """
    before = flint.ctx.prec
    flint.ctx.prec = bits
    try:
        yield
    finally:
        flint.ctx.prec = before


def rational(number: sp.Rational) -> Ball:
    """A ball around a rational number."""
    return flint.arb(flint.fmpq(int(number.p), int(number.q)))


def float_ball(number: sp.Float) -> Ball:
    """The binary number that a SymPy float is, exactly."""
    sign, mantissa, exponent, _ = number._mpf_
    if not mantissa:
        return flint.arb(0)
    signed = -int(mantissa) if sign else int(mantissa)
    power = int(exponent)
    exact = flint.fmpq(signed * 2**power, 1) if power >= 0 else flint.fmpq(signed, 2**-power)
    return flint.arb(exact)


def hull(low: Ball, high: Ball) -> Ball:
    """A ball around two real balls, moved up so that it does not reach below the lower one.

    A radius has 30 bits and is rounded up; without the move, a ball around [0, 1] would hold negative numbers.

    Args:
        low: A ball.
        high: Another.

    Returns:
        The ball around both.
    """
    around = low.union(high)
    bottom = low.lower()
    if not around.is_finite() or not bottom <= high:
        return around
    moved = around + (bottom + around.rad() - around.mid())
    return moved if moved >= bottom else around


def upper(ball: Ball) -> float:
    """A float not below the modulus of anything in a ball; infinity where it is not finite."""
    bound = float(ball.abs_upper())
    return math.nextafter(bound, math.inf) if math.isfinite(bound) else math.inf


def lower(ball: Ball) -> float:
    """A float not above the modulus of anything in a ball; 0 where nothing is known."""
    bound = float(ball.abs_lower())
    return max(math.nextafter(bound, -math.inf), 0.0) if math.isfinite(bound) else 0.0


def highest(ball: Ball) -> float:
    """A float not below anything in a real ball."""
    if not ball.is_finite():
        return math.inf
    bound = float(ball.upper())
    exact = ball.is_exact() and flint.arb(bound) == ball  # 0 stays 0: signs hang on it
    return bound if exact else math.nextafter(bound, math.inf)


def lowest(ball: Ball) -> float:
    """A float not above anything in a real ball."""
    return -highest(-ball)
