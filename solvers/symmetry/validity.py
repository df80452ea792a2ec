"""Where a closed formula for a one-parameter group is valid: poles, branch points and cuts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import sympy as sp
from sympy.logic.boolalg import Boolean

_LARGE = 400


def validity_condition(formulas: Iterable[sp.Expr], s: sp.Symbol) -> Boolean:
    """Condition that no pole and no branch point lies between the identity s = 0 and s.

    A flow exists on an interval around s = 0 (Olver 1993, section 1.3); its end is the first zero of a
    denominator or of the argument of a root or logarithm. With p normalised to one at s = 0 the condition is
    p > 0. That is also sufficient for p linear in s, for cosh ωs + B sinh ωs, and for the forms to which a
    second condition is added: quadratic p (the two zeros may both lie in between) and cos ωs + B sin ωs
    (|ωs| < π). For other p it is necessary.

    Args:
        formulas: Images of the variables.
        s: Group parameter.

    Returns:
        SymPy condition in the variables and the group parameter; `true` if there is no restriction.

    Example:
        >>> s, t = sp.symbols("s t", real=True)
        >>> validity_condition([t / (1 - s * t), sp.sqrt(1 - s * t)], s)
        -s*t + 1 > 0
    """
    conditions: list[Boolean] = []
    for formula in formulas:
        for node in sp.preorder_traversal(formula):
            if isinstance(node, sp.atan2) and node.has(s):
                conditions.append(sp.Or(node.args[1] > 0, sp.Ne(node.args[0], 0)))
        for factor in _critical_factors(formula, s):
            conditions += _without_zero(factor, s)
    return sp.And(*dict.fromkeys(conditions))


def _critical_factors(formula: sp.Expr, s: sp.Symbol) -> Iterator[sp.Expr]:
    for node in sp.preorder_traversal(formula):
        singular = isinstance(node, sp.log) or (
            isinstance(node, sp.Pow) and node.base != sp.E and not (node.exp.is_Integer and node.exp.is_positive)
        )
        if not singular or not node.args[0].has(s):
            continue
        base = node.args[0]
        for factor in sp.Mul.make_args(sp.factor(base) if sp.count_ops(base) < _LARGE else base):
            inner, power = factor.as_base_exp()
            if inner.has(s) and not isinstance(inner, sp.exp) and not inner.is_positive:
                # A quotient has the sign of the product of its two parts.
                parts = sp.fraction(sp.together(inner)) if power.is_Integer else (inner,)
                yield from (part for part in parts if part.has(s) and not part.is_positive)


def _without_zero(factor: sp.Expr, s: sp.Symbol) -> list[Boolean]:
    start = factor.subs(s, 0)
    if start.has(sp.nan, sp.zoo, sp.oo) or sp.expand(start) == 0:
        return []
    ratio = sp.expand(factor / start) if start.is_Rational else sp.cancel(factor / start)
    conditions = [ratio > 0]
    if ratio.is_polynomial(s) and sp.degree(ratio, s) == 2:
        slope, curvature = ratio.coeff(s, 1), sp.factor(ratio.coeff(s, 2))
        conditions.append(sp.Or(sp.expand(slope**2 - 4 * curvature) < 0, 2 + slope * s > 0))
    angles = {node.args[0] for node in ratio.atoms(sp.sin, sp.cos) if node.has(s)}
    if len(angles) == 1:
        conditions.append(sp.Abs(angles.pop()) < sp.pi)
    return [c for c in conditions if c != sp.true]
