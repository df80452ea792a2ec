"""Power series of a circuit's output along a direction in gate angles."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from influence.quantum.explained import Explained
from sciml.errors import SolverError
from sciml.quantum.gates import FIXED, ROTATIONS, EncodingGate, FixedGate, rotation_matrix, word_matrix
from sciml.quantum.transfer import apply_local

MAXIMUM_ORDER = 150  # factorials stay within the range of floats


def check_order(order: Any) -> None:
    """Refuse what is no order of a Taylor term.

    Args:
        order: What a user gave.

    Raises:
        SolverError: If it is no whole number in range.
    """
    if isinstance(order, bool) or not isinstance(order, int) or not 1 <= order <= MAXIMUM_ORDER:
        raise SolverError(f"order: a whole number >= 1, at most {MAXIMUM_ORDER}", repr(order), "order=None takes all")


def power_series(explained: Explained, start: Tensor, direction: Tensor, order: int) -> Tensor:
    """Coefficients p_k of f(α + tΔ) = Σ_k p_k t^k, by carrying the state as a power series through the gates.

    Args:
        explained: The model.
        start: Encoding angles α, (batch, K).
        direction: Δ, (batch, K); differentiable.
        order: The last k.

    Returns:
        (batch, order + 1).
    """
    circuit, theta = explained.circuit, explained.theta
    n, batch, terms = circuit.qubits, len(start), order + 1
    state = torch.zeros(batch, terms, 2**n, dtype=torch.complex128)
    state[:, 0, 0] = 1
    inside, number = set(explained.cone.gates), -1
    for position, gate in enumerate(circuit.gates):
        number += isinstance(gate, EncodingGate)
        if position not in inside:
            continue
        flat = state.reshape(batch * terms, -1)
        if isinstance(gate, FixedGate):
            matrix = torch.as_tensor(FIXED[gate.name])
        elif isinstance(gate, EncodingGate):
            word = torch.as_tensor(word_matrix(ROTATIONS[gate.name]))
            turned = -1j * apply_local(flat, word, gate.qubits, n, 2).reshape(state.shape)
            even, odd = _series(start[:, number] / 2, direction[:, number] / 2, terms)
            state = even @ state + odd @ turned
            continue
        else:
            matrix = rotation_matrix(ROTATIONS[gate.name], theta[gate.parameter])
        state = apply_local(flat, matrix, gate.qubits, n, 2).reshape(state.shape)
    moved = torch.zeros_like(state)
    for flip, phases in explained.observable.grouped(n).items():
        moved = moved + torch.as_tensor(phases) * state[:, :, torch.arange(2**n) ^ flip]
    products = (state.conj() @ moved.transpose(1, 2)).real
    explained.evaluations += batch
    return torch.stack(
        [sum((products[:, m, k - m] for m in range(k + 1)), products.new_zeros(batch)) for k in range(terms)], dim=1
    )


def _series(angle: Tensor, rate: Tensor, terms: int) -> tuple[Tensor, Tensor]:
    """Lower triangular Toeplitz matrices of the series of cos(a + bt) and sin(a + bt), (batch, terms, terms)."""
    shift = torch.arange(terms)[:, None] - torch.arange(terms)
    orders = torch.arange(terms, dtype=torch.float64)
    factorials = torch.tensor([float(math.factorial(k)) for k in range(terms)], dtype=torch.float64)
    powers = rate[:, None] ** orders / factorials
    cosine = powers * torch.cos(angle[:, None] + orders * math.pi / 2)
    sine = powers * torch.sin(angle[:, None] + orders * math.pi / 2)
    below = (shift >= 0).to(torch.float64)
    place = shift.clamp(min=0)
    return (cosine[:, place] * below).to(torch.complex128), (sine[:, place] * below).to(torch.complex128)
