"""Second-level explanation: which derivative or summand of a residual carries a point's influence."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp
import torch
from torch import Tensor

from influence.changes import rows_at
from influence.curvature import Curvature
from influence.groups import set_response
from influence.targets import Query, jet_gradients, point_array
from sciml.errors import PointsError, ProblemError, SolverError
from sciml.ibvp import IBVP
from sciml.jets import jet_expression
from sciml.points import PointSet
from sciml.record import TrainingRecord


@dataclass(frozen=True, eq=False)
class Explanation:
    """An influence split into parts.

    Attributes:
        parts: Name of a derivative or summand -> (n_query,); they sum to `total`.
        total: Influence of removing the point, (n_query,).
        identity: Point ID.
        target: The quantity.
    """

    parts: dict[str, np.ndarray]
    total: np.ndarray
    identity: int
    target: str

    @property
    def shares(self) -> dict[str, float]:
        """Mean absolute size of each part over that of all parts."""
        sizes = {name: float(np.abs(part).mean()) for name, part in self.parts.items()}
        whole = sum(sizes.values()) or 1.0
        return {name: size / whole for name, size in sorted(sizes.items(), key=lambda item: -item[1])}

    def __str__(self) -> str:
        """Parts, the largest first."""
        lines = [f"influence of point {self.identity} on {self.target}: mean {float(self.total.mean()):.3g}"]
        lines += [f"  {share:6.1%}  {name}" for name, share in self.shares.items()]
        return "\n".join(lines)


def explain_point(
    record: TrainingRecord, problem: IBVP | None, curvature: Curvature, identity: int, query: Query, by: str
) -> Explanation:
    """Split the influence of removing a point: ∇r = Σ_α ∂r/∂(D^α u) ∇D^α u.

    Args:
        record: The record.
        problem: Its problem.
        curvature: Its curvature.
        identity: Point ID.
        query: The quantity, to first order.
        by: "derivative" or "summand" of the equations and conditions.

    Returns:
        The parts.

    Raises:
        SolverError: If the record cannot split its rows.
        PointsError: If the point is unknown.
    """
    index = np.flatnonzero(record.rows.ids == identity)
    if not len(index):
        raise PointsError("the id of a point with rows", str(identity), "see influence.ids")
    if by not in ("derivative", "summand"):
        raise SolverError('by="derivative" or "summand"', repr(by), "")
    where = torch.tensor(index)
    z, _ = set_response(curvature, where, -torch.ones(len(index), dtype=torch.float64))
    directions = curvature.factor.solve(query.gradient.T)
    share = z * curvature.root[where]
    here = record.points.take(np.flatnonzero(record.points.ids == identity))
    split = _by_derivative if by == "derivative" else _by_summand
    blocks = split(record, problem, curvature.theta, here)
    parts = {name: ((share @ block) @ directions).numpy() for name, block in blocks.items()}
    total = (z @ curvature.row_products(query.gradient.T)[where]).numpy()
    return Explanation(parts, total, identity, query.name)


def _by_derivative(record: TrainingRecord, problem: IBVP | None, theta: Tensor, here: PointSet) -> dict[str, Tensor]:
    rows = rows_at(record, here)
    if rows.split is None or problem is None:
        raise SolverError("rows that can be split by derivative", "rows of a user's own", "solutions of PINN have them")
    return {
        key if isinstance(key, str) else str(jet_expression(key, problem.fields, problem.coordinates)): block
        for key, block in rows.split(theta).items()
    }


def _by_summand(record: TrainingRecord, problem: IBVP | None, theta: Tensor, here: PointSet) -> dict[str, Tensor]:
    if problem is None or record.rows.at is None:
        raise SolverError("rows of a problem", "rows of a user's own", "by='derivative' or a PINN solution")
    present = [name for name in here.terms if here.mask(name).any()]
    pieces = [sp.Add.make_args(sp.expand(e)) for name in present for e in problem.term(name).expressions]
    blocks: dict[str, Tensor] = {}
    total, start = sum(len(piece) > 0 for piece in pieces), 0
    for name in present:
        term, own = problem.term(name), here.of(name)
        for c, expression in enumerate(term.expressions):
            for summand in sp.Add.make_args(sp.expand(expression)):
                one = dataclasses.replace(term, expressions=(summand,), components=(term.components[c],))
                block = blocks.setdefault(str(summand), torch.zeros(total, len(theta), dtype=torch.float64))
                block[start + c] += record.rows.at(own, [one]).jacobian(theta)[1][0]
        start += len(term.expressions)
    return {name: block for name, block in blocks.items() if bool(block.any())}


def field_response(
    record: TrainingRecord, problem: IBVP | None, curvature: Curvature, query: Query, points: Any
) -> np.ndarray:
    """v_q = ∇u B⁻¹q at points: the row at x carries 2 w r times its linearised operator applied to v_q.

    Args:
        record: The record.
        problem: Its problem.
        curvature: Its curvature.
        query: The quantity.
        points: (n, d).

    Returns:
        (n_query, n, fields).

    Raises:
        ProblemError: If the record has no fields.
    """
    if problem is None or record.quantity is None:
        raise ProblemError("a record with fields", "rows of a user's own", "use a solution")
    where = torch.tensor(point_array(points, len(problem.coordinates)))
    jets = [(i, (0,) * len(problem.coordinates)) for i in range(len(problem.fields))]
    eye = torch.eye(len(jets), dtype=torch.float64).expand(len(where), -1, -1)
    slopes = jet_gradients(record, curvature.theta, where, jets, eye)
    return torch.einsum("nfp,pq->qnf", slopes, curvature.factor.solve(query.gradient.T)).numpy()
