"""Equivalence of u_t = a u_xx + b u_x + c u to the heat equation."""

from __future__ import annotations

import random
from dataclasses import dataclass

import mpmath
import sympy as sp

from solvers.symmetry.characteristics import exponential
from solvers.symmetry.linear_odes import linear_solutions
from solvers.symmetry.quadrature import primitive


@dataclass(frozen=True)
class HeatForm:
    """u = factor · w(y, s) with w_s = w_yy, or the reason why there is none.

    Attributes:
        y: New space coordinate.
        s: New time.
        factor: Multiplier.
        reason: Empty where the map exists.
        equivalent: Whether the equation is equivalent to the heat equation, with or without closed form.
        reversed: Whether s runs against t.
    """

    y: sp.Expr = sp.S.Zero
    s: sp.Expr = sp.S.Zero
    factor: sp.Expr = sp.S.One
    reason: str = ""
    equivalent: bool = True
    reversed: bool = False


class NoQuadratureError(Exception):
    """An integral has no closed form among the rules."""


def heat_form(a: sp.Expr, b: sp.Expr, c: sp.Expr, x: sp.Symbol, t: sp.Symbol) -> HeatForm:
    """Lie's normal form (Lie 1881; Ovsiannikov 1982, section 9).

    y = ∫ dx/√a, B = b/√a − a_x/(2√a) − y_t, u = exp(−½∫B dy) v give v_t = v_yy + Q v. The symmetry algebra
    is that of the heat equation iff Q_yyy = 0; then v = exp(A y² + B₁ y + C) w(αy + β, s) with α = 1/φ, A = −φ′/(4φ),
    φ″ = −4 q₂ φ, B₁ = α ∫ q₁/α, β = ∫ 2αB₁, C = ∫ (B₁² + 2A + q₀), s = ∫ α².

    Args:
        a: Coefficient of u_xx, not zero; negative: time is reversed.
        b: Coefficient of u_x.
        c: Coefficient of u.
        x: Space coordinate; it and all other symbols are taken as positive.
        t: Time.

    Returns:
        The map or the reason why there is none.
    """
    free = set().union(*(e.free_symbols for e in (a, b, c))) | {x, t}
    positive = {p: sp.Dummy(p.name, positive=True) for p in sorted(free, key=str)}
    back = {d: p for p, d in positive.items()}
    inner = [e.xreplace(positive) for e in (a, b, c)]
    z, time = positive[x], positive[t]
    sign = _sign(inner[0])
    if sign < 0:
        inner = [-e.xreplace({time: -time}) for e in inner]
    try:
        form = _Normal(inner[0], inner[1], inner[2], z, time).heat_form()
    except NoQuadratureError as failure:
        return HeatForm(reason=_named(f"Q_yyy = 0: equivalent to the heat equation, but {failure}", back))
    parts = [e.xreplace({time: -time}) if sign < 0 else e for e in (form.y, form.s, form.factor)]
    y, s, factor = (e.xreplace(back) for e in parts)
    return HeatForm(y, s, factor, _named(form.reason, back), form.equivalent, sign < 0)


def _named(reason: str, back: dict) -> str:
    for dummy in back:
        reason = reason.replace(str(dummy), dummy.name)
    return reason


def _sign(expression: sp.Expr) -> int:
    """Sign at a point with positive values of all symbols."""
    source = random.Random(1)
    value = sp.N(expression.xreplace({s: sp.Float(source.uniform(0.5, 1.5)) for s in _ordered(expression)}))
    return -1 if value.is_negative else 1


def _ordered(expression: sp.Expr) -> list[sp.Symbol]:
    return sorted(expression.free_symbols, key=lambda s: (s.name, str(s)))


class _Normal:
    """The steps of the reduction, in x and t as variables and y as a function of them."""

    def __init__(self, a: sp.Expr, b: sp.Expr, c: sp.Expr, x: sp.Symbol, t: sp.Symbol) -> None:
        self.x, self.t = x, t
        self.root = sp.sqrt(sp.factor(a))
        self.y = self._integral(1 / self.root, x)
        # a_x/(2 sqrt a) = (sqrt a)_x; the velocity of the coordinate y enters with a minus sign.
        self.b = sp.expand(b / self.root - self.root.diff(x) - self.y.diff(t))
        self.c = c

    def by_y(self, expression: sp.Expr) -> sp.Expr:
        """∂/∂y at fixed time."""
        return self.root * expression.diff(self.x)

    def by_t(self, expression: sp.Expr) -> sp.Expr:
        """∂/∂t at fixed y."""
        return expression.diff(self.t) - self.y.diff(self.t) * self.by_y(expression)

    def _integral(self, expression: sp.Expr, variable: sp.Symbol) -> sp.Expr:
        if expression == 0:
            return sp.S.Zero
        result = primitive(sp.powsimp(sp.expand(expression)), variable)
        if result is None:
            raise NoQuadratureError(f"the integral of {expression} d{variable} has no closed form here")
        return result

    def heat_form(self) -> HeatForm:
        """The whole chain."""
        b_y = self.by_y(self.b)
        q_y = self.by_y(self.c) - self.by_y(b_y) / 2 - self.b * b_y / 2 + self.by_t(self.b) / 2
        q_yy = self.by_y(q_y)
        if not vanishes(self.by_y(q_yy)):
            shown = sp.simplify(self.by_y(q_yy)) if q_yy.count_ops() < 200 else "not zero"
            return HeatForm(reason=f"Q_yyy = {shown}, not 0: the symmetry algebra is smaller than that of the heat "
                                   "equation", equivalent=False)  # fmt: skip
        gauge = self._integral(self.b / self.root, self.x)
        q = self.c - b_y / 2 - self.b**2 / 4 + self.by_t(gauge) / 2
        q2 = self._at(q_yy / 2)
        q1 = self._at(q_y - 2 * q2 * self.y)
        q0 = self._at(q - q2 * self.y**2 - q1 * self.y)
        return self._solved(q2, q1, q0, gauge)

    def _at(self, expression: sp.Expr) -> sp.Expr:
        """An expression that does not depend on x, without x."""
        short = sp.simplify(expression) if expression.count_ops() < 300 else sp.powsimp(sp.expand(expression))
        for value in (0, 1, 2):
            if not short.has(self.x):
                break
            there = short.subs(self.x, value)
            if not there.has(sp.zoo, sp.nan, sp.oo):
                short = sp.simplify(there)
        return short

    def _solved(self, q2: sp.Expr, q1: sp.Expr, q0: sp.Expr, gauge: sp.Expr) -> HeatForm:
        t = self.t
        phi, s = self._without_quadratic(q2) or self._projective(q2)
        linear = self._integral(sp.expand(q1 * phi), t) / phi if q1 != 0 else sp.S.Zero
        shift = self._integral(2 * linear / phi, t)
        level = self._integral(linear**2, t) + self._integral(q0, t)
        quadratic = -phi.diff(t) / (4 * phi)
        exponent = sp.expand(-gauge / 2 + quadratic * self.y**2 + linear * self.y + level)
        factor = exponential(exponent) / sp.sqrt(phi)
        return HeatForm(sp.expand(self.y / phi + shift), s, sp.powsimp(factor))

    def _without_quadratic(self, q2: sp.Expr) -> tuple[sp.Expr, sp.Expr] | None:
        """A = B_y/4 cancels the quadratic part of the first factor: right for linear drifts without potential."""
        rate = self._at(self.by_y(self.b))
        growth = primitive(rate, self.t) if not rate.has(self.x) else None
        if growth is None:
            return None
        phi = exponential(-growth)
        if not vanishes(phi.diff(self.t, 2) + 4 * q2 * phi):
            return None
        s = primitive(sp.powsimp(sp.expand(phi**-2)), self.t)
        return None if s is None else (phi, s)

    def _projective(self, q2: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
        """φ with φ″ = −4 q₂ φ, and s = ∫ φ⁻² from a second solution and the Wronskian."""
        t = self.t
        if q2 == 0:
            return sp.S.One, t
        if not q2.has(t):
            rate = sp.factor(-4 * q2)
            if rate.is_positive:
                kappa = sp.sqrt(rate)
                return sp.exp(kappa * t), -sp.exp(-2 * kappa * t) / (2 * kappa)
            if rate.is_negative:
                kappa = sp.sqrt(-rate)
                return sp.cos(kappa * t), sp.tan(kappa * t) / kappa
            kappa = sp.sqrt(rate)
            return sp.cosh(kappa * t), sp.tanh(kappa * t) / kappa
        basis = linear_solutions([4 * q2, sp.S.Zero, sp.S.One], t)
        if basis is None:
            raise NoQuadratureError(f"phi'' = -4 ({q2}) phi has no closed form here")
        first, second = basis
        wronskian = first * second.diff(t) - first.diff(t) * second
        for value in (0, 1):
            there = wronskian.subs(t, value)
            if not there.has(sp.zoo, sp.nan, sp.oo):
                return first, second / (sp.simplify(there) * first)
        raise NoQuadratureError("the Wronskian has no finite value here")


def vanishes(expression: sp.Expr) -> bool:
    """Whether an expression is zero: at random points with 40 digits."""
    if expression == 0 or sp.expand(expression) == 0:
        return True
    symbols = _ordered(expression)
    function = sp.lambdify(symbols, sp.Add.make_args(sp.expand(expression)), "mpmath")
    source = random.Random(5)
    with mpmath.workdps(40):
        for _ in range(3):
            terms = function(*(mpmath.mpf(repr(source.uniform(0.4, 1.6))) for _ in symbols))
            if abs(mpmath.fsum(terms)) > mpmath.mpf(10) ** -25 * (1 + mpmath.fsum(abs(v) for v in terms)):
                return False
    return True
