"""ShardedMatrix: A whose rows lie on several processes; products are reduced, and A itself is never in one place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from sciml.distributed.crew import Remote
from sciml.distributed.sharding import Sharding
from sciml.least_squares.gram import lower_gram

_SETS = 256  # sets of rows that are gathered at once


@dataclass(frozen=True, eq=False)
class RowShard:
    """The rows of one process.

    Attributes:
        rows: (n, P).
        place: Their numbers among all rows, (n,).
        rank: Number of the process.
    """

    rows: Tensor
    place: Tensor
    rank: int

    def sum(self) -> Tensor:
        """Sum of all entries, ()."""
        return self.rows.sum()

    def lower_gram(self) -> Tensor:
        """AᵀA on and below the diagonal."""
        return lower_gram(self.rows).contiguous()

    def push(self, vectors: Tensor) -> Tensor:
        """A v for v (P,) or (P, k)."""
        return (self.rows @ vectors.to(self.rows.device)).cpu()

    def pull(self, values: Tensor) -> Tensor:
        """Aᵀu for the values of all rows, (N,) or (N, k)."""
        own = values[self.place].to(self.rows.device)
        return self.rows.T @ own if own.ndim == 1 else (own.T @ self.rows).T

    def column_squares(self) -> Tensor:
        """Σ_i A_ij², (P,)."""
        return (self.rows**2).sum(dim=0)

    def row_squares(self) -> Tensor:
        """Σ_j A_ij², (n,)."""
        return (self.rows**2).sum(dim=1).cpu()

    def stored(self) -> Tensor:
        """The rows."""
        return self.rows.cpu()

    def triangle(self, columns: Tensor, right: Tensor) -> Tensor:
        """R of A's QR decomposition with columns divided and b as a last one; the rows where they are fewer."""
        stacked = torch.cat([self.rows.cpu() / columns, right[self.place][:, None]], dim=1)
        return stacked if len(stacked) <= stacked.shape[1] else torch.linalg.qr(stacked, mode="r")[1]

    def orthogonal(self) -> tuple[RowShard, Tensor]:
        """Q, to be kept, and R of the QR decomposition."""
        q, r = torch.linalg.qr(self.rows)
        return replace(self, rows=q), r.cpu()

    def whitened(self, lower: Tensor) -> tuple[RowShard, int]:
        """A L⁻ᵀ, to be kept."""
        solved = torch.linalg.solve_triangular(lower.to(self.rows.device), self.rows.T, upper=False)
        return replace(self, rows=solved.T), len(lower)

    def _local(self, index: Tensor) -> Tensor:
        """Positions of rows here; -1 for those of others."""
        order = torch.argsort(self.place)
        found = torch.searchsorted(self.place[order], index).clamp(max=max(len(order) - 1, 0))
        if not len(order):
            return torch.full_like(index, -1)
        return torch.where(self.place[order[found]] == index, order[found], -1)

    def products(self, index: Tensor) -> tuple[Tensor, Tensor]:
        """Sets (s, m) all of whose rows are here: their numbers, and A_C A_Cᵀ of each."""
        local = self._local(index)
        mine = torch.nonzero((local >= 0).all(dim=1))[:, 0]
        chosen = self.rows[local[mine].to(self.rows.device)]
        return mine, (chosen @ chosen.transpose(1, 2)).cpu()

    def chosen(self, index: Tensor) -> tuple[Tensor, Tensor]:
        """Which of some rows are here, and these."""
        local = self._local(index)
        mine = torch.nonzero(local >= 0)[:, 0]
        return mine, self.rows[local[mine].to(self.rows.device)].cpu()

    def times(self, matrices: Sequence[Tensor]) -> tuple[RowShard, int]:
        """A M, to be kept, with a matrix for each process or one for all."""
        own = matrices[self.rank if len(matrices) > 1 else 0]
        return replace(self, rows=self.rows @ own.to(self.rows.device)), len(own)


class ShardedMatrix:
    """A, (N, P), float64: what `NormalMatrix`, `DampedFactor` and `orthogonal_solution` need of a matrix.

    Args:
        remote: A `RowShard` on every process.
        sharding: Which rows they are.
        columns: P.
        device: Where results are wanted.
    """

    dtype = torch.float64

    def __init__(self, remote: Remote, sharding: Sharding, columns: int, device: torch.device) -> None:
        self.remote, self.sharding, self.device = remote, sharding, device
        self.shape = (sharding.rows, columns)

    def __len__(self) -> int:
        """N."""
        return self.shape[0]

    def sum(self) -> Tensor:
        """Sum of all entries: not finite where an entry is not."""
        return self.remote.total("sum")

    def lower_gram(self) -> Tensor:
        """AᵀA on and below the diagonal, (P, P)."""
        return self.remote.total("lower_gram").to(self.device)

    def __matmul__(self, vectors: Tensor) -> Tensor:
        """A v, (N,) or (N, k)."""
        return self.sharding.joined(self.remote.gather("push", vectors)).to(self.device)

    @property
    def T(self) -> _Transposed:
        """Aᵀ, for products."""
        return _Transposed(self)

    def row_squares(self) -> Tensor:
        """Σ_j A_ij², (N,)."""
        return self.sharding.joined(self.remote.gather("row_squares")).to(self.device)

    def whitened(self, lower: Tensor) -> ShardedMatrix:
        """A L⁻ᵀ for a lower triangular L, sharded as A is."""
        return self._like(self.remote.keep("whitened", lower)[0], len(lower))

    def products(self, index: Tensor) -> Tensor:
        """A_C A_Cᵀ for sets C of rows (..., m), where the rows are; sets that several processes share are gathered.

        Args:
            index: Rows of each set, (..., m).

        Returns:
            (..., m, m).
        """
        sets = index.reshape(-1, index.shape[-1])
        found = torch.full((*sets.shape, sets.shape[-1]), torch.nan, dtype=self.dtype)
        left = torch.ones(len(sets), dtype=torch.bool)
        for mine, values in self.remote.gather("products", sets):
            found[mine], left[mine] = values, False
        for piece in torch.nonzero(left)[:, 0].split(_SETS) if bool(left.any()) else ():
            asked = sets[piece].reshape(-1)
            rows = torch.zeros(len(asked), self.shape[1], dtype=self.dtype)
            for mine, values in self.remote.gather("chosen", asked):
                rows[mine] = values
            chosen = rows.reshape(*sets[piece].shape, -1)
            found[piece] = chosen @ chosen.transpose(1, 2)
        return found.reshape(*index.shape, index.shape[-1]).to(self.device)

    def column_lengths(self) -> Tensor:
        """Lengths of the columns, (P,)."""
        return self.remote.total("column_squares").sqrt().cpu()

    def gathered(self) -> Tensor:
        """A in one place."""
        return self.sharding.joined(self.remote.gather("stored")).to(self.device)

    def triangles(self, columns: Tensor, right: Tensor) -> Tensor:
        """Few rows with the same least-squares problem: the R factors of the shards, one below the other.

        Args:
            columns: What to divide the columns by, (P,).
            right: b, (N,).

        Returns:
            (m, P + 1), b last (Demmel, Grigori, Hoemmen & Langou 2012, SIAM J. Sci. Comput. 34).
        """
        return torch.cat(self.remote.gather("triangle", columns, right))

    def svd(self) -> tuple[ShardedMatrix, Tensor, Tensor]:
        """A = U S Vᵀ by QR decompositions of the shards and the singular values of their stacked R factors.

        Returns:
            U, sharded as A is, S and Vᵀ.
        """
        kept, triangles = self.remote.keep("orthogonal")
        left, singular, right = torch.linalg.svd(torch.cat(triangles), full_matrices=False)
        counts = [len(part) for part in triangles]
        made, _ = kept.keep("times", list(torch.split(left, counts)))
        return self._like(made, len(singular)), singular.to(self.device), right.to(self.device)

    def times(self, matrix: Tensor) -> ShardedMatrix:
        """A M for M (P, k), sharded as A is."""
        return self._like(self.remote.keep("times", [matrix.cpu()])[0], matrix.shape[1])

    def _like(self, remote: Remote, columns: int) -> ShardedMatrix:
        return ShardedMatrix(remote, self.sharding, columns, self.device)


def gathered(matrix: Tensor | ShardedMatrix) -> Tensor:
    """A in one place: itself, or gathered from the processes."""
    return matrix if isinstance(matrix, Tensor) else matrix.gathered()


class _Transposed:
    """Aᵀ of a sharded matrix."""

    def __init__(self, matrix: ShardedMatrix) -> None:
        self._matrix = matrix

    def __matmul__(self, values: Tensor) -> Tensor:
        """Aᵀu, (P,) or (P, k)."""
        return self._matrix.remote.total("pull", values).to(self._matrix.device)
