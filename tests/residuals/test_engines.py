"""All derivative engines give the same numbers: streams, nested autograd, torch.func."""

from __future__ import annotations

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.func import functional_call, grad, hessian, jacrev, jvp, vmap

from sciml.jets import Jet
from sciml.networks import (
    MLP,
    FourierMLP,
    ModifiedMLP,
    ObstacleMLP,
    PeriodicMLP,
    PirateNet,
    RandomFeatures,
    SineNetwork,
    call_with,
    flat_parameters,
)
from sciml.networks.stages import (
    ACTIVATIONS,
    Activation,
    Affine,
    Concatenate,
    Product,
    Scale,
    Shift,
    Stage,
    Sum,
    run_stages,
)
from sciml.residuals import AutogradEngine, StreamEngine, choose_engine
from sciml.residuals.engines import point_jets

TOLERANCE = 1e-12
VALUES: list[Jet] = [(0, (0, 0)), (1, (0, 0))]
SECOND: list[Jet] = [(0, (0, 0)), (1, (2, 0)), (0, (0, 2)), (1, (1, 0)), (0, (1, 1))]
FOURTH: list[Jet] = [(0, (4, 0)), (1, (2, 2)), (0, (1, 3)), (1, (2, 1)), (0, (0, 3))]


class Wild(nn.Module):
    """Every stage, a weight used twice, a frozen layer, trainable factors in front of a concatenation."""

    inputs = 2

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(5)

        def draw(*shape: int) -> nn.Parameter:
            return nn.Parameter(0.6 * torch.randn(shape, generator=generator, dtype=torch.float64))

        self.first, self.frozen, self.shared, self.last = draw(4, 2), draw(4, 4), draw(4, 4), draw(2, 6)
        self.bias, self.factor, self.single, self.amount = draw(4), draw(2), draw(), draw(4)
        self.frozen.requires_grad_(False)

    def stages(self) -> list[Stage]:
        return [
            Scale(0, self.factor),
            Affine(1, self.first, self.bias),
            Activation(2, "tanh"),
            Affine(3, self.shared, self.amount),
            Activation(4, "sin"),
            Affine(5, self.frozen),
            Product(6, 3),
            Shift(7, self.amount),
            Affine(8, self.shared),
            Sum(9, 5, -0.5),
            Scale(10, self.single),
            Concatenate((11, 1)),
            Affine(12, self.last),
        ]

    def forward(self, x: Tensor) -> Tensor:
        return run_stages(self.stages(), x)


def networks() -> list[nn.Module]:
    kinds = [
        *(MLP(5, 2, activation=name) for name in ACTIVATIONS),
        FourierMLP(5, 1, features=3),
        PeriodicMLP(5, 1, harmonics={0: 2}),
        SineNetwork(5, 2),
        RandomFeatures(6),
        ModifiedMLP(4, 2),
        PirateNet(features=2, blocks=1),
        ObstacleMLP(4, 1, holes=[((-1, -1), 0.5), ((3, 4), 1)]),
    ]
    made: list[nn.Module] = [k.bind([(0, 2), (-1, 3)], 2, scale=[2.0, 3.0], offset=[1.0, -1.0], seed=1) for k in kinds]
    generator = torch.Generator().manual_seed(2)
    for parameter in itertools.chain(*(network.parameters() for network in made)):
        parameter.data += 0.4 * torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
    return [*made, Wild()]


NETWORKS = networks()
NAMES = [f"{type(n).__name__}-{getattr(n, 'activation', '')}" for n in NETWORKS]


def points(count: int = 5, dimension: int = 2) -> Tensor:
    return 2 * torch.rand(count, dimension, dtype=torch.float64, generator=torch.Generator().manual_seed(3))


def cotangent(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(4))


def assert_close(given_: Tensor, wanted: Tensor) -> None:
    assert given_.shape == wanted.shape
    assert float((given_ - wanted).abs().max()) <= TOLERANCE * max(float(wanted.abs().max()), 1e-3)


def reference(model: nn.Module, x: Tensor, needed: list[Jet]) -> Tensor:
    """Nested forward derivatives of torch.func."""
    return vmap(lambda p: point_jets(lambda z: model(z[None])[0], p, needed))(x)


@pytest.mark.parametrize("needed", [VALUES, SECOND, FOURTH], ids=["values", "second", "fourth"])
@pytest.mark.parametrize("model", NETWORKS, ids=NAMES)
def test_engines_agree(model: nn.Module, needed: list[Jet]) -> None:
    streams, nested, x = StreamEngine(), AutogradEngine(), points()
    assert isinstance(choose_engine(model), StreamEngine)
    jets, wanted = streams.jets(model, x, needed), nested.jets(model, x, needed)
    assert_close(jets.detach(), wanted.detach())
    assert_close(jets.detach(), reference(model, x, needed).detach())
    assert_close(streams.jets(model, x, needed, parameters=False), wanted.detach())
    parameters = [p for p in model.parameters() if p.requires_grad]
    weights = cotangent(len(x), len(needed))
    options = {"allow_unused": True, "materialize_grads": True}
    flat = [
        torch.cat([g.reshape(-1) for g in torch.autograd.grad(j, parameters, weights, **options)])
        for j in (jets, wanted)
    ]
    assert_close(flat[0], flat[1])


@pytest.mark.parametrize("model", NETWORKS, ids=NAMES)
def test_per_point_gradients_and_tangents(model: nn.Module) -> None:
    x, needed = points(), [*SECOND, (1, (2, 1))]
    weights = cotangent(len(x), 3, len(needed))
    rows = StreamEngine().pullback(model, x, needed, weights)
    wanted = torch.stack([AutogradEngine().pullback(model, x, needed, weights[:, c]) for c in range(3)], dim=1)
    assert_close(rows, wanted)
    assert_close(StreamEngine().pullback(model, x, needed, weights[:, 1]), wanted[:, 1])
    direction = cotangent(rows.shape[2])
    for engine in (StreamEngine(), AutogradEngine()):
        change = engine.tangent_map(model, x, needed)(direction)
        assert_close((weights * change[:, None]).sum(dim=2), wanted @ direction)


@settings(max_examples=25, deadline=None)
@given(
    dimension=st.integers(1, 3),
    activation=st.sampled_from(sorted(ACTIVATIONS)),
    depth=st.integers(1, 3),
    seed=st.integers(0, 1000),
    data=st.data(),
)
def test_any_derivatives_up_to_fourth_order(dimension, activation, depth, seed, data) -> None:
    index = st.lists(st.integers(0, dimension - 1), max_size=4).map(
        lambda axes: tuple(axes.count(i) for i in range(dimension))
    )
    needed = data.draw(st.lists(st.tuples(st.integers(0, 1), index), min_size=1, max_size=4, unique=True))
    model = MLP(4, depth, activation, inputs=dimension, outputs=2, seed=seed)
    x = points(3, dimension) - 1
    jets, wanted = StreamEngine().jets(model, x, needed), AutogradEngine().jets(model, x, needed)
    assert_close(jets.detach(), wanted.detach())
    weights = cotangent(3, len(needed))
    assert_close(
        StreamEngine().pullback(model, x, needed, weights), AutogradEngine().pullback(model, x, needed, weights)
    )


def test_fifth_order() -> None:
    model, needed = MLP(4, 2, inputs=1, outputs=1, seed=1), [(0, (5,)), (0, (3,))]
    assert_close(
        StreamEngine().jets(model, points(4, 1), needed).detach(),
        AutogradEngine().jets(model, points(4, 1), needed).detach(),
    )


def test_transformations_of_torch_func() -> None:
    model, x, weights = NETWORKS[0], points(), cotangent(5, len(SECOND))
    theta = flat_parameters(model)

    class Jets(nn.Module):
        def __init__(self, engine: object) -> None:
            super().__init__()
            self.model, self.engine = model, engine

        def forward(self) -> Tensor:
            return self.engine.jets(self.model, x, SECOND)

    def through(engine: object, t: Tensor) -> Tensor:
        return call_with(Jets(engine), t)

    def streams(t: Tensor) -> Tensor:
        return through(StreamEngine(), t)

    rows = StreamEngine().pullback(model, x, SECOND, weights)
    assert_close((weights[..., None] * jacrev(streams)(theta)).sum(dim=1), rows)
    assert_close((weights * jvp(streams, (theta,), (theta,))[1]).sum(dim=1), rows @ theta)
    both = vmap(streams)(torch.stack([theta, 1.1 * theta]))
    assert_close(both[1], streams(1.1 * theta))

    def square(t: Tensor) -> Tensor:
        return (weights * streams(t) ** 2).sum()

    t = theta.clone().requires_grad_(True)
    (first,) = torch.autograd.grad((weights * through(AutogradEngine(), t) ** 2).sum(), t, create_graph=True)
    direction = cotangent(len(theta))
    (second,) = torch.autograd.grad(first, t, direction)
    assert_close(grad(square)(theta), first.detach())
    assert_close(hessian(square)(theta) @ direction, second)


def test_second_derivatives_by_autograd() -> None:
    model, x, weights = NETWORKS[1], points(), cotangent(5, len(SECOND))
    parameters, results = list(model.parameters()), []
    for engine in (StreamEngine(), AutogradEngine()):
        loss = (weights * engine.jets(model, x, SECOND) ** 2).sum()
        first = torch.cat([g.reshape(-1) for g in torch.autograd.grad(loss, parameters, create_graph=True)])
        second = torch.autograd.grad(first, parameters, cotangent(len(first)))
        results.append(torch.cat([g.reshape(-1) for g in second]))
    assert_close(results[0], results[1])


def test_live_graphs_do_not_share_memory() -> None:
    model, x = NETWORKS[0], points()
    parameters = list(model.parameters())

    def gradient(z: Tensor) -> Tensor:
        loss = (StreamEngine().jets(model, z, SECOND) ** 2).sum()
        return torch.cat([g.reshape(-1) for g in torch.autograd.grad(loss, parameters)])

    alone = gradient(x), gradient(-x)
    first, second = (StreamEngine().jets(model, z, SECOND) for z in (x, -x))
    kept = first.detach().clone()
    total = torch.autograd.grad((first**2).sum() + (second**2).sum(), parameters, retain_graph=True)
    assert_close(torch.cat([g.reshape(-1) for g in total]), alone[0] + alone[1])
    again = torch.autograd.grad((first**2).sum(), parameters)
    assert_close(torch.cat([g.reshape(-1) for g in again]), alone[0])
    gradient(3 * x)
    assert torch.equal(first.detach(), kept)


def test_changed_parameters_are_noticed() -> None:
    model = MLP(4, 2, inputs=2, outputs=2)
    jets = StreamEngine().jets(model, points(), SECOND)
    with torch.no_grad():
        next(model.parameters()).add_(1.0)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        jets.sum().backward()


class Doubled(MLP):
    def forward(self, x: Tensor) -> Tensor:
        return 2 * super().forward(x)


def test_modules_that_differ_from_their_description_are_refused() -> None:
    assert isinstance(choose_engine(Doubled(4, 2, inputs=2, outputs=1)), AutogradEngine)
    hooked = MLP(4, 2, inputs=2, outputs=1)
    assert isinstance(choose_engine(hooked), StreamEngine)
    handle = hooked.register_forward_hook(lambda module, inputs, output: 2 * output)
    assert isinstance(choose_engine(hooked), AutogradEngine)
    handle.remove()
    normed = MLP(4, 2, inputs=2, outputs=1)
    nn.utils.parametrizations.weight_norm(normed.layers[0])
    assert isinstance(choose_engine(normed), AutogradEngine)
    assert isinstance(choose_engine(nn.Linear(2, 1)), AutogradEngine)


def test_points_with_a_graph_are_differentiated() -> None:
    model, x = NETWORKS[0], points().requires_grad_(True)
    (slope,) = torch.autograd.grad(StreamEngine().jets(model, x, [(0, (1, 0))]).sum(), x)
    wanted = AutogradEngine().jets(model, x, [(0, (2, 0)), (0, (1, 1))])
    assert_close(slope, wanted.detach())


def test_single_precision() -> None:
    model = MLP(6, 2, inputs=2, outputs=2).float()
    jets = StreamEngine().jets(model, points(), SECOND)
    assert jets.dtype == torch.float32
    wanted = AutogradEngine().jets(model.double(), points(), SECOND)
    assert torch.allclose(jets.double(), wanted, rtol=1e-3, atol=1e-4)


def test_many_points_are_taken_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    model, x = NETWORKS[0], points(200)
    weights = cotangent(200, len(SECOND))
    whole = StreamEngine().pullback(model, x, SECOND, weights)
    monkeypatch.setattr("sciml.residuals.stream_engine._CHUNK_BYTES", 1)
    assert_close(StreamEngine().pullback(model, x, SECOND, weights), whole)


def test_gradients_of_a_call_with_other_parameters() -> None:
    model, x = NETWORKS[0], points()
    other = {name: (1.3 * p.detach()).requires_grad_(True) for name, p in model.named_parameters()}

    class Jets(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self) -> Tensor:
            return StreamEngine().jets(self.model, x, SECOND)

    jets = functional_call(Jets(), {f"model.{name}": p for name, p in other.items()}, ())
    gradients = torch.autograd.grad(jets.sum(), list(other.values()), allow_unused=True, materialize_grads=True)
    assert sum(float(g.abs().sum()) for g in gradients) > 0
