"""One fit of one network to one problem: objective, constraints to try, phases, and how each attempt ended."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sciml.errors import SolverError
from sciml.ibvp import IBVP
from sciml.networks import MLP, RandomFeatures
from sciml.networks.parameters import trainable
from sciml.networks.staged import StagedNetwork
from sciml.networks.widening import widen
from sciml.residuals import ConstrainedNetwork, HardConstraint, hard_constraint
from sciml.solution import Callback
from solvers.pinn.binding import bound
from solvers.pinn.faults import Trouble
from solvers.pinn.gauge import gauged
from solvers.pinn.growth import Growth
from solvers.pinn.ladder import phases_for
from solvers.pinn.linear_start import TRIALS, Bench, suitable_features
from solvers.pinn.monitor import Budget, Progress
from solvers.pinn.objective import Objective
from solvers.pinn.packing import Restored, pack_training, put_back
from solvers.pinn.placement import Counts, draw
from solvers.pinn.plans import YARDSTICK, Plan, next_plan, unpacked
from solvers.pinn.samplers import RAD, Fixed
from solvers.pinn.scaling import component_sizes
from solvers.pinn.settings import Settings
from solvers.pinn.sharded import objectives
from solvers.pinn.solution import PINNSolution
from solvers.pinn.training import Training, TrainingState
from solvers.pinn.weighting import weighting_for

CONDITION_WEIGHT = 10.0
NOISE = 1e-6  # loss that declared noise makes: a network would rather bend the equations than leave much more
_HELD_OUT_SEED = 7_777_777
UNSOLVED = 3e-3  # part of the equations' size from which an answer is no answer
_LEAST = 1e-2  # of its terms at the start, below which those at the end are not taken as an equation's size
_REST = 0.7  # part of a time budget that may be used up where a wider network is to follow
_LOOKS = 5  # from which that ratio is taken
_GAP = 10.0  # held-out over training residual from which the training points are said not to resolve the solution


@dataclass(frozen=True, eq=False)
class Attempt:
    """One training and how it ended; `weighted` where a scheme makes training and held-out losses incomparable."""

    objective: Objective
    state: TrainingState
    reason: str
    weighted: bool = False

    @property
    def residual(self) -> float:
        """Held-out residual of the best state."""
        return self.state.best_held_out**0.5

    @property
    def stopped(self) -> bool:
        """Ended from outside: nothing else is to be tried."""
        return any(word in self.reason for word in ("interrupted by the user", "a callback asked"))

    @property
    def hopeless(self) -> bool:
        """Stalled while a tenth of the equations' size is still unexplained: a wrong valley."""
        ended = any(words in self.reason for words in ("not halved", "on any points"))
        return ended and self.state.best_held_out > 1e-2

    def unsolved(self, settings: Settings) -> float:
        """The part of the equations' size that is left over, where it is too large to trust the answer; else 0.

        Weights of the user's own change what the residual is measured in, so that it is compared with its start. Who
        fixes the number of steps or stops by hand has chosen to end early.

        Args:
            settings: Those of the training.

        Returns:
            The part, or 0.
        """
        if settings.steps is not None or self.stopped or isinstance(self.reason, Trouble):
            return 0.0
        part, series = self.residual, self.state.history.series
        if not settings.weights and not self.weighted:
            part = max(part, self._against_terms())
        if settings.weights and series.get("held out"):
            part /= max(series["held out"][0] ** 0.5, np.finfo(float).tiny)
        return part if part > max(UNSOLVED, settings.tolerance) else 0.0

    def _against_terms(self) -> float:
        """The largest residual of an equation in units of its terms as they are now.

        A constraint with large data, or a network that begins large, makes every later residual look small.

        Returns:
            The part; 0 where it cannot be told.
        """
        self.objective.load(self.state.best)
        system, model, points = self.objective.system, self.objective.model, self.state.best_points
        first = system.problem.terms[0]
        now = component_sizes(system.problem, system.constraint, model, points)
        parts = self.objective.evaluate(self.state.best, False).parts
        start = {name: self.objective.scale[name] ** -0.5 for name in first.components}
        left = [parts[name] ** 0.5 * size / max(now[name], _LEAST * size) for name, size in start.items()]
        return max(left) if np.isfinite(left).all() else 0.0

    def status(self, budget: Budget) -> str:
        """The reason, the residual reached, steps and time."""
        residual = f"held-out residual {self.state.best_held_out**0.5:.1e}"
        if self.gap > _GAP and "is below" not in self.reason:  # what was asked for is reached
            residual += (
                f", of late {self.gap:.3g} times that on the training points, which do not resolve the solution,"
            )
        return f"{self.reason}; {residual} after {self.state.step} steps, {budget.used:.1f} s CPU"

    @property
    def gap(self) -> float:
        """Held-out over training residual, median of the last looks: large where a network is right at its points only.

        One look does not tell: an optimiser that has met its points looks further away from them.
        """
        series = self.state.history.series
        if self.weighted or len(series.get("held out", ())) < 2:
            return 1.0
        pairs = list(zip(series["loss"], series["held out"], strict=True))[-_LOOKS:]
        ratios = [held_out / loss for loss, held_out in pairs if loss > 0 and np.isfinite(held_out)]
        return float(np.median(ratios)) ** 0.5 if ratios else 1.0

    def solution(self, problem: IBVP, status: str) -> PINNSolution:
        """The best state as a solution of its own, which shares nothing that a training changes.

        Args:
            problem: The problem as the user stated it.
            status: In words.

        Returns:
            The solution.
        """
        values = self.objective.load(self.state.best)
        return PINNSolution(
            problem,
            copy.deepcopy(self.objective.model).cpu(),
            self.objective.system.constraint,
            self.state.best_points,
            self.state.best_scale or self.objective.scale,
            {symbol: float(value) for symbol, value in zip(problem.unknowns, values, strict=True)},
            status,
            {name: list(values) for name, values in self.state.history.series.items()},
        )


@dataclass
class Fit:
    """The fit of a network to a problem; also what callbacks see of it while it runs.

    Attributes:
        settings: How.
        problem: The problem as the user stated it.
        budget: CPU time.
        callbacks: Called after every step.
        outer: What to add to a snapshot, for a fit that is part of a larger work.
        title: Text in front of the progress bar.
    """

    settings: Settings
    problem: IBVP
    budget: Budget
    callbacks: Sequence[Callback]
    outer: Any = None
    title: str = "PINN"
    _attempts: list[Attempt] = field(default_factory=list)
    _plans: list[Plan] = field(default_factory=list)
    _training: tuple[Training, TrainingState] | None = None
    _begun: float = 0.0

    def run(self, restored: Restored | None = None) -> Attempt:
        """Train under the first constraint that is promising; where that is hopeless, under the other one.

        Args:
            restored: Where to go on.

        Returns:
            The better attempt.
        """
        trained, constraints, self._begun = gauged(self.problem), self._constraints(), self.budget.used
        plans = [] if restored is None else [unpacked(one) for one in restored.plans]
        while True:
            number = len(self._attempts)
            earlier = restored is not None and number <= restored.attempt
            if number < len(plans):
                plan: Plan | None = plans[number]
            else:
                spent = bool(self._attempts) and not self.budget.allows(0.0) and not earlier
                # what a checkpoint does not list as features was the network
                plan = None if spent else self._next_plan(trained, constraints, fresh=not earlier)
            if plan is None:
                break
            self._plans.append(plan)
            attempt = self._attempt(trained, constraints[plan.constraint], plan, restored, number)
            self._attempts.append(attempt)
            if attempt.stopped and not (restored is not None and number < restored.attempt):
                break
        return min(self._attempts, key=lambda attempt: attempt.state.best_held_out)

    def _next_plan(self, problem: IBVP, constraints: Sequence[HardConstraint | None], fresh: bool) -> Plan | None:
        settings, fields = self.settings, len(problem.fields)
        own = settings.resampler is None and not settings.weighting.active and settings.optimiser == "auto"
        linear = fresh and own and settings.steps != 0 and (bool(self._plans) or self.budget.allows(1e-3))
        wider = own and (self._leaves_time() if fresh else True)  # a resumed fit had followed it
        for start in (linear, False):
            plan = next_plan(
                list(zip(self._plans, self._attempts, strict=True)), settings.network, settings.optimiser,
                len(constraints), fields, settings.tolerance, start,
                lambda number: self._features(problem, constraints[number]), wider,
            )  # fmt: skip
            if plan is None or not plan.linear or self.budget.allows(plan.first_step(fields)):
                break
        return plan

    def _leaves_time(self) -> bool:
        """Whether much of a time that was given to this fit is left for a wider network."""
        if self.budget.seconds is None or self.settings.steps is not None:
            return False
        return self.budget.used - self._begun < _REST * (self.budget.seconds - self._begun)

    def _features(self, problem: IBVP, constraint: HardConstraint | None) -> RandomFeatures:
        """Random features that suit the problem; the search takes at most a tenth of the time."""
        limit = None if self.budget.seconds is None else self.budget.used + 0.1 * self.budget.seconds
        linear = problem.classification.linear
        return suitable_features(
            (self._bench(problem, constraint, size, 1 if linear else 3) for size in TRIALS[: 2 if linear else 1]),
            len(problem.bounds), self.settings.tolerance, lambda: limit is None or self.budget.used < limit,
        )  # fmt: skip

    def _bench(self, problem: IBVP, constraint: HardConstraint | None, size: int, steps: int) -> Bench:
        seed, fields = self.settings.seed, len(problem.fields)
        base = self._bound(YARDSTICK, problem, constraint)
        growth = self._growth(problem, constraint, size, grows=False)
        objective, held_out = self._objectives(problem, constraint, base, growth)

        def bind(features: RandomFeatures) -> nn.Module:
            assert isinstance(base, StagedNetwork)
            made = features.bind(problem.bounds, fields, base.scale.tolist(), base.offset.tolist(), seed)
            return made.to(self.settings.device)

        return Bench(max(1, size // fields), objective, held_out, bind, steps)

    def _bound(self, network: nn.Module, problem: IBVP, constraint: HardConstraint | None) -> nn.Module:
        return bound(network, problem, constraint, self.settings.seed).to(self.settings.device)

    def _growth(self, problem: IBVP, constraint: HardConstraint | None, parameters: int, grows: bool) -> Growth:
        satisfied = constraint.satisfied if constraint else frozenset()
        return Growth.by_rows(problem, satisfied, parameters, self.settings.seed, self.settings.points, grows)

    def solution(self) -> PINNSolution:
        """The best state so far, for callbacks."""
        assert self._training is not None
        training, state = self._training
        return Attempt(training.objective, state, "running").solution(self.problem, "training goes on")

    def snapshot(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Everything needed to continue bit by bit, as JSON-able values and arrays."""
        assert self._training is not None
        training, state = self._training
        state.used = self.budget.used
        earlier = [(attempt.state, attempt.reason) for attempt in self._attempts]
        content, arrays = pack_training(training, state, earlier)
        content["training"]["plans"] = [packed for plan in self._plans if (packed := plan.packed())]
        if self.outer is not None:
            more, tables = self.outer()
            content, arrays = {**content, **more}, {**arrays, **tables}
        return content, arrays

    def _constraints(self) -> list[HardConstraint | None]:
        # interpolated data are a poor start for steady nonlinear systems (flows): there soft rows come first
        wanted, problem = self.settings.constraints, gauged(self.problem)
        if wanted == "soft":
            return [None]
        whole = hard_constraint(problem, require=wanted == "hard")
        if wanted == "hard" or whole is None:
            return [whole]
        hard = hard_constraint(problem, trimmed=False)
        if hard is None or hard.satisfied != whole.satisfied:  # functions trimmed at corners come second
            return [hard, whole]
        flow = problem.time is None and len(problem.fields) > 1 and not problem.classification.linear
        return [None, hard] if flow else [hard, None]

    def _attempt(
        self, problem: IBVP, constraint: HardConstraint | None, plan: Plan, restored: Restored | None, number: int
    ) -> Attempt:
        settings = self.settings
        model = self._bound(plan.network, problem, constraint)
        if plan.after is not None:
            model = self._widened(model, plan.after)
        # rungs are compared by their residuals: one measure for all
        yardstick = self._bound(YARDSTICK, problem, constraint) if plan.linear or plan.after is not None else model
        resampler = Fixed() if plan.fixed else copy.deepcopy(settings.resampler) or RAD(seed=settings.seed)
        parameters = sum(p.numel() for p in trainable(model).values())
        growth = self._growth(problem, constraint, parameters, grows=resampler.every is None)
        objective, held_out = (
            part.with_model(model) for part in self._objectives(problem, constraint, yardstick, growth)
        )
        start = objective.start() if plan.after is None else self._continued(objective, plan.after)
        state = TrainingState(start, objective.points, start, objective.points)
        # optimisers, samplers and schemes have memory: every attempt gets its own
        phases = copy.deepcopy(phases_for(plan.optimiser, None if plan.linear else settings.steps, len(start)))
        weighting = copy.deepcopy(weighting_for(settings.weighting))
        if restored is not None and number < restored.attempt:
            return Attempt(objective, *restored.earlier(number, state))
        going_on = restored is not None and number == restored.attempt
        progress = Progress(
            sum(phase.steps for phase in phases), settings.progress, self.callbacks,
            initial=restored.step if restored is not None and going_on else 0, title=self.title,
        )  # fmt: skip
        training = Training(
            objective, held_out, phases, resampler, ConstrainedNetwork(model, constraint), self.budget, progress,
            settings.tolerance, weighting, None if plan.fixed else growth,
        )  # fmt: skip
        if restored is not None and going_on:
            put_back(restored, training, state)
        self._training = training, state
        return Attempt(objective, state, training.run(state, self), weighting.active)

    def _widened(self, model: nn.Module, number: int) -> nn.Module:
        narrow = self._attempts[number].objective
        narrow.load(self._attempts[number].state.best)
        assert isinstance(model, MLP)
        assert isinstance(narrow.model, MLP)
        return widen(model, narrow.model)

    def _continued(self, objective: Objective, number: int) -> Tensor:
        """θ of a widened network, with the coefficients as they were."""
        start, last = objective.start(), self._attempts[number].state.best
        count = len(objective.unknowns)
        return torch.cat([start[: len(start) - count], last[len(last) - count :]])

    def _objectives(
        self, problem: IBVP, constraint: HardConstraint | None, model: nn.Module, growth: Growth
    ) -> tuple[Objective, Objective]:
        points = draw(problem, growth.satisfied, growth.first, growth.seed)
        most = growth.most
        unseen = draw(
            problem,
            growth.satisfied,
            Counts(max(1000, most.interior), most.boundary, most.initial),
            _HELD_OUT_SEED + growth.seed,
        )
        scale = self._scale(problem, component_sizes(problem, constraint, model, unseen))
        on_points, on_unseen = objectives(problem, constraint, model, scale, points, unseen)
        return on_points, on_unseen

    def _scale(self, problem: IBVP, sizes: Mapping[str, float]) -> dict[str, float]:
        names = {name for term in problem.terms for name in (term.name, *term.components)}
        weights = self.settings.weights
        strange = set(weights) - names
        if strange:
            raise SolverError(f"weights for {', '.join(sorted(names))}", ", ".join(sorted(strange)), "use term names")
        scale = {}
        for term in problem.terms:
            for name in term.components:
                if name in sizes:
                    automatic = (1.0 if term.kind == "interior" else CONDITION_WEIGHT) / sizes[name] ** 2
                    if term.observation is not None and term.observation.sigma:
                        automatic = min(automatic, NOISE / term.observation.sigma**2)
                    scale[name] = float(weights.get(name, weights.get(term.name, automatic)))
        return scale
