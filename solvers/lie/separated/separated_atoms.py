"""Separated atoms: Re ρ(x) ψ(x) e^{λt} with ψ a Chebyshev series."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import sympy as sp

from solvers.lie.atoms import Atoms, Needed, exact_number
from solvers.lie.spectral_atoms import chebyshev_table


class SeparatedAtoms(Atoms):
    r"""Re e^{r(x)} ψ_j(x) e^{λ_j (t - s_j)}: invariant under ∂_t - λ u ∂_u; ψ solves the reduced ODE to rounding.

    Args:
        interval: Range of x.
        weight: Chebyshev series of r.
        series: Chebyshev series of ψ_j, (n, c) complex.
        rates: λ, (n,) complex.
        starts: s, (n,).
        residuals: Largest relative residual of the equation of each, (n,).
        name: What they are.
        generators: The symmetries.
    """

    kind = "separated"

    def __init__(
        self,
        interval: tuple[float, float],
        weight: np.ndarray,
        series: np.ndarray,
        rates: np.ndarray,
        starts: np.ndarray,
        residuals: np.ndarray,
        name: str,
        generators: Sequence[str] = (),
    ) -> None:
        self.interval, self.weight, self.series = (float(interval[0]), float(interval[1])), weight, series
        self.rates, self.starts, self.residuals = rates, starts, residuals
        self.name, self.generators = name, tuple(generators)

    def __len__(self) -> int:
        """How many."""
        return len(self.rates)

    def jets(self, points: np.ndarray, needed: Needed) -> np.ndarray:
        """Leibniz's rule for e^r ψ; λ^q for the time."""
        x, t = points[:, 0], points[:, 1]
        most = max(orders[0] for _, orders in needed)
        parts = space_parts(self.interval, self.weight, self.series, x, most)
        clock = np.exp(np.multiply.outer(t, self.rates) - self.rates * self.starts)
        result = np.zeros((len(points), len(needed), len(self)))
        for column, (_, (p, q)) in enumerate(needed):
            result[:, column] = np.real(parts[p] * clock * self.rates**q)
        return result

    def formula(self, index: int, coordinates: Sequence[sp.Symbol]) -> tuple[sp.Expr, ...]:
        """Chebyshev polynomials as cos(n arccos ξ)."""
        x, t = coordinates
        low, high = (exact_number(v) for v in self.interval)
        angle = sp.acos((2 * x - low - high) / (high - low))

        def summed(series: np.ndarray) -> sp.Expr:
            size = np.abs(series).max(initial=0.0)
            return sp.Add(*[exact_number(c) * sp.cos(k * angle) for k, c in enumerate(series) if abs(c) > 1e-17 * size])

        rate = self.rates[index]
        clock = t - exact_number(self.starts[index]) if self.starts[index] else t
        turn, grow = exact_number(rate.imag) * clock, exact_number(rate.real) * clock
        real, imaginary = summed(self.series[index].real), summed(self.series[index].imag)
        return (sp.exp(summed(self.weight) + grow) * (real * sp.cos(turn) - imaginary * sp.sin(turn)),)

    def parameters(self, index: int) -> dict[str, Any]:
        """λ and the residual."""
        rate = complex(self.rates[index])
        return {"rate": rate.real if not rate.imag else rate, "residual": float(self.residuals[index])}

    def take(self, keep: np.ndarray) -> SeparatedAtoms:
        """Some of them."""
        parts = (self.series[keep], self.rates[keep], self.starts[keep], self.residuals[keep])
        return SeparatedAtoms(self.interval, self.weight, *parts, self.name, self.generators)

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """All arrays."""
        arrays = {"weight": self.weight, "starts": self.starts, "residuals": self.residuals}
        arrays |= {"interval": np.array(self.interval)}
        for name, array in (("series", self.series), ("rates", self.rates)):
            arrays |= {f"{name}.re": array.real.copy(), f"{name}.im": array.imag.copy()}
        return {"name": self.name, "generators": list(self.generators)}, arrays

    @classmethod
    def from_state(cls, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> SeparatedAtoms:
        """Rebuild from `state()`."""
        series, rates = (arrays[f"{name}.re"] + 1j * arrays[f"{name}.im"] for name in ("series", "rates"))
        a, b = arrays["interval"]
        parts = (series, rates, arrays["starts"], arrays["residuals"])
        return cls((float(a), float(b)), arrays["weight"], *parts, meta["name"], meta["generators"])


def space_parts(
    interval: tuple[float, float], weight: np.ndarray, series: np.ndarray, x: np.ndarray, most: int
) -> list[np.ndarray]:
    """Derivatives of e^r ψ_j by Leibniz's rule.

    Args:
        interval: Range of x.
        weight: Chebyshev series of r.
        series: Chebyshev series of ψ_j, (n, c).
        x: Points, (N,).
        most: Highest order.

    Returns:
        most + 1 arrays (N, n).
    """
    rates = [chebyshev_table(x, *interval, len(weight), m) @ weight for m in range(most + 1)]
    growth = [np.exp(rates[0])]
    for m in range(most):  # (e^r)^(m+1) = Σ binom(m, i) r^(i+1) (e^r)^(m-i)
        growth.append(sum((math.comb(m, i) * rates[i + 1] * growth[m - i] for i in range(m + 1)), np.zeros(len(x))))
    shapes = [chebyshev_table(x, *interval, series.shape[1], m) @ series.T for m in range(most + 1)]
    return [
        sum((math.comb(p, m) * growth[p - m][:, None] * shapes[m] for m in range(p + 1)), np.zeros((1, 1)))
        for p in range(most + 1)
    ]
