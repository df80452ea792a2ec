"""Templates: atoms whose group parameters are continuous, with their derivatives in these parameters."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import sympy as sp
from scipy.stats import qmc

from solvers.lie.atoms import FormulaAtoms


@dataclass(frozen=True)
class Range:
    """Where a group parameter may lie, and whether its logarithm is what moves."""

    symbol: sp.Symbol
    low: float
    high: float
    logarithmic: bool = False


class Template:
    """A solution φ(X; θ) for every θ: a seed moved by flows of symmetries.

    Args:
        coordinates: Coordinates, time last.
        expression: φ.
        ranges: The parameters.
        name: What its atoms are.
        generators: The symmetries that moved the seed.
    """

    def __init__(
        self,
        coordinates: Sequence[sp.Symbol],
        expression: sp.Expr,
        ranges: Sequence[Range],
        name: str,
        generators: Sequence[str],
    ) -> None:
        self.ranges = tuple(ranges)
        self.low, self.high = (np.array([getattr(r, end) for r in ranges]) for end in ("low", "high"))
        self.logarithmic = np.array([r.logarithmic for r in ranges])
        symbols = [r.symbol for r in ranges]
        empty = np.zeros((0, len(symbols)))
        self._atoms = FormulaAtoms(coordinates, [expression], symbols, empty, name, generators)
        self._slopes = [FormulaAtoms(coordinates, [expression.diff(s)], symbols, empty, name) for s in symbols]

    def atoms(self, theta: np.ndarray) -> FormulaAtoms:
        """Atoms at θ.

        Args:
            theta: (n, p), logarithms where a range says so.

        Returns:
            The family.
        """
        return _at(self._atoms, self._natural(theta))

    def slopes(self, theta: np.ndarray) -> list[FormulaAtoms]:
        """∂φ/∂θ_k for every k, to be multiplied by `chain`."""
        return [_at(slope, self._natural(theta)) for slope in self._slopes]

    def chain(self, theta: np.ndarray) -> np.ndarray:
        """Derivative of the parameters in the formula by θ, (n, p)."""
        return np.where(self.logarithmic, self._natural(theta), 1.0)

    @property
    def box(self) -> tuple[np.ndarray, np.ndarray]:
        """Bounds of θ."""
        return tuple(np.where(self.logarithmic, np.log(np.where(self.logarithmic, end, 1.0)), end)
                     for end in (self.low, self.high))  # type: ignore[return-value]  # fmt: skip

    def draw(self, count: int, seed: int) -> np.ndarray:
        """Scrambled Sobol points of the box, (count, p); count a power of two."""
        low, high = self.box
        return low + (high - low) * qmc.Sobol(len(low), seed=seed).random(count)

    def _natural(self, theta: np.ndarray) -> np.ndarray:
        return np.where(self.logarithmic, np.exp(np.where(self.logarithmic, theta, 0.0)), theta)


def _at(prototype: FormulaAtoms, values: np.ndarray) -> FormulaAtoms:
    """The prototype with other parameters; its compiled programs are shared."""
    made = copy.copy(prototype)
    made.values = values
    return made
