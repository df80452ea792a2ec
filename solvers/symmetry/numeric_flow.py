"""Flow of any vector field along many points at once, where no formula exists or none is wanted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import sympy as sp
from numpy.typing import ArrayLike, NDArray
from sympy.core.function import AppliedUndef

from sciml.errors import PointsError, ProblemError, SolverError
from solvers.symmetry.generator import Generator
from solvers.symmetry.point_functions import Array, PointFunction, stacked
from solvers.symmetry.runge_kutta import integrate


@dataclass(frozen=True)
class NumericFlow:
    """Images of points under exp(εX).

    Args:
        images: (n, d), coordinates first, then fields; NaN where the flow ends before ε.
        jacobian: (n, d, d), ∂image_i/∂start_j, from the variational equations; None if not asked for.
        error: (n,), estimate of the error of the images: the difference from a run with a tolerance 20 times larger.
        reached: (n,), whether the flow exists up to ε at this point.
    """

    images: Array
    jacobian: Array | None
    error: Array
    reached: NDArray[np.bool_]


def numeric_flow(
    generator: Generator,
    points: ArrayLike,
    eps: float,
    *,
    parameters: Mapping[sp.Symbol, float] | None = None,
    jacobian: bool = False,
    tolerance: float = 1e-10,
) -> NumericFlow:
    """exp(εX) at many points by an embedded Runge–Kutta pair, every point with its own step (Dormand & Prince 1980).

    With the variational equations J′ = (∂X/∂z) J, J(0) = 1 (Hairer, Nørsett & Wanner 1993, section I.14).

    Args:
        generator: Vector field X, without undefined functions.
        points: (n, d) start values, d = coordinates and fields in the order of `generator.variables`.
        eps: Group parameter.
        parameters: Numbers for the other symbols of X.
        jacobian: Whether to integrate the variational equations too.
        tolerance: Local error per step, relative and absolute.

    Returns:
        Images, their error, and where the flow exists.

    Raises:
        ProblemError: If a symbol has no number, or X contains an undefined function.
        PointsError: If the points have another number of columns.
        SolverError: If the tolerance is not between 1e-13 and 1e-2.

    Example:
        >>> from sciml.symbols import coordinates, field
        >>> x, t = coordinates("x t")
        >>> u = field("u", x, t)
        >>> pole = Generator((x, t), (u,), {t: t**2})
        >>> numeric_flow(pole, [[0.0, 0.5, 1.0], [0.0, 2.0, 1.0]], 1.0).images[:, 1].round(9)
        array([ 1., nan])
    """
    start = np.array(points, dtype=np.float64)
    size = len(generator.variables)
    if start.ndim != 2 or start.shape[1] != size:
        raise PointsError(f"points of shape (n, {size})", str(start.shape), "columns: coordinates, then fields")
    if not 1e-13 <= tolerance <= 1e-2 or not np.isfinite(eps):
        raise SolverError("a finite group parameter and a tolerance from 1e-13 to 1e-2", f"{eps}, {tolerance}")
    rate = _compiled(generator, parameters or {}, jacobian)
    state = start
    if jacobian:
        identity = np.broadcast_to(np.eye(size).ravel(), (len(start), size * size))
        state = np.concatenate([start, identity], axis=1)
    fine = integrate(rate, state, float(eps), tolerance)
    coarse = integrate(rate, state, float(eps), 20 * tolerance)
    reached: NDArray[np.bool_] = np.asarray(np.isfinite(fine).all(axis=1))
    error = np.where(reached, np.abs(fine - coarse)[:, :size].max(axis=1, initial=0.0), np.nan)
    slopes = fine[:, size:].reshape(-1, size, size) if jacobian else None
    return NumericFlow(fine[:, :size], slopes, error, reached)


def _compiled(generator: Generator, parameters: Mapping[sp.Symbol, float], jacobian: bool) -> PointFunction:
    names = {z: sp.Dummy() for z in generator.variables}
    numbers = {symbol: sp.Float(value, 17) for symbol, value in parameters.items()}
    components = [c.xreplace(names).xreplace(numbers) for c in generator.components]
    loose = {str(f.func) for c in components for f in c.atoms(AppliedUndef)}
    loose |= {str(s) for c in components for s in c.free_symbols - set(names.values())}
    if loose:
        raise ProblemError("numbers for all parameters and no undefined functions", ", ".join(sorted(loose)))
    symbols = list(names.values())
    size = len(symbols)
    values = stacked(symbols, components)
    if not jacobian:
        return values
    slopes = stacked(symbols, [c.diff(z) for c in components for z in symbols])

    def together(state: Array) -> Array:
        point, linear = state[:, :size], state[:, size:].reshape(-1, size, size)
        moved = slopes(point).reshape(-1, size, size) @ linear
        return np.concatenate([values(point), moved.reshape(len(state), -1)], axis=1)

    return together
