"""Explanations against brute force on random circuits: all references, rules, players, and their laws."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from influence.quantum import pauli_relevance, qlrp, shapley, taylor_infinity
from sciml.errors import ConvergenceError, SolverError
from sciml.quantum import Circuit, EncodingGate, FixedGate, QuantumNetwork, TrainableGate, encoding_first, reuploading
from sciml.quantum.transfer import gate_transfer

TOLERANCE = 1e-12


def gap(values: Any, truth: Any) -> float:
    return float(np.abs(np.asarray(values) - np.asarray(truth)).max())


def points(circuit: Circuit, seed: int, batch: int = 2) -> Tensor:
    return torch.tensor(np.random.default_rng(seed).uniform(-0.9, 0.9, (batch, circuit.features)))


def encoded(seed: int) -> Circuit:
    """Encoding first with a joint block, a feature on two qubits, a free qubit, and gates listed late."""
    rng = np.random.default_rng(seed)
    number = itertools.count()
    gates: list[Any] = [
        TrainableGate("RX", (0,), next(number)), EncodingGate("RY", (0,), 0, 2.0), EncodingGate("RXX", (0, 1), 1),
        FixedGate("CZ", (0, 1)), EncodingGate("RZ", (1,), 1, -1.0, 0.4), FixedGate("H", (2,)),
        TrainableGate("RYY", (2, 4), next(number)), EncodingGate("RY", (2,), 2), EncodingGate("RZ", (4,), 2),
    ]  # fmt: skip
    late = EncodingGate("RX", (5,), 3, 1.0, 0.2)
    for _ in range(2):
        for q in range(5):
            gates += [TrainableGate(f"R{rng.choice(list('XYZ'))}", (q,), next(number)) for _ in range(2)]
        gates += [FixedGate("CNOT", (q, (q + 1) % 5)) for q in range(5)]
    gates += [late, FixedGate("CNOT", (5, 0)), TrainableGate("RXX", (5, 3), next(number))]
    terms = {"Z0 X1": 1.0, "Y3": -0.4, "X0 Z2 Y5": 0.7, "": 0.3}
    return Circuit(6, 5, gates, [terms])


class Mixed:
    """Brute force with density matrices: expectation after unitaries, with channels between gates."""

    def __init__(self, dense: SimpleNamespace, network: QuantumNetwork, x: np.ndarray) -> None:
        self.dense, self.network, self.x = dense, network, x
        self.n = network.circuit.qubits
        self.theta = network.angles.detach().numpy()
        self.unitaries = dense.unitaries(network.circuit, x, self.theta)

    def value(self, unitaries: list, channels: dict[int, list[np.ndarray]]) -> float:
        """`channels`: position -> Kraus operators of equal weight that replace the gate there."""
        rho = np.zeros((2**self.n, 2**self.n), dtype=complex)
        rho[0, 0] = 1
        for position, unitary in enumerate(unitaries):
            kraus = channels.get(position, [unitary])
            rho = sum(k @ rho @ k.conj().T for k in kraus) / len(kraus)
        observable = self.network.circuit.observables[0].to_dict()
        return float(np.trace(rho @ self.dense.observable(observable, self.n)).real)


def network_of(circuit: Circuit, seed: int) -> QuantumNetwork:
    return QuantumNetwork(circuit, seed=seed)


@pytest.mark.parametrize("seed", range(6))
def test_point_reference_on_any_circuit(dense: SimpleNamespace, seed: int) -> None:
    circuit = dense.random(seed, qubits=3, gates=20)
    network, x = network_of(circuit, seed), points(circuit, seed)
    reference = points(circuit, seed + 50)
    theta = network.angles.detach().numpy()
    result = shapley(network, x, reference, output=1)
    for row in range(2):

        def game(known: tuple[int, ...], row: int = row) -> float:
            mixed = np.array([x[row, j] if j in known else reference[row, j] for j in range(3)])
            return float(dense.value(circuit, mixed, theta)[1])

        assert gap(result.values[row], dense.shapley(game, 3)) < TOLERANCE
    assert float(result.conservation_gap.abs().max()) < TOLERANCE
    assert torch.allclose(result.values, shapley(network, x, reference, 1, route="coalitions").values, atol=1e-13)


@pytest.mark.parametrize("seed", range(2))
def test_blocks_against_density_matrices(dense: SimpleNamespace, seed: int) -> None:
    circuit = encoded(seed)
    network, x = network_of(circuit, seed), points(circuit, seed, 1)
    brute = Mixed(dense, network, x[0].numpy())
    cut = max(p for p, before in enumerate(circuit.past_of_encoding()) if before)
    order = sorted(range(len(circuit.gates)), key=lambda p: not circuit.past_of_encoding()[p])
    unitaries = [brute.unitaries[p] for p in order]
    cut = sum(circuit.past_of_encoding())
    blocks = [(0, 1), (2, 4), (5,)]

    def erased(known: tuple[int, ...]) -> float:
        channels, chain = {}, unitaries[:cut]
        for k, block in enumerate(blocks):
            if k not in known:
                words = itertools.product("IXYZ", repeat=len(block))
                channels[len(chain)] = [dense.word(dict(zip(block, w, strict=True)), 6) for w in words]
                chain = [*chain, np.eye(64)]
        return brute.value([*chain, *unitaries[cut:]], channels)

    truth = dense.shapley(erased, 3)
    result = qlrp(network, x)
    assert result.players == ("x0+x1", "x2", "x3", "x4")
    assert gap(result.values[0], [*truth, 0.0]) < TOLERANCE
    assert gap(result.reference_output, erased(())) < TOLERANCE
    assert gap(result.values, taylor_infinity(network, x, reference="erasure").values) < TOLERANCE
    for route in ("nodes", "coalitions"):
        assert gap(shapley(network, x, route=route).values, shapley(network, x, route="angles").values) < TOLERANCE


@pytest.mark.parametrize("circuit", [encoding_first(2, 3, layers=1, axis="YX", scales=[1, 2, 1]),
                                     reuploading(2, 2, layers=2, scales=[1.0, 2.0], axis="XY")])  # fmt: skip
def test_uniform_reference_is_a_mean(dense: SimpleNamespace, circuit: Circuit) -> None:
    network, x = network_of(circuit, 3), points(circuit, 3, 1)
    theta, count = network.angles.detach().numpy(), 5

    def game(known: tuple[int, ...]) -> float:
        grid = np.arange(count) * 2 * np.pi / count
        axes = [[float(x[0, j])] if j in known else grid for j in range(circuit.features)]
        return float(np.mean([dense.value(circuit, np.array(z), theta)[0] for z in itertools.product(*axes)]))

    for route in ("auto", "dft", "angles"):
        result = taylor_infinity(network, x, reference="uniform", route=route)
        assert gap(result.values[0], dense.shapley(game, circuit.features)) < TOLERANCE
        assert gap(result.reference_output, game(())) < TOLERANCE


@pytest.mark.parametrize("reference", ["angle", "dephased"])
@pytest.mark.parametrize("gates", ["encoding", "all"])
def test_gate_rules_by_coalitions_of_gates(dense: SimpleNamespace, reference: str, gates: str) -> None:
    made = [EncodingGate("RX", (0,), 0, 1.3, 0.2), TrainableGate("RZZ", (0, 1), 0), EncodingGate("RYY", (1, 0), 1),
            FixedGate("CNOT", (0, 1)), EncodingGate("RZ", (1,), 0), TrainableGate("RX", (1,), 1),
            FixedGate("H", (0,))]  # fmt: skip
    circuit = Circuit(2, 2, made, [{"Z0 Z1": 1.0, "X1": 0.5, "": 0.2}])
    network, x = network_of(circuit, 2), points(circuit, 2, 1)
    r = points(circuit, 9, 1)
    brute = Mixed(dense, network, x[0].numpy())
    other = dense.unitaries(circuit, r[0].numpy(), brute.theta)
    kinds = (EncodingGate, TrainableGate) if gates == "all" else EncodingGate
    players = [p for p, gate in enumerate(made) if isinstance(gate, kinds)]

    def game(known: tuple[int, ...]) -> float:
        channels = {}
        for k, p in enumerate(players):
            if k not in known:
                gate: Any = made[p]
                word = dense.word(dict(zip(gate.qubits, gate.name[1:], strict=True)), 2)
                absent = [np.eye(4)] if isinstance(gate, TrainableGate) else [other[p]]
                dephased = reference == "dephased" and isinstance(gate, EncodingGate)
                channels[p] = [np.eye(4), word] if dephased else absent
        return brute.value(brute.unitaries, channels)

    options: dict[str, Any] = {"rule": "gate", "gate_reference": reference, "gates": gates, "reference": r}
    mixed = qlrp(network, x, **options)
    assert gap(mixed.values[0], dense.shapley(game, len(players))) < TOLERANCE
    assert gap(mixed.reference_output, game(())) < TOLERANCE
    count = range(len(players))
    forward = [game(tuple(range(k + 1))) - game(tuple(range(k))) for k in count]
    backward = [game(tuple(range(k, len(players)))) - game(tuple(range(k + 1, len(players)))) for k in count]
    assert gap(qlrp(network, x, gate_rule="telescoping", **options).values[0], forward) < TOLERANCE
    assert gap(qlrp(network, x, gate_rule="telescoping_reversed", **options).values[0], backward) < TOLERANCE
    mean = qlrp(network, x, gate_rule="telescoping_mean", **options)
    assert gap(mean.values[0], (np.array(forward) + backward) / 2) < TOLERANCE
    assert float(mean.conservation_gap.abs().max()) < TOLERANCE
    by_qubit = qlrp(network, x, reduce="qubit", **options)
    share = [np.isin([0, 1], made[p].qubits) / len(made[p].qubits) for p in players]
    assert gap(by_qubit.values[0], mixed.values[0].numpy() @ np.array(share)) < TOLERANCE
    if gates == "encoding":
        by_feature = qlrp(network, x, reduce="feature", **options)
        assert gap(by_feature.values[0], [mixed.values[0, [0, 2]].sum(), mixed.values[0, 1]]) < TOLERANCE
        assert "summed" in by_feature.method


def test_rule_u_is_the_recursion(dense: SimpleNamespace) -> None:
    number = itertools.count()
    turns = [TrainableGate(name, (q,), next(number)) for q in range(2) for name in ("RX", "RY", "RZ")]
    pairs = [TrainableGate(name, (0, 1), next(number)) for name in ("RXX", "RYY", "RZZ")]
    data = [EncodingGate("RX", (0,), 0), EncodingGate("RY", (1,), 1)]
    gates = [*turns, *pairs, data[0], *pairs, FixedGate("CNOT", (1, 0)), data[1], *turns, FixedGate("T", (0,))]
    network = network_of(Circuit(2, 2, gates, [{"Z0": 1.0, "X1": 0.4, "": 0.2}]), 1)
    x = points(network.circuit, 1, 1)
    exact = network(x).item()
    words = [dense.word({0: a, 1: b}, 2) for a in "IXYZ" for b in "IXYZ"]
    rho = np.zeros((4, 4), dtype=complex)
    rho[0, 0] = 1
    relevance, checked = pauli_relevance(network, x, 0)[0].numpy(), 0
    assert abs(relevance.sum() - exact) < TOLERANCE
    for k, unitary in enumerate(dense.unitaries(network.circuit, x[0].numpy(), network.angles.detach().numpy())):
        before = np.array([np.trace(w @ rho).real / 2 for w in words])
        rho = unitary @ rho @ unitary.conj().T
        after = np.array([np.trace(w @ rho).real / 2 for w in words])
        later = pauli_relevance(network, x, k + 1)[0].numpy()
        assert abs(later.sum() - exact) < TOLERANCE
        if np.abs(after).min() > 1e-3:
            transfer = np.array([[np.trace(q @ unitary @ p @ unitary.conj().T).real / 4 for p in words] for q in words])
            assert gap(before * (transfer.T @ (later / after)), relevance) < TOLERANCE
            checked += 1
        relevance = later
    assert checked > 8


def test_degree_split_and_truncation() -> None:
    circuit = reuploading(2, 3, layers=2, scales=[1.0, 0.7, 2.0], assignment=(0, 1))
    circuit = Circuit(2, 3, [*circuit.gates, EncodingGate("RYY", (0, 1), 2, 1.5, 0.3)], [{"Z0": 1.0, "X1": 0.5}])
    network, x = network_of(circuit, 4), points(circuit, 4, 3)
    r = points(circuit, 5, 3)
    exact = taylor_infinity(network, x, r, split="degree")
    assert float(exact.conservation_gap.abs().max()) < TOLERANCE
    black_box = taylor_infinity(lambda z: network(z), x, r, split="degree")
    assert gap(exact.values, black_box.values) < TOLERANCE
    for split in ("support", "degree", "none"):
        full, long = (taylor_infinity(network, x, r, split=split, order=k) for k in (None, 26))
        assert gap(full.values, long.values) < 1e-10
    where = r.clone().requires_grad_()
    (slope,) = torch.autograd.grad(network(where).sum(), where)
    for split in ("support", "degree", "none"):
        first = taylor_infinity(network, x, r, split=split, order=1)
        assert gap(first.values, slope * (x - r)) < TOLERANCE
    # second order by hand: the mixed term is halved, the square belongs to its feature
    hessian = torch.func.hessian(lambda z: network(z[None])[0, 0])(r[0]).detach()
    step = (x - r)[0]
    second = step * slope[0] + 0.5 * step * (hessian @ step)
    assert gap(taylor_infinity(network, x, r, split="degree", order=2).values[0], second) < 1e-11
    assert gap(taylor_infinity(network, x, r, order=2).values[0], second) < 1e-11


def test_laws() -> None:
    circuit = reuploading(3, layers=2, observables=[{"Z0": 1.0}, {"X1 Z2": 0.5}, {"Z0": 2.0, "X1 Z2": -0.5, "": 3.0}])
    network = network_of(circuit, 0)
    x = points(circuit, 0, 3)
    explainers: list[Any] = [
        shapley,
        lambda m, z, output: taylor_infinity(m, z, split="degree", output=output),
        lambda m, z, output: taylor_infinity(m, z, reference="uniform", output=output),
        lambda m, z, output: qlrp(m, z, rule="gate", output=output),
    ]
    for explain in explainers:
        first, second, both = (explain(network, x, output=k).values for k in range(3))
        assert gap(both, 2 * first - second) < TOLERANCE
        together = explain(network, x, output=2)
        alone = torch.cat([explain(network, row[None], output=2).values for row in x])
        assert gap(together.values, alone) < TOLERANCE
        assert float(together.conservation_gap.abs().max()) < TOLERANCE
    assert not bool(shapley(network, x, x).values.any())
    assert not bool(taylor_infinity(network, x, x, split="degree").values.any())


def test_scaling_and_permutation_of_features() -> None:
    plain = reuploading(3, layers=2)
    network, x = network_of(plain, 0), points(plain, 0)
    permutation, factor = [2, 0, 1], torch.tensor([2.0, 0.5, -3.0], dtype=torch.float64)
    gates = [
        EncodingGate(g.name, g.qubits, permutation[g.feature], float(1 / factor[g.feature]))
        if isinstance(g, EncodingGate) else g for g in plain.gates
    ]  # fmt: skip
    moved = QuantumNetwork(Circuit(3, 3, gates, plain.observables), parameters=network.angles)
    y = torch.zeros_like(x)
    y[:, permutation] = x * factor
    for options in ({}, {"split": "degree"}, {"reference": "uniform"}, {"order": 3}):
        a, b = taylor_infinity(network, x, **options), taylor_infinity(moved, y, **options)  # type: ignore[arg-type]
        assert gap(a.values, b.values[:, permutation]) < TOLERANCE


def test_one_gate_per_feature_and_dead_features(dense: SimpleNamespace) -> None:
    circuit = dense.layered(4, 2, reuse=False)
    network, x = network_of(circuit, 0), points(circuit, 0)
    by_gate = qlrp(network, x, rule="gate").values
    by_feature = shapley(network, x)
    assert gap(by_gate, by_feature.values) < TOLERANCE
    assert not bool(by_feature.values[:, 2].any())
    assert not bool(taylor_infinity(network, x, reference="uniform").values[:, 2].any())
    assert float(by_feature.values[:, 0].abs().min()) > 1e-3


def test_readout_and_arccos() -> None:
    gates = [EncodingGate("RX", (0,), 0, 2.0, transform="arccos"), TrainableGate("RY", (0,), 0),
             EncodingGate("RZ", (0,), 1), TrainableGate("RY", (0,), 1)]  # fmt: skip
    network = QuantumNetwork(Circuit(1, 2, gates, [{"Z0": 1.0}]), "affine", seed=1)
    with torch.no_grad():
        network.gain.fill_(-3.0)
        network.shift.fill_(10.0)
    x = torch.tensor([[0.4, 0.8]], dtype=torch.float64)
    for options in ({}, {"split": "degree"}, {"reference": "uniform"}, {"order": 25}):
        result = taylor_infinity(network, x, **options)  # type: ignore[arg-type]
        assert gap(result.output, network(x).detach()) < TOLERANCE
        assert float(result.conservation_gap.abs().max()) < 1e-11
    assert gap(shapley(network, x).values, shapley(network, x, route="angles").values) < TOLERANCE


def test_root(dense: SimpleNamespace) -> None:
    network = network_of(dense.a(), 0)
    x = points(network.circuit, 0, 5)
    result = taylor_infinity(network, x, reference="root")
    assert float(result.reference_output.abs().max()) < 1e-12
    assert gap(result.values.sum(dim=1), result.output) < 1e-11
    given = taylor_infinity(
        network, x, reference="root", candidates=torch.tensor([[2.5, 2.0], [-2.0, 1.0], [0.0, 3.0]])
    )
    assert float(given.reference_output.abs().max()) < 1e-12
    positive = QuantumNetwork(Circuit(1, 1, [EncodingGate("RX", (0,), 0)], [{"Z0": 1.0, "": 2.0}]))
    with pytest.raises(ConvergenceError, match="other sign"):
        taylor_infinity(positive, torch.ones(1, 1), reference="root")


def test_single_precision_network_is_explained_in_double() -> None:
    long = network_of(reuploading(2, layers=2), 0)
    short = QuantumNetwork(long.circuit, parameters=long.angles, dtype=torch.float32)
    x = points(long.circuit, 0)
    assert gap(shapley(long, x).values, shapley(short, x).values) < 2e-5


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m, x: taylor_infinity(m, x, split="half"), "split support, degree, none"),
        (lambda m, x: taylor_infinity(m, x, reference="zero"), "root, erasure, uniform"),
        (lambda m, x: taylor_infinity(m, x, reference=[0.0, 1.0, 2.0]), "2 columns"),
        (lambda m, x: taylor_infinity(m, x, reference="uniform", split="degree"), "both splits coincide"),
        (lambda m, x: taylor_infinity(m, x, reference="uniform", order=2), "order=2"),
        (lambda m, x: taylor_infinity(m, x, order=0), "whole number >= 1"),
        (lambda m, x: taylor_infinity(m, x, reference="erasure"), r"gate \d+: CZ.*\n.*rule=\"gate\""),
        (lambda m, x: qlrp(m, x), r"gate \d+: CZ"),
        (lambda m, x: qlrp(m, x, rule="layer"), "encoding, gate"),
        (lambda m, x: qlrp(m, x, rule="gate", reference="uniform"), "dephased"),
        (lambda m, x: qlrp(m, x, rule="gate", gates="all", reduce="feature"), "by feature"),
        (lambda m, x: qlrp(lambda z: z, x), "a QuantumNetwork for QLRP"),
        (lambda m, x: shapley(lambda z: z, x, "erasure"), "a QuantumNetwork"),
        (lambda m, x: shapley(m, x[0]), "x\\[None\\]"),
        (lambda m, x: shapley(m, x, output=1), "an output 0"),
        (lambda m, x: shapley(m, x, route="fast"), "a route auto"),
        (lambda m, x: shapley(m, x, route="dft"), "integer scales"),
        (lambda m, x: shapley(lambda z: z[:, None, :], x), "a model from"),
        (lambda m, x: pauli_relevance(m, x, 99), "a position"),
    ],
)
def test_refused(call: Any, message: str) -> None:
    network = network_of(reuploading(2, layers=2, scales=[0.5, 1.0]), 0)
    with pytest.raises(SolverError, match=message):
        call(network, torch.zeros(1, 2))


def test_too_large_for_exact_routes() -> None:
    wide = network_of(encoding_first(11, layers=1), 0)
    with pytest.raises(SolverError, match=r"at most 10 qubits.*(\n.*)*GiB.*(\n.*)*shapley_shots"):
        taylor_infinity(wide, torch.zeros(1, 11), reference="erasure")
    gates: list[Any] = []
    for j in range(30):
        gates += [EncodingGate("RX", (j % 2,), j), FixedGate("CZ", (0, 1)), TrainableGate("RY", (0,), j)]
    large = network_of(Circuit(2, 30, gates, [{"Z0": 1.0}]), 0)
    with pytest.raises(SolverError, match="sampled_shapley"):
        shapley(large, torch.ones(1, 30))


def test_many_features_in_one_block() -> None:
    gates = [EncodingGate(f"R{'XYZ'[j % 3]}", (0,), j) for j in range(11)]
    network = network_of(Circuit(2, 11, [*gates, FixedGate("CZ", (0, 1))], [{"X0": 1.0}]), 0)
    x = points(network.circuit, 0)
    a, b = shapley(network, x, route="nodes"), shapley(network, x, route="coalitions")
    assert gap(a.values, b.values) < TOLERANCE


def test_gates_of_transfer_are_orthogonal() -> None:
    angle = torch.tensor([0.3, 1.2], dtype=torch.float64)
    for name in ("RX", "RYY", "RZZ"):
        where = (0,) if len(name) == 2 else (0, 1)
        matrix = gate_transfer(TrainableGate(name, where, 0), torch.cos(angle), torch.sin(angle))
        assert torch.allclose(matrix @ matrix.transpose(1, 2), torch.eye(matrix.shape[-1]).double(), atol=1e-14)
