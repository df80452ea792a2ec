"""What the user wrote, checked and made exact: equations, fields and coordinates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sympy as sp
from sympy.core.function import AppliedUndef

from sciml.callables import NumericFunction
from sciml.errors import NotSymbolicError, ProblemError
from sciml.ibvp import IBVP

EXAMPLE = "point_symmetries(sp.Eq(u.diff(t), u.diff(x, 2)), [u])"


@dataclass(frozen=True)
class Equations:
    """A system of PDEs in exact form.

    Attributes:
        residuals: Expressions that vanish, in functions of all coordinates.
        fields: The unknowns as functions of all coordinates.
        coordinates: The independent variables.
        notes: What was changed or assumed.
    """

    residuals: tuple[sp.Expr, ...]
    fields: tuple[AppliedUndef, ...]
    coordinates: tuple[sp.Symbol, ...]
    notes: tuple[str, ...]

    @property
    def parameters(self) -> tuple[sp.Symbol, ...]:
        """The free symbols that are no coordinates."""
        found = set().union(*(e.free_symbols for e in self.residuals)) - set(self.coordinates)
        return tuple(sorted(found, key=str))


def read_equations(problem: Any, fields: Sequence[AppliedUndef] | None = None) -> Equations:
    """Check what the user gave and bring it to one form.

    Args:
        problem: `IBVP`, one equation or several.
        fields: The unknowns, where they cannot be read off.

    Returns:
        The system.

    Raises:
        ProblemError: If it is no differential equation or the fields do not fit.
        NotSymbolicError: If an equation is a numeric-only function.
    """
    notes: list[str] = []
    coordinates: tuple[sp.Symbol, ...] | None = None
    if isinstance(problem, IBVP):
        residuals, coordinates = list(problem.equations), problem.coordinates
        fields = fields or problem.fields
    else:
        residuals = [_residual(item) for item in _several(problem)]
    residuals = [_exact(residual, notes) for residual in residuals]
    if not any(residual.atoms(sp.Derivative) for residual in residuals):
        raise ProblemError("a differential equation", "equations without derivatives", EXAMPLE)
    unknowns = _given_fields(fields, residuals) if fields else _found_fields(residuals, notes)
    widest = sorted(unknowns, key=lambda u: -len(u.args))
    coordinates = coordinates or tuple(dict.fromkeys(symbol for u in widest for symbol in u.args))
    _check_names(residuals, unknowns, coordinates)
    full = {u: u.func(*coordinates) for u in unknowns}
    missing = [full[u].diff(x) for u in unknowns for x in coordinates if x not in u.args]
    if missing:
        notes.append("fields of fewer coordinates are read as fields of all, constant along the others")
    residuals = [residual.xreplace(full).doit() for residual in residuals if residual != 0] + missing
    return Equations(tuple(residuals), tuple(full.values()), coordinates, tuple(notes))


def _several(problem: Any) -> list:
    if isinstance(problem, dict):
        problem = list(problem.values())
    if isinstance(problem, sp.Basic) or not isinstance(problem, Iterable) or isinstance(problem, str):
        problem = [problem]
    items = list(problem)
    if not items:
        raise ProblemError("at least one equation", "none", EXAMPLE)
    return items


def _residual(item: Any) -> sp.Expr:
    if isinstance(item, sp.Equality):
        return item.lhs - item.rhs
    if isinstance(item, sp.Expr):
        return item
    if item in (True, False, sp.true, sp.false):
        raise ProblemError("an equation", f"{item}: both sides are numbers or the same", EXAMPLE)
    raise ProblemError(
        "a differential equation in SymPy, or an expression that vanishes", f"{type(item).__name__}: {item!r}", EXAMPLE
    )


def _exact(equation: sp.Expr, notes: list[str]) -> sp.Expr:
    if any(isinstance(node, NumericFunction) for node in equation.atoms(AppliedUndef)):
        raise NotSymbolicError("equations in SymPy", str(equation)[:80], "write the equation in SymPy")
    if equation.has(sp.oo, -sp.oo, sp.nan, sp.zoo):
        raise ProblemError("finite coefficients", str(equation)[:80], "correct the equation")
    if equation.has(sp.Float):
        rational = sp.nsimplify(equation, rational=True)
        floats = ", ".join(f"{f} = {sp.nsimplify(f, rational=True)}" for f in sorted(equation.atoms(sp.Float))[:6])
        notes.append(f"floats were made rational: {floats}")
        equation = rational
    return equation.doit()


def _given_fields(fields: Any, residuals: list[sp.Expr]) -> tuple[AppliedUndef, ...]:
    fields = (fields,) if isinstance(fields, sp.Basic) else tuple(fields)
    present = set().union(*(residual.atoms(AppliedUndef) for residual in residuals))
    for u in fields:
        if not isinstance(u, AppliedUndef) or not all(isinstance(a, sp.Symbol) for a in u.args):
            raise ProblemError('fields as applied functions, field("u", x, t)', repr(u), EXAMPLE)
        if u not in present:
            shown = ", ".join(sorted(map(str, present))) or "none"
            raise ProblemError(f"fields that occur in the equations: {shown}", str(u), "give the fields as they stand")
    if len({u.func.__name__ for u in fields}) < len(fields):
        raise ProblemError("fields with different names", ", ".join(map(str, fields)), "name each field once")
    return tuple(fields)


def _found_fields(residuals: list[sp.Expr], notes: list[str]) -> tuple[AppliedUndef, ...]:
    inside = {d.expr for e in residuals for d in e.atoms(sp.Derivative) if isinstance(d.expr, AppliedUndef)}
    derived = {u for u in inside if all(isinstance(a, sp.Symbol) for a in u.args)}
    if not derived:
        raise ProblemError("derivatives of an unknown field", "none", EXAMPLE)
    most = max(len(u.args) for u in derived)
    chosen = {u for u in derived if len(u.args) == most}
    for residual in residuals:
        # An equation without any of them is there to determine the others that it contains.
        if not residual.atoms(AppliedUndef) & chosen:
            chosen |= derived & residual.atoms(AppliedUndef)
    fields = sorted(chosen, key=lambda u: u.func.__name__)
    every = set().union(*(u.args for u in fields))
    for other in sorted(set().union(*(e.atoms(AppliedUndef) for e in residuals)) - set(fields), key=str):
        if set(other.args) == every and other.func not in {u.func for u in fields}:
            raise ProblemError(
                "to know whether a function without derivatives is unknown",
                str(other),
                "name the unknowns: fields=[...]",
            )
        if other in derived:
            notes.append(f"{other} is read as a given arbitrary function; name it in `fields` if it is unknown")
    return tuple(fields)


def _check_names(residuals: list[sp.Expr], fields: Sequence[AppliedUndef], coordinates: Sequence[sp.Symbol]) -> None:
    symbols = set(coordinates).union(*(residual.free_symbols for residual in residuals))
    double = [name for name, count in Counter(s.name for s in symbols).items() if count > 1]
    if double:
        raise ProblemError(
            "one symbol per name",
            f"symbols named {', '.join(sorted(double))} with different assumptions",
            'take the symbols of coordinates("x t") everywhere',
        )
    heads = {f.func for e in residuals for f in e.atoms(AppliedUndef)} | {u.func for u in fields}
    double = [name for name, count in Counter(head.__name__ for head in heads).items() if count > 1]
    if double:
        raise ProblemError(
            "one function per name", f"functions named {', '.join(sorted(double))}", 'take those of field("u", x, t)'
        )
