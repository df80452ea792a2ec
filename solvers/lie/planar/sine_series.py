"""A particular solution of a steady equation in the plane by a double sine series of its source."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy.fft
import sympy as sp
from scipy.special import erfc

from sciml.classification import LinearForm
from sciml.expressions.data import evaluate_data
from sciml.ibvp import IBVP
from solvers.lie.atoms import Atoms, Needed, exact_number
from solvers.lie.formulas import long_product, long_sum
from solvers.lie.planar.normal_form import Frame, read_elliptic
from solvers.lie.planar.outline import path
from solvers.lie.sharpest import sharpest_places
from solvers.lie.statement import Statement

_MARGINS = (0.0, 0.5, 1.0, 0.2)  # by which the box is wider than the domain, relative to half its width
_MOST = 1024  # sines per axis
_TAIL = 1e-15  # relative size of the coefficients that are left out
_ENOUGH = 1e-12  # relative residual at which no other box is tried
_STEEP = 6.0  # ½ erfc(±6) is 0 and 1 to rounding
_PROBES = 600


class SineSeriesAtoms(Atoms):
    r"""e^{α·(x - o)} Σ c_mn sin(mπ(X - A)/W) sin(nπ(Y - B)/H), X = L(x - o): what one source makes.

    Not a solution of the homogeneous equation; kept as one atom, whose residual is the caller's business.

    Args:
        frame: The frame.
        box: (2, 2): A, A + W and B, B + H.
        orders: m, (M,), and n, (N,).
        coefficients: (M, N).
        name: What it is.
        generators: The symmetries.
    """

    kind = "sine series"

    def __init__(
        self,
        frame: Frame,
        box: np.ndarray,
        orders: tuple[np.ndarray, np.ndarray],
        coefficients: np.ndarray,
        name: str = "particular solution",
        generators: Sequence[str] = (),
    ) -> None:
        self.frame, self.box, self.orders, self.coefficients = frame, box, orders, coefficients
        self.name, self.generators = name, tuple(generators)

    def __len__(self) -> int:
        """One."""
        return 1

    def jets(self, points: np.ndarray, needed: Needed) -> np.ndarray:
        """Derivatives of the sines, one product of matrices for each."""
        z, growth = self.frame.place(points), self.frame.growth(points)
        parts: dict[tuple[int, int], np.ndarray] = {}
        result = np.zeros((len(points), len(needed), 1))
        for column, (_, orders) in enumerate(needed):
            for (p, q), factor in self.frame.expand((int(orders[0]), int(orders[1]))).items():
                if (p, q) not in parts:
                    left = self._table(0, z.real, p) @ self.coefficients
                    parts[p, q] = np.einsum("ij,ij->i", left, self._table(1, z.imag, q))
                result[:, column, 0] += factor * parts[p, q]
        return result * growth[:, None, None]

    def _table(self, axis: int, places: np.ndarray, order: int) -> np.ndarray:
        """(d/dX)^order sin(mπ(X - A)/W), (N, M)."""
        low, high = self.box[axis]
        rate = math.pi / (high - low) * self.orders[axis]
        turn = np.multiply.outer(places - low, rate)
        wave = np.cos(turn) if order % 2 else np.sin(turn)
        return np.asarray((-1.0) ** (order // 2) * rate**order * wave)

    def formula(self, index: int, coordinates: Sequence[sp.Symbol]) -> tuple[sp.Expr, ...]:
        """The double sum, without terms that are rounding."""
        *moved, growth = self.frame.symbols((coordinates[0], coordinates[1]))
        waves = []
        for place, orders, (low, high) in zip(moved, self.orders, self.box.tolist(), strict=True):
            turn = sp.pi * (place - exact_number(low)) / exact_number(high - low)
            waves.append([sp.sin(int(m) * turn) for m in orders])
        size = float(np.abs(self.coefficients).max(initial=0.0))
        total = [long_product(exact_number(self.coefficients[m, n]), waves[0][m], waves[1][n])
                 for m, n in np.argwhere(np.abs(self.coefficients) > _TAIL * size).tolist()]  # fmt: skip
        return (long_product(growth, long_sum(total)),)

    def parameters(self, index: int) -> dict[str, Any]:
        """How many sines, and the box."""
        return {"sines": int(np.count_nonzero(self.coefficients)), "box": self.box.tolist()}

    def take(self, keep: np.ndarray) -> SineSeriesAtoms:
        """Itself."""
        return self

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """All arrays."""
        meta, arrays = self.frame.state()
        own = {"box": self.box, "first": self.orders[0], "second": self.orders[1], "coefficients": self.coefficients}
        return meta | {"name": self.name, "generators": list(self.generators)}, arrays | own

    @classmethod
    def from_state(cls, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> SineSeriesAtoms:
        """Rebuild from `state()`."""
        orders = (arrays["first"], arrays["second"])
        return cls(Frame.from_state(meta, arrays), arrays["box"], orders, arrays["coefficients"], meta["name"],
                   meta["generators"])  # fmt: skip


def sine_series(problem: IBVP, form: LinearForm) -> tuple[SineSeriesAtoms, float] | None:
    r"""V with Δv + κv = -s, s the source in the frame: v_mn = s_mn/(λ_mn - κ), λ_mn = (mπ/W)² + (nπ/H)².

    The source times a window, 1 on the domain and 0 at the edge of a wider box, is smooth and vanishes there, so that
    its sine coefficients fall faster than any power (Boyd 2002, J. Comput. Phys. 178, 118); a source that vanishes at
    the edge by itself needs no window. The window is outside the domain, so that the equation holds inside.

    Args:
        problem: A linear problem.
        form: Its equation.

    Returns:
        The series, and the largest residual of the equation on points of the domain relative to the source there;
        None where the equation is not elliptic with constant coefficients in the plane, or the source not finite, or
        its coefficients do not fall.
    """
    frame = read_elliptic(Statement(problem, [form]))
    if frame is None:
        return None
    source = sp.sign(form.coefficients[0, (2, 0)]) * problem.substitute(form.source)
    outline = _outline(problem)
    points = np.concatenate([problem.domain.sample(_PROBES, seed=3), outline, sharpest_places(problem, source)])
    wanted = evaluate_data(source, problem.coordinates, points)
    size = float(np.abs(wanted).max(initial=0.0))
    if not np.isfinite(wanted).all() or not size:
        return None
    best: tuple[SineSeriesAtoms, float] | None = None
    for margin in _MARGINS:
        inner = _extent(frame.place(outline))
        box = _box(inner, margin, frame.kappa)
        found = _coefficients(_windowed(problem, frame, source, box, inner))
        if found is None:
            continue
        series = SineSeriesAtoms(frame, box, *found)
        error = float(np.abs(series.jets(points, [(0, (0, 0))])[:, 0, 0] - wanted).max()) / size
        if best is None or error < best[1]:
            rate = [math.pi * m / (high - low) for m, (low, high) in zip(found[0], box, strict=True)]
            stiff = np.add.outer(rate[0] ** 2, rate[1] ** 2) - frame.kappa
            best = SineSeriesAtoms(frame, box, found[0], found[1] / stiff), error
        if error < _ENOUGH:
            break
    return best


def _outline(problem: IBVP) -> np.ndarray:
    fraction = np.linspace(0.0, 1.0, 101)
    return np.concatenate([path(shape, data)(fraction) for _, shape, data in problem.domain.primitives()])


def _extent(z: np.ndarray) -> np.ndarray:
    return np.array([[z.real.min(), z.real.max()], [z.imag.min(), z.imag.max()]])


def _box(inner: np.ndarray, margin: float, kappa: float) -> np.ndarray:
    """The wider box; stretched a little where κ is near one of its eigenvalues."""
    middle, half = inner.mean(axis=1), np.diff(inner, axis=1)[:, 0] / 2

    def distance(stretch: float) -> float:
        rate = [(math.pi / (2 * h * (1 + margin) * stretch)) ** 2 for h in half]
        axes = [r * np.arange(1, 2 + int(math.sqrt(max(kappa, 0.0) / r))) ** 2 for r in rate]
        return float(np.abs(np.add.outer(*axes) - kappa).min() / sum(rate))

    stretch = max(1 + 0.005 * np.arange(9), key=distance) if kappa > 0 else 1.0
    wide = half * (1 + margin) * stretch
    return np.stack([middle - wide, middle + wide], axis=1)


def _windowed(
    problem: IBVP, frame: Frame, source: sp.Expr, box: np.ndarray, inner: np.ndarray
) -> Callable[[tuple[int, int]], np.ndarray | None]:
    """The source in the frame times the window, at the middles of cells of the box; None where it is not finite."""
    turned = np.linalg.inv(frame.stretch)

    def values(shape: tuple[int, int]) -> np.ndarray | None:
        places = [low + (high - low) * (np.arange(n) + 0.5) / n for n, (low, high) in zip(shape, box, strict=True)]
        windows = [_window(p, *edges, *ends) for p, edges, ends in zip(places, box, inner, strict=True)]
        grid = np.stack(np.meshgrid(*places, indexing="ij"), axis=-1).reshape(-1, 2) @ turned.T + frame.origin
        with np.errstate(all="ignore"):
            found = evaluate_data(source, problem.coordinates, grid) / frame.growth(grid)
            whole = found.reshape(shape) * np.multiply.outer(*windows)
        return whole if np.isfinite(whole).all() else None

    return values


def _window(places: np.ndarray, low: float, high: float, first: float, last: float) -> np.ndarray:
    """1 on [first, last], 0 at low and high."""
    window: np.ndarray = np.ones(len(places))
    for room, depth in ((first - low, places - low), (high - last, high - places)):
        if room > 0.1 * (last - first):
            window *= erfc(_STEEP * (1 - 2 * depth / room)) / 2
    return window


def _coefficients(
    values: Callable[[tuple[int, int]], np.ndarray | None],
) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray] | None:
    """Orders and sine coefficients by the midpoint rule, more of them per axis until the last quarter is rounding."""
    shape = [64, 64]
    while True:
        grid = values((shape[0], shape[1]))
        if grid is None:
            return None
        table = scipy.fft.dstn(grid, type=2) / grid.size
        floor = _TAIL * max(float(np.abs(table).max()), 1e-300)
        noise = 4e-16 * float(np.abs(grid).max()) / math.sqrt(grid.size)
        tails = [float(np.abs(np.moveaxis(table, axis, 0)[3 * shape[axis] // 4 :]).max()) for axis in (0, 1)]
        rough = [axis for axis in (0, 1) if tails[axis] > 4 * max(floor, noise)]
        if not rough or all(shape[axis] >= _MOST for axis in rough):
            break
        for axis in rough:
            shape[axis] = min(2 * shape[axis], _MOST)
    if rough and max(tails) > 1e-3 * np.abs(table).max():
        return None
    table = np.where(np.abs(table) > max(floor, noise), table, 0.0)[: 3 * shape[0] // 4, : 3 * shape[1] // 4]
    kept = [np.flatnonzero(np.abs(table).sum(axis=1 - axis)) for axis in (0, 1)]
    return (kept[0] + 1, kept[1] + 1), table[np.ix_(*kept)]
