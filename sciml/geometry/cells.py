"""Unions of boxes as cells of one grid, with named facets; the same code in every dimension."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import reduce

import numpy as np

_RULES: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "union": np.logical_or,
    "intersection": np.logical_and,
    "difference": lambda first, second: first & ~second,
}


@dataclass(frozen=True)
class Facets:
    """Axis-parallel boundary pieces as arrays.

    Args:
        low: Lower corners `(k, d)`.
        high: Upper corners `(k, d)`; equal to `low` along the normal.
        axis: Axis of the normal `(k,)`.
        sign: Outward direction, 1 or -1, `(k,)`.
        label: Index of the name `(k,)`.
    """

    low: np.ndarray
    high: np.ndarray
    axis: np.ndarray
    sign: np.ndarray
    label: np.ndarray

    def of(self, labels: list[int]) -> Facets:
        """The facets with these labels.

        Args:
            labels: Indices of names.

        Returns:
            Part of the facets.
        """
        k = np.isin(self.label, labels)
        return Facets(self.low[k], self.high[k], self.axis[k], self.sign[k], self.label[k])

    @property
    def sizes(self) -> np.ndarray:
        """Number (1), length or area of each."""
        extent = self.high - self.low
        extent[np.arange(len(extent)), self.axis] = 1.0
        return extent.prod(axis=1)


@dataclass(frozen=True)
class Cells:
    """Which cells of a grid belong to the region, and the names of the walls between in and out.

    Args:
        knots: Per axis the increasing grid lines.
        inside: Boolean array, one entry per cell.
        labels: Per axis an array with one entry per wall across it: index into `names`, or -1.
        names: Names of the faces.
    """

    knots: tuple[np.ndarray, ...]
    inside: np.ndarray
    labels: tuple[np.ndarray, ...]
    names: tuple[str, ...]

    @classmethod
    def box(cls, bounds: np.ndarray, names: tuple[str, ...]) -> Cells:
        """One box.

        Args:
            bounds: Ends per axis `(d, 2)`.
            names: Names of the low and high side of each axis in turn.

        Returns:
            One cell.
        """
        d = len(bounds)
        walls = []
        for axis in range(d):
            shape = [1] * d
            shape[axis] = 2
            walls.append(np.array([2 * axis, 2 * axis + 1]).reshape(shape))
        return cls(tuple(np.array(ends) for ends in bounds), np.ones((1,) * d, dtype=bool), tuple(walls), names)

    def _resampled(self, knots: tuple[np.ndarray, ...], tolerance: float) -> tuple[np.ndarray, list[np.ndarray]]:
        """Cells and walls on a finer grid that has all knots of this one."""
        cells, walls = [], []
        for old, new in zip(self.knots, knots, strict=True):
            found = np.searchsorted(old, 0.5 * (new[1:] + new[:-1])) - 1
            cells.append(np.where(found < len(old) - 1, found, -1))
            nearest = np.abs(new[:, None] - old).argmin(axis=1)
            walls.append(np.where(np.abs(new - old[nearest]) <= tolerance, nearest, -1))
        inside = _take(self.inside, cells, False)
        labels = []
        for axis, array in enumerate(self.labels):
            index = [walls[k] if k == axis else cells[k] for k in range(len(cells))]
            labels.append(_take(array, index, -1))
        return inside, labels

    def combine(self, other: Cells, operation: str) -> Cells:
        """Regularised set operation; on common walls this region gives the name.

        Args:
            other: Another region of the same dimension.
            operation: "union", "intersection" or "difference".

        Returns:
            Cells with the names of both, this region's first, without merging equal names.
        """
        extent = max(max(a[-1], b[-1]) - min(a[0], b[0]) for a, b in zip(self.knots, other.knots, strict=True))
        largest = max(float(np.abs(k).max()) for k in (*self.knots, *other.knots))
        tolerance = 1e-12 * extent + 1e-15 * largest  # knots closer than this are one
        knots = tuple(_united(a, b, tolerance) for a, b in zip(self.knots, other.knots, strict=True))
        first, labels_first = self._resampled(knots, tolerance)
        second, labels_second = other._resampled(knots, tolerance)
        inside = _RULES[operation](first, second)
        labels = []
        for axis, (a, b) in enumerate(zip(labels_first, labels_second, strict=True)):
            named = np.where(a >= 0, a, np.where(b >= 0, b + len(self.names), -1))
            labels.append(np.where(_jumps(inside, axis) != 0, named, -1))
        return Cells(knots, inside, tuple(labels), self.names + other.names)._coarsened()

    def _coarsened(self) -> Cells:
        """Without grid lines that separate nothing."""
        cells = self
        for axis in range(len(self.knots)):
            inside, labels = cells.inside, cells.labels
            arrays = [inside, *(array for k, array in enumerate(labels) if k != axis)]
            changes = np.zeros(len(cells.knots[axis]) - 2, dtype=bool)
            for array in arrays:
                moved = np.moveaxis(array, axis, 0).reshape(array.shape[axis], -1)
                changes |= (moved[1:] != moved[:-1]).any(axis=1)
            keep_cells = np.concatenate([[True], changes])
            keep_knots = np.concatenate([[True], changes, [True]])
            cells = replace(
                cells,
                knots=tuple(k[keep_knots] if i == axis else k for i, k in enumerate(cells.knots)),
                inside=np.compress(keep_cells, inside, axis),
                labels=tuple(
                    np.compress(keep_knots if i == axis else keep_cells, array, axis) for i, array in enumerate(labels)
                ),
            )
        return cells

    def renamed(self, names: Mapping[int, str]) -> Cells:
        """Other names; equal names become one.

        Args:
            names: New name per index of the old names.

        Returns:
            The same cells.
        """
        new = tuple(dict.fromkeys(names[i] for i in range(len(self.names))))
        table = np.array([new.index(names[i]) for i in range(len(self.names))] + [-1])
        return replace(self, labels=tuple(table[array] for array in self.labels), names=new)

    def facets(self) -> Facets:
        """The boundary."""
        d = len(self.knots)
        parts = []
        for axis in range(d):
            jumps = _jumps(self.inside, axis)
            index = np.argwhere(jumps)
            low = np.stack([self.knots[k][index[:, k]] for k in range(d)], axis=1)
            high = np.stack([self.knots[k][index[:, k] + (k != axis)] for k in range(d)], axis=1)
            at = tuple(index.T)
            parts.append((low, high, np.full(len(index), axis), -jumps[at], self.labels[axis][at]))
        return Facets(*(np.concatenate(part) for part in zip(*parts, strict=True)))

    def boxes(self) -> np.ndarray:
        """Lower and upper corner of each cell inside, `(k, 2, d)`."""
        index = np.argwhere(self.inside)
        sides = [[k[index[:, i] + step] for i, k in enumerate(self.knots)] for step in (0, 1)]
        return np.moveaxis(np.array(sides), 2, 0)

    def contain(self, points: np.ndarray) -> np.ndarray:
        """Whether points lie in a cell of the region.

        Args:
            points: Array `(n, d)`.

        Returns:
            Booleans `(n,)`.
        """
        found = np.stack([np.searchsorted(k, points[:, i]) - 1 for i, k in enumerate(self.knots)])
        limits = np.array(self.inside.shape)[:, None]
        valid = ((found >= 0) & (found < limits)).all(axis=0)
        return valid & self.inside[tuple(np.clip(found, 0, limits - 1))]


def _united(first: np.ndarray, second: np.ndarray, tolerance: float) -> np.ndarray:
    """All knots of both, the first's where two agree."""
    new = second[np.abs(second[:, None] - first).min(axis=1) > tolerance]
    return np.sort(np.concatenate([first, new]))


def _take(array: np.ndarray, index: list[np.ndarray], missing: bool | int) -> np.ndarray:
    """Entries at an outer index, `missing` where it is -1."""
    valid = reduce(np.logical_and.outer, [i >= 0 for i in index])
    return np.where(valid, array[np.ix_(*index)], missing)


def _jumps(inside: np.ndarray, axis: int) -> np.ndarray:
    """1 where the region begins along the axis, -1 where it ends, 0 elsewhere."""
    width = [(1, 1) if k == axis else (0, 0) for k in range(inside.ndim)]
    return np.diff(np.pad(inside, width).astype(int), axis=axis)
