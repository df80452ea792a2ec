"""Finite transformations exp(εX) and what they make of a solution."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import sympy as sp
from sympy.core.function import AppliedUndef
from sympy.logic.boolalg import Boolean

from sciml.errors import ProblemError, SolverError
from solvers.symmetry.branches import near_identity
from solvers.symmetry.flows import closed_flow, tidy
from solvers.symmetry.implicit import ImplicitSolution
from solvers.symmetry.validity import validity_condition

Images = dict[sp.Expr, sp.Expr]


class OneParameterGroup:
    """The group exp(εX) of one vector field, in closed form (Olver 1993, sections 1.3 and 2.2).

    Args:
        independent: Coordinates.
        dependent: Fields.
        components: One coefficient per variable, coordinates first.
    """

    def __init__(
        self,
        independent: tuple[sp.Symbol, ...],
        dependent: tuple[AppliedUndef, ...],
        components: tuple[sp.Expr, ...],
    ) -> None:
        """Find the formulas; `formulas` stays None where there are none."""
        self.independent, self.dependent = independent, dependent
        self.parameter = sp.Dummy("eps", real=True)
        self.symbols = {u: sp.Dummy(u.func.__name__, real=True) for u in dependent}
        plain = tuple(c.xreplace(self.symbols) for c in components)
        self.projectable = not any(c.has(*dependent) for c in components[: len(independent)])
        self.variables = (*independent, *self.symbols.values())
        found = closed_flow(self.variables, plain, self.parameter)
        self.formulas: Images | None = None if found is None else dict(zip(self.variables, found, strict=True))

    def at(self, eps: sp.Expr) -> Images:
        """The formulas at a value of the group parameter; fields are the entries of `symbols`.

        Args:
            eps: Group parameter.

        Returns:
            Variable to image.

        Raises:
            SolverError: If there is no closed form, or a pole at this value.
        """
        if self.formulas is None:
            raise SolverError(
                "a vector field with a closed flow",
                "one whose equations no formula solves",
                "solvers.symmetry.numeric_flow.numeric_flow follows it numerically",
            )
        if eps == 0:
            return {z: z for z in self.variables}
        return {z: _regular(e.xreplace({self.parameter: eps})) for z, e in self.formulas.items()}

    def images(self, eps: sp.Expr | float) -> Images:
        """Image of every coordinate and field; see `Generator.flow`."""
        back = {symbol: u for u, symbol in self.symbols.items()}
        return {back.get(z, z): e.xreplace(back) for z, e in self.at(self._value(eps)).items()}

    def act(self, solution: sp.Expr | Mapping, eps: sp.Expr | float) -> sp.Expr | dict | ImplicitSolution:
        """The transformed solution; see `Generator.transform`."""
        value, seeds = self._value(eps), self.seeds(solution)
        if value == 0:
            moved: Images = dict(seeds)
        elif self.projectable:
            s = self.parameter
            before = {x: self.at(-s)[x] for x in self.independent}
            moved = {}
            for u, symbol in self.symbols.items():
                image = self.at(s)[symbol].xreplace({v: seeds[w] for w, v in self.symbols.items()})
                moved[u] = _regular(tidy(near_identity(substitute(image, before), s)).xreplace({s: value}))
        else:
            return ImplicitSolution(self.at(self.parameter), self.parameter, value, self.symbols, seeds)
        return moved if isinstance(solution, Mapping) else moved[self.dependent[0]]

    def validity(self, eps: sp.Expr | float, solution: sp.Expr | Mapping | None = None) -> Boolean:
        """Condition for the formulas; see `Generator.validity`."""
        value, s, formulas = self._value(eps), self.parameter, self.at(self.parameter)
        if solution is None:
            condition = validity_condition(formulas.values(), s)
        elif not self.projectable:
            raise SolverError("a generator whose coordinates move by themselves", "one whose ξ depends on the fields")
        else:
            seeds = self.seeds(solution)
            before = {x: self.at(-s)[x] for x in self.independent}
            moved = []
            for symbol in self.symbols.values():
                image = formulas[symbol].xreplace({v: sp.Dummy(real=True) for v in self.symbols.values()})
                if validity_condition([formulas[symbol]], s).has(*self.symbols.values()):
                    image = formulas[symbol].xreplace({v: seeds[w] for w, v in self.symbols.items()})
                moved.append(tidy(near_identity(substitute(image, before), s)))
            condition = validity_condition([*before.values(), *moved], s)
        back = {symbol: u for u, symbol in self.symbols.items()}
        return sp.sympify(condition.xreplace(back | {s: value}))

    def seeds(self, solution: sp.Expr | Mapping) -> Images:
        """The solution as one expression per field.

        Args:
            solution: Expression, or mapping from every field.

        Returns:
            Field to expression.

        Raises:
            ProblemError: If a field is missing or unknown.
        """
        names = ", ".join(map(str, self.dependent))
        if not isinstance(solution, Mapping):
            if len(self.dependent) != 1:
                raise ProblemError(f"a mapping {{field: expression}} for {names}", str(solution))
            solution = {self.dependent[0]: solution}
        if set(solution) != set(self.dependent):
            raise ProblemError(f"one expression for each of {names}", f"keys {', '.join(map(str, solution))}")
        if any(isinstance(value, str) for value in solution.values()):
            raise ProblemError("a solution as a SymPy expression", "text", "an expression of the coordinates")
        try:
            return {u: sp.sympify(solution[u]) for u in self.dependent}
        except (sp.SympifyError, TypeError) as error:
            raise ProblemError("a solution as a SymPy expression", str(error)) from error

    def _value(self, eps: sp.Expr | float) -> sp.Expr:
        if isinstance(eps, str):  # SymPy would evaluate it as code
            raise ProblemError("a number or a symbol as group parameter", repr(eps), 'sp.Symbol("eps", real=True)')
        try:
            value = sp.sympify(eps)
        except (sp.SympifyError, TypeError) as error:
            raise ProblemError("a number or a symbol as group parameter", repr(eps)) from error
        if not isinstance(value, sp.Expr) or value.has(sp.nan, sp.oo, sp.zoo) or value.is_real is False:
            raise ProblemError("a finite real group parameter", str(eps))
        if value.has(*self.independent, *self.dependent):
            raise ProblemError("a group parameter free of coordinates and fields", str(eps), "use another symbol")
        return sp.nsimplify(value, rational=True) if value.has(sp.Float) else value


@lru_cache(maxsize=512)
def one_parameter_group(
    independent: tuple[sp.Symbol, ...], dependent: tuple[AppliedUndef, ...], components: tuple[sp.Expr, ...]
) -> OneParameterGroup:
    """The group of a vector field, found once and kept.

    Args:
        independent: Coordinates.
        dependent: Fields.
        components: One coefficient per variable, coordinates first.

    Returns:
        The group.

    Example:
        >>> x, t = sp.symbols("x t", real=True)
        >>> u = sp.Function("u", real=True)(x, t)
        >>> one_parameter_group((x, t), (u,), (t, sp.S.Zero, sp.S.One)).images(2)[u]
        u(x, t) + 2
    """
    return OneParameterGroup(independent, dependent, components)


def substitute(expression: sp.Expr, table: Mapping[sp.Expr, sp.Expr]) -> sp.Expr:
    """Simultaneous substitution that is also right under derivatives, integrals and sums.

    Args:
        expression: Any expression.
        table: Symbol to replacement.

    Returns:
        The expression with all replacements made at once.
    """
    if expression.has(sp.Derivative, sp.Integral, sp.Sum, sp.Subs):
        return expression.subs(table, simultaneous=True)
    return expression.xreplace(dict(table))


def _regular(expression: sp.Expr) -> sp.Expr:
    if expression.has(sp.nan, sp.zoo):
        raise SolverError("a group parameter within the domain of the flow", f"a pole: {expression}", "ask validity()")
    return expression
