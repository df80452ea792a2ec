"""Solutions of the determining equations inside a given space of functions, exactly."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Sequence

from solvers.symmetry.clock import Clock
from solvers.symmetry.determining import Form, System
from solvers.symmetry.echelon import Row, null_space
from solvers.symmetry.lifting import lift_vector
from solvers.symmetry.points import random_point
from solvers.symmetry.polynomials import (
    BITS,
    ONE,
    Polynomial,
    accumulate,
    derive,
    mask,
    multiply,
    split,
    support,
)
from solvers.symmetry.ring import Index

Element = tuple[int, Polynomial]
Solution = dict[int, Polynomial]


def monomials(variables: Sequence[int], degree: int) -> list[Polynomial]:
    """All monomials up to a total degree, the simple ones first."""
    return [
        {sum(1 << (BITS * k) for k in chosen): 1}
        for d in range(degree + 1)
        for chosen in itertools.combinations_with_replacement(variables, d)
    ]


def basis(
    system: System, degree: int, atoms: Iterable[Polynomial] = (ONE,), without: Iterable[int] = ()
) -> list[Element]:
    """Monomials times atoms for each unknown function, in the variables on which it can depend.

    Args:
        system: Determining equations.
        degree: Highest total degree of the monomials.
        atoms: Further factors.
        without: Variables of which no explicit powers are taken.

    Returns:
        Pairs (function, ring element), linearly independent.
    """
    ring, variables, excluded = system.ring, system.unknowns.variables, set(without)
    atoms = list(atoms)
    elements: list[Element] = []
    for f in range(system.unknowns.count):
        absent = {variables[j] for j in system.independent_of(f)}
        free = [k for k in variables if k not in absent and k not in excluded]
        seen = set()
        for part, atom in itertools.product(monomials(free, degree), atoms):
            if any(ring.base_of(k) & absent for k in support([atom])):
                continue
            element = cancelled(system, multiply(part, atom))
            name = frozenset(element.items())
            if name not in seen and not _forbidden(system, f, element):
                seen.add(name)
                elements.append((f, element))
    return elements


def joint_basis(
    system: System, functions: Sequence[int], degree: int, factors: Sequence[Polynomial] = (ONE,)
) -> list[Element]:
    """Monomials in the variables and some functions together, up to a total degree.

    Args:
        system: Determining equations.
        functions: Generators of the ring that are functions of the variables.
        degree: Highest total degree.
        factors: What the monomials are multiplied with.

    Returns:
        Pairs (function, ring element), linearly independent.
    """
    elements: dict[tuple[int, frozenset], Element] = {}
    for total in range(degree + 1):
        atoms = [
            multiply({sum(1 << (BITS * k) for k in chosen): 1}, factor)
            for chosen in itertools.combinations_with_replacement(functions, total)
            for factor in factors
        ]
        for f, element in basis(system, degree - total, atoms):
            elements.setdefault((f, frozenset(element.items())), (f, element))
    return list(elements.values())


def cancelled(system: System, element: Polynomial) -> Polynomial:
    """Cancel a variable against its own inverse."""
    ring, result = system.ring, {}
    for monomial, coefficient in element.items():
        for k, inner in ring.inverted.items():
            if len(inner) == 1:
                [(other, factor)] = inner.items()
                while factor == 1 and (monomial >> (BITS * k)) & 0xFFFF and _divides(other, monomial):
                    monomial -= other + (1 << (BITS * k))
        result[monomial] = coefficient
    return ring.normal(result)


def _divides(a: int, b: int) -> bool:
    while a:
        if a & 0xFFFF > b & 0xFFFF:
            return False
        a, b = a >> BITS, b >> BITS
    return True


def _forbidden(system: System, f: int, element: Polynomial) -> bool:
    """Is this monomial excluded by an equation of one term?"""
    if support([element]) - set(system.unknowns.variables):
        return False
    images = [system.ring.partial(k) for k in system.unknowns.variables]
    for g, index in system.zero:
        if g == f:
            derivative = element
            for j, order in enumerate(index):
                for _ in range(order):
                    derivative = derive(derivative, images[j])
            if derivative:
                return True
    return False


class Substitution:
    """Derivatives of ring elements by the variables, remembered.

    Args:
        system: Determining equations.
    """

    def __init__(self, system: System) -> None:
        self.system = system
        self._images = [system.ring.partial(k) for k in system.unknowns.variables]
        self._known: dict[tuple[int, Index], Polynomial] = {}
        self._elements: list[Polynomial] = []

    def derivative(self, element: Polynomial, index: Index, name: tuple | None = None) -> Polynomial:
        """The derivative of an element; `name` remembers it."""
        result = element
        for j, order in enumerate(index):
            for _ in range(order):
                result = derive(result, self._images[j])
        return result

    def apply(self, form: Form, solution: Solution) -> Polynomial:
        """A linear form with functions put in; not cleared."""
        total: Polynomial = {}
        for (f, index), coefficient in form.items():
            if f in solution:
                accumulate(total, multiply(coefficient, self.derivative(solution[f], index)))
        return total

    def holds(self, solution: Solution) -> bool:
        """Does a solution satisfy every determining equation identically?"""
        forms = [*self.system.equations, *({column: ONE} for column in self.system.zero)]
        return all(self.system.ring.is_zero(self.apply(form, solution)) for form in forms)


def coefficient_rows(system: System, elements: Sequence[Solution], clock: Clock) -> list[dict[int, Polynomial]]:
    """The linear equations for the coefficients of an ansatz; entries are polynomials in the parameters."""
    ring, substitution = system.ring, Substitution(system)
    parameters = mask(ring.constants)
    by_function: dict[int, list[int]] = {}
    for number, element in enumerate(elements):
        for f in element:
            by_function.setdefault(f, []).append(number)
    rows: dict[frozenset, dict[int, Polynomial]] = {}
    memory: dict[tuple[int, int, Index], Polynomial] = {}
    for form in [*system.equations, *({column: ONE} for column in sorted(system.zero))]:
        clock.check()
        terms: dict[int, Polynomial] = {}
        for (f, index), coefficient in form.items():
            for number in by_function.get(f, ()):
                name = (number, f, index)
                if name not in memory:
                    memory[name] = substitution.derivative(elements[number][f], index)
                if memory[name]:
                    accumulate(terms.setdefault(number, {}), multiply(coefficient, memory[name]))
        numbers = [number for number, value in terms.items() if value]
        cleared, _ = ring.cleared([terms[number] for number in numbers])
        collected: dict[int, dict[int, Polynomial]] = {}
        for number, value in zip(numbers, cleared, strict=True):
            for inner, part in split(value, parameters).items():
                for outer, factor in part.items():
                    entry = collected.setdefault(outer, {}).setdefault(number, {})
                    entry[inner] = entry.get(inner, 0) + factor
        for row in collected.values():
            rows.setdefault(frozenset((n, frozenset(e.items())) for n, e in row.items()), row)
    return list(rows.values())


def solve_ansatz(system: System, elements: Sequence[Element], generator: random.Random, clock: Clock) -> list[Solution]:
    """All solutions of the determining equations in the span of some functions.

    The null space is found modulo a prime, with random values of the parameters; its vectors are then lifted to
    rational functions of the parameters on their small supports.

    Args:
        system: Determining equations.
        elements: The ansatz.
        generator: Source of random numbers.
        clock: Time limit.

    Returns:
        A basis of the exact solutions; each satisfies every determining equation identically.
    """
    return _solve(system, [{f: element} for f, element in elements], generator, clock)


def solve_combined(
    system: System, first: Solution, elements: Sequence[Element], generator: random.Random, clock: Clock
) -> list[Solution]:
    """Solutions `first` + something in the span of some functions.

    Args:
        system: Determining equations.
        first: What every solution contains.
        elements: The ansatz.
        generator: Source of random numbers.
        clock: Budget.

    Returns:
        At most one exact solution.
    """
    found = _solve(system, [*({f: element} for f, element in elements), first], generator, clock)
    leading = min(first)
    return [solution for solution in found if solution.get(leading)][:1]


def _solve(system: System, elements: list[Solution], generator: random.Random, clock: Clock) -> list[Solution]:
    rows = coefficient_rows(system, elements, clock)
    used = support(entry for row in rows for entry in row.values()) | system.ring.constants
    point = random_point(system.ring, generator, used)
    modular: list[Row] = []
    for row in rows:
        values = {n: point.evaluate(entry) for n, entry in row.items()}
        modular.append({n: value for n, value in values.items() if value})
    substitution, solutions = Substitution(system), []
    for vector in null_space(modular, range(len(elements)), point.prime, clock.check):
        clock.check()
        lifted = lift_vector(system.ring, rows, modular, vector, point)
        if lifted is None:
            continue
        solution: Solution = {}
        for number, weight in lifted.items():
            for f, element in elements[number].items():
                accumulate(solution.setdefault(f, {}), multiply(weight, element))
        if substitution.holds(solution):
            solutions.append({f: value for f, value in solution.items() if value})
    return solutions
