"""Independence of vector fields and of families of them, by the rank of their jets at a random point."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence, Set

from solvers.symmetry.ansatz import Solution
from solvers.symmetry.counting import TAG, WIDTH, multi_indices
from solvers.symmetry.determining import System
from solvers.symmetry.echelon import Echelon, Row
from solvers.symmetry.points import Point, random_point
from solvers.symmetry.polynomials import Polynomial, derive, mask, split, support
from solvers.symmetry.ring import Index


class Span:
    """The m-jets of symmetries at a random point, for every m up to some order.

    A family with arbitrary functions counts with all its jets: one row per derivative of a function that is visible
    in the m-jet. The rank of all rows is a lower bound of D_m.

    Args:
        system: Determining equations, which name the unknown functions.
        order: Highest order of the jets.
        generator: Source of the point.
        generators: Ring generators that the solutions will contain.
        tick: Called now and then; may raise to stop.
    """

    def __init__(
        self,
        system: System,
        order: int,
        generator: random.Random,
        generators: Iterable[int] = (),
        tick: Callable[[], None] | None = None,
    ) -> None:
        self.system, self.order = system, order
        self._random, self._tick = generator, tick
        used = support(poly for form in system.equations for poly in form.values()) | set(system.unknowns.variables)
        self._used = used | set(generators)
        self._images = [system.ring.partial(k) for k in system.unknowns.variables]
        self._kept: list[tuple[Solution, Set[int]]] = []
        self._start()

    def _start(self) -> None:
        self.point: Point = random_point(self.system.ring, self._random, self._used)
        self._echelons = [Echelon(self.point.prime) for _ in range(self.order + 1)]
        self.ranks = [0] * (self.order + 1)

    def add(self, solution: Solution, functions: Set[int] = frozenset()) -> bool:
        """Add a field, or a family that is linear in the jets `functions`; False if it is nothing new.

        Args:
            solution: Unknown function to ring element.
            functions: Generators that are jets of arbitrary functions.

        Returns:
            Whether the rank at the highest order grew.
        """
        new = (support(solution.values()) & set(self.system.ring.relations)) - self._used
        if new:
            # A root need not exist modulo the present prime: begin again at a point where it does.
            self._used |= new
            self._start()
            for kept in self._kept:
                self._insert(*kept)
        before = self.ranks[self.order]
        self._insert(solution, functions)
        if self.ranks[self.order] > before:
            self._kept.append((solution, functions))
        return self.ranks[self.order] > before

    def _insert(self, solution: Solution, functions: Set[int]) -> None:
        jets = self._jets(solution, functions)
        for m, echelon in enumerate(self._echelons):
            rows: dict[int, Row] = {}
            for (f, index), values in jets.items():
                if sum(index) <= m:
                    for atom, value in values.items():
                        rows.setdefault(atom, {})[self._key(f, index)] = value
            self.ranks[m] += sum(echelon.insert(row) is not None for row in rows.values())

    def _key(self, f: int, index: Index) -> int:
        key = sum(index)
        for exponent in index:
            key = key << WIDTH | exponent
        return key << TAG | f

    def _jets(self, solution: Solution, functions: Set[int]) -> dict[tuple[int, Index], Row]:
        result = {}
        for f, element in solution.items():
            derivatives: dict[Index, Polynomial] = {(0,) * len(self._images): element}
            for total in range(self.order + 1):
                if self._tick:
                    self._tick()
                for index in multi_indices(len(self._images), total):
                    if total:
                        j = next(i for i, e in enumerate(index) if e)
                        lower = derivatives.get((*index[:j], index[j] - 1, *index[j + 1 :]))
                        derivatives[index] = derive(lower, self._images[j]) if lower else {}
                    values = self._values(derivatives[index], functions)
                    if values:
                        result[f, index] = values
        return result

    def _values(self, element: Polynomial, functions: Set[int]) -> Row:
        if not functions:
            value = self.point.evaluate(element)
            return {0: value} if value else {}
        parts = split(element, mask(support([element]) & functions))
        values = {atom: self.point.evaluate(part) for atom, part in parts.items()}
        return {atom: value for atom, value in values.items() if value}


def simplest_first(solutions: Sequence[Solution]) -> list[Solution]:
    """Few components, few terms, low degree first."""

    def size(solution: Solution) -> tuple:
        terms = [monomial for element in solution.values() for monomial in element]
        return len(terms), len(solution), sum(m.bit_length() for m in terms)

    return sorted(solutions, key=size)
