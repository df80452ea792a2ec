"""Flow of one variable: z′ = g(z, s), by formulas."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import sympy as sp
from sympy.simplify.fu import TR8

from solvers.symmetry.branches import near_identity
from solvers.symmetry.matrix_exponential import cosine_pair
from solvers.symmetry.quadrature import definite, primitive

Integrate = Callable[[sp.Expr], sp.Expr | None]


def scalar_flow(rate: sp.Expr, z: sp.Symbol, s: sp.Symbol, integrate: Integrate | None = None) -> sp.Expr | None:
    """Solution of z′ = g(z, s) whose value at s = 0 is again called z.

    Linear: integrating factor. Quadratic with constant ratios of the coefficients: Riccati, as the linear
    fractional action of exp of a 2×2 matrix. Bernoulli, exponential, logarithmic and trigonometric rates:
    a substitution w(z) makes them linear or quadratic. Otherwise separation, if the primitive of 1/g is
    invertible (Ince 1926, chapter 2).

    Args:
        rate: g, in z, s and constants.
        z: Unknown, and its initial value.
        s: Group parameter.
        integrate: ∫₀ˢ of an expression free of z; default: `quadrature.definite`.

    Returns:
        z(s), or None if no formula applies.

    Example:
        >>> z, s = sp.symbols("z s", real=True)
        >>> scalar_flow(z**2, z, s)
        z/(-s*z + 1)
    """
    along = integrate or (lambda expression: definite(expression, s))
    rate = sp.expand(_multiple_angles(rate, z))
    if not rate.has(z):
        total = along(rate)
        return None if total is None else z + total
    if rate.is_polynomial(z) and sp.degree(rate, z) <= 2:
        result = _quadratic(rate, z, s, along)
        if result is not None:
            return result
    for forward, inverse in _substitutions(rate, z):
        result = _substituted(rate, z, s, forward, inverse, along)
        if result is not None:
            return result
    return _separated(rate, z, s, along)


def _quadratic(rate: sp.Expr, z: sp.Symbol, s: sp.Symbol, along: Integrate) -> sp.Expr | None:
    a, b, c = (rate.coeff(z, power) for power in (2, 1, 0))
    if a == 0:
        growth = along(b)
        if growth is None:
            return None
        factor = near_identity(sp.powsimp(sp.exp(growth)), s)
        if c == 0:
            return z * factor
        source = along(sp.powsimp(sp.expand(c / factor))) if growth != 0 else along(c)
        return None if source is None else sp.expand(factor * z) + sp.expand(factor * source)
    constant = not any(_moves(k, s, along) for k in (a, b, c))
    reference = sp.S.One if constant else next(k for k in (a, b, c) if k != 0)
    ratios = [sp.cancel(k / reference) for k in (a, b, c)]
    if c != 0 and (constant or not any(_moves(k, s, along) for k in ratios)):
        time = along(reference)
        return None if time is None else _riccati(ratios, z, time)
    if c == 0:  # Bernoulli: 1/z obeys a linear equation
        w = sp.Dummy("w", real=True)
        inner = _quadratic(sp.expand(-b * w - a), w, s, along)
        return None if inner is None else z / sp.expand(sp.expand(inner) * z).subs(w * z, 1).subs(w, 1 / z)
    return None


def _multiple_angles(rate: sp.Expr, z: sp.Symbol) -> sp.Expr:
    """Powers and products of sines and cosines of z as sums of sines and cosines."""
    if any(node.has(z) for node in rate.atoms(sp.sin, sp.cos)):
        return TR8(sp.expand(rate))
    pairs = {
        sp.tan: (sp.sin, sp.cos),
        sp.cot: (sp.cos, sp.sin),
        sp.tanh: (sp.sinh, sp.cosh),
        sp.coth: (sp.cosh, sp.sinh),
    }
    nodes = [node for node in rate.atoms(*pairs) if node.has(z)]
    return rate.xreplace({n: pairs[n.func][0](n.args[0]) / pairs[n.func][1](n.args[0]) for n in nodes})


def _moves(expression: sp.Expr, s: sp.Symbol, along: Integrate) -> bool:
    """Whether a coefficient changes along the flow: then its integral is not s times it."""
    total = along(expression)
    return total is None or sp.cancel(total - s * expression) != 0


def _riccati(coefficients: list[sp.Expr], z: sp.Symbol, time: sp.Expr) -> sp.Expr:
    a, b, c = coefficients
    cosine, sine = cosine_pair(sp.factor(b**2 / 4 - a * c), time)
    top, bottom = z * cosine + (b * z / 2 + c) * sine, cosine - (a * z + b / 2) * sine
    return sp.cancel(top / bottom) if not top.has(sp.cos, sp.cosh) else sp.expand(top) / sp.expand(bottom)


def _substitutions(rate: sp.Expr, z: sp.Symbol) -> Iterator[tuple[sp.Expr, Callable]]:
    """Pairs of w(z) and of the way back, on the branch of the initial value."""
    exponents = {p.exp for p in rate.atoms(sp.Pow) if p.base == z and not p.exp.has(z)} | {sp.S.Zero}
    for power in dict.fromkeys(sign * (e - 1) for e in sorted(exponents, key=str) for sign in (-1, 1)):
        if power not in (0, 1):
            yield z**power, lambda w, p=power: z * (sp.cancel(w / z**p)) ** (1 / p)
    linear = {e.args[0].coeff(z, 1) for e in rate.atoms(sp.exp, sp.sinh, sp.cosh, sp.tanh) if e.has(z)}
    for k in dict.fromkeys(sign * slope for slope in sorted(linear, key=str) for sign in (-1, 1)):
        if k != 0:
            yield sp.exp(k * z), lambda w, p=k: z + sp.log(sp.expand(w * sp.exp(-p * z))) / p
    if rate.has(sp.log):
        yield sp.log(z), sp.exp
    for k in sorted({e.args[0].coeff(z, 1) for e in rate.atoms(sp.sin, sp.cos, sp.tan) if e.has(z)}, key=str):
        if k != 0:
            yield sp.tan(k * z / 2), lambda w, p=k: 2 * _continued_atan(w, p * z / 2) / p


def _substituted(
    rate: sp.Expr,
    z: sp.Symbol,
    s: sp.Symbol,
    forward: sp.Expr,
    inverse: Callable,
    along: Integrate,
) -> sp.Expr | None:
    w = sp.Dummy("w", positive=True)
    back = sp.exp(w)
    if forward.func is sp.exp:
        back = sp.log(w) / forward.args[0].coeff(z, 1)
    elif forward.func is sp.tan:
        back = sp.atan(w) / forward.args[0].coeff(z, 1)
    elif forward.is_Pow:
        back = w ** (1 / forward.exp)
    shape = forward.diff(z) * rate
    if forward.func is sp.tan:
        shape = sp.expand(shape, trig=True)
        half = forward.args[0]
        shape = shape.subs({sp.sin(2 * half): 2 * w / (1 + w**2), sp.cos(2 * half): (1 - w**2) / (1 + w**2)})
    changed = sp.powsimp(sp.expand(shape.rewrite(sp.exp) if forward.func is sp.exp else shape).subs(z, back))
    changed = sp.cancel(sp.expand(sp.powdenest(changed, force=True)))
    if changed.has(z) or not changed.is_polynomial(w) or sp.degree(changed, w) > 2:
        return None
    real = sp.Dummy("w", real=True)
    inner = _quadratic(sp.expand(changed.subs(w, real)), real, s, along)
    return None if inner is None else inverse(inner.subs(real, forward))


def _separated(rate: sp.Expr, z: sp.Symbol, s: sp.Symbol, along: Integrate) -> sp.Expr | None:
    factors = sp.Mul.make_args(sp.factor_terms(rate))
    own = sp.Mul(*(f for f in factors if f.has(z)))
    time = along(sp.Mul(*(f for f in factors if not f.has(z))))
    if time is None or own.has(s) or _mixed(own, z, s, along):
        return None
    level = primitive(1 / own, z)
    if level is None:
        return None
    target = sp.Dummy("target")
    inverse = _invert(level, z, target)
    return None if inverse is None else inverse.subs(target, level + time)


def _mixed(own: sp.Expr, z: sp.Symbol, s: sp.Symbol, along: Integrate) -> bool:
    others = own.free_symbols - {z, s}
    return any(_moves(symbol, s, along) for symbol in others)


def _continued_atan(value: sp.Expr, start: sp.Expr) -> sp.Expr:
    """The angle whose tangent is `value`, continued from the angle `start`: no jump to the principal branch."""
    tangent = sp.tan(start)
    return start + sp.atan(sp.cancel((value - tangent) / (1 + value * tangent)))


def _continued_asin(value: sp.Expr, level: sp.Expr) -> sp.Expr:
    """The angle whose sine (cosine) is `value`, continued from that of the node `level`."""
    start = level.args[0] if level.func is sp.sin else level.args[0] + sp.pi / 2
    sine, cosine = sp.sin(start), sp.cos(start)
    other = cosine * sp.sqrt((1 - value**2) / cosine**2)
    turn = sp.atan((value * cosine - other * sine) / (other * cosine + value * sine))
    return level.args[0] + turn


def _invert(level: sp.Expr, z: sp.Symbol, value: sp.Expr) -> sp.Expr | None:
    """Solve level(z) = value by undoing one operation after the other."""
    undo = {
        sp.log: sp.exp,
        sp.exp: sp.log,
        sp.atan: sp.tan,
        sp.asin: sp.sin,
        sp.sinh: sp.asinh,
        sp.asinh: sp.sinh,
        sp.atanh: sp.tanh,
        sp.tanh: sp.atanh,
    }
    while level != z:
        rest, moving = level.as_independent(z, as_Add=level.is_Add)
        if level.is_Add and rest != 0:
            level, value = moving, value - rest
        elif level.is_Mul and rest != 1:
            level, value = moving, value / rest
        elif level.func in undo:
            level, value = level.args[0], undo[level.func](value)
        elif level.func is sp.tan:
            level, value = level.args[0], _continued_atan(value, level.args[0])
        elif level.func in (sp.sin, sp.cos):
            level, value = level.args[0], _continued_asin(value, level)
        elif level.is_Pow and not level.exp.has(z):
            value = level.base * (value / level) ** (1 / level.exp)  # the branch of the start
            level = level.base
        else:
            top, bottom = sp.fraction(sp.together(level))
            equation = sp.expand(top - value * bottom)
            if not equation.is_polynomial(z) or not 1 <= sp.degree(equation, z) <= 2:
                return None
            a, b, c = (equation.coeff(z, power) for power in (2, 1, 0))
            if a == 0:
                return sp.cancel(-c / b)
            vertex = -b / (2 * a)
            return vertex + (z - vertex) * sp.sqrt((vertex**2 - c / a) / (z - vertex) ** 2)
    return value
