"""Coordinates and fields: ordinary SymPy symbols and applied functions, all real."""

from __future__ import annotations

import copyreg
import keyword
from collections.abc import Callable

import sympy as sp
from sympy.core.function import AppliedUndef, UndefinedFunction

from sciml.errors import ProblemError


def _function(name: str, assumptions: dict[str, bool]) -> UndefinedFunction:
    return UndefinedFunction(name, **assumptions)


def _recipe(function: UndefinedFunction) -> tuple[Callable, tuple]:
    return _function, (function.name, dict(function._kwargs))


if UndefinedFunction not in copyreg.dispatch_table:  # SymPy 1.13 cannot send fields to other processes; 1.14 can
    copyreg.pickle(UndefinedFunction, _recipe)


def _names(names: str) -> list[str]:
    if not isinstance(names, str):
        raise ProblemError("coordinate names in one string", repr(names), 'coordinates("x t")')
    parsed = names.replace(",", " ").split()
    bad = [name for name in parsed if not name.isidentifier() or keyword.iskeyword(name)]
    if not parsed or bad or len(set(parsed)) < len(parsed):
        raise ProblemError("one or more different Python identifiers", repr(names), 'for instance coordinates("x y t")')
    return parsed


def coordinates(names: str) -> sp.Symbol | tuple[sp.Symbol, ...]:
    """Real SymPy symbols for space and time.

    Args:
        names: Names separated by blanks or commas.

    Returns:
        One symbol for one name, a tuple for several.

    Raises:
        ProblemError: If a name is missing, repeated or no identifier.

    Example:
        >>> x, t = coordinates("x t")
        >>> coordinates("y").is_real
        True
    """
    symbols = tuple(sp.Symbol(name, real=True) for name in _names(names))
    return symbols[0] if len(symbols) == 1 else symbols


def field(name: str, *arguments: sp.Symbol) -> AppliedUndef:
    """An unknown field: the applied SymPy function `name(*arguments)`, real-valued.

    Declaring a name again, also with other arguments, is allowed; `.func` applies the same function
    elsewhere, for instance `u.func(x, 0)`.

    Args:
        name: Name of the field.
        *arguments: Coordinates that it depends on, time last.

    Returns:
        The SymPy expression `name(*arguments)`.

    Raises:
        ProblemError: If the name is no identifier or an argument is no symbol.

    Example:
        >>> x, t = coordinates("x t")
        >>> u = field("u", x, t)
        >>> u.diff(x, 2) + u
        u(x, t) + Derivative(u(x, t), (x, 2))
    """
    parsed = _names(name)
    if len(parsed) != 1:
        raise ProblemError("one field name", repr(name), 'u = field("u", x, t); v = field("v", x, t)')
    if not arguments or not all(isinstance(argument, sp.Symbol) for argument in arguments):
        raise ProblemError(
            "the coordinates that the field depends on",
            ", ".join(map(repr, arguments)) or "nothing",
            'x, t = coordinates("x t"); u = field("u", x, t)',
        )
    if len(set(arguments)) < len(arguments):
        raise ProblemError("different coordinates", ", ".join(map(str, arguments)), "name each one once")
    return sp.Function(parsed[0], real=True)(*arguments)


def jet_name(function: AppliedUndef, orders: dict[sp.Symbol, int]) -> str:
    """Subscript notation of a derivative: `u_xxt`.

    Args:
        function: The field.
        orders: Order of derivative per coordinate.

    Returns:
        The name, or the field's name where all orders are 0.
    """
    index = "".join(str(symbol) * order for symbol, order in orders.items())
    return f"{function.func.__name__}_{index}" if index else function.func.__name__
