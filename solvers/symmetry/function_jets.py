"""Arbitrary functions in the ring: every derivative is a generator of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import sympy as sp

from solvers.symmetry.polynomials import Polynomial, variable
from solvers.symmetry.reduction import raised
from solvers.symmetry.ring import Index, Ring

LETTERS = ["f", "g", "h", "a", "b", "c", "d", "k", "p", "q", "r", "s", "w"]


class FunctionJets:
    """Functions of some variables with all their derivatives; free, or subject to linear PDEs.

    Args:
        ring: The ring that receives the generators.
        names: Names of the functions.
        variables: Generators of the ring on which they depend.
        normal: Replaces derivatives that the PDEs fix, as a ring element in the others; None where free.
    """

    def __init__(
        self,
        ring: Ring,
        names: Sequence[str],
        variables: Sequence[int],
        normal: Callable[[FunctionJets, int, Index], Polynomial | None] | None = None,
    ) -> None:
        self.ring, self.variables, self.normal = ring, tuple(variables), normal
        arguments = [ring.expressions[k] for k in self.variables]
        self.functions = tuple(sp.Function(name)(*arguments) for name in names)
        self.generators: set[int] = set()

    def element(self, number: int, index: Index) -> Polynomial:
        """A derivative in terms of those that are free."""
        fixed = self.normal(self, number, index) if self.normal else None
        return variable(self.generator(number, index)) if fixed is None else fixed

    def generator(self, number: int, index: Index) -> int:
        """The generator of a free derivative."""
        ring, key = self.ring, (self, number, index)
        if key not in ring.known:
            orders = [(ring.expressions[k], n) for k, n in zip(self.variables, index, strict=True) if n]
            function = self.functions[number]
            k = ring.generator(key, sp.Derivative(function, *orders) if orders else function)
            self.generators.add(k)
            ring.rules[k] = [
                (partial(self.element, number, raised(index, j)), variable(v)) for j, v in enumerate(self.variables)
            ]
        return ring.known[key]


def unused_names(taken: set[str]) -> Iterator[str]:
    """Names for arbitrary functions that clash with nothing."""
    for suffix in ("", *map(str, range(1, 100))):
        for letter in LETTERS:
            if letter + suffix not in taken:
                yield letter + suffix
