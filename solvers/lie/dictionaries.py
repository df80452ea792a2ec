"""Which dictionary of exact solutions a linear homogeneous problem has."""

from __future__ import annotations

from typing import Protocol

from solvers.lie.atoms import Atoms
from solvers.lie.interval_dictionary import IntervalDictionary, read_evolution
from solvers.lie.placement import Density
from solvers.lie.planar.dictionary import PlanarDictionary
from solvers.lie.planar.normal_form import read_elliptic
from solvers.lie.polar.dictionary import PolarDictionary, read_polar
from solvers.lie.separated.dictionary import SeparatedDictionary
from solvers.lie.separated.operator import read_separable
from solvers.lie.statement import Statement
from solvers.lie.system_dictionary import SystemDictionary
from solvers.lie.tensor.dictionary import TensorDictionary, read_tensor
from solvers.lie.travelling.dictionary import TravellingDictionary, travelling_speed


class Dictionary(Protocol):
    """Atoms by level."""

    def levels(self) -> list[int]:
        """Sizes to try, growing."""

    def build(self, count: int) -> list[Atoms]:
        """Families of one size."""


def dictionary_of(statement: Statement) -> Dictionary | None:
    """The dictionary of a problem.

    Args:
        statement: A problem with linear equations.

    Returns:
        The dictionary; None where none is known.
    """
    problem = statement.problem
    if not problem.classification.homogeneous:
        return None
    frame = read_elliptic(statement)
    if frame is not None:
        return PlanarDictionary(statement, frame)
    if problem.time is not None and len(problem.coordinates) == 2 and statement.constant:
        evolution = read_evolution(statement)
        if evolution is not None:
            speed = travelling_speed(statement, evolution)
            return IntervalDictionary(statement, evolution) if speed is None else TravellingDictionary(statement, speed)
        return SystemDictionary(statement)
    coefficients = read_tensor(statement)
    if coefficients is not None:
        return TensorDictionary(statement, coefficients)
    disk = read_polar(statement)
    if disk is not None:
        return PolarDictionary(statement, disk)
    separable = None if statement.constant else read_separable(statement)
    if separable is not None:
        return SeparatedDictionary(statement, separable)
    return None


def made_of_data(statement: Statement) -> bool:
    """Whether the atoms of a problem are made of its data, so that they do not fit other data.

    Args:
        statement: A homogeneous problem.

    Returns:
        True for travelling profiles and products of modes in two dimensions.
    """
    problem = statement.problem
    if problem.time is None:
        return False
    if len(problem.space) > 1:
        return True
    evolution = read_evolution(statement) if statement.constant else None
    return evolution is not None and travelling_speed(statement, evolution) is not None


def densities(dictionary: Dictionary, count: int) -> tuple[Density, Density]:
    """Rows for the fit, and independent ones that judge it."""
    own = getattr(dictionary, "densities", None)
    if own is not None:
        return own(count)
    return Density(line=max(4, count // 6), order=12), Density(line=max(4, count // 6 + 1), order=9)
