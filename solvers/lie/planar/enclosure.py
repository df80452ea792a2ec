r"""Sums of harmonic atoms as one function on balls: Re F(x + iy) with F analytic, exact in the equation.

For complex x and y, which Bernstein ellipses need, the continuation is [F(x + iy) + F̄(x - iy)]/2 with
F̄(z) = conj F(conj z). All parameters are the binary numbers that they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import sympy as sp

from solvers.lie.bounds.balls import Ball, flint, precision
from solvers.lie.planar.arnoldi_atoms import ArnoldiAtoms
from solvers.lie.planar.bessel_atoms import BesselAtoms
from solvers.lie.planar.plane_atoms import PlaneAtoms, PowerAtoms

_BITS = 400


class PlaneFunction(sp.Function):
    """∂_x^p ∂_y^q of a sum of planar atoms; `plane_function` makes classes of it, one per sum."""

    nargs = 2
    is_real = True
    parts: ClassVar[tuple[Any, ...]] = ()
    orders: ClassVar[tuple[int, int]] = (0, 0)
    relatives: ClassVar[dict[tuple[int, int], type]] = {}

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """The sum differentiated in x or y."""
        p, q = self.orders
        return _class(self.parts, (p + (argindex == 1), q + (argindex == 2)), self.relatives)(*self.args)

    @classmethod
    def on_balls(cls, x: Ball, y: Ball) -> Ball:
        """Values on balls, complex ones where the function is analytic there."""
        order, turn = sum(cls.orders), flint.acb(0, 1) ** cls.orders[1]
        if isinstance(x, flint.arb) and isinstance(y, flint.arb):
            if not (x.is_finite() and y.is_finite()):
                return flint.arb("nan")
            values = [part(flint.acb(x, y), order, turn, False).real for part in cls.parts]
            values += [part.plane(x, y, order) for part in cls.parts]
            return sum(values, flint.arb(0))
        x, y = flint.acb(x), flint.acb(y)
        above, below = x + y * flint.acb(0, 1), (x - y * flint.acb(0, 1)).conjugate()
        total = flint.acb(0)
        for part in cls.parts:
            total += part.plane(x, y, order)
            total += (part(above, order, turn, True) + part(below, order, turn, True).conjugate()) / 2
        return total


def is_plain(family: PlaneAtoms) -> bool:
    """Whether atoms are functions of x + iy itself, of a kind that is known on balls."""
    frame = family.frame
    plain = not frame.drift.any() and (frame.stretch == np.eye(2)).all()
    return plain and (not isinstance(family, BesselAtoms) or family.letter[0] != "d")


def plane_function(families: Sequence[PlaneAtoms], amplitudes: Sequence[np.ndarray]) -> type[PlaneFunction]:
    """The class of Σ a_j φ_j over harmonic families in the plain frame.

    Args:
        families: Powers and polynomials.
        amplitudes: Per family.

    Returns:
        A SymPy function of x and y.
    """
    parts = []
    for family, own in zip(families, amplitudes, strict=True):
        factors: dict[int, complex] = {}
        for j, part, a in zip(family.function, family.part, own, strict=True):
            if a:  # Re(-i f) = Im f
                factors[int(j)] = factors.get(int(j), 0) + float(a) * (-1j if part else 1)
        parts.append(_SUMS[type(family)](family, factors))
    return _class(tuple(parts), (0, 0), {})


def _class(parts: tuple[Any, ...], orders: tuple[int, int], known: dict) -> type[PlaneFunction]:
    if orders not in known:
        name = f"F{id(known):x}_{orders[0]}{orders[1]}"
        known[orders] = type(name, (PlaneFunction,), {"parts": parts, "orders": orders, "relatives": known})
    return known[orders]


def _exact(number: complex) -> Ball:
    return flint.acb(flint.arb(float(number.real)), flint.arb(float(number.imag)))


def _moved(family: PlaneAtoms, z: Ball) -> Ball:
    return z - _exact(complex(*family.frame.origin))


class _PolynomialSum:
    """Σ b_k q_k(w) as one polynomial, its coefficients by the recurrence in many digits."""

    def __init__(self, family: ArnoldiAtoms, factors: dict[int, complex]) -> None:
        self.family = family
        with precision(_BITS):
            known, total = [flint.acb_poly([1])], flint.acb_poly([0])
            h = family.recurrence
            for k in range(max(factors, default=0) + 1):
                if k in factors:
                    total += known[k] * _exact(factors[k])
                if k < h.shape[1]:
                    step = flint.acb_poly([0, 1]) * known[k]
                    for j in range(k + 1):
                        step -= known[j] * _exact(complex(h[j, k]))
                    known.append(step * (1 / _exact(complex(h[k + 1, k]))))
            self.derivatives = [total]

    def plane(self, x: Ball, y: Ball, order: int) -> Ball:
        """All of it is analytic in z."""
        return flint.arb(0)

    def __call__(self, z: Ball, order: int, turn: Ball, analytic: bool) -> Ball:
        while len(self.derivatives) <= order:
            with precision(_BITS):
                self.derivatives.append(self.derivatives[-1].derivative())
        own, scale = self.family, flint.arb(self.family.scale)
        shift = _moved(own, z) - _exact(own.centre)
        if not own.inverse:
            return turn * self.derivatives[order](shift / scale) / scale**order
        w = scale / shift
        if order == 0:
            return turn * self.derivatives[0](w)
        return -turn * self.derivatives[1](w) * w * w / scale if order == 1 else flint.acb("nan")


class _PowerSum:
    """Σ b w^s (log w)^l, grouped by w."""

    def __init__(self, family: PowerAtoms, factors: dict[int, complex]) -> None:
        self.family = family
        groups: dict[tuple, list] = {}
        for j, b in factors.items():
            key = (complex(family.centres[j]), complex(family.directions[j]), complex(family.ends[j]))
            groups.setdefault(key, []).append((float(family.powers[j]), int(family.logs[j]), _exact(b)))
        self.groups = [(_exact(c), _exact(d), _exact(f) if np.isfinite(f) else None, terms)
                       for (c, d, f), terms in groups.items()]  # fmt: skip

    def __call__(self, z: Ball, order: int, turn: Ball, analytic: bool) -> Ball:
        total, place = flint.acb(0), _moved(self.family, z)
        for centre, direction, end, terms in self.groups:
            shift = place - centre
            w = shift / (direction if end is None else place - end)
            rate = 1 / direction if end is None else (centre - end) / (place - end) ** 2
            if order > 1:
                return flint.acb("nan")
            holds_zero = w.real.contains(0) and w.imag.contains(0)
            if holds_zero and analytic:
                return flint.acb("nan")
            for s, log, b in terms:
                if order == 0 and _is_source(s, log, b):
                    continue
                if holds_zero:
                    factor = turn * b * (rate * flint.arb(s) if order else 1)
                    total += _near_zero(w, s - order, log, factor)
                    if order and log:
                        total += _near_zero(w, s - order, 0, turn * b * rate)
                else:
                    total += turn * b * _power(w, rate, s, log, order)
        return total

    def plane(self, x: Ball, y: Ball, order: int) -> Ball:
        """Σ b log|w|: one-valued around c, while log w is not."""
        total, (ox, oy) = flint.arb(0), map(float, self.family.frame.origin)
        if order:
            return total
        for centre, direction, end, terms in self.groups:
            for s, log, b in terms:
                if _is_source(s, log, b):
                    size = _square(x - ox, y - oy, centre)
                    under = abs(direction) ** 2 if end is None else _square(x - ox, y - oy, end)
                    ratio = size / under
                    total += b.real / 2 * (ratio.log(analytic=True) if isinstance(ratio, flint.acb) else ratio.log())
        return total


class _BesselSum:
    """Σ b C_s(kr) e^{isθ}: with w₊ = (x + iy - c)/d and w₋ its reflection, r² = w₊w₋ and e^{iθ} = w₊/r."""

    def __init__(self, family: BesselAtoms, factors: dict[int, complex]) -> None:
        self.family = family
        self.terms = [(_exact(complex(family.centres[j])), _exact(complex(family.directions[j])),
                       float(family.orders[j]), _exact(b) / flint.arb(float(family.scales[j])))
                      for j, b in factors.items()]  # fmt: skip

    def __call__(self, z: Ball, order: int, turn: Ball, analytic: bool) -> Ball:
        return flint.acb(0)

    def plane(self, x: Ball, y: Ball, order: int) -> Ball:
        """Re f and Im f are (w₊^s ± w₋^s) g(r²)/2 and /2i, with g even in r."""
        if order:
            return flint.acb("nan")
        real = isinstance(x, flint.arb)
        ox, oy = map(float, self.family.frame.origin)
        above = flint.acb(x - ox) + flint.acb(y - oy) * flint.acb(0, 1)
        below = flint.acb(x - ox) - flint.acb(y - oy) * flint.acb(0, 1)
        k, i, total = flint.arb(self.family.wavenumber), flint.acb(0, 1), flint.acb(0)
        for centre, direction, s, b in self.terms:
            plus, minus = (above - centre) / direction, (below - centre.conjugate()) / direction.conjugate()
            g = _radial(self.family.letter, s, k, plus * minus)
            if s == round(s):
                first, second = plus ** int(s), minus ** int(s)
            elif real and plus.real.contains(0) and plus.imag.contains(0):
                disk = flint.acb(flint.arb(0, 1), flint.arb(0, 1)) * (plus.abs_upper() ** flint.arb(s))
                first, second = disk, disk
            else:
                first, second = ((q.log(analytic=True) * flint.arb(s)).exp() for q in (plus, minus))
            total += g * (b.real * (first + second) / 2 - b.imag * (first - second) / (2 * i))
        return total.real if real else total


def _radial(letter: str, s: float, k: Ball, square: Ball) -> Ball:
    """C_s(kr)/r^s as a function of r²; J and I by 0F1 (DLMF 10.16.9, 10.39.9), which is entire."""
    half = k / 2
    if letter in {"J", "I"}:
        sign = -1 if letter == "J" else 1
        return (sign * half * half * square).hypgeom_0f1(flint.acb(s + 1), regularized=True) * half ** flint.arb(s)
    r = square.sqrt(analytic=True)
    value = (k * r).bessel_y(flint.acb(s)) if letter == "Y" else (k * r).bessel_k(flint.acb(s))
    return value / r ** int(s) if s == round(s) else flint.acb("nan")


def _square(x: Ball, y: Ball, centre: Ball) -> Ball:
    return (x - centre.real) ** 2 + (y - centre.imag) ** 2


def _is_source(s: float, log: int, b: Ball) -> bool:
    """Re b log w with real b."""
    return s == 0 and log == 1 and bool(b.imag == 0)


def _power(w: Ball, rate: Ball, s: float, log: int, order: int) -> Ball:
    """w^s (log w)^l, or its derivative."""
    if s == round(s) and not log:
        return w ** int(s) if not order else rate * flint.arb(s) * w ** int(s - 1)
    if s == 0 and order:
        return rate / w  # log w need not be one-valued
    long = w.log(analytic=True)
    value = (long * flint.arb(s)).exp()
    if not order:
        return value * long if log else value
    return rate * value / w * ((flint.arb(s) * long + 1) if log else flint.arb(s))


def _near_zero(w: Ball, s: float, log: int, b: Ball) -> Ball:
    """A ball around b w^s (log w)^l where w may be 0: |w^s log w| grows with |w| up to exp(-1/s)."""
    disk = flint.acb(flint.arb(0, 1), flint.arb(0, 1))
    radius = w.abs_upper()
    if s == 0:
        if not log:
            return b
        # b is imaginary: its real part is an angle
        return flint.acb(flint.arb(0, 1) * flint.arb.pi() * abs(b.imag)) if b.real == 0 else flint.acb("nan")
    if s < 0:
        return flint.acb("nan")
    size = radius ** flint.arb(s)
    if log:
        if not radius < (-1 / flint.arb(s)).exp():
            return flint.acb("nan")
        size = size * (abs(radius.log()) + flint.arb.pi())
    return disk * size.abs_upper() * abs(b)


_SUMS: dict[type, Any] = {PowerAtoms: _PowerSum, ArnoldiAtoms: _PolynomialSum, BesselAtoms: _BesselSum}
