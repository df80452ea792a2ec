"""ProblemCase: a problem of the library with its reference and where it comes from."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import sympy as sp

from sciml.exact import ExactSolution
from sciml.ibvp import IBVP
from sciml.solution import Solution


@dataclass(frozen=True, eq=False)
class ProblemCase:
    """A problem, its reference solution, and numbers that it is known by.

    Attributes:
        problem: The problem.
        exact: An expression, {field: expression}, or a function that makes a `Solution` of the problem; None where
            no solution is known.
        source: Author, year, and equation or section.
        values: Independently computed values of the first field (or of all fields, as a tuple): point -> value, all
            digits significant.
        numbers: Scalars that the solution is known by, such as a drag coefficient.
        functionals: How to take each of these scalars, or another, from a solution: name -> function of the solution.
        tolerance: Largest residual that rounding leaves in the equations and conditions of the reference.

    Example:
        >>> from sciml.problems import heat
        >>> case = heat.sine()
        >>> print(f"{case.reference(x=0.3, t=0.05):.10e}")
        -2.1886025522e-04
    """

    problem: IBVP
    exact: sp.Expr | Mapping[sp.Expr, sp.Expr] | Callable[[IBVP], Solution] | None
    source: str
    values: Mapping[Any, Any] = field(default_factory=dict)
    numbers: Mapping[str, float] = field(default_factory=dict)
    functionals: Mapping[str, Callable[[Solution], float]] = field(default_factory=dict)
    tolerance: float = 1e-10

    @functools.cached_property
    def reference(self) -> Solution | None:
        """The reference solution, made on first use; None where no solution is known."""
        if self.exact is None:
            return None
        if isinstance(self.exact, (sp.Basic, Mapping)):
            return ExactSolution(self.problem, self.exact)
        return self.exact(self.problem)

    def __repr__(self) -> str:
        """Name and source."""
        return f"ProblemCase({self.problem.name}; {self.source})"

    def measure(self, solution: Solution) -> dict[str, float]:
        """The functionals of a solution.

        Args:
            solution: A solution of the problem, from any solver.

        Returns:
            Name -> value, to be compared with `numbers`.
        """
        return {name: float(take(solution)) for name, take in self.functionals.items()}
