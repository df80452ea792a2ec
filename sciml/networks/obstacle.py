"""Networks for regions with holes: next to the coordinates they get those of every hole, by inversion at a circle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from sciml.errors import SolverError
from sciml.geometry.base import Geometry
from sciml.geometry.holes import holes
from sciml.networks.mlp import MLP
from sciml.networks.stages import Activation, Affine, Concatenate, Product, Scale, Stage


class ObstacleMLP(MLP):
    """MLP on (x̂, ξ_1, ℓ_1, …): for each hole of centre c and size a, ξ = a(x - c)/r² and ℓ = log(r/a), r = |x - c|.

    A hole that is small beside the domain needs steep units in x̂ alone. ξ (Kelvin's inversion, 1845) takes the
    neighbourhood of the hole to that of the unit circle and the far field to 0, so that fields vary on the scale of
    the inputs on both sides; in the plane 1, ℓ and the components of ξ are the first terms of the expansion of harmonic
    functions outside a circle. All are smooth in the region, as c lies in the hole.

    Args:
        width: Units per hidden layer.
        depth: Number of hidden layers.
        activation: Activation of the hidden layers.
        holes: A region, whose holes are taken, or pairs (centre, size).
        inputs: Number of coordinates.
        outputs: Number of fields.
        seed: Seed of the weights.

    Raises:
        SolverError: If there is no hole, or a centre or size is of no use.

    Example:
        >>> import torch
        >>> network = ObstacleMLP(8, 2, holes=[((2, 2), 0.5)], inputs=2, outputs=1)
        >>> network(torch.tensor([[2.5, 2.0], [20.0, 1.0]], dtype=torch.float64)).shape
        torch.Size([2, 1])
    """

    holes: list[list[Any]]
    to_local: Tensor
    shift: Tensor
    sums: Tensor
    log_factor: Tensor

    def __init__(
        self,
        width: int = 32,
        depth: int = 3,
        activation: str = "tanh",
        holes: Geometry | Sequence[Any] = (),
        inputs: int | None = None,
        outputs: int | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(width, depth, activation, inputs, outputs, seed, holes=_pairs(holes))

    def _make(self, inputs: int, outputs: int, generator: torch.Generator) -> None:
        super()._make(inputs, outputs, generator)
        self._spread_units(generator)

    def _make_features(self, inputs: int, generator: torch.Generator) -> int:
        if any(len(centre) > inputs for centre, _ in self.holes):
            raise SolverError(f"centres of at most {inputs} coordinate{'s' * (inputs > 1)}", repr(self.holes), "")
        unit = torch.eye(inputs, dtype=torch.float64)
        self.register_buffer("to_local", torch.cat([unit[: len(centre)] / size for centre, size in self.holes]))
        centres = [torch.tensor(centre, dtype=torch.float64) / size for centre, size in self.holes]
        self.register_buffer("shift", -torch.cat(centres))
        ones = [torch.ones(1, len(centre), dtype=torch.float64) for centre, _ in self.holes]
        self.register_buffer("sums", torch.block_diag(*ones))
        self.register_buffer("log_factor", torch.tensor(0.5, dtype=torch.float64))
        return inputs + len(self.shift) + len(self.sums)

    def _features(self, stages: list[Stage]) -> None:
        scaled, physical = len(stages), 0
        stages.append(Affine(physical, self.to_local, self.shift))
        local = len(stages)
        stages.append(Product(local, local))
        stages.append(Affine(len(stages), self.sums))
        square = len(stages)
        stages.append(Activation(square, "reciprocal"))
        stages.append(Affine(len(stages), self.sums.T))
        stages.append(Product(local, len(stages)))
        inverted = len(stages)
        stages.append(Activation(square, "log"))
        stages.append(Scale(len(stages), self.log_factor))
        stages.append(Concatenate((scaled, inverted, len(stages))))


def _pairs(given: Geometry | Sequence[Any]) -> list[list[Any]]:
    pairs = [(hole.centre, hole.radius) for hole in holes(given)] if isinstance(given, Geometry) else list(given)
    made: list[tuple[list[float], float]]
    try:
        made = [([float(c) for c in centre], float(size)) for centre, size in pairs]
    except (TypeError, ValueError) as error:
        raise SolverError("holes as pairs (centre, size)", repr(given), "holes=[((2, 2), 0.5)]") from error
    if not made or not all(centre and 0 < size < float("inf") for centre, size in made):
        wanted = "at least one hole with a centre and a positive size"
        raise SolverError(wanted, repr(given), "MLP() for a region without holes")
    return [list(pair) for pair in made]
