"""Circuits as pictures: one line per qubit, gates in columns, coloured by any number per gate."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.patches import Rectangle

from sciml.plotting.figure import Figure
from sciml.quantum.circuit import Circuit
from sciml.quantum.gates import EncodingGate, FixedGate, Gate, TrainableGate
from sciml.quantum.light_cone import light_cone

_FACES = {EncodingGate: "#cfe3f7", TrainableGate: "#f3f3f3", FixedGate: "#ffffff"}
_COLOURS = "RdBu_r"
_ROW = 26  # columns before the picture continues below


def draw_circuit(
    circuit: Circuit, values: Mapping[int, float] | None = None, *, label: str = "relevance", title: str = ""
) -> Figure:
    """Draw a circuit; long ones continue in rows below. Gates outside the light cone are dashed and grey.

    Args:
        circuit: The circuit.
        values: Position in `circuit.gates` -> number that colours the gate (blue below 0, red above).
        label: What the numbers are.
        title: Title.

    Returns:
        A matplotlib figure; pyplot is not involved.

    Example:
        >>> from sciml.quantum import reuploading
        >>> len(draw_circuit(reuploading(2, layers=1)).axes)
        1
    """
    columns = gate_columns(circuit)
    width = max(columns, default=0) + 1
    rows = -(-width // _ROW)
    across = min(width, _ROW)
    figure = Figure(figsize=(1.6 + 0.62 * across, rows * (0.7 + 0.55 * circuit.qubits) + 0.4), layout="constrained")
    axes = figure.subplots(rows, 1, squeeze=False)[:, 0]
    inside = set(light_cone(circuit).gates)
    size = max((abs(v) for v in (values or {}).values()), default=0.0) or 1.0
    colours = ScalarMappable(Normalize(-size, size), _COLOURS)
    for row, axis in enumerate(axes):
        _wires(axis, circuit, row * _ROW, across, last=row == rows - 1)
    for position, (gate, column) in enumerate(zip(circuit.gates, columns, strict=True)):
        known = values is not None and position in values
        face = colormaps[_COLOURS](0.5 + 0.5 * values[position] / size) if values is not None and known else None
        _gate(axes[column // _ROW], gate, column, face, position in inside)
    if values:
        figure.colorbar(colours, ax=list(axes), label=label, fraction=0.03, pad=0.01)
    if title:
        figure.suptitle(title, fontsize="medium")
    return figure


def gate_columns(circuit: Circuit) -> list[int]:
    """Column of each gate: the first one in which all lines that it crosses are free.

    Args:
        circuit: The circuit.

    Returns:
        One number per gate, in time order.
    """
    free = [0] * circuit.qubits
    columns = []
    for gate in circuit.gates:
        crossed = range(min(gate.qubits), max(gate.qubits) + 1)
        column = max(free[q] for q in crossed)
        columns.append(column)
        for q in crossed:
            free[q] = column + 1
    return columns


def _wires(axis: Axes, circuit: Circuit, start: int, across: int, last: bool) -> None:
    axis.set_xlim(start - 1.3, start + across + 0.3)
    axis.set_ylim(circuit.qubits - 0.4, -0.6)
    axis.set_axis_off()
    touched = {q for observable in circuit.observables for q in observable.qubits}
    for qubit in range(circuit.qubits):
        axis.plot([start - 0.6, start + across - 0.4], [qubit, qubit], color="0.35", linewidth=0.9, zorder=1)
        text = f"q{qubit}  |0⟩" if start == 0 else f"q{qubit}"
        axis.text(start - 0.7, qubit, text, ha="right", va="center", fontsize=8)
        if last and qubit in touched:
            axis.text(start + across - 0.2, qubit, "◁", ha="center", va="center", fontsize=10)


def _gate(axis: Axes, gate: Gate, column: int, face: tuple | None, inside: bool) -> None:
    edge, style = ("0.2", "solid") if inside else ("0.65", "dashed")
    low, high = min(gate.qubits), max(gate.qubits)
    if len(gate.qubits) == 2:
        axis.plot([column, column], [low, high], color=edge, linestyle=style, linewidth=1.1, zorder=2)
    if isinstance(gate, FixedGate) and len(gate.qubits) == 2:
        markers = {"CZ": ("o", "o"), "CNOT": ("o", "P"), "SWAP": ("x", "x")}[gate.name]
        for qubit, marker in zip(gate.qubits, markers, strict=True):
            size = 4 if marker == "o" else 8
            axis.plot(column, qubit, marker=marker, color=edge, markersize=size, zorder=3)
        return
    for qubit in gate.qubits:
        colour = _FACES[type(gate)] if face is None else face
        axis.add_patch(
            Rectangle(
                (column - 0.44, qubit - 0.34), 0.88, 0.68, facecolor=colour, edgecolor=edge, linestyle=style, zorder=4
            )
        )
        dark = face is not None and 0.3 * face[0] + 0.59 * face[1] + 0.11 * face[2] < 0.5
        text = "white" if dark else "black" if inside else "0.55"
        axis.text(column, qubit, gate_text(gate), ha="center", va="center", fontsize=6.5, color=text, zorder=5)


def gate_text(gate: Gate) -> str:
    """Short text on the box of a gate, in one or two lines.

    Args:
        gate: The gate.

    Returns:
        The text.
    """
    if isinstance(gate, EncodingGate):
        inner = f"x{gate.feature}" if gate.transform == "identity" else f"acos x{gate.feature}"
        return f"{gate.name}\n{inner}"
    return f"{gate.name}\nθ{gate.parameter}" if isinstance(gate, TrainableGate) else gate.name
