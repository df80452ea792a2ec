"""Rows and targets of a user's own module: PINN code as it stands, with `torch.autograd.grad` inside.

A function takes (model, points (n, d)) and treats points one by one: its values (n,) or (n, m) at some points are those
that it gives for these points alone. Derivatives in θ come from plain autograd, so that the function may differentiate
in its points as training code does. No hooks: with nested derivatives they fire at the wrong pass.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from influence.rows import RowBlock, record_of_blocks
from sciml.errors import SolverError
from sciml.networks.parameters import flat_parameters, parameter_views
from sciml.record import TrainingRecord

BatchFunction = Callable[[nn.Module, Tensor], Tensor]
_CHUNK = 32  # points whose rows are pulled back together
_AGREE = 1e-9


class _Holder(nn.Module):
    """A function of a model as a module, so that `functional_call` can put other parameters in."""

    def __init__(self, function: BatchFunction, model: nn.Module) -> None:
        super().__init__()
        self.model, self.function = model, function

    def forward(self, points: Tensor) -> Tensor:
        """Values at points."""
        return self.function(self.model, points)


class ModuleFunction:
    """A function of (model, points) as one of (θ, points).

    Args:
        function: (model, points (n, d)) -> (n,) or (n, m).
        model: The model, in float64.
        name: What messages call it.
    """

    def __init__(self, function: BatchFunction, model: nn.Module, name: str) -> None:
        self.model, self.name, self._holder = model, name, _Holder(function, model)

    def __call__(self, theta: Tensor, points: Tensor) -> Tensor:
        """Values, (n, m).

        Args:
            theta: θ, (P,).
            points: (n, d).

        Returns:
            (n, m), differentiable in θ.

        Raises:
            SolverError: If the shape does not fit.
        """
        views = {f"model.{name}": view for name, view in parameter_views(self.model, theta).items()}
        with torch.enable_grad():
            result = functional_call(self._holder, views, (points,))
        if not isinstance(result, Tensor) or result.ndim not in (1, 2) or len(result) != len(points):
            given = f"shape {tuple(result.shape)}" if isinstance(result, Tensor) else type(result).__name__
            raise SolverError(f"values (n,) or (n, m) of {self.name!r} for points (n, d)", given, "f(model, points)")
        return result.reshape(len(points), -1)

    def jacobian(self, theta: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
        """Values and Jacobian by backward passes over a few points at a time.

        Args:
            theta: θ.
            points: (n, d).

        Returns:
            (n, m) and (n, m, P).

        Raises:
            SolverError: If points do not stand for themselves, or θ plays no part.
        """
        free = theta.detach().clone().requires_grad_(True)
        result = self(free, points)
        if not result.requires_grad:
            raise SolverError(
                f"values of {self.name!r} that depend on the parameters", "values without a gradient",
                "use the model that is passed to the function, without detach, .item() or NumPy",
            )  # fmt: skip
        whole = result.detach()
        blocks = []
        for start in range(0, len(points), _CHUNK):
            values = self(free, points[start : start + _CHUNK])
            difference = (values.detach() - whole[start : start + _CHUNK]).abs().max()
            if float(difference) > _AGREE * max(float(whole.abs().max()), 1e-300):
                raise SolverError(
                    f"values of {self.name!r} that belong to one point each", "values that change with other points",
                    "no means, sums or batch statistics over points inside the function",
                )  # fmt: skip
            blocks.append(_pulled(values.reshape(-1), free).reshape(*values.shape, len(theta)))
        return whole, torch.cat(blocks)


def _pulled(values: Tensor, free: Tensor) -> Tensor:
    """Gradients of every value, (k, P): one batched backward pass, or one pass each where an operation has no batch."""
    eye = torch.eye(len(values), dtype=values.dtype)
    try:
        return torch.autograd.grad(values, free, eye, is_grads_batched=True, retain_graph=True)[0]
    except RuntimeError:
        return torch.stack([torch.autograd.grad(values, free, row, retain_graph=True)[0] for row in eye])


def record_of_module(
    model: nn.Module, blocks: Sequence[RowBlock], regularisation: Any, reference: Any
) -> tuple[TrainingRecord, nn.Module]:
    """The objective Σ w r² + (λ/2)|θ - θ_ref|² of a module trained in a user's own loop.

    Args:
        model: The trained module; its parameters with `requires_grad` are θ.
        blocks: Rows, `residual` a function of (model, points).
        regularisation: λ, a number or (P,).
        reference: θ_ref, a number or (P,).

    Returns:
        The record, and the module in float64 that its rows use.

    Raises:
        SolverError: If the module has no parameters.
    """
    if not isinstance(model, nn.Module):
        given = type(model).__name__
        raise SolverError("a torch module", given, "Influence.from_module(network, [RowBlock(...)])")
    theta = flat_parameters(model)
    if not len(theta):
        raise SolverError("a module with parameters that require gradients", type(model).__name__, "requires_grad_()")
    exact = copy.deepcopy(model).double()  # the user's model stays as it is
    functions: list[Any] = [block.residual for block in blocks]
    pairs = zip(blocks, functions, strict=True)
    bound = [replace(block, residual=ModuleFunction(function, exact, block.name)) for block, function in pairs]
    return record_of_blocks(theta, bound, regularisation, reference), exact


__all__ = ["ModuleFunction", "record_of_module"]
