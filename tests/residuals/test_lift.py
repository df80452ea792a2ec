"""Hard constraints hold on every face, whatever the network and however the data are written."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp
import torch

from sciml import IBVP, MLP, Box, Dirichlet, Disk, Interval, Neumann, Rectangle, coordinates, field, sample
from sciml.errors import SolverError
from sciml.residuals import ConstrainedNetwork, ResidualSystem, hard_constraint

x, y, z, t = coordinates("x y z t")
line, plane, solid = field("u", x, t), field("u", x, y), field("u", x, y, z)
moving = field("u", x, y, t)
WAVE = sp.cos(6 * x + 8 * y)
SQUARE = Rectangle((x, 0, 1), (y, -1, 2))


def laplace(known: sp.Expr) -> sp.Expr:
    return sp.Add(*[known.diff(s, 2) for s in known.args if s != t])


# the data of a face are written as functions of all coordinates, as a user does who knows the solution
PROBLEMS = {
    "square": lambda: IBVP(laplace(plane), SQUARE, boundary=[Dirichlet(plane, WAVE)]),
    "one side free": lambda: IBVP(
        laplace(plane),
        SQUARE,
        boundary=[Dirichlet(plane, WAVE, on=["left", "right", "bottom"]), Neumann(plane, 0, "top")],
    ),
    "cube": lambda: IBVP(
        laplace(solid),
        Box((x, 0, 1), (y, 0, 2), (z, -1, 1)),
        boundary=[Dirichlet(solid, sp.exp(x * y) * sp.sin(x + z))],
    ),
    "0/0 on a face": lambda: IBVP(laplace(plane), SQUARE, boundary=[Dirichlet(plane, sp.sin(x * (2 + y)) / x)]),
    "interval": lambda: IBVP(
        line.diff(t) - laplace(line),
        Interval(x, -1, 3),
        time=(t, 0, 2),
        initial={line: sp.sech(x)},
        boundary=[Dirichlet(line, sp.sech(x - t))],
    ),
    "square in time": lambda: IBVP(
        moving.diff(t, 2) - laplace(moving),
        SQUARE,
        time=(t, 0, 1),
        initial={moving: WAVE, moving.diff(t): -sp.sin(6 * x + 8 * y)},
        boundary=[Dirichlet(moving, sp.cos(6 * x + 8 * y + t))],
    ),
    "hole": lambda: IBVP(
        laplace(plane), Disk((x, y)) - Disk((x, y), radius=0.25, name="hole"), boundary=[Dirichlet(plane, WAVE)]
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PROBLEMS)
def test_data_are_met_for_any_network(name: str) -> None:
    problem = PROBLEMS[name]()
    constraint = hard_constraint(problem)
    assert constraint is not None
    assert not constraint.reasons
    model = MLP(6, 2).bind(problem.bounds, 1, seed=4)
    points = sample(problem, interior=4, boundary=64, initial=32)
    rows = ResidualSystem(problem, constraint).rows(model, points, parameters=False)
    met = [term for term in rows.terms if term.name in constraint.satisfied]
    assert {term.name for term in met} == {
        term.name for term in problem.terms if term.kind != "interior" and not term.name.startswith("neumann")
    }
    assert all(len(term.values) for term in met)
    assert max(float(term.values.abs().max()) for term in met) < 1e-9
    assert np.isfinite(rows.flat().detach().numpy()).all()


@pytest.mark.parametrize("name", ["square", "square in time", "interval"])
def test_slopes_by_autograd_hold_the_lift(name: str) -> None:
    problem = PROBLEMS[name]()
    network = MLP(6, 2).bind(problem.bounds, 1, seed=4)
    model = ConstrainedNetwork(network, hard_constraint(problem))
    place = torch.tensor(sample(problem, interior=8, boundary=0, initial=0).coordinates)
    step = 1e-6 * torch.eye(place.shape[1], dtype=torch.float64)
    with torch.no_grad():
        beside = [(model(place + e) - model(place - e))[:, 0] / 2e-6 for e in step]
    here = place.clone().requires_grad_()
    values = model(here)
    (slopes,) = torch.autograd.grad(values.sum(), here, create_graph=True)
    assert torch.allclose(slopes, torch.stack(beside, dim=1), rtol=1e-5, atol=1e-6)
    assert torch.equal(values, model(place))
    by_angle = torch.autograd.grad(model(here).sum(), list(network.parameters()))
    assert all(map(torch.equal, by_angle, torch.autograd.grad(model(place).sum(), list(network.parameters()))))
    with pytest.raises(SolverError, match="first derivatives"):
        torch.autograd.grad(slopes.sum() + here.sum(), here, retain_graph=True)
    with pytest.raises(SolverError, match="first derivatives"):
        torch.autograd.grad(slopes.sum() + values.sum(), list(network.parameters()))
