"""Linear evolution equations and systems on an interval, with any coefficients in space."""

from __future__ import annotations

import numpy as np
import scipy.linalg
import sympy as sp

from sciml.classification import LinearForm
from sciml.expressions.data import evaluate_data
from sciml.ibvp import IBVP
from solvers.lie.evolution.clock import Clock
from solvers.lie.evolution.conditions import (
    chebyshev_nodes,
    chebyshev_transform,
    ends_of_axis,
    start_values,
)
from solvers.lie.spectral_atoms import chebyshev_table

_SINGULAR = 1e-11  # reciprocal condition of the highest time derivative below which the equations are no evolution


def on_line(problem: IBVP, forms: list[LinearForm], sizes: tuple[int, ...]) -> np.ndarray | None:
    r"""Chebyshev series of Σ_k K_k(x, ∂_x) ∂_t^k u + s(x, t) = 0 with any linear conditions at both ends.

    In space the equations hold at as many Chebyshev points as the conditions leave unknowns, so that with
    c = R g(t) + Z v the rest is v' = M v + F(t); in time v' is a polynomial that meets this at Gauss points. The
    unknowns are those of a Sylvester equation, P - M P Qᵀ = M v0 + F, solved by Schur forms (Bartels & Stewart 1972):
    M need not have a basis of eigenvectors.

    Args:
        problem: A linear problem on an interval, coefficients free of time.
        forms: Its equations.
        sizes: Polynomials in x, Gauss points in time.

    Returns:
        (1, m, n, n_t + 1); None where it is of another form.
    """
    (low, high), (start, end) = problem.bounds
    (count, steps), fields = sizes, len(problem.fields)
    clock = Clock(start, end, steps)
    times = np.column_stack([np.zeros(steps + 1), clock.samples])
    ends = ends_of_axis(problem, 0, count, times)
    if ends is None or len(ends.rows) % fields or len(forms) != fields:
        return None
    nodes = chebyshev_nodes(low, high, count - len(ends.rows) // fields)
    operators = _operators(problem, forms, nodes, count)
    order = len(operators) - 1
    grid = chebyshev_nodes(low, high, count)
    first = start_values(problem, grid[:, None], order) if order in (1, 2) else None
    if first is None:
        return None
    lift, free = ends.lift(np.tile(np.arange(count), fields)), ends.free
    sides = clock.interpolated(ends.data)
    lead = operators[-1] @ free
    if np.linalg.cond(lead) * _SINGULAR > 1:
        return None
    right = -_sources(problem, forms, nodes, clock.times)
    for k, operator in enumerate(operators):
        right = right - operator @ lift @ clock.at(sides, k)
    solved = np.linalg.solve(lead, np.hstack([right, *[operator @ free for operator in operators[:-1]]]))
    force, blocks = solved[:, :steps], np.split(-solved[:, steps:], order, axis=1)
    transform = chebyshev_transform(count)
    here = np.array([start])
    starts = [free.T @ ((values @ transform.T).reshape(-1) - lift @ clock.at(sides, k, here)[:, 0])
              for k, values in enumerate(first)]  # fmt: skip
    moving = _integrated(clock, blocks, force, starts)
    return (lift @ sides + free @ moving).reshape(1, fields, count, steps + 1)


def _integrated(clock: Clock, blocks: list[np.ndarray], force: np.ndarray, starts: list[np.ndarray]) -> np.ndarray:
    """Series in time of v with v^(order) = Σ M_k v^(k) + F."""
    size, order = len(force), len(blocks)
    companion = np.zeros((order * size, order * size))
    companion[:-size, size:] = np.eye((order - 1) * size)
    companion[-size:] = np.hstack(blocks)
    padded = np.concatenate([np.zeros(((order - 1) * size, clock.count)), force])
    first = np.concatenate(starts)
    inverse = np.linalg.inv(clock.matrix).T
    right = ((companion @ first)[:, None] + padded) @ inverse
    rates = scipy.linalg.solve_sylvester(-companion, inverse, right)
    return clock.integrated(rates[:size], first[:size])


def _operators(problem: IBVP, forms: list[LinearForm], nodes: np.ndarray, count: int) -> list[np.ndarray]:
    """K_k at the points on Chebyshev series, by order in time, (m · points, m · count)."""
    low, high = problem.bounds[0]
    order = max(orders[1] for form in forms for _, orders in form.coefficients)
    fields, points = len(problem.fields), len(nodes)
    found = np.zeros((order + 1, len(forms), points, fields, count))
    for equation, form in enumerate(forms):
        for (field, (p, k)), coefficient in form.coefficients.items():
            values = evaluate_data(sp.sympify(coefficient), [problem.coordinates[0]], nodes[:, None])
            table = chebyshev_table(nodes, low, high, count, p)
            found[k, equation, :, field] += np.asarray(values)[:, None] * table
    return [one.reshape(len(forms) * points, fields * count) for one in found]


def _sources(problem: IBVP, forms: list[LinearForm], nodes: np.ndarray, times: np.ndarray) -> np.ndarray:
    """The parts of the equations without fields, (m · points, times)."""
    grid = np.stack(np.meshgrid(nodes, times, indexing="ij"), axis=-1).reshape(-1, 2)
    values = [evaluate_data(problem.substitute(form.source), problem.coordinates, grid) for form in forms]
    return np.stack(values).reshape(len(forms) * len(nodes), len(times))
