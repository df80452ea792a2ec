"""Sums of products of a Bessel function of the radius, e^{inθ} and e^{λt}: separated in polar coordinates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import sympy as sp
from numpy.polynomial.chebyshev import chebval
from scipy.special import gammaln, jv, jve

from solvers.lie.atoms import Atoms, Needed, exact_number
from solvers.lie.formulas import long_product, long_sum
from solvers.lie.polar.bessel_table import bessel_j

_CHUNK = 8192


class PolarAtoms(Atoms):
    r"""Re Σ_k c_k B_{n_k}(κ_k, r) e^{i n_k θ} e^{λ_k (t - t0)}, B_n(κ, r) = n! (2/κ)^n J_n(κr), r^n for κ = 0.

    ΔB_n e^{inθ} = -κ² B_n e^{inθ}, and derivatives stay in the family (Watson 1922, section 2.12):
    (∂_x + i∂_y) B_n e^{inθ} = -κ²/(2n + 2) B_{n+1} e^{i(n+1)θ} and (∂_x - i∂_y) B_n e^{inθ} = 2n B_{n-1} e^{i(n-1)θ}.

    Args:
        place: Centre, start of time, radius of the disk, (4,).
        orders: n >= 0, (K,), sorted.
        waves: κ, (K,) complex.
        rates: λ, (K,) complex.
        amplitudes: c, (K,) complex.
        name: What they are.
        generators: The symmetries.
    """

    kind = "polar"

    def __init__(
        self,
        place: np.ndarray,
        orders: np.ndarray,
        waves: np.ndarray,
        rates: np.ndarray,
        amplitudes: np.ndarray,
        name: str = "sum of Bessel functions",
        generators: Sequence[str] = (),
    ) -> None:
        self.place, self.orders = place, orders
        self.waves, self.rates, self.amplitudes = (np.asarray(a, dtype=complex) for a in (waves, rates, amplitudes))
        self.name, self.generators = name, tuple(generators)

    def __len__(self) -> int:
        """One sum."""
        return 1

    def jets(self, points: np.ndarray, needed: Needed) -> np.ndarray:
        """Order by order: the radial sums times e^{inθ}."""
        result = np.zeros((len(points), len(needed), 1))
        x, y, t = (points - self.place[:3]).T
        angle, table = np.arctan2(y, x), RadialSums(np.hypot(x, y), t, self.place[3])
        for order in np.unique(self.orders):
            own = self.orders == order
            wave, rate, amplitude = self.waves[own], self.rates[own], self.amplitudes[own]
            shifted: dict[int, list[tuple[int, np.ndarray]]] = {}
            for column, (_, (a, b, c)) in enumerate(needed):
                for turned, factor in _derivative(int(order), wave, a, b).items():
                    shifted.setdefault(turned, []).append((column, factor * amplitude * rate**c))
            for turned, parts in shifted.items():
                columns, factors = [column for column, _ in parts], np.column_stack([factor for _, factor in parts])
                turn = np.exp(1j * turned * angle)
                result[:, columns, 0] += (turn[:, None] * table.sums(abs(turned), wave, rate, factors)).real
        return result

    def formula(self, index: int, coordinates: Sequence[sp.Symbol]) -> tuple[sp.Expr, ...]:
        """With Bessel functions and polar coordinates, in real numbers where κ² is real."""
        x, y, t = (s - exact_number(o) for s, o in zip(coordinates, self.place, strict=False))
        polar = sp.sqrt(x**2 + y**2), sp.atan2(y, x), t
        return (
            long_sum(
                _product_formula(n, complex(wave), complex(rate), complex(c), polar)
                for n, wave, rate, c in zip(self.orders.tolist(), self.waves, self.rates, self.amplitudes, strict=True)
            ),
        )

    def parameters(self, index: int) -> dict[str, Any]:
        """How many products, and the highest angular order."""
        return {"products": len(self.orders), "highest order": int(self.orders.max(initial=0))}

    def take(self, keep: np.ndarray) -> PolarAtoms:
        """The sum, or nothing of it."""
        rest = slice(None) if len(keep) else slice(0)
        own = (self.orders[rest], self.waves[rest], self.rates[rest], self.amplitudes[rest])
        return PolarAtoms(self.place, *own, self.name, self.generators)

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """All arrays."""
        arrays = {"place": self.place, "orders": self.orders.astype(np.int64)}
        for name, array in (("waves", self.waves), ("rates", self.rates), ("amplitudes", self.amplitudes)):
            arrays |= {f"{name}.re": array.real.copy(), f"{name}.im": array.imag.copy()}
        return {"name": self.name, "generators": list(self.generators)}, arrays

    @classmethod
    def from_state(cls, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> PolarAtoms:
        """Rebuild from `state()`."""
        waves, rates, amplitudes = (
            arrays[f"{name}.re"] + 1j * arrays[f"{name}.im"] for name in ("waves", "rates", "amplitudes")
        )
        return cls(arrays["place"], arrays["orders"], waves, rates, amplitudes, meta["name"], meta["generators"])


def _product_formula(
    n: int, wave: complex, rate: complex, amplitude: complex, polar: tuple[sp.Expr, sp.Expr, sp.Expr]
) -> sp.Expr:
    """Re c B_n(κ, r) e^{inθ} e^{λt}, I_n for an imaginary κ."""
    radius, angle, time = polar
    a, b, grow, turn = (exact_number(v) for v in (amplitude.real, amplitude.imag, rate.real, rate.imag))
    growth = [sp.exp(long_product(grow, time), evaluate=False)] if rate.real else []
    phase = long_sum(long_product(k, s) for k, s in ((sp.Integer(n), angle), (turn, time)) if k)
    if wave.real and wave.imag:
        kappa = exact_number(wave.real) + sp.I * exact_number(wave.imag)
        shape = sp.besselj(n, long_product(kappa, radius), evaluate=False)
        factor = sp.factorial(n) * (2 / kappa) ** n * (a + sp.I * b)
        return long_product(sp.re(long_product(factor, shape, sp.exp(sp.I * phase)), evaluate=False), *growth)
    swing = long_sum(
        long_product(factor, function(phase, evaluate=False) if phase else function(phase))
        for factor, function in ((a, sp.cos), (-b, sp.sin)) if factor
    )  # fmt: skip
    kappa, bessel = exact_number(abs(wave)), sp.besseli if wave.imag else sp.besselj
    factor = sp.factorial(n) * (2 / kappa) ** n if wave else sp.S.One
    shape = bessel(n, long_product(kappa, radius), evaluate=False) if wave else radius**n
    return long_product(factor, shape, swing, *growth)


def radial(order: int, wave: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """B_n(κ, r) = n! (2/κ)^n J_n(κr), without overflow.

    Args:
        order: n >= 0.
        wave: κ, (K,) complex.
        radius: r, (N,).

    Returns:
        (N, K) complex.

    Example:
        >>> complex(radial(2, np.array([1e-4 + 0j]), np.array([0.5]))[0, 0]).real
        0.24999999...
    """
    known, back = np.unique(wave.real + 1j * np.abs(wave.imag), return_inverse=True)
    if len(known) < len(wave):  # both rates of a wave share its shape, as do conjugate waves
        shared = radial(order, known, radius)[:, back]
        return np.where(wave.imag < 0, shared.conj(), shared)
    real = wave.imag == 0
    tall = real & (wave.real * radius.max(initial=0.0) >= max(order, 1))  # reaches values that are not small
    values = np.empty((len(radius), len(wave)), dtype=complex)
    values[:, tall] = bessel_j(order, np.outer(radius, wave[tall].real)) * _factor(order, wave[tall].real)
    for part, own in ((real & ~tall, wave.real), (~real, wave)):
        if part.any():
            values[:, part] = _radial(order, own[part], radius)
    return values


def _factor(order: int, wave: np.ndarray) -> np.ndarray:
    """The factor n! (2/κ)^n, 1 for κ = 0."""
    return np.asarray(np.exp(gammaln(order + 1) + order * np.log(2 / np.where(wave == 0, 2.0, wave))))


def _radial(order: int, wave: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """B_n to its relative precision, for waves that are all real, or all complex."""
    argument = np.outer(radius, wave)
    small, real = np.abs(argument) ** 2 < max(4, 2 * (order + 1)), wave.dtype == float
    values = np.zeros(argument.shape, dtype=wave.dtype)
    # the complex routine gives NaN at some real zeros
    values[~small] = jv(order, argument[~small]) if real else jve(order, argument[~small])
    values *= _factor(order, wave) if real else _factor(order, wave) * np.exp(np.abs(argument.imag))
    square = -(argument[small] ** 2) / 4
    term = np.ones_like(square)
    series = term.copy()
    for j in range(1, 18):  # r^n Σ_j n! (-κ²r²/4)^j/(j! (n + j)!), term j below 2^{-j}/j! (1/j!² for n = 0)
        term = term * square / (j * (order + j))
        series += term
    values[small] = series * np.broadcast_to((radius**order)[:, None], argument.shape)[small]
    return values


class RadialSums:
    """Σ_k f_k B_n(κ_k, r) e^{λ_k t} at many (r, t), from few Bessel functions.

    On a rim all radii are equal, at the start all times. Many radii are interpolated from Chebyshev points of [0, R].

    Args:
        radius: r in [0, R], (N,).
        time: t, (N,).
        largest: R.
    """

    def __init__(self, radius: np.ndarray, time: np.ndarray, largest: float) -> None:
        self.largest = largest
        self.radii, of_radius = np.unique(radius, return_inverse=True)
        self.times, of_time = np.unique(time, return_inverse=True)
        pairs, self.of_pair = np.unique(of_radius * len(self.times) + of_time, return_inverse=True)
        self.of_radius, self.of_time = pairs // max(len(self.times), 1), pairs % max(len(self.times), 1)
        self._scaled = np.clip(2 * self.radii / largest - 1, -1.0, 1.0)

    def sums(self, order: int, wave: np.ndarray, rate: np.ndarray, factors: np.ndarray) -> np.ndarray:
        """The sums for several factors.

        Args:
            order: n.
            wave: κ, (K,).
            rate: λ, (K,).
            factors: f, (K, m).

        Returns:
            (N, m) complex.

        Example:
            >>> sums = RadialSums(np.array([0.0, 1.0]), np.array([0.0, 2.0]), 1.0)
            >>> sums.sums(0, np.array([0j]), np.array([-1.0]), np.array([[3.0]])).real.ravel().round(6)
            array([3.      , 0.406006])
        """
        table, expanded = self._table(order, wave)
        if len(self.times) == 1:
            summed = table @ (np.exp(self.times[0] * rate)[:, None] * factors)
            return np.asarray((chebval(self._scaled, summed).T if expanded else summed)[self.of_radius][self.of_pair])
        result = np.empty((len(self.of_time), factors.shape[1]), dtype=complex)
        for low in range(0, len(result), _CHUNK):
            piece = slice(low, low + _CHUNK)
            own = self.of_radius[piece]
            shape = _chebyshev_sum(self._scaled[own], table) if expanded else table[own]
            result[piece] = (shape * np.exp(np.outer(self.times[self.of_time[piece]], rate))) @ factors
        return result[self.of_pair]

    def _table(self, order: int, wave: np.ndarray) -> tuple[np.ndarray, bool]:
        """B_n at the radii, or, where they are many, Chebyshev coefficients of it; and whether it is these."""
        counts = (0.6 * np.abs(wave) * self.largest).astype(int) + order // 2 + 32
        count = int(counts.max(initial=0))
        if len(self.radii) <= 2 * count:
            return radial(order, wave, self.radii), False
        table, slow = np.zeros((count, len(wave)), dtype=complex), counts <= count // 3
        for own in (slow, ~slow):
            fewer = int(counts[own].max(initial=1))
            angles = np.pi * (np.arange(fewer) + 0.5) / fewer
            transform = np.cos(np.outer(np.arange(fewer), angles)) * 2 / fewer
            transform[0] /= 2
            table[:fewer, own] = transform @ radial(order, wave[own], self.largest / 2 * (1 + np.cos(angles)))
        return table, True


def _chebyshev_sum(places: np.ndarray, series: np.ndarray) -> np.ndarray:
    basis = np.cos(np.outer(np.arccos(places), np.arange(len(series))))
    return np.asarray(basis @ series.real + 1j * (basis @ series.imag))


def _derivative(order: int, wave: np.ndarray, a: int, b: int) -> dict[int, np.ndarray]:
    """∂_x^a ∂_y^b of B_n e^{inθ}: factor by new order, negative ones for e^{-i|n|θ}."""
    known = {order: np.ones(len(wave), dtype=complex)}
    for sign in [1.0] * a + [-1.0] * b:
        following: dict[int, np.ndarray] = {}
        for n, factor in known.items():
            up = factor * (-(wave**2) / (2 * (n + 1)) if n >= 0 else -2.0 * n)  # ∂_x + i∂_y: e^{inθ} to e^{i(n+1)θ}
            down = factor * (2.0 * n if n > 0 else -(wave**2) / (2 * (1 - n)))  # ∂_x - i∂_y
            half = (up / 2, down / 2) if sign > 0 else (up / 2j, -down / 2j)
            for new, part in zip((n + 1, n - 1), half, strict=True):
                following[new] = following.get(new, 0.0) + part
        known = following
    return known
