"""QuantumNetwork: readout, dictionaries, sampling, bad input, pictures."""

from __future__ import annotations

import copy
import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import Tensor

from sciml.errors import ProblemError, SolverError
from sciml.networks import network_from_config
from sciml.quantum import (
    Circuit,
    EncodingGate,
    QuantumNetwork,
    TrainableGate,
    encoding_first,
    memory,
    reuploading,
)
from sciml.quantum.drawing import draw_circuit


def points(count: int, features: int, seed: int = 0) -> Tensor:
    return 2 * torch.rand(count, features, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)) - 1


def test_values_and_readout(dense: SimpleNamespace) -> None:
    circuit = dense.random(4, qubits=3)
    network = QuantumNetwork(circuit, "affine", seed=3)
    with torch.no_grad():
        network.gain.copy_(torch.tensor([2.0, -3.0]))
        network.shift.copy_(torch.tensor([0.5, 0.25]))
    x = 0.9 * points(3, 3)
    theta = network.angles.detach().numpy()
    truth = np.array([dense.value(circuit, row, theta) for row in x.numpy()]) * [2.0, -3.0] + [0.5, 0.25]
    assert np.abs(network(x).detach().numpy() - truth).max() < 1e-13
    for output in range(2):
        observable = network.observable(output).to_dict()
        folded = Circuit(3, 3, circuit.gates, [observable])
        assert np.abs([dense.value(folded, row, theta)[0] for row in x.numpy()] - truth[:, output]).max() < 1e-13


def test_second_derivatives_in_x_and_angles() -> None:
    network = QuantumNetwork(reuploading(3, features=2, layers=2, scales=[1.2, 0.6]), "affine", seed=1)
    x = points(2, 2).requires_grad_()
    assert torch.autograd.gradgradcheck(network, (x,))

    def value(theta: Tensor) -> Tensor:
        return torch.func.functional_call(network, {"angles": theta}, (x.detach(),))

    assert torch.autograd.gradgradcheck(value, (network.angles.detach().requires_grad_(),))


@pytest.mark.parametrize("seed", range(3))
def test_dictionaries_and_configuration(dense: SimpleNamespace, seed: int) -> None:
    network = QuantumNetwork(dense.random(seed, qubits=2), "affine" if seed else None, seed=seed)
    x = 0.9 * points(4, 3)
    read = QuantumNetwork.from_dict(json.loads(json.dumps(network.to_dict())))
    assert torch.equal(read(x), network(x))
    rebuilt = network_from_config(json.loads(json.dumps(network.config())))
    rebuilt.load_state_dict(network.state_dict())
    assert torch.equal(rebuilt(x), network(x))
    assert torch.equal(copy.deepcopy(network)(x), network(x))


def test_single_precision() -> None:
    long = QuantumNetwork(reuploading(4, layers=3), seed=2)
    short = QuantumNetwork(long.circuit, parameters=long.angles, dtype=torch.float32)
    x = points(20, 4)
    assert short(x).dtype == torch.float32
    assert (short(x) - long(x)).abs().max().item() < 2e-5


def test_shots_are_unbiased_with_the_binomial_error() -> None:
    circuit = encoding_first(2, layers=1, observables=[{"Z0": 1.0, "X1": -0.5, "": 0.2}])
    network = QuantumNetwork(circuit, "affine", seed=5)
    with torch.no_grad():
        network.gain.fill_(-2.0)
        network.shift.fill_(0.3)
    x = points(2000, 2)[:1].expand(2000, -1)
    exact, norm = network(x)[0, 0].item(), 3.0
    centre = exact - (0.3 - 0.4)
    for shots in (1, 100):
        drawn = network.sample(x, shots, torch.Generator().manual_seed(1))[:, 0]
        deviation = ((norm**2 - centre**2) / shots) ** 0.5
        assert abs(float(drawn.mean()) - exact) < 4 * deviation / 2000**0.5
        assert abs(float(drawn.std()) / deviation - 1) < 0.08
    single = network.sample(x, 1)
    assert {round(v, 12) for v in (single - (0.3 - 0.4)).reshape(-1).tolist()} == {-3.0, 3.0}
    assert torch.equal(network.sample(x, 3), network.sample(x, 3))


def test_arccos_and_features_out_of_range() -> None:
    gates = [EncodingGate("RX", (0,), 1, transform="arccos"), TrainableGate("RY", (0,), 0)]
    network = QuantumNetwork(Circuit(1, 2, gates, [{"Z0": 1.0}]), parameters=[0.0])
    x = torch.tensor([[5.0, 0.3], [-7.0, -1.0]], dtype=torch.float64)
    assert torch.allclose(network(x)[:, 0], x[:, 1], atol=1e-15)
    slope = torch.func.vmap(torch.func.grad(lambda z: network(z[None])[0, 0]))(x[:1])
    assert torch.allclose(slope, torch.tensor([[0.0, 1.0]], dtype=torch.float64), atol=1e-14)
    with pytest.raises(SolverError, match=r"x1 in \[-1, 1\]"):
        network(2 * torch.ones(1, 2))
    with pytest.raises(SolverError, match="finite features"):
        network(torch.full((1, 2), float("nan")))
    with pytest.raises(SolverError, match="2 columns"):
        network(torch.zeros(3, 1))


def test_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    circuit = reuploading(2, layers=1)
    with pytest.raises(SolverError, match="affine"):
        QuantumNetwork(circuit, "linear")
    with pytest.raises(SolverError, match="6 finite angles"):
        QuantumNetwork(circuit, parameters=[0.0])
    with pytest.raises(SolverError, match="shots"):
        QuantumNetwork(circuit).sample(torch.zeros(1, 2), 0)
    with pytest.raises(SolverError, match="an output"):
        QuantumNetwork(circuit).observable(1)
    with pytest.raises(ProblemError, match="entangler"):
        reuploading(2, entangler="CX")
    with pytest.raises(ProblemError, match="scale"):
        reuploading(2, scales=[1.0])
    with pytest.raises(ProblemError, match="one feature number"):
        reuploading(3, assignment=(0, 1))
    monkeypatch.setattr(memory, "memory_limit", lambda: 1e4)
    with pytest.raises(SolverError, match=r"1000 states of 2 qubits: .* GiB"):
        QuantumNetwork(circuit)(torch.zeros(1000, 2))


def test_drawing(dense: SimpleNamespace) -> None:
    figure = draw_circuit(dense.random(1, qubits=4, gates=70), {0: 1.0, 1: -0.5}, title="all kinds")
    assert len(figure.axes) > 1
    assert draw_circuit(Circuit(1, 0, [], [{"Z0": 1.0}])).axes
