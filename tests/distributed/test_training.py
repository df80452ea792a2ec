"""Training on two processes: the same answer as one, whatever the optimiser, the weights and the points."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy as sp
import torch

from influence import InfluenceSampler
from sciml import IBVP, MLP, Dirichlet, Interval, Observations, coordinates, field
from sciml.errors import SolverError
from solvers import PINN, RAD
from solvers.pinn import Checkpoint, Counts
from tests.distributed.crews import on_processes

x, t = coordinates("x t")
u = field("u", x, t)
kappa = sp.Symbol("kappa", real=True)
PROBES = np.random.default_rng(5).random((200, 2))


def heat(**changes: Any) -> IBVP:
    arguments: dict = {
        "pde": sp.Eq(u.diff(t), u.diff(x, 2) / 4),
        "domain": Interval(x, 0, 1),
        "time": (t, 0, 1),
        "initial": {u: sp.sin(sp.pi * x)},
        "boundary": [Dirichlet(u, 0)],
    }
    return IBVP(**{**arguments, **changes})


def inverse() -> IBVP:
    """Three observations and an unknown coefficient: one process has fewer rows, and terms without points."""
    places = np.array([[0.3, 0.2], [0.5, 0.5], [0.7, 0.9]])
    values = np.exp(-places[:, 1]) * np.sin(np.pi * places[:, 0])
    equation = sp.Eq(u.diff(t), kappa * u.diff(x, 2))
    return heat(pde=equation, unknowns={kappa: (0.5, 0.1, 3.0)}, observations=[Observations(u, places, values)])


SMALL = MLP(width=5, depth=1)
TRAININGS: dict[str, Any] = {
    "more rows than parameters": lambda: PINN(SMALL, steps=12, optimiser="lm").solve(heat()),
    "fewer rows": lambda: PINN(SMALL, steps=8, points=Counts(15, 2, 2), optimiser="lm").solve(heat()),
    "soft": lambda: PINN(SMALL, steps=8, constraints="soft").solve(heat()),
    "unknown": lambda: PINN(SMALL, steps=8, constraints="soft").solve(inverse()),
    "adam": lambda: PINN(SMALL, steps=20, optimiser="adam").solve(heat()),
    "lbfgs": lambda: PINN(SMALL, steps=10, optimiser="lbfgs", points=Counts(60, 20, 20)).solve(heat()),
    "new points": lambda: PINN(SMALL, steps=12, optimiser="lm", resampler=RAD(every=5)).solve(heat()),
    "ntk": lambda: PINN(SMALL, steps=12, weighting="ntk", constraints="soft", optimiser="adam").solve(heat()),
    "gradient norm": lambda: PINN(SMALL, steps=6, weighting="gradient norm", constraints="soft").solve(heat()),
    "conflict-free": lambda: PINN(
        SMALL, steps=12, weighting="conflict-free", optimiser="adam", constraints="soft"
    ).solve(heat()),
    "causal": lambda: PINN(SMALL, steps=12, weighting="causal", optimiser="adam").solve(heat()),
    "influence sampler": lambda: PINN(
        SMALL, steps=8, optimiser="lm", points=Counts(60, 0, 0), resampler=InfluenceSampler(every=4)
    ).solve(heat()),
    "slabs": lambda: PINN(SMALL, steps=5, slabs=2).solve(heat()),
}


def answers() -> dict[str, tuple[np.ndarray, list[float]]]:
    found = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, train in TRAININGS.items():
            solution = train()
            found[name] = solution.evaluate(PROBES), list(solution.unknown_values().values())
    return found


@pytest.fixture(scope="module")
def both() -> tuple[dict, dict]:
    return answers(), on_processes(answers)


@pytest.mark.parametrize("name", TRAININGS)
def test_two_processes_find_what_one_finds(both: tuple[dict, dict], name: str) -> None:
    (one, own), (two, theirs) = both[0][name], both[1][name]
    assert np.abs(two - one).max() <= 1e-10 * np.abs(one).max()
    np.testing.assert_allclose(theirs, own, rtol=1e-10)


def test_random_features_of_the_default_solver() -> None:
    """Nearly dependent columns: answers agree as well as the least-squares problem determines them."""
    problem = heat()
    one = PINN(steps=1).solve(problem)
    two = on_processes(lambda: PINN(steps=1).solve(problem))
    exact = sp.exp(-(sp.pi**2) * t / 4) * sp.sin(sp.pi * x)
    assert one.error(exact).relative_l2["u"] < 1e-6
    assert two.error(exact).relative_l2["u"] < 1e-6


def test_a_training_of_two_processes_is_resumed_by_one(tmp_path: Path) -> None:
    def train(steps: int, resume: Any = None, *callbacks: Any) -> np.ndarray:
        solver = PINN(SMALL, steps=steps, optimiser="lm", points=Counts(60, 0, 0))
        return solver.solve(heat(), callbacks, resume=resume).record.parameters.numpy()

    on_processes(lambda: train(6, None, Checkpoint(tmp_path / "run", steps=2)))
    resumed, whole = train(12, tmp_path / "run"), train(12)
    assert np.abs(resumed - whole).max() <= 1e-9 * np.abs(whole).max()


class OnlyOnRankZero(torch.nn.Module):
    """Fails on other processes, once it is trained."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(2, 1, dtype=torch.float64)

    def forward(self, points: torch.Tensor) -> torch.Tensor:
        if torch.distributed.is_initialized() and torch.distributed.get_rank() == 1:
            raise RuntimeError("no such file on this machine")
        return torch.tanh(self.layer(points))


def test_a_failure_on_one_process_is_told_by_the_first_and_the_crew_goes_on() -> None:
    def main() -> tuple[str, np.ndarray]:
        with pytest.raises(SolverError) as caught:
            PINN(OnlyOnRankZero(), steps=3, optimiser="adam").solve(heat())
        return str(caught.value), PINN(SMALL, steps=3, optimiser="lm").solve(heat()).evaluate(PROBES)

    text, values = on_processes(main)
    assert "rank 1 failed: RuntimeError: no such file on this machine" in text
    one = PINN(SMALL, steps=3, optimiser="lm").solve(heat()).evaluate(PROBES)
    assert np.abs(values - one).max() <= 1e-10 * np.abs(one).max()


def test_a_network_that_cannot_be_sent_is_refused() -> None:
    class Local(torch.nn.Linear):
        pass

    def main() -> str:
        with pytest.raises(SolverError) as caught:
            PINN(torch.nn.Sequential(Local(2, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1)).double()).solve(heat())
        return str(caught.value)

    assert "at the top of a module" in on_processes(main)
