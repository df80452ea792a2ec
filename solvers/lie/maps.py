"""Problems carried to a linear equation, or to the heat equation, by a derived change of variables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sympy as sp

from sciml.classification import linear_form
from sciml.compatibility import term_data
from sciml.conditions import Dirichlet, Neumann, Periodic, Robin
from sciml.errors import SolverError
from sciml.geometry import Interval
from sciml.ibvp import IBVP
from sciml.terms import Term
from solvers.lie.data_exponents import exponential_sum
from solvers.symmetry.linearisation import linearising_map
from solvers.symmetry.linearising import LinearisingMap

_OTHERWISE = "use PINN, or FiniteElement where it covers the equation"


@dataclass(frozen=True)
class MappedProblem:
    """A problem in new variables.

    Attributes:
        map: The change of variables, u = formula(x, t, w(y(x), s(t))).
        problem: The problem for w.
        places: y and s as expressions of the old coordinates.
    """

    map: LinearisingMap
    problem: IBVP
    places: dict[sp.Symbol, sp.Expr]

    def formula(self) -> sp.Expr:
        """The old field in the old coordinates, with the new field applied to `places`."""
        new = self.map.new_field
        inner = new.func(*[self.places[y] for y in self.map.new_coordinates])
        return self.map.formula.replace(self.map.pulled.func, sp.Lambda(self.map.coordinates, inner))


def mapped_problem(problem: IBVP) -> MappedProblem:
    """The problem that belongs to a nonlinear (or variable-coefficient) one by its linearising map.

    The formula u = Φ(w, w_x, ...) is put into every condition; what is then linear in w after clearing the denominator
    is the condition on w: Dirichlet data g of Burgers' equation become 2ν w_x + g w = 0 (Cole 1951). Initial data are
    carried forwards, through an antiderivative where the map is a potential.

    Args:
        problem: A problem for one field on an interval in time.

    Returns:
        The mapped problem.

    Raises:
        SolverError: With the reason, if there is no map or the data cannot be carried along.
    """
    if (
        len(problem.fields) != 1
        or len(problem.space) != 1
        or problem.time is None
        or not isinstance(problem.domain, Interval)
    ):
        raise SolverError("one equation on an interval in time, or a linear problem", "a nonlinear system or domain",
                          _OTHERWISE)  # fmt: skip
    found = linearising_map(problem)
    if not found:
        raise SolverError("a linear equation, or one that a map makes linear", found.reason, _OTHERWISE)
    if found.graph:
        raise SolverError("a map that keeps the boundary in place", f"a {found.kind} map: the boundary would move",
                          _OTHERWISE)  # fmt: skip
    return _Carrier(problem, found).run()


class _Carrier:
    """Carries domain, time, initial data and conditions to the new variables."""

    def __init__(self, problem: IBVP, found: LinearisingMap) -> None:
        self.problem, self.map = problem, found
        (self.x,), self.t = problem.space, problem.time[0]  # type: ignore[index]
        self.ends: tuple[sp.Expr, ...] = (problem.domain.symbolic_bounds or ((),))[0]
        self.y, self.s = found.new_coordinates
        self.places = {y: problem.substitute(sp.sympify(found.forward[y])) for y in found.new_coordinates}
        if self.places[self.y].has(self.t) or self.places[self.s].has(self.x):
            raise SolverError("a map under which the boundary stays in place", str(self.places), _OTHERWISE)
        self.back = {self.x: self._inverse(self.y, self.x), self.t: self._inverse(self.s, self.t)}

    def _inverse(self, new: sp.Symbol, old: sp.Symbol) -> sp.Expr:
        if self.places[new] == old:
            return new
        index = self.problem.coordinates.index(old)
        low, high = self.problem.bounds[index]
        for root in sp.solve(self.places[new] - new, old):
            value = self.places[new].xreplace({old: sp.Float((low + high) / 2)})
            if abs(sp.N(root.xreplace({new: value})) - (low + high) / 2) < 1e-9 * max(abs(low), abs(high), 1.0):
                return root
        raise SolverError(f"a map whose inverse is known: {new} = {self.places[new]}", "", _OTHERWISE)

    def run(self) -> MappedProblem:
        new = self.map.new_field
        ends = [self.places[self.y].xreplace({self.x: e}) for e in self.ends]
        times = [self.places[self.s].xreplace({self.t: e}) for e in self.problem.time[1:]]  # type: ignore[index]
        if float(times[0]) > float(times[1]):
            raise SolverError("a map that keeps the direction of time", str(self.places), _OTHERWISE)
        turned = float(ends[0]) > float(ends[1])
        low, high = reversed(ends) if turned else ends
        conditions = [self._condition(term, turned) for term in self.problem.terms if term.kind == "boundary"]
        if any(term.kind in {"point", "observation"} for term in self.problem.terms):
            raise SolverError("conditions on faces", "conditions at points or observations", _OTHERWISE)
        equation = self.map.new_equation.xreplace(self.problem.parameters)
        problem = IBVP(
            equation, Interval(self.y, sp.nsimplify(low), sp.nsimplify(high)), (self.s, *times),
            {new: self._initial()}, [c for group in conditions for c in group],
            name=f"{self.problem.name}, mapped",
        )  # fmt: skip
        return MappedProblem(self.map, problem, self.places)

    def _initial(self) -> sp.Expr:
        u = self.problem.fields[0]
        data = self.problem.substitute(self.problem.initial[u])
        target = self.problem.substitute(sp.sympify(self.map.forward[self.map.new_field]))
        exponents = target.args[0] if isinstance(target, sp.exp) else None
        carried = target.xreplace({u: data}).doit()
        if carried.has(sp.Integral) or carried.has(u.func):
            raise SolverError("initial data whose antiderivative is known", str(data), _OTHERWISE)
        carried = carried.xreplace({self.t: self.problem.time[1]})  # type: ignore[index]
        if exponents is not None and isinstance(carried, sp.exp):
            carried = sp.exp(carried.args[0] - self._largest(carried.args[0]))  # the scale of w is free
        sum_ = exponential_sum(carried, self.x)
        return (carried if sum_ is None or sum_.has(sp.I) else sum_).xreplace(self.back)

    def _largest(self, exponent: sp.Expr) -> sp.Rational:
        low, high = self.problem.bounds[0]
        values = [float(exponent.xreplace({self.x: sp.Float(low + (high - low) * k / 64)})) for k in range(65)]
        return sp.Rational(round(max(values)))

    def _condition(self, term: Term, turned: bool) -> list[Any]:
        """The condition on w on each face of a term."""
        names = self.problem.faces
        target = {name: (names[1 - k] if turned else name) for k, name in enumerate(names)}
        mine = dict(zip(names, ("left", "right"), strict=True))
        new = self.map.new_field
        if isinstance(term.condition, Periodic):
            return [Periodic(new)]
        found: list[Any] = []
        for face in term.faces:
            end = self.ends[names.index(face)]
            value, slope, source = self._linear(term, end)
            side = mine[target[face]]
            outward = 1 if side == "right" else -1
            if slope == 0:
                found.append(Dirichlet(new, sp.simplify(-source / value), on=side))
            elif value == 0:
                found.append(Neumann(new, sp.simplify(-outward * source / slope), on=side))
            else:
                beta, data = sp.simplify(outward * value / slope), sp.simplify(-outward * source / slope)
                found.append(Robin(new, beta, data, on=side))
        return found

    def _linear(self, term: Term, end: sp.Expr) -> tuple[sp.Expr, sp.Expr, sp.Expr]:
        """Coefficients of w and w_y and the rest, at an end, in the new time."""
        u, w = self.problem.fields[0], sp.Function("w", real=True)(self.x, self.t)
        formula = self.problem.substitute(self.map.formula).replace(
            self.map.pulled.func, sp.Lambda(self.map.coordinates, w)
        )
        place = {self.x: end}
        if isinstance(term.condition, Dirichlet) and not self.map.formula.has(sp.Derivative):
            (data,) = term_data(term, self.problem)  # u - g as a residual: -g at u = 0
            forward = self.problem.substitute(sp.sympify(self.map.forward[self.map.new_field]))
            source = -forward.xreplace({u: -data}).xreplace(place).xreplace({self.t: self.back[self.t]})
            return sp.S.One, sp.S.Zero, source
        normal = sp.Symbol(f"n_{self.x}", real=True)
        sign = 1 if end == self.ends[1] else -1
        residual = self.problem.substitute(term.expressions[0]).xreplace({normal: sp.Integer(sign)})
        cleared, _ = sp.fraction(sp.together(residual.subs(u, formula.doit()).doit()))
        form = linear_form(sp.expand(cleared), [w], (self.x, self.t))
        allowed = {(0, (0, 0)), (0, (1, 0))}
        if form is None or set(form.coefficients) - allowed:
            raise SolverError("conditions that are linear after the map", str(term.expressions[0]), _OTHERWISE)
        value, slope, source = (
            sp.simplify(sp.sympify(c).xreplace(place)).xreplace({self.t: self.back[self.t]})
            for c in (form.coefficients.get((0, (0, 0)), 0), form.coefficients.get((0, (1, 0)), 0), form.source)
        )
        return value, slope * self.places[self.y].diff(self.x).xreplace(place), source
