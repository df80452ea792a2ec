"""Whether a steady problem has one solution: the smallest boundary residual of a solution of size one inside."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import scipy.linalg
import sympy as sp

from sciml.classification import linear_form
from sciml.conditions import Neumann
from sciml.errors import SolverError, SolverWarning
from sciml.ibvp import IBVP
from solvers.lie.atoms import Atoms
from solvers.lie.evolution.conditions import term_rows
from solvers.lie.placement import Density, term_points
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


def check_unique(
    problem: IBVP, families: Sequence[Atoms], rows: ConditionRows | None, error: float, particular: Atoms | None = None
) -> None:
    """Refuse a resonance, warn near one.

    Args:
        problem: The problem.
        families: Atoms of a fit.
        rows: Its rows.
        error: Its relative mismatch.
        particular: One solution of the equation with its source.

    Raises:
        SolverError: If the homogeneous problem has a solution other than 0, unless that is a constant.
    """
    if problem.time is not None or rows is None or len(problem.space) != 2 or len(problem.fields) != 1:
        return
    size = smallest_residual(problem, families, rows)
    if size < _SINGULAR and _constants_are_free(problem, rows):
        error = max(error, net_flux(problem, particular))  # poles hide a flux in the corner at which they cluster
    judge_uniqueness(problem, size, rows, error)


def net_flux(problem: IBVP, particular: Atoms | None) -> float:
    """|∮ g ds| / ∮ |g| ds of the slopes that are left for a harmonic function, which has none; 0 for other equations.

    Args:
        problem: A steady problem in the plane with slopes given all around.
        particular: A solution of the equation with its source.

    Returns:
        The share of the slopes that no harmonic function takes.
    """
    form = linear_form(problem.substitute(problem.equations[0]), problem.fields, problem.coordinates)
    jets = {} if form is None else {orders: sp.simplify(c) for (_, orders), c in form.coefficients.items()}
    if set(jets) != {(2, 0), (0, 2)} or jets[2, 0] != jets[0, 2] or not jets[2, 0].is_number:
        return 0.0
    total, size = 0.0, 1e-300
    for index, term in enumerate(problem.terms):
        if term.kind != "boundary" or not (term.periodic or isinstance(term.condition, Neumann)):
            continue
        points, lengths = term_points(problem, term, Density(line=8))
        part, outward = term_rows(problem, index, points), 1.0
        if term.periodic:  # the slope on the first face less that on the second
            ends = [problem.domain.sample_face(face, 1)[0].sum() for face in term.faces]
            outward = 1.0 if ends[0] > ends[1] else -1.0
        for c in range(part.data.shape[1]):
            if not any(np.any(p.coefficients[:, c, k]) and any(jet[1]) for p in part.places
                       for k, jet in enumerate(p.needed)):  # fmt: skip
                continue  # values
            left, known = -part.data[:, c], np.abs(part.data[:, c])
            for place in part.places:
                if particular is None:
                    break
                taken = (place.coefficients[:, c] * particular.jets(place.points, place.needed)[:, :, 0]).sum(axis=1)
                left, known = left - place.sign * taken, known + np.abs(taken)
            total, size = total + outward * float(lengths @ left), size + float(lengths @ known)
    return abs(total) / size


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
