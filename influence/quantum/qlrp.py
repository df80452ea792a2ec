"""QLRP: layerwise relevance propagation through circuits in Pauli coordinates, and gate Shapley values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from influence.quantum.attribution import Attribution
from influence.quantum.explained import Explained
from influence.quantum.games import BlockGame
from influence.quantum.references import Reference, resolve
from influence.quantum.shapley_values import shapley_from_extension
from influence.quantum.taylor import finish
from sciml.errors import SolverError
from sciml.quantum.gates import EncodingGate, TrainableGate
from sciml.quantum.transfer import (
    apply_local,
    check_transfer,
    gate_transfer,
    initial_coordinates,
    observable_coordinates,
)

OPTIONS = {
    "rule": ("encoding", "gate"),
    "gate_rule": ("mixed", "telescoping", "telescoping_reversed", "telescoping_mean"),
    "gate_reference": ("angle", "dephased"),
    "gates": ("encoding", "all"),
    "reduce": ("gate", "qubit", "feature"),
}
_NUMBERS = 2**25


def qlrp(
    model: Any,
    x: Any,
    rule: str = "encoding",
    gate_rule: str = "mixed",
    gate_reference: str = "angle",
    reference: Any = 0.0,
    gates: str = "encoding",
    reduce: str = "gate",
    output: int = 0,
) -> Attribution:
    """Relevance propagated backwards through the gates, in Pauli coordinates of state and observable.

    Named after Gil-Fuster et al. 2024 (arXiv 2412.14753); the definition is this package's own, derived from
    LRP-0 (Bach et al. 2015): through gates without data R_l = m_l ⊙ b_l, with the state's coordinates b and the
    Heisenberg observable's m, sums to f at every layer (`pauli_relevance`). What encoding gates receive:

    - rule "encoding" (encoding first): at the cut a string's relevance is shared equally by the blocks that it
      touches; strings that touch none are bias. These are the Shapley values of erasing blocks, and are computed
      as such. Players are blocks; `gate_rule`, `gates`, `reduce` do not matter.
    - rule "gate" (any circuit): players are encoding gates, against the gate at the reference point's angle
      (`gate_reference` "angle") or averaged over its angle ("dephased"). "telescoping": <m_ref, (G - G_ref) b_x>,
      gates before at x, gates after at the reference; "telescoping_reversed" the other way round;
      "telescoping_mean" their mean. "mixed": every gate (1-t) G_ref + t G, integrated over t, which gives exact
      gate Shapley values (Heese et al. 2023, arXiv 2301.09138) with ⌈K/2⌉ nodes.

    Args:
        model: A `QuantumNetwork`.
        x: (batch, features).
        rule: "encoding" or "gate".
        gate_rule: "mixed", "telescoping", "telescoping_reversed" or "telescoping_mean".
        gate_reference: "angle" or "dephased".
        reference: Reference point of "angle".
        gates: "encoding", or "all" to add trainable gates with the identity as reference.
        reduce: "gate", or sums by "qubit" (shared by the qubits of a gate) or "feature" (gate Shapley values
            summed, which are not the feature's Shapley value: here a feature may be half on).
        output: Number of the output.

    Returns:
        The attribution.

    Raises:
        SolverError: If an option is unknown or the rule does not apply, with the gate and the rule that does.

    Example:
        >>> import torch
        >>> from sciml.quantum import QuantumNetwork, reuploading
        >>> result = qlrp(QuantumNetwork(reuploading(2, layers=2)), torch.tensor([[0.8, -1.2]]), rule="gate")
        >>> result.players[:2], bool(result.conservation_gap.abs() < 1e-12)
        (('RX(x0) q0 #0', 'RX(x1) q1 #1'), True)
    """
    explained = Explained(model, x, output)
    explained.needed_network("QLRP")
    options = {"rule": rule, "gate_rule": gate_rule, "gate_reference": gate_reference, "gates": gates, "reduce": reduce}
    for name, value in options.items():
        if value not in OPTIONS[name]:
            raise SolverError(f"{name} {', '.join(OPTIONS[name])}", repr(value), "")
    return _by_gates(explained, reference, options) if rule == "gate" else _by_blocks(explained)


def _by_blocks(explained: Explained) -> Attribution:
    erased = Reference("erasure", None)
    game = BlockGame(explained, erased)
    settings = {"rule": "encoding", "reference": "erasure"}
    return finish(explained, erased, game.shapley(), "QLRP", settings, game.players)


def _by_gates(explained: Explained, reference: Any, options: dict[str, str]) -> Attribution:
    every = options["gates"] == "all"
    if every and options["reduce"] == "feature":
        raise SolverError('gates="encoding" for sums by feature', 'gates="all"', 'reduce="gate" or "qubit"')
    where = resolve(explained, reference)
    if where.points is None:
        raise SolverError(
            'a reference point for rule="gate"', f"reference={reference!r}",
            'gate_reference="dephased" averages every gate; rule="encoding" erases blocks',
        )  # fmt: skip
    game = _GateGame(explained, where.points, options["gate_reference"], every)
    rule = options["gate_rule"]
    values = game.mixed() if rule == "mixed" else game.telescoping(rule)
    return game.attribution(values, {**options, "reference": where.name}, options["reduce"])


class _GateGame:
    """F(λ) = f with every player gate (1-λ_k) G_ref + λ_k G, by its mean cosine and sine."""

    def __init__(self, explained: Explained, points: Tensor, reference: str, trainable: bool) -> None:
        self.explained = explained
        circuit = explained.circuit
        kinds = (EncodingGate, TrainableGate) if trainable else EncodingGate
        self.positions = [p for p, gate in enumerate(circuit.gates) if isinstance(gate, kinds)]
        inside = set(explained.cone.gates)
        self.active = [k for k, p in enumerate(self.positions) if p in inside]
        check_transfer(circuit.qubits, len(explained.x))
        now, then = explained.angles(explained.x), explained.angles(points)
        here, there, number = [], [], -1
        for position in self.positions:
            gate = circuit.gates[position]
            if isinstance(gate, EncodingGate):
                number += 1
                here.append(now[:, number])
                there.append(then[:, number])
            else:
                assert isinstance(gate, TrainableGate)
                here.append(explained.theta[gate.parameter].expand(len(now)))
                there.append(torch.zeros(len(now), dtype=torch.float64))
        self.present = _turns(here, len(now))
        self.absent = _turns(there, len(now))
        if reference == "dephased":
            data = torch.tensor([isinstance(circuit.gates[p], EncodingGate) for p in self.positions], dtype=torch.bool)
            self.absent = self.absent * (~data)[None, :, None]

    def value(self, share: Tensor, rows: slice = slice(None)) -> Tensor:
        """F(λ), (batch, players) -> (batch,)."""
        turns = self.absent[rows] + share[..., None] * (self.present[rows] - self.absent[rows])
        circuit, theta = self.explained.circuit, self.explained.theta
        inside, place = set(self.explained.cone.gates), {p: k for k, p in enumerate(self.positions)}
        state = initial_coordinates(circuit.qubits)
        for position, gate in enumerate(circuit.gates):
            if position not in inside:
                continue
            if position in place:
                matrix = gate_transfer(gate, turns[:, place[position], 0], turns[:, place[position], 1])
            elif isinstance(gate, TrainableGate):
                matrix = gate_transfer(gate, torch.cos(theta[gate.parameter]), torch.sin(theta[gate.parameter]))
            else:
                matrix = gate_transfer(gate)
            if matrix.ndim == 3 and len(state) == 1:
                state = state.expand(len(matrix), -1)
            state = apply_local(state, matrix, gate.qubits, circuit.qubits, 4)
        self.explained.evaluations += len(share)
        final = observable_coordinates(self.explained.observable, circuit.qubits)[0]
        return (state @ final).expand(len(share))

    def _pieces(self, copies: int) -> list[slice]:
        size = max(1, _NUMBERS // (copies * 4**self.explained.circuit.qubits))
        return [slice(i, i + size) for i in range(0, len(self.explained.x), size)]

    def mixed(self) -> Tensor:
        """Gate Shapley values by nodes."""
        nodes, parts = math.ceil(len(self.active) / 2), []
        for rows in self._pieces(2 * len(self.explained.cone.gates) + 1):
            size = len(self.explained.x[rows])
            parts.append(
                shapley_from_extension(lambda s, rows=rows: self.value(s, rows), size, len(self.positions), nodes)  # type: ignore[misc]
            )
        return torch.cat(parts) if parts else self.present[:, :, 0]

    @torch.no_grad()
    def telescoping(self, rule: str) -> Tensor:
        """Differences along the chain in which gates are switched on one after the other."""
        if rule == "telescoping_mean":
            return (self.telescoping("telescoping") + self.telescoping("telescoping_reversed")) / 2
        batch, count = self.present.shape[:2]
        parts = []
        for rows in self._pieces(4):
            size = len(self.explained.x[rows])
            chain = []
            for k in range(count + 1):
                share = torch.zeros(size, count, dtype=torch.float64)
                share[:, slice(0, k) if rule == "telescoping" else slice(count - k, count)] = 1
                chain.append(self.value(share, rows))
            steps = torch.stack(chain, dim=1).diff(dim=1)
            parts.append(steps if rule == "telescoping" else steps.flip(1))
        return torch.cat(parts) if parts else self.present.new_zeros(batch, count)

    @torch.no_grad()
    def attribution(self, values: Tensor, settings: dict[str, Any], reduce: str) -> Attribution:
        """Reduce and name the players."""
        explained, circuit = self.explained, self.explained.circuit
        spent = explained.evaluations
        none = torch.cat([self.value(torch.zeros(len(explained.x[rows]), len(self.positions)).double(), rows)
                          for rows in self._pieces(4)] or [explained.x[:, 0]])  # fmt: skip
        gates = [circuit.gates[p] for p in self.positions]
        names: Sequence[str]
        if reduce == "gate":
            names = [f"{g.label} {' '.join(f'q{q}' for q in g.qubits)} #{p}"
                     for g, p in zip(gates, self.positions, strict=True)]  # fmt: skip
        else:
            columns = circuit.features if reduce == "feature" else circuit.qubits
            share = torch.zeros(len(gates), columns, dtype=torch.float64)
            for k, gate in enumerate(gates):
                if isinstance(gate, EncodingGate) and reduce == "feature":
                    share[k, gate.feature] = 1
                elif reduce == "qubit":
                    share[k, list(gate.qubits)] = 1 / len(gate.qubits)
            values = values @ share
            names = [f"{'x' if reduce == 'feature' else 'q'}{j}" for j in range(columns)]
        method = "QLRP" if reduce != "feature" else "QLRP (gate values summed by feature)"
        return Attribution(
            values, tuple(names), explained.values(explained.x), none, method, settings, spent, circuit=circuit,
            gates=tuple(self.positions) if reduce == "gate" else (),
        )  # fmt: skip


def _turns(angles: list[Tensor], batch: int) -> Tensor:
    if not angles:
        return torch.zeros(batch, 0, 2, dtype=torch.float64)
    stacked = torch.stack(angles, dim=1)
    return torch.stack([torch.cos(stacked), torch.sin(stacked)], dim=-1)


@torch.no_grad()
def pauli_relevance(model: Any, x: Any, position: int, output: int = 0) -> Tensor:
    """Relevance of every Pauli string after some gates: R = m ⊙ b, which sums to f(x).

    Named after Gil-Fuster et al. 2024 (arXiv 2412.14753); the definition is this package's own: the fixed point of
    LRP-0 (Bach et al. 2015) in Pauli coordinates, R_l[P] = b_l[P] Σ_Q T[Q, P] R_{l+1}[Q]/b_{l+1}[Q] from m_L ⊙ b_L.

    Args:
        model: A `QuantumNetwork`.
        x: (batch, features).
        position: Number of gates applied before, 0 ... len(circuit.gates).
        output: Number of the output.

    Returns:
        (batch, 4^n), strings in the order I, X, Y, Z of qubit 0, then qubit 1, ...

    Raises:
        SolverError: If there is no such position.
    """
    explained = Explained(model, x, output)
    explained.needed_network("pauli_relevance")
    circuit = explained.circuit
    n, count = circuit.qubits, len(circuit.gates)
    if isinstance(position, bool) or not isinstance(position, int) or not 0 <= position <= count:
        raise SolverError(f"a position 0 ... {count}", repr(position), "")
    check_transfer(n, len(explained.x))
    angles, number = explained.angles(explained.x), -1
    matrices = []
    for gate in circuit.gates:
        number += isinstance(gate, EncodingGate)
        if isinstance(gate, (EncodingGate, TrainableGate)):
            turn = angles[:, number] if isinstance(gate, EncodingGate) else explained.theta[gate.parameter]
            matrices.append(gate_transfer(gate, torch.cos(turn), torch.sin(turn)))
        else:
            matrices.append(gate_transfer(gate))
    state = initial_coordinates(n).expand(len(explained.x), -1)
    for gate, matrix in list(zip(circuit.gates, matrices, strict=True))[:position]:
        state = apply_local(state, matrix, gate.qubits, n, 4)
    observable = observable_coordinates(explained.observable, n).expand(len(explained.x), -1)
    for gate, matrix in reversed(list(zip(circuit.gates, matrices, strict=True))[position:]):
        observable = apply_local(observable, matrix.transpose(-1, -2), gate.qubits, n, 4)
    return state * observable
