"""How many points a second-order training has, and when it needs others.

Few rows make cheap steps while the error is large; when the residual between the points exceeds the one on them, the
steps fit the points rather than the problem, and there must be more of them, or others.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sciml.ibvp import IBVP
from sciml.points import PointSet
from solvers.pinn.placement import Counts, counts_for_rows, counts_of, draw, renewed

FIRST, MOST = 0.5, 2.0  # rows per parameter at the start and in the end
FACTOR = 1.5
GAP = 4.0  # held-out loss over training loss at which the points have served their time
_LEAST = 500


@dataclass(frozen=True)
class Growth:
    """Numbers of points from `first` to `most`.

    Attributes:
        problem: The problem.
        satisfied: Terms without rows.
        first: Numbers at the start.
        most: Numbers in the end.
        seed: Seed.
    """

    problem: IBVP
    satisfied: Collection[str]
    first: Counts
    most: Counts
    seed: int

    @classmethod
    def by_rows(
        cls, problem: IBVP, satisfied: Collection[str], parameters: int, seed: int, counts: Counts | None, grows: bool
    ) -> Growth:
        """Numbers that fit a network.

        Args:
            problem: The problem.
            satisfied: Terms without rows.
            parameters: Number of parameters.
            seed: Seed.
            counts: Numbers that the user wants, from first to last.
            grows: Whether to start with fewer than in the end.

        Returns:
            The numbers.
        """
        most = counts or counts_for_rows(problem, satisfied, max(_LEAST, round(MOST * parameters)))
        first = most
        if grows and counts is None:
            first = counts_for_rows(problem, satisfied, max(_LEAST, round(FIRST * parameters)))
        return cls(problem, satisfied, first, most, seed)

    def enlarged(self, points: PointSet) -> PointSet:
        """More points where there may be more; the same object where there may not.

        Args:
            points: The present points.

        Returns:
            New points, drawn evenly, instead of all but measured and fixed ones.
        """
        now = counts_of(points)
        pairs = [(getattr(now, name), getattr(self.most, name)) for name in ("interior", "boundary", "initial")]
        if sum(present for present, _ in pairs) >= sum(most for present, most in pairs if present):
            return points  # a resampler may have moved points from one kind to another
        wanted = [min(round(FACTOR * present), most) if present < most else present for present, most in pairs]
        if not any(present and want > present for (present, _), want in zip(pairs, wanted, strict=True)):
            return points
        return renewed(points, draw(self.problem, self.satisfied, Counts(*wanted), self.seed + points.next_id))


def outgrown(losses: Sequence[float], held_out: Sequence[float]) -> bool:
    """Whether the last held-out loss tells that the points no longer stand for the problem.

    Args:
        losses: Losses on the training points at the looks so far.
        held_out: Held-out losses there.

    Returns:
        True where new points are due.

    Example:
        >>> outgrown([1e-2, 1e-6], [1e-2, 1e-4])
        True
    """
    return bool(held_out) and held_out[-1] > GAP * losses[-1]
