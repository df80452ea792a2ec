"""Table of SymPy heads and what they do to balls.

A real ball of half-infinite or unknown content gives a ball that is not finite. A complex ball that touches a branch
cut gives one too, so that a finite value on a region proves that the expression is analytic there.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import sympy as sp

from sciml.errors import UnsupportedFunctionError
from solvers.lie.bounds.balls import Ball, flint, hull
from solvers.lie.bounds.tails import TAIL_FUNCTIONS, Tail

_METHODS = {
    sp.exp: "exp", sp.sin: "sin", sp.cos: "cos", sp.tan: "tan", sp.cot: "cot", sp.sec: "sec", sp.csc: "csc",
    sp.sinh: "sinh", sp.cosh: "cosh", sp.tanh: "tanh", sp.coth: "coth", sp.sech: "sech", sp.csch: "csch",
    sp.erf: "erf", sp.erfc: "erfc", sp.erfi: "erfi", sp.sinc: "sinc", sp.gamma: "gamma", sp.airyai: "airy_ai",
    sp.airybi: "airy_bi",
}  # fmt: skip
"""Entire or meromorphic: poles give balls that are not finite."""

_BESSEL = {sp.besselj: "bessel_j", sp.bessely: "bessel_y", sp.besseli: "bessel_i", sp.besselk: "bessel_k"}


def _nan(like: Ball) -> Ball:
    return type(like)("nan") if isinstance(like, flint.arb) else flint.acb("nan")


def _call(name: str) -> Callable[[Ball], Ball]:
    def apply(x: Ball) -> Ball:
        if isinstance(x, Tail):
            return TAIL_FUNCTIONS[name](x) if name in TAIL_FUNCTIONS else flint.arb("nan")
        if name in _RANGES and isinstance(x, flint.arb) and not x.is_finite():
            return hull(flint.arb(_RANGES[name][0]), flint.arb(_RANGES[name][1]))
        return getattr(x, name)()

    return apply


_RANGES = {"erf": (-1, 1), "erfc": (0, 2), "tanh": (-1, 1), "sin": (-1, 1), "cos": (-1, 1)}
"""Values over all real arguments: what is known where the argument is not, as (x - 1)/√t at (1, 0)."""


def off_cut(z: Ball) -> bool:
    """Whether a complex ball stays away from the cut (-∞, 0]."""
    return bool(z.real > 0) or not z.imag.contains(0)


def _guarded(name: str, guard: Callable[[Ball], tuple[Ball, ...]]) -> Callable[[Ball], Ball]:
    """A method with cuts where one of the guards meets (-∞, 0]."""

    def apply(x: Ball) -> Ball:
        if isinstance(x, Tail):
            return TAIL_FUNCTIONS[name](x) if name in TAIL_FUNCTIONS else flint.arb("nan")
        if isinstance(x, flint.acb) and not all(off_cut(g) for g in guard(x)):
            return _nan(x)
        return getattr(x, name)()

    return apply


_GUARDED = {
    sp.log: ("log", lambda z: (z,)),
    sp.atan: ("atan", lambda z: (1 + z * z,)),
    sp.asin: ("asin", lambda z: (1 - z * z,)),
    sp.acos: ("acos", lambda z: (1 - z * z,)),
    sp.asinh: ("asinh", lambda z: (1 + z * z,)),
    sp.acosh: ("acosh", lambda z: (z - 1,)),
    sp.atanh: ("atanh", lambda z: (1 - z * z,)),
    sp.loggamma: ("lgamma", lambda z: (z,)),
    sp.digamma: ("digamma", lambda z: (z,)),
}
_INVERSE = {sp.acot: sp.atan, sp.asec: sp.acos, sp.acsc: sp.asin, sp.acoth: sp.atanh, sp.asech: sp.acosh,
            sp.acsch: sp.asinh}  # fmt: skip


def square_root(x: Ball) -> Ball:
    """√x; a real ball that reaches below 0 only by the width of its radius counts from 0."""
    if isinstance(x, Tail):
        return x.power(flint.arb(0.5)) if x.sign > 0 else flint.arb("nan")
    if isinstance(x, flint.acb):
        return x.sqrt(analytic=True) if off_cut(x) else _nan(x)
    if x >= 0:
        return x.sqrt()
    return hull(flint.arb(0), x.upper().sqrt()) if _touches_zero(x) else _nan(x)


def _touches_zero(x: Ball) -> bool:
    """Non-negative up to the 30 bits of a radius: the exact range starts at 0."""
    return bool(x.is_finite()) and bool(x.upper() > 0) and bool(-x.lower() <= x.upper() * flint.arb(2) ** -24)


def _reciprocal(x: Ball) -> Ball:
    if isinstance(x, Tail):
        return x.power(flint.arb(-1), odd=True)
    if isinstance(x, flint.arb) and x.contains(0):
        if _touches_zero(x):
            return Tail(1 / x.upper())
        return -Tail(1 / (-x).upper()) if _touches_zero(-x) else _nan(x)
    return 1 / x


def _integer_power(exponent: int) -> Callable[[Ball], Ball]:
    def apply(x: Ball) -> Ball:
        if isinstance(x, Tail):
            return x.power(flint.arb(exponent), odd=exponent % 2 == 1)
        if exponent >= 0:
            if exponent % 2 == 0 and isinstance(x, flint.arb) and x.contains(0):
                return hull(flint.arb(0), x.abs_upper() ** exponent)  # keeps the sign
            return x**exponent
        return _reciprocal(x**-exponent)

    return apply


def _power(base: Ball, exponent: Ball) -> Ball:
    """base^exponent = exp(exponent log base), base > 0 or off the cut."""
    if isinstance(exponent, Tail):
        return _nan(flint.arb(0))
    if isinstance(base, Tail):
        return base.power(exponent) if base.sign > 0 else flint.arb("nan")
    if isinstance(base, flint.acb):
        return (exponent * base.log(analytic=True)).exp() if off_cut(base) else _nan(base)
    if base > 0:
        return (exponent * base.log()).exp()
    if not _touches_zero(base):
        return _nan(base)
    top = (exponent * base.upper().log()).exp()
    if exponent > 0:
        return hull(flint.arb(0), top)
    return Tail(top.lower()) if exponent < 0 else _nan(base)


def _bessel(name: str, order: sp.Expr) -> Callable[[Ball], Ball]:
    entire = order.is_Integer and name in {"bessel_j", "bessel_i"}
    number = flint.arb(flint.fmpq(int(order.p), int(order.q))) if order.is_Rational else None
    if number is None:
        raise UnsupportedFunctionError("Bessel functions of rational order in a bound", str(order), "")

    def apply(x: Ball) -> Ball:
        if isinstance(x, Tail):
            return flint.arb("nan")
        if isinstance(x, flint.acb) and not entire and not off_cut(x):
            return _nan(x)
        if name in {"bessel_y", "bessel_k"} and not _narrow(x):
            return (_wide_bessel_y if name == "bessel_y" else _wide_bessel_k)(x, number)
        if isinstance(x, flint.arb) and x.rad() > 0.06 and x.rad() < 4:
            return functools.reduce(hull, [getattr(part, name)(number) for part in _parts(x)])
        return getattr(x, name)(type(x)(number))

    return apply


def _narrow(x: Ball) -> bool:
    parts = (x,) if isinstance(x, flint.arb) else (x.real, x.imag)
    return all(bool(part.rad() < 1e-12) for part in parts)


def _wide_bessel_k(x: Ball, order: Ball) -> Ball:
    """K decreases on (0, ∞), and |K(z)| <= K(Re z) by ∫ exp(-z cosh t) cosh νt dt."""
    low = (x if isinstance(x, flint.arb) else x.real).lower()
    if not low > 0:
        return _nan(x)
    if isinstance(x, flint.acb):
        return flint.acb(flint.arb(0, 1), flint.arb(0, 1)) * low.bessel_k(order).abs_upper()
    return hull(low.bessel_k(order), x.upper().bessel_k(order))


def _wide_bessel_y(x: Ball, order: Ball) -> Ball:
    """Y on a wide ball: Arb's series cancel there. Real: mean value form; complex: the bound of the modulus only."""
    if isinstance(x, flint.acb):
        size = _bessel_y_size(x, order)
        return flint.acb(flint.arb(0, 1), flint.arb(0, 1)) * size
    slope = (_bessel_y_size(flint.acb(x), order - 1) + _bessel_y_size(flint.acb(x), order + 1)) / 2
    return x.mid().bessel_y(order) + flint.arb(0, 1) * (slope * x.rad())


def _bessel_y_size(z: Ball, order: Ball) -> Ball:
    """Bound of |Y| for Re z > 0; the second of DLMF 10.17.13-15 with one term."""
    # |Y| <= (|H1| + |H2|)/2, |H| <= √(2/(π|z|)) exp(∓Im z) (1 + 2|a_1| v exp(|ν² - 1/4| v)), v = π/(2|z|)
    if not z.real > 0:
        return flint.arb("nan")
    least = z.abs_lower()
    v = flint.arb.pi() / (2 * least)
    rest = abs(order * order - flint.arb(0.25))
    factor = 1 + rest * v * (rest * v).exp()
    return ((2 / (flint.arb.pi() * least)).sqrt() * z.imag.cosh() * factor).abs_upper()


def _parts(x: Ball) -> list[Ball]:
    """A wide ball in narrow ones: Arb's Bessel functions lose the cancellation of their series on wide ones."""
    count = math.ceil(float(x.rad()) / 0.05)
    step = x.rad() / count
    return [x.mid() - x.rad() + step * (2 * k + 1) + step * flint.arb(0, 1) for k in range(count)]


def _with_base(x: Ball, base: Ball) -> Ball:
    return _guarded(*_GUARDED[sp.log])(x) / _guarded(*_GUARDED[sp.log])(base)


def ball_operation(node: sp.Basic) -> tuple[Callable[..., Ball], tuple[sp.Basic, ...]]:
    """The function of balls that a SymPy node stands for, and its arguments.

    Args:
        node: A node that is no sum, product, number or symbol.

    Returns:
        Function and arguments.

    Raises:
        UnsupportedFunctionError: If no enclosure of the function is known.
    """
    head: Any = node.func
    if hasattr(head, "on_balls"):  # a sum of atoms that knows itself on balls
        return head.on_balls, node.args
    if isinstance(node, sp.Pow):
        base, exponent = node.args
        if exponent.is_Integer:
            return _integer_power(int(exponent)), (base,)
        if exponent in (sp.S.Half, -sp.S.Half):
            root = square_root if exponent == sp.S.Half else lambda x: _reciprocal(square_root(x))
            return root, (base,)
        return _power, node.args
    if head in _METHODS:
        return _call(_METHODS[head]), node.args
    if head is sp.log and len(node.args) == 2:
        return _with_base, node.args
    if head in _GUARDED:
        return _guarded(*_GUARDED[head]), node.args
    if head in _INVERSE:
        name, guard = _GUARDED[_INVERSE[head]]
        inner = _guarded(name, guard)
        return (lambda x: inner(_reciprocal(x))), node.args
    if head in _BESSEL:
        return _bessel(_BESSEL[head], node.args[0]), (node.args[1],)
    if head is sp.factorial:
        return (lambda x: (x + 1).gamma()), node.args
    raise UnsupportedFunctionError("a function whose values can be enclosed", head.__name__, "")
