"""Factor of the damped Gauss–Newton matrix, primal or dual.

B = AᵀA + μI. Primal: Cholesky of B (P × P). Dual, for fewer rows than parameters: Cholesky of
K = AAᵀ + μI (N × N) with B⁻¹v = (v - Aᵀ K⁻¹ A v)/μ (Woodbury 1950) and B⁻¹Aᵀ = AᵀK⁻¹.
Products square the condition number: where Cholesky fails, or μ is below 1e-14 of the mean diagonal,
an SVD of A is used.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from sciml.errors import SolverError
from sciml.least_squares.gram import lower_gram
from sciml.least_squares.sharded import ShardedMatrix, gathered


@dataclass(frozen=True, eq=False)
class DampedFactor:
    """Solves with B = AᵀA + μI.

    Attributes:
        rows: A, (N, P); its rows may lie on several processes.
        damping: μ.
        kind: "primal", "dual" or "svd".
        lower: Cholesky factor, or the right singular vectors (P, k).
        eigenvalues: Squared singular values for kind "svd".
        left: Left singular vectors (N, k) for kind "svd".
    """

    rows: Tensor | ShardedMatrix
    damping: float
    kind: str
    lower: Tensor
    eigenvalues: Tensor | None = None
    left: Tensor | ShardedMatrix | None = None

    def solve(self, vectors: Tensor) -> Tensor:
        """B⁻¹v for v (P,) or (P, k)."""
        columns = vectors[:, None] if vectors.ndim == 1 else vectors
        if self.kind == "primal":
            result = torch.cholesky_solve(columns, self.lower)
        elif self.kind == "dual":
            inner = torch.cholesky_solve(self.rows @ columns, self.lower)
            result = (columns - self._pulled(inner)) / self.damping
        else:
            assert self.eigenvalues is not None
            projected = self.lower.T @ columns
            result = self.lower @ (projected / (self.eigenvalues + self.damping)[:, None])
            if self.damping > 0:  # the complement of the row space
                result = result + (columns - self.lower @ projected) / self.damping
        return result[:, 0] if vectors.ndim == 1 else result

    def gathered(self) -> DampedFactor:
        """The same with A in one place, on the CPU."""
        left = None if self.left is None else gathered(self.left).cpu()
        values = None if self.eigenvalues is None else self.eigenvalues.cpu()
        return replace(self, rows=gathered(self.rows).cpu(), lower=self.lower.cpu(), eigenvalues=values, left=left)

    def _pulled(self, values: Tensor) -> Tensor:
        """Aᵀv for v (N, k), in the order in which A lies in memory: for few columns several times as fast."""
        assert isinstance(self.rows, Tensor)
        return (values.T @ self.rows).T

    def solve_rows(self, values: Tensor) -> Tensor:
        """B⁻¹Aᵀv for v (N,) or (N, k): in the dual and by singular values without cancellation."""
        if self.left is not None:
            return self.lower @ _scaled(self._filter, self.left.T @ values)
        if self.kind == "dual":
            columns = values[:, None] if values.ndim == 1 else values
            result = self._pulled(torch.cholesky_solve(columns, self.lower))
            return result[:, 0] if values.ndim == 1 else result
        return self.solve(self.rows.T @ values)

    def row_products(self, vectors: Tensor) -> Tensor:
        """A B⁻¹v, the transpose of `solve_rows`: in the dual without cancellation.

        Args:
            vectors: v, (P,) or (P, k).

        Returns:
            (N,) or (N, k).

        Example:
            >>> import torch
            >>> A = torch.randn(3, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
            >>> factor, v = damped_factor(A, 0.1), torch.ones(5, dtype=torch.float64)
            >>> bool(torch.allclose(factor.row_products(v), A @ factor.solve(v)))
            True
        """
        if self.left is not None:
            return self.left @ _scaled(self._filter, self.lower.T @ vectors)
        if self.kind == "dual":
            columns = vectors[:, None] if vectors.ndim == 1 else vectors
            result = torch.cholesky_solve(self.rows @ columns, self.lower)
            return result[:, 0] if vectors.ndim == 1 else result
        return self.rows @ self.solve(vectors)

    @cached_property
    def _filter(self) -> Tensor:
        """σ/(σ² + μ), (k,)."""
        assert self.eigenvalues is not None
        return torch.sqrt(self.eigenvalues) / (self.eigenvalues + self.damping)

    @cached_property
    def _half(self) -> Tensor:
        """W (k, N) with A B⁻¹Aᵀ = WᵀW, for the primal factor and the SVD."""
        assert isinstance(self.rows, Tensor)
        assert not isinstance(self.left, ShardedMatrix)
        if self.left is None:
            return torch.linalg.solve_triangular(self.lower, self.rows.T, upper=False)
        assert self.eigenvalues is not None
        return _scaled(torch.sqrt(self.eigenvalues / (self.eigenvalues + self.damping)), self.left.T)

    @cached_property
    def _sharded_half(self) -> ShardedMatrix:
        """Wᵀ, its rows where those of A are."""
        assert isinstance(self.rows, ShardedMatrix)
        if self.left is None:
            return self.rows.whitened(self.lower)
        assert isinstance(self.left, ShardedMatrix)
        assert self.eigenvalues is not None
        return self.left.times(torch.diag(torch.sqrt(self.eigenvalues / (self.eigenvalues + self.damping))))

    @cached_property
    def _inverse(self) -> Tensor:
        """K⁻¹ (N, N) of the dual."""
        return torch.cholesky_inverse(self.lower)

    def leverage(self) -> Tensor:
        """h_i = a_iᵀB⁻¹a_i, (N,); 0 <= h < 1. The dual form 1 - μ(K⁻¹)_ii avoids cancellation."""
        if self.kind == "dual":
            return (1 - self.damping * self._inverse.diagonal()).clamp(min=0)
        return self._sharded_half.row_squares() if self._sharded else (self._half**2).sum(dim=0)

    @property
    def _sharded(self) -> bool:
        return isinstance(self.rows, ShardedMatrix)

    def complement(self, index: Tensor) -> Tensor:
        """I - A_C B⁻¹A_Cᵀ for sets C of rows: what is left of them after a fit; in the dual without cancellation.

        Args:
            index: Rows of each set, (..., m).

        Returns:
            (..., m, m).
        """
        if self.kind == "dual":
            return self.damping * self._inverse[index[..., :, None], index[..., None, :]]
        if self._sharded:
            hat = self._sharded_half.products(index)
        else:
            chosen = self._half[:, index]  # (k, ..., m)
            hat = torch.einsum("k...m,k...n->...mn", chosen, chosen)
        return torch.eye(index.shape[-1], dtype=hat.dtype, device=hat.device) - hat


def _scaled(scale: Tensor, values: Tensor) -> Tensor:
    """Rows of values (k,) or (k, m) times scale (k,)."""
    return values * (scale if values.ndim == 1 else scale[:, None])


class NormalMatrix:
    """The matrix AᵀA, or AAᵀ where A has fewer rows than columns: formed once, factored for any damping.

    Args:
        rows: A, (N, P), float64.
        kind: "primal", "dual", "svd", or "auto" for the smaller Cholesky with SVD as fallback.

    Raises:
        SolverError: If A is not float64 or not finite.
    """

    def __init__(self, rows: Tensor | ShardedMatrix, kind: str = "auto") -> None:
        # one pass: a sum is finite unless an entry is not, and much cheaper than a mask
        if rows.dtype != torch.float64 or not math.isfinite(float(rows.sum())):
            raise SolverError(
                "finite float64 rows",
                f"{rows.dtype}, {_not_finite(rows)} entries not finite",
                "a float32 factor would be silently wrong: convert the model to float64",
            )
        self.rows, self.kind = rows, kind
        self._matrices: dict[str, Tensor] = {}
        self._svd: tuple[Tensor | ShardedMatrix, Tensor, Tensor] | None = None

    def matrix(self, kind: str) -> Tensor:
        """AᵀA for "primal", AAᵀ for "dual"."""
        if kind not in self._matrices:
            if isinstance(self.rows, ShardedMatrix):  # it has no fewer rows than columns
                self._matrices[kind] = self.rows.lower_gram()
            else:
                self._matrices[kind] = lower_gram(self.rows.T if kind == "dual" else self.rows)
        return self._matrices[kind]

    def factor(self, damping: float) -> DampedFactor:
        """Factor B = AᵀA + μI.

        Args:
            damping: μ >= 0.

        Returns:
            The factor.

        Raises:
            SolverError: If μ is negative, or the Cholesky factor that was asked for does not exist.
        """
        if not damping >= 0:
            raise SolverError("damping >= 0", str(damping), "")
        kind = self.kind
        if kind == "auto":
            kind = "dual" if self.rows.shape[0] < self.rows.shape[1] and damping > 0 else "primal"
            mean_diagonal = float(self.matrix(kind).diagonal().sum()) / max(self.rows.shape[1], 1)
            made = self._cholesky(damping, kind) if damping >= 1e-14 * mean_diagonal else None
            return made if made is not None else self._by_svd(damping)
        if kind == "svd":
            return self._by_svd(damping)
        made = self._cholesky(damping, kind)
        if made is None:
            raise SolverError(
                "a positive definite matrix", f"{kind} Cholesky failed at damping {damping}", 'kind="svd"'
            )
        return made

    def _cholesky(self, damping: float, kind: str) -> DampedFactor | None:
        damped = self.matrix(kind).clone()
        damped.diagonal().add_(damping)
        lower, info = torch.linalg.cholesky_ex(damped)
        return DampedFactor(self.rows, damping, kind, lower) if int(info) == 0 else None

    def _by_svd(self, damping: float) -> DampedFactor:
        if self._svd is None:
            whole = isinstance(self.rows, Tensor)
            self._svd = torch.linalg.svd(self.rows, full_matrices=False) if whole else self.rows.svd()
        left, singular, right = self._svd
        keep = singular > singular[:1] * 1e-15 * max(self.rows.shape) if damping == 0 else singular >= 0
        kept = left[:, keep] if isinstance(left, Tensor) else left.times(torch.eye(len(keep)).to(right)[:, keep])
        return DampedFactor(self.rows, damping, "svd", right[keep].T, singular[keep] ** 2, kept)


def _not_finite(rows: Tensor | ShardedMatrix) -> int:
    bad = ~torch.isfinite(rows if isinstance(rows, Tensor) else rows.row_squares())
    return int(bad.sum())


def damped_factor(rows: Tensor | ShardedMatrix, damping: float, kind: str = "auto") -> DampedFactor:
    """Factor B = AᵀA + μI.

    Args:
        rows: A, (N, P), float64.
        damping: μ >= 0.
        kind: "primal", "dual", "svd", or "auto" for the smaller Cholesky with SVD as fallback.

    Returns:
        The factor.

    Raises:
        SolverError: If A is not float64 or not finite, or μ is negative.

    Example:
        >>> import torch
        >>> A = torch.randn(5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
        >>> v = torch.ones(3, dtype=torch.float64)
        >>> x = damped_factor(A, 0.1).solve(v)
        >>> bool(torch.allclose((A.T @ A + 0.1 * torch.eye(3)) @ x, v))
        True
    """
    return NormalMatrix(rows, kind).factor(damping)
