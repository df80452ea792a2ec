"""Reference methods: finite elements."""

from solvers.reference.finite_element import FiniteElement
from solvers.reference.solution import FiniteElementSolution

__all__ = ["FiniteElement", "FiniteElementSolution"]
