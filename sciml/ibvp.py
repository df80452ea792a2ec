"""IBVP: an initial-boundary value problem, symbolic and frozen, with no numerics inside."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import FrozenInstanceError
from typing import Any

import sympy as sp
from sympy.core.function import AppliedUndef

from sciml import terms as build
from sciml.arguments import explained
from sciml.builder import Builder
from sciml.classification import Classification, classify
from sciml.conditions import Observations
from sciml.errors import ProblemError, ProblemWarning, SolverError
from sciml.geometry import Geometry
from sciml.summary import summary_latex, summary_text
from sciml.unknowns import Unknown


@explained("IBVP(pde=Eq(...), domain=Interval(x, 0, 1), boundary=[Dirichlet(u, 0)])")
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
    _arguments: dict[str, Any]

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
        findings = Builder(self, arguments).findings
        errors = [finding for finding in findings if finding.severity == "error"]
        if errors:
            text = "\n".join(f"  {i}. {finding.message}" for i, finding in enumerate(errors, 1))
            raise ProblemError(f"a well-stated problem; {len(errors)} finding(s):\n{text}", findings=errors)
        object.__setattr__(self, "notes", tuple(f.message for f in findings if f.severity == "note"))
        for finding in findings:
            if finding.severity == "warning":
                warnings.warn(finding.message, ProblemWarning, stacklevel=3)

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
        return summary_text(self)

    def __repr__(self) -> str:
        """The summary."""
        return self.summary()

    def _repr_latex_(self) -> str:
        return summary_latex(self)


def require_ibvp(problem: Any) -> IBVP:
    """The problem itself, or a clear error where something else was handed to a solver.

    Args:
        problem: What a solver was given.

    Returns:
        The problem.

    Raises:
        ProblemError: If it is no `IBVP`.
    """
    if isinstance(problem, IBVP):
        return problem
    fix = "solver.solve(IBVP(pde=..., domain=..., boundary=[...])); a case of the library has it as `case.problem`"
    raise ProblemError("an IBVP to solve", f"{type(problem).__name__}: {str(problem)[:60]}", fix)


def require_forward(problem: IBVP) -> None:
    """A clear error for an evolution that no method can march: numbers would come out, but not those of a solution.

    Args:
        problem: The problem.

    Raises:
        SolverError: If it is ill-posed forwards in time (Hadamard 1923).
    """
    if problem.classification.backward:
        given, fix = "an equation that is ill-posed forwards in time", "check the sign of its highest derivatives"
        raise SolverError("a well-posed evolution", given, fix)
