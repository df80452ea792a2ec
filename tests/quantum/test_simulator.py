"""The simulator against dense matrices: every gate, every layout, first and second derivatives."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from sciml.quantum import Circuit, EncodingGate, FixedGate, Program, TrainableGate
from sciml.quantum.gates import FIXED, ROTATIONS


def inputs(circuit: Circuit, batch: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.uniform(-0.9, 0.9, (batch, circuit.features)), rng.uniform(-3, 3, circuit.parameters)


def angles(dense: SimpleNamespace, circuit: Circuit, x: np.ndarray) -> Tensor:
    return torch.tensor(np.array([dense.angles(circuit, row) for row in x]).reshape(len(x), -1))


def compare(dense: SimpleNamespace, circuit: Circuit, prune: bool, batch: int = 2) -> None:
    x, theta = inputs(circuit, batch)
    mine = Program(circuit, prune=prune).expectations(angles(dense, circuit, x), torch.tensor(theta))
    truth = np.array([dense.value(circuit, row, theta) for row in x])
    assert np.abs(mine.numpy() - truth).max() < 1e-12


@pytest.mark.parametrize("seed", range(24))
def test_random_circuits(dense: SimpleNamespace, seed: int) -> None:
    compare(dense, dense.random(seed, qubits=1 + seed % 4, gates=30), prune=bool(seed % 2))


def test_no_gates_and_six_qubits(dense: SimpleNamespace) -> None:
    compare(dense, Circuit(2, 0, [], [{"Z0": 1.0, "": 2.0}, {"X1": 1.0}]), prune=False)
    compare(dense, dense.random(7, qubits=6, gates=40), prune=False, batch=1)


@pytest.mark.parametrize("size", [(1, 2), (2, 2), (3, 3), (5, 2), (6, 2)])
@pytest.mark.parametrize("prune", [True, False])
@pytest.mark.parametrize("reuse", [True, False])
def test_layers(dense: SimpleNamespace, size: tuple[int, int], prune: bool, reuse: bool) -> None:
    compare(dense, dense.layered(*size, reuse), prune)


@pytest.mark.parametrize("name", [*ROTATIONS, *FIXED])
def test_each_gate_from_every_basis_state(dense: SimpleNamespace, name: str) -> None:
    count = len(ROTATIONS[name]) if name in ROTATIONS else len(FIXED[name]).bit_length() - 1
    for where in itertools.permutations(range(3), count):
        gate: Any = TrainableGate(name, where, 0) if name in ROTATIONS else FixedGate(name, where)
        circuit = Circuit(3, 0, [gate], [{"Z0": 1.0}])
        theta = np.array([0.7])[: circuit.parameters]
        start = torch.eye(8, dtype=torch.complex128)
        made = Program(circuit, prune=False).amplitudes(torch.zeros(8, 0).double(), torch.tensor(theta), start)
        (unitary,) = dense.unitaries(circuit, np.zeros(0), theta)
        assert np.abs(made.numpy().T - unitary).max() < 1e-14


def test_final_states_of_an_unpruned_program(dense: SimpleNamespace) -> None:
    circuit = dense.random(3, qubits=3)
    x, theta = inputs(circuit, 2)
    states = Program(circuit, prune=False).amplitudes(angles(dense, circuit, x), torch.tensor(theta))
    for row, state in zip(x, states.numpy(), strict=True):
        column = np.eye(8)[:, 0]
        for unitary in dense.unitaries(circuit, row, theta):
            column = unitary @ column
        assert np.abs(state - column).max() < 1e-13


@pytest.mark.parametrize("seed", range(3))
def test_derivatives(dense: SimpleNamespace, seed: int) -> None:
    circuit = dense.random(seed, qubits=3, gates=16, outputs=1)
    x, theta = inputs(circuit, 2, seed)
    first, second = angles(dense, circuit, x).requires_grad_(), torch.tensor(theta).requires_grad_()
    program = Program(circuit)
    assert torch.autograd.gradcheck(program.expectations, (first, second))
    assert torch.autograd.gradgradcheck(program.expectations, (first, second))


def test_parameter_shift(dense: SimpleNamespace) -> None:
    circuit = dense.layered(3, 2)
    x, theta = inputs(circuit, 2)
    where, program = torch.tensor(theta).requires_grad_(), Program(circuit)
    points = angles(dense, circuit, x)
    (gradient,) = torch.autograd.grad(program.expectations(points, where).sum(), where)
    for k, value in enumerate(gradient.tolist()):
        shift = torch.zeros(len(theta)).double()
        shift[k] = torch.pi / 2
        ends = [program.expectations(points, where.detach() + sign * shift).sum() for sign in (1, -1)]
        assert abs(value - (ends[0] - ends[1]).item() / 2) < 1e-13


def test_batch_is_a_loop_and_single_precision(dense: SimpleNamespace) -> None:
    circuit = dense.random(5, qubits=4, gates=40)
    x, theta = inputs(circuit, 7)
    points, program = angles(dense, circuit, x), Program(circuit)
    together = program.expectations(points, torch.tensor(theta))
    alone = torch.cat([program.expectations(row[None], torch.tensor(theta)) for row in points])
    assert float((together - alone).abs().max()) < 1e-13
    short = Program(circuit, torch.float32).expectations(points.float(), torch.tensor(theta).float())
    assert short.dtype == torch.float32
    assert float((short - together).abs().max()) < 2e-5


def test_shared_angles_and_repeated_objects(dense: SimpleNamespace) -> None:
    data, turn = EncodingGate("RX", (0,), 0), TrainableGate("RY", (0,), 0)
    compare(dense, Circuit(1, 1, [data, turn, data, turn, FixedGate("T", (0,)), turn], [{"Z0": 1.0, "Y0": 0.3}]), True)
