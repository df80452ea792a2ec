"""Targets: what is asked about a solution, as values and gradients in the parameters.

A target is a SymPy expression at points, the name of a term, an unknown coefficient, an `Integral`, a `MeanSquare`,
a `SmoothMax`, a `Residual` row, or a callable.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp
import torch
from torch import Tensor
from torch.func import jacrev, vmap

from sciml.arguments import real_array
from sciml.conditions import normal
from sciml.errors import PointsError, ProblemError, SolverError
from sciml.expressions.compiler import Program
from sciml.ibvp import IBVP
from sciml.jets import Jet, field_atoms, jet_atoms
from sciml.point_arrays import row_advice
from sciml.record import TrainingRecord
from sciml.terms import rationalise

_CHUNK = 256


@dataclass(frozen=True, eq=False)
class MeanSquare:
    """Σ_k w_k s_k², a loss, an error norm or a held-out residual; changes are propagated, not linearised.

    The rows s are linearised, s + J_s Δθ, and squared again: first order alone misses 9-32 % of the change of a
    quadratic quantity near its minimum.

    Args:
        of: Name of a term or block (its rows on the training points), an expression, or a callable (θ, point).
        at: Points of an expression or callable, (n, d).
        weights: w_k, (n,); 1/n when None, and the weights of the objective for a term.

    Example:
        >>> MeanSquare("pde").of
        'pde'
    """

    of: Any
    at: Any = None
    weights: Any = None


@dataclass(frozen=True, eq=False)
class SmoothMax:
    """(1/β) log mean exp(β e): a smooth maximum, below the maximum by at most log(n)/β.

    Args:
        of: An expression or a callable (θ, point).
        at: Points, (n, d).
        sharpness: β, per unit of the quantity; 40 divided by the spread of the trained model's values when None.
    """

    of: Any
    at: Any
    sharpness: float | None = None


@dataclass(frozen=True)
class Residual:
    """Single residual rows on training points.

    Args:
        term: Name of a term or of a component.
        ids: Point IDs; all when None.
    """

    term: str
    ids: Any = None


@dataclass(frozen=True, eq=False)
class Query:
    """A target made ready: q values with gradients, or the rows of one quadratic quantity.

    Attributes:
        value: (q,).
        gradient: (q, P).
        points: (q, d), or None for a quantity without a place.
        name: What it is.
        rows: For a quadratic quantity: s (M,).
        jacobian: Its Jacobian, (M, P).
        weights: Its weights, (M,).
    """

    value: Tensor
    gradient: Tensor
    points: np.ndarray | None
    name: str
    rows: Tensor | None = None
    jacobian: Tensor | None = None
    weights: Tensor | None = None


class Expression:
    """A SymPy expression of fields, derivatives, coordinates, normals and unknowns, over the jets of a record.

    Args:
        expression: The expression.
        record: The record.
        problem: Its problem.

    Raises:
        ProblemError: If a field or symbol is foreign, it holds an integral of SymPy, or the record offers no jets.
    """

    def __init__(self, expression: Any, record: TrainingRecord, problem: IBVP) -> None:
        flat = problem.substitute(rationalise(sp.sympify(expression)).doit())
        if flat.has(sp.Integral):
            fix = "`influence.Integral(u)` over the region, `Integral(u, on=face)` over a face"
            raise ProblemError("an expression at points", f"SymPy's integral {flat}", fix)
        normals = normal(*problem.space)
        self.normals = normals if isinstance(normals, tuple) else (normals,)
        known = {*problem.fields, *problem.coordinates, *problem.unknowns, *self.normals}
        foreign = (field_atoms(flat) | flat.free_symbols) - known
        if foreign or record.quantity is None:
            raise ProblemError(
                f"fields, coordinates and unknowns of the problem: {', '.join(map(str, known))}",
                ", ".join(sorted(map(str, foreign))) or "a record without `quantity`",
                "use the objects with which the problem was stated, or a callable (θ, point)",
            )
        self.record, self.problem, self.flat = record, problem, flat
        atoms = jet_atoms(flat, problem.fields, problem.coordinates)
        self.needed: tuple[Jet, ...] = tuple(dict.fromkeys(atoms.values()))
        first = {jet: atom for atom, jet in reversed(atoms.items())}
        flat = flat.xreplace({atom: first[jet] for atom, jet in atoms.items()})
        variables = [*problem.coordinates, *self.normals, *problem.unknowns, *(first[jet] for jet in self.needed)]
        self.program = Program([flat], variables)

    @property
    def has_fields(self) -> bool:
        """Whether it depends on the place through a field."""
        return bool(self.needed)

    def values(self, theta: Tensor, points: Tensor, normals: Tensor | None = None) -> Tensor:
        """Values (n,), differentiable in θ.

        Args:
            theta: θ.
            points: (n, d).
            normals: (n, space), or None away from faces.

        Returns:
            (n,).
        """
        assert self.record.quantity is not None
        jets = self.record.quantity(theta, points, self.needed) if self.needed else points[:, :0]
        return self._run(points, jets, self._unknowns(theta, len(points)), normals)

    def _unknowns(self, theta: Tensor, count: int) -> list[Tensor]:
        number = len(self.record.unknowns)
        return [value.expand(count) for value in theta[len(theta) - number :].unbind()] if number else []

    def _run(self, points: Tensor, jets: Tensor, unknowns: Sequence[Tensor], normals: Tensor | None) -> Tensor:
        if normals is None:
            normals = torch.full((len(points), len(self.normals)), torch.nan, dtype=torch.float64)
        return self.program(*points.unbind(1), *normals.unbind(1), *unknowns, *jets.unbind(1))[0]

    def gradient(self, theta: Tensor, points: Tensor, normals: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Values (n,) and gradients (n, P): derivatives in the jets, then one pull-back.

        Args:
            theta: θ.
            points: (n, d).
            normals: (n, space), or None.

        Returns:
            Values and gradients.

        Raises:
            ProblemError: If a value is not finite.
        """
        record = self.record
        assert record.quantity is not None
        with torch.no_grad():
            jets = record.quantity(theta, points, self.needed) if self.needed else points[:, :0]
        with torch.enable_grad():
            jets = jets.detach().requires_grad_(True)
            unknowns = [value.clone().detach().requires_grad_(True) for value in self._unknowns(theta, len(points))]
            values = self._run(points, jets, unknowns, normals)
            inputs = [jets, *unknowns]
            slopes = (
                torch.autograd.grad(values.sum(), inputs, allow_unused=True, materialize_grads=True)
                if values.requires_grad
                else [torch.zeros_like(z) for z in inputs]
            )
            slopes = [slope.detach() for slope in slopes]  # zeros that torch 2.4 materialises ask for gradients
        if not bool(torch.isfinite(values).all()):
            fix = "normals exist on faces only: Integral(..., on=face)" if self.flat.has(*self.normals) else ""
            raise ProblemError("finite values of the target", f"{self.flat} is not finite at some point", fix)
        rows = jet_gradients(record, theta, points, self.needed, slopes[0][:, None, :])[:, 0]
        for k, slope in enumerate(slopes[1:]):
            rows[:, rows.shape[1] - len(unknowns) + k] += slope
        return values.detach(), rows


def jet_gradients(
    record: TrainingRecord, theta: Tensor, points: Tensor, needed: Sequence[Jet], cotangent: Tensor
) -> Tensor:
    """Per point, gradients in θ of weighted sums of jets: (n, c, P) from cotangents (n, c, k)."""
    if not needed or not len(points):
        return points.new_zeros(len(points), cotangent.shape[1], len(theta))
    if record.pullback is not None:
        return record.pullback(theta, points, needed, cotangent)
    assert record.quantity is not None
    blocks = []
    for start in range(0, len(points), _CHUNK):  # plain autograd: a record may go through NumPy for its points
        piece = slice(start, start + _CHUNK)
        with torch.enable_grad():
            free = theta.detach().clone().requires_grad_(True)
            sums = torch.einsum("nck,nk->nc", cotangent[piece], record.quantity(free, points[piece], needed))
            shape, flat = sums.shape, sums.reshape(-1)
            (rows,) = torch.autograd.grad(flat, free, torch.eye(len(flat), dtype=flat.dtype), is_grads_batched=True)
        blocks.append(rows.reshape(*shape, len(theta)))
    return torch.cat(blocks)


def callable_gradient(function: Callable[..., Tensor], theta: Tensor, points: Tensor | None) -> tuple[Tensor, Tensor]:
    """Values and gradients of a callable (θ, point) at points, or (θ) alone.

    Args:
        function: The callable, differentiable by torch.
        theta: θ.
        points: (n, d) or None.

    Returns:
        Values (q,) and gradients (q, P).

    Raises:
        SolverError: If its signature or its result does not fit.
    """
    try:
        given = inspect.signature(function).parameters.values()
        count = sum(parameter.default is parameter.empty for parameter in given)  # lambda p, k=k: p[k] takes θ alone
    except (TypeError, ValueError):
        count = 1 if points is None else 2
    if count == 1:
        points = None
    elif points is None:
        raise SolverError("points at which to ask: at=(n, d)", "a target (θ, point) without at", "scores(Q, at=points)")

    def row(t: Tensor, *point: Tensor) -> Tensor:
        result = function(t, *point)
        if not isinstance(result, Tensor):
            raise SolverError("a torch tensor from the target", type(result).__name__, "no .item(), no NumPy inside")
        return result.reshape(-1)

    if points is None:
        return row(theta).detach(), jacrev(row)(theta).detach()
    try:
        values = vmap(row, in_dims=(None, 0))(theta, points)
        slopes = vmap(jacrev(row), in_dims=(None, 0), chunk_size=_CHUNK)(theta, points)
    except RuntimeError:  # a target that does not batch
        values = torch.stack([row(theta, point) for point in points])
        slopes = torch.stack([jacrev(row)(theta, point) for point in points])
    if values.shape[1] != 1:
        raise SolverError("one number per point from the target", f"{values.shape[1]}", "one target per number")
    return values[:, 0].detach(), slopes[:, 0].detach()


def point_array(at: Any, columns: int | None) -> np.ndarray:
    """Query points as (n, d) float64.

    Args:
        at: NumPy, torch or nested lists.
        columns: d; None for any.

    Returns:
        The array.

    Raises:
        PointsError: If the shape is wrong or a number is not finite.
    """
    array = at.detach().cpu().numpy() if isinstance(at, Tensor) else at
    array = real_array(array, "query points, one row of numbers each", PointsError)
    array = array[:, None] if array.ndim == 1 and columns in (None, 1) else array
    wrong = array.ndim != 2 or (columns is not None and array.shape[1] != columns)
    if wrong or not np.isfinite(array).all():
        wanted = f"finite query points (n, {columns if columns is not None else 'd'})"
        fix = row_advice(array.shape, columns) if wrong else "drop the rows with NaN or infinity"
        raise PointsError(wanted, f"shape {array.shape}" if wrong else "NaN or infinity", fix)
    return array


__all__ = [
    "Expression", "MeanSquare", "Query", "Residual", "SmoothMax", "callable_gradient", "jet_gradients", "point_array",
]  # fmt: skip
