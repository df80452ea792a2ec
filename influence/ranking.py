"""Ranking: the most influential points, as IDs that print with what they are."""

from __future__ import annotations

from typing import Any

import numpy as np


class Ranking(np.ndarray):
    """IDs of points, the most influential first: an integer array that prints as a table.

    Wherever IDs are asked for it is an array like any other; a part or a copy of it prints as bare numbers.

    Attributes:
        table: The lines that are printed, or None.

    Example:
        >>> places = np.array([[0.5], [0.25]])
        >>> ids = ranking(np.array([7, 9]), places, ["pde", "data"], [-2.0, 1.0], "change of u", ("x",))
        >>> ids
        id  what  place     change of u
         7  pde   x = 0.5            -2
         9  data  x = 0.25            1
        >>> ids.tolist(), ids[:1]
        ([7, 9], array([7]))
    """

    table: str | None = None

    def __array_finalize__(self, source: Any) -> None:
        """Parts and results of operations have no table of their own."""
        self.table = None

    def __repr__(self) -> str:
        """The table."""
        return repr(np.asarray(self)) if self.table is None else self.table

    def __str__(self) -> str:
        """The table."""
        return str(np.asarray(self)) if self.table is None else self.table


def ranking(
    ids: np.ndarray, places: np.ndarray, kinds: Any, values: Any, meaning: str, coordinates: tuple[str, ...]
) -> Ranking:
    """IDs with what they are.

    Args:
        ids: The IDs, (k,).
        places: Coordinates, (k, d).
        kinds: What each point serves, (k,).
        values: Influence, (k,).
        meaning: What the values are: head of their column.
        coordinates: Names of the coordinates; further columns of the places are told by number.

    Returns:
        The IDs.
    """
    names = [*coordinates, *(f"column {i}" for i in range(len(coordinates), places.shape[1]))]
    rows = [("id", "what", "place", meaning)]
    for identity, kind, place, value in zip(ids, kinds, places, values, strict=True):
        where = ", ".join(f"{name} = {number:.4g}" for name, number in zip(names, place, strict=True))
        rows.append((str(identity), str(kind), where, f"{value:.3g}"))
    width = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = [f"{a:>{width[0]}}  {b:<{width[1]}}  {c:<{width[2]}}  {d:>{width[3]}}" for a, b, c, d in rows]
    found = np.asarray(ids).view(Ranking)
    found.table = "\n".join(lines)
    return found
