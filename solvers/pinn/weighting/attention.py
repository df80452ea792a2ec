"""Weights by point: numbers that grow where the residual stays large."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from sciml.errors import SolverError
from sciml.points import PointSet
from solvers.pinn.objective import Objective
from solvers.pinn.weighting.scheme import Weighting, squared_residuals


class _Attention(Weighting):
    """Schemes with one number per point, which belongs to its place: it starts anew where the places change."""

    active = True

    def __init__(self, start: float) -> None:
        super().__init__()
        self.start = start
        self.numbers: dict[str, Tensor] = {}
        self._ids: dict[str, Tensor] = {}

    def update(self, objective: Objective, theta: Tensor, points: PointSet, scale: Mapping[str, float]) -> None:
        """Carry the numbers of points that stayed, and move all by the rule of the scheme."""
        self._learn(objective)
        for name, squares in squared_residuals(objective, theta, scale).items():
            ids = torch.tensor(points.ids_of(name))
            self.numbers[name] = self.moved(self._carried(name, ids), squares)
            self.points[name], self._ids[name] = self.factors(self.numbers[name]), ids

    def _carried(self, name: str, ids: Tensor) -> Tensor:
        old = self.numbers.get(name)
        if old is None:
            return torch.full((len(ids),), self.start, dtype=torch.float64)
        order = torch.argsort(self._ids[name])
        place = torch.searchsorted(self._ids[name][order], ids).clamp(max=len(order) - 1)
        stayed = self._ids[name][order][place] == ids
        # a new place knows nothing of its own: it gets the mean, so that neither old nor new points dominate
        return torch.where(stayed, old[order][place], old.mean())

    def moved(self, numbers: Tensor, squares: Tensor) -> Tensor:
        """The numbers after one update."""
        raise NotImplementedError

    def factors(self, numbers: Tensor) -> Tensor:
        """Factors of the weights from the numbers."""
        raise NotImplementedError

    def state(self) -> dict[str, Any]:
        """Factors, numbers and the points they belong to."""
        own = {f"numbers {name}": value for name, value in self.numbers.items()}
        return {**super().state(), **own, **{f"ids {name}": value for name, value in self._ids.items()}}

    def load_state(self, state: Mapping[str, Any], objective: Objective) -> None:
        """Continue from `state()`."""
        super().load_state(state, objective)
        self.numbers = {k[8:]: v for k, v in state.items() if k.startswith("numbers ")}
        self._ids = {k[4:]: v for k, v in state.items() if k.startswith("ids ")}


class SelfAdaptive(_Attention):
    """A number m per point that climbs where the residual stays large: factor m^q, m ← m + ηqm^(q-1) λr².

    The saddle-point problem min_θ max_m Σ w m^q r² by gradient steps in m (McClenny & Braga-Neto 2023, arXiv
    2009.04544, with polynomial masks). For q = 2 numbers grow exponentially where a residual does not vanish.

    Args:
        rate: η.
        power: q.
        every: Steps between updates.

    Raises:
        SolverError: If a number is out of range.

    Example:
        >>> import torch
        >>> squares = torch.tensor([0.0, 2.0], dtype=torch.float64)
        >>> SelfAdaptive(rate=0.5).moved(torch.ones(2, dtype=torch.float64), squares).tolist()
        [1.0, 2.0]
    """

    def __init__(self, rate: float = 0.1, power: int = 1, every: int = 1) -> None:
        super().__init__(1.0)
        if not rate > 0 or every < 1 or power < 1:
            given = f"rate={rate}, power={power}, every={every}"
            raise SolverError("rate > 0, power >= 1 and every >= 1", given, "SelfAdaptive(rate=0.1)")
        self.rate, self.power, self.every = rate, power, every

    def moved(self, numbers: Tensor, squares: Tensor) -> Tensor:
        """One step of gradient ascent."""
        return numbers + self.rate * self.power * numbers ** (self.power - 1) * squares

    def factors(self, numbers: Tensor) -> Tensor:
        """The mask m^q."""
        return numbers**self.power


class ResidualAttention(_Attention):
    """A number m per point that remembers the relative size of its residual: factor m², m ← γm + η|r|/max|r|.

    Residual-based attention (Anagnostopoulos et al. 2024, arXiv 2307.00379). The factors of a term are divided by
    their mean: the scheme moves weight within a term, not between terms.

    Args:
        decay: γ.
        rate: η.
        every: Steps between updates.

    Raises:
        SolverError: If a number is out of range.
    """

    def __init__(self, decay: float = 0.999, rate: float = 0.01, every: int = 1) -> None:
        super().__init__(0.0)
        if not (0 <= decay < 1 and rate > 0 and every >= 1):
            given = f"decay={decay}, rate={rate}, every={every}"
            raise SolverError("0 <= decay < 1, rate > 0, every >= 1", given, "ResidualAttention(decay=0.999)")
        self.decay, self.rate, self.every = decay, rate, every

    def moved(self, numbers: Tensor, squares: Tensor) -> Tensor:
        """γm + η|r|/max|r|."""
        size = squares.sqrt()
        largest = float(size.max()) if len(size) else 0.0
        return self.decay * numbers + (self.rate * size / largest if largest > 0 else 0.0)

    def factors(self, numbers: Tensor) -> Tensor:
        """m² with mean 1; 1 where every number is 0."""
        mean = float((numbers**2).mean())
        return numbers**2 / mean if mean > 0 else torch.ones_like(numbers)
