"""Type of equations: elliptic, parabolic, hyperbolic, dispersive or mixed, from the principal symbol.

The symbol is evaluated at random places of the domain and, where quasilinear, for random jets (Courant & Hilbert
1962, vol. II, ch. III). A type that changes from place to place (Tricomi) is "mixed".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp
import torch

from sciml.callables import is_numeric_only
from sciml.errors import NotSymbolicError, UnsupportedFunctionError
from sciml.expressions.compiler import Program
from sciml.jets import Jet, jet_atoms, jet_expression

_COUNT = 32


@dataclass(frozen=True)
class EquationType:
    """A type, how it was found, and whether the evolution is ill-posed forwards in time."""

    name: str
    reason: str
    backward: bool = False


def equation_type(equations: Sequence[sp.Expr], problem: Any, jets: set[Jet], linear: bool) -> EquationType:
    """Type of the equations of a problem.

    Args:
        equations: Residuals, parameters substituted.
        problem: Their problem.
        jets: The jets in them.
        linear: Whether they are linear; of nonlinear ones only those that are backward for every state are called so.

    Returns:
        The type.
    """
    if any(is_numeric_only(equation) for equation in equations):
        return EquationType("mixed", "the equation is numeric-only")
    try:
        if len(equations) > 1 or len(problem.fields) > 1:
            return _system_type(equations, problem, jets, linear)
        return _scalar_type(equations[0], problem, jets, linear)
    except (UnsupportedFunctionError, NotSymbolicError):
        return EquationType("mixed", "the principal part could not be evaluated")


def _scalar_type(equation: sp.Expr, problem: Any, jets: set[Jet], linear: bool) -> EquationType:
    order = max([sum(jet[1]) for jet in jets], default=0)
    if order <= 1:
        return EquationType("hyperbolic", "a scalar first-order equation has real characteristics")
    if order == 2:
        return _second_order_type(equation, problem, linear)
    return _evolution_type(equation, problem, jets, linear)


def _samples(expressions: Sequence[sp.Expr], problem: Any) -> np.ndarray:
    """Values of expressions of coordinates and jets at random places, (count, len(expressions)); finite rows only."""
    generator = np.random.default_rng(0)
    atoms: dict[sp.Expr, Jet] = {}
    for expression in expressions:
        atoms |= jet_atoms(expression, problem.fields, problem.coordinates)
    columns = list(problem.domain.sample(_COUNT, seed=0).T)
    if problem.time is not None:
        start, end = problem.bounds[-1]
        columns.append(start + (end - start) * generator.random(_COUNT))
    columns += [generator.normal(size=_COUNT) for _ in atoms]
    columns += [np.full(_COUNT, unknown.start) for unknown in problem.unknowns.values()]
    program = Program(expressions, [*problem.coordinates, *atoms, *problem.unknowns])
    with torch.no_grad():
        rows = np.stack([value.numpy() for value in program(*map(torch.tensor, columns))], axis=1)
    rows = rows[np.isfinite(rows).all(axis=1)]
    if len(rows) == 0:
        raise UnsupportedFunctionError("finite coefficients", "none at random places", "")
    return rows


def _derivatives(equations: Sequence[sp.Expr], problem: Any, orders: Sequence[int]) -> list[sp.Expr]:
    """∂(equation)/∂(jet) for every equation and field, row by row."""
    jets = [jet_expression((i, tuple(orders)), problem.fields, problem.coordinates) for i in range(len(problem.fields))]
    return [equation.diff(jet) for equation in equations for jet in jets]


def _unit(d: int, *axes: int) -> list[int]:
    return [axes.count(i) for i in range(d)]


def _second_order_type(equation: sp.Expr, problem: Any, linear: bool) -> EquationType:
    d = len(problem.coordinates)
    principal = [_derivatives([equation], problem, _unit(d, i, j))[0] / (1 if i == j else 2)
                 for i in range(d) for j in range(d)]  # fmt: skip
    first = [_derivatives([equation], problem, _unit(d, i))[0] for i in range(d)]
    kinds, backward = set(), []
    for row in _samples([*principal, *first], problem):
        matrix, vector = row[: d * d].reshape(d, d), row[d * d :]
        eigenvalues, vectors = np.linalg.eigh(matrix)
        zero = np.abs(eigenvalues) < 1e-12 * max(np.abs(eigenvalues).max(), 1e-300)
        positive, negative = int((eigenvalues[~zero] > 0).sum()), int((eigenvalues[~zero] < 0).sum())
        kind = _signature(int(zero.sum()), positive, negative)
        in_time = kind == "parabolic" and problem.time and abs(vectors[-1, zero][0]) > 1 - 1e-9
        backward.append(bool(in_time and vector[-1] * eigenvalues[~zero].sum() > 0) or _imaginary(matrix, problem))
        kinds.add(kind)
    ill_posed = any(backward) if linear else all(backward)
    if len(kinds) > 1:
        return EquationType("mixed", f"the type changes: {', '.join(sorted(kinds))}", ill_posed)
    return EquationType(kinds.pop(), "signature of the principal part", ill_posed)


def _imaginary(matrix: np.ndarray, problem: Any) -> bool:
    """Whether waves of some direction have complex speeds: an initial value problem is ill-posed (Hadamard 1923)."""
    # the speeds τ of aτ² + 2τ b·ξ + ξ·Mξ = 0 are real for every ξ if and only if bbᵀ - aM >= 0
    if problem.time is None or matrix[-1, -1] == 0:
        return False
    mixed = matrix[:-1, -1]
    real = np.linalg.eigvalsh(np.outer(mixed, mixed) - matrix[-1, -1] * matrix[:-1, :-1])
    return bool(real[0] < -1e-10 * np.abs(matrix).max() ** 2)


def _signature(zeros: int, positive: int, negative: int) -> str:
    if zeros == 0:
        if min(positive, negative) == 0:
            return "elliptic"
        return "hyperbolic" if min(positive, negative) == 1 else "mixed"
    return "parabolic" if zeros == 1 and min(positive, negative) == 0 else "mixed"


def _evolution_type(equation: sp.Expr, problem: Any, jets: set[Jet], linear: bool) -> EquationType:
    """u_t = c ∂^m u + ... of order m > 2: odd m dispersive, even m parabolic, backward where c·i^m > 0."""
    order = max(sum(jet[1]) for jet in jets)
    steady = problem.time is None
    leading = sorted({jet[1] for jet in jets if sum(jet[1]) == order})
    if any(not steady and multi[-1] for multi in leading):
        return EquationType("mixed", f"order {order} with a derivative in time")
    d = len(problem.coordinates)
    time_order = 0 if steady else max(jet[1][-1] for jet in jets)
    terms = [_derivatives([equation], problem, multi)[0] for multi in leading]
    in_time = [] if steady else _derivatives([equation], problem, [0] * (d - 1) + [time_order])
    if time_order == 1 and order % 2:
        return EquationType("dispersive", f"odd order {order} in space")
    values = _samples([*terms, *in_time], problem)
    waves = np.random.default_rng(1).normal(size=(_COUNT, d if steady else d - 1))
    powers = np.stack([np.prod(waves ** np.array(multi)[: waves.shape[1]], axis=1) for multi in leading])
    symbol = values[:, : len(leading)] @ powers * (-1.0) ** (order // 2)  # of the space operator, even order
    if steady:
        definite = order % 2 == 0 and ((symbol > 0).all() or (symbol < 0).all())
        return EquationType("elliptic" if definite else "mixed", f"principal symbol of order {order}")
    growth = symbol * values[:, -1:]  # T u_t + S u = 0 decays where S and T agree in sign
    if time_order == 1:
        bad = (growth < 0).any(axis=1)
        return EquationType("parabolic", f"even order {order} in space", bool(bad.any() if linear else bad.all()))
    if time_order == 2 and order % 2 == 0 and (growth > 0).all():
        return EquationType("dispersive", f"second order in time, order {order} in space")
    bad = (growth < 0).any(axis=1) | (order % 2 == 1)  # λ² = -S/T has a root that grows with ξ
    ill_posed = time_order == 2 and bool(bad.any() if linear else bad.all())
    return EquationType("mixed", f"order {order} in space, {time_order} in time", ill_posed)


def _system_type(equations: Sequence[sp.Expr], problem: Any, jets: set[Jet], linear: bool) -> EquationType:
    order = max([sum(jet[1]) for jet in jets], default=0)
    count, d = len(problem.fields), len(problem.coordinates)
    if len(equations) != count:
        return EquationType("mixed", f"{len(equations)} equations for {count} fields")
    if order == 1:
        return _first_order_system(equations, problem, linear)
    space = d - (problem.time is not None)
    pairs = [(i, j) for i in range(space) for j in range(i, space)]
    blocks = [_derivatives(equations, problem, _unit(d, i, j)) for i, j in pairs]
    orders = (
        {max([jet[1][-1] for jet in jets if jet[0] == i], default=0) for i in range(count)} if problem.time else {0}
    )
    time_order = orders.pop()
    if order != 2 or orders or any(problem.time and jet[1][-1] and sum(jet[1][:-1]) for jet in jets):
        return EquationType("mixed", "a system whose fields differ in order")
    if time_order:
        blocks.append(_derivatives(equations, problem, _unit(d, *[d - 1] * time_order)))
    waves = np.random.default_rng(1).normal(size=(8, space))
    kinds, backward = set(), []
    for row in _samples([entry for block in blocks for entry in block], problem):
        matrices = row.reshape(-1, count, count)
        for wave in waves:
            symbol = -sum(wave[i] * wave[j] * matrix for (i, j), matrix in zip(pairs, matrices, strict=False))
            kind = _symbol_kind(np.asarray(symbol), matrices[-1] if time_order else None, time_order)
            kinds.add(kind.removeprefix("backward "))
            backward.append(kind.startswith("backward"))
    ill_posed = any(backward) if linear else all(backward)
    name = kinds.pop() if len(kinds) == 1 else "mixed"
    return EquationType(name, "principal symbol of the second-order system", ill_posed)


def _symbol_kind(symbol: np.ndarray, in_time: np.ndarray | None, time_order: int) -> str:
    """Kind of T ∂_t^k u + S(ξ) u = 0 by the eigenvalues of T⁻¹S (Petrovskii 1937)."""
    scale = max(np.abs(symbol).max(), 1e-300)
    if in_time is None:
        return "elliptic" if abs(np.linalg.det(symbol / scale)) > 1e-10 else "mixed"
    if abs(np.linalg.det(in_time)) < 1e-12:
        return "mixed"
    rates = np.linalg.eigvals(np.linalg.solve(in_time, symbol))
    small = 1e-9 * max(np.abs(rates).max(), 1e-300)
    if time_order == 2:
        return "hyperbolic" if (rates.real > small).all() and (np.abs(rates.imag) <= 1e-7 * scale).all() else "mixed"
    if (rates.real < -small).any():
        return "backward parabolic"
    if (rates.real > small).all():
        return "parabolic"
    return "dispersive" if (np.abs(rates.real) <= small).all() and (np.abs(rates.imag) > small).all() else "mixed"


def _first_order_system(equations: Sequence[sp.Expr], problem: Any, linear: bool) -> EquationType:
    """Kind of Σ A_i ∂_i u + B ∂_t u = 0; complex speeds grow without bound in time (Hadamard 1923)."""
    d, count = len(problem.coordinates), len(equations)
    if d != 2 and problem.time is None:
        return EquationType("mixed", "a first-order system in more than two coordinates")
    blocks = [entry for axis in range(d) for entry in _derivatives(equations, problem, _unit(d, axis))]
    waves = np.ones((1, 1)) if d == 2 else np.random.default_rng(1).normal(size=(8, d - 1))
    kinds, turning = set(), []
    for row in _samples(blocks, problem):
        matrices = row.reshape(d, count, count)
        if abs(np.linalg.det(matrices[-1])) < 1e-12:
            return EquationType("mixed", "a first-order system with a singular matrix")
        speeds = np.linalg.eigvals(np.linalg.solve(matrices[-1], np.tensordot(waves, matrices[:-1], axes=1)))
        real = np.abs(speeds.imag) < 1e-7 * (1 + np.abs(speeds))
        kinds.add("hyperbolic" if real.all() else "elliptic" if not real.any() else "mixed")
        # multiple speeds carry rounding of the size of a root of 1e-16: far below a thousandth
        turning.append(bool((np.abs(speeds.imag) > 1e-3 * np.abs(speeds).max()).any()))
    ill_posed = problem.time is not None and (any(turning) if linear else all(turning))
    if d > 2:
        return EquationType("mixed", "a first-order system in more than two coordinates", ill_posed)
    kind = kinds.pop() if len(kinds) == 1 else "mixed"
    return EquationType(kind, "characteristic speeds of the first-order system", ill_posed)
