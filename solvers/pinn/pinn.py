"""PINN: fits a network to a problem by least squares on its residual rows."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import nn

from sciml.errors import SolverError, SolverWarning
from sciml.ibvp import IBVP, require_ibvp
from sciml.resampling import Resampler
from sciml.residuals import ConstrainedNetwork, HardConstraint, ResidualSystem, hard_constraint
from sciml.solution import Callback
from solvers.pinn.binding import bound
from solvers.pinn.gauge import gauged
from solvers.pinn.ladder import phases_for
from solvers.pinn.monitor import Budget, Progress
from solvers.pinn.objective import Objective
from solvers.pinn.placement import Counts, counts_for_rows, draw
from solvers.pinn.samplers import RAD
from solvers.pinn.scaling import component_sizes
from solvers.pinn.solution import PINNSolution
from solvers.pinn.training import Training, TrainingState
from solvers.pinn.unknowns import UnknownMap

CONDITION_WEIGHT = 10.0
_HELD_OUT_SEED = 7_777_777


@dataclass(frozen=True, eq=False)
class Attempt:
    """One training and how it ended."""

    objective: Objective
    state: TrainingState
    reason: str

    @property
    def hopeless(self) -> bool:
        """Stalled while a tenth of the equations' size is still unexplained: a wrong valley."""
        return "not halved" in self.reason and self.state.best_held_out > 1e-2

    def status(self, budget: Budget) -> str:
        """The reason, the residual reached, steps and time."""
        residual = f"held-out residual {self.state.best_held_out**0.5:.1e}"
        return f"{self.reason}; {residual} after {self.state.step} steps, {budget.used:.1f} s CPU"


class PINN:
    """Physics-informed network: min_θ Σ_i w_i r_i(θ)² over the rows of equations, conditions and observations.

    Every component of the objective is divided by its size at the start, soft conditions then weigh 10 times
    an equation; quadrature weights sum to 1 per term. Dirichlet and initial data are met exactly where
    their form allows it. Networks of up to some thousand parameters are trained by Levenberg-Marquardt
    steps with points drawn anew (Raissi, Perdikaris & Karniadakis 2019; Jnini et al. 2024, arXiv 2402.10680).

    Args:
        network: A network of `sciml`, whose inputs and outputs are taken from the problem, or a module
            from (n, d) to (n, m) in float64.
        seed: Seed of weights and points.
        seconds: Budget of process CPU time; the best state by then is returned.
        steps: Most steps; chosen by the optimiser when None.
        tolerance: Root mean square of the scaled residual on held-out points at which to stop.
        points: `Counts`, or None for about two rows per parameter.
        resampler: Chooses points during training; by default `RAD`, with weights that keep the integral.
        constraints: "hard" meets data exactly or refuses, "soft" never does; "auto" meets them exactly where
            possible, and changes sides once where a training gets stuck.
        weights: λ by name of term or component, instead of the automatic ones.
        optimiser: "auto", a name ("lm", "adam", "lbfgs"), or a list of `(name, steps)`.
        progress: Whether to show a bar; None for "only on a terminal".

    Raises:
        SolverError: If an argument is out of range.

    Example:
        >>> import sympy as sp
        >>> from sciml import IBVP, MLP, Dirichlet, Interval, coordinates, field
        >>> x = coordinates("x"); u = field("u", x)
        >>> problem = IBVP(sp.Eq(u.diff(x, 2), -sp.sin(x)), Interval(x, 0, sp.pi), boundary=[Dirichlet(u, 0)])
        >>> solution = PINN(MLP(width=8, depth=1), seed=0).solve(problem)
        >>> solution.error(sp.sin(x)).relative_l2["u"] < 1e-5
        True
    """

    def __init__(
        self,
        network: nn.Module,
        *,
        seed: int = 0,
        seconds: float | None = None,
        steps: int | None = None,
        tolerance: float = 1e-7,
        points: Counts | None = None,
        resampler: Resampler | None = None,
        constraints: str = "auto",
        weights: Mapping[str, float] | None = None,
        optimiser: Any = "auto",
        progress: bool | None = None,
    ) -> None:
        if not isinstance(network, nn.Module):
            raise SolverError("a torch module as network", repr(network), "PINN(MLP(width=32, depth=3))")
        if seconds is not None and not seconds >= 0:
            raise SolverError("seconds >= 0, or None", repr(seconds), "PINN(..., seconds=30)")
        if constraints not in ("auto", "hard", "soft"):
            raise SolverError('constraints "auto", "hard" or "soft"', repr(constraints), "")
        if steps is not None and steps < 0:
            raise SolverError("steps >= 0, or None", repr(steps), "PINN(..., steps=200)")
        self.network, self.seed, self.seconds, self.steps = network, seed, seconds, steps
        self.tolerance, self.points, self.resampler = tolerance, points, resampler
        self.constraints, self.weights, self.optimiser = constraints, dict(weights or {}), optimiser
        self.progress = progress

    def solve(self, problem: IBVP, callbacks: Sequence[Callback] = ()) -> PINNSolution:
        """Fit the network.

        Args:
            problem: The problem.
            callbacks: Called as `callback(step, total, values)`; a true answer stops the training.

        Returns:
            The best state by the residual on held-out points.

        Raises:
            ConvergenceError: If the loss is not finite from the start.
            SolverError: If the network does not fit the problem.
        """
        require_ibvp(problem)
        budget = Budget(self.seconds)
        trained = gauged(problem)
        candidates = self._constraints(problem)
        best = self._attempt(trained, candidates[0], budget, callbacks)
        if len(candidates) > 1 and best.hopeless and budget.allows(0.0):
            other = self._attempt(trained, candidates[1], budget, callbacks)
            best = min(best, other, key=lambda attempt: attempt.state.best_held_out)
        if "not finite" in best.reason:
            warnings.warn(best.reason, SolverWarning, stacklevel=2)
        values = best.objective.load(best.state.best)
        return PINNSolution(
            problem, best.objective.model, best.objective.system.constraint, best.state.best_points,
            best.objective.scale,
            {symbol: float(value) for symbol, value in zip(problem.unknowns, values, strict=True)},
            best.status(budget), best.state.history.series,
        )  # fmt: skip

    def _constraints(self, problem: IBVP) -> list[HardConstraint | None]:
        # interpolated data are a poor start for steady nonlinear systems (flows): there soft rows come first
        if self.constraints == "soft":
            return [None]
        hard = hard_constraint(problem, require=self.constraints == "hard")
        if self.constraints == "hard" or hard is None:
            return [hard]
        flow = problem.time is None and len(problem.fields) > 1 and not problem.classification.linear
        return [None, hard] if flow else [hard, None]

    def _attempt(
        self, problem: IBVP, constraint: HardConstraint | None, budget: Budget, callbacks: Sequence[Callback]
    ) -> Attempt:
        model = bound(self.network, problem, constraint, self.seed)
        objective, held_out = self._objectives(problem, constraint, model)
        start = objective.start()
        phases = phases_for(self.optimiser, self.steps, len(start))
        progress = Progress(sum(phase.steps for phase in phases), self.progress, callbacks)
        training = Training(
            objective, held_out, phases, self.resampler or RAD(seed=self.seed), ConstrainedNetwork(model, constraint),
            budget, progress, self.tolerance,
        )  # fmt: skip
        state = TrainingState(start, objective.points, start, objective.points)
        return Attempt(objective, state, training.run(state))

    def _objectives(
        self, problem: IBVP, constraint: HardConstraint | None, model: nn.Module
    ) -> tuple[Objective, Objective]:
        satisfied = constraint.satisfied if constraint else frozenset()
        parameters = sum(p.numel() for p in model.parameters() if p.requires_grad)
        counts = self.points or counts_for_rows(problem, satisfied, max(500, 2 * parameters))
        points = draw(problem, satisfied, counts, self.seed)
        unseen = draw(
            problem,
            satisfied,
            Counts(max(1000, counts.interior), counts.boundary, counts.initial),
            _HELD_OUT_SEED + self.seed,
        )
        sizes = component_sizes(problem, constraint, model, points)
        scale = self._scale(problem, sizes)
        system, unknowns = ResidualSystem(problem, constraint), UnknownMap(problem.unknowns.values())
        return Objective(system, model, unknowns, points, scale), Objective(system, model, unknowns, unseen, scale)

    def _scale(self, problem: IBVP, sizes: Mapping[str, float]) -> dict[str, float]:
        names = {name for term in problem.terms for name in (term.name, *term.components)}
        strange = set(self.weights) - names
        if strange:
            raise SolverError(f"weights for {', '.join(sorted(names))}", ", ".join(sorted(strange)), "use term names")
        scale = {}
        for term in problem.terms:
            for name in term.components:
                if name in sizes:
                    automatic = (1.0 if term.kind == "interior" else CONDITION_WEIGHT) / sizes[name] ** 2
                    scale[name] = float(self.weights.get(name, self.weights.get(term.name, automatic)))
        return scale
