"""One linear evolution equation on a rectangle whose operator is a sum of two ordinary ones."""

from __future__ import annotations

import numpy as np
import sympy as sp

from sciml.classification import LinearForm
from sciml.expressions.data import evaluate_data
from sciml.ibvp import IBVP
from solvers.lie.evolution.clock import Clock
from solvers.lie.evolution.conditions import (
    Ends,
    chebyshev_nodes,
    chebyshev_transform,
    ends_of_axis,
    start_values,
)
from solvers.lie.spectral_atoms import chebyshev_table

_SKEW = 1e9  # condition of the eigenvectors beyond which they are no basis in float64


class _Axis:
    """Collocation along one axis: E Z and A Z on the series that meet homogeneous conditions, diagonalised."""

    def __init__(self, ends: Ends, span: tuple[float, float], count: int, parts: dict[int, sp.Expr], x: sp.Symbol):
        low, high = span
        self.nodes = chebyshev_nodes(low, high, count - len(ends.rows))
        self.value = chebyshev_table(self.nodes, low, high, count, 0)
        self.applied = np.zeros_like(self.value)
        for order, coefficient in parts.items():
            factor = np.asarray(evaluate_data(coefficient, [x], self.nodes[:, None]))
            self.applied += factor[:, None] * chebyshev_table(self.nodes, low, high, count, order)
        self.free, self.ends = ends.free, ends.rows
        self.lift = ends.lift(np.arange(count))
        self.inverse = np.linalg.inv(self.value @ self.free)
        rates, vectors = np.linalg.eig(self.inverse @ (self.applied @ self.free))
        self.rates, self.vectors = rates, vectors
        self.skew = float(np.linalg.cond(vectors))
        self.into = np.linalg.inv(vectors)


def separable_parts(problem: IBVP, forms: list[LinearForm]) -> tuple[list[dict[int, sp.Expr]], dict[int, float]] | None:
    """Coefficients by order along x, along y (the zeroth shared), and of the time derivatives.

    Args:
        problem: A problem on a rectangle.
        forms: Its equation.

    Returns:
        The parts; None where the operator is no sum of two ordinary ones and constant time derivatives.
    """
    x, y, t = problem.coordinates
    along: list[dict[int, sp.Expr]] = [{}, {}]
    clock: dict[int, float] = {}
    for (_, (a, b, c)), coefficient in forms[0].coefficients.items():
        value = sp.expand(sp.sympify(coefficient))
        if value == 0:
            continue
        if c:
            if a or b or not value.is_number:
                return None
            clock[c] = float(value)
        elif a or b:
            axis, own = (0, x) if a else (1, y)
            if (a and b) or value.free_symbols - {own}:
                return None
            along[axis][a or b] = value
        else:
            mixed = [term for term in sp.Add.make_args(value) if term.has(x) and term.has(y)]
            if mixed or value.has(t):
                return None
            of_y = sp.Add(*[term for term in sp.Add.make_args(value) if term.has(y)])
            along[0][0], along[1][0] = value - of_y, of_y
    return (along, clock) if clock and max(clock) <= 2 else None


def on_rectangle(problem: IBVP, forms: list[LinearForm], sizes: tuple[int, ...]) -> np.ndarray | None:
    r"""Chebyshev series of T_2 u_tt + T_1 u_t + X u + Y u + s = 0 for ordinary operators X and Y.

    u = L + Z_x V Z_yᵀ, L the product-form lift of the data (Gordon & Hall 1973). Both axes are diagonalised, so that
    every coefficient obeys an ODE of its own, which is met at Gauss points in time.

    Args:
        problem: A problem with one field.
        forms: Its equation.
        sizes: Polynomials in x and y, Gauss points in time.

    Returns:
        (1, 1, n_x, n_y, n_t + 1); None where it is of another form.
    """
    parts = separable_parts(problem, forms)
    if parts is None:
        return None
    along, time = parts
    clock = Clock(*problem.bounds[2], sizes[2])
    made = [_axis(problem, clock, along[i], i, sizes) for i in (0, 1)]
    if made[0] is None or made[1] is None:
        return None
    (x, at_x), (y, at_y) = made[0], made[1]
    if max(x.skew, y.skew) > _SKEW:
        return None
    corner = np.einsum("ab,bct->act", x.ends, at_y)
    lift = np.einsum("na,amt->nmt", x.lift, at_x) + np.einsum("nct,mc->nmt", at_y, y.lift)
    lift -= np.einsum("na,act,mc->nmt", x.lift, corner, y.lift, optimize=True)
    order = max(time)
    first = _first(problem, sizes, order)
    if first is None:
        return None
    right = -_source(problem, forms, x, y, clock)
    for k, factor in time.items():
        right -= factor * _product(x.value, clock.at(lift, k), y.value)
    still = clock.at(lift, 0)
    right -= _product(x.applied, still, y.value) + _product(x.value, still, y.applied)
    force = _product(x.into @ x.inverse, right, y.into @ y.inverse) / time[order]
    here = clock.start * np.ones(1)
    starts = [_product(x.into @ x.free.T, values - clock.at(lift, k, here), y.into @ y.free.T)[..., 0]
              for k, values in enumerate(first)]  # fmt: skip
    stiff = (x.rates[:, None] + y.rates) / time[order]
    series = _integrated(clock, stiff, time.get(1, 0.0) / time[order] if order == 2 else 0.0, force, starts, order)
    found = lift + _product(x.free @ x.vectors, series, y.free @ y.vectors).real
    return found[None, None]


def _axis(
    problem: IBVP, clock: Clock, parts: dict[int, sp.Expr], axis: int, sizes: tuple[int, ...]
) -> tuple[_Axis, np.ndarray] | None:
    """The axis and the series of its data, (conditions, n, t) along x, (n, conditions, t) along y."""
    other = 1 - axis
    tangent = chebyshev_nodes(*problem.bounds[other], sizes[other])
    across = np.zeros((len(tangent) * len(clock.samples), 3))
    across[:, other] = np.repeat(tangent, len(clock.samples))
    across[:, 2] = np.tile(clock.samples, len(tangent))
    ends = ends_of_axis(problem, axis, sizes[axis], across)
    if ends is None or len(ends.rows) != max(parts, default=0):
        return None
    data = clock.interpolated(ends.data.reshape(len(ends.rows), len(tangent), len(clock.samples)))
    data = np.einsum("mj,ajt->amt", chebyshev_transform(sizes[other]), data)
    made = _Axis(ends, problem.bounds[axis], sizes[axis], parts, problem.coordinates[axis])
    return made, data if axis == 0 else data.transpose(1, 0, 2)


def _product(left: np.ndarray, middle: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Left @ M @ rightᵀ for every time."""
    once = np.tensordot(left, middle, axes=(1, 0))
    return np.asarray(np.tensordot(once, right, axes=(1, 1)).transpose(0, 2, 1))


def _first(problem: IBVP, sizes: tuple[int, ...], order: int) -> list[np.ndarray] | None:
    """Series of the initial values and velocities, (n_x, n_y, 1)."""
    nodes = [chebyshev_nodes(*problem.bounds[i], sizes[i]) for i in (0, 1)]
    grid = np.stack(np.meshgrid(*nodes, indexing="ij"), axis=-1).reshape(-1, 2)
    values = start_values(problem, grid, order)
    if values is None:
        return None
    left, right = (chebyshev_transform(sizes[i]) for i in (0, 1))
    return [(left @ one[0].reshape(sizes[0], sizes[1]) @ right.T)[..., None] for one in values]


def _source(problem: IBVP, forms: list[LinearForm], x: _Axis, y: _Axis, clock: Clock) -> np.ndarray:
    shape = (len(x.nodes), len(y.nodes), clock.count)
    source = problem.substitute(forms[0].source)
    if source == 0:
        return np.zeros(shape)
    grid = np.stack(np.meshgrid(x.nodes, y.nodes, clock.times, indexing="ij"), axis=-1).reshape(-1, 3)
    return np.asarray(evaluate_data(source, problem.coordinates, grid)).reshape(shape)


def _integrated(
    clock: Clock, stiff: np.ndarray, damping: float, force: np.ndarray, starts: list[np.ndarray], order: int
) -> np.ndarray:
    """Series in time of w' = -κw + f, or w'' = -γw' - κw + f, for all modes."""
    shape, kappa = stiff.shape, stiff.reshape(-1)
    first = [one.reshape(-1) for one in starts]
    pull = force.reshape(len(kappa), -1).T - kappa * first[0]
    if order == 1:
        rates = clock.modes(kappa, np.zeros_like(kappa), pull)
    else:
        rates = clock.modes(np.full_like(kappa, damping), kappa, first[1] + clock.matrix @ pull)
    return clock.integrated(rates.T, first[0]).reshape(*shape, -1)
