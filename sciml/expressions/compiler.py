"""Compiler: SymPy expressions to a straight-line torch program.

Every distinct subexpression becomes one step (common subexpressions are shared because SymPy
expressions are equal by structure); constant subexpressions are folded to the nearest double by SymPy.
Nothing is generated as text and nothing is executed from strings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import sympy as sp
import torch
from torch import Tensor

from sciml.errors import UnsupportedFunctionError
from sciml.expressions.functions import operation


class Program:
    """A compiled list of expressions.

    Variables named in `dynamic` change at every call (jets, unknown coefficients); everything that does
    not depend on them is computed once by `prepare`.

    Args:
        expressions: Outputs.
        variables: Input symbols (or any atoms), in the order of the call.
        dynamic: The variables that change between calls on the same points.

    Raises:
        UnsupportedFunctionError: If a function has no numerical counterpart or a symbol has no value.

    Example:
        >>> import sympy as sp, torch
        >>> x = sp.Symbol("x", real=True)
        >>> program = Program([sp.exp(2) * x**2, x + sp.sqrt(2)], [x])
        >>> [round(float(v), 6) for v in program(torch.tensor([2.0], dtype=torch.float64))]
        [29.556224, 3.414214]
    """

    def __init__(
        self, expressions: Sequence[sp.Basic], variables: Sequence[sp.Basic], dynamic: Iterable[sp.Basic] = ()
    ) -> None:
        self.variables = tuple(variables)
        self._slot: dict[sp.Basic, int] = {variable: i for i, variable in enumerate(self.variables)}
        dynamic_set = set(dynamic)
        self._is_dynamic = [variable in dynamic_set for variable in self.variables]
        self._constants: dict[int, float | bool] = {}
        self._steps: list[tuple[int, Callable[..., Tensor], tuple[int, ...]]] = []
        self._outputs = [self._visit(sp.sympify(expression)) for expression in expressions]
        self._static_steps = [step for step in self._steps if not self._is_dynamic[step[0]]]
        self._dynamic_steps = [step for step in self._steps if self._is_dynamic[step[0]]]

    def _new(self, dynamic: bool) -> int:
        self._is_dynamic.append(dynamic)
        return len(self._is_dynamic) - 1

    def _visit(self, node: sp.Basic) -> int:
        if node in self._slot:
            return self._slot[node]
        if not node.free_symbols and (node.is_number or node in (sp.true, sp.false)):
            slot = self._new(False)
            self._constants[slot] = _constant(node)
        elif isinstance(node, sp.Piecewise):
            slot = self._piecewise(node)
        elif not node.args or isinstance(node, sp.Derivative):
            raise UnsupportedFunctionError(
                f"values for the symbols {', '.join(map(str, self.variables))}",
                f"{node} without a value",
                "declare it as a coordinate, a field, a parameter or an unknown of the problem",
            )
        else:
            function, arguments = operation(node)
            slot = self._emit(function, [self._visit(argument) for argument in arguments])
        self._slot[node] = slot
        return slot

    def _emit(self, function: Callable[..., Tensor], slots: list[int]) -> int:
        slot = self._new(any(self._is_dynamic[i] for i in slots))
        self._steps.append((slot, function, tuple(slots)))
        return slot

    def _piecewise(self, node: sp.Piecewise) -> int:
        nan = self._visit(sp.nan)
        result = nan
        for value, condition in reversed(node.args):
            slots = [self._visit(value), result, self._visit(condition)]
            result = self._emit(lambda yes, no, where: torch.where(where, yes, no), slots)
        return result

    def prepare(self, values: Sequence[Tensor | None]) -> list[Tensor | None]:
        """Compute all that does not depend on dynamic variables.

        Args:
            values: One tensor per variable; None for dynamic ones.

        Returns:
            The state that `finish` completes; slot i belongs to variable i for the first variables.
        """
        like = next(value for value in values if value is not None)
        state: list[Tensor | None] = [*values, *[None] * (len(self._is_dynamic) - len(self.variables))]
        for slot, number in self._constants.items():
            state[slot] = torch.as_tensor(
                number, dtype=torch.bool if isinstance(number, bool) else like.dtype, device=like.device
            )
        _run(self._static_steps, state)
        return state

    def finish(self, state: Sequence[Tensor | None], values: Sequence[Tensor | None]) -> list[Tensor]:
        """Complete a prepared state with the dynamic variables.

        Args:
            state: From `prepare`.
            values: One tensor per variable; None keeps the prepared value.

        Returns:
            One tensor per output, all of the shape of the first variable.
        """
        work = list(state)
        for i, value in enumerate(values):
            if value is not None:
                work[i] = value
        _run(self._dynamic_steps, work)
        like = next(value for value in work if value is not None)
        return [torch.broadcast_to(_present(work[i]), like.shape) for i in self._outputs]

    def __call__(self, *values: Tensor) -> list[Tensor]:
        """Evaluate with all variables given, one tensor each."""
        fixed = [None if moving else v for v, moving in zip(values, self._is_dynamic, strict=False)]
        if all(value is None for value in fixed):  # nothing to learn dtype and device from
            fixed[0] = values[0]
        return self.finish(self.prepare(fixed), values)


def _present(value: Tensor | None) -> Tensor:
    if value is None:
        raise RuntimeError("a program was run without the value of a variable")
    return value


def _run(steps: Sequence[tuple[int, Callable[..., Tensor], tuple[int, ...]]], state: list[Tensor | None]) -> None:
    for slot, function, arguments in steps:
        state[slot] = function(*[state[i] for i in arguments])


def _constant(node: sp.Basic) -> float | bool:
    if node in (sp.true, sp.false):
        return bool(node)
    if node is sp.nan:
        return float("nan")
    if node in (sp.oo, -sp.oo):
        return float("inf") if node is sp.oo else float("-inf")
    number = sp.N(node, 25)
    if not number.is_Float and not number.is_Integer and not number.is_Rational:
        number = sp.N(sp.re(number), 25) if number.is_real else number
    if not (number.is_Float or number.is_Rational):
        raise UnsupportedFunctionError(
            "real constants", f"{node} = {number}", "split complex fields into a real and an imaginary part"
        )
    return float(number)
