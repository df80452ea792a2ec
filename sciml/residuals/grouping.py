"""Terms share the network: places that need the same derivatives are evaluated together, equal points once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from sciml.jets import Jet
from sciml.residuals.engines import Engine
from sciml.residuals.merging import Merged, merge, spread
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
    """Points of several places with all jets that any of them needs; `merged` where only a sum of some enters."""

    points: Tensor
    needed: tuple[Jet, ...]
    members: tuple[Member, ...]
    merged: Merged | None = None

    def evaluate(self, engine: Engine, model: nn.Module, parameters: bool) -> Tensor:
        """Jets of the network, (n, len(needed)); merged derivatives as their sum and zeros.

        Args:
            engine: The engine.
            model: The network.
            parameters: Whether they must be differentiable in the parameters.

        Returns:
            The jets.
        """
        if not merges(engine, self.merged):
            return engine.jets(model, self.points, self.needed, parameters)
        fewer, positions = merge(self.needed, self.merged or ())
        return spread(engine.jets(model, self.points, fewer, parameters), positions, len(self.needed))

    def tangent_map(self, engine: Engine, model: nn.Module) -> Callable[[Tensor], Tensor]:
        """Change of `evaluate` as a linear map of a change (P,) of the parameters.

        Args:
            engine: The engine.
            model: The network.

        Returns:
            The map.
        """
        if not merges(engine, self.merged):
            return engine.tangent_map(model, self.points, self.needed)
        fewer, positions = merge(self.needed, self.merged or ())
        change = engine.tangent_map(model, self.points, fewer)
        return lambda tangent: spread(change(tangent), positions, len(self.needed))

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


def merges(engine: Engine, merged: Merged | None) -> bool:
    """Whether an engine is to propagate merged second derivatives."""
    return merged is not None and getattr(engine, "merges_second_derivatives", False)


def group_places(places: Sequence[tuple[Tensor, tuple[Jet, ...], Merged | None]]) -> tuple[Group, ...]:
    """Group places by the derivatives that have to be propagated for them.

    A condition on values never meets the derivatives of the equations: the closed sets of multi-indices of a
    group are equal.

    Args:
        places: Points (n, d), needed jets and merged derivatives of every place.

    Returns:
        Groups that cover every place once.
    """
    alike: dict[tuple[tuple[Index, ...], Merged | None], list[int]] = {}
    for number, (points, needed, merged) in enumerate(places):
        key = closure({orders for _, orders in needed}, points.shape[1]) if needed else ()
        alike.setdefault((key, merged), []).append(number)
    return tuple(
        _group([(number, *places[number][:2]) for number in numbers], merged) for (_, merged), numbers in alike.items()
    )


def _group(places: Sequence[tuple[int, Tensor, tuple[Jet, ...]]], merged: Merged | None) -> Group:
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
    return Group(torch.cat([piece for _, piece in pieces]), needed, tuple(members), merged)
