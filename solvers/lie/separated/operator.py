"""The ODE of separated solutions, in integral form on Chebyshev series."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg
import sympy as sp
from numpy.polynomial import chebyshev

from sciml.errors import ScimlError
from sciml.expressions.data import evaluate_data
from solvers.lie.spectral_atoms import chebyshev_table
from solvers.lie.statement import Statement


@dataclass(frozen=True)
class Separable:
    """u_xx + h(x) u_x + k(x) u + Σ_j w_j(x) ∂_t^j u = 0.

    Attributes:
        slope: h.
        constant: k.
        in_time: w_1, ..., w_J.
    """

    slope: sp.Expr
    constant: sp.Expr
    in_time: tuple[sp.Expr, ...]


def read_separable(statement: Statement) -> Separable | None:
    """The coefficients, or None where the equation depends on time, is of another form, or degenerates."""
    problem = statement.problem
    if (
        statement.count != 1
        or problem.time is None
        or len(problem.coordinates) != 2
        or not statement.invariant_along(1)
    ):
        return None
    x = problem.coordinates[0]
    jets = {orders: sp.simplify(c) for (_, orders), c in statement.forms[0].coefficients.items()}
    jets = {orders: c for orders, c in jets.items() if c != 0}
    order = max((t for _, t in jets), default=0)
    if not 1 <= order <= 2 or (2, 0) not in jets or set(jets) - {(0, k) for k in range(order + 1)} - {(1, 0), (2, 0)}:
        return None
    lead = jets[2, 0]
    parts = [
        sp.simplify(jets.get(o, sp.S.Zero) / lead) for o in ((1, 0), (0, 0), *((0, k) for k in range(1, order + 1)))
    ]
    grid = np.linspace(float(statement.bounds[0, 0]), float(statement.bounds[0, 1]), 401)[:, None]
    try:
        size = np.abs(evaluate_data(lead, [x], grid))
        values = [evaluate_data(part, [x], grid) for part in parts]
    except ScimlError:
        return None
    if size.min() < 1e-9 * size.max() or not all(np.isfinite(v).all() for v in values) or not values[-1].all():
        return None
    return Separable(parts[0], parts[1], tuple(parts[2:]))


class Operator:
    r"""ψ'' + Q ψ + Σ_j λ^j w_j ψ = 0 for u = ρ(x) ψ(x) e^{λt}, ρ = exp(-∫h/2), Q = k - h'/2 - h²/4 (Liouville 1837).

    Unknowns are ψ(a), ψ'(a) and the Chebyshev series of ψ'': an integral equation, whose condition does not grow
    with the degree (Greengard 1991, SIAM J. Numer. Anal. 28, 1071).

    Args:
        equation: The equation.
        symbol: x.
        interval: Its range.
        degree: Number of coefficients of ψ''.
    """

    def __init__(self, equation: Separable, symbol: sp.Symbol, interval: tuple[float, float], degree: int) -> None:
        self.equation, self.symbol, self.interval, self.degree = equation, symbol, interval, degree
        a, b = interval
        half = (b - a) / 2
        nodes = np.cos(np.pi * (np.arange(degree) + 0.5) / degree)
        self.places = (a + b) / 2 + half * nodes
        identity: np.ndarray = np.eye(degree)
        once = half * chebyshev.chebint(identity, lbnd=-1, axis=0)
        twice = half * chebyshev.chebint(once, lbnd=-1, axis=0)
        series = np.zeros((degree + 2, degree + 2))  # of ψ, from (ψ(a), ψ'(a), ψ'')
        series[:, 2:] = twice
        series[0, 0], series[:2, 1] = 1.0, half
        self.series = series
        self.weight_series = self._half_slope(max(64, degree))
        self.value = self.table(0) @ series
        self.second = np.hstack([np.zeros((degree, 2)), chebyshev.chebvander(nodes, degree - 1)])
        self.shifted = equation.constant - equation.slope.diff(symbol) / 2 - equation.slope**2 / 4
        self.potential = self.at(self.shifted)
        self.slope, self.constant = self.at(equation.slope), self.at(equation.constant)
        self.first = self.table(1) @ series
        self.in_time = [self.at(w) for w in equation.in_time]

    def at(self, expression: sp.Expr, places: np.ndarray | None = None) -> np.ndarray:
        """An expression at points, those of the collocation by default."""
        where = self.places if places is None else places
        return np.asarray(evaluate_data(expression, [self.symbol], where[:, None]))

    def table(self, order: int, places: np.ndarray | None = None) -> np.ndarray:
        """Chebyshev polynomials at points."""
        return chebyshev_table(self.places if places is None else places, *self.interval, self.degree + 2, order)

    def _half_slope(self, count: int) -> np.ndarray:
        """Chebyshev series of log ρ = -∫h/2 from the middle."""
        a, b = self.interval
        if self.equation.slope == 0:
            return np.zeros(1)

        def rate(nodes: np.ndarray) -> np.ndarray:
            places = (a + b) / 2 + (b - a) / 2 * nodes
            return np.asarray(-evaluate_data(self.equation.slope, [self.symbol], places[:, None]) / 2)

        rates: np.ndarray = chebyshev.chebinterpolate(rate, count)
        series = chebyshev.chebint((b - a) / 2 * rates, lbnd=0)
        large = np.abs(series).max()
        keep = np.flatnonzero(np.abs(series) > 1e-16 * large)
        return np.asarray(series[: keep[-1] + 1 if len(keep) else 1])

    def ends(self, sides: list[tuple[float, float]]) -> np.ndarray:
        """Rows of p u + q u_x at both ends, u = ρψ, (2, unknowns)."""
        rows = []
        for place, (p, q) in zip(self.interval, sides, strict=True):
            here = np.array([place])
            growth = float(-evaluate_data(self.equation.slope, [self.symbol], here[:, None])[0] / 2)
            row = ((p + q * growth) * self.table(0, here) + q * self.table(1, here)) @ self.series
            rows.append(row[0] / np.abs(row[0]).max())
        return np.array(rows)

    def around(self) -> np.ndarray:
        """Rows of u(a) - u(b) and u_x(a) - u_x(b)."""
        total = np.zeros((2, self.degree + 2))
        weights = np.exp(chebyshev.chebval(np.array([-1.0, 1.0]), self.weight_series))
        for place, rho, sign in zip(self.interval, weights, (1.0, -1.0), strict=True):
            here = np.array([place])
            growth = float(-evaluate_data(self.equation.slope, [self.symbol], here[:, None])[0] / 2)
            value, slope = self.table(0, here) @ self.series, self.table(1, here) @ self.series
            total += sign * rho / weights.max() * np.concatenate([value, slope + growth * value])
        return total

    def eigenpairs(self, conditions: np.ndarray, count: int) -> list[tuple[complex, np.ndarray]]:
        """The λ of smallest size and the series of ψ, for homogeneous conditions.

        Args:
            conditions: Two rows.
            count: How many numbers ν = -Σ λ^j w_j/w, or λ where the w_j are not multiples of one function.

        Returns:
            Pairs; one of each conjugate pair.
        """
        free = scipy.linalg.null_space(conditions)
        value, base = self.value @ free, (self.second + self.potential[:, None] * self.value) @ free
        shape = self.in_time[-1]
        ratios = [w / shape for w in self.in_time]
        # ψ'' + (Q + νw)ψ = 0 has ν w > -max Q: a shift beyond that, and of the size of the ν that are wanted
        wave = (np.pi * count / (4 * (self.interval[1] - self.interval[0]))) ** 2
        beyond = float(np.max(self.potential / np.abs(shape)).clip(0) + wave / np.abs(shape).mean())
        if all(np.ptp(r) <= 1e-12 * (np.abs(r).max() + 1.0) for r in ratios):
            factors = [float(r.mean()) for r in ratios]
            pairs = _pencil(base, shape[:, None] * value, count, float(np.sign(shape[0])) * beyond)
            found = [(complex(root), vector) for nu, vector in pairs for root in _rates(factors, nu)]
        else:
            first, second = (w[:, None] * value for w in self.in_time)
            zero, one = np.zeros_like(base), np.eye(len(base))
            # (base + λ first + λ² second) y = 0 with the pair (y, λy)
            first_order = np.block([[base, first], [zero, one]]), np.block([[zero, second], [-one, zero]])
            pairs = _pencil(*first_order, 2 * count, float(np.sqrt(beyond)))
            found = [(nu, vector[: len(base)]) for nu, vector in pairs]
        return [(root, self.series @ (free @ vector)) for root, vector in found]

    def driven(self, rate: complex, oscillating: bool) -> np.ndarray:
        """Series of two solutions v = ρψ for a given λ, (2, coefficients), by values at the ends or data at one end.

        v itself, not ψ: where ρ varies by many orders so would the relative accuracy of ψ.

        Args:
            rate: λ.
            oscillating: Whether solutions oscillate rather than grow: then data at one end.

        Returns:
            Their series.
        """
        zeroth = self.constant + sum((rate ** (j + 1) * w for j, w in enumerate(self.in_time)), np.zeros(1))
        ends: np.ndarray = np.zeros((2, self.degree + 2))
        if oscillating:
            ends[0, 0], ends[1, 1] = 1.0, self.interval[1] - self.interval[0]
        else:
            ends = np.concatenate([self.table(0, np.array([end])) @ self.series for end in self.interval])
        rows = self.second + self.slope[:, None] * self.first + zeroth[:, None] * self.value
        matrix = np.concatenate([ends, rows / (1 + np.abs(zeroth) + np.abs(self.slope))[:, None]])
        right = np.zeros((self.degree + 2, 2), dtype=complex)
        right[0, 0] = right[1, 1] = 1.0
        return np.asarray((self.series @ np.linalg.solve(matrix, right)).T)


def _rates(factors: list[float], nu: complex) -> np.ndarray:
    """The λ of Σ λ^j factor_j = ν; for real ν one of each conjugate pair."""
    if nu.imag:
        return np.roots([*reversed(factors), -nu])
    roots = np.roots([*reversed(factors), -nu.real])
    return roots[np.imag(roots) >= 0]


def _pencil(base: np.ndarray, weight: np.ndarray, count: int, shift: float) -> list[tuple[complex, np.ndarray]]:
    """The ν of smallest size with (base + ν weight) y = 0, one of each conjugate pair; -shift is off the spectrum."""
    values, vectors = np.linalg.eig(np.linalg.solve(base - shift * weight, weight))
    with np.errstate(divide="ignore", invalid="ignore"):
        nu = -1 / values - shift
    order = np.argsort(np.where(np.isfinite(nu), np.abs(nu), np.inf))[:count]
    return [(complex(nu[i]), vectors[:, i]) for i in order if np.imag(nu[i]) >= 0]
