"""Curvature: the matrix B = G + λI + δI or H + δI of a trained objective, factored once, and what it rests on.

G = AᵀA with a_i = √(2w_i) ∇r_i is the Gauss-Newton part of the Hessian H = G + Σ 2w_i r_i ∇²r_i + λI.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property

import torch
from torch import Tensor
from torch.func import jvp, vjp

from influence.factors import Factor
from influence.fitting_memory import choose_solver
from influence.hessian import FLOOR, MARGIN, hessian_operator, least_damping, lowest_curvature
from sciml.arguments import require_number
from sciml.errors import SolverError
from sciml.least_squares import (
    DampedFactor,
    IterativeFactor,
    NormalMatrix,
    ScaledRows,
    ShardedMatrix,
    SketchedHat,
    gathered,
    nystroem,
    scale_rows,
)
from sciml.record import TrainingRecord

DENSE_HESSIAN = 3000  # parameters up to which the Hessian is formed


@dataclass(frozen=True, eq=False)
class Curvature:
    """B at θ, with the numbers that say how far to trust it.

    Attributes:
        theta: θ, (P,).
        residual: ρ = √(2w) r, (N,).
        root: √(2w), (N,).
        gradient: Gradient of the whole objective, (P,).
        penalty: Gradient λ(θ - θ_ref) of the regularisation, (P,).
        factor: Factor of B.
        kind: "ggn" or "hessian".
        proximal: δ.
        decay: Smallest λ.
        lowest: Smallest eigenvalue of H (an upper bound from an iteration); None where it was not needed.
        largest: Largest eigenvalue of G.
        unused: Decrease ½∇Lᵀ(G + λI + 1e-8 λ_max I)⁻¹∇L of the loss that training left, whatever the damping.
        held: A without rows of the regularisation, maybe on several processes; None where it is not held.
        hessian: H where it was formed.
        notes: What a reader should know.
        slope: Gradient of what the model minimises: of L, or of L + (δ/2)|θ - θ_0|² where it was settled from θ_0.
    """

    theta: Tensor
    residual: Tensor
    root: Tensor
    gradient: Tensor
    penalty: Tensor
    factor: Factor
    kind: str
    proximal: float
    decay: float
    lowest: float | None
    largest: float
    unused: float
    held: Tensor | ShardedMatrix | None
    hessian: Tensor | None = None
    notes: tuple[str, ...] = field(default=())
    slope: Tensor | None = None

    @cached_property
    def rows(self) -> Tensor | None:
        """A in one place; None where it is not held."""
        return None if self.held is None else gathered(self.held)

    @property
    def damping(self) -> float:
        """λ + δ."""
        return self.decay + self.proximal

    @property
    def exact(self) -> bool:
        """Whether leverage and solves are exact."""
        return self.factor.kind != "iterative"

    def leverage(self) -> Tensor:
        """h_i, (N,)."""
        return self.factor.leverage()[: len(self.residual)]

    def row_products(self, vectors: Tensor) -> Tensor:
        """A B⁻¹v, (N, k)."""
        return self.factor.row_products(vectors)[: len(self.residual)]

    def rescaled(self, scale: Tensor) -> Curvature:
        """The same with rows a and ρ multiplied, Gauss-Newton part of H alone.

        Args:
            scale: (N,).

        Returns:
            A new curvature.

        Raises:
            SolverError: If no matrix is held, or the new one is not positive definite.
        """
        if self.rows is None or not isinstance(self.factor, DampedFactor):
            raise SolverError("a factor that holds its matrix", f"a factor of kind {self.factor.kind!r}", "")
        matrix = gathered(self.factor.rows).clone()
        matrix[: len(scale)] *= scale[:, None]
        rows, residual = matrix[: len(scale)], self.residual * scale
        if self.hessian is None:
            factor = NormalMatrix(matrix).factor(self.factor.damping)
            return replace(self, factor=factor, held=rows, residual=residual)
        hessian = self.hessian + rows.T @ rows - self.rows.T @ self.rows
        shifted = hessian + self.proximal * torch.eye(len(hessian), dtype=hessian.dtype)
        lower, info = torch.linalg.cholesky_ex(shifted)
        if int(info) != 0:
            raise SolverError("a positive definite Hessian", "an indefinite one after reweighting", "more damping")
        factor = DampedFactor(matrix, self.proximal, "primal", lower)
        return replace(self, factor=factor, held=rows, residual=residual, hessian=hessian)

    def solve_rows(self, values: Tensor, index: Tensor | None = None) -> Tensor:
        """B⁻¹A_Cᵀv for v (m,) or (m, k) on some rows C."""
        total = len(self.factor.rows) if isinstance(self.factor, DampedFactor) else len(self.residual)
        full = values.new_zeros(total, *values.shape[1:])
        full[torch.arange(len(self.residual)) if index is None else index] = values
        return self.factor.solve_rows(full)


def build_curvature(
    record: TrainingRecord, kind: str, damping: float | None, solver: str, near: Curvature | None = None
) -> Curvature:
    """Linearise a record and factor B.

    Args:
        record: The objective.
        kind: "ggn" or "hessian".
        damping: δ; None for max(4|λ_min(H)|, 1e-8 λ_max(G)).
        solver: "auto", "primal", "dual", "svd" or "iterative".
        near: That of the same rows at parameters close by, whose largest eigenvalue and loss left unused serve again;
            with a damping given.

    Returns:
        The curvature.

    Raises:
        SolverError: If an option is unknown, memory does not suffice, or B is singular or indefinite.
    """
    if kind not in ("ggn", "hessian") or solver not in ("auto", "primal", "dual", "svd", "iterative"):
        raise SolverError(
            'curvature "ggn" or "hessian"; solver "auto", "primal", "dual", "svd" or "iterative"',
            f"{kind!r}, {solver!r}",
            "",
        )
    require_number(damping, "damping", least=0, optional=True, fix="damping=None chooses it")
    theta = record.parameters.detach().to(torch.float64)
    if near is None:
        _check_repeatable(record, theta)
    solver = choose_solver(solver, len(record.weights), len(theta), kind)
    if solver == "iterative":
        return _matrix_free(record, theta, kind, damping, solver)
    return _dense(record, theta, kind, damping, solver, near)


def _check_repeatable(record: TrainingRecord, theta: Tensor) -> None:
    with torch.no_grad():
        first, second = record.rows.residual(theta), record.rows.residual(theta)
    if first.dtype != torch.float64:
        raise SolverError(
            "residuals in float64", str(first.dtype), "model.double(): a float32 factor would be silently wrong"
        )
    if not bool(torch.isfinite(first).all()):
        raise SolverError("finite residuals", f"{int((~torch.isfinite(first)).sum())} not finite", "")
    if not torch.equal(first, second):
        raise SolverError(
            "rows that are the same at every evaluation",
            f"two passes that differ by {float((first - second).abs().max()):.2g}",
            "fix the points and switch dropout off: influence of a random objective is undefined",
        )


@dataclass(frozen=True, eq=False)
class _Parts:
    """What both ways of solving share."""

    root: Tensor
    residual: Tensor
    penalty: Tensor
    decay: Tensor

    @property
    def floor(self) -> float:
        return float(self.decay.min())


def _parts(record: TrainingRecord, theta: Tensor, residual: Tensor) -> _Parts:
    root = torch.sqrt(2 * record.weights.to(torch.float64))
    decay = torch.as_tensor(record.regularisation, dtype=torch.float64).expand(len(theta))
    if bool((decay < 0).any()):
        raise SolverError("regularisation of 0 or more", f"{float(decay.min())}", "")
    return _Parts(root, root * residual.detach(), decay * (theta - record.reference), decay)


def _dense(
    record: TrainingRecord, theta: Tensor, kind: str, damping: float | None, solver: str, near: Curvature | None
) -> Curvature:
    scaled, parts = _scaled(record, theta, kind)
    matrix, extra = scaled.matrix, parts.decay - parts.floor
    if bool((extra > 0).any()):  # a diagonal λ beyond its smallest entry, as rows √λ_p e_p
        matrix = torch.cat([gathered(matrix), torch.diag(torch.sqrt(extra))[extra > 0]])
    normal, hessian = NormalMatrix(matrix, solver), None
    largest = _largest(lambda v: matrix.T @ (matrix @ v), len(theta)) if near is None else near.largest
    if kind == "hessian" and len(theta) <= DENSE_HESSIAN:
        hessian = hessian_operator(record, theta)(torch.eye(len(theta), dtype=torch.float64))
        hessian = (hessian + hessian.T) / 2
    gradient = scaled.gradient + parts.penalty
    if near is None or damping is None:
        light = normal.factor(least_damping(parts.floor, largest))
        lowest, proximal = _proximal(record, theta, normal, light, hessian, parts.floor, largest, damping)
        unused = 0.5 * float(gradient @ light.solve(gradient))  # a large δ would hide that no minimum is reached
        known = light if parts.floor + proximal == light.damping else None
    else:
        lowest, proximal, unused, known = _lowest(hessian), float(damping), near.unused, None
    common = (theta, parts.residual, parts.root, gradient, parts.penalty)
    if kind == "ggn":
        factor = known if known is not None else _checked(normal, parts.floor + proximal, largest)
        return Curvature(*common, factor, kind, proximal, parts.floor, lowest, largest, unused, scaled.matrix)
    made, notes = _hessian_factor(record, theta, normal, hessian, parts.floor, proximal)
    return Curvature(*common, made, kind, proximal, parts.floor, lowest, largest, unused, scaled.matrix, hessian, notes)


def _scaled(record: TrainingRecord, theta: Tensor, kind: str) -> tuple[ScaledRows, _Parts]:
    """A and ρ: on the processes of a crew where there is one and no Hessian is to be formed from them."""
    weights = record.weights.to(torch.float64)
    if record.rows.scaled is not None and kind == "ggn":
        made, root = record.rows.scaled(theta, weights), torch.sqrt(2 * weights)
        return made, _parts(record, theta, made.residual / torch.where(root > 0, root, 1.0))
    residual, jacobian = record.rows.jacobian(theta)
    return scale_rows(residual, jacobian, weights), _parts(record, theta, residual)


def _checked(normal: NormalMatrix, damping: float, largest: float) -> DampedFactor:
    factor = normal.factor(damping)
    size = normal.rows.shape[1]
    null = damping <= 1e-15 * largest
    if null and (factor.eigenvalues is None or len(factor.eigenvalues) == size):
        curvatures = factor.eigenvalues if factor.eigenvalues is not None else factor.lower.diagonal() ** 2
        null = bool(curvatures.min() <= 1e-14 * largest)
    if null:
        raise SolverError(
            "a curvature that is not singular",
            f"rows {tuple(normal.rows.shape)} of lower rank than {size} at damping {damping:g}",
            "give damping=..., for instance 1e-8 of the largest eigenvalue "
            f"({largest:.3g}), or damping=None for the automatic one",
        )
    return factor


def _hessian_factor(
    record: TrainingRecord, theta: Tensor, normal: NormalMatrix, hessian: Tensor | None, decay: float, proximal: float
) -> tuple[Factor, tuple[str, ...]]:
    if hessian is not None:
        damped = hessian.clone()
        damped.diagonal().add_(proximal)
        lower, info = torch.linalg.cholesky_ex(damped)
        if int(info) == 0:
            return DampedFactor(normal.rows, proximal, "primal", lower), ()
        lowest = float(torch.linalg.eigvalsh(hessian)[0])
        raise SolverError(
            "a positive definite Hessian",
            f"smallest eigenvalue {lowest:.3g} with damping {proximal:.3g}",
            f'damping={MARGIN * abs(lowest):.3g} or more, damping=None, or curvature="ggn", which never fails',
        )
    base = normal.factor(max(decay + proximal, 1e-300))
    exact = hessian_operator(record, theta)

    def product(vector: Tensor) -> Tensor:
        return exact(vector) + proximal * vector

    rows = gathered(normal.rows)
    factor = IterativeFactor(product, lambda v: rows @ v, lambda u: rows[: len(u)].T @ u, base.solve, base, 1e-8)
    note = "Hessian by conjugate gradients; leverage from the Gauss-Newton matrix"
    return factor, (note,)


def _matrix_free(record: TrainingRecord, theta: Tensor, kind: str, damping: float | None, solver: str) -> Curvature:
    with torch.no_grad():
        residual = record.rows.residual(theta)
    parts = _parts(record, theta, residual)
    push, pull = _products(record, theta, parts.root)
    if bool((parts.decay != parts.floor).any()):
        raise SolverError("one number as regularisation beyond dense size", "a vector", "")
    largest = _largest(lambda v: pull(push(v)), len(theta))
    proximal = FLOOR * largest if damping is None else float(damping)
    mu = parts.floor + proximal
    if not mu > 0:
        raise SolverError("a positive damping for the iterative solver", f"{mu}", "damping=1e-8 or None")
    rank = min(len(theta), len(residual), 128)
    while True:
        sketch = nystroem(lambda v: pull(push(v)), len(theta), rank)
        needed = 2 * sketch.effective_dimension(mu)
        if rank >= min(len(theta), len(residual), 1024) or rank >= needed:
            break
        rank = min(2 * rank, len(theta), len(residual))
    hat = SketchedHat.of(sketch, push, mu)
    if kind == "hessian":
        exact = hessian_operator(record, theta)

        def product(vector: Tensor) -> Tensor:
            return exact(vector) + proximal * vector

    else:

        def product(vector: Tensor) -> Tensor:
            return pull(push(vector)) + mu * vector

    factor = IterativeFactor(product, push, pull, sketch.precondition(mu), hat, 1e-10 if kind == "ggn" else 1e-8)
    notes = (f"approximate: leverage from a Nystroem sketch of rank {rank}",)
    gradient = pull(parts.residual) + parts.penalty
    return Curvature(
        theta, parts.residual, parts.root, gradient, parts.penalty, factor, kind, proximal, parts.floor, None, largest,
        0.5 * float(gradient @ factor.solve(gradient)), None, None, notes,
    )  # fmt: skip


def _products(
    record: TrainingRecord, theta: Tensor, root: Tensor
) -> tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]:
    """Products with A: the record's own where it has them, else by automatic differentiation."""
    if record.rows.products is not None:
        made = record.rows.products(theta)
        return (lambda v: root * made.push(v)), (lambda u: made.pull(root * u).detach())
    residual = record.rows.residual
    transposed = vjp(residual, theta)[1]
    return (
        lambda v: root * jvp(residual, (theta,), (v,))[1].detach(),
        lambda u: transposed(root * u)[0].detach(),
    )


def _largest(product: Callable[[Tensor], Tensor], size: int) -> float:
    """Largest eigenvalue by power iteration; a lower bound, good to some per cent."""
    vector = torch.randn(size, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    value = 0.0
    for _ in range(30):
        norm = float(vector.norm())
        if norm == 0:
            break
        vector = product(vector / norm)
        before, value = value, float(vector.norm())
        if abs(value - before) < 1e-3 * value:
            break
    return value


def _lowest(hessian: Tensor | None) -> float | None:
    return None if hessian is None else float(torch.linalg.eigvalsh(hessian)[0])


def _proximal(
    record: TrainingRecord, theta: Tensor, normal: NormalMatrix, light: DampedFactor, hessian: Tensor | None,
    decay: float, largest: float, damping: float | None,
) -> tuple[float | None, float]:  # fmt: skip
    """λ_min(H) where needed, and δ."""
    if hessian is not None:
        lowest = float(torch.linalg.eigvalsh(hessian)[0])
    elif damping is not None:
        return None, float(damping)
    else:

        def inverse(shift: float) -> Callable[[Tensor], Tensor]:
            return (light if shift == light.damping else normal.factor(shift)).solve

        lowest = lowest_curvature(record, theta, inverse, decay, largest)
    if damping is not None:
        return lowest, float(damping)
    return lowest, max(MARGIN * max(0.0, -lowest), FLOOR * largest)


__all__ = ["Curvature", "Factor", "build_curvature"]
