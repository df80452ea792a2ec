"""Values of a transformed solution where the flow is only known numerically."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import ArrayLike
from sympy.core.function import AppliedUndef

from sciml.errors import PointsError, ProblemError
from solvers.symmetry.generator import Generator
from solvers.symmetry.numeric_flow import numeric_flow
from solvers.symmetry.point_functions import Array, PointFunction, stacked
from solvers.symmetry.transform import one_parameter_group

_STEPS, _ITERATIONS = 16, 20


def numeric_transform(
    generator: Generator,
    solution: sp.Expr | Mapping[AppliedUndef, sp.Expr],
    points: ArrayLike,
    eps: float,
    *,
    parameters: Mapping[sp.Symbol, float] | None = None,
    tolerance: float = 1e-10,
) -> Array:
    """ũ(x̃) for ũ = exp(εX) u at given points, by integration of the flow (Olver 1993, section 2.2).

    The old coordinates y solve X(ε; y, f(y)) = x̃. Where X moves the coordinates by themselves, y is the flow of
    x̃ at −ε. Else Newton's method with the Jacobian of the variational equations, continued from ε = 0 in steps.

    Args:
        generator: Vector field, without undefined functions.
        solution: Expression, or mapping from each field to one; numbers for everything but the coordinates.
        points: (n, d) points x̃ in the order of the coordinates.
        eps: Group parameter.
        parameters: Numbers for the other symbols of X and of the solution.
        tolerance: Local error per step of the integration.

    Returns:
        (n, m), one column per field; NaN where the continuation from ε = 0 does not reach ε.

    Raises:
        PointsError: If the points have another number of columns.
        ProblemError: If the solution contains symbols without numbers.

    Example:
        >>> from sciml.symbols import coordinates, field
        >>> x, t = coordinates("x t")
        >>> u = field("u", x, t)
        >>> boost = Generator((x, t), (u,), {x: t, u: 1})
        >>> numeric_transform(boost, x / t, [[1.0, 2.0]], 0.5).round(9)
        array([[0.5]])
    """
    target = np.asarray(points, dtype=np.float64)
    coordinates, fields = generator.independent, generator.dependent
    if target.ndim != 2 or target.shape[1] != len(coordinates):
        raise PointsError(f"points of shape (n, {len(coordinates)})", str(target.shape))
    numbers = {symbol: sp.Float(value, 17) for symbol, value in (parameters or {}).items()}
    group = one_parameter_group(coordinates, fields, (sp.S.Zero,) * len(generator.variables))
    seeds = [e.xreplace(numbers) for e in group.seeds(solution).values()]
    loose = {str(s) for e in seeds for s in (e.free_symbols - set(coordinates)) | e.atoms(AppliedUndef)}
    if loose:
        raise ProblemError("a solution with numbers for all parameters", ", ".join(sorted(loose)))
    graph = stacked(coordinates, seeds)
    settings: dict[str, Any] = {"parameters": parameters, "tolerance": tolerance}
    if generator.is_projectable:
        moving = Generator(coordinates, fields, {x: generator[x] for x in coordinates})
        zeros = np.zeros((len(target), len(fields)))
        back = numeric_flow(moving, np.hstack([target, zeros]), -eps, **settings).images
        old = back[:, : len(coordinates)]
    else:
        slopes = stacked(coordinates, [e.diff(x) for e in seeds for x in coordinates])
        old = _continued(generator, graph, slopes, target, eps, settings)
    return numeric_flow(generator, np.hstack([old, graph(old)]), eps, **settings).images[:, len(coordinates) :]


def _continued(
    generator: Generator, graph: PointFunction, slopes: PointFunction, target: Array, eps: float, settings: Mapping
) -> Array:
    old, size, fields = target.copy(), target.shape[1], len(generator.dependent)
    known = np.ones(len(target))
    for step in range(1, _STEPS + 1):
        change = np.zeros_like(old)
        for _ in range(_ITERATIONS):
            moved = numeric_flow(
                generator, np.hstack([old, graph(old)]), eps * step / _STEPS, jacobian=True, **settings
            )
            assert moved.jacobian is not None
            defect = moved.images[:, :size] - target
            slope = moved.jacobian[:, :size, :size] + moved.jacobian[:, :size, size:] @ slopes(old).reshape(
                -1, fields, size
            )
            with np.errstate(all="ignore"):
                volume = np.linalg.det(np.nan_to_num(slope))
                # The graph folds where the volume vanishes; a leap of it is a leap to another sheet.
                regular = np.isfinite(slope).all((1, 2)) & (volume > 0.4 * known) & (volume < 2.5 * known)
            known = np.where(regular, volume, known)
            change = np.full_like(old, np.nan)
            change[regular] = np.linalg.solve(slope[regular], defect[regular][..., None])[..., 0]
            old = old - change
            if not np.nanmax(np.abs(change), initial=0.0) > 10 * settings["tolerance"] * (
                1 + np.nanmax(np.abs(target), initial=0.0)
            ):
                break
        old[~(np.abs(change).max(axis=1) < 1e-6)] = np.nan
    return old
