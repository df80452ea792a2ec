"""Rounding of harmonic atoms, by family: powers around a corner, and polynomials by their recurrence."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.special import jv, kv, yv

from solvers.lie.bounds.rounding import UNIT
from solvers.lie.planar.arnoldi_atoms import ArnoldiAtoms
from solvers.lie.planar.bessel_atoms import BesselAtoms
from solvers.lie.planar.plane_atoms import PowerAtoms

_FUNCTION = 8  # units granted to complex log and power
_SLACK = 1 + 1e-6


def power_rounding(family: PowerAtoms, bounds: np.ndarray, domain: Any) -> tuple[np.ndarray, np.ndarray]:
    """Bounds of |computed - exact| and of |exact|.

    z - c is off by u |x - o| per coordinate, unless c is 0 there: then its error is relative.

    Args:
        family: Powers in the plain frame.
        bounds: (2, 2).
        domain: Where they are evaluated.

    Returns:
        Two arrays (n, 1); infinite where nothing is known.
    """
    errors, sizes = np.full((2, len(family), 1), np.inf)
    for row, j in enumerate(family.function):
        power, log = float(family.powers[j]), int(family.logs[j])
        low, high, delta = _variable(family, int(j), bounds, domain)
        if power < 0:  # w^s = (1/w)^-s
            if not low > 2 * delta:
                continue
            low, high, delta = 1 / high, 1 / low, 2 * delta / low**2
        s, angle = abs(power), power == 0 and family.part[row] == 1
        if not math.isfinite(high) or (s == 0 and log and not low and not (angle and delta == 0)):
            continue
        if s == 0 and log and not low:
            size, swing, moved = math.pi, 2 * math.pi, 0.0
        else:
            size, swing = _sizes(s, log, low, high)
            moved = _moved(s, log, low, high, delta)
        errors[row] = (moved + UNIT * _FUNCTION * (2 * size + swing)) * _SLACK
        sizes[row] = size * _SLACK
    return errors, sizes


def _variable(family: PowerAtoms, j: int, bounds: np.ndarray, domain: Any) -> tuple[float, float, float]:
    """Range of |w|, and by how much a computed w may be off beyond a few units of itself."""
    origin, c, f = complex(*family.frame.origin), family.centres[j], family.ends[j]
    reach = np.abs(bounds - family.frame.origin[:, None]).max(axis=1)
    lost = [UNIT * math.hypot(*(reach * (np.array([p.real, p.imag]) != 0))) if np.isfinite(p) else 0.0 for p in (c, f)]
    far, near = math.hypot(*(reach + np.abs([c.real, c.imag]))), distance(domain, c + origin)
    if not np.isfinite(f):
        unit = abs(family.directions[j])
        return near / unit, far / unit, lost[0] / unit
    away = distance(domain, f + origin)
    if not away > 0:
        return 0.0, math.inf, math.inf
    beyond = math.hypot(*(reach + np.abs([f.real, f.imag])))
    return near / beyond, far / away, 2 * (lost[0] / away + far / away**2 * lost[1])


def _sizes(s: float, log: int, low: float, high: float) -> tuple[float, float]:
    """Sup of |w^s (log w)^l|, and of that times s |log w|, the sensitivity to a relative error of log w."""
    top = max(math.log(high), 0.0) + math.pi
    if low > 0:
        long = max(abs(math.log(high)), abs(math.log(low))) + math.pi
        size = high**s * (long if log else 1.0)
        return size, s * long * size
    # sup of x exp(-sx) and x² exp(-sx) over x >= 0: 1/(es), 4/(es)²
    first = high**s * top + 1 / (math.e * s)
    second = high**s * top**2 + (4 / (math.e * s) + 2 * math.pi) / (math.e * s)
    return (first, s * second) if log else (high**s, s * first)


def _moved(s: float, log: int, low: float, high: float, delta: float) -> float:
    """By how much w^s (log w)^l moves when w moves by delta."""
    if delta == 0:
        return 0.0
    if low > 10 * delta:
        near, far = low - delta, high + delta
        steep = max(near ** (s - 1), far ** (s - 1))
        long = max(abs(math.log(near)), abs(math.log(far))) + math.pi
        return delta * (s * steep * (long if log else 1.0) + (steep if log else 0.0))
    far = high + delta
    top = max(math.log(far), 0.0) + math.pi
    if s > 1 or (s == 1 and not log):
        steep = far ** (s - 1)
        return delta * (s * (steep * top + 1 / (math.e * (s - 1))) + steep if log else s * steep)
    if s > 0:
        return 4 * delta**s * (1.0 if not log else abs(math.log(delta)) + top + 1 / s)
    return math.inf


def bessel_rounding(family: BesselAtoms, bounds: np.ndarray, domain: Any) -> tuple[np.ndarray, np.ndarray]:
    """Bounds of |computed - exact| and of |exact|; Bessel functions are taken to be good to 64 units of their envelope.

    |J_s(x)| <= min(1, (x/2)^s/Γ(s+1)), I_s(x) <= that times cosh x (DLMF 10.14.4, 10.37.1); Y and K fall with the
    distance, so that their size is that at the smallest one.

    Args:
        family: Atoms in the plain frame.
        bounds: (2, 2).
        domain: Where they are evaluated.

    Returns:
        Two arrays (n, 1); infinite where nothing is known.
    """
    errors, sizes = np.full((2, len(family), 1), np.inf)
    reach, k = np.abs(bounds - family.frame.origin[:, None]).max(axis=1), family.wavenumber
    for row, j in enumerate(family.function):
        c, s = family.centres[j], float(family.orders[j])
        far = k * math.hypot(*(reach + np.abs([c.real, c.imag])))
        lost = k * UNIT * math.hypot(*(reach * (np.array([c.real, c.imag]) != 0)))
        near = k * distance(domain, c + complex(*family.frame.origin)) if family.letter in {"Y", "K"} else 0.0
        if family.letter in {"Y", "K"}:
            if not near > 0:
                continue
            size = float(np.hypot(jv(s, near), yv(s, near)) if family.letter == "Y" else kv(s, near)) * _SLACK
            rate = size * (s / near + 2 + 1 / near)
        else:
            grow = math.cosh(far) if family.letter == "I" else 1.0
            size, rate = grow * _envelope(s, far, family.letter), grow * _slope(s, far, family.letter, lost)
        relative = UNIT * (64 + 16 * s * math.pi)
        moved = (rate * (lost + 4 * UNIT * far)) if math.isfinite(rate) else math.inf
        if 0 < s < 1 and lost:
            moved += 4 * lost**s
        scale = float(family.scales[j])
        errors[row], sizes[row] = (moved + relative * size) / scale * _SLACK, size / scale * _SLACK
    return errors, sizes


def _envelope(s: float, x: float, letter: str) -> float:
    power = math.exp(s * math.log(x / 2) - math.lgamma(s + 1)) if x > 0 else float(s == 0)
    return min(1.0, power) if letter == "J" else power


def _slope(s: float, x: float, letter: str, lost: float) -> float:
    """Of C_s(r) e^{isθ} in the plane: both parts of C_(s-1) and C_(s+1); below order 1 outside of r < lost."""
    before = _envelope(s - 1, x, letter) if s >= 1 else 2.0 + (max(lost, 1e-300) ** (s - 1) if s and lost else 0.0)
    return before + _envelope(s + 1, x, letter)


def distance(domain: Any, place: complex) -> float:
    """Distance of a point outside a region from it, rounded down; 0 where it may be inside."""
    if bool(domain.contains(np.array([[place.real, place.imag]]), 0.0)[0]):
        return 0.0
    found = math.inf
    for _, kind, data in domain.primitives():
        if kind == "segment":
            a, b = complex(*map(float, data[0])), complex(*map(float, data[1]))
            share = ((place - a) * (b - a).conjugate()).real / abs(b - a) ** 2
            found = min(found, abs(place - a - min(max(share, 0.0), 1.0) * (b - a)))
        else:
            centre, radius = complex(*map(float, data[2])), float(data[3])
            found = min(found, abs(abs(place - centre) - radius))
    return max(found * (1 - 1e-9) - 1e-15 * (1 + abs(place)), 0.0)


def polynomial_rounding(family: ArnoldiAtoms, domain: Any) -> tuple[np.ndarray, np.ndarray] | None:
    """Bounds of |computed - exact| and of |exact|.

    The computed values obey T q̂ = e_0 + δ with the lower triangular T of the recurrence and local errors δ, so that
    q̂ - q = T⁻¹ δ. The entries of T⁻¹ and q' are polynomials in w of degree at most n: their largest modulus is on the
    boundary, and there it is at most 1.083 times the largest at 4n Chebyshev points of each segment, or 8n points of a
    circle (Ehlich & Zeller 1964).

    Args:
        family: Polynomials in the plain frame.
        domain: Where they are evaluated.

    Returns:
        Two arrays (n, 1); None where the recurrence is too ill-conditioned.
    """
    h, n = family.recurrence, family.recurrence.shape[1]
    w, moved = _boundary(family, domain, n)
    triangle = np.zeros((len(w), n + 1, n + 1), dtype=complex)
    triangle[:, 1:, :] = h.T[None, :, : n + 1]
    triangle[:, np.arange(1, n + 1), np.arange(n)] -= w[:, None]
    triangle[:, 0, 0] = 1.0
    triangle[:, np.arange(1, n + 1), np.arange(1, n + 1)] = h[np.arange(1, n + 1), np.arange(n)]
    triangle = np.tril(triangle)
    inverse = np.linalg.inv(triangle)
    doubt = np.abs(np.eye(n + 1) - triangle @ inverse).sum(axis=2).max() + 8 * n * UNIT * float(
        (np.abs(triangle) @ np.abs(inverse)).sum(axis=2).max()
    )
    if not doubt < 1e-3:
        return None
    green = 1.083 * np.abs(inverse).max(axis=0) * (1 + 2 * doubt) + 2 * doubt * float(np.abs(inverse).max())
    values = np.abs(inverse[:, :, 0])
    sizes = 1.083 * values.max(axis=0) * (1 + 2 * doubt)
    shifted = np.concatenate([np.zeros((len(w), 1)), inverse[:, :-1, 0]], axis=1)
    slopes = 1.083 * np.abs(np.einsum("pij,pj->pi", inverse, shifted)).max(axis=0) * (1 + 4 * doubt)
    largest = float(np.abs(w).max())
    local = np.zeros(n + 1)
    for k in range(n):
        column = np.abs(h[: k + 1, k])
        local[k + 1] = (
            2 * (k + 8) * UNIT * (largest * sizes[k] + column @ sizes[: k + 1] + abs(h[k + 1, k]) * sizes[k + 1])
        )
    errors = green @ local + slopes * moved
    chosen = family.function
    return errors[chosen, None] * _SLACK, sizes[chosen, None] * _SLACK


def _boundary(family: ArnoldiAtoms, domain: Any, n: int) -> tuple[np.ndarray, float]:
    """Points w on the boundary, and by how much a computed w is off."""
    origin, n = complex(*family.frame.origin), max(n, 1)
    centre = family.centre + origin
    bounds = np.array(domain.bounds)
    reach = math.hypot(*np.abs(bounds - family.frame.origin[:, None]).max(axis=1)) + abs(family.centre)
    angle = 2 * np.pi * np.arange(8 * n) / (8 * n)
    if family.inverse:
        near = distance(domain, centre)
        largest = family.scale / near if near else np.inf
        return largest * np.exp(1j * angle), 6 * UNIT * largest * (1 + reach / near if near else np.inf)
    found = []
    for _, kind, data in domain.primitives():
        if kind == "segment":
            a, b = complex(*map(float, data[0])), complex(*map(float, data[1]))
            found.append((a + b) / 2 + (b - a) / 2 * np.cos((np.arange(4 * n) + 0.5) * np.pi / (4 * n)))
        else:
            found.append(complex(*map(float, data[2])) + float(data[3]) * np.exp(1j * angle))
    return (np.concatenate(found) - centre) / family.scale, 6 * UNIT * reach / family.scale
