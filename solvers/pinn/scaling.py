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
    owner: dict[str, list[str]] = {}
    terms = []
    for term in problem.terms:
        summands, names = [], []
        for name, expression in zip(term.components, term.expressions, strict=True):
            parts = sp.Add.make_args(expression)
            owner[name] = [f"{name} summand {i}" for i in range(len(parts))]
            summands += parts
            names += owner[name]
        terms.append(replace(term, expressions=tuple(summands), components=tuple(names)))
    # summands of an observed quantity are compared with the data apart: a value enters a row only once
    plain = replace_values(points)
    rows = ResidualSystem(problem, constraint, terms=terms).rows(model, plain, parameters=False)
    squares = {name: float(torch.nan_to_num(value, nan=0.0, posinf=0.0)) for name, value in rows.mean_squares().items()}
    sizes = {}
    for term in problem.terms:
        if term.observation is not None:
            squares[owner[term.components[0]][0] + " data"] = float(np.mean(term.observation.values**2))
            owner[term.components[0]].append(owner[term.components[0]][0] + " data")
        for name in term.components:
            if owner[name][0] in squares:
                sizes[name] = max(squares[part] for part in owner[name]) ** 0.5 or 1.0
    return sizes


def replace_values(points: PointSet) -> PointSet:
    """The points with every observed value 0."""
    return replace(points, value=np.where(np.isnan(points.value), np.nan, 0.0))
