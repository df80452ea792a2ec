"""Columns of a point set: arrays checked one by one, and against each other."""

from __future__ import annotations

from numbers import Integral

import numpy as np

from sciml.errors import PointsError

_LARGEST_ID = 2**62


def row_advice(shape: tuple[int, ...], columns: int | None) -> str:
    """How an array of points should be given.

    Args:
        shape: The shape that was given.
        columns: Number of coordinates; None for any.

    Returns:
        What to change.

    Example:
        >>> row_advice((2,), 2), row_advice((2, 7), 2)
        ('one row per point, also for a single one: [[0.5, 0.1]]', 'one row per point: points.T')
    """
    if len(shape) == 1:
        one = ", ".join(["0.5", "0.1", "0.2", "0.3"][: columns or 2])
        return f"one row per point, also for a single one: [[{one}]]"
    if len(shape) > 2:
        return f"np.stack(np.meshgrid(...), axis=-1).reshape(-1, {columns or 2}) makes rows of a grid"
    if columns is not None and shape[0] == columns:
        return "one row per point: points.T"
    return "one row per point, with a column for every coordinate; time is the last one"


def number_array(values: object, what: str, dimensions: int, nan: bool = False) -> np.ndarray:
    """A copy of an array of finite numbers.

    Args:
        values: What the caller gave.
        what: Its name in the message.
        dimensions: 1 for shape `(n,)`, 2 for `(n, d)`.
        nan: Whether NaN is allowed.

    Returns:
        The copy, float64.

    Raises:
        PointsError: If shape or numbers are not as wanted.
    """
    shape = "(n, d)" if dimensions == 2 else "(n,)"
    try:
        array = np.array(values)
        real = (
            not np.ma.is_masked(values) and array.dtype.kind in "biufO"
        )  # neither text nor complex, which `astype` would convert
        array = array.astype(float) if real else array
    except (TypeError, ValueError):
        real = False
    if not real:
        raise PointsError(f"{what}: real numbers of shape {shape}", repr(values)[:120], "use a NumPy array")
    if array.ndim != dimensions or (dimensions == 2 and array.shape[1] == 0):
        raise PointsError(f"{what} of shape {shape}", f"shape {array.shape}", "one row per point")
    if not (np.isfinite(array) | (nan & np.isnan(array))).all():
        raise PointsError(f"finite {what}", "NaN or infinity", "drop these points")
    return array


def whole_array(values: object, what: str, count: int) -> np.ndarray:
    """A copy of an array of whole numbers, 0 or more.

    Args:
        values: What the caller gave.
        what: Its name in the message.
        count: Number of entries wanted.

    Returns:
        The copy, int64.

    Raises:
        PointsError: If shape or numbers are not as wanted.
    """
    try:
        array = np.array(values)
    except ValueError:  # ragged
        array = np.empty(())
    whole = array.shape == (count,) and (not count or array.dtype.kind in "iu")
    if not whole or (count and (array.min() < 0 or array.max() > _LARGEST_ID)):
        raise PointsError(f"{what}: {count} whole numbers, 0 or more", repr(values)[:120], "one per row of coordinates")
    return array.astype(np.int64)


def term_names(terms: object, kinds: object) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names and kinds of terms, checked.

    Args:
        terms: What the caller gave as names.
        kinds: What the caller gave as kinds; all "interior" if empty.

    Returns:
        Both as tuples of equal length.

    Raises:
        PointsError: If names are not different texts, or kinds not one text per name.
    """
    names = tuple(terms) if isinstance(terms, (tuple, list)) else ()
    if not names or not all(isinstance(name, str) for name in names) or len(set(names)) < len(names):
        raise PointsError("terms: a tuple of different names", repr(terms), 'for instance ("pde", "boundary")')
    found = tuple(kinds) if isinstance(kinds, (tuple, list)) else (kinds,)
    found = found or ("interior",) * len(names)
    if len(found) != len(names) or not all(isinstance(kind, str) for kind in found):
        raise PointsError(f"term_kinds: {len(names)} kinds, one per term", repr(kinds), "or leave term_kinds out")
    return names, found


def first_free(next_id: object, ids: np.ndarray) -> int:
    """The first id that was never used, checked.

    Args:
        next_id: What the caller gave; -1 for the one after the largest id.
        ids: All ids in use.

    Returns:
        The id.

    Raises:
        PointsError: If it is no whole number above all ids.
    """
    least = int(ids.max()) + 1 if len(ids) else 0
    if isinstance(next_id, bool) or not isinstance(next_id, Integral) or (next_id != -1 and next_id < least):
        raise PointsError(f"next_id above all ids: at least {least}", repr(next_id), "leave next_id out")
    return least if next_id == -1 else int(next_id)


def check_identity(coordinates: np.ndarray, ids: np.ndarray, term: np.ndarray | None) -> None:
    """One id is one place, and is in a term once.

    Args:
        coordinates: Coordinates of each entry, `(n, d)`.
        ids: Id of each entry, `(n,)`.
        term: Index of the term of each entry; None to allow repetitions.

    Raises:
        PointsError: If an id is at two places, or twice in a term.
    """
    if not len(ids) or (np.diff(ids) > 0).all():
        return
    _, first, inverse = np.unique(ids, return_index=True, return_inverse=True)
    moved = (coordinates != coordinates[first[inverse]]).any(axis=1)
    if moved.any():
        raise PointsError(
            "the same coordinates wherever an id appears",
            f"id {ids[moved][0]} at two places",
            "leave ids out for new points; merge(other, renumber=True) for sets sampled independently",
        )
    if term is not None and len(np.unique(inverse * (int(term.max()) + 1) + term)) < len(ids):
        raise PointsError("a point at most once per term", "a repeated pair (id, term)", "drop the repetition")


def check_values(value: np.ndarray, term: np.ndarray, terms: tuple[str, ...], kinds: tuple[str, ...]) -> None:
    """Every entry of an observation has the value that was observed.

    Args:
        value: Value of each entry, NaN where there is none, `(n,)`.
        term: Index of the term of each entry.
        terms: Names of the terms.
        kinds: Kinds of the terms.

    Raises:
        PointsError: If one has none: its residual would be NaN.
    """
    observed = np.array([kind == "observation" for kind in kinds], dtype=bool)[term]
    missing = np.flatnonzero(observed & np.isnan(value))
    if missing.size:
        raise PointsError(
            "an observed value for every point of an observation",
            f"{missing.size} without, the first in {terms[term[missing[0]]]!r}",
            "points.add(coordinates, term, value=...)",
        )
