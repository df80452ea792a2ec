"""Light cone: which features and angles an expectation can depend on, from the structure alone."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np

from sciml.quantum.circuit import Circuit
from sciml.quantum.gates import EncodingGate, FixedGate, Gate, TrainableGate
from sciml.quantum.transfer import LETTERS, fixed_transfer, rotation_parts


@dataclass(frozen=True)
class Cone:
    """What one Pauli string of one output can depend on; positions are those in `circuit.gates`."""

    output: int
    string: str
    gates: tuple[int, ...]
    features: tuple[int, ...]
    encoding: tuple[int, ...]
    parameters: tuple[int, ...]


@dataclass(frozen=True)
class LightCone:
    """Features, encoding gates and parameters inside and outside; outside means gradient and relevance zero.

    Attributes `terms` holds one `Cone` per Pauli string; `gates` are positions in `circuit.gates`, `encoding`
    positions in `circuit.encoding_gates`. Inside does not mean that there is an influence.
    """

    gates: tuple[int, ...]
    features_inside: tuple[int, ...]
    features_outside: tuple[int, ...]
    encoding_inside: tuple[int, ...]
    encoding_outside: tuple[int, ...]
    parameters_inside: tuple[int, ...]
    parameters_outside: tuple[int, ...]
    terms: tuple[Cone, ...]

    @property
    def dead_share(self) -> float:
        """Share of the angles that can't matter."""
        total = len(self.parameters_inside) + len(self.parameters_outside)
        return len(self.parameters_outside) / total if total else 0.0

    def __str__(self) -> str:
        """Report in words."""
        total = len(self.parameters_inside) + len(self.parameters_outside)
        lines = [
            f"features that can't matter: {_listed('x', self.features_outside)}",
            f"angles that can't matter: {len(self.parameters_outside)} of {total}"
            + (f" ({_listed('θ', self.parameters_outside)})" if self.parameters_outside else ""),
        ]
        if self.features_outside:
            lines.append("a mute feature may be the architecture's doing, not the data's")
        return "\n".join(lines)


def light_cone(circuit: Circuit) -> LightCone:
    """Walk backwards from every Pauli string with the set of letters that each qubit may carry.

    A gate that commutes with all possible strings is outside; any other adds the letters that its conjugation
    can create. Letters of different qubits are treated as independent, so the cone may be too large, never too
    small: outside implies a derivative that is identically zero.

    Args:
        circuit: The circuit.

    Returns:
        The report; `str()` of it reads as text.

    Example:
        >>> from sciml.quantum import EncodingGate, FixedGate
        >>> gates = [EncodingGate("RX", (0,), 0), EncodingGate("RX", (1,), 1), FixedGate("CZ", (0, 1))]
        >>> print(light_cone(Circuit(2, 2, gates, [{"Z0": 1.0}])))
        features that can't matter: x1
        angles that can't matter: 0 of 0
        a mute feature may be the architecture's doing, not the data's
    """
    terms = []
    for output, observable in enumerate(circuit.observables):
        for (string, coefficient), name in zip(observable, observable.to_dict(), strict=True):
            if coefficient:
                terms.append(_report(circuit, output, name, _walk(circuit, string)))
    gates = _union(term.gates for term in terms)
    features = _union(term.features for term in terms)
    encoding = _union(term.encoding for term in terms)
    parameters = _union(term.parameters for term in terms)
    return LightCone(
        gates, features, _rest(features, circuit.features), encoding, _rest(encoding, len(circuit.encoding_gates)),
        parameters, _rest(parameters, circuit.parameters), tuple(terms),
    )  # fmt: skip


def _walk(circuit: Circuit, string: tuple[tuple[str, int], ...]) -> tuple[int, ...]:
    letters: list[set[int]] = [{0} for _ in range(circuit.qubits)]
    for letter, qubit in string:
        letters[qubit].add(LETTERS.index(letter))
    inside = []
    for position in reversed(range(len(circuit.gates))):
        gate = circuit.gates[position]
        moved, reached = _conjugation(gate)
        count = len(gate.qubits)
        possible = itertools.product(*(sorted(letters[q]) for q in gate.qubits))
        words = [sum(k * 4 ** (count - 1 - i) for i, k in enumerate(word)) for word in possible]
        if not any(moved[word] for word in words):
            continue
        inside.append(position)
        for word in words:
            for made in reached[word]:
                for i, qubit in enumerate(gate.qubits):
                    letters[qubit].add(made // 4 ** (count - 1 - i) % 4)
    return tuple(reversed(inside))


def _conjugation(gate: Gate) -> tuple[tuple[bool, ...], tuple[tuple[int, ...], ...]]:
    return _patterns(gate.name, isinstance(gate, FixedGate))


@cache
def _patterns(name: str, fixed: bool) -> tuple[tuple[bool, ...], tuple[tuple[int, ...], ...]]:
    """Per string, whether the gate changes it, and the strings that U†PU may contain."""
    if fixed:
        transfer = fixed_transfer(name)
        changed = np.abs(transfer - np.eye(len(transfer))).max(axis=1) > 1e-12
        support = np.abs(transfer) > 1e-12
    else:
        keep, even, odd = rotation_parts(name)
        changed, support = np.diag(even) > 0.5, (keep + even + np.abs(odd)) > 0.5
    # the Heisenberg picture is the transpose: rows of T are the images of their string
    return tuple(map(bool, changed)), tuple(tuple(map(int, np.flatnonzero(row))) for row in support)


def _report(circuit: Circuit, output: int, name: str, gates: tuple[int, ...]) -> Cone:
    inside = [circuit.gates[position] for position in gates]
    encoding = [position for position, gate in enumerate(circuit.gates) if isinstance(gate, EncodingGate)]
    return Cone(
        output,
        name,
        gates,
        _union((gate.feature,) for gate in inside if isinstance(gate, EncodingGate)),
        tuple(k for k, position in enumerate(encoding) if position in gates),
        _union((gate.parameter,) for gate in inside if isinstance(gate, TrainableGate)),
    )


def _union(parts: Iterable[tuple[int, ...]]) -> tuple[int, ...]:
    return tuple(sorted({item for part in parts for item in part}))


def _rest(inside: tuple[int, ...], total: int) -> tuple[int, ...]:
    return tuple(item for item in range(total) if item not in inside)


def _listed(letter: str, numbers: tuple[int, ...]) -> str:
    return ", ".join(f"{letter}{number}" for number in numbers) if numbers else "none"
