"""Brute force for circuits: dense matrices by Kronecker products, written from the conventions alone."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from functools import reduce
from types import SimpleNamespace

import numpy as np
import pytest

from sciml.quantum import Circuit, EncodingGate, FixedGate, PauliSum, TrainableGate

LETTER = {
    "I": np.eye(2), "X": np.array([[0, 1], [1, 0]]), "Y": np.array([[0, -1j], [1j, 0]]), "Z": np.diag([1, -1]),
}  # fmt: skip
SINGLE = {
    "H": np.array([[1, 1], [1, -1]]) / math.sqrt(2), "X": LETTER["X"], "Y": LETTER["Y"], "Z": LETTER["Z"],
    "S": np.diag([1, 1j]), "T": np.diag([1, np.exp(0.25j * np.pi)]),
}  # fmt: skip


def word(letters: dict[int, str], qubits: int) -> np.ndarray:
    """Pauli string on a register; qubit 0 is the leftmost factor."""
    return reduce(np.kron, [LETTER[letters.get(q, "I")] for q in range(qubits)])


def projector(qubit: int, value: int, qubits: int) -> np.ndarray:
    sign = 1 if value == 0 else -1
    return (np.eye(2**qubits) + sign * word({qubit: "Z"}, qubits)) / 2


def fixed(name: str, where: tuple[int, ...], n: int) -> np.ndarray:
    if name in SINGLE:
        return reduce(np.kron, [SINGLE[name] if q == where[0] else np.eye(2) for q in range(n)])
    first, second = where
    if name == "SWAP":
        return sum(word({first: p, second: p}, n) for p in "IXYZ") / 2
    return projector(first, 0, n) + projector(first, 1, n) @ word({second: name[1] if name == "CZ" else "X"}, n)


def rotation(name: str, where: tuple[int, ...], angle: float, n: int) -> np.ndarray:
    return math.cos(angle / 2) * np.eye(2**n) - 1j * math.sin(angle / 2) * word(
        dict(zip(where, name[1:], strict=True)), n
    )


def angles_of(circuit: Circuit, x: np.ndarray) -> list[float]:
    found = []
    for gate in circuit.gates:
        if isinstance(gate, EncodingGate):
            z = np.arccos(x[gate.feature]) if gate.transform == "arccos" else x[gate.feature]
            found.append(gate.scale * z + gate.offset)
    return found


def observable(terms: dict[str, float], n: int) -> np.ndarray:
    total = np.zeros((2**n, 2**n), dtype=complex)
    for text, value in terms.items():
        total += value * word({int(piece[1:]): piece[0] for piece in text.split()}, n)
    return total


def unitaries(circuit: Circuit, x: np.ndarray, theta: np.ndarray) -> list[np.ndarray]:
    n, angle = circuit.qubits, iter(angles_of(circuit, np.asarray(x)))
    made = []
    for gate in circuit.gates:
        if isinstance(gate, FixedGate):
            made.append(fixed(gate.name, gate.qubits, n))
        else:
            turn = next(angle) if isinstance(gate, EncodingGate) else theta[gate.parameter]
            made.append(rotation(gate.name, gate.qubits, turn, n))
    return made


def value(circuit: Circuit, x: np.ndarray, theta: np.ndarray) -> np.ndarray:
    """Expectations of all observables at one point, (outputs,)."""
    state = np.zeros(2**circuit.qubits, dtype=complex)
    state[0] = 1
    for unitary in unitaries(circuit, x, theta):
        state = unitary @ state
    return np.array([
        (state.conj() @ observable(o.to_dict(), circuit.qubits) @ state).real for o in circuit.observables
    ])  # fmt: skip


def random_circuit(seed: int, qubits: int, gates: int = 25, features: int = 3, outputs: int = 2) -> Circuit:
    """A circuit with gates of all kinds in any order, and random Pauli sums."""
    rng = np.random.default_rng(seed)
    turns, plain = ["RX", "RY", "RZ"], list(SINGLE)
    if qubits > 1:
        turns, plain = [*turns, "RXX", "RYY", "RZZ"], [*plain, "CZ", "CNOT", "SWAP"]
    made: list[EncodingGate | TrainableGate | FixedGate] = []
    for _ in range(gates):
        kind = rng.integers(3)
        name = str(rng.choice(turns if kind < 2 else plain))
        size = 2 if name in {"RXX", "RYY", "RZZ", "CZ", "CNOT", "SWAP"} else 1
        where = tuple(int(q) for q in rng.choice(qubits, size, replace=False))
        if kind == 0:
            scale, offset = float(rng.choice([1.0, -0.5, 2.0])), float(rng.choice([0.0, 0.3]))
            transform = str(rng.choice(["identity", "identity", "arccos"]))
            made.append(EncodingGate(name, where, int(rng.integers(features)), scale, offset, transform))
        elif kind == 1:
            made.append(TrainableGate(name, where, int(rng.integers(gates // 2))))
        else:
            made.append(FixedGate(name, where))
    sums = []
    for _ in range(outputs):
        terms = {}
        for _ in range(3):
            letters = [str(rng.choice(list("IXYZ"))) for _ in range(qubits)]
            terms[" ".join(f"{p}{q}" for q, p in enumerate(letters) if p != "I")] = float(rng.normal())
        sums.append(PauliSum(terms))
    return Circuit(qubits, features, made, sums)


def layered(n: int, layers: int, reuse: bool = True) -> Circuit:
    """L x [RX(x_q) RY RZ each q; CZ ring], Z0: the circuit of the light-cone table."""
    made: list[EncodingGate | TrainableGate | FixedGate] = []
    number = itertools.count()
    for layer in range(layers):
        for q in range(n):
            if reuse or layer == 0:
                made.append(EncodingGate("RX", (q,), q))
            made += [TrainableGate("RY", (q,), next(number)), TrainableGate("RZ", (q,), next(number))]
        made += [FixedGate("CZ", (q, (q + 1) % n)) for q in range(n if n > 2 else n - 1)]
    return Circuit(n, n, made, [{"Z0": 1.0}])


def circuit_a() -> Circuit:
    return Circuit(2, 2, [EncodingGate("RX", (0,), 0), EncodingGate("RX", (1,), 1)], [{"Z0 Z1": 1.0}])


def circuit_b() -> Circuit:
    made: list[EncodingGate | TrainableGate | FixedGate] = []
    number = itertools.count()
    for q in range(4):
        made += [TrainableGate("RX", (q,), next(number)), EncodingGate("RY", (q,), q)]
    for _ in range(2):
        for q in range(4):
            made += [TrainableGate("RY", (q,), next(number)), TrainableGate("RZ", (q,), next(number))]
        made += [FixedGate("CZ", (q, (q + 1) % 4)) for q in range(4)]
    made += [TrainableGate("RY", (q,), next(number)) for q in range(4)]
    return Circuit(4, 4, made, [{"Z0 Z1": 1.0, "X2": 0.5, "": 0.1}])


def circuit_c() -> Circuit:
    made: list[EncodingGate | TrainableGate | FixedGate] = []
    number = itertools.count()
    for _ in range(2):
        for q, scale in enumerate((1.0, 0.5)):
            made += [EncodingGate("RX", (q,), q, scale), TrainableGate("RY", (q,), next(number)),
                     TrainableGate("RZ", (q,), next(number))]  # fmt: skip
        made.append(FixedGate("CZ", (0, 1)))
    made += [TrainableGate("RY", (q,), next(number)) for q in range(2)]
    return Circuit(2, 2, made, [{"Z0": 1.0, "X0 X1": 0.5}])


def shapley_of(game: Callable[[tuple[int, ...]], float], players: int) -> np.ndarray:
    """Shapley values by their definition, over all coalitions."""
    total = np.zeros(players)
    for size in range(players):
        for rest in itertools.combinations(range(players), size):
            weight = math.factorial(size) * math.factorial(players - size - 1) / math.factorial(players)
            for i in set(range(players)) - set(rest):
                total[i] += weight * (game(tuple(sorted((*rest, i)))) - game(rest))
    return total


@pytest.fixture(scope="session")
def dense() -> SimpleNamespace:
    """The functions above."""
    return SimpleNamespace(
        value=value, unitaries=unitaries, observable=observable, angles=angles_of, rotation=rotation, word=word,
        random=random_circuit, layered=layered, a=circuit_a, b=circuit_b, c=circuit_c, shapley=shapley_of,
        theta=lambda circuit: 0.3 * (np.arange(circuit.parameters) + 1.0),
    )  # fmt: skip
