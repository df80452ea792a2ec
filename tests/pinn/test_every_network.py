"""Every kind of network is trained on one equation, under hard and under soft constraints."""

from __future__ import annotations

import pytest
import sympy as sp
from torch import nn

from sciml import IBVP, MLP, Dirichlet, Disk, Interval, Periodic, Rectangle, coordinates, field
from sciml.networks import (
    NETWORKS,
    FourierMLP,
    ModifiedMLP,
    ObstacleMLP,
    PeriodicMLP,
    PirateNet,
    RandomFeatures,
    SineNetwork,
)
from solvers import PINN
from solvers.pinn import Counts, PINNSolution

x, t = coordinates("x t")
u = field("u", x, t)
HEAT = IBVP(sp.Eq(u.diff(t), u.diff(x, 2) / 4), Interval(x, 0, 1), (t, 0, 1), {u: sp.sin(sp.pi * x)}, [Dirichlet(u, 0)])
EXACT = sp.exp(-(sp.pi**2) * t / 4) * sp.sin(sp.pi * x)
KINDS = [
    MLP(width=8, depth=2),
    FourierMLP(width=8, depth=2, features=8),
    ModifiedMLP(width=8, depth=2),
    PirateNet(features=7, blocks=1),
    SineNetwork(width=8, depth=2),
    RandomFeatures(width=200),
]


def trained(network: nn.Module, problem: IBVP, constraints: str) -> PINNSolution:
    steps = 100 if isinstance(network, PirateNet) else 30  # it begins as a linear map of few features
    linear = isinstance(network, RandomFeatures)  # more parameters, and rows for them, in one solve
    method, points = ("gauss-newton", Counts(300, 60, 60)) if linear else ("lm", Counts(150, 30, 30))
    return PINN(network, optimiser=method, steps=steps, tolerance=1e-5, points=points, progress=False,
                constraints=constraints).solve(problem)  # fmt: skip


@pytest.mark.parametrize("network", KINDS, ids=lambda network: type(network).__name__)
@pytest.mark.parametrize("constraints", ["hard", "soft"])
def test_heat_equation(network: nn.Module, constraints: str) -> None:
    solution = trained(network, HEAT, constraints)
    assert solution.error(EXACT).relative_l2["u"] < 2e-3
    assert (solution.constraint is not None) == (constraints == "hard")


@pytest.mark.parametrize("constraints", ["auto", "soft"])
def test_periodic_network(constraints: str) -> None:
    exact = sp.exp(-t / 10) * sp.sin(x - t)
    problem = IBVP(
        sp.Eq(u.diff(t) + u.diff(x), u.diff(x, 2) / 10), Interval(x, 0, 2 * sp.pi), (t, 0, 1), {u: sp.sin(x)},
        [Periodic(u)],
    )  # fmt: skip
    solution = trained(PeriodicMLP(width=8, depth=1, harmonics={0: 2}), problem, constraints)
    assert solution.error(exact).relative_l2["u"] < 2e-3
    ends = solution(x=[0.0, 2 * 3.141592653589793], t=0.4)
    assert abs(ends[1] - ends[0]) < 1e-12


def test_region_with_a_hole() -> None:
    x, y = coordinates("x y")
    v = field("v", x, y)
    exact = sp.log((x - 2) ** 2 + (y - 1) ** 2) + x * y / 4
    region = Rectangle((x, 0, 4), (y, 0, 2)) - Disk((x, y), (2, 1), sp.Rational(1, 4))
    problem = IBVP(sp.Eq(v.diff(x, 2) + v.diff(y, 2), 0), region, boundary=[Dirichlet(v, exact)])
    solver = PINN(ObstacleMLP(width=6, depth=1, holes=region), steps=20, points=Counts(150, 100, 0), progress=False)
    assert solver.solve(problem).error(exact).relative_l2["v"] < 2e-3


def test_no_kind_is_left_out() -> None:
    bound = [PeriodicMLP(harmonics={0: 2}), ObstacleMLP(holes=[((2, 1), 1)])]
    assert {type(network).__name__ for network in [*KINDS, *bound]} == set(NETWORKS)
