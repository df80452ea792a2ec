"""A user's own module with plain autograd inside its residual: against solutions, true refits and refusals."""

import warnings

import numpy as np
import pytest
import torch
from torch import nn

from influence import Influence, MeanSquare, RowBlock
from influence.hessian import hessian_products
from sciml.errors import SolverError, SolverWarning
from sciml.networks.parameters import flat_parameters, load_parameters


class Oscillator(nn.Module):
    """A damped oscillator with an unknown rate: the network and the coefficient are one module."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.body = nn.Sequential(nn.Linear(1, 6), nn.Tanh(), nn.Linear(6, 1))
        self.rate = nn.Parameter(torch.tensor(0.6))

    def forward(self, t: torch.Tensor) -> torch.Tensor:
        return self.body(t)[:, 0]


def equation(model, points):
    t = points.detach().requires_grad_(True)
    value = model(t)
    (slope,) = torch.autograd.grad(value.sum(), t, create_graph=True)
    return slope[:, 0] + model.rate * value**2


def misfit(model, points):
    return model(points[:, :1]) - points[:, 1]


TIMES = np.linspace(0, 2, 25)
NOISE = 0.01 * np.random.default_rng(0).standard_normal(12)
DATA = np.column_stack([np.linspace(0, 2, 12), 1 / (1 + np.linspace(0, 2, 12)) + NOISE])
BLOCKS = [RowBlock("ode", TIMES, equation, 1 / 25), RowBlock("data", DATA, misfit, 1 / 12)]
DECAY = 1e-3


@pytest.fixture(scope="module")
def trained() -> Oscillator:
    """Adam, then Newton's method with |H| to a minimum at rounding."""
    model = Oscillator().double()
    rows = [(b.residual, torch.tensor(b.points), b.weight) for b in BLOCKS]
    parameters = list(model.parameters())

    def loss() -> torch.Tensor:
        total = sum(w * (f(model, z) ** 2).sum() for f, z, w in rows)
        return total + 0.5 * DECAY * sum((p**2).sum() for p in parameters)

    optimiser = torch.optim.Adam(parameters, 2e-2)
    for _ in range(500):
        optimiser.zero_grad()
        loss().backward()
        optimiser.step()
    for _ in range(200):
        value = loss()
        slope = torch.cat([g.reshape(-1) for g in torch.autograd.grad(value, parameters, create_graph=True)])
        lines = [torch.autograd.grad(s, parameters, retain_graph=True) for s in slope]
        values, vectors = torch.linalg.eigh(torch.stack([torch.cat([g.reshape(-1) for g in line]) for line in lines]))
        slope, here = slope.detach(), flat_parameters(model)
        if float(slope.norm()) < 1e-13:
            break
        move = -vectors @ ((vectors.T @ slope) / values.abs().clamp(min=1e-6))
        move = move * min(1.0, 0.5 / float(move.norm()))
        for _ in range(20):  # whole steps near the minimum, shorter ones while they would climb
            load_parameters(model, here + move)
            if loss().item() <= value.item() * (1 + 1e-14):
                break
            move = move / 2
    assert float(slope.norm()) < 1e-12
    assert float(values[0]) > 0
    return model


def value(model, points):
    return model(points)


AT = np.array([[0.3], [1.1], [1.9]])


def test_removals_predict_true_refits(trained: Oscillator) -> None:
    made = {c: Influence.from_module(trained, BLOCKS, DECAY, curvature=c) for c in ("ggn", "hessian")}
    assert made["hessian"].reliability.stationary
    agreement = made["hessian"].check(8, value, AT, quiet=True)
    assert agreement.converged.all()
    assert set(agreement.kinds) == {"ode", "data"}
    assert agreement.relative_error < 0.02
    assert agreement.spearman > 0.99
    # the Gauss-Newton part alone ranks, but residuals of this size do not let it measure
    rough = made["ggn"].scores(value, AT).of(agreement.ids)
    assert np.corrcoef(rough.ravel(), agreement.true.ravel())[0, 1] > 0.9
    assert np.linalg.norm(rough - agreement.true) > 3 * np.linalg.norm(agreement.predicted - agreement.true)


def test_rows_and_curvature_are_those_of_functional_code(trained: Oscillator) -> None:
    mine = Influence.from_module(trained, BLOCKS, DECAY).record
    theta = mine.parameters
    names = [name for name, _ in trained.named_parameters()]
    shapes = [p.shape for p in trained.parameters()]

    def parts(flat):
        pieces = torch.split(flat, [s.numel() for s in shapes])
        return {name: piece.view(s) for name, piece, s in zip(names, pieces, shapes, strict=True)}

    def field(flat, t):
        return torch.func.functional_call(trained, parts(flat), (t.reshape(1, 1),))[0]

    def ode(flat, z):
        u, slope = torch.func.jvp(lambda s: field(flat, s), (z[0],), (torch.ones((), dtype=torch.float64),))
        return slope + parts(flat)["rate"] * u**2

    other = Influence.from_rows(theta, [
        RowBlock("ode", TIMES, ode, 1 / 25), RowBlock("data", DATA, lambda p, z: field(p, z[0]) - z[1], 1 / 12)
    ], DECAY).record  # fmt: skip
    for first, second in zip(mine.rows.jacobian(theta), other.rows.jacobian(theta), strict=True):
        assert first.numpy() == pytest.approx(second.numpy(), rel=1e-10, abs=1e-12)
    eye = torch.eye(len(theta), dtype=torch.float64)
    full = hessian_products(mine, theta, eye)
    assert full.numpy() == pytest.approx(hessian_products(other, theta, eye).numpy(), rel=1e-8, abs=1e-10)


def test_coefficient_quadratic_target_and_moves(trained: Oscillator) -> None:
    influence = Influence.from_module(trained, BLOCKS, DECAY, curvature="hessian")
    place = [name for name, _ in trained.named_parameters()].index("rate")
    assert place == 0
    scores = influence.scores(lambda p: p[0])
    datum = influence.record.points.ids_of("data")[3]
    true = influence.refit([datum], factor=0.5).theta[0] - influence.curvature.theta[0]
    half = influence.scores(lambda p: p[0], action="reweight", factor=0.5).of([datum])[0, 0]
    assert half == pytest.approx(float(true), rel=0.02)
    assert scores.values.shape == (1, 37)
    error = influence.scores(MeanSquare(lambda m, z: m(z) - 1 / (1 + z[:, 0]), at=TIMES[:, None]))
    assert np.isfinite(error.values).all()
    moved = influence.scores(value, AT, action="add", points=[[2.5]], term="ode")
    assert moved.values.shape == (3, 1)


def test_single_precision_and_foreign_functions(trained: Oscillator) -> None:
    single = Oscillator()
    single.load_state_dict(trained.state_dict())
    with pytest.warns(SolverWarning, match="converted to float64"):
        Influence.from_module(single, BLOCKS, DECAY)
    assert next(single.parameters()).dtype == torch.float32
    wrong = [RowBlock("ode", TIMES, lambda m, z: trained(z).detach(), 1.0)]
    with pytest.raises(SolverError, match="depend on the parameters"):
        Influence.from_module(trained, wrong)
    coupled = [RowBlock("ode", np.linspace(0, 2, 50), lambda m, z: m(z) - m(z).mean(), 1.0)]
    with pytest.raises(SolverError, match="belong to one point each"):
        Influence.from_module(trained, coupled)
    with pytest.raises(SolverError, match="values"):
        Influence.from_module(trained, [RowBlock("ode", TIMES, lambda m, z: m(z).sum(), 1.0)])
    with pytest.raises(SolverError, match="parameters that require"):
        Influence.from_module(nn.Tanh(), BLOCKS)


def test_a_term_without_which_rows_bend_is_warned_of(trained: Oscillator) -> None:
    influence = Influence.from_module(trained, BLOCKS, DECAY)
    with pytest.warns(SolverWarning, match="depart from their linear prediction"):
        far = influence.group("data", value, AT, action="reweight", factor=0.0).values[:, 0]
    true = influence.value(value, AT, influence.refit("data").theta) - influence.value(
        value, AT, influence.record.parameters
    )
    assert np.linalg.norm(far - true) > 0.5 * np.linalg.norm(true)
    with warnings.catch_warnings():
        warnings.simplefilter("error", SolverWarning)
        near = influence.group("data", value, AT, action="reweight", factor=0.9).values[:, 0]
    moved = influence.value(value, AT, influence.refit("data", factor=0.9).theta)
    moved = moved - influence.value(value, AT, influence.record.parameters)
    assert np.linalg.norm(near - moved) < 0.2 * np.linalg.norm(moved)
