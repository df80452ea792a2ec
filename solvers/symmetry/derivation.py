"""The stages of a derivation; what is known so far survives when the budget is spent."""

from __future__ import annotations

import itertools
import random

import sympy as sp
from sympy.core.function import AppliedUndef
from sympy.simplify.fu import TR8

from sciml.errors import ScimlError
from solvers.symmetry.algebra import Certificate, Family
from solvers.symmetry.ansatz import Element, Solution, basis, joint_basis, solve_ansatz
from solvers.symmetry.clock import Clock
from solvers.symmetry.counting import Count, Counter
from solvers.symmetry.determining import (
    System,
    determining_equations,
    general_unknowns,
    linear_unknowns,
)
from solvers.symmetry.equations import Equations
from solvers.symmetry.families import Candidate, arbitrary_functions
from solvers.symmetry.function_jets import unused_names
from solvers.symmetry.generator import Generator
from solvers.symmetry.ideals import conformal, linear_ideals
from solvers.symmetry.polynomials import (
    Polynomial,
    accumulate,
    common_monomial,
    content,
    factors,
    mask,
    multiply,
    support,
)
from solvers.symmetry.reading import Reader
from solvers.symmetry.reduction import Reduction
from solvers.symmetry.ring import Ring
from solvers.symmetry.span import Span, simplest_first
from solvers.symmetry.spectral import Sector, Spectrum, diagonal_parts, sectors

DEGREES = (1, 2, 3)
LATE_DEGREES = (4, 5, 6, 7)
LARGEST, LATE_LARGEST = 12000, 1500


class Derivation:
    """Derives the point symmetries of one system, stage by stage.

    Args:
        statement: The system.
        clock: Budget.
        seed: Seed of all random points.

    Attributes:
        linear: Whether the superposition part was split off.
        count: The dimension count, once it is there.
        solutions: Independent solutions of the determining equations, modulo the families.
        families: Families with arbitrary functions.
    """

    def __init__(self, statement: Equations, clock: Clock, seed: int = 0) -> None:
        self.statement, self.clock, self.random = statement, clock, random.Random(seed)
        self.ring = Ring(statement.coordinates, statement.fields)
        self.reader = Reader(self.ring)
        self.reader.survey(list(statement.residuals))
        self.reduction = Reduction(self.ring, [self.reader.read(e) for e in statement.residuals], clock)
        self.linear = False
        self.discovered: set[int] = set()
        self._explained: dict[int, tuple[int, ...]] = {}
        self.count: Count | None = None
        self._system: System | None = None
        self.solutions: list[Solution] = []
        self.families: list[Candidate] = []
        self.span: Span | None = None

    @property
    def system(self) -> System:
        """The determining equations, once they are there."""
        if self._system is None:
            raise RuntimeError("determine() comes first")
        return self._system

    @system.setter
    def system(self, system: System) -> None:
        self._system = system

    def determine(self) -> None:
        """Stage A: the determining equations; linear systems without their superposition part."""
        self.system = determining_equations(self.reduction, general_unknowns(self.ring))
        superposable = is_linear(self.reduction) and not has_finitely_many_solutions(self.reduction)
        if superposable and self._acts_linearly(self.system):
            self.linear = True
            self.system = determining_equations(self.reduction, linear_unknowns(self.ring))
        self.equations = len(self.system.equations) + len(self.system.zero)

    def _acts_linearly(self, system: System) -> bool:
        """Do the determining equations imply xi_u = 0 and eta_uu = 0?"""
        ring = self.ring
        p, n = len(ring.coordinates), len(ring.base)
        unit = [tuple(int(i == j) for i in range(n)) for j in range(n)]
        needed = [(i, unit[j]) for i in range(p) for j in range(p, n)]
        pairs = [(j, k) for j in range(p, n) for k in range(j, n)]
        needed += [
            (f, tuple(a + b for a, b in zip(unit[j], unit[k], strict=True))) for f in range(p, n) for j, k in pairs
        ]
        if all(system.vanishes(column) for column in needed):
            return True
        counter = Counter(system, self.random, self.clock)
        for _ in range(12):
            counter.advance()
            if all(counter.system.vanishes(column) for column in needed):
                return True
            if counter.prolonged.order > counter.highest_equation() + 2:
                return False
        return False

    def size(self) -> None:
        """Stage B: the dimension."""
        counter = Counter(self.system, self.random, self.clock)
        try:
            self.count = counter.count()
        finally:
            self.system = counter.system

    def search(self) -> None:
        """Stage C: generators in closed form, until the count is reached."""
        if self.count is None:
            return
        self.span = Span(self.system, max(self.count.order, 1), self.random, tick=self.clock.check)
        if self.count.dimension is None:
            self._search_families()
        if self.finite_part is None:
            # The growth is not explained: a few polynomials are listed as samples, more would mislead.
            self._try(basis(self.system, 1))
            return
        for degree in DEGREES:
            self._try(basis(self.system, degree))
        self._try_functions()
        for degree in LATE_DEGREES:
            if self.count.dimension is not None:
                self._search_spectrum(scalings=degree > LATE_DEGREES[0])
            if len(elements := basis(self.system, degree)) <= LATE_LARGEST:
                self._try(elements)

    def _try(self, elements: list[Element]) -> bool:
        """Solve an ansatz and keep what is new; True if something was."""
        if self.complete or not elements or len(elements) > LARGEST:
            return False
        assert self.span is not None
        found = False
        for solution in simplest_first(solve_ansatz(self.system, elements, self.random, self.clock)):
            if not self.complete and self.span.add(solution):
                self.solutions.append(normalised_solution(self.ring, solution))
                found = True
        return found

    def _functions(self) -> list[int]:
        """Functions of the variables that occur in the equations, and the inverses of what was divided by."""
        ring = self.ring
        used = support(poly for form in self.system.equations for poly in form.values())
        functions = [k for k in sorted(used) if k in ring.rules]
        functions += [k for k in sorted(ring.inverted) if k not in used]
        plain = [k for k in functions if not ring.depends_on_jets(k) and k not in self.discovered]
        return [k for k in plain if ring.base_of(k) - set(ring.parameters)]

    def _try_functions(self) -> None:
        """Products with the functions that occur in the equations themselves."""
        if functions := self._functions():
            for degree in DEGREES:
                self._try(joint_basis(self.system, functions, degree))

    def _search_spectrum(self, scalings: bool) -> None:
        """Functions discovered from ad Y of diagonal symmetries Y, until nothing new is found."""
        assert self.count is not None
        spectrum = Spectrum(self.system, self.count.order, self.count.prolongation, self.random, self.clock)
        used = 0
        known: list[list[Sector]] = [[]]
        while not self.complete and used < len(self.solutions):
            components = self.components(self.solutions[used])
            used += 1
            diagonal = diagonal_parts(self.ring, components)
            if diagonal is None or (any(b != 0 for _, b in diagonal.values()) and not scalings):
                continue
            new = list(sectors(spectrum.factors(components), diagonal))
            for sector in new:
                for other in known:
                    self._try_sector([*other, sector])
            known += [[sector] for sector in new]

    def _try_sector(self, chosen: list[Sector]) -> None:
        if self.complete or len({sector.variable for sector in chosen}) < len(chosen):
            return
        expressions = [sp.Mul(*parts) for parts in itertools.product(*(sector.atoms for sector in chosen))]
        self.reader.survey(expressions)
        before = len(self.ring.expressions)
        try:
            atoms = [self.reader.read(e) for e in expressions]
        except ScimlError:
            return
        finally:
            self.discovered |= set(range(before, len(self.ring.expressions)))
        for degree in DEGREES:
            self._try(basis(self.system, degree, atoms))
        for degree in DEGREES[:2]:
            if functions := self._functions():
                self._try(joint_basis(self.system, functions, degree, atoms))

    def _search_families(self) -> None:
        assert self.span is not None
        sources = [
            arbitrary_functions(self.system, self.random, self.clock),
            linear_ideals(self.system, self.reader, self.random, self.clock),
            conformal(self.system, self.reader, self.random, self.clock),
        ]
        for candidate in itertools.chain.from_iterable(sources):
            if self.span.add(candidate.solution, candidate.jets.generators):
                self.families.append(candidate)
                if self.finite_part is not None:
                    return

    @property
    def finite_part(self) -> int | None:
        """The counted dimension modulo the families; None as long as they do not explain the growth.

        D_m minus the m-jets of the families must stand still over three orders m: polynomials alone would match any
        finite piece of the growth.
        """
        if self.count is None:
            return None
        if self.count.dimension is not None:
            return self.count.dimension
        explained = self.explained()
        rest = {self.count.sequence[m] - explained[m] for m in range(self.count.order - 2, self.count.order + 1)}
        return rest.pop() if len(rest) == 1 else None

    @property
    def complete(self) -> bool:
        """Are there as many independent generators as were counted?"""
        return self.finite_part is not None and len(self.solutions) == self.finite_part

    def notes(self) -> tuple[str, ...]:
        """What was added to the equations, and what the result does not cover."""
        notes = [f"integrability condition added: {condition} = 0" for condition in self.reduction.added]
        if self.statement.parameters:
            symbols = ", ".join(map(str, self.statement.parameters))
            notes.append(f"for generic values of {symbols}; special values may have more symmetries")
        arbitrary = {f for e in self.statement.residuals for f in e.atoms(AppliedUndef)} - set(self.statement.fields)
        if arbitrary:
            notes.append(
                f"for generic {', '.join(sorted(map(str, arbitrary)))}; special functions may have more symmetries"
            )
        roots = set().union(*(self.ring.expressions[k].free_symbols for k in self.discovered))
        unsigned = sorted(s.name for s in roots & set(self.statement.parameters) if not s.is_positive)
        if unsigned:
            notes.append(f"generators are written for {', '.join(f'{name} > 0' for name in unsigned)}")
        return tuple(notes)

    def components(self, solution: Solution) -> list[Polynomial]:
        """The coefficients of the vector field in the order of coordinates and fields."""
        result = []
        for form in [*self.system.unknowns.xi, *self.system.unknowns.eta]:
            total: Polynomial = {}
            for (f, _), factor in form.items():
                accumulate(total, multiply(factor, solution.get(f, {})))
            result.append(self.ring.normal(total))
        return result

    def generator(self, solution: Solution) -> Generator:
        """A solution as a vector field, in readable form."""
        statement = self.statement
        variables = (*statement.coordinates, *statement.fields)
        expressions = [readable(self.ring.expression(c)) for c in self.components(solution)]
        first = next((e for e in expressions if e != 0), sp.S.One)
        if first.could_extract_minus_sign():
            expressions = [sp.expand(-e) for e in expressions]
        return Generator(statement.coordinates, statement.fields, dict(zip(variables, expressions, strict=True)))

    def named_families(self) -> list[Family]:
        """The families, the superposition of linear systems first."""
        result = [self.superposition()] if self.linear else []
        names = unused_names(self.names | {f.func.__name__ for family in result for f in family.functions})
        for candidate in self.families:
            field = self.generator(candidate.solution)
            renamed = {f: sp.Function(next(names), real=True)(*f.args) for f in candidate.jets.functions}
            coefficients = {z: c.xreplace(renamed) for z, c in field.coefficients.items()}
            field = Generator(field.independent, field.dependent, coefficients)
            constraints = tuple(c.xreplace(renamed) for c in candidate.constraints)
            result.append(Family(candidate.name, field, tuple(renamed.values()), constraints))
        return result

    @property
    def names(self) -> set[str]:
        """Names that the user has given."""
        statement = self.statement
        taken = {str(s) for s in (*statement.coordinates, *statement.parameters)}
        return taken | {f.func.__name__ for e in statement.residuals for f in e.atoms(AppliedUndef)}

    def superposition(self) -> Family:
        """Any solution of a linear homogeneous system may be added."""
        statement = self.statement
        taken = self.names
        stem = next(n for n in ("alpha", "beta", "sigma", "superposed") if not any(t.startswith(n) for t in taken))
        names = [stem] if len(statement.fields) == 1 else [f"{stem}_{u.func.__name__}" for u in statement.fields]
        added = {
            u: sp.Function(n, real=True)(*statement.coordinates) for u, n in zip(statement.fields, names, strict=True)
        }
        field = Generator(statement.coordinates, statement.fields, added)
        constraints = tuple(e.xreplace(added).doit() for e in statement.residuals)
        return Family("superposition", field, tuple(added.values()), constraints)

    def certificate(self, verified: bool) -> Certificate | None:
        """The numbers behind the result."""
        if self.count is None or self.span is None:
            return None
        count = self.count
        return Certificate(
            len(self.solutions), self.finite_part, count.order, count.prolongation, count.sequence, self.explained(),
            count.primes, self.equations, verified,
        )  # fmt: skip

    def explained(self) -> tuple[int, ...]:
        """D_m of the families alone."""
        assert self.count is not None
        if not self.families:
            return (0,) * len(self.count.sequence)
        number = len(self.families)
        if number not in self._explained:
            span = Span(self.system, self.count.order, self.random)
            for family in self.families:
                span.add(family.solution, family.jets.generators)
            self._explained[number] = tuple(span.ranks)
        return self._explained[number]


def has_finitely_many_solutions(reduction: Reduction) -> bool:
    """Do the solutions depend on finitely many constants (ODEs, overdetermined systems)?"""
    ring = reduction.ring
    pure = {
        (number, axes[0])
        for number, index in reduction.leaders
        if len(axes := [i for i, order in enumerate(index) if order]) == 1
    }
    return len(pure) == len(ring.fields) * len(ring.coordinates)


def readable(expression: sp.Expr) -> sp.Expr:
    """Products of sines and cosines as multiple angles, powers and exponentials combined."""
    if expression.has(sp.sin, sp.cos):
        for _ in range(3):
            expression = sp.expand(TR8(expression))
    if expression.has(sp.exp, sp.Pow):
        expression = sp.Add(*(sp.powsimp(term) for term in sp.Add.make_args(expression)))
    return expression


def normalised_solution(ring: Ring, solution: Solution) -> Solution:
    """Without common numbers and common powers of parameters, the first coefficient positive."""
    elements = [solution[f] for f in sorted(solution)]
    shared = common_monomial(elements) & mask(ring.constants)
    number = content(elements)
    if elements[0][min(elements[0])] < 0:
        number = -number
    return {f: {m - shared: c // number for m, c in element.items()} for f, element in solution.items()}


def is_linear(reduction: Reduction) -> bool:
    """Is the solved system linear and homogeneous in the fields?"""
    ring = reduction.ring
    jets = set(ring.jet_index)
    for right in reduction.leaders.values():
        [numerator], denominator = ring.cleared([right])
        used = support([numerator, denominator])
        if any(k in ring.rules and ring.base_of(k) & jets for k in used) or support([denominator]) & jets:
            return False
        if any(sum(e for k, e in factors(monomial) if k in jets) != 1 for monomial in numerator):
            return False
    return True
