"""Python functions in a problem: traced into SymPy where possible, else kept as opaque numeric nodes."""

from __future__ import annotations

import copyreg
import functools
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
import sympy as sp
import torch

from sciml.errors import NotSymbolicError, ProblemError
from sciml.tracing import trace


class _OpaqueType(type(sp.Function)):  # type: ignore[misc]
    """Type of opaque functions, which are made at run time: they are sent to other processes by how they are made."""


class NumericFunction(sp.Function, metaclass=_OpaqueType):
    """Base of opaque nodes: a Python function that SymPy cannot see into."""

    python: ClassVar[Callable]
    reason: ClassVar[str]
    differentiable: ClassVar[bool] = False  # a subclass may know its derivatives

    @classmethod
    def eval(cls, *arguments: sp.Expr) -> None:
        """Never evaluated symbolically."""

    @classmethod
    def recipe(cls) -> tuple[Callable, tuple]:
        """Function and arguments that make it again."""
        return numeric_function, (cls.python, cls.reason)

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """A derivative is not available; the message names the function and why it is opaque.

        Args:
            argindex: Argument to differentiate by.

        Raises:
            NotSymbolicError: Always.
        """
        raise NotSymbolicError(
            f"a SymPy expression for {type(self).__name__!r}, whose derivative is needed",
            f"a Python function kept as numeric-only ({self.reason})",
            "write it with SymPy functions (or NumPy/torch functions without branches on values)",
        )


def _recipe(kind: type[NumericFunction]) -> str | tuple[Callable, tuple]:
    """How to make an opaque function again; a class of a module by its name."""
    if "python" not in vars(kind):
        return kind.__qualname__
    return kind.recipe()


copyreg.pickle(_OpaqueType, _recipe)


def numeric_function(python: Callable, reason: str) -> type[NumericFunction]:
    """Wrap a Python function as an opaque SymPy function.

    Args:
        python: Function of NumPy arrays (data) or tensors (equations).
        reason: Why it could not be traced.

    Returns:
        A new subclass of `NumericFunction`.
    """
    name = getattr(python, "__name__", type(python).__name__).strip("<>") or "data"
    return type(name, (NumericFunction,), {"python": staticmethod(python), "reason": reason})


def is_numeric_only(expression: sp.Basic) -> bool:
    """Whether an expression contains a node that SymPy cannot see into."""
    return bool(expression.atoms(NumericFunction))


def data_expression(data: Any, coordinates: Sequence[sp.Symbol], what: str) -> sp.Expr:
    """Data of a condition as a SymPy expression.

    Args:
        data: A SymPy expression, a number, or a function of the coordinates.
        coordinates: The arguments that a function is called with, in this order.
        what: Where the data stand, for the message.

    Returns:
        The expression; a function that cannot be traced becomes an opaque node.

    Raises:
        ProblemError: If the data are arrays, or anything that is not an expression.
    """
    if isinstance(data, (np.ndarray, torch.Tensor)) and data.ndim == 0:
        data = data.item()
    if isinstance(data, (np.ndarray, torch.Tensor, list, tuple)):
        raise ProblemError(
            f"a SymPy expression, a number or a function of {tuple(map(str, coordinates))} for {what}",
            type(data).__name__,
            "measured values belong into Observations(u, points, values)",
        )
    if callable(data) and not isinstance(data, sp.Basic):
        traced, reason = trace(data, coordinates)
        if traced is not None and isinstance(traced, sp.Expr):
            return _finite(traced, what)
        return numeric_function(data, reason or "it did not return one expression")(*coordinates)
    try:
        expression = sp.sympify(data, strict=True)
    except sp.SympifyError:
        raise ProblemError(
            f"an expression, a number or a function for {what}", repr(data), "a SymPy expression, not a text"
        ) from None
    if not isinstance(expression, sp.Expr):
        raise ProblemError(f"an expression for {what}", repr(data), "write the value, not an equation")
    return _finite(expression, what)


def _finite(expression: sp.Expr, what: str) -> sp.Expr:
    if expression.has(sp.nan, sp.zoo, sp.oo, -sp.oo):
        raise ProblemError(f"finite data for {what}", str(expression), "NaN and infinity are no values")
    return expression


class _FieldValue:
    """A field inside a numeric-only equation: behaves like its tensor, and `.diff` looks a jet up."""

    def __init__(self, tensor: torch.Tensor, derivative: Callable[[tuple], torch.Tensor], orders: tuple = ()) -> None:
        self.tensor, self.derivative, self.orders = tensor, derivative, orders

    def diff(self, *variables: Any) -> _FieldValue:
        """The derivative of the field itself; products must be differentiated by hand."""
        expanded: list[sp.Symbol] = []
        for variable in variables:
            if isinstance(variable, (int, sp.Integer)):
                expanded += [expanded[-1]] * (int(variable) - 1)
            elif isinstance(variable, tuple):
                expanded += [variable[0]] * int(variable[1])
            else:
                expanded.append(getattr(variable, "symbol", variable))
        orders = (*self.orders, *expanded)
        return _FieldValue(self.derivative(orders), self.derivative, orders)

    @classmethod
    def __torch_function__(cls, func: Callable, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        return func(*[_tensor(a) for a in args], **{k: _tensor(v) for k, v in (kwargs or {}).items()})


class _CoordinateValue(_FieldValue):
    """A coordinate inside a numeric-only equation; also names itself in `.diff`."""

    def __init__(self, tensor: torch.Tensor, symbol: sp.Symbol) -> None:
        super().__init__(tensor, lambda orders: torch.zeros_like(tensor))
        self.symbol = symbol


def _tensor(value: Any) -> Any:
    return value.tensor if isinstance(value, _FieldValue) else value


def _tensor_operator(name: str) -> Callable:
    return lambda self, *others: getattr(self.tensor, name)(*[_tensor(other) for other in others])


for _name in ("add", "radd", "sub", "rsub", "mul", "rmul", "truediv", "rtruediv", "pow", "rpow", "neg", "abs",
              "lt", "le", "gt", "ge"):  # fmt: skip
    setattr(_FieldValue, f"__{_name}__", _tensor_operator(f"__{_name}__"))


def _look_up(table: dict[sp.Expr, torch.Tensor], known: sp.Expr, orders: tuple) -> torch.Tensor:
    return table[sp.Derivative(known, *orders)]


def opaque_equations(
    python: Callable, coordinates: Sequence[sp.Symbol], fields: Sequence[sp.Expr], reason: str
) -> list[sp.Expr]:
    """Equations of a numeric-only function, as opaque nodes over the jets that it asks for.

    The function is called once with random tensors to learn which derivatives it uses.

    Args:
        python: Function of the coordinates and fields, returning one residual or a list.
        coordinates: Space and time.
        fields: Unknown fields.
        reason: Why SymPy could not trace it.

    Returns:
        One expression per residual.

    Raises:
        NotSymbolicError: If it fails on tensors too.
    """
    asked: dict[sp.Expr, int] = {known: i for i, known in enumerate(fields)}
    generator = torch.Generator().manual_seed(0)

    def discover(known: sp.Expr) -> Callable[[tuple], torch.Tensor]:
        def look_up(orders: tuple) -> torch.Tensor:
            asked.setdefault(sp.Derivative(known, *orders), len(asked))
            return torch.rand(5, generator=generator, dtype=torch.float64)

        return look_up

    def random() -> torch.Tensor:
        return torch.rand(5, generator=generator, dtype=torch.float64)

    try:
        probe = python(*[_CoordinateValue(random(), s) for s in coordinates],
                       *[_FieldValue(random(), discover(known)) for known in fields])  # fmt: skip
    except Exception as error:
        raise NotSymbolicError(
            "a pde function of the coordinates and fields, in SymPy or torch operations",
            f"tracing failed ({reason}), and so did a call with tensors ({type(error).__name__}: {error})",
            "def pde(x, t, u): return u.diff(t) - u.diff(x, 2)",
        ) from error
    count = len(probe) if isinstance(probe, (list, tuple)) else 1
    jets = list(asked)

    def component(k: int) -> Callable:
        evaluate: Any = functools.partial(_component, python, k, tuple(coordinates), tuple(fields), tuple(jets))
        evaluate.__name__ = getattr(python, "__name__", "pde").strip("<>")
        return evaluate

    return [numeric_function(component(k), reason)(*coordinates, *jets) for k in range(count)]


def _component(
    python: Callable, k: int, coordinates: tuple[sp.Symbol, ...], fields: tuple[sp.Expr, ...],
    jets: tuple[sp.Expr, ...], *values: torch.Tensor,
) -> torch.Tensor:  # fmt: skip
    d = len(coordinates)
    table = dict(zip(jets, values[d:], strict=True))
    wrapped = [_FieldValue(table[known], functools.partial(_look_up, table, known)) for known in fields]
    result = python(*map(_CoordinateValue, values[:d], coordinates), *wrapped)
    return _tensor(result[k] if isinstance(result, (list, tuple)) else result)
