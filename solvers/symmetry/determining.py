"""Determining equations of point symmetries, split and simplified."""

from __future__ import annotations

from dataclasses import dataclass, field

from solvers.symmetry.clock import Clock
from solvers.symmetry.polynomials import (
    ONE,
    Polynomial,
    accumulate,
    common_monomial,
    content,
    derive,
    mask,
    multiply,
    scale,
    split,
    support,
    variable,
)
from solvers.symmetry.reduction import Reduction, lowered, raised
from solvers.symmetry.ring import Index, Ring

Column = tuple[int, Index]
Form = dict[Column, Polynomial]


@dataclass
class Unknowns:
    """The unknown functions of the determining equations and how they build the generator.

    Attributes:
        variables: Generators of the ring on which the functions may depend.
        xi: For each coordinate its coefficient as a linear form in the functions.
        eta: For each field likewise.
        count: Number of functions.
    """

    variables: tuple[int, ...]
    xi: list[Form]
    eta: list[Form]
    count: int


def general_unknowns(ring: Ring) -> Unknowns:
    """All coefficients are functions of all coordinates and fields."""
    p, q, zero = len(ring.coordinates), len(ring.fields), (0,) * len(ring.base)
    xi: list[Form] = [{(i, zero): ONE} for i in range(p)]
    eta: list[Form] = [{(p + a, zero): ONE} for a in range(q)]
    return Unknowns(ring.base, xi, eta, p + q)


def linear_unknowns(ring: Ring) -> Unknowns:
    """Coefficients of the coordinates free of the fields, those of the fields linear and homogeneous in them."""
    p, q = len(ring.coordinates), len(ring.fields)
    zero = (0,) * p
    xi: list[Form] = [{(i, zero): ONE} for i in range(p)]
    eta: list[Form] = [{(p + a * q + b, zero): variable(p + b) for b in range(q)} for a in range(q)]
    return Unknowns(ring.base[:p], xi, eta, p + q * q)


@dataclass
class System:
    """Linear homogeneous PDEs for the unknown functions.

    Attributes:
        ring: The ring of the coefficients.
        unknowns: The unknown functions.
        equations: Linear forms whose coefficients depend on the variables only.
        zero: Derivatives that vanish, as columns; all their derivatives vanish too.
        divided: Coefficients by which equations of one term were divided: they are non-zero generically.
    """

    ring: Ring
    unknowns: Unknowns
    equations: list[Form]
    zero: set[Column] = field(default_factory=set)
    divided: list[Polynomial] = field(default_factory=list)

    def vanishes(self, column: Column) -> bool:
        """Is this derivative a derivative of one that is known to vanish?"""
        number, index = column
        return any(f == number and all(a <= b for a, b in zip(low, index, strict=True)) for f, low in self.zero)

    def independent_of(self, number: int) -> set[int]:
        """Positions of the variables on which function `number` cannot depend."""
        n = len(self.unknowns.variables)
        return {j for j in range(n) if self.vanishes((number, tuple(int(i == j) for i in range(n))))}


class Prolongation:
    """The prolonged generator on the solution manifold, coefficient by coefficient.

    eta^a_{J+i} = D_i eta^a_J - sum_k u^a_{J+k} D_i xi^k (Olver 1993, theorem 2.36), with total derivatives that
    are reduced at once, so that no principal derivative ever appears.

    Args:
        reduction: Normal forms.
        unknowns: The unknown functions.
    """

    def __init__(self, reduction: Reduction, unknowns: Unknowns) -> None:
        self.reduction, self.unknowns = reduction, unknowns
        p, self.zero = len(unknowns.xi), (0,) * len(unknowns.xi)
        self._eta: dict[tuple[int, Index], Form] = {(a, self.zero): form for a, form in enumerate(unknowns.eta)}
        self._slopes = [[self._total(form, i) for form in unknowns.xi] for i in range(p)]

    def _total(self, form: Form, i: int) -> Form:
        result: Form = {}
        reduction, variables = self.reduction, self.unknowns.variables
        for (number, index), coefficient in form.items():
            inner = reduction.total(coefficient, i)
            if inner:
                add_term(result, (number, index), inner)
            for j, k in enumerate(variables):
                image = reduction.image(k, i)
                if image:
                    add_term(result, (number, raised(index, j)), multiply(coefficient, image))
        return result

    def eta(self, number: int, index: Index) -> Form:
        """The coefficient of the derivative of field `number` with orders `index`."""
        key = (number, index)
        if key not in self._eta:
            self.reduction.clock.check()
            i = max(range(len(index)), key=lambda j: index[j])
            lower = lowered(index, i)
            result = dict(self._total(self.eta(number, lower), i))
            for k, slope in enumerate(self._slopes[i]):
                jet = scale(self.reduction.form((number, raised(lower, k))), -1)
                for column, coefficient in slope.items():
                    add_term(result, column, multiply(jet, coefficient))
            self._eta[key] = {column: c for column, c in result.items() if c}
        return self._eta[key]

    def apply(self, equation: Polynomial) -> Form:
        """The prolonged generator applied to an equation, on the solution manifold."""
        reduction, ring = self.reduction, self.reduction.ring
        result: Form = {}
        for i, form in enumerate(self.unknowns.xi):
            self._add(result, reduction.reduce(derive(equation, ring.partial(i))), form)
        for number, index in sorted(reduction.jets(equation)):
            slope = derive(equation, ring.partial(ring.jet(number, index)))
            self._add(result, reduction.reduce(slope), self.eta(number, index))
        return {column: c for column, c in result.items() if c}

    def _add(self, total: Form, factor: Polynomial, form: Form) -> None:
        if factor:
            for column, coefficient in form.items():
                add_term(total, column, multiply(factor, coefficient))


def add_term(form: Form, column: Column, term: Polynomial) -> None:
    """`form[column] += term`, in place."""
    present = form.get(column)
    if present is None:
        form[column] = dict(term)
    else:
        accumulate(present, term)


def determining_equations(reduction: Reduction, unknowns: Unknowns) -> System:
    """The linear PDEs that the coefficients of every point symmetry satisfy.

    Args:
        reduction: Normal forms of the system.
        unknowns: The unknown functions.

    Returns:
        The determining equations, collected by the free jets, without duplicates, simplified.
    """
    ring = reduction.ring
    prolongation = Prolongation(reduction, unknowns)
    system = System(ring, unknowns, [])
    for equation in reduction.equations:
        form = prolongation.apply(equation)
        system.equations += split_form(ring, form, _jet_mask(ring, unknowns, form))
    return simplified(system, reduction.clock)


def _jet_mask(ring: Ring, unknowns: Unknowns, form: Form) -> int:
    """The bits of everything that is free on solutions and on which the unknown functions do not depend."""
    free = set(ring.jet_index) - set(unknowns.variables)
    bound = set(range(len(ring.expressions))) - set(ring.jet_index)
    thetas = {k for k in bound if k in ring.rules and ring.base_of(k) & free}
    return mask(free | thetas)


def split_form(ring: Ring, form: Form, bits: int) -> list[Form]:
    """Collect a linear form by the monomials inside `bits`.

    Args:
        ring: The ring.
        form: The linear form; inverses are cleared first.
        bits: The generators that vary independently.

    Returns:
        One form per monomial.
    """
    columns = list(form)
    cleared, _ = ring.cleared([form[column] for column in columns])
    pieces: dict[int, Form] = {}
    for column, polynomial in zip(columns, cleared, strict=True):
        for monomial, part in split(polynomial, bits).items():
            pieces.setdefault(monomial, {})[column] = part
    return [normalised(piece) for piece in pieces.values()]


def normalised(form: Form) -> Form:
    """Without common factors: those are non-zero at generic points."""
    shared, number = common_monomial(form.values()), content(form.values())
    first = form[min(form)]
    if first[max(first)] < 0:
        number = -number
    if not shared and number == 1:
        return form
    return {column: {m - shared: c // number for m, c in poly.items()} for column, poly in form.items()}


def _key(form: Form) -> frozenset:
    return frozenset((column, frozenset(poly.items())) for column, poly in form.items())


def simplified(system: System, clock: Clock) -> System:
    """Use equations of one term at once, split again where functions lost a variable, drop duplicates.

    Args:
        system: Determining equations.
        clock: Time limit.

    Returns:
        An equivalent, smaller system.
    """
    equations, zero, divided = system.equations, set(system.zero), list(system.divided)
    while True:
        clock.check()
        current = System(system.ring, system.unknowns, [], zero, divided)
        kept: dict[frozenset, Form] = {}
        found = False
        for form in equations:
            reduced = {column: c for column, c in form.items() if not current.vanishes(column)}
            for piece in _split_more(current, reduced):
                if len(piece) == 1:
                    [column] = piece
                    divided.append(piece[column])
                    if not current.vanishes(column):
                        zero.add(column)
                        found = True
                else:
                    kept.setdefault(_key(piece), piece)
        equations = list(kept.values())
        if not found:
            current.equations = sorted(equations, key=lambda f: (max(sum(i) for _, i in f), len(f)))
            current.zero = _minimal(zero)
            return current


def _minimal(zero: set[Column]) -> set[Column]:
    return {
        (f, a)
        for f, a in zero
        if not any(f == g and a != b and all(x <= y for x, y in zip(b, a, strict=True)) for g, b in zero)
    }


def _split_more(system: System, form: Form) -> list[Form]:
    """Split by variables on which no function of the form depends."""
    if not form:
        return []
    ring, unknowns = system.ring, system.unknowns
    absent = set.intersection(*(system.independent_of(f) for f, _ in form))
    variables = {unknowns.variables[j] for j in absent}
    if not variables:
        return [normalised(form)]
    for k in support(form.values()):
        if k in ring.rules:
            base = ring.base_of(k)
            if base & variables:
                inside = base - set(ring.parameters) <= variables
                variables = variables | {k} if inside else variables - base
    # A theta of a variable that was withdrawn above must be withdrawn too.
    variables = {k for k in variables if k not in ring.rules or ring.base_of(k) - set(ring.parameters) <= variables}
    return split_form(ring, form, mask(variables)) if variables else [normalised(form)]
