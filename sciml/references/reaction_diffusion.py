"""Reaction–diffusion equations in one dimension, by spectral elements and collocation."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import sympy as sp

from sciml.errors import PointsError, ProblemError
from sciml.references.barycentric import differentiation_matrix, interpolation_matrix
from sciml.references.collocation import SlabSolver, slab_ends, slab_nodes
from sciml.references.spectral_elements import SpectralElements

Array = np.ndarray
Ends = tuple[float | None, float | None]

# Elements next to a fixed end shrink by RATIO, LAYERS times, while the layer there is thin.
RATIO, LAYERS = 0.25, 4


class _Phase(NamedTuple):
    """Consecutive slabs on one mesh."""

    mesh: SpectralElements
    times: Array  # slab ends (k + 1,)
    values: Array  # (k, s + 1, n), without the base


class ReactionDiffusion:
    """Solution of u_t = D u_xx + R(u) with a fixed value or zero flux at each end.

    Spectral elements in x (`SpectralElements`), Radau collocation in t (`SlabSolver`): the error falls
    geometrically in the degree and in the number of stages, and the polynomials are kept, so that u and its
    derivatives are evaluated anywhere. Data that meet the boundary value but not the equation at the corner
    (D f'' + R(f) ≠ 0 there) leave a layer of width (Dt)^(1/2). Hence the first slabs grow geometrically from
    `first`, and the elements at a fixed end are as small as the layer needs, but no smaller, because second
    derivatives lose eps/h² to rounding. Values are accurate always, second derivatives at such a corner from
    about t = 10 `first` on.

    Sources: Trefethen 2000, Spectral Methods in MATLAB, chapters 6 and 10; Kassam and Trefethen 2005, SIAM J.
    Sci. Comput. 26, 1214 (Allen–Cahn equation).

    Args:
        diffusivity: D > 0.
        reaction: R as a SymPy expression of `u`.
        u: The symbol in `reaction`.
        initial: Data f, a SymPy expression of `x`.
        x: Its coordinate.
        edges: Element breakpoints, from one end of the interval to the other.
        final: Last time.
        ends: For each end the fixed value, or None for zero flux.
        degree: Polynomial degree of an element.
        stages: Collocation points of a slab.
        slab: Largest slab length; times sup |R'| it should be about 1/2.
        first: Length of the first slab.

    Raises:
        ProblemError: If an argument has no meaning, or the data miss a fixed value.

    Example:
        >>> u, x = sp.symbols("u x")
        >>> edges = np.linspace(0, np.pi, 4)
        >>> balance = ReactionDiffusion(1.0, u, u, sp.sin(x), x, edges, final=0.5, ends=(0, 0))
        >>> print(f"{balance(1.0, 0.5):.12f} {np.sin(1.0):.12f}")
        0.841470984808 0.841470984808
    """

    def __init__(
        self,
        diffusivity: float,
        reaction: sp.Expr,
        u: sp.Symbol,
        initial: sp.Expr,
        x: sp.Symbol,
        edges: Array,
        final: float,
        ends: Ends,
        degree: int = 24,
        stages: int = 12,
        slab: float = 0.05,
        first: float = 1e-7,
    ) -> None:
        """Check the arguments and solve."""
        if not (np.isfinite(diffusivity) and diffusivity > 0):
            raise ProblemError("a positive diffusivity", str(diffusivity), "backward diffusion has no solution")
        if not (np.isfinite(final) and 0 < first <= slab and final > 0):
            given = f"first={first}, slab={slab}, final={final}"
            raise ProblemError("0 < first <= slab and 0 < final", given, "pass positive times")
        foreign = (sp.sympify(reaction).free_symbols - {u}) | (sp.sympify(initial).free_symbols - {x})
        if foreign:
            raise ProblemError(f"a reaction of {u} and data of {x}", f"also {foreign}", "give them values")
        self.diffusivity, self.final, self.ends = float(diffusivity), float(final), ends
        self._edges, self._degree, self._stages = np.asarray(edges, dtype=float), degree, stages
        self._nodes = slab_nodes(stages)
        self._reaction = sp.lambdify(u, reaction, modules="numpy")
        self._phases = self._solve(sp.lambdify(x, initial, modules="numpy"), slab_ends(first, slab, self.final))

    def _base(self, x: Array) -> Array:
        """Linear function with the fixed end values: what is left is small, hence accurate, near the ends."""
        low, high = self.ends
        low, high = (high if low is None else low), (low if high is None else high)
        if low is None or high is None:
            return np.zeros(x.shape)
        a, b = self._edges[[0, -1]]
        return low + (high - low) * (x - a) / (b - a)

    def _mesh(self, layers: int) -> SpectralElements:
        """The mesh with the element at every fixed end split `layers` times."""
        edges, shrink = self._edges, RATIO ** np.arange(layers, 0, -1)
        low = edges[0] + (edges[1] - edges[0]) * shrink if self.ends[0] is not None else []
        high = edges[-1] - (edges[-1] - edges[-2]) * shrink[::-1] if self.ends[1] is not None else []
        return SpectralElements(np.concatenate([edges[:1], low, edges[1:-1], high, edges[-1:]]), self._degree)

    def _solve(self, initial: Callable[[Array], Array], times: Array) -> list[_Phase]:
        phases: list[_Phase] = []
        coarse = max(np.diff(self._edges)[[0, -1]])
        for layers in range(LAYERS, -1, -1):
            # An element of length h resolves the layer from t = h²/(40 D) on (found by experiment).
            until = (coarse * RATIO ** (layers - 1)) ** 2 / (40 * self.diffusivity) if layers else np.inf
            begin = phases[-1].times[-1] if phases else 0.0
            part = times[(times >= begin) & (times <= max(until, begin))]
            if part.size < 2:
                continue
            mesh = self._mesh(layers)
            if phases:
                start = phases[-1].mesh.evaluate(mesh.nodes) @ phases[-1].values[-1, -1]
            else:
                start = np.broadcast_to(initial(mesh.nodes), mesh.nodes.shape) - self._base(mesh.nodes)
            phases.append(self._phase(mesh, start, part))
        return phases

    def _phase(self, mesh: SpectralElements, start: Array, times: Array) -> _Phase:
        base, free = self._base(mesh.nodes), np.ones(start.size, dtype=bool)
        for node, value in zip((0, -1), self.ends, strict=True):
            free[node] = value is None
            if value is not None and abs(start[node]) > 1e-12 * max(1.0, abs(value)):
                given = f"{value + start[node]} at x = {mesh.nodes[node]:g}"
                raise ProblemError(f"data equal to the fixed value {value}", given, "change one of them")
        solver = SlabSolver(mesh, self.diffusivity, lambda v: self._reaction(base + v), free, self._stages)
        return _Phase(mesh, times, solver.march(np.where(free, start, 0.0), times))

    def __call__(self, x: Array | float, t: Array | float) -> Array:
        """Values u(x, t).

        Args:
            x: Positions, any shape that broadcasts with `t`.
            t: Times in [0, final].

        Returns:
            Values in the common shape.
        """
        return self.derivative(x, t, (0, 0))

    def derivative(self, x: Array | float, t: Array | float, orders: tuple[int, int]) -> Array:
        """Derivative of the given order in x and in t.

        Args:
            x: Positions, any shape that broadcasts with `t`.
            t: Times in [0, final].
            orders: Order in x and in t.

        Returns:
            The derivative in the common shape.

        Raises:
            PointsError: If a point lies outside the interval or the times.
        """
        x, t = np.broadcast_arrays(np.asarray(x, dtype=float), np.asarray(t, dtype=float))
        flat_x, flat_t = x.ravel(), t.ravel()
        if not ((flat_t >= 0) & (flat_t <= self.final * (1 + 1e-12))).all():
            given = f"{flat_t.min():g} ... {flat_t.max():g}"
            raise PointsError(f"times in [0, {self.final:g}]", given, "remove the other points")
        out, begin = np.empty(flat_x.size), -np.inf
        for phase in self._phases:
            last = phase is self._phases[-1]
            chosen = (flat_t >= begin) & (last | (flat_t < phase.times[-1]))
            out[chosen] = self._evaluate(phase, flat_x[chosen], flat_t[chosen], orders)
            begin = phase.times[-1]
        if tuple(orders) == (0, 0):
            out += self._base(flat_x)
        elif tuple(orders) == (1, 0):
            a, b = self._edges[[0, -1]]
            out += np.diff(self._base(np.array([a, b])))[0] / (b - a)
        return out.reshape(x.shape)

    def _evaluate(self, phase: _Phase, x: Array, t: Array, orders: tuple[int, int]) -> Array:
        slabs = np.clip(np.searchsorted(phase.times, t, side="right") - 1, 0, phase.times.size - 2)
        lengths = np.diff(phase.times)[slabs]
        in_time = interpolation_matrix(self._nodes, (t - phase.times[slabs]) / lengths)
        slope = differentiation_matrix(self._nodes)
        for _ in range(orders[1]):
            in_time = in_time @ slope / lengths[:, None]
        elements, in_space = phase.mesh.locate(x, orders[0])
        out = np.empty(x.size)
        for k in np.unique(slabs):
            chosen = slabs == k
            local = phase.values[k][:, phase.mesh.columns[elements[chosen]]]  # (s + 1, points, p + 1)
            out[chosen] = np.einsum("is,sij,ij->i", in_time[chosen], local, in_space[chosen])
        return out
