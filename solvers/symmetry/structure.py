"""Structure of a finite-dimensional Lie algebra of vector fields: constants, series, radical, Killing form."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import sympy as sp
from sympy.polys.matrices import DomainMatrix

from sciml.errors import SolverError
from solvers.symmetry.generator import Generator
from solvers.symmetry.lifting import ParameterField
from solvers.symmetry.polynomials import Polynomial, mask, split, support
from solvers.symmetry.reading import Reader
from solvers.symmetry.ring import Ring


def structure_constants(generators: Sequence[Generator]) -> sp.ImmutableDenseNDimArray:
    """The numbers c with [X_i, X_j] = sum_k c[i, j, k] X_k, exact in the parameters.

    Args:
        generators: A basis.

    Returns:
        Array of shape (r, r, r).

    Raises:
        SolverError: If a bracket is outside the span.
    """
    r = len(generators)
    result = sp.MutableDenseNDimArray.zeros(r, r, r)
    pairs = list(itertools.combinations(range(r), 2))
    brackets = [generators[i].commutator(generators[j]) for i, j in pairs]
    for (i, j), coordinates in zip(pairs, expand_in(generators, brackets), strict=True):
        if coordinates is None:
            raise SolverError(
                "generators that are closed under commutators",
                f"[X{i + 1}, X{j + 1}] = {generators[i].commutator(generators[j])}",
                "the finite part of an infinite algebra may be closed only modulo its families",
            )
        for k, value in enumerate(coordinates):
            result[i, j, k], result[j, i, k] = value, -value
    return result.as_immutable()


def expand_in(basis: Sequence[Generator], fields: Sequence[Generator]) -> list[list[sp.Expr] | None]:
    """Coordinates of vector fields in a basis, exact in the parameters.

    Args:
        basis: Independent vector fields.
        fields: Vector fields on the same variables.

    Returns:
        Coordinates per field, None for one outside the span.

    Raises:
        SolverError: If the basis is dependent.
    """
    if not basis or not fields:
        return [[] if not field else None for field in fields]
    every = [*basis, *fields]
    rows, ring = _coefficients(every)
    used = support(entry for row in rows for entry in row.values())
    field = ParameterField(ring, used)
    r = len(basis)
    left = [[field.element(row.get(k, {})) for k in range(len(every))] for row in rows]
    if not left:
        return [[sp.S.Zero] * r for _ in fields]
    reduced, pivots = DomainMatrix(left, (len(left), len(every)), field.domain).rref()
    inside = [k for k in pivots if k < r]
    if len(inside) < r:
        raise SolverError("independent vector fields", f"{r} of rank {len(inside)}", "drop the dependent ones")
    outside = [k for k in pivots if k >= r]
    result: list[list[sp.Expr] | None] = []
    for n in range(r, len(every)):
        column = [reduced[i, n].element for i in range(len(pivots))]
        if any(column[i] for i in range(len(pivots)) if pivots[i] in outside):
            result.append(None)
        else:
            result.append([field.expression(c) for c in column[:r]])
    return result


def _coefficients(fields: Sequence[Generator]) -> tuple[list[dict[int, Polynomial]], Ring]:
    """Per component and monomial the coefficients of all fields, as polynomials in the constants."""
    first = fields[0]
    ring = Ring(first.independent, first.dependent)
    reader = Reader(ring)
    expressions = [field.components for field in fields]
    reader.survey([c for components in expressions for c in components])
    polynomials = [[reader.read(c) for c in components] for components in expressions]
    rows = []
    for c in range(len(first.variables)):
        cleared, _ = ring.cleared([components[c] for components in polynomials])
        bits = mask(set(range(len(ring.expressions))) - ring.constants)
        collected: dict[int, dict[int, Polynomial]] = {}
        for number, polynomial in enumerate(cleared):
            for monomial, part in split(polynomial, bits).items():
                collected.setdefault(monomial, {})[number] = part
        rows += list(collected.values())
    return rows, ring


@dataclass(frozen=True)
class LeviData:
    """The coarse structure of a Lie algebra, for generic values of its parameters.

    Attributes:
        dimension: r.
        derived_series: Dimensions of g, [g, g], ... until they stand still.
        lower_central_series: Dimensions of g, [g, g], [g, [g, g]], ...
        killing_form: The symmetric r x r matrix trace(ad X_i ad X_j).
        radical: Basis of the solvable radical, rows of coordinates: the Killing-orthogonal complement of [g, g].
        centre: Basis of the centre, rows of coordinates.
    """

    dimension: int
    derived_series: tuple[int, ...]
    lower_central_series: tuple[int, ...]
    killing_form: sp.ImmutableMatrix
    radical: sp.ImmutableMatrix
    centre: sp.ImmutableMatrix

    @property
    def is_solvable(self) -> bool:
        """Does the derived series reach zero?"""
        return self.derived_series[-1] == 0

    @property
    def is_nilpotent(self) -> bool:
        """Does the lower central series reach zero?"""
        return self.lower_central_series[-1] == 0

    @property
    def is_abelian(self) -> bool:
        """Do all brackets vanish?"""
        return len(self.derived_series) < 2 or self.derived_series[1] == 0

    @property
    def is_semisimple(self) -> bool:
        """Is the radical zero?"""
        return self.dimension > 0 and self.radical.rows == 0

    @property
    def levi_dimension(self) -> int:
        """Dimension of a semisimple Levi factor: r minus that of the radical."""
        return self.dimension - self.radical.rows

    def __str__(self) -> str:
        """One line."""
        kind = "abelian" if self.is_abelian else "nilpotent" if self.is_nilpotent else "solvable"
        kind = kind if self.is_solvable else "semisimple" if self.is_semisimple else "neither solvable nor semisimple"
        return (
            f"{kind}; radical {self.radical.rows}, Levi factor {self.levi_dimension}, centre {self.centre.rows}, "
            f"derived series {' > '.join(map(str, self.derived_series))}"
        )


def levi_data(constants: sp.ImmutableDenseNDimArray) -> LeviData:
    """Series, Killing form, radical and centre from structure constants (Cartan's criteria).

    Args:
        constants: Shape (r, r, r).

    Returns:
        The data.
    """
    r = constants.shape[0] if constants.shape else 0
    # ad[i] maps coordinates (columns): [X_i, X_j] = sum_k ad[i][k, j] X_k.
    ad = [sp.Matrix(r, r, lambda k, j, i=i: constants[i, j, k]) for i in range(r)]
    killing = sp.Matrix(r, r, lambda i, j: sp.expand((ad[i] * ad[j]).trace()) if i <= j else 0)
    killing = sp.Matrix(r, r, lambda i, j: killing[min(i, j), max(i, j)])
    whole = sp.eye(r)
    derived = _series(ad, whole, lambda space: space)
    central = _series(ad, whole, lambda space: whole)
    commutator = _products(ad, whole, whole)
    radical = _null(killing * commutator.T, r).T if commutator.rows else whole
    stacked = sp.Matrix.vstack(*ad) if r else sp.zeros(0, 0)
    # z is central where sum_i z_i ad[i] = 0.
    conditions = sp.Matrix(r * r, r, lambda row, i: ad[i][row // r, row % r]) if r else stacked
    centre = _null(conditions.T, r).T if r else stacked
    return LeviData(r, derived, central, killing.as_immutable(), radical.as_immutable(), centre.as_immutable())


def _field_matrix(matrix: sp.Matrix) -> DomainMatrix:
    domain_matrix = DomainMatrix.from_Matrix(matrix)
    return domain_matrix.to_field()


def _null(matrix: sp.Matrix, r: int) -> sp.Matrix:
    """Vectors v (columns) with v . matrix = 0."""
    if matrix.cols == 0:
        return sp.eye(r)
    kernel = _field_matrix(matrix.T).nullspace().to_Matrix()
    return kernel.T if kernel.rows else sp.zeros(r, 0)


def _row_space(matrix: sp.Matrix) -> sp.Matrix:
    if not matrix.rows or matrix.is_zero_matrix:
        return sp.zeros(0, matrix.cols)
    reduced, pivots = _field_matrix(matrix).rref()
    return reduced.to_Matrix()[: len(pivots), :]


def _products(ad: Sequence[sp.Matrix], left: sp.Matrix, right: sp.Matrix) -> sp.Matrix:
    """Row space of all brackets of two spaces given by rows."""
    rows = []
    for a in range(left.rows):
        operator = sum((left[a, i] * ad[i] for i in range(len(ad))), sp.zeros(len(ad)))
        rows += [(operator * right[b, :].T).T for b in range(right.rows)]
    return _row_space(sp.Matrix.vstack(*rows)) if rows else sp.zeros(0, len(ad))


def _series(ad: Sequence[sp.Matrix], whole: sp.Matrix, partner) -> tuple[int, ...]:
    space, sizes = whole, [whole.rows]
    while space.rows:
        following = _products(ad, partner(space), space)
        if following.rows == space.rows:
            break
        space = following
        sizes.append(space.rows)
    return tuple(sizes)
