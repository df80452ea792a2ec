"""Harmonics: which frequencies a circuit uses, and how its variance is shared among sets of features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from influence.quantum.explained import Explained
from influence.quantum.spectrum import SILENT, spectrum
from sciml.plotting.fields import FIELD_COLOURS
from sciml.plotting.figure import Figure
from sciml.quantum import QuantumNetwork


@dataclass(frozen=True, eq=False)
class Harmonics:
    """f(z) = Σ_ω c_ω e^{iω·z}, every term of it; c_{-ω} is the conjugate of c_ω.

    Attributes:
        frequencies: ω, (W, features).
        coefficients: c_ω, (W,), complex.
        evaluations: Circuit evaluations that were spent.
    """

    frequencies: Tensor
    coefficients: Tensor
    evaluations: int

    @property
    def variance(self) -> dict[tuple[int, ...], float]:
        """Σ|c_ω|² over the ω that use exactly these features: their part of the variance of f over all phases."""
        parts: dict[tuple[int, ...], float] = {}
        for used, weight in zip(self.frequencies.abs() > SILENT, self.coefficients.abs() ** 2, strict=True):
            key = tuple(torch.nonzero(used)[:, 0].tolist())
            if key:
                parts[key] = parts.get(key, 0.0) + float(weight)
        return dict(sorted(parts.items(), key=lambda item: -item[1]))

    def __call__(self, z: Any) -> Tensor:
        """The sum at points z (batch, features); z_j = arccos x_j where gates read a feature so."""
        phase = torch.as_tensor(z, dtype=torch.float64) @ self.frequencies.T
        return (torch.polar(torch.ones(()).double(), phase) @ self.coefficients).real

    def top(self, count: int = 10) -> list[tuple[tuple[float, ...], float]]:
        """The strongest harmonics and their amplitudes, 2|c_ω| for each pair ±ω.

        Args:
            count: How many.

        Returns:
            Pairs of frequency, its first entry that is not 0 positive, and amplitude.
        """
        found = []
        for frequency, size in zip(self.frequencies.tolist(), self.coefficients.abs().tolist(), strict=True):
            leading = next((w for w in frequency if abs(w) > SILENT), 0.0)
            if leading >= 0:
                found.append((tuple(w + 0.0 for w in frequency), size * (2 if leading else 1)))
        return sorted(found, key=lambda pair: (-round(pair[1], 12), pair[0]))[:count]

    def __str__(self) -> str:
        """The strongest harmonics and the shares of variance."""
        total = sum(self.variance.values()) or 1.0
        shares = ", ".join(f"{'·'.join(f'x{j}' for j in key)} {value / total:.1%}"
                           for key, value in list(self.variance.items())[:6])  # fmt: skip
        lines = [f"({', '.join(f'{w:g}' for w in frequency)})  {size:.3g}" for frequency, size in self.top(6)]
        return "\n".join([f"{len(self.coefficients)} terms; variance: {shares or 'none'}", *lines])

    def plot(self) -> Figure:
        """Amplitudes |c_ω|: over the plane of two frequencies, else the strongest as bars.

        Returns:
            A matplotlib figure.
        """
        figure = Figure(figsize=(5.2, 4.0), layout="constrained")
        axis = figure.subplots()
        if self.frequencies.shape[1] == 2:
            sizes = np.log10(np.maximum(self.coefficients.abs().numpy(), 1e-16))
            where = self.frequencies.numpy()
            dots = axis.scatter(where[:, 0], where[:, 1], c=sizes, cmap=FIELD_COLOURS, vmin=sizes.max() - 6, s=42)
            figure.colorbar(dots, ax=axis, label="log10 |c|")
            axis.set_xlabel("frequency in x0")
            axis.set_ylabel("frequency in x1")
        else:
            names = [f"({', '.join(f'{w:g}' for w in frequency)})" for frequency, _ in self.top(16)]
            axis.barh(np.arange(len(names)), [size for _, size in self.top(16)], color="#4477aa")
            axis.set_yticks(np.arange(len(names)), names, fontsize="small")
            axis.invert_yaxis()
            axis.set_xlabel("amplitude of the pair ±frequency")
        axis.set_title("harmonics of the output", fontsize="small")
        return figure


def harmonics(model: QuantumNetwork, output: int = 0, route: str = "auto") -> Harmonics:
    """All Fourier coefficients of one output (Schuld, Sweke & Meyer 2020, arXiv 2008.08605).

    Args:
        model: A `QuantumNetwork`.
        output: Number of the output.
        route: "auto", "dft" (integer scales), "rescaled" or "angles"; see `influence.quantum.spectrum`.

    Returns:
        The harmonics, checked against the circuit at a random point.

    Raises:
        SolverError: If the model has no circuit, or the route needs too many evaluations.

    Example:
        >>> from sciml.quantum import Circuit, EncodingGate
        >>> gates = [EncodingGate("RX", (0,), 0), EncodingGate("RX", (1,), 1, scale=0.5)]
        >>> found = harmonics(QuantumNetwork(Circuit(2, 2, gates, [{"Z0 Z1": 1.0}])))
        >>> [(frequency, round(size, 9)) for frequency, size in found.top(2)]
        [((1.0, -0.5), 0.5), ((1.0, 0.5), 0.5)]
    """
    columns = model.circuit.features if isinstance(model, QuantumNetwork) else 1
    explained = Explained(model, torch.zeros(1, columns, dtype=torch.float64), output)
    explained.needed_network("harmonics")
    explained.encoded(explained.x)  # refuses a feature that is read in two ways
    made = spectrum(explained, route)
    return Harmonics(made.frequencies, made.coefficients, explained.evaluations)
