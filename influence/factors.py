"""Factor: solves with the curvature B, as influence asks for them."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor


class Factor(Protocol):
    """Solves with B and what is left of rows after a fit."""

    @property
    def kind(self) -> str:
        """How it solves."""
        ...

    def solve(self, vectors: Tensor) -> Tensor:
        """B⁻¹v."""
        ...

    def solve_rows(self, values: Tensor) -> Tensor:
        """B⁻¹Aᵀv."""
        ...

    def row_products(self, vectors: Tensor) -> Tensor:
        """A B⁻¹v."""
        ...

    def leverage(self) -> Tensor:
        """h_i."""
        ...

    def complement(self, index: Tensor) -> Tensor:
        """I - A_C B⁻¹A_Cᵀ."""
        ...
