"""Divergence form: an equation written as Σ_i ∂_i F_i + S with the derivatives moved into the fluxes F.

c D_i v = D_i(c v) - (D_i c) v term by term, highest order first, so that k u_xx + k' u_x becomes (k u_x)_x and
u u_x becomes (u²/2)_x (integration by parts; Evans, Partial Differential Equations, section 6.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sympy as sp
from sympy.core.function import AppliedUndef

from sciml.jets import field_atoms

_ROUNDS = 64


@dataclass(frozen=True)
class DivergenceForm:
    """An expression as Σ_i ∂_i fluxes[i] + rest."""

    fluxes: dict[sp.Symbol, sp.Expr]
    rest: sp.Expr


def divergence_form(
    expression: sp.Expr, fields: Sequence[AppliedUndef], axes: Sequence[sp.Symbol], least: int = 1
) -> DivergenceForm:
    """Move derivatives along some axes into fluxes.

    Args:
        expression: Left side minus right side, parameters put in.
        fields: The fields.
        axes: Coordinates along which derivatives are moved.
        least: Lowest order along the axes that is moved.

    Returns:
        The form; terms that are no coefficient times a derivative stay in `rest`.

    Example:
        >>> from sciml import coordinates, field
        >>> x, t = coordinates("x t"); u = field("u", x, t)
        >>> form = divergence_form(u.diff(t) + u * u.diff(x) - 3 * u.diff(x, 2), [u], (x, t))
        >>> form.fluxes[x], form.fluxes[t], form.rest
        (u(x, t)**2/2 - 3*Derivative(u(x, t), x), u(x, t), 0)
    """
    fluxes = {axis: sp.S.Zero for axis in axes}
    rest = sp.expand(expression.doit())
    for _ in range(_ROUNDS):
        found = _highest(rest, fields, axes, least)
        if found is None:
            break
        part, axis, flux, correction = found
        fluxes[axis] += flux
        rest = sp.expand(rest - part + correction)
    return DivergenceForm(fluxes, rest)


def _highest(
    rest: sp.Expr, fields: Sequence[AppliedUndef], axes: Sequence[sp.Symbol], least: int
) -> tuple[sp.Expr, sp.Symbol, sp.Expr, sp.Expr] | None:
    """The movable term of the highest order: the term, its axis, its flux, and what remains of it."""
    best, order = None, least - 1
    for part in sp.Add.make_args(rest):
        nodes = [node for node in part.atoms(sp.Derivative) if node.expr in fields]
        if len(nodes) != 1:
            continue
        (node,) = nodes
        coefficient = part / node
        own = sum(int(count) for symbol, count in node.variable_count if symbol in axes)
        if own <= order or coefficient.has(sp.Derivative):
            continue
        moved = _moved(coefficient, node, axes)
        if moved is not None:
            best, order = (part, *moved), own
    return best


def _moved(
    coefficient: sp.Expr, node: sp.Derivative, axes: Sequence[sp.Symbol]
) -> tuple[sp.Symbol, sp.Expr, sp.Expr] | None:
    counts = {symbol: int(count) for symbol, count in node.variable_count}
    axis = next(symbol for symbol in reversed(tuple(axes)) if symbol in counts)
    counts[axis] -= 1
    pairs = [(symbol, count) for symbol, count in counts.items() if count]
    inner = sp.Derivative(node.expr, *pairs) if pairs else node.expr
    if pairs or not field_atoms(coefficient):
        return axis, coefficient * inner, -coefficient.diff(axis) * inner
    value = sp.Dummy("value", real=True)  # c(x, u) u_x = D_x C - C_x with C the integral of c over u
    plain = coefficient.xreplace({node.expr: value})
    if field_atoms(plain) or not plain.is_polynomial(value):
        return None
    whole = sp.integrate(sp.expand(plain), value)
    return axis, whole.xreplace({value: node.expr}), -whole.diff(axis).xreplace({value: node.expr})
