"""Where an expression may have no finite value or derivative."""

from __future__ import annotations

import sympy as sp

from sciml.callables import NumericFunction

# heads with a pole, a branch point or a vertical tangent somewhere on the real line
_HEADS = (sp.log, sp.tan, sp.cot, sp.sec, sp.csc, sp.asin, sp.acos, sp.acosh, sp.atanh, sp.acoth, sp.asech, sp.acot,
          sp.asec, sp.acsc, sp.coth, sp.csch, sp.gamma, sp.loggamma, sp.factorial, sp.polygamma, sp.erfinv, sp.bessely,
          sp.besselk, sp.besselj, sp.besseli, NumericFunction)  # fmt: skip


def singular_nodes(expression: sp.Basic) -> list[sp.Basic]:
    """Subexpressions that may be singular for some real values of the symbols.

    Args:
        expression: Any expression.

    Returns:
        Powers that are no polynomials, logarithms, tangents and other functions with poles or branch points.

    Example:
        >>> x = sp.Symbol("x", real=True)
        >>> singular_nodes(sp.exp(x) + 1 / x + x**2)
        [1/x]
    """
    found = [node for node in expression.atoms(sp.Pow) if _singular_power(node)]
    return found + [node for node in expression.atoms(*_HEADS) if not node.is_number]


def _singular_power(node: sp.Pow) -> bool:
    if node.is_number or (node.base.is_number and node.base.is_positive):
        return False
    return not (node.exp.is_integer and node.exp.is_nonnegative)
