"""Tensors are made where the network is.

On a machine without a GPU: with "meta" as the default device everything that is made without naming a device has no
numbers, and cannot be mixed with what has; and tensors refuse to become NumPy arrays unless they were fetched.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import sympy as sp
import torch
from torch import Tensor

from sciml import IBVP, MLP, Dirichlet, Interval, Observations, coordinates, field
from sciml.residuals import ResidualSystem
from solvers.pinn.objective import Objective
from solvers.pinn.optimisers import LBFGS, SOAP, Adam, GaussNewton, LevenbergMarquardt, SSBroyden
from solvers.pinn.placement import Counts, draw
from solvers.pinn.samplers import residual_size
from solvers.pinn.unknowns import UnknownMap

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


@pytest.mark.gpu
@pytest.mark.parametrize("kind", OPTIMISERS)
def test_steps_on_a_gpu_are_those_of_the_cpu(kind: Any) -> None:
    here, there = objective(), objective("cuda")
    one, two = kind().step(here, here.start()), kind().step(there, there.start())
    assert two.theta.device.type == "cuda"
    assert torch.allclose(two.theta.cpu(), one.theta, rtol=1e-8, atol=1e-10)
