"""Geometries rebuilt from plain dictionaries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sciml.errors import GeometryError
from sciml.geometry.base import Geometry
from sciml.geometry.box import Box, Interval
from sciml.geometry.disk import Disk
from sciml.geometry.naming import SIGNS
from sciml.geometry.polygon import Polygon
from sciml.geometry.rectangle import Rectangle
from sciml.geometry.serialisation import number_from_data, symbol_from_data

_DEPTH = 200  # nested operations; deeper data are damaged or hostile


def geometry_from_dict(data: dict[str, Any]) -> Geometry:
    """Build the geometry that `to_dict` described.

    Every constructor check applies again; nothing in the data is evaluated as code.

    Args:
        data: The dictionary.

    Returns:
        A geometry equal to the one that was stored.

    Raises:
        GeometryError: If an entry is missing, unknown, or of the wrong form.

    Example:
        >>> import sympy as sp
        >>> x = sp.Symbol("x", real=True)
        >>> geometry_from_dict(Interval(x, 0, sp.Rational(1, 2)).to_dict())
        Interval(x, 0, 1/2)
    """
    return _build(data, 0)


def _fields(data: dict[str, Any], *names: str) -> list[Any]:
    if set(data) != {"kind", *names}:
        raise GeometryError(
            f"entries kind, {', '.join(names)} for a stored {data['kind']}",
            ", ".join(map(str, data)),
            "the file is damaged or of another version",
        )
    return [data[name] for name in names]


def _listed(data: Any, what: str) -> list:
    if not isinstance(data, list):
        raise GeometryError(f"{what}: a list", repr(data), "the file is damaged")
    return data


def _build(data: Any, depth: int) -> Geometry:
    if not isinstance(data, dict) or data.get("kind") not in (*_SHAPES, *SIGNS, "rename"):
        raise GeometryError(
            "a stored geometry: a dictionary with a known kind", repr(data)[:200], "use geometry.to_dict()"
        )
    if depth > _DEPTH:
        raise GeometryError(f"at most {_DEPTH} nested operations", "more", "the file is damaged")
    kind = data["kind"]
    if kind in SIGNS:
        first, second = (_build(part, depth + 1) for part in _fields(data, "first", "second"))
        return first._operate(kind, second)
    if kind == "rename":
        inner, names = _fields(data, "of", "names")
        return _build(inner, depth + 1).rename(names)
    return _SHAPES[kind](data)


def _points(data: Any, what: str) -> list[list]:
    return [[number_from_data(v) for v in _listed(point, what)] for point in _listed(data, what)]


def _box(data: dict[str, Any]) -> Geometry:
    symbols, bounds = (_listed(part, "box") for part in _fields(data, "coordinates", "bounds"))
    ends = _points(bounds, "bounds")
    expected = {"interval": 1, "rectangle": 2, "box": 3}[data["kind"]]
    if not len(symbols) == len(ends) == expected or any(len(pair) != 2 for pair in ends):
        raise GeometryError(f"{expected} coordinates with two ends each", repr(data), "the file is damaged")
    axes = [(symbol_from_data(s), *pair) for s, pair in zip(symbols, ends, strict=True)]
    return Interval(*axes[0]) if expected == 1 else (Rectangle if expected == 2 else Box)(*axes)


def _disk(data: dict[str, Any]) -> Geometry:
    symbols, center, radius, name = _fields(data, "coordinates", "center", "radius", "name")
    x, y = _pair(symbols)
    middle = tuple(number_from_data(value) for value in _listed(center, "center"))
    return Disk((x, y), center=middle, radius=number_from_data(radius), name=name)


def _polygon(data: dict[str, Any]) -> Geometry:
    symbols, vertices, names, holes = _fields(data, "coordinates", "vertices", "names", "holes")
    loops = [_points(hole, "hole") for hole in _listed(holes, "holes")]
    return Polygon(_pair(symbols), _points(vertices, "vertices"), name=_listed(names, "names"), holes=loops)


def _pair(symbols: Any) -> tuple:
    found = tuple(symbol_from_data(symbol) for symbol in _listed(symbols, "coordinates"))
    if len(found) != 2:
        raise GeometryError("two coordinates", repr(symbols), "the file is damaged")
    return found


_SHAPES: dict[str, Callable[[dict[str, Any]], Geometry]] = {
    "interval": _box,
    "rectangle": _box,
    "box": _box,
    "disk": _disk,
    "polygon": _polygon,
}
