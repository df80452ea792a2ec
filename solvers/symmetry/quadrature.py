"""Primitives of the functions that occur along flows, by own rules; parameters are generic."""

from __future__ import annotations

from collections.abc import Callable

import sympy as sp
from sympy.functions.elementary.hyperbolic import HyperbolicFunction
from sympy.integrals.manualintegrate import DontKnowRule, integral_steps, manualintegrate

Rule = Callable[[sp.Expr, sp.Symbol], sp.Expr | None]
_LARGE = 400


def definite(expression: sp.Expr, s: sp.Symbol) -> sp.Expr | None:
    """∫₀ˢ of an expression.

    Args:
        expression: Integrand in s.
        s: Variable, and upper limit.

    Returns:
        The integral, or None if no rule applies.

    Example:
        >>> s, a = sp.symbols("s a", real=True)
        >>> definite(s * sp.exp(a * s), s)
        s*exp(a*s)/a - exp(a*s)/a**2 + a**(-2)
    """
    primitive_ = primitive(expression, s)
    if primitive_ is None:
        return None
    start = primitive_.subs(s, 0)
    if start.has(sp.nan, sp.zoo, sp.oo):
        return None
    difference = primitive_ - start
    if difference.is_rational_function(s) and sp.count_ops(difference) < _LARGE:
        return sp.cancel(difference)
    return _join_logarithms(sp.expand(difference))


def primitive(expression: sp.Expr, s: sp.Symbol) -> sp.Expr | None:
    """A primitive with respect to s.

    Rules in order: rational functions by partial fractions; polynomial × exponential × trigonometric terms
    by parts; powers and logarithms of linear functions; rational functions of one exponential; derivative
    of an inner function; SymPy's rule-based integrator for the rest.

    Args:
        expression: Integrand.
        s: Variable.

    Returns:
        A primitive, or None if no rule applies.
    """
    if not expression.has(s):
        return expression * s
    if expression.is_rational_function(s):
        result = _rational(sp.cancel(expression), s)
        if result is not None:
            return result
    total, expression = sp.S.Zero, _cancelled(expression)
    for term in sp.Add.make_args(sp.expand(sp.powsimp(expression), deep=False)):
        part = _term(term, s)
        if part is None:
            break
        total += part
    else:
        return total
    return _first(expression, s, (_tangent_rational, _exponential_rational, _inner_derivative, _manual))


def _cancelled(expression: sp.Expr) -> sp.Expr:
    """Denominators cancelled, with functions and their powers as if they were symbols."""
    if not any(p.base.is_Add and p.exp.is_Integer and p.exp < 0 for p in expression.atoms(sp.Pow)):
        return expression
    nodes = {n for n in expression.atoms(sp.Function, sp.Pow) if not (n.is_Pow and n.exp.is_Integer)}
    table = {n: sp.Dummy() for n in sorted(nodes, key=sp.count_ops, reverse=True)}
    shape = expression.xreplace(table)
    if sp.count_ops(shape) > _LARGE or not shape.is_rational_function(*shape.free_symbols):
        return expression
    return sp.cancel(shape).xreplace({d: n for n, d in table.items()})


def _first(expression: sp.Expr, s: sp.Symbol, rules: tuple[Rule, ...]) -> sp.Expr | None:
    for rule in rules:
        result = rule(expression, s)
        if result is not None:
            return result
    return None


def _term(term: sp.Expr, s: sp.Symbol) -> sp.Expr | None:
    constant, moving = term.as_independent(s, as_Add=False)
    if moving.is_rational_function(s):
        result = _rational(sp.cancel(moving), s)
    else:
        rules = (
            _exponential_polynomial,
            _linear_power,
            _tangent_rational,
            _exponential_rational,
            _inner_derivative,
            _manual,
        )
        result = _first(moving, s, rules)
    return None if result is None else constant * result


def _rational(expression: sp.Expr, s: sp.Symbol) -> sp.Expr | None:
    top, bottom = sp.fraction(sp.together(expression))
    numerator, denominator = sp.Poly(top, s), sp.Poly(bottom, s)
    whole, remainder = sp.div(numerator, denominator)
    total = whole.integrate().as_expr()
    if remainder.is_zero:
        return total
    _, factors = denominator.factor_list()
    if any(f.degree() > 2 or (f.degree() == 2 and m > 1) for f, m in factors):
        return _manual(expression, s) if expression.free_symbols == {s} else None
    for factor, multiplicity in factors:
        rest = denominator.quo(factor**multiplicity)
        # The numerator over factor**m modulo the other factors, written in powers of the factor.
        inverse = sp.invert(rest, factor**multiplicity) if rest.degree() > 0 else sp.Poly(1 / rest.as_expr(), s)
        local = (remainder * inverse).rem(factor**multiplicity)
        for power in range(multiplicity, 0, -1):
            local, digit = sp.div(local, factor)
            total += _partial_fraction(digit, factor, power, s)
    return total


def _partial_fraction(digit: sp.Poly, factor: sp.Poly, power: int, s: sp.Symbol) -> sp.Expr:
    if digit.is_zero:
        return sp.S.Zero
    if factor.degree() == 1:
        slope, value = factor.coeff_monomial(s), digit.as_expr()
        # Normalised to one at s = 0 where possible: logarithms stay real near the identity.
        start = factor.eval(0)
        linear = factor.as_expr() if start == 0 else 1 + sp.cancel(slope / start) * s
        scale = sp.S.One if start == 0 else start
        if power == 1:
            return sp.cancel(value / slope) * sp.log(linear)
        return sp.cancel(value / slope / scale ** (power - 1)) * linear ** (1 - power) / (1 - power)
    a, b, c = factor.all_coeffs()
    p, q = (digit.coeff_monomial(s), digit.coeff_monomial(1))
    logarithm = p / (2 * a) * sp.log(factor.as_expr() / c if c != 0 else factor.as_expr())
    rest = sp.cancel(q - p * b / (2 * a))
    square = sp.factor(b**2 - 4 * a * c)
    if rest == 0:
        return logarithm
    if square.is_positive:
        root = sp.sqrt(square)
        low, high = 2 * a * s + b - root, 2 * a * s + b + root
        return logarithm + rest / root * sp.log(low / high * (b + root) / (b - root))
    root = sp.sqrt(-square)
    return logarithm + 2 * rest / root * sp.atan((2 * a * s + b) / root)


def _exponential_polynomial(term: sp.Expr, s: sp.Symbol) -> sp.Expr | None:
    """∫ s^k e^{αs} (cos, sin): all as complex exponentials, by parts, then real again."""
    heads = (sp.exp, sp.sin, sp.cos, sp.sinh, sp.cosh)
    nodes = [node for node in term.atoms(sp.Function) if node.has(s)]
    if not nodes or any(node.func not in heads or not _is_linear(node.args[0], s) for node in nodes):
        return None
    trigonometric = any(node.func in (sp.sin, sp.cos) for node in nodes)
    expanded = sp.powsimp(sp.expand(term.rewrite(sp.exp)))
    total = sp.S.Zero
    for piece in sp.Add.make_args(sp.expand(expanded)):
        constant, moving = sp.powsimp(piece).as_independent(s, as_Add=False)
        exponentials = [f for f in sp.Mul.make_args(moving) if isinstance(f, sp.exp)]
        rest = sp.cancel(moving / sp.Mul(*exponentials))
        rate = sp.expand(sum((f.args[0] for f in exponentials), sp.S.Zero)).coeff(s, 1)
        if not rest.is_polynomial(s) or sp.Mul(*exponentials).subs(s, 0).has(s):
            return None
        shift = sum((sp.expand(f.args[0]).coeff(s, 0) for f in exponentials), sp.S.Zero)
        polynomial, sign, integral = rest, sp.S.One, sp.S.Zero
        if rate == 0:
            integral = sp.Poly(rest, s).integrate().as_expr()
        else:
            inverse = _reciprocal(rate)
            while polynomial != 0:
                sign = sp.expand(sign * inverse)
                integral += sign * polynomial
                polynomial, sign = sp.diff(polynomial, s), -sign
        if trigonometric:
            total += _real_part(sp.expand(constant * integral), sp.expand(rate * s + shift))
        else:
            total += constant * sp.expand(integral) * sp.exp(rate * s) * sp.exp(shift)
    return sp.expand(total)


def _reciprocal(rate: sp.Expr) -> sp.Expr:
    """The reciprocal of α + iω with a real denominator."""
    if not rate.has(sp.I):
        return 1 / rate
    real, imaginary = _split_imaginary(rate)
    return (real - sp.I * imaginary) / sp.expand(real**2 + imaginary**2)


def _is_linear(expression: sp.Expr, s: sp.Symbol) -> bool:
    return expression.is_polynomial(s) and sp.degree(expression, s) <= 1


def _real_part(amplitude: sp.Expr, exponent: sp.Expr) -> sp.Expr:
    """Re(A e^z) for an A with real denominators."""
    growth, phase = _split_imaginary(exponent)
    real, imaginary = _split_imaginary(amplitude)
    return sp.exp(growth) * (real * sp.cos(phase) - imaginary * sp.sin(phase))


def _split_imaginary(expression: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    marker = sp.Dummy()
    poly = sp.expand(sp.expand(expression).xreplace({sp.I: marker}))
    real, imaginary = sp.S.Zero, sp.S.Zero
    for term in sp.Add.make_args(poly):
        power = sp.degree(term, marker) if term.is_polynomial(marker) else -1
        coefficient = term.subs(marker, 1)
        unit = sp.I**power
        real, imaginary = (
            (real + coefficient * unit, imaginary)
            if power % 2 == 0
            else (
                real,
                imaginary + coefficient * unit / sp.I,
            )
        )
    return real, imaginary


def _linear_power(term: sp.Expr, s: sp.Symbol) -> sp.Expr | None:
    """∫ P(v) v^r (log v)^j with one linear v = a + b s, j ≤ 1."""
    bases = {p.base for p in term.atoms(sp.Pow) if p.base.has(s) and not p.exp.has(s)}
    bases |= {f.args[0] for f in term.atoms(sp.log) if f.has(s)}
    linear = [b for b in bases if b != s and _is_linear(b, s)] or ([s] if term.has(s) else [])
    if len(linear) != 1:
        return None
    slope = linear[0].diff(s)
    v = sp.Dummy("v", positive=True)
    inside = sp.expand(sp.powsimp(term.xreplace({linear[0]: v}).subs(s, (v - linear[0].subs(s, 0)) / slope)))
    total = sp.S.Zero
    for piece in sp.Add.make_args(inside):
        constant, moving = piece.as_independent(v, as_Add=False)
        logarithm = moving.has(sp.log(v))
        power = sp.powsimp(moving / sp.log(v) if logarithm else moving)
        exponent = sp.S.Zero if power == 1 else power.as_base_exp()[1]
        if power != v**exponent or exponent.has(v):
            return None
        if exponent == -1:
            total += constant * (sp.log(v) ** 2 / 2 if logarithm else sp.log(v))
        else:
            top = v ** (exponent + 1) / (exponent + 1)
            total += constant * top * ((sp.log(v) - 1 / (exponent + 1)) if logarithm else 1)
    return (total / slope).xreplace({v: linear[0]})


def _exponential_rational(term: sp.Expr, s: sp.Symbol) -> sp.Expr | None:
    """Rational functions of v = e^{ks}: ∫ R(v) dv/(k v)."""
    expression = term.rewrite(sp.exp) if term.has(HyperbolicFunction) else term
    rates = {sp.expand(e.args[0]).coeff(s, 1) for e in expression.atoms(sp.exp) if e.has(s)}
    if not rates or any(not _is_linear(e.args[0], s) for e in expression.atoms(sp.exp) if e.has(s)):
        return None
    unit = min(rates, key=lambda r: (sp.count_ops(r), abs(r) if r.is_number else 0, str(r)))
    ratios = [sp.cancel(rate / unit) for rate in rates]
    if not all(r.is_Rational for r in ratios):
        return None
    unit /= sp.ilcm(1, *(r.q for r in ratios))
    v = sp.Dummy("v", positive=True)
    shape = {
        e: v ** sp.cancel(sp.expand(e.args[0]).coeff(s, 1) / unit) * sp.exp(sp.expand(e.args[0]).coeff(s, 0))
        for e in expression.atoms(sp.exp)
        if e.has(s)
    }
    rational = expression.xreplace(shape)
    if rational.has(s) or not rational.is_rational_function(v):
        return None
    rational = sp.cancel(rational)
    exponents = [m for part in sp.fraction(rational) for (m,) in sp.Poly(part, v).monoms()]
    step = sp.igcd(*(m - exponents[0] for m in exponents)) if len(exponents) > 1 else 1
    if step > 1 and all(m % step == 0 for m in exponents):
        rational, unit = sp.powdenest(rational.subs(v, v ** sp.Rational(1, step)), force=True), unit * step
    inner = _rational(sp.cancel(rational / (unit * v)), v)
    return None if inner is None else inner.subs(sp.log(v), unit * s).subs(v, sp.exp(unit * s))


def _tangent_rational(term: sp.Expr, s: sp.Symbol) -> sp.Expr | None:
    """Rational functions of even degree in cos ωs and sin ωs, by their quotient; hyperbolic ones alike."""
    nodes = [node for node in term.atoms(sp.sin, sp.cos, sp.sinh, sp.cosh) if node.has(s)]
    sign = 1 if nodes and nodes[0].func in (sp.sin, sp.cos) else -1
    pair = (sp.sin, sp.cos) if sign == 1 else (sp.sinh, sp.cosh)
    if not nodes or any(node.func not in pair or (node.args[0] / s).has(s) for node in nodes):
        return None
    rates = [node.args[0] / s for node in nodes]
    unit = min(rates, key=lambda r: (sp.count_ops(r), abs(r) if r.is_number else 0, str(r)))
    if not all(sp.cancel(rate / unit).is_Integer for rate in rates):
        return None
    angle, cosine, tangent = (sp.Dummy(name, real=True) for name in ("angle", "cosine", "tangent"))
    table = {node: sp.expand_trig(node.func(sp.cancel(node.args[0] / (s * unit)) * angle)) for node in nodes}
    # T = tan(ωs)/ω: formulas that are even in ω are then rational in ω², though ω may be a root.
    shape = term.xreplace(table).subs({pair[0](angle): unit * tangent * cosine, pair[1](angle): cosine})
    if shape.has(s, angle) or not shape.is_rational_function(cosine, tangent):
        return None
    parts = [sp.Poly(part, cosine) for part in sp.fraction(sp.cancel(shape))]
    if len({power % 2 for part in parts for (power,) in part.monoms()}) != 1:
        return None
    shift = parts[0].monoms()[0][0] % 2
    curve = 1 + sign * sp.expand(unit**2) * tangent**2
    top, bottom = (sum(c * curve ** (-((power - shift) // 2)) for (power,), c in part.terms()) for part in parts)
    inner = _rational(sp.cancel(top / bottom / curve), tangent)
    if inner is None:
        return None
    sine = sp.Dummy("sine", real=True)
    inner = inner.replace(sp.atan, lambda a: unit * s if sp.cancel(a / tangent).is_constant(tangent) else sp.atan(a))
    inner = inner.replace(sp.log, lambda a: _homogeneous_log(a, tangent, curve, (sine, cosine)))
    return inner.subs(tangent, sine / cosine).subs({sine: pair[0](unit * s) / unit, cosine: pair[1](unit * s)})


def _homogeneous_log(
    argument: sp.Expr, tangent: sp.Symbol, curve: sp.Expr, circle: tuple[sp.Symbol, sp.Symbol]
) -> sp.Expr:
    """Logarithm of p(T) as log(cos^d p(T)) − d log cos: no pole where T has one; the curve 1 ± ω²T² is 1/cos²."""
    (sine, cosine), ratio = circle, sp.cancel(argument / curve)
    if not ratio.has(tangent):
        return sp.log(ratio) - 2 * sp.log(cosine)
    polynomial = sp.Poly(argument, tangent)
    degree = polynomial.degree()
    whole = sum(c * sine**m * cosine ** (degree - m) for (m,), c in polynomial.terms())
    return sp.log(whole) - degree * sp.log(cosine)


def _plain_rational(term: sp.Expr, s: sp.Symbol) -> sp.Expr | None:
    return _rational(sp.cancel(term), s) if term.is_rational_function(s) else None


def _inner_derivative(term: sp.Expr, s: sp.Symbol) -> sp.Expr | None:
    """∫ f(h) h′ for an inner function h of the integrand."""
    if sp.count_ops(term) > 60:
        return None
    y = sp.Dummy("y", positive=True)
    inner = {f.args[0] for f in term.atoms(sp.Function) if f.has(s)} | {f for f in term.atoms(sp.Function) if f.has(s)}
    inner |= {p.base for p in term.atoms(sp.Pow) if p.base.has(s)}
    for h in sorted(inner - {s}, key=sp.count_ops, reverse=True):
        outer = sp.cancel(sp.powsimp(term / h.diff(s))).subs(h, y)
        if outer.has(s):
            outer = sp.simplify(term / h.diff(s)).subs(h, y) if sp.count_ops(term) < 15 else outer
        if outer.has(s) or not outer.has(y):
            if not outer.has(s):
                return outer * h
            continue
        result = _first(outer, y, (_plain_rational, _exponential_polynomial, _linear_power))
        if result is not None:
            return result.subs(y, h)
    return None


def _manual(expression: sp.Expr, s: sp.Symbol) -> sp.Expr | None:
    if sp.count_ops(expression) > 25 or not _may_be_elementary(expression, s):
        return None
    rule = integral_steps(expression, s)
    if isinstance(rule, DontKnowRule) or rule.contains_dont_know():
        return None
    result = manualintegrate(expression, s)
    if isinstance(result, sp.Piecewise):
        result = result.args[0].expr
    return None if result.has(sp.Integral, sp.Piecewise) else result


def _may_be_elementary(expression: sp.Expr, s: sp.Symbol) -> bool:
    """False for incomplete gamma functions and their like: exp times roots or poles, or exp of a nonlinear function."""
    exponents = [e.args[0] for e in expression.atoms(sp.exp) if e.has(s)]
    if any(not _is_linear(e, s) for e in exponents):
        return False
    moving = [p for p in expression.atoms(sp.Pow) if p.base.has(s) and p.base != sp.E]
    return not exponents or all(p.exp.is_Integer and p.exp > 0 for p in moving)


def _join_logarithms(expression: sp.Expr) -> sp.Expr:
    """Differences of logarithms with equal factors, written as one: log a − log b = log(a/b)."""
    groups: dict[sp.Expr, sp.Expr] = {}
    rest = sp.S.Zero
    for term in sp.Add.make_args(expression):
        logarithms = [f for f in sp.Mul.make_args(term) if isinstance(f, sp.log)]
        if len(logarithms) != 1:
            rest += term
            continue
        factor = term / logarithms[0]
        sign = -1 if factor.could_extract_minus_sign() else 1
        groups[sign * factor] = groups.get(sign * factor, sp.S.One) * logarithms[0].args[0] ** sign
    fraction = any(p.base.is_Add and p.exp.is_Integer and p.exp < 0 for p in rest.atoms(sp.Pow))
    if (fraction or rest.is_rational_function()) and sp.count_ops(rest) < _LARGE:
        rest = sp.cancel(rest)
    return rest + sum((factor * sp.log(sp.cancel(a)) for factor, a in groups.items()), sp.S.Zero)
