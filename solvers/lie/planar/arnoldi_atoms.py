"""Polynomials in z or 1/z, orthogonal on the boundary: Vandermonde with Arnoldi."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import mpmath
import numpy as np
import sympy as sp

from solvers.lie.planar.normal_form import Frame, Orders
from solvers.lie.planar.plane_atoms import PlaneAtoms, join_complex, polar, split_complex


def arnoldi(w: np.ndarray, degree: int) -> np.ndarray:
    """Recurrence of polynomials that are orthonormal in the mean over w (Brubeck, Nakatsukasa & Trefethen 2021).

    Args:
        w: Points, (M,) complex.
        degree: n.

    Returns:
        H, (n + 1, n) complex: w q_k = Σ_{j <= k + 1} H_jk q_j, q_0 = 1.

    Example:
        >>> circle = np.exp(2j * np.pi * np.arange(32) / 32)
        >>> np.abs(np.diag(arnoldi(circle, 4), -1)).round(12)
        array([1., 1., 1., 1.])
    """
    basis = np.zeros((len(w), degree + 1), dtype=complex)
    basis[:, 0] = 1.0
    h = np.zeros((degree + 1, degree), dtype=complex)
    for k in range(degree):
        v = w * basis[:, k]
        for _ in range(2):  # twice is enough
            part = basis[:, : k + 1].conj().T @ v / len(w)
            v = v - basis[:, : k + 1] @ part
            h[: k + 1, k] += part
        h[k + 1, k] = np.linalg.norm(v) / np.sqrt(len(w))
        basis[:, k + 1] = v / h[k + 1, k]
    return h


class ArnoldiAtoms(PlaneAtoms):
    r"""Polynomials q_k in w = (z - c)/d, or in w = d/(z - c): harmonic.

    Args:
        frame: With κ = 0.
        recurrence: H.
        centre: c.
        scale: d.
        inverse: Whether w = d/(z - c).
        function: As in `PlaneAtoms`.
        part: As in `PlaneAtoms`.
        name: What they are.
        generators: The symmetries.
    """

    kind = "plane polynomial"

    def __init__(
        self,
        frame: Frame,
        recurrence: np.ndarray,
        centre: complex,
        scale: float,
        inverse: bool,
        function: np.ndarray,
        part: np.ndarray,
        name: str,
        generators: Sequence[str] = (),
    ) -> None:
        super().__init__(frame, function, part, name, generators)
        self.recurrence, self.centre, self.scale, self.inverse = recurrence, complex(centre), float(scale), inverse
        self._monomials: list[list[Any]] = [[mpmath.mpc(1)]]

    def derivatives(self, z: np.ndarray, wanted: set[Orders]) -> dict[Orders, np.ndarray]:
        """The recurrence differentiated m times, and the chain rule for w(z)."""
        most = max(p + q for p, q in wanted)
        w = self.scale / (z - self.centre) if self.inverse else (z - self.centre) / self.scale
        table = self._table(w, most)
        if self.inverse:
            analytic = [table[0]]
            step = (-(w**2) / self.scale)[:, None]
            if most >= 1:
                analytic.append(step * table[1])
            if most >= 2:
                analytic.append(step**2 * table[2] + (2 * w**3 / self.scale**2)[:, None] * table[1])
            if most >= 3:
                raise NotImplementedError("third derivatives of Laurent polynomials")
        else:
            analytic = [table[m] / self.scale**m for m in range(most + 1)]
        return {(p, q): 1j**q * analytic[p + q] for p, q in wanted}

    def _table(self, w: np.ndarray, most: int) -> np.ndarray:
        degree = self.recurrence.shape[1]
        table = np.zeros((most + 1, len(w), degree + 1), dtype=complex)
        table[0, :, 0] = 1.0
        for k in range(degree):
            column = self.recurrence[: k + 1, k]
            for m in range(most + 1):
                value = w * table[m, :, k] - table[m, :, : k + 1] @ column
                if m:
                    value += m * table[m - 1, :, k]
                table[m, :, k + 1] = value / self.recurrence[k + 1, k]
        return table

    def _coefficients(self, index: int) -> list[Any]:
        """Monomial coefficients of q_index, to 40 digits: they are large."""
        known = self._monomials
        with mpmath.workdps(40):
            while len(known) <= index:
                k = len(known) - 1
                total = [mpmath.mpc(0), *known[k]]
                for j in range(k + 1):
                    factor = mpmath.mpc(complex(self.recurrence[j, k]))
                    for i, c in enumerate(known[j]):
                        total[i] -= factor * c
                known.append([c / mpmath.mpc(complex(self.recurrence[k + 1, k])) for c in total])
        return known[index]

    def complex_formula(self, index: int, x: sp.Expr, y: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
        """Monomials in polar coordinates."""
        real, imaginary = sp.S.Zero, sp.S.Zero
        for m, c in enumerate(self._coefficients(index)):
            power = -m if self.inverse else m
            re, im = polar(x, y, self.centre, complex(self.scale), power, 0) if m else (sp.S.One, sp.S.Zero)
            a, b = sp.Float(str(c.real), 30), sp.Float(str(c.imag), 30)
            real += a * re - b * im
            imaginary += a * im + b * re
        return real, imaginary

    def parameters(self, index: int) -> dict[str, Any]:
        """Degree."""
        return {"degree": (-1 if self.inverse else 1) * int(self.function[index])}

    def take(self, keep: np.ndarray) -> ArnoldiAtoms:
        """Some of them."""
        own = (self.recurrence, self.centre, self.scale, self.inverse)
        return ArnoldiAtoms(self.frame, *own, self.function[keep], self.part[keep], self.name, self.generators)

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """The recurrence."""
        meta, arrays = self._common()
        meta |= {"inverse": self.inverse, "scale": self.scale.hex()}
        arrays |= split_complex(recurrence=self.recurrence, centre=np.array([self.centre]))
        return meta, arrays

    @classmethod
    def from_state(cls, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> ArnoldiAtoms:
        """Rebuild from `state()`."""
        own = (join_complex(arrays, "recurrence"), complex(join_complex(arrays, "centre")[0]),
               float.fromhex(meta["scale"]), bool(meta["inverse"]))  # fmt: skip
        frame = Frame.from_state(meta, arrays)
        return cls(frame, *own, arrays["function"], arrays["part"], meta["name"], meta["generators"])
