"""How far exponential atoms are from solving the equation: their rounded exponents miss P(κ) = 0 by a little."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import sympy as sp

from sciml.classification import LinearForm, linear_form
from sciml.ibvp import IBVP
from solvers.lie.atoms import Atoms, ExponentialAtoms, exact_number
from solvers.lie.bounds.balls import flint, precision, upper
from solvers.lie.bounds.program import constant


def exponential_residual(
    problem: IBVP, families: Sequence[Atoms], amplitudes: Sequence[np.ndarray], sizes: Sequence[np.ndarray]
) -> float | None:
    """Bound of the residual Σ |a_j P(κ_j)| sup|φ_j| of the exponential atoms of a sum.

    Args:
        problem: A problem for one field.
        families: Atoms.
        amplitudes: Per family.
        sizes: sup|φ_j| per family, (n, 1).

    Returns:
        The bound; None where coefficients vary, or there are several fields.
    """
    if len(problem.fields) != 1:
        return None
    form = linear_form(problem.substitute(problem.equations[0]), problem.fields, problem.coordinates)
    if form is None or not all(sp.sympify(c).is_number for c in form.coefficients.values()):
        return None
    total = 0.0
    with precision(128):
        numbers = {jet: constant(sp.sympify(c)) for jet, c in form.coefficients.items()}
        for family, own, size in zip(families, amplitudes, sizes, strict=True):
            if isinstance(family, ExponentialAtoms):
                for j in np.flatnonzero(own):
                    total += abs(float(own[j])) * _missed(form, numbers, family, int(j)) * float(size[j, 0])
    return total * (1 + 1e-9)


def _missed(form: LinearForm, numbers: dict, family: ExponentialAtoms, j: int) -> float:
    """The largest |P(κ)| of the copies of an atom."""
    worst = 0.0
    for exponent in family.exponents[j]:
        kappa = [flint.acb(constant(exact_number(k.real)), constant(exact_number(k.imag))) for k in exponent]
        value = flint.acb(0)
        for jet in form.coefficients:
            term = flint.acb(numbers[jet])
            for k, order in zip(kappa, jet[1], strict=True):
                term *= k ** int(order)
            value += term
        worst = max(worst, upper(value))
    return worst
