"""The training loop: steps, fresh points, held-out residual, best state, budget, and reasons to stop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from sciml.errors import ConvergenceError
from sciml.points import PointSet
from sciml.resampling import Resampler
from solvers.pinn.monitor import Budget, History, Progress, record_values
from solvers.pinn.objective import Objective
from solvers.pinn.optimisers import Optimiser, Step


@dataclass(frozen=True)
class Phase:
    """Up to so many steps of one optimiser.

    Attributes:
        optimiser: The optimiser.
        steps: Most steps.
        look: Steps between looks at the held-out residual.
        renew: Steps between calls of the resampler, where it does not say itself.
    """

    optimiser: Optimiser
    steps: int
    look: int = 5
    renew: int = 10


@dataclass
class TrainingState:
    """Everything that a training needs to continue bit by bit.

    Attributes:
        theta: Present iterate.
        points: Present points.
        best: Iterate of the smallest held-out loss.
        best_points: Its points.
        best_held_out: That loss.
        phase: Index of the present phase.
        step: Steps done in all.
        phase_step: Steps done in the present phase.
        stuck: Fruitless steps in a row.
        history: Series recorded so far.
        used: CPU seconds so far.
    """

    theta: Tensor
    points: PointSet
    best: Tensor
    best_points: PointSet
    best_held_out: float = float("inf")
    phase: int = 0
    step: int = 0
    phase_step: int = 0
    stuck: int = 0
    history: History = field(default_factory=History)
    used: float = 0.0


@dataclass
class Training:
    """One training of one network.

    Attributes:
        objective: Objective on the training points.
        held_out: The same objective on points that are never trained on.
        phases: Optimisers in order.
        resampler: Chooses new points every `resampler.every` steps, or as often as the phase says.
        model: What the resampler may look at.
        budget: CPU time.
        progress: Bar and callbacks.
        tolerance: Root of the held-out loss at which to stop.
    """

    objective: Objective
    held_out: Objective
    phases: Sequence[Phase]
    resampler: Resampler
    model: nn.Module
    budget: Budget
    progress: Progress
    tolerance: float

    def run(self, state: TrainingState) -> str:
        """Train until there is a reason to stop; `state` is changed in place and always consistent.

        Args:
            state: Where to begin.

        Returns:
            The reason, in words.
        """
        reason = ""
        self._start(state)
        try:
            while not reason and state.phase < len(self.phases):
                reason = self._phase(state)
                if not reason:
                    state.phase, state.phase_step, state.stuck = state.phase + 1, 0, 0
        except KeyboardInterrupt:
            reason = "interrupted by the user"
        finally:
            self.progress.close()
            state.used = self.budget.used
        return reason or "all steps done"

    def _start(self, state: TrainingState) -> None:
        loss = self._look(state)
        if not np.isfinite(loss):
            self.progress.close()
            raise ConvergenceError(
                "a finite loss at the start",
                self._not_finite(state.theta),
                "check the data of the problem and the scale of the network's output",
            )
        if not len(state.history):
            evaluation = self.objective.evaluate(state.theta, False)
            figures = {"step": 0, "loss": evaluation.loss, "seconds": self.budget.used, "held out": loss}
            state.history.append(record_values(evaluation.parts, **figures))

    def _phase(self, state: TrainingState) -> str:
        phase, cost = self.phases[state.phase], 0.0
        while state.phase_step < phase.steps:
            if not self.budget.allows(cost):
                self._look(state)
                return "the time budget is spent"
            before = self.budget.used
            step = phase.optimiser.step(self.objective, state.theta)
            reason = self._advance(state, phase, step)
            cost = max(self.budget.used - before, 0.7 * cost)  # a step may cost as much again
            if reason == "next":
                return ""
            if reason:
                self._look(state)
                return reason
        return ""

    def _advance(self, state: TrainingState, phase: Phase, step: Step) -> str:
        if not (np.isfinite(step.loss) and bool(torch.isfinite(step.theta).all())):
            return self._not_finite(step.theta)
        state.theta, state.step, state.phase_step = step.theta, state.step + 1, state.phase_step + 1
        state.stuck = state.stuck + 1 if step.stuck else 0
        last = state.step % phase.look == 0 or bool(step.stuck)
        values = {"loss": step.loss, "seconds": self.budget.used, **step.numbers}
        if last:
            values["held out"] = self._look(state)
            state.history.append(
                record_values(self.objective.evaluate(state.theta, False).parts, step=state.step, **values)
            )
        if self.progress.update(state.step, values):
            return "a callback asked to stop"
        if state.best_held_out <= self.tolerance**2:
            return f"the held-out residual is below {self.tolerance:g}"
        patience = max(12 * phase.look, phase.steps // 5)
        if state.phase_step >= patience and self._stalled(state, patience):
            if state.phase + 1 < len(self.phases):
                return "next"
            return f"the held-out residual has not halved in {patience} steps"
        if state.stuck and (state.stuck > 2 or not self._resample(state, phase, force=True)):
            return "next"
        self._resample(state, phase)
        return ""

    def _look(self, state: TrainingState) -> float:
        """Held-out loss now; keep the iterate if it is the best so far."""
        loss = self.held_out.evaluate(state.theta, False).loss
        if loss < state.best_held_out:
            state.best, state.best_points, state.best_held_out = state.theta.clone(), state.points, loss
        return loss

    def _stalled(self, state: TrainingState, patience: int) -> bool:
        steps, losses = state.history.series.get("step", []), state.history.series.get("held out", [])
        old = [loss for step, loss in zip(steps, losses, strict=True) if step <= state.step - patience]
        return bool(old) and state.best_held_out > 0.5 * min(old)

    def _resample(self, state: TrainingState, phase: Phase, force: bool = False) -> bool:
        """New points where they are due; False where the resampler keeps the old ones."""
        if not force and state.step % (self.resampler.every or phase.renew):
            return False
        self.objective.load(state.theta)
        points = self.resampler.resample(self.objective.system.problem, self.model, state.points)
        if points is state.points:
            return False
        state.points = points
        self.objective.set_points(points)
        phase.optimiser.moved()
        return True

    def _not_finite(self, theta: Tensor) -> str:
        name, place = self.objective.worst(theta)
        where = ", ".join(f"{s}={v:.4g}" for s, v in zip(self.objective.system.problem.coordinates, place, strict=True))
        return f"the loss is not finite: term {name!r} near {where}; the last good state is returned"
