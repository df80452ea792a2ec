"""Waves F(x - ct) + G(x + ct) whose profiles are the data, with reflections as images."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import sympy as sp

from sciml.expression_json import from_json, to_json
from solvers.lie.atoms import Atoms, Needed, exact_number
from solvers.lie.travelling.profile import Profile


class ProfileAtoms(Atoms):
    r"""The parts of d'Alembert's solution of u_tt = c² u_xx between reflecting ends.

    displacement: [F(ξ₋) + F(ξ₊)]/2, F the data continued oddly or evenly at each end, ξ_± = x ± ct; velocity:
    ∫_{ξ₋}^{ξ₊} V ds / 2c; left and right: Σ (lr)ⁿ [φ(t - (d + 2nL)/c) + r φ(t - (2(n+1)L - d)/c)] with d the
    distance from that end, φ = g for values and c ∫g for slopes, φ = 0 for negative times (d'Alembert 1747).

    Args:
        profiles: F, V, g left, g right by role; absent where zero.
        interval: The ends.
        clock: Start and end of time.
        speed: c.
        parity: l, r: -1 for values, 1 for slopes at an end; (0, 0) for a period.
        name: What they are.
        generators: The symmetries.
    """

    kind = "profile"

    def __init__(
        self,
        profiles: dict[str, Profile],
        interval: tuple[float, float],
        clock: tuple[float, float],
        speed: float,
        parity: tuple[int, int],
        name: str = "travelling profile",
        generators: Sequence[str] = (),
    ) -> None:
        self.profiles, self.interval, self.clock = profiles, interval, clock
        self.speed, self.parity = speed, parity
        self.name, self.generators = name, tuple(generators)

    def __len__(self) -> int:
        """How many."""
        return len(self.profiles)

    def jets(self, points: np.ndarray, needed: Needed) -> np.ndarray:
        """A derivative of order p in x and q in t brings factors ±c."""
        x, t = points[:, 0], points[:, 1] - self.clock[0]
        result = np.zeros((len(points), len(needed), len(self)))
        for j, (role, profile) in enumerate(self.profiles.items()):
            for column, (_, (p, q)) in enumerate(needed):
                if role in {"left", "right"}:
                    result[:, column, j] = self._arrivals(profile, role, x, t, p, q)
                    continue
                for way in (-1.0, 1.0):
                    sign = way / (2 * self.speed) if role == "velocity" else 0.5
                    value = self._continued(profile, x + way * self.speed * t, p + q, role == "velocity")
                    result[:, column, j] += sign * (way * self.speed) ** q * value
        return result

    def _continued(self, profile: Profile, xi: np.ndarray, order: int, integral: bool) -> np.ndarray:
        """The continued data at ξ, or the integral of the continued data from the left end."""
        a, b = self.interval
        length = b - a
        fold = np.floor((xi - a) / length)
        within = xi - a - fold * length
        if self.parity == (0, 0):
            value = profile(a + within, order)
            return value + fold * profile(np.array([b]))[0] if integral and order == 0 else value
        left, right = self.parity
        odd = fold % 2 == 1
        place = np.clip(a + np.where(odd, length - within, within), a, b)
        # a reflection at each end crossed; F(b + s) = r F(b - s)
        ups = np.where(fold >= 0, np.ceil(fold / 2), np.ceil((np.abs(fold) - 1) / 2))
        downs = np.abs(fold) - ups
        sign = np.where(right < 0, 1.0 - 2.0 * (ups % 2), 1.0) * np.where(left < 0, 1.0 - 2.0 * (downs % 2), 1.0)
        if not integral:
            return sign * np.where(odd, (-1.0) ** order, 1.0) * profile(place, order)
        turn = np.where(odd, -1.0, 1.0)
        if order:
            return sign * turn ** (order - 1) * profile(place, order)
        return self._offset(fold, profile) + sign * turn * profile(place)

    def _offset(self, fold: np.ndarray, profile: Profile) -> np.ndarray:
        """What the integral of the continued data has gathered, so that it is continuous from fold to fold."""
        left, right = self.parity
        whole = float(profile(np.array([self.interval[1]]))[0])
        most = int(np.abs(fold).max(initial=0)) + 1
        table = np.zeros(2 * most + 1)
        sign, total = 1.0, 0.0
        for k in range(most):  # total: integral up to the start of fold k; odd folds run the profile backwards
            table[most + k] = total + (sign * whole if k % 2 else 0.0)
            total += sign * whole
            sign *= right if k % 2 == 0 else left
        sign, total = float(left), 0.0
        for k in range(1, most + 1):
            table[most - k] = total if k % 2 else total - sign * whole
            total -= sign * whole
            sign *= right if k % 2 else left
        return np.asarray(table[(fold + most).astype(int)])

    def _arrivals(self, profile: Profile, role: str, x: np.ndarray, t: np.ndarray, p: int, q: int) -> np.ndarray:
        total = np.zeros(len(x))
        for sign, shift, way in self._images(role):
            # φ(t - (shift + way x)/c)
            place = t - (shift + way * x) / self.speed
            here = place >= 0
            value = np.zeros(len(x))
            if not here.any():
                continue
            value[here] = profile(np.clip(self.clock[0] + place[here], *self.clock), p + q)
            total += sign * (-way / self.speed) ** p * value
        size = self.speed if profile.integrated else 1.0
        return size * total

    def _images(self, role: str) -> list[tuple[float, float, float]]:
        """Sign, shift and direction: the travelled distance is shift + way x."""
        (a, b), (left, right) = self.interval, self.parity
        length, far = b - a, right if role == "left" else left
        start, way = (-a, 1.0) if role == "left" else (b, -1.0)
        found = []
        for n in range(math.ceil(self.speed * (self.clock[1] - self.clock[0]) / (2 * length)) + 1):
            flip = float((left * right) ** n)
            found.append((flip, start + 2 * n * length, way))
            found.append((flip * far, 2 * (n + 1) * length - start, -way))
        return found

    def formula(self, index: int, coordinates: Sequence[sp.Symbol]) -> tuple[sp.Expr, ...]:
        """Piecewise over the images that reach the interval in time."""
        role = list(self.profiles)[index]
        profile = self.profiles[role]
        x, c = coordinates[0], exact_number(self.speed)
        t = coordinates[1] - exact_number(self.clock[0])
        if role in {"left", "right"}:
            terms = []
            for sign, shift, way in self._images(role):
                place = t - (exact_number(shift) + sp.Integer(int(way)) * x) / c
                value = profile.formula(place + exact_number(self.clock[0])) * (c if profile.integrated else 1)
                terms.append(sp.Integer(int(sign)) * sp.Piecewise((value, place >= 0), (0, True)))
            return (sp.Add(*terms),)
        first, second = (self._folded(profile, x + way * c * t, role == "velocity") for way in (-1, 1))
        return ((second - first) / (2 * c) if role == "velocity" else (first + second) / 2,)

    def _folded(self, profile: Profile, xi: sp.Expr, integral: bool) -> sp.Expr:
        a, b = self.interval
        length, reach = b - a, self.speed * (self.clock[1] - self.clock[0])
        most = math.ceil(reach / length) + 1
        ends, pieces = [exact_number(a + k * length) for k in range(-most, most + 1)], []
        for k, (low, high) in zip(range(-most, most), itertools.pairwise(ends), strict=True):
            middle = np.array([a + (k + 0.5) * length])
            odd = bool(k % 2) and self.parity != (0, 0)
            place = exact_number(a) + high - xi if odd else xi - low + exact_number(a)
            inside = a + 0.5 * length
            known = float(profile(np.array([inside]))[0])
            here = float(self._continued(profile, middle, 0, integral)[0])
            probe = np.array([a + (k + 0.25) * length])
            other = float(profile(np.array([a + (0.75 if odd else 0.25) * length]))[0])
            there = float(self._continued(profile, probe, 0, integral)[0])
            sign = 1.0 if abs(known - other) < 1e-300 else round((here - there) / (known - other))
            if not integral:
                sign = self._sign(k)
            value = sp.Integer(int(sign)) * profile.formula(place)
            if integral:
                value += exact_number(here - sign * known)
            pieces.append((value, xi < high))
        return sp.Piecewise(*pieces[:-1], (pieces[-1][0], True))

    def _sign(self, k: int) -> int:
        if self.parity == (0, 0):
            return 1
        left, right = self.parity
        ups = math.ceil(k / 2) if k >= 0 else math.ceil((abs(k) - 1) / 2)
        return int(right**ups * left ** (abs(k) - ups))

    def parameters(self, index: int) -> dict[str, Any]:
        """Which data and the speed."""
        return {"data": list(self.profiles)[index], "speed": self.speed}

    def take(self, keep: np.ndarray) -> ProfileAtoms:
        """Some of them."""
        roles = np.array(list(self.profiles), dtype=object)[keep]
        chosen = {role: self.profiles[role] for role in roles}
        return ProfileAtoms(chosen, self.interval, self.clock, self.speed, self.parity, self.name, self.generators)

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """The expressions; integrals are made again."""
        numbers = np.array([*self.interval, *self.clock, self.speed, *map(float, self.parity)])
        parts = [
            [role, to_json(p.expression), to_json(p.symbol), p.low.hex(), p.high.hex(), p.integrated]
            for role, p in self.profiles.items()
        ]
        return {"name": self.name, "generators": list(self.generators), "profiles": parts}, {"numbers": numbers}

    @classmethod
    def from_state(cls, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> ProfileAtoms:
        """Rebuild from `state()`."""
        profiles = {
            role: Profile(from_json(e), from_json(s), float.fromhex(low), float.fromhex(high), integrated)
            for role, e, s, low, high, integrated in meta["profiles"]
        }
        a, b, start, end, speed, left, right = map(float, arrays["numbers"])
        return cls(profiles, (a, b), (start, end), speed, (int(left), int(right)), meta["name"], meta["generators"])
