"""ExactSolution: a solution given by formulas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import sympy as sp

from sciml.callables import data_expression
from sciml.errors import ProblemError
from sciml.expression_json import from_json, to_json
from sciml.expressions.data import evaluate_data
from sciml.ibvp import IBVP
from sciml.jets import Jet
from sciml.solution import Solution
from sciml.terms import rationalise


class ExactSolution(Solution):
    """A solution given by formulas.

    Args:
        problem: The problem.
        expression: An expression for one field, or {field: expression}; parameters of the problem are put in.

    Raises:
        ProblemError: If a field has no expression or symbols are unknown.

    Example:
        >>> import sympy as sp
        >>> from sciml import IBVP, Dirichlet, Interval, coordinates, field
        >>> x = coordinates("x"); u = field("u", x)
        >>> problem = IBVP(sp.Eq(u.diff(x, 2), 2), Interval(x, 0, 1), boundary=[Dirichlet(u, x**2)])
        >>> float(abs(ExactSolution(problem, x**2).residual([[0.3]])).max())
        0.0
    """

    kind = "exact"

    def __init__(self, problem: IBVP, expression: Any) -> None:
        super().__init__(problem, status="exact")
        given = expression if isinstance(expression, Mapping) else {problem.fields[0]: expression}
        missing = [str(known) for known in problem.fields if known not in given]
        if missing or len(given) != len(problem.fields):
            raise ProblemError(
                f"an expression for each of {problem.fields}",
                f"missing {', '.join(missing) or 'none, but others given'}",
                "",
            )
        self.expressions = tuple(
            problem.substitute(rationalise(data_expression(given[known], problem.coordinates, f"the solution {known}")))
            for known in problem.fields
        )
        strange = set().union(*(e.free_symbols for e in self.expressions)) - set(problem.coordinates)
        if strange:
            raise ProblemError(f"expressions of {problem.coordinates}", f"also {', '.join(map(str, strange))}", "")
        self._derivatives: dict[Jet, sp.Expr] = {}

    def jets(self, points: np.ndarray, needed: Sequence[Jet]) -> np.ndarray:
        """Derivatives taken by SymPy, values as one-sided limits at the ends of intervals.

        Args:
            points: (n, d).
            needed: Jets.

        Returns:
            (n, len(needed)).
        """
        columns = []
        for index, orders in needed:
            jet = (index, tuple(orders))
            if jet not in self._derivatives:
                pairs = [(s, k) for s, k in zip(self.problem.coordinates, orders, strict=True) if k]
                expression = self.expressions[index]
                self._derivatives[jet] = expression.diff(*pairs) if pairs else expression
            columns.append(evaluate_data(self._derivatives[jet], self.problem.coordinates, points, self.problem.bounds))
        return np.stack(columns, axis=1) if columns else np.zeros((len(points), 0))

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """The expressions."""
        return {"expressions": [to_json(expression) for expression in self.expressions]}, {}

    @classmethod
    def from_state(cls, problem: IBVP, meta: dict[str, Any], arrays: dict[str, np.ndarray]) -> ExactSolution:
        """Rebuild from the expressions.

        Args:
            problem: The problem.
            meta: JSON-able values.
            arrays: None needed.

        Returns:
            The solution.
        """
        expressions = [from_json(tree) for tree in meta["expressions"]]
        return cls(problem, dict(zip(problem.fields, expressions, strict=True)))
