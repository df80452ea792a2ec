"""An elliptic equation with constant coefficients as Δv + κv = 0 in turned and stretched coordinates."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
import sympy as sp

from solvers.lie.atoms import exact_number
from solvers.lie.statement import Statement

Orders = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Frame:
    """u(x) = exp(α · (x - o)) v(X), X = L (x - o), with v_XX + v_YY + κ v = 0.

    Attributes:
        stretch: L, (2, 2).
        drift: α, (2,).
        origin: o, (2,).
        kappa: κ.
    """

    stretch: np.ndarray
    drift: np.ndarray
    origin: np.ndarray
    kappa: float

    def place(self, points: np.ndarray) -> np.ndarray:
        """X + iY of points (N, 2)."""
        moved = (points - self.origin) @ self.stretch.T
        return moved[:, 0] + 1j * moved[:, 1]

    def expand(self, orders: Orders) -> dict[Orders, float]:
        """Derivatives of v, and their factors, whose sum times exp(α · x) is a derivative of u."""
        total: dict[Orders, float] = {(0, 0): 1.0}
        for axis, order in enumerate(orders):
            for _ in range(order):
                following: dict[Orders, float] = {}
                for (p, q), value in total.items():
                    for key, factor in (
                        ((p + 1, q), self.stretch[0, axis]),
                        ((p, q + 1), self.stretch[1, axis]),
                        ((p, q), self.drift[axis]),
                    ):
                        if factor:
                            following[key] = following.get(key, 0.0) + value * float(factor)
                total = following
        return total

    def growth(self, points: np.ndarray) -> np.ndarray:
        """exp(α · (x - o))."""
        return np.exp((points - self.origin) @ self.drift)

    def symbols(self, coordinates: tuple[sp.Symbol, ...]) -> tuple[sp.Expr, sp.Expr, sp.Expr]:
        """X, Y and exp(α · (x - o)) as expressions."""
        moved = [s - exact_number(o) if o else s for s, o in zip(coordinates, self.origin, strict=True)]
        rows = [
            sp.Add(*[m if c == 1 else exact_number(c) * m for c, m in zip(row, moved, strict=True) if c])
            for row in self.stretch
        ]
        growth = sp.Add(*[exact_number(a) * m for a, m in zip(self.drift, moved, strict=True) if a])
        return rows[0], rows[1], sp.exp(growth)

    def state(self) -> tuple[dict[str, str], dict[str, np.ndarray]]:
        """κ as text, and the arrays."""
        arrays = {"stretch": self.stretch, "drift": self.drift, "frame_origin": self.origin}
        return {"kappa": float(self.kappa).hex()}, arrays

    @classmethod
    def from_state(cls, meta: dict, arrays: dict[str, np.ndarray]) -> Frame:
        """Rebuild from `state()`."""
        return cls(arrays["stretch"], arrays["drift"], arrays["frame_origin"], float.fromhex(meta["kappa"]))


def read_elliptic(statement: Statement) -> Frame | None:
    r"""The frame of a Σ A_ij u_ij + b · ∇u + c u = 0 with constant coefficients and definite A.

    With L = A^{-1/2} and α = -A^{-1} b / 2: κ = c - b · A^{-1} b / 4 (Courant & Hilbert 1962, section III.2).

    Args:
        statement: A steady problem in two coordinates.

    Returns:
        The frame, its origin the middle of the domain; None where the equation has another form.
    """
    problem = statement.problem
    if statement.count != 1 or problem.time is not None or len(problem.coordinates) != 2 or not statement.constant:
        return None
    jets = {orders: float(sp.simplify(c)) for (_, orders), c in statement.forms[0].coefficients.items()}
    value = {o: jets.pop(o, 0.0) for o in itertools.product(range(3), range(3)) if sum(o) <= 2}
    if any(jets.values()):
        return None
    matrix = np.array([[value[2, 0], value[1, 1] / 2], [value[1, 1] / 2, value[0, 2]]])
    sign = math.copysign(1.0, value[2, 0])
    eigenvalues, vectors = np.linalg.eigh(sign * matrix)
    if eigenvalues[0] <= 1e-12 * eigenvalues[1]:
        return None
    slope, constant = sign * np.array([value[1, 0], value[0, 1]]), sign * value[0, 0]
    inverse = (vectors / eigenvalues) @ vectors.T
    stretch = (vectors / np.sqrt(eigenvalues)) @ vectors.T
    if not value[1, 1]:  # exact zeros and ones where the axes stay
        stretch = np.diag(1 / np.sqrt(sign * np.array([value[2, 0], value[0, 2]])))
    kappa = constant - float(slope @ inverse @ slope) / 4
    if abs(kappa) < 1e-13 * (abs(constant) + float(slope @ inverse @ slope)):
        kappa = 0.0
    return Frame(stretch, -inverse @ slope / 2 + 0.0, statement.bounds[:2].mean(axis=1), kappa)
