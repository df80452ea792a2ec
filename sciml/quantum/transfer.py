"""Pauli transfer: density operators and observables in orthonormal Pauli coordinates, gates as real matrices.

Coordinates are b[P] = 2^{-n/2} Tr(P ρ) with strings ordered I, X, Y, Z per qubit, qubit 0 first; a gate ρ -> UρU†
becomes b -> T b with T[Q, P] = 2^{-k} Tr(Q U P U†), and an observable goes backwards by T^T.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import cache

import numpy as np
import torch
from torch import Tensor

from sciml.errors import SolverError
from sciml.quantum.gates import FIXED, ROTATIONS, EncodingGate, FixedGate, Gate, TrainableGate, word_matrix
from sciml.quantum.observables import PauliSum

LETTERS = "IXYZ"
MAXIMUM_TRANSFER_QUBITS = 10


@cache
def _words(length: int) -> tuple[str, ...]:
    return tuple("".join(word) for word in itertools.product(LETTERS, repeat=length))


@cache
def rotation_parts(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """T(a) = A + cos(a) B + sin(a) D of a rotation: strings that commute with P stay, others turn with iPQ.

    As T is linear in (cos a, sin a), a mixture of rotations is the same formula with their means.

    Args:
        name: RX ... RZZ.

    Returns:
        A, B, D, each (4^k, 4^k).
    """
    generator = word_matrix(ROTATIONS[name])
    count = len(ROTATIONS[name])
    strings = [word_matrix(word) for word in _words(count)]
    turning = np.array([not np.allclose(generator @ q, q @ generator) for q in strings])
    derivative = [(-0.5j) * (generator @ p - p @ generator) for p in strings]
    sine = np.array([[np.trace(q @ d).real for d in derivative] for q in strings]) / 2**count
    return np.diag((~turning).astype(float)), np.diag(turning.astype(float)), sine


@cache
def fixed_transfer(name: str) -> np.ndarray:
    """T of a fixed gate.

    Args:
        name: Its name.

    Returns:
        (4^k, 4^k).
    """
    unitary = FIXED[name]
    count = unitary.shape[0].bit_length() - 1
    strings = [word_matrix(word) for word in _words(count)]
    moved = [unitary @ p @ unitary.conj().T for p in strings]
    return np.array([[np.trace(q @ m).real for m in moved] for q in strings]) / 2**count


def apply_local(tensor: Tensor, matrix: Tensor, qubits: Sequence[int], count: int, base: int) -> Tensor:
    """Apply a matrix to some of the axes of a register.

    Args:
        tensor: (batch, base^count).
        matrix: (base^k, base^k) or (batch, base^k, base^k).
        qubits: The k axes, in the order of the matrix.
        count: Axes of the register.
        base: 2 for amplitudes, 4 for Pauli coordinates.

    Returns:
        (batch, base^count).
    """
    size = base ** len(qubits)
    axes = [q + 1 for q in qubits]
    others = [axis for axis in range(1, count + 1) if axis not in axes]
    order = [0, *axes, *others]
    moved = tensor.reshape(-1, *[base] * count).permute(order).reshape(tensor.shape[0], size, -1)
    result = torch.matmul(matrix, moved)
    inverse = sorted(range(count + 1), key=order.__getitem__)
    return result.reshape(-1, *[base] * count).permute(inverse).reshape(result.shape[0], base**count)


def check_transfer(qubits: int, batch: int = 1, copies: int = 3) -> None:
    """Refuse registers whose 4^n coordinates are too many, with the memory needed.

    Args:
        qubits: Number of qubits.
        batch: Samples at once.
        copies: Vectors held at once.

    Raises:
        SolverError: Above 10 qubits.
    """
    if qubits > MAXIMUM_TRANSFER_QUBITS:
        raise SolverError(
            f"at most {MAXIMUM_TRANSFER_QUBITS} qubits on routes through all 4^n Pauli strings",
            f"{qubits} qubits, {copies * batch * 8 * 4.0**qubits / 2**30:.3g} GiB",
            'use sampling (shapley_shots, sampled_shapley) or a point reference with route="coalitions"',
        )


def initial_coordinates(count: int) -> Tensor:
    """Coordinates of |0...0>.

    Args:
        count: Qubits.

    Returns:
        (1, 4^n).
    """
    one = torch.tensor([1.0, 0.0, 0.0, 1.0], dtype=torch.float64) / 2**0.5
    state = torch.ones(1, dtype=torch.float64)
    for _ in range(count):
        state = (state[:, None] * one).reshape(-1)
    return state[None]


def observable_coordinates(observable: PauliSum, count: int) -> Tensor:
    """Coordinates m[P] = 2^{-n/2} Tr(P M) = 2^{n/2} c_P.

    Args:
        observable: The observable.
        count: Qubits.

    Returns:
        (1, 4^n).
    """
    coordinates = torch.zeros(4**count, dtype=torch.float64)
    for string, coefficient in observable:
        index = sum(LETTERS.index(letter) * 4 ** (count - 1 - qubit) for letter, qubit in string)
        coordinates[index] += coefficient * 2 ** (count / 2)
    return coordinates[None]


def state_coordinates(state: Tensor, count: int) -> Tensor:
    """Coordinates of pure states.

    Args:
        state: (batch, 2^n), complex.
        count: Qubits.

    Returns:
        (batch, 4^n), real.
    """
    return operator_coordinates(state[:, :, None] * state[:, None, :].conj(), count)


def operator_coordinates(matrix: Tensor, count: int) -> Tensor:
    """2^{-n/2} Tr(P A) of Hermitian matrices for all strings P.

    Args:
        matrix: (batch, 2^n, 2^n), complex.
        count: Qubits.

    Returns:
        (batch, 4^n), real.
    """
    paired = [axis for q in range(count) for axis in (1 + q, 1 + count + q)]
    tensor = matrix.reshape(-1, *[2] * (2 * count)).permute([0, *paired]).reshape(matrix.shape[0], 4**count)
    # Tr(P A) = Σ_ij P[j, i] A[i, j] on every qubit
    rows = np.stack([word_matrix(letter).T.reshape(4) for letter in LETTERS]) / 2**0.5
    change = torch.as_tensor(rows, dtype=matrix.dtype, device=matrix.device)
    for qubit in range(count):
        tensor = apply_local(tensor, change, (qubit,), count, 4)
    return tensor.real


def gate_transfer(gate: Gate, cosine: Tensor | None = None, sine: Tensor | None = None) -> Tensor:
    """T of a gate; of a rotation from (the means of) cos and sin of its angle.

    Args:
        gate: The gate.
        cosine: () or (batch,).
        sine: As the cosine.

    Returns:
        (4^k, 4^k), or (batch, 4^k, 4^k).
    """
    if isinstance(gate, FixedGate):
        return torch.as_tensor(fixed_transfer(gate.name))
    assert isinstance(gate, (EncodingGate, TrainableGate))
    assert cosine is not None
    assert sine is not None
    keep, even, odd = (torch.as_tensor(part) for part in rotation_parts(gate.name))
    return keep + cosine[..., None, None] * even + sine[..., None, None] * odd
