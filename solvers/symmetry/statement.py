"""The equations, fields and coordinates of whatever a user hands over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sympy as sp
from sympy.core.function import AppliedUndef

from sciml.errors import ProblemError
from sciml.ibvp import IBVP
from solvers.symmetry.manifold import residual


@dataclass(frozen=True)
class Statement:
    """A PDE system: residuals that vanish, with exact numbers.

    Attributes:
        equations: Residuals.
        fields: Unknowns.
        coordinates: Independent variables, in the order of the arguments of the fields.
    """

    equations: tuple[sp.Expr, ...]
    fields: tuple[AppliedUndef, ...]
    coordinates: tuple[sp.Symbol, ...]


def statement(problem: Any, fields: Sequence[AppliedUndef] | None = None) -> Statement:
    """Read an IBVP, an equation or several.

    Args:
        problem: IBVP (its parameters are put in), `Eq`, expression that vanishes, or a sequence of them.
        fields: Unknowns; default: those of the IBVP, else every function whose derivatives occur.

    Returns:
        The system.

    Raises:
        ProblemError: If there is no differential equation in it.

    Example:
        >>> from sciml.symbols import coordinates, field
        >>> x, t = coordinates("x t")
        >>> u = field("u", x, t)
        >>> statement(sp.Eq(u.diff(t), 0.5 * u.diff(x, 2))).equations
        (Derivative(u(x, t), t) - Derivative(u(x, t), (x, 2))/2,)
    """
    if isinstance(problem, IBVP):
        equations: Iterable = [problem.substitute(e) for e in problem.equations]
        fields = fields or problem.fields
        coordinates = problem.coordinates
    else:
        single = isinstance(problem, sp.Basic) or not isinstance(problem, Iterable)
        equations, coordinates = [problem] if single else list(problem), ()
    exact = tuple(_exact(residual(equation)) for equation in equations)
    derivatives = set().union(*(e.atoms(sp.Derivative) for e in exact)) if exact else set()
    found = {d.expr for d in derivatives if isinstance(d.expr, AppliedUndef)}
    chosen = tuple(fields) if fields else tuple(sorted(found, key=str))
    if not found & set(chosen):
        raise ProblemError(
            "a differential equation for " + (", ".join(map(str, chosen)) or "an unknown field"),
            f"{problem!r}",
            "for instance sp.Eq(u.diff(t), u.diff(x, 2))",
        )
    return Statement(exact, chosen, tuple(coordinates or dict.fromkeys(s for u in chosen for s in u.args)))


def _exact(expression: sp.Expr) -> sp.Expr:
    if expression in (sp.true, sp.false):
        raise ProblemError("an equation", str(expression), "both sides collapsed to constants")
    expression = expression.doit()
    return sp.nsimplify(expression, rational=True) if expression.has(sp.Float) else expression
