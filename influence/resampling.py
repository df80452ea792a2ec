"""InfluenceSampler: points chosen by what they do to a quantity of interest."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from torch import nn

from influence.choosing import Scene, exchanged, replaced
from influence.pools import DRAWN
from influence.scoring import Settings
from sciml.arguments import explained, require_number
from sciml.errors import SolverError
from sciml.ibvp import IBVP
from sciml.points import PointSet
from sciml.resampling import TrainingView, check_model, check_points

MODES = ("replace", "exchange", "add")
_PER_POINT, _PER_CHOICE, _LEAST = 5, 20, 400  # candidates per point that is drawn, or chosen with its Jacobian
_FEW, _BUDGET = 200, 0.1


@explained("InfluenceSampler(every=500)")
@dataclass
class InfluenceSampler:
    """Points where the residual is large and, where a quantity is asked for, travels far to it.

    A candidate with scaled row a, residual ρ, leverage h = aᵀG⁻¹a and propagation b = J_Q G⁻¹a to the quantities Q is
    worth ρ²|b|²/(1 + h)² + s²|b|²/(1 + h): the squared change of Q when it is fitted, plus s² times the variance of Q
    that it removes (G = AᵀA + δI of the present points, s² the mean of ρ² on the candidates). All types of points
    compete in one ranking (Fedorov 1972 for optimal design; Becker and Rannacher 2001 for goal-oriented residuals;
    Naujoks et al. 2025, arXiv 2506.16443, for influence as a score).

    - "exchange" and "add" choose by this score one by one, each after the model was refitted to those before, and
      "exchange" drops as many of the least useful points: for loops of one's own with some hundred points.
    - "replace" draws all points anew with density ∝ e, e² the mean of ρ² over a candidate's neighbours: a residual
      oscillates, and a candidate at its zero says nothing of its size. A quarter of the candidates is drawn evenly and
      tells where the others are drawn (two-phase sampling; Neyman 1938), so that thin layers have enough. With a
      target the density is √((e² + s²)|b|²/(1 + h)). Without one b is left out: under a second-order trainer it cost
      time and won nothing (docs/resampling.md).

    Weights are (even density)/(density), below 1/`uniform`, so that the minimised integral stays the same. In `PINN` λ,
    coefficients and the factor of the last step come from the trainer, which calls when the held-out residual says so.

    Args:
        every: Steps between calls by a trainer; None leaves it to the trainer, which then also lets points grow.
        candidates: Largest number of candidates in all; five per point are enough where no Jacobian is needed.
        target: Quantity of interest: anything that `Influence` accepts; the fields all over the domain when None.
        at: Points of the target.
        mode: "replace", "exchange" or "add"; None for "exchange" of up to 200 points in a loop of one's own, and for
            "replace" otherwise.
        count: Points to add in a call: a quarter of the present ones for "exchange", a tenth for "add"; their number
            afterwards for "replace", where None keeps it.
        weights: Whether weights compensate for the density.
        uniform: Share of evenly drawn points for "replace".
        neighbours: Candidates over which ρ² is averaged for "replace"; 1 for none.
        propagate: Whether "replace" uses b and h; None for "where there is a target".
        kinds: Kinds of points that are chosen, among "interior", "boundary" and "initial"; None for all that there are.
        edges: Whether "replace" is denser at the edges, as the points of `PINN` are.
        scale: λ by name of component or term; None for those of the trainer, 1 where there is none.
        budget: Largest share of the CPU time since the first call that may go into Jacobians: calls beyond it keep the
            points, or draw them without propagation for "replace". None for 0.1 where a trainer calls and for no limit
            in a loop of one's own; 1 always computes, and repeats bit by bit.
        seed: Seed.

    Attributes:
        history: One entry per call: seconds, share of the CPU time, points added and dropped, largest weight, damping
            of the trainer's factor where there is one.

    Raises:
        SolverError: If an argument is out of range.

    Example:
        >>> import sympy as sp, torch
        >>> from sciml import IBVP, Dirichlet, Interval, coordinates, field, sample
        >>> x = coordinates("x"); u = field("u", x)
        >>> problem = IBVP(sp.Eq(u.diff(x, 2), -sp.sin(x)), Interval(x, 0, sp.pi), boundary=[Dirichlet(u, 0)])
        >>> generator = torch.random.manual_seed(0)
        >>> network = nn.Sequential(nn.Linear(1, 6), nn.Tanh(), nn.Linear(6, 1)).double()
        >>> points = sample(problem, interior=20, boundary=2)
        >>> new = InfluenceSampler(mode="exchange", count=5, candidates=100).resample(problem, network, points)
        >>> len(new), len(np.intersect1d(new.ids, points.ids)) >= 17
        (22, True)
    """

    every: int | None = None
    candidates: int = 10_000
    target: Any = None
    at: Any = None
    mode: str | None = None
    count: int | None = None
    weights: bool = True
    uniform: float = 0.25
    neighbours: int = 8
    propagate: bool | None = None
    kinds: Sequence[str] | None = None
    edges: bool = True
    scale: Mapping[str, float] | None = None
    budget: float | None = None
    seed: int = 0
    history: list[dict[str, float]] = field(default_factory=list, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the arguments.

        Raises:
            SolverError: If one is out of range.
        """
        for name in ("candidates", "every", "count", "neighbours"):
            require_number(
                getattr(self, name), name, least=1, whole=True, optional=True, fix="InfluenceSampler(every=500)"
            )
        for name in ("uniform", "budget"):
            require_number(
                getattr(self, name), name, least=0, most=1, optional=name == "budget", fix="InfluenceSampler()"
            )
        fine = self.mode in (None, *MODES) and (self.kinds is None or set(self.kinds) <= set(DRAWN))
        if not fine or self.budget == 0:
            expected = f"mode among {', '.join(MODES)}; budget > 0; kinds among {', '.join(DRAWN)}"
            raise SolverError(expected, repr(self), "InfluenceSampler(every=500)")
        self._spent, self._started, self._view = 0.0, float("nan"), TrainingView()

    def inform(self, view: TrainingView) -> None:
        """What a trainer knows: λ, coefficients, and the factor of its last step, which serves as G.

        Args:
            view: It.
        """
        self._view = view

    def state(self) -> dict[str, Any]:
        """Nothing: every call is made from its arguments and what the trainer tells before it."""
        return {}

    def load_state(self, state: dict[str, Any]) -> None:
        """Continue from `state()`."""

    def resample(self, problem: IBVP, model: nn.Module, points: PointSet) -> PointSet:
        """The points to train on from now.

        Args:
            problem: The problem.
            model: The network, or a `ConstrainedNetwork` with its hard constraint.
            points: The present points.

        Returns:
            The new set: points that stay keep their IDs, weights of every term sum to 1. The present set where the
            budget does not allow to choose.

        Raises:
            PointsError: If there is nothing to choose from, a residual is not finite, all scores are zero, `count`
                does not fit, or a kind has no points.
        """
        check_points(problem, points)
        check_model(model)
        begun = time.process_time()
        if np.isnan(self._started):
            self._started = begun
        mode = self.mode or ("exchange" if len(points) <= _FEW and not self._view.scale else "replace")
        scored = self.propagate if self.propagate is not None else self.target is not None
        scored |= mode != "replace"
        budget = self.budget or (_BUDGET if self._view.scale else 1.0)
        over = self._spent > budget * (begun - self._started)
        if over and mode != "replace":
            return points
        new = self._chosen(self._scene(problem, model, points, mode), mode, scored and not over)
        seconds = time.process_time() - begun
        self._spent += seconds if scored else 0.0
        total = sum(entry["seconds"] for entry in self.history) + seconds
        self.history.append({
            "seconds": seconds,
            "share": total / max(begun + seconds - self._started, seconds),
            "added": np.setdiff1d(new.ids, points.ids).size,
            "dropped": np.setdiff1d(points.ids, new.ids).size,
            "largest weight": float(max((new.weight * np.bincount(new.term)[new.term]).max(), 0.0)),
            "damping": float("nan") if self._view.factor is None else self._view.factor.damping,
        })
        return new

    def _scene(self, problem: IBVP, model: nn.Module, points: PointSet, mode: str) -> Scene:
        view = self._view if self.scale is None else replace(self._view, scale=dict(self.scale))
        seed = int(np.random.SeedSequence([self.seed, points.next_id]).generate_state(1)[0])
        kinds = None if self.kinds is None else tuple(self.kinds)
        edges = self.edges and mode == "replace"  # greedy choices need no density
        settings = Settings(self.uniform, self.neighbours, edges, 2 if mode == "replace" else 1, kinds)
        return Scene(problem, model, points, view, self.target, self.at, seed, settings)

    def _chosen(self, scene: Scene, mode: str, propagate: bool) -> PointSet:
        if mode == "replace":
            count = min(self.candidates, _PER_POINT * (self.count or len(scene.points)))
            return replaced(scene, count, self.count, propagate, self.weights)
        count = min(self.candidates, max(_LEAST, _PER_CHOICE * len(scene.points)))
        return exchanged(scene, count, self.count, mode == "exchange", self.weights)
