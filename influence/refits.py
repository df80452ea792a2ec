"""Refits: the objective minimised again without some rows, and how well influences predict it.

The truth for δ > 0, or for a model that is not at a minimum, is the proximal response: the minimiser of
L_w'(t) - ∇L(t0)ᵀ(t - t0) + (δ/2)|t - t0|², of which t0 is the minimiser for w' = w (Bae et al. 2022,
arXiv 2209.05364). Retraining from scratch is no truth: a new seed moves the answer more than any point does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from scipy.stats import spearmanr
from torch import Tensor

from influence.curvature import Curvature
from influence.groups import renormalising
from influence.hessian import FLOOR
from influence.hessian import gradient as gradient_of
from influence.newton import changed_solve
from sciml.errors import ConvergenceError
from sciml.executors import Shared, check_executor, run_tasks
from sciml.record import TrainingRecord

_STEPS = 100
_TOLERANCE = 1e-10
_ROUNDING = 1e-14


@dataclass(frozen=True, eq=False)
class Refit:
    """A minimiser of the changed objective.

    Attributes:
        theta: θ, (P,).
        gradient_norm: Gradient of the changed objective there.
        converged: Whether it is at most 1e-10 and 1e-5 of what the change of weights made of it, or at rounding.
        steps: Newton steps.
    """

    theta: Tensor
    gradient_norm: float
    converged: bool
    steps: int


def changed_weights(record: TrainingRecord, index: np.ndarray, factor: float, renormalise: bool) -> Tensor:
    """Weights after a change of some rows.

    Args:
        record: The objective.
        index: Rows.
        factor: New weight over old one.
        renormalise: Whether the other weights of their terms make up for their removal.

    Returns:
        (N,).
    """
    weights = record.weights.to(torch.float64).clone()
    if not renormalise:
        weights[torch.tensor(index)] *= factor
    elif len(index):
        concerned, epsilon = renormalising(record, np.isin(np.arange(len(weights)), index))
        weights[torch.tensor(concerned)] *= 1 + torch.tensor(epsilon)
    return weights


def refit(record: TrainingRecord, curvature: Curvature, weights: Tensor) -> Refit:
    """Newton's method with exact Hessian products from the trained model on, each step damped by halving.

    Args:
        record: The objective.
        curvature: Its curvature at the trained model, whose factor preconditions every step.
        weights: Changed weights, (N,).

    Returns:
        The refit; `converged` is False where it missed the tolerance.
    """
    changed = replace(record, weights=weights)
    start, pull, delta = curvature.theta, curvature.gradient, curvature.proximal

    def objective(theta: Tensor) -> Tensor:
        move = theta - start
        return changed.loss(theta) - pull @ move + 0.5 * delta * (move @ move)

    def slope(theta: Tensor) -> Tensor:
        return gradient_of(objective, theta)

    theta = start.clone()
    gradient = slope(theta)
    # a point of small influence changes the gradient by less than the tolerance: its refit must still move
    goal = min(_TOLERANCE, 1e-5 * float(gradient.norm()))
    goal = max(goal, 1e-15 * float(curvature.residual.norm()) * curvature.largest**0.5)
    steps = 0
    while float(gradient.norm()) > goal and steps < _STEPS:
        move = _newton_move(changed, curvature, theta, gradient)
        taken = _search(objective, slope, theta, gradient, move) if move is not None else None
        if taken is None:
            break
        theta, gradient, steps = *taken, steps + 1
    size = float(gradient.norm())
    return Refit(theta, size, size <= goal, steps)


def _newton_move(changed: TrainingRecord, curvature: Curvature, theta: Tensor, gradient: Tensor) -> Tensor | None:
    tolerance = min(1e-2, max(1e-8, float(gradient.norm())))
    unit = max(curvature.damping, FLOOR * curvature.largest)
    for shift in (0.0, *(4.0**k * unit for k in range(1, 12))):
        # an indefinite Hessian on the way is shifted until Newton's direction descends
        try:
            return -changed_solve(changed, curvature, theta, gradient, tolerance, shift)
        except ConvergenceError:
            continue
    return None


def _search(objective: Any, slope: Any, theta: Tensor, gradient: Tensor, move: Tensor) -> tuple[Tensor, Tensor] | None:
    """The longest of the halved steps that lowers the objective, or the gradient where the objective is at rounding."""
    before, norm = float(objective(theta).detach()), float(gradient.norm())
    for halving in range(12):
        candidate = theta + move / 2**halving
        new = slope(candidate)
        if not bool(torch.isfinite(new).all()):
            continue
        lower = float(objective(candidate).detach()) <= before + 0.1 * float(gradient @ move) / 2**halving
        if lower or float(new.norm()) < 0.5 * norm:
            return candidate, new
    return None


@dataclass(frozen=True, eq=False)
class Agreement:
    """Predicted removals beside true refits.

    Attributes:
        ids: Points removed, (k,).
        kinds: What they are.
        predicted: Predicted changes, (n_query, k).
        true: Changes by refit, (n_query, k).
        converged: Which refits reached their tolerance, (k,).
        target: The quantity.
        reliability: That of the model.
        level: Largest value of the quantity; changes of less than 1e-14 of it are rounding.
    """

    ids: np.ndarray
    kinds: np.ndarray
    predicted: np.ndarray
    true: np.ndarray
    converged: np.ndarray
    target: str
    reliability: Any = None
    level: float = 0.0

    @property
    def spearman(self) -> float:
        """Rank correlation over points, mean over queries."""
        pairs = [(p, t) for p, t in zip(self.predicted, self.true, strict=True) if np.ptp(t) > 0 and np.ptp(p) > 0]
        return float(np.mean([spearmanr(p, t).statistic for p, t in pairs])) if pairs else float("nan")

    @property
    def correlation(self) -> float:
        """Correlation over queries of the change of each point (over points for one query), mean."""
        first, second = (self.predicted, self.true) if len(self.predicted) == 1 else (self.predicted.T, self.true.T)
        pairs = [(p, t) for p, t in zip(first, second, strict=True) if np.ptp(t) > 0 and np.ptp(p) > 0]
        return float(np.mean([np.corrcoef(p, t)[0, 1] for p, t in pairs])) if pairs else float("nan")

    @property
    def errors(self) -> np.ndarray:
        """|predicted - true| / |true| over queries, for each point, (k,)."""
        size = np.linalg.norm(self.true, axis=0)
        miss = np.linalg.norm(self.predicted - self.true, axis=0)
        return np.divide(miss, size, out=np.full_like(miss, np.inf), where=size > 0)

    @property
    def relative_error(self) -> float:
        """Median of `errors`."""
        return float(np.median(self.errors))

    @property
    def slope(self) -> float:
        """Least-squares factor from predicted to true."""
        return float((self.predicted * self.true).sum() / max(float((self.predicted**2).sum()), 1e-300))

    def __str__(self) -> str:
        """Figures in words."""
        text = (
            f"{len(self.ids)} refits for {self.target}: Spearman {self.spearman:.3f}, field correlation "
            f"{self.correlation:.4f}, relative error median {self.relative_error:.2%}, largest "
            f"{float(self.errors.max()):.2%}, slope {self.slope:.3f}"
        )
        missed = int((~self.converged).sum())
        if missed:
            text += f"\n{missed} refit(s) missed the tolerance and are counted all the same"
        below = int((np.abs(self.true).max(axis=0) <= _ROUNDING * self.level).sum())
        if below:
            text += f"\n{below} true change(s) are rounding of {self.target}: neither forecast nor refit can tell them"
        return f"{text}\n{self.reliability}" if self.reliability is not None else text

    def __repr__(self) -> str:
        """The same."""
        return str(self)


def stratified(kinds: np.ndarray, size: np.ndarray, k: int, seed: int) -> np.ndarray:
    """Positions of k points of every kind and over all quantiles of influence.

    Args:
        kinds: Kind of each point.
        size: Size of its influence.
        k: How many.
        seed: Seed of the choice within a quantile.

    Returns:
        Positions in increasing order of influence within each kind.
    """
    generator = np.random.default_rng(seed)
    names, counts = np.unique(kinds.astype(str), return_counts=True)
    k = min(k, len(kinds))
    share = np.ones(len(names), dtype=int) if k >= len(names) else np.zeros(len(names), dtype=int)
    if k < len(names):
        share[np.argsort(-counts)[:k]] = 1
    while share.sum() < k:
        lack = np.where(share < counts, counts / counts.sum() - share / k, -np.inf)
        share[int(np.argmax(lack))] += 1
    chosen: list[int] = []
    for name, number in zip(names, share, strict=True):
        own = np.flatnonzero(kinds.astype(str) == name)
        own = own[np.argsort(size[own], kind="stable")]
        for part in np.array_split(own, number) if number else []:
            chosen.append(int(generator.choice(part)))
    return np.array(chosen)


def _refitted(influence: Any, identity: int) -> Refit:
    return (influence.open() if isinstance(influence, Shared) else influence).refit([identity])


def check_refits(influence: Any, target: Any, at: Any, k: int, seed: int, executor: Any = None) -> Agreement:
    """Remove k points one by one and fit again.

    Args:
        influence: The influence object.
        target: The quantity.
        at: Query points.
        k: Number of refits.
        seed: Seed of the choice.
        executor: Where the refits run (see `sciml.executors`).

    Returns:
        The comparison.
    """
    scores = influence.scores(target, at)
    chosen = stratified(scores.kinds, np.abs(scores.values).mean(axis=0), k, seed)
    check_executor(executor)
    shared = influence if executor is None else Shared(influence)
    tasks = {f"refit without point {identity}": (shared, int(identity)) for identity in scores.ids[chosen]}
    made = run_tasks(_refitted, tasks, executor)
    true = [influence.value(target, at, refitted.theta) - scores.before for refitted in made]
    converged = [refitted.converged for refitted in made]
    return Agreement(
        scores.ids[chosen], scores.kinds[chosen], scores.values[:, chosen], np.stack(true, axis=1),
        np.array(converged), scores.target, influence.reliability, float(np.abs(scores.before).max()),
    )  # fmt: skip
