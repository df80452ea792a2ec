"""Indicators: every number that a diagnosis rests on, computed once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from influence.diagnosis.causality import TemporalCausality, temporal_causality
from influence.diagnosis.clusters import InfluenceClusters, influence_clusters
from influence.diagnosis.conflict import Conflict, Structure, conflict, excess_over_noise, structure_of_data
from influence.diagnosis.exam import Exam
from influence.diagnosis.free_pattern import FreePattern, free_pattern
from influence.diagnosis.held_out import HeldOut, held_out_residual
from influence.diagnosis.pictured import Pictured
from influence.diagnosis.progress import Sensitivity, Unfinished, sensitivity, unfinished_training
from influence.diagnosis.regions import Proximity, proximity
from influence.diagnosis.self_influence import SelfInfluence, row_kinds, self_influence
from influence.diagnosis.shares import (
    Cancellation,
    ComponentRatio,
    InitialShare,
    cancellation,
    component_ratio,
    initial_share,
)
from sciml.errors import SolverError

Result = TypeVar("Result")


@dataclass(frozen=True, eq=False)
class Indicators:
    """All indicators of one exam; what does not apply is None.

    Attributes:
        exam: What was asked.
    """

    exam: Exam

    @cached_property
    def ratio(self) -> ComponentRatio:
        """Share of the components in the influence."""
        return component_ratio(self.exam.scores)

    @cached_property
    def cancellation(self) -> Cancellation:
        """How far components at one point cancel."""
        return cancellation(self.exam.scores)

    @cached_property
    def initial_labels(self) -> tuple[str, ...]:
        """Components of initial conditions that have rows."""
        problem = self.exam.influence.problem
        if problem is None:
            return tuple(name for name in self.ratio.names if name.startswith("initial"))
        own = {part for term in problem.terms if term.kind == "initial" for part in term.components}
        return tuple(name for name in self.ratio.names if name in own)

    @property
    def timed(self) -> bool:
        """Whether there is time."""
        problem = self.exam.influence.problem
        return problem is not None and problem.time is not None

    @cached_property
    def causality(self) -> TemporalCausality | None:
        """Temporal causality."""
        exam = self.exam
        if not self.timed:
            return None
        return _or_none(lambda: temporal_causality(exam.scores, permutations=exam.permutations, seed=exam.seed))

    @cached_property
    def initial(self) -> InitialShare | None:
        """Share of the initial condition over time."""
        exam, labels = self.exam, self.initial_labels
        if not labels or not self.timed:
            return None
        return _or_none(lambda: initial_share(exam.scores, labels, permutations=exam.permutations, seed=exam.seed))

    @cached_property
    def proximity(self) -> Proximity | None:
        """How near the influence comes from."""
        return _or_none(lambda: proximity(self.exam.scores, seed=self.exam.seed))

    @cached_property
    def clusters(self) -> InfluenceClusters | None:
        """Kinds of predictions."""
        return _or_none(lambda: influence_clusters(self.exam.scores, seed=self.exam.seed))

    @cached_property
    def held_out(self) -> HeldOut:
        """Residuals on training and new points."""
        return held_out_residual(self.exam.influence, self.exam.permutations, self.exam.seed)

    @cached_property
    def self_influence(self) -> SelfInfluence:
        """Cook's distances."""
        return self_influence(self.exam.influence)

    @cached_property
    def conflict(self) -> Conflict:
        """Which group of rows contradicts the rest."""
        return conflict(self.exam.influence)

    @cached_property
    def structures(self) -> list[Structure]:
        """Whether residuals of observations are noise."""
        return structure_of_data(self.exam.influence, self.exam.permutations, self.exam.seed)

    @cached_property
    def excess(self) -> dict[str, tuple[float, float]]:
        """Residuals of the other rows against what noise of the observations causes."""
        return excess_over_noise(self.exam.influence, seed=self.exam.seed)

    @cached_property
    def unfinished(self) -> Unfinished:
        """What one more step gains; five, where rows contradict each other or are left unexplained."""
        accuracy = self.exam.accuracy
        doubtful = self.tension > accuracy or bool((self.held_out.unexplained > accuracy).any())
        return unfinished_training(self.exam.influence, 5 if doubtful else 1)

    @cached_property
    def sensitivity(self) -> Sensitivity | None:
        """How strongly parameters act."""
        model = getattr(self.exam.solution, "model", None)
        return sensitivity(self.exam.influence, model, self.exam.gradient)

    @cached_property
    def free(self) -> FreePattern | None:
        """What can be added to predictions at hardly any residual."""
        return free_pattern(self.exam)

    @cached_property
    def kinds(self) -> dict[str, str]:
        """Component -> "equation", "condition" or the name of its observations."""
        labels = self.exam.influence.record.rows.labels.astype(str)
        return dict(zip(labels.tolist(), row_kinds(self.exam.influence).tolist(), strict=True))

    @cached_property
    def determined(self) -> dict[str, float]:
        """Component -> number of parameters that its rows determine, Σ h."""
        labels, leverage = self.exam.influence.record.rows.labels.astype(str), self.exam.influence.leverage
        return {name: float(leverage[labels == name].sum()) for name in self.held_out.names}

    @cached_property
    def tension(self) -> float:
        """½ mean_z Σ_x |I(x, z)|: how far predictions are pulled to and fro, in units of the spread.

        At a minimum the pulls cancel; if they are large, the prediction is a compromise of contradicting rows.
        """
        by_row = self.exam.scores.by_row
        assert by_row is not None
        return 0.5 * float(np.abs(by_row).sum(axis=1).mean())

    @cached_property
    def fresh(self) -> float:
        """Change of predictions when held-out points join the training, in units of the spread."""
        step = self.held_out.step
        return 0.0 if step is None else self.exam.change(step)

    @cached_property
    def further(self) -> float:
        """Change of predictions by going on with the training, in units of the spread."""
        return self.exam.change(self.unfinished.step)

    @cached_property
    def unexplained(self) -> dict[str, float]:
        """Component -> share that is left unexplained; NaN where sizes are not known."""
        return dict(zip(self.held_out.names, self.held_out.unexplained.tolist(), strict=True))

    def pictures(self) -> Iterator[Pictured]:
        """Those that can be drawn, in the order of the card."""
        found: list[Any] = [
            self.ratio, self.initial, self.causality, self.held_out, self.self_influence,
            self.conflict if len(self.conflict.names) else None, self.sensitivity, self.clusters, self.proximity,
            self.free if self.free is not None and self.free.alone else None,
        ]  # fmt: skip
        if self.cancellation.values.size:
            found.append(self.cancellation)
        yield from (one for one in found if one is not None)


def _or_none(make: Callable[[], Result]) -> Result | None:
    """An indicator, or None where it does not apply: predictions without places, or without any influence."""
    try:
        return make()
    except SolverError:
        return None
