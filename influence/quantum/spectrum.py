"""Fourier coefficients of circuits: f(z) = Σ_ω c_ω e^{iω·z}, a finite sum (Schuld et al. 2020, arXiv 2008.08605)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from sciml.errors import ConvergenceError, SolverError
from sciml.quantum import EncodingGate

if TYPE_CHECKING:
    from influence.quantum.explained import Explained

SILENT = 1e-9  # frequencies below count as zero
MAXIMUM_EVALUATIONS = 2**21
_SIMPLE = 64  # largest denominator in ratios of scales


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

    By a discrete Fourier transform on Π_j (2Σ|s|/u_j+1) points, with u_j = 1 for integer scales ("dft") or the unit of
    which all scales of a feature are multiples ("rescaled"), or on 3 values of every gate angle ("angles"), where
    equal frequencies are merged; the cheapest that applies.

    Args:
        explained: The model.
        route: "auto", "dft", "rescaled" or "angles".

    Returns:
        The spectrum.

    Raises:
        SolverError: If the scales do not fit the route, or too many points are needed.
        ConvergenceError: If the sum does not reproduce f at a random point.
    """
    inside = explained.cone.encoding_inside
    costs, units = _costs(explained)
    if route == "auto":
        route = min(costs, key=lambda name: costs[name])
    elif route not in costs:
        gates = [explained.circuit.encoding_gates[k] for k in inside]
        bad = ", ".join(dict.fromkeys(g.label for g in gates if route == "rescaled" or not float(g.scale).is_integer()))
        wanted = "integer scales" if route == "dft" else "scales with a common unit for each feature"
        raise SolverError(f"{wanted} on the Fourier route {route}", bad, 'route="angles" takes any scale')
    if costs[route] > MAXIMUM_EVALUATIONS:
        raise SolverError(
            f"at most {MAXIMUM_EVALUATIONS} evaluations for Fourier coefficients",
            f"{costs[route]:.3g} for {len(inside)} encoding gates in the light cone",
            "a reference point, sampled_shapley or shapley_shots",
        )
    made = _by_angles(explained) if route == "angles" else _dft(explained, units[route], route)
    _verify(explained, made)
    return made


def _costs(explained: Explained) -> tuple[dict[str, float], dict[str, list[float]]]:
    """Evaluations of the routes that apply, and the units of the grids."""
    inside = explained.cone.encoding_inside
    gates = [explained.circuit.encoding_gates[k] for k in inside]
    scales = [[abs(g.scale) for g in gates if g.feature == j] for j in range(explained.features)]
    units: dict[str, list[float]] = {}
    if all(float(s).is_integer() for own in scales for s in own):
        units["dft"] = [1.0] * explained.features
    common = [_unit(own) for own in scales]
    if all(unit is not None for unit in common):
        units["rescaled"] = [unit for unit in common if unit is not None]
    costs = {name: math.prod(2.0 * round(sum(own) / u) + 1 for own, u in zip(scales, chosen, strict=True))
             for name, chosen in units.items()}  # fmt: skip
    return costs | {"angles": 3.0 ** len(inside)}, units


def _unit(scales: Sequence[float]) -> float | None:
    """The largest number of which all scales are whole multiples, None if there is no simple one."""
    if not scales:
        return 1.0
    ratios = [Fraction(s / scales[0]).limit_denominator(_SIMPLE) for s in scales]
    if any(abs(float(r) * scales[0] / s - 1) > 1e-12 for r, s in zip(ratios, scales, strict=True)):
        return None
    below = math.lcm(*(r.denominator for r in ratios))
    return scales[0] * math.gcd(*(int(r * below) for r in ratios)) / below


def _by_angles(explained: Explained) -> Spectrum:
    gates, inside = explained.circuit.encoding_gates, list(explained.cone.encoding_inside)
    base = torch.zeros(len(gates), dtype=torch.float64)

    def value(angles: Tensor) -> Tensor:
        whole = base.expand(len(angles), -1).clone()
        whole[:, inside] = angles
        return explained.of_angles(whole)[:, None]

    coefficients, frequencies = angle_spectrum(value, [gates[k] for k in inside], explained.features)
    return Spectrum(coefficients[:, 0], frequencies, "angles")


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


def _dft(explained: Explained, units: Sequence[float], route: str) -> Spectrum:
    gates = explained.circuit.encoding_gates
    degrees = [0.0] * explained.features
    for k in explained.cone.encoding_inside:
        degrees[gates[k].feature] += abs(gates[k].scale) / units[gates[k].feature]
    sizes = [2 * round(d) + 1 for d in degrees]
    axes = [torch.arange(s, dtype=torch.float64) * (2 * math.pi / (s * u)) for s, u in zip(sizes, units, strict=True)]
    grid = torch.cartesian_prod(*axes).reshape(-1, len(sizes))
    scales = torch.tensor([g.scale for g in gates], dtype=torch.float64)
    offsets = torch.tensor([g.offset for g in gates], dtype=torch.float64)
    values = explained.of_angles(grid[:, explained.gate_features] * scales + offsets).reshape(sizes)
    coefficients = torch.fft.fftn(values.to(torch.complex128)) / values.numel()
    numbers = [torch.fft.fftfreq(s, 1 / s, dtype=torch.float64) * u for s, u in zip(sizes, units, strict=True)]
    frequencies = torch.cartesian_prod(*numbers).reshape(-1, len(sizes))
    merged, places = _merge(coefficients.reshape(-1, 1), frequencies)
    return Spectrum(merged[:, 0], places, route)


def _verify(explained: Explained, made: Spectrum) -> None:
    gates = explained.circuit.encoding_gates
    z = 2 * math.pi * torch.rand(explained.features, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    angles = torch.tensor([g.scale * z[g.feature] + g.offset for g in gates], dtype=torch.float64)
    exact = float(explained.of_angles(angles[None])[0])
    waves = torch.polar(torch.ones(()).double(), made.frequencies @ z)
    gap = abs(float((made.coefficients @ waves).real) - exact)
    if not gap < 1e-9 * max(1.0, explained.observable.norm):
        raise ConvergenceError("Fourier coefficients that reproduce the output", f"a gap of {gap:.1e}", "report it")
