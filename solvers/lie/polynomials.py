"""Polynomial solutions: symmetries as operators, applied to the simplest ones."""

from __future__ import annotations

import itertools

import sympy as sp

from solvers.lie.atoms import FormulaAtoms
from solvers.lie.statement import Statement


def polynomial_solutions(statement: Statement, degree: int, most: int = 24) -> list[FormulaAtoms]:
    """Q = η - ξ · ∇ maps solutions to solutions: applied again and again to the solutions of degree <= 1 (Miller 1977).

    Args:
        statement: A single linear equation.
        degree: Highest degree.
        most: Most solutions.

    Returns:
        One family per solution, its generators those that were applied; scaled to size 1 on the domain.
    """
    if statement.count != 1:
        return []
    known: list[tuple[sp.Expr, tuple[str, ...]]] = [(seed, ()) for seed in simple_solutions(statement)]
    field = statement.problem.fields[0]
    work = list(known)
    while work and len(known) < most:
        solution, chain = work.pop(0)
        for generator in statement.algebra or ():
            image = sp.expand(generator.characteristic()[field].xreplace({field: solution}).doit())
            if image == 0 or not image.is_polynomial(*statement.coordinates):
                continue
            polynomial = sp.Poly(image, *statement.coordinates)
            if polynomial.total_degree() > degree or not _new(image, known, statement):
                continue
            entry = (image, (*chain, str(generator)))
            known.append(entry)
            work.append(entry)
    return [_family(statement, solution, chain) for solution, chain in known]


def simple_solutions(statement: Statement) -> list[sp.Expr]:
    """Polynomial solutions of degree at most one: null vectors of the equation on 1, x, t, ..."""
    basis = [sp.S.One, *statement.coordinates]
    images = [sp.expand(apply(statement, [b])[0]) for b in basis]
    if not all(image.is_polynomial(*statement.coordinates) for image in images):
        return [b for b, image in zip(basis, images, strict=True) if image == 0]
    monomials = sorted({m for image in images for m in sp.Poly(image, *statement.coordinates).monoms()})
    rows = [[sp.Poly(i, *statement.coordinates).coeff_monomial(m) for i in images] for m in monomials]
    matrix = sp.Matrix(rows)
    return [sum((c * b for c, b in zip(v, basis, strict=True)), sp.S.Zero) for v in matrix.nullspace()]


def apply(statement: Statement, solution: list[sp.Expr]) -> list[sp.Expr]:
    """The homogeneous equations on given fields."""
    results = []
    for form in statement.forms:
        total = sp.S.Zero
        for (field, orders), coefficient in form.coefficients.items():
            pairs = [(s, k) for s, k in zip(statement.coordinates, orders, strict=True) if k]
            total += coefficient * (solution[field].diff(*pairs) if pairs else solution[field])
        results.append(total)
    return results


def _new(image: sp.Expr, known: list, statement: Statement) -> bool:
    """Linearly independent of the known ones."""
    polynomials = [sp.Poly(p, *statement.coordinates) for p in (*[k for k, _ in known], image)]
    monomials = sorted({m for p in polynomials for m in p.monoms()})
    matrix = sp.Matrix([[p.coeff_monomial(m) for m in monomials] for p in polynomials])
    return matrix.rank() == len(polynomials)


def _family(statement: Statement, solution: sp.Expr, chain: tuple[str, ...]) -> FormulaAtoms:
    corners = itertools.product(*statement.bounds.tolist())
    size = max(abs(float(solution.subs(dict(zip(statement.coordinates, c, strict=True))))) for c in corners)
    scaled = solution / sp.nsimplify(round(size, 3)) if size > 1 else solution
    return FormulaAtoms(statement.coordinates, [scaled], name="polynomial", generators=chain)
