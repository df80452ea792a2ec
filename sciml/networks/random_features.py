"""Random features: a hidden layer drawn once, so that the network is linear in what is trained."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from sciml.errors import SolverError
from sciml.networks.mlp import MLP


class RandomFeatures(MLP):
    """y = W σ(Ax̂ + b) + c with A, b drawn once and only W, c trained: a linear model (Huang, Zhu & Siew 2006).

    Rows of A are normal. Sine features have uniform phases, which makes them the random Fourier features of a
    Gaussian kernel (Rahimi & Recht 2007); hyperplanes of other features pass through uniform points of [-1, 1]^d.

    Args:
        width: Number of features.
        activation: Activation.
        spread: Standard deviation of A, one number or one per coordinate: frequencies or slopes per half width of the
            domain. None is 2; `PINN()` without a network searches what suits its problem.
        inputs: Number of coordinates.
        outputs: Number of fields.
        seed: Seed of A and b.

    Raises:
        SolverError: If a spread is not positive, or there is not one per coordinate.

    Example:
        >>> model = RandomFeatures(20, inputs=2, outputs=1)
        >>> sum(p.numel() for p in model.parameters() if p.requires_grad)
        21
    """

    spread: float | list[float] | None

    def __init__(
        self,
        width: int = 400,
        activation: str = "tanh",
        spread: float | Sequence[float] | None = None,
        inputs: int | None = None,
        outputs: int | None = None,
        seed: int = 0,
    ) -> None:
        given = [] if spread is None else list(spread) if isinstance(spread, Sequence) else [spread]
        if not all(isinstance(one, (int, float)) and 0 < one < math.inf for one in given):
            raise SolverError("positive spreads", repr(spread), "RandomFeatures(width=400, spread=2.0)")
        kept = [float(one) for one in given]
        named = kept if isinstance(spread, Sequence) else kept[0] if kept else None
        super().__init__(width, 1, activation, inputs, outputs, seed, spread=named)
        self._options = ("width", "activation", "spread")

    def _make(self, inputs: int, outputs: int, generator: torch.Generator) -> None:
        super()._make(inputs, outputs, generator)
        spread = (
            self.spread if isinstance(self.spread, list) else [2.0 if self.spread is None else self.spread] * inputs
        )
        if len(spread) != inputs:
            raise SolverError(f"one spread, or {inputs}", f"{len(spread)} spreads", "one per coordinate, time last")
        weight, bias = self.layers[0].parameters()
        shape, double = weight.shape, torch.float64
        with torch.no_grad():
            slopes = torch.tensor(spread, dtype=double) * torch.randn(shape, generator=generator, dtype=double)
            weight.copy_(slopes)
            if self.activation == "sin":
                bias.copy_(2 * math.pi * torch.rand(bias.shape, generator=generator, dtype=double))
            else:
                places = 2 * torch.rand(shape, generator=generator, dtype=double) - 1
                bias.copy_(-(slopes * places).sum(dim=1))
        for parameter in (weight, bias):
            parameter.requires_grad_(False)
