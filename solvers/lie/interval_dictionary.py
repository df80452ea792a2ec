"""Dictionary of one equation with constant coefficients on an interval in time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import sympy as sp

from sciml.compatibility import term_data
from solvers.lie.atoms import Atoms, ExponentialAtoms, FormulaAtoms
from solvers.lie.breaks import kinks
from solvers.lie.data_exponents import data_exponents
from solvers.lie.exponentials import Variety
from solvers.lie.modes import sturm_liouville
from solvers.lie.polynomials import polynomial_solutions
from solvers.lie.similarity_atoms import SimilarityAtoms, kink_images, layer_images
from solvers.lie.statement import Statement

_OWN = 64  # most exponents taken from one set of data
_IMAGES = 400


@dataclass(frozen=True)
class Evolution:
    """Σ_k T_k ∂_t^k u + A u_xx + B u_x + C u = 0."""

    in_time: tuple[float, ...]
    a: float
    b: float
    c: float

    @property
    def alpha(self) -> float:
        """U = e^{αx} v removes u_x."""
        return -self.b / (2 * self.a)

    def rates(self, mu: float) -> np.ndarray:
        """λ of the mode v'' = -μ v."""
        constant = -self.a * mu + self.c - self.b**2 / (4 * self.a)
        return np.roots([*reversed(self.in_time[1:]), constant])


def read_evolution(statement: Statement) -> Evolution | None:
    """The coefficients, or None where the equation has another form."""
    if statement.count != 1 or len(statement.coordinates) != 2 or statement.problem.time is None:
        return None
    jets = {orders: c for (_, orders), c in statement.forms[0].coefficients.items() if sp.simplify(c) != 0}
    order = max((t for _, t in jets), default=0)
    allowed = {(0, k) for k in range(order + 1)} | {(1, 0), (2, 0)}
    if not statement.constant or set(jets) - allowed or (2, 0) not in jets or order == 0:
        return None
    value = {o: float(jets.get(o, 0)) for o in allowed}
    return Evolution((0.0, *(value[0, k] for k in range(1, order + 1))), value[2, 0], value[1, 0], value[0, 0])


class IntervalDictionary:
    """Modes, steady states, polynomials, layers at the ends, kinks of the data, and forced oscillations.

    Args:
        statement: The problem.
        evolution: Its equation.
    """

    def __init__(self, statement: Statement, evolution: Evolution) -> None:
        self.statement, self.evolution = statement, evolution
        self.variety = Variety(statement)
        self.a, self.b = (float(v) for v in statement.bounds[0])
        self.start, self.end = (float(v) for v in statement.bounds[1])
        self.length = self.b - self.a
        self.parabolic = len(evolution.in_time) == 2
        self.diffusivity = -evolution.a / evolution.in_time[1] if self.parabolic else 0.0

    def levels(self) -> list[int]:
        """Numbers of modes to try; 0 for the exponentials that the data are made of alone."""
        return [*([0] if self._own else []), 24, 48, 96, 192, 384]

    def build(self, count: int) -> list[Atoms]:
        """Atoms with a number of modes.

        Args:
            count: Modes.

        Returns:
            Families.
        """
        if count == 0:
            return [self._own_atoms(self._own)]
        families = self.fixed()
        if self.statement.periodic:
            return [*families, self.periodic(count)]
        if self.statement.sides is not None:
            families += self.modes(count)
        else:
            families.append(self.frame(count))
        if self.statement.moving_data or self.statement.sides is None:
            families.append(self.forced(count))
        return families

    def fixed(self) -> list[Atoms]:
        """Steady states, polynomials, layers and kinks: they do not depend on the level."""
        if not hasattr(self, "_fixed"):
            found: list[Atoms] = []
            if not self.statement.periodic:
                steady = self.variety.waves(0, np.zeros((1, 2)))
                steady = [k for k in steady if np.any(np.abs(k) > 1e-12)]
                if steady:
                    found.append(self.variety.atoms(steady, "steady state"))
                found += polynomial_solutions(self.statement, 8 if self.parabolic else 4)
                moved = [wave for wave in self._own if np.abs(wave).max() > 1e-12]  # polynomials hold the constant
                found += [self._own_atoms(moved)] if moved else []
            if self.parabolic and self.diffusivity > 0:
                found += self._similarity()
            self._fixed = found
        return list(self._fixed)

    @cached_property
    def _own(self) -> list[np.ndarray]:
        """The exponentials that the data are made of, carried on; where all sides rest they are the modes."""
        found: list[np.ndarray] = []
        if self.statement.periodic or (self.statement.sides is not None and not self.statement.moving_data):
            return found
        for term in self.statement.problem.terms:
            known = 0 if term.kind == "initial" else 1
            for data in term_data(term, self.statement.problem) if term.kind in {"initial", "boundary"} else ():
                exponents = data_exponents(data, self.statement.coordinates[known])
                half = exponents[exponents.imag >= 0][:_OWN]  # the atoms are real
                numbers = np.zeros((len(half), 2), dtype=complex)
                numbers[:, known] = half
                for wave in self.variety.waves(1 - known, numbers):
                    if not any(np.allclose(wave, other, rtol=1e-12, atol=1e-12) for other in found):
                        found.append(wave)
        return found

    def _own_atoms(self, waves: list[np.ndarray]) -> Atoms:
        return self.variety.atoms(waves, "exponential of the data")

    def modes(self, count: int) -> list[Atoms]:
        """Separated modes e^{αx} v(x) e^{λt} for the homogeneous conditions."""
        sides, alpha = self.statement.sides, self.evolution.alpha
        assert sides is not None
        left, right = (sides[face] for face in self._faces())
        # outward normal: ∂u/∂n = -u_x on the left, and u_x = e^{αx} (v' + α v)
        ends = [(s.value + sign * s.slope * alpha, sign * s.slope) for s, sign in ((left, -1.0), (right, 1.0))]
        vectors, exponents, extra = [], [], []
        for mu, p, q in sturm_liouville(self.length, ends[0], ends[1], count):
            if mu > 0:
                shift = np.sqrt(mu) * 1j
                halves = [(p - 1j * q / np.sqrt(mu), shift)]
            elif mu < 0:
                kappa = np.sqrt(-mu)
                halves = [((p + q / kappa) / 2, kappa), ((p - q / kappa) / 2, -kappa)]
            else:
                extra.append((mu, p, q))
                continue
            size = max(abs(h) * np.exp(max(0.0, k.real) * self.length) for h, k in halves)
            rates = self.evolution.rates(mu)
            for i, rate in enumerate(rates):
                if rate.imag < -1e-12 * abs(rate):
                    continue
                if any(abs(rate - r) < 1e-6 * abs(rate) for r in rates[:i]):
                    extra.append((mu, p, q))
                    continue
                for swing in (1.0, -1j) if abs(rate.imag) > 1e-12 * abs(rate) else (1.0,):
                    vectors.append(self._pair(halves, swing, size, rate))
                    exponents.append([(alpha + k, rate) for _, k in self._exponents(halves, rate)])
        found: list[Atoms] = []
        if vectors:
            width = max(len(v) for v in vectors)
            v = np.array([[*x, *[0.0] * (width - len(x))] for x in vectors], dtype=complex)[:, :, None]
            k = np.array([[*x, *[(0.0, 0.0)] * (width - len(x))] for x in exponents], dtype=complex)
            origins = np.broadcast_to([self.a, self.start], k.shape).copy()
            names = self.statement.generators("homogeneity", *(f"translation {s}" for s in self.statement.coordinates))
            found.append(ExponentialAtoms(v, k, origins, "mode", names))
        return found + self._degenerate(extra)

    @staticmethod
    def _exponents(halves: list, rate: complex) -> list:
        if len(halves) == 1 and abs(rate.imag) > 0:
            amplitude, k = halves[0]
            return [(amplitude, k), (np.conj(amplitude), np.conj(k))]
        return halves

    def _pair(self, halves: list, swing: complex, size: float, rate: complex) -> list[complex]:
        """Amplitudes of f(x) Re(swing e^{λt}) with f real: a conjugate pair where λ is complex."""
        pair = self._exponents(halves, rate)
        weight = 0.5 if len(pair) > len(halves) else 1.0
        return [weight * amplitude * swing / size for amplitude, _ in pair]

    def _degenerate(self, modes: list[tuple[float, float, float]]) -> list[Atoms]:
        """Modes with μ = 0, and those with a double rate: their second solution t e^{λt}."""
        x, t = self.statement.coordinates
        alpha, rate, p, q, kappa, _power = sp.symbols("alpha lambda p q kappa power", real=True)
        y = x - sp.Float(self.a) if self.a else x
        clock = t - sp.Float(self.start) if self.start else t
        found: list[Atoms] = []
        for mu, first, second in modes:
            rates = self.evolution.rates(mu)
            if np.any(np.abs(np.imag(rates)) > 1e-12):
                rates = np.zeros(0)  # a damped oscillation of μ = 0 is met by exponentials
            double = len(rates) == 2 and abs(rates[0] - rates[1]) <= 1e-6 * (abs(rates[0]) + 1e-12)
            shape = p + q * y if mu == 0 else p * sp.cos(kappa * y) + q * sp.sin(kappa * y) / kappa
            for value in [rates[0].real] if double else np.real(rates):
                for k in (0, 1) if double and mu == 0 else (1,) if double else (0,):
                    template = [clock**k * sp.exp(alpha * y + rate * clock) * shape]
                    numbers = [[self.evolution.alpha, value, first, second, np.sqrt(max(mu, 0.0))]]
                    found.append(
                        FormulaAtoms(
                            self.statement.coordinates,
                            template,
                            (alpha, rate, p, q, kappa),
                            np.array(numbers),
                            "mode",
                            self.statement.generators("homogeneity", f"translation {t}"),
                        )
                    )
        return found

    def _faces(self) -> tuple[str, str]:
        places = {
            face: self.statement.problem.domain.sample_face(face, 1)[0, 0] for face in self.statement.problem.faces
        }
        left, right = sorted(places, key=lambda face: places[face])
        return left, right

    def periodic(self, count: int) -> Atoms:
        """Exponentials whose period is the interval."""
        numbers = np.array([[2j * np.pi * m / self.length, 0.0] for m in range(count // 2 + 1)])
        return self.variety.atoms(self.variety.waves(1, numbers), "travelling mode")

    def frame(self, count: int) -> Atoms:
        """Exponentials of twice the interval: a frame for data without symmetry (Adcock & Huybrechs 2019)."""
        numbers = np.array([[1j * np.pi * m / self.length, 0.0] for m in range(1, count + 1)])
        return self.variety.atoms(self.variety.waves(1, numbers), "travelling mode")

    def forced(self, count: int) -> Atoms:
        """Oscillations e^{iωt} of four times the duration, for data that change in time."""
        duration = 2 * (self.end - self.start)
        numbers = np.array([[0.0, 1j * np.pi * m / duration] for m in range(1, min(count, 48) + 1)])
        return self.variety.atoms(self.variety.waves(0, numbers), "forced oscillation")

    def _similarity(self) -> list[Atoms]:
        """Layers at both ends and kinks of the data inside, with images."""
        e = self.evolution
        constants = (e.alpha, self.growth(), self.a, self.diffusivity, self.start)
        parity = self.parity()
        reach = 12.5 * np.sqrt(self.diffusivity * (self.end - self.start))
        interval = (self.a, self.b)
        if reach > 2 * self.length * _IMAGES:  # layers cross the interval so often that only modes are left of them
            return []
        rows: list[tuple[int, list]] = []
        if not self.statement.periodic:
            for at_left, sign in ((True, parity[0]), (False, parity[1])):
                orders = {-1: range(0, 9, 2), 1: range(1, 10, 2), 0: range(9)}[sign]
                rows += [(k, layer_images(at_left, interval, parity, reach)) for k in orders]
        for place in self._kinks():
            rows += [(k, kink_images(place, k, interval, parity, reach)) for k in range(7)]
        if not rows:
            return []
        width = max(len(r) for _, r in rows)
        table = np.array([[*r, *[(0.0, 1, 0.0)] * (width - len(r))] for _, r in rows], dtype=float)
        x, t = self.statement.coordinates
        names = self.statement.generators("scaling", "homogeneity", f"translation {x}", f"translation {t}")
        powers = np.array([k for k, _ in rows])
        return [SimilarityAtoms(powers, table[..., 0], table[..., 1], table[..., 2], constants, generators=names)]

    def growth(self) -> float:
        """β of u = e^{αx + βt} w with w_t = D w_xx: β T + A α² + B α + C = 0."""
        e = self.evolution
        return -(e.a * e.alpha**2 + e.b * e.alpha + e.c) / e.in_time[1]

    def parity(self) -> tuple[int, int]:
        """-1 odd, 1 even, 0 neither: reflections at the ends that keep w = u e^{-αx - βt} a solution."""
        sides = self.statement.sides
        if sides is None:
            return 0, 0
        signs = []
        for face in self._faces():
            side = sides[face]
            signs.append(-1 if side.slope == 0 else 1 if side.value == 0 and self.evolution.alpha == 0 else 0)
        return signs[0], signs[1]

    def _kinks(self) -> list[float]:
        places: set[float] = set()
        for term in self.statement.problem.terms:
            if term.kind == "initial":
                for data in term_data(term, self.statement.problem):
                    places |= set(kinks(data, self.statement.coordinates[0], self.a, self.b))
        return sorted(places)[:12]
