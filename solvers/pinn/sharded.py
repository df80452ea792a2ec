"""Objective whose rows are spread over the processes of a crew; optimisers and the training loop see no difference."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from sciml.distributed import Crew, Remote, present_crew
from sciml.distributed.sharding import Sharding
from sciml.distributed.team import own_device
from sciml.ibvp import IBVP
from sciml.least_squares import ScaledRows
from sciml.least_squares.sharded import RowShard, ShardedMatrix
from sciml.points import PointSet
from sciml.residuals import HardConstraint, ResidualSystem, Rows
from sciml.residuals.rows import TermRows
from sciml.terms import Term
from solvers.pinn.objective import Evaluation, Objective
from solvers.pinn.unknowns import UnknownMap


class Share:
    """The objective on the points of one process.

    Args:
        rank: Number of the process.
        points: Its points.
        piece: Their entries among all points.
        place: Its rows among all rows.
        system: Rows of the problem.
        model: The network.
        kind: Kind of device.
        unknowns: Map of the unknown coefficients.
        scale: λ.
    """

    def __init__(
        self, rank: int, points: PointSet, piece: np.ndarray, place: Tensor, system: ResidualSystem, model: nn.Module,
        kind: str, unknowns: UnknownMap, scale: Mapping[str, float],
    ) -> None:  # fmt: skip
        self.rank, self.piece, self.place, self.device = rank, piece, place, own_device(kind)
        self.objective = Objective(system, model.to(self.device), unknowns, points, scale)

    def with_model(self, model: nn.Module) -> tuple[Share, None]:
        """The same rows for another network."""
        other = copy.copy(self)
        other.objective = self.objective.with_model(model.to(self.device))
        return other, None

    def reweight(self, weight: np.ndarray, scale: Mapping[str, float]) -> None:
        """Other weights of all entries, and λ."""
        self.objective.reweight(replace(self.objective.points, weight=weight[self.piece]), scale)

    def residual(self, theta: Tensor) -> Tensor:
        """Residuals of its rows, (n,)."""
        return self.objective.rows(theta.to(self.device)).flat().detach().cpu()

    def gradient(self, theta: Tensor, components: tuple[str, ...]) -> Tensor:
        """Its part of the gradient, then of the loss of every component, (P + c,)."""
        found = self.objective.evaluate(theta.to(self.device))
        assert found.gradient is not None
        parts = [found.parts.get(name, 0.0) for name in components]
        return torch.cat([found.gradient, found.gradient.new_tensor(parts)])

    def gradients(self, theta: Tensor, scale: Mapping[str, float], components: tuple[str, ...]) -> Tensor:
        """Its part of the gradient of every component, (c, P)."""
        found = self.objective.component_gradients(theta.to(self.device), scale)
        nothing = torch.zeros(len(theta), dtype=theta.dtype, device=self.device)
        return torch.stack([found.get(name, nothing) for name in components])

    def linearise(self, theta: Tensor) -> tuple[RowShard, Tensor]:
        """Its rows of A, kept here, and ρ."""
        rows = self.objective.linearise(theta.to(self.device))
        assert isinstance(rows.matrix, Tensor)
        return RowShard(rows.matrix, self.place, self.rank), rows.residual.cpu()


class ShardedObjective(Objective):
    """The objective as rank 0 sees it: values of all rows are gathered, everything with P columns is reduced.

    Args:
        crew: The processes.
        system: Rows of the problem, on rank 0.
        remote: The same on every process.
        model: The network.
        unknowns: Map of the unknown coefficients.
        points: All points.
        scale: λ by name of component or term.
    """

    def __init__(
        self, crew: Crew, system: ResidualSystem, remote: Remote, model: nn.Module, unknowns: UnknownMap,
        points: PointSet, scale: Mapping[str, float],
    ) -> None:  # fmt: skip
        self._crew, self._remote_system = crew, remote
        self._share: Remote | None = None
        super().__init__(system, model, unknowns, points, scale)

    def _take(self, model: nn.Module) -> None:
        super()._take(model)
        if self._share is not None:
            self._share, _ = self._share.keep("with_model", self._sent())

    def _sent(self) -> nn.Module:
        return copy.deepcopy(self.model).cpu()

    def set_points(self, points: PointSet) -> None:
        """Replace the points: every process gets its share of them."""
        self.points, self._weights = points, None
        terms = {term.name: term for term in self.system.problem.terms}
        self._present = tuple(terms[name] for name in points.terms if name in terms and points.mask(name).any())
        counts = {term.name: len(term.components) for term in self._present}
        self.sharding = sharding = Sharding.of(points, counts, self._crew.size)
        self._share = None  # the old share may go before the new one is made
        self._share = self._crew.create(
            Share, list(zip(range(self._crew.size), sharding.shares(), sharding.pieces, sharding.places, strict=True)),
            self._remote_system.handle, self._sent(), self._device.type, self.unknowns, self.scale,
        )  # fmt: skip

    @property
    def terms(self) -> tuple[Term, ...]:
        """Terms that have rows."""
        return self._present

    def reweight(self, points: PointSet, scale: Mapping[str, float]) -> None:
        """Other weights on the same places."""
        self.points, self.scale, self._weights = points, dict(scale), None
        self.sharding = replace(self.sharding, points=points)
        self._shares.gather("reweight", points.weight, self.scale)

    @property
    def _shares(self) -> Remote:
        assert self._share is not None
        if self.watch is not None:
            self.watch()
        return self._share

    def rows(self, theta: Tensor) -> Rows:
        """Residual rows at θ, gathered."""
        flat = self.sharding.joined(self._shares.gather("residual", theta)).to(theta.device)
        made, first = [], 0
        for term in self._present:
            own = self.points.of(term.name)
            last = first + len(own) * len(term.components)
            values = flat[first:last].reshape(len(own), -1)
            weight = torch.tensor(own.weight, device=theta.device)
            made.append(TermRows(term.name, term.components, own.ids, values, weight))
            first = last
        return Rows(tuple(made))

    def evaluate(self, theta: Tensor, gradient: bool = True) -> Evaluation:
        """Loss, named parts and gradient; the gradient is the sum of those of the processes."""
        if not gradient:
            return super().evaluate(theta, gradient=False)
        names = self._components
        summed = self._shares.total("gradient", theta, names).to(theta.device)
        parts = dict(zip(names, summed[len(theta) :].tolist(), strict=True))
        return Evaluation(sum(parts.values()), summed[: len(theta)], parts)

    @property
    def _components(self) -> tuple[str, ...]:
        return tuple(name for term in self._present for name in term.components)

    def component_gradients(self, theta: Tensor, scale: Mapping[str, float]) -> dict[str, Tensor]:
        """Gradient of λ_c Σ_n weight_n r_nc² for every component c, summed over the processes."""
        summed = self._shares.total("gradients", theta, dict(scale), self._components).to(theta.device)
        return dict(zip(self._components, summed, strict=True))

    def linearise(self, theta: Tensor) -> ScaledRows:
        """A, left on the processes unless it has fewer rows than columns, and ρ."""
        kept, told = self._shares.keep("linearise", theta)
        matrix = ShardedMatrix(kept, self.sharding, len(theta), theta.device)
        residual = self.sharding.joined(told).to(theta.device)
        # with fewer rows than parameters A is smaller than a Gram matrix, and AAᵀ needs all of it
        return ScaledRows(matrix if len(matrix) >= len(theta) else matrix.gathered(), residual)


def objectives(
    problem: IBVP, constraint: HardConstraint | None, model: nn.Module, scale: Mapping[str, float], *places: PointSet
) -> tuple[Objective, ...]:
    """One objective for each set of points, spread over the processes of the crew where there is one.

    Args:
        problem: The problem.
        constraint: Hard constraint, or None.
        model: The network.
        scale: λ by name of component or term.
        *places: Sets of points.

    Returns:
        The objectives, which share what is compiled.
    """
    system, unknowns, crew = ResidualSystem(problem, constraint), UnknownMap(problem.unknowns.values()), present_crew()
    if crew is None:
        return tuple(Objective(system, model, unknowns, points, scale) for points in places)
    remote = crew.create(ResidualSystem, [()] * crew.size, problem, constraint)
    return tuple(ShardedObjective(crew, system, remote, model, unknowns, points, scale) for points in places)
