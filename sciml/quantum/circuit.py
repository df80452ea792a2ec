"""Parametrised circuits: gates in time order on |0...0>, and observables, one per output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sciml.errors import ProblemError, SolverError
from sciml.quantum.gates import KINDS, EncodingGate, Gate, TrainableGate
from sciml.quantum.observables import PauliSum

MAXIMUM_QUBITS = 24


@dataclass(frozen=True)
class Block:
    """A group of features encoded on qubits that nothing joins to others before the cut."""

    features: tuple[int, ...]
    qubits: tuple[int, ...]


@dataclass(frozen=True)
class Circuit:
    """f_k(x) = <0|U(x, θ)† M_k U(x, θ)|0>, gates in time order; qubit 0 is the most significant bit.

    A finite Fourier sum in every feature (Schuld, Sweke & Meyer 2020, arXiv 2008.08605).

    Args:
        qubits: Number of qubits.
        features: Number of features.
        gates: Gates in time order.
        observables: One `PauliSum` (or dictionary) per output.
        name: Free text.

    Raises:
        ProblemError: With every fault found.

    Example:
        >>> circuit = Circuit(2, 1, [EncodingGate("RX", (0,), 0), TrainableGate("RY", (1,), 0)], [{"Z0 Z1": 1.0}])
        >>> Circuit.from_dict(circuit.to_dict()) == circuit
        True
    """

    qubits: int
    features: int
    gates: tuple[Gate, ...]
    observables: tuple[PauliSum, ...]
    name: str = ""

    def __post_init__(self) -> None:
        """Check."""
        given = [self.observables] if isinstance(self.observables, (PauliSum, Mapping)) else self.observables
        for name, value in (("gates", self.gates), ("observables", given)):
            if isinstance(value, str) or not isinstance(value, Sequence):
                raise ProblemError(f"a list of {name}", repr(value), "see `Circuit`")
        gates = tuple(self.gates)
        observables = tuple(o if isinstance(o, PauliSum) else PauliSum(o) for o in given)
        object.__setattr__(self, "gates", gates)
        object.__setattr__(self, "observables", observables)
        findings = _size_faults(self.qubits, self.features) or [*_gate_faults(self), *_observable_faults(self)]
        if findings:
            raise ProblemError("a circuit without faults", "; ".join(findings), "see each finding", findings)

    @property
    def encoding_gates(self) -> tuple[EncodingGate, ...]:
        """Gates that carry data, in time order."""
        return tuple(gate for gate in self.gates if isinstance(gate, EncodingGate))

    @property
    def parameters(self) -> int:
        """Number of angles: the largest parameter number plus one."""
        return 1 + max((gate.parameter for gate in self.gates if isinstance(gate, TrainableGate)), default=-1)

    @property
    def outputs(self) -> int:
        """Number of observables."""
        return len(self.observables)

    def to_dict(self) -> dict[str, Any]:
        """JSON-able description.

        Returns:
            Keys qubits, features, gates, observables, and name where there is one.
        """
        result: dict[str, Any] = {
            "qubits": self.qubits,
            "features": self.features,
            "gates": [_gate_to_dict(gate) for gate in self.gates],
            "observables": [observable.to_dict() for observable in self.observables],
        }
        return result | ({"name": self.name} if self.name else {})

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Circuit:
        """Rebuild from `to_dict()`.

        Args:
            data: The description; optional keys of gates may be left out.

        Returns:
            The circuit.

        Raises:
            ProblemError: If a key is missing or unknown.
        """
        if not isinstance(data, Mapping):
            raise ProblemError("a dictionary as of to_dict()", repr(data), "")
        missing = [key for key in ("qubits", "features", "gates", "observables") if key not in data]
        if missing:
            raise ProblemError("keys qubits, features, gates, observables", f"no {', '.join(missing)}", "add them")
        gates = tuple(_gate_from_dict(gate) for gate in data["gates"])
        observables = tuple(PauliSum(terms) for terms in data["observables"])
        return cls(data["qubits"], data["features"], gates, observables, str(data.get("name", "")))

    def past_of_encoding(self) -> tuple[bool, ...]:
        """Per gate, whether it must come before the cut: it encodes, or an encoding gate follows on its qubits."""
        waiting: set[int] = set()
        before = [False] * len(self.gates)
        for position in reversed(range(len(self.gates))):
            gate = self.gates[position]
            if isinstance(gate, EncodingGate) or waiting & set(gate.qubits):
                before[position] = True
                waiting |= set(gate.qubits)
        return tuple(before)

    def encoding_blocks(self) -> tuple[Block, ...]:
        """Groups of an encoding-first circuit: features whose encoding qubits overlap, with these qubits.

        The cut lies after the gates that some encoding gate depends on; before it no gate may join a group
        to another qubit. Gates on other qubits may be listed in between: they commute.

        Returns:
            Groups by smallest feature; features without gates are in none.

        Raises:
            SolverError: If the circuit is not encoding-first, with the gate that forbids it.
        """
        blocks: list[tuple[set[int], set[int]]] = []
        for feature in range(self.features):
            qubits = {q for gate in self.encoding_gates if gate.feature == feature for q in gate.qubits}
            if qubits:
                touching = [block for block in blocks if block[1] & qubits]
                blocks = [block for block in blocks if not block[1] & qubits]
                blocks.append(({feature}.union(*(b[0] for b in touching)), qubits.union(*(b[1] for b in touching))))
        for position, (gate, before) in enumerate(zip(self.gates, self.past_of_encoding(), strict=True)):
            for _, qubits in blocks:
                inside = qubits & set(gate.qubits)
                if before and inside and inside != set(gate.qubits):
                    raise SolverError(
                        "an encoding-first circuit: before the last encoding gate none joins a block to other qubits",
                        f"gate {position}: {gate.label} on qubits {gate.qubits}",
                        'qlrp(..., rule="gate") and point references apply to every circuit',
                    )
        return tuple(Block(tuple(sorted(f)), tuple(sorted(q))) for f, q in sorted(blocks, key=lambda b: min(b[0])))


def _size_faults(qubits: Any, features: Any) -> list[str]:
    faults = []
    if isinstance(qubits, bool) or not isinstance(qubits, int) or qubits < 1:
        faults.append(f"qubits={qubits!r}: a whole number >= 1 is needed")
    elif qubits > MAXIMUM_QUBITS:
        faults.append(
            f"qubits={qubits}: at most {MAXIMUM_QUBITS}; one state alone takes {16 * 2.0**qubits / 2**30:.3g} GiB"
        )
    if isinstance(features, bool) or not isinstance(features, int) or features < 0:
        faults.append(f"features={features!r}: a whole number >= 0 is needed")
    return faults


def _gate_faults(circuit: Circuit) -> list[str]:
    faults = []
    for position, gate in enumerate(circuit.gates):
        if not isinstance(gate, Gate):
            faults.append(f"gate {position}: {gate!r} is not an EncodingGate, TrainableGate or FixedGate")
            continue
        if max(gate.qubits) >= circuit.qubits:
            faults.append(f"gate {position}: {gate.label} on qubits {gate.qubits}, there are {circuit.qubits}")
        if isinstance(gate, EncodingGate) and gate.feature >= circuit.features:
            faults.append(f"gate {position}: {gate.label} reads feature {gate.feature}, there are {circuit.features}")
    return faults


def _observable_faults(circuit: Circuit) -> list[str]:
    if not circuit.observables:
        return ["no observable: one per output is needed"]
    return [
        f"observable {k}: qubit {o.largest_qubit}, there are {circuit.qubits}"
        for k, o in enumerate(circuit.observables)
        if o.largest_qubit >= circuit.qubits
    ]


def _gate_to_dict(gate: Gate) -> dict[str, Any]:
    kind = next(name for name, cls in KINDS.items() if isinstance(gate, cls))
    values = {field.name: getattr(gate, field.name) for field in fields(gate)}
    if values.get("transform") == "identity":
        del values["transform"]
    return {"kind": kind, **values, "qubits": list(gate.qubits)}


def _gate_from_dict(data: Mapping[str, Any]) -> Gate:
    if not isinstance(data, Mapping):
        raise ProblemError("a dictionary for each gate", repr(data), "see `Circuit.to_dict`")
    values: dict[str, Any] = {key: value for key, value in data.items() if value is not None}
    kind = values.pop("kind", None)
    if kind not in KINDS:
        raise ProblemError(f"a gate with kind {', '.join(KINDS)}", repr(dict(data)), "")
    known = {field.name for field in fields(KINDS[kind])}
    # one table for all kinds: keys of other kinds may stand there, others are mistakes
    strange = set(values) - {field.name for cls in KINDS.values() for field in fields(cls)}
    if strange or not {"name", "qubits"} <= set(values):
        raise ProblemError(f"keys {', '.join(sorted(known))}", repr(dict(data)), "remove or rename keys")
    try:
        return KINDS[kind](**{key: _tuple(value) for key, value in values.items() if key in known})
    except TypeError as error:
        raise ProblemError(f"keys {', '.join(sorted(known))}", repr(dict(data)), str(error)) from error


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else value
