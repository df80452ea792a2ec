"""Jets as symbols: total derivatives, Euler's operator and first integrals along one coordinate."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import sympy as sp

from solvers.symmetry.quadrature import primitive


def total(expression: sp.Expr, jets: Sequence[sp.Symbol], z: sp.Symbol) -> sp.Expr:
    """D_z of an expression in z and y0, y1, ...; the last jet must not occur."""
    chain = (expression.diff(a) * b for a, b in pairwise(jets))
    return expression.diff(z) + sum(chain, sp.S.Zero)


def euler(expression: sp.Expr, jets: Sequence[sp.Symbol], z: sp.Symbol) -> sp.Expr:
    """Σ (−D)^k ∂/∂y_k: zero exactly on total derivatives (Olver 1993, theorem 4.7).

    Args:
        expression: In z and the jets.
        jets: y0, y1, ..., at least twice the order of the expression.
        z: Coordinate.

    Returns:
        The variational derivative.
    """
    result = sp.S.Zero
    for k in reversed(range(len(jets))):
        result = expression.diff(jets[k]) - total(result, jets, z)
    return sp.expand(result)


def first_integral(expression: sp.Expr, jets: Sequence[sp.Symbol], z: sp.Symbol) -> sp.Expr | None:
    """G with D_z G = expression, by integrating the highest jet away again and again.

    Args:
        expression: In z and the jets.
        jets: y0, y1, ..., up to the order of the expression.
        z: Coordinate.

    Returns:
        G, or None if the expression is no total derivative or an integral has no closed form.

    Example:
        >>> z, y0, y1, y2 = sp.symbols("z y0 y1 y2", positive=True)
        >>> first_integral(y0 * y2 + y1**2 + z * y1 + y0, [y0, y1, y2], z)
        y0*y1 + y0*z
    """
    result, rest = sp.S.Zero, expression
    for k in range(len(jets) - 1, 0, -1):
        slope = sp.expand(rest.diff(jets[k]))
        if slope.has(*jets[k:]):
            return None
        part = primitive(slope, jets[k - 1])
        if part is None:
            return None
        result += part
        rest = sp.powsimp(sp.expand(rest - total(part, jets, z)))
    if rest.has(*jets):
        return None
    tail = primitive(rest, z) if rest != 0 else sp.S.Zero
    return None if tail is None else result + tail
