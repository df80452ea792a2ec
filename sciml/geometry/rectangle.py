"""The rectangle: a planar region with exact bounds."""

from __future__ import annotations

from typing import Any, ClassVar

import sympy as sp

from sciml.arguments import explained
from sciml.geometry.curves import segment
from sciml.geometry.exact import check_range, check_symbols, shown
from sciml.geometry.planar import Planar
from sciml.geometry.serialisation import number_to_data, symbol_to_data


@explained("Rectangle((x, 0, 1), (y, 0, 1))")
class Rectangle(Planar):
    """The rectangle `[a, b] × [c, d]` with faces left, right, bottom, top.

    Args:
        horizontal: `(x, a, b)`.
        vertical: `(y, c, d)`.

    Raises:
        GeometryError: If an axis is not `(symbol, low, high)`, or is empty or reversed.

    Example:
        >>> x, y = sp.symbols("x y", real=True)
        >>> room = Rectangle((x, 0, 2), (y, 0, sp.pi))
        >>> room.faces, room.symbolic_bounds
        (('left', 'right', 'bottom', 'top'), ((0, 2), (0, pi)))
        >>> (room - Rectangle((x, 1, 2), (y, 0, 1))).faces
        ('left', 'right', 'bottom', 'top', 'cut')
    """

    _side_names: ClassVar[tuple[str, ...]] = ("left", "right", "bottom", "top")

    def __init__(self, horizontal: tuple, vertical: tuple) -> None:
        """Check the arguments."""
        axes = [check_range(axis, "Rectangle") for axis in (horizontal, vertical)]
        (x, a, b), (y, c, d) = axes
        self._ends = ((a, b), (c, d))
        loop = [(a, c), (b, c), (b, d), (a, d), (a, c)]
        names = ("bottom", "right", "top", "left")
        pieces = [segment(p, q, name) for p, q, name in zip(loop, loop[1:], names, strict=False)]
        super().__init__(check_symbols((x, y)), pieces, self._side_names)

    @property
    def symbolic_bounds(self) -> tuple[tuple[sp.Expr, sp.Expr], ...]:
        """Exact ends per axis."""
        return self._ends

    @property
    def measure(self) -> float:
        """Exact area."""
        (a, b), (c, d) = self._ends
        return float((b - a) * (d - c))

    def _recipe(self) -> dict[str, Any]:
        return {
            "kind": "rectangle",
            "coordinates": [symbol_to_data(symbol) for symbol in self.coordinates],
            "bounds": [[number_to_data(end) for end in ends] for ends in self._ends],
        }

    def __repr__(self) -> str:
        """The constructor call."""
        axes = ", ".join(
            f"({s}, {shown(a)}, {shown(b)})" for s, (a, b) in zip(self.coordinates, self._ends, strict=True)
        )
        return self._with_names(f"Rectangle({axes})")
