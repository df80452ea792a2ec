"""One characteristic equation dz/dr = g(z, r) with its constant of integration in closed form."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import sympy as sp

from solvers.symmetry.quadrature import primitive


@dataclass(frozen=True)
class Level:
    """The general solution of a scalar equation.

    Attributes:
        constant: I(z, r), constant along every solution.
        solution: z = Z(r, I), with I written as `symbol`.
        symbol: Stands for the constant.
    """

    constant: sp.Expr
    solution: sp.Expr
    symbol: sp.Symbol


def characteristic(rate: sp.Expr, z: sp.Symbol, r: sp.Symbol) -> Level | None:
    """Integrate dz/dr = g(z, r): linear, Bernoulli, exponential, logarithmic, separable, homogeneous.

    All symbols are taken as positive, so that powers and logarithms combine (Ince 1926, chapter 2).

    Args:
        rate: g.
        z: Unknown.
        r: Variable.

    Returns:
        The constant of integration and the solution, or None if no formula applies.

    Example:
        >>> z, r = sp.symbols("z r", positive=True)
        >>> characteristic(z / (2 * r), z, r).constant
        z/sqrt(r)
    """
    rate = sp.expand(rate)
    linear = _linear(rate, z, r)
    if linear is not None:
        return linear
    for forward, backward, w in _linearising(rate, z):
        changed = sp.powsimp(sp.expand((forward.diff(z) * rate).subs(z, backward)))
        changed = sp.expand(sp.powdenest(sp.expand_log(changed, force=True), force=True))
        inner = _linear(changed, w, r)
        if inner is not None:
            back = backward.subs(w, inner.solution)
            return Level(inner.constant.subs(w, forward), back, inner.symbol)
    return _separable(rate, z, r) or _homogeneous(rate, z, r)


def _linear(rate: sp.Expr, z: sp.Symbol, r: sp.Symbol) -> Level | None:
    """z′ = a z + b: I = m z − ∫ b m with m = exp(−∫a)."""
    if not rate.is_polynomial(z) or sp.degree(rate, z) > 1:
        return None
    a, b = tidy_rate(rate.coeff(z, 1)), tidy_rate(rate.coeff(z, 0))
    growth = primitive(a, r)
    if growth is None:
        return None
    factor = exponential(-growth)
    source = primitive(sp.powsimp(sp.expand(b * factor)), r) if b != 0 else sp.S.Zero
    if source is None:
        return None
    symbol = sp.Dummy("I", positive=True)
    return Level(sp.expand(z * factor - source), sp.expand((symbol + source) / factor), symbol)


def tidy_rate(expression: sp.Expr) -> sp.Expr:
    """Cancel what is rational, join powers."""
    if expression.is_rational_function(*expression.free_symbols):
        return sp.cancel(expression)
    return sp.powsimp(sp.expand(expression))


def exponential(expression: sp.Expr) -> sp.Expr:
    """Exp of a sum in which logarithms turn into powers."""
    terms = sp.expand(sp.expand_log(sp.logcombine(sp.expand(expression), force=False), force=True))
    return sp.powsimp(sp.Mul(*(_power(term) for term in sp.Add.make_args(terms))))


def _power(term: sp.Expr) -> sp.Expr:
    """exp(c log b) as b**c."""
    logarithms = [f for f in sp.Mul.make_args(term) if isinstance(f, sp.log)]
    if len(logarithms) == 1 and not (term / logarithms[0]).has(sp.log):
        return logarithms[0].args[0] ** (term / logarithms[0])
    return sp.exp(term)


def _linearising(rate: sp.Expr, z: sp.Symbol) -> Iterator[tuple[sp.Expr, sp.Expr, sp.Symbol]]:
    w = sp.Dummy("w", positive=True)
    powers = {p.exp for p in rate.atoms(sp.Pow) if p.base == z and not p.exp.has(z)} - {sp.S.One}
    for n in sorted(powers, key=str):
        yield z ** (1 - n), w ** (1 / (1 - n)), w
    for k in sorted({sp.expand(e.args[0]).coeff(z, 1) for e in rate.atoms(sp.exp) if e.has(z)} - {0}, key=str):
        yield sp.exp(-k * z), -sp.log(w) / k, w
    if rate.has(sp.log(z)):
        yield sp.log(z), sp.exp(w), w


def _separable(rate: sp.Expr, z: sp.Symbol, r: sp.Symbol) -> Level | None:
    factors = sp.Mul.make_args(sp.factor(rate))
    own = sp.Mul(*(f for f in factors if f.has(z)))
    if own.has(r):
        return None
    time = primitive(sp.Mul(*(f for f in factors if not f.has(z))), r)
    level = primitive(sp.cancel(1 / own), z)
    if time is None or level is None:
        return None
    symbol, target = sp.Dummy("I", positive=True), sp.Dummy("target")
    inverse = positive_inverse(level, z, target)
    if inverse is None:
        return None
    return Level(level - time, inverse.subs(target, symbol + time), symbol)


def _homogeneous(rate: sp.Expr, z: sp.Symbol, r: sp.Symbol) -> Level | None:
    """z′ = h(z/r): w = z/r is separable."""
    w = sp.Dummy("w", positive=True)
    shape = sp.cancel(sp.powsimp(sp.expand(rate.subs(z, w * r))))
    if shape.has(r):
        return None
    inner = _separable((shape - w) / r, w, r)
    return inner and Level(inner.constant.subs(w, z / r), r * inner.solution, inner.symbol)


_UNDO = {sp.log: sp.exp, sp.exp: sp.log, sp.tan: sp.atan, sp.atan: sp.tan, sp.sin: sp.asin, sp.asin: sp.sin,
         sp.sinh: sp.asinh, sp.asinh: sp.sinh, sp.tanh: sp.atanh, sp.atanh: sp.tanh}  # fmt: skip


def positive_inverse(level: sp.Expr, z: sp.Symbol, value: sp.Expr) -> sp.Expr | None:
    """Solve level(z) = value for z on the branch of positive numbers.

    Args:
        level: Expression in z.
        z: Unknown.
        value: Right side, free of z.

    Returns:
        The solution, or None.

    Example:
        >>> z, c = sp.symbols("z c", positive=True)
        >>> positive_inverse(sp.log(z**2 + 1), z, c)
        sqrt(exp(c) - 1)
    """
    while level != z:
        rest, moving = level.as_independent(z, as_Add=level.is_Add)
        if level.is_Add and rest != 0:
            level, value = moving, value - rest
        elif level.is_Mul and rest != 1:
            level, value = moving, value / rest
        elif level.func in _UNDO:
            level, value = level.args[0], _UNDO[level.func](value)
        elif level.is_Pow and not level.exp.has(z):
            level, value = level.base, value ** (1 / level.exp)
        elif level.is_Add and (joined := _joined(level)) is not None:
            level, value = joined[0], value / joined[1]
        else:
            return _rational_root(level, z, value)
    return value


def _joined(level: sp.Expr) -> tuple[sp.Expr, sp.Expr] | None:
    """A sum of logarithms with integer ratios of their factors: one logarithm, and its factor."""
    parts = [(term.as_independent(sp.log, as_Add=False)) for term in level.args]
    if any(log.func is not sp.log for _, log in parts):
        return None
    scale = parts[0][0]
    ratios = [sp.cancel(factor / scale) for factor, _ in parts]
    if not all(ratio.is_Integer for ratio in ratios):
        return None
    inside = sp.Mul(*(log.args[0] ** ratio for ratio, (_, log) in zip(ratios, parts, strict=True)))
    return sp.log(sp.cancel(inside)), scale


def _rational_root(level: sp.Expr, z: sp.Symbol, value: sp.Expr) -> sp.Expr | None:
    """The larger root of a linear or quadratic equation in z or in one exponential of z."""
    exponentials = {e for e in level.atoms(sp.exp) if e.has(z)}
    if exponentials:
        rates = [sp.expand(e.args[0]).coeff(z, 1) for e in exponentials]
        unit = min(rates, key=lambda r: (sp.count_ops(r), str(r)))
        unit = -unit if unit.could_extract_minus_sign() else unit
        v = sp.Dummy("v", positive=True)
        inside = sp.powsimp(sp.expand(level.subs(z, sp.log(v) / unit)))
        root = None if inside.has(z) else _rational_root(inside, v, value)
        return None if root is None else sp.log(root) / unit
    top, bottom = sp.fraction(sp.together(level))
    equation = sp.expand(top - value * bottom)
    if not equation.is_polynomial(z) or not 1 <= sp.degree(equation, z) <= 2:
        return None
    a, b, c = (equation.coeff(z, power) for power in (2, 1, 0))
    return sp.cancel(-c / b) if a == 0 else (-b + sp.sqrt(b**2 - 4 * a * c)) / (2 * a)
