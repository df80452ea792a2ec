"""Networks with gates: products of hidden layers with two encodings of the input."""

from __future__ import annotations

import itertools

import torch
from torch import nn

from sciml.networks.mlp import FourierMLP
from sciml.networks.staged import StagedNetwork, affine, check_shape, dense
from sciml.networks.stages import Activation, Product, Scale, Stage, Sum


def _activated(stages: list[Stage], layer: nn.Module, source: int, activation: str) -> int:
    stages.append(Activation(affine(stages, layer, source), activation))
    return len(stages)


def _gate(stages: list[Stage], share: int, first: int, difference: int) -> int:
    """Append (1 - z) u + z v = u + z (v - u)."""
    stages.append(Product(share, difference))
    stages.append(Sum(first, len(stages)))
    return len(stages)


class ModifiedMLP(StagedNetwork):
    """MLP whose layers mix two encodings u, v of the input: H' = (1 - Z) u + Z v, Z = σ(WH + b).

    (Wang, Teng & Perdikaris 2021, 2001.04536.)

    Args:
        width: Units per hidden layer.
        depth: Number of hidden layers.
        activation: Activation.
        inputs: Number of coordinates.
        outputs: Number of fields.
        seed: Seed of the weights.

    Example:
        >>> import torch
        >>> ModifiedMLP(8, 2, inputs=2, outputs=1)(torch.zeros(3, 2, dtype=torch.float64)).shape
        torch.Size([3, 1])
    """

    width: int
    depth: int
    activation: str

    def __init__(
        self,
        width: int = 32,
        depth: int = 3,
        activation: str = "tanh",
        inputs: int | None = None,
        outputs: int | None = None,
        seed: int = 0,
    ) -> None:
        check_shape("ModifiedMLP(width=32, depth=3)", activation, width=width, depth=depth)
        super().__init__({"width": width, "depth": depth, "activation": activation}, inputs, outputs, seed)

    def _make(self, inputs: int, outputs: int, generator: torch.Generator) -> None:
        sizes = [inputs, *[self.width] * self.depth, outputs]
        self.encoders = nn.ModuleList(dense(inputs, self.width, generator) for _ in range(2))
        self.layers = nn.ModuleList(dense(before, after, generator) for before, after in itertools.pairwise(sizes))

    def _body(self, stages: list[Stage]) -> None:
        source = len(stages)
        first, second = (_activated(stages, layer, source, self.activation) for layer in self.encoders)
        stages.append(Sum(second, first, -1.0))
        difference = len(stages)
        hidden = source
        for layer in self.layers[:-1]:
            hidden = _gate(stages, _activated(stages, layer, hidden, self.activation), first, difference)
        affine(stages, self.layers[-1], hidden)


class PirateNet(FourierMLP):
    """Residual blocks with gates that start as the identity: x' = x + α(h(x) - x), α = 0 at the start.

    Three dense layers per block, the first two gated by encodings of random Fourier features
    (Wang, Li, Chen & Perdikaris 2024, 2402.00326). The width is twice the number of features.

    Args:
        features: Number of rows of B; the width is twice that.
        blocks: Number of residual blocks.
        activation: Activation.
        spread: Standard deviation of B.
        inputs: Number of coordinates.
        outputs: Number of fields.
        seed: Seed of the weights.

    Example:
        >>> import torch
        >>> PirateNet(features=4, blocks=1, inputs=2, outputs=1)(torch.zeros(3, 2, dtype=torch.float64)).shape
        torch.Size([3, 1])
    """

    blocks: int

    def __init__(
        self,
        features: int = 16,
        blocks: int = 2,
        activation: str = "tanh",
        spread: float = 2.0,
        inputs: int | None = None,
        outputs: int | None = None,
        seed: int = 0,
    ) -> None:
        check_shape("PirateNet(features=16, blocks=2)", activation, features=features, blocks=blocks)
        super().__init__(2 * features, 3 * blocks, activation, features, spread, inputs, outputs, seed)
        self.blocks, self._options = blocks, ("features", "blocks", "activation", "spread")

    def _make(self, inputs: int, outputs: int, generator: torch.Generator) -> None:
        super()._make(inputs, outputs, generator)
        self.encoders = nn.ModuleList(dense(self.width, self.width, generator) for _ in range(2))
        self.mixing = nn.ParameterList(torch.zeros((), dtype=torch.float64) for _ in range(self.depth // 3))

    def _body(self, stages: list[Stage]) -> None:
        self._features(stages)
        hidden = source = len(stages)
        first, second = (_activated(stages, layer, source, self.activation) for layer in self.encoders)
        stages.append(Sum(second, first, -1.0))
        difference = len(stages)
        for block in range(self.depth // 3):
            inner = hidden
            for k in range(3):
                inner = _activated(stages, self.layers[3 * block + k], inner, self.activation)
                if k < 2:
                    inner = _gate(stages, inner, first, difference)
            stages.append(Sum(inner, hidden, -1.0))
            stages.append(Scale(len(stages), self.mixing[block]))
            stages.append(Sum(hidden, len(stages)))
            hidden = len(stages)
        affine(stages, self.layers[-1], hidden)
