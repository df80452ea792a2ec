"""A PDE system in new coordinates, along a graph that is given by formulas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sympy as sp
from sympy.core.function import AppliedUndef

from sciml.errors import SolverError


def pulled_back(
    equations: Sequence[sp.Expr],
    coordinates: Sequence[sp.Symbol],
    images: Mapping[sp.Expr, sp.Expr],
    new: Sequence[sp.Symbol],
) -> list[sp.Expr]:
    """Put x = X(y), u = U(y) into equations for u(x): D_x = (∂X/∂y)⁻ᵀ ∂_y, repeated (Olver 1993, section 2.3).

    X and U may contain unknown functions of y, so that hodograph transformations are included.

    Args:
        equations: Residuals in u(x).
        coordinates: The old coordinates x.
        images: Old coordinate or field to its expression in the new coordinates.
        new: The new coordinates y.

    Returns:
        Residuals in the new coordinates, not simplified.

    Raises:
        SolverError: If X is not invertible.

    Example:
        >>> from sciml.symbols import coordinates, field
        >>> x, t, s = coordinates("x t s")
        >>> u, w = field("u", x, t), field("w", x, s)
        >>> pulled_back([u.diff(t) - u.diff(x, 2)], (x, t), {x: x, t: s / 2, u: w}, (x, s))
        [2*Derivative(w(x, s), s) - Derivative(w(x, s), (x, 2))]
    """
    jacobian = sp.Matrix([[images[x].diff(y) for y in new] for x in coordinates])
    determinant = short(jacobian.det(method="berkowitz"))
    if determinant == 0:
        raise SolverError("an invertible change of coordinates", str(dict(images)))
    inverse = (jacobian.adjugate() / determinant).applyfunc(short)
    known: dict[tuple[sp.Expr, tuple[int, ...]], sp.Expr] = {}

    def derivative(field: sp.Expr, orders: tuple[int, ...]) -> sp.Expr:
        key = field, orders
        if key not in known:
            axis = next((k for k, count in enumerate(orders) if count), None)
            if axis is None:
                return images[field]
            lower = derivative(field, tuple(c - (k == axis) for k, c in enumerate(orders)))
            terms = (inverse[j, axis] * lower.diff(y) for j, y in enumerate(new) if inverse[j, axis] != 0)
            known[key] = short(sum(terms, sp.S.Zero))
        return known[key]

    table: dict[sp.Expr, sp.Expr] = dict(images)
    for node in set().union(*(e.atoms(sp.Derivative) for e in equations)):
        if node.expr in images:
            orders = dict(node.variable_count)
            table[node] = derivative(node.expr, tuple(int(orders.get(x, 0)) for x in coordinates))
    return [equation.xreplace(table) for equation in equations]


def short(expression: sp.Expr) -> sp.Expr:
    """Expanded, with powers joined; fractions cancelled where everything is rational."""
    if expression.is_Atom:
        return expression
    nodes = expression.atoms(sp.Derivative, AppliedUndef)
    stand_in = {node: sp.Dummy(positive=True) for node in nodes}
    flat = expression.xreplace({n: stand_in[n] for n in nodes})
    symbols = flat.free_symbols
    if flat.is_polynomial(*symbols):
        result = sp.expand(flat)
    elif flat.is_rational_function(*symbols):
        result = sp.cancel(flat)
    else:
        result = sp.powsimp(sp.expand(flat))
        if result.has(sp.sin):
            result = sp.trigsimp(result) if result.count_ops() < 150 else result
    return result.xreplace({d: n for n, d in stand_in.items()})


def normal_form(expression: sp.Expr, functions: Sequence[AppliedUndef]) -> sp.Expr:
    """Left side of an equation = 0 without denominators and without factors free of derivatives.

    Args:
        expression: Residual in unknown functions.
        functions: The unknown functions.

    Returns:
        An equivalent residual; 0 if the equation is empty, 1 if it is a contradiction.
    """
    heads = tuple(f.func for f in functions)
    jets = [n for n in expression.atoms(sp.Derivative) if n.expr in functions]
    jets += [f for f in functions if f in expression.atoms(*heads)]
    stand_in = {node: sp.Dummy(f"j{k}", positive=True) for k, node in enumerate(sorted(jets, key=str))}
    ordered = sorted(stand_in, key=lambda node: -node.count_ops())
    flat = expression.xreplace({node: stand_in[node] for node in ordered})
    top = sp.fraction(sp.together(sp.powsimp(sp.expand(flat))))[0]
    if sp.expand(top) == 0:
        return sp.S.Zero
    factored = sp.factor(top) if top.count_ops() < 1500 else sp.factor_terms(top)
    derivatives = {d for node, d in stand_in.items() if isinstance(node, sp.Derivative)}
    anything = set(stand_in.values())
    kept = [f for f in sp.Mul.make_args(factored) if f.free_symbols & derivatives]
    kept = kept or [f for f in sp.Mul.make_args(factored) if f.free_symbols & anything]
    bases = [f.as_base_exp()[0] if f.is_Pow and f.exp.is_positive else f for f in kept]
    result = sp.powsimp(sp.expand(sp.Mul(*bases))) if bases else sp.S.One
    return result.xreplace({d: n for n, d in stand_in.items()})
