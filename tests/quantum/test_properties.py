"""Explanations of circuits that nobody chose: random gates, scales, uploads and Pauli sums, against brute force."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from influence.quantum import harmonics, qlrp, shapley, taylor_infinity, taylor_orders
from sciml.quantum import Circuit, EncodingGate, FixedGate, QuantumNetwork, TrainableGate, light_cone

TOLERANCE = 1e-11
SEEDS = st.integers(0, 2**20)
TURNS, PAIRS = ["RX", "RY", "RZ"], ["RXX", "RYY", "RZZ"]
PLAIN, TWO = ["H", "X", "Y", "Z", "S", "T"], ["CZ", "CNOT", "SWAP"]


def gap(values: Any, truth: Any) -> float:
    return float(np.abs(np.asarray(values) - np.asarray(truth)).max(initial=0.0))


def gate(rng: np.random.Generator, qubits: list[int], features: int, scales: list[float]) -> Any:
    """A random gate on some of these qubits; no data where `features` is 0."""
    pair = len(qubits) > 1 and rng.random() < 0.4
    where = tuple(int(q) for q in rng.choice(qubits, 2 if pair else 1, replace=False))
    kind = rng.random()
    if kind < 0.4 and features:
        name = str(rng.choice(PAIRS if pair else TURNS))
        return EncodingGate(name, where, int(rng.integers(features)), float(rng.choice(scales)), float(rng.normal()))
    if kind < 0.75:
        return TrainableGate(str(rng.choice(PAIRS if pair else TURNS)), where, int(rng.integers(5)))
    return FixedGate(str(rng.choice(TWO if pair else PLAIN)), where)


def sums(rng: np.random.Generator, qubits: int) -> dict[str, float]:
    """A random Pauli sum with one to four strings, the identity among them at times."""
    terms = {}
    for _ in range(rng.integers(1, 5)):
        letters = rng.choice(list("IXYZ"), qubits)
        terms[" ".join(f"{p}{q}" for q, p in enumerate(letters) if p != "I")] = float(rng.normal())
    return terms


def uploads(seed: int, scales: list[float], most: int = 6) -> tuple[QuantumNetwork, torch.Tensor]:
    """Gates of all kinds in any order, features shared and uploaded again, and one point."""
    rng = np.random.default_rng(seed)
    qubits, features = int(rng.integers(1, 4)), int(rng.integers(1, 4))
    gates = [gate(rng, list(range(qubits)), features, scales) for _ in range(rng.integers(3, 22))]
    data = [k for k, g in enumerate(gates) if isinstance(g, EncodingGate)]
    gates = [g for k, g in enumerate(gates) if k not in data[most:]]
    network = QuantumNetwork(Circuit(qubits, features, gates, [sums(rng, qubits)]), "affine", seed=seed)
    with torch.no_grad():
        network.gain.fill_(float(rng.normal()))
        network.shift.fill_(float(rng.normal()))
    return network, torch.tensor(rng.uniform(-3, 3, (1, features)))


def output(dense: SimpleNamespace, network: QuantumNetwork, z: Any) -> float:
    value = dense.value(network.circuit, np.asarray(z), network.angles.detach().numpy())[0]
    return float(network.gain.item() * value + network.shift.item())


def by_points(dense: SimpleNamespace, network: QuantumNetwork, x: torch.Tensor, r: np.ndarray) -> np.ndarray:
    def game(known: tuple[int, ...]) -> float:
        return output(dense, network, [x[0, j] if j in known else r[j] for j in range(len(r))])

    return np.asarray(dense.shapley(game, len(r)))


@settings(max_examples=18, deadline=None, derandomize=True)
@given(seed=SEEDS)
def test_point_references(dense: SimpleNamespace, seed: int) -> None:
    network, x = uploads(seed, [1.0, -2.0, 0.37, 1.5])
    r = np.random.default_rng(seed + 1).uniform(-3, 3, x.shape[1])
    truth = by_points(dense, network, x, r)
    drop = output(dense, network, x[0]) - output(dense, network, r)
    support = taylor_infinity(network, x, r)
    assert gap(support.values[0], truth) < TOLERANCE
    assert gap(shapley(network, x, r, route="coalitions").values[0], truth) < TOLERANCE
    assert gap(shapley(network, x, r, route="angles").values[0], truth) < TOLERANCE
    pure = [output(dense, network, np.where(np.arange(len(r)) == j, x[0], r)) - output(dense, network, r)
            for j in range(len(r))]  # fmt: skip
    assert gap(taylor_infinity(network, x, r, split="none").values[0], pure) < TOLERANCE
    degree = taylor_infinity(network, x, r, split="degree")
    assert gap(degree.values.sum(), drop) < TOLERANCE
    assert gap(support.values.sum(), drop) < TOLERANCE
    # closed form of the degree split from the Fourier coefficients
    found, step = harmonics(network), x[0].numpy() - r
    frequency, coefficient = found.frequencies.numpy(), found.coefficients.numpy()
    phase = frequency @ step
    mean = np.where(np.abs(phase) < 1e-6, 1 + 0.5j * phase, np.expm1(1j * phase) / np.where(phase == 0, 1, 1j * phase))
    wave = coefficient * np.exp(1j * frequency @ r)
    assert gap(degree.values[0], ((wave * mean)[:, None] * 1j * frequency * step).sum(axis=0).real) < 1e-9
    outside = list(light_cone(network.circuit).features_outside)
    assert gap(support.values[0, outside], 0) < TOLERANCE
    assert gap(truth[outside], 0) < TOLERANCE


@settings(max_examples=15, deadline=None, derandomize=True)
@given(seed=SEEDS)
def test_uniform_reference(dense: SimpleNamespace, seed: int) -> None:
    network, x = uploads(seed, [1.0, -1.0], most=4)
    features = x.shape[1]
    grid = np.arange(6) * 2 * np.pi / 6 + 0.1  # exact for degrees below 6

    def game(known: tuple[int, ...]) -> float:
        axes = [[float(x[0, j])] if j in known else grid for j in range(features)]
        every = torch.tensor(list(itertools.product(*axes)), dtype=torch.float64)
        return float(network(every).detach().mean())

    result = taylor_infinity(network, x, reference="uniform")
    assert gap(result.reference_output, game(())) < TOLERANCE
    assert gap(result.values[0], dense.shapley(game, features)) < TOLERANCE


@settings(max_examples=20, deadline=None, derandomize=True)
@given(seed=SEEDS, dephased=st.booleans())
def test_gate_rules(dense: SimpleNamespace, seed: int, dephased: bool) -> None:
    network, x = uploads(seed, [1.0, -2.0, 0.37], most=5)
    circuit, theta = network.circuit, network.angles.detach().numpy()
    r = np.random.default_rng(seed + 1).uniform(-3, 3, x.shape[1])
    players = [k for k, g in enumerate(circuit.gates) if isinstance(g, EncodingGate)]
    now, then = (dense.unitaries(circuit, z, theta) for z in (x[0].numpy(), r))
    observable = dense.observable(circuit.observables[0].to_dict(), circuit.qubits)

    def game(known: tuple[int, ...]) -> float:
        state = np.zeros((2**circuit.qubits,) * 2, dtype=complex)
        state[0, 0] = 1
        for k, unitary in enumerate(now):
            kraus = [unitary]
            if k in players and players.index(k) not in known:
                absent: Any = circuit.gates[k]
                word = dense.word(dict(zip(absent.qubits, absent.name[1:], strict=True)), circuit.qubits)
                kraus = [np.eye(len(state)), word] if dephased else [then[k]]
            state = sum(u @ state @ u.conj().T for u in kraus) / len(kraus)
        return float(network.gain.item() * np.trace(state @ observable).real + network.shift.item())

    options: dict[str, Any] = {"rule": "gate", "reference": r, "gate_reference": "dephased" if dephased else "angle"}
    mixed = qlrp(network, x, **options)
    assert gap(mixed.values[0], dense.shapley(game, len(players))) < TOLERANCE
    assert gap(mixed.reference_output, game(())) < TOLERANCE
    for rule in ("telescoping", "telescoping_reversed", "telescoping_mean"):
        assert gap(qlrp(network, x, gate_rule=rule, **options).conservation_gap, 0) < TOLERANCE
    every = qlrp(network, x, gates="all", **options)
    assert gap(every.conservation_gap, 0) < TOLERANCE


def blocks_first(seed: int) -> tuple[QuantumNetwork, torch.Tensor, list[list[int]], int]:
    """Random gates within random blocks of qubits that carry data, then random gates without data."""
    rng = np.random.default_rng(seed)
    qubits = int(rng.integers(2, 5))
    order = rng.permutation(qubits).tolist()
    cuts = sorted(rng.choice(np.arange(1, qubits), int(rng.integers(0, min(qubits, 3))), replace=False).tolist())
    blocks = [order[a:b] for a, b in itertools.pairwise([0, *cuts, qubits])]
    gates: list[Any] = []
    for number, block in enumerate(blocks):
        own = [gate(rng, block, 0, []) for _ in range(rng.integers(0, 4))]
        for feature in (2 * number, 2 * number + 1):  # two features meet on the first qubit: one block, one player
            own.append(EncodingGate(str(rng.choice(TURNS)), (block[0],), feature, float(rng.choice([1.0, 0.4]))))
            own += [gate(rng, block, 0, []) for _ in range(rng.integers(0, 3))]
        own += [EncodingGate("RXX", (block[k], block[k + 1]), 2 * number, -1.3) for k in range(len(block) - 1)]
        gates += own
    cut = len(gates)
    gates += [gate(rng, order, 0, []) for _ in range(rng.integers(4, 14))]
    circuit = Circuit(qubits, 2 * len(blocks), gates, [sums(rng, qubits)])
    return QuantumNetwork(circuit, seed=seed), torch.tensor(rng.uniform(-3, 3, (1, circuit.features))), blocks, cut


@settings(max_examples=15, deadline=None, derandomize=True)
@given(seed=SEEDS)
def test_erasure_and_rule_e(dense: SimpleNamespace, seed: int) -> None:
    network, x, blocks, cut = blocks_first(seed)
    circuit, n = network.circuit, network.circuit.qubits
    unitaries = dense.unitaries(circuit, x[0].numpy(), network.angles.detach().numpy())
    observable = dense.observable(circuit.observables[0].to_dict(), n)

    def game(known: tuple[int, ...]) -> float:
        state = np.zeros((2**n, 2**n), dtype=complex)
        state[0, 0] = 1
        for unitary in unitaries[:cut]:
            state = unitary @ state @ unitary.conj().T
        for k, block in enumerate(blocks):
            if k not in known:
                words = [
                    dense.word(dict(zip(block, w, strict=True)), n)
                    for w in itertools.product("IXYZ", repeat=len(block))
                ]
                state = sum(w @ state @ w for w in words) / len(words)
        for unitary in unitaries[cut:]:
            state = unitary @ state @ unitary.conj().T
        return float(np.trace(state @ observable).real)

    result = qlrp(network, x)
    assert result.players == tuple(f"x{2 * k}+x{2 * k + 1}" for k in range(len(blocks)))
    assert gap(result.values[0], dense.shapley(game, len(blocks))) < TOLERANCE
    assert gap(result.reference_output, game(())) < TOLERANCE
    r = np.random.default_rng(seed + 1).uniform(-3, 3, circuit.features)
    assert (
        gap(shapley(network, x, r, route="nodes").values, shapley(network, x, r, route="coalitions").values) < TOLERANCE
    )


@settings(max_examples=15, deadline=None, derandomize=True)
@given(seed=SEEDS)
def test_harmonics_and_orders(dense: SimpleNamespace, seed: int) -> None:
    network, x = uploads(seed, [0.6, 1.2, -0.6], most=5)
    found = harmonics(network)
    for z in np.random.default_rng(seed).uniform(-9, 9, (3, x.shape[1])):
        assert gap(found(z[None])[0], output(dense, network, z)) < TOLERANCE
    assert gap(harmonics(network, route="angles")(x), harmonics(network, route="rescaled")(x)) < TOLERANCE
    near = x / x.norm()
    orders = taylor_orders(network, near, order=40)
    assert gap(orders.terms[0, 0], output(dense, network, np.zeros(x.shape[1]))) < TOLERANCE
    assert gap(orders.remainder[0, -1], 0) < 1e-9
    for order in (1, 3):
        shared = taylor_infinity(network, near, order=order).values.sum()
        assert gap(shared, orders.terms[0, 1 : order + 1].sum()) < TOLERANCE
