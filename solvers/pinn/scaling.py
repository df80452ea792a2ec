"""Sizes of fields and equations, so that one setting of the weights serves every problem."""

from __future__ import annotations

from dataclasses import replace

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


def field_statistics(problem: IBVP, points: PointSet) -> tuple[list[float], list[float]]:
    """Mean and spread of each field in the data of its initial, Dirichlet and observation terms.

    Args:
        problem: The problem.
        points: Points of its terms.

    Returns:
        Offsets, 0 where no data tell, and positive scales: the spread, else the size, else 1.
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
        scales.append(spread if spread > 1e-6 * abs(mean) else abs(mean) or 1.0)
    return offsets, scales


def _plain_field(expression: sp.Expr, problem: IBVP) -> sp.Expr | None:
    """The field of a condition u = g."""
    moving = [part for part in sp.Add.make_args(expression) if field_atoms(part)]
    return moving[0] if len(moving) == 1 and moving[0] in problem.fields else None


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
