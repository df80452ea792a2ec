"""Search for a change of variables that makes an equation linear."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy as sp
from sympy.core.function import AppliedUndef

from sciml.errors import ScimlError, SolverError
from solvers.symmetry.change_of_variables import pulled_back
from solvers.symmetry.characteristics import characteristic
from solvers.symmetry.entry import point_symmetries
from solvers.symmetry.equations import Equations, read_equations
from solvers.symmetry.flows import tidy
from solvers.symmetry.generator import Generator
from solvers.symmetry.linearising import LinearisingMap
from solvers.symmetry.parabolic import heat_form, vanishes
from solvers.symmetry.point_linearisation import LinearForm, field_linearisation
from solvers.symmetry.potential import Potential, potentials

SECONDS = 20.0
LARGE = 120  # operations of a potential equation that is still worth a try


def linearising_map(problem: Any, fields: Sequence[AppliedUndef] | None = None) -> LinearisingMap:
    """An explicit change of variables to a linear equation, or the reason why there is none.

    A PDE that an invertible point transformation makes linear has an infinite abelian ideal F α ∂_u of
    symmetries, α any solution of a linear PDE (Bluman and Kumei 1989, chapter 6). F is found from the equation
    itself, then w = φ(x, t, u), for equations of any order. Next a hodograph transformation, x as a function
    of u, and the same for the potential equations of conservation laws (Cole-Hopf: Hopf 1950, Cole 1951). A linear
    parabolic equation in two variables, given or found, is brought to w_s = w_yy if its algebra has dimension six,
    Q_yyy = 0 (Lie 1881). Every map is verified by substitution before it is returned.

    Args:
        problem: `IBVP` (its data are not used) or an equation for one field.
        fields: The unknown, where it cannot be read off.

    Returns:
        The map with `forward`, `inverse`, `apply` and `verify`; false, with a `reason`, if none was found.

    Example:
        >>> from sciml.symbols import coordinates, field
        >>> x, t = coordinates("x t")
        >>> u, nu = field("u", x, t), sp.Symbol("nu", positive=True)
        >>> cole_hopf = linearising_map(sp.Eq(u.diff(t) + u * u.diff(x), nu * u.diff(x, 2)))
        >>> cole_hopf.new_equation
        Eq(Derivative(w(x, t), t), nu*Derivative(w(x, t), (x, 2)))
        >>> cole_hopf.inverse[u]
        -2*nu*Derivative(w(x, t), x)/w(x, t)
        >>> cole_hopf.apply(1 + sp.exp(nu * t - x))
        2*nu*exp(nu*t - x)/(exp(nu*t - x) + 1)
    """
    statement = read_equations(problem, fields)
    if len(statement.fields) != 1 or len(statement.residuals) != 1:
        return _none(statement, "only scalar equations are covered; this is a system")
    equation, u = statement.residuals[0], statement.fields[0]
    order = max(d.derivative_count for d in equation.atoms(sp.Derivative))
    if order < 2:
        return _none(statement, "a first-order equation is solved by its characteristics; no map is looked for")
    search = _Search(statement)
    form = field_linearisation(equation, u, statement.coordinates)
    if form is not None and form.forward == u:
        return search.equivalence(form)
    found = search.point(equation, u, form) or search.hodograph() or search.by_potential()
    return found or _none(statement, _why_not(statement))


def _none(statement: Equations, reason: str) -> LinearisingMap:
    return LinearisingMap(False, statement.residuals[0], statement.fields[0], statement.coordinates, reason=reason)


def _why_not(statement: Equations) -> str:
    tried = (
        "no change of the field, no hodograph transformation and no potential equation of a conservation law with a "
        "multiplier of low degree is linear"
    )
    try:
        algebra = point_symmetries(statement.residuals, statement.fields, seconds=SECONDS)
    except ScimlError:
        return tried
    if algebra.infinite is False and algebra.certified:
        return (
            f"the point symmetry algebra has dimension {algebra.dimension} (certified): a linear equation would have "
            f"an infinite one, so no invertible point transformation linearises it; and {tried}"
        )
    return tried


class _Search:
    """One equation, and the ways to a linear one."""

    def __init__(self, statement: Equations) -> None:
        self.statement = statement
        self.equation, self.u = statement.residuals[0], statement.fields[0]
        self.coordinates = statement.coordinates
        used = {s.name for s in self.equation.free_symbols} | {self.u.func.__name__}
        self.names = [n for n in ("w", "v", "theta", "W") if n not in used]
        self.symbols = [n for n in ("y", "s", "xi", "tau", "sigma", "eta", "y_", "s_") if n not in used]

    def equivalence(self, form: LinearForm) -> LinearisingMap:
        """A linear equation: compare it with the heat equation."""
        roles = self._parabolic(form)
        if roles is None:
            return _none(self.statement, "the equation is linear already and not of the form u_t = a u_xx + b u_x + "
                                         "c u, for which normal forms are known here")  # fmt: skip
        result = self._to_heat(form, form.inverse, form.unknown, roles, {}, "heat", self._ideal(form, self.u))
        return result if isinstance(result, LinearisingMap) else _none(self.statement, str(result))

    def point(self, equation: sp.Expr, u: AppliedUndef, form: LinearForm | None) -> LinearisingMap | None:
        """W = φ(x, t, u)."""
        if form is None:
            return None
        return self._finished(form, form.inverse, form.forward, "field", self._ideal(form, u))

    def _ideal(self, form: LinearForm, u: AppliedUndef) -> Generator:
        """F α ∂_u with F = 1/φ_u."""
        value = sp.Dummy(real=True)
        slope = form.forward.xreplace({u: value}).diff(value).xreplace({value: u})
        alpha = sp.Function("alpha", real=True)(*self.coordinates)
        return Generator(self.coordinates, (u,), {u: tidy(alpha / slope)})

    def hodograph(self) -> LinearisingMap | None:
        """The field and one coordinate change places."""
        return self._swapped(self.equation, self.u, self.u, "hodograph")

    def _swapped(self, equation: sp.Expr, w: AppliedUndef, value: sp.Expr, kind: str) -> LinearisingMap | None:
        for x in self.coordinates:
            s = sp.Symbol(self.symbols[1] if len(self.coordinates) > 1 else "s", real=True)
            frame = tuple(s if c == x else c for c in self.coordinates)
            v = sp.Function(self.names[0], real=True)(*frame)
            images = {c: v if c == x else c for c in self.coordinates} | {w: s}
            try:
                [pulled] = pulled_back([equation], self.coordinates, images, frame)
                form = field_linearisation(pulled, v, frame)
            except (SolverError, ZeroDivisionError):
                continue
            if form is None or form.forward != v:
                continue
            slope = {w.diff(x): 1 / v.diff(s)}
            graph = {**{c: images[c] for c in self.coordinates}, self.u: value.xreplace(slope).xreplace({w: s})}
            if graph[self.u].has(w.func):
                continue
            found = LinearisingMap(
                True, self.equation, self.u, self.coordinates, kind, "", _linear_equation(form, v, frame), v,
                {s: w if w == self.u else sp.Integral(value, x), **{c: c for c in frame if c != s}, v: x}, None, graph,
                None, (f"{x} as a function of the field: where u is monotone in {x}",),
            )  # fmt: skip
            if found.verify():
                return found
        return None

    def by_potential(self) -> LinearisingMap | None:
        """Cole and Hopf's way: a conservation law, its potential, then the potential equation."""
        solved = self._evolution()
        if solved is None:
            return None
        rate, x, t = solved
        for potential in potentials(rate, self.u, x, t):
            if potential.equation.count_ops() > LARGE:
                continue
            form = field_linearisation(potential.equation, potential.potential, self.coordinates)
            found = self._from_potential(potential, form, x) if form is not None else None
            found = found or self._hodograph_of(potential, x)
            if found is not None:
                return found
        return None

    def _from_potential(self, potential: Potential, form: LinearForm, x: sp.Symbol) -> LinearisingMap | None:
        w = sp.Function(self.names[0], real=True)(*self.coordinates)
        wave = form.inverse.xreplace({form.unknown: w})
        value = tidy(potential.inverse.xreplace({potential.potential.diff(x): wave.diff(x)}))
        integral = sp.Integral(potential.density, x)
        forward = form.forward.xreplace({potential.potential: integral})
        ideal = self._ideal(form, potential.potential)
        return self._finished(form, value, forward, "potential", ideal, w)

    def _hodograph_of(self, potential: Potential, x: sp.Symbol) -> LinearisingMap | None:
        found = self._swapped(potential.equation, potential.potential, potential.inverse, "potential + hodograph")
        if found is None:
            return None
        s = next(y for y in found.new_coordinates if y not in self.coordinates)
        forward = found.forward | {s: sp.Integral(potential.density, x)}
        return LinearisingMap(**{**vars(found), "forward": forward})

    def _evolution(self) -> tuple[sp.Expr, sp.Symbol, sp.Symbol] | None:
        """u_t = K with x-derivatives alone."""
        if len(self.coordinates) != 2:
            return None
        for t, x in (self.coordinates[::-1], self.coordinates):
            lead = self.equation.diff(self.u.diff(t))
            nodes = self.equation.atoms(sp.Derivative) - {self.u.diff(t)}
            if lead == 0 or lead.has(self.u.diff(t)) or any(t in dict(d.variable_count) for d in nodes):
                continue
            rate = sp.expand(sp.cancel(self.u.diff(t) - self.equation / lead))
            if not rate.has(self.u.diff(t)):
                return rate, x, t
        return None

    def _parabolic(self, form: LinearForm) -> tuple | None:
        """(a, b, c, x, t) of u_t = a u_xx + b u_x + c u."""
        if len(self.coordinates) != 2:
            return None
        unit = ((1, 0), (0, 1))
        for i, j in ((0, 1), (1, 0)):
            x, t = self.coordinates[i], self.coordinates[j]
            second = tuple(2 * k for k in unit[i])
            if set(form.coefficients) <= {second, unit[0], unit[1], (0, 0)} and {second, unit[j]} <= set(
                form.coefficients
            ):
                lead = form.coefficients[unit[j]]
                a, b, c = (sp.cancel(-form.coefficients.get(k, sp.S.Zero) / lead) for k in (second, unit[i], (0, 0)))
                return a, b, c, x, t
        return None

    def _finished(
        self,
        form: LinearForm,
        value: sp.Expr,
        forward: sp.Expr,
        kind: str,
        ideal: Generator,
        w: AppliedUndef | None = None,
    ) -> LinearisingMap | None:
        """Go on to the heat equation where that changes anything; verify."""
        roles = self._parabolic(form)
        notes: tuple[str, ...] = ()
        if roles is not None:
            heat = self._to_heat(form, value, w or form.unknown, roles, {None: forward}, f"{kind} + heat", ideal)
            if isinstance(heat, LinearisingMap):
                return heat
            notes = (f"not brought to the heat equation: {heat}",) if heat else ()
        new = w or sp.Function(self.names[0], real=True)(*self.coordinates)
        formula = value.xreplace({form.unknown: new})
        table = {**{c: c for c in self.coordinates}, new: forward}
        if kind == "potential":
            notes += ("the potential is determined up to a constant by its two first derivatives",)
        found = LinearisingMap(
            True, self.equation, self.u, self.coordinates, kind, "", _linear_equation(form, new, self.coordinates),
            new, table, formula, {}, ideal, notes,
        )  # fmt: skip
        return found if found.verify() else None

    def _to_heat(
        self, form: LinearForm, value: sp.Expr, w: sp.Expr, roles: tuple, before: dict, kind: str, ideal: Any
    ) -> LinearisingMap | str | None:
        """Compose with the map to w_s = w_yy; a string says why not, None that it would change nothing."""
        a, b, c, x, t = roles
        special = _particular(form, self.coordinates, t)
        if special is None:
            return "no particular solution of the inhomogeneous equation was found"
        if b == 0 and c == 0 and not a.has(x, t) and special == 0 and before:
            return None
        heat = heat_form(a, b, c, x, t)
        if heat.reason:
            return heat.reason
        y, s = (sp.Symbol(name, real=True) for name in self.symbols[:2])
        new = sp.Function(self.names[-1] if w == self.names[0] else self.names[1 if before else 0], real=True)
        pulled = new(*self.coordinates)
        formula = value.xreplace({w: special + heat.factor * pulled}).doit()
        forward = before.get(None, self.u)
        table = {y: heat.y, s: heat.s, new(y, s): tidy((forward - special) / heat.factor)}
        notes = [f"symbols are taken as positive where roots and logarithms need it; {s} runs against {t}"]
        notes = notes if heat.reversed else ["valid where all roots and logarithms are real"]
        found = LinearisingMap(
            True, self.equation, self.u, self.coordinates, kind, "", sp.Eq(new(y, s).diff(s), new(y, s).diff(y, 2)),
            new(y, s), table, formula, {}, ideal, tuple(notes),
        )  # fmt: skip
        return found if found.verify() else "the composed map did not pass its check"


def _particular(form: LinearForm, coordinates: tuple, t: sp.Symbol) -> sp.Expr | None:
    """A solution of the inhomogeneous equation: zero, −source/ℓ₀, or a function of time alone."""
    if form.source == 0:
        return sp.S.Zero
    constant = form.coefficients.get((0,) * len(coordinates), sp.S.Zero)
    lead = form.coefficients[tuple(int(x == t) for x in coordinates)]
    guesses = [] if constant == 0 else [sp.cancel(-form.source / constant)]
    time, value = sp.Dummy("t", positive=True), sp.Dummy("w", positive=True)
    rate = sp.expand(sp.cancel(-(constant * value + form.source) / lead)).xreplace({t: time})
    level = None if rate.has(*coordinates) else characteristic(rate, value, time)
    if level is not None:
        guesses.append(level.solution.subs(level.symbol, 0).xreplace({time: t}))
    for guess in guesses:
        total = form.source
        for k, c in form.coefficients.items():
            pairs = [(x, n) for x, n in zip(coordinates, k, strict=True) if n]
            total += c * (guess.diff(*pairs) if pairs else guess)
        if vanishes(total):
            return guess
    return None


def _linear_equation(form: LinearForm, w: AppliedUndef, coordinates: tuple) -> sp.Equality:
    """Solved for the derivative of lowest order by one coordinate alone, if that is of first order."""
    terms = {}
    for k, c in form.coefficients.items():
        pairs = [(x, n) for x, n in zip(coordinates, k, strict=True) if n]
        terms[k] = (c, w.diff(*pairs) if pairs else w)
    total = sum((c * d for c, d in terms.values()), form.source)
    for axis in reversed(range(len(coordinates))):
        unit = tuple(int(i == axis) for i in range(len(coordinates)))
        if [k for k in terms if k[axis]] == [unit]:
            c, d = terms[unit]
            return sp.Eq(d, sp.expand(-sum((f * e for f, e in terms.values() if e != d), form.source) / c))
    return sp.Eq(sp.expand(total), 0)
