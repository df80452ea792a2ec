"""Heat equation on an interval with fixed end values, by quadrature against the heat kernel."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import sympy as sp

from sciml.errors import PointsError, ProblemError
from sciml.references.quadrature import gauss_legendre

Array = np.ndarray

# The kernel is dropped below exp(-EXPONENT); NODES resolve it on any cell; CHUNK bounds the (points, nodes) table.
EXPONENT, NODES, CHUNK = 40.0, 56, 1_000_000


class HeatKernel:
    """Solution of u_t = D u_xx with u(x, 0) = f(x), u(a, t) = f(a), u(b, t) = f(b).

    With l the straight line through the end values, f - l continued oddly at both ends and with period 2 (b - a)
    solves the problem on the whole line (Carslaw and Jaeger 1959, Conduction of Heat in Solids, section 2.4):

        u(x, t) = l(x) + ∫ (f - l)(x + s) exp(-s²/(4Dt)) ds / (4πDt)^(1/2).

    The continued data and their slope are continuous, so that derivatives up to D u_xx = u_t are the same average
    of f' and f''. Gauss's rule on every cell between breakpoints is exact to rounding if f is smooth there; unlike
    a sine series it does not lose accuracy as t -> 0.

    Args:
        initial: The data f, a SymPy expression of `x`.
        x: Its coordinate.
        interval: Two numbers (a, b).
        diffusivity: D > 0.
        breaks: Breakpoints inside the interval, dense where f varies fast: on each cell f should be close to a
            polynomial of degree 50.

    Raises:
        ProblemError: If an argument has no meaning.

    Example:
        >>> x = sp.Symbol("x")
        >>> rod = HeatKernel(sp.sin(sp.pi * x), x, (0, 1))
        >>> print(f"{rod(0.5, 0.1):.14f} {np.exp(-0.1 * np.pi**2):.14f}")
        0.37270783885344 0.37270783885344
    """

    def __init__(
        self,
        initial: sp.Expr,
        x: sp.Symbol,
        interval: tuple,
        diffusivity: float = 1.0,
        breaks: Sequence[float] = (),
    ) -> None:
        """Compile the data."""
        a, b = float(interval[0]), float(interval[1])
        if not a < b or not (np.isfinite(diffusivity) and diffusivity > 0):
            raise ProblemError("a < b and a positive diffusivity", f"({a}, {b}), {diffusivity}", "check the signs")
        if sp.sympify(initial).free_symbols - {x}:
            raise ProblemError(f"data in {x} only", str(initial), "give the other symbols values")
        inner = np.unique(np.asarray(breaks, dtype=float))
        if inner.size and not (a < inner[0] and inner[-1] < b):
            raise ProblemError(f"breakpoints inside ({a}, {b})", str(inner), "drop the others")
        self.interval, self.diffusivity = (a, b), float(diffusivity)
        low, high = (sp.sympify(initial).subs(x, end) for end in interval)
        self._line = float(low), float((high - low) / (sp.sympify(interval[1]) - sp.sympify(interval[0])))
        inside = initial - low - (high - low) * (x - interval[0]) / (sp.sympify(interval[1]) - interval[0])
        self._functions = [sp.lambdify(x, inside.diff(x, n), modules=["scipy", "numpy"]) for n in range(3)]
        half = np.concatenate([[0.0], inner - a])
        self._pattern = np.unique(np.concatenate([half, 2 * (b - a) - half[1:], [b - a]]))  # one period, from 0

    def __call__(self, x: Array | float, t: Array | float) -> Array:
        """Values u(x, t).

        Args:
            x: Positions in [a, b], any shape that broadcasts with `t`.
            t: Times >= 0.

        Returns:
            Values in the common shape.
        """
        return self.derivative(x, t, (0, 0))

    def derivative(self, x: Array | float, t: Array | float, orders: tuple[int, int]) -> Array:
        """The value (0, 0) or one of the derivatives u_x (1, 0), u_xx (2, 0), u_t (0, 1).

        Args:
            x: Positions in [a, b], any shape that broadcasts with `t`.
            t: Times >= 0.
            orders: Order in x and in t.

        Returns:
            The derivative in the common shape.

        Raises:
            ProblemError: If the derivative is not one of the four.
            PointsError: If a point lies outside.
        """
        if tuple(orders) not in {(0, 0), (1, 0), (2, 0), (0, 1)}:
            raise ProblemError("u, u_x, u_xx or u_t", str(orders), "the equation contains no other derivative")
        x, t = np.broadcast_arrays(np.asarray(x, dtype=float), np.asarray(t, dtype=float))
        a, b = self.interval
        slack = 1e-9 * (b - a)
        if not ((x >= a - slack) & (x <= b + slack) & (t >= 0) & np.isfinite(t)).all():
            raise PointsError(f"positions in [{a:g}, {b:g}] and times >= 0", f"x = {x}, t = {t}", "drop the others")
        n = orders[0] + 2 * orders[1]
        flat_x, flat_t, out, start = x.ravel() - a, t.ravel(), np.empty(x.size), 0
        order = np.argsort(flat_t, kind="stable")  # early times need fewer cells
        while start < order.size:
            stop = start + self._chunk(flat_t[order[start:]])
            chosen = order[start:stop]
            out[chosen] = self._average(flat_x[chosen], flat_t[chosen], n)
            start = stop
        line = (self._line[0] + self._line[1] * flat_x, self._line[1], 0.0)[n]
        return (self.diffusivity ** orders[1] * (line + out)).reshape(x.shape)

    def _lattice(self, reach: float) -> Array:
        """Breakpoints of the continued data on [-reach, b - a + reach], counted from a."""
        period = 2 * (self.interval[1] - self.interval[0])
        shifts = period * np.arange(-np.ceil(reach / period) - 1, np.ceil(reach / period) + 2)
        lattice = np.unique((shifts[:, None] + self._pattern).round(15))
        return lattice[(lattice > -reach) & (lattice < period / 2 + reach)]

    def _reach(self, t: Array) -> Array:
        return np.sqrt(4 * EXPONENT * self.diffusivity * np.maximum(t, 1e-300))

    def _chunk(self, t: Array) -> int:
        """How many of the sorted times fit in one table."""
        count = t.size
        while count > 1 and count * NODES * (self._lattice(float(self._reach(t[count - 1]))).size + 1) > CHUNK:
            count = (count + 1) // 2
        return count

    def _average(self, x: Array, t: Array, n: int) -> Array:
        """The n-th derivative of the continued data, averaged with the kernel around every x."""
        reach = self._reach(t)[:, None]
        inner = np.clip(self._lattice(float(reach.max())) - x[:, None], -reach, reach)
        edges = np.concatenate([-reach, inner, reach], axis=1)
        nodes, weights = gauss_legendre(NODES)
        half = np.diff(edges)[:, :, None] / 2
        shifts = ((edges[:, :-1] + edges[:, 1:])[:, :, None] / 2 + half * nodes).reshape(x.size, -1)
        weight = (half * weights).reshape(x.size, -1) * np.exp(-EXPONENT * (shifts / reach) ** 2)
        return (weight * self._data(x[:, None] + shifts, n)).sum(axis=1) / weight.sum(axis=1)

    def _data(self, y: Array, n: int) -> Array:
        length = self.interval[1] - self.interval[0]
        folded = np.mod(y, 2 * length)
        mirrored = folded > length
        values = self._functions[n](self.interval[0] + np.where(mirrored, 2 * length - folded, folded))
        # d^n/dy^n of -f(2L - y)
        return np.where(mirrored, -((-1) ** n), 1) * values
