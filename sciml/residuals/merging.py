"""Merged second derivatives: where only Σ c_i ∂²u/∂x_i² enters, one stream carries the sum.

D = Σ c_i ∂_i² obeys D(uv) = u Dv + v Du + 2 Σ c_i u_i v_i and D(σ(z)) = σ'(z) Dz + σ''(z) Σ c_i z_i², so it passes
through a network like one derivative. A residual that contains the second derivatives only in this sum has
the same value and the same gradient when the first of them is replaced by the sum and the others by 0.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import sympy as sp
import torch
from torch import Tensor

from sciml.jets import Jet
from sciml.residuals.taylor import Index

Merged = tuple[tuple[float, tuple[int, ...]], ...]
"""(c_i, 2e_i), the first with coefficient 1; a multi-index for the stream engine."""


def merged_second_derivatives(expressions: Sequence[sp.Expr], atoms: Mapping[Jet, sp.Expr]) -> Merged | None:
    """The sum of pure second derivatives in which alone they enter, the same for all fields and components.

    Args:
        expressions: Components of a residual.
        atoms: Jet -> its SymPy derivative, one each.

    Returns:
        Pairs (c_i, 2e_i), or None where the derivatives enter in another way or alone.

    Example:
        >>> from sciml import coordinates, field
        >>> x, t = coordinates("x t"); u = field("u", x, t)
        >>> atoms = {(0, (0, 2)): u.diff(t, 2), (0, (2, 0)): u.diff(x, 2), (0, (0, 0)): u}
        >>> merged_second_derivatives([u.diff(t, 2) - 4 * u.diff(x, 2) + u**2], atoms)
        ((1.0, (0, 2)), (-4.0, (2, 0)))
    """
    pure = [jet for jet in atoms if sum(jet[1]) == 2 == max(jet[1])]
    orders, fields = sorted({jet[1] for jet in pure}), sorted({jet[0] for jet in pure})
    if len(orders) < 2 or set(pure) != set(itertools.product(fields, orders)):
        return None
    if any(_above(jet[1], order) for jet in atoms if jet not in pure for order in orders):
        return None  # a higher derivative needs the single ones anyway
    symbols = {jet: sp.Dummy() for jet in atoms}
    seconds = {symbols[jet] for jet in pure}
    ratios: set[tuple[sp.Expr, ...]] = set()
    for expression in expressions:
        flat = expression.xreplace({atom: symbols[jet] for jet, atom in atoms.items()})
        for known in fields:
            slopes = [flat.diff(symbols[known, order]) for order in orders]
            if all(slope == 0 for slope in slopes):
                continue
            if slopes[0] == 0 or any(slope.free_symbols & seconds for slope in slopes):
                return None
            ratios.add(tuple(_ratio(slope, slopes[0]) for slope in slopes))
    if len(ratios) != 1 or not all(r.is_number and r.is_finite and r.is_nonzero and r.is_real for r in min(ratios)):
        return None
    return tuple((float(ratio), order) for ratio, order in zip(min(ratios), orders, strict=True))


def _ratio(slope: sp.Expr, lead: sp.Expr) -> sp.Expr:
    ratio = slope / lead
    return ratio if ratio.is_number else sp.cancel(ratio)


def _above(index: Index, order: Index) -> bool:
    return all(a >= b for a, b in zip(index, order, strict=True))


def merge(needed: Sequence[Jet], merged: Merged) -> tuple[tuple[Jet, ...], tuple[int, ...]]:
    """Jets with the sum in place of the first second derivative and without the others.

    Args:
        needed: Jets.
        merged: The sum.

    Returns:
        Jets for the engine, and the position in `needed` of each.
    """
    lead, *others = (order for _, order in merged)
    kept = [(k, jet) for k, jet in enumerate(needed) if jet[1] not in others]
    index: Index = merged
    return tuple((jet[0], index if jet[1] == lead else jet[1]) for _, jet in kept), tuple(k for k, _ in kept)


def spread(values: Tensor, positions: Sequence[int], count: int) -> Tensor:
    """Columns at their positions, zeros elsewhere.

    Args:
        values: (n, k).
        positions: Position of each column.
        count: Number of columns of the result.

    Returns:
        (n, count).
    """
    columns = dict(zip(positions, values.unbind(dim=1), strict=True))
    zero = torch.zeros_like(values[:, 0])
    return torch.stack([columns.get(k, zero) for k in range(count)], dim=1)
