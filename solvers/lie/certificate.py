"""The error bound of a solution: exact atoms, rigorous enclosures, and the rounding of the evaluation."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import sympy as sp

from sciml.ibvp import IBVP
from solvers.lie.atom_residuals import exponential_residual
from solvers.lie.atom_rounding import UNIT, atom_rounding
from solvers.lie.atoms import Atoms, ExponentialAtoms
from solvers.lie.bounds import error_bound
from solvers.lie.bounds.balls import available
from solvers.lie.bounds.budget import OutOfTime, cpu_limit
from solvers.lie.bounds.operator import read_operator
from solvers.lie.bounds.result import Bound
from solvers.lie.bounds.sup import NotEnclosed
from solvers.lie.planar.bessel_atoms import BesselAtoms
from solvers.lie.planar.enclosure import is_plain, plane_function
from solvers.lie.planar.plane_atoms import PlaneAtoms
from solvers.lie.similarity_atoms import SimilarityAtoms
from solvers.lie.spectral_atoms import ChebyshevAtoms
from solvers.lie.travelling.certificate import may_jump, without_profiles
from solvers.lie.travelling.profile_atoms import ProfileAtoms

_LONGEST = 20000  # coefficients of a polynomial


@dataclass(frozen=True)
class _Exact:
    """What is certified: {field: expression}, numbers exact."""

    expr: dict[Any, sp.Expr]


def certify(problem: IBVP, families: Sequence[Atoms], amplitudes: np.ndarray, seconds: float | None = 10.0) -> Bound:
    """Bound of the error of a sum of atoms as it is evaluated.

    Amplitudes are the exact binary numbers that they are and parameters come by `exact_number`, so that the enclosures
    see what is computed without the rounding of printed coefficients. The rounding of the evaluation is added atom by
    atom: (units of the atom + n + 2) 2^-53 |a_j| sup|φ_j|, sums of n terms in any order (Higham 2002, section 3.1).

    Args:
        problem: The problem.
        families: Atoms.
        amplitudes: Over all families.
        seconds: CPU time after which there is no bound.

    Returns:
        `sup`, `l2` and `reason`.
    """
    if not available():
        return error_bound(problem, _Exact(dict.fromkeys(problem.fields, sp.S.Zero)))  # says how to get it
    reached = ["the rounding of the evaluation"]
    try:
        with cpu_limit(seconds):
            return _certified(problem, families, amplitudes, seconds, reached)
    except OutOfTime:
        count = int(np.count_nonzero(amplitudes))
        return Bound(None, None, f"not finished within {seconds:g} s of CPU time for {count} terms: {reached[-1]} was "
                     "being enclosed; see the mismatch on held-out rows in the status")  # fmt: skip


def _certified(
    problem: IBVP, families: Sequence[Atoms], amplitudes: np.ndarray, seconds: float | None, reached: list[str]
) -> Bound:
    """The bound; `reached` grows by what is done."""
    end = None if seconds is None else time.process_time() + seconds

    def left() -> float | None:
        return None if end is None else max(end - time.process_time(), 0.1)

    lengths = [family.coefficients[0].size for family in families if isinstance(family, ChebyshevAtoms)]
    if max(lengths, default=0) > _LONGEST:
        return Bound(None, None, f"a polynomial with {max(lengths)} coefficients is too long to be enclosed: see the "
                     "mismatch on held-out rows in the status")  # fmt: skip
    rounding = sum_rounding(problem, families, amplitudes)
    if rounding is None:
        kinds = ", ".join(sorted({family.name for family in families}))
        return Bound(None, None, f"the rounding of the evaluation is not bounded for these atoms: {kinds}")
    reached.append("the sum in exact numbers")
    rest, kept, own = _without_exact(problem, families, amplitudes)
    found = _solved_part(rest, kept, own)
    if isinstance(found, str):
        return Bound(None, None, found)
    exact, solved, slack = found
    reached.append("the mismatch of the conditions and equations")
    bound = error_bound(rest, _Exact(exact), seconds=left(), rounding=rounding, regular=True, solved=solved,
                        slack=slack)  # fmt: skip
    return _with_jumps(bound, families, amplitudes) if bound.sup is not None else bound


def _without_exact(
    problem: IBVP, families: Sequence[Atoms], amplitudes: np.ndarray
) -> tuple[IBVP, list[Atoms], np.ndarray]:
    """The problem without what travelling profiles solve exactly, and the other families with their amplitudes."""
    kept, own, start = list[Atoms](), [], 0
    for family in families:
        part = amplitudes[start : start + len(family)]
        start += len(family)
        if isinstance(family, ProfileAtoms):
            problem = without_profiles(problem, family, part)
        else:
            kept.append(family)
            own.append(part)
    return problem, kept, np.concatenate(own) if own else np.zeros(0)


def _with_jumps(bound: Bound, families: Sequence[Atoms], amplitudes: np.ndarray) -> Bound:
    """A place of a jump is a float, half a unit off: within a few units of it values may be those of the other side."""
    places, start = set[Any](), 0
    for family in families:
        if isinstance(family, SimilarityAtoms):
            places |= family.jumps(amplitudes[start : start + len(family)])
        if isinstance(family, ProfileAtoms) and may_jump(family):
            places.add("characteristics")
        start += len(family)
    if not places:
        return bound
    reason = f"{bound.reason}; rounding at the jumps of the data is not included"
    return replace(bound, reason=reason, details=bound.details | {"jumps": sorted(places, key=str)})


def _solved_part(
    problem: IBVP, families: Sequence[Atoms], amplitudes: np.ndarray
) -> tuple[dict[Any, sp.Expr], dict[Any, sp.Expr] | None, float] | str:
    """The whole sum, the part of it that solves the equation without sources, and how well; or why not."""
    exact = exact_sum(problem, families, amplitudes)
    if any(isinstance(family, PlaneAtoms) for family in families):
        solved = planar_part(problem, families, amplitudes)
        if solved is None:
            kinds = ", ".join(sorted({family.name for family in families}))
            return f"no enclosure is known for these atoms in this equation: {kinds}"
        return {known: exact[known] + solved[known] for known in problem.fields}, solved, 0.0
    ends = np.cumsum([len(family) for family in families])[:-1]
    parts = np.split(amplitudes, ends) if families else []
    waves = [(f, a) for f, a in zip(families, parts, strict=True) if isinstance(f, ExponentialAtoms) and a.any()]
    if not waves or not _slack_counts(problem):
        return exact, None, 0.0
    sizes = [atom_rounding(f, np.array(problem.bounds))[1] for f, _ in waves]  # type: ignore[index]
    slack = exponential_residual(problem, [f for f, _ in waves], [a for _, a in waves], sizes)
    if slack is None:
        return exact, None, 0.0
    solved = exact_sum(problem, [f for f, _ in waves], np.concatenate([a for _, a in waves]))
    return exact, solved, slack


def _slack_counts(problem: IBVP) -> bool:
    """Whether the bound of this kind of problem takes the residual as a number."""
    if len(problem.fields) != 1:
        return False
    try:
        operator = read_operator(problem)
    except NotEnclosed:
        return False
    known = operator.time_order == 1 and any(operator.second)
    known = known or (operator.time_order == 2 and operator.speed_squared is not None and not operator.damping)
    return bool(known and operator.scale in (1, -1))


def planar_part(problem: IBVP, families: Sequence[Atoms], amplitudes: np.ndarray) -> dict[Any, sp.Expr] | None:
    """The sum of the planar atoms where they solve the equation exactly: Laplace's, or Helmholtz' with a float k.

    Args:
        problem: The problem.
        families: Atoms.
        amplitudes: Over all families.

    Returns:
        Field -> expression; None for another equation, where they solve it only up to the rounding of their frame.
    """
    operator, ends = read_operator(problem), np.cumsum([len(family) for family in families])[:-1]
    chosen = [(f, a) for f, a in zip(families, np.split(amplitudes, ends), strict=True) if isinstance(f, PlaneAtoms)]
    a = operator.second[0, 0]
    plain = operator.second == a * sp.eye(2) and a.is_number and not any(operator.first)
    for family, _ in chosen:
        number = sp.Rational(float(family.wavenumber)) ** 2 if isinstance(family, BesselAtoms) else sp.S.Zero
        sign = -1 if isinstance(family, BesselAtoms) and family.letter in {"I", "K"} else 1
        plain = plain and is_plain(family) and operator.zero == sign * a * number
    if not plain:
        return None
    function = plane_function([f for f, _ in chosen], [a for _, a in chosen])
    return {problem.fields[0]: function(*problem.coordinates)}


def exact_sum(problem: IBVP, families: Sequence[Atoms], amplitudes: np.ndarray) -> dict[Any, sp.Expr]:
    """Σ a_j φ_j by field, all numbers exact; planar atoms are left out.

    Args:
        problem: The problem.
        families: Atoms.
        amplitudes: Over all families.

    Returns:
        Field -> expression.
    """
    totals: list[list[sp.Expr]] = [[] for _ in problem.fields]
    start = 0
    for family in families:
        for j in range(len(family) if not isinstance(family, PlaneAtoms) else 0):
            amplitude = float(amplitudes[start + j])
            if amplitude:
                for total, part in zip(totals, family.formula(j, problem.coordinates), strict=True):
                    total.append(sp.Rational(amplitude) * part)
        start += len(family)
    return {known: sp.Add(*total) for known, total in zip(problem.fields, totals, strict=True)}


def sum_rounding(problem: IBVP, families: Sequence[Atoms], amplitudes: np.ndarray) -> float | None:
    """Bound of the rounding of Σ a_j φ_j over the domain, the largest over the fields.

    Args:
        problem: The problem.
        families: Atoms.
        amplitudes: Over all families.

    Returns:
        The bound; None where the evaluation of a kind of atoms is not analysed.
    """
    terms, start = int(np.count_nonzero(amplitudes)), 0
    total = np.zeros(len(problem.fields))
    for family in families:
        own = np.abs(amplitudes[start : start + len(family)])
        start += len(family)
        if not own.any():
            continue
        used = np.flatnonzero(own)
        found = atom_rounding(family.take(used), np.array(problem.bounds), problem.domain)
        if found is None:
            return None
        errors, sizes = found
        total += own[used] @ (errors + (terms + 2) * UNIT * sizes)
    worst = float(total.max()) * (1 + 1e-9)
    return worst if np.isfinite(worst) else None
