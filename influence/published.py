"""Samplers that score candidates by loss gradients, as they were published, for comparison."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from influence.hessian import hessian_operator
from influence.scoring import unwrapped
from sciml.errors import SolverError
from sciml.ibvp import IBVP
from sciml.placing import scored
from sciml.points import PointSet, sample
from sciml.recording import record_of
from sciml.resampling import TrainingView, check_model, check_points

SCORES = ("pinnfluence", "grad-dot", "loss-gradient")
_DIRECTIONS, _KEPT, _REGULARISATION, _DROPPED = 200, 50, 1e-3, 1e-4


@dataclass
class LossGradientSampler:
    """Interior points scored by gradients of the loss L(x) = r(x)² (Naujoks et al. 2025, arXiv 2506.16443).

    With the gradients g(z) of 1000 fresh even points z, a candidate x scores

    - "pinnfluence": Σ_z |g(z)ᵀH⁻¹g(x)|, H the Hessian of the mean loss on these z on the span of its 50 largest
      eigenvalues, found by 200 Arnoldi steps and raised by 1e-3; those below 1e-4 are dropped;
    - "grad-dot": Σ_z |g(z)ᵀg(x)| (Charpiat et al. 2019, arXiv 2102.05262);
    - "loss-gradient": |g(x)|.

    Points are drawn without replacement with density score^k / mean + c and weigh the same, so that the minimised
    integral is one that stresses where they lie: "add" (k = 2, c = 0) adds to the present points, "replace"
    (k = 1, c = 1) draws all anew.

    Args:
        score: Which.
        mode: "add" or "replace".
        add: Points per call of "add".
        most: No more than so many interior points in "add".
        candidates: Number of candidates.
        queries: Number of z.
        every: Steps between calls; None leaves it to the optimiser.
        seed: Seed.

    Raises:
        SolverError: If an argument is out of range.
    """

    score: str = "pinnfluence"
    mode: str = "replace"
    add: int = 10
    most: int | None = None
    candidates: int = 10_000
    queries: int = 1000
    every: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the arguments.

        Raises:
            SolverError: If one is out of range.
        """
        numbers = (self.add, self.candidates, self.queries, self.every or 1, self.most or 1)
        if self.score not in SCORES or self.mode not in ("add", "replace") or min(numbers) < 1:
            expected = f'score among {", ".join(SCORES)}; mode "add" or "replace"; numbers >= 1'
            raise SolverError(expected, repr(self), 'LossGradientSampler("pinnfluence", mode="replace")')
        self._view = TrainingView()

    def inform(self, view: TrainingView) -> None:
        """What a trainer knows; only the coefficients are used: the published scores know no weights."""
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
            model: The network, or a `ConstrainedNetwork`.
            points: The present points.

        Returns:
            The new set; the same object when `most` is reached.

        Raises:
            PointsError: If a score is not finite or all are zero.
        """
        check_points(problem, points)
        check_model(model)
        name = problem.terms[0].name
        free = self.add if self.most is None else min(self.add, self.most - int(points.mask(name).sum()))
        if self.mode == "add" and free <= 0:
            return points
        seed = int(np.random.SeedSequence([self.seed, points.next_id]).generate_state(1)[0])
        pool, scores = self.scores(problem, model, seed)
        return scored(points, name, pool, scores, free if self.mode == "add" else None, np.random.default_rng(seed))

    def scores(self, problem: IBVP, model: nn.Module, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Candidates and their scores.

        Args:
            problem: The problem.
            model: The network.
            seed: Seed.

        Returns:
            Places (n, d) and scores (n,).
        """
        network, constraint = unwrapped(model)
        fresh, pool = _even(problem, self.queries, seed + 1), _even(problem, self.candidates, seed)
        record = record_of(problem, network, fresh, None, constraint, self._view.coefficients)
        theta = record.parameters

        def gradients(piece: PointSet) -> Tensor:
            assert record.rows.at is not None
            residual, jacobian = record.rows.at(piece, None).jacobian(theta)
            return (2 * residual[:, None] * jacobian).reshape(len(piece), -1, len(theta)).sum(dim=1)

        values = gradients(pool)
        if self.score == "loss-gradient":
            return pool.coordinates, values.norm(dim=1).numpy()
        against = gradients(fresh)
        if self.score == "pinnfluence":
            against = inverse_applied(hessian_operator(record, theta), against, seed)
        return pool.coordinates, (values @ against.T).abs().sum(dim=1).numpy()


def _even(problem: IBVP, count: int, seed: int) -> PointSet:
    drawn = sample(problem, interior=count, boundary=0, initial=0, method="uniform", seed=seed)
    return drawn.take(drawn.mask(problem.terms[0].name))


def inverse_applied(product: Any, vectors: Tensor, seed: int) -> Tensor:
    """H⁻¹v on the leading eigenspace by Arnoldi's iteration (Schioppa et al. 2022, arXiv 2112.03052).

    Args:
        product: v -> Hv, symmetric.
        vectors: Rows v, (m, P).
        seed: Seed of the first direction.

    Returns:
        (m, P).
    """
    size = vectors.shape[1]
    steps = min(_DIRECTIONS, size)
    basis = torch.zeros(steps + 1, size, dtype=vectors.dtype)
    start = torch.randn(size, dtype=vectors.dtype, generator=torch.Generator().manual_seed(seed))
    basis[0] = start / start.norm()
    small = torch.zeros(steps + 1, steps, dtype=vectors.dtype)
    for k in range(steps):
        new = product(basis[k])
        for _ in range(2):  # twice is enough
            part = basis[: k + 1] @ new
            new, small[: k + 1, k] = new - basis[: k + 1].T @ part, small[: k + 1, k] + part
        small[k + 1, k] = new.norm()
        if float(small[k + 1, k]) < 1e-12 * float(small.abs().max()):
            steps = k + 1
            break
        basis[k + 1] = new / small[k + 1, k]
    square = small[:steps, :steps]
    values, turns = torch.linalg.eigh((square + square.T) / 2)
    kept = values.abs().argsort(descending=True)[:_KEPT]
    kept = kept[values[kept].abs() >= _DROPPED]
    space = turns[:, kept].T @ basis[:steps]
    return (vectors @ space.T) / (values[kept] + _REGULARISATION) @ space
