"""Exact numbers and coordinates as arguments of a geometry."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from numbers import Rational

import numpy as np
import sympy as sp

from sciml.errors import GeometryError
from sciml.geometry.serialisation import number_to_data

RESERVED = ("initial", "interior")  # these words address other sets of points in a condition


def exact(value: object, what: str) -> sp.Expr:
    """An exact real number.

    Integers and SymPy numbers stay as they are; a float becomes the rational number that its shortest
    decimal notation denotes (0.1 is 1/10), which rounds back to the same float.

    Args:
        value: Python, NumPy or SymPy number.
        what: Its name in the message.

    Returns:
        A SymPy number without floats.

    Raises:
        GeometryError: If it is no finite real number, or holds a function that cannot be stored.

    Example:
        >>> exact(0.1, "radius"), exact(sp.sqrt(2), "radius")
        (1/10, sqrt(2))
    """
    if isinstance(value, np.generic) or (isinstance(value, np.ndarray) and value.ndim == 0):
        value = value.item()
    if isinstance(value, Rational) and not isinstance(value, bool):
        return sp.Rational(value.numerator, value.denominator)
    if isinstance(value, float) and np.isfinite(value):
        return sp.Rational(repr(value))
    if isinstance(value, sp.Expr) and value.is_number and value.is_real and value.is_finite:
        number = value.xreplace({number: sp.Rational(repr(float(number))) for number in value.atoms(sp.Float)})
        number_to_data(number)  # what could not be stored is refused now, not when the work is done
        return number
    raise GeometryError(f"{what}: a finite real number", repr(value), "give a Python number or a SymPy number")


def shown(number: sp.Expr) -> str:
    """A number as a user would write it: long fractions that are decimals, as decimals.

    Args:
        number: An exact number.

    Returns:
        Text.

    Example:
        >>> shown(sp.Rational(1, 3)), shown(exact(0.123456, "x"))
        ('1/3', '0.123456')
    """
    if number.is_Rational and number.q > 1000 and sp.Rational(repr(float(number))) == number:
        return repr(float(number))
    return str(number)


def exact_point(values: object, dimension: int, what: str) -> tuple[sp.Expr, ...]:
    """A point with exact coordinates.

    Args:
        values: Sequence of `dimension` numbers.
        dimension: Number of coordinates.
        what: Its name in the message.

    Returns:
        Tuple of SymPy numbers.

    Raises:
        GeometryError: If the length or an entry is wrong.
    """
    if not isinstance(values, (Sequence, np.ndarray, sp.Tuple)) or isinstance(values, str) or len(values) != dimension:
        raise GeometryError(f"{what}: {dimension} numbers", repr(values), "for instance (0, 0)")
    return tuple(exact(value, what) for value in values)


def check_symbols(symbols: Sequence[object]) -> tuple[sp.Symbol, ...]:
    """The coordinates of a geometry, checked.

    Args:
        symbols: What the caller gave.

    Returns:
        Tuple of different symbols.

    Raises:
        GeometryError: If one is no symbol, or is given twice.
    """
    found = tuple(symbol for symbol in symbols if isinstance(symbol, sp.Symbol))
    if len(found) < len(symbols) or len({symbol.name for symbol in found}) < len(found):
        raise GeometryError(
            "different coordinates",
            ", ".join(map(repr, symbols)),
            'x, y = coordinates("x y"), then use x and y',
        )
    return found


def check_name(name: object) -> str:
    """The name of a face, checked.

    Args:
        name: What the caller gave.

    Returns:
        The name.

    Raises:
        GeometryError: If it is no name, or one with another meaning.
    """
    if not isinstance(name, str) or not name.strip() or name in RESERVED:
        raise GeometryError(
            "a name for the face" + (f" other than {', '.join(RESERVED)}" if name in RESERVED else ""),
            repr(name),
            'for instance name="wall"',
        )
    return name


def check_range(axis: object, what: str) -> tuple[sp.Symbol, sp.Expr, sp.Expr]:
    """One axis of a box: `(x, a, b)` with a < b.

    Args:
        axis: What the caller gave.
        what: Name of the geometry in the message.

    Returns:
        The symbol and both ends, exact.

    Raises:
        GeometryError: If it is not of this form, empty or reversed.
    """
    if not isinstance(axis, (tuple, list, sp.Tuple)) or len(axis) != 3:
        raise GeometryError(f"{what}: an axis as (x, a, b)", repr(axis), "for instance (x, 0, 1)")
    (symbol,) = check_symbols(axis[:1])
    lower, upper = exact(axis[1], f"{what}, lower end"), exact(axis[2], f"{what}, upper end")
    if not float(lower) < float(upper):
        raise GeometryError(
            f"{what}: lower end < upper end along {symbol}",
            f"({symbol}, {lower}, {upper})",
            "swap the ends" if float(lower) > float(upper) else "an interval needs a positive length",
        )
    return symbol, lower, upper


def check_extent(limits: Iterable[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """Bounds of a region, checked to be within what float64 can resolve.

    Distances are squared, and coordinates far from the origin lose the digits of the shape.

    Args:
        limits: `(low, high)` per axis.

    Returns:
        The bounds.

    Raises:
        GeometryError: If the region is too small, too large, or too far from the origin for its size.
    """
    found = tuple(limits)
    size = max(high - low for low, high in found)
    far = max(abs(end) for ends in found for end in ends)
    if not 1e-100 < size < 1e100 or size < 1e-10 * far:
        raise GeometryError(
            "an extent between 1e-100 and 1e100, and above 1e-10 of the distance from the origin",
            ", ".join(f"[{low!r}, {high!r}]" for low, high in found),
            "choose other units, or shift the origin to the region",
        )
    return found
