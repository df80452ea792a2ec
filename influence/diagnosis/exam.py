"""Exam: the predictions of a solution that are asked about, in units of the spread of their field."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import sympy as sp
import torch
from torch import Tensor

from influence.diagnosis.scales import field_scales
from influence.functions import Influence
from influence.scores import Scores
from influence.targets import Query, Residual
from sciml.arguments import real_array, require_number
from sciml.errors import PointsError, SolverError, SolverWarning
from sciml.scales import Scales

_ROWS = 256  # residual rows asked about where a model has no fields


@dataclass(frozen=True, eq=False)
class Exam:
    """What a diagnosis rests on.

    Attributes:
        influence: Influence functions of the solution.
        solution: The solution, or None.
        at: Places of the predictions, (q, d), or None.
        targets: Targets with their names and spreads.
        accuracy: Change of a prediction that matters, in units of the spread.
        seed: Seed of held-out points and permutations.
        permutations: Draws of permutation tests.
    """

    influence: Influence
    solution: Any
    at: np.ndarray | None
    targets: tuple[tuple[Any, str, float], ...]
    accuracy: float
    seed: int
    permutations: int

    @cached_property
    def queries(self) -> list[Query]:
        """The targets with their gradients, in units of the spread."""
        made = []
        for target, name, spread in self.targets:
            query = self.influence.query(target, self.at)
            made.append(replace(query, value=query.value / spread, gradient=query.gradient / spread, name=name))
        return made

    @cached_property
    def gradient(self) -> Tensor:
        """Gradients of all predictions, (predictions, P)."""
        return torch.cat([query.gradient for query in self.queries])

    @cached_property
    def scores(self) -> Scores:
        """First-order influence of all points on all predictions, in units of the spread, target below target.

        To first order the influences of the rows of a point, a term or a region add up, as the indicators need.
        """
        parts = []
        for target, _, spread in self.targets:
            found = self.influence.scores(target, self.at, leverage=False)
            by_row = None if found.by_row is None else found.by_row / spread
            parts.append(replace(found, values=found.values / spread, by_row=by_row))
        first = parts[0]
        places = [part.query for part in parts if part.query is not None]
        query = np.concatenate(places) if len(places) == len(parts) else None
        rows = None if first.by_row is None else np.concatenate([part.by_row for part in parts])
        names = ", ".join(name for _, name, _ in self.targets)
        return replace(
            first, values=np.concatenate([part.values for part in parts]), query=query, target=names, by_row=rows,
            unit="change of the prediction in units of the spread of its field when the point is removed", before=None,
            _stability={},
        )  # fmt: skip

    def change(self, step: Tensor) -> float:
        """Root mean square change of the predictions when θ moves, in units of the spread."""
        return float((self.gradient @ step).square().mean().sqrt())

    @cached_property
    def scales(self) -> Scales | None:
        """Sizes of fields, where there is a problem."""
        return field_scales(self.influence)


def examine(
    solution: Any,
    target: Any = None,
    at: Any = None,
    accuracy: float = 0.01,
    queries: int = 256,
    permutations: int = 499,
    seed: int = 0,
) -> Exam:
    """Choose what to ask: every field at interior points, or the residual rows of a model without fields.

    Args:
        solution: A solution with a record, a record, or an `Influence`.
        target: What to ask instead: anything that `Influence.scores` takes.
        at: Where to ask it.
        accuracy: Change of a prediction that matters.
        queries: Number of interior points.
        permutations: Draws of permutation tests.
        seed: Seed.

    Returns:
        The exam.

    Raises:
        SolverError: If there is no training record, or an argument is out of range.
    """
    require_number(accuracy, "accuracy", above=0, most=1, fix="diagnose(solution, accuracy=0.01)")
    for name, number, least in (("queries", queries, 8), ("permutations", permutations, 99), ("seed", seed, 0)):
        require_number(number, name, least=least, whole=True, fix=f"diagnose(solution, {name}={max(least, 256)})")
    influence = solution if isinstance(solution, Influence) else _influence(solution)
    where = at
    if at is None and influence.problem is not None and (target is None or isinstance(target, sp.Expr)):
        time = None if influence.problem.time is None else influence.problem.bounds[-1]
        where = influence.problem.domain.sample(queries, "sobol", 1_000_003 + seed, time)
    where = None if where is None else real_array(where, "points (n, d)", PointsError)
    model = None if isinstance(solution, Influence) else solution
    return Exam(influence, model, where, _targets(influence, target, where), accuracy, seed, permutations)


def _influence(solution: Any) -> Influence:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SolverWarning)  # what they say is part of the diagnosis
        return Influence(solution, settle=False)  # the model as it is, not the minimum beside it


def _targets(influence: Influence, target: Any, at: np.ndarray | None) -> tuple[tuple[Any, str, float], ...]:
    if target is not None:
        query = influence.query(target, at)
        return ((target, query.name, _spread(query.value)),)
    if influence.problem is None or influence.record.quantity is None:
        return _residuals(influence)
    scales = field_scales(influence)
    assert scales is not None
    asked = []
    for known, size in zip(influence.problem.fields, scales.fields, strict=True):
        try:
            influence.query(known, at)
        except SolverError:  # a field that no parameter moves
            continue
        asked.append((known, str(known.func), size))
    if not asked:
        raise SolverError(
            "a field that depends on the parameters", "none does",
            "every prediction is fixed by hard constraints, or all gradients have vanished",
        )  # fmt: skip
    return tuple(asked)


def _residuals(influence: Influence) -> tuple[tuple[Any, str, float], ...]:
    """Fits to rows: the rows themselves say how predictions move."""
    asked: list[tuple[Any, str, float]] = []
    terms = [name for name in influence.record.points.terms if influence.record.points.mask(name).any()]
    for name in terms:
        ids = influence.record.points.ids_of(name)
        query = influence.query(Residual(name, ids[:: 1 + len(terms) * len(ids) // _ROWS]))
        movable = float(torch.linalg.vector_norm(query.gradient @ influence.record.parameters.double()))
        spread = max(_spread(query.value), movable / len(query.value) ** 0.5) or 1.0
        asked.append((Residual(name, ids[:: 1 + len(terms) * len(ids) // _ROWS]), f"residual of {name}", spread))
    return tuple(asked)


def _spread(values: Tensor) -> float:
    """Standard deviation; the size of what does not vary."""
    spread = float(values.std(unbiased=False)) if values.numel() > 1 else 0.0
    size = float(values.abs().max())
    return max(spread, 1e-3 * size) or 1.0
