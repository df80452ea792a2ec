"""Networks and samplers of a user's own that are no functions of a point, or answer with anything: not in silence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import sympy as sp
import torch
from torch import Tensor, nn

from sciml import IBVP, Dirichlet, Interval, coordinates, field
from sciml.errors import SolverError, SolverWarning
from solvers import PINN, RandomResample

x, t = coordinates("x t")
u = field("u", x, t)
HEAT = IBVP(sp.Eq(u.diff(t), u.diff(x, 2)), Interval(x, 0, 1), (t, 0, 1), {u: sp.sin(sp.pi * x)}, [Dirichlet(u, 0)])


class Own(nn.Module):
    """A dense network, and what somebody does with it."""

    def __init__(self, change: Callable[[Own, Tensor], Any], middle: nn.Module | None = None) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(2, 6), nn.Tanh(), middle or nn.Identity(), nn.Linear(6, 1)).double()
        self.change, self.calls = change, 0

    def forward(self, points: Tensor) -> Any:
        self.calls += 1
        return self.change(self, points)


def plain(network: Own, z: Tensor) -> Tensor:
    return network.layers(z)


NETWORKS: dict[str, tuple[Callable[[], nn.Module], str]] = {
    "dropout": (lambda: Own(plain, nn.Dropout(0.5)), "two calls differ"),
    "batch normalisation": (lambda: Own(plain, nn.BatchNorm1d(6).double()), "called with one point"),
    "noise": (lambda: Own(lambda n, z: n.layers(z) + torch.randn(len(z), 1)), "two calls differ"),
    "a mean over the points": (lambda: Own(lambda n, z: n.layers(z) - n.layers(z).mean()), "with the other points"),
    "a counter": (lambda: Own(lambda n, z: n.layers(z) * n.calls), "two calls differ"),
    "points changed in place": (lambda: Own(lambda n, z: n.layers(z.mul_(2))), "two calls differ"),
    "complex values": (lambda: Own(lambda n, z: n.layers(z) * 1j), "real values"),
    "values without points": (lambda: Own(lambda n, z: 3), "int from"),
    "a branch on values": (lambda: Own(lambda n, z: n.layers(z) if z.sum() > -9 else -n.layers(z)), "point by point"),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_that_is_no_function_of_a_point_is_refused(name: str) -> None:
    make, message = NETWORKS[name]
    with pytest.raises(SolverError, match=message) as caught:
        PINN(make(), steps=3, optimiser="lm", progress=False).solve(HEAT)
    assert caught.value.fix


def test_evaluation_mode_makes_dropout_a_function() -> None:
    assert PINN(Own(plain, nn.Dropout(0.5)).eval(), steps=2, progress=False).solve(HEAT).status


class Sampler(RandomResample):
    def __init__(self, change: Callable[[Any], Any]) -> None:
        super().__init__(every=4)
        self.change = change

    def resample(self, problem: IBVP, model: Any, points: Any) -> Any:
        return self.change(super().resample(problem, model, points))


SAMPLERS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "nothing": (lambda points: None, "NoneType from Sampler"),
    "an array": (lambda points: points.coordinates, "ndarray from Sampler"),
    "points outside": (lambda points: replace(points, coordinates=points.coordinates + 5), "outside, the first at"),
    "points that are no numbers": (
        lambda points: replace(points, coordinates=points.coordinates * float("nan")),
        "NaN",
    ),
    "negative weights": (lambda points: replace(points, weight=-points.weight), "negative"),
}


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_sampler_that_answers_with_anything_is_named_and_costs_nothing(name: str) -> None:
    change, message = SAMPLERS[name]
    with pytest.warns(SolverWarning, match=message):
        solution = PINN(nn.Sequential(nn.Linear(2, 6), nn.Tanh(), nn.Linear(6, 1)).double(), steps=12, optimiser="lm",
                        resampler=Sampler(change), progress=False).solve(HEAT)  # fmt: skip
    assert "the last good state is returned" in solution.status
    assert "after 0 steps" not in solution.status
