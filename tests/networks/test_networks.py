"""Networks: scaling, rebuilding, what is trained, and what each kind promises."""

from __future__ import annotations

import json
import math

import pytest
import torch
from torch import Tensor, nn

from sciml.errors import CheckpointError, SolverError
from sciml.geometry import Rectangle
from sciml.networks import (
    MLP,
    NETWORKS,
    FourierMLP,
    ModifiedMLP,
    ObstacleMLP,
    PeriodicMLP,
    PirateNet,
    RandomFeatures,
    SineNetwork,
    call_with,
    flat_parameters,
    load_parameters,
    network_from_config,
    parameter_views,
)
from sciml.networks.checking import check_module
from sciml.networks.widening import widen
from sciml.residuals import StreamEngine
from sciml.symbols import coordinates

BOUNDS = [(0.0, 2.0), (-1.0, 3.0)]
KINDS: list[nn.Module] = [
    MLP(5, 2), FourierMLP(5, 2, features=3), PeriodicMLP(5, 2, harmonics={1: 2}), SineNetwork(5, 2),
    RandomFeatures(7), ModifiedMLP(5, 2), PirateNet(features=3, blocks=2), ObstacleMLP(5, 2, holes=[((3, 4), 0.5)]),
]  # fmt: skip


def points(count: int = 6) -> Tensor:
    return torch.rand(count, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def test_every_kind_is_tested() -> None:
    assert {type(kind).__name__ for kind in KINDS} == set(NETWORKS)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: type(kind).__name__)
def test_binding_and_rebuilding(kind: nn.Module) -> None:
    model = kind.bind(BOUNDS, 3, scale=[1.0, 2.0, 3.0], offset=[0.0, 1.0, 2.0], seed=4)
    assert not kind.bound
    assert model.bound
    assert torch.equal(model(points()), kind.bind(BOUNDS, 3, [1.0, 2.0, 3.0], [0.0, 1.0, 2.0], seed=4)(points()))
    rebuilt = network_from_config(json.loads(json.dumps(model.config())))
    rebuilt.load_state_dict(model.state_dict())
    assert type(rebuilt) is type(model)
    assert torch.equal(rebuilt(points()), model(points()))
    other = kind.bind(BOUNDS, 3, seed=5)
    assert not torch.allclose(other(points()), kind.bind(BOUNDS, 3, seed=4)(points()))


@pytest.mark.parametrize("kind", KINDS[:-1], ids=lambda kind: type(kind).__name__)  # holes have places of their own
def test_inputs_and_outputs_are_scaled(kind: nn.Module) -> None:
    far = [(1e6, 1e6 + 2.0), (-1e-3, 1e-3)]
    unit, moved = kind.bind([(-1, 1), (-1, 1)], 1, seed=1), kind.bind(far, 1, scale=[4.0], offset=[-2.0], seed=1)
    x = 2 * points() - 1
    there = torch.stack([1e6 + 1 + x[:, 0], 1e-3 * x[:, 1]], dim=1)
    assert torch.allclose(moved(there), 4 * unit(x) - 2, rtol=0, atol=1e-8)


def test_periodic_features_make_all_derivatives_periodic() -> None:
    model = PeriodicMLP(6, 2, harmonics={0: 3}).bind(BOUNDS, 1, seed=2)
    y = points()[:, 1]
    sides = [torch.stack([torch.full_like(y, end), y], dim=1) for end in BOUNDS[0]]
    needed = [(0, (k, m)) for k in range(4) for m in range(2)]
    left, right = (StreamEngine().jets(model, side, needed, parameters=False) for side in sides)
    assert float((left - right).abs().max()) < 1e-11 * float(left.abs().max())
    moved = model(points() + torch.tensor([0.0, 0.5]))
    assert float((model(points()) - moved).detach().abs().max()) > 1e-3


def test_random_features_train_the_last_layer_only() -> None:
    model = RandomFeatures(7).bind(BOUNDS, 2, seed=0)
    assert len(flat_parameters(model)) == 7 * 2 + 2
    theta = flat_parameters(model)
    zero = call_with(model, torch.zeros_like(theta), points())
    first = call_with(model, theta, points()) - zero
    assert torch.allclose(call_with(model, 3 * theta, points()) - zero, 3 * first, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("activation", ["sin", "tanh"])
def test_random_features_have_the_spreads_that_were_asked_for(activation: str) -> None:
    model = RandomFeatures(4000, activation, spread=[3.0, 0.5]).bind(BOUNDS, 1, seed=0)
    deviation = model.layers[0].weight.std(dim=0)
    assert torch.allclose(deviation, torch.tensor([3.0, 0.5], dtype=torch.float64), rtol=0.1)
    again = network_from_config(model.config())
    assert again.spread == [3.0, 0.5]


def test_pirate_net_starts_as_a_linear_map_of_its_features() -> None:
    model = PirateNet(features=3, blocks=2).bind(BOUNDS, 1, seed=3)
    features = torch.sin((points() - model.centre) / model.half_width @ model.frequencies.T + model.phases)
    assert torch.allclose(model(points()), model.layers[-1](features), rtol=1e-13, atol=1e-14)
    assert torch.allclose(features[:, :3] ** 2 + features[:, 3:] ** 2, torch.ones(6, 3, dtype=torch.float64))


def test_modified_mlp_by_hand() -> None:
    model = ModifiedMLP(4, 2).bind([(-1, 1), (-1, 1)], 1, seed=3)
    x = points()
    u, v = (torch.tanh(layer(x)) for layer in model.encoders)
    h = x
    for layer in model.layers[:-1]:
        z = torch.tanh(layer(h))
        h = (1 - z) * u + z * v
    assert torch.allclose(model(x), model.layers[-1](h), rtol=1e-13, atol=1e-14)


def test_sine_network_has_the_frequencies_that_were_asked_for() -> None:
    model = SineNetwork(200, 2, frequency=30.0).bind(BOUNDS, 1, seed=0)
    assert 29.0 / 2 < float(model.layers[0].weight.detach().abs().max()) <= 30.0 / 2
    assert float(model.layers[1].weight.detach().abs().max()) <= math.sqrt(6 / 200)


def test_flat_parameters() -> None:
    model = MLP(4, 2, inputs=2, outputs=1, seed=0)
    theta = flat_parameters(model)
    before = model(points())
    other = torch.linspace(-1, 1, len(theta), dtype=torch.float64)
    values = call_with(model, other, points())
    assert torch.equal(model(points()), before)
    load_parameters(model, other)
    assert torch.equal(model(points()), values)
    assert torch.equal(flat_parameters(model), other)
    assert not torch.equal(flat_parameters(model), theta)
    assert list(parameter_views(model, theta)) == [name for name, _ in model.named_parameters()]
    with pytest.raises(SolverError, match="flat vector of 37 parameters"):
        load_parameters(model, theta[:-1])


def test_refused() -> None:
    with pytest.raises(SolverError, match="width=0"):
        MLP(width=0)
    with pytest.raises(SolverError, match="relu"):
        ModifiedMLP(activation="relu")
    with pytest.raises(SolverError, match="features"):
        PirateNet(features=0)
    with pytest.raises(SolverError, match="harmonics"):
        PeriodicMLP(harmonics={0: 0})
    with pytest.raises(SolverError, match="positive spreads"):
        RandomFeatures(spread=[1.0, 0.0])
    with pytest.raises(SolverError, match="one spread, or 2"):
        RandomFeatures(spread=[1.0, 2.0, 3.0]).bind(BOUNDS, 1)
    with pytest.raises(SolverError, match="coordinate numbers below 2"):
        PeriodicMLP(harmonics={2: 1}).bind(BOUNDS, 1)
    with pytest.raises(SolverError, match="bound to a problem"):
        MLP()(points())
    with pytest.raises(SolverError, match="2 columns"):
        MLP(inputs=2, outputs=1)(points()[:, :1])
    with pytest.raises(SolverError, match="a network with 2 inputs"):
        MLP(inputs=3, outputs=1).bind(BOUNDS, 1)
    with pytest.raises(CheckpointError, match="Perceptron"):
        network_from_config({"kind": "Perceptron"})


def test_a_hole_is_seen_at_its_own_scale() -> None:
    """Moved and scaled with its hole the network is the same function but for the inputs in [-1, 1]."""
    small = ObstacleMLP(6, 2, holes=[((2, 1), 0.5)]).bind([(0, 8), (0, 4)], 1, seed=3)
    large = ObstacleMLP(6, 2, holes=[((20, 10), 5)]).bind([(0, 80), (0, 40)], 1, seed=3)
    x = torch.tensor([[2.6, 1.1], [1.2, 0.4], [7.0, 3.0]], dtype=torch.float64)
    assert torch.allclose(small(x), large(10 * x), rtol=0, atol=1e-12)
    with torch.no_grad():
        small.layers[0].weight[:, :2] = 0.0  # inverted coordinates and log r alone
        far = [small(torch.tensor([[2.0 + r * math.cos(a), 1.0 + r * math.sin(a)]], dtype=torch.float64))
               for r in (0.5, 5e3) for a in (0.3, 2.0)]  # fmt: skip
    assert abs(float(far[0] - far[1])) > 1e-2
    assert abs(float(far[2] - far[3])) < 1e-3  # directions are all alike far away


def test_holes_that_are_of_no_use() -> None:
    x, y = coordinates("x y")
    for given in ((), Rectangle((x, 0, 1), (y, 0, 1)), [((2, 2), 0)], [((2, 2),)], [(2, 1)], "hole"):
        with pytest.raises(SolverError, match="hole"):
            ObstacleMLP(4, 1, holes=given)
    with pytest.raises(SolverError, match="at most 1 coordinate"):
        ObstacleMLP(4, 1, holes=[((2, 2), 1)], inputs=1, outputs=1)


@pytest.mark.parametrize("kind", [MLP, FourierMLP, PeriodicMLP, SineNetwork])
def test_a_wider_network_computes_the_same_and_its_units_learn(kind: type[MLP]) -> None:
    narrow, wide = (kind(width=width, depth=3, inputs=2, outputs=2, seed=seed) for width, seed in ((5, 0), (8, 1)))
    narrow.scale.copy_(torch.tensor([3.0, 0.5]))
    x = 2 * torch.rand(7, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64) - 1
    assert torch.allclose(widen(wide, narrow)(x), narrow(x), rtol=1e-13, atol=1e-14)
    wide(x).square().sum().backward()
    assert float(wide.layers[-1].weight.grad[:, 5:].abs().min()) > 0
    with pytest.raises(SolverError, match="width alone"):
        widen(kind(width=8, depth=2, inputs=2, outputs=2), narrow)
    with pytest.raises(SolverError, match="width alone"):
        widen(narrow, wide)


def test_cancellation_in_a_network_of_the_package_is_no_dependence_on_other_points() -> None:
    network = RandomFeatures(40, inputs=1, outputs=1, seed=0)
    with torch.no_grad():
        network.layers[0].weight.mul_(1e-11)
        network.layers[0].bias.fill_(0.3)
        weights = torch.randn(1, 40, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        network.layers[1].weight.copy_(1e12 * (weights - weights.mean()))
    points = torch.tensor([[0.19], [0.98], [0.54]], dtype=torch.float64)
    check_module(network, points, ("x",), 1)
    with pytest.raises(SolverError, match="on that point alone"):
        check_module(nn.Sequential(nn.Linear(1, 4), nn.BatchNorm1d(4), nn.Linear(4, 1)).double(), points, ("x",), 1)
