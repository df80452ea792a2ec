"""Nodal values that are prescribed or equal: u = P z + G g(t) with free values z and data g."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import sympy as sp
from scipy.sparse import block_diag, coo_matrix, csr_matrix, identity
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from sciml.errors import NotSymbolicError, SolverError
from sciml.ibvp import IBVP
from solvers.reference.data import sampled
from solvers.reference.space import Space
from solvers.reference.weak_form import FaceRow, WeakForm


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

    Where two value conditions meet in a corner, the first of the problem counts; for a velocity, that of the face to
    which it is normal.

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
    own = np.ones((m, n), dtype=bool)  # nodes that hold a value of their own
    own[list(form.multipliers)] = space.vertices
    for field in range(m):
        label = offset + _periodic_labels(field, problem, form, space)
        offset = int(label.max()) + 1
        labels.append(label)
        for row, face in _in_order(field, problem, form):
            nodes = space.face_nodes[face][own[field, space.face_nodes[face]]]
            nodes = np.array([k for k in nodes if label[k] not in fixed and not fixed.update({label[k]: len(fixed)})])
            if len(nodes):
                groups.append(_Group(row.data, space.nodes[nodes]))
                owners.append(field * n + nodes)
    label, active = np.concatenate(labels), own.ravel()
    known = np.isin(label, list(fixed))
    is_free, is_fixed = np.flatnonzero(~known & active), np.flatnonzero(known & active)
    free_labels, first = np.unique(label[is_free], return_index=True)
    free = is_free[first]
    columns = np.searchsorted(free_labels, label[is_free])
    projection = csr_matrix((np.ones(len(columns)), (is_free, columns)), (m * n, len(free)))
    columns = np.array([fixed[k] for k in label[is_fixed]], dtype=int)
    spread = csr_matrix((np.ones(len(columns)), (is_fixed, columns)), (m * n, len(fixed)))
    if form.multipliers:
        lower = [space.lowered() if k in form.multipliers else identity(n) for k in range(m)]
        lowering = csr_matrix(block_diag(lower))
        projection, spread = csr_matrix(lowering @ projection), csr_matrix(lowering @ spread)
    prescribed = np.concatenate(owners) if owners else np.zeros(0, dtype=int)
    return Constraints(projection, spread, problem, tuple(groups), free, prescribed)


def _in_order(field: int, problem: IBVP, form: WeakForm) -> list[tuple[FaceRow, str]]:
    """Value conditions of a field face by face; those of a velocity first where it is normal to the face.

    So nothing leaks through a wall beside a moving lid, where both give a value at the corner.

    Args:
        field: Index of the field.
        problem: The problem.
        form: Its weak form.

    Returns:
        Conditions and faces; earlier ones own the nodes that they share.
    """
    pairs = [(row, face) for row in form.rows if row.field == field and row.gradient is None for face in row.faces]
    axes = [entry.trial for k in form.multipliers for entry in form.equations[k].entries if entry.field == field]
    if len(axes) == 1 and axes[0] is not None:
        axis = axes[0]
        normals = {face: problem.domain.normals(face, problem.domain.sample_face(face, 8)) for _, face in pairs}
        pairs.sort(key=lambda pair: -round(float(np.abs(normals[pair[1]][:, axis]).mean()), 6))
    return pairs


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
