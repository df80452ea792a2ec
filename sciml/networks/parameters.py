"""Parameters of a module as one flat vector θ: the one place that fixes their order.

Only parameters with `requires_grad` count, in the order of `module.parameters()`.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from sciml.errors import SolverError


def trainable(model: nn.Module) -> dict[str, nn.Parameter]:
    """The parameters that make up θ, by name and in order."""
    return {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}


def flat_parameters(model: nn.Module) -> Tensor:
    """θ of a module, a copy.

    Args:
        model: The module.

    Returns:
        (P,).

    Example:
        >>> from sciml import MLP
        >>> flat_parameters(MLP(width=3, depth=1, inputs=2, outputs=1)).shape
        torch.Size([13])
    """
    flat = [parameter.detach().reshape(-1) for parameter in trainable(model).values()]
    return torch.cat(flat) if flat else torch.zeros(0, dtype=torch.float64)


def parameter_views(model: nn.Module, theta: Tensor) -> dict[str, Tensor]:
    """The pieces of θ by the names of the parameters, in their shapes.

    Args:
        model: The module.
        theta: (P,); may be wrapped by a transformation of `torch.func`.

    Returns:
        Views of θ.

    Raises:
        SolverError: If θ has another length.
    """
    own = trainable(model)
    sizes = [parameter.numel() for parameter in own.values()]
    if theta.ndim != 1 or len(theta) != sum(sizes):
        raise SolverError(f"a flat vector of {sum(sizes)} parameters", f"shape {tuple(theta.shape)}", "")
    pieces = torch.split(theta, sizes) if sizes else ()
    return {name: piece.view(p.shape) for (name, p), piece in zip(own.items(), pieces, strict=True)}


def load_parameters(model: nn.Module, theta: Tensor) -> None:
    """Overwrite a module's parameters by θ.

    Args:
        model: The module.
        theta: (P,).
    """
    with torch.no_grad():
        for name, piece in parameter_views(model, theta).items():
            model.get_parameter(name).copy_(piece)


def call_with(model: nn.Module, theta: Tensor, *arguments: Any) -> Any:
    """Call a module with θ in place of its own parameters; differentiable in θ, composes with `torch.func`.

    Args:
        model: The module; it is left as it is.
        theta: (P,).
        *arguments: Arguments of the call.

    Returns:
        What the module returns.
    """
    return functional_call(model, parameter_views(model, theta), arguments)
