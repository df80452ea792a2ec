"""Orthogonal matching pursuit over a pool of columns, scored as one matrix product."""

from __future__ import annotations

import numpy as np


def pursue(
    pool: np.ndarray,
    target: np.ndarray,
    most: int,
    basis: np.ndarray | None = None,
    reject: float = 1e-7,
) -> list[int]:
    """Columns that reduce the residual most, one after the other.

    With P the projection onto what is orthogonal to the columns taken so far, the column that leaves the smallest
    residual once all amplitudes are solved again has the largest |⟨r, φ⟩|/|Pφ| (Rebollo-Neira & Lowe 2002, IEEE Sig.
    Proc. Lett. 9, 137); plain matching pursuit divides by |φ|. The whole pool is kept projected: a step is one product.

    Args:
        pool: Weighted columns, (N, P).
        target: Weighted data, (N,).
        most: Most columns to take.
        basis: Orthonormal columns already in use, (N, k).
        reject: Columns with |Pφ| < reject |φ| depend on those taken.

    Returns:
        Indices in the order of choice; fewer than `most` where the residual or the pool is used up.

    Example:
        >>> pursue(np.array([[1.0, 1.0, 0.0], [0.0, 0.1, 1.0]]), np.array([1.0, 0.1]), 2)
        [1]
    """
    norms = np.linalg.norm(pool, axis=0)
    usable = np.isfinite(norms) & (norms > 1e-150)
    work = np.where(usable, pool, 0.0) / np.where(usable, norms, 1.0)
    residual = target.astype(float)
    if basis is not None and basis.size:
        work -= basis @ (basis.T @ work)
        residual = residual - basis @ (basis.T @ residual)
    enough = 8 * np.finfo(float).eps * float(np.linalg.norm(target))
    chosen: list[int] = []
    while len(chosen) < most and np.linalg.norm(residual) > enough:
        sizes = np.linalg.norm(work, axis=0)
        free = sizes > reject
        if not free.any():
            break
        score = np.where(free, np.abs(residual @ work) / np.where(free, sizes, 1.0), 0.0)
        best = int(np.argmax(score))
        if score[best] <= enough:
            break
        direction = work[:, best] / sizes[best]
        residual = residual - direction * (direction @ residual)
        work -= np.outer(direction, direction @ work)
        work[:, best] = 0.0
        chosen.append(best)
    return chosen
