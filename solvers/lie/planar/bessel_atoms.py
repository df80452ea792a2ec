"""Bessel functions times angular factors: solutions of Δv + κv = 0 around a point."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import sympy as sp
from numpy.polynomial import polynomial
from scipy.special import digamma, gamma, iv, jv, kv, yv

from solvers.lie.atoms import exact_number
from solvers.lie.planar.normal_form import Frame, Orders
from solvers.lie.planar.plane_atoms import PlaneAtoms, join_complex, split_complex

# C_s, its SymPy head, and the factors of (∂_X ± i∂_Y) C_s e^{isθ} = a_± k C_{s±1} e^{i(s±1)θ}
_FUNCTIONS: dict[str, tuple[Any, Any, float, float]] = {
    "J": (jv, sp.besselj, -1.0, 1.0),
    "Y": (yv, sp.bessely, -1.0, 1.0),
    "I": (iv, sp.besseli, 1.0, 1.0),
    "K": (kv, sp.besselk, -1.0, -1.0),
}


class BesselAtoms(PlaneAtoms):
    r"""C_s(k|z - c|) e^{isθ}, θ the angle from a direction d, C = J, Y (κ = k²) or I, K (κ = -k²).

    Separated in the rotation around c; J around a corner with s = mπ/ω meets homogeneous conditions on its sides
    (Fox, Henrici & Moler 1967), Y at points outside is a source (Gopal & Trefethen 2019, PNAS 116, 10223). "dJ" and
    "dI" are ∂_s of the solutions with J and I at whole s: θ J_0, r^n log r ..., for data that jump or bend.

    Args:
        frame: With κ ≠ 0.
        letter: "J", "Y", "I", "K", "dJ" or "dI".
        centres: c, (n,) complex.
        directions: d, (n,) complex of modulus 1.
        orders: s, (n,).
        scales: What f is divided by, (n,).
        function: As in `PlaneAtoms`.
        part: As in `PlaneAtoms`.
        name: What they are.
        generators: The symmetries.
    """

    kind = "plane bessel"

    def __init__(
        self,
        frame: Frame,
        letter: str,
        centres: np.ndarray,
        directions: np.ndarray,
        orders: np.ndarray,
        scales: np.ndarray,
        function: np.ndarray,
        part: np.ndarray,
        name: str,
        generators: Sequence[str] = (),
    ) -> None:
        super().__init__(frame, function, part, name, generators)
        self.letter, self.wavenumber = letter, float(np.sqrt(abs(frame.kappa)))
        self.centres, self.directions = np.asarray(centres, complex), np.asarray(directions, complex)
        self.orders, self.scales = np.asarray(orders, float), np.asarray(scales, float)

    def derivatives(self, z: np.ndarray, wanted: set[Orders]) -> dict[Orders, np.ndarray]:
        """∂_X = (D₊ + D₋)/2, ∂_Y = (D₊ - D₋)/2i, and D_± are ladders."""
        w = (z[:, None] - self.centres) / self.directions
        radius = np.maximum(np.abs(w), 1e-200)
        turn = np.where(w == 0, 1.0, w / radius)
        angle = np.angle(turn)
        ladder: dict[int, np.ndarray] = {}
        _, _, up, down = _FUNCTIONS[self.letter[-1]]
        found = {}
        for p, q in wanted:
            # coefficients of D₊^a D₋^{p+q-a}
            steps = polynomial.polymul(_power([0.5, 0.5], p), _power([0.5j, -0.5j], q))
            total = np.zeros(w.shape, dtype=complex)
            for a, factor in enumerate(steps):
                if factor:
                    b, shift = p + q - a, 2 * a - p - q
                    if shift not in ladder:
                        order = self.orders + shift
                        ladder[shift] = self._value(order, self.wavenumber * radius, angle)
                    total += factor * up**a * down**b * self.directions**shift * ladder[shift]
            found[p, q] = total * self.wavenumber ** (p + q) / self.scales
        return found

    def _value(self, order: np.ndarray, x: np.ndarray, angle: np.ndarray) -> np.ndarray:
        """C_s e^{isθ}, or its derivative in s."""
        value = _FUNCTIONS[self.letter[-1]][0](order, x)
        if self.letter[0] == "d":
            rate = np.stack([order_derivative(self.letter[1], int(n), x[:, j]) for j, n in enumerate(order)], axis=1)
            value = rate + 1j * angle * value
        return np.asarray(value * np.exp(1j * order * angle))

    def complex_formula(self, index: int, x: sp.Expr, y: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
        """C_s(kr) cos sθ and C_s(kr) sin sθ."""
        c, inverse = self.centres[index], 1 / self.directions[index]
        dx, dy = x - exact_number(c.real), y - exact_number(c.imag)
        a, b = exact_number(inverse.real), exact_number(inverse.imag)
        along, across = (dx, dy) if inverse == 1 else (a * dx - b * dy, b * dx + a * dy)
        order = float(self.orders[index])
        s = exact_number(order)
        radius, angle = exact_number(self.wavenumber) * sp.sqrt(dx**2 + dy**2), sp.atan2(across, along)
        scale = exact_number(self.scales[index])
        value = _FUNCTIONS[self.letter[-1]][1](s, radius) / scale
        if self.letter[0] != "d":
            return value * sp.cos(s * angle), value * sp.sin(s * angle)
        rate = _order_derivative_formula(self.letter[1], int(order), radius) / scale
        real, imaginary = rate, angle * value
        return (
            real * sp.cos(s * angle) - imaginary * sp.sin(s * angle),
            real * sp.sin(s * angle) + imaginary * sp.cos(s * angle),
        )

    def parameters(self, index: int) -> dict[str, Any]:
        """Centre and order."""
        j = self.function[index]
        c = self.frame.origin + np.linalg.solve(self.frame.stretch, [self.centres[j].real, self.centres[j].imag])
        return {"centre": c.tolist(), "order": float(self.orders[j]), "wavenumber": self.wavenumber}

    def take(self, keep: np.ndarray) -> BesselAtoms:
        """Some of them."""
        own = (self.letter, self.centres, self.directions, self.orders, self.scales)
        return BesselAtoms(self.frame, *own, self.function[keep], self.part[keep], self.name, self.generators)

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """All arrays."""
        meta, arrays = self._common()
        arrays |= {"orders": self.orders, "scales": self.scales}
        arrays |= split_complex(centres=self.centres, directions=self.directions)
        return {**meta, "letter": self.letter}, arrays

    @classmethod
    def from_state(cls, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> BesselAtoms:
        """Rebuild from `state()`."""
        own = (meta["letter"], join_complex(arrays, "centres"), join_complex(arrays, "directions"),
               arrays["orders"], arrays["scales"])  # fmt: skip
        frame = Frame.from_state(meta, arrays)
        return cls(frame, *own, arrays["function"], arrays["part"], meta["name"], meta["generators"])


def _power(factor: list, exponent: int) -> np.ndarray:
    result = np.array([1.0 + 0j])
    for _ in range(exponent):
        result = polynomial.polymul(result, factor)
    return np.asarray(result)


def order_derivative(letter: str, order: int, x: np.ndarray) -> np.ndarray:
    r"""∂_ν J_ν(x) or ∂_ν I_ν(x) at a whole order n, by the power series, or for large x by DLMF 10.15.3 and 10.38.

    Args:
        letter: "J" or "I".
        order: n.
        x: Positive arguments.

    Returns:
        The derivatives.

    Example:
        >>> x = np.array([0.5, 11.0])
        >>> np.allclose(order_derivative("J", 2, x), (jv(2 + 1e-6, x) - jv(2 - 1e-6, x)) / 2e-6, atol=1e-9)
        True
    """
    n, sign = abs(order), (-1.0) ** order
    if order < 0:  # from the definitions of Y and K as derivatives in the order
        positive = order_derivative(letter, n, x)
        return sign * (np.pi * yv(n, x) - positive) if letter == "J" else -positive - 2 * sign * kv(n, x)
    result = np.empty(len(x))
    low, high = x[x < 8.0], x[x >= 8.0]
    m = np.arange(40)
    terms = (-1.0 if letter == "J" else 1.0) ** m / (gamma(m + 1.0) * gamma(m + n + 1.0))
    squares = (low / 2) ** 2
    first, second = polynomial.polyval(squares, terms), polynomial.polyval(squares, terms * digamma(n + m + 1.0))
    result[x < 8.0] = (low / 2) ** n * (np.log(low / 2) * first - second)
    function, other, alternate = (
        (jv, np.pi / 2 * yv(n, high), 1.0) if letter == "J" else (iv, -sign * kv(n, high), -1.0)
    )
    for k in range(n if len(high) else 0):
        factor = alternate ** (n - k) * gamma(n + 1.0) / (2 * gamma(k + 1.0) * (n - k))
        other = other + factor * (high / 2) ** (k - n) * function(k, high)
    result[x >= 8.0] = other
    return result


def _order_derivative_formula(letter: str, n: int, x: sp.Expr) -> sp.Expr:
    function, alternate = (sp.besselj, 1) if letter == "J" else (sp.besseli, -1)
    other = sp.pi / 2 * sp.bessely(n, x) if letter == "J" else (-1) ** (n + 1) * sp.besselk(n, x)
    finite = [
        alternate ** (n - k) * sp.factorial(n) / (2 * sp.factorial(k) * (n - k)) * (x / 2) ** (k - n) * function(k, x)
        for k in range(n)
    ]
    return other + sp.Add(*finite)
