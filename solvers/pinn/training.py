"""The training loop: steps, fresh points, held-out residual, best state, budget, and reasons to stop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from sciml.errors import ConvergenceError, TeamError
from sciml.points import PointSet
from sciml.resampling import Resampler, TrainingView, check_points
from solvers.pinn.faults import Trouble, not_finite
from solvers.pinn.growth import Growth, outgrown
from solvers.pinn.monitor import Budget, BudgetSpentError, History, Progress, Run, record_values
from solvers.pinn.objective import Objective
from solvers.pinn.optimisers import Optimiser, Step
from solvers.pinn.weighting.scheme import Weighting

_SPENT = "the time budget is spent"


@dataclass(frozen=True)
class Phase:
    """Up to so many steps of one optimiser.

    Attributes:
        optimiser: The optimiser.
        steps: Most steps.
        look: Steps between looks at the held-out residual.
        renew: Steps between calls of the resampler of first-order methods, where it does not say itself.
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
        best_scale: λ by component with which the best iterate was trained.
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
    best_scale: dict[str, float] = field(default_factory=dict)


@dataclass
class Training:
    """One training of one network.

    Attributes:
        objective: Objective on the training points.
        held_out: The same objective on points that are never trained on.
        phases: Optimisers in order.
        resampler: Chooses new points every `resampler.every` steps; without that, when they are outgrown.
        model: What the resampler may look at.
        budget: CPU time.
        progress: Bar and callbacks.
        tolerance: Root of the held-out loss at which to stop.
        weighting: Scheme that changes the weights during the training.
        growth: Numbers of points; None where they stay as they are.
    """

    objective: Objective
    held_out: Objective
    phases: Sequence[Phase]
    resampler: Resampler
    model: nn.Module
    budget: Budget
    progress: Progress
    tolerance: float
    weighting: Weighting = field(default_factory=Weighting)
    growth: Growth | None = None

    def __post_init__(self) -> None:
        """Keep the weights without any scheme, and refuse a scheme that an optimiser cannot follow."""
        self.scale = dict(self.objective.scale)
        self._cost, self.between, self._choosing = 0.0, False, 0.0
        for phase in self.phases:
            self.weighting.check(phase.optimiser)

    def run(self, state: TrainingState, view: Run | None = None) -> str:
        """Train until there is a reason to stop; `state` is changed in place and always consistent.

        Args:
            state: Where to begin.
            view: What callbacks may see of the training.

        Returns:
            The reason, in words; a `Trouble` where the training failed.
        """
        reason, self._cost, self.between = "", 0.0, False
        try:
            self._start(state)
            self.between = True
            if view is not None:
                self.progress.begin(view)
            while not reason:
                reason = self._one(state)
        except KeyboardInterrupt:
            self._end(state)
            reason = "interrupted by the user"
        finally:
            self.objective.watch = None
            state.used = self.budget.used
            self.progress.close()
        return reason

    def _end(self, state: TrainingState) -> None:
        """Let the callbacks see the last state that can be continued, then look at the held-out residual."""
        self.objective.watch = None
        if self.between:
            self.progress.finish()
        self._look(state)

    def _start(self, state: TrainingState) -> None:
        continued = len(state.history) > 0
        self._weigh(state, due=not continued)
        if continued:  # a look that the schedule does not have would change the best state
            return
        loss = self._look(state)
        if not np.isfinite(loss):
            raise ConvergenceError(
                "a finite loss at the start",
                not_finite(self.held_out, state.theta, state.theta),
                "check the data of the problem and the scale of the network's output",
            )
        evaluation = self.objective.evaluate(state.theta, False)
        figures = {"step": 0, "loss": evaluation.loss, "seconds": self.budget.used, "held out": loss}
        state.history.append(record_values(evaluation.parts, **figures))

    def _one(self, state: TrainingState) -> str:
        """One step of the present phase, or the change to the next one."""
        phase = self.phases[state.phase]
        if state.phase_step >= phase.steps and self._next(state):
            return ""
        if state.phase_step >= phase.steps or not self.budget.allows(self._cost):
            self._end(state)
            return "all steps done" if state.phase_step >= phase.steps else _SPENT
        before, self.between = self.budget.used, False
        self.objective.watch = self.budget.check
        try:
            step = phase.optimiser.step(self.weighting.wrap(self.objective), state.theta)
            self.objective.watch = None
            reason, values = self._advance(state, phase, step)
        except BudgetSpentError:
            reason, values = _SPENT, {}
        except TeamError:  # nothing can be evaluated any more; what is on the disk remains
            raise
        except Exception as error:
            if state.step == 0:  # nothing to lose yet; later, hours of training are worth more than a traceback
                raise
            reason = Trouble(f"the training failed: {type(error).__name__}: {error}; the last good state is returned")
        self._cost = max(self.budget.used - before, 0.7 * self._cost)  # a step may cost as much again
        self.between = not isinstance(reason, Trouble) and reason != _SPENT
        if self.between and self.progress.update(state.step, values):
            reason = reason or "a callback asked to stop"
        if reason:
            self._end(state)
        return reason

    def _next(self, state: TrainingState) -> bool:
        """Go on to the next phase, where there is one."""
        if state.phase + 1 >= len(self.phases):
            return False
        state.phase, state.phase_step, state.stuck = state.phase + 1, 0, 0
        return True

    def _advance(self, state: TrainingState, phase: Phase, step: Step) -> tuple[str, dict[str, float]]:
        if not (np.isfinite(step.loss) and bool(torch.isfinite(step.theta).all())):
            return not_finite(self.objective, state.theta, step.theta), {}
        state.theta, state.step, state.phase_step = step.theta, state.step + 1, state.phase_step + 1
        state.stuck = state.stuck + 1 if step.stuck else 0
        values = {"loss": step.loss, "seconds": self.budget.used, **step.numbers}
        if state.step % phase.look == 0 or step.stuck:
            values["held out"] = self._look(state)
            parts = self.objective.evaluate(state.theta, False).parts
            values["resampling"] = self._choosing / max(self.budget.used, 1e-9)
            values = record_values(parts, step=state.step, **values)
            state.history.append(values)
        if state.best_held_out <= self.tolerance**2:
            return f"the held-out residual is below {self.tolerance:g}", values
        patience = max(12 * phase.look, phase.steps // 5)
        if state.phase_step >= patience and self.weighting.settled and self._stalled(state, patience):
            return "" if self._next(state) else f"the held-out residual has not halved in {patience} steps", values
        if state.stuck and (state.stuck > 2 or not self._resample(state, phase, force=True)):
            return "" if self._next(state) else f"{step.stuck} on any points", values
        every = self.weighting.every if getattr(phase.optimiser, "first_order", False) else phase.renew
        if self._resample(state, phase) or (self.weighting.active and state.step % every == 0):
            self._weigh(state, due=True)
        return "", values

    def _look(self, state: TrainingState) -> float:
        """Held-out loss now; keep the iterate if it is the best so far."""
        loss = self.held_out.evaluate(state.theta, False).loss
        # while weights still hide part of the problem, a small residual may be that of a wrong answer
        if loss < state.best_held_out or (np.isfinite(loss) and not self.weighting.settled):
            state.best, state.best_held_out = state.theta.clone(), loss
            state.best_points, state.best_scale = self.objective.points, dict(self.objective.scale)
        return loss

    def _weigh(self, state: TrainingState, due: bool) -> None:
        """Weights by the scheme; `due` asks it for new ones, else the present ones are put back."""
        if not self.weighting.active:
            return
        if due:
            self.weighting.update(self.objective, state.theta, state.points, self.scale)
        self.objective.reweight(*self.weighting.apply(state.points, self.scale))
        if due and state.step:
            self.phases[state.phase].optimiser.moved()

    def _stalled(self, state: TrainingState, patience: int) -> bool:
        steps, losses = state.history.series.get("step", []), state.history.series.get("held out", [])
        old = [loss for step, loss in zip(steps, losses, strict=True) if step <= state.step - patience]
        return bool(old) and state.best_held_out > 0.5 * min(old)

    def _due(self, state: TrainingState, phase: Phase) -> bool:
        """By the clock where someone sets it, or gradients are cheap; else when the points are outgrown."""
        by_clock = self.weighting.active or getattr(phase.optimiser, "first_order", False)
        if self.resampler.every is not None or by_clock:
            return state.step % (self.resampler.every or phase.renew) == 0
        series = state.history.series
        return state.step % phase.look == 0 and outgrown(series["loss"], series["held out"])

    def _resample(self, state: TrainingState, phase: Phase, force: bool = False) -> bool:
        """New points where they are due; False where the resampler keeps the old ones."""
        if not force and not self._due(state, phase):
            return False
        start, coefficients = self.budget.used, self.objective.load(state.theta)
        problem = self.objective.system.problem
        points = state.points if self.growth is None else self.growth.enlarged(state.points)
        if hasattr(self.resampler, "inform"):
            named = dict(zip(problem.unknowns, map(float, coefficients), strict=True))
            factor = getattr(phase.optimiser, "factor", None)
            self.resampler.inform(TrainingView(dict(self.objective.scale), named, factor))
        points = self.resampler.resample(problem, self.model, points)
        check_points(problem, points, type(self.resampler).__name__)
        self._choosing += self.budget.used - start
        if points is state.points:
            return False
        state.points = points
        self.objective.set_points(points)
        phase.optimiser.moved()
        return True
