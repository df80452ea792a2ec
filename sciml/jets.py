"""Jets: the field values and derivatives that an expression is made of.

A jet is `(field index, multi-index)`, the multi-index counting derivatives per coordinate in the
problem's order: `u_xxt` of the first field over `(x, t)` is `(0, (2, 1))`.
"""

from __future__ import annotations

from collections.abc import Sequence

import sympy as sp
from sympy.core.function import AppliedUndef

Jet = tuple[int, tuple[int, ...]]


def field_atoms(expression: sp.Expr) -> set[AppliedUndef]:
    """Every applied undefined function in an expression, also where applied at other arguments."""
    return set(expression.atoms(AppliedUndef))


def jet_atoms(
    expression: sp.Expr, fields: Sequence[AppliedUndef], coordinates: Sequence[sp.Symbol]
) -> dict[sp.Expr, Jet]:
    """The derivatives and values of `fields` in an expression.

    Args:
        expression: Any SymPy expression, derivatives carried out (`doit`).
        fields: The unknown fields.
        coordinates: The problem's coordinates, time last.

    Returns:
        Atom (a `Derivative` or an applied function) -> jet, in a stable order.

    Example:
        >>> from sciml import coordinates, field
        >>> x, t = coordinates("x t"); u = field("u", x, t)
        >>> jet_atoms(u * u.diff(x, 2), [u], (x, t))
        {u(x, t): (0, (0, 0)), Derivative(u(x, t), (x, 2)): (0, (2, 0))}
    """
    index = {known: i for i, known in enumerate(fields)}
    position = {symbol: i for i, symbol in enumerate(coordinates)}
    found: dict[sp.Expr, Jet] = {}
    inside: set[sp.Expr] = set()
    for node in sp.preorder_traversal(expression):
        if isinstance(node, sp.Derivative) and node.expr in index:
            orders = [0] * len(coordinates)
            for symbol, count in node.variable_count:
                orders[position[symbol]] += int(count)
            found[node] = (index[node.expr], tuple(orders))
            inside.add(node)
    bare = expression.xreplace({node: sp.Dummy() for node in inside})
    for node in bare.atoms(AppliedUndef):
        if node in index:
            found[node] = (index[node], (0,) * len(coordinates))
    return dict(sorted(found.items(), key=lambda item: (item[1][0], sum(item[1][1]), item[1][1])))


def jet_expression(jet: Jet, fields: Sequence[AppliedUndef], coordinates: Sequence[sp.Symbol]) -> sp.Expr:
    """The SymPy derivative that a jet stands for."""
    index, orders = jet
    pairs = [(symbol, order) for symbol, order in zip(coordinates, orders, strict=True) if order]
    return sp.Derivative(fields[index], *pairs) if pairs else fields[index]


def highest_order(expressions: Sequence[sp.Expr], known: AppliedUndef, symbols: Sequence[sp.Symbol]) -> int:
    """Highest order of derivative of one field with respect to the given symbols together."""
    highest = 0
    for expression in expressions:
        for node in expression.atoms(sp.Derivative):
            if node.expr == known:
                highest = max(highest, sum(int(c) for s, c in node.variable_count if s in symbols))
    return highest
