"""Batched state-vector simulator in plain torch, differentiable to any order in data and angles.

All fused 2x2 matrices of a circuit are built in one batched operation, from U = cos(a/2) M0 + sin(a/2) M1 with
constant M0, M1 around each encoding gate; they act as Kronecker products of a few qubits each.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from sciml.quantum.circuit import Circuit
from sciml.quantum.compiling import (
    Diagonal,
    Flip,
    Local,
    Permutation,
    Piece,
    bit_signs,
    fixed_diagonal,
    has_data,
    pieces_of,
    segments_of,
    source_index,
)
from sciml.quantum.gates import FIXED, PAULI, ROTATIONS, EncodingGate, FixedGate, Gate, TrainableGate
from sciml.quantum.light_cone import light_cone
from sciml.quantum.observables import PauliSum

_GROUP = 5


class Program:
    """A compiled circuit: angles in, amplitudes or expectations out.

    Args:
        circuit: The circuit.
        dtype: torch.float64 or torch.float32.
        prune: Whether gates outside the light cone are left out; expectations and their derivatives stay
            exactly the same, amplitudes don't.

    Example:
        >>> from sciml.quantum import EncodingGate
        >>> program = Program(Circuit(1, 1, [EncodingGate("RX", (0,), 0)], [{"Z0": 1.0}]))
        >>> angles = torch.tensor([[0.0], [torch.pi]], dtype=torch.float64)
        >>> program.expectations(angles, angles.new_zeros(0)).round(decimals=12).tolist()
        [[1.0], [-1.0]]
    """

    def __init__(self, circuit: Circuit, dtype: torch.dtype = torch.float64, prune: bool = True) -> None:
        self.circuit, self.qubits, self.real = circuit, circuit.qubits, dtype
        self.complex = torch.complex64 if dtype == torch.float32 else torch.complex128
        self._encoding = {position: k for k, position in enumerate(
            p for p, gate in enumerate(circuit.gates) if isinstance(gate, EncodingGate))}  # fmt: skip
        kept = light_cone(circuit).gates if prune else range(len(circuit.gates))
        numbered = {id(gate): self._encoding.get(p) for p, gate in self._distinct(circuit, kept)}
        self._number = numbered
        self.segments = segments_of(self._gates)
        self.groups = _split(self.qubits)
        self._tabulate()
        self.constants = [self._constant(segment) for segment in self.segments]
        self.observables = [_grouped(observable, self.qubits, self.complex) for observable in circuit.observables]
        self._weights()

    def _distinct(self, circuit: Circuit, kept: Sequence[int] | range) -> list[tuple[int, Gate]]:
        # the same gate object may stand twice in the list, but its angle has two numbers
        pairs = [(p, _copy(circuit.gates[p])) for p in kept]
        self._gates = [gate for _, gate in pairs]
        return pairs

    def _tabulate(self) -> None:
        """Index tables of all single-qubit pieces: one slot per local segment and qubit."""
        bank = [np.eye(2, dtype=complex), *(m for m in FIXED.values() if len(m) == 2)]
        self._fixed_row = {name: 1 + k for k, name in enumerate(n for n, m in FIXED.items() if len(m) == 2)}
        singles = [g for g in self._gates if isinstance(g, TrainableGate) and len(g.qubits) == 1]
        self._trainable_row = {id(gate): len(bank) + k for k, gate in enumerate(singles)}
        self.bank = torch.as_tensor(np.stack(bank), dtype=self.complex)
        self.trained = torch.tensor([gate.parameter for gate in singles], dtype=torch.long)
        self.trained_pauli = self._words(singles)
        self.local_numbers = [i for i, segment in enumerate(self.segments) if isinstance(segment, Local)]
        data = [i for i in self.local_numbers if has_data(self.segments[i])]  # type: ignore[arg-type]
        free = [i for i in self.local_numbers if i not in data]
        self.order = {number: k for k, number in enumerate(data)} | {number: k for k, number in enumerate(free)}
        self.with_data = frozenset(data)
        self.data_levels = self._levels(data)
        self.free_levels = self._levels(free)

    def _words(self, gates: Sequence[Gate]) -> Tensor:
        matrices = [PAULI[ROTATIONS[gate.name]] for gate in gates]
        return torch.as_tensor(np.array(matrices).reshape(-1, 2, 2) * -1j, dtype=self.complex)

    def _levels(self, numbers: Sequence[int]) -> list[tuple[Tensor, Tensor, Tensor, Tensor]]:
        """Per level of pieces: rows of the bank before and after (slots, depth), encoding word, angle number."""
        runs = [self.segments[i].runs.get(q, []) for i in numbers for q in range(self.qubits)]  # type: ignore[union-attr]
        pieces = [pieces_of(run) for run in runs]
        levels = []
        for level in range(max((len(p) for p in pieces), default=0)):
            here = [p[level] if level < len(p) else Piece() for p in pieces]
            before = self._rows([piece.before for piece in here])
            after = self._rows([piece.after for piece in here])
            words = [PAULI[ROTATIONS[p.encoding.name]] if p.encoding else np.zeros((2, 2)) for p in here]
            angle = [self._number[id(p.encoding)] if p.encoding else -1 for p in here]
            levels.append((
                before, after, torch.as_tensor(np.stack(words) * -1j, dtype=self.complex), torch.tensor(angle),
            ))  # fmt: skip
        return levels

    def _rows(self, sequences: Sequence[Sequence[Gate]]) -> Tensor:
        depth = max((len(s) for s in sequences), default=0)
        rows = [[self._row(gate) for gate in s] + [0] * (depth - len(s)) for s in sequences]
        return torch.tensor(rows, dtype=torch.long).reshape(len(sequences), depth)

    def _row(self, gate: Gate) -> int:
        return self._fixed_row[gate.name] if isinstance(gate, FixedGate) else self._trainable_row[id(gate)]

    def _constant(self, segment: object) -> tuple[Tensor | None, ...]:
        count = self.qubits
        if isinstance(segment, Diagonal):
            signs = fixed_diagonal(segment, count)
            pairs = [bit_signs(g.qubits[0], count) * bit_signs(g.qubits[1], count)
                     for g in segment.gates if g.name == "RZZ"]  # fmt: skip
            fixed = None if (signs == 1).all() else torch.as_tensor(signs, dtype=self.real)
            return fixed, torch.as_tensor(np.stack(pairs), dtype=self.real) if pairs else None
        if isinstance(segment, Permutation):
            return (torch.as_tensor(source_index(segment, count)),)
        if isinstance(segment, Flip):
            letter = ROTATIONS[segment.gate.name][0]
            word = PauliSum({" ".join(f"{letter}{q}" for q in segment.gate.qubits): 1.0})
            ((flip, phases),) = word.grouped(count).items()
            return torch.arange(2**count) ^ flip, torch.as_tensor(phases, dtype=self.complex)
        return ()

    def _weights(self) -> None:
        flips = sorted({flip for groups in self.observables for flip in groups})
        zero = torch.zeros(2**self.qubits, dtype=self.complex)
        self.flips = [(torch.arange(2**self.qubits) ^ flip if flip else None,
                       torch.stack([groups.get(flip, zero) for groups in self.observables], dim=1))
                      for flip in flips]  # fmt: skip

    def amplitudes(self, angles: Tensor, theta: Tensor, start: Tensor | None = None) -> Tensor:
        """Final states.

        Args:
            angles: (batch, K), angles of all encoding gates in time order.
            theta: (P,).
            start: (batch, 2^n), initial states instead of |0...0>.

        Returns:
            (batch, 2^n), complex.
        """
        bank, size = self._bank(theta), angles.shape[0]
        data = self._matrices(self.data_levels, bank, angles, len(self.with_data))
        free = self._matrices(self.free_levels, bank, None, len(self.local_numbers) - len(self.with_data))
        matrices = {True: data, False: free}
        skip = {True: 0, False: 0}  # the first segment makes the product state and needs no Kronecker factors
        if start is None:
            known = 0 in self.with_data
            state, skip[known] = _columns(matrices[known][:, 0]).expand(size, -1), 1
        else:
            state = start
        factors = {known: self._factors(matrices[known][:, skip[known] :]) for known in (True, False)}
        for number in range(1 if start is None else 0, len(self.segments)):
            segment = self.segments[number]
            if isinstance(segment, Local):
                known = number in self.with_data
                place = self.order[number] - skip[known]
                state = self._local(state, [f[:, place] for f in factors[known]], known)
            else:
                state = self._entangle(state, segment, self.constants[number], angles, theta)
        return state

    def _bank(self, theta: Tensor) -> Tensor:
        bank = self.bank
        if len(self.trained):
            half = theta[self.trained] / 2
            identity = self.bank[0]
            turned = torch.cos(half)[:, None, None] * identity + torch.sin(half)[:, None, None] * self.trained_pauli
            bank = torch.cat([bank, turned])
        return bank

    def _matrices(
        self, levels: list[tuple[Tensor, Tensor, Tensor, Tensor]], bank: Tensor, angles: Tensor | None, segments: int
    ) -> Tensor:
        """Fused matrices, (batch or 1, segments, qubits, 2, 2)."""
        total = None
        for before, after, word, number in levels:
            left, right = _product(bank, after), _product(bank, before)
            plain = left if right is None else right if left is None else left @ right
            if plain is None:
                plain = bank[0].expand(len(number), 2, 2)
            if angles is None:
                piece = plain[None]
            else:
                turning = word if right is None else word @ right
                turning = turning if left is None else left @ turning
                half = angles[:, number] / 2
                # slots without an encoding gate have word 0 and must not turn with the angle they borrow
                real = (number >= 0).to(half.dtype)
                half = half * real
                piece = torch.cos(half)[..., None, None] * plain + torch.sin(half)[..., None, None] * turning
            total = piece if total is None else piece @ total
        if total is None:
            total = bank[0].expand(1, 0, 2, 2)
        return total.reshape(total.shape[0], segments, self.qubits, 2, 2)

    def _factors(self, matrices: Tensor) -> list[Tensor]:
        """Kronecker products of the groups, (batch or 1, segments, 2^g, 2^g)."""
        if not matrices.shape[1]:
            return []
        factors = []
        for group in self.groups:
            kron = matrices[:, :, group[0]]
            for qubit in group[1:]:
                size = 2 * kron.shape[-1]
                kron = kron[..., :, None, :, None] * matrices[:, :, qubit, None, :, None, :]
                kron = kron.reshape(*kron.shape[:2], size, size)
            factors.append(kron)
        return factors

    def _local(self, state: Tensor, factors: list[Tensor], data: bool) -> Tensor:
        size = state.shape[0]
        left = 1
        for group, factor in zip(self.groups, factors, strict=True):
            width = 2 ** len(group)
            right = 2**self.qubits // (left * width)
            matrix = factor if data else factor[0]
            if left == 1:
                state = torch.matmul(matrix, state.reshape(size, width, right))
            elif right == 1:
                state = torch.matmul(state.reshape(size, left, width), matrix.transpose(-1, -2))
            else:
                matrix = matrix[:, None] if data else matrix
                state = torch.matmul(matrix, state.reshape(size, left, width, right))
            left *= width
        return state.reshape(size, -1)

    def _entangle(
        self, state: Tensor, segment: object, constant: tuple[Tensor | None, ...], angles: Tensor, theta: Tensor
    ) -> Tensor:
        if isinstance(segment, Permutation):
            return state[:, constant[0]]
        if isinstance(segment, Diagonal):
            fixed, pairs = constant
            if fixed is not None:
                state = state * fixed
            if pairs is not None:
                turning = [self._angle(g, angles, theta) for g in segment.gates if g.name == "RZZ"]
                phase = torch.stack(torch.broadcast_tensors(*turning), dim=-1) @ pairs / 2
                state = state * torch.complex(torch.cos(phase), -torch.sin(phase))
            return state
        assert isinstance(segment, Flip)
        source, phases = constant
        assert phases is not None
        half = self._angle(segment.gate, angles, theta)[:, None] / 2
        turned = -1j * phases * state[:, source]
        return torch.cos(half) * state + torch.sin(half) * turned

    def _angle(self, gate: Gate, angles: Tensor, theta: Tensor) -> Tensor:
        if isinstance(gate, TrainableGate):
            return theta[gate.parameter][None]
        return angles[:, self._number[id(gate)]]

    def memory(self, batch: int, graph: bool) -> float:
        """Bytes that a run takes, roughly.

        Args:
            batch: Number of points.
            graph: Whether intermediate states are kept for a derivative.

        Returns:
            Bytes.
        """
        states = 4 + (2 * len(self.segments) if graph else 0)
        return float(batch * states * 2**self.qubits * (8 if self.real == torch.float32 else 16))

    def expectations(self, angles: Tensor, theta: Tensor, start: Tensor | None = None) -> Tensor:
        """Expectations of all observables.

        Args:
            angles: (batch, K).
            theta: (P,).
            start: (batch, 2^n), initial states instead of |0...0>.

        Returns:
            (batch, outputs).
        """
        state = self.amplitudes(angles, theta, start)
        total: Tensor | None = None
        for source, phases in self.flips:
            if source is None:
                part = (state.real**2 + state.imag**2) @ phases.real
            else:
                overlap = state.conj() * state[:, source]
                part = overlap.real @ phases.real - overlap.imag @ phases.imag
            total = part if total is None else total + part
        assert total is not None
        return total


def _copy(gate: Gate) -> Gate:
    made = object.__new__(type(gate))
    for name, value in vars(gate).items():
        object.__setattr__(made, name, value)
    return made


def _split(qubits: int) -> list[list[int]]:
    """Groups of neighbouring qubits of nearly equal size, at most five each, two where there are two qubits."""
    count = max(-(-qubits // _GROUP), min(2, qubits))
    edges = [round(k * qubits / count) for k in range(count + 1)]
    return [list(range(a, b)) for a, b in itertools.pairwise(edges)]


def _grouped(observable: PauliSum, qubits: int, dtype: torch.dtype) -> dict[int, Tensor]:
    return {flip: torch.as_tensor(phases, dtype=dtype) for flip, phases in observable.grouped(qubits).items()}


def _product(bank: Tensor, rows: Tensor) -> Tensor | None:
    """Products of matrices of the bank in time order, (slots, 2, 2); None for no gates at all."""
    product = None
    for k in range(rows.shape[1]):
        matrix = bank[rows[:, k]]
        product = matrix if product is None else matrix @ product
    return product


def _columns(matrices: Tensor) -> Tensor:
    """The product state of the first columns of (batch, qubits, 2, 2)."""
    state = matrices[:, 0, :, 0]
    for qubit in range(1, matrices.shape[1]):
        state = (state[:, :, None] * matrices[:, qubit, None, :, 0]).reshape(state.shape[0], -1)
    return state


@lru_cache(maxsize=64)
def compiled(circuit: Circuit, dtype: torch.dtype = torch.float64, prune: bool = True) -> Program:
    """The program of a circuit, remembered.

    Args:
        circuit: The circuit.
        dtype: torch.float64 or torch.float32.
        prune: See `Program`.

    Returns:
        The program.
    """
    return Program(circuit, dtype, prune)
