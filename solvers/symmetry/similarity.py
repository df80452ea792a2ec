"""Similarity reductions: solutions that are invariant under a one-parameter group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import sympy as sp
from sympy.core.function import AppliedUndef

from sciml.errors import ProblemError, SolverError
from solvers.symmetry.change_of_variables import normal_form, pulled_back
from solvers.symmetry.entry import point_symmetries
from solvers.symmetry.equations import Equations, read_equations
from solvers.symmetry.flows import tidy
from solvers.symmetry.generator import Generator
from solvers.symmetry.invariants import Canonical, canonical_coordinates, with_angles
from solvers.symmetry.reduced_solutions import solve_reduced
from solvers.symmetry.reduction_check import reduction_defect
from solvers.symmetry.substitution import residual_size
from solvers.symmetry.verification import verify_generator

TOLERANCE = 1e-25


@dataclass(frozen=True, eq=False)
class SimilarityReduction:
    """The equations for solutions that are invariant under one generator.

    Attributes:
        generator: The generator X.
        invariants: New coordinate to its expression in the old variables, X(z) = 0.
        dependent_invariants: New function to its expression in the old variables, X(v) = 0.
        ansatz: Field to its form u = U(x, F(z)); empty where an invariant coordinate depends on the fields:
            then `relations` defines the fields implicitly.
        relations: v(x, u) = F(z(x, u)), one per field.
        equations: The reduced system, `Eq(…, 0)`; empty if every such u is a solution, `False` if none is.
        functions: The new unknown functions.
        coordinates: The new coordinates.
        solutions: Invariant solutions in closed form, {field: expression}; each was put into the PDE.
        parametric: Old variable to its expression in the orbit parameter, the new coordinates and functions.
        parameter: Symbol of the orbit parameter.
        notes: What could not be done, and why.
    """

    generator: Generator
    invariants: dict[sp.Symbol, sp.Expr]
    dependent_invariants: dict[AppliedUndef, sp.Expr]
    ansatz: dict[AppliedUndef, sp.Expr]
    relations: tuple[sp.Expr, ...]
    equations: tuple[sp.Expr, ...]
    functions: tuple[AppliedUndef, ...]
    coordinates: tuple[sp.Symbol, ...]
    parametric: dict[sp.Expr, sp.Expr]
    parameter: sp.Symbol
    original: Equations = field(repr=False)
    solutions: tuple[dict[AppliedUndef, sp.Expr], ...] = ()
    notes: tuple[str, ...] = ()

    def defect(self, seed: int = 0) -> float:
        """Largest relative residual of the original system over random solutions of the reduced one.

        Args:
            seed: Seed of the random jets.

        Returns:
            About 1e-50 if the reduction is right.
        """
        return reduction_defect(self, seed)

    def verify(self) -> bool:
        """Whether arbitrary solutions of the reduced system give solutions of the original one.

        Random jets of the reduced system are continued along the orbits as power series with 60 digits and put
        into the original equations; X(z) = X(v) = 0 is checked at random points too.

        Returns:
            True if all residuals vanish to 25 digits.
        """
        return self.defect() < TOLERANCE

    def __str__(self) -> str:
        """Generator, ansatz and reduced equations."""
        lines = [f"invariant under {self.generator}"]
        lines += [f"  {z} = {e}" for z, e in self.invariants.items() if z != e]
        if self.ansatz:
            lines += [f"  {u} = {e}" for u, e in self.ansatz.items()]
        else:
            lines += [f"  {relation.lhs} = {relation.rhs}" for relation in self.relations]
        lines += [f"  {e.lhs} = 0" if isinstance(e, sp.Equality) else f"  {e}" for e in self.equations]
        lines += [f"  solution {u} = {e}" for solution in self.solutions for u, e in solution.items()]
        return "\n".join(lines + [f"  ({note})" for note in self.notes])

    __repr__ = __str__

    def _repr_latex_(self) -> str:
        rows = [sp.latex(sp.Eq(u, e)) for u, e in self.ansatz.items()] or [sp.latex(e) for e in self.relations]
        rows += [sp.latex(e) for e in self.equations]
        return r"$\displaystyle " + r",\quad ".join(rows) + "$"


def similarity_reductions(
    problem: Any,
    generator: Generator | Sequence[Generator] | None = None,
    fields: Sequence[AppliedUndef] | None = None,
    *,
    solve: bool = True,
) -> tuple[SimilarityReduction, ...]:
    """Reductions of a PDE system by its point symmetries (Ovsiannikov 1982; Olver 1993, chapter 3).

    A solution is invariant under X where its invariants v are functions F of the others, v = F(z); put into the
    equations this leaves a system with one coordinate fewer: an ODE for equations in two variables. The
    invariants come from the characteristic equations, the derivatives from the chain rule; the orbit parameter
    drops out because X is a symmetry, which is checked with random jets and 60 digits.

    Args:
        problem: `IBVP` (its data are not used), an equation or several.
        generator: A symmetry; also a combination with symbolic weights such as `X1 + c * X2`, which are taken
            as generic. Several: one reduction each. Default: the generators of `point_symmetries(problem)`
            that move the coordinates and are integrable by quadratures.
        fields: Unknowns, where they cannot be read off.
        solve: Whether to look for invariant solutions in closed form.

    Returns:
        The reductions, in the order of the generators.

    Raises:
        ProblemError: If a generator is no symmetry, has other variables or moves no coordinate.
        SolverError: If its characteristic equations are not integrable by quadratures.

    Example:
        >>> from sciml.symbols import coordinates, field
        >>> x, t = coordinates("x t")
        >>> u = field("u", x, t)
        >>> heat = sp.Eq(u.diff(t), u.diff(x, 2))
        >>> (scaling,) = similarity_reductions(heat, Generator((x, t), (u,), {x: x, t: 2 * t}))
        >>> scaling.ansatz[u]
        F(x/sqrt(t))
        >>> scaling.equations
        (Eq(z*Derivative(F(z), z)/2 + Derivative(F(z), (z, 2)), 0),)
        >>> scaling.solutions[0][u]
        C1 + C2*erf(x/(2*sqrt(t)))
    """
    statement = read_equations(problem, fields)
    if generator is None:
        return tuple(_all_reductions(statement, solve))
    chosen = (generator,) if isinstance(generator, Generator) else tuple(generator)
    return tuple(_reduction(statement, one, solve) for one in chosen)


def _all_reductions(statement: Equations, solve: bool):
    for generator in point_symmetries(statement.residuals, statement.fields).generators:
        if any(generator[x] != 0 for x in generator.independent):
            try:
                yield _reduction(statement, generator, solve)
            except SolverError:
                continue


def _reduction(statement: Equations, generator: Generator, solve: bool) -> SimilarityReduction:
    if set(generator.variables) != {*statement.coordinates, *statement.fields}:
        raise ProblemError(
            f"a generator in {(*statement.coordinates, *statement.fields)}", f"one in {generator.variables}"
        )
    if all(generator[x] == 0 for x in statement.coordinates):
        raise ProblemError(
            "a generator that moves a coordinate",
            str(generator),
            "add one that does, for instance X + c*Y with a translation X",
        )
    if not verify_generator(generator, statement.residuals):
        raise ProblemError("a point symmetry of the equations", str(generator), "take one of point_symmetries(problem)")
    reduction = _reduced(statement, generator)
    if not reduction.verify():
        raise SolverError("a reduction that passes its check", str(reduction))
    return _with_solutions(reduction) if solve else reduction


def _reduced(statement: Equations, generator: Generator) -> SimilarityReduction:
    """Invariants, chain rule, cross-section; everything computed with positive stand-ins and then renamed."""
    frame = _ReducedFrame(statement, generator)
    pulled = pulled_back(
        [e.xreplace(frame.parameters) for e in statement.residuals],
        statement.coordinates,
        frame.images,
        [frame.parameter, *frame.positive],
    )
    sections = [_at_section(e, frame.parameter, frame.inner) for e in pulled]
    equations = [_equation(frame.shown(e)) for e in sections]
    formulas = {z: frame.shown(e) for z, e in frame.images.items()}
    implicit = any(e.has(*statement.fields) for e in (*frame.invariants.values(), frame.moving))
    ansatz = {}
    if not implicit:
        for u in statement.fields:
            placed = formulas[u].xreplace(frame.invariants).xreplace({frame.parameter: frame.moving})
            ansatz[u] = tidy(with_angles(placed))
    relations = tuple(
        sp.Eq(value, f.func(*(frame.invariants[z] for z in f.args)), evaluate=False)
        for f, value in frame.values.items()
    )
    return SimilarityReduction(
        generator=generator,
        invariants=frame.invariants,
        dependent_invariants=frame.values,
        ansatz=ansatz,
        relations=relations,
        equations=tuple(e for e in equations if e != sp.true),
        functions=tuple(frame.values),
        coordinates=tuple(frame.invariants),
        parametric=formulas,
        parameter=frame.parameter,
        original=statement,
    )


class _ReducedFrame:
    """Names and formulas of the new coordinates and functions.

    Args:
        statement: The system.
        generator: Its symmetry.
    """

    def __init__(self, statement: Equations, generator: Generator) -> None:
        stand_in = {z: sp.Dummy(_name(z), positive=True) for z in generator.variables}
        canonical = canonical_coordinates(generator, stand_in)
        names = _Names(statement, generator)
        dependent, independent = _split(canonical, statement, stand_in)
        back = {d: z for z, d in stand_in.items()}
        plain = [canonical.invariants[s].xreplace(back) for s in independent]
        old = [names.coordinate(e, len(independent)) for e in plain]
        self.parameter, self.moving = canonical.parameter, canonical.moving.xreplace(back)
        self.positive = [sp.Dummy(z.name, positive=True) for z in old]
        functions = [names.function(u) for u in dependent]
        self.inner = [sp.Function(f.name, positive=True)(*self.positive) for f in functions]
        self.parameters = {s: sp.Dummy(s.name, positive=True) for s in names.parameters}
        table = dict(zip(independent, self.positive, strict=True))
        table |= dict(zip(dependent.values(), self.inner, strict=True))
        self.images = {
            z: canonical.inverse[stand_in[z]].xreplace(table).xreplace(self.parameters) for z in generator.variables
        }
        self.invariants = {z: _shown(canonical.invariants[s], back) for z, s in zip(old, independent, strict=True)}
        self.values = {
            f(*old): _shown(canonical.invariants[s], back) for f, s in zip(functions, dependent.values(), strict=True)
        }
        self._real = dict(zip(self.positive, old, strict=True)) | {d: s for s, d in self.parameters.items()}
        self._heads = dict(zip((f.func for f in self.inner), functions, strict=True))

    def shown(self, expression: sp.Expr) -> sp.Expr:
        """An expression with the names that the user sees."""
        named = expression.xreplace(self._real)
        return named.replace(
            lambda n: isinstance(n, AppliedUndef) and n.func in self._heads, lambda n: self._heads[n.func](*n.args)
        )


def _shown(expression: sp.Expr, back: dict) -> sp.Expr:
    short = min((sp.expand(expression), tidy(expression)), key=sp.count_ops)
    return with_angles(short.xreplace(back))


def _name(variable: sp.Expr) -> str:
    return variable.name if isinstance(variable, sp.Symbol) else variable.func.__name__


class _Names:
    """Names for the new coordinates and functions that are not in use."""

    def __init__(self, statement: Equations, generator: Generator) -> None:
        free = set().union(*(e.free_symbols for e in (*statement.residuals, *generator.components)))
        self.parameters = sorted(free - set(statement.coordinates), key=str)
        heads = {f.func.__name__ for e in statement.residuals for f in e.atoms(AppliedUndef)}
        self.used = {s.name for s in free | set(statement.coordinates)} | heads
        self.single = len(statement.fields) == 1

    def _fresh(self, *candidates: str) -> str:
        name = next((c for c in candidates if c not in self.used), None)
        if name is None:
            name = next(f"{candidates[0]}{k}" for k in range(1, 1000) if f"{candidates[0]}{k}" not in self.used)
        self.used.add(name)
        return name

    def coordinate(self, expression: sp.Expr, count: int) -> sp.Symbol:
        """An old coordinate that is invariant keeps its symbol."""
        if isinstance(expression, sp.Symbol):
            return expression
        names = ("z", "zeta") if count == 1 else ("z1", "z2", "z3", "z4")
        return sp.Symbol(self._fresh(*names), real=True)

    def function(self, field_: AppliedUndef) -> Any:
        """One capital letter per field."""
        name = _name(field_)
        return sp.Function(self._fresh("F", "G") if self.single else self._fresh(name.upper(), f"F_{name}"), real=True)


def _split(canonical: Canonical, statement: Equations, stand_in: dict):
    """Which invariants become functions: those solved for the fields, or else the first others."""
    partner = canonical.partner
    chosen = {u: partner[stand_in[u]] for u in statement.fields if stand_in[u] in partner}
    free = [partner[stand_in[x]] for x in statement.coordinates if stand_in[x] in partner]
    free = [s for s in free if s not in chosen.values()]
    for u in statement.fields:
        if u not in chosen:
            chosen[u] = free.pop(0)
    return {u: chosen[u] for u in statement.fields}, free


def _at_section(expression: sp.Expr, parameter: sp.Symbol, functions: list[AppliedUndef]) -> sp.Expr:
    """The equation on a cross-section of the orbits; elsewhere it differs by a factor."""
    if not expression.has(parameter):
        return normal_form(expression, functions)
    empty = sp.S.Zero
    for value in (sp.S.Zero, sp.S.One, sp.Integer(2)):
        section = expression.subs(parameter, value)
        if section.has(sp.nan, sp.zoo, sp.oo, -sp.oo):
            continue
        empty = normal_form(section, functions)
        if empty != 0:
            return empty
    return empty


def _equation(residual: sp.Expr) -> sp.Expr:
    if residual == 0:
        return sp.true
    if residual == 1:
        return sp.false
    shown = residual
    orders = list(shown.atoms(sp.Derivative))
    if orders:
        highest = max(orders, key=lambda d: (d.derivative_count, str(d)))
        lead = sp.expand(shown).coeff(highest, 1)
        if lead.is_number and lead != 0:
            shown = sp.expand(shown / lead)
    return sp.Eq(shown, 0, evaluate=False)


def _with_solutions(reduction: SimilarityReduction) -> SimilarityReduction:
    if not reduction.ansatz or any(e == sp.false for e in reduction.equations):
        note = "no invariant solutions" if reduction.ansatz else "the fields are given implicitly by `relations`"
        return _replaced(reduction, (), (note,))
    candidates, note = solve_reduced(reduction.equations, reduction.functions, reduction.coordinates)
    found, notes = [], [note] if note else []
    for candidate in candidates:
        solution = {u: tidy(_inserted(e, reduction, candidate)) for u, e in reduction.ansatz.items()}
        try:
            if residual_size(solution, reduction.original.residuals) < TOLERANCE:
                found.append(solution)
                continue
        except SolverError:
            pass
        notes.append("a candidate solution was not confirmed at random points and was dropped")
    return _replaced(reduction, tuple(found), tuple(notes))


def _inserted(expression: sp.Expr, reduction: SimilarityReduction, candidate: dict) -> sp.Expr:
    for f, formula in candidate.items():
        expression = expression.replace(f.func, sp.Lambda(f.args, formula))
    return expression.doit()


def _replaced(reduction: SimilarityReduction, solutions: tuple, notes: tuple) -> SimilarityReduction:
    return replace(reduction, solutions=solutions, notes=notes)
