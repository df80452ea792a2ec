"""Whether a steady problem has one solution: the smallest boundary residual of a solution of size one inside."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import scipy.linalg

from sciml.classification import linear_form
from sciml.errors import SolverError, SolverWarning
from sciml.ibvp import IBVP
from solvers.lie.atoms import Atoms
from solvers.lie.rows import ConditionRows

_CUT, _SINGULAR, _NEAR = 1e-11, 1e-8, 1e-4


def smallest_residual(problem: IBVP, families: Sequence[Atoms], rows: ConditionRows) -> float:
    r"""Min over the span of the atoms of |homogeneous conditions| / |(conditions, values inside)|.

    Near an eigenvalue λ_j of the domain it is about |κ - λ_j|/λ_j (Betcke & Trefethen 2005, SIAM Rev. 47, 469).

    Args:
        problem: A steady problem.
        families: Solutions of its equation.
        rows: Its conditions.

    Returns:
        A number in [0, 1], 0 at a resonance.
    """
    inside = problem.domain.sample(150, seed=1)
    values = np.concatenate([family.jets(inside, [(0, (0, 0))])[:, 0] for family in families], axis=1)
    boundary = rows.row_weights[:, None] * rows.matrix(families)
    stacked = np.concatenate([boundary, values / np.sqrt(len(inside))])
    norms = np.linalg.norm(stacked, axis=0)
    usable = np.isfinite(norms) & (norms > 1e-150)
    factor, triangle = scipy.linalg.qr(stacked[:, usable] / norms[usable], mode="economic", check_finite=False)
    left, singular, _ = scipy.linalg.svd(triangle, check_finite=False)
    basis = factor[: len(boundary)] @ left[:, singular > _CUT * singular[0]]
    return float(scipy.linalg.svdvals(basis, check_finite=False)[-1])


def check_unique(problem: IBVP, families: Sequence[Atoms], rows: ConditionRows | None, error: float) -> None:
    """Refuse a resonance, warn near one.

    Args:
        problem: The problem.
        families: Atoms of a fit.
        rows: Its rows.
        error: Its relative mismatch.

    Raises:
        SolverError: If the homogeneous problem has a solution other than 0, unless that is a constant.
    """
    if problem.time is not None or rows is None or len(problem.space) != 2 or len(problem.fields) != 1:
        return
    judge_uniqueness(problem, smallest_residual(problem, families, rows), rows, error)


def judge_uniqueness(problem: IBVP, size: float, rows: ConditionRows, error: float) -> None:
    """Refuse or warn, by the smallest boundary residual of a solution of size one.

    Args:
        problem: A steady problem for one field.
        size: That residual.
        rows: Its conditions.
        error: Relative mismatch of its fit.

    Raises:
        SolverError: If the homogeneous problem has a solution other than 0, unless that is a constant.
    """
    if size < _SINGULAR and _constants_are_free(problem, rows):
        if error > 1e-6:
            raise SolverError("slopes on the boundary whose integral fits the sources (0 without any)",
                              "slopes whose integral does not: there is no solution",
                              "change the data, or fix the value on a face")  # fmt: skip
        warnings.warn("the conditions fix the solution up to a constant: one of small size was taken",
                      SolverWarning, stacklevel=4)  # fmt: skip
        return
    if size < _SINGULAR:
        raise SolverError(
            "an equation without resonance on its domain",
            f"one whose homogeneous problem has a solution other than 0 (boundary residual {size:.0e})",
            "change the zero-order coefficient, the domain or a condition: no solver, PINN neither, can choose among "
            "the solutions",
        )
    if size < _NEAR:
        warnings.warn(f"the problem is close to a resonance: mistakes in its data grow by about {1 / size:.0e}",
                      SolverWarning, stacklevel=4)  # fmt: skip


def _constants_are_free(problem: IBVP, rows: ConditionRows) -> bool:
    """Whether u = 1 solves the homogeneous equation and meets all homogeneous conditions."""
    form = linear_form(problem.substitute(problem.equations[0]), problem.fields, problem.coordinates)
    if form is None or any(c != 0 for (_, orders), c in form.coefficients.items() if not any(orders)):
        return False
    conditions = {name for term in problem.terms if term.kind != "interior" for name in term.components}
    for term, labels in zip(rows._terms, rows.labels, strict=True):
        if set(labels) <= conditions:
            values = [place.sign * place.coefficients[:, :, k] for place in term.places
                      for k, (_, orders) in enumerate(place.needed) if not any(orders)]  # fmt: skip
            if values and np.abs(np.sum(values, axis=0)).max() > 0:
                return False
    return True
