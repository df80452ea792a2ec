"""Terms share the network: places that need the same derivatives are evaluated together, equal points once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from sciml.jets import Jet
from sciml.residuals.taylor import Index, closure


@dataclass(frozen=True, eq=False)
class Member:
    """Where the jets of one place lie in those of its group.

    Attributes:
        place: Number of the place.
        start: First row.
        count: Number of rows.
        columns: Columns, None for all of them in order.
    """

    place: int
    start: int
    count: int
    columns: tuple[int, ...] | None


@dataclass(frozen=True, eq=False)
class Group:
    """Points of several places with all jets that any of them needs."""

    points: Tensor
    needed: tuple[Jet, ...]
    members: tuple[Member, ...]

    def share(self, jets: Tensor, member: Member) -> Tensor:
        """The jets of one member, (n, k).

        Args:
            jets: Jets of the group.
            member: The member.

        Returns:
            Rows and columns of the member.
        """
        rows = jets if member.count == len(jets) else jets.narrow(0, member.start, member.count)
        if member.columns is None:
            return rows
        return torch.stack([rows[:, column] for column in member.columns], dim=1)


def group_places(places: Sequence[tuple[Tensor, tuple[Jet, ...]]]) -> tuple[Group, ...]:
    """Group places by the derivatives that have to be propagated for them.

    A condition on values never meets the derivatives of the equations: the closed sets of multi-indices of a
    group are equal.

    Args:
        places: Points (n, d) and needed jets of every place.

    Returns:
        Groups that cover every place once.
    """
    alike: dict[tuple[Index, ...], list[int]] = {}
    for number, (points, needed) in enumerate(places):
        key = closure({orders for _, orders in needed}, points.shape[1]) if needed else ()
        alike.setdefault(key, []).append(number)
    return tuple(_group([(number, *places[number]) for number in numbers]) for numbers in alike.values())


def _group(places: Sequence[tuple[int, Tensor, tuple[Jet, ...]]]) -> Group:
    needed = tuple(dict.fromkeys(jet for _, _, jets in places for jet in jets))
    pieces: list[tuple[int, Tensor]] = []
    members, total = [], 0
    for number, points, jets in places:
        start = next((start for start, piece in pieces if torch.equal(piece, points)), None)
        if start is None:
            start = total
            pieces.append((start, points))
            total += len(points)
        columns = tuple(needed.index(jet) for jet in jets)
        members.append(Member(number, start, len(points), None if columns == tuple(range(len(needed))) else columns))
    return Group(torch.cat([piece for _, piece in pieces]), needed, tuple(members))
