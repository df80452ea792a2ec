"""A sparse fit: pursuit over fixed columns and moved atoms, then variable projection, again and again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.optimize

from solvers.lie.atoms import Atoms
from solvers.lie.rows import ConditionRows
from solvers.lie.sparse.projection import Projection, project, projected_jacobian
from solvers.lie.sparse.pursuit import pursue
from solvers.lie.sparse.templates import Template

_POOL = 256  # atoms drawn per template and round
_EVALUATIONS = 25  # of the residual, per round
_ROUNDS = 6


@dataclass(frozen=True, eq=False)
class SparseFit:
    """Few atoms and their amplitudes.

    Attributes:
        families: The atoms in use.
        amplitudes: Over all families.
        residual: Norm of the weighted rows.
    """

    families: list[Atoms]
    amplitudes: np.ndarray
    residual: float


class SparseProblem:
    """Weighted rows, fixed columns to choose from, and templates that move.

    Args:
        rows: Rows of the conditions.
        target: What the atoms are to meet, unweighted.
        families: Fixed atoms.
        templates: Moving ones.
    """

    def __init__(
        self, rows: ConditionRows, target: np.ndarray, families: list[Atoms], templates: list[Template]
    ) -> None:
        self.rows, self.weights, self.templates = rows, rows.row_weights, templates
        self.target, self.families = self.weights * target, families
        self.fixed = self._columns(families)
        self.fixed = np.where(np.isfinite(self.fixed).all(axis=0), self.fixed, 0.0)

    def _columns(self, families: list[Atoms]) -> np.ndarray:
        return self.weights[:, None] * self.rows.matrix(families)

    def moved(self, kind: int, theta: np.ndarray) -> np.ndarray:
        """Weighted columns of the atoms of one template."""
        return self._columns([self.templates[kind].atoms(theta)])

    def matrix(self, state: State) -> np.ndarray:
        """Fixed columns in use, then those of each template."""
        return np.hstack([self.fixed[:, state.fixed], *(self.moved(k, v) for k, v in state.moving.items())])

    def jacobian(self, state: State, at: Projection) -> np.ndarray:
        """∂r/∂θ, exact."""
        slopes, owners, column = [], [], len(state.fixed)
        for kind, theta in state.moving.items():
            template = self.templates[kind]
            parts = [self._columns([family]) for family in template.slopes(theta)]
            block = np.stack(parts, axis=2) * template.chain(theta)  # (N, n, p)
            slopes.append(block.reshape(len(block), -1))
            owners.append(column + np.repeat(np.arange(len(theta)), theta.shape[1]))
            column += len(theta)
        return projected_jacobian(at, np.hstack(slopes), np.concatenate(owners))


@dataclass(frozen=True, eq=False)
class State:
    """Which columns are in use: indices of fixed ones, parameters of moving ones by template."""

    fixed: np.ndarray
    moving: dict[int, np.ndarray]

    def __len__(self) -> int:
        """Number of atoms."""
        return len(self.fixed) + sum(map(len, self.moving.values()))

    @property
    def parameters(self) -> np.ndarray:
        """All θ as one vector."""
        return np.concatenate([np.zeros(0), *(theta.ravel() for theta in self.moving.values())])

    def at(self, vector: np.ndarray) -> State:
        """The same atoms at other θ."""
        moving, start = {}, 0
        for kind, theta in self.moving.items():
            moving[kind] = vector[start : start + theta.size].reshape(theta.shape)
            start += theta.size
        return State(self.fixed, moving)

    def take(self, keep: np.ndarray) -> State:
        """Some of the atoms, by a mask over all."""
        moving, start = {}, len(self.fixed)
        for kind, theta in self.moving.items():
            own = keep[start : start + len(theta)]
            start += len(theta)
            if own.any():
                moving[kind] = theta[own]
        return State(self.fixed[keep[: len(self.fixed)]], moving)


def sparse_fit(problem: SparseProblem, budget: int, accept: Callable[[SparseFit], bool], seed: int) -> SparseFit:
    """At most `budget` atoms: in each round the pool proposes, all parameters move, and idle atoms leave.

    Args:
        problem: Rows, columns, templates.
        budget: Most atoms.
        accept: Whether a fit is good enough to stop.
        seed: Seed of the pools.

    Returns:
        The best fit of all rounds.
    """
    state, best = State(np.zeros(0, dtype=int), {}), None
    for number in range(_ROUNDS):
        at = project(problem.matrix(state), problem.target) if len(state) else None
        share = -(-(budget - len(state)) // max(1, _ROUNDS - 1 - number))
        state = _extended(problem, state, at, share, seed + number)
        state = _refined(problem, state)
        at = project(problem.matrix(state), problem.target)
        state = _without_idle(state, at)
        if best is None or np.linalg.norm(at.residual) < best.residual:
            best = _gathered(problem, state)
            if accept(best):
                break
    assert best is not None
    return best


def _gathered(problem: SparseProblem, state: State) -> SparseFit:
    """The atoms in use, family by family, with their amplitudes."""
    at = project(problem.matrix(state), problem.target)
    families: list[Atoms] = []
    start = 0
    for family in problem.families:
        own = state.fixed[(state.fixed >= start) & (state.fixed < start + len(family))] - start
        start += len(family)
        if len(own):
            families.append(family.take(own))
    families += [problem.templates[kind].atoms(theta) for kind, theta in state.moving.items()]
    return SparseFit(families, at.amplitudes, float(np.linalg.norm(at.residual)))


def _extended(problem: SparseProblem, state: State, at: Projection | None, most: int, seed: int) -> State:
    """The pool's best columns added."""
    pools = [problem.fixed]
    drawn = []
    for kind, template in enumerate(problem.templates):
        theta = template.draw(_POOL, seed)
        columns = problem.moved(kind, theta)
        finite = np.isfinite(columns).all(axis=0)
        drawn.append(theta[finite])
        pools.append(columns[:, finite])
    chosen = pursue(np.hstack(pools), problem.target, most, None if at is None else at.basis)
    ends = np.cumsum([pool.shape[1] for pool in pools])
    moving = dict(state.moving)
    for kind in range(len(problem.templates)):
        own = [i - ends[kind] for i in chosen if ends[kind] <= i < ends[kind + 1]]
        if own:
            moving[kind] = np.concatenate([moving.get(kind, drawn[kind][:0]), drawn[kind][own]])
    fixed = np.sort(np.append(state.fixed, [i for i in chosen if i < ends[0]])).astype(int)
    return State(fixed, dict(sorted(moving.items())))


def _refined(problem: SparseProblem, state: State) -> State:
    """All parameters moved on the projected residual, by a trust region with bounds (Branch, Coleman & Li 1999)."""
    start = state.parameters
    if not len(start):
        return state
    boxes = [problem.templates[kind].box for kind, theta in state.moving.items() for _ in range(len(theta))]
    low, high = (np.concatenate([box[end] for box in boxes]) for end in (0, 1))
    memory: dict[bytes, Projection] = {}

    def projected(vector: np.ndarray) -> Projection:
        key = vector.tobytes()
        if key not in memory:
            memory.clear()
            memory[key] = project(problem.matrix(state.at(vector)), problem.target)
        return memory[key]

    found = scipy.optimize.least_squares(
        lambda v: projected(v).residual,
        np.clip(start, low + 1e-9 * (high - low), high - 1e-9 * (high - low)),
        lambda v: problem.jacobian(state.at(v), projected(v)),
        bounds=(low, high),
        x_scale=high - low,
        max_nfev=_EVALUATIONS,
    )
    return state.at(found.x)


def _without_idle(state: State, at: Projection) -> State:
    """Atoms whose part of the sum is far below the residual leave room for others."""
    parts = np.abs(at.amplitudes) * at.norms
    keep = parts > max(1e-2 * float(np.linalg.norm(at.residual)), 1e-14 * float(parts.max(initial=0.0)))
    return state.take(keep) if keep.any() else state
