"""Missing terms: which product of fields and derivatives the residual of an equation looks like once data are trusted.

If an equation N(u) = 0 lacks a term c·g(u), the true u leaves the residual N(u) = -c g(u). The fit is a compromise
between N and the data; it is moved to where the data weigh much more, by the exact linear response to new weights, and
its residual is compared with a library of terms, as in sparse regression (Brunton, Proctor & Kutz 2016, PNAS 113,
3932).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import sympy as sp
import torch

from influence.diagnosis.self_influence import row_kinds
from influence.functions import Influence
from influence.groups import set_response
from sciml.errors import ScimlError
from sciml.jets import Jet, jet_expression

_TRUST = 100.0  # weight of the data over their own


@dataclass(frozen=True)
class Suspect:
    """A term that may be missing, or present with a wrong coefficient.

    Attributes:
        term: The term g.
        explained: Share R² of the residual's square that c·g explains.
        coefficient: c, as a term to be added to the left side of the equation; only its sign and order are reliable.
    """

    term: sp.Expr
    explained: float
    coefficient: float

    def __str__(self) -> str:
        """Coefficient, term, share."""
        return f"{self.coefficient:+.2g}·{self.term} ({self.explained:.0%} of the residual)"


def missing_terms(influence: Influence, equation: str) -> list[Suspect]:
    """Terms that explain the residual of an equation, the best first.

    Args:
        influence: Influence of a solution of a problem with observations.
        equation: Component name.

    Returns:
        Suspects; empty without observations or a problem.
    """
    problem, record = influence.problem, influence.record
    kinds, labels = row_kinds(influence), record.rows.labels.astype(str)
    data = np.flatnonzero(~np.isin(kinds, ["equation", "condition"]))
    curvature = influence.curvature
    if problem is None or record.quantity is None or not len(data) or curvature.rows is None:
        return []
    index = torch.tensor(data)
    try:
        z, _ = set_response(curvature, index, torch.full((len(data),), _TRUST - 1, dtype=torch.float64))
    except ScimlError:
        return []
    step = curvature.solve_rows(z, index)
    rows = np.flatnonzero(labels == equation)
    moved = (curvature.residual + curvature.rows @ step)[torch.tensor(rows)] / curvature.root[torch.tensor(rows)]
    place = torch.tensor(record.points.locate(record.rows.ids[rows]))
    terms = _library(influence)
    jets = list(dict.fromkeys(jet for term in terms for jet in term))
    with torch.no_grad():
        values = record.quantity(curvature.theta + step, place, jets).detach().numpy()
    found = []
    for term in terms:
        column = np.prod([values[:, jets.index(jet)] for jet in term], axis=0) if term else np.ones(len(rows))
        norm = float(column @ column)
        if norm > 0:
            slope = float(column @ moved.numpy()) / norm
            explained = slope**2 * norm / max(float(moved @ moved), 1e-300)
            shape = sp.Mul(*[jet_expression(jet, problem.fields, problem.coordinates) for jet in term])
            found.append(Suspect(shape, explained, -slope))
    return sorted(found, key=lambda one: -one.explained)


def _library(influence: Influence) -> list[tuple[Jet, ...]]:
    """Products of jets: 1, powers of fields, first derivatives alone and carried by fields, second derivatives."""
    problem = influence.problem
    assert problem is not None
    dimension, count = len(problem.coordinates), len(problem.fields)
    space = range(len(problem.space))

    def jet(k: int, *axes: int) -> Jet:
        return (k, tuple(axes.count(i) for i in range(dimension)))

    fields = [jet(k) for k in range(count)]
    first = [jet(k, i) for k in range(count) for i in space]
    second = [jet(k, i, j) for k in range(count) for i, j in itertools.combinations_with_replacement(space, 2)]
    return [(), *((f,) for f in fields), *((f, g) for f, g in itertools.combinations_with_replacement(fields, 2)),
            *((f, f, f) for f in fields), *((d,) for d in first), *((f, d) for f in fields for d in first),
            *((d,) for d in second)]  # fmt: skip
