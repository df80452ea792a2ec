"""Infinite families of symmetries: arbitrary functions, conformal maps, superposition in disguise."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass

import sympy as sp
from sympy.core.function import AppliedUndef

from solvers.symmetry.ansatz import Solution, basis, solve_ansatz
from solvers.symmetry.clock import Clock
from solvers.symmetry.counting import multi_indices
from solvers.symmetry.determining import System
from solvers.symmetry.function_jets import FunctionJets, unused_names
from solvers.symmetry.polynomials import variable
from solvers.symmetry.span import simplest_first

HIGHEST_DERIVATIVE = 3
DEGREES = (0, 1, 2)


@dataclass(frozen=True)
class Candidate:
    """A family in the ring.

    Attributes:
        name: Its kind.
        solution: Unknown function to ring element, linear in the jets.
        jets: The arbitrary functions.
        constraints: What the functions must satisfy.
    """

    name: str
    solution: Solution
    jets: FunctionJets
    constraints: tuple[sp.Expr, ...] = ()


def taken_names(system: System) -> set[str]:
    """Names of all symbols and functions in the ring."""
    found: set[str] = set()
    for expression in system.ring.expressions:
        found |= {s.name for s in expression.free_symbols}
        found |= {f.func.__name__ for f in expression.atoms(AppliedUndef)}
    return found


def arbitrary_functions(
    system: System, generator: random.Random, clock: Clock, arguments: int = 1
) -> Iterator[Candidate]:
    """Families with an arbitrary function of some of the variables.

    The jets of the function are further generators of the ring, in which the ansatz is linear; the order of the
    highest derivative and the degree in the other variables are raised step by step.

    Args:
        system: Determining equations.
        generator: Source of random numbers.
        clock: Budget.
        arguments: Number of arguments of the function.

    Yields:
        Families, the simple ones first; later ones may repeat earlier ones.
    """
    names = unused_names(taken_names(system))
    for variables in itertools.combinations(system.unknowns.variables, arguments):
        for highest, degree in itertools.product(range(HIGHEST_DERIVATIVE + 1), DEGREES):
            jets = FunctionJets(system.ring, [next(names)], variables)
            indices = [i for total in range(highest + 1) for i in multi_indices(arguments, total)]
            atoms = [variable(jets.generator(0, index)) for index in indices]
            elements = basis(system, degree, atoms, variables)
            for solution in simplest_first(solve_ansatz(system, elements, generator, clock)):
                yield Candidate("arbitrary function", solution, jets)
