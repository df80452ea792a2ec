"""Circuits of the usual layouts: encoding first, and re-uploading."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from sciml.errors import ProblemError
from sciml.quantum.circuit import Circuit
from sciml.quantum.gates import EncodingGate, FixedGate, Gate, TrainableGate
from sciml.quantum.observables import PauliSum

ENTANGLERS = ("CZ ring", "CNOT chain", "none")
Observables = Mapping[str, float] | PauliSum | Sequence[Mapping[str, float] | PauliSum]


def encoding_first(
    qubits: int,
    features: int | None = None,
    layers: int = 2,
    *,
    axis: str = "Y",
    scales: float | Sequence[float] = 1.0,
    leading: str = "",
    rotations: str = "YZ",
    entangler: str = "CZ ring",
    trailing: str = "Y",
    observables: Observables | None = None,
) -> Circuit:
    """All data first, then layers of trainable rotations and entanglers, then trailing rotations.

    Args:
        qubits: Number of qubits.
        features: Number of features; feature j sits on qubit j mod `qubits`.
        layers: Layers after the encoding.
        axis: Axes of the encoding gates; a qubit with several features takes them in turn.
        scales: Factor of each feature.
        leading: Axes of trainable rotations before the encoding.
        rotations: Axes of trainable rotations of a layer.
        entangler: "CZ ring", "CNOT chain" or "none".
        trailing: Axes of trainable rotations at the end.
        observables: One or several; by default Z on the first qubit.

    Returns:
        The circuit; features on one qubit form one block.

    Example:
        >>> encoding_first(3, layers=1).encoding_blocks()[2]
        Block(features=(2,), qubits=(2,))
    """
    count = qubits if features is None else features
    _check_sizes(qubits=qubits, features=count, layers=layers)
    factors = _factors(scales, count)
    number = itertools.count()
    gates: list[Gate] = _rotations(qubits, leading, number)
    for j in range(count):
        letter = _axes(axis)[j // qubits % len(axis)]
        gates.append(EncodingGate(f"R{letter}", (j % qubits,), j, factors[j]))
    for _ in range(layers):
        gates += _rotations(qubits, rotations, number) + _entangle(qubits, entangler)
    gates += _rotations(qubits, trailing, number)
    return Circuit(qubits, count, gates, _observables(observables))  # type: ignore[arg-type]


def reuploading(
    qubits: int,
    features: int | None = None,
    layers: int = 3,
    *,
    assignment: Sequence[int] | None = None,
    axis: str = "X",
    scales: float | Sequence[float] = 1.0,
    rotations: str = "YZ",
    entangler: str = "CZ ring",
    trailing: str = "Y",
    observables: Observables | None = None,
) -> Circuit:
    """Data in every layer (Pérez-Salinas et al. 2019, arXiv 1907.02085), then trailing rotations.

    Args:
        qubits: Number of qubits.
        features: Number of features.
        layers: Uploads.
        assignment: Feature of each qubit; by default qubit number mod `features`.
        axis: Axis of the encoding gates, or one letter per layer.
        scales: Factor of each feature.
        rotations: Axes of trainable rotations of a layer.
        entangler: "CZ ring", "CNOT chain" or "none".
        trailing: Axes of trainable rotations at the end.
        observables: One or several; by default Z on the first qubit.

    Returns:
        The circuit.

    Raises:
        ProblemError: If `assignment` does not name one feature per qubit.

    Example:
        >>> reuploading(2, layers=2).parameters
        10
    """
    count = (qubits if assignment is None else max(assignment) + 1) if features is None else features
    _check_sizes(qubits=qubits, features=count, layers=layers)
    where = [q % count for q in range(qubits)] if assignment is None else list(assignment)
    if len(where) != qubits or not set(where) <= set(range(count)):
        wanted = f"one feature number 0 ... {count - 1} for each of {qubits} qubits"
        raise ProblemError(wanted, repr(assignment), "assignment=(0, 0, 1)")
    factors = _factors(scales, count)
    number = itertools.count()
    gates: list[Gate] = []
    for layer in range(layers):
        letter = _axes(axis)[layer % len(axis)]
        gates += [EncodingGate(f"R{letter}", (q,), where[q], factors[where[q]]) for q in range(qubits)]
        gates += _rotations(qubits, rotations, number) + _entangle(qubits, entangler)
    gates += _rotations(qubits, trailing, number)
    return Circuit(qubits, count, gates, _observables(observables))  # type: ignore[arg-type]


def _check_sizes(**sizes: Any) -> None:
    for name, value in sizes.items():
        least = 0 if name == "layers" else 1
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise ProblemError(f"{name}: a whole number >= {least}", repr(value), "reuploading(4, layers=3)")


def _axes(letters: str) -> str:
    if not letters or not isinstance(letters, str) or set(letters) - set("XYZ"):
        raise ProblemError("axes X, Y, Z", repr(letters), 'axis="Y"')
    return letters


def _factors(scales: float | Sequence[float], count: int) -> list[float]:
    factors = [float(scales)] * count if isinstance(scales, (int, float)) else [float(s) for s in scales]
    if len(factors) != count:
        raise ProblemError(f"one scale, or one for each of {count} features", repr(scales), "scales=1.0")
    return factors


def _rotations(qubits: int, axes: str, number: itertools.count) -> list[Gate]:
    letters = _axes(axes) if axes else ""
    return [TrainableGate(f"R{letter}", (q,), next(number)) for q in range(qubits) for letter in letters]


def _entangle(qubits: int, name: str) -> list[Gate]:
    if name not in ENTANGLERS:
        raise ProblemError(f"an entangler of {', '.join(ENTANGLERS)}", repr(name), 'entangler="CZ ring"')
    if name == "CZ ring":
        # on two qubits the ring would apply the same gate twice, which is nothing
        return [FixedGate("CZ", (q, (q + 1) % qubits)) for q in range(qubits if qubits > 2 else qubits - 1)]
    return [FixedGate("CNOT", (q, q + 1)) for q in range(qubits - 1)] if name == "CNOT chain" else []


def _observables(given: Observables | None) -> Observables:
    return [{"Z0": 1.0}] if given is None else given
