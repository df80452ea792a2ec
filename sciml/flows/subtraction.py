r"""Known singular parts subtracted from a problem, so that the rest can be approximated; the flow at a lid's corner.

With u = U + w and U known, a problem for u becomes one for w: U is put into equations and conditions, exactly, by
SymPy. Rows that stay unbounded at a corner can be multiplied there by a factor that vanishes, such as min(1, r/δ).
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import sympy as sp

from sciml.conditions import Condition, Dirichlet
from sciml.errors import ProblemError, ProblemWarning
from sciml.expressions.data import evaluate_data
from sciml.ibvp import IBVP
from sciml.jets import Jet
from sciml.known_function import known_function
from sciml.solution import Solution


def corner_flow(
    space: Sequence[sp.Symbol],
    corner: Sequence[Any],
    along: Sequence[Any],
    inward: Sequence[Any],
    viscosity: Any,
    speed: Any = 1,
) -> tuple[sp.Expr, sp.Expr, sp.Expr]:
    r"""Stokes flow in a right corner between a wall at rest and a lid that moves away from it.

    With r, θ from the corner and θ = 0 on the lid, ψ = r f(θ), u_r = f', u_θ = -f,
    f = (π² sin θ - 2πθ sin θ - 4θ cos θ)/(π² - 4), p = -ν (4π sin θ + 8 cos θ)/((π² - 4) r).

    Source: Taylor 1962, in: Miscellany of Applied Mechanics; Botella and Peyret 1998, Computers and Fluids 27, 421.

    Args:
        space: (x, y).
        corner: Its place.
        along: Unit vector from the corner along the lid.
        inward: Unit vector from the corner along the wall.
        viscosity: ν.
        speed: Speed of the lid along `along`; negative where it moves towards the wall.

    Returns:
        u, v, p.

    Example:
        >>> x, y = sp.symbols("x y", real=True)
        >>> u, v, p = corner_flow((x, y), (0, 1), (1, 0), (0, -1), 1)
        >>> [round(float(u.subs({x: a, y: b})), 12) + 0.0 for a, b in ((0.3, 1), (0, 0.5))]
        [1.0, 0.0]
    """
    offset = [s - sp.sympify(c) for s, c in zip(space, corner, strict=True)]
    a, b = (sp.Add(*[o * d for o, d in zip(offset, direction, strict=True)]) for direction in (along, inward))
    square, theta, scale = a**2 + b**2, sp.atan2(b, a), sp.pi**2 - 4
    # u_r cos θ - u_θ sin θ and u_r sin θ + u_θ cos θ with a = r cos θ, b = r sin θ put in
    forward = (sp.pi**2 - 2 * sp.pi * theta - (4 * a**2 + 2 * sp.pi * a * b) / square) / scale
    down = (4 * theta - (4 * a * b + 2 * sp.pi * b**2) / square) / scale
    velocity = [speed * (forward * along[k] + down * inward[k]) for k in range(2)]
    pressure = -speed * sp.sympify(viscosity) * (4 * sp.pi * b + 8 * a) / (scale * square)
    return velocity[0], velocity[1], pressure


def subtracted(problem: IBVP, known: Mapping[sp.Expr, sp.Expr], factors: Mapping[str, sp.Expr] | None = None) -> IBVP:
    """The problem for the difference from known parts; its fields keep their names.

    Args:
        problem: The problem.
        known: Field -> known part U.
        factors: Name of an equation -> factor of its residual.

    Returns:
        The problem that w = u - U satisfies.

    Raises:
        ProblemError: If a key is no field or no equation, or a condition is periodic in a field that changes.
    """
    factors = dict(factors or {})
    strange = [str(key) for key in known if key not in problem.fields]
    strange += [name for name in factors if name not in problem.equation_names]
    if strange:
        raise ProblemError("fields and names of equations of the problem", ", ".join(strange), "")
    # opaque parts: their formulas would enter every product and make SymPy slow
    opaque = {key: _part(problem, key, value) for key, value in known.items()}
    shift = {key: key + part for key, part in opaque.items()}

    def put(expression: sp.Expr) -> sp.Expr:
        return expression.subs(shift, simultaneous=True).doit()

    equations = {
        name: sp.Eq(factors.get(name, sp.S.One) * put(equation), 0)
        for name, equation in zip(problem.equation_names, problem.equations, strict=True)
    }
    boundary: list[Any] = []
    for term in problem.terms:
        if term.kind not in ("boundary", "point"):
            continue
        if term.periodic and any(term.condition.field == key for key in known):
            raise ProblemError("no periodic condition on a field with a known part", term.name, "")
        if isinstance(term.condition, Dirichlet):
            field = term.condition.field
            data = field - term.expressions[0] - opaque.get(field, 0)
            boundary.append(Dirichlet(field, data, on=list(term.faces)))
        elif term.periodic:
            boundary.append(term.condition)
        else:
            boundary.append(Condition(put(term.expressions[0]), on=term.point or list(term.faces)))
    initial = None
    if problem.time is not None:
        start, none = {problem.time[0]: problem.time[1]}, dict.fromkeys(problem.fields, sp.S.Zero)
        initial = {key: value - put(key).subs(none).doit().subs(start) for key, value in problem.initial.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ProblemWarning)  # said when the problem itself was built
        return problem.replace(pde=equations, boundary=boundary, initial=initial, fields=list(problem.fields),
                               name=f"{problem.name}, known part subtracted")  # fmt: skip


def _part(problem: IBVP, key: sp.Expr, value: sp.Expr) -> sp.Expr:
    """A known part as one function that knows its derivatives; constants stay as they are."""
    value, coordinates = problem.substitute(value), problem.coordinates
    if not value.free_symbols & set(coordinates):
        return value

    values, name = partial(_values, value, coordinates, problem.bounds), f"known_{key.func.__name__}"
    return known_function(name, len(coordinates), values, "a known part that was subtracted")(*coordinates)


def _values(value: sp.Expr, coordinates: tuple, bounds: Any, points: np.ndarray, orders: tuple[int, ...]) -> np.ndarray:
    return evaluate_data(_derivative(value, coordinates, orders), coordinates, points, bounds)


def _derivative(value: sp.Expr, coordinates: Sequence[sp.Symbol], orders: Sequence[int]) -> sp.Expr:
    pairs = [(symbol, order) for symbol, order in zip(coordinates, orders, strict=True) if order]
    return value.diff(*pairs) if pairs else value


class RestoredSolution(Solution):
    """A solution of the problem, as a known part plus a solution of `subtracted(problem, known)`.

    Args:
        problem: The problem.
        remainder: The other solution.
        known: Field -> known part.
    """

    kind = "restored"

    def __init__(self, problem: IBVP, remainder: Solution, known: Mapping[sp.Expr, sp.Expr]) -> None:
        super().__init__(problem, remainder.status, remainder.history)
        self.remainder, self.known = remainder, dict(known)

    def jets(self, points: np.ndarray, needed: Sequence[Jet]) -> np.ndarray:
        """Field values and derivatives.

        Args:
            points: (n, d).
            needed: Jets.

        Returns:
            (n, len(needed)).
        """
        values = np.array(self.remainder.jets(points, needed))
        for column, (index, orders) in enumerate(needed):
            part = self.known.get(self.problem.fields[index])
            if part is not None:
                derivative = _derivative(part, self.problem.coordinates, orders)
                values[:, column] += evaluate_data(derivative, self.problem.coordinates, points, self.problem.bounds)
        return values
