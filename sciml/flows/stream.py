r"""Plane incompressible flows with a stream function: u = ∂ψ/∂y, v = -∂ψ/∂x, so that ∇·(u, v) = 0 holds exactly.

The equation of continuity disappears, the equations of momentum become one order higher, and every condition on u and v
becomes one on the slopes of ψ, which is free up to a constant (Batchelor 1967, An Introduction to Fluid Dynamics,
§ 2.2; for networks Raissi, Perdikaris and Karniadakis 2019, J. Comput. Phys. 378, 686).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import sympy as sp

from sciml.conditions import Condition, Dirichlet, Observations, Periodic
from sciml.errors import ProblemError, ProblemWarning
from sciml.expressions.data import evaluate_data
from sciml.flows.recognition import Flow, flow_of
from sciml.geometry.quadrature import face_rule, region_rule
from sciml.ibvp import IBVP
from sciml.jets import Jet, field_atoms
from sciml.solution import Solution
from sciml.symbols import field

_SMALL = 1e-9


class StreamForm:
    """A plane flow stated with its stream function.

    `problem` has the fields ψ and p (and all others that the flow had), no equation of continuity, conditions on the
    slopes of ψ, and ψ = 0 at one place. Solve it with any solver for third-order equations, then `velocity(solution)`
    is a solution of the flow itself, with exactly divergence-free u and v.

    Periodic velocities make ψ periodic where no fluid passes between the pair, which is checked from the data.

    Args:
        flow: A plane flow without sources of mass.
        name: Name of the new field.

    Attributes:
        flow: The flow.
        psi: The field ψ.
        problem: The problem for ψ and the pressure.

    Raises:
        ProblemError: If the flow is not plane, has sources of mass, or a periodic pair with a flux or an unknown one.

    Example:
        >>> from sciml.problems import navier_stokes
        >>> form = StreamForm(navier_stokes.kovasznay().problem)
        >>> form.problem.field_names, form.problem.equation_names
        (('psi', 'p'), ('momentum x', 'momentum y'))
        >>> form.problem.terms[2].expressions[0].has(form.psi)
        True
    """

    def __init__(self, flow: IBVP, name: str = "psi") -> None:
        found = flow_of(flow)
        if len(flow.space) != 2:
            raise ProblemError("a plane flow for a stream function", f"{len(flow.space)} coordinates of space", "")
        if name in flow.field_names or name in map(str, flow.coordinates):
            raise ProblemError("a new name for the stream function", repr(name), 'StreamForm(flow, name="stream")')
        x, y = flow.space
        self.flow, self.psi = flow, field(name, *flow.coordinates)
        self.parts = dict(zip(found.velocity, (self.psi.diff(y), -self.psi.diff(x)), strict=True))
        others = [known for known in flow.fields if known not in self.parts]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ProblemWarning)  # said when the flow itself was built
            self.problem = flow.replace(
                pde=self._equations(found),
                initial={key: value for key, value in flow.initial.items() if not field_atoms(key) & set(self.parts)},
                boundary=[*self._conditions(found), *self._start(), self._gauge()],
                observations=[Observations(self._put(o.quantity), o.points, o.values, o.sigma, o.name)
                              for o in flow.observations],
                fields=[self.psi, *others],
                name=f"{flow.name}, stream function",
            )  # fmt: skip

    def _put(self, expression: sp.Expr) -> sp.Expr:
        return expression.subs(self.parts, simultaneous=True).doit()

    def _equations(self, found: Flow) -> dict[str, sp.Eq]:
        """All equations but the one that ψ satisfies by itself."""
        problem, kept = self.flow, {}
        sample = problem.domain.sample(64, seed=5)
        if problem.time is not None:
            sample = np.column_stack([sample, np.linspace(*problem.bounds[-1], len(sample))])
        for name, equation in zip(problem.equation_names, problem.equations, strict=True):
            moved = sp.expand(self._put(equation))
            if field_atoms(moved):
                kept[name] = sp.Eq(moved, 0)
                continue
            # a known part may have been subtracted, whose divergence SymPy does not see to vanish
            source = evaluate_data(problem.substitute(moved), problem.coordinates, sample, problem.bounds)
            if not np.abs(source).max() < _SMALL:
                raise ProblemError("a flow without sources of mass for a stream function",
                                   f"{name}: a source of {float(np.abs(source).max()):.3g}", "")  # fmt: skip
        return kept

    def _conditions(self, found: Flow) -> Iterator[Any]:
        for term in self.flow.terms:
            if term.kind not in ("boundary", "point"):
                continue
            if term.periodic and term.condition.field in self.parts:
                if term.condition.field == found.velocity[0]:  # one condition on ψ for both components
                    self._check_pair(found, term.faces)
                    yield Periodic(self.psi, on=term.faces)
            elif term.periodic or (isinstance(term.condition, Dirichlet) and term.condition.field not in self.parts):
                yield term.condition
            else:
                yield Condition(self._put(term.expressions[0]), on=term.point or list(term.faces))

    def _start(self) -> Iterator[Condition]:
        for term in self.flow.terms:
            moved = any(field_atoms(expression) & set(self.parts) for expression in term.expressions)
            if term.kind == "initial" and (moved or term.condition is not None):
                yield Condition(self._put(term.expressions[0]), on="initial")

    def _gauge(self) -> Condition:
        """ψ = 0 at one place, at all times."""
        (place,) = self.flow.domain.sample(1, seed=1)
        at = {s: sp.Rational(f"{float(value):.6g}") for s, value in zip(self.flow.space, place, strict=True)}
        return Condition(self.psi, on=at)

    def _check_pair(self, found: Flow, pair: Sequence[str]) -> None:
        """Refuse a periodic ψ where fluid passes between the faces of a pair.

        Args:
            found: The flow.
            pair: Names of the two faces.

        Raises:
            ProblemError: If some does, or nothing tells.
        """
        flux = _flux_between(self.flow, found, pair)
        if flux is None or abs(flux) > _SMALL:
            given = "an unknown flux" if flux is None else f"a flux of {flux:.3g}"
            raise ProblemError("no flux across the way from one periodic face to the other, so that ψ is periodic",
                               f"{given} for {pair[0]!r} and {pair[1]!r}", "the velocity-pressure form")  # fmt: skip

    def velocity(self, solution: Solution) -> StreamSolution:
        """The flow of a solution for ψ.

        Args:
            solution: A solution of `problem`.

        Returns:
            A solution of `flow`, with u = ∂ψ/∂y and v = -∂ψ/∂x.

        Raises:
            ProblemError: If the solution is one of another problem.
        """
        return StreamSolution(self, solution)


class StreamSolution(Solution):
    """u = ∂ψ/∂y, v = -∂ψ/∂x and the pressure of a solution for ψ.

    Args:
        form: The statement with ψ.
        inner: A solution of `form.problem`.

    Raises:
        ProblemError: If the solution is one of another problem.
    """

    kind = "stream"

    def __init__(self, form: StreamForm, inner: Solution) -> None:
        if inner.problem.field_names != form.problem.field_names:
            raise ProblemError(f"a solution with the fields {', '.join(form.problem.field_names)}",
                               ", ".join(inner.problem.field_names), "solve StreamForm(flow).problem")  # fmt: skip
        super().__init__(form.flow, inner.status, inner.history)
        self.form, self.inner = form, inner
        names = form.problem.field_names
        first, second = form.parts
        self._source: dict[int, tuple[int, int | None, float]] = {}
        for index, known in enumerate(form.flow.fields):
            if known in form.parts:
                axis, sign = {first: (1, 1.0), second: (0, -1.0)}[known]
                self._source[index] = (0, axis, sign)
            else:
                self._source[index] = (names.index(known.func.__name__), None, 1.0)

    def jets(self, points: np.ndarray, needed: Sequence[Jet]) -> np.ndarray:
        """Field values and derivatives.

        Args:
            points: (n, d).
            needed: Jets.

        Returns:
            (n, len(needed)).
        """
        inner, signs = [], []
        for index, orders in needed:
            source, axis, sign = self._source[index]
            inner.append((source, tuple(order + (k == axis) for k, order in enumerate(orders))))
            signs.append(sign)
        unique = list(dict.fromkeys(inner))
        values = self.inner.jets(points, unique)
        return values[:, [unique.index(jet) for jet in inner]] * np.array(signs)


def _flux_between(problem: IBVP, found: Flow, pair: Sequence[str]) -> float | None:
    """ψ on one face of a periodic pair minus ψ on the other; None where nothing tells.

    It is the flux through any line that joins them: through a face with given velocity, or, without forces and with
    periodic sides all around, the flux at the start.

    Args:
        problem: The flow.
        found: Its parts.
        pair: Names of the two faces.

    Returns:
        The flux.
    """
    axis = problem.space.index(problem.face_axis(pair[0]))
    across = found.velocity[1 - axis]
    for term in problem.terms:
        given = isinstance(term.condition, Dirichlet) and term.condition.field == across
        for face in term.faces if given else ():
            slope = np.abs(problem.domain.normals(face, problem.domain.sample_face(face, 8)))[:, axis]
            if slope.max() < _SMALL:
                value = problem.substitute(across - term.expressions[0])
                return _largest(problem, value, *face_rule(problem.domain, face, 24))
    still = {known: sp.Dummy() for known in problem.fields}
    forced = any(inertia.subs(still).doit() != 0 for inertia in found.inertia)
    walls = [face for face in problem.faces
             if not any(term.periodic and face in term.faces for term in problem.terms)]  # fmt: skip
    if across not in problem.initial or forced or walls:
        return None
    value = problem.substitute(problem.initial[across])
    low, high = problem.domain.bounds[1 - axis]
    return _largest(problem, value, *region_rule(problem.domain, 24)) / (high - low)


def _largest(problem: IBVP, value: sp.Expr, points: np.ndarray, weights: np.ndarray) -> float:
    """The integral of data over space that is largest in size at three times."""
    if problem.time is None:
        return float(weights @ evaluate_data(value, problem.coordinates, points, problem.bounds))
    start, end = problem.bounds[-1]
    found = []
    for time in (start, (start + end) / 2, end):
        columns = np.column_stack([points, np.full(len(points), time)])
        found.append(float(weights @ evaluate_data(value, problem.coordinates, columns, problem.bounds)))
    return max(found, key=abs)
