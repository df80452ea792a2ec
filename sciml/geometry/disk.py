"""The disk."""

from __future__ import annotations

from typing import Any

import sympy as sp

from sciml.arguments import explained
from sciml.errors import GeometryError
from sciml.geometry.curves import full_circle
from sciml.geometry.exact import check_name, check_symbols, exact, exact_point, shown
from sciml.geometry.planar import Planar
from sciml.geometry.serialisation import number_to_data, symbol_to_data


@explained("Disk((x, y), center=(0, 0), radius=1)")
class Disk(Planar):
    """A disk; its one face is the circle.

    Args:
        symbols: Both coordinates `(x, y)`.
        center: Centre.
        radius: Radius.
        name: Name of the face.

    Raises:
        GeometryError: If the radius is not positive, or an argument is of the wrong kind.

    Example:
        >>> x, y = sp.symbols("x y", real=True)
        >>> ring = Disk((x, y), radius=2) - Disk((x, y), radius=1, name="inner")
        >>> ring.faces, round(ring.measure / float(sp.pi), 12)
        (('boundary', 'inner'), 3.0)
        >>> ring.normals("inner", [[1.0, 0.0]])
        array([[-1., -0.]])
    """

    def __init__(
        self,
        symbols: tuple[sp.Symbol, sp.Symbol],
        center: tuple = (0, 0),
        radius: object = 1,
        name: str = "boundary",
    ) -> None:
        """Check the arguments."""
        if not isinstance(symbols, (tuple, list, sp.Tuple)) or len(symbols) != 2:
            raise GeometryError("Disk: two coordinates (x, y)", repr(symbols), "Disk((x, y), center=(0, 0), radius=1)")
        self._center = exact_point(center, 2, "Disk: centre")
        self._radius = exact(radius, "Disk: radius")
        if not float(self._radius) > 0.0:
            raise GeometryError("Disk: a positive radius", str(self._radius), "give a number above 0")
        self._name = check_name(name)
        super().__init__(check_symbols(symbols), full_circle(self._center, self._radius, name), (name,))

    @property
    def center(self) -> tuple[float, float]:
        """Centre."""
        return float(self._center[0]), float(self._center[1])

    @property
    def radius(self) -> float:
        """Radius."""
        return float(self._radius)

    def _recipe(self) -> dict[str, Any]:
        return {
            "kind": "disk",
            "coordinates": [symbol_to_data(symbol) for symbol in self.coordinates],
            "center": [number_to_data(value) for value in self._center],
            "radius": number_to_data(self._radius),
            "name": self._name,
        }

    def __repr__(self) -> str:
        """The constructor call."""
        x, y = self.coordinates
        cx, cy, radius = (shown(value) for value in (*self._center, self._radius))
        return self._with_names(f"Disk(({x}, {y}), center=({cx}, {cy}), radius={radius}, name={self._name!r})")
