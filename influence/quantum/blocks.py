"""Encoding-first circuits at their cut: the observable W†MW, and the states of the blocks, in Pauli coordinates."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import torch
from torch import Tensor

from influence.quantum.explained import Explained
from influence.quantum.references import Reference
from influence.quantum.shapley_values import coalitions
from influence.quantum.spectrum import SILENT, angle_spectrum
from sciml.errors import SolverError
from sciml.quantum import Block, Circuit, EncodingGate, PauliSum
from sciml.quantum.gates import FixedGate, TrainableGate
from sciml.quantum.simulator import Program, compiled
from sciml.quantum.transfer import check_transfer, operator_coordinates, state_coordinates

MAXIMUM_STATES = 2**19


@dataclass(frozen=True, eq=False)
class CutObservable:
    """M at the cut on the blocks that it touches, axes in the order of these blocks, one number per string."""

    coordinates: Tensor
    blocks: tuple[Block, ...]
    touched: tuple[bool, ...]


@dataclass(frozen=True, eq=False)
class BlockStates:
    """States of a block for all subsets of its players: (batch or 1, 2^m, 4^|B|); inactive blocks can't matter."""

    players: tuple[tuple[int, ...], ...]
    coordinates: Tensor
    active: bool


def observable_at_cut(explained: Explained) -> CutObservable:
    """W†MW in Pauli coordinates, with data-free qubits and untouched blocks already contracted.

    Args:
        explained: The model.

    Returns:
        The observable.

    Raises:
        SolverError: If the circuit is not encoding-first, or has more than 10 qubits.
    """
    circuit = explained.circuit
    blocks = circuit.encoding_blocks()
    n = circuit.qubits
    check_transfer(n)
    after = [gate for gate, before in zip(circuit.gates, circuit.past_of_encoding(), strict=True) if not before]
    program = Program(Circuit(n, circuit.features, tuple(after), circuit.observables), prune=False)
    basis = torch.eye(2**n, dtype=torch.complex128)
    images = program.amplitudes(torch.zeros(2**n, 0, dtype=torch.float64), explained.theta, basis)  # rows W|i>
    moved = torch.zeros_like(images)
    for flip, phases in explained.observable.grouped(n).items():
        moved += torch.as_tensor(phases) * images[:, torch.arange(2**n) ^ flip]
    tensor = operator_coordinates((images.conj() @ moved.T)[None], n).reshape([4] * n)
    used = [q for block in blocks for q in block.qubits]
    free = [q for q in range(n) if q not in used]
    tensor = tensor.permute([*free, *used])
    for _ in free:  # |0>
        tensor = (tensor[0] + tensor[3]) / 2**0.5
    touched: list[bool] = []
    tensor = tensor.reshape([4 ** len(block.qubits) for block in blocks] or [1])
    for k, block in enumerate(blocks):
        axis = sum(touched)
        rest = tensor.narrow(axis, 1, tensor.shape[axis] - 1)
        touched.append(bool((rest.abs() > 1e-14).any()))
        if not touched[k]:  # only the identity: every state gives the same
            tensor = tensor.select(axis, 0) * 2 ** (-len(block.qubits) / 2)
    return CutObservable(tensor.reshape(-1), blocks, tuple(touched))


def block_states(explained: Explained, reference: Reference, observable: CutObservable) -> list[BlockStates]:
    """States of every block for every subset of its players.

    Args:
        explained: The model.
        reference: The reference.
        observable: The observable at the cut.

    Returns:
        One entry per block.
    """
    made = []
    for block, active in zip(observable.blocks, observable.touched, strict=True):
        program, numbers = _preparation(explained, block)
        if reference.name == "erasure":
            present = _coordinates(explained, program, numbers, explained.angles(explained.x))
            absent = torch.zeros_like(present)
            absent[:, 0] = 2 ** (-len(block.qubits) / 2)
            made.append(BlockStates((block.features,), torch.stack([absent, present], dim=1), active))
            continue
        players = tuple((j,) for j in block.features)
        if reference.points is None:
            states = _averages(explained, block, program, numbers)
        else:
            states = _mixtures(explained, block, program, numbers, reference.points)
        made.append(BlockStates(players, states, active))
    return made


def _preparation(explained: Explained, block: Block) -> tuple[Program, Tensor]:
    """Program of the gates before the cut on a block, and the numbers of its encoding gates."""
    circuit = explained.circuit
    place = {q: k for k, q in enumerate(block.qubits)}
    gates: list[EncodingGate | TrainableGate | FixedGate] = []
    numbers, number = [], -1
    for gate, before in zip(circuit.gates, circuit.past_of_encoding(), strict=True):
        number += isinstance(gate, EncodingGate)
        if before and set(gate.qubits) <= set(place):
            where = tuple(place[q] for q in gate.qubits)
            if isinstance(gate, EncodingGate):
                numbers.append(number)
                gates.append(EncodingGate(gate.name, where, gate.feature, gate.scale, gate.offset, gate.transform))
            elif isinstance(gate, TrainableGate):
                gates.append(TrainableGate(gate.name, where, gate.parameter))
            else:
                gates.append(FixedGate(gate.name, where))
    small = Circuit(len(block.qubits), circuit.features, tuple(gates), (PauliSum({"Z0": 1.0}),))
    return compiled(small, prune=False), torch.tensor(numbers, dtype=torch.long)


def _coordinates(explained: Explained, program: Program, numbers: Tensor, angles: Tensor) -> Tensor:
    with torch.no_grad():
        states = program.amplitudes(angles[:, numbers], explained.theta)
    return state_coordinates(states, program.qubits)


def _mixtures(explained: Explained, block: Block, program: Program, numbers: Tensor, reference: Tensor) -> Tensor:
    masks = coalitions(len(block.features))
    if len(masks) * len(explained.x) > MAXIMUM_STATES:
        raise SolverError(
            f"at most {MAXIMUM_STATES} states of a block",
            f"{len(explained.x)} samples, 2^{len(block.features)} subsets",
            "fewer samples, fewer features per block, or sampled_shapley",
        )
    known = torch.zeros(len(masks), explained.features, dtype=torch.bool)
    known[:, list(block.features)] = masks
    mixed = torch.where(known, explained.x[:, None], reference[:, None])
    angles = explained.angles(mixed.reshape(-1, explained.features))
    return _coordinates(explained, program, numbers, angles).reshape(len(explained.x), len(masks), -1)


def _averages(explained: Explained, block: Block, program: Program, numbers: Tensor) -> Tensor:
    """Means over the absent features: Fourier terms of the state whose frequency in them is zero."""

    def coordinates(angles: Tensor) -> Tensor:
        return state_coordinates(program.amplitudes(angles, explained.theta), program.qubits)

    gates = [explained.circuit.encoding_gates[int(k)] for k in numbers]
    with torch.no_grad():
        coefficients, frequencies = angle_spectrum(coordinates, gates, explained.features)
    waves = torch.polar(torch.ones(()).double(), explained.encoded(explained.x) @ frequencies.T)
    states = []
    for size_mask in itertools.product((False, True), repeat=len(block.features)):
        mask = size_mask[::-1]  # the first feature is the lowest bit
        absent = [j for j, known in zip(block.features, mask, strict=True) if not known]
        kept = (frequencies[:, absent].abs() < SILENT).all(dim=1)
        states.append(torch.einsum("bw,wp->bp", waves[:, kept], coefficients[kept]).real)
    return torch.stack(states, dim=1)
