"""Sharding of points: which rank holds which entries, and where its rows stand among all rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from sciml.point_set import PointSet

_COLUMNS = ("coordinates", "ids", "term", "weight", "value")


@dataclass(frozen=True, eq=False)
class Sharding:
    """Every term's entries cut into as many consecutive pieces as there are ranks, sizes differing by one at most.

    Rows are ordered term by term, point by point, component last, on every rank as in one process.

    Attributes:
        points: All points.
        pieces: Entries of each rank, in the order of the terms.
        places: Rows of each rank among all rows.
    """

    points: PointSet
    pieces: tuple[np.ndarray, ...]
    places: tuple[Tensor, ...]

    @classmethod
    def of(cls, points: PointSet, components: Mapping[str, int], size: int) -> Sharding:
        """Cut a set of points.

        Args:
            points: The points.
            components: Number of rows per point of each term.
            size: Number of ranks.

        Returns:
            The sharding.

        Example:
            >>> points = PointSet(np.arange(5.0)[:, None], terms=("pde",))
            >>> [piece.tolist() for piece in Sharding.of(points, {"pde": 1}, 2).pieces]
            [[0, 1, 2], [3, 4]]
        """
        pieces: list[list[np.ndarray]] = [[] for _ in range(size)]
        places: list[list[np.ndarray]] = [[] for _ in range(size)]
        first = 0
        for number, name in enumerate(points.terms):
            entries = np.flatnonzero(points.term == number)
            count = components.get(name, 1)
            rows = first + np.arange(len(entries) * count).reshape(len(entries), count)
            first += rows.size
            turn = number % size  # ranks take turns at having one entry more
            for part, (own, lines) in enumerate(
                zip(np.array_split(entries, size), np.array_split(rows, size), strict=True)
            ):
                pieces[(part + turn) % size].append(own)
                places[(part + turn) % size].append(lines.reshape(-1))
        return cls(
            points,
            tuple(np.concatenate(parts) for parts in pieces),
            tuple(torch.from_numpy(np.concatenate(parts)) for parts in places),
        )

    @property
    def rows(self) -> int:
        """Number of all rows."""
        return sum(map(len, self.places))

    def shares(self) -> list[PointSet]:
        """The points of each rank; their weights stay shares of the whole."""
        return [
            replace(self.points, **{name: getattr(self.points, name)[own] for name in _COLUMNS}) for own in self.pieces
        ]

    def joined(self, parts: list[Tensor]) -> Tensor:
        """Rows (N, ...) in the order of one process from the rows of each rank."""
        whole = parts[0].new_empty(self.rows, *parts[0].shape[1:])
        for place, part in zip(self.places, parts, strict=True):
            whole[place.to(whole.device)] = part.to(whole.device)
        return whole
