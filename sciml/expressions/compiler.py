"""Compiler: SymPy expressions to a straight-line torch program.

Every distinct subexpression becomes one step (common subexpressions are shared because SymPy
expressions are equal by structure); constant subexpressions are folded to the nearest double by SymPy.
Nothing is generated as text and nothing is executed from strings.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence

import sympy as sp
import torch
from torch import Tensor

from sciml.errors import UnsupportedFunctionError
from sciml.expressions.functions import operation
from sciml.expressions.singular import singular_nodes


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
        self._leaves: list[sp.Basic] = list(self.variables)
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
        elif _root_of_positive_part(node):
            others = sp.Max(*[argument for argument in node.base.args if argument != 0])
            slot = self._visit(sp.Piecewise((others**node.exp, others > 0), (0, True)))
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
        branches, earlier = [], None
        for value, condition in node.args:
            holds = self._visit(condition)
            mine = holds if earlier is None else self._emit(_only, [holds, earlier])
            earlier = holds if earlier is None else self._emit(torch.logical_or, [holds, earlier])
            branches.append((mine, self._branch(value, mine)))
        result = self._visit(sp.nan)
        for mine, value_slot in reversed(branches):
            result = self._emit(torch.where, [mine, value_slot, result])
        return result

    def _branch(self, value: sp.Expr, mine: int) -> int:
        # Where another branch holds, this one is computed at a harmless constant point: the derivative of
        # `where` multiplies that of the branch not taken by 0, and 0 times infinity is NaN.
        leaves = [leaf for leaf in self._leaves if value.has(leaf)] if singular_nodes(value) else []
        harmless = _harmless_point(value, leaves) if leaves else None
        if harmless is None:
            return self._visit(value)
        stand_ins = {leaf: _stand_in(leaf) for leaf in leaves}
        for leaf, number in zip(leaves, harmless, strict=True):
            choose = functools.partial(_where_else, number)
            self._slot[stand_ins[leaf]] = self._emit(choose, [mine, self._slot[leaf]])
        self._leaves += stand_ins.values()
        return self._visit(value.xreplace(stand_ins))

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


def _root_of_positive_part(node: sp.Basic) -> bool:
    """Max(a, 0)^p with 0 < p < 1: its derivative is 0 for a < 0, where autograd meets 0 times infinity."""
    return (
        isinstance(node, sp.Pow)
        and isinstance(node.base, sp.Max)
        and sp.Integer(0) in node.base.args
        and node.exp.is_number
        and bool(node.exp > 0)
        and bool(node.exp < 1)
    )


def _only(holds: Tensor, earlier: Tensor) -> Tensor:
    return torch.logical_and(holds, torch.logical_not(earlier))


def _where_else(number: float, mine: Tensor, value: Tensor) -> Tensor:
    return torch.where(mine, value, number)


def _stand_in(leaf: sp.Basic) -> sp.Dummy:
    if isinstance(leaf, sp.Symbol):
        return sp.Dummy(leaf.name, **leaf._assumptions_orig)
    return sp.Dummy(real=leaf.is_real)


def _harmless_point(value: sp.Expr, leaves: Sequence[sp.Basic]) -> tuple[float, ...] | None:
    """Numbers for the leaves at which the value and its derivatives are finite, or None."""
    program = Program([value], leaves)
    for base in (0.5, 1.0, 2.0, -0.5, -1.0, -2.0, 0.1, 10.0):
        for step in (0.0, 0.37, -0.37):
            numbers = tuple(base + step * i for i in range(len(leaves)))
            point = [torch.tensor(number, dtype=torch.float64, requires_grad=True) for number in numbers]
            with torch.enable_grad():
                result = program(*point)[0]
                slopes = torch.autograd.grad(result, point, allow_unused=True) if result.requires_grad else ()
            if all(bool(torch.isfinite(part)) for part in (result, *slopes) if part is not None):
                return numbers
    return None


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
