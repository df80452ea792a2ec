"""Half-infinite intervals: what 1/√t is on [0, ε].

erf(x/√(4t)) is bounded up to t = 0, but a ball around 1/√t there is not finite. A tail sign·[low, ∞) keeps what is
known of it through products, sums and powers until a bounded function takes it back to a ball.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from solvers.lie.bounds.balls import Ball, flint, hull


@dataclass(frozen=True)
class Tail:
    """The set sign·[low, ∞).

    Attributes:
        low: A ball; its lower end counts.
        sign: 1 or -1.
    """

    low: Ball
    sign: int = 1

    def __neg__(self) -> Tail:
        """The mirror image."""
        return Tail(self.low, -self.sign)

    def __add__(self, other: Ball) -> Ball:
        """Sum with a ball, or with a tail of the same sign."""
        if isinstance(other, Tail):
            return Tail(self.low + other.low, self.sign) if other.sign == self.sign else flint.arb("nan")
        return Tail(self.low + self.sign * other, self.sign) if other.is_finite() else flint.arb("nan")

    __radd__ = __add__

    def __mul__(self, other: Ball) -> Ball:
        """Product with a ball of one sign, or with a tail."""
        if isinstance(other, Tail):
            if self.low >= 0 and other.low >= 0:
                return Tail(self.low * other.low, self.sign * other.sign)
            return flint.arb("nan")
        if other == 0:
            return flint.arb(0)
        if not other.is_finite() or not self.low >= 0 or not (other >= 0 or other <= 0):
            return flint.arb("nan")
        return Tail(self.low.lower() * abs(other).lower(), self.sign if other >= 0 else -self.sign)

    __rmul__ = __mul__

    def power(self, exponent: Ball, odd: bool = False) -> Ball:
        """A power of a positive tail (of any tail for an integer exponent, whose parity is told).

        Args:
            exponent: p.
            odd: Whether p is an odd integer.

        Returns:
            A tail for p > 0, a ball from 0 for p < 0.
        """
        if not (self.low > 0 or (exponent > 0 and self.low >= 0)):
            return flint.arb("nan")
        sign = self.sign if odd else 1
        size = self.low.lower() ** exponent
        return Tail(size, sign) if exponent > 0 else sign * hull(flint.arb(0), size)


def _between(limit: int, name: str) -> Callable[[Tail], Ball]:
    """A bounded increasing odd function with the limit ±1 (or ±π/2)."""

    def apply(tail: Tail) -> Ball:
        end = flint.arb(1) if limit == 1 else flint.arb.pi() / 2
        return tail.sign * hull(getattr(tail.low.lower(), name)(), end)

    return apply


def _erfc(tail: Tail) -> Ball:
    small = hull(flint.arb(0), tail.low.lower().erfc())
    return small if tail.sign > 0 else 2 - small


def _exp(tail: Tail) -> Ball:
    if tail.sign < 0:
        return hull(flint.arb(0), (-tail.low.lower()).exp())
    return Tail(tail.low.lower().exp(), 1)


TAIL_FUNCTIONS: dict[str, Callable[[Tail], Ball]] = {
    "erf": _between(1, "erf"),
    "tanh": _between(1, "tanh"),
    "atan": _between(2, "atan"),
    "erfc": _erfc,
    "exp": _exp,
    "sin": lambda tail: flint.arb(0, 1),
    "cos": lambda tail: flint.arb(0, 1),
}
"""Functions that take a tail; of every other function nothing is known there."""
