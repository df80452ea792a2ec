"""Fourier coefficients of circuits: f(z) = Σ_ω c_ω e^{iω·z}, a finite sum (Schuld et al. 2020, arXiv 2008.08605)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from sciml.errors import ConvergenceError, SolverError
from sciml.quantum import EncodingGate

if TYPE_CHECKING:
    from influence.quantum.explained import Explained

SILENT = 1e-9  # frequencies below count as zero
MAXIMUM_EVALUATIONS = 2**21


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Coefficients (W,), frequencies (W, features), which of them are zero, and the route."""

    coefficients: Tensor
    frequencies: Tensor
    route: str

    @property
    def silent(self) -> Tensor:
        """Where a frequency is zero, (W, features)."""
        return self.frequencies.abs() < SILENT


def spectrum(explained: Explained, route: str = "auto") -> Spectrum:
    """Coefficients of one output, checked at a random point.

    By a discrete Fourier transform on Π_j (2Σ|s|+1) points for integer scales ("dft"), or on 3 values of every
    gate angle ("angles"), where equal frequencies are merged; the cheaper where both apply.

    Args:
        explained: The model.
        route: "auto", "dft" or "angles".

    Returns:
        The spectrum.

    Raises:
        SolverError: If the scales are not integers on the route "dft", or too many points are needed.
        ConvergenceError: If the sum does not reproduce f at a random point.
    """
    gates = explained.circuit.encoding_gates
    inside = explained.cone.encoding_inside
    integer = all(float(gates[k].scale).is_integer() for k in inside)
    degrees = [0] * explained.features
    for k in inside:
        degrees[gates[k].feature] += math.ceil(abs(gates[k].scale))
    costs = {"dft": float(math.prod(2 * d + 1 for d in degrees)), "angles": 3.0 ** len(inside)}
    if route == "dft" and not integer:
        bad = next(gates[k].label for k in inside if not float(gates[k].scale).is_integer())
        raise SolverError("integer scales on the Fourier route dft", bad, 'route="angles" takes any scale')
    chosen = min((c for c in costs if integer or c == "angles"), key=lambda c: costs[c]) if route == "auto" else route
    if costs[chosen] > MAXIMUM_EVALUATIONS:
        raise SolverError(
            f"at most {MAXIMUM_EVALUATIONS} evaluations for Fourier coefficients",
            f"{costs[chosen]:.3g} for {len(inside)} encoding gates in the light cone",
            "a reference point, sampled_shapley or shapley_shots",
        )
    base = torch.zeros(len(gates), dtype=torch.float64)
    if chosen == "dft":
        made = _dft(explained, degrees)
    else:
        used = [gates[k] for k in inside]

        def value(angles: Tensor) -> Tensor:
            whole = base.expand(len(angles), -1).clone()
            whole[:, list(inside)] = angles
            return explained.of_angles(whole)[:, None]

        coefficients, frequencies = angle_spectrum(value, used, explained.features)
        made = Spectrum(coefficients[:, 0], frequencies, "angles")
    _verify(explained, made)
    return made


def angle_spectrum(
    value: Callable[[Tensor], Tensor], gates: Sequence[EncodingGate], features: int
) -> tuple[Tensor, Tensor]:
    """Coefficients in z of a function of gate angles that is a trigonometric polynomial of degree 1 in each.

    Args:
        value: (batch, K) -> (batch, components).
        gates: The K encoding gates.
        features: Number of features.

    Returns:
        Coefficients (W, components), complex, and frequencies (W, features), merged.
    """
    count = len(gates)
    grid = torch.cartesian_prod(*[torch.arange(3)] * count).reshape(3**count, count) if count else torch.zeros(1, 0)
    table = value(grid.to(torch.float64) * (2 * math.pi / 3)).to(torch.complex128)
    table = table.reshape([3] * count + [-1])
    if count:
        table = torch.fft.fftn(table, dim=tuple(range(count))) / 3**count
    orders = torch.tensor([0.0, 1.0, -1.0], dtype=torch.float64)
    number = orders[grid.long()].reshape(3**count, count)
    scales = torch.tensor([gate.scale for gate in gates], dtype=torch.float64)
    offsets = torch.tensor([gate.offset for gate in gates], dtype=torch.float64)
    frequencies = torch.zeros(3**count, features, dtype=torch.float64)
    for k, gate in enumerate(gates):
        frequencies[:, gate.feature] += number[:, k] * scales[k]
    phase = torch.polar(torch.ones(()).double(), number @ offsets)
    return _merge(table.reshape(3**count, -1) * phase[:, None], frequencies)


def _merge(coefficients: Tensor, frequencies: Tensor) -> tuple[Tensor, Tensor]:
    _, inverse = torch.unique(torch.round(frequencies / SILENT), dim=0, return_inverse=True)
    size = int(inverse.max()) + 1
    merged = coefficients.new_zeros(size, coefficients.shape[1]).index_add(0, inverse, coefficients)
    places = frequencies.new_zeros(size, frequencies.shape[1])
    places[inverse] = frequencies
    heard = (merged.abs() > 1e-16).any(dim=1)
    heard[(places.abs() < SILENT).all(dim=1)] = True
    return merged[heard], places[heard]


def _dft(explained: Explained, degrees: list[int]) -> Spectrum:
    sizes = [2 * d + 1 for d in degrees]
    axes = [torch.arange(s, dtype=torch.float64) * (2 * math.pi / s) for s in sizes]
    grid = torch.cartesian_prod(*axes).reshape(-1, len(sizes))
    gates = explained.circuit.encoding_gates
    scales = torch.tensor([g.scale for g in gates], dtype=torch.float64)
    offsets = torch.tensor([g.offset for g in gates], dtype=torch.float64)
    values = explained.of_angles(grid[:, explained.gate_features] * scales + offsets).reshape(sizes)
    coefficients = torch.fft.fftn(values.to(torch.complex128)) / values.numel()
    numbers = [torch.fft.fftfreq(s, 1 / s, dtype=torch.float64) for s in sizes]
    frequencies = torch.cartesian_prod(*numbers).reshape(-1, len(sizes))
    merged, places = _merge(coefficients.reshape(-1, 1), frequencies)
    return Spectrum(merged[:, 0], places, "dft")


def _verify(explained: Explained, made: Spectrum) -> None:
    gates = explained.circuit.encoding_gates
    z = 2 * math.pi * torch.rand(explained.features, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    angles = torch.tensor([g.scale * z[g.feature] + g.offset for g in gates], dtype=torch.float64)
    exact = float(explained.of_angles(angles[None])[0])
    waves = torch.polar(torch.ones(()).double(), made.frequencies @ z)
    gap = abs(float((made.coefficients @ waves).real) - exact)
    if not gap < 1e-9 * max(1.0, explained.observable.norm):
        raise ConvergenceError("Fourier coefficients that reproduce the output", f"a gap of {gap:.1e}", "report it")
