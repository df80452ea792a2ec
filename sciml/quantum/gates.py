"""Gates: encoding, trainable and fixed ones, and their matrices.

A rotation is R_P(a) = exp(-i a P / 2) with a Pauli word P; qubit 0 is the most significant bit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from numbers import Integral, Real
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sciml.errors import ProblemError

ROTATIONS = {"RX": "X", "RY": "Y", "RZ": "Z", "RXX": "XX", "RYY": "YY", "RZZ": "ZZ"}
TRANSFORMS: dict[str, Callable[[Tensor], Tensor]] = {"identity": lambda x: x, "arccos": torch.arccos}
PAULI = {
    "I": np.eye(2, dtype=complex),
    "X": np.array([[0, 1], [1, 0]], dtype=complex),
    "Y": np.array([[0, -1j], [1j, 0]]),
    "Z": np.diag([1.0 + 0j, -1.0]),
}
FIXED: dict[str, np.ndarray] = {
    "H": (PAULI["X"] + PAULI["Z"]) / math.sqrt(2),
    "X": PAULI["X"],
    "Y": PAULI["Y"],
    "Z": PAULI["Z"],
    "S": np.diag([1.0, 1.0j]),
    "T": np.diag([1.0 + 0j, (1 + 1j) / math.sqrt(2)]),
    "CZ": np.diag([1.0 + 0j, 1, 1, -1]),
    "CNOT": np.eye(4, dtype=complex)[[0, 1, 3, 2]],
    "SWAP": np.eye(4, dtype=complex)[[0, 2, 1, 3]],
}


def is_real(value: Any) -> bool:
    """Whether a value is a finite real number; True and False are none.

    Args:
        value: Anything.

    Returns:
        The answer.
    """
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def _check(gate: Any, table: dict[str, Any], kind: str) -> None:
    if not isinstance(gate.name, str) or gate.name not in table:
        raise ProblemError(f"a {kind} gate: {' '.join(table)}", repr(gate.name), "use rotations for other gates")
    given = tuple(gate.qubits) if isinstance(gate.qubits, Sequence) else (gate.qubits,)
    need = len(ROTATIONS[gate.name]) if gate.name in ROTATIONS else FIXED[gate.name].shape[0].bit_length() - 1
    whole = all(isinstance(q, Integral) and not isinstance(q, bool) and int(q) >= 0 for q in given)
    if not whole or len(given) != need or len(set(given)) != need:
        raise ProblemError(f"{gate.name} on {need} different qubit(s)", repr(gate.qubits), f"{kind} gate {gate.name}")
    object.__setattr__(gate, "qubits", tuple(int(q) for q in given))


def _check_index(gate: Any, key: str) -> None:
    value = getattr(gate, key)
    if isinstance(value, bool) or not isinstance(value, Integral) or int(value) < 0:
        raise ProblemError(f"a {key} number 0, 1, 2, ...", repr(value), "numbers count from 0")
    object.__setattr__(gate, key, int(value))


@dataclass(frozen=True)
class EncodingGate:
    """R_P(scale · z_j + offset) with z_j = x_j, or arccos x_j (Chebyshev map, Kyriienko et al. 2020, 2011.10395).

    Args:
        name: RX, RY, RZ, RXX, RYY or RZZ.
        qubits: The qubits it acts on.
        feature: Number j of the feature.
        scale: Factor of the feature, not 0.
        offset: Angle added.
        transform: "identity" or "arccos".

    Example:
        >>> EncodingGate("RX", (0,), feature=1, scale=0.5).label
        'RX(0.5 x1)'
    """

    name: str
    qubits: tuple[int, ...]
    feature: int
    scale: float = 1.0
    offset: float = 0.0
    transform: str = "identity"

    def __post_init__(self) -> None:
        """Check."""
        _check(self, ROTATIONS, "encoding")
        _check_index(self, "feature")
        if not (is_real(self.scale) and is_real(self.offset)) or self.scale == 0:
            raise ProblemError(
                "a finite scale that is not 0 and a finite offset", f"{self.scale!r}, {self.offset!r}", "scale=1.0"
            )
        object.__setattr__(self, "scale", float(self.scale))
        object.__setattr__(self, "offset", float(self.offset))
        if not isinstance(self.transform, str) or self.transform not in TRANSFORMS:
            raise ProblemError(f"transform {' or '.join(TRANSFORMS)}", repr(self.transform), 'transform="identity"')

    @property
    def label(self) -> str:
        """Text for drawings and messages."""
        inner = f"x{self.feature}" if self.transform == "identity" else f"arccos x{self.feature}"
        factor = "" if self.scale == 1 else f"{self.scale:g} "
        return f"{self.name}({factor}{inner}{f'{self.offset:+g}' if self.offset else ''})"


@dataclass(frozen=True)
class TrainableGate:
    """R_P(θ_k); gates with the same parameter number share the angle.

    Args:
        name: RX, RY, RZ, RXX, RYY or RZZ.
        qubits: The qubits it acts on.
        parameter: Number k of the angle.

    Example:
        >>> TrainableGate("RY", (2,), parameter=4).label
        'RY(θ4)'
    """

    name: str
    qubits: tuple[int, ...]
    parameter: int

    def __post_init__(self) -> None:
        """Check."""
        _check(self, ROTATIONS, "trainable")
        _check_index(self, "parameter")

    @property
    def label(self) -> str:
        """Text for drawings and messages."""
        return f"{self.name}(θ{self.parameter})"


@dataclass(frozen=True)
class FixedGate:
    """H, X, Y, Z, S, T, CZ, CNOT (control, target) or SWAP.

    Args:
        name: Name.
        qubits: The qubits it acts on.

    Example:
        >>> FixedGate("CNOT", (0, 1)).label
        'CNOT'
    """

    name: str
    qubits: tuple[int, ...]

    def __post_init__(self) -> None:
        """Check."""
        _check(self, FIXED, "fixed")

    @property
    def label(self) -> str:
        """Text for drawings and messages."""
        return self.name


Gate = EncodingGate | TrainableGate | FixedGate
KINDS: dict[str, type[Gate]] = {"encoding": EncodingGate, "trainable": TrainableGate, "fixed": FixedGate}


@cache
def word_matrix(word: str) -> np.ndarray:
    """Matrix of a Pauli word such as "XX"; its first letter acts on the most significant bit.

    Args:
        word: Letters I, X, Y, Z.

    Returns:
        (2^k, 2^k), complex.
    """
    matrix = np.eye(1, dtype=complex)
    for letter in word:
        matrix = np.kron(matrix, PAULI[letter])
    return matrix


def rotation_matrix(word: str, angle: Tensor) -> Tensor:
    """exp(-i a P / 2) = cos(a/2) - i sin(a/2) P.

    Args:
        word: Pauli word P.
        angle: (...).

    Returns:
        (..., 2^k, 2^k), complex.
    """
    half = angle[..., None, None] / 2
    zero = torch.zeros_like(half)
    complex_type = torch.complex64 if angle.dtype == torch.float32 else torch.complex128
    pauli = torch.as_tensor(word_matrix(word), dtype=complex_type, device=angle.device)
    identity = torch.eye(pauli.shape[0], dtype=complex_type, device=angle.device)
    return torch.complex(torch.cos(half), zero) * identity - torch.complex(zero, torch.sin(half)) * pauli
