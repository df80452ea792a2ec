"""Separated modes on an interval that meet homogeneous conditions at both ends exactly."""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq


def sturm_liouville(
    length: float, left: tuple[float, float], right: tuple[float, float], count: int
) -> list[tuple[float, float, float]]:
    """Eigenvalues of v'' = -μ v on [0, L] with p v + q v' = 0 at both ends, q v' along the axis.

    For μ = κ² > 0, v = R cos(κx - φ) and the phases at the ends give κL - φ(κ) + ψ(κ) = nπ, a continuous
    function of κ whose crossings are bracketed, so that none is skipped. Negative μ, at most two, and μ = 0 are
    found from the characteristic function itself.

    Args:
        length: L.
        left: p, q at 0.
        right: p, q at L.
        count: How many.

    Returns:
        (μ, a, b) with v = a c(x) + b s(x), where c'' = -μ c, c(0) = 1, c'(0) = 0 and s(0) = 0, s'(0) = 1; sorted.

    Example:
        >>> [round(mu, 6) for mu, _, _ in sturm_liouville(1.0, (0.0, 1.0), (1.0, 1.0), 2)]
        [0.740174, 11.734862]
    """
    (p0, q0), (p1, q1) = left, right

    def characteristic(mu: float) -> float:
        c, s = _pair(mu, length)
        return p1 * (q0 * c - p0 * s) + q1 * (-mu * q0 * s - p0 * c)

    found = [mu for mu in _not_positive(characteristic, length, left, right)]

    def phase(kappa: float) -> float:
        # v ~ q0 cos κx - (p0/κ) sin κx = R cos(κx - φ); zero of p1 cos ψ - q1 κ sin ψ at ψ = κL - φ
        start, end = np.arctan2(-p0, q0 * kappa), np.arctan2(p1, q1 * kappa)
        return kappa * length - _principal(start) - _principal(end)

    step = np.pi / (8 * length)
    kappa, value = 1e-6 / length, phase(1e-6 / length)
    while len(found) < count + 3:
        following = kappa + step
        after = phase(following)
        low, high = sorted((value, after))
        for n in range(int(np.ceil(low / np.pi)), int(np.floor(high / np.pi)) + 1):
            if value != n * np.pi:
                root = brentq(lambda k, n=n: phase(k) - n * np.pi, kappa, following, xtol=1e-15, rtol=1e-15)
                if root > 2e-6 / length:
                    found.append(root**2)
        kappa, value = following, after
    return [(mu, q0, -p0) for mu in sorted(found)[:count]]


def _principal(angle: float) -> float:
    """An angle modulo π in (-π/2, π/2]."""
    return float(angle - np.pi * np.ceil(angle / np.pi - 0.5))


def _pair(mu: float, x: float) -> tuple[float, float]:
    """c(x) and s(x), also for μ <= 0."""
    if abs(mu) * x * x < 1e-12:
        return 1.0 - mu * x * x / 2, x * (1 - mu * x * x / 6)
    kappa = np.sqrt(abs(mu))
    if mu > 0:
        return float(np.cos(kappa * x)), float(np.sin(kappa * x) / kappa)
    return float(np.cosh(kappa * x)), float(np.sinh(kappa * x) / kappa)


def _not_positive(characteristic, length: float, left: tuple, right: tuple) -> list[float]:
    found = []
    scale = sum(abs(v) for v in (*left, *right)) ** 2 * max(length, 1 / length)
    if abs(characteristic(0.0)) < 1e-12 * scale:
        found.append(0.0)
    steep = max((abs(p / q) for p, q in (left, right) if q), default=0.0)
    grid = np.linspace(1e-4 / length, 3 * steep + 6 / length, 600)
    values = [characteristic(-(k**2)) * np.exp(-k * length) for k in grid]
    for i in range(len(grid) - 1):
        if values[i] * values[i + 1] < 0:
            root = brentq(lambda k: characteristic(-(k**2)) * np.exp(-k * length), grid[i], grid[i + 1], xtol=1e-15)
            found.append(-(root**2))
    return found
