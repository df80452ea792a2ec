"""Real and imaginary parts of complex solutions of Δv + κv = 0: the common part, and powers of z."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
import sympy as sp

from solvers.lie.atoms import Atoms, Needed, exact_number
from solvers.lie.planar.normal_form import Frame, Orders

_NEAREST = 1e-300
INFINITE = complex(np.inf, 0.0)


class PlaneAtoms(Atoms):
    """Re f_j or Im f_j of complex solutions f_j in a frame.

    Args:
        frame: The coordinates in which the equation is Δv + κv = 0.
        function: j of each atom, (n,).
        part: 0 for the real, 1 for the imaginary part, (n,).
        name: What they are.
        generators: The symmetries.
    """

    def __init__(
        self, frame: Frame, function: np.ndarray, part: np.ndarray, name: str, generators: Sequence[str] = ()
    ) -> None:
        self.frame, self.function, self.part = frame, np.asarray(function, int), np.asarray(part, int)
        self.name, self.generators = name, tuple(generators)

    def __len__(self) -> int:
        """How many."""
        return len(self.function)

    @abstractmethod
    def derivatives(self, z: np.ndarray, wanted: set[Orders]) -> dict[Orders, np.ndarray]:
        """Derivatives of all f_j in X and Y at z, (N, number of functions) complex each."""

    def jets(self, points: np.ndarray, needed: Needed) -> np.ndarray:
        """Chain rule from the frame to the coordinates."""
        sums = [self.frame.expand((orders[0], orders[1])) for _, orders in needed]
        bare = self.derivatives(self.frame.place(points), {key for total in sums for key in total})
        growth = self.frame.growth(points)[:, None]
        result = np.zeros((len(points), len(needed), len(self)))
        for key, value in bare.items():
            real = np.where(self.part == 0, value.real[:, self.function], value.imag[:, self.function])
            for column, total in enumerate(sums):
                if key in total:
                    result[:, column] += total[key] * real
        return result * growth[:, None, :]

    @abstractmethod
    def complex_formula(self, index: int, x: sp.Expr, y: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
        """Real and imaginary part of f_index."""

    def formula(self, index: int, coordinates: Sequence[sp.Symbol]) -> tuple[sp.Expr, ...]:
        """The part, times exp(α · x)."""
        x, y, growth = self.frame.symbols(tuple(coordinates))
        return (growth * self.complex_formula(int(self.function[index]), x, y)[self.part[index]],)

    def _common(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        meta, arrays = self.frame.state()
        arrays |= {"function": self.function, "part": self.part}
        return {"name": self.name, "generators": list(self.generators), **meta}, arrays


def both_parts(count: int, start: int = 0, only_real: Sequence[int] = ()) -> tuple[np.ndarray, np.ndarray]:
    """Functions and parts of atoms: Re and Im of each of `count` functions, Im left out for those given."""
    pairs = [(j, part) for j in range(start, count) for part in (0, 1) if not (part and j in only_real)]
    table = np.array(pairs, dtype=int).reshape(-1, 2)
    return table[:, 0], table[:, 1]


class PowerAtoms(PlaneAtoms):
    r"""w^s (log w)^l with w = (z - c)/d or w = (z - c)/(z - f): harmonic; corner functions, poles, sources.

    Near a corner of angle ω with homogeneous conditions a harmonic function is a sum of w^{mπ/ω} (Lehman 1959);
    logarithms appear where mπ/ω is a whole number. Poles s = -1 cluster exponentially at corners (Gopal & Trefethen
    2019, arXiv 1905.02960). The cut of w runs from c against d, or from c to f where f is finite.

    Args:
        frame: With κ = 0.
        centres: c, (k,) complex.
        directions: d, (k,) complex.
        powers: s, (k,).
        logs: l, (k,), 0 or 1.
        ends: f, (k,) complex, infinite where d counts.
        function: As in `PlaneAtoms`.
        part: As in `PlaneAtoms`.
        name: What they are.
        generators: The symmetries.
    """

    kind = "plane power"

    def __init__(
        self,
        frame: Frame,
        centres: np.ndarray,
        directions: np.ndarray,
        powers: np.ndarray,
        logs: np.ndarray,
        ends: np.ndarray,
        function: np.ndarray,
        part: np.ndarray,
        name: str,
        generators: Sequence[str] = (),
    ) -> None:
        super().__init__(frame, function, part, name, generators)
        self.centres, self.directions = np.asarray(centres, complex), np.asarray(directions, complex)
        self.powers, self.logs = np.asarray(powers, float), np.asarray(logs, int)
        self.ends = np.asarray(ends, complex)

    def derivatives(self, z: np.ndarray, wanted: set[Orders]) -> dict[Orders, np.ndarray]:
        """(d/dw)^m w^s log w = A w^{s-m} log w + B w^{s-m}, then the chain rule for w(z)."""
        shift = z[:, None] - self.centres
        shift = np.where(shift == 0, _NEAREST, shift)
        finite = np.isfinite(self.ends)
        beyond = z[:, None] - np.where(finite, self.ends, 1e300)
        w = np.where(finite, shift / beyond, shift / self.directions)
        logarithm = np.log(w) if self.logs.any() else None
        first, second = np.where(self.logs == 1, 1.0, 0.0), np.where(self.logs == 1, 0.0, 1.0)
        most = max(p + q for p, q in wanted)
        inner = []
        for m in range(most + 1):
            inner.append(self._power(w, m) * (second if logarithm is None else first * logarithm + second))
            first, second = (self.powers - m) * first, (self.powers - m) * second + first
        if not finite.any():
            analytic = [value / self.directions**m for m, value in enumerate(inner)]
        else:
            analytic = self._chain(inner, np.where(finite, (self.centres - self.ends) / beyond**2, 1 / self.directions),
                                   np.where(finite, -2 / beyond, 0.0))  # fmt: skip
        return {(p, q): 1j**q * analytic[p + q] for p, q in wanted}

    @staticmethod
    def _chain(inner: list[np.ndarray], rate: np.ndarray, turn: np.ndarray) -> list[np.ndarray]:
        """Derivatives in z of F(w(z)), w' = rate, w'' = turn · rate."""
        found = [inner[0]]
        if len(inner) > 1:
            found.append(inner[1] * rate)
        if len(inner) > 2:
            found.append(inner[2] * rate**2 + inner[1] * turn * rate)
        if len(inner) > 3:
            found.append(inner[3] * rate**3 + 3 * inner[2] * turn * rate**2 + 1.5 * inner[1] * turn**2 * rate)
        if len(inner) > 4:
            raise NotImplementedError("derivatives of order 4 of corner functions")
        return found

    def _power(self, w: np.ndarray, m: int) -> np.ndarray:
        whole = self.powers == np.round(self.powers)
        if whole.all() and len(set(self.powers)) == 1:
            return w ** int(self.powers[0] - m)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            return w ** (self.powers - m)

    def complex_formula(self, index: int, x: sp.Expr, y: sp.Expr) -> tuple[sp.Expr, sp.Expr]:
        """In polar coordinates around c."""
        c, d, f = self.centres[index], self.directions[index], self.ends[index]
        return polar(x, y, c, d, float(self.powers[index]), int(self.logs[index]), f)

    def parameters(self, index: int) -> dict[str, Any]:
        """Centre and power."""
        j = self.function[index]
        c = self.frame.origin + np.linalg.solve(self.frame.stretch, [self.centres[j].real, self.centres[j].imag])
        return {"centre": c.tolist(), "power": float(self.powers[j]), "logarithm": int(self.logs[j])}

    def take(self, keep: np.ndarray) -> PowerAtoms:
        """Some of them."""
        own = (self.centres, self.directions, self.powers, self.logs, self.ends)
        return PowerAtoms(self.frame, *own, self.function[keep], self.part[keep], self.name, self.generators)

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """All arrays."""
        meta, arrays = self._common()
        arrays |= {"powers": self.powers, "logs": self.logs}
        arrays |= split_complex(centres=self.centres, directions=self.directions)
        arrays |= {"ends": np.stack([self.ends.real, self.ends.imag])}
        return meta, arrays

    @classmethod
    def from_state(cls, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> PowerAtoms:
        """Rebuild from `state()`."""
        ends = np.empty(arrays["ends"].shape[1], dtype=complex)
        ends.real, ends.imag = arrays["ends"]
        own = (join_complex(arrays, "centres"), join_complex(arrays, "directions"), arrays["powers"], arrays["logs"],
               ends)  # fmt: skip
        frame = Frame.from_state(meta, arrays)
        return cls(frame, *own, arrays["function"], arrays["part"], meta["name"], meta["generators"])


def polar(
    x: sp.Expr, y: sp.Expr, centre: complex, direction: complex, power: float, log: int, end: complex = INFINITE
) -> tuple[sp.Expr, sp.Expr]:
    """Real and imaginary part of w^s (log w)^l, w = (x + iy - c)/d or (x + iy - c)/(x + iy - f)."""
    dx, dy = x - exact_number(centre.real), y - exact_number(centre.imag)
    if np.isfinite(end):
        ex, ey = x - exact_number(end.real), y - exact_number(end.imag)
        size = ex**2 + ey**2
        along, across = (dx * ex + dy * ey) / size, (dy * ex - dx * ey) / size
    else:
        inverse = 1 / direction
        a, b = exact_number(inverse.real), exact_number(inverse.imag)
        along, across = (dx, dy) if direction == 1 else (a * dx - b * dy, b * dx + a * dy)
    square, angle = along**2 + across**2, sp.atan2(across, along)
    if power == -1 and not log:
        return along / square, -across / square
    s = exact_number(power)
    size, swing = square ** (s / 2), s * angle
    if not log:
        return size * sp.cos(swing), size * sp.sin(swing)
    long = sp.log(square) / 2
    return (
        size * (long * sp.cos(swing) - angle * sp.sin(swing)),
        size * (long * sp.sin(swing) + angle * sp.cos(swing)),
    )


def split_complex(**arrays: np.ndarray) -> dict[str, np.ndarray]:
    """Real and imaginary parts by name."""
    return {f"{name}.{part}": getattr(a, long).copy() for name, a in arrays.items()
            for part, long in (("re", "real"), ("im", "imag"))}  # fmt: skip


def join_complex(arrays: dict[str, np.ndarray], name: str) -> np.ndarray:
    """The complex array of two parts."""
    return np.asarray(arrays[f"{name}.re"] + 1j * arrays[f"{name}.im"])
