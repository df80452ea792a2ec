"""Sums of products X_m(x) Y_n(y) T_mn(t): the part of a solution that stems from one initial datum."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import sympy as sp

from solvers.lie.atoms import Atoms, Needed, exact_number
from solvers.lie.formulas import long_product, long_sum


class TensorAtoms(Atoms):
    r"""e^{α·(x - o)} Σ c_mn X_m(x) Y_n(y) T_mn(t), X'' = -μ X: separated in two coordinates and time.

    T solves T_2 T'' + T_1 T' + K_mn T = 0 (or T_1 T' + K_mn T = 0) and starts with (1, 0) for a displacement, (0, 1)
    for a velocity (Courant & Hilbert 1953, section V.5).

    Args:
        drift: α, (2,).
        origin: o and the start of time, (3,).
        axes: Per axis (M, 3): μ, p, q with X = p c(x) + q s(x), c and s the cosine and sine of `sturm_liouville`.
        clocks: (2, M, N): γ and K/T_2, so that T'' + 2γT' + (K/T_2) T = 0; at first order γ is not used and
            T' + K T = 0.
        order: 1 or 2.
        coefficients: (n, M, N).
        velocity: Whether atom j starts with a velocity, (n,).
        name: What they are.
        generators: The symmetries.
    """

    kind = "tensor"

    def __init__(
        self,
        drift: np.ndarray,
        origin: np.ndarray,
        axes: tuple[np.ndarray, np.ndarray],
        clocks: np.ndarray,
        order: int,
        coefficients: np.ndarray,
        velocity: np.ndarray,
        name: str = "product of modes",
        generators: Sequence[str] = (),
    ) -> None:
        self.drift, self.origin, self.axes, self.clocks, self.order = drift, origin, axes, clocks, order
        self.coefficients, self.velocity = coefficients, velocity
        self.name, self.generators = name, tuple(generators)

    def __len__(self) -> int:
        """How many."""
        return len(self.coefficients)

    def jets(self, points: np.ndarray, needed: Needed) -> np.ndarray:
        """One table of clocks for each time that occurs."""
        result = np.zeros((len(points), len(needed), len(self)))
        tables = [{order: axis_table(self.axes[i], points[:, i] - self.origin[i], order, self.drift[i])
                   for order in {orders[i] for _, orders in needed}} for i in range(2)]  # fmt: skip
        times, index = np.unique(points[:, 2] - self.origin[2], return_inverse=True)
        for number, time in enumerate(times):
            rows = np.flatnonzero(index == number)
            for q in {orders[2] for _, orders in needed}:
                for j in range(len(self)):
                    weights = self.coefficients[j] * self.clock(time, q, bool(self.velocity[j]))
                    for column, (_, (a, b, c)) in enumerate(needed):
                        if c == q:
                            left = tables[0][a][rows] @ weights
                            result[rows, column, j] = (left * tables[1][b][rows]).sum(axis=1)
        return result

    def clock(self, time: float, order: int, velocity: bool) -> np.ndarray:
        """T_mn or a derivative of it at a time, (M, N)."""
        gamma, stiffness = self.clocks
        if self.order == 1:
            return np.asarray((-stiffness) ** order * np.exp(-stiffness * time))
        omega = np.sqrt((stiffness - gamma**2).astype(complex))
        safe = np.where(omega == 0, 1.0, omega)
        sine = np.where(omega == 0, time, np.sin(safe * time) / safe)
        decay = np.exp(-gamma * time)
        pulse, rise = np.real(decay * sine), np.real(decay * (np.cos(omega * time) - gamma * sine))
        # S, S' then S^(k+2) = -2γ S^(k+1) - K S^(k); the displacement is T = S' + 2γ S
        found = [pulse, rise]
        while len(found) < order + 2:
            found.append(-2 * gamma * found[-1] - stiffness * found[-2])
        return found[order] if velocity else found[order + 1] + 2 * gamma * found[order]

    def formula(self, index: int, coordinates: Sequence[sp.Symbol]) -> tuple[sp.Expr, ...]:
        """The terms that count, in sines and cosines."""
        x, y, t = (s - exact_number(o) if o else s for s, o in zip(coordinates, self.origin, strict=True))
        size, total = np.abs(self.coefficients[index]).max(initial=0.0), []
        for m, n in np.argwhere(np.abs(self.coefficients[index]) > 1e-15 * size):
            clock = self._clock_formula(int(m), int(n), t, bool(self.velocity[index]))
            shape = _mode_formula(self.axes[0][m], x) * _mode_formula(self.axes[1][n], y)
            total.append(long_product(exact_number(self.coefficients[index, m, n]), shape, clock))
        growth = sp.exp(sp.Add(*[exact_number(a) * s for a, s in zip(self.drift, (x, y), strict=True) if a]))
        return (long_product(growth, long_sum(total)),)

    def _clock_formula(self, m: int, n: int, t: sp.Expr, velocity: bool) -> sp.Expr:
        gamma, stiffness = float(self.clocks[0, m, n]), float(self.clocks[1, m, n])
        if self.order == 1:
            return sp.exp(-exact_number(stiffness) * t)
        square = stiffness - gamma**2
        omega, g = exact_number(math.sqrt(abs(square))), exact_number(gamma)
        cosine, sine = (
            (sp.cos(omega * t), sp.sin(omega * t)) if square >= 0 else (sp.cosh(omega * t), sp.sinh(omega * t))
        )
        pulse = sine / omega if square else t
        return sp.exp(-g * t) * (pulse if velocity else cosine + g * pulse)

    def parameters(self, index: int) -> dict[str, Any]:
        """How many products, and of which datum."""
        return {"products": int(np.count_nonzero(self.coefficients[index])), "velocity": bool(self.velocity[index])}

    def take(self, keep: np.ndarray) -> TensorAtoms:
        """Some of them."""
        own = (self.coefficients[keep], self.velocity[keep], self.name, self.generators)
        return TensorAtoms(self.drift, self.origin, self.axes, self.clocks, self.order, *own)

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """All arrays."""
        arrays = {"drift": self.drift, "origin": self.origin, "first": self.axes[0], "second": self.axes[1],
                  "clocks": self.clocks, "coefficients": self.coefficients, "velocity": self.velocity}  # fmt: skip
        return {"name": self.name, "generators": list(self.generators), "order": self.order}, arrays

    @classmethod
    def from_state(cls, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> TensorAtoms:
        """Rebuild from `state()`."""
        axes = (arrays["first"], arrays["second"])
        own = (arrays["clocks"], int(meta["order"]), arrays["coefficients"], arrays["velocity"])
        return cls(arrays["drift"], arrays["origin"], axes, *own, meta["name"], meta["generators"])


def axis_table(axis: np.ndarray, y: np.ndarray, order: int = 0, drift: float = 0.0) -> np.ndarray:
    """(d/dy)^order of e^{αy} X_m(y), (N, M)."""
    known, back = np.unique(y, return_inverse=True)
    if 2 * len(known) < len(y):  # points of a product grid
        return axis_table(axis, known, order, drift)[back]
    mu, p, q = axis.T
    kappa = np.sqrt(mu.astype(complex))
    safe = np.where(kappa == 0, 1.0, kappa)
    turn = np.multiply.outer(y, kappa)
    cosine, sine = np.cos(turn), np.where(kappa == 0, y[:, None], np.sin(turn) / safe)
    value, slope = np.real(p * cosine + q * sine), np.real(-mu * p * sine + q * cosine)
    derivatives = [value, slope]
    while len(derivatives) <= order:
        derivatives.append(-mu * derivatives[-2])
    total = sum(math.comb(order, m) * drift ** (order - m) * derivatives[m] for m in range(order + 1))
    return np.asarray(np.exp(drift * y)[:, None] * total)


def _mode_formula(mode: np.ndarray, y: sp.Expr) -> sp.Expr:
    mu, p, q = (float(v) for v in mode)
    if not mu:
        return exact_number(p) + exact_number(q) * y
    kappa = exact_number(math.sqrt(abs(mu)))
    cosine, sine = (sp.cos, sp.sin) if mu > 0 else (sp.cosh, sp.sinh)
    return exact_number(p) * cosine(kappa * y) + exact_number(q) * sine(kappa * y) / kappa
