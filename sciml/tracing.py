"""Tracing: a Python function called with SymPy arguments that answer NumPy and torch functions.

Only functions of a fixed table are translated, because equal names hide unequal functions (`np.sinc(x)` is
sin(πx)/(πx), `sp.sinc(x)` is sin(x)/x). A branch on a value (`if x < 1`, `x == 0`) ends the tracing: a trace
would silently follow one branch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import sympy as sp


class _BranchError(TypeError):
    """A function asks for the truth of a symbolic comparison."""


def _where(condition: Any, yes: Any, no: Any) -> sp.Expr:
    return sp.Piecewise((yes, condition), (no, True))


def _clip(x: Any, lower: Any = None, upper: Any = None) -> sp.Expr:
    x = x if lower is None else sp.Max(x, lower)
    return x if upper is None else sp.Min(x, upper)


_TABLE: dict[str, Callable[..., Any]] = {
    **{name: getattr(sp, name) for name in (
        "exp", "log", "sqrt", "sin", "cos", "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh", "asinh",
        "acosh", "atanh", "sign", "floor", "erf", "erfc", "erfinv", "digamma")},
    "arcsin": sp.asin, "arccos": sp.acos, "arctan": sp.atan, "arctan2": sp.atan2, "arcsinh": sp.asinh,
    "arccosh": sp.acosh, "arctanh": sp.atanh, "absolute": sp.Abs, "fabs": sp.Abs, "abs": sp.Abs, "ceil": sp.ceiling,
    "maximum": sp.Max, "minimum": sp.Min, "fmax": sp.Max, "fmin": sp.Min,
    "heaviside": sp.Heaviside, "power": sp.Pow, "float_power": sp.Pow, "pow": sp.Pow,
    "expm1": lambda x: sp.exp(x) - 1, "log1p": lambda x: sp.log(1 + x), "exp2": lambda x: 2**sp.sympify(x),
    "log2": lambda x: sp.log(x) / sp.log(2), "log10": lambda x: sp.log(x) / sp.log(10), "hypot": lambda a, b:
    sp.sqrt(a**2 + b**2), "sigmoid": lambda x: 1 / (1 + sp.exp(-x)), "relu": lambda x: sp.Max(x, 0),
    "softplus": lambda x: sp.log(1 + sp.exp(x)), "sinc": lambda x: sp.sinc(sp.pi * x), "where": _where,
    "clip": _clip, "clamp": _clip, "zeros_like": lambda x: sp.Integer(0), "ones_like": lambda x: sp.Integer(1),
    "add": lambda a, b: a + b, "sub": lambda a, b: a - b, "subtract": lambda a, b: a - b, "mul": lambda a, b: a * b,
    "multiply": lambda a, b: a * b, "div": lambda a, b: a / b, "divide": lambda a, b: a / b,
    "true_divide": lambda a, b: a / b, "neg": lambda a: -a, "negative": lambda a: -a, "positive": lambda a: a,
    "square": lambda a: a**2, "reciprocal": lambda a: 1 / a, "remainder": sp.Mod, "mod": sp.Mod,
    "lt": sp.Lt, "le": sp.Le, "gt": sp.Gt, "ge": sp.Ge, "less": sp.Lt, "less_equal": sp.Le, "greater": sp.Gt,
    "greater_equal": sp.Ge, "logical_and": sp.And, "logical_or": sp.Or, "logical_not": sp.Not,
    "bitwise_and": sp.And, "bitwise_or": sp.Or, "and": sp.And, "or": sp.Or, "rsub": lambda a, b: b - a,
    "rdiv": lambda a, b: b / a, "rtruediv": lambda a, b: b / a, "rpow": lambda a, b: b**a,
}  # fmt: skip


def _apply(name: str, arguments: Sequence[Any], options: Mapping[str, Any] | None = None) -> Traced:
    known = {"min": "lower", "max": "upper", "a_min": "lower", "a_max": "upper"} if name in {"clip", "clamp"} else {}
    options = {known.get(key, key): plain(value) for key, value in (options or {}).items()}
    function = _TABLE.get(name.strip("_"))
    if function is None or (options and function is not _clip):
        raise TypeError(f"{name} with these arguments has no SymPy counterpart")
    values = [None if value is None else sp.sympify(plain(value), strict=True) for value in arguments]
    return Traced(function(*values, **options))


class Traced:
    """Stands for a SymPy expression and answers Python, NumPy and torch operations with SymPy ones.

    Args:
        expression: What it stands for.
    """

    __slots__ = ("expression",)

    def __init__(self, expression: sp.Basic) -> None:
        self.expression = expression

    def _sympy_(self) -> sp.Basic:
        return self.expression

    def diff(self, *variables: Any) -> Traced:
        """The derivative of the expression; variables as for SymPy."""
        return Traced(self.expression.diff(*[plain(variable) for variable in variables]))

    def __bool__(self) -> bool:
        """A branch on a value cannot be traced."""
        raise _BranchError(f"the function branches on {self.expression}")

    def __eq__(self, other: object) -> Any:
        """SymPy would answer by structure, False, whatever the values are."""
        raise _BranchError(f"the function compares {self.expression} with {plain(other)}")

    def __ne__(self, other: object) -> Any:
        """SymPy would answer by structure, True, whatever the values are."""
        raise _BranchError(f"the function compares {self.expression} with {plain(other)}")

    def __hash__(self) -> int:
        """A look-up in a set or a dictionary is a comparison, too; SymPy knows this beginning of the message."""
        raise _BranchError(f"unhashable type: the function looks {self.expression} up in a collection")

    def __pos__(self) -> Traced:
        """The same."""
        return self

    def __float__(self) -> float:
        """There is no number yet."""
        raise TypeError(f"the function needs the number behind {self.expression}")

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Traced:
        """NumPy functions such as `np.sin`."""
        if method != "__call__":
            raise TypeError(f"numpy.{ufunc.__name__}.{method} cannot be traced")
        return _apply(ufunc.__name__, inputs, kwargs)

    def __array_function__(self, func: Callable, types: Any, args: tuple, kwargs: dict) -> Traced:
        """NumPy functions such as `np.where`."""
        return _apply(func.__name__, args, kwargs)

    @classmethod
    def __torch_function__(cls, func: Callable, types: Any, args: tuple = (), kwargs: dict | None = None) -> Traced:
        """Functions of torch."""
        return _apply(func.__name__, args, kwargs)

    def __getattr__(self, name: str) -> Any:
        """Methods such as `x.sin()`."""
        if name.startswith("__") or name not in _TABLE:
            raise AttributeError(f"{name!r} cannot be traced")
        return lambda *values, **options: _apply(name, [self, *values], options)


def _operator(name: str) -> Callable[..., Traced]:
    def apply(self: Traced, *others: Any) -> Traced:
        if any(isinstance(other, np.ndarray) and other.ndim for other in others):
            raise TypeError("arithmetic with an array cannot be traced")
        result = getattr(self.expression, name)(*[sp.sympify(plain(other), strict=True) for other in others])
        if result is NotImplemented:
            raise TypeError(f"{name} cannot be traced")
        return Traced(result)

    return apply


for _name in ("add", "radd", "sub", "rsub", "mul", "rmul", "truediv", "rtruediv", "pow", "rpow", "neg", "abs", "mod",
              "lt", "le", "gt", "ge", "and", "or", "invert"):  # fmt: skip
    setattr(Traced, f"__{_name}__", _operator(f"__{_name}__"))


def plain(value: Any) -> Any:
    """The SymPy expression of a traced value, also inside a tuple; anything else unchanged."""
    if isinstance(value, tuple):
        return tuple(plain(item) for item in value)
    return value.expression if isinstance(value, Traced) else value


def trace(python: Callable, arguments: Sequence[sp.Expr]) -> tuple[Any, str]:
    """Call a Python function with SymPy arguments.

    Args:
        python: The function.
        arguments: SymPy symbols and fields, passed by position.

    Returns:
        `(result, "")`, or `(None, reason)` where tracing failed.

    Example:
        >>> x = sp.Symbol("x", real=True)
        >>> trace(lambda x: np.where(x < 1, np.sin(x), 0.5), [x])
        (Piecewise((sin(x), x < 1), (0.5, True)), '')
        >>> trace(lambda x: x if x < 1 else 1, [x])
        (None, 'the function branches on x < 1')
    """
    reason = ""
    for attempt in ([Traced(argument) for argument in arguments], list(arguments)):
        try:
            return _collect(python(*attempt)), ""
        except _BranchError as error:
            return None, str(error)
        except Exception as error:  # any failure of foreign code means: not traceable, and why
            reason = reason or f"{type(error).__name__}: {error}"
    return None, reason.splitlines()[0]


def _collect(result: Any) -> Any:
    if isinstance(result, (list, tuple)):
        return [_collect(item) for item in result]
    if isinstance(result, Mapping):
        return {str(name): _collect(item) for name, item in result.items()}
    if result is None or (isinstance(result, np.ndarray) and result.ndim):
        raise TypeError(f"it returned {type(result).__name__}")
    return sp.sympify(plain(result), strict=True)
