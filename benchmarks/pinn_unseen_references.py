"""Independent solutions by spectral methods: each returns points (n, d) and values there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import NDArray
from scipy.integrate import solve_ivp

from sciml.references.barycentric import differentiation_matrix

Array = NDArray[np.float64]
TIMES = 21


def bratu(size: float, nodes: int = 28) -> tuple[Array, Array]:
    """Lower branch of Δu + size e^u = 0, u = 0 on the sides of the unit square: Chebyshev collocation and Newton."""
    grid = (1 - np.cos(np.pi * np.arange(nodes) / (nodes - 1))) / 2
    second = np.linalg.matrix_power(differentiation_matrix(grid), 2)[1:-1, 1:-1]
    unit = np.eye(nodes - 2)
    operator = np.kron(second, unit) + np.kron(unit, second)
    u = np.zeros((nodes - 2) ** 2)
    for _ in range(12):
        u -= np.linalg.solve(operator + size * np.diag(np.exp(u)), operator @ u + size * np.exp(u))
    places = np.stack(np.meshgrid(grid[1:-1], grid[1:-1], indexing="ij"), axis=-1).reshape(-1, 2)
    return places, u


def clamped_plate(load: float, modes: int = 20) -> tuple[Array, Array]:
    """Δ²u = load on the unit square, u = ∂u/∂n = 0: Galerkin with (1 - s²)² P_k(s), s = 2x - 1."""
    nodes, weights = legendre.leggauss(2 * modes + 8)
    base = np.polynomial.Polynomial([1, 0, -2, 0, 1])
    kinds = [base * legendre.Legendre.basis(k).convert(kind=np.polynomial.Polynomial) for k in range(modes)]

    def matrix(one: int, other: int) -> Array:
        left, right = (np.array([kind.deriv(n)(nodes) for kind in kinds]) for n in (one, other))
        return (left * weights) @ right.T

    mass, bend, mixed = matrix(0, 0), matrix(2, 2), matrix(2, 0)
    operator = 16 * (np.kron(bend, mass) + np.kron(mixed, mixed.T) + np.kron(mixed.T, mixed) + np.kron(mass, bend))
    mean = np.array([kind(nodes) @ weights for kind in kinds])
    coefficients = np.linalg.solve(operator, load * np.kron(mean, mean))
    line = np.linspace(0.02, 0.98, 45)
    values = np.array([kind(2 * line - 1) for kind in kinds])
    table = values.T @ coefficients.reshape(modes, modes) @ values
    return np.stack(np.meshgrid(line, line, indexing="ij"), axis=-1).reshape(-1, 2), table.ravel()


def _integrated(slope: Callable[..., Any], start: Array, end: float) -> tuple[Array, Array]:
    times = np.linspace(0, end, TIMES)
    solved = solve_ivp(slope, (0, end), start, method="DOP853", t_eval=times, rtol=1e-12, atol=1e-13)
    return times, solved.y.T


def allen_cahn_plane(start: Callable[..., Array], rate: float, end: float, nodes: int = 32) -> tuple[Array, Array]:
    """u_t = rate Δu + u - u³ on the periodic unit square: Fourier collocation, Dormand-Prince in time."""
    line = np.arange(nodes) / nodes
    places = np.stack(np.meshgrid(line, line, indexing="ij"), axis=-1)
    wave = 2 * np.pi * np.fft.fftfreq(nodes, 1 / nodes)
    symbol = -(wave[:, None] ** 2 + wave[None, :] ** 2)

    def slope(_: float, flat: Array) -> Array:
        u = flat.reshape(nodes, nodes)
        return (rate * np.fft.ifft2(symbol * np.fft.fft2(u)).real + u - u**3).ravel()

    times, table = _integrated(slope, start(places[..., 0], places[..., 1]).ravel(), end)
    flat = places.reshape(-1, 2)
    points = np.hstack([np.tile(flat, (len(times), 1)), np.repeat(times, len(flat))[:, None]])
    return points, table.ravel()


def schnakenberg(starts: Sequence[Callable[..., Array]], end: float, nodes: int = 33) -> tuple[Array, dict[str, Array]]:
    """The two fields at Chebyshev nodes; ends without flux by an even expansion in cosines."""
    grid = np.arange(nodes) / (nodes - 1)
    waves = np.pi * np.arange(nodes)
    table = np.cos(np.outer(grid, waves))
    second = -(table * waves**2) @ np.linalg.inv(table)

    def slope(_: float, flat: Array) -> Array:
        u, v = flat.reshape(2, nodes)
        return np.concatenate([second @ u / 100 + 0.1 - u + u**2 * v, second @ v / 5 + 0.9 - u**2 * v])

    times, solved = _integrated(slope, np.concatenate([start(grid) for start in starts]), end)
    points = np.column_stack([np.tile(grid, len(times)), np.repeat(times, nodes)])
    fields = solved.reshape(len(times), 2, nodes)
    return points, {"u": fields[:, 0].ravel(), "v": fields[:, 1].ravel()}


def lotka_volterra(end: float) -> tuple[Array, dict[str, Array]]:
    """Solution of u' = u - uv, v' = uv - v from (2, 1)."""

    def slope(_: float, w: Array) -> Array:
        return np.array([w[0] - w[0] * w[1], w[0] * w[1] - w[1]])

    times = np.linspace(0, end, 200)
    solved = solve_ivp(slope, (0, end), [2.0, 1.0], method="DOP853", t_eval=times, rtol=1e-12, atol=1e-13)
    return times[:, None], {"u": solved.y[0], "v": solved.y[1]}
