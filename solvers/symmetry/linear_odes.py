"""Linear ODEs of low order in closed form: constant coefficients, Euler's equation, hypergeometric functions."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import sympy as sp

from solvers.symmetry.quadrature import primitive


def linear_solutions(coefficients: Sequence[sp.Expr], z: sp.Symbol) -> list[sp.Expr] | None:
    """Independent solutions of Σ a_k(z) y^(k) = 0.

    Constant coefficients by the characteristic polynomial. With θ = z d/dz an equation with polynomial
    coefficients is Σ z^j P_j(θ) y = 0; one group P_0 is Euler's equation, two groups give a two-term recurrence
    and hence hypergeometric series at z = 0 (Ince 1926, chapter 7): Bessel, Airy, Kummer, error functions. Factors
    exp(λ z^k) and shifts of z are tried to reach two groups (Whittaker and parabolic cylinder functions).

    Args:
        coefficients: a_0, ..., a_n; a_n is not zero.
        z: Variable.

    Returns:
        n expressions, or None if no rule applies.

    Example:
        >>> z = sp.Symbol("z", real=True)
        >>> linear_solutions([0, z / 2, 1], z)
        [1, erf(z/2)]
    """
    a = [sp.sympify(c) for c in coefficients]
    order = len(a) - 1
    if order == 0:
        return []
    if order == 1:
        growth = primitive(sp.cancel(-a[0] / a[1]), z)
        return None if growth is None else [sp.powsimp(sp.exp(growth))]
    if a[0] == 0:
        return _integrated(a, z)
    lead = [sp.cancel(c / a[-1]) for c in a]
    if not any(c.has(z) for c in lead):
        return _constant(lead, z)
    if not all(c.is_rational_function(z) for c in lead):
        return None
    return _hypergeometric(lead, z) or (_with_factor(lead, z) if order == 2 else None)


def _integrated(a: list[sp.Expr], z: sp.Symbol) -> list[sp.Expr] | None:
    """Without the term in y: solve for y′ and integrate."""
    slopes = linear_solutions(a[1:], z)
    if slopes is None:
        return None
    integrals = [_gauss(slope, z) or primitive(slope, z) for slope in slopes]
    return None if any(i is None for i in integrals) else [sp.S.One, *integrals]


def _gauss(expression: sp.Expr, z: sp.Symbol) -> sp.Expr | None:
    """∫ exp(a z² + b z + c), up to a factor."""
    _, moving = sp.powsimp(expression).as_independent(z, as_Add=False)
    if moving.func is not sp.exp or not moving.args[0].is_polynomial(z) or sp.degree(moving.args[0], z) != 2:
        return None
    a, b, _ = sp.Poly(moving.args[0], z).all_coeffs()
    root, head = (sp.sqrt(a), sp.erfi) if a.is_positive else (sp.sqrt(-a), sp.erf)
    return head(root * (z + b / (2 * a)))


def _constant(a: list[sp.Expr], z: sp.Symbol) -> list[sp.Expr] | None:
    x = sp.Dummy("lambda")
    roots = sp.roots(sp.Poly(sum(c * x**k for k, c in enumerate(a)), x), quartics=False, cubics=False)
    if sum(roots.values()) < len(a) - 1:
        return None
    result, seen = [], set()
    for root, count in roots.items():
        if root in seen:
            continue
        real, imaginary = root.as_real_imag() if root.has(sp.I) else (root, sp.S.Zero)
        if root.has(sp.I) and sp.conjugate(root) in roots:
            seen.add(sp.conjugate(root))
            waves = [sp.cos(imaginary * z), sp.sin(imaginary * z)]
        else:
            real, waves = root, [sp.S.One]
        result += [z**k * sp.exp(real * z) * wave for wave in waves for k in range(count)]
    return result


def _groups(a: list[sp.Expr], z: sp.Symbol) -> dict[int, sp.Poly] | None:
    """Σ z^j P_j(θ) for the equation multiplied by its denominators."""
    theta = sp.Dummy("theta")
    denominator = sp.S.One
    for c in a:
        denominator = sp.lcm(denominator, sp.fraction(sp.together(c))[1])
    groups: dict[int, sp.Expr] = {}
    for k, c in enumerate(a):
        poly = sp.Poly(sp.cancel(c * denominator), z)
        falling = sp.prod([theta - i for i in range(k)])
        for (power,), weight in poly.terms():
            groups[power - k] = groups.get(power - k, sp.S.Zero) + weight * falling
    return {j: sp.Poly(sp.expand(p), theta) for j, p in groups.items() if sp.expand(p) != 0}


def _hypergeometric(a: list[sp.Expr], z: sp.Symbol) -> list[sp.Expr] | None:
    groups = _groups(a, z)
    if groups is None or len(groups) > 2:
        return None
    low = min(groups)
    roots = _roots(groups[low])
    order = len(a) - 1
    if roots is None or len(roots) < order:
        return None
    if len(groups) == 1:
        waves = _constant(sp.Poly(groups[low], groups[low].gen).all_coeffs()[::-1], z)
        return None if waves is None else [sp.powsimp(sp.expand(wave.subs(z, sp.log(z)))) for wave in waves]
    high = max(groups)
    step, upper = high - low, _roots(groups[high])
    if upper is None:
        return None
    if any(sp.cancel((r - s) / step).is_integer for r, s in itertools.combinations(roots, 2)):
        return _named(a, z)
    ratio = -groups[high].LC() / groups[low].LC() * sp.Integer(step) ** (len(upper) - len(roots))
    argument = ratio * z**step
    result = []
    for root in roots:
        top = [sp.cancel((root - r) / step) for r in upper]
        bottom = [sp.cancel((root - r) / step + 1) for r in roots if r is not root]
        result.append(z**root * _series(top, bottom, argument))
    return result


def _series(top: list[sp.Expr], bottom: list[sp.Expr], argument: sp.Expr) -> sp.Expr:
    """The series, as elementary functions where it ends or is an exponential."""
    for t in list(top):
        if t in bottom:
            top.remove(t)
            bottom.remove(t)
    ends = [t for t in top if t.is_integer and t.is_nonpositive]
    if ends and not any(b.is_integer and b.is_nonpositive for b in bottom):
        length = -max(ends)
        term, total = sp.S.One, sp.S.One
        for k in range(int(length)):
            term *= sp.prod([t + k for t in top]) / sp.prod([b + k for b in bottom]) / (k + 1) * argument
            total += sp.expand(term)
        return total
    if not top and not bottom:
        return sp.exp(argument)
    if not top and bottom == [sp.Rational(1, 2)]:
        return sp.cosh(2 * sp.sqrt(argument))
    return sp.hyper(top, bottom, argument)


def _roots(polynomial: sp.Poly) -> list[sp.Expr] | None:
    if polynomial.degree() == 0:
        return []
    found = sp.roots(polynomial, cubics=False, quartics=False)
    if sum(found.values()) < polynomial.degree():
        return None
    return [root for root, count in found.items() for _ in range(count)]


def _named(a: list[sp.Expr], z: sp.Symbol) -> list[sp.Expr] | None:
    """Exponents that differ by an integer: y″ + p y′/z + (q z^(m-2) + s/z²) y = 0 by Bessel functions."""
    if len(a) != 3:
        return None
    p, rest = sp.cancel(z * a[1]), sp.expand(sp.cancel(z**2 * a[0]))
    if p.has(z):
        return None
    constant, moving = rest.as_independent(z, as_Add=True)
    scale, power = moving.as_independent(z, as_Add=False)
    base, m = power.as_base_exp()
    if base != z or m.has(z) or m == 0:
        return None
    shift = (1 - p) / 2
    nu = sp.sqrt(sp.factor(4 * shift**2 - 4 * constant)) / m
    heads = (sp.besseli, sp.besselk) if scale.is_negative else (sp.besselj, sp.bessely)
    argument = 2 * sp.sqrt(abs(scale) if scale.is_number else scale) / m * z ** (m / 2)
    return [z**shift * head(nu, argument) for head in heads]


def _with_factor(a: list[sp.Expr], z: sp.Symbol) -> list[sp.Expr] | None:
    """Y = exp(λ w^k) v with w = z − c, so that v has a two-term recurrence."""
    w = sp.Dummy("w", real=True)
    for centre in _centres(a, z):
        moved = [sp.cancel(c.subs(z, w + centre)) for c in a]
        found = _hypergeometric(moved, w) if centre != 0 else None
        if found is not None:
            return [f.subs(w, z - centre) for f in found]
        for k in (2, 1):
            rate = sp.Dummy("rate")
            slope = rate * k * w ** (k - 1)
            changed = [
                sp.expand(moved[0] + moved[1] * slope + slope**2 + slope.diff(w)),
                sp.expand(moved[1] + 2 * slope),
                sp.S.One,
            ]
            for value in _leading_roots(changed[0], rate, w):
                inner = [sp.cancel(c.subs(rate, value)) for c in changed]
                if inner[0] == 0:
                    found = linear_solutions(inner, w)
                elif any(c.has(w) for c in inner):
                    found = _hypergeometric(inner, w)
                if found is not None:
                    return [(sp.exp(value * w**k) * f).subs(w, z - centre) for f in found]
    return None


def _centres(a: list[sp.Expr], z: sp.Symbol) -> list[sp.Expr]:
    """Zero, and the points where a coefficient of degree one or two has its symmetric point."""
    found = [sp.S.Zero]
    for c in a[:2]:
        if c.is_polynomial(z) and 1 <= sp.degree(c, z) <= 2:
            poly = sp.Poly(c, z)
            found.append(sp.cancel(-poly.all_coeffs()[1] / (poly.degree() * poly.LC())))
    return list(dict.fromkeys(found))


def _leading_roots(coefficient: sp.Expr, rate: sp.Symbol, w: sp.Symbol) -> list[sp.Expr]:
    top = sp.Poly(sp.fraction(sp.together(coefficient))[0], w)
    found = []
    for weight in top.all_coeffs():
        if weight.has(rate):
            found += [r for r in sp.roots(sp.Poly(weight, rate), cubics=False, quartics=False) if r != 0]
            break
    return found
