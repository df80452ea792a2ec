"""Program: a SymPy expression as straight-line code on balls, on tensor grids.

Every distinct subexpression is evaluated once, and only on the axes that it depends on: exp(-k²t) sin(kx) on a grid
of n × n points costs 2n transcendental functions and n² products.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import sympy as sp

from sciml.errors import UnsupportedFunctionError
from solvers.lie.bounds.balls import Ball, flint, float_ball, rational
from solvers.lie.bounds.functions import ball_operation
from solvers.lie.bounds.tails import Tail

Axes = tuple[int, ...]
_CONSTANTS = {
    sp.pi: lambda: flint.arb.pi(),
    sp.E: lambda: flint.arb.const_e(),
    sp.EulerGamma: lambda: flint.arb.const_euler(),
    sp.GoldenRatio: lambda: (1 + flint.arb(5).sqrt()) / 2,
}


class Program:
    """An expression without kinks, ready to be evaluated on balls.

    Args:
        expression: The expression.
        axes: Its variables; values come in this order.

    Attributes:
        steps: (kind, detail, slots of the arguments, axes it depends on).
        nodes: The subexpression of each step.
        output: Slot of the result.

    Raises:
        UnsupportedFunctionError: If a function has no enclosure or a symbol no value.
    """

    def __init__(self, expression: sp.Expr, axes: Sequence[sp.Symbol]) -> None:
        self.axes = tuple(axes)
        self._slots: dict[sp.Basic, int] = {}
        self.steps: list[tuple[str, Any, tuple[int, ...], Axes]] = []
        self.nodes: list[sp.Basic] = []
        self._complex = expression.has(sp.I)
        self.output = self._visit(sp.sympify(expression))

    def _visit(self, node: sp.Basic) -> int:
        if node in self._slots:
            return self._slots[node]
        if node in self.axes:
            axis = self.axes.index(node)
            step: tuple = ("axis", axis, (), (axis,))
        elif node.is_Rational or node.is_Float or node in _CONSTANTS or node is sp.I:
            step = ("number", node, (), ())
        elif node.is_Symbol or not node.args:
            raise UnsupportedFunctionError(f"numbers and the variables {self.axes}", str(node), "")
        elif node.is_Add or node.is_Mul:
            slots = tuple(self._visit(argument) for argument in node.args)
            step = ("sum" if node.is_Add else "product", None, slots, self._joined(slots))
        else:
            function, arguments = ball_operation(node)
            slots = tuple(self._visit(argument) for argument in arguments)
            step = ("call", function, slots, self._joined(slots))
        self.steps.append(step)
        self.nodes.append(node)
        self._slots[node] = len(self.steps) - 1
        return self._slots[node]

    def _joined(self, slots: Sequence[int]) -> Axes:
        return tuple(sorted(set().union(*(self.steps[slot][3] for slot in slots))))

    def __call__(self, grid: Sequence[Sequence[Ball]]) -> list[Ball]:
        """Values on a tensor grid.

        Args:
            grid: Balls per axis; complex where the first axis is.

        Returns:
            Values in the order of the last axis fastest. Real for real balls.
        """
        shape = [len(values) for values in grid]
        complex_run = self._complex or any(isinstance(v, flint.acb) for values in grid for v in values)
        state: list[list[Ball]] = []
        for kind, detail, slots, axes in self.steps:
            if kind == "axis":
                values = [flint.acb(v) for v in grid[detail]] if complex_run else list(grid[detail])
            elif kind == "number":
                number = _number(detail)
                values = [flint.acb(number) if complex_run else number]
            elif kind == "call":
                columns = [spread(state[s], self.steps[s][3], axes, shape) for s in slots]
                values = [detail(*row) for row in zip(*columns, strict=True)]
            else:
                values = self._reduce(kind == "sum", slots, axes, shape, state)
            state.append(values)
        result = spread(state[self.output], self.steps[self.output][3], tuple(range(len(shape))), shape)
        if complex_run and not any(isinstance(v, flint.acb) for values in grid for v in values):
            return [v.real if isinstance(v, flint.acb) else v for v in result]
        return [flint.arb("nan") if isinstance(v, Tail) else v for v in result]

    def _reduce(
        self, adding: bool, slots: Sequence[int], axes: Axes, shape: Sequence[int], state: Sequence[list[Ball]]
    ) -> list[Ball]:
        """Sum or product; operands on the same axes are combined before they are spread."""
        groups: dict[Axes, list[Ball]] = {}
        for slot in slots:
            own, values = self.steps[slot][3], state[slot]
            if own in groups:
                groups[own] = _combine(adding, groups[own], values)
            else:
                groups[own] = values
        total: list[Ball] | None = None
        for own, values in sorted(groups.items(), key=lambda item: len(item[0])):
            wide = spread(values, own, axes, shape)
            total = wide if total is None else _combine(adding, total, wide)
        return total or []


def _combine(adding: bool, first: Sequence[Ball], second: Sequence[Ball]) -> list[Ball]:
    if adding:
        return [a + b for a, b in zip(first, second, strict=True)]
    return [a * b for a, b in zip(first, second, strict=True)]


def _number(node: sp.Basic) -> Ball:
    if node is sp.I:
        return flint.acb(0, 1)
    if node.is_Rational:
        return rational(node)
    return float_ball(node) if node.is_Float else _CONSTANTS[node]()


def spread(values: Sequence[Ball], own: Axes, axes: Axes, shape: Sequence[int]) -> list[Ball]:
    """Values on some axes, repeated along the others."""
    if own == axes:
        return list(values)
    wide = [shape[a] for a in axes]
    count = math.prod(wide)
    if count == len(values):
        return list(values)
    if not own:
        return list(values) * count
    index = np.arange(len(values)).reshape([shape[a] if a in own else 1 for a in axes])
    return [values[i] for i in np.broadcast_to(index, wide).ravel().tolist()]


def constant(expression: sp.Expr) -> Ball:
    """A ball around a number."""
    return Program(expression, ())([])[0]
