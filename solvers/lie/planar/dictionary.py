"""Dictionary of a steady elliptic equation with constant coefficients in the plane."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import iv, jv, kv, yv

from solvers.lie.atoms import Atoms
from solvers.lie.placement import Density
from solvers.lie.planar.arnoldi_atoms import ArnoldiAtoms, arnoldi
from solvers.lie.planar.bessel_atoms import BesselAtoms
from solvers.lie.planar.normal_form import Frame
from solvers.lie.planar.outline import Corner, corners, path
from solvers.lie.planar.plane_atoms import INFINITE, PowerAtoms, both_parts
from solvers.lie.statement import Statement

_STEEPNESS = 4.0
_HIGHEST = (4.5, 6.5, 8.5, 12.5, 16.5, 20.5, 24.5)  # powers at corners, by level; the poles stand for the others
# degree of the regular part, poles per re-entrant corner
_SMOOTH = ((16, 0), (32, 0), (64, 0), (110, 0))
_CORNERED = ((16, 0), (32, 0), (24, 12), (36, 24), (48, 40), (60, 64))
_WAVES = ((16, 0), (40, 0), (24, 12), (70, 0), (36, 24), (110, 0), (48, 40))


class PlanarDictionary:
    """Regular solutions, corner functions, poles that cluster at corners, and sources in holes.

    Args:
        statement: The problem.
        frame: Its equation as Δv + κv = 0.
    """

    def __init__(self, statement: Statement, frame: Frame) -> None:
        self.statement, self.frame = statement, frame
        problem = statement.problem
        self.corners = corners(problem, frame.stretch, frame.place)
        fraction = (np.arange(200) + 0.5) / 200
        pieces = [path(shape, data)(fraction) for _, shape, data in problem.domain.primitives()]
        self.boundary, self._pieces = frame.place(np.concatenate(pieces)), len(pieces)
        self.radius = float(np.abs(self.boundary).max())
        self.wavenumber = math.sqrt(abs(frame.kappa))
        self.letters = "JY" if frame.kappa > 0 else "IK"
        self._rotation = statement.generators("rotation", "homogeneity")
        self._moves = statement.generators("homogeneity", "rotation", "scaling",
                                           *(f"translation {s}" for s in statement.coordinates))  # fmt: skip

    def levels(self) -> list[int]:
        """Indices of sizes."""
        return list(range(len(self._sizes)))

    @property
    def _sizes(self) -> tuple[tuple[int, int], ...]:
        if not self.corners:
            return _SMOOTH
        return _CORNERED if self.frame.kappa == 0 else _WAVES

    def build(self, count: int) -> list[Atoms]:
        """Atoms of one size.

        Args:
            count: Index of the size.

        Returns:
            Families.
        """
        degree, poles = self._sizes[count]
        found = [self._regular(degree), *self._singular(_HIGHEST[count]), *self._sources(degree // 2)]
        if poles:
            found.append(self._poles(poles))
        return [family for family in found if len(family)]

    def densities(self, count: int) -> tuple[Density, Density]:
        """Rows that cluster as the poles do."""
        degree, poles = self._sizes[count]
        waves = self.wavenumber * self.radius
        line = max(3, int(degree + 2 * waves) // 8)
        if not self.corners:  # no clustering adds rows: three for two unknowns
            holes = len(self._holes())
            unknowns = 2 * (degree + 1 + int(1.2 * waves)) + holes * (degree + 2 * int(waves) + 3)
            line = max(line, math.ceil(1.5 * unknowns / 8 / self._pieces))
        near = 0.3 * math.exp(-_STEEPNESS * (math.sqrt(poles) - 1)) if poles else 1e-3
        near = near if self.corners else 0.5
        return Density(line=line, order=8, clustering=near, level=True), Density(
            line=line + 1, order=7, clustering=near, level=True
        )

    def _regular(self, degree: int) -> Atoms:
        """Polynomials, or Fourier–Bessel functions around the middle."""
        if self.frame.kappa == 0:
            scale = self.radius
            function, part = both_parts(degree + 1, only_real=(0,))
            recurrence = arnoldi(self.boundary / scale, degree)
            return ArnoldiAtoms(self.frame, recurrence, 0j, scale, False, function, part, "harmonic polynomial",
                                self._moves)  # fmt: skip
        waves = self.wavenumber * self.radius
        orders = np.arange(degree + int(1.2 * waves) + 1)
        return self._bessel(self.letters[0], np.zeros(len(orders)), np.ones(len(orders)), orders, self.radius,
                            "Fourier–Bessel function", (0,))  # fmt: skip

    def _bessel(
        self,
        letter: str,
        centres: np.ndarray,
        directions: np.ndarray,
        orders: np.ndarray,
        distance: np.ndarray | float,
        name: str,
        only_real: tuple[int, ...] = (),
        only_imaginary: tuple[int, ...] = (),
    ) -> BesselAtoms:
        n = len(orders)
        function, part = both_parts(n, only_real=only_real)
        atoms = BesselAtoms(self.frame, letter, centres, directions, orders, np.ones(n), function, part, name,
                            self._moves)  # fmt: skip
        size = _typical(letter[-1], orders, self.wavenumber * np.broadcast_to(distance, (n,)))
        usable = np.flatnonzero((size > 1e-200) & (size < 1e200))
        keep = np.isin(function, usable) & ~(np.isin(function, only_imaginary) & (part == 0))
        atoms.scales = np.where((size > 1e-200) & (size < 1e200), size, 1.0)
        return atoms.take(keep) if not keep.all() else atoms

    def _singular(self, highest: float) -> list[Atoms]:
        """Powers at corners; logarithms where the exponent is a whole number."""
        rows = []
        for corner in self.corners:
            end = self._end_of_cut(corner)
            if end is not None and (self.frame.kappa == 0 or not np.isfinite(end)):
                rows += [(corner.place, corner.inward, s, log, end)
                         for s, log in exponents(corner, highest, bool(np.isfinite(end)))
                         if self.frame.kappa == 0 or not log or s <= _HIGHEST[1]]  # fmt: skip
        if not rows:
            return []
        centres, directions, ends = (np.array([row[i] for row in rows], dtype=complex) for i in (0, 1, 4))
        powers, logs = np.array([row[2] for row in rows]), np.array([row[3] for row in rows])
        if self.frame.kappa != 0:
            plain, letter = logs == 0, self.letters[0]
            found: list[Atoms] = [self._bessel(letter, centres[plain], directions[plain], powers[plain], self.radius,
                                               "corner function")]  # fmt: skip
            if not plain.all():
                flat = tuple(np.flatnonzero(powers[~plain] == 0).tolist())
                found.append(self._bessel("d" + letter, centres[~plain], directions[~plain], powers[~plain],
                                          self.radius, "corner function", only_imaginary=flat))  # fmt: skip
            return found
        function, part = both_parts(len(rows))
        jump = (powers[function] == 0) & (part == 0)  # log |w| is no bounded solution
        return [PowerAtoms(self.frame, centres, directions * self.radius, powers, logs, ends, function[~jump],
                           part[~jump], "corner function", self._rotation)]  # fmt: skip

    def _end_of_cut(self, corner: Corner) -> complex | None:
        """Where the cut of a corner function ends: at infinity, or half-way before it comes back; None: no room."""
        steps = self.radius * np.geomspace(1e-3, 3.0, 200)
        inside = self._contains(corner.place - corner.inward * steps)
        if not inside.any():
            return INFINITE
        first = float(steps[int(np.argmax(inside))])
        return corner.place - corner.inward * first / 2 if first > 5e-3 * self.radius else None

    def _contains(self, z: np.ndarray) -> np.ndarray:
        points = np.stack([z.real, z.imag], axis=1) @ np.linalg.inv(self.frame.stretch).T + self.frame.origin
        return np.asarray(self.statement.problem.domain.contains(points, 0.0))

    def _poles(self, most: int) -> Atoms:
        """Poles at distances exp(-4(√n - √j)) outside each corner."""
        places, scales = [], []
        for corner in self.corners:
            n = most if corner.angle > 1.01 * math.pi or corner.slopes[0] != corner.slopes[1] else most // 2
            distance = corner.room * np.exp(-_STEEPNESS * (math.sqrt(n) - np.sqrt(np.arange(1, n + 1))))
            here = corner.place - corner.inward * distance
            outside = ~self._contains(here)
            places.append(here[outside])
            scales.append(distance[outside])
        centres, distances = np.concatenate(places), np.concatenate(scales)
        if self.frame.kappa == 0:
            function, part = both_parts(len(centres))
            own = (np.zeros(len(centres)), np.full(len(centres), INFINITE), function, part)
            return PowerAtoms(self.frame, centres, distances.astype(complex), own[0] - 1, *own, "pole", self._moves)
        orders = np.repeat([0.0, 1.0], len(centres))
        centres, distances = np.tile(centres, 2), np.tile(distances, 2)
        real = tuple(range(len(centres) // 2))
        return self._bessel(self.letters[1], centres, np.ones(len(centres)), orders, distances, "source", real)

    def _sources(self, degree: int) -> list[Atoms]:
        """Logarithm and Laurent polynomials, or Y_n and K_n, in each hole."""
        found: list[Atoms] = []
        for centre, inner in self._holes():
            if self.frame.kappa != 0:
                orders = np.arange(degree + int(self.wavenumber * inner) + 1)
                ones = np.ones(len(orders))
                found.append(self._bessel(self.letters[1], centre * ones, ones, orders, inner, "source in a hole",
                                          (0,)))  # fmt: skip
                continue
            one = np.ones(1)
            own = (centre * one, one * inner, 0 * one, one, np.full(1, INFINITE), 0 * one, 0 * one)
            found.append(PowerAtoms(self.frame, *own, "source in a hole", self._moves))
            function, part = both_parts(degree + 1, start=1)
            recurrence = arnoldi(inner / (self.boundary - centre), degree)
            found.append(ArnoldiAtoms(self.frame, recurrence, centre, inner, True, function, part,
                                      "Laurent polynomial", self._moves))  # fmt: skip
        return found

    def _holes(self) -> list[tuple[complex, float]]:
        """A point in each hole, and its distance from the boundary."""
        pieces = [self.frame.place(path(shape, data)((np.arange(64) + 0.5) / 64))
                  for _, shape, data in self.statement.problem.domain.primitives()]  # fmt: skip
        starts, ends = ([tuple(np.round(data[i], 9)) for _, _, data in self.statement.problem.domain.primitives()]
                        for i in (0, 1))  # fmt: skip
        found, left = [], list(range(len(pieces)))
        while left:
            loop = [left.pop(0)]
            while ends[loop[-1]] != starts[loop[0]]:
                following = next((i for i in left if starts[i] == ends[loop[-1]]), None)
                if following is None:
                    break
                left.remove(following)
                loop.append(following)
            curve = np.concatenate([pieces[i] for i in loop])
            shifted = np.roll(curve, -1)
            if float((np.conj(curve) * shifted).imag.sum()) < 0:
                found.append(_deepest(curve))
        return found


def _deepest(curve: np.ndarray) -> tuple[complex, float]:
    """The point inside a closed curve farthest from it, on a grid; and that distance."""
    box = [(curve.real.min(), curve.real.max()), (curve.imag.min(), curve.imag.max())]
    gx, gy = np.meshgrid(*[np.linspace(a, b, 21) for a, b in box])
    grid = np.concatenate([[curve.mean()], (gx + 1j * gy).ravel()])
    turn = np.angle(np.roll(curve, -1)[None, :] - grid[:, None]) - np.angle(curve[None, :] - grid[:, None])
    winding = ((turn + np.pi) % (2 * np.pi) - np.pi).sum(axis=1) / (2 * np.pi)
    distance = np.abs(curve[None, :] - grid[:, None]).min(axis=1)
    distance[0] *= 1.1  # the mean of a circle is better than a point of the grid
    best = int(np.argmax(np.where(np.abs(winding) > 0.5, distance, -1.0)))
    return complex(grid[best]), float(np.abs(curve - grid[best]).min())


def exponents(corner: Corner, highest: float, shifted: bool = False) -> list[tuple[float, int]]:
    """(s, l) of the singular solutions w^s (log w)^l at a corner.

    Args:
        corner: The corner.
        highest: Largest s.
        shifted: Add s + 1, s + 2, ..., which the variable of a finite cut needs.

    Returns:
        s = mπ/ω, or (m - 1/2)π/ω between a condition with and one without derivatives; whole k with a logarithm
        where they are among these numbers.

    Example:
        >>> [(round(s, 3), log) for s, log in exponents(Corner(0j, 1 + 0j, 1.5 * np.pi, (False, False), 1.0), 2.5)]
        [(0.667, 0), (1.333, 0), (0.0, 1), (2.0, 1)]
    """
    shift = 0.5 if corner.slopes[0] != corner.slopes[1] else 0.0
    ratio = corner.angle / math.pi
    powers = [(m - shift) / ratio for m in range(1, int(highest * ratio + shift) + 1)]
    if shifted:
        powers = sorted({round(s + j, 12) for s in powers for j in range(int(highest - s) + 1)})
    found = [(s, 0) for s in powers if abs(s - round(s)) > 1e-7]
    for k in range(0 if not any(corner.slopes) else 1, int(highest) + 1):
        place = k * ratio + shift
        if abs(place - round(place)) < 1e-7 or (shifted and any(log for _, log in found)):
            found.append((float(k), 1))
    return found


def _typical(letter: str, orders: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Size of C_s at a distance, at least that at the turning point."""
    with np.errstate(over="ignore", invalid="ignore"):
        if letter == "J":
            return np.abs(jv(orders, np.minimum(x, orders + 0.8 * np.cbrt(orders) + 0.1)))
        if letter == "Y":
            return np.abs(yv(orders, x))
        return np.abs(iv(orders, x) if letter == "I" else kv(orders, x))
