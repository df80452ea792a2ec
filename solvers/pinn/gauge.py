"""Gauge: a field that equations and conditions fix only up to a constant is set to 0 at one point."""

from __future__ import annotations

import warnings

import sympy as sp

from sciml.comparison import free_constant
from sciml.conditions import Condition
from sciml.errors import ProblemWarning
from sciml.ibvp import IBVP


def gauged(problem: IBVP) -> IBVP:
    """The problem with one more condition for every field that is free up to a constant.

    The least-squares matrix would otherwise have a null direction. With time, the constant is one of
    space: the condition holds at one place for all times. `Solution.error` compares such fields without
    their mean.

    Args:
        problem: The problem.

    Returns:
        The problem itself where nothing is free.

    Example:
        >>> from sciml import IBVP, Neumann, Interval, coordinates, field
        >>> import sympy as sp
        >>> x = coordinates("x"); u = field("u", x)
        >>> problem = IBVP(sp.Eq(u.diff(x, 2), 0), Interval(x, 0, 1), boundary=[Neumann(u, 0)])
        >>> gauged(problem).terms[-1].kind
        'point'
    """
    free = [known for known in problem.fields if free_constant(problem, known)]
    if not free:
        return problem
    place = problem.domain.sample(1, seed=0)[0]
    at = {symbol: sp.Rational(f"{float(value):.6g}") for symbol, value in zip(problem.space, place, strict=True)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ProblemWarning)  # said when the user built the problem
        return problem.replace(boundary=[*problem.boundary, *(Condition(known, on=at) for known in free)])
