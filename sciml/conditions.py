"""Conditions of a problem: what holds on faces, at the start, at points, and what was measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp

from sciml.arguments import explained, real_array, require_number
from sciml.errors import ProblemError

Faces = tuple[str, ...] | None


def normal(*coordinates: sp.Symbol) -> sp.Symbol | tuple[sp.Symbol, ...]:
    """Components of the outward unit normal, for free-form conditions.

    Args:
        *coordinates: Space coordinates.

    Returns:
        One symbol for one coordinate, else a tuple.

    Example:
        >>> from sciml import coordinates
        >>> normal(coordinates("x"))
        n_x
    """
    symbols = tuple(sp.Symbol(f"n_{symbol}", real=True) for symbol in coordinates)
    return symbols[0] if len(symbols) == 1 else symbols


def normal_derivative(known: sp.Expr, space: Sequence[sp.Symbol]) -> sp.Expr:
    """∂u/∂n = Σ n_i ∂u/∂x_i with n outward."""
    return sp.Add(*[sp.Symbol(f"n_{s}", real=True) * known.diff(s) for s in space if s in known.free_symbols])


def _faces(on: Any) -> Faces:
    if on is None:
        return None
    names = (on,) if isinstance(on, str) or not isinstance(on, Iterable) else tuple(on)
    if not names or not all(isinstance(name, str) for name in names):
        raise ProblemError("a face name or a list of face names", repr(on), 'on="left" or on=["left", "right"]')
    return tuple(dict.fromkeys(names))


@dataclass(frozen=True, eq=False)
class FaceCondition:
    """A condition on one field on some faces.

    Args:
        field: The field, for instance `u`.
        value: Data g: SymPy expression, number, or function of the coordinates.
        on: Face name, list of names, or None for the whole boundary.
    """

    field: sp.Expr
    value: Any = 0
    on: Any = None

    def __post_init__(self) -> None:
        """Normalise `on` to a tuple of names."""
        object.__setattr__(self, "on", _faces(self.on))

    def operator(self, space: Sequence[sp.Symbol]) -> sp.Expr:
        """Left side of the condition: an expression of the field and the normal.

        Args:
            space: Space coordinates.

        Raises:
            NotImplementedError: On the bare base class.
        """
        raise NotImplementedError


@explained('Dirichlet(u, 0, on="left")')
@dataclass(frozen=True, eq=False)
class Dirichlet(FaceCondition):
    """u = g on faces."""

    def operator(self, space: Sequence[sp.Symbol]) -> sp.Expr:
        """The field itself."""
        return self.field


@explained('Neumann(u, 0, on="left")')
@dataclass(frozen=True, eq=False)
class Neumann(FaceCondition):
    """∂u/∂n = g on faces, n the outward unit normal."""

    def operator(self, space: Sequence[sp.Symbol]) -> sp.Expr:
        """The normal derivative."""
        return normal_derivative(self.field, space)


@explained('Robin(u, beta=1, value=0, on="left")')
@dataclass(frozen=True, eq=False, init=False)
class Robin(FaceCondition):
    """∂u/∂n + βu = g on faces, n the outward unit normal.

    Args:
        field: The field.
        beta: Coefficient β: an expression, a number, or a function of the coordinates.
        value: Data g.
        on: Faces, or None for the whole boundary.
    """

    beta: Any = 1

    def __init__(self, field: sp.Expr, beta: Any, value: Any = 0, on: Any = None) -> None:
        object.__setattr__(self, "field", field)
        object.__setattr__(self, "beta", beta)
        object.__setattr__(self, "value", value)
        object.__setattr__(self, "on", _faces(on))

    def operator(self, space: Sequence[sp.Symbol]) -> sp.Expr:
        """The normal derivative plus β times the field."""
        return normal_derivative(self.field, space) + self.beta * self.field


@explained('Periodic(u, on=("left", "right"))')
@dataclass(frozen=True, eq=False)
class Periodic:
    """u and its derivatives below the PDE's order agree on two opposite faces.

    Args:
        field: The field.
        on: The two faces, `("left", "right")`.
        derivatives: False compares values only, which leaves the slopes at both ends free.
    """

    field: sp.Expr
    on: Any = ("left", "right")
    derivatives: bool = True

    def __post_init__(self) -> None:
        """Check that there are two faces.

        Raises:
            ProblemError: If `on` does not name two different faces.
        """
        faces = _faces(self.on)
        if faces is None or len(faces) != 2:
            raise ProblemError("two opposite faces", repr(self.on), 'Periodic(u, on=("left", "right"))')
        object.__setattr__(self, "on", faces)


@explained('Condition(Eq(...), on="left")')
@dataclass(frozen=True, eq=False)
class Condition:
    """A free-form equation that holds on faces, at the start, or at one point.

    Args:
        equation: `Eq(...)` or an expression that vanishes; may use fields, derivatives and `normal(x)`.
        on: Face name or names, "initial", None (whole boundary), or a point `{x: 0, y: 1}`; a point without a
            time holds at all times.
    """

    equation: Any
    on: Any = None

    def __post_init__(self) -> None:
        """Normalise `on`."""
        if isinstance(self.on, Mapping):
            object.__setattr__(self, "on", tuple((s, sp.sympify(v)) for s, v in self.on.items()))
        else:
            object.__setattr__(self, "on", _faces(self.on))

    @property
    def point(self) -> dict[sp.Symbol, sp.Expr] | None:
        """The fixed point, or None where the condition holds on faces."""
        is_point = self.on is not None and not isinstance(self.on[0], str)
        return dict(self.on) if is_point else None

    @property
    def residual(self) -> sp.Expr:
        """Left side minus right side.

        Raises:
            ProblemError: If the equation is no `Eq` and no expression.
        """
        if isinstance(self.equation, sp.Equality):
            return self.equation.lhs - self.equation.rhs
        if isinstance(self.equation, sp.Expr):
            return self.equation
        raise ProblemError(
            "Eq(left, right) or an expression in a Condition",
            repr(self.equation),
            "note that u(x, 0).diff(t) is 0 in SymPy: differentiate first, substitute later",
        )


def _frozen_array(values: Any, what: str) -> np.ndarray:
    array = real_array(values, f"real numbers as {what}", ProblemError).copy()  # of complex values, observe both parts
    if not np.isfinite(array).all():
        raise ProblemError(
            f"finite {what}", f"{np.count_nonzero(~np.isfinite(array))} values are not finite", "drop them"
        )
    array.setflags(write=False)
    return array


@explained("Observations(u, points, values, sigma=0.1)")
@dataclass(frozen=True, eq=False)
class Observations:
    """Measured values of a quantity at points.

    Args:
        quantity: A field or an expression of fields and derivatives.
        points: (n, d) coordinates, time last.
        values: (n,) measured values.
        sigma: Standard deviation of the noise, in the quantity's unit; rows are divided by it in statistics.
        name: Name of the term; made from the quantity when empty.
    """

    quantity: sp.Expr
    points: Any
    values: Any
    sigma: float | None = None
    name: str = ""

    def __post_init__(self) -> None:
        """Freeze copies of the arrays and check their shapes.

        Raises:
            ProblemError: If shapes do not agree or values are not finite.
        """
        points, values = (
            _frozen_array(self.points, "observation points"),
            _frozen_array(self.values, "observed values"),
        )
        if points.ndim != 2 or values.ndim != 1 or len(points) != len(values) or len(values) == 0:
            raise ProblemError(
                "points of shape (n, d) and values of shape (n,), n > 0",
                f"points {points.shape}, values {values.shape}",
                "one row of coordinates (time last) for each value",
            )
        require_number(self.sigma, "sigma", above=0, optional=True, fix="the standard deviation of one value",
                       error=ProblemError)  # fmt: skip
        object.__setattr__(self, "points", points)
        object.__setattr__(self, "values", values)
