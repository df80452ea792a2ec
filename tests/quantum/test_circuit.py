"""Circuits: bad input, dictionaries, blocks of encoding-first circuits, light cones."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from sciml.errors import ProblemError, SolverError
from sciml.quantum import Circuit, EncodingGate, FixedGate, PauliSum, Program, TrainableGate, light_cone

RX0, RX1 = EncodingGate("RX", (0,), 0), EncodingGate("RX", (1,), 1)
Z0 = [{"Z0": 1.0}]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: EncodingGate("CNOT", (0, 1), 0), "encoding gate: RX RY RZ RXX RYY RZZ"),
        (lambda: FixedGate("RX", (0,)), "fixed gate: H X Y Z S T CZ CNOT SWAP"),
        (lambda: FixedGate("CZ", (0, 0)), "2 different qubit"),
        (lambda: TrainableGate("RXX", (0,), 0), "2 different qubit"),
        (lambda: TrainableGate("RX", (-1,), 0), "1 different qubit"),
        (lambda: TrainableGate("RX", (0,), -1), "parameter number"),
        (lambda: EncodingGate("RX", (0,), 0, scale=0.0), "scale that is not 0"),
        (lambda: EncodingGate("RX", (0,), 0, scale=float("nan")), "finite scale"),
        (lambda: EncodingGate("RX", (0,), 0, transform="arcsin"), "arccos"),
        (lambda: Circuit(0, 1, [], Z0), "qubits=0"),
        (lambda: Circuit(40, 1, [], Z0), "GiB"),
        (lambda: Circuit(2, 1, [RX1], Z0), "reads feature 1"),
        (lambda: Circuit(1, 2, [RX1], Z0), "on qubits \\(1,\\)"),
        (lambda: Circuit(1, 1, [RX0], []), "no observable"),
        (lambda: Circuit(1, 1, [RX0], [{"Z1": 1.0}]), "observable 0: qubit 1"),
        (lambda: PauliSum({"Z0 X0": 1.0}), "each qubit once"),
        (lambda: PauliSum({"Q0": 1.0}), "each qubit once"),
        (lambda: PauliSum({"Z0": float("inf")}), "finite"),
        (lambda: PauliSum({}), "at least one"),
        (lambda: Circuit.from_dict({"qubits": 1}), "features, gates, observables"),
    ],
)
def test_refused(make: Any, message: str) -> None:
    with pytest.raises(ProblemError, match=message):
        make()


def test_all_faults_at_once() -> None:
    with pytest.raises(ProblemError) as caught:
        Circuit(1, 1, [RX1, EncodingGate("RX", (0,), 5)], [{"Z3": 1.0}])
    assert len(caught.value.findings) == 4


@pytest.mark.parametrize("seed", range(6))
def test_dictionaries(dense: SimpleNamespace, seed: int) -> None:
    circuit = dense.random(seed, qubits=3)
    assert Circuit.from_dict(json.loads(json.dumps(circuit.to_dict()))) == circuit


def test_dictionaries_with_defaults_and_other_kinds_of_keys() -> None:
    table = {"kind": "encoding", "name": "RX", "qubits": [0], "feature": 0, "parameter": None}
    data = {"qubits": 1, "features": 1, "gates": [table], "observables": [{"Z0": 1}], "name": "one", "other": 3}
    circuit = Circuit.from_dict(data)
    assert (circuit.gates, circuit.name) == ((RX0,), "one")
    with pytest.raises(ProblemError, match="remove or rename"):
        Circuit.from_dict({**data, "gates": [{**table, "colour": "red"}]})
    with pytest.raises(ProblemError, match="kind"):
        Circuit.from_dict({**data, "gates": [{**table, "kind": "measured"}]})


def test_encoding_blocks() -> None:
    late = EncodingGate("RY", (2,), 2)
    join = FixedGate("CZ", (0, 1))

    def blocks(*gates: Any) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
        return [(b.features, b.qubits) for b in Circuit(3, 4, gates, Z0).encoding_blocks()]

    assert blocks(RX0, RX1, join) == [((0,), (0,)), ((1,), (1,))]
    assert blocks(RX0, RX1, join, late) == [((0,), (0,)), ((1,), (1,)), ((2,), (2,))]  # listed late, but commutes
    assert blocks(RX0, EncodingGate("RXX", (0, 1), 1), late) == [((0, 1), (0, 1)), ((2,), (2,))]
    assert blocks(EncodingGate("RX", (0,), 3), EncodingGate("RX", (1,), 3), join, RX0) == [((0, 3), (0, 1))]
    assert blocks(join) == []
    for gates in [(RX0, join, RX1), (FixedGate("CNOT", (1, 2)), RX1), (RX0, RX1, join, RX0)]:
        with pytest.raises(SolverError, match=r"CZ|CNOT"):
            blocks(*gates)


@pytest.mark.parametrize(
    ("n", "layers", "outside", "dead"),
    [(4, 2, (2,), 11 / 16), (4, 3, (), 12 / 24), (6, 3, (3,), 23 / 36), (8, 4, (4,), 39 / 64),
     (10, 4, (4, 5, 6), 55 / 80)],
)  # fmt: skip
def test_light_cone_of_layers(dense: SimpleNamespace, n: int, layers: int, outside: tuple, dead: float) -> None:
    cone = light_cone(dense.layered(n, layers))
    assert cone.features_outside == outside
    assert cone.dead_share == dead
    assert "architecture" in str(cone) if outside else "none" in str(cone)


@pytest.mark.parametrize("seed", range(30))
def test_outside_means_no_gradient(dense: SimpleNamespace, seed: int) -> None:
    circuit = dense.random(seed, qubits=4, gates=14, outputs=1)
    rng = np.random.default_rng(seed)
    theta = torch.tensor(rng.uniform(-3, 3, circuit.parameters)).requires_grad_()
    angles = torch.tensor(rng.uniform(-3, 3, (3, len(circuit.encoding_gates)))).requires_grad_()
    value = Program(circuit, prune=False).expectations(angles, theta).sum()
    gradients = torch.autograd.grad(value, (angles, theta), allow_unused=True, materialize_grads=True)
    cone = light_cone(circuit)
    assert sorted(cone.encoding_inside + cone.encoding_outside) == list(range(len(circuit.encoding_gates)))
    assert float(gradients[0][:, list(cone.encoding_outside)].abs().sum()) < 1e-13
    assert float(gradients[1][list(cone.parameters_outside)].abs().sum()) < 1e-13


def test_light_cones_by_term() -> None:
    cone = light_cone(Circuit(2, 2, [RX0, RX1], [{"Z0": 1.0, "Z1": 0.0}, {"Z1": 1.0}]))
    assert [(term.output, term.string, term.features) for term in cone.terms] == [(0, "Z0", (0,)), (1, "Z1", (1,))]
