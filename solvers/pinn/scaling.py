"""Sizes of fields and equations, so that one setting of the weights serves every problem."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import sympy as sp
import torch
from torch import nn

from sciml.compatibility import term_data
from sciml.expressions.data import evaluate_data
from sciml.ibvp import IBVP
from sciml.jets import field_atoms
from sciml.points import PointSet
from sciml.residuals import HardConstraint, ResidualSystem
from sciml.terms import Term

_POWERS = 10  # of ten that the size of a field may have


def field_statistics(problem: IBVP, points: PointSet) -> tuple[list[float], list[float]]:
    """Mean and spread of each field in the data of its initial, Dirichlet and observation terms.

    Args:
        problem: The problem.
        points: Points of its terms.

    Returns:
        Offsets and scales, both 0 where no data tell; scales are the spread, else the size.
    """
    samples: dict[sp.Expr, list[np.ndarray]] = {}
    for term in problem.terms:
        coordinates = points.of(term.name).coordinates if term.name in points.terms else np.zeros((0, 0))
        if term.kind == "interior" or not len(coordinates):
            continue
        for expression, data in zip(term.expressions, term_data(term, problem), strict=True):
            known = _plain_field(expression, problem)
            if known is None:
                continue
            if term.observation is not None:
                values = term.observation.values
            else:
                values = -evaluate_data(data, problem.coordinates, coordinates, problem.bounds)
            samples.setdefault(known, []).append(values)
    offsets, scales = [], []
    for known in problem.fields:
        parts = samples.get(known, [np.zeros(1)])
        mean = float(np.mean([part.mean() for part in parts]))
        spread = float(np.sqrt(max(np.mean((part - mean) ** 2) for part in parts)))
        offsets.append(mean)
        scales.append(spread if spread > 1e-6 * abs(mean) else abs(mean))
    return offsets, scales


def _plain_field(expression: sp.Expr, problem: IBVP) -> sp.Expr | None:
    """The field of a condition u = g."""
    moving = [part for part in sp.Add.make_args(expression) if field_atoms(part)]
    return moving[0] if len(moving) == 1 and moving[0] in problem.fields else None


def balance(problem: IBVP, constraint: HardConstraint | None, model: Any, points: PointSet, fields: list[int]) -> None:
    """Set the sizes of fields of which no data tell, so that they make as much in the equations as the rest.

    Where the wall is at zero and the source at 1e6, the field is large; so is the pressure of a fast flow. Of the
    powers of ten the one is taken for which Σ |log(size of the summands with the field / of those without)| is least.

    Args:
        problem: The problem.
        constraint: Hard constraint through which the network passes.
        model: The network at its start, with a buffer `scale`, which is changed.
        points: Points of the terms.
        fields: Numbers of these fields.
    """
    sets = []
    for term in problem.terms:
        place = points.of(term.name)
        if len(place) and not term.periodic and term.observation is None:
            split, owner = _summands(term)
            sets.append((ResidualSystem(problem, constraint, terms=[split]), place, split, owner))
    for number in fields:
        tried = {}
        for exponent in range(-_POWERS, _POWERS + 1):
            model.scale[number] = 10.0**exponent
            ratios = [_ratio(problem.fields[number], model, *one) for one in sets]
            tried[exponent] = sum(map(sum, ratios)) if any(ratios) else np.inf
        best = min(tried, key=lambda exponent: (tried[exponent], abs(exponent)))
        # one power of ten is less than what the random start decides
        model.scale[number] = 10.0**best if np.isfinite(tried[best]) and abs(best) > 1 else 1.0


def _ratio(
    known: sp.Expr, model: nn.Module, system: ResidualSystem, place: PointSet, split: Term, owner: dict[str, list[str]]
) -> list[float]:
    """|log| of the ratio of summands with a field to those without, where there are both."""
    squares = system.rows(model, place, parameters=False).mean_squares()
    inside = {name: known in field_atoms(e) for name, e in zip(split.components, split.expressions, strict=True)}
    found = []
    for parts in owner.values():
        own, rest = (
            max((float(squares[n]) for n in parts if inside[n] is kind), default=0.0) for kind in (True, False)
        )
        if 0 < own < np.inf and 0 < rest < np.inf:
            found.append(abs(np.log(own / rest)))
    return found


def component_sizes(
    problem: IBVP, constraint: HardConstraint | None, model: nn.Module, points: PointSet
) -> dict[str, float]:
    """Root mean square of the largest summand of every component, for the network as it is.

    Args:
        problem: The problem.
        constraint: Hard constraint through which the network passes.
        model: The network at its start.
        points: Points of the terms; terms without points are left out.

    Returns:
        Component name -> positive size.
    """
    first = problem.terms[0].name
    sizes = {}
    for term in problem.terms:
        place = points.of(term.name)
        if not len(place):
            continue
        split, owner = _summands(term)
        if term.periodic:  # on the faces a field may be small by chance: take its size inside
            split, place = replace(split, name=first, kind="interior", condition=None), points.of(first)
        # an observed value would enter the row of every summand
        place = replace(place, value=np.where(np.isnan(place.value), np.nan, 0.0))
        rows = ResidualSystem(problem, constraint, terms=[split]).rows(model, place, parameters=False)
        squares = {n: float(torch.nan_to_num(v, nan=0.0, posinf=0.0)) for n, v in rows.mean_squares().items()}
        data = float(np.mean(term.observation.values**2)) if term.observation is not None else 0.0
        for name, parts in owner.items():
            sizes[name] = max(data, *(squares[part] for part in parts)) ** 0.5 or 1.0
    return sizes


def _summands(term: Term) -> tuple[Term, dict[str, list[str]]]:
    """The term with every summand as a component of its own, and their names by component."""
    owner, summands = {}, []
    for name, expression in zip(term.components, term.expressions, strict=True):
        parts = sp.Add.make_args(expression)
        owner[name] = [f"{name} summand {i}" for i in range(len(parts))]
        summands += parts
    names = tuple(part for parts in owner.values() for part in parts)
    return replace(term, expressions=tuple(summands), components=names), owner
