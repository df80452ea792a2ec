"""A linear equation for one field in the form e_t = L e or L e = 0 or e_tt + d e_t = L e."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sympy as sp

from sciml.classification import linear_form
from solvers.lie.bounds.patches import Enclosure, Patch
from solvers.lie.bounds.sup import NotEnclosed


@dataclass(frozen=True)
class Operator:
    """L = Σ a_ij ∂_i∂_j + Σ b_i ∂_i + c.

    Attributes:
        space: Coordinates.
        second: a as a symmetric matrix.
        first: b.
        zero: c.
        time_order: 0, 1 or 2.
        damping: Coefficient of e_t beside e_tt.
        scale: What the residual of the equation is divided by.
    """

    space: tuple[sp.Symbol, ...]
    second: sp.Matrix
    first: tuple[sp.Expr, ...]
    zero: sp.Expr
    time_order: int
    damping: sp.Expr
    scale: sp.Expr

    def __call__(self, function: sp.Expr) -> sp.Expr:
        """L applied."""
        total = self.zero * function
        for i, s in enumerate(self.space):
            total += self.first[i] * function.diff(s)
            for j, r in enumerate(self.space):
                total += self.second[i, j] * function.diff(s, r)
        return total

    @property
    def coefficients(self) -> tuple[sp.Expr, ...]:
        """All coefficients."""
        return (*self.second, *self.first, self.zero, self.damping)

    @property
    def speed_squared(self) -> sp.Expr | None:
        """c² where L = c² Δ with constant c² > 0 and nothing else; else None."""
        c2 = self.second[0, 0]
        same = self.second == c2 * sp.eye(len(self.space)) and c2.is_number and c2.is_positive
        return c2 if same and not any(self.first) and self.zero == 0 else None


def read_operator(problem: Any) -> Operator:
    """The operator of a linear problem for one field.

    Args:
        problem: The problem.

    Returns:
        The operator; the equation is divided so that the highest time derivative has coefficient 1, or (steady) a_11
        is positive where its sign is known.

    Raises:
        NotEnclosed: If the equation is of another form.
    """
    if len(problem.fields) != 1:
        raise NotEnclosed("no bound is known for this system")
    form = linear_form(problem.substitute(problem.equations[0]), problem.fields, problem.coordinates)
    if form is None:
        raise NotEnclosed("the equation is not linear")
    space, timed, count = tuple(problem.space), problem.time is not None, len(problem.space)
    second, first = sp.zeros(count, count), [sp.S.Zero] * count
    zero, times = sp.S.Zero, [sp.S.Zero, sp.S.Zero]
    for (_, orders), coefficient in form.coefficients.items():
        where, when = orders[:count], orders[count] if timed else 0
        if when and not any(where) and when <= 2:
            times[when - 1] += coefficient
        elif when or sum(where) > 2:
            raise NotEnclosed("no bound is known for equations of this order")
        elif sum(where) == 2:
            axes = [i for i, k in enumerate(where) for _ in range(k)]
            for i, j in {tuple(axes), tuple(reversed(axes))}:
                second[i, j] += coefficient / (1 if i == j else 2)
        elif sum(where) == 1:
            first[where.index(1)] += coefficient
        else:
            zero += coefficient
    order = 2 if times[1] != 0 else 1 if times[0] != 0 else 0
    if order:
        scale, side = times[order - 1], -1  # the rest moves to the right side
    else:
        sign = -1 if sp.sympify(second[0, 0]).is_negative else 1
        scale, side = sp.Integer(sign), 1
    divided = lambda c: sp.cancel(side * c / scale) if c != 0 else sp.S.Zero  # ruff: ignore[lambda-assignment]
    damping = sp.cancel(times[0] / scale) if order == 2 else sp.S.Zero
    return Operator(space, second.applyfunc(divided), tuple(map(divided, first)), divided(zero), order, damping, scale)


def is_nonnegative(expression: sp.Expr, enclosure: Enclosure, patches: Sequence[Patch]) -> bool:
    """Whether an expression is proven to be >= 0 on patches.

    By SymPy, also in the distance from either end of a box (x on [0, 1]: a ball around its range reaches below 0 by
    the width of its radius), else by enclosure.

    Args:
        expression: An expression of the coordinates.
        enclosure: Ranges over patches.
        patches: Where.

    Returns:
        True where proven.
    """
    expression = sp.sympify(expression)
    if expression.is_nonnegative:
        return True
    for end in (0, 1):
        shifted = []
        for patch in patches:
            ends = {s: box[end] for s, box in zip(patch.axes, patch.box, strict=True)}
            inward = {s: e + (1 - 2 * end) * sp.Dummy(str(s), nonnegative=True) for s, e in ends.items()}
            shifted.append(sp.expand(patch.pull(expression, enclosure.space).xreplace(inward)))
        if all(part.is_nonnegative for part in shifted):
            return True
    return enclosure.range(expression, patches)[0] >= 0


def is_elliptic(operator: Operator, enclosure: Enclosure, patches: Sequence[Patch], strict: bool = False) -> bool:
    """Whether a is positive semidefinite (strict: definite) on the patches, by its principal minors.

    Args:
        operator: L.
        enclosure: Ranges over patches.
        patches: Where.
        strict: Ask for positive definite.

    Returns:
        True where proven.
    """
    count = len(operator.space)
    subsets = [s for k in range(1, count + 1) for s in itertools.combinations(range(count), k)]
    for subset in subsets:
        minor = sp.simplify(operator.second.extract(list(subset), list(subset)).det())
        if strict:
            if not (minor.is_positive or enclosure.range(minor, patches)[0] > 0):
                return False
        elif not is_nonnegative(minor, enclosure, patches):
            return False
    return True
