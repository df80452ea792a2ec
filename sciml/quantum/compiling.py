"""From gates to segments: what the simulator applies at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from sciml.quantum.gates import FIXED, EncodingGate, Gate

_PERMUTATIONS = ("CNOT", "SWAP")


@dataclass
class Local:
    """Single-qubit gates, by qubit in time order."""

    runs: dict[int, list[Gate]] = field(default_factory=dict)


@dataclass
class Diagonal:
    """CZ and RZZ gates: they commute, so one diagonal holds all of them."""

    gates: list[Gate] = field(default_factory=list)


@dataclass
class Permutation:
    """CNOT and SWAP gates in time order."""

    gates: list[Gate] = field(default_factory=list)


@dataclass
class Flip:
    """One RXX or RYY."""

    gate: Gate


Segment = Local | Diagonal | Permutation | Flip


def segments_of(gates: Sequence[Gate]) -> list[Segment]:
    """Gather gates into segments; the first is `Local`. Gates on disjoint qubits may change places.

    Args:
        gates: Gates in time order.

    Returns:
        Segments in time order, equivalent to the gates.
    """
    segments: list[Segment] = [Local()]
    last: dict[int, int] = {}
    for gate in gates:
        kind = _kind(gate)
        earliest = max((last.get(q, 0 if kind is Local else -1) for q in gate.qubits), default=0)
        place = next(
            (i for i in range(max(earliest, 0), len(segments)) if isinstance(segments[i], kind) and kind is not Flip),
            None,
        )
        if place is None:
            segments.append(Flip(gate) if kind is Flip else kind())
            place = len(segments) - 1
        segment = segments[place]
        if isinstance(segment, Local):
            segment.runs.setdefault(gate.qubits[0], []).append(gate)
        elif isinstance(segment, (Diagonal, Permutation)):
            segment.gates.append(gate)
        for qubit in gate.qubits:
            last[qubit] = place
    return segments


def _kind(gate: Gate) -> type:
    if len(gate.qubits) == 1:
        return Local
    if gate.name in {"CZ", "RZZ"}:
        return Diagonal
    return Permutation if gate.name in _PERMUTATIONS else Flip


def bit_signs(qubit: int, count: int) -> np.ndarray:
    """Diagonal of Z on a qubit, (2^n,)."""
    return 1.0 - 2.0 * ((np.arange(2**count) >> (count - 1 - qubit)) & 1)


def fixed_diagonal(segment: Diagonal, count: int) -> np.ndarray:
    """Product of the CZ gates of a segment, (2^n,), entries 1 and -1."""
    diagonal = np.ones(2**count)
    for gate in segment.gates:
        if gate.name == "CZ":
            both = (bit_signs(gate.qubits[0], count) < 0) & (bit_signs(gate.qubits[1], count) < 0)
            diagonal = np.where(both, -diagonal, diagonal)
    return diagonal


def source_index(segment: Permutation, count: int) -> np.ndarray:
    """Index such that new[i] = old[index[i]], (2^n,)."""
    index = np.arange(2**count)
    for gate in segment.gates:
        local = np.argmax(np.abs(FIXED[gate.name]), axis=1)
        first, second = (count - 1 - q for q in gate.qubits)
        here = np.arange(2**count)
        pair = local[2 * ((here >> first) & 1) + ((here >> second) & 1)]
        cleared = here & ~((1 << first) | (1 << second))
        index = index[cleared | ((pair >> 1) << first) | ((pair & 1) << second)]
    return index


@dataclass
class Piece:
    """At most one encoding gate, with the numbers of data-free gates before and after it, in time order."""

    before: list[Gate] = field(default_factory=list)
    encoding: EncodingGate | None = None
    after: list[Gate] = field(default_factory=list)


def pieces_of(run: Sequence[Gate]) -> list[Piece]:
    """Cut the gates of one qubit into pieces with at most one encoding gate.

    Args:
        run: Gates in time order.

    Returns:
        At least one piece.
    """
    pieces = [Piece()]
    for gate in run:
        if isinstance(gate, EncodingGate):
            if pieces[-1].encoding is not None:
                pieces.append(Piece())
            pieces[-1].encoding = gate
        else:
            (pieces[-1].before if pieces[-1].encoding is None else pieces[-1].after).append(gate)
    return pieces


def has_data(segment: Local) -> bool:
    """Whether a segment contains encoding gates."""
    return any(isinstance(gate, EncodingGate) for run in segment.runs.values() for gate in run)
