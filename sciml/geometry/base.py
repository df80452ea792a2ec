"""What every geometry offers: measure, faces, distance, normals, points, set operations."""

from __future__ import annotations

import copy
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import sympy as sp

from sciml.errors import GeometryError, PointsError
from sciml.geometry.advice import face_advice
from sciml.geometry.exact import check_name
from sciml.geometry.interior import interior_points
from sciml.sampling import check_count, part_points, unit_points

Time = tuple[float, float] | None


class Geometry(ABC):
    """A bounded region with named faces, in 1, 2 or 3 coordinates.

    Regions are closed and regularised: what a set operation leaves of lower dimension vanishes. They never
    change after construction; two are equal when they were built alike.
    """

    _symbols: tuple[sp.Symbol, ...]
    _face_names: tuple[str, ...]
    _limits: tuple[tuple[float, float], ...]
    _aliases: Mapping[str, str] = {}
    _side_names: ClassVar[tuple[str, ...]] = ()

    @property
    def coordinates(self) -> tuple[sp.Symbol, ...]:
        """Space coordinates, in the order of the columns of point arrays."""
        return self._symbols

    @property
    def dimension(self) -> int:
        """Number of space coordinates."""
        return len(self._symbols)

    @property
    def faces(self) -> tuple[str, ...]:
        """Names of the faces."""
        return self._face_names

    @property
    def bounds(self) -> tuple[tuple[float, float], ...]:
        """Smallest box around the region: `((low, high), ...)`."""
        return self._limits

    @property
    def symbolic_bounds(self) -> tuple[tuple[sp.Expr, sp.Expr], ...] | None:
        """Exact ends of an interval, rectangle or box; None for other shapes."""
        return None

    @property
    def size(self) -> float:
        """Largest extent of the bounding box: the unit of tolerances."""
        return max(high - low for low, high in self._limits)

    def _slack(self, tolerance: float) -> float:
        """An absolute tolerance, with room for the rounding of the coordinates."""
        return tolerance * self.size + 1e-15 * float(np.abs(self._limits).max())

    @property
    @abstractmethod
    def measure(self) -> float:
        """Length, area or volume."""

    @abstractmethod
    def face_measure(self, face: str) -> float:
        """Number of ends, length or area of a face."""

    @abstractmethod
    def corners(self) -> np.ndarray:
        """Vertices of the boundary, `(k, d)`; none in one dimension."""

    @abstractmethod
    def corner_faces(self) -> list[tuple[np.ndarray, str, str]]:
        """Points where two faces meet, each with the names of both."""

    @abstractmethod
    def face_expression(self, face: str) -> sp.Expr | None:
        """Expression that vanishes on the face, None where the face is not one line or circle."""

    @abstractmethod
    def primitives(self) -> tuple[tuple[str, str, Any], ...]:
        """The pieces of the boundary: `(face, kind, data)`."""

    @abstractmethod
    def _distance(self, points: np.ndarray, faces: tuple[str, ...] | None) -> np.ndarray: ...

    @abstractmethod
    def _inside(self, points: np.ndarray) -> np.ndarray: ...

    @abstractmethod
    def _normals(self, points: np.ndarray, faces: tuple[str, ...]) -> np.ndarray: ...

    @abstractmethod
    def _combine(self, operation: str, other: Geometry) -> Geometry: ...

    @abstractmethod
    def _renamed(self, names: Mapping[str, str]) -> None: ...

    @abstractmethod
    def _recipe(self) -> dict[str, Any]: ...

    @abstractmethod
    def _cover(self) -> np.ndarray: ...

    @abstractmethod
    def _face_columns(self, face: str) -> int: ...

    @abstractmethod
    def _face_sizes(self, face: str) -> np.ndarray: ...

    @abstractmethod
    def _face_points(self, face: str, part: np.ndarray, unit: np.ndarray) -> np.ndarray: ...

    def _points(self, points: object) -> np.ndarray:
        try:
            array = np.asarray(points)
            array = np.empty(()) if np.iscomplexobj(array) else array.astype(float)
        except (TypeError, ValueError):
            array = np.empty(())
        if array.ndim != 2 or array.shape[1] != self.dimension:
            names = ", ".join(map(str, self.coordinates))
            raise PointsError(
                f"points of shape (n, {self.dimension}) with columns {names}",
                f"shape {array.shape}" if array.ndim else repr(points),
                "one row per point; without the time column",
            )
        if not np.isfinite(array).all():
            bad = int(np.flatnonzero(~np.isfinite(array).all(axis=1))[0])
            raise PointsError("finite coordinates", f"row {bad}: {array[bad]}", "drop points with NaN or infinity")
        return array

    def _known(self, face: object) -> tuple[str, ...]:
        names = face if isinstance(face, (tuple, list)) else (face,)
        unknown = [name for name in names if name not in self.faces]
        if unknown or not names:
            raise GeometryError(
                "a face among " + ", ".join(self.faces),
                ", ".join(map(repr, unknown)) or "nothing",
                face_advice(self, unknown[0]) if unknown else "use its name",
            )
        return tuple(names)

    def contains(self, points: np.ndarray, tolerance: float = 1e-12) -> np.ndarray:
        """Whether points lie in the closed region.

        Args:
            points: Array `(n, d)`.
            tolerance: Distance outside that still counts, in units of `size`.

        Returns:
            Booleans `(n,)`.

        Raises:
            PointsError: If the points are not `(n, d)` and finite.
        """
        return self.signed_distance(points) <= self._slack(tolerance)

    def signed_distance(self, points: np.ndarray) -> np.ndarray:
        """Exact Euclidean distance to the boundary, negative inside.

        Args:
            points: Array `(n, d)`.

        Returns:
            Distances `(n,)`.

        Raises:
            PointsError: If the points are not `(n, d)` and finite.
        """
        array = self._points(points)
        return np.where(self._inside(array), -1.0, 1.0) * self._distance(array, None)

    def on_face(self, face: str | tuple[str, ...], points: np.ndarray, tolerance: float = 1e-9) -> np.ndarray:
        """Whether points lie on a face.

        Args:
            face: Name of a face, or several names.
            points: Array `(n, d)`.
            tolerance: Distance that still counts, in units of `size`.

        Returns:
            Booleans `(n,)`.

        Raises:
            GeometryError: If there is no such face.
        """
        return self._distance(self._points(points), self._known(face)) <= self._slack(tolerance)

    def normals(self, face: str | tuple[str, ...], points: np.ndarray) -> np.ndarray:
        """Outward unit normals; on the rim of a hole they point into the hole.

        Args:
            face: Name of a face, or several names: the piece of them nearest to the point counts.
            points: Points on the face, `(n, d)`.

        Returns:
            Unit vectors `(n, d)`.

        Raises:
            GeometryError: If there is no such face.
        """
        return self._normals(self._points(points), self._known(face))

    def sample(self, n: int, method: str = "sobol", seed: int = 0, time: Time = None) -> np.ndarray:
        """Points strictly inside the region, of uniform density.

        Args:
            n: Number of points.
            method: "sobol", "hammersley", "latin", "uniform" or "grid", see `sciml.sampling.unit_points`.
            seed: Seed of the method.
            time: If given, points of the region times this time interval; time is the last column.

        Returns:
            Array `(n, d)`, or `(n, d + 1)` with time.

        Raises:
            GeometryError: If the region is too thin to hit.
            PointsError: If an argument is out of range.
        """
        interval = _interval(time)
        unit_points(0, 1, method, seed)  # checks both before any work
        points = interior_points(
            self._cover(), self.measure, self._strictly_inside, check_count(n), time is not None, method, seed
        )
        if points is None:
            raise GeometryError("a region with interior points", repr(self), "it is too thin for its size")
        return _with_time(points, interval)

    def _strictly_inside(self, points: np.ndarray) -> np.ndarray:
        return self.signed_distance(points) < -self._slack(1e-14)

    def sample_face(self, face: str, n: int, method: str = "sobol", seed: int = 0, time: Time = None) -> np.ndarray:
        """Points on a face, uniform in length or area, never on a vertex.

        Args:
            face: Name of the face.
            n: Number of points; an end of an interval is repeated.
            method: See `sample`.
            seed: Seed of the method.
            time: If given, points of the face times this time interval; time is the last column.

        Returns:
            Array `(n, d)`, or `(n, d + 1)` with time.

        Raises:
            GeometryError: If there is no such face.
            PointsError: If another argument is out of range.
        """
        self._known((face,))
        interval, columns = _interval(time), self._face_columns(face)
        part, unit = part_points(self._face_sizes(face), n, columns, int(time is not None), method, seed)
        placed = self._face_points(face, part, unit[:, :columns])
        return _with_time(np.hstack([placed, unit[:, columns:]]), interval)

    def rename(self, names: Mapping[str, str] | str) -> Geometry:
        """The same region with other names of faces.

        Args:
            names: `{old: new}`, or one name for the whole boundary; faces of equal name become one.

        Returns:
            A new geometry.

        Raises:
            GeometryError: If an old name is unknown or a new one is not usable.
        """
        if isinstance(names, str):
            names = dict.fromkeys(self.faces, names)
        if not isinstance(names, Mapping) or not names:
            raise GeometryError("names as {old: new}, or one name", repr(names), 'for instance {"left": "inlet"}')
        self._known(tuple(names))
        names = {old: check_name(new) for old, new in names.items()}
        new = copy.copy(self)
        current = self._aliases or {face: face for face in self.faces}
        new._aliases = {old: names.get(face, face) for old, face in current.items()}
        new._face_names = tuple(dict.fromkeys(names.get(face, face) for face in self.faces))
        new._renamed(names)
        return new

    def to_dict(self) -> dict[str, Any]:
        """A plain dictionary (text, numbers, lists) from which `geometry_from_dict` builds an equal geometry.

        Returns:
            The dictionary, ready for JSON.
        """
        recipe = self._recipe()
        return {"kind": "rename", "of": recipe, "names": dict(self._aliases)} if self._aliases else recipe

    def _with_names(self, text: str) -> str:
        """The text of a formula, with the names that `rename` gave."""
        changed = {old: new for old, new in self._aliases.items() if old != new}
        if not changed:
            return text
        return f"{text}.rename({changed})"

    def __sub__(self, other: object) -> Geometry:
        """The region without `other`."""
        return self._operate("difference", other)

    def __or__(self, other: object) -> Geometry:
        """The union with `other`."""
        return self._operate("union", other)

    def __and__(self, other: object) -> Geometry:
        """The intersection with `other`."""
        return self._operate("intersection", other)

    def _operate(self, operation: str, other: object) -> Geometry:
        if not isinstance(other, Geometry):
            raise GeometryError("a geometry", repr(other), "for instance Rectangle(...) - Disk(...)")
        if other.coordinates != self.coordinates:
            raise GeometryError(
                f"two geometries in the same coordinates {self.coordinates}",
                str(other.coordinates),
                "build both with the same symbols in the same order",
            )
        return self._combine(operation, other)

    def __eq__(self, other: object) -> bool:
        """Equal when built alike: same shapes, operations, coordinates and names."""
        if not isinstance(other, Geometry):
            return NotImplemented
        return self.coordinates == other.coordinates and self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        """Hash of the content."""
        return hash((self.coordinates, json.dumps(self.to_dict(), sort_keys=True)))


def _interval(time: object) -> Time:
    if time is None:
        return None
    try:
        start, end = map(float, time)  # type: ignore[call-overload]
    except (TypeError, ValueError):
        start, end = 0.0, 0.0
    if not (np.isfinite([start, end]).all() and start < end):
        raise PointsError("a time interval (t0, t1) with t0 < t1", repr(time), "for instance time=(0, 1)")
    return start, end


def _with_time(points: np.ndarray, time: Time) -> np.ndarray:
    """Stretch the last column from (0, 1) to the time interval."""
    if time is not None:
        start, end = time
        points[:, -1] = start + points[:, -1] * (end - start)
    return points
