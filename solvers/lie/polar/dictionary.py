"""Dictionary of a constant-coefficient evolution on a disk: one small fit for every angular order."""

from __future__ import annotations

import numpy as np
import sympy as sp
from scipy.special import jv

from sciml.callables import is_numeric_only
from sciml.compatibility import term_data
from sciml.expressions.data import evaluate_data
from sciml.geometry import Disk
from solvers.lie.atoms import Atoms
from solvers.lie.breaks import gauss
from solvers.lie.placement import Density
from solvers.lie.polar.bessel_table import bessel_j
from solvers.lie.polar.polar_atoms import PolarAtoms, radial
from solvers.lie.statement import Side, Statement

_FREQUENCIES = 40
_START = np.array([0.0, 1e-4, 1e-3, 1e-2, 0.05, 0.15])  # panels in time, finer where data meet the start


class PolarDictionary:
    """Modes J_n(κr) e^{inθ} e^{λt} of the rim's condition, steady states, and oscillations driven at the rim.

    The rotation x ∂_y - y ∂_x separates the angle: the Fourier coefficients of the data are fitted order by order, so
    that the matrices are small, and the whole answer is one sum.

    Args:
        statement: The problem.
        forms: T_1, T_2, A, C of T_1 u_t + T_2 u_tt + A Δu + C u = 0.
    """

    def __init__(self, statement: Statement, forms: tuple[float, float, float, float]) -> None:
        self.statement, self.forms = statement, forms
        self.first, self.second, self.lead, self.constant = forms
        domain = statement.problem.domain
        assert isinstance(domain, Disk)
        bounds = np.array(domain.bounds)
        self.centre, self.radius = bounds.mean(axis=1), float(np.diff(bounds, axis=1)[0, 0]) / 2
        self.start, self.end = (float(v) for v in statement.bounds[-1])
        assert statement.sides is not None
        (self.side,) = statement.sides.values()

    def levels(self) -> list[int]:
        """Numbers of modes per angular order."""
        return [12, 24, 48, 120]

    def densities(self, count: int) -> tuple[Density, Density]:
        """Few rows: the fit is made inside, they scale and judge it."""
        return Density(line=3, order=7), Density(line=4, order=6, shift=1)

    def build(self, count: int) -> list[Atoms]:
        """The sum with a number of modes.

        Args:
            count: Modes per angular order, and frequencies.

        Returns:
            One family.
        """
        angles = 2 * np.pi * np.arange(4 * count) / (4 * count)
        radii, inner = gauss(np.linspace(0.0, self.radius, count // 4 + 3), 12)
        times, outer = gauss(self._panels(count), 8)
        rim = self._spectrum(self.side.data, np.array([self.radius]), angles, times)
        starts = [
            (order, self._spectrum(data, radii, angles, np.array([self.start]))) for order, data in self._initial()
        ]
        inner = np.sqrt(inner * radii)
        # values of both kinds in the unit of the field, velocities times the duration
        scales = [inner / np.linalg.norm(inner) * (self.end - self.start) ** order for order, _ in starts]
        scales.append(np.sqrt(outer / outer.sum()) * (self.radius if self.side.slope else 1.0))
        size = max(max(np.abs(part).max() for part in (rim, *(s for _, s in starts))), 1e-300)
        found = []
        for n in range(count + 1):
            target = np.concatenate([scale * part[:, n] for scale, part in
                                     zip(scales, [*(s for _, s in starts), rim], strict=True)])  # fmt: skip
            if np.abs(target).max() > 1e-16 * size:
                found.append(self._fitted(n, count, target, radii, times, [order for order, _ in starts], scales))
        orders, waves, rates, amplitudes = (np.concatenate(c) for c in zip(*found, strict=True)) if found else (
            np.zeros(1, int), *(np.zeros(1, complex) for _ in range(3)))  # fmt: skip
        place = np.array([*self.centre, self.start, self.radius])
        names = self.statement.generators("homogeneity", "rotation", f"translation {self.statement.coordinates[2]}")
        return [PolarAtoms(place, orders, waves, rates, amplitudes, generators=names)]

    def _fitted(
        self, n: int, count: int, target: np.ndarray, radii: np.ndarray, times: np.ndarray, kinds: list, scales: list
    ) -> tuple[np.ndarray, ...]:
        """Amplitudes of one angular order by a truncated least-squares solve."""
        waves, rates = self._exponents(n, count)
        growing = np.maximum(rates.real, 0.0) * (self.end - self.start)
        shape = radial(n, waves, radii)
        edge = radial(n, waves, np.array([self.radius]))[0]
        rim = self.side.value * edge + self.side.slope * self._slope(n, waves, edge)
        blocks = [shape * rates**order for order in kinds] + [rim * np.exp(np.outer(times - self.start, rates))]
        matrix = np.vstack([scale[:, None] * block for scale, block in zip(scales, blocks, strict=True)])
        matrix = matrix * np.exp(-growing)
        norms = np.maximum(np.linalg.norm(matrix, axis=0), 1e-300)
        solution = np.linalg.lstsq(matrix / norms, target, rcond=1e-14)[0] / norms * np.exp(-growing)
        keep = np.abs(solution) * norms > 1e-15 * np.abs(target).max()
        return np.full(keep.sum(), n), waves[keep], rates[keep], solution[keep]

    def _slope(self, n: int, waves: np.ndarray, value: np.ndarray) -> np.ndarray:
        """∂_r B_n = (n/r) B_n - κ²/(2n + 2) B_{n+1} at the rim."""
        following = radial(n + 1, waves, np.array([self.radius]))[0]
        return np.asarray(n / self.radius * value - waves**2 / (2 * n + 2) * following)

    def _exponents(self, n: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        """κ and λ of the modes, of the steady state, and of what is driven at the rim."""
        pairs: list[tuple[complex, complex]] = []
        polynomial = [self.second, self.first] if self.second else [self.first]
        for kappa in rim_waves(n, count, self.radius, self.side):
            pairs += [(kappa, rate) for rate in np.roots([*polynomial, self.constant - self.lead * kappa**2])]
        if self.side.data != 0 or self.side.value == 0:
            frequencies = np.pi / (2 * (self.end - self.start)) * np.arange(0, min(count, _FREQUENCIES) + 1)
            for frequency in frequencies if self.statement.moving_data else frequencies[:1]:
                for rate in {1j * frequency, -1j * frequency}:
                    square = (self.first * rate + self.second * rate**2 + self.constant) / self.lead
                    pairs.append((np.sqrt(complex(square)), rate))
        return np.array([k for k, _ in pairs]), np.array([rate for _, rate in pairs])

    def _panels(self, count: int) -> np.ndarray:
        parts = np.concatenate([_START, np.linspace(0.0, 1.0, count // 3 + 4)])
        return np.unique(self.start + (self.end - self.start) * parts)

    def _initial(self) -> list[tuple[int, sp.Expr]]:
        found = []
        for term in self.statement.problem.terms:
            if term.kind == "initial":
                (data,) = term_data(term, self.statement.problem)
                found.append((int(bool(term.expressions[0].atoms(sp.Derivative))), -data))
        return sorted(found, key=lambda pair: pair[0])

    def _spectrum(self, data: sp.Expr, radii: np.ndarray, angles: np.ndarray, times: np.ndarray) -> np.ndarray:
        """f_n of f = Re Σ f_n e^{inθ}, rows over radii or times."""
        r, t, turn = (a.ravel() for a in np.meshgrid(radii, times, angles, indexing="ij"))
        points = np.column_stack([self.centre[0] + r * np.cos(turn), self.centre[1] + r * np.sin(turn), t])
        values = evaluate_data(data, self.statement.coordinates, points).reshape(-1, len(angles))
        spectrum = 2 * np.fft.rfft(values, axis=1) / len(angles)
        spectrum[:, 0] /= 2
        return np.asarray(spectrum)


def rim_waves(order: int, count: int, radius: float, side: Side) -> np.ndarray:
    """The first κ >= 0 with p J_n(κR) + q κ J_n'(κR) = 0, bracketed between the extrema, none skipped.

    For p q >= 0 there is none below n, where J_n and J_n' are positive (Watson 1922, section 15.3).

    Args:
        order: n.
        count: How many.
        radius: R.
        side: p and q.

    Returns:
        Sorted, κ > 0.

    Example:
        >>> rim_waves(0, 3, 2.0, Side(1.0, 0.0, sp.S.Zero)).round(6)
        array([1.202413, 2.760039, 4.326864])
    """

    def condition(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        value, following = _both(order, z), _both(order + 1, z)
        slope = order / z * value - following  # and (z J')' = (n²/z - z) J
        turned = side.slope / radius * (order**2 / z - z) * value
        return side.value * value + side.slope * z / radius * slope, side.value * slope + turned

    least = float(order) if order and side.value * side.slope >= 0 else 1e-3
    grid = np.linspace(least, np.pi * (count + order / 2 + 1), 16 * (count + 2) + 8 * order)
    values = condition(grid)[0]
    at = np.flatnonzero(values[:-1] * values[1:] < 0)[:count]
    low, high, rising = grid[at], grid[at + 1], values[at] < 0
    place, slack = (low + high) / 2, 1e-12 * high
    for _ in range(60):  # Newton's steps, bisection where one leaves the bracket
        value, slope = condition(place)
        below = (value < 0) == rising
        low, high = np.where(below, place, low), np.where(below, high, place)
        step = place - value / np.where(slope == 0, np.inf, slope)
        inside = (step >= low - slack) & (step <= high + slack)
        step, place = place, np.where(inside, step, (low + high) / 2)
        if np.all(np.abs(step - place) <= 1e-9 * place):  # the error left is the square of that
            break
    return place / radius


def _both(order: int, z: np.ndarray) -> np.ndarray:
    """J_n, below z = n to its relative precision."""
    values, below = bessel_j(order, z), z < order
    values[below] = jv(order, z[below])
    return values


def read_polar(statement: Statement) -> tuple[float, float, float, float] | None:
    """T_1, T_2, A, C of T_1 u_t + T_2 u_tt + A Δu + C u = 0 on a disk; None elsewhere.

    Args:
        statement: A problem.

    Returns:
        The coefficients.
    """
    problem = statement.problem
    plain = statement.count == 1 and problem.time is not None and isinstance(problem.domain, Disk)
    if not plain or not statement.constant or statement.sides is None:
        return None
    if any(term.kind not in {"interior", "initial", "boundary"} for term in problem.terms):
        return None
    found = {tuple(orders): float(sp.simplify(c)) for (_, orders), c in statement.forms[0].coefficients.items()}
    found = {orders: c for orders, c in found.items() if c}
    if set(found) - {(2, 0, 0), (0, 2, 0), (0, 0, 0), (0, 0, 1), (0, 0, 2)}:
        return None
    lead, first, second = (found.get(o, 0.0) for o in ((2, 0, 0), (0, 0, 1), (0, 0, 2)))
    well_posed = lead == found.get((0, 2, 0)) and lead * (second or first) < 0
    numeric = any(is_numeric_only(d) for term in problem.terms for d in term_data(term, problem))
    return (first, second, lead, found.get((0, 0, 0), 0.0)) if well_posed and not numeric else None
