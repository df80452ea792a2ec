"""Resamplers that look at nothing but the geometry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from sciml.errors import SolverError
from sciml.ibvp import IBVP
from sciml.points import PointSet
from solvers.pinn.placement import Counts, draw, renewed


@dataclass
class Fixed:
    """The points stay."""

    every: int | None = 10**9

    def resample(self, problem: IBVP, model: Any, points: PointSet) -> PointSet:
        """The same points.

        Args:
            problem: The problem.
            model: Not used.
            points: The present points.

        Returns:
            `points`.
        """
        return points


@dataclass
class RandomResample:
    """New Sobol points, as many as there are, every so many steps.

    Args:
        every: Steps between draws; None leaves it to the optimiser.
        seed: Seed of the first draw.

    Raises:
        SolverError: If `every` is not a positive whole number.
    """

    every: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        """Check `every`.

        Raises:
            SolverError: If it is not a positive whole number.
        """
        if self.every is not None and self.every < 1:
            raise SolverError("every >= 1, or None", str(self.every), "RandomResample(every=10)")

    def resample(self, problem: IBVP, model: Any, points: PointSet) -> PointSet:
        """New points with new IDs; measured and fixed points stay.

        Args:
            problem: The problem.
            model: Not used.
            points: The present points.

        Returns:
            The new set.
        """
        present = [name for name in points.terms if points.mask(name).any()]
        absent = [name for name in points.terms if name not in present]
        numbers = {kind: _largest(points, kind) for kind in ("interior", "boundary", "initial")}
        # the first free ID differs after every draw, so that it makes a seed without any state
        seed = int(np.random.SeedSequence([self.seed, points.next_id]).generate_state(1)[0])
        return renewed(points, draw(problem, absent, Counts(**numbers), seed))


def _largest(points: PointSet, kind: str) -> int:
    sizes = [int(points.mask(n).sum()) for n, k in zip(points.terms, points.term_kinds, strict=True) if k == kind]
    return max(sizes, default=0)
