"""Points of the terms of a problem, with stable ids and quadrature weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sciml.errors import PointsError
from sciml.point_arrays import (
    check_identity,
    check_values,
    first_free,
    number_array,
    term_names,
    whole_array,
)
from sciml.point_weights import scaled_weights, term_sums, uniform_weights


@dataclass(frozen=True, eq=False)
class PointSet:
    """Memberships of points in the terms of an objective; one entry is one membership.

    A point that serves several terms has one entry in each, with the same id and the same coordinates. Ids
    never change and are never used again; arrays are read-only, every change gives a new set.

    Args:
        coordinates: Coordinates of each entry, `(n, d)`, time last.
        ids: Id of the point of each entry, `(n,)`; numbered 0, 1, ... if None.
        term: Index into `terms` of each entry, `(n,)`; all 0 if None.
        terms: Names of the terms.
        weight: Quadrature weight of each entry, `(n,)`; `1/(entries of the term)` if None.
        value: Observed value of each entry, `(n,)`, NaN where there is none.
        next_id: The first id that was never used.
        term_kinds: Kind of each term: "interior", "boundary", "initial", "observation" or "point".

    Raises:
        PointsError: If shapes disagree, numbers are not finite, or ids and coordinates contradict.

    Example:
        >>> points = PointSet(np.array([[0.0], [0.5], [1.0]]), terms=("pde",))
        >>> points.remove([1]).add([[0.25]], "pde").ids
        array([0, 2, 3])
    """

    coordinates: np.ndarray
    ids: np.ndarray = None  # type: ignore[assignment]
    term: np.ndarray = None  # type: ignore[assignment]
    terms: tuple[str, ...] = ("pde",)
    weight: np.ndarray = None  # type: ignore[assignment]
    value: np.ndarray = None  # type: ignore[assignment]
    next_id: int = -1
    term_kinds: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Fill what was left out, check everything, and lock the arrays."""
        coordinates = number_array(self.coordinates, "coordinates", 2)
        count = len(coordinates)
        ids = whole_array(np.arange(count) if self.ids is None else self.ids, "ids", count)
        term = whole_array(np.zeros(count, dtype=int) if self.term is None else self.term, "term", count)
        terms, kinds = term_names(self.terms, self.term_kinds)
        if count and term.max() >= len(terms):
            raise PointsError(f"term: indices below {len(terms)}", str(term.max()), "one name in `terms` per index")
        weight = uniform_weights(term) if self.weight is None else number_array(self.weight, "weight", 1)
        value = np.full(count, np.nan) if self.value is None else number_array(self.value, "value", 1, nan=True)
        if len(weight) != count or len(value) != count or (weight < 0.0).any():
            raise PointsError(
                f"{count} weights, 0 or more, and {count} values",
                f"{len(weight)} weights ({int((weight < 0.0).sum())} negative), {len(value)} values",
                "one of each per row of coordinates",
            )
        next_id = first_free(self.next_id, ids)
        check_identity(coordinates, ids, term)
        check_values(value, term, terms, kinds)
        arrays = {"coordinates": coordinates, "ids": ids, "term": term, "weight": weight, "value": value}
        for name, array in arrays.items():
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        for name, entry in (("terms", terms), ("next_id", next_id), ("term_kinds", kinds)):
            object.__setattr__(self, name, entry)

    def __len__(self) -> int:
        """Number of entries."""
        return len(self.ids)

    def __eq__(self, other: object) -> bool:
        """Equal in every entry and name."""
        if not isinstance(other, PointSet):
            return NotImplemented
        plain = (self.terms, self.term_kinds, self.next_id) == (other.terms, other.term_kinds, other.next_id)
        names = ("coordinates", "ids", "term", "weight", "value")
        return plain and all(
            np.array_equal(getattr(self, name), getattr(other, name), equal_nan=name == "value") for name in names
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        """Counts per term."""
        counts = np.bincount(self.term, minlength=len(self.terms))
        inner = ", ".join(f"{name}: {count}" for name, count in zip(self.terms, counts, strict=True))
        return f"PointSet({len(np.unique(self.ids))} points; {inner})"

    @property
    def kinds(self) -> np.ndarray:
        """Kind of the term of each entry, `(n,)`."""
        return np.array(self.term_kinds, dtype=object)[self.term]

    def _index(self, term: object) -> int:
        if term not in self.terms:
            raise PointsError("a term among " + ", ".join(map(repr, self.terms)), repr(term), "use its name")
        return self.terms.index(term)

    def mask(self, term: str) -> np.ndarray:
        """Which entries belong to a term.

        Args:
            term: Name of the term.

        Returns:
            Booleans `(n,)`.

        Raises:
            PointsError: If there is no such term.
        """
        return self.term == self._index(term)

    def _rows(self, rows: np.ndarray) -> PointSet:
        names = ("coordinates", "ids", "term", "weight", "value")
        return replace(self, **{name: getattr(self, name)[rows] for name in names})

    def take(self, rows: Any) -> PointSet:
        """Some entries, or all in another order; ids, weights and `next_id` stay.

        Args:
            rows: Booleans `(n,)`, or indices of entries, each at most once.

        Returns:
            A new set.

        Raises:
            PointsError: If an index is out of range or given twice, or there are not `n` booleans.

        Example:
            >>> points = PointSet(np.array([[0.0], [0.5], [1.0]]))
            >>> points.take(np.argsort(-points.coordinates[:, 0])).ids
            array([2, 1, 0])
        """
        array = np.asarray(rows)
        if array.dtype == bool and array.shape == (len(self),):
            return self._rows(array)
        index = whole_array(array, "rows", array.size)
        increasing = bool((np.diff(index) > 0).all())
        if index.size and (index.max() >= len(self) or not (increasing or len(np.unique(index)) == index.size)):
            raise PointsError(f"rows: different indices below {len(self)}", repr(rows)[:120], "or n booleans")
        return self._rows(index)

    def of(self, term: str) -> PointSet:
        """The entries of one term; names, weights and `next_id` stay.

        Args:
            term: Name of the term.

        Returns:
            Part of the set.

        Raises:
            PointsError: If there is no such term.
        """
        return self._rows(self.mask(term))

    def ids_of(self, term: str) -> np.ndarray:
        """Ids of the points of a term, in the order of its entries.

        Args:
            term: Name of the term.

        Returns:
            Ids `(k,)`.

        Raises:
            PointsError: If there is no such term.
        """
        return self.ids[self.mask(term)]

    def _present(self, ids: object) -> np.ndarray:
        array = np.atleast_1d(np.asarray(ids))
        if array.size == 0:
            return np.empty(0, dtype=np.int64)
        if array.ndim != 1 or array.dtype.kind not in "iu":
            raise PointsError("ids: whole numbers", repr(ids), "for instance points.ids[:3]")
        missing = np.setdiff1d(array, self.ids)
        if missing.size:
            raise PointsError("ids of points in the set", f"unknown: {missing[:8].tolist()}", "see points.ids")
        return array.astype(np.int64)

    def locate(self, ids: Sequence[int] | np.ndarray) -> np.ndarray:
        """Coordinates of points.

        Args:
            ids: Ids, in any order.

        Returns:
            Array `(len(ids), d)`.

        Raises:
            PointsError: If an id is unknown.
        """
        wanted = self._present(ids)
        order = np.argsort(self.ids, kind="stable")
        return self.coordinates[order[np.searchsorted(self.ids[order], wanted)]]

    def remove(self, ids: Sequence[int] | np.ndarray, renormalise: bool = True) -> PointSet:
        """The set without some points: all their entries go together.

        Args:
            ids: Ids of the points.
            renormalise: Scale the remaining weights of each term back to their former sum.

        Returns:
            A new set; the removed ids are not used again.

        Raises:
            PointsError: If an id is unknown.
        """
        rest = self._rows(~np.isin(self.ids, self._present(ids)))
        return rest.with_weight(rest.weight, self._sums()) if renormalise else rest

    def move(self, ids: Sequence[int] | np.ndarray, coordinates: Any) -> PointSet:
        """The set with some points at other places: all entries of a point move together and keep its id.

        Args:
            ids: Ids of the points, each once.
            coordinates: Their new coordinates, `(len(ids), d)`.

        Returns:
            A new set.

        Raises:
            PointsError: If an id is unknown or given twice, or the shape is wrong.
        """
        moved, new = self._present(ids), number_array(coordinates, "coordinates", 2)
        if new.shape != (len(moved), self.coordinates.shape[1]) or len(np.unique(moved)) < len(moved):
            raise PointsError(
                f"different ids, and one row of {self.coordinates.shape[1]} coordinates for each",
                f"{len(moved)} ids and coordinates of shape {new.shape}",
                "time is the last column",
            )
        order = np.argsort(moved)
        entries = np.isin(self.ids, moved)
        changed = self.coordinates.copy()
        changed[entries] = new[order[np.searchsorted(moved[order], self.ids[entries])]]
        return replace(self, coordinates=changed)

    def add(
        self,
        coordinates: Any,
        term: str,
        weight: Any = None,
        value: Any = None,
        ids: Sequence[int] | np.ndarray | None = None,
    ) -> PointSet:
        """The set with new entries in a term, whose weights then sum to 1.

        Args:
            coordinates: Points `(k, d)`.
            term: Name of the term.
            weight: Weights before normalisation, on the scale of the present ones; their mean if None.
            value: Observed values `(k,)`.
            ids: Ids of points that are in the set already, to let them serve this term too; new if None.

        Returns:
            A new set.

        Raises:
            PointsError: If shapes disagree, the term is unknown, or an id belongs to another place.
        """
        index, new = self._index(term), number_array(coordinates, "coordinates", 2)
        count = len(new)
        if new.shape[1] != self.coordinates.shape[1]:
            raise PointsError(
                f"points with {self.coordinates.shape[1]} columns",
                f"{new.shape[1]} columns",
                "time is the last column",
            )
        present = self.weight[self.mask(term)]
        if weight is None:
            weight = np.full(count, present.mean() if present.size and present.any() else 1.0)
        fresh = np.arange(self.next_id, self.next_id + count) if ids is None else whole_array(ids, "ids", count)
        self._check_reused(fresh[fresh < self.next_id])
        joined = PointSet(
            np.concatenate([self.coordinates, new]),
            np.concatenate([self.ids, fresh]),
            np.concatenate([self.term, np.full(count, index)]),
            self.terms,
            np.concatenate([self.weight, number_array(weight, "weight", 1)]),
            np.concatenate([
                self.value,
                np.full(count, np.nan) if value is None else number_array(value, "value", 1, nan=True),
            ]),
            max([self.next_id, *(int(i) + 1 for i in fresh)]),
            self.term_kinds,
        )
        sums = self._sums()
        sums[index] = 1.0
        return joined.with_weight(joined.weight, sums)

    def _check_reused(self, ids: np.ndarray) -> None:
        gone = np.setdiff1d(ids, self.ids)
        if gone.size:
            raise PointsError(
                "ids of points in the set, or new ones",
                f"removed earlier: {gone[:8].tolist()}",
                "leave ids out",
            )

    def merge(self, other: PointSet, renumber: bool = False) -> PointSet:
        """Entries of both sets; weights of each term then sum to 1, in proportion to the numbers of entries.

        Args:
            other: Another set with as many coordinates.
            renumber: Give the points of `other` new ids; otherwise equal ids are the same point.

        Returns:
            A new set; entries that are in both appear once.

        Raises:
            PointsError: If the same id has different coordinates, or a term different kinds.
        """
        if not isinstance(other, PointSet) or other.coordinates.shape[1] != self.coordinates.shape[1]:
            raise PointsError(f"a PointSet with {self.coordinates.shape[1]} columns", repr(other), "sample it alike")
        terms = tuple(dict.fromkeys(self.terms + other.terms))
        pairs = (
            *zip(self.terms, self.term_kinds, strict=True),
            *zip(other.terms, other.term_kinds, strict=True),
        )
        kinds = dict(pairs)
        if any(kinds[name] != kind for name, kind in pairs):
            raise PointsError("terms of one kind", "a term of two kinds", "merge point sets of the same problem")
        shift = self.next_id if renumber else 0
        table = np.array([terms.index(name) for name in other.terms], dtype=int)
        term, ids = table[other.term], other.ids + shift
        known = set(zip(self.ids.tolist(), self.term.tolist(), strict=True))
        twice = [entry in known for entry in zip(ids.tolist(), term.tolist(), strict=True)]
        check_identity(
            np.concatenate([self.coordinates, other.coordinates]),
            np.concatenate([self.ids, ids]),
            None,
        )
        keep = ~np.array(twice, dtype=bool)
        counts = [np.bincount(part, minlength=len(terms)).astype(float) for part in (self.term, term)]
        joined = PointSet(
            np.concatenate([self.coordinates, other.coordinates[keep]]),
            np.concatenate([self.ids, ids[keep]]),
            np.concatenate([self.term, term[keep]]),
            terms,
            # a weight times its number of entries is a density, which both sets share
            np.concatenate([self.weight * counts[0][self.term], (other.weight * counts[1][term])[keep]]),
            np.concatenate([self.value, other.value[keep]]),
            max(self.next_id, other.next_id + shift),
            tuple(kinds[name] for name in terms),
        )
        return joined.with_weight(joined.weight)

    def with_weight(self, weight: Any, total: float | np.ndarray | None = 1.0) -> PointSet:
        """The set with other weights.

        Args:
            weight: One weight per entry, `(n,)`.
            total: What the weights of each term are scaled to sum to (one number, or one per term); None
                leaves them as they are.

        Returns:
            A new set.

        Raises:
            PointsError: If there are not `n` finite weights, 0 or more, or all weights of a term are 0.
        """
        new = replace(self, weight=number_array(weight, "weight", 1))
        if total is None:
            return new
        return replace(new, weight=scaled_weights(new.weight, new.term, new.terms, total))

    def _sums(self) -> np.ndarray:
        return term_sums(self.weight, self.term, len(self.terms))
