"""SymPy expressions as JSON trees, read back through a fixed list of heads; no text is ever evaluated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy as sp
from sympy.core.function import AppliedUndef

from sciml.callables import NumericFunction, numeric_function
from sciml.errors import CheckpointError, NotSymbolicError
from sciml.expressions.functions import HEADS

_HEADS: dict[str, Any] = {head.__name__: head for head in HEADS}
_CONSTANTS = {"pi": sp.pi, "E": sp.E, "I": sp.I, "oo": sp.oo, "-oo": -sp.oo, "nan": sp.nan,
              "true": sp.true, "false": sp.false, "EulerGamma": sp.EulerGamma,
              "GoldenRatio": sp.GoldenRatio}  # fmt: skip
_ASSUMPTIONS = {"real", "positive", "negative", "nonnegative", "nonpositive", "nonzero", "integer", "finite",
                "extended_real", "rational", "commutative", "even", "odd", "zero", "complex"}  # fmt: skip
_DEPTH = 200
_ROUNDED = {"floor", "ceiling", "frac", "Mod", "sign", "Heaviside", "Max", "Min", "StrictGreaterThan", "StrictLessThan",
            "GreaterThan", "LessThan", "Equality", "Unequality"}  # fmt: skip
_EVALUATED = {"Add", "Mul", "Abs", "factorial"}


def to_json(expression: sp.Basic) -> list:
    """An expression as nested lists of strings.

    Args:
        expression: Any expression that the compiler supports.

    Returns:
        The tree.

    Raises:
        CheckpointError: If a head is not in the list.

    Example:
        >>> import sympy as sp
        >>> from_json(to_json(sp.exp(2) * sp.Symbol("x", real=True) / 3))
        x*exp(2)/3
    """
    for name, constant in _CONSTANTS.items():
        if expression == constant and type(expression) is type(constant):
            return ["constant", name]
    if isinstance(expression, sp.Rational):
        return ["number", str(expression.p), str(expression.q)]
    if isinstance(expression, sp.Float):
        return ["float", float(expression).hex()]
    if isinstance(expression, sp.Symbol):
        return ["symbol", expression.name, _flags(expression._assumptions_orig)]
    if isinstance(expression, sp.Piecewise):
        return ["piecewise", *[[to_json(value), to_json(condition)] for value, condition in expression.args]]
    if isinstance(expression, sp.Derivative):
        return [
            "derivative",
            to_json(expression.expr),
            *[[to_json(s), int(n)] for s, n in expression.variable_count],
        ]
    arguments = [to_json(argument) for argument in expression.args]
    if isinstance(expression, NumericFunction):
        return ["numeric", type(expression).__name__, *arguments]
    if isinstance(expression, AppliedUndef):
        return ["field", expression.func.__name__, _flags(expression.func._kwargs), *arguments]
    if expression.func.__name__ in _HEADS:
        return ["apply", expression.func.__name__, *arguments]
    raise CheckpointError(
        "an expression of supported functions", f"{expression.func.__name__} in {str(expression)[:80]}", ""
    )


def _flags(assumptions: Mapping[str, Any]) -> dict[str, bool]:
    return {name: bool(value) for name, value in assumptions.items() if name in _ASSUMPTIONS and value is not None}


def from_json(tree: Any) -> sp.Basic:
    """Rebuild an expression; anything that is not of the expected form is refused.

    Args:
        tree: From `to_json`.

    Returns:
        The expression.

    Raises:
        CheckpointError: If the tree is malformed, too deep, or names an unknown head.
    """
    try:
        return _read(tree, 0)
    except CheckpointError:
        raise
    except (TypeError, ValueError, KeyError, IndexError, AttributeError, OverflowError, RecursionError) as error:
        raise CheckpointError(
            "a well-formed expression", f"{type(error).__name__}: {error}", "the file is damaged"
        ) from None


def _read(tree: Any, depth: int) -> sp.Basic:
    if not isinstance(tree, list) or not tree or depth > _DEPTH:
        raise CheckpointError("a well-formed expression", str(tree)[:60], "the file is damaged")
    kind, *rest = tree
    if kind == "constant":
        return _CONSTANTS[rest[0]]
    if kind == "number":
        return sp.Rational(_integer(rest[0]), _integer(rest[1]))
    if kind == "float":
        return sp.Float(float.fromhex(rest[0]))  # 53 bits, as stored
    if kind == "symbol":
        return sp.Symbol(_name(rest[0]), **_flags(rest[1]))
    if kind == "derivative":
        return sp.Derivative(_read(rest[0], depth + 1), *[(_read(s, depth + 1), _small(n)) for s, n in rest[1:]])
    if kind == "piecewise":
        return sp.Piecewise(*[(_read(v, depth + 1), _read(c, depth + 1)) for v, c in rest], evaluate=False)
    if kind == "field":
        arguments = [_read(argument, depth + 1) for argument in rest[2:]]
        return sp.Function(_name(rest[0]), **_flags(rest[1]))(*arguments)
    if kind == "numeric":
        return _stub(_name(rest[0]))(*[_read(argument, depth + 1) for argument in rest[1:]])
    if kind == "apply":
        return _apply(rest[0], [_read(argument, depth + 1) for argument in rest[1:]])
    raise CheckpointError("a known kind of node", repr(kind)[:60], "the file is damaged")


def _apply(name: str, arguments: list[sp.Basic]) -> sp.Basic:
    # Stored expressions are in canonical form, so nothing is evaluated here; what SymPy would have evaluated is forged,
    # and evaluating it later could take all time and memory: 2**(10**9), floor(exp(10**9)), factorial(10**9).
    whole = all(argument.is_Rational for argument in arguments)
    forged = whole and (name in _EVALUATED or (name == "Pow" and abs(arguments[-1]) >= 1))
    if forged or (name in _ROUNDED and not any(argument.free_symbols for argument in arguments)):
        raise CheckpointError(f"an evaluated {name}", ", ".join(map(str, arguments))[:60], "the file is damaged")
    return _HEADS[name](*arguments, evaluate=False)


def _integer(text: Any) -> int:
    if not isinstance(text, str) or len(text) > 4000:
        raise CheckpointError("an integer as text", str(text)[:60], "the file is damaged")
    return int(text)


def _small(number: Any) -> int:
    if not isinstance(number, int) or not 0 < number < 100:
        raise CheckpointError("an order of derivative", repr(number)[:60], "the file is damaged")
    return number


def _name(name: Any) -> str:
    if not isinstance(name, str) or not 0 < len(name) < 200:
        raise CheckpointError("a name", repr(name)[:60], "the file is damaged")
    return name


def _stub(name: str) -> type[NumericFunction]:
    def missing(*_: Any) -> Any:
        raise NotSymbolicError(
            f"the Python function {name!r} of the problem",
            "a loaded file, which stores no code",
            "build the problem again and call load_solution(path, problem=problem)",
        )

    missing.__name__ = name
    return numeric_function(missing, "loaded from a file")
