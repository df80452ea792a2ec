"""Similarity solutions of the heat equation: jumps, kinks and corner layers in closed form."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import sympy as sp
from scipy.special import erfc, eval_hermite

from solvers.lie.atoms import Atoms, Needed, exact_number

_EARLIEST = 1e-290


class SimilarityAtoms(Atoms):
    r"""e^{α(x-a) + βt} Σ_r s_r (4Dt)^{k/2} iᵏerfc(d_r (x - c_r)/√(4Dt)), d_r = ±1.

    (4Dt)^{k/2} iᵏerfc(x/√(4Dt)) solves w_t = D w_xx and is invariant under the scaling x ∂_x + 2t ∂_t - k w ∂_w; at
    the start it is 0 for x > 0 and 2 (-x)^k/k! for x < 0 (Carslaw & Jaeger 1959, appendix II). Its jump (k = 0) or
    kink of order k is that of piecewise smooth data; the images r make reflections exact.

    Args:
        order: k, (n,).
        centres: c, (n, R).
        directions: d, (n, R).
        signs: s, (n, R); 0 for an unused image.
        constants: α, β, a, D and the start of time.
        name: What they are.
        generators: The symmetries.
    """

    kind = "similarity"

    def __init__(
        self,
        order: np.ndarray,
        centres: np.ndarray,
        directions: np.ndarray,
        signs: np.ndarray,
        constants: tuple[float, float, float, float, float],
        name: str = "similarity",
        generators: Sequence[str] = (),
    ) -> None:
        self.order, self.centres, self.directions, self.signs = order, centres, directions, signs
        self.constants, self.name, self.generators = tuple(map(float, constants)), name, tuple(generators)

    def __len__(self) -> int:
        """How many."""
        return len(self.order)

    def jets(self, points: np.ndarray, needed: Needed) -> np.ndarray:
        """∂_x lowers k by one and turns the sign, ∂_t = D ∂_xx; the factor by Leibniz's rule."""
        alpha, beta, a, _diffusivity, start = self.constants
        x, t = points[:, 0], np.maximum(points[:, 1] - start, _EARLIEST)
        factor = np.exp(alpha * (x - a) + beta * t)
        result = np.zeros((len(points), len(needed), len(self)))
        for j in range(len(self)):
            memory: dict[tuple[int, int], np.ndarray] = {}
            for column, (_, (p, q)) in enumerate(needed):
                for m in range(p + 1):
                    for n in range(q + 1):
                        weight = math.comb(p, m) * alpha ** (p - m) * math.comb(q, n) * beta ** (q - n)
                        if weight:
                            if (m, n) not in memory:
                                memory[m, n] = self._bare(j, x, t, m, n)
                            result[:, column, j] += weight * factor * memory[m, n]
        return result

    def _bare(self, j: int, x: np.ndarray, t: np.ndarray, m: int, n: int) -> np.ndarray:
        diffusivity = self.constants[3]
        width = np.sqrt(4 * diffusivity * t)
        order = int(self.order[j]) - m - 2 * n
        total = np.zeros(len(x))
        for c, d, s in zip(self.centres[j], self.directions[j], self.signs[j], strict=True):
            if s:
                total += s * (-d) ** m * repeated_erfc(order, d * (x - c), width)
        return diffusivity**n * total

    def formula(self, index: int, coordinates: Sequence[sp.Symbol]) -> tuple[sp.Expr, ...]:
        """By the recursion 2k iᵏ = -2z iᵏ⁻¹ + iᵏ⁻²."""
        alpha, beta, a, diffusivity, start = (exact_number(c) for c in self.constants)
        x, t = coordinates[0], coordinates[1] - start
        width = sp.sqrt(4 * diffusivity * t)
        total = sp.S.Zero
        for c, d, s in zip(self.centres[index], self.directions[index], self.signs[index], strict=True):
            if s:
                distance = sp.Integer(int(d)) * (x - exact_number(c))
                total += exact_number(s) * _repeated_formula(int(self.order[index]), distance, width)
        return (sp.exp(alpha * (x - a) + beta * t) * total,)

    def parameters(self, index: int) -> dict[str, Any]:
        """Order and centre."""
        return {"order": int(self.order[index]), "centre": float(self.centres[index, 0])}

    def jumps(self, amplitudes: np.ndarray) -> set[float]:
        """Centres of the jumps (k = 0) that carry an amplitude."""
        used = (self.order == 0) & (amplitudes != 0)
        return {float(c) for c, s in zip(self.centres[used].ravel(), self.signs[used].ravel(), strict=True) if s}

    def take(self, keep: np.ndarray) -> SimilarityAtoms:
        """Some of them."""
        parts = (self.order[keep], self.centres[keep], self.directions[keep], self.signs[keep])
        return SimilarityAtoms(*parts, self.constants, self.name, self.generators)  # type: ignore[arg-type]

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """All arrays."""
        meta = {
            "name": self.name,
            "generators": list(self.generators),
            "constants": [float(c).hex() for c in self.constants],
        }
        return meta, {
            "order": self.order.astype(np.int64),
            "centres": self.centres,
            "directions": self.directions,
            "signs": self.signs,
        }

    @classmethod
    def from_state(cls, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> SimilarityAtoms:
        """Rebuild from `state()`."""
        constants = tuple(float.fromhex(c) for c in meta["constants"])
        parts = {name: arrays[name] for name in ("order", "centres", "directions", "signs")}
        return cls(**parts, constants=constants, name=meta["name"], generators=meta["generators"])  # type: ignore[arg-type]


def repeated_erfc(order: int, distance: np.ndarray, width: np.ndarray) -> np.ndarray:
    """width^k iᵏerfc(distance/width); for k < 0 the derivatives (-1)^... of erfc.

    Args:
        order: k.
        distance: Numerator.
        width: Positive.

    Returns:
        The values; without overflow for a vanishing width.
    """
    with np.errstate(over="ignore"):
        z = np.clip(distance / width, -1e150, 1e150)
    if order < 0:
        n = -order - 1
        inside = np.abs(z) < 27.0
        safe = np.where(inside, z, 0.0)
        value = 2 / math.sqrt(math.pi) * eval_hermite(n, safe) * np.exp(-(safe**2)) * width ** (order + 0.0)
        return np.where(inside, value, 0.0)
    # width^k i^k: 2k I_k = -2 distance I_{k-1} + width² I_{k-2}
    inside = np.abs(z) < 27.0
    safe = np.where(inside, z, 0.0)
    before, now = 2 / math.sqrt(math.pi) * np.where(inside, np.exp(-(safe**2)), 0.0), erfc(z)
    low = before / width * width**2  # width² I_{-1} = width · i^{-1}erfc
    for k in range(1, order + 1):
        following = (-2 * distance * now + low) / (2 * k)
        low, now = width**2 * now, following
    return now


def _repeated_formula(order: int, distance: sp.Expr, width: sp.Expr) -> sp.Expr:
    z = distance / width
    before, now = width * 2 / sp.sqrt(sp.pi) * sp.exp(-(z**2)), sp.erfc(z)
    for k in range(1, order + 1):
        before, now = width**2 * now, (-2 * distance * now + before) / (2 * k)
    return sp.expand(now) if order else now


def layer_images(at_left: bool, interval: tuple[float, float], parity: tuple[int, int], reach: float) -> list[tuple]:
    """A layer at one end and its images: t^{k/2} at that end, nothing at the other, nothing at the start.

    Σ_n (lr)^n [g(ξ + 2nL) + r g(2L(n+1) - ξ)] with ξ the distance from the end, l and r the parities of this and
    the other end: the sums telescope at both ends.

    Args:
        at_left: Which end.
        interval: The two ends.
        parity: -1 for an odd, 1 for an even, 0 for no reflection, left and right.
        reach: Distance beyond which an image does not count.

    Returns:
        Centre, direction, sign of each.
    """
    (a, b), (left, right) = interval, parity
    length = b - a
    here, way, other = (a, 1, right) if at_left else (b, -1, left)
    found = [(here, way, 1.0)]
    if not (left and right):
        return found
    for n in range(math.ceil(reach / (2 * length)) + 1):
        flip = float((left * right) ** n)
        if n:
            found.append((here - way * 2 * n * length, way, flip))
        found.append((here + way * 2 * (n + 1) * length, -way, flip * other))
    return found


def kink_images(
    centre: float, order: int, interval: tuple[float, float], parity: tuple[int, int], reach: float
) -> list:
    """A kink inside and its images under reflection at both ends.

    Images are turned so that they decay into the interval: iᵏerfc(z) = -(-1)^k iᵏerfc(-z) up to a polynomial.

    Args:
        centre: Place of the kink.
        order: k.
        interval: The two ends.
        parity: As in `layer_images`.
        reach: Distance beyond which an image does not count.

    Returns:
        Centre, direction, sign of each, the kink itself first.
    """
    (a, b), (left, right) = interval, parity
    length = b - a
    found = [(centre, 1, 1.0)]
    if not (left and right):
        return found
    number = math.ceil(reach / (2 * length)) + 1
    for n in range(-number, number + 1):
        flip = float((left * right) ** abs(n))
        for place, way, sign in (
            (centre + 2 * n * length, 1, flip),
            (2 * a - centre + 2 * n * length, -1, flip * left),
        ):
            if not a < place < b:
                inward = 1 if place <= a else -1
                found.append((place, inward, sign if way == inward else -sign * (-1.0) ** order))
    return found
