"""Attributions as pictures: bars, gates of the circuit, heat map of an image."""

from __future__ import annotations

from typing import Any

import numpy as np

from sciml.plotting.fields import DIFFERENCE_COLOURS
from sciml.plotting.figure import Figure
from sciml.quantum.drawing import draw_circuit
from sciml.quantum.gates import EncodingGate


def caption(attribution: Any, sample: int) -> str:
    """Reference value and conservation gap of one sample, for titles.

    Args:
        attribution: An `Attribution`.
        sample: Row.

    Returns:
        One line.
    """
    f, r = float(attribution.output[sample]), float(attribution.reference_output[sample])
    gap = float(attribution.conservation_gap[sample])
    return f"{attribution.method}: f = {f:.4g}, reference {r:.4g}, ΣR - (f - reference) = {gap:.1e}"


def plot_bars(attribution: Any, sample: int) -> Figure:
    """Horizontal bars, one per player, with standard errors where known.

    Args:
        attribution: An `Attribution`.
        sample: Row.

    Returns:
        The figure.
    """
    values = attribution.values[sample].numpy()
    figure = Figure(figsize=(6.4, 1.2 + 0.28 * max(len(values), 3)), layout="constrained")
    axis = figure.subplots()
    error = None if attribution.standard_error is None else 1.96 * attribution.standard_error[sample].numpy()
    colours = np.where(values < 0, "#2166ac", "#b2182b")
    axis.barh(np.arange(len(values)), values, xerr=error, color=colours, height=0.7, ecolor="0.3")
    axis.set_yticks(np.arange(len(values)), attribution.players)
    axis.invert_yaxis()
    axis.axvline(0, color="0.3", linewidth=0.8)
    axis.set_xlabel("relevance, in the unit of the output" + ("" if error is None else " (95 % intervals)"))
    axis.set_title(caption(attribution, sample), fontsize="small")
    return figure


def plot_gates(attribution: Any, sample: int) -> Figure:
    """The circuit with gates coloured by relevance; a feature's relevance colours all of its gates.

    Args:
        attribution: An `Attribution` with a circuit.
        sample: Row.

    Returns:
        The figure.
    """
    values = attribution.values[sample].tolist()
    if attribution.gates:
        coloured = dict(zip(attribution.gates, values, strict=True))
    else:
        table = {name: v for names, v in zip(attribution.players, values, strict=True) for name in names.split("+")}
        coloured = {
            position: table[f"x{gate.feature}"]
            for position, gate in enumerate(attribution.circuit.gates)
            if isinstance(gate, EncodingGate) and f"x{gate.feature}" in table
        }
    label = "relevance" if attribution.gates else "relevance of the feature"
    return draw_circuit(attribution.circuit, coloured, label=label, title=caption(attribution, sample))


def plot_uploads(attribution: Any, sample: int) -> Figure:
    """Heat map of encoding gates: one row per place where a feature is uploaded, one column per upload.

    Args:
        attribution: An `Attribution` whose players are gates.
        sample: Row.

    Returns:
        The figure.
    """
    rows: dict[str, list[float]] = {}
    for position, value in zip(attribution.gates, attribution.values[sample].tolist(), strict=True):
        gate = attribution.circuit.gates[position]
        if isinstance(gate, EncodingGate):
            where = " ".join(f"q{q}" for q in gate.qubits)
            rows.setdefault(f"x{gate.feature} on {where}", []).append(value)
    names = sorted(rows)
    width = max(len(values) for values in rows.values())
    table = np.array([rows[name] + [np.nan] * (width - len(rows[name])) for name in names])
    size = float(np.nanmax(np.abs(table))) or 1.0
    figure = Figure(figsize=(2.6 + 0.8 * width, 1.4 + 0.4 * len(names)), layout="constrained")
    axis = figure.subplots()
    picture = axis.imshow(table, cmap=DIFFERENCE_COLOURS, vmin=-size, vmax=size, aspect="auto")
    figure.colorbar(picture, ax=axis, label="relevance of the gate")
    axis.set_xticks(range(width), [str(k + 1) for k in range(width)])
    axis.set_yticks(range(len(names)), names)
    axis.set_xlabel("upload")
    axis.set_title(caption(attribution, sample).replace(": ", "\n", 1).replace(", ΣR", "\nΣR"), fontsize="small")
    return figure


def plot_image(attribution: Any, sample: int, shape: tuple[int, int]) -> Figure:
    """Heat map of pixels.

    Args:
        attribution: An `Attribution` whose players are pixels, row by row.
        sample: Row of the batch.
        shape: Rows and columns.

    Returns:
        The figure.
    """
    values = attribution.values[sample].numpy().reshape(shape)
    size = float(np.abs(values).max()) or 1.0
    figure = Figure(figsize=(4.6, 4.0), layout="constrained")
    axis = figure.subplots()
    picture = axis.imshow(values, cmap=DIFFERENCE_COLOURS, vmin=-size, vmax=size)
    figure.colorbar(picture, ax=axis, label="relevance")
    axis.set_xticks(range(shape[1]))
    axis.set_yticks(range(shape[0]))
    title = caption(attribution, sample).replace(": ", "\n", 1).replace(", ΣR", "\nΣR")
    axis.set_title(title, fontsize="small")
    return figure
