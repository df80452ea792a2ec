"""Nodal values that are prescribed or equal: u = P z + G g(t) with free values z and data g."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import sympy as sp
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from sciml.conditions import normal
from sciml.errors import NotSymbolicError, SolverError
from sciml.expressions.data import evaluate_data
from sciml.ibvp import IBVP
from solvers.reference.space import Space
from solvers.reference.weak_form import WeakForm


def sampled(
    expression: sp.Expr, problem: IBVP, points: np.ndarray, t: float | None = None, normals: np.ndarray | None = None
) -> np.ndarray:
    """Values of data or coefficients, limits from inside at the ends of ranges, refused where not finite.

    Args:
        expression: Expression of the coordinates and the normal.
        problem: The problem.
        points: (n, d) in space.
        t: Time.
        normals: (n, d), needed where the expression has components of the normal.

    Returns:
        (n,).

    Raises:
        SolverError: If a value is not finite.
    """
    columns, symbols, bounds = [points], list(problem.coordinates), list(problem.bounds)
    if problem.time is not None:
        columns.append(np.full((len(points), 1), t))
    if normals is not None:
        components = normal(*problem.space)
        symbols += components if isinstance(components, tuple) else [components]
        bounds += [(np.nan, np.nan)] * normals.shape[1]  # no ends
        columns.append(normals)
    values = evaluate_data(problem.substitute(expression), symbols, np.hstack(columns), bounds)
    if not np.isfinite(values).all():
        place = points[~np.isfinite(values)][0]
        given = f"{expression} at {tuple(map(float, place))}" + (f", {problem.time[0]} = {t:g}" if problem.time else "")
        raise SolverError("finite data and coefficients", given, "finite elements need them up to the boundary")
    return values


@dataclass(frozen=True)
class _Group:
    data: sp.Expr
    points: np.ndarray


@dataclass(frozen=True)
class Constraints:
    """Prescribed and periodic nodal values of all fields, field after field.

    Attributes:
        projection: P, sparse (m N, free).
        spread: G, sparse (m N, prescribed).
        problem: The problem.
        groups: Data and places of the prescribed values, in the order of the columns of G.
        free: Index into the m N values that represents each free value.
        prescribed: The same for the prescribed ones.
    """

    projection: csr_matrix
    spread: csr_matrix
    problem: IBVP
    groups: tuple[_Group, ...]
    free: np.ndarray
    prescribed: np.ndarray

    def data(self, t: float | None) -> np.ndarray:
        """g(t)."""
        parts = [sampled(group.data, self.problem, group.points, t) for group in self.groups]
        return np.concatenate(parts) if parts else np.zeros(0)

    def rate(self, t: float, order: int, step: float) -> np.ndarray:
        """g'(t) or g''(t): by SymPy, or where it cannot, by differences into the past.

        Args:
            t: Time.
            order: 1 or 2.
            step: Spacing of the differences; t - 3 step lies in the time interval.

        Returns:
            One value per prescribed value.
        """
        parts = [self._rate(group, t, order, step) for group in self.groups]
        return np.concatenate(parts) if parts else np.zeros(0)

    def _rate(self, group: _Group, t: float, order: int, step: float) -> np.ndarray:
        symbol = self.problem.time[0]  # type: ignore[index]
        try:
            slope = group.data.diff(symbol, order)
            if not slope.has(sp.DiracDelta, sp.Derivative, sp.Subs):
                return sampled(slope, self.problem, group.points, t)
        except NotSymbolicError:
            pass
        weights = {1: (1.5, -2.0, 0.5), 2: (2.0, -5.0, 4.0, -1.0)}[order]
        values = [w * sampled(group.data, self.problem, group.points, t - i * step) for i, w in enumerate(weights)]
        return np.sum(values, axis=0) / step**order


def build_constraints(problem: IBVP, form: WeakForm, space: Space) -> Constraints:
    """Collect prescribed and periodic values.

    Where two value conditions meet in a corner, the first of the problem counts.

    Args:
        problem: The problem.
        form: Its weak form.
        space: The space.

    Returns:
        The constraints.
    """
    n, m = len(space.nodes), len(problem.fields)
    labels, groups, owners = [], [], []
    fixed: dict[int, int] = {}
    offset = 0
    for field in range(m):
        label = offset + _periodic_labels(field, problem, form, space)
        offset = int(label.max()) + 1
        labels.append(label)
        for row in form.rows:
            if row.field != field or row.gradient is not None:
                continue
            nodes = np.unique(np.concatenate([space.face_nodes[face] for face in row.faces]))
            nodes = np.array([k for k in nodes if label[k] not in fixed and not fixed.update({label[k]: len(fixed)})])
            if len(nodes):
                groups.append(_Group(row.data, space.nodes[nodes]))
                owners.append(field * n + nodes)
    label = np.concatenate(labels)
    is_fixed = np.isin(label, list(fixed))
    free_labels, free = np.unique(label[~is_fixed], return_index=True)
    free = np.flatnonzero(~is_fixed)[free]
    columns = np.searchsorted(free_labels, label[~is_fixed])
    projection = csr_matrix((np.ones(len(columns)), (np.flatnonzero(~is_fixed), columns)), (m * n, len(free)))
    columns = np.array([fixed[k] for k in label[is_fixed]], dtype=int)
    spread = csr_matrix((np.ones(len(columns)), (np.flatnonzero(is_fixed), columns)), (m * n, len(fixed)))
    prescribed = np.concatenate(owners) if owners else np.zeros(0, dtype=int)
    return Constraints(projection, spread, problem, tuple(groups), free, prescribed)


def _periodic_labels(field: int, problem: IBVP, form: WeakForm, space: Space) -> np.ndarray:
    """Equal numbers for nodes that a periodic condition identifies."""
    n, pairs = len(space.nodes), []
    for index, first, second in form.periodic:
        if index == field:
            pairs.append(_matched(problem, space, first, second))
    links = np.concatenate(pairs) if pairs else np.zeros((0, 2), dtype=int)
    graph = coo_matrix((np.ones(len(links)), (links[:, 0], links[:, 1])), shape=(n, n))
    return connected_components(graph, directed=False)[1]


def _matched(problem: IBVP, space: Space, first: str, second: str) -> np.ndarray:
    """Pairs of nodes that differ only in the coordinate across both faces."""
    axis = problem.space.index(problem.face_axis(first))
    a, b = space.face_nodes[first], space.face_nodes[second]
    across = np.delete(space.nodes, axis, axis=1)
    if across.shape[1] == 0:
        return np.array([[a[0], b[0]]])
    if len(a) == len(b):
        gap, index = cKDTree(across[b]).query(across[a])
        if gap.max() < 1e-8 * problem.domain.size and len(set(index)) == len(index):
            return np.column_stack([a, b[index]])
    raise SolverError(
        "equal nodes on both faces of a periodic condition",
        f"{len(a)} nodes on {first}, {len(b)} on {second}",
        "another mesh_size, small enough for the details near one of them",
    )
