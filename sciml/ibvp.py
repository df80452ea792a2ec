"""IBVP: an initial-boundary value problem, symbolic and frozen, with no numerics inside."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import FrozenInstanceError, dataclass
from typing import Any

import sympy as sp
from sympy.core.function import AppliedUndef

from sciml import terms as build
from sciml.callables import data_expression, opaque_equations, trace
from sciml.classification import Classification, classify
from sciml.conditions import Observations
from sciml.errors import ProblemError, ProblemWarning
from sciml.geometry import Geometry
from sciml.jets import field_atoms
from sciml.validation import Finding, check_data, check_statement


@dataclass(frozen=True)
class Unknown:
    """An unknown coefficient of an inverse problem.

    Attributes:
        start: Where the search begins.
        lower: Lower bound or None.
        upper: Upper bound or None.
    """

    start: float
    lower: float | None = None
    upper: float | None = None


class IBVP:
    """An initial-boundary value problem, stated once in SymPy.

    The residual of an equation is left side minus right side. Everything is checked when the problem is
    built, and all findings are reported at once.

    Args:
        pde: `Eq`, a list or dict of them, expressions that vanish, or a function of the coordinates and
            fields (then `fields` is needed), which is traced into SymPy.
        domain: Geometry in space.
        time: `(t, t0, t1)`, or None for a steady problem.
        initial: Data at t0: `{u: expr}`, second order in time also `{u.diff(t): expr}`.
        boundary: Conditions on the boundary.
        parameters: Symbol -> number.
        unknowns: Unknown coefficients: symbol -> start, or `(start, lower, upper)`.
        observations: Measurements, for inverse problems.
        fields: The fields in the order wanted for columns; alphabetical when omitted.
        name: A title.

    Raises:
        ProblemError: With every fault that was found.

    Example:
        >>> import sympy as sp
        >>> from sciml import IBVP, Dirichlet, Interval, coordinates, field
        >>> x, t = coordinates("x t"); u = field("u", x, t)
        >>> heat = IBVP(pde=sp.Eq(u.diff(t), u.diff(x, 2)), domain=Interval(x, 0, 1), time=(t, 0, 1),
        ...             initial={u: sp.sin(sp.pi * x)}, boundary=[Dirichlet(u, 0)])
        >>> heat.classification.type
        'parabolic'
        >>> [term.name for term in heat.terms]
        ['pde', 'initial u', 'dirichlet u']
    """

    pde: Any
    domain: Geometry
    time: tuple[sp.Symbol, sp.Expr, sp.Expr] | None
    initial: dict[sp.Expr, sp.Expr]
    boundary: tuple
    parameters: dict[sp.Symbol, sp.Expr]
    unknowns: dict[sp.Symbol, Unknown]
    observations: tuple[Observations, ...]
    name: str
    equations: tuple[sp.Expr, ...]
    equation_names: tuple[str, ...]
    fields: tuple[AppliedUndef, ...]
    terms: tuple[build.Term, ...]
    notes: tuple[str, ...]

    def __init__(
        self,
        pde: Any,
        domain: Geometry,
        time: tuple | None = None,
        initial: Mapping | None = None,
        boundary: Sequence = (),
        parameters: Mapping | None = None,
        unknowns: Mapping | None = None,
        observations: Any = (),
        fields: Sequence[AppliedUndef] | None = None,
        name: str = "",
    ) -> None:
        arguments = dict(pde=pde, domain=domain, time=time, initial=initial, boundary=boundary, parameters=parameters,
                         unknowns=unknowns, observations=observations, fields=fields, name=name)  # fmt: skip
        object.__setattr__(self, "_arguments", arguments)
        findings = _Builder(self, arguments).findings
        errors = [finding for finding in findings if finding.severity == "error"]
        if errors:
            text = "\n".join(f"  {i}. {finding.message}" for i, finding in enumerate(errors, 1))
            raise ProblemError(f"a well-stated problem; {len(errors)} finding(s):\n{text}", findings=errors)
        for finding in findings:
            if finding.severity == "warning":
                warnings.warn(finding.message, ProblemWarning, stacklevel=2)
        object.__setattr__(self, "notes", tuple(f.message for f in findings if f.severity == "note"))

    def __setattr__(self, name: str, value: Any) -> None:
        """Refuse changes: a problem is frozen.

        Args:
            name: Attribute.
            value: New value.

        Raises:
            FrozenInstanceError: Always.
        """
        raise FrozenInstanceError(f"an IBVP is frozen; use problem.replace({name}=...)")

    def replace(self, **changes: Any) -> IBVP:
        """A new problem with some arguments changed, checked again.

        Args:
            **changes: Arguments of `IBVP`.

        Returns:
            The new problem.

        Raises:
            ProblemError: If an argument is unknown or the new problem is not well stated.
        """
        unknown = sorted(set(changes) - set(self._arguments))
        if unknown:
            raise ProblemError(
                f"arguments of IBVP: {', '.join(self._arguments)}", ", ".join(unknown), "check the spelling"
            )
        return IBVP(**{**self._arguments, **changes})

    @property
    def space(self) -> tuple[sp.Symbol, ...]:
        """Space coordinates."""
        return self.domain.coordinates

    @property
    def coordinates(self) -> tuple[sp.Symbol, ...]:
        """Space coordinates, then time."""
        return self.space + ((self.time[0],) if self.time else ())

    @property
    def faces(self) -> tuple[str, ...]:
        """Names of the faces of the domain."""
        return self.domain.faces

    @property
    def bounds(self) -> tuple[tuple[float, float], ...]:
        """Lower and upper bound of every coordinate, time last."""
        return tuple(self.domain.bounds) + (((float(self.time[1]), float(self.time[2])),) if self.time else ())

    @property
    def field_names(self) -> tuple[str, ...]:
        """Names of the fields, in the order of columns."""
        return tuple(known.func.__name__ for known in self.fields)

    @functools.cached_property
    def classification(self) -> Classification:
        """Linear, homogeneous, order, type and whether the coefficients are constant."""
        return classify(self)

    def term(self, name: str) -> build.Term:
        """The term of a name.

        Args:
            name: Name of a term.

        Returns:
            The term.

        Raises:
            ProblemError: If there is none of that name.
        """
        for term in self.terms:
            if term.name == name:
                return term
        raise ProblemError("a term: " + ", ".join(repr(term.name) for term in self.terms), repr(name), "")

    def face_axis(self, face: str) -> sp.Symbol:
        """The coordinate normal to a flat, axis-parallel face.

        Args:
            face: Name of a face.

        Returns:
            Its normal coordinate.

        Raises:
            ProblemError: If the face is missing, curved or oblique.
        """
        if face in self.faces:
            normals = abs(self.domain.normals(face, self.domain.sample_face(face, 8)))
            axis = int(normals[0].argmax())
            if (normals[:, axis] > 1 - 1e-12).all():
                return self.space[axis]
        raise ProblemError(
            f"an axis-parallel face among {', '.join(self.faces)}", repr(face), "periodic needs such a pair"
        )

    def substitute(self, expression: sp.Expr) -> sp.Expr:
        """Put the values of the parameters into an expression; unknown coefficients stay symbols."""
        return expression.xreplace(self.parameters) if self.parameters else expression

    def summary(self) -> str:
        """A readable statement of the problem, with its classification and notes."""
        from sciml.summary import summary_text

        return summary_text(self)

    def __repr__(self) -> str:
        """The summary."""
        return self.summary()

    def _repr_latex_(self) -> str:
        from sciml.summary import summary_latex

        return summary_latex(self)


class _Builder:
    """Fills an IBVP from its arguments, collecting findings instead of stopping at the first."""

    def __init__(self, problem: IBVP, arguments: dict[str, Any]) -> None:
        self.problem, self.arguments, self.findings = problem, arguments, []
        self.floats = False
        steps = [self._domain, self._time, self._symbols, self._pde, self._initial, self._terms]
        for step in steps:
            if not self._try(step) and step in (self._domain, self._pde):
                return
        self.findings += check_statement(problem)
        if not any(finding.severity == "error" for finding in self.findings):
            self.findings += check_data(problem)
        if self.floats:
            self.findings.append(Finding("note", "floats were read as exact decimal fractions"))

    def _try(self, step: Callable[[], None]) -> bool:
        try:
            step()
        except ProblemError as error:
            self.findings += list(error.findings) or [Finding("error", str(error).replace("\n ", ";"))]
            return False
        return True

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
                  name=str(self.arguments["name"]), terms=(), notes=(), fields=(), equations=(), pde=self.arguments["pde"],
                  equation_names=())  # fmt: skip
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

    def _symbols(self) -> None:
        parameters = {}
        for symbol, value in (self.arguments["parameters"] or {}).items():
            number = self._exact(sp.sympify(value))
            if not isinstance(symbol, sp.Symbol) or not (number.is_number and number.is_real and number.is_finite):
                raise ProblemError("parameters={symbol: finite real number}", f"{symbol!r}: {value!r}", "")
            parameters[symbol] = number
        unknowns = {symbol: _unknown(symbol, value) for symbol, value in (self.arguments["unknowns"] or {}).items()}
        self._set(parameters=parameters, unknowns=unknowns)

    def _pde(self) -> None:
        pde, names = self.arguments["pde"], None
        if isinstance(pde, Mapping):
            names, pde = tuple(map(str, pde)), list(pde.values())
        if callable(pde) and not isinstance(pde, sp.Basic):
            pde = self._traced(pde)
        items = list(pde) if isinstance(pde, (list, tuple)) else [pde]
        equations = tuple(self._exact(_residual(item)).doit() for item in items)
        if not equations:
            raise ProblemError("at least one equation", "an empty list", "pde=sp.Eq(u.diff(t), u.diff(x, 2))")
        names = names or (("pde",) if len(items) == 1 else tuple(f"pde {i}" for i in range(1, len(items) + 1)))
        own = set(self.problem.coordinates)
        found = {atom for equation in equations for atom in field_atoms(equation) if set(atom.args) <= own}
        given = self.arguments["fields"]
        fields = tuple(given) if given else tuple(sorted(found, key=lambda atom: atom.func.__name__))
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
        for key, value in (self.arguments["initial"] or {}).items():
            initial[key] = self._exact(data_expression(value, self.problem.space, f"the initial value of {key}"))
        self._set(initial=initial)

    def _terms(self) -> None:
        problem = self.problem
        terms = [build.equation_terms(problem.equations, problem.equation_names)]
        good = {key: value for key, value in problem.initial.items() if isinstance(key, (AppliedUndef, sp.Derivative))}
        terms += build.initial_terms(good)
        for condition in problem.boundary:
            try:
                terms.append(build.condition_term(condition, problem))
            except ProblemError as error:
                self.findings.append(Finding("error", str(error).replace("\n ", ";")))
        for observations in problem.observations:
            if not isinstance(observations, Observations):
                raise ProblemError("Observations objects in `observations`", repr(observations), "")
            terms.append(build.observation_term(observations))
        self._set(terms=build.unique_names(terms))


def _as_sequence(value: Any) -> Sequence:
    if value is None:
        return ()
    return value if isinstance(value, (list, tuple)) else (value,)


def _residual(item: Any) -> sp.Expr:
    if isinstance(item, sp.Equality):
        return item.lhs - item.rhs
    if isinstance(item, sp.Expr):
        return item
    raise ProblemError(
        "an equation Eq(left, right) or an expression that vanishes",
        repr(item),
        "Eq collapses to True or False when its sides are constant: u(x, 0).diff(t) is 0 in SymPy",
    )


def _unknown(symbol: Any, value: Any) -> Unknown:
    numbers = value if isinstance(value, (list, tuple)) else (value,)
    if isinstance(value, Unknown):
        numbers = (value.start, value.lower, value.upper)
    try:
        start, lower, upper = [None if v is None else float(v) for v in (*numbers, None, None)[:3]]
        ordered = start is not None and (lower is None or lower < start) and (upper is None or start < upper)
    except (TypeError, ValueError):
        ordered = False
    if not ordered or len(numbers) > 3 or not isinstance(symbol, sp.Symbol):
        raise ProblemError(
            "unknowns={symbol: start} or {symbol: (start, lower, upper)} with lower < start < upper",
            f"{symbol!r}: {value!r}",
            "",
        )
    assert start is not None
    return Unknown(start, lower, upper)
