"""A transformed solution whose graph is known while its formula is not: coordinates moved by the fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import sympy as sp
from numpy.typing import ArrayLike, NDArray
from sympy.core.function import AppliedUndef

from sciml.errors import PointsError, SolverError

STEPS, ITERATIONS, ACCURACY = 16, 40, 1e-12


@dataclass(frozen=True)
class ImplicitSolution:
    """The image of a graph u = f(x) under exp(εX) where ξ depends on u (Olver 1993, section 2.2).

    It is given twice. Parametric: the points (X(ε; y, f(y)), U(ε; y, f(y))), y running over the old
    coordinates. Implicit: U(−ε; x, u) = f(X(−ε; x, u)), because the inverse leads back to the old graph. It is
    the graph of a function near ε = 0; beyond the first breaking (a singular Jacobian ∂X/∂y) it is not.

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

    def evaluate(self, points: ArrayLike) -> NDArray[np.float64]:
        """Values at given points, by Newton's method for the old coordinates, continued from ε = 0.

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
        graph, jacobian = self._numeric()
        old, size = target.copy(), len(self.independent)
        for step in range(1, STEPS + 1):
            value = float(self.eps) * step / STEPS
            for _ in range(ITERATIONS):
                defect = graph(old, value)[:, :size] - target
                with np.errstate(all="ignore"):
                    scale = 1 + np.abs(target)
                    if np.nanmax(np.abs(defect) / scale, initial=0.0) < ACCURACY:
                        break
                    slope = jacobian(old, value).reshape(-1, size, size)
                    singular = ~np.isfinite(slope).all((1, 2)) | (np.abs(np.linalg.det(_safe(slope))) < 1e-10)
                    change = np.linalg.solve(
                        np.where(singular[:, None, None], np.eye(size), _safe(slope)), defect[..., None]
                    )
                    old = np.where(singular[:, None], np.nan, old - change[..., 0])
            old[np.any(~(np.abs(defect) < 1e-9 * (1 + np.abs(target))), axis=1)] = np.nan
            # Past the breaking the Jacobian has changed its sign: the graph is folded there.
            old[~(np.linalg.det(_safe(jacobian(old, value).reshape(-1, size, size))) > 0)] = np.nan
        return graph(old, float(self.eps))[:, size:]

    def _numeric(self):
        table = {symbol: self.seeds[u] for u, symbol in self.symbols.items()}
        images = [e.xreplace(table) for e in self.formulas.values()]
        free = set().union(*(e.free_symbols for e in images)) - set(self.independent) - {self.parameter}
        if free or not self.eps.is_number or any(e.atoms(AppliedUndef) for e in images):
            raise SolverError(
                "numbers for all parameters", f"{', '.join(map(str, free)) or self.eps}", "substitute them"
            )
        arguments = [*self.independent, self.parameter]
        slopes = [e.diff(x) for e in images[: len(self.independent)] for x in self.independent]
        plain = [sp.Symbol(f"v{k}") for k in range(len(arguments))]
        names = dict(zip(arguments, plain, strict=True))

        def compiled(expressions):
            function = sp.lambdify(plain, [e.xreplace(names) for e in expressions], "numpy", cse=True)

            def call(old, value):
                with np.errstate(all="ignore"):
                    columns = function(*old.T, value)
                return np.stack([np.broadcast_to(np.asarray(c, float), len(old)) for c in columns], axis=1)

            return call

        return compiled(images), compiled(slopes)


def _safe(matrices: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.nan_to_num(matrices, nan=0.0, posinf=0.0, neginf=0.0)
