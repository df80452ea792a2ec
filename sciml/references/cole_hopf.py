"""Viscous Burgers equation by the Cole–Hopf transformation, to rounding error."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import sympy as sp

from sciml.errors import PointsError, ProblemError
from sciml.references.quadrature import gauss_legendre

Array = np.ndarray

# exp(-EXPONENT) is the size below which a weight is dropped; a chunk of the (points, nodes) table has
# at most CHUNK entries.
EXPONENT, CHUNK = 40.0, 1_000_000


class _Moments(NamedTuple):
    """Averages of the data and of its derivatives under the Cole–Hopf weight."""

    value: Array  # <f>
    slope: Array  # <f'>
    curvature: Array  # <f''>
    product: Array  # <f f'>
    variance: Array  # <(f - <f>)²>
    covariance: Array  # <(f - <f>)(f' - <f'>)>
    skewness: Array  # <(f - <f>)³>


class ColeHopf:
    """Solution of u_t + u u_x = ν u_xx with u(x, 0) = f(x), by quadrature of its closed form.

    With u = -2ν θ_x / θ the equation becomes θ_t = ν θ_xx (Hopf 1950, Comm. Pure Appl. Math. 3, 201;
    Cole 1951, Quart. Appl. Math. 9, 225). Hence u is an average of the initial data,

        u(x, t) = <f> = ∫ f(y) w(y) dy / ∫ w(y) dy,   w = exp(-[F(y) + (x - y)²/(2t)] / (2ν)),  F' = f.

    Writing y = x - s before differentiating gives derivatives without division by t, which stay accurate
    down to t = 0 and inside the shock layer:

        u_x  = <f'> - Var(f)/(2ν),
        u_xx = <f''> - 3 Cov(f, f')/(2ν) + <(f - u)³>/(4ν²),
        u_t  = ν <f''> - <f f'> - Cov(f, f')/2 + Cov(f, f²)/(4ν).

    The weight is scaled by its largest value, so that θ may span exp(-1000). Its support is bounded by
    |x - y| <= t U + sqrt(t² U² + 4 E ν t), U = sup |f|, where it has fallen below exp(-E). Composite
    Gauss–Legendre quadrature on that interval, broken where the data are not smooth, converges
    geometrically.

    Args:
        initial: The data f, a bounded SymPy expression of `x` that is smooth on the interval.
        x: Its coordinate.
        interval: Two numbers (a, b).
        viscosity: ν > 0.
        extension: How f continues outside the interval. "odd": reflected oddly at both ends, which
            solves the problem with u = 0 at x = a and x = b. "none": the expression holds on the whole
            line; sup |f| must be attained on the interval.
        potential: An antiderivative F of f that can be evaluated without overflow; SymPy's when omitted.
        resolution: Factor on the number of nodes; 2 instead of 1 measures the quadrature error.

    Raises:
        ProblemError: If the viscosity is not positive, the interval is empty, or the data contain other
            symbols, do not vanish where they must, or `potential` is missing or wrong.

    Example:
        >>> x = sp.Symbol("x")
        >>> wave = ColeHopf(sp.sin(sp.pi * x), x, (0, 1), viscosity=0.02)
        >>> print(f"{wave(0.5, 0.5):.13f}")
        0.5823657841634
    """

    def __init__(
        self,
        initial: sp.Expr,
        x: sp.Symbol,
        interval: tuple,
        viscosity: float,
        extension: str = "odd",
        potential: sp.Expr | None = None,
        resolution: float = 1.0,
    ) -> None:
        """Compile the data and measure their size."""
        self.initial, self.x = sp.sympify(initial), x
        self.interval = (float(interval[0]), float(interval[1]))
        self.viscosity, self.extension, self.resolution = float(viscosity), extension, resolution
        self._check()
        potential = sp.integrate(self.initial, x) if potential is None else sp.sympify(potential)
        derivatives = [self.initial.diff(x, order) for order in range(3)]
        self._functions = [_function(x, expression) for expression in (potential, *derivatives)]
        self._check_potential(potential)
        grid = np.linspace(*self.interval, 4001)
        # The margins cover what lies between the grid points.
        self._speed = 1.01 * float(np.abs(self._functions[1](grid)).max())
        self._slope = 1.1 * float(np.abs(self._functions[2](grid)).max())
        ends = np.abs(self._functions[1](np.array(self.interval)))
        if extension == "odd" and ends.max() > 1e-12 * max(self._speed, 1.0):
            raise ProblemError("data that vanish at both ends", f"{initial}: {ends}", 'pass extension="none"')

    def _check(self) -> None:
        if not (np.isfinite(self.viscosity) and self.viscosity > 0):
            raise ProblemError("a positive viscosity", str(self.viscosity), "the inviscid limit has shocks")
        if not self.interval[0] < self.interval[1]:
            raise ProblemError("an interval (a, b) with a < b", str(self.interval), "swap the ends")
        foreign = self.initial.free_symbols - {self.x}
        if foreign:
            raise ProblemError(f"data in {self.x} only", f"{self.initial} with {foreign}", "give them values")
        if self.extension not in {"odd", "none"}:
            raise ProblemError('extension "odd" or "none"', repr(self.extension), "choose one of them")

    def _check_potential(self, potential: sp.Expr) -> None:
        """Compare F(b) - F(a) on 64 pieces of the interval with quadrature of f."""
        edges = np.linspace(*self.interval, 65)
        nodes, weights = gauss_legendre(24)
        half = np.diff(edges)[:, None] / 2
        integrals = (half * weights * self._functions[1](edges[:-1, None] + half * (1 + nodes))).sum(axis=1)
        if not potential.has(sp.Integral):
            with np.errstate(all="ignore"):
                gap = np.abs(np.diff(self._functions[0](edges)) - integrals)
            # Loose: thin layers escape 24 nodes, a wrong or infinite antiderivative does not.
            if (gap <= 0.02 * np.abs(integrals).max()).all():
                return
        raise ProblemError(
            f"a finite antiderivative of {self.initial}", str(potential), "pass potential=, free of overflow"
        )

    def __call__(self, x: Array | float, t: Array | float) -> Array:
        """Values u(x, t).

        Args:
            x: Positions, any shape that broadcasts with `t`.
            t: Times >= 0.

        Returns:
            Values in the common shape.
        """
        return self.derivative(x, t, (0, 0))

    def derivative(self, x: Array | float, t: Array | float, orders: tuple[int, int]) -> Array:
        """The value (0, 0) or one of the derivatives u_x (1, 0), u_xx (2, 0), u_t (0, 1).

        Args:
            x: Positions, any shape that broadcasts with `t`.
            t: Times >= 0.
            orders: Order in x and in t.

        Returns:
            The derivative in the common shape.

        Raises:
            ProblemError: If the derivative is not one of the four.
        """
        formulas: dict[tuple[int, int], Callable[[_Moments, float], Array]] = {
            (0, 0): lambda m, nu: m.value,
            (1, 0): lambda m, nu: m.slope - m.variance / (2 * nu),
            (2, 0): lambda m, nu: m.curvature - 1.5 * m.covariance / nu + m.skewness / (4 * nu**2),
            # Cov(f, f²) = <(f - u)³> + 2 u Var(f).
            (0, 1): lambda m, nu: (
                nu * m.curvature - m.product - m.covariance / 2 + (m.skewness + 2 * m.value * m.variance) / (4 * nu)
            ),
        }
        if orders not in formulas:
            raise ProblemError("u, u_x, u_xx or u_t", str(orders), "the equation contains no other derivative")
        return formulas[orders](self._moments(x, t), self.viscosity)

    def _moments(self, x: Array | float, t: Array | float) -> _Moments:
        x, t = np.broadcast_arrays(np.asarray(x, dtype=float), np.asarray(t, dtype=float))
        if not (np.isfinite(x).all() and np.isfinite(t).all() and (t >= 0).all()):
            raise PointsError("finite positions and times >= 0", f"x = {x}, t = {t}", "remove these points")
        flat_x, flat_t = x.ravel(), np.maximum(t.ravel(), 1e-300)  # t = 0 is the limit: y = x
        out = np.empty((len(_Moments._fields), flat_x.size))
        order = np.argsort(flat_t, kind="stable")  # early times need fewer nodes
        start = 0
        while start < order.size:
            stop = start + self._chunk(flat_t[order[start:]])
            chosen = order[start:stop]
            out[:, chosen] = self._average(flat_x[chosen], flat_t[chosen])
            start = stop
        return _Moments(*out.reshape(-1, *x.shape))

    def _reach(self, t: Array) -> Array:
        drift = t * self._speed
        return drift + np.sqrt(drift**2 + 4 * EXPONENT * self.viscosity * t)

    def _size(self, t: Array) -> tuple[int, int]:
        """Nodes per cell and cells per point that suffice for the times `t`."""
        reach, length = self._reach(t), self.interval[1] - self.interval[0]
        cell = np.minimum(2 * reach, length) if self.extension == "odd" else 2 * reach
        # In η = (x - y)/(4νt)^(1/2) the trapezoidal rule of step h errs by exp(-π²/h²/(1 + t sup|f'|));
        # Gauss's rule needs π/2 times as many nodes.
        step = np.pi / np.sqrt(EXPONENT * (1 + t * self._slope)) * np.sqrt(4 * self.viscosity * t)
        nodes = np.ceil(self.resolution * (32 + 0.6 * np.pi * cell / step)).max()
        cells = np.floor(2 * reach / length).max() + 2 if self.extension == "odd" else 1
        return int(nodes), int(cells)

    def _chunk(self, t: Array) -> int:
        """How many of the sorted times fit in one table."""
        count = t.size
        while count > 1 and count * np.prod(self._size(t[:count])) > CHUNK:
            count = (count + 1) // 2
        return count

    def _nodes(self, x: Array, t: Array) -> tuple[Array, Array]:
        """Quadrature nodes s = y - x and their weights, (points, nodes)."""
        # Shifts, not positions: for early times x + s rounds to x.
        nodes, cells = self._size(t)
        reach = self._reach(t)[:, None]
        edges = np.concatenate([-reach, reach], axis=1)
        if self.extension == "odd":
            length = self.interval[1] - self.interval[0]
            distance = x[:, None] - self.interval[0]
            first = np.floor((distance - reach) / length)
            edges = np.clip(length * (first + np.arange(cells + 1)) - distance, -reach, reach)
        rule, weights = gauss_legendre(nodes)
        half = np.diff(edges)[:, :, None] / 2
        shifts = (edges[:, :-1] + edges[:, 1:])[:, :, None] / 2 + half * rule
        return shifts.reshape(x.size, -1), (half * weights).reshape(x.size, -1)

    def _data(self, y: Array) -> tuple[Array, ...]:
        """F, f, f', f'' of the extended data."""
        if self.extension == "none":
            return tuple(function(y) for function in self._functions)
        a, length = self.interval[0], self.interval[1] - self.interval[0]
        folded = np.mod(y - a, 2 * length)
        mirrored = folded > length
        z = a + np.where(mirrored, 2 * length - folded, folded)
        sign = np.where(mirrored, -1.0, 1.0)
        potential, value, slope, curvature = (function(z) for function in self._functions)
        return potential, sign * value, slope, sign * curvature

    def _average(self, x: Array, t: Array) -> Array:
        shift, weight = self._nodes(x, t)
        potential, f, slope, curvature = self._data(x[:, None] + shift)
        exponent = -(potential + (shift / np.sqrt(2 * t[:, None])) ** 2) / (2 * self.viscosity)
        weight = weight * np.exp(exponent - exponent.max(axis=1, keepdims=True))
        weight /= weight.sum(axis=1, keepdims=True)

        def mean(values: Array) -> Array:
            return np.einsum("ij,ij->i", weight, values)

        value = mean(f)
        deviation = f - value[:, None]
        return np.array([
            value,
            mean(slope),
            mean(curvature),
            mean(f * slope),
            mean(deviation**2),
            mean(deviation * slope),
            mean(deviation**3),
        ])


def _function(x: sp.Symbol, expression: sp.Expr) -> Callable[[Array], Array]:
    compiled = sp.lambdify(x, expression, modules=["scipy", "numpy"])
    return lambda points: np.broadcast_to(np.asarray(compiled(points), dtype=float), points.shape)
