"""A transformed solution whose graph is known while its formula is not: coordinates moved by the fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import sympy as sp
from numpy.typing import ArrayLike
from sympy.core.function import AppliedUndef

from sciml.errors import PointsError, SolverError
from solvers.symmetry.point_functions import Array, PointFunction, stacked
from solvers.symmetry.runge_kutta import integrate

TOLERANCE = 1e-8


@dataclass(frozen=True)
class ImplicitSolution:
    """The image of a graph u = f(x) under exp(εX) where ξ depends on u (Olver 1993, section 2.2).

    It is given twice. Parametric: the points (X(ε; y, f(y)), U(ε; y, f(y))), y running over the old
    coordinates. Implicit: U(−ε; x, u) = f(X(−ε; x, u)), because the inverse leads back to the old graph. It is
    the graph of a function near ε = 0; after breaking (a singular Jacobian ∂X/∂y) it has several sheets, and
    `evaluate` returns the one that continues from ε = 0 at the point.

    Args:
        formulas: Image of every variable, with the group parameter as a symbol.
        parameter: That symbol.
        eps: Its value.
        symbols: Field to the symbol that stands for it in the formulas.
        seeds: Field to the solution that is transformed.

    Example:
        >>> from sciml.symbols import coordinates, field
        >>> from solvers.symmetry.generator import Generator
        >>> x, t = coordinates("x t")
        >>> u = field("u", x, t)
        >>> moved = Generator((x, t), (u,), {x: u}).transform(x / (1 + t), 2)
        >>> moved.parametric()[x]
        x + 2*x/(t + 1)
        >>> moved.explicit()
        x/(t + 3)
    """

    formulas: Mapping[sp.Expr, sp.Expr]
    parameter: sp.Symbol
    eps: sp.Expr
    symbols: Mapping[AppliedUndef, sp.Symbol]
    seeds: Mapping[AppliedUndef, sp.Expr]

    @property
    def independent(self) -> tuple[sp.Symbol, ...]:
        """The coordinates."""
        return tuple(z for z in self.formulas if z not in self.symbols.values())

    def _at(self, value: sp.Expr) -> dict[sp.Expr, sp.Expr]:
        return {z: e.xreplace({self.parameter: value}) for z, e in self.formulas.items()}

    def parametric(self) -> dict[sp.Expr, sp.Expr]:
        """New coordinates and fields as functions of the old coordinates, which keep their names.

        Returns:
            Coordinate or field to expression.
        """
        table = {symbol: self.seeds[u] for u, symbol in self.symbols.items()}
        back = {symbol: u for u, symbol in self.symbols.items()}
        return {back.get(z, z): e.xreplace(table) for z, e in self._at(self.eps).items()}

    def equations(self) -> dict[AppliedUndef, sp.Expr]:
        """Expressions in the coordinates and the fields that vanish on the transformed graph.

        Returns:
            Field to U(−ε; x, u) − f(X(−ε; x, u)).
        """
        inverse = self._at(-self.eps)
        before = {x: inverse[x] for x in self.independent}
        back = {symbol: u for u, symbol in self.symbols.items()}
        return {
            u: (inverse[symbol] - self.seeds[u].subs(before, simultaneous=True)).xreplace(back)
            for u, symbol in self.symbols.items()
        }

    def explicit(self) -> sp.Expr | dict[AppliedUndef, sp.Expr] | None:
        """The transformed solution where the implicit equations are linear in the fields.

        Returns:
            Expression (one field) or mapping; None if the equations are not linear.
        """
        unknowns = [sp.Dummy(u.func.__name__) for u in self.symbols]
        table = dict(zip(self.symbols, unknowns, strict=True))
        rows = []
        for equation in self.equations().values():
            top = sp.expand(sp.fraction(sp.together(equation.xreplace(table)))[0])
            if not top.is_polynomial(*unknowns) or sp.Poly(top, *unknowns).total_degree() != 1:
                return None
            rows.append(top)
        matrix, right = sp.linear_eq_to_matrix(rows, unknowns)
        if sp.cancel(matrix.det()) == 0:
            return None
        found = [sp.cancel(value) for value in matrix.LUsolve(right)]
        return found[0] if len(found) == 1 else dict(zip(self.symbols, found, strict=True))

    def evaluate(self, points: ArrayLike) -> Array:
        """Values at given points, by continuation of the old coordinates from ε = 0, then Newton's method.

        Args:
            points: (n, d) in the order of the coordinates.

        Returns:
            (n, m), one column per field; NaN where the continuation meets a singular Jacobian.

        Raises:
            SolverError: If the seed or the group parameter is not numeric.
            PointsError: If the points have another number of columns.
        """
        target = np.asarray(points, dtype=np.float64)
        if target.ndim != 2 or target.shape[1] != len(self.independent):
            raise PointsError(f"points of shape (n, {len(self.independent)})", str(target.shape))
        size, end = target.shape[1], self.eps
        graph, slopes = self._numeric()

        def rate(state: Array) -> Array:
            # The new coordinates stay fixed: (∂X/∂y) y′ + ∂X/∂ε = 0.
            both = slopes(state).reshape(-1, size, size + 1)
            return np.hstack([-_solve(both[..., :size], both[..., size]), np.ones((len(state), 1))])

        state = np.hstack([target, np.zeros((len(target), 1))])
        state = integrate(rate, state, float(end), TOLERANCE)
        for _ in range(2):  # polish
            defect = graph(state)[:, :size] - target
            state[:, :size] -= _solve(slopes(state).reshape(-1, size, size + 1)[..., :size], defect)
        values = graph(state)
        values[~(np.abs(values[:, :size] - target) < 1e-9 * (1 + np.abs(target))).all(axis=1)] = np.nan
        return values[:, size:]

    def _numeric(self) -> tuple[PointFunction, PointFunction]:
        table = {symbol: self.seeds[u] for u, symbol in self.symbols.items()}
        images = [e.xreplace(table) for e in self.formulas.values()]
        free = set().union(*(e.free_symbols for e in images)) - set(self.independent) - {self.parameter}
        if free or not self.eps.is_number or any(e.atoms(AppliedUndef) for e in images):
            raise SolverError(
                "numbers for all parameters", f"{', '.join(map(str, free)) or self.eps}", "substitute them"
            )
        arguments = [*self.independent, self.parameter]
        slopes = [e.diff(z) for e in images[: len(self.independent)] for z in arguments]
        return stacked(arguments, images), stacked(arguments, slopes)


def _solve(matrices: Array, right: Array) -> Array:
    """Solutions of many small systems; NaN at and beyond a fold, where the determinant, one at ε = 0, vanishes."""
    with np.errstate(all="ignore"):
        regular = np.isfinite(matrices).all((1, 2)) & (np.linalg.det(np.nan_to_num(matrices)) > 1e-6)
    result = np.full_like(right, np.nan)
    result[regular] = np.linalg.solve(matrices[regular], right[regular][..., None])[..., 0]
    return result
