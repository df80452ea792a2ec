"""The branch of roots, logarithms and moduli that is right near the identity of a one-parameter group."""

from __future__ import annotations

import sympy as sp


def near_identity(expression: sp.Expr, s: sp.Symbol) -> sp.Expr:
    """Roots, logarithms and moduli rewritten with the sign that their arguments have at s = 0.

    A factor that equals one at s = 0 is positive on the whole interval of s around 0 where it does not
    vanish, and that interval is where the flow exists: there √((1 − st)²) is 1 − st, and not |1 − st|.

    Args:
        expression: Expression in the group parameter and real symbols.
        s: Group parameter.

    Returns:
        An expression that is equal near s = 0.

    Example:
        >>> s, t = sp.symbols("s t", real=True)
        >>> near_identity(sp.sqrt((s * t - 1) ** 2), s)
        -s*t + 1
    """
    if not any(_is_branched(node) and node.has(s) for node in sp.preorder_traversal(expression)):
        return expression
    positive: dict[sp.Expr, sp.Dummy] = {}
    visited = _visit(expression, s, positive)
    back = {symbol: factor for factor, symbol in positive.items()}
    while back and visited.has(*back):
        visited = visited.xreplace(back)
    return visited


def _is_branched(node: sp.Basic) -> bool:
    return isinstance(node, sp.log | sp.Abs | sp.sign) or (node.is_Pow and not node.exp.is_Integer)


def _visit(node: sp.Expr, s: sp.Symbol, positive: dict[sp.Expr, sp.Dummy]) -> sp.Expr:
    if node.is_Atom or not node.has(s):
        return node
    arguments = [_visit(a, s, positive) for a in node.args]
    if _is_branched(node):
        arguments[0] = _signed(arguments[0], s, positive)
    result = node.func(*arguments)
    if isinstance(result, sp.exp) and result.has(sp.log):
        return _powers(result)
    return sp.expand_log(result) if isinstance(node, sp.log) and positive else result


def _powers(exponential: sp.Expr) -> sp.Expr:
    """exp(c log p) as the power p**c, term by term."""
    product, rest = sp.S.One, sp.S.Zero
    for term in sp.Add.make_args(exponential.args[0]):
        logarithms = [f for f in sp.Mul.make_args(term) if isinstance(f, sp.log)]
        if len(logarithms) == 1:
            product *= logarithms[0].args[0] ** (term / logarithms[0])
        else:
            rest += term
    return product * sp.exp(rest)


def _signed(base: sp.Expr, s: sp.Symbol, positive: dict[sp.Expr, sp.Dummy]) -> sp.Expr:
    """The base as a product of positive symbols and of what has no sign."""
    rational = base.is_rational_function(*base.free_symbols) and sp.count_ops(base) < 400
    back = {symbol: known for known, symbol in positive.items()}
    initial = base.xreplace(back).subs(s, 0)
    normalised = not initial.has(sp.nan, sp.zoo, sp.oo) and sp.cancel(initial - 1) == 0
    product = sp.S.One
    for factor in sp.Mul.make_args(sp.factor(base) if rational else base):
        inner, power = factor.as_base_exp()
        start = inner.xreplace(back).subs(s, 0)
        usable = power.is_Integer and inner.has(s, *back) and inner not in back
        signed = start.is_positive or start.is_negative or (normalised and start.is_zero is not True)
        if not usable or not signed or start.has(sp.nan, sp.zoo, sp.oo):
            product *= factor
            continue
        scale = start if start.is_Rational or not (start.is_positive or start.is_negative) else sp.sign(start)
        unit = sp.expand(inner / scale)
        product *= (scale * positive.setdefault(unit, sp.Dummy("positive", positive=True))) ** power
    return product
