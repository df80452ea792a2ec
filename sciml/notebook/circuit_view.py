"""Circuit view: gates that answer a click with their relevance, over all samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from sciml.errors import SolverError
from sciml.notebook.encoding import colour_tables, encoded
from sciml.notebook.page import source
from sciml.notebook.picture import Picture, traitlets
from sciml.quantum.circuit import Circuit
from sciml.quantum.drawing import gate_columns, gate_text
from sciml.quantum.gates import EncodingGate, FixedGate, Gate
from sciml.quantum.light_cone import light_cone


class CircuitView(Picture):
    """A circuit whose gates are coloured by relevance: click a gate or a feature, slide over the samples.

    Where players are features, all gates that read a feature carry its relevance and are selected together. Works
    from the numbers alone, also in an exported page.

    Args:
        attributions: Explanations of the same samples of one circuit, each with `values` (batch, players), `players`,
            `gates`, `circuit`, `output`, `reference_output`, `conservation_gap`, `method`, `settings`, `plot(kind,
            sample=)`.
        points: The samples, (batch, features), told beside the numbers.

    Attributes:
        selection: Name of the selected player, "" for none.
        sample: Number of the sample that is shown.
        explanation: Number of the explanation that is shown.

    Raises:
        SolverError: If there is no circuit, or the explanations or points do not belong together.

    Example:
        >>> import torch
        >>> from influence.quantum import qlrp, shapley
        >>> from sciml.quantum import QuantumNetwork, reuploading
        >>> network, x = QuantumNetwork(reuploading(2, layers=2), seed=0), torch.zeros(3, 2).double() + 0.5
        >>> view = CircuitView([shapley(network, x), qlrp(network, x, rule="gate")], x)
        >>> view.select("x1"); view.selection, view.relevance() == float(shapley(network, x).values[0, 1])
        ('x1', True)
    """

    _esm = source("draw.js", "circuit_view.js")
    title: ClassVar[str] = "circuit"
    exported: ClassVar[tuple[str, ...]] = ("state", "selection", "sample", "explanation")
    selection = traitlets.Unicode("").tag(sync=True)
    sample = traitlets.Int(0).tag(sync=True)
    explanation = traitlets.Int(0).tag(sync=True)

    def __init__(self, attributions: Any, points: Any = None) -> None:
        given = list(attributions) if isinstance(attributions, Sequence) else [attributions]
        self.attributions = given
        circuit, known = _checked(given, points)
        super().__init__(self._picture, state=_state(circuit, given, known))

    @traitlets.validate("sample", "explanation")
    def _in_range(self, proposal: Any) -> int:
        name, value = proposal["trait"].name, int(proposal["value"])
        count = self.state["samples"] if name == "sample" else len(self.state["explanations"])
        if not 0 <= value < count:
            raise traitlets.TraitError(f"{name} 0 ... {count - 1} was expected, {value} was given")
        return value

    def select(self, player: str) -> None:
        """Select a player of the explanation that is shown.

        Args:
            player: Its name, "" for none.

        Raises:
            SolverError: If there is no such player.
        """
        players = self.attributions[self.explanation].players
        if player and player not in players:
            raise SolverError(f"a player among {', '.join(players[:12])}", repr(player), "see attribution.players")
        self.selection = player

    def relevance(self) -> float | None:
        """The relevance of the selected player for the sample that is shown; None where nothing is selected."""
        shown = self.attributions[self.explanation]
        if self.selection not in shown.players:
            return None
        return float(shown.values[self.sample, shown.players.index(self.selection)])

    def _picture(self) -> Any:
        return self.attributions[self.explanation].plot("circuit", sample=self.sample)


def _checked(given: Sequence[Any], points: Any) -> tuple[Circuit, np.ndarray | None]:
    strange = [type(one).__name__ for one in given if not hasattr(one, "conservation_gap")]
    if strange:
        raise SolverError("explanations of quantum models", ", ".join(strange[:3]), "shapley(network, x).explore()")
    circuits = [attribution.circuit for attribution in given]
    if not circuits or circuits[0] is None:
        raise SolverError("explanations of a model with a circuit", "none" if circuits else "no explanation", "")
    count = len(given[0].values)
    alike = all(c is not None and c.gates == circuits[0].gates for c in circuits)
    if not count or not alike or any(len(attribution.values) != count for attribution in given):
        sizes = ", ".join(str(len(attribution.values)) for attribution in given)
        raise SolverError("explanations of the same samples by the same circuit", f"{sizes} samples", "")
    known = None if points is None else np.asarray(points, dtype=float)
    if known is not None and known.shape != (count, circuits[0].features):
        raise SolverError(f"points {(count, circuits[0].features)}", f"shape {known.shape}", "points=x")
    return circuits[0], known


def _state(circuit: Circuit, given: Sequence[Any], points: np.ndarray | None) -> dict[str, Any]:
    inside = set(light_cone(circuit).gates)
    columns = gate_columns(circuit)
    gates = [
        {"text": gate_text(gate).split("\n"), "label": gate.label, "name": gate.name, "qubits": list(gate.qubits),
         "column": column, "kind": _kind(gate), "inside": position in inside}
        for position, (gate, column) in enumerate(zip(circuit.gates, columns, strict=True))
    ]  # fmt: skip
    return {
        "title": "circuit with relevances", "qubits": circuit.qubits, "gates": gates, "tables": colour_tables(),
        "columns": max(columns, default=-1) + 1, "samples": len(given[0].values),
        "measured": sorted({q for observable in circuit.observables for q in observable.qubits}),
        "points": None if points is None else points.tolist(),
        "explanations": [_explanation(circuit, attribution) for attribution in given],
        "note": "dashed gates are outside the light cone: they can't matter",
    }  # fmt: skip


def _explanation(circuit: Circuit, attribution: Any) -> dict[str, Any]:
    chosen = {key: value for key, value in attribution.settings.items() if isinstance(value, (str, int, float))}
    player_of = [-1] * len(circuit.gates)
    if attribution.gates:
        for number, position in enumerate(attribution.gates):
            player_of[position] = number
    else:
        place = {name: k for k, names in enumerate(attribution.players) for name in names.split("+")}
        for position, gate in enumerate(circuit.gates):
            if isinstance(gate, EncodingGate):
                player_of[position] = place.get(f"x{gate.feature}", -1)
    error = attribution.standard_error
    return {
        "method": attribution.method, "settings": ", ".join(f"{key}={value}" for key, value in chosen.items()),
        "players": list(attribution.players), "player_of": player_of, "values": encoded(attribution.values, "<f8"),
        "error": None if error is None else encoded(error, "<f8"), "output": encoded(attribution.output, "<f8"),
        "reference": encoded(attribution.reference_output, "<f8"), "gap": encoded(attribution.conservation_gap, "<f8"),
    }  # fmt: skip


def _kind(gate: Gate) -> str:
    return "encoding" if isinstance(gate, EncodingGate) else "fixed" if isinstance(gate, FixedGate) else "trainable"
