"""Dictionary of a system with constant coefficients on an interval in time."""

from __future__ import annotations

import numpy as np

from solvers.lie.atoms import Atoms
from solvers.lie.exponentials import Variety
from solvers.lie.placement import Density
from solvers.lie.statement import Statement

_MOST_PANELS = 150


class SystemDictionary:
    """Exponentials of twice the interval, and oscillations of four times the duration, on the variety.

    Args:
        statement: The problem.
    """

    def __init__(self, statement: Statement) -> None:
        self.statement, self.variety = statement, Variety(statement)
        self.length, self.duration = (float(v) for v in np.diff(statement.bounds, axis=1)[:, 0])

    def levels(self) -> list[int]:
        """Numbers of wave numbers to try."""
        return [16, 32, 64, 128]

    def build(self, count: int) -> list[Atoms]:
        """Atoms with a number of wave numbers; the null vectors of P(0) are the constant states."""
        waves = [2j * np.pi * m / self.length for m in range(count // 2 + 1)]
        if not self.statement.periodic:
            waves = [1j * np.pi * m / self.length for m in range(count + 1)]
        found: list[Atoms] = [self.variety.atoms(self.variety.waves(1, np.array([[k, 0.0] for k in waves])), "wave")]
        if not self.statement.periodic:
            beats = np.array([[0.0, 0.5j * np.pi * m / self.duration] for m in range(1, min(count, 32) + 1)])
            found.append(self.variety.atoms(self.variety.waves(0, beats), "forced oscillation"))
        return found

    def densities(self, count: int) -> tuple[Density, Density]:
        """Rows in time for the fastest oscillation of the waves, one panel for every second period."""
        fastest = self.variety.roots(np.array([1j * np.pi * count / self.length, 0.0]), 1)
        periods = float(np.abs(fastest.imag).max(initial=0.0)) * self.duration / (2 * np.pi)
        line, time = max(4, count // 6), min(max(4, int(periods / 2)), _MOST_PANELS)
        if self.statement.periodic:
            time = 4
        return Density(line=line, order=12, time=time), Density(line=line + 1, order=9, time=time + 1)
