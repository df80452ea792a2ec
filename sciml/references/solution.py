"""ReferenceSolution: a reference given by functions instead of formulas."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from sciml.errors import ProblemError
from sciml.ibvp import IBVP
from sciml.jets import Jet
from sciml.solution import Solution

Derivative = Callable[[np.ndarray, tuple[int, ...]], np.ndarray]


class ReferenceSolution(Solution):
    """A solution computed by a series, a quadrature or a spectral method.

    Args:
        problem: The problem.
        *derivatives: One function per field, in the order of `problem.fields`: points `(n, d)` and an order of
            derivative per coordinate -> values `(n,)`. It refuses orders that it does not know.
        status: How it was computed.

    Raises:
        ProblemError: If there is not one function per field.

    Example:
        >>> from sciml import IBVP, Dirichlet, Interval, coordinates, field
        >>> x = coordinates("x"); u = field("u", x)
        >>> problem = IBVP(u.diff(x) - u, Interval(x, 0, 1), boundary=[Dirichlet(u, 1, on="left")])
        >>> growth = ReferenceSolution(problem, lambda points, orders: np.exp(points[:, 0]))
        >>> growth.residual([[0.5]])
        array([[0.]])
    """

    kind = "reference"

    def __init__(self, problem: IBVP, *derivatives: Derivative, status: str = "reference") -> None:
        super().__init__(problem, status=status)
        if len(derivatives) != len(problem.fields):
            raise ProblemError(f"one function for each of {problem.fields}", f"{len(derivatives)} functions", "")
        self._derivatives = derivatives

    def jets(self, points: np.ndarray, needed: Sequence[Jet]) -> np.ndarray:
        """Values and derivatives from the functions.

        Args:
            points: (n, d).
            needed: Jets.

        Returns:
            (n, len(needed)).
        """
        columns = [self._derivatives[index](points, tuple(orders)) for index, orders in needed]
        return np.stack(columns, axis=1) if columns else np.zeros((len(points), 0))
