"""Actions on rows: the linear algebra of removing, adding, reweighting and moving.

Let rows C get the weights (1 + ε_c) w_c, D = diag(ε). The minimiser of the linearised objective moves by
Δθ = -B⁻¹A_Cᵀ(I + D H_CC)⁻¹D ρ_C with H_CC = A_C B⁻¹A_Cᵀ (Woodbury 1950): ε = -1 removes (Cook 1977 and
Pregibon 1981 for one row), and new rows enter with ε = 1 from nothing. Every quantity then changes by T_Cᵀz with
T = A B⁻¹q and z = -(I + D H_CC)⁻¹D ρ_C.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from sciml.errors import SolverError

WEIGHTS = {"remove": -1.0, "add": 1.0, "reweight": 0.0}  # ε, that of reweighting by the factor


@dataclass(frozen=True, eq=False)
class Blocks:
    """Rows point by point; points with as many rows lie in one array.

    Attributes:
        ids: Point IDs in the order of first appearance, (n,).
        groups: Pairs: positions in `ids` (k,), and rows of those points (k, m).
    """

    ids: np.ndarray
    groups: tuple[tuple[np.ndarray, Tensor], ...]


def point_blocks(row_ids: np.ndarray) -> Blocks:
    """Rows that belong together: those of one ID.

    Args:
        row_ids: Point ID of each row.

    Returns:
        The blocks.

    Example:
        >>> made = point_blocks(np.array([4, 7, 4]))
        >>> made.ids, [rows.tolist() for _, rows in made.groups]
        (array([4, 7]), [[[1]], [[0, 2]]])
    """
    ids, first, counts = np.unique(row_ids, return_index=True, return_counts=True)
    order = np.argsort(row_ids, kind="stable")
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    rank = np.empty(len(ids), dtype=int)
    rank[np.argsort(first, kind="stable")] = np.arange(len(ids))
    groups = []
    for count in np.unique(counts):
        chosen = np.flatnonzero(counts == count)
        rows = order[starts[chosen][:, None] + np.arange(count)]
        groups.append((rank[chosen], torch.tensor(rows)))
    return Blocks(ids[np.argsort(first, kind="stable")], tuple(groups))


def response(complement: Tensor, residual: Tensor, change: Tensor | float) -> Tensor:
    """The vector z = -(I + D H)⁻¹D ρ for blocks of rows, from I - H.

    Args:
        complement: I - H, (..., m, m).
        residual: ρ, (..., m).
        change: ε, a number or (..., m).

    Returns:
        (..., m).
    """
    epsilon = torch.as_tensor(change, dtype=residual.dtype).expand(residual.shape)
    eye = torch.eye(complement.shape[-1], dtype=residual.dtype)
    # I + D H = (I + D) - D (I - H): for ε = -1 exactly I - H, without cancellation
    matrix = (1 + epsilon)[..., None] * eye - epsilon[..., None] * complement
    return -torch.linalg.solve(matrix, (epsilon * residual)[..., None])[..., 0]


def responses(complements: list[Tensor] | None, blocks: Blocks, residual: Tensor, change: float) -> list[Tensor]:
    """`response` for every point by itself; without complements to first order in ε.

    Args:
        complements: I - H of each group of blocks, or None.
        blocks: The points.
        residual: ρ, (N,).
        change: ε.

    Returns:
        z of each group, (k, m).
    """
    if complements is None:
        return [-change * residual[rows] for _, rows in blocks.groups]
    return [
        response(complement, residual[rows], change)
        for complement, (_, rows) in zip(complements, blocks.groups, strict=True)
    ]


def row_changes(products: Tensor, blocks: Blocks, made: list[Tensor]) -> Tensor:
    """Share of each row in the change: T_i z_i, (q, N), columns as the rows.

    Args:
        products: T = A B⁻¹q, (N, q).
        blocks: The points.
        made: z of each group.

    Returns:
        (q, N).
    """
    total = torch.zeros(len(products), dtype=products.dtype)
    for (_, rows), z in zip(blocks.groups, made, strict=True):
        total[rows] = z
    return (products * total[:, None]).T


def sum_points(by_row: Tensor, blocks: Blocks) -> Tensor:
    """Sums over the rows of each point.

    Args:
        by_row: (q, N).
        blocks: The points.

    Returns:
        (q, n).
    """
    result = by_row.new_zeros(len(by_row), len(blocks.ids))
    for positions, rows in blocks.groups:
        result[:, torch.tensor(positions)] = by_row[:, rows].sum(dim=2)
    return result


def check_action(action: str, allowed: tuple[str, ...]) -> None:
    """Refuse an unknown action.

    Args:
        action: Its name.
        allowed: Known names.

    Raises:
        SolverError: If it is not among them.
    """
    if action not in allowed:
        raise SolverError(f"an action among {', '.join(allowed)}", repr(action), 'scores(Q, at, action="remove")')
