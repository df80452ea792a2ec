"""What a dictionary needs to know of a problem: coefficients, symbol, symmetries, conditions side by side."""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp

from sciml.classification import LinearForm
from sciml.compatibility import term_data
from sciml.conditions import Dirichlet, Neumann, Periodic, Robin
from sciml.errors import ScimlError
from sciml.ibvp import IBVP
from sciml.jets import Jet
from solvers.symmetry.entry import point_symmetries


@dataclass(frozen=True)
class Side:
    """a u + b ∂u/∂n = g on one face; g by its expression."""

    value: float
    slope: float
    data: sp.Expr


class Statement:
    """A linear problem, read for the construction of atoms.

    Args:
        problem: A problem with linear equations.
        forms: Its equations.
        seconds: Budget for the derivation of the symmetries.
        seed: Seed.
    """

    def __init__(self, problem: IBVP, forms: list[LinearForm], seconds: float = 20.0, seed: int = 0) -> None:
        self.problem, self.forms, self.seed, self._seconds = problem, forms, seed, seconds
        self.coordinates, self.count = problem.coordinates, len(problem.fields)
        self.space = len(problem.space)
        self.bounds = np.array(problem.bounds)
        self.symmetry_seconds = 0.0  # of the derivation, once it was needed

    @functools.cached_property
    def algebra(self) -> Any:
        """The symmetries of the homogeneous equations, or None where they could not be derived."""
        problem, fields = self.problem, self.problem.fields
        equations = [problem.substitute(e) - form.source for e, form in zip(problem.equations, self.forms, strict=True)]
        started = time.process_time()
        try:
            return point_symmetries(equations, fields, seconds=self._seconds, seed=self.seed)
        except ScimlError:
            return None
        finally:
            self.symmetry_seconds = time.process_time() - started

    def generators(self, *names: str) -> tuple[str, ...]:
        """Derived generators by role: "translation x", "scaling", "homogeneity"; absent ones are left out."""
        found = []
        for generator in self.algebra or ():
            role = _role(generator)
            if role in names:
                found.append(str(generator))
        return tuple(found)

    def invariant_along(self, axis: int) -> bool:
        """Whether the coefficients do not depend on a coordinate: ∂ of it is a symmetry."""
        symbol = self.coordinates[axis]
        return not any(sp.simplify(c).has(symbol) for form in self.forms for c in form.coefficients.values())

    @functools.cached_property
    def constant(self) -> bool:
        """Whether all coefficients are constant."""
        return all(self.invariant_along(axis) for axis in range(len(self.coordinates)))

    def symbol(self, variables: tuple[sp.Symbol, ...]) -> sp.Matrix:
        """P(κ): the equations on v exp(κ · X)."""
        rows = []
        for form in self.forms:
            row = [sp.S.Zero] * self.count
            for (field, orders), coefficient in form.coefficients.items():
                row[field] += coefficient * sp.prod([k**n for k, n in zip(variables, orders, strict=True)])
            rows.append(row)
        return sp.Matrix(rows)

    def coefficient(self, jet: Jet) -> sp.Expr:
        """A coefficient of the single equation."""
        return sp.sympify(self.forms[0].coefficients.get(jet, 0))

    @functools.cached_property
    def sides(self) -> dict[str, Side] | None:
        """Conditions of the single field by face; None where they are of another kind or do not cover all faces."""
        found: dict[str, Side] = {}
        for term in self.problem.terms:
            if term.kind != "boundary":
                continue
            condition = term.condition
            if isinstance(condition, Periodic) or not isinstance(condition, (Dirichlet, Neumann, Robin)):
                return None
            (data,) = term_data(term, self.problem)
            value, slope = 1.0, 0.0
            if isinstance(condition, Neumann):
                value, slope = 0.0, 1.0
            if isinstance(condition, Robin):
                beta = self.problem.substitute(sp.sympify(condition.beta))
                if not beta.is_number:
                    return None
                value, slope = float(beta), 1.0
            for face in term.faces:
                if face in found:
                    return None
                found[face] = Side(value, slope, -data)
        return found if self.count == 1 and set(found) == set(self.problem.faces) else None

    @functools.cached_property
    def periodic(self) -> frozenset[int]:
        """Axes along which every field is periodic."""
        axes: dict[int, set] = {}
        for term in self.problem.terms:
            if term.periodic:
                axis = self.problem.space.index(self.problem.face_axis(term.faces[0]))
                axes.setdefault(axis, set()).add(term.condition.field)
        return frozenset(axis for axis, fields in axes.items() if len(fields) == self.count)

    @functools.cached_property
    def moving_data(self) -> bool:
        """Whether data on the boundary change in time."""
        if self.problem.time is None:
            return False
        t = self.problem.time[0]
        return any(
            t in data.free_symbols
            for term in self.problem.terms
            if term.kind in {"boundary", "point"}
            for data in term_data(term, self.problem)
        )


def _role(generator: Any) -> str:
    """A short name of simple generators."""
    parts = generator.coefficients
    if len(parts) == 1:
        ((variable, value),) = parts.items()
        if variable in generator.independent and value == 1:
            return f"translation {variable}"
    if not any(x in parts for x in generator.independent):
        return "homogeneity"
    if all(value.is_polynomial(*generator.independent) and sp.Poly(value, *generator.independent).total_degree() == 1
           and not value.has(*generator.dependent) for variable, value in parts.items()
           if variable in generator.independent):  # fmt: skip
        moved = [x for x in generator.independent if x in parts]
        if all(parts[x].has(x) for x in moved):
            return "scaling"
        return "rotation" if not any(parts.get(u) for u in generator.dependent) else "galilei"
    return "other"
