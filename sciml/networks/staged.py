"""Base of all networks of this package: scaling of inputs and outputs, binding to a problem, stages."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, Self

import torch
from torch import Tensor, nn

from sciml.errors import SolverError
from sciml.networks.stages import ACTIVATIONS, Affine, Scale, Shift, Stage, run_stages


class StagedNetwork(nn.Module):
    """y = s ⊙ body(x̂) + o with x̂ = (x - c)/h in [-1, 1]^d; the body is written as stages.

    A subclass lists its arguments in `options`, makes its parameters in `_make` and appends its stages in
    `_body`; values, derivatives of any order and all engines follow from these.

    Args:
        options: Arguments that rebuild the network, JSON-able.
        inputs: Number of coordinates, None to take it from the problem.
        outputs: Number of fields, None to take it from the problem.
        seed: Seed of the parameters when `inputs` and `outputs` are given.
    """

    centre: Tensor
    half_width: Tensor
    scale: Tensor
    offset: Tensor

    def __init__(self, options: dict[str, Any], inputs: int | None, outputs: int | None, seed: int) -> None:
        super().__init__()
        for name, value in options.items():
            setattr(self, name, value)
        self._options = tuple(options)
        self.inputs, self.outputs = inputs, outputs
        self.bound = inputs is not None and outputs is not None
        if inputs is not None and outputs is not None:
            self._build(inputs, outputs, seed)

    def _build(self, inputs: int, outputs: int, seed: int) -> None:
        self.inputs, self.outputs, self.bound = inputs, outputs, True
        self._make(inputs, outputs, torch.Generator().manual_seed(seed))
        self.register_buffer("centre", torch.zeros(inputs, dtype=torch.float64))
        self.register_buffer("half_width", torch.ones(inputs, dtype=torch.float64))
        self.register_buffer("scale", torch.ones(outputs, dtype=torch.float64))
        self.register_buffer("offset", torch.zeros(outputs, dtype=torch.float64))

    def _make(self, inputs: int, outputs: int, generator: torch.Generator) -> None:
        """Create parameters and buffers."""
        raise NotImplementedError

    def _body(self, stages: list[Stage]) -> None:
        """Append the stages between scaled inputs and unscaled outputs; the last slot written is the source."""
        raise NotImplementedError

    def bind(
        self,
        bounds: Sequence[tuple[float, float]],
        outputs: int,
        scale: Sequence[float] | None = None,
        offset: Sequence[float] | None = None,
        seed: int = 0,
    ) -> Self:
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
        made = copy.deepcopy(self)
        made._build(*wanted, seed)
        limits = torch.tensor(bounds, dtype=torch.float64)
        made.centre.copy_(limits.mean(dim=1))
        made.half_width.copy_((limits[:, 1] - limits[:, 0]) / 2)
        if scale is not None:
            made.scale.copy_(torch.tensor(scale, dtype=torch.float64))
        if offset is not None:
            made.offset.copy_(torch.tensor(offset, dtype=torch.float64))
        return made

    def config(self) -> dict[str, Any]:
        """Arguments that rebuild the network's shape, JSON-able; parameters and buffers are in `state_dict()`."""
        options = {name: getattr(self, name) for name in self._options}
        return {"kind": type(self).__name__, **options, "inputs": self.inputs, "outputs": self.outputs}

    def stages(self) -> list[Stage]:
        """The network as a list of elementary maps, parameters as they are now."""
        result: list[Stage] = [Shift(0, -self.centre), Scale(1, 1 / self.half_width)]
        self._body(result)
        result.append(Scale(len(result), self.scale))
        result.append(Shift(len(result), self.offset))
        return result

    def forward(self, x: Tensor) -> Tensor:
        """Evaluate at points.

        Args:
            x: (n, inputs).

        Returns:
            (n, outputs).

        Raises:
            SolverError: If the network is not bound or the points have another width.
        """
        if not self.bound or x.shape[-1] != self.inputs:
            raise SolverError(
                f"points with {self.inputs} columns" if self.bound else "a network bound to a problem",
                f"shape {tuple(x.shape)}",
                "MLP(..., inputs=2, outputs=1), or let a solver bind it",
            )
        return run_stages(self.stages(), x)


_MOST = 2**16  # units of a layer, or layers


def check_shape(example: str, activation: str = "tanh", **sizes: int) -> None:
    """Refuse sizes below 1, sizes that no memory holds, and unknown activations.

    Args:
        example: A call that works, for the message.
        activation: Name of the activation.
        **sizes: Sizes by name.

    Raises:
        SolverError: If something is not as it should be.
    """
    wrong = [f"{name}={size!r}" for name, size in sizes.items() if not isinstance(size, int) or not 1 <= size <= _MOST]
    if activation not in ACTIVATIONS:
        wrong.append(f"activation={activation!r}")
    if wrong:
        names = " and ".join(sizes)
        raise SolverError(
            f"whole numbers from 1 to {_MOST} as {names}, and an activation of {', '.join(ACTIVATIONS)}",
            ", ".join(wrong),
            example,
        )


def dense(inputs: int, outputs: int, generator: torch.Generator) -> nn.Linear:
    """A float64 layer with Glorot normal weights (Glorot & Bengio 2010) and biases 0.

    Args:
        inputs: Columns in.
        outputs: Columns out.
        generator: Source of random numbers.

    Returns:
        The layer.
    """
    layer = nn.utils.skip_init(nn.Linear, inputs, outputs, dtype=torch.float64)
    std = (2.0 / (inputs + outputs)) ** 0.5
    with torch.no_grad():
        layer.weight.copy_(std * torch.randn(outputs, inputs, generator=generator, dtype=torch.float64))
        layer.bias.zero_()
    return layer


def affine(stages: list[Stage], layer: nn.Module, source: int | None = None) -> int:
    """Append a layer.

    Args:
        stages: The list.
        layer: An `nn.Linear`.
        source: Slot that it reads; the last one when omitted.

    Returns:
        The slot that it writes.
    """
    assert isinstance(layer, nn.Linear)
    stages.append(Affine(len(stages) if source is None else source, layer.weight, layer.bias))
    return len(stages)
