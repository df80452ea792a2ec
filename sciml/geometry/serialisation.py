"""Numbers and symbols of a geometry as plain data, read back without evaluating text."""

from __future__ import annotations

from typing import Any

import sympy as sp

from sciml.errors import GeometryError

_DIGITS = 1000  # of a numerator or denominator; longer ones are damaged
_CONSTANTS = {"pi": sp.pi, "E": sp.E, "GoldenRatio": sp.GoldenRatio}
_FUNCTIONS = {
    function.__name__: function
    for function in (
        sp.Add,
        sp.Mul,
        sp.Pow,
        sp.exp,
        sp.log,
        sp.sin,
        sp.cos,
        sp.tan,
        sp.asin,
        sp.acos,
        sp.atan,
        sp.sinh,
        sp.cosh,
        sp.tanh,
    )
}


def number_to_data(number: sp.Expr) -> str | list:
    """An exact number as text "p/q", the name of a constant, or `[function, argument, ...]`.

    Args:
        number: A SymPy number.

    Returns:
        Plain data.

    Raises:
        GeometryError: If it holds a function outside the table.

    Example:
        >>> number_to_data(sp.sqrt(2) / 3)
        ['Mul', '1/3', ['Pow', '2', '1/2']]
    """
    if number.is_Rational:
        return str(number)
    for name, constant in _CONSTANTS.items():
        if number == constant:
            return name
    name = type(number).__name__
    if name not in _FUNCTIONS:
        raise GeometryError("numbers made of " + ", ".join(_FUNCTIONS), str(number), "give it as a decimal number")
    return [name, *(number_to_data(argument) for argument in number.args)]


def number_from_data(data: Any) -> sp.Expr:
    """Inverse of `number_to_data`.

    Args:
        data: Plain data.

    Returns:
        The SymPy number.

    Raises:
        GeometryError: If the data are of another form.
    """
    if isinstance(data, str):
        if data in _CONSTANTS:
            return _CONSTANTS[data]
        top, _, bottom = data.partition("/")
        digits = (top.removeprefix("-"), bottom or "1")
        if all(part.isascii() and part.isdigit() and len(part) <= _DIGITS for part in digits) and int(digits[1]):
            return sp.Rational(int(top), int(digits[1]))
    elif isinstance(data, list) and len(data) > 1 and isinstance(data[0], str) and data[0] in _FUNCTIONS:
        try:
            return _FUNCTIONS[data[0]](*(number_from_data(argument) for argument in data[1:]))
        except (TypeError, ValueError) as error:
            raise GeometryError("a stored number", repr(data), "the file is damaged") from error
    raise GeometryError('a stored number such as "1/2"', repr(data), "the file is damaged")


def symbol_to_data(symbol: sp.Symbol) -> str | dict[str, Any]:
    """A coordinate as its name; with its assumptions where they differ from those of `coordinates()`.

    Args:
        symbol: The coordinate.

    Returns:
        Plain data.
    """
    if symbol == sp.Symbol(symbol.name, real=True):
        return symbol.name
    return {"name": symbol.name, "assumptions": dict(sorted(symbol.assumptions0.items()))}


def symbol_from_data(data: Any) -> sp.Symbol:
    """Inverse of `symbol_to_data`.

    Args:
        data: Plain data.

    Returns:
        The symbol.

    Raises:
        GeometryError: If the data are of another form.
    """
    if isinstance(data, str) and data:
        return sp.Symbol(data, real=True)
    if isinstance(data, dict) and set(data) == {"name", "assumptions"}:
        name, assumptions = data["name"], data["assumptions"]
        truths = isinstance(assumptions, dict) and all(isinstance(value, bool) for value in assumptions.values())
        if isinstance(name, str) and name and truths:
            try:
                return sp.Symbol(name, **assumptions)
            except (TypeError, ValueError) as error:
                raise GeometryError("a stored coordinate", repr(data), "the file is damaged") from error
    raise GeometryError('a stored coordinate such as "x"', repr(data), "the file is damaged")
