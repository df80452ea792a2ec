"""Members of infinite families: their functions taken as polynomials."""

from __future__ import annotations

from collections.abc import Sequence

import sympy as sp
from sympy.polys.monomials import itermonomials

from solvers.symmetry.algebra import Family
from solvers.symmetry.generator import Generator


def polynomial_members(family: Family, degree: int = 2) -> list[Generator]:
    """The generators of a family whose functions are polynomials that satisfy its constraints.

    Args:
        family: The family.
        degree: Highest total degree.

    Returns:
        Independent generators.

    Example:
        >>> from sciml.symbols import coordinates, field
        >>> x, t = coordinates("x t")
        >>> u, a = field("u", x, t), field("a", x, t)
        >>> family = Family("superposition", Generator((x, t), (u,), {u: a}), (a,), (a.diff(t) - a.diff(x, 2),))
        >>> polynomial_members(family)
        [∂_u, x ∂_u, (2*t + x**2) ∂_u]
    """
    table, unknowns = {}, []
    for f in family.functions:
        monomials = sorted(itermonomials(f.args, degree), key=lambda m: (sp.total_degree(m), str(m)))
        weights = [sp.Dummy(f"c{k}") for k in range(len(monomials))]
        table[f.func] = sp.Lambda(f.args, sum(c * m for c, m in zip(weights, monomials, strict=True)))
        unknowns += weights

    def put(e: sp.Expr) -> sp.Expr:
        return e.replace(lambda n: n.func in table, lambda n: table[n.func](*n.args)).doit()

    rows = [row for constraint in family.constraints for row in _rows(put(constraint), unknowns)]
    vectors = sp.Matrix(rows).nullspace() if rows else list(sp.eye(len(unknowns)).columnspace())
    members = []
    for vector in vectors:
        values = dict(zip(unknowns, vector, strict=True))
        g = family.generator
        member = {z: sp.expand(put(c).xreplace(values)) for z, c in g.coefficients.items()}
        members.append(Generator(g.independent, g.dependent, member))
    return [member for member in members if member]


def _rows(expression: sp.Expr, unknowns: Sequence[sp.Symbol]) -> list[list[sp.Expr]]:
    """Equations for the weights: the coefficients of the functions that they stand with."""
    top = sp.expand(sp.fraction(sp.together(expression))[0])
    collected: dict[sp.Expr, dict[sp.Symbol, sp.Expr]] = {}
    for term in sp.Add.make_args(top):
        present = [c for c in unknowns if term.has(c)]
        if not present:
            continue
        factor, rest = (term / present[0]).as_coeff_Mul()
        row = collected.setdefault(rest, {})
        row[present[0]] = row.get(present[0], sp.S.Zero) + factor
    return [[row.get(c, sp.S.Zero) for c in unknowns] for row in collected.values()]
