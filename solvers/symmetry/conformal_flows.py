"""Flows of two variables that decouple in (real or complex) characteristic coordinates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sympy as sp

from solvers.symmetry.matrix_exponential import cosine_pair
from solvers.symmetry.scalar_flows import scalar_flow


def decoupled_flow(
    block: Sequence[sp.Symbol], field: Mapping[sp.Symbol, sp.Expr], s: sp.Symbol
) -> tuple[dict[sp.Symbol, sp.Expr], list[tuple[sp.Expr, sp.Expr]]] | None:
    """Flow of (x, y) through ℓ = x + μ y with ℓ′ = h(ℓ).

    The condition is μ² ∂ₓX_y + μ (∂ₓX_x − ∂_yX_y) − ∂_yX_x = 0 with a constant μ. For the conformal fields
    of the plane μ = ±i and h is holomorphic (Cauchy–Riemann); for those of the wave equation μ is real.

    Args:
        block: The two variables.
        field: Their components, free of other moving variables.
        s: Group parameter.

    Returns:
        Solution, and pairs (g, ∫₀ˢ g) for the integrands Re h′(ℓ) and Im h′(ℓ); None if nothing decouples.
    """
    if len(block) != 2:
        return None
    x, y = block
    a, b = field[x], field[y]
    coefficients = [b.diff(x), a.diff(x) - b.diff(y), -a.diff(y)]
    mu = _constant_roots(coefficients, x, y)
    if mu is None:
        return None
    if mu[0].is_real:
        return _real_characteristics((x, y), (a, b), mu, s)
    return _complex_characteristic((x, y), (a, b), mu[0], s)


def _constant_roots(coefficients: list[sp.Expr], x: sp.Symbol, y: sp.Symbol) -> list[sp.Expr] | None:
    lead = next((c for c in coefficients if c != 0), None)
    if lead is None or coefficients[0] == 0:
        return None
    point = {x: sp.Rational(3, 7), y: sp.Rational(5, 11)}
    ratios = [sp.nsimplify(sp.N((c / coefficients[0]).subs(point), 30), rational=True) for c in coefficients]
    exact = []
    for ratio, c in zip(ratios, coefficients, strict=True):
        value = ratio if ratio.is_Rational and sp.Integer(ratio.q) < 10**6 else None
        if value is None or not _vanishes(c - value * coefficients[0], x, y):
            value = sp.cancel(c / coefficients[0])
            if value.has(x, y):
                return None
        exact.append(value)
    half, product = -exact[1] / 2, exact[2]
    root = sp.sqrt(sp.cancel(half**2 - product))
    return None if root == 0 else [half + root, half - root]


def _vanishes(expression: sp.Expr, x: sp.Symbol, y: sp.Symbol) -> bool:
    if expression == 0 or sp.expand(expression) == 0:
        return True
    points = [(sp.Rational(2, 9), sp.Rational(7, 5)), (-sp.Rational(11, 8), sp.Rational(1, 3))]
    return all(abs(sp.N(expression.subs({x: p, y: q}), 30)) < 1e-20 for p, q in points)


def _along(
    pair: tuple[sp.Symbol, sp.Symbol], components: tuple[sp.Expr, sp.Expr], mu: sp.Expr, variable: sp.Symbol
) -> sp.Expr:
    """h(ℓ): the component of ℓ = x + μ y, read off on the line y = 0."""
    at_axis = {pair[0]: variable, pair[1]: sp.S.Zero}
    return sp.expand((components[0] + mu * components[1]).subs(at_axis, simultaneous=True))


def _real_characteristics(pair, components, mu, s):
    moved, table = [], []
    for value in mu:
        line = sp.Dummy("l", real=True)
        rate = _along(pair, components, value, line)
        flow = scalar_flow(rate, line, s)
        if flow is None:
            return None
        start = pair[0] + value * pair[1]
        moved.append(flow.subs(line, start))
        growth = sp.log(rate.subs(line, flow) / rate).subs(line, start) if rate.has(line) else sp.S.Zero
        table.append((rate.diff(line).subs(line, start), growth))
    second = (moved[0] - moved[1]) / (mu[0] - mu[1])
    return {pair[0]: moved[0] - mu[0] * second, pair[1]: second}, table


def _complex_characteristic(pair, components, mu, s):
    line = sp.Dummy("l")
    rate = _along(pair, components, mu, line)
    start = pair[0] + mu * pair[1]
    if rate.is_polynomial(line) and sp.degree(rate, line) == 2:
        return _complex_riccati(pair, mu, rate, line, s)
    flow = scalar_flow(rate, line, s)
    if flow is None:
        return None
    real, imaginary = split_complex(flow.subs(line, start))
    second = imaginary / sp.im(mu)
    growth = split_complex(sp.log(rate.subs(line, flow) / rate).subs(line, start))
    slope = split_complex(rate.diff(line).subs(line, start))
    solution = {pair[0]: real - sp.re(mu) * second, pair[1]: second}
    return solution, list(zip(slope, growth, strict=True))


def _complex_riccati(pair, mu, rate, line, s):
    """ℓ′ = aℓ² + bℓ + c: the Möbius map (ℓ cosh ωs + (bℓ/2 + c) S)/D, D = cosh ωs − (aℓ + b/2) S, S = sinh(ωs)/ω."""
    a, b, c = (rate.coeff(line, power) for power in (2, 1, 0))
    start = _Pair(pair[0] + sp.re(mu) * pair[1], sp.im(mu) * pair[1])
    a, b, c = (_Pair(*sp.expand(k).as_real_imag()) for k in (a, b, c))
    square = b * b * sp.Rational(1, 4) + a * c * -1
    cosine, sine = _complex_cosine_pair(square, s)
    top = start * cosine + (b * start * sp.Rational(1, 2) + c) * sine
    bottom = cosine + (a * start + b * sp.Rational(1, 2)) * sine * -1
    norm = sp.expand(bottom.real**2 + bottom.imaginary**2)
    moved = top * _Pair(bottom.real, -bottom.imaginary)
    second = sp.expand(moved.imaginary) / norm / sp.im(mu)
    solution = {pair[0]: sp.expand(moved.real) / norm - sp.re(mu) * second, pair[1]: second}
    # d/ds log h(ℓ) = h′(ℓ), and the derivative of the Möbius map is 1/D².
    slope = a * start * 2 + b
    growth = (-sp.log(norm), -2 * sp.atan2(bottom.imaginary, bottom.real))
    return solution, list(zip((slope.real, slope.imaginary), growth, strict=True))


def _complex_cosine_pair(square: _Pair, s: sp.Symbol) -> tuple[_Pair, _Pair]:
    """Both cosh ωs and sinh(ωs)/ω for complex ω² = P + iQ, ω = ρ + iσ."""
    if square.imaginary == 0:
        return tuple(_Pair(part, sp.S.Zero) for part in cosine_pair(square.real, s))  # type: ignore[return-value]
    modulus = sp.sqrt(square.real**2 + square.imaginary**2)
    rho = sp.sqrt((modulus + square.real) / 2)
    sigma = square.imaginary / (2 * rho)
    cosine = _Pair(sp.cosh(rho * s) * sp.cos(sigma * s), sp.sinh(rho * s) * sp.sin(sigma * s))
    sine = _Pair(sp.sinh(rho * s) * sp.cos(sigma * s), sp.cosh(rho * s) * sp.sin(sigma * s))
    return cosine, sine * _Pair(rho / modulus, -sigma / modulus)


@dataclass(frozen=True)
class _Pair:
    """A complex expression as its real and imaginary part."""

    real: sp.Expr
    imaginary: sp.Expr

    def __add__(self, other: _Pair) -> _Pair:
        return _Pair(sp.expand(self.real + other.real), sp.expand(self.imaginary + other.imaginary))

    def __mul__(self, other: _Pair | sp.Expr | int) -> _Pair:
        if not isinstance(other, _Pair):
            return _Pair(sp.expand(self.real * other), sp.expand(self.imaginary * other))
        return _Pair(
            sp.expand(self.real * other.real - self.imaginary * other.imaginary),
            sp.expand(self.real * other.imaginary + self.imaginary * other.real),
        )


def split_complex(expression: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    """Real and imaginary part of an expression in real symbols.

    Args:
        expression: Built of sums, products, powers, exp, log, sin and cos.

    Returns:
        Both parts; logarithms give atan2.
    """
    if not expression.has(sp.I):
        return expression, sp.S.Zero
    if expression.is_Add:
        parts = [split_complex(term) for term in expression.args]
        return sp.Add(*(p for p, _ in parts)), sp.Add(*(q for _, q in parts))
    if expression.is_Mul:
        real, imaginary = sp.S.One, sp.S.Zero
        for factor in expression.args:
            p, q = split_complex(factor)
            real, imaginary = sp.expand(real * p - imaginary * q), sp.expand(real * q + imaginary * p)
        return real, imaginary
    if expression.is_Pow and expression.exp.is_Integer:
        p, q = split_complex(expression.base)
        if expression.exp > 0:
            total = sp.expand((p + sp.I * q) ** expression.exp)
            return total.as_real_imag()
        p, q = split_complex(sp.Pow(expression.base, -expression.exp))
        norm = sp.factor(sp.expand(p**2 + q**2))
        return p / norm, -q / norm
    if isinstance(expression, sp.exp):
        p, q = split_complex(sp.expand(expression.args[0]))
        return sp.exp(p) * sp.cos(q), sp.exp(p) * sp.sin(q)
    if isinstance(expression, sp.log):
        p, q = split_complex(expression.args[0])
        return sp.log(sp.trigsimp(sp.expand(p**2 + q**2))) / 2, sp.atan2(q, p)
    if isinstance(expression, sp.sin | sp.cos):
        p, q = split_complex(expression.args[0])
        if isinstance(expression, sp.sin):
            return sp.sin(p) * sp.cosh(q), sp.cos(p) * sp.sinh(q)
        return sp.cos(p) * sp.cosh(q), -sp.sin(p) * sp.sinh(q)
    return expression.as_real_imag()
