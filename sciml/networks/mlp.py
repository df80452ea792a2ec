"""Multilayer perceptron, and its variants that differ in the features fed to it or in the initial weights."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from sciml.errors import SolverError
from sciml.networks.staged import StagedNetwork, affine, check_shape, dense
from sciml.networks.stages import Activation, Affine, Concatenate, Stage


class MLP(StagedNetwork):
    """Fully connected network y = s ⊙ (W_L σ(… σ(W_1 x̂ + b_1) …) + b_L) + o with x̂ in [-1, 1]^d.

    Inputs and outputs are taken from the problem when a solver binds the network; give `inputs` and
    `outputs` to use it alone. Weights are Glorot normal (Glorot & Bengio 2010), biases 0, float64; those of the first
    layer on coordinates are standard normal and uniform in ±1, as the units are all but linear otherwise.

    Args:
        width: Units per hidden layer.
        depth: Number of hidden layers.
        activation: "tanh", "sin", "gelu", "silu" or "softplus"; smooth, as derivatives are needed.
        inputs: Number of coordinates.
        outputs: Number of fields.
        seed: Seed of the weights when `inputs` and `outputs` are given.
        **options: Further arguments of a subclass.

    Raises:
        SolverError: If a size is not positive or the activation unknown.

    Example:
        >>> import torch
        >>> network = MLP(width=8, depth=2, inputs=2, outputs=1, seed=0)
        >>> network(torch.zeros(5, 2, dtype=torch.float64)).shape
        torch.Size([5, 1])
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
        **options: object,
    ) -> None:
        check_shape('MLP(width=32, depth=3, activation="tanh")', activation, width=width, depth=depth)
        named = {"width": width, "depth": depth, "activation": activation, **options}
        super().__init__(named, inputs, outputs, seed)

    def _make(self, inputs: int, outputs: int, generator: torch.Generator) -> None:
        first = self._make_features(inputs, generator)
        sizes = [first, *[self.width] * self.depth, outputs]
        self.layers = nn.ModuleList(dense(before, after, generator) for before, after in itertools.pairwise(sizes))
        if type(self)._make_features is MLP._make_features:
            self._spread_units(generator)

    def _spread_units(self, generator: torch.Generator) -> None:
        """Let the hyperplanes of the first units cross the whole of [-1, 1]^d, so that they differ from the start."""
        layer = self.layers[0]
        assert isinstance(layer, nn.Linear)
        with torch.no_grad():
            layer.weight.copy_(torch.randn(layer.weight.shape, generator=generator, dtype=torch.float64))
            layer.bias.copy_(2 * torch.rand(layer.bias.shape, generator=generator, dtype=torch.float64) - 1)

    def _make_features(self, inputs: int, generator: torch.Generator) -> int:
        """Create what the features need and return their number."""
        return inputs

    def _features(self, stages: list[Stage]) -> None:
        """Append the stages of the features."""

    def _body(self, stages: list[Stage]) -> None:
        self._features(stages)
        for i, layer in enumerate(self.layers):
            if i:
                stages.append(Activation(len(stages), self.activation))
            affine(stages, layer)


class FourierMLP(MLP):
    """MLP on random Fourier features sin(Bx̂), cos(Bx̂), B normal (Tancik et al. 2020, 2006.10739).

    Args:
        width: Units per hidden layer.
        depth: Number of hidden layers.
        activation: Activation of the hidden layers.
        features: Number of rows of B; twice as many features.
        spread: Standard deviation of B: the frequencies that are easy to learn, per half width of the domain.
        inputs: Number of coordinates.
        outputs: Number of fields.
        seed: Seed of weights and B.

    Example:
        >>> import torch
        >>> FourierMLP(8, 2, features=5, inputs=2, outputs=1)(torch.zeros(3, 2, dtype=torch.float64)).shape
        torch.Size([3, 1])
    """

    features: int
    spread: float
    frequencies: Tensor
    phases: Tensor

    def __init__(
        self,
        width: int = 32,
        depth: int = 3,
        activation: str = "tanh",
        features: int = 32,
        spread: float = 2.0,
        inputs: int | None = None,
        outputs: int | None = None,
        seed: int = 0,
    ) -> None:
        check_shape("FourierMLP(width=32, depth=3, features=32, spread=2.0)", features=features)
        super().__init__(width, depth, activation, inputs, outputs, seed, features=features, spread=float(spread))

    def _make_features(self, inputs: int, generator: torch.Generator) -> int:
        matrix = self.spread * torch.randn(self.features, inputs, generator=generator, dtype=torch.float64)
        self.register_buffer("frequencies", torch.cat([matrix, matrix]))
        self.register_buffer("phases", _quarter(self.features))
        return 2 * self.features

    def _features(self, stages: list[Stage]) -> None:
        stages.append(Affine(len(stages), self.frequencies, self.phases))
        stages.append(Activation(len(stages), "sin"))


class PeriodicMLP(MLP):
    """MLP on sin(kωx), cos(kωx), k = 1..K, in periodic coordinates, so that all derivatives are periodic.

    The period 2π/ω of a coordinate is the extent of the domain (Dong & Ni 2021, 2007.07442).

    Args:
        width: Units per hidden layer.
        depth: Number of hidden layers.
        activation: Activation of the hidden layers.
        harmonics: Coordinate number -> K, for the periodic coordinates; other coordinates are fed as they are.
        inputs: Number of coordinates.
        outputs: Number of fields.
        seed: Seed of the weights.

    Raises:
        SolverError: If a coordinate number or K is out of range.

    Example:
        >>> import torch
        >>> network = PeriodicMLP(8, 2, harmonics={0: 3}, inputs=2, outputs=1)
        >>> ends = network(torch.tensor([[-1.0, 0.3], [1.0, 0.3]], dtype=torch.float64))
        >>> bool((ends[0] - ends[1]).abs() < 1e-14)
        True
    """

    harmonics: dict[str, int]
    frequencies: Tensor
    phases: Tensor
    others: Tensor

    def __init__(
        self,
        width: int = 32,
        depth: int = 3,
        activation: str = "tanh",
        harmonics: Mapping[int | str, int] | None = None,
        inputs: int | None = None,
        outputs: int | None = None,
        seed: int = 0,
    ) -> None:
        chosen = {str(axis): count for axis, count in ({0: 2} if harmonics is None else harmonics).items()}
        if not chosen or any(not axis.isdecimal() or count < 1 for axis, count in chosen.items()):
            raise SolverError("harmonics: coordinate number -> K >= 1", repr(harmonics), "harmonics={0: 3}")
        super().__init__(width, depth, activation, inputs, outputs, seed, harmonics=chosen)

    def _make_features(self, inputs: int, generator: torch.Generator) -> int:
        axes = {int(axis): count for axis, count in self.harmonics.items()}
        if max(axes) >= inputs:
            raise SolverError(f"coordinate numbers below {inputs}", str(max(axes)), "the first coordinate has number 0")
        unit = torch.eye(inputs, dtype=torch.float64)
        waves = torch.stack([math.pi * k * unit[axis] for axis, count in axes.items() for k in range(1, count + 1)])
        self.register_buffer("frequencies", torch.cat([waves, waves]))
        self.register_buffer("phases", _quarter(len(waves)))
        self.register_buffer("others", unit[[axis for axis in range(inputs) if axis not in axes]])
        return 2 * len(waves) + len(self.others)

    def _features(self, stages: list[Stage]) -> None:
        source = len(stages)
        stages.append(Affine(source, self.frequencies, self.phases))
        stages.append(Activation(source + 1, "sin"))
        if len(self.others):
            stages.append(Affine(source, self.others))
            stages.append(Concatenate((source + 2, source + 3)))


class SineNetwork(MLP):
    """MLP with sine activations and the initial weights of Sitzmann et al. (2020, 2006.09661).

    Args:
        width: Units per hidden layer.
        depth: Number of hidden layers.
        frequency: ω_0: the first layer's weights are uniform in ±ω_0/d, as inputs lie in [-1, 1].
        inputs: Number of coordinates.
        outputs: Number of fields.
        seed: Seed of the weights.

    Example:
        >>> import torch
        >>> SineNetwork(8, 2, inputs=1, outputs=1)(torch.zeros(3, 1, dtype=torch.float64)).shape
        torch.Size([3, 1])
    """

    frequency: float

    def __init__(
        self,
        width: int = 32,
        depth: int = 3,
        frequency: float = 5.0,
        inputs: int | None = None,
        outputs: int | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(width, depth, "sin", inputs, outputs, seed, frequency=float(frequency))
        self._options = ("width", "depth", "frequency")

    def _make(self, inputs: int, outputs: int, generator: torch.Generator) -> None:
        super()._make(inputs, outputs, generator)
        for i, layer in enumerate(self.layers):
            assert isinstance(layer, nn.Linear)
            limit = self.frequency / inputs if i == 0 else math.sqrt(6 / layer.in_features)
            spread = 2 * torch.rand(layer.weight.shape, generator=generator, dtype=torch.float64) - 1
            phase = 2 * torch.rand(layer.bias.shape, generator=generator, dtype=torch.float64) - 1
            with torch.no_grad():
                layer.weight.copy_(limit * spread)
                layer.bias.copy_(phase / math.sqrt(layer.in_features))


def _quarter(count: int) -> Tensor:
    """Phases that make sines of the first half and cosines of the second."""
    return torch.cat([torch.zeros(count), torch.full((count,), math.pi / 2)]).double()
