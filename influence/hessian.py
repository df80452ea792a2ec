"""The Hessian of a trained objective by its products, and its smallest eigenvalue."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import scipy.sparse.linalg as sparse
import torch
from torch import Tensor
from torch.func import grad, jvp, vmap

from sciml.least_squares import NormalMatrix
from sciml.record import TrainingRecord

FLOOR = 1e-8  # of the largest eigenvalue of G: proximal damping of a model whose Hessian is not negative
MARGIN = 4.0  # times the most negative eigenvalue of H
_COLUMNS = 8
_DENSE = 200  # parameters up to which the eigenvalue is computed from the matrix
_ROUNDS = 8


def hessian_products(record: TrainingRecord, theta: Tensor, vectors: Tensor) -> Tensor:
    """H v of the objective, regularisation included: forward over reverse mode (Pearlmutter 1994).

    Args:
        record: The objective.
        theta: θ.
        vectors: v, (P, k).

    Returns:
        (P, k).
    """
    gradient = grad(record.loss)

    def product(vector: Tensor) -> Tensor:
        return jvp(gradient, (theta,), (vector,))[1]

    try:
        return vmap(product, chunk_size=_COLUMNS)(vectors.T).T.detach()
    except RuntimeError:  # a residual that does not batch
        return torch.stack([product(column) for column in vectors.T], dim=1).detach()


def lowest_curvature(
    record: TrainingRecord, theta: Tensor, normal: NormalMatrix, decay: float, largest: float
) -> float:
    """Smallest eigenvalue of H, to some per cent, or that it is above -σ with σ a quarter of the least damping.

    H + σI is positive definite exactly where the smallest ν of Hv = ν(G + σI)v is positive enough, and near its
    extremes that pencil is well separated: it is the identity plus the small part of second derivatives. Each round
    takes a few steps of LOBPCG (Knyazev 2001) with (G + σI)⁻¹ as preconditioner and then sets σ to the
    curvature -vᵀHv/vᵀv that was found, until it grows no more.

    Args:
        record: The objective.
        theta: θ.
        normal: Its Gauss-Newton matrix.
        decay: Smallest λ.
        largest: Largest eigenvalue of G.

    Returns:
        The eigenvalue, from above.
    """
    size = len(theta)
    if size <= _DENSE:
        full = hessian_products(record, theta, torch.eye(size, dtype=torch.float64))
        return float(torch.linalg.eigvalsh((full + full.T) / 2)[0])

    def apply(vectors: np.ndarray) -> np.ndarray:
        return hessian_products(record, theta, torch.tensor(vectors.reshape(size, -1))).numpy()

    shift, lowest = max(decay, FLOOR * largest / MARGIN), 0.0
    vectors = np.random.default_rng(0).standard_normal((size, 2))
    for number in range(_ROUNDS):
        gauss, solve = _pencil(normal, shift)
        start = solve(vectors) if number == 0 else vectors
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an early end is intended
            _, vectors = sparse.lobpcg(
                _operator(apply, size), start, B=_operator(gauss, size), M=_operator(solve, size), largest=False,
                maxiter=4, tol=1e-12,
            )  # fmt: skip
        basis, _ = np.linalg.qr(vectors)
        found = min(lowest, float(np.linalg.eigvalsh(basis.T @ apply(basis))[0]))
        done = -found <= max(shift, -1.05 * lowest)
        lowest = found
        if done:
            break
        shift = -lowest
    return lowest


def _operator(apply: Callable[[np.ndarray], np.ndarray], size: int) -> sparse.LinearOperator:
    return sparse.LinearOperator((size, size), matvec=apply, matmat=apply, dtype=np.float64)


def _pencil(normal: NormalMatrix, shift: float) -> tuple[Callable, Callable]:
    """Products with G + σI and its inverse."""
    factor, rows = normal.factor(shift), normal.rows

    def gauss(vectors: np.ndarray) -> np.ndarray:
        columns = torch.tensor(vectors.reshape(rows.shape[1], -1))
        return (rows.T @ (rows @ columns) + shift * columns).numpy()

    def solve(vectors: np.ndarray) -> np.ndarray:
        return factor.solve(torch.tensor(vectors.reshape(rows.shape[1], -1))).numpy()

    return gauss, solve
