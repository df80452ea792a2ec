"""PennyLane both ways, to 1e-12."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from sciml.errors import MissingExtraError, SolverError
from sciml.quantum import QuantumNetwork
from sciml.quantum.pennylane import from_pennylane, to_pennylane


@pytest.fixture
def qml() -> Any:
    return pytest.importorskip("pennylane", exc_type=ImportError)


@pytest.mark.parametrize("seed", range(4))
def test_values_and_gradients(qml: Any, dense: SimpleNamespace, seed: int) -> None:
    circuit = dense.random(seed, qubits=3, gates=20)
    network = QuantumNetwork(circuit, seed=seed)
    x = (0.9 * (2 * torch.rand(3, 3, generator=torch.Generator().manual_seed(seed)).double() - 1)).requires_grad_()
    mine = network(x)
    peer = torch.stack(list(to_pennylane(circuit)(x, network.angles)), dim=-1)
    assert (mine - peer).abs().max().item() < 1e-12
    for a, b in zip(
        torch.autograd.grad(mine.sum(), (x, network.angles), allow_unused=True, materialize_grads=True),
        torch.autograd.grad(peer.sum(), (x, network.angles), allow_unused=True, materialize_grads=True),
        strict=True,
    ):
        assert float((a - b).abs().max()) < 1e-12


@pytest.mark.parametrize("seed", range(3))
def test_there_and_back(qml: Any, dense: SimpleNamespace, seed: int) -> None:
    circuit = dense.layered(3, 2) if seed == 0 else dense.random(10 + seed, qubits=2, gates=12)
    circuit = type(circuit)(circuit.qubits, circuit.features,
                            [g for g in circuit.gates if getattr(g, "transform", "identity") == "identity"],
                            circuit.observables)  # fmt: skip
    network = QuantumNetwork(circuit, seed=1)
    back = from_pennylane(to_pennylane(circuit), torch.zeros(circuit.features), network.angles)
    x = torch.rand(5, circuit.features, dtype=torch.float64)
    assert (back(x) - network(x)).abs().max().item() < 1e-12
    assert len(back.circuit.gates) == len(circuit.gates)
    assert back.circuit.parameters == len({g.parameter for g in circuit.gates if hasattr(g, "parameter")})


def test_a_node_of_ones_own(qml: Any) -> None:
    @qml.qnode(qml.device("default.qubit", wires=["a", "b"]))
    def node(weights: Any, x: Any, shift: float = 0.25) -> Any:
        qml.Rot(weights[0], weights[1], weights[2], wires="a")
        qml.RX(2 * x[1] - shift, wires="b")
        qml.Hadamard("b")
        qml.IsingZZ(x[0], wires=["a", "b"])
        qml.RY(weights[0], wires="b")
        qml.RY(weights[0] * weights[1], wires="a")
        qml.SWAP(["a", "b"])
        return qml.expval(qml.PauliZ("a") @ qml.PauliX("b") - 0.5 * qml.PauliY("a"))

    weights = torch.tensor([0.3, -0.7, 1.1], dtype=torch.float64)
    network = from_pennylane(node, weights, torch.zeros(2))
    assert network.circuit.parameters == 4  # one of the entries is shared, the product is its own
    assert network.circuit.observables[0].to_dict() == {"Z0 X1": 1.0, "Y0": -0.5}
    for x in torch.rand(3, 2, dtype=torch.float64):
        assert abs(network(x[None]).item() - node(weights, x).item()) < 1e-12


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda q, x: q.RX(x[0] * x[1], wires=0), r"gate 0: RX\(0,\), whose angle mixes features \[0, 1\]"),
        (lambda q, x: q.RY(x[1] ** 2, wires=0), "not affine in feature 1"),
        (lambda q, x: q.RX(x[0].item(), wires=0), "by torch"),
        (lambda q, x: q.CRX(x[0], wires=[0, 1]), "CRX"),
    ],
)
def test_refused(qml: Any, build: Any, message: str) -> None:
    @qml.qnode(qml.device("default.qubit", wires=2))
    def node(x: Any) -> Any:
        build(qml, x)
        return qml.expval(qml.PauliZ(0))

    with pytest.raises(SolverError, match=message):
        from_pennylane(node, torch.zeros(2))
    with pytest.raises(SolverError, match="an argument 'inputs'"):
        from_pennylane(node, torch.zeros(2), features="inputs")


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch, dense: SimpleNamespace) -> None:
    monkeypatch.setitem(sys.modules, "pennylane", None)
    with pytest.raises(MissingExtraError, match="quantum"):
        to_pennylane(dense.a())
