"""Tensors are made where the network is.

On a machine without a GPU: with "meta" as the default device everything that is made without naming a device has no
numbers, and cannot be mixed with what has; and tensors refuse to become NumPy arrays unless they were fetched.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy as sp
import torch
from torch import Tensor

from influence import Influence, InfluenceSampler
from sciml import IBVP, MLP, Dirichlet, Interval, Observations, SolverError, coordinates, field
from sciml.residuals import ResidualSystem
from solvers.pinn import PINN, Checkpoint
from solvers.pinn.objective import Objective
from solvers.pinn.optimisers import LBFGS, SOAP, Adam, GaussNewton, LevenbergMarquardt, SSBroyden
from solvers.pinn.placement import Counts, draw
from solvers.pinn.refining import PACMANN, SolutionGradient
from solvers.pinn.samplers import RAD, residual_size
from solvers.pinn.unknowns import UnknownMap
from solvers.pinn.weighting.choice import SCHEMES

x, t = coordinates("x t")
u, kappa = field("u", x, t), sp.Symbol("kappa", real=True)
PROBLEM = IBVP(
    sp.Eq(u.diff(t), kappa * u.diff(x, 2)), Interval(x, 0, 1), (t, 0, 1), {u: sp.sin(sp.pi * x)}, [Dirichlet(u, 0)],
    unknowns={kappa: (0.5, 0.1, 3.0)}, observations=[Observations(u, np.array([[0.4, 0.3]]), np.array([0.5]))],
)  # fmt: skip
OPTIMISERS = [LevenbergMarquardt, GaussNewton, Adam, LBFGS, SSBroyden, SOAP]


def objective(device: str = "cpu") -> Objective:
    model = MLP(width=5, depth=1).bind(PROBLEM.bounds, 1, seed=0).to(device)
    scale = {term.name: 1.0 for term in PROBLEM.terms}
    points = draw(PROBLEM, (), Counts(30, 6, 6), seed=0)
    return Objective(ResidualSystem(PROBLEM), model, UnknownMap(PROBLEM.unknowns.values()), points, scale)


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    to_array, to_cpu = Tensor.numpy, Tensor.cpu

    def numpy(self: Tensor, *arguments: Any, **named: Any) -> np.ndarray:
        assert getattr(self, "fetched", False), "numpy() of a tensor that may be on a GPU"
        return to_array(self, *arguments, **named)

    def cpu(self: Tensor) -> Tensor:
        here = to_cpu(self).view_as(self)
        here.fetched = True  # type: ignore[attr-defined]
        return here

    with torch.device("meta"):
        monkeypatch.setattr(Tensor, "numpy", numpy)
        monkeypatch.setattr(Tensor, "cpu", cpu)
        monkeypatch.setattr("sciml.least_squares.factor.lower_gram", lambda rows: rows.T @ rows)  # as on a GPU
        yield


@pytest.mark.parametrize("kind", OPTIMISERS)
def test_steps_name_their_device(kind: Any, request: pytest.FixtureRequest) -> None:
    made = objective()
    made.evaluate(made.start())  # engines are chosen once, by a trial
    request.getfixturevalue("elsewhere")
    start = made.start()
    step = kind().step(made, start)
    assert step.theta.device.type == "cpu"
    assert np.isfinite(step.loss)
    assert float((step.theta - start).norm()) > 0


def test_residuals_of_samplers_and_starts_of_coefficients(request: pytest.FixtureRequest) -> None:
    made = objective()
    pool = made.points
    plain = PROBLEM.replace(pde=sp.Eq(u.diff(t), u.diff(x, 2)), unknowns={}, observations=[])
    made.evaluate(made.start())
    request.getfixturevalue("elsewhere")
    rows = made.system.rows(made.model, made.batch, parameters=False)
    assert bool(torch.isfinite(rows.weights({"pde": 2.0})).all())
    sizes = residual_size(plain, made.model, pool.of("pde"))
    assert np.isfinite(sizes).all()


@pytest.mark.parametrize("sampler", [SolutionGradient(candidates=64), RAD(candidates=64), PACMANN()])
def test_samplers_fetch_what_they_score(sampler: Any, request: pytest.FixtureRequest) -> None:
    made = objective()
    plain = PROBLEM.replace(pde=sp.Eq(u.diff(t), u.diff(x, 2)), unknowns={}, observations=[])
    made.evaluate(made.start())
    request.getfixturevalue("elsewhere")
    new = sampler.resample(plain, made.model, made.points)
    assert np.isfinite(new.weight).all()


@pytest.mark.parametrize("device", ["meta", "cuda:99", "gpu", 1.5])
def test_a_device_that_cannot_train_is_refused(device: Any) -> None:
    with pytest.raises(SolverError, match="computes in float64"):
        PINN(device=device)


def test_a_named_device_trains_as_the_default_does() -> None:
    network = MLP(width=5, depth=1)
    one, two = (PINN(network, steps=5, seed=0, device=device).solve(PROBLEM) for device in (None, "cpu"))
    where = np.array([[0.3, 0.2], [0.8, 0.9]])
    assert np.array_equal(one.evaluate(where), two.evaluate(where))


NO_GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")


@pytest.mark.gpu
@NO_GPU
@pytest.mark.parametrize("kind", OPTIMISERS)
def test_steps_on_a_gpu_are_those_of_the_cpu(kind: Any) -> None:
    here, there = objective(), objective("cuda")
    one, two = kind().step(here, here.start()), kind().step(there, there.start())
    assert two.theta.device.type == "cuda"
    assert torch.allclose(two.theta.cpu(), one.theta, rtol=1e-8, atol=1e-10)


@pytest.mark.gpu
@NO_GPU
@pytest.mark.filterwarnings("ignore:the model is not at a minimum")
@pytest.mark.parametrize("optimiser", ["auto", "lm", "adam", "lbfgs"])
def test_a_training_on_a_gpu_comes_back_to_the_cpu(optimiser: str) -> None:
    network = None if optimiser == "auto" else MLP(width=5, depth=1)
    here, there = (
        PINN(network, steps=5, seed=0, optimiser=optimiser, device=device).solve(PROBLEM) for device in ("cpu", "cuda")
    )
    where = np.array([[0.3, 0.2], [0.8, 0.9]])
    assert np.allclose(there.evaluate(where), here.evaluate(where), rtol=1e-5, atol=1e-7)
    assert np.isfinite(Influence(there).leverage).all()


@pytest.mark.gpu
@NO_GPU
@pytest.mark.parametrize("weighting", sorted(SCHEMES))
def test_weighting_schemes_on_a_gpu(weighting: str) -> None:
    solver = PINN(MLP(width=5, depth=1), steps=4, seed=0, optimiser="adam", weighting=weighting, device="cuda")
    assert np.isfinite(solver.solve(PROBLEM).evaluate(np.array([[0.3, 0.2]]))).all()


@pytest.mark.gpu
@NO_GPU
@pytest.mark.parametrize("optimiser", ["lm", "adam"])
def test_a_training_on_a_gpu_is_resumed(optimiser: str, tmp_path: Path) -> None:
    def solver(steps: int) -> PINN:
        sampler = InfluenceSampler(every=2, candidates=50, seed=0)
        network = MLP(width=5, depth=1)
        return PINN(network, steps=steps, seed=0, optimiser=optimiser, resampler=sampler, device="cuda")

    kept = Checkpoint(tmp_path / "kept", seconds=0.0)
    solver(3).solve(PROBLEM, [kept])
    resumed = solver(6).solve(PROBLEM, resume=tmp_path / "kept")
    assert np.isfinite(resumed.evaluate(np.array([[0.3, 0.2]]))).all()
