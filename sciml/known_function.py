"""Known functions whose formula an equation need not hold: opaque nodes that know all their derivatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import sympy as sp

from sciml.callables import NumericFunction

Orders = tuple[int, ...]


class KnownFunction(NumericFunction):
    """A function of the coordinates, or one of its derivatives; made by `known_function`."""

    differentiable = True
    family: ClassVar[Any] = None
    orders: ClassVar[Orders] = ()

    @classmethod
    def recipe(cls) -> tuple[Callable, tuple]:
        """Function and arguments that make it again."""
        return _derivative, (cls.family, cls.orders)

    def fdiff(self, argindex: int = 1) -> sp.Expr:
        """The derivative by one argument.

        Args:
            argindex: Number of the argument, from 1.

        Returns:
            The derivative as another function.
        """
        orders = tuple(order + (axis == argindex - 1) for axis, order in enumerate(self.orders))
        return self.family.function(orders)(*self.args)


class _Family:
    """All derivatives of one function; equal derivatives are the same SymPy function."""

    def __init__(self, name: str, values: Callable[[np.ndarray, Orders], np.ndarray], reason: str) -> None:
        self.name, self.values, self.reason = name, values, reason
        self._made: dict[Orders, type[KnownFunction]] = {}

    def function(self, orders: Orders) -> type[KnownFunction]:
        if orders not in self._made:

            def python(*arguments: Any) -> np.ndarray:
                columns = np.broadcast_arrays(*(np.asarray(argument, dtype=np.float64) for argument in arguments))
                points = np.stack([column.ravel() for column in columns], axis=1)
                return self.values(points, orders).reshape(columns[0].shape)

            body = {"python": staticmethod(python), "family": self, "orders": orders, "reason": self.reason}
            name = self.name + ("_d" + "".join(map(str, orders)) if any(orders) else "")
            self._made[orders] = type(name, (KnownFunction,), body)
        return self._made[orders]

    def __getstate__(self) -> dict[str, Any]:
        """Without the classes, which are made when they are needed."""
        return {**vars(self), "_made": {}}


def _derivative(family: _Family, orders: Orders) -> type[KnownFunction]:
    return family.function(orders)


def known_function(
    name: str, arguments: int, values: Callable[[np.ndarray, Orders], np.ndarray], reason: str
) -> type[KnownFunction]:
    """A SymPy function whose values and derivatives a Python function computes.

    Args:
        name: Its name.
        arguments: Number of arguments.
        values: (points (n, d), order of the derivative per argument) -> (n,).
        reason: Why it is no formula.

    Returns:
        The function; differentiating it by SymPy gives functions of the same kind.

    Example:
        >>> x = sp.Symbol("x", real=True)
        >>> wave = known_function("wave", 1, lambda p, k: np.sin(p[:, 0] + k[0] * np.pi / 2), "an example")
        >>> slope = wave(2 * x).diff(x)
        >>> from sciml.expressions.data import evaluate_data
        >>> evaluate_data(slope, [x], np.array([[0.0]]))  # 2 cos 0
        array([2.])
    """
    return _Family(name, values, reason).function((0,) * arguments)
