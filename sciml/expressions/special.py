"""Special functions that torch lacks (or has to few digits), from SciPy, with derivatives.

f(x) is written as its Taylor polynomial Σ_k f^(k)(x₀) (x - x₀)^k / k! about x₀ = x, cut from the graph: the
value is f(x₀) exactly, and every derivative up to `ORDER` follows by torch's own rules in each mode (backward,
forward, nested, vmapped). A custom autograd rule is not enough: forward derivatives nested in forward
derivatives lose its second derivative silently. Recurrences: DLMF 10.6.1, 10.29.1 (Bessel), 9.2.1
(Ai'' = x Ai), 7.2.1 (error functions).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.special as ss
import torch

ORDER = 8


def _airy(value: int) -> Callable[[float, np.ndarray, int], np.ndarray]:
    def derivative(_: float, x: np.ndarray, order: int) -> np.ndarray:
        # Ai^(n+2) = x Ai^(n) + n Ai^(n-1)
        rows = [ss.airy(x)[value], ss.airy(x)[value + 1]]
        for n in range(order - 1):
            rows.append(x * rows[n] + (n * rows[n - 1] if n else 0.0))
        return rows[order]

    return derivative


def _erfi(_: float, x: np.ndarray, order: int) -> np.ndarray:
    # g = erfi' = 2/sqrt(pi) exp(x^2) obeys g' = 2 x g, so g^(n+1) = 2 x g^(n) + 2 n g^(n-1)
    rows = [ss.erfi(x), 2 / np.sqrt(np.pi) * np.exp(x * x)]
    for n in range(order - 1):
        rows.append(2 * x * rows[n + 1] + (2 * n * rows[n] if n else 0.0))
    return rows[order]


def _polygamma(parameter: float, x: np.ndarray, order: int) -> np.ndarray:
    degree = int(parameter) + order
    if degree == 0:
        return ss.digamma(x)
    # reflection is not needed in practice; left of 0 there is no value rather than a wrong one
    return np.where(x > 0, ss.polygamma(degree, np.where(x > 0, x, 1.0)), np.nan)


def _loggamma(_: float, x: np.ndarray, order: int) -> np.ndarray:
    # log Γ is complex left of 0
    value = ss.gammaln(np.where(x > 0, x, 1.0)) if order == 0 else _polygamma(0.0, x, order - 1)
    return np.where(x > 0, value, np.nan)


_FAMILIES: dict[str, Callable[[float, np.ndarray, int], np.ndarray]] = {
    "besselj": ss.jvp,
    "bessely": ss.yvp,
    "besseli": ss.ivp,
    "besselk": ss.kvp,
    "airyai": _airy(0),
    "airybi": _airy(2),
    "erfi": _erfi,
    "polygamma": _polygamma,
    "loggamma": _loggamma,
}


class _Values(torch.autograd.Function):
    """f^(order)(x) elementwise, as a constant: it is only applied to tensors cut from the graph."""

    @staticmethod
    def forward(x: torch.Tensor, name: str, parameter: float, order: int) -> torch.Tensor:
        with np.errstate(all="ignore"):
            value = _FAMILIES[name](parameter, x.detach().cpu().numpy().astype(np.float64), order)
        return torch.as_tensor(np.asarray(value), dtype=x.dtype, device=x.device)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: torch.Tensor) -> None:
        ctx.mark_non_differentiable(output)

    @staticmethod
    def vmap(info: Any, in_dims: tuple, x: torch.Tensor, name: str, parameter: float, order: int) -> tuple:
        return _Values.apply(x, name, parameter, order), in_dims[0]


def special(name: str, parameter: float = 0.0) -> Callable[[torch.Tensor], torch.Tensor]:
    """A special function of SciPy as a torch function, differentiable `ORDER` times in every mode.

    Args:
        name: One of besselj, bessely, besseli, besselk, airyai, airybi, erfi, polygamma, loggamma.
        parameter: Order of a Bessel function or of a polygamma function.

    Returns:
        The elementwise function.

    Example:
        >>> x = torch.tensor([1.0], dtype=torch.float64)
        >>> slope = torch.func.vmap(torch.func.grad(special("besselj", 0.0)))(x)  # J0' = -J1
        >>> round(float(slope), 12)
        -0.440050585745
    """

    def function(x: torch.Tensor) -> torch.Tensor:
        if not (x.requires_grad or torch._C._functorch.is_functorch_wrapped_tensor(x)):
            return _Values.apply(x, name, parameter, 0)
        centre = x.detach()
        shift = x - centre
        result = _Values.apply(centre, name, parameter, ORDER)
        for order in range(ORDER, 0, -1):
            result = _Values.apply(centre, name, parameter, order - 1) + shift / order * result
        return result

    return function
