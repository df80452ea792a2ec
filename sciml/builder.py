"""Builder: the arguments of an IBVP read into its attributes, every fault collected."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sympy as sp
from sympy.core.function import AppliedUndef

from sciml import terms as build
from sciml.callables import data_expression, opaque_equations
from sciml.conditions import Dirichlet, FaceCondition, Observations
from sciml.errors import GeometryError, NotSymbolicError, ProblemError, ScimlError
from sciml.findings import Finding
from sciml.geometry import Geometry
from sciml.geometry.exact import check_extent
from sciml.jets import field_atoms
from sciml.tracing import trace
from sciml.unknowns import unknown
from sciml.validation import check_data, check_statement


class Builder:
    """Fills an IBVP from its arguments, collecting findings instead of stopping at the first."""

    def __init__(self, problem: Any, arguments: dict[str, Any]) -> None:
        self.problem, self.arguments = problem, arguments
        self.findings: list[Finding] = []
        self.floats = False
        steps = [self._domain, self._time, self._parameters, self._unknowns, self._pde, self._initial, self._terms]
        for step in steps:
            if not self._try(step) and step in (self._domain, self._pde):
                return
        self.findings += check_statement(problem)
        if not any(finding.severity == "error" for finding in self.findings):
            self.findings += check_data(problem)
        if self.floats:
            self.findings.append(Finding("note", "floats were read as exact decimal fractions, multiples of π as such"))

    def _try(self, step: Callable[[], None]) -> bool:
        try:
            step()
        except (ProblemError, NotSymbolicError, GeometryError) as error:
            self._report(error)
            return False
        return True

    def _report(self, error: ScimlError) -> None:
        text = str(error).replace("\n ", ";")
        self.findings += list(getattr(error, "findings", ())) or [Finding("error", text)]

    def _each(self, what: str, example: str) -> Mapping:
        """A mapping argument."""
        given = self.arguments[what]
        if given is not None and not isinstance(given, Mapping):
            raise ProblemError(f"a dictionary as `{what}`", repr(given), f"{what}={example}")
        return given or {}

    def _set(self, **values: Any) -> None:
        for name, value in values.items():
            object.__setattr__(self.problem, name, value)

    def _exact(self, expression: Any) -> Any:
        exact = build.rationalise(expression)
        self.floats = self.floats or (exact is not expression and exact != expression)
        return exact

    def _domain(self) -> None:
        domain = self.arguments["domain"]
        self._set(domain=domain, time=None, initial={}, boundary=tuple(_as_sequence(self.arguments["boundary"])),
                  parameters={}, unknowns={}, observations=tuple(_as_sequence(self.arguments["observations"])),
                  name=str(self.arguments["name"]), terms=(), notes=(), fields=(), equations=(),
                  pde=self.arguments["pde"], equation_names=())  # fmt: skip
        if not isinstance(domain, Geometry):
            raise ProblemError("a geometry as `domain`", repr(domain), "domain=Interval(x, 0, 1)")

    def _time(self) -> None:
        time = self.arguments["time"]
        if time is None:
            return
        if not (isinstance(time, (tuple, list)) and len(time) == 3 and isinstance(time[0], sp.Symbol)):
            raise ProblemError("time=(t, start, end)", repr(time), "time=(t, 0, 1)")
        start, end = (self._exact(sp.sympify(value)) for value in time[1:])
        self._set(time=(time[0], start, end))
        if time[0] in self.problem.space:
            raise ProblemError("a time symbol that is no space coordinate", str(time[0]), "")
        if not (start.is_number and end.is_number and start.is_finite and end.is_finite and bool(start < end)):
            self._set(time=(time[0], sp.Integer(0), sp.Integer(1)))
            raise ProblemError("a finite time interval with start < end", f"({start}, {end})", "time=(t, 0, 1)")
        check_extent([(float(start), float(end))])

    def _parameters(self) -> None:
        for symbol, value in self._each("parameters", "{k: 0.5}").items():
            try:
                number = self._exact(sp.sympify(value, strict=True))
                usable = isinstance(symbol, sp.Symbol) and number.is_number and number.is_real and number.is_finite
            except (sp.SympifyError, AttributeError):
                usable = False
            if not usable:
                fault = ProblemError("parameters={symbol: finite real number}", f"{symbol!r}: {value!r}",
                                     "the key is the SymPy symbol")  # fmt: skip
                self._report(fault)
                continue
            _check_assumptions(symbol, number)
            self.problem.parameters[symbol] = number

    def _unknowns(self) -> None:
        for symbol, value in self._each("unknowns", "{k: 0.5}").items():
            self.problem.unknowns[symbol] = unknown(symbol, value)
            _check_assumptions(symbol, sp.Float(self.problem.unknowns[symbol].start))
            if symbol in self.problem.parameters:
                raise ProblemError(
                    "a symbol either in `parameters` or in `unknowns`", str(symbol), "drop one of the two"
                )

    def _pde(self) -> None:
        pde, names = self.arguments["pde"], None
        if callable(pde) and not isinstance(pde, sp.Basic):
            pde = self._traced(pde)
        if isinstance(pde, Mapping):
            names, pde = tuple(map(str, pde)), list(pde.values())
        items = list(pde) if isinstance(pde, (list, tuple)) else [pde]
        equations = tuple(self._exact(_residual(item)).doit() for item in items)
        if not equations:
            raise ProblemError("at least one equation", "an empty list", "pde=sp.Eq(u.diff(t), u.diff(x, 2))")
        names = names or (("pde",) if len(items) == 1 else tuple(f"pde {i}" for i in range(1, len(items) + 1)))
        own = set(self.problem.coordinates)
        if any(equation.has(sp.nan, sp.zoo, sp.oo, -sp.oo) for equation in equations):
            raise ProblemError(
                "finite numbers in the equations", str(equations), "NaN and infinity are no coefficients"
            )
        found = {atom for equation in equations for atom in field_atoms(equation) if set(atom.args) <= own}
        given = self.arguments["fields"]
        strange = [known for known in given or () if not isinstance(known, AppliedUndef)]
        if strange:
            raise ProblemError("fields=[u, ...] made by field(...)", repr(strange), 'u = field("u", x, t)')
        fields = tuple(given) if given else tuple(sorted(found, key=str))
        self._set(equations=equations, equation_names=names, fields=fields)

    def _traced(self, pde: Callable) -> Any:
        fields = self.arguments["fields"]
        if not fields:
            raise ProblemError(
                "fields=[u, ...] beside a pde given as a function", "none", "IBVP(pde=f, fields=[u], ...)"
            )
        arguments = [*self.problem.coordinates, *fields]
        traced, reason = trace(pde, arguments)
        if traced is not None:
            return traced
        self.findings.append(Finding("note", f"the pde is numeric-only, it could not be traced: {reason}"))
        return opaque_equations(pde, self.problem.coordinates, fields, reason)

    def _initial(self) -> None:
        initial = {}
        for key, value in self._each("initial", "{u: sp.sin(sp.pi * x)}").items():
            try:
                initial[key] = self._exact(data_expression(value, self.problem.space, f"the initial value of {key}"))
            except ProblemError as error:
                self._report(error)
                initial[key] = sp.Integer(0)
        self._set(initial=initial)

    def _terms(self) -> None:
        problem = self.problem
        terms = [build.equation_terms(problem.equations, problem.equation_names)]
        good = {key: value for key, value in problem.initial.items() if isinstance(key, (AppliedUndef, sp.Derivative))}
        terms += build.initial_terms(good)
        for condition in (*problem.boundary, *problem.observations):
            try:
                if condition in problem.observations:
                    terms.append(_observation_term(condition))
                else:
                    terms.append(build.condition_term(condition, problem))
            except ProblemError as error:
                self._report(error)
                terms += _place_holder(condition, problem)
        self._set(terms=build.unique_names(terms))


def _as_sequence(value: Any) -> Sequence:
    if value is None:
        return ()
    return value if isinstance(value, (list, tuple)) else (value,)


def _place_holder(condition: Any, problem: Any) -> list[build.Term]:
    """A condition with faulty data still counts as one, so that no second fault is reported."""
    with contextlib.suppress(ProblemError):
        if isinstance(condition, FaceCondition):
            return [build.condition_term(Dirichlet(condition.field, 0, condition.on), problem)]
    return []


def _observation_term(observations: Any) -> build.Term:
    if not isinstance(observations, Observations):
        raise ProblemError("Observations objects in `observations`", repr(observations),
                           "observations=[Observations(u, points, values)]")  # fmt: skip
    return build.observation_term(observations)


def _check_assumptions(symbol: sp.Symbol, number: sp.Expr) -> None:
    """SymPy has simplified with the assumptions of the symbol: a value against them makes the result wrong."""
    for name, wanted in symbol._assumptions_orig.items():
        if getattr(number, f"is_{name}", None) not in (wanted, None):
            raise ProblemError(f"a value of {symbol} with {name}={wanted}, as the symbol was declared", str(number),
                               "declare the symbol without the assumption")  # fmt: skip


def _residual(item: Any) -> sp.Expr:
    if isinstance(item, sp.Equality):
        return item.lhs - item.rhs
    if isinstance(item, sp.Expr):
        return item
    raise ProblemError(
        "an equation Eq(left, right) or an expression that vanishes",
        repr(item),
        "Eq collapses to True or False when its sides are constant: u(x, 0).diff(t) is 0 in SymPy"
        if isinstance(item, (bool, sp.logic.boolalg.BooleanAtom))
        else "sp.Eq(u.diff(t), u.diff(x, 2))",
    )
