"""Families whose functions satisfy linear PDEs: superposition in disguise, hodograph, conformal maps."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from math import comb, prod

import sympy as sp

from sciml.errors import ScimlError
from solvers.symmetry.ansatz import Element, Solution, basis, solve_combined
from solvers.symmetry.clock import Clock
from solvers.symmetry.counting import Counter, NoCountError, multi_indices
from solvers.symmetry.determining import Form, System, add_term, simplified
from solvers.symmetry.families import Candidate, taken_names
from solvers.symmetry.function_jets import FunctionJets, unused_names
from solvers.symmetry.polynomials import (
    ONE,
    Polynomial,
    accumulate,
    derive,
    factors,
    multiply,
    power,
    scale,
    support,
    variable,
)
from solvers.symmetry.reading import Reader
from solvers.symmetry.reduction import Reduction
from solvers.symmetry.ring import Index, Ring

SIMPLE = 25


class ConstrainedFunctions:
    """Functions subject to some of the determining equations, with normal forms of their derivatives.

    Args:
        system: Determining equations.
        reader: Reader of the ring.
        functions: Numbers of the unknown functions.
        forms: Equations that contain only these functions, and only the `variables`.
        variables: Generators of the ring on which the functions depend.
        clock: Budget.
    """

    def __init__(
        self,
        system: System,
        reader: Reader,
        functions: Sequence[int],
        forms: Sequence[Form],
        variables: Sequence[int],
        clock: Clock,
    ) -> None:
        ring = system.ring
        self.functions, self.reader = list(functions), reader
        symbols = [sp.Symbol(f"z{k}", real=True) for k in variables]
        self._forward = {ring.expressions[k]: s for k, s in zip(variables, symbols, strict=True)}
        self._back = {s: e for e, s in self._forward.items()}
        names = unused_names(taken_names(system))
        chosen = [next(names) for _ in functions]
        self.jets = FunctionJets(ring, chosen, variables, self._normal)
        inner = [sp.Function(f"F{f}")(*symbols) for f in functions]
        self._ring = Ring(symbols, inner)
        place = [system.unknowns.variables.index(k) for k in variables]
        equations = [self._equation(ring, form, inner, symbols, place) for form in forms]
        inner_reader = Reader(self._ring)
        inner_reader.survey(equations)
        self._reduction = Reduction(self._ring, [inner_reader.read(e) for e in equations], clock)
        self._images: dict[int, Polynomial] = {}
        outer = dict(zip(inner, self.jets.functions, strict=True))
        self.constraints = tuple(c.xreplace(outer).xreplace(self._back) for c in self._solved())

    def _solved(self) -> Iterator[sp.Expr]:
        """The equations that fix the leading derivatives: no superfluous ones."""
        for (number, index), right in sorted(self._reduction.leaders.items()):
            [numerator], denominator = self._ring.cleared([right])
            jet = self._ring.expression(variable(self._ring.jet(number, index)))
            yield sp.expand(self._ring.expression(denominator) * jet - self._ring.expression(numerator))

    def _equation(self, ring: Ring, form: Form, inner, symbols, place) -> sp.Expr:
        total = sp.S.Zero
        for (f, index), coefficient in form.items():
            orders = [(s, index[j]) for s, j in zip(symbols, place, strict=True) if index[j]]
            function = inner[self.functions.index(f)]
            derivative = sp.Derivative(function, *orders) if orders else function
            total += ring.expression(coefficient).xreplace(self._forward) * derivative
        return total

    def _normal(self, jets: FunctionJets, number: int, index: Index) -> Polynomial | None:
        form = self._reduction.form((number, index))
        if form == variable(self._ring.jet(number, index)):
            return None
        result: Polynomial = {}
        for monomial, coefficient in form.items():
            term: Polynomial = {0: coefficient}
            for k, exponent in factors(monomial):
                term = multiply(term, power(self._image(jets, k), exponent))
            accumulate(result, term)
        return result

    def _image(self, jets: FunctionJets, k: int) -> Polynomial:
        if k in self._ring.jet_index:
            return variable(jets.generator(*self._ring.jet_index[k]))
        if k not in self._images:
            self._images[k] = self.reader.read(self._ring.expressions[k].xreplace(self._back))
        return self._images[k]


def linear_ideals(system: System, reader: Reader, generator: random.Random, clock: Clock) -> Iterator[Candidate]:
    """Abelian ideals F alpha d_s: the variables s of one block move, alpha depends on the other variables.

    With the fields as block this is superposition (F = 1) or the sign of a linearising map (Bluman and Kumei 1989);
    with the coordinates it is the hodograph transformation.

    Args:
        system: Determining equations.
        reader: Reader of the ring.
        generator: Source of random numbers.
        clock: Budget.

    Yields:
        Families with the linear PDEs of their functions.
    """
    p, n = len(system.ring.coordinates), len(system.ring.base)
    if system.unknowns.variables != system.ring.base:
        return
    for block in (range(p, n), range(p)):
        others = [j for j in range(n) if j not in block]
        zero = {(f, (0,) * n) for f in others}
        part = simplified(System(system.ring, system.unknowns, system.equations, system.zero | zero), clock)
        for factor in _factors(part, block, reader):
            candidate = _ideal(part, block, factor, reader, generator, clock)
            if candidate is not None:
                yield candidate


def _factors(part: System, block: Sequence[int], reader: Reader) -> Iterator[Polynomial]:
    """Functions F of one variable of the block: 1, then solutions of the linear ODEs among the equations."""
    yield ONE
    ring, seen = part.ring, {sp.S.One}
    for form in part.equations:
        functions, directions = {f for f, _ in form}, {j for _, i in form for j, e in enumerate(i) if e}
        if len(functions) > 1 or len(directions) != 1 or not directions <= set(block):
            continue
        j = directions.pop()
        variable_, symbol = ring.expressions[ring.base[j]], sp.Dummy("s", real=True)
        orders = {index[j]: ring.expression(c).xreplace({variable_: symbol}) for (_, index), c in form.items()}
        for solution in _ode_solutions(orders, symbol):
            expression = solution.xreplace({symbol: variable_})
            if expression in seen:
                continue
            seen.add(expression)
            reader.survey([expression])
            try:
                yield reader.read(expression)
            except ScimlError:
                continue


def _ode_solutions(orders: dict[int, sp.Expr], s: sp.Symbol) -> Iterator[sp.Expr]:
    """Some solutions of sum_k c_k(s) F^(k) = 0: exponentials, or those of an exact or first-order equation."""
    if not any(c.has(s) for c in orders.values()):
        unknown = sp.Dummy("lambda")
        roots = sp.roots(sp.Poly(sum(c * unknown**k for k, c in orders.items()), unknown))
        yield from (sp.exp(root * s) for root in roots if root != 0 and not root.has(sp.I))
        return
    highest = max(orders)
    rate = sp.cancel(orders.get(highest - 1, sp.S.Zero) / orders[highest])
    if highest > 2 or not rate.has(s) or rate.count_ops() > SIMPLE:
        return
    # F' + rate F = const is the integral of F'' + (rate F)' = 0; whether it fits is left to the count.
    integral = sp.integrate(rate, s, meijerg=False)
    if not integral.has(sp.Integral):
        yield sp.exp(-integral).simplify()


def _ideal(part: System, block, factor: Polynomial, reader: Reader, generator, clock: Clock) -> Candidate | None:
    n = len(part.ring.base)
    unit = [tuple(int(i == j) for i in range(n)) for j in range(n)]
    forms = [_substituted(part, form, factor) for form in [*part.equations, *({c: ONE} for c in sorted(part.zero))]]
    fixed = {(f, unit[j]) for f in block for j in block} | {(f, (0,) * n) for f in range(n) if f not in block}
    sub = simplified(System(part.ring, part.unknowns, [form for form in forms if form], fixed), clock)
    counter = Counter(sub, generator, clock)
    try:
        if counter.count().dimension is not None:
            return None
    except NoCountError:
        return None
    sub = counter.system
    functions = [f for f in block if not sub.vanishes((f, (0,) * n))]
    variables = [k for j, k in enumerate(part.ring.base) if j not in block]
    fixed_forms = [{column: ONE} for column in sorted(sub.zero) if column[0] in functions and not
                   any(column[1][j] for j in block)]  # fmt: skip
    try:
        made = ConstrainedFunctions(sub, reader, functions, [*sub.equations, *fixed_forms], variables, clock)
    except ScimlError:
        return None
    zero = (0,) * len(variables)
    solution = {f: multiply(factor, made.jets.element(i, zero)) for i, f in enumerate(functions)}
    name = "superposition" if factor == ONE and block[0] else "linearising"
    return Candidate(name, solution, made.jets, made.constraints)


def _substituted(system: System, form: Form, factor: Polynomial) -> Form:
    """The form with f = factor * alpha, in the derivatives of alpha."""
    if factor == ONE:
        return form
    images = [system.ring.partial(k) for k in system.unknowns.variables]
    result: Form = {}
    for (f, index), coefficient in form.items():
        for lower in itertools.product(*(range(e + 1) for e in index)):
            derivative = factor
            for j, order in enumerate(lower):
                for _ in range(order):
                    derivative = derive(derivative, images[j])
            weight = prod(comb(e, low) for e, low in zip(index, lower, strict=True))
            term = multiply(coefficient, scale(derivative, weight))
            if term:
                add_term(result, (f, tuple(e - low for e, low in zip(index, lower, strict=True))), term)
    return {column: c for column, c in result.items() if c}


def conformal(system: System, reader: Reader, generator: random.Random, clock: Clock) -> Iterator[Candidate]:
    """The coordinates move by functions that satisfy first-order PDEs, for instance Cauchy and Riemann's.

    The equations among the coefficients of the coordinates alone are kept as conditions on the functions; the
    coefficients of the fields are sought as combinations of their derivatives.

    Args:
        system: Determining equations.
        reader: Reader of the ring.
        generator: Source of random numbers.
        clock: Budget.

    Yields:
        Families.
    """
    ring, p = system.ring, len(system.ring.coordinates)
    fields = set(range(p, len(ring.base)))
    if any(not fields & set(range(len(system.unknowns.variables))) <= system.independent_of(i) for i in range(p)):
        return
    for functions in _coupled(system, p):
        candidate = _conformal(system, reader, functions, generator, clock)
        if candidate is not None:
            yield candidate


def _coupled(system: System, p: int) -> list[list[int]]:
    """Groups of coordinates whose coefficients are related by equations among themselves."""
    groups = [{i} for i in range(p) if not system.vanishes((i, (0,) * len(system.unknowns.variables)))]
    for form in system.equations:
        inside = {f for f, _ in form}
        if max(inside) < p:
            touched = [group for group in groups if group & inside]
            groups = [group for group in groups if group not in touched] + [set().union(*touched)]
    return [sorted(group) for group in groups if len(group) > 1]


def _conformal(system: System, reader: Reader, functions: list[int], generator, clock: Clock) -> Candidate | None:
    ring, p = system.ring, len(system.ring.coordinates)
    variables = [k for j, k in enumerate(ring.base[:p]) if any(j not in system.independent_of(f) for f in functions)]
    forms = [form for form in [*system.equations, *({c: ONE} for c in sorted(system.zero))]
             if all(f in functions for f, _ in form) and not any(i for _, index in form for i in index[p:])
             and not any(ring.base_of(k) & set(ring.base[p:]) for k in support(form.values()))]  # fmt: skip
    forms = [f for f in forms if not any(e and ring.base[j] not in variables for _, i in f for j, e in enumerate(i))]
    if not variables:
        return None
    try:
        made = ConstrainedFunctions(system, reader, functions, forms, variables, clock)
    except ScimlError:
        return None
    none = (0,) * len(variables)
    moving: Solution = {f: made.jets.element(i, none) for i, f in enumerate(functions)}
    indices = [i for total in range(3) for i in multi_indices(len(variables), total)]
    atoms = {frozenset(a.items()): a for i in range(len(functions)) for index in indices
             if len(a := made.jets.element(i, index)) == 1}  # fmt: skip
    for degree in (0, 1):
        elements: list[Element] = [e for e in basis(system, degree, list(atoms.values())) if e[0] >= p]
        for solution in solve_combined(system, moving, elements, generator, clock):
            return Candidate("conformal", solution, made.jets, made.constraints)
    return None
