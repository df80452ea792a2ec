"""Attribution: what every explainer of quantum models returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from influence.quantum.pictures import plot_bars, plot_gates, plot_image, plot_uploads
from sciml.errors import SolverError
from sciml.plotting.figure import Figure
from sciml.quantum import Circuit, EncodingGate


@dataclass(frozen=True, eq=False)
class Attribution:
    """Relevances R of players for one output, with what they should sum to.

    Attributes:
        values: (batch, players).
        players: Names of the players.
        output: f(x), (batch,).
        reference_output: f of the reference; f(0) for methods without one, (batch,).
        method: Name of the method.
        settings: Its settings.
        evaluations: Circuit evaluations for the whole batch; a gradient or a node counts as one.
        standard_error: Of sampled values, (batch, players), else None.
        circuit: The circuit, where the model has one.
        gates: Position in `circuit.gates` of each player, where players are gates.
    """

    values: Tensor
    players: tuple[str, ...]
    output: Tensor
    reference_output: Tensor
    method: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    evaluations: int = 0
    standard_error: Tensor | None = None
    circuit: Circuit | None = None
    gates: tuple[int, ...] = ()

    @property
    def conservation_gap(self) -> Tensor:
        """ΣR - (f(x) - f(reference)), (batch,); not zero for methods that do not conserve."""
        return self.values.sum(dim=1) - (self.output - self.reference_output)

    @property
    def _encodes(self) -> bool:
        return any(isinstance(self.circuit.gates[p], EncodingGate) for p in self.gates) if self.circuit else False

    def explore(self, *others: Attribution, points: Any = None) -> Any:
        """The circuit as an interactive picture: click a gate or feature for its relevance, slide over the samples.

        Args:
            *others: More explanations of the same samples to choose from, as gate relevances beside features.
            points: The samples (batch, features), to be told beside the numbers.

        Returns:
            A `sciml.notebook.circuit_view.CircuitView`; without the extra `notebook` it shows its static figure.
        """
        from sciml.notebook.circuit_view import CircuitView

        return CircuitView([self, *others], points)

    def __str__(self) -> str:
        """One paragraph with reference value and gap."""
        chosen = ", ".join(f"{key}={value!r}" for key, value in self.settings.items())
        gap = float(self.conservation_gap.abs().max()) if len(self.values) else 0.0
        error = "" if self.standard_error is None else f", standard errors up to {float(self.standard_error.max()):.2g}"
        return (
            f"{self.method}({chosen}): {len(self.values)} samples, {len(self.players)} players; f(x) "
            f"{_span(self.output)}, f(reference) {_span(self.reference_output)}; largest conservation gap {gap:.1e}; "
            f"{self.evaluations} circuit evaluations{error}"
        )

    def plot(self, kind: str = "auto", sample: int = 0, shape: tuple[int, int] | None = None) -> Figure:
        """Draw one sample.

        Args:
            kind: "bars", "circuit" (players are gates, or features of a circuit), "uploads" (encoding gates by place
                and upload), "image" (features are pixels), or "auto": the image if `shape` is given, the circuit for
                gates, else bars.
            sample: Row.
            shape: Rows and columns of the image.

        Returns:
            A matplotlib figure.

        Raises:
            SolverError: If the kind does not fit.
        """
        if not 0 <= sample < len(self.values):
            raise SolverError(f"a sample 0 ... {len(self.values) - 1}", str(sample), "")
        chosen = ("image" if shape else "circuit" if self.gates else "bars") if kind == "auto" else kind
        if chosen == "bars":
            return plot_bars(self, sample)
        if chosen == "circuit" and self.circuit is not None:
            return plot_gates(self, sample)
        if chosen == "uploads" and self.circuit is not None and self._encodes:
            return plot_uploads(self, sample)
        if chosen == "image" and shape is not None and shape[0] * shape[1] == len(self.players):
            return plot_image(self, sample, shape)
        needs = 'kind "bars", "circuit" (a model with a circuit), "uploads" (players are gates) or "image" '
        needs += "(shape=(rows, columns))"
        raise SolverError(needs, f"{kind!r} with {len(self.players)} players and shape={shape}", "")


def _span(values: Tensor) -> str:
    if not len(values):
        return "-"
    low, high = float(values.min()), float(values.max())
    return f"{low:.4g}" if low == high else f"{low:.4g} ... {high:.4g}"
