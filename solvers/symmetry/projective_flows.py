"""Conformal and projective flows: polynomials on which a quadratic vector field acts linearly."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sympy as sp

from solvers.symmetry.matrix_exponential import matrix_exponential

Vector = dict[tuple[int, ...], sp.Expr]
LARGEST_SPACE = 40


@dataclass(frozen=True)
class ProjectiveFrame:
    """A factor σ(z), linear in z, and D = exp(−∫σ ds) along the flow.

    Args:
        factor: σ.
        denominator: D(z, s), one at s = 0.
    """

    factor: sp.Expr
    denominator: sp.Expr


def projective_flow(
    block: Sequence[sp.Symbol], field: Mapping[sp.Symbol, sp.Expr], s: sp.Symbol
) -> tuple[dict[sp.Symbol, sp.Expr], ProjectiveFrame] | None:
    """Flow of variables that depend on each other quadratically.

    Looks for a linear σ such that polynomials w = (1, z, …) of degree ≤ 2 obey X w = σ w + A w. Then
    W = w exp(−∫σ) is a linear flow, and z(s) = W_z / W_1 (conformal group: w = (1, x, |x|²), Möbius 1855;
    projective group: w = (1, x)). Candidates for σ come from the divergence, which is n σ in the first
    case and (n + 1) σ in the second, and from the mixed terms.

    Args:
        block: Variables to be solved for.
        field: Component of every moving variable.
        s: Group parameter.

    Returns:
        Solution and frame, or None if no such space exists.
    """
    unit = (0,) * len(field)
    names = list(field)
    starts = [{unit: sp.S.One}]
    starts += [{tuple(int(name == z) for name in names): sp.S.One} for z in block]
    for factor in _candidate_factors(block, field):
        found = weighted_space(starts, field, factor)
        if found is None:
            continue
        space, matrix = found
        exponential = matrix_exponential(matrix, s)
        if exponential is None:
            continue
        values = exponential * sp.Matrix([_expression(w, names) for w in space])
        denominator = sp.collect(sp.expand(values[0]), s)
        result = {z: sp.expand(values[1 + k]) / denominator for k, z in enumerate(block)}
        return result, ProjectiveFrame(factor, denominator)
    return None


def weighted_flow(
    block: Sequence[sp.Symbol],
    field: Mapping[sp.Symbol, sp.Expr],
    s: sp.Symbol,
    frame: ProjectiveFrame,
) -> dict[sp.Symbol, sp.Expr] | None:
    """Flow of variables of conformal weight k over a frame: X w = k σ w + A w, w(s) = e^{sA} w / D^k.

    Args:
        block: Variables on which the field is linear.
        field: Component of every moving variable.
        s: Group parameter.
        frame: σ and D of the coordinates.

    Returns:
        Solution, or None.
    """
    names = list(field)
    starts = [{tuple(int(name == z) for name in names): sp.S.One} for z in block]
    trace = sum((field[z].diff(z) for z in block), sp.S.Zero)
    along = next(z for z in names if frame.factor.has(z))
    guess = sp.cancel(trace.diff(along) / (len(block) * frame.factor.diff(along)))
    # The trace gives the weight of scalars; each index of a tensor shifts it by one, of a spinor by a half.
    shifts = [sp.Rational(k, 2) for k in (0, 2, 4, 1, -2, 3, -4, -1)]
    for weight in [] if guess.has(*names) else [guess + shift for shift in shifts]:
        found = weighted_space(starts, field, sp.expand(weight * frame.factor))
        if found is None:
            continue
        space, matrix = found
        exponential = matrix_exponential(matrix, s)
        if exponential is None:
            continue
        values = exponential * sp.Matrix([_expression(w, names) for w in space])
        scale = frame.denominator ** (-weight)
        return {z: sp.expand(values[k]) * scale for k, z in enumerate(block)}
    return None


def _candidate_factors(block: Sequence[sp.Symbol], field: Mapping[sp.Symbol, sp.Expr]) -> list[sp.Expr]:
    size = len(block)
    if not all(field[z].is_polynomial(*block) for z in block):
        return []
    divergence = sp.expand(sum((field[z].diff(z) for z in block), sp.S.Zero))
    cross = sp.S.Zero
    for z in block:
        other = next((y for y in block if y != z), None)
        if other is not None:
            cross += z * sp.expand(field[other]).coeff(other, 1).coeff(z, 1)
    if size == 1:
        if sp.degree(field[block[0]], block[0]) != 2 or field[block[0]].has(*(set(field) - set(block))):
            return []
        return [sp.expand(divergence / 2)]
    candidates = [divergence / size, divergence / (size + 1), cross, sp.S.Zero]
    kept: list[sp.Expr] = []
    for candidate in map(sp.expand, candidates):
        linear = candidate.is_polynomial(*block) and sp.Poly(candidate, *block).total_degree() <= 1
        if linear and candidate not in kept:
            kept.append(candidate)
    return kept


def weighted_space(
    starts: list[Vector], field: Mapping[sp.Symbol, sp.Expr], factor: sp.Expr
) -> tuple[list[Vector], sp.Matrix] | None:
    """Smallest space of polynomials that contains `starts` and is closed under w → X w − factor·w.

    Args:
        starts: Independent polynomials as monomial dictionaries.
        field: Component of every moving variable, in the order of the exponents.
        factor: Polynomial.

    Returns:
        Basis (the starts first) and matrix of the operator, or None where the degree grows without end.
    """
    names = list(field)
    if not all(c.is_polynomial(*names) for c in (*field.values(), factor)):
        return None
    components = [sp.Poly(c, *names).as_dict() if c != 0 else {} for c in field.values()]
    scaling = sp.Poly(factor, *names).as_dict() if factor != 0 else {}
    bound = 4 + max(sum(index) for start in starts for index in start)
    basis, rows = list(starts), []
    pivots: list[tuple[tuple[int, ...], Vector, dict[int, sp.Expr]]] = []
    for k, vector in enumerate(basis):
        _insert(vector, k, pivots)
    k = 0
    while k < len(basis):
        image = _image(basis[k], components, scaling)
        remainder, coordinates = _reduce(image, pivots)
        if remainder:
            if len(basis) >= LARGEST_SPACE or max(map(sum, remainder)) > bound:
                return None
            _insert(remainder, len(basis), pivots)
            coordinates[len(basis)] = sp.S.One
            basis.append(remainder)
        rows.append(coordinates)
        k += 1
    matrix = sp.zeros(len(basis))
    for i, coordinates in enumerate(rows):
        for j, value in coordinates.items():
            matrix[i, j] = sp.cancel(value)
    return basis, matrix


def _image(vector: Vector, components: list[Vector], scaling: Vector) -> Vector:
    result: Vector = {}
    for index, coefficient in vector.items():
        for axis, component in enumerate(components):
            if index[axis]:
                lower = tuple(n - (k == axis) for k, n in enumerate(index))
                _accumulate(result, component, lower, coefficient * index[axis])
        _accumulate(result, scaling, index, -coefficient)
    return {index: value for index, value in result.items() if sp.cancel(value) != 0}


def _accumulate(result: Vector, terms: Vector, shift: tuple[int, ...], factor: sp.Expr) -> None:
    for index, value in terms.items():
        target = tuple(a + b for a, b in zip(index, shift, strict=True))
        result[target] = result.get(target, sp.S.Zero) + factor * value


def _reduce(vector: Vector, pivots: list) -> tuple[Vector, dict[int, sp.Expr]]:
    rest: Vector = dict(vector)
    coordinates: dict[int, sp.Expr] = {}
    for lead, row, combination in pivots:
        value = rest.get(lead)
        if not value:
            continue
        for index, entry in row.items():
            rest[index] = sp.cancel(rest.get(index, sp.S.Zero) - value * entry)
        rest = {index: entry for index, entry in rest.items() if entry != 0}
        for k, entry in combination.items():
            coordinates[k] = coordinates.get(k, sp.S.Zero) + value * entry
    return rest, coordinates


def _insert(vector: Vector, number: int, pivots: list) -> None:
    """Append to the echelon form: a row with leading one, and how it is made of basis vectors."""
    rest, coordinates = _reduce(vector, pivots)
    lead = max(rest)
    scale = rest[lead]
    combination = {k: -value / scale for k, value in coordinates.items()}
    combination[number] = 1 / scale
    pivots.append((lead, {index: sp.cancel(value / scale) for index, value in rest.items()}, combination))


def _expression(vector: Vector, names: list[sp.Symbol]) -> sp.Expr:
    return sum(
        (
            coefficient * sp.Mul(*itertools.starmap(sp.Pow, zip(names, index, strict=True)))
            for index, coefficient in vector.items()
        ),
        sp.S.Zero,
    )
