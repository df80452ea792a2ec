"""Table of SymPy heads and their torch counterparts; what is not here is refused by name."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import sympy as sp
import torch
from torch import Tensor

from sciml.callables import NumericFunction
from sciml.errors import NotSymbolicError, UnsupportedFunctionError
from sciml.expressions.special import special


def _heaviside(x: Tensor, at_zero: Tensor | float = 0.5) -> Tensor:
    one = torch.ones_like(x)
    return torch.where(x > 0, one, torch.where(x < 0, 0 * one, at_zero * one))


_loggamma = special("loggamma")


def _gamma(x: Tensor) -> Tensor:
    # reflection for negative arguments keeps the sign that log Γ loses; the poles 0, -1, ... have no value
    right = x > 0
    positive = torch.exp(_loggamma(torch.where(right, x, 1 - x)))
    pole = (x <= 0) & (x == torch.floor(x))
    sine = torch.sin(torch.pi * torch.where(right | pole, 0.5 * torch.ones_like(x), x))
    return torch.where(pole, torch.nan, torch.where(right, positive, torch.pi / (sine * positive)))


def _reduce(function: Callable[[Tensor, Tensor], Tensor]) -> Callable[..., Tensor]:
    return lambda *values: functools.reduce(function, values)


FUNCTIONS: dict[type, Callable[..., Tensor]] = {
    sp.Add: _reduce(torch.add),
    sp.Mul: _reduce(torch.mul),
    sp.exp: torch.exp,
    sp.log: lambda x, *base: torch.log(x) / torch.log(base[0]) if base else torch.log(x),
    sp.sin: torch.sin,
    sp.cos: torch.cos,
    sp.tan: torch.tan,
    sp.cot: lambda x: 1 / torch.tan(x),
    sp.sec: lambda x: 1 / torch.cos(x),
    sp.csc: lambda x: 1 / torch.sin(x),
    sp.sinc: lambda x: torch.sinc(x / torch.pi),
    sp.asin: torch.asin,
    sp.acos: torch.acos,
    sp.atan: torch.atan,
    sp.atan2: torch.atan2,
    sp.acot: lambda x: torch.atan(1 / x),
    sp.asec: lambda x: torch.acos(1 / x),
    sp.acsc: lambda x: torch.asin(1 / x),
    sp.acoth: lambda x: torch.atanh(1 / x),
    sp.asech: lambda x: torch.acosh(1 / x),
    sp.acsch: lambda x: torch.asinh(1 / x),
    sp.sinh: torch.sinh,
    sp.cosh: torch.cosh,
    sp.tanh: torch.tanh,
    sp.coth: lambda x: 1 / torch.tanh(x),
    sp.sech: lambda x: 1 / torch.cosh(x),
    sp.csch: lambda x: 1 / torch.sinh(x),
    sp.asinh: torch.asinh,
    sp.acosh: torch.acosh,
    sp.atanh: torch.atanh,
    sp.Abs: torch.abs,
    sp.sign: torch.sign,
    sp.floor: torch.floor,
    sp.ceiling: torch.ceil,
    sp.Mod: torch.remainder,
    sp.Max: _reduce(torch.maximum),
    sp.Min: _reduce(torch.minimum),
    sp.Heaviside: _heaviside,
    sp.erf: torch.erf,
    sp.erfc: torch.erfc,
    sp.erfinv: torch.erfinv,
    sp.erfi: special("erfi"),
    sp.airyai: special("airyai"),
    sp.airybi: special("airybi"),
    sp.gamma: _gamma,
    sp.loggamma: _loggamma,
    sp.factorial: lambda x: _gamma(x + 1),
    sp.frac: lambda x: x - torch.floor(x),
    sp.Gt: torch.gt,
    sp.Ge: torch.ge,
    sp.Lt: torch.lt,
    sp.Le: torch.le,
    sp.Eq: torch.eq,
    sp.Ne: torch.ne,
    sp.And: _reduce(torch.logical_and),
    sp.Or: _reduce(torch.logical_or),
    sp.Not: torch.logical_not,
    sp.re: lambda x: x,
    sp.im: torch.zeros_like,
    sp.conjugate: lambda x: x,
}
_BESSEL = {sp.besselj: "besselj", sp.bessely: "bessely", sp.besseli: "besseli", sp.besselk: "besselk"}
HEADS = (*FUNCTIONS, *_BESSEL, sp.Pow, sp.polygamma)
"""Every head with a numerical counterpart; Piecewise is handled by the compiler itself."""


def _fixed_power(exponent: sp.Expr) -> Callable[[Tensor], Tensor]:
    if exponent == -1:
        return torch.reciprocal
    if exponent == sp.Rational(1, 2):
        return torch.sqrt
    if exponent == -sp.Rational(1, 2):
        return torch.rsqrt
    number = int(exponent) if exponent.is_Integer and abs(exponent) < 2**31 else float(exponent)
    return lambda x: torch.pow(x, number)


def _fixed_order(node: sp.Expr, order: sp.Expr) -> float:
    if not (order.is_number and order.is_real):
        raise UnsupportedFunctionError(
            f"{node.func.__name__} of a fixed order", str(node), "give the order as a number"
        )
    return float(order)


def _call_numeric(head: type[NumericFunction]) -> Callable[..., Tensor]:
    def call(*values: Tensor) -> Tensor:
        first = values[0]
        if any(value.requires_grad for value in values) or torch._C._functorch.is_functorch_wrapped_tensor(first):
            return torch.as_tensor(head.python(*values), dtype=first.dtype, device=first.device)
        return _call_data(head, values).to(dtype=first.dtype, device=first.device)

    return call


def _call_data(head: type[NumericFunction], values: Sequence[Tensor]) -> Tensor:
    """Call with arrays, else number by number, else with tensors; the first that gives one number per point."""
    arrays = np.broadcast_arrays(*[value.detach().cpu().numpy() for value in values])
    shape, reasons = arrays[0].shape, []
    attempts: tuple[Callable[[], Any], ...] = (
        lambda: head.python(*[array.copy() for array in arrays]),
        lambda: [float(head.python(*map(float, row))) for row in zip(*map(np.ravel, arrays), strict=True)],
        lambda: head.python(*values),
    )
    for attempt in attempts:
        try:
            result = attempt()
            if result is None:
                raise TypeError("it returned None")
            array = np.array(result.detach().cpu() if isinstance(result, Tensor) else result, dtype=np.float64)
            if array.size == 1:
                return torch.full(shape, float(array.reshape(())))
            if array.size == arrays[0].size:
                return torch.from_numpy(array.reshape(shape))
            reasons.append(f"a result of shape {array.shape} for {arrays[0].size} points")
        except Exception as error:  # foreign code may fail in any way; every way is reported
            reasons.append(f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}")
    raise NotSymbolicError(
        f"a function {head.__name__!r} of {len(values)} argument(s) that gives one number per point",
        "; ".join(dict.fromkeys(reasons)),
        "write it with SymPy or NumPy functions of the coordinates",
    )


def operation(node: sp.Basic) -> tuple[Callable[..., Tensor], tuple[sp.Basic, ...]]:
    """The torch function of a SymPy node and the arguments that it takes.

    Args:
        node: A SymPy expression with arguments.

    Returns:
        Function and arguments.

    Raises:
        UnsupportedFunctionError: If the head is not in the table.
    """
    head = node.func
    if isinstance(node, sp.Pow):
        base, exponent = node.args
        if exponent.is_number:
            return _fixed_power(exponent), (base,)
        return torch.pow, node.args
    if head in _BESSEL:
        return special(_BESSEL[head], _fixed_order(node, node.args[0])), (node.args[1],)
    if isinstance(node, sp.polygamma):
        return special("polygamma", _fixed_order(node, node.args[0])), (node.args[1],)
    if isinstance(node, NumericFunction):
        return _call_numeric(head), node.args
    if head in FUNCTIONS:
        return FUNCTIONS[head], node.args
    known = ", ".join(sorted(known.__name__ for known in HEADS))
    raise UnsupportedFunctionError(
        f"functions with a numerical counterpart: {known}",
        f"{head.__name__} in {str(node)[:120]}",
        "rewrite it with these, for instance by expression.rewrite(...)",
    )
