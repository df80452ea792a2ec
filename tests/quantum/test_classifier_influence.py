"""Influence on a quantum classifier, beside trainings without a point; equations by circuits meet their bars."""

from __future__ import annotations

import math

import numpy as np
import pytest
import sympy as sp
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from influence import Influence, RowBlock
from influence.quantum import shapley
from sciml import IBVP, Interval, coordinates, field
from sciml.quantum import QuantumNetwork, reuploading
from solvers import PINN
from solvers.pinn import Counts, Fixed

DECAY = 2e-2


def loss(model: nn.Module, rows: Tensor) -> Tensor:
    """Cross-entropy of rows (x, y), y = ±1."""
    return softplus(-rows[:, -1] * model(rows[:, :-1])[:, 0])


def train(network: QuantumNetwork, rows: Tensor, count: int) -> None:
    """L-BFGS on Σ loss / count + (λ/2)|θ|²."""
    optimiser = torch.optim.LBFGS(network.parameters(), max_iter=150, line_search_fn="strong_wolfe",
                                  tolerance_grad=1e-10, tolerance_change=1e-16)  # fmt: skip

    def objective() -> Tensor:
        optimiser.zero_grad()
        value = loss(network, rows).sum() / count
        value = value + DECAY / 2 * torch.stack([(p**2).sum() for p in network.parameters()]).sum()
        value.backward()
        return value

    optimiser.step(objective)


def test_influence_on_a_classifier_predicts_training_without_a_point() -> None:
    rng = np.random.default_rng(0)
    x = torch.tensor(rng.uniform(-1.5, 1.5, (60, 2)))
    y = torch.sign(x[:, 0] + 0.5 * x[:, 1] + torch.tensor(rng.normal(0, 0.5, 60)))
    rows, test = torch.cat([x, y[:, None]], dim=1), torch.tensor([[0.3, 0.2, 1.0], [-0.6, 0.4, -1.0]]).double()
    mean_z = [{"Z0": 0.5, "Z1": 0.5}]
    network = QuantumNetwork(reuploading(2, layers=2, observables=mean_z), "affine", seed=2)
    train(network, rows, 60)
    block = RowBlock("point", rows, lambda model, z: loss(model, z).sqrt(), 1 / 60)
    influence = Influence.from_module(network, [block], regularisation=DECAY, curvature="hessian")
    assert influence.reliability.stationary
    scores = influence.scores(loss, at=test)
    order = np.abs(scores.values).sum(axis=0).argsort()
    before = loss(network, test).detach()
    predicted, true = [], []
    for column in order[[-3, -12, 25]]:
        kept = torch.arange(60) != int(scores.ids[column])
        other = QuantumNetwork(network.circuit, "affine", parameters=network.angles)
        other.load_state_dict(network.state_dict())
        train(other, rows[kept], 60)
        predicted.append(scores.values[:, column])
        true.append((loss(other, test).detach() - before).numpy())
    predicted, true = np.array(predicted), np.array(true)
    assert np.corrcoef(predicted.ravel(), true.ravel())[0, 1] > 0.95
    assert np.linalg.norm(predicted - true) < 0.2 * np.linalg.norm(true)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_decay_for_all_rates_has_the_explanation_of_the_mathematics(seed: int) -> None:
    k, t = coordinates("k t")
    u = field("u", k, t)
    problem = IBVP(sp.Eq(u.diff(t), -k * u), Interval(k, 0, 2), time=(t, 0, 1), initial={u: 1}, name="decay")
    mean_z = [{f"Z{q}": 0.25 for q in range(4)}]
    circuit = reuploading(4, 2, layers=3, assignment=(1, 1, 0, 0), scales=[0.6, 1.2], observables=mean_z)
    solver = PINN(QuantumNetwork(circuit, "affine", seed=seed), seed=seed, steps=80, constraints="soft",
                  resampler=Fixed(), points=Counts(144, 1, 30))  # fmt: skip
    solution = solver.solve(problem)
    assert solution.error(sp.exp(-k * t)).relative_l2["u"] < 1e-2
    found = shapley(solution.model, torch.tensor([[1.5, 1.0]], dtype=torch.float64)).values[0]
    assert float((found - math.expm1(-1.5) / 2).abs().max()) < 0.01
