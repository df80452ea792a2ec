"""Exponents of the exponentials that data are made of: seeds that the data themselves give."""

from __future__ import annotations

import numpy as np
import sympy as sp

from sciml.callables import is_numeric_only

_LARGEST = 200  # operations beyond which data are not rewritten


def exponential_sum(data: sp.Expr, symbol: sp.Symbol) -> sp.Expr | None:
    """Data as the sum of exponentials that they are, which has no digits to cancel.

    With a common g of which all exponents are multiples, e^{g s} = z makes the data a rational function of z; the sum
    is found where it cancels to powers: e^{5x}/(1 + tanh 10x) is (e^{5x} + e^{-15x})/2.

    Args:
        data: An expression.
        symbol: s.

    Returns:
        The sum, or None where the data are something else.

    Example:
        >>> x = sp.Symbol("x")
        >>> exponential_sum(sp.exp(5 * x) / (1 + sp.tanh(10 * x)), x)
        exp(5*x)/2 + exp(-15*x)/2
    """
    if data.free_symbols != {symbol} or is_numeric_only(data) or data.count_ops() > _LARGEST:
        return None
    if not data.has(sp.exp, sp.sin, sp.cos, sp.tan, sp.sinh, sp.cosh, sp.tanh) or data.has(sp.Piecewise):
        return None
    real = sp.Dummy("s", real=True)
    plain = sp.nsimplify(data.xreplace({symbol: real}), rational=True)
    written = sp.powsimp(sp.expand(plain.rewrite(sp.exp)))
    for form in (written, sp.expand(_cancelled(written, real))):
        if _powers(form, real) is not None:
            return form.xreplace({real: symbol})
    return None


def data_exponents(data: sp.Expr, symbol: sp.Symbol) -> np.ndarray:
    """The κ of data Σ_k c_k e^{κ_k s}, also where they are written by other functions.

    Args:
        data: An expression.
        symbol: s.

    Returns:
        Different exponents, complex; none where the data are something else.

    Example:
        >>> x = sp.Symbol("x")
        >>> data_exponents(3 * sp.sin(2 * x) + 1, x)
        array([0.-2.j, 0.+0.j, 0.+2.j])
        >>> data_exponents(1 / (1 + sp.exp(x)), x)
        array([], dtype=complex128)
    """
    sum_ = exponential_sum(data, symbol)
    powers = None if sum_ is None else _powers(sum_, symbol)
    found = sorted({complex(k) for k in powers or ()}, key=lambda k: (k.real, k.imag))
    return np.array(found, dtype=complex)


def _powers(sum_: sp.Expr, symbol: sp.Symbol) -> list[sp.Expr] | None:
    """The exponents of a sum of exponentials, or None."""
    found = []
    for term in sp.Add.make_args(sp.expand(sum_)):
        slope = sp.S.Zero
        for factor in sp.Mul.make_args(sp.powsimp(term)):
            if not factor.has(symbol):
                continue
            argument = factor.exp if isinstance(factor, sp.exp) else None
            own = argument.diff(symbol) if argument is not None else None
            if own is None or own.has(symbol) or not own.is_number:
                return None
            slope += own
        found.append(slope)
    return found


def _cancelled(written: sp.Expr, symbol: sp.Symbol) -> sp.Expr:
    """The same with common factors of its fraction cancelled, as a rational function of one exponential."""
    slopes = {sp.expand(e.exp).coeff(symbol) for e in written.atoms(sp.exp) if e.has(symbol)}
    if not slopes or any(not k.is_number for k in slopes):
        return written
    first = next(iter(slopes))
    ratios = [k / first for k in slopes]
    if not all(r.is_Rational for r in ratios):
        return written
    base = first * sp.gcd(ratios)
    z = sp.Symbol("z", positive=True)

    def replaced(power: sp.Expr) -> sp.Expr:
        argument = sp.expand(power.exp)
        rest = argument - argument.coeff(symbol) * symbol
        if rest.has(symbol):
            return power
        return sp.exp(rest) * z ** (argument.coeff(symbol) / base)

    rational = written.xreplace({e: replaced(e) for e in written.atoms(sp.exp)})
    if rational.has(symbol):
        return written
    return sp.cancel(rational).subs(z, sp.exp(base * symbol))
