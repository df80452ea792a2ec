"""Table of SymPy heads and their torch counterparts; what is not here is refused by name."""

from __future__ import annotations

import functools
from collections.abc import Callable

import sympy as sp
import torch
from torch import Tensor

from sciml.callables import NumericFunction
from sciml.errors import UnsupportedFunctionError
from sciml.expressions.special import bessel, plain


def _heaviside(x: Tensor, at_zero: Tensor | float = 0.5) -> Tensor:
    one = torch.ones_like(x)
    return torch.where(x > 0, one, torch.where(x < 0, 0 * one, at_zero * one))


def _gamma(x: Tensor) -> Tensor:
    # reflection for negative arguments keeps the sign that lgamma loses
    positive = torch.exp(torch.lgamma(torch.where(x > 0, x, 1 - x)))
    return torch.where(x > 0, positive, torch.pi / (torch.sin(torch.pi * x) * positive))


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
    sp.erfi: plain("erfi"),
    sp.airyai: plain("airyai"),
    sp.airybi: plain("airybi"),
    sp.gamma: _gamma,
    sp.loggamma: torch.lgamma,
    sp.digamma: torch.digamma,
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


def _power(base: Tensor, exponent: Tensor) -> Tensor:
    return torch.pow(base, exponent)


def _fixed_power(exponent: sp.Expr) -> Callable[[Tensor], Tensor]:
    if exponent == -1:
        return torch.reciprocal
    if exponent == sp.Rational(1, 2):
        return torch.sqrt
    if exponent == -sp.Rational(1, 2):
        return torch.rsqrt
    number = int(exponent) if exponent.is_Integer else float(exponent)
    return lambda x: torch.pow(x, number)


def _call_numeric(head: type[NumericFunction]) -> Callable[..., Tensor]:
    def call(*values: Tensor) -> Tensor:
        if any(value.requires_grad for value in values) or torch._C._functorch.is_functorch_wrapped_tensor(values[0]):
            result = head.python(*values)
        else:
            arrays = [value.detach().cpu().numpy() for value in values]
            try:
                result = head.python(*arrays)
            except TypeError:  # a function written for tensors
                result = head.python(*values)
        return torch.as_tensor(result, dtype=values[0].dtype, device=values[0].device)

    return call


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
        return _power, node.args
    if head in _BESSEL:
        order, argument = node.args
        if not order.is_number:
            raise UnsupportedFunctionError(f"{head.__name__} of a fixed order", str(node), "give the order as a number")
        return bessel(_BESSEL[head], float(order)), (argument,)
    if isinstance(node, NumericFunction):
        return _call_numeric(head), node.args
    if head in FUNCTIONS:
        return FUNCTIONS[head], node.args
    known = ", ".join(sorted(known.__name__ for known in (*FUNCTIONS, *_BESSEL)))
    raise UnsupportedFunctionError(
        f"functions with a numerical counterpart: {known}",
        f"{head.__name__} in {str(node)[:120]}",
        "rewrite it with these, for instance by expression.rewrite(...)",
    )
