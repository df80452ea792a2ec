"""Rows of a trained network spread over the processes of a crew: each holds the Jacobian of its points."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn

from sciml.distributed import Remote, present_crew
from sciml.distributed.sharding import Sharding
from sciml.ibvp import IBVP
from sciml.least_squares import ScaledRows, ShardedMatrix, scale_rows
from sciml.least_squares.sharded import RowShard
from sciml.networks.parameters import load_parameters, trainable
from sciml.points import PointSet
from sciml.residuals import HardConstraint, ResidualSystem, row_jacobian


class RowShare:
    """Rows of the points of one process.

    Args:
        rank: Number of the process.
        points: Its points.
        place: Its rows among all rows.
        problem: The problem.
        constraint: Hard constraint, or None.
        model: The network.
    """

    def __init__(
        self, rank: int, points: PointSet, place: Tensor, problem: IBVP, constraint: HardConstraint | None,
        model: nn.Module,
    ) -> None:  # fmt: skip
        self.rank, self.place, self.model = rank, place, model
        self.size = sum(p.numel() for p in trainable(model).values())
        self.system = ResidualSystem(problem, constraint)
        self.batch = self.system.prepare(points)

    def linearise(self, theta: Tensor, weights: Tensor) -> tuple[RowShard, Tensor]:
        """Its rows of A = √(2w) J, kept here, and ρ; weights of all rows."""
        load_parameters(self.model, theta[: self.size])
        residual, jacobian = row_jacobian(self.system, self.model, self.batch, list(theta[self.size :].unbind()))
        rows = scale_rows(residual, jacobian, weights[self.place], overwrite=True)
        assert isinstance(rows.matrix, Tensor)
        return RowShard(rows.matrix, self.place, self.rank), rows.residual


def shared_rows(
    problem: IBVP, model: nn.Module, constraint: HardConstraint | None, points: PointSet
) -> Callable[[Tensor, Tensor], ScaledRows] | None:
    """Scaled rows that stay where they are computed.

    Args:
        problem: The problem.
        model: The network.
        constraint: Hard constraint, or None.
        points: All points.

    Returns:
        (θ (P,), w (N,)) -> A and ρ, A on the processes unless it has fewer rows than columns; None without a crew.
    """
    crew = present_crew()
    if crew is None:
        return None
    counts = {term.name: len(term.components) for term in problem.terms}
    sharding = Sharding.of(points, counts, crew.size)
    shares = list(zip(range(crew.size), sharding.shares(), sharding.places, strict=True))
    made: list[Remote] = []  # the processes hear of it when it is asked for

    def scaled(theta: Tensor, weights: Tensor) -> ScaledRows:
        if not made:
            made.append(crew.create(RowShare, shares, problem, constraint, copy.deepcopy(model)))
        kept, told = made[0].keep("linearise", theta, weights)
        matrix = ShardedMatrix(kept, sharding, len(theta), torch.device("cpu"))
        return ScaledRows(matrix if len(matrix) >= len(theta) else matrix.gathered(), sharding.joined(told))

    return scaled
