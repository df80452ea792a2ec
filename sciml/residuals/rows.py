"""Rows: typed, located and weighted residuals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class TermRows:
    """Rows of one term: n points, c components each.

    Attributes:
        name: Name of the term.
        components: Names of the components.
        ids: (n,) IDs of the points.
        values: (n, c) residuals.
        weight: (n,) quadrature weights, which sum to 1.
    """

    name: str
    components: tuple[str, ...]
    ids: np.ndarray
    values: Tensor
    weight: Tensor

    def mean_square(self) -> Tensor:
        """Σ_n weight_n r_nc² per component, (c,)."""
        return (self.weight[:, None] * self.values**2).sum(dim=0)


@dataclass(frozen=True, eq=False)
class Rows:
    """All rows of a problem on a set of points; flattened term by term, point by point, component last."""

    terms: tuple[TermRows, ...]

    def flat(self) -> Tensor:
        """All residuals, (N,)."""
        if not self.terms:
            return torch.zeros(0, dtype=torch.float64)
        return torch.cat([term.values.reshape(-1) for term in self.terms])

    def weights(self, scale: Mapping[str, float] | None = None) -> Tensor:
        """Row weights w = λ · quadrature weight, (N,).

        Args:
            scale: λ by name of component or term; 1 where a name is absent.

        Returns:
            w, in the order of `flat()`.
        """
        scale = scale or {}
        blocks = []
        for term in self.terms:
            factors = [scale.get(name, scale.get(term.name, 1.0)) for name in term.components]
            scales = term.weight.new_tensor(factors)
            blocks.append((term.weight[:, None] * scales).reshape(-1))
        return torch.cat(blocks) if blocks else torch.zeros(0, dtype=torch.float64)

    @property
    def ids(self) -> np.ndarray:
        """Point ID of every row, (N,)."""
        return np.concatenate([np.repeat(term.ids, len(term.components)) for term in self.terms])

    @property
    def labels(self) -> np.ndarray:
        """Component name of every row, (N,)."""
        return np.concatenate([np.tile(np.array(term.components, dtype=object), len(term.ids)) for term in self.terms])

    def mean_squares(self) -> dict[str, Tensor]:
        """Weighted mean square of each component."""
        return {
            name: value for term in self.terms for name, value in zip(term.components, term.mean_square(), strict=True)
        }
