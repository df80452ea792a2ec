"""Exponential of a small exact matrix, with real functions for complex pairs of eigenvalues."""

from __future__ import annotations

import math

import sympy as sp


def matrix_exponential(matrix: sp.Matrix, s: sp.Expr) -> sp.Matrix | None:
    """exp(s M) by the Jordan–Chevalley decomposition M = S + N (Humphreys 1972, section 4.2).

    S is found by Newton's iteration S ← S − g(S)/g′(S), g the squarefree part of the characteristic
    polynomial; it needs no eigenvalue. N = M − S is nilpotent. exp(s S) is the sum over the irreducible
    factors of g: exp(λs) for a linear one, exp(αs)(cosh ωs + (S − α) sinh(ωs)/ω) for λ = α ± ω.

    Args:
        matrix: Square, entries rational in any symbols (taken as generic).
        s: Group parameter.

    Returns:
        The exponential; None if an eigenvalue needs a root of degree three or more.

    Example:
        >>> s = sp.Symbol("s", real=True)
        >>> matrix_exponential(sp.Matrix([[0, 1], [-1, 0]]), s)
        Matrix([
        [ cos(s), sin(s)],
        [-sin(s), cos(s)]])
    """
    size, x = matrix.rows, sp.Dummy("x")
    stand_in = {e: sp.Dummy(real=True) for e in _irrational_atoms(matrix)}
    if stand_in:
        result = matrix_exponential(matrix.xreplace(stand_in), s)
        return None if result is None else result.xreplace({d: e for e, d in stand_in.items()})
    nilpotent = _nilpotent_exponential(matrix, s)
    if nilpotent is not None:
        return nilpotent
    factors = [factor for factor, _ in sp.Poly(matrix.charpoly().all_coeffs(), x).factor_list()[1]]
    if any(factor.degree() > 2 for factor in factors):
        return None
    squarefree = math.prod(factors, start=sp.Poly(1, x))
    semisimple = _semisimple_part(matrix, squarefree)
    tail = _nilpotent_exponential((matrix - semisimple).applyfunc(sp.cancel), s)
    if tail is None:
        return None
    total = sp.zeros(size)
    for factor in factors:
        rest = sp.quo(squarefree, factor)
        inverse = sp.invert(rest, factor) if factor.degree() and rest.degree() > 0 else 1 / rest.as_expr()
        projection = _evaluate(sp.Poly(rest * inverse, x), semisimple)
        total += _factor_exponential(factor, semisimple, s) * projection
    return (total * tail).applyfunc(_tidy)


def _irrational_atoms(matrix: sp.Matrix) -> set[sp.Expr]:
    found: set[sp.Expr] = set()
    stack = list(matrix)
    while stack:
        node = stack.pop()
        rational = node.is_Add or node.is_Mul or (node.is_Pow and node.exp.is_Integer)
        if node.is_Symbol or node.is_Rational:
            continue
        if rational:
            stack.extend(node.args)
        else:
            found.add(node)
    return found


def _tidy(entry: sp.Expr) -> sp.Expr:
    return sp.expand(entry) if entry.has(sp.exp, sp.cos, sp.sin, sp.cosh, sp.sinh) else sp.cancel(entry)


def _evaluate(polynomial: sp.Poly, matrix: sp.Matrix) -> sp.Matrix:
    result = sp.zeros(matrix.rows)
    for coefficient in polynomial.all_coeffs():
        result = (result * matrix + coefficient * sp.eye(matrix.rows)).applyfunc(sp.cancel)
    return result


def _nilpotent_exponential(matrix: sp.Matrix, s: sp.Expr) -> sp.Matrix | None:
    total, power = sp.eye(matrix.rows), sp.eye(matrix.rows)
    for k in range(1, matrix.rows + 1):
        power = (power * matrix).applyfunc(sp.cancel)
        if power.is_zero_matrix:
            return total
        total += power * s**k / sp.factorial(k)
    return None


def _semisimple_part(matrix: sp.Matrix, squarefree: sp.Poly) -> sp.Matrix:
    semisimple = matrix
    slope = squarefree.diff()
    for _ in range(matrix.rows.bit_length() + 1):
        value = _evaluate(squarefree, semisimple)
        if value.is_zero_matrix:
            break
        semisimple = (semisimple - value * _evaluate(slope, semisimple).inv()).applyfunc(sp.cancel)
    return semisimple


def _factor_exponential(factor: sp.Poly, matrix: sp.Matrix, s: sp.Expr) -> sp.Matrix:
    leading, *rest = factor.all_coeffs()
    identity = sp.eye(matrix.rows)
    if factor.degree() == 1:
        return sp.exp(sp.cancel(-rest[0] / leading) * s) * identity
    middle = sp.cancel(-rest[0] / (2 * leading))
    square = sp.factor(sp.cancel(middle**2 - rest[1] / leading))
    cosine, sine = cosine_pair(square, s)
    return sp.exp(middle * s) * (cosine * identity + sine * (matrix - middle * identity))


def cosine_pair(square: sp.Expr, s: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
    """The real functions cosh(ωs) and sinh(ωs)/ω of ω² (cosine and sine where ω² is negative).

    Args:
        square: ω², of any sign; where the sign is open the hyperbolic form is used, which is entire in ω².
        s: Argument.

    Returns:
        Both functions; (1, s) for ω = 0.
    """
    if square == 0:
        return sp.S.One, s
    if square.is_negative or square.could_extract_minus_sign():
        root = _root(-square)
        return sp.cos(root * s), sp.sin(root * s) / root
    root = _root(square)
    return sp.cosh(root * s), sp.sinh(root * s) / root


def _root(square: sp.Expr) -> sp.Expr:
    # Only even functions of the root are used: its sign, hence the absolute value, may be dropped.
    return sp.sqrt(square).replace(sp.Abs, lambda argument: argument)
