"""The solution manifold: leading derivatives, normal forms, integrability conditions."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import sympy as sp

from sciml.errors import ProblemError, SolverError
from solvers.symmetry.clock import Clock
from solvers.symmetry.polynomials import (
    ONE,
    Polynomial,
    accumulate,
    coefficients_in,
    common_monomial,
    derive,
    factors,
    mask,
    multiply,
    power,
    scale,
    support,
    variable,
)
from solvers.symmetry.ring import Index, Ring, primitive

Jet = tuple[int, Index]
Ranking = Callable[[Jet], tuple]


class Reduction:
    """Normal forms modulo a system of PDEs and all its differential consequences.

    Each equation is solved for its leading derivative under an orderly ranking (the highest order first), the
    leaders are made free of one another, and cross-derivatives of leaders of the same field are compared: a
    difference that does not vanish is an integrability condition and is added (Riquier, Janet; Reid 1991).

    Args:
        ring: The ring that holds the equations.
        equations: Left-hand sides F of F = 0.
        clock: Time limit.

    Raises:
        ProblemError: If the system is inconsistent or relates the fields without derivatives.
        SolverError: If an equation is linear in none of its highest derivatives.
    """

    def __init__(self, ring: Ring, equations: Sequence[Polynomial], clock: Clock) -> None:
        self.ring, self.clock = ring, clock
        self.equations = [primitive(ring.cleared([e])[0][0]) for e in equations]
        self.added: list[sp.Expr] = []
        self.leaders: dict[Jet, Polynomial] = {}
        self._forms: dict[Jet, Polynomial] = {}
        self._images: list[dict[int, Polynomial]] = [{} for _ in ring.coordinates]
        self.rank = choose_ranking(ring, self.equations)
        self._complete()

    def jets(self, polynomial: Polynomial) -> set[Jet]:
        """All jets on which a polynomial depends, also inside thetas."""
        ring = self.ring
        found: set[int] = set()
        for k in support([polynomial]):
            found |= ring.base_of(k) if k in ring.rules else {k}
        return {ring.jet_index[k] for k in found if k in ring.jet_index}

    def form(self, jet: Jet) -> Polynomial:
        """The normal form of one jet: itself if it is parametric."""
        if jet not in self._forms:
            self._forms[jet] = self._form(jet)
        return self._forms[jet]

    def _form(self, jet: Jet) -> Polynomial:
        if jet in self.leaders:
            return self.leaders[jet]
        number, index = jet
        for leader in self.leaders:
            if leader[0] == number and all(a >= b for a, b in zip(index, leader[1], strict=True)):
                for i in sorted(range(len(index)), key=lambda i: leader[1][i] - index[i]):
                    if index[i] > leader[1][i]:
                        return self.total(self.form((number, lowered(index, i))), i)
        return variable(self.ring.jet(number, index))

    def total(self, polynomial: Polynomial, i: int) -> Polynomial:
        """The total derivative along coordinate `i`, on the solution manifold."""
        return self._settled(derive(polynomial, lambda k: self.image(k, i)))

    def image(self, k: int, i: int) -> Polynomial:
        """The total derivative of generator `k` along coordinate `i`."""
        memory, ring = self._images[i], self.ring
        if k not in memory:
            if k in ring.jet_index:
                number, index = ring.jet_index[k]
                memory[k] = self.form((number, raised(index, i)))
            elif k in ring.rules:
                total: Polynomial = {}
                for outer, argument in ring.rules[k]:
                    inner = derive(argument, lambda j: self.image(j, i))
                    if inner:
                        accumulate(total, multiply(outer(), inner))
                memory[k] = total
            else:
                memory[k] = ONE if k == i else {}
        return memory[k]

    def _settled(self, polynomial: Polynomial) -> Polynomial:
        return self.ring.normal(polynomial) if self.ring.relations else polynomial

    def reduce(self, polynomial: Polynomial) -> Polynomial:
        """Replace every principal derivative by its normal form."""
        self.clock.check()
        ring = self.ring
        replaced: dict[int, Polynomial] = {}
        for k in support([polynomial]):
            if k in ring.jet_index:
                form = self.form(ring.jet_index[k])
                if form != variable(k):
                    replaced[k] = form
            elif k in ring.rules and any(self.form(jet) != variable(ring.jet(*jet)) for jet in self.jets(variable(k))):
                replaced[k] = self._transported(k)
        if not replaced:
            return polynomial
        result: Polynomial = {}
        for monomial, coefficient in polynomial.items():
            term = {0: coefficient}
            for k, exponent in factors(monomial):
                term = multiply(term, power(replaced.get(k, variable(k)), exponent))
            accumulate(result, term)
        return self._settled(result)

    def _transported(self, k: int) -> Polynomial:
        ring = self.ring
        if k in ring.inverted:
            return ring.inverse(self.reduce(ring.inverted[k]))
        raise SolverError(
            "functions of derivatives that remain free on the solutions",
            str(ring.expressions[k]),
            "solve the equations for other derivatives so that this function is kept",
        )

    def _complete(self) -> None:
        pending = list(self.equations)
        added = False
        while True:
            while pending:
                pending.sort(key=lambda e: (max((self.rank(j) for j in self.jets(e)), default=()), len(e)))
                self._insert(pending.pop(0), pending, added)
            condition = next(self._conditions(), None)
            if condition is None:
                return
            self.added.append(self.ring.expression(condition))
            pending, added = [condition], True

    def _insert(self, equation: Polynomial, pending: list[Polynomial], added: bool) -> None:
        ring = self.ring
        equation = primitive(ring.cleared([self.reduce(equation)])[0][0])
        if not equation:
            return
        shared = common_monomial([equation]) & ~mask(k for k in ring.jet_index if any(ring.jet_index[k][1]))
        equation = {m - shared: c for m, c in equation.items()}
        jets = self.jets(equation)
        if all(not any(index) for _, index in jets):
            raise _contradiction(ring, equation, bool(jets))
        leader = max(jets, key=self.rank)
        k = ring.jet(*leader)
        parts = coefficients_in(equation, k)
        if max(parts) != 1 or leader in self.jets(parts[1]) | self.jets(parts.get(0, {})):
            raise SolverError(
                "an equation that is linear in one of its highest derivatives",
                f"{ring.expression(equation)} = 0",
                "differentiate the equation once, or take a new field for the derivative",
            )
        inverse = ring.inverse(parts[1])
        self.leaders[leader] = scale(multiply(parts.get(0, {}), inverse), -1)
        for other in list(self.leaders):
            if other != leader and other[0] == leader[0] and divides(leader[1], other[1]):
                rest = scale(self.leaders.pop(other), -1)
                accumulate(rest, variable(ring.jet(*other)))
                pending.append(ring.cleared([rest])[0][0])
        self._forget()
        for other, right in list(self.leaders.items()):
            self.leaders[other] = self.reduce(right)
        self._forget()

    def _forget(self) -> None:
        self._forms.clear()
        for memory in self._images:
            memory.clear()

    def _conditions(self):
        for (first, a), (second, b) in itertools.combinations(list(self.leaders), 2):
            if first != second:
                continue
            self.clock.check()
            top = tuple(map(max, a, b))
            difference = self._along((first, a), top)
            accumulate(difference, self._along((first, b), top), -1)
            difference = primitive(self.ring.cleared([difference])[0][0])
            if difference:
                yield difference

    def _along(self, leader: Jet, top: Index) -> Polynomial:
        result = dict(self.leaders[leader])
        for i, (high, low) in enumerate(zip(top, leader[1], strict=True)):
            for _ in range(high - low):
                result = dict(self.total(result, i))
        return result


def raised(index: Index, i: int) -> Index:
    """One more derivative along coordinate `i`."""
    return (*index[:i], index[i] + 1, *index[i + 1 :])


def lowered(index: Index, i: int) -> Index:
    """One derivative less along coordinate `i`."""
    return (*index[:i], index[i] - 1, *index[i + 1 :])


def divides(a: Index, b: Index) -> bool:
    """Is the jet with orders `b` a derivative of that with orders `a`?"""
    return all(low <= high for low, high in zip(a, b, strict=True))


def _contradiction(ring: Ring, equation: Polynomial, fields: bool) -> ProblemError:
    consequence = f"{ring.expression(equation)} = 0"
    if fields:
        return ProblemError(
            "equations whose consequences leave the fields themselves free",
            f"the equations imply {consequence}, a relation without derivatives",
            "eliminate one field with it, or correct the equations",
        )
    return ProblemError(
        "consistent equations",
        f"the equations imply {consequence}",
        "correct the equations: they have no solution",
    )


def choose_ranking(ring: Ring, equations: Sequence[Polynomial]) -> Ranking:
    """The ranking, orderly if possible, under which the equations are solved most simply.

    Args:
        ring: The ring of the equations.
        equations: Their left-hand sides.

    Returns:
        A sort key of jets: order first, then an order of coordinates and fields.
    """
    p, q = len(ring.coordinates), len(ring.fields)
    jets = []
    for equation in equations:
        found: set[int] = set().union(*(ring.base_of(k) for k in support([equation])))
        jets.append([ring.jet_index[k] for k in found if k in ring.jet_index])
    orders = itertools.islice(itertools.permutations(range(p)), 24)
    fields = [tuple(range(q)), tuple(reversed(range(q)))] if q > 1 else [(0,)]
    best: tuple[int, Ranking] | None = None
    choices = [(_ranking(*choice), 0) for choice in itertools.product(orders, fields, (False, True))]
    # Not orderly: all derivatives by one coordinate come first. Only where no highest derivative occurs linearly.
    choices += [(_elimination_ranking(i), 200) for i in range(p)] if len(equations) == 1 else []
    for rank, penalty in choices:
        leaders = [max(found, key=rank, default=None) for found in jets]
        cost = penalty + sum(_cost(ring, e, lead) for e, lead in zip(equations, leaders, strict=True))
        pairs = [(a, b) for a, b in itertools.combinations([lead for lead in leaders if lead], 2) if a[0] == b[0]]
        cost += sum(20 if divides(a[1], b[1]) or divides(b[1], a[1]) else 4 for a, b in pairs)
        if best is None or cost < best[0]:
            best = cost, rank
    assert best is not None
    return best[1]


def _ranking(order: Sequence[int], fields: Sequence[int], field_first: bool) -> Ranking:
    def rank(jet: Jet) -> tuple:
        number, index = jet
        place, powers = -fields.index(number), tuple(index[i] for i in order)
        return (sum(index), place, powers) if field_first else (sum(index), powers, place)

    return rank


def _elimination_ranking(i: int) -> Ranking:
    def rank(jet: Jet) -> tuple:
        number, index = jet
        return index[i], sum(index), index, -number

    return rank


def _cost(ring: Ring, equation: Polynomial, leader: Jet | None) -> int:
    """How awkward is it to solve for this leader?"""
    if leader is None:
        return 0
    k = ring.jet(*leader)
    parts = coefficients_in(equation, k)
    initial = parts.get(1, {})
    used = support([initial])
    if max(parts, default=0) != 1 or any(
        k in ring.base_of(j) for part in parts.values() for j in support([part]) if j in ring.rules
    ):
        return 1000
    if not used:
        return 0
    if any(ring.depends_on_jets(j) for j in used):
        return 50 if len(initial) == 1 else 100
    return (1 if used <= set(ring.parameters) else 3) * (1 if len(initial) == 1 else 5)
