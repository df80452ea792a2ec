"""Dictionary of one equation whose coefficients depend on the place, on an interval in time."""

from __future__ import annotations

import numpy as np

from sciml.expressions.data import evaluate_data
from solvers.lie.atoms import Atoms
from solvers.lie.placement import Density
from solvers.lie.polynomials import polynomial_solutions
from solvers.lie.separated.operator import Operator, Separable
from solvers.lie.separated.separated_atoms import SeparatedAtoms, space_parts
from solvers.lie.statement import Statement

_WORST = 1e-8  # relative residual beyond which a mode is left out
_FREQUENCIES = 48


class SeparatedDictionary:
    """Modes, steady states and forced oscillations e^{λt} v(x), each from the ODE of ∂_t - λ u ∂_u.

    Args:
        statement: The problem.
        equation: Its equation.
    """

    def __init__(self, statement: Statement, equation: Separable) -> None:
        self.statement, self.equation = statement, equation
        (a, b), (start, end) = statement.bounds
        self.interval, self.start, self.end = (float(a), float(b)), float(start), float(end)
        x, t = statement.coordinates
        speed = np.sqrt(np.abs(evaluate_data(equation.in_time[-1], [x], np.linspace(a, b, 201)[:, None])))
        self._crowding = float(speed.max() / speed.mean())  # modes have wave numbers in proportion to √w
        self.names = statement.generators("homogeneity", f"translation {t}")

    def levels(self) -> list[int]:
        """Numbers of modes."""
        return [24, 48, 96, 160]

    def densities(self, count: int) -> tuple[Density, Density]:
        """Rows in time that resolve the forced oscillations."""
        time, line = min(count, _FREQUENCIES) // 3, int(min(max(4, count / 6 * self._crowding), 150))
        return Density(line=line, order=12, time=time), Density(line=line + 1, order=9, time=time + 1)

    def build(self, count: int) -> list[Atoms]:
        """Atoms with a number of modes.

        Args:
            count: Modes.

        Returns:
            Families.
        """
        operator = Operator(self.equation, self.statement.coordinates[0], self.interval, 2 * count + 96)
        found: list[Atoms] = [self._modes(operator, conditions, count) for conditions in self._conditions(operator)]
        if not self.statement.periodic:
            found.append(self._driven(operator, [0j], "steady state"))
            found += polynomial_solutions(self.statement, 4)
        if self.statement.moving_data or (self.statement.sides is None and not self.statement.periodic):
            step = np.pi / (2 * (self.end - self.start))
            rates = [1j * step * m for m in range(1, min(count, _FREQUENCIES) + 1)]
            found.append(self._driven(operator, rates, "forced oscillation"))
        return [family for family in found if len(family)]

    def _conditions(self, operator: Operator) -> list[np.ndarray]:
        """Homogeneous conditions of the modes."""
        if self.statement.periodic:
            return [operator.around()]
        sides = self.statement.sides
        if sides is None:
            return [operator.ends([(1.0, 0.0), (1.0, 0.0)]), operator.ends([(0.0, 1.0), (0.0, 1.0)])]
        places = {face: self.statement.problem.domain.sample_face(face, 1)[0, 0] for face in sides}
        left, right = (sides[face] for face in sorted(places, key=lambda face: places[face]))
        return [operator.ends([(left.value, -left.slope), (right.value, right.slope)])]

    def _modes(self, operator: Operator, conditions: np.ndarray, count: int) -> Atoms:
        rates, series = [], []
        for rate, shape in operator.eigenpairs(conditions, count):
            shape = shape / shape[np.argmax(np.abs(shape))]
            if abs(rate.imag) > 1e-9 * abs(rate):
                rates.append(rate)
                series.append(shape)
                continue
            for part in (shape.real, shape.imag):  # both where two rates nearly agree
                if np.abs(part).max() > 1e-6:
                    rates.append(complex(rate.real))
                    series.append(part.astype(complex))
        return self._atoms(operator, np.array(rates), np.array(series), "mode", operator.weight_series)

    def _driven(self, operator: Operator, rates: list[complex], name: str) -> Atoms:
        oscillating = len(self.equation.in_time) == 2
        pairs = [(rate, shape) for rate in rates for shape in operator.driven(rate, oscillating)]
        rates, series = [r for r, _ in pairs], [s for _, s in pairs]
        return self._atoms(operator, np.array(rates), np.array(series), name, np.zeros(1))

    def _atoms(
        self, operator: Operator, rates: np.ndarray, series: np.ndarray, name: str, weight: np.ndarray
    ) -> SeparatedAtoms:
        """Atoms of real rates once, of complex ones as real and imaginary part; verified, scaled to size 1."""
        moving = np.flatnonzero(rates.imag)
        rates = np.concatenate([rates, rates[moving]])
        series = np.concatenate([series, -1j * series[moving]])
        starts = np.where(rates.real > 0, self.end, self.start)
        residuals, size = self._verified(operator, rates, series, weight)
        keep = (residuals < _WORST) & (size > 0)
        own = (series[keep] / size[keep, None], rates[keep], starts[keep], residuals[keep])
        return SeparatedAtoms(self.interval, weight, *own, name, self.names)

    def _verified(
        self, operator: Operator, rates: np.ndarray, series: np.ndarray, weight: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Residual of v'' + hv' + kv + Σ λ^j w_j v relative to its largest term, and the largest |v|."""
        count = operator.degree + 37
        (a, b), equation = self.interval, self.equation
        places = (a + b) / 2 + (b - a) / 2 * np.cos(np.pi * (np.arange(count) + 0.5) / count)  # other than those used
        value, first, second = space_parts(self.interval, weight, series, places, 2)
        terms = [second, operator.at(equation.slope, places)[:, None] * first,
                 operator.at(equation.constant, places)[:, None] * value]  # fmt: skip
        terms += [rates ** (j + 1) * operator.at(w, places)[:, None] * value for j, w in enumerate(equation.in_time)]
        size = np.abs(value).max(axis=0)
        scale = np.max([size / (b - a) ** 2, *(np.abs(term).max(axis=0) for term in terms)], axis=0)
        return np.abs(sum(terms)).max(axis=0) / np.maximum(scale, 1e-300), size
