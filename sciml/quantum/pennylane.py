"""PennyLane (Bergholm et al. 2018, arXiv 1811.04968): circuits from and to its nodes; an optional extra."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from sciml.errors import MissingExtraError, SolverError
from sciml.quantum.circuit import Circuit
from sciml.quantum.gates import EncodingGate, FixedGate, Gate, TrainableGate
from sciml.quantum.network import QuantumNetwork
from sciml.quantum.observables import PauliSum

_TURNS = {
    "RX": ("RX",), "RY": ("RY",), "RZ": ("RZ",), "Rot": ("RZ", "RY", "RZ"),
    "IsingXX": ("RXX",), "IsingYY": ("RYY",), "IsingZZ": ("RZZ",),
}  # fmt: skip
_PLAIN = {
    "CZ": "CZ", "CNOT": "CNOT", "SWAP": "SWAP", "Hadamard": "H", "PauliX": "X", "PauliY": "Y", "PauliZ": "Z",
    "S": "S", "T": "T",
}  # fmt: skip
_NAMES = {"RXX": "IsingXX", "RYY": "IsingYY", "RZZ": "IsingZZ", "H": "Hadamard", "X": "PauliX", "Y": "PauliY",
          "Z": "PauliZ"}  # fmt: skip


def _pennylane() -> Any:
    try:
        import pennylane
    except ImportError as error:
        raise MissingExtraError("PennyLane", str(error), 'pip install "sciml[quantum]"') from error
    return pennylane


def from_pennylane(qnode: Any, *arguments: Any, features: str = "x", **named: Any) -> QuantumNetwork:
    """A network from a node that returns expectations of Pauli observables.

    The node is traced at three random feature vectors; an angle must be affine in one feature or independent of
    all. An angle that is an entry of another tensor argument becomes the parameter of that entry, shared by all
    gates that read it; any other independent angle is a parameter of its own.

    Args:
        qnode: The `QNode`.
        *arguments: Arguments of a call, as PennyLane would get them; the features one-dimensional.
        features: Name of the argument with the features.
        **named: Further arguments by name.

    Returns:
        The network with the angles of this call.

    Raises:
        SolverError: If a gate, an angle or a measurement is not covered, with its name.
    """
    _pennylane()
    bound = inspect.signature(qnode.func).bind(*arguments, **named)
    bound.apply_defaults()
    if features not in bound.arguments:
        raise SolverError(f"a node with an argument {features!r}", ", ".join(bound.arguments), 'features="inputs"')
    call = {key: _leaf(value) for key, value in bound.arguments.items()}
    count = torch.as_tensor(bound.arguments[features]).shape
    if len(count) != 1:
        raise SolverError("one-dimensional features", f"shape {tuple(count)}", "give one point, not a batch")
    generator = torch.Generator().manual_seed(0)
    traces = []
    for _ in range(3):
        call[features] = (2 * torch.rand(count[0], generator=generator, dtype=torch.float64) - 1).requires_grad_()
        traces.append(_Trace(qnode, call, features))
    return _network(traces, count[0])


class _Trace:
    """Operations of one call, with their angles as tensors that know where they come from."""

    def __init__(self, qnode: Any, call: dict[str, Any], features: str) -> None:
        qml = _pennylane()
        tape = qml.workflow.construct_tape(qnode)(**call)
        device = getattr(qnode.device, "wires", None) or tape.wires
        self.wires = {wire: k for k, wire in enumerate(device)}
        self.x = call[features]
        self.sources = [
            (key, value) for key, value in call.items() if key != features and isinstance(value, Tensor)
            and value.requires_grad
        ]  # fmt: skip
        self.operations: list[tuple[str, tuple[int, ...], Tensor | None]] = []
        for operation in tape.operations:
            self._append(operation)
        self.observables = [self._observable(measurement) for measurement in tape.measurements]

    def _append(self, operation: Any) -> None:
        where = tuple(self.wires[w] for w in operation.wires)
        if operation.name in _PLAIN:
            self.operations.append((_PLAIN[operation.name], where, None))
        elif operation.name in _TURNS:
            for name, angle in zip(_TURNS[operation.name], operation.parameters, strict=True):
                self.operations.append((name, where, torch.as_tensor(angle, dtype=torch.float64)))
        elif operation.name not in {"Barrier", "Identity", "Snapshot"}:
            known = ", ".join([*_TURNS, *_PLAIN])
            raise SolverError(f"gates {known}", operation.name, "decompose it with qml.transforms.decompose")

    def _observable(self, measurement: Any) -> PauliSum:
        qml = _pennylane()
        if not isinstance(measurement, qml.measurements.ExpectationMP):
            raise SolverError("expectations, qml.expval(...)", type(measurement).__name__, "")
        sentence = qml.pauli.pauli_sentence(measurement.obs)
        terms: dict[str, float] = {}
        for pauli_word, coefficient in sentence.items():
            value = complex(coefficient)
            if abs(value.imag) > 1e-14:
                raise SolverError("real coefficients of the observable", repr(coefficient), "")
            string = " ".join(f"{letter}{self.wires[wire]}" for wire, letter in pauli_word.items())
            terms[string] = terms.get(string, 0.0) + value.real
        return PauliSum(terms or {"": 0.0})

    def slope(self, angle: Tensor) -> Tensor:
        """Gradient of an angle in the features."""
        if not angle.requires_grad:
            return torch.zeros_like(self.x)
        return torch.autograd.grad(angle, self.x, retain_graph=True, allow_unused=True, materialize_grads=True)[0]

    def entry(self, angle: Tensor) -> tuple[str, int] | None:
        """The entry of another argument that an angle is."""
        if not angle.requires_grad or not self.sources:
            return None
        tensors = [value for _, value in self.sources]
        gradients = torch.autograd.grad(angle, tensors, retain_graph=True, allow_unused=True, materialize_grads=True)
        found = [(key, int(k), g.reshape(-1)[k].item(), value.reshape(-1)[k].item())
                 for (key, value), g in zip(self.sources, gradients, strict=True)
                 for k in torch.nonzero(g.reshape(-1)).reshape(-1)]  # fmt: skip
        if len(found) == 1 and found[0][2] == 1 and abs(found[0][3] - angle.item()) < 1e-15:
            return found[0][0], found[0][1]
        return None


def _leaf(value: Any) -> Any:
    if isinstance(value, (bool, int, str)) or value is None:
        return value
    try:
        tensor = torch.as_tensor(value).detach().to(torch.float64)
    except (TypeError, ValueError, RuntimeError):
        return value
    return tensor.clone().requires_grad_()


def _network(traces: list[_Trace], features: int) -> QuantumNetwork:
    first = traces[0]
    shapes = [[operation[:2] for operation in trace.operations] for trace in traces]
    if any(shape != shapes[0] for shape in shapes):
        raise SolverError("the same gates for all features", "gates that depend on values", "")
    gates: list[Gate] = []
    numbers: dict[Any, int] = {}
    angles: list[float] = []
    for position, (name, where, angle) in enumerate(first.operations):
        if angle is None:
            gates.append(FixedGate(name, where))
            continue
        affine = _affine(traces, position)
        if affine is not None:
            gates.append(EncodingGate(name, where, *affine))
            continue
        key = first.entry(angle) or position
        if key not in numbers:
            numbers[key] = len(angles)
            angles.append(angle.item())
        gates.append(TrainableGate(name, where, numbers[key]))
    circuit = Circuit(len(first.wires), features, gates, first.observables)  # type: ignore[arg-type]
    return QuantumNetwork(circuit, parameters=angles)


def _affine(traces: list[_Trace], position: int) -> tuple[int, float, float] | None:
    """Feature, scale and offset of an angle; None if it does not depend on the features."""
    name, where, _ = traces[0].operations[position]
    angles = [trace.operations[position][2] for trace in traces]
    slopes = torch.stack([trace.slope(a) for trace, a in zip(traces, angles, strict=True) if a is not None])
    values = torch.tensor([a.item() for a in angles if a is not None], dtype=torch.float64)
    used = torch.nonzero(slopes.abs().sum(dim=0)).reshape(-1).tolist()
    if not used:
        if float((values - values[0]).abs().max()) > 0:
            raise SolverError("angles made of the features by torch", f"gate {position}: {name}{where}", "")
        return None
    offsets = values - torch.stack([slope @ trace.x.detach() for slope, trace in zip(slopes, traces, strict=True)])
    spread = float((slopes - slopes[0]).abs().max()) + float((offsets - offsets[0]).abs().max())
    if len(used) > 1 or spread > 1e-12:
        given = f"gate {position}: {name}{where}, whose angle " + (
            f"mixes features {used}" if len(used) > 1 else f"is not affine in feature {used[0]}"
        )
        raise SolverError("angles scale * x_j + offset of one feature", given, "split the gate into two rotations")
    offset = float(offsets[0])
    return used[0], float(slopes[0, used[0]]), 0.0 if abs(offset) < 1e-15 else offset


def to_pennylane(circuit: Circuit) -> Callable[[Tensor, Tensor], Any]:
    """The circuit as a node on default.qubit, with torch and back-propagation.

    Args:
        circuit: The circuit.

    Returns:
        Node with arguments x ((features,) or (batch, features)) and theta (P,); a tuple of expectations, one per
        observable, or one tensor where there is one.
    """
    qml = _pennylane()
    observables = [_observable(qml, observable) for observable in circuit.observables]

    @qml.qnode(qml.device("default.qubit", wires=circuit.qubits), interface="torch", diff_method="backprop")
    def node(x: Tensor, theta: Tensor) -> Any:
        for gate in circuit.gates:
            wires = list(gate.qubits)
            operation = getattr(qml, _NAMES.get(gate.name, gate.name))
            if isinstance(gate, EncodingGate):
                z = x[..., gate.feature]
                z = torch.arccos(z) if gate.transform == "arccos" else z
                operation(gate.scale * z + gate.offset, wires=wires)
            elif isinstance(gate, TrainableGate):
                operation(theta[gate.parameter], wires=wires)
            else:
                operation(wires=wires)
        made = [qml.expval(observable) for observable in observables]
        return made[0] if len(made) == 1 else tuple(made)

    return node


def _observable(qml: Any, observable: PauliSum) -> Any:
    coefficients, words = [], []
    for string, coefficient in observable:
        factors = [getattr(qml, f"Pauli{letter}")(qubit) for letter, qubit in string] or [qml.Identity(0)]
        coefficients.append(coefficient)
        words.append(qml.prod(*factors) if len(factors) > 1 else factors[0])
    return qml.dot(coefficients, words)
