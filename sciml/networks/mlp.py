"""Multilayer perceptron with its input scaling inside."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from sciml.errors import SolverError
from sciml.networks.stages import ACTIVATIONS, Activation, Affine, Scale, Shift, Stage, run_stages


class MLP(nn.Module):
    """Fully connected network y = s ⊙ (W_L σ(… σ(W_1 x̂ + b_1) …) + b_L) + o with x̂ in [-1, 1]^d.

    Inputs and outputs are taken from the problem when a solver binds the network; give `inputs` and
    `outputs` to use it alone. Weights are Glorot normal (Glorot & Bengio 2010), biases 0, float64.

    Args:
        width: Units per hidden layer.
        depth: Number of hidden layers.
        activation: "tanh", "sin", "gelu", "silu" or "softplus"; smooth, as derivatives are needed.
        inputs: Number of coordinates.
        outputs: Number of fields.
        seed: Seed of the weights when `inputs` and `outputs` are given.

    Raises:
        SolverError: If a size is not positive or the activation unknown.

    Example:
        >>> import torch
        >>> network = MLP(width=8, depth=2, inputs=2, outputs=1, seed=0)
        >>> network(torch.zeros(5, 2, dtype=torch.float64)).shape
        torch.Size([5, 1])
    """

    centre: Tensor
    half_width: Tensor
    scale: Tensor
    offset: Tensor

    def __init__(
        self,
        width: int = 32,
        depth: int = 3,
        activation: str = "tanh",
        inputs: int | None = None,
        outputs: int | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if width < 1 or depth < 1 or activation not in ACTIVATIONS:
            raise SolverError(
                f"width >= 1, depth >= 1 and an activation of {', '.join(ACTIVATIONS)}",
                f"width={width}, depth={depth}, activation={activation!r}",
                'MLP(width=32, depth=3, activation="tanh")',
            )
        self.width, self.depth, self.activation = width, depth, activation
        self.inputs, self.outputs = inputs, outputs
        self.layers = nn.ModuleList()
        if inputs is not None and outputs is not None:
            self._build(inputs, outputs, seed)

    def _build(self, inputs: int, outputs: int, seed: int) -> None:
        self.inputs, self.outputs = inputs, outputs
        sizes = [inputs, *[self.width] * self.depth, outputs]
        generator = torch.Generator().manual_seed(seed)
        self.layers = nn.ModuleList()
        for before, after in zip(sizes[:-1], sizes[1:], strict=True):
            layer = nn.utils.skip_init(nn.Linear, before, after, dtype=torch.float64)
            std = (2.0 / (before + after)) ** 0.5
            with torch.no_grad():
                layer.weight.copy_(std * torch.randn(after, before, generator=generator, dtype=torch.float64))
                layer.bias.zero_()
            self.layers.append(layer)
        self.register_buffer("centre", torch.zeros(inputs, dtype=torch.float64))
        self.register_buffer("half_width", torch.ones(inputs, dtype=torch.float64))
        self.register_buffer("scale", torch.ones(outputs, dtype=torch.float64))
        self.register_buffer("offset", torch.zeros(outputs, dtype=torch.float64))

    def bind(
        self,
        bounds: Sequence[tuple[float, float]],
        outputs: int,
        scale: Sequence[float] | None = None,
        offset: Sequence[float] | None = None,
        seed: int = 0,
    ) -> MLP:
        """A freshly initialised copy for coordinates with these bounds.

        Args:
            bounds: Range of each coordinate; inputs are scaled to [-1, 1].
            outputs: Number of fields.
            scale: Size of each output.
            offset: Mean of each output.
            seed: Seed of the weights.

        Returns:
            The bound network; `self` is unchanged.

        Raises:
            SolverError: If sizes given at construction disagree with the problem.
        """
        wanted = (len(bounds), outputs)
        if any(own is not None and own != need for own, need in zip((self.inputs, self.outputs), wanted, strict=True)):
            raise SolverError(
                f"a network with {wanted[0]} inputs and {wanted[1]} outputs",
                f"{self.inputs} inputs and {self.outputs} outputs",
                "leave out inputs= and outputs=; they are taken from the problem",
            )
        bound = copy.deepcopy(self)
        bound._build(*wanted, seed)
        limits = torch.tensor(bounds, dtype=torch.float64)
        bound.centre.copy_(limits.mean(dim=1))
        bound.half_width.copy_((limits[:, 1] - limits[:, 0]) / 2)
        if scale is not None:
            bound.scale.copy_(torch.tensor(scale, dtype=torch.float64))
        if offset is not None:
            bound.offset.copy_(torch.tensor(offset, dtype=torch.float64))
        return bound

    def config(self) -> dict[str, Any]:
        """Arguments that rebuild the network's shape, JSON-able; parameters and buffers are in `state_dict()`."""
        return {
            "kind": "MLP",
            "width": self.width,
            "depth": self.depth,
            "activation": self.activation,
            "inputs": self.inputs,
            "outputs": self.outputs,
        }

    def forward(self, x: Tensor) -> Tensor:
        """Evaluate at points.

        Args:
            x: (n, inputs).

        Returns:
            (n, outputs).

        Raises:
            SolverError: If the network is not bound or the points have another width.
        """
        if not self.layers or x.shape[-1] != self.inputs:
            raise SolverError(
                f"points with {self.inputs} columns" if self.layers else "a network bound to a problem",
                f"shape {tuple(x.shape)}",
                "MLP(..., inputs=2, outputs=1), or let a solver bind it",
            )
        return run_stages(self.stages(), x)

    def stages(self) -> list[Stage]:
        """The network as a list of elementary maps."""
        result: list[Stage] = [Shift(0, -self.centre), Scale(1, 1 / self.half_width)]
        for i, layer in enumerate(self.layers):
            if i:
                result.append(Activation(len(result), self.activation))
            assert isinstance(layer, nn.Linear)
            result.append(Affine(len(result), layer.weight, layer.bias))
        result.append(Scale(len(result), self.scale))
        result.append(Shift(len(result), self.offset))
        return result
