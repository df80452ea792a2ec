"""The result of a search for a linearising transformation, usable in both directions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sympy as sp
from sympy.core.function import AppliedUndef

from sciml.errors import SolverError
from solvers.symmetry.characteristics import positive_inverse
from solvers.symmetry.flows import tidy
from solvers.symmetry.generator import Generator
from solvers.symmetry.linearising_check import defect_on_solutions

TOLERANCE = 1e-25


@dataclass(frozen=True, eq=False)
class LinearisingMap:
    """An explicit change of variables to a linear equation, or the reason why none was found.

    Attributes:
        exists: Whether there is a map; the object is true or false accordingly.
        kind: "heat" (equivalence of linear parabolic equations), "field" (w = φ(x, t, u)), "hodograph",
            "potential" (through a conservation law), also joined by " + ".
        reason: Why there is none; empty otherwise.
        equation: The original equation as a residual.
        unknown: Its field.
        coordinates: Its coordinates.
        new_equation: The linear equation.
        new_field: Its field.
        new_coordinates: Its coordinates.
        forward: New coordinate or field to its expression in the old variables; a potential is an `Integral`.
        formula: The old field as an expression in the old coordinates and in the new field pulled back to them.
        graph: For a hodograph transformation instead: old variable to expression in the new ones.
        ideal: The infinite ideal F α ∂_u behind it, of the equation or of its potential equation.
        notes: Assumptions, for instance on signs.
    """

    exists: bool
    equation: sp.Expr
    unknown: AppliedUndef
    coordinates: tuple[sp.Symbol, ...]
    kind: str = ""
    reason: str = ""
    new_equation: Any = None
    new_field: Any = None
    forward: dict[sp.Expr, sp.Expr] = field(default_factory=dict)
    formula: Any = None
    graph: dict[sp.Expr, sp.Expr] = field(default_factory=dict)
    ideal: Generator | None = None
    notes: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is a map."""
        return self.exists

    @property
    def new_coordinates(self) -> tuple[sp.Symbol, ...]:
        """Coordinates of the linear equation."""
        return tuple(self.new_field.args) if self.new_field is not None else ()

    @property
    def pulled(self) -> AppliedUndef:
        """The new field as a function of the old coordinates, as it stands in `formula`."""
        self._require()
        return self.new_field.func(*self.coordinates)

    @property
    def inverse(self) -> dict[sp.Expr, sp.Expr]:
        """Old field, or all old variables for a hodograph transformation, in terms of the new ones."""
        self._require()
        if self.graph:
            return dict(self.graph)
        return {self.unknown: self._insert(self.new_field.func(*(self.forward[y] for y in self.new_coordinates)))}

    def apply(self, solution: sp.Expr | Mapping) -> sp.Expr:
        """The solution of the original equation that belongs to one of the linear equation.

        Args:
            solution: Expression in the new coordinates, or {new field: expression}.

        Returns:
            Expression in the old coordinates; for a hodograph transformation whose result cannot be solved for
            the field an `Eq` that defines it.

        Raises:
            SolverError: If there is no map.
        """
        self._require()
        if isinstance(solution, Mapping):
            (solution,) = solution.values()
        solution = sp.sympify(solution)
        if self.graph:
            return self._hodograph(solution)
        places = {y: self.forward[y] for y in self.new_coordinates}
        return tidy(self._insert(solution.xreplace(places)))

    def _insert(self, expression: sp.Expr) -> sp.Expr:
        return self.formula.replace(self.pulled.func, sp.Lambda(self.coordinates, expression)).doit()

    def _hodograph(self, solution: sp.Expr) -> sp.Expr:
        """X = v(s, t) solved for s, then u = U(s, t)."""
        put = lambda e: e.replace(self.new_field.func, sp.Lambda(self.new_coordinates, solution)).doit()  # ruff: ignore[lambda-assignment]
        moved = next(x for x in self.coordinates if self.graph[x] != x)
        s = next(y for y in self.new_coordinates if y not in self.coordinates)
        stand_in = {s: sp.Dummy(positive=True)}
        root = positive_inverse(put(self.graph[moved]).xreplace(stand_in), stand_in[s], moved)
        value = put(self.graph[self.unknown])
        if root is not None:
            return tidy(value.xreplace({s: root}))
        if value == s:
            return sp.Eq(moved, put(self.graph[moved]).xreplace({s: self.unknown}))
        raise SolverError(f"a solution that can be solved for {s}", str(solution), "use `graph`, the parametric form")

    def defect(self, seed: int = 0) -> float:
        """Largest relative residual of the original equation over images of solutions of the linear one.

        Args:
            seed: Seed of the random solutions and points.

        Returns:
            About 1e-45 for a right map.
        """
        self._require()
        return defect_on_solutions(self, seed)

    def verify(self) -> bool:
        """Whether solutions of the linear equation give solutions of the original one, to 25 digits.

        Returns:
            True if they do at random points.
        """
        return self.exists and self.defect() < TOLERANCE

    def _require(self) -> None:
        if not self.exists or self.new_field is None:
            raise SolverError("an equation that can be linearised", str(self.equation), self.reason)

    def __str__(self) -> str:
        """The map, or why there is none."""
        if not self.exists:
            return f"no linearising map: {self.reason}"
        lines = [f"{self.kind}: {self.new_equation.lhs} = {self.new_equation.rhs}"]
        lines += [f"  {z} = {e}" for z, e in self.forward.items() if z != e]
        lines += [f"  {z} = {e}" for z, e in self.inverse.items() if z != e]
        return "\n".join(lines + [f"  ({note})" for note in self.notes])

    __repr__ = __str__
