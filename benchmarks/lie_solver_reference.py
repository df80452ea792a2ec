"""The greedy algorithm of Klausen et al. 2025 (arXiv 2510.25731), written from its description, on [0, 1].

Hand-made families for the heat equation and the wave equation at rest, a pool of 1000 random atoms each, plain matching
pursuit scores, all amplitudes by normal equations with ridge 0.1, and every fifth term all parameters refined by
nonlinear least squares with difference quotients, four evaluations. Rows are values at the start and at both ends.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.optimize
from scipy.stats import qmc

RIDGE, POOL, EVERY, EVALUATIONS = 0.1, 1000, 5, 4
Profile = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Family:
    """A seed moved by chains of one-parameter actions: its formula and how its parameters are drawn."""

    formula: Profile
    draw: Callable[[np.random.Generator, int], np.ndarray]


def _uniform(generator: np.random.Generator, count: int, *ranges: tuple[float, float]) -> np.ndarray:
    low, high = np.array(ranges).T
    return generator.uniform(low, high, (count, len(ranges)))


def _width(generator: np.random.Generator, count: int) -> np.ndarray:
    return generator.uniform(np.log(0.1), np.log(1e6), count)  # the logarithm is the parameter


def _heat_sine(x: np.ndarray, t: np.ndarray, p: np.ndarray) -> np.ndarray:
    return np.exp(-(p[:, 0] ** 2) * t) * np.sin(p[:, 0] * x - p[:, 1])


def _heat_kernel(x: np.ndarray, t: np.ndarray, p: np.ndarray) -> np.ndarray:
    e = np.exp(p[:, 0])
    spread = 1 + 4 * e * t
    return np.exp(-e * (x - p[:, 1]) ** 2 / spread) / np.sqrt(spread)


def _heat_packet(x: np.ndarray, t: np.ndarray, p: np.ndarray) -> np.ndarray:
    (_, s, w, q), e = p.T, np.exp(p[:, 0])
    spread = 1 + 4 * e * t
    return np.exp(-(e * (x - s) ** 2 + w**2 * t) / spread) / np.sqrt(spread) * np.sin(w * (x - s) / spread - q)


def _heat_polynomial(x: np.ndarray, t: np.ndarray, p: np.ndarray) -> np.ndarray:
    shapes = [x + 0 * t, x**2 + 2 * t, x**3 + 6 * x * t, x**4 + 12 * x**2 * t + 12 * t**2]
    shapes += [x**5 + 20 * x**3 * t + 60 * x * t**2, x**6 + 30 * x**4 * t + 180 * x**2 * t**2 + 120 * t**3]
    return np.choose(p[:, 0].astype(int), shapes)


def _both_ways(shape: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Profile:
    def formula(x: np.ndarray, t: np.ndarray, p: np.ndarray) -> np.ndarray:
        return shape(x - p[:, 1] - t, p) + shape(x - p[:, 1] + t, p)

    return formula


HEAT = (
    Family(_heat_sine, lambda g, n: _uniform(g, n, (0.5, 50.0), (-np.pi, np.pi))),
    Family(_heat_kernel, lambda g, n: np.column_stack([_width(g, n), g.uniform(-0.5, 1.5, n)])),
    Family(_heat_packet, lambda g, n: np.column_stack(
        [_width(g, n), _uniform(g, n, (-0.5, 1.5), (0.5, 50.0), (-np.pi, np.pi))])),
    Family(_heat_polynomial, lambda g, n: g.integers(0, 6, (n, 1)).astype(float)),
)  # fmt: skip
WAVE = (
    Family(lambda x, t, p: np.sin(p[:, 0] * (x - p[:, 1])) * np.cos(p[:, 0] * t),
           lambda g, n: _uniform(g, n, (0.5, 50.0), (0.0, 1.0))),
    Family(_both_ways(lambda z, p: 1 / (1 + np.exp(p[:, 0]) * z**2)),
           lambda g, n: np.column_stack([_width(g, n), g.uniform(-0.5, 1.5, n)])),
    Family(_both_ways(lambda z, p: np.exp(-np.exp(p[:, 0]) * z**2)),
           lambda g, n: np.column_stack([_width(g, n), g.uniform(-0.5, 1.5, n)])),
    Family(_both_ways(lambda z, p: np.exp(-np.exp(p[:, 0]) * z**2) * np.cos(p[:, 2] * z)),
           lambda g, n: np.column_stack([_width(g, n), _uniform(g, n, (-0.5, 1.5), (0.5, 50.0))])),
)  # fmt: skip


@dataclass
class Greedy:
    """One run of the algorithm.

    Attributes:
        families: HEAT or WAVE.
        points: Rows, (N, 2).
        data: Values there.
        stop: Mean square of the residual at which to stop.
        most: Most terms.
        seed: Seed.
    """

    families: tuple[Family, ...]
    points: np.ndarray
    data: np.ndarray
    stop: float
    most: int
    seed: int = 0

    def run(self) -> Greedy:
        """Choose atoms one by one."""
        generator = np.random.default_rng(self.seed)
        self.chosen: list[tuple[int, np.ndarray]] = []
        started = time.process_time()
        residual, self.amplitudes = self.data, np.zeros(0)
        while len(self.chosen) < self.most and np.mean(residual**2) > self.stop:
            self.chosen.append(self._best(residual, generator))
            self.amplitudes, residual = self._solved(self._matrix(self.points))
            if len(self.chosen) % EVERY == 0:
                residual = self._refine()
        self.seconds = time.process_time() - started
        return self

    def values(self, points: np.ndarray) -> np.ndarray:
        """The sum at points."""
        return self._matrix(points) @ self.amplitudes

    def _best(self, residual: np.ndarray, generator: np.random.Generator) -> tuple[int, np.ndarray]:
        found, x, t = (-1.0, 0, np.zeros(0)), *(c[:, None] for c in self.points.T)
        for kind, family in enumerate(self.families):
            theta = family.draw(generator, POOL)
            columns = family.formula(x, t, theta)
            score = np.abs(residual @ columns) / np.maximum(np.linalg.norm(columns, axis=0), 1e-12)
            j = int(np.argmax(score))
            if score[j] > found[0]:
                found = float(score[j]), kind, theta[j]
        return found[1], found[2]

    def _matrix(self, points: np.ndarray) -> np.ndarray:
        x, t = (c[:, None] for c in points.T)
        return np.hstack([self.families[kind].formula(x, t, theta[None]) for kind, theta in self.chosen])

    def _solved(self, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if not np.isfinite(matrix).all():
            return np.zeros(matrix.shape[1]), np.full(len(self.data), 1e3)  # a step that left the numbers
        normal = matrix.T @ matrix + RIDGE * np.eye(matrix.shape[1])
        amplitudes = np.linalg.lstsq(normal, matrix.T @ self.data, rcond=None)[0]
        return amplitudes, self.data - matrix @ amplitudes

    def _refine(self) -> np.ndarray:
        free = [i for i, (kind, _) in enumerate(self.chosen) if self.families[kind].formula is not _heat_polynomial]
        sizes = [len(self.chosen[i][1]) for i in free]

        def put(vector: np.ndarray) -> None:
            for i, theta in zip(free, np.split(vector, np.cumsum(sizes)[:-1]), strict=True):
                self.chosen[i] = self.chosen[i][0], theta

        def residual(vector: np.ndarray) -> np.ndarray:
            put(vector)
            with np.errstate(all="ignore"):
                return self._solved(self._matrix(self.points))[1]

        if free:
            start = np.concatenate([self.chosen[i][1] for i in free])
            put(scipy.optimize.least_squares(residual, start, max_nfev=EVALUATIONS).x)
        self.amplitudes, left = self._solved(self._matrix(self.points))
        return left


def rows(start: Callable[[np.ndarray], np.ndarray], ends: tuple[float, float], last: float, wave: bool) -> tuple:
    """Halton points at the start and on both sides, with the data there.

    Args:
        start: Initial values.
        ends: Values at both ends.
        last: Last time.
        wave: Whether the numbers of points are those of the wave equation.

    Returns:
        Points (N, 2) and data.
    """
    inside, outside = (1500, 2500) if wave else (1000, 2000)
    x = qmc.Halton(1, seed=0).random(inside)[:, 0]
    t = last * qmc.Halton(1, seed=1).random(outside)[:, 0]
    side = np.arange(outside) // (outside // 2)  # not every other: Halton points alternate between halves
    points = np.vstack([np.column_stack([x, 0 * x]), np.column_stack([side.astype(float), t])])
    return points, np.concatenate([start(x), np.where(side, ends[1], ends[0])])
