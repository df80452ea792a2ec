"""Lie point symmetries of a system of PDEs: the public entry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy as sp
from sympy.core.function import AppliedUndef

from solvers.symmetry.algebra import SymmetryAlgebra
from solvers.symmetry.clock import BudgetError, Clock
from solvers.symmetry.counting import NoCountError
from solvers.symmetry.derivation import Derivation
from solvers.symmetry.equations import Equations, read_equations
from solvers.symmetry.verification import Verifier

FIRST_ORDER = (
    "every solution of a first-order scalar PDE is made of characteristics: its point symmetries contain arbitrary "
    "functions of several variables, and a finite list would not describe them"
)


def point_symmetries(
    problem: Any,
    fields: Sequence[AppliedUndef] | None = None,
    *,
    seconds: float | None = None,
    memory: float | None = None,
    seed: int = 0,
) -> SymmetryAlgebra:
    """The Lie algebra of point symmetries of a PDE or a system, with a certificate of completeness.

    Args:
        problem: `IBVP` (its equations are used, not its data), an equation, or several; any solved or unsolved form.
        fields: The unknowns, where they cannot be read off.
        seconds: Budget of processor time; what is known by then is returned, not certified.
        memory: Budget in megabytes, likewise.
        seed: Seed of all random points.

    Returns:
        The algebra.

    Raises:
        ProblemError: If the input is no system of PDEs, is inconsistent, or cannot be split.
    """
    statement = read_equations(problem, fields)
    clock = Clock(seconds, memory)
    if is_first_order_scalar(statement):
        return _result(statement, clock, infinite=True, reason=FIRST_ORDER)
    try:
        derivation = Derivation(statement, clock, seed)
    except BudgetError as spent:
        return _result(statement, clock, reason=f"{spent} while the equations were brought to involution")
    reason = ""
    try:
        for stage in (derivation.determine, derivation.size, derivation.search):
            stage()
    except BudgetError as spent:
        reason = f"{spent}; this is what was known by then"
    except NoCountError as failure:
        reason = str(failure)
    return _collect(derivation, clock, reason)


def is_first_order_scalar(statement: Equations) -> bool:
    """Is it one equation of order one for one field?"""
    orders = [d.derivative_count for e in statement.residuals for d in e.atoms(sp.Derivative)]
    return len(statement.fields) == 1 and len(statement.residuals) == 1 and max(orders) == 1


def _collect(derivation: Derivation, clock: Clock, reason: str) -> SymmetryAlgebra:
    statement, count = derivation.statement, derivation.count
    generators = [derivation.generator(solution) for solution in derivation.solutions]
    families = derivation.named_families()
    verifier = Verifier(statement.residuals, statement.fields, statement.coordinates)
    if not all(verifier.check(generator) for generator in generators):
        raise AssertionError("a derived generator failed the independent check")
    certificate = derivation.certificate(True)
    infinite = None if count is None else derivation.linear or count.dimension is None
    if count is not None and not reason and not derivation.complete:
        reason = "the generators found in closed form do not explain the count"
    return _result(
        statement,
        clock,
        generators=tuple(generators),
        families=tuple(families),
        dimension=derivation.finite_part,
        infinite=infinite,
        certified=not reason and derivation.complete,
        certificate=certificate,
        reason=reason,
        notes=derivation.notes(),
    )


def _result(statement: Equations, clock: Clock, **known: Any) -> SymmetryAlgebra:
    notes = (*statement.notes, *known.pop("notes", ()))
    return SymmetryAlgebra(
        statement.residuals, statement.fields, statement.coordinates, notes=notes, seconds=clock.elapsed(), **known
    )
