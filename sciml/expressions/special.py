"""Special functions that torch lacks, from SciPy, with derivatives of every order.

Derivatives follow the recurrences of DLMF 10.6.1, 10.29.1 (Bessel), 9.2.1 (Airy, Ai'' = x Ai) and
7.2.1 (error functions); `order` counts derivatives of the named function.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.special as ss
import torch


def _airy(value: int) -> Callable:
    def derivative(x: np.ndarray, order: int) -> np.ndarray:
        # Ai^(n+2) = x Ai^(n) + n Ai^(n-1)
        rows = [ss.airy(x)[value], ss.airy(x)[value + 1]]
        for n in range(order - 1):
            rows.append(x * rows[n] + (n * rows[n - 1] if n else 0.0))
        return rows[order]

    return derivative


def _erfi(x: np.ndarray, order: int) -> np.ndarray:
    if order == 0:
        return ss.erfi(x)
    # d^n/dx^n erfi = 2/sqrt(pi) e^(x^2) times a Hermite polynomial of imaginary argument
    hermite = ss.eval_hermite(order - 1, 1j * x) * (-1j) ** (order - 1)
    return 2 / np.sqrt(np.pi) * np.exp(x * x) * hermite.real


_SERIES: dict[str, Callable[[float, np.ndarray, int], np.ndarray]] = {
    "besselj": ss.jvp,
    "bessely": ss.yvp,
    "besseli": ss.ivp,
    "besselk": ss.kvp,
}
_PLAIN: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {
    "airyai": _airy(0),
    "airybi": _airy(2),
    "erfi": _erfi,
}


class _Special(torch.autograd.Function):
    """f^(order)(x) elementwise; its derivative is f^(order + 1)(x)."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: torch.Tensor, name: str, parameter: float, order: int) -> torch.Tensor:
        array = x.detach().cpu().numpy()
        if name in _SERIES:
            value = _SERIES[name](parameter, array, order)
        else:
            value = _PLAIN[name](array, order)
        return torch.as_tensor(np.asarray(value), dtype=x.dtype, device=x.device)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: torch.Tensor) -> None:
        x, ctx.name, ctx.parameter, ctx.order = inputs
        ctx.save_for_backward(x)
        ctx.save_for_forward(x)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple:
        (x,) = ctx.saved_tensors
        return grad * _Special.apply(x, ctx.name, ctx.parameter, ctx.order + 1), None, None, None

    @staticmethod
    def jvp(ctx: Any, tangent: torch.Tensor, *_: Any) -> torch.Tensor:
        (x,) = ctx.saved_tensors
        return tangent * _Special.apply(x, ctx.name, ctx.parameter, ctx.order + 1)


def bessel(name: str, parameter: float) -> Callable[[torch.Tensor], torch.Tensor]:
    """A Bessel function of fixed order as a differentiable torch function.

    Args:
        name: "besselj", "bessely", "besseli" or "besselk".
        parameter: Order of the Bessel function.

    Returns:
        The elementwise function.
    """
    return lambda x: _Special.apply(x, name, parameter, 0)


def plain(name: str) -> Callable[[torch.Tensor], torch.Tensor]:
    """An Airy or error function as a differentiable torch function.

    Args:
        name: "airyai", "airybi" or "erfi".

    Returns:
        The elementwise function.
    """
    return lambda x: _Special.apply(x, name, 0.0, 0)
