"""The Hessian of a trained objective by its products, and its smallest eigenvalue."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.func import grad, jvp, vmap

from sciml.record import TrainingRecord

Map = Callable[[Tensor], Tensor]

FLOOR = 1e-8  # of the largest eigenvalue of G: proximal damping of a model whose Hessian is not negative
MARGIN = 4.0  # times the most negative eigenvalue of H
_COLUMNS = 8
_DENSE = 50  # parameters up to which the eigenvalue is computed from the matrix
_BLOCK = 1  # eigenvalues sought together; more are surer of the smallest one, but every column costs a Hessian product
_START = 4  # random directions at the start
_ROUNDS = 20
_SETTLED = 0.03  # relative change over two rounds


def hessian_products(record: TrainingRecord, theta: Tensor, vectors: Tensor) -> Tensor:
    """H v for many v at once, regularisation included: forward over reverse mode (Pearlmutter 1994).

    Rows that differentiate inside by plain autograd do not compose with that; theirs is reverse over reverse mode.

    Args:
        record: The objective.
        theta: θ.
        vectors: v, (P, k).

    Returns:
        (P, k).
    """
    slope = grad(record.loss)

    def product(vector: Tensor) -> Tensor:
        return jvp(slope, (theta,), (vector,))[1]

    try:
        return vmap(product, chunk_size=_COLUMNS)(vectors.T).T.detach()
    except RuntimeError:
        return hessian_operator(record, theta)(vectors)


def hessian_operator(record: TrainingRecord, theta: Tensor) -> Map:
    """The map v -> H v at one θ, for few v at a time: the gradient's graph is built once and passed through backwards.

    Args:
        record: The objective.
        theta: θ.

    Returns:
        The map, for v (P,) or (P, k).
    """
    with torch.enable_grad():
        free = theta.detach().clone().requires_grad_(True)
        (slope,) = torch.autograd.grad(record.loss(free), free, create_graph=True)

    def column(vector: Tensor) -> Tensor:
        made = torch.autograd.grad(slope, free, vector, retain_graph=True, materialize_grads=True, allow_unused=True)
        return made[0].detach()

    def product(vectors: Tensor) -> Tensor:
        if vectors.ndim == 1:
            return column(vectors)
        return torch.stack([column(vector) for vector in vectors.T], dim=1)

    return product


def gradient(function: Callable[[Tensor], Tensor], theta: Tensor) -> Tensor:
    """Gradient of a scalar function by plain autograd, which any row allows.

    Args:
        function: θ -> scalar.
        theta: θ, (P,).

    Returns:
        (P,).
    """
    with torch.enable_grad():
        free = theta.detach().clone().requires_grad_(True)
        return torch.autograd.grad(function(free), free)[0]


def least_damping(decay: float, largest: float) -> float:
    """The least damping that rounding allows, λ + 1e-8 λ_max(G)."""
    return decay + max(FLOOR * largest, 1e-300)


def lowest_curvature(
    record: TrainingRecord, theta: Tensor, inverse: Callable[[float], Map], decay: float, largest: float
) -> float:
    """Smallest eigenvalue of H to some per cent, or that it is above -σ with σ a quarter of the least damping.

    Davidson's method (Davidson 1975; the correction of Olsen, Jorgensen & Simons 1990) with (G + σI)⁻¹ as
    preconditioner, σ following the curvature found: H - ϑI is G + σI plus the small part of second derivatives there.

    Args:
        record: The objective.
        theta: θ.
        inverse: σ -> the map v -> (G + σI)⁻¹v, or an approximation, for v (P, k).
        decay: Smallest λ.
        largest: Largest eigenvalue of G.

    Returns:
        The eigenvalue, from above.
    """
    size = len(theta)
    if size <= _DENSE:
        full = hessian_products(record, theta, torch.eye(size, dtype=torch.float64))
        return float(torch.linalg.eigvalsh((full + full.T) / 2)[0])
    floor = max(decay, FLOOR * largest / MARGIN)
    shift = least_damping(decay, largest)
    solve, product = inverse(shift), hessian_operator(record, theta)
    start = torch.randn(size, _START, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    fresh = torch.linalg.qr(solve(start))[0]
    basis = image = fresh[:, :0]
    found: list[float] = []
    while True:
        basis, image = torch.cat([basis, fresh], 1), torch.cat([image, product(fresh)], 1)
        core = basis.T @ image
        values, mixed = (z[..., :_BLOCK] for z in torch.linalg.eigh((core + core.T) / 2))
        found.append(float(values[0]))
        if not shift / 4 <= max(floor, -found[-1]) <= 4 * shift:
            shift = max(floor, -found[-1])
            solve = inverse(shift)
        vectors = basis @ mixed
        residual = image @ mixed - vectors * values
        fresh, gain = _corrections(solve, vectors, residual, basis)
        enough = _SETTLED * max(abs(found[-1]), floor)
        if len(found) == _ROUNDS or (len(found) > 3 and gain < enough and found[-3] - found[-1] < enough):
            return found[-1]


def _corrections(solve: Map, vectors: Tensor, residual: Tensor, basis: Tensor) -> tuple[Tensor, float]:
    """Olsen's corrections M⁻¹r - εM⁻¹x, orthonormal to the basis, and the decrease rᵀM⁻¹r that the first promises."""
    of_residual, of_vectors = solve(torch.cat([residual, vectors], 1)).split(_BLOCK, dim=1)
    gain = float(residual[:, 0] @ of_residual[:, 0])
    made = of_residual - of_vectors * ((vectors * of_residual).sum(0) / (vectors * of_vectors).sum(0))
    for _ in range(2):  # twice, against rounding
        made = torch.linalg.qr(made - basis @ (basis.T @ made))[0]
    return made, gain
