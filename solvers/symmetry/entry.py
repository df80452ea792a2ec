"""Lie point symmetries of a system of PDEs: the public entry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy as sp
from sympy.core.function import AppliedUndef

from sciml.errors import SolverError
from solvers.symmetry.algebra import Family, SymmetryAlgebra
from solvers.symmetry.clock import BudgetError, Clock
from solvers.symmetry.counting import NoCountError
from solvers.symmetry.derivation import Derivation
from solvers.symmetry.equations import Equations, read_equations
from solvers.symmetry.generator import Generator
from solvers.symmetry.points import NoPointError
from solvers.symmetry.verification import Verifier

FIRST_ORDER = (
    "the symmetries of one first-order PDE for one field contain arbitrary functions of several variables "
    "(every change of its characteristics), so that no finite list describes them"
)
UNEXPLAINED = "the algebra is infinite-dimensional and its growth is not explained by families in closed form"


def point_symmetries(
    problem: Any,
    fields: AppliedUndef | Sequence[AppliedUndef] | None = None,
    *,
    seconds: float | None = None,
    memory: float | None = None,
    seed: int = 0,
) -> SymmetryAlgebra:
    """The Lie algebra of point symmetries of a PDE or a system, with a certificate of completeness.

    Vector fields X = ξⁱ(x, u) ∂/∂xⁱ + ηᵃ(x, u) ∂/∂uᵃ with pr X(F) = 0 on F = 0 (Olver 1993, theorem 2.31).
    Three separate stages: the determining equations in a polynomial ring; their dimension, counted at random points
    modulo primes before anything is solved (initial data in Reid, Eur. J. Appl. Math. 2, 1991); generators in closed
    form from spaces of functions until the count is reached. Each generator is then checked independently.

    Args:
        problem: `IBVP` (its equations are used, not its data; parameters stay symbolic), an equation, or several,
            in any solved or unsolved form.
        fields: The unknowns, where they cannot be read off.
        seconds: Budget of processor time; what is known by then is returned, not certified.
        memory: Budget in megabytes, likewise.
        seed: Seed of all random points.

    Returns:
        The algebra: `dimension` modulo named families, `generators`, `families`, `certified` with `certificate`, or
        a `reason`.

    Raises:
        ProblemError: If the input is no system of PDEs, is inconsistent, or contains what cannot be split.
        SolverError: If an equation cannot be solved for a leading derivative.

    Example:
        >>> import sympy as sp
        >>> from sciml.symbols import coordinates, field
        >>> x, t = coordinates("x t")
        >>> u = field("u", x, t)
        >>> algebra = point_symmetries(sp.Eq(u.diff(t) + u * u.diff(x), u.diff(x, 2)))
        >>> algebra.dimension, algebra.infinite, algebra.certified
        (5, False, True)
        >>> print(algebra.generators[-1])
        (t*x) ∂_x + (t**2) ∂_t - (t*u - x) ∂_u
    """
    statement = read_equations(problem, fields)
    clock = Clock(seconds, memory)
    if is_first_order_scalar(statement):
        return _result(statement, clock, infinite=True, reason=FIRST_ORDER)
    reason, derivation = "", None
    try:
        derivation = Derivation(statement, clock, seed)
        derivation.determine()
        derivation.size()
        derivation.search()
    except BudgetError as spent:
        reason = f"{spent}; this is what was known by then"
    except NoCountError as failure:
        reason = str(failure)
    except NoPointError:
        reason = "no random point was found at which all functions of the equations have values"
    if derivation is None:
        return _result(statement, clock, reason=reason)
    return _collect(derivation, clock, reason)


def is_first_order_scalar(statement: Equations) -> bool:
    """Is it one equation of order one for one field of several coordinates?"""
    orders = [d.derivative_count for e in statement.residuals for d in e.atoms(sp.Derivative)]
    return len(statement.fields) == 1 and len(statement.residuals) == 1 and max(orders, default=0) == 1


def _collect(derivation: Derivation, clock: Clock, reason: str) -> SymmetryAlgebra:
    """The result, after the independent check."""
    count = derivation.count
    generators = tuple(derivation.generator(solution) for solution in derivation.solutions)
    families = tuple(derivation.named_families())
    failure = independent_check(derivation.statement, generators, families)
    infinite = None if count is None else derivation.linear or count.dimension is None
    if not reason and not derivation.complete:
        found = f"{len(generators)} of {derivation.finite_part} counted generators were found in closed form"
        reason = UNEXPLAINED if derivation.finite_part is None else found
    reason = "; ".join(part for part in (reason, failure) if part)
    return _result(
        derivation.statement,
        clock,
        generators=generators,
        families=families,
        dimension=derivation.finite_part,
        infinite=infinite,
        certified=not reason,
        certificate=derivation.certificate(not failure),
        reason=reason,
        notes=derivation.notes(),
    )


def independent_check(statement: Equations, generators: Sequence[Generator], families: Sequence[Family]) -> str:
    """What the check on the solution manifold found fault with; empty if nothing."""
    try:
        verifier = Verifier(statement.residuals, statement.fields, statement.coordinates)
        for generator in generators:
            if not verifier.check(generator):
                return f"{generator} failed the independent check"
        for family in families:
            if not verifier.check_family(family.generator, family.functions, family.constraints):
                return f"{family} failed the independent check"
    except SolverError as error:
        return f"the independent check could not be made ({error.expected})"
    return ""


def _result(statement: Equations, clock: Clock, **known: Any) -> SymmetryAlgebra:
    notes = (*statement.notes, *known.pop("notes", ()))
    return SymmetryAlgebra(
        statement.residuals, statement.fields, statement.coordinates, notes=notes, seconds=clock.elapsed(), **known
    )
