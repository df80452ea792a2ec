"""Dictionary of a constant-coefficient evolution on a rectangle with homogeneous sides."""

from __future__ import annotations

import numpy as np
import sympy as sp

from sciml.callables import is_numeric_only
from sciml.compatibility import term_data
from sciml.expressions.data import evaluate_data
from sciml.geometry import Rectangle
from solvers.lie.atoms import Atoms
from solvers.lie.breaks import gauss, kinks
from solvers.lie.modes import sturm_liouville
from solvers.lie.placement import Density
from solvers.lie.statement import Statement
from solvers.lie.tensor.tensor_atoms import TensorAtoms, axis_table


class TensorDictionary:
    """Products of the modes of both axes, with the coefficients of the initial data: one atom a datum.

    Args:
        statement: The problem.
        coefficients: By orders (x, y, t), as read by `read_tensor`.
    """

    def __init__(self, statement: Statement, coefficients: dict[tuple[int, ...], float]) -> None:
        self.statement, self.coefficients = statement, coefficients
        self.lead = np.array([coefficients[2, 0, 0], coefficients[0, 2, 0]])
        self.slope = np.array([coefficients.get(o, 0.0) for o in ((1, 0, 0), (0, 1, 0))])
        self.drift = -self.slope / (2 * self.lead) + 0.0
        self.bounds = statement.bounds
        self.order = max(o[2] for o in coefficients)

    def levels(self) -> list[int]:
        """Modes per axis."""
        return [16, 32, 64, 96]

    def densities(self, count: int) -> tuple[Density, Density]:
        """Rows at the start, and few on the sides, which are met exactly."""
        line = max(4, count // 8)
        return Density(line=line, order=7), Density(line=line + 1, order=6)

    def build(self, count: int) -> list[Atoms]:
        """The sums with a number of modes per axis.

        Args:
            count: Modes per axis.

        Returns:
            One family.
        """
        axes = (self._modes(0, count), self._modes(1, count))
        constant = self.coefficients.get((0, 0, 0), 0.0) - float((self.slope**2 / (4 * self.lead)).sum())
        stiffness = constant - self.lead[0] * axes[0][:, :1] - self.lead[1] * axes[1][:, 0]
        first, second = (self.coefficients.get((0, 0, k), 0.0) for k in (1, 2))
        if self.order == 1:
            clocks = np.stack([np.zeros_like(stiffness), stiffness / first])
        else:
            clocks = np.stack([np.full_like(stiffness, first / (2 * second)), stiffness / second])
        found, velocity = [], []
        for data, moving in self._initial():
            found.append(self._projected(data, axes, count))
            velocity.append(moving)
        t = self.statement.coordinates[2]
        names = self.statement.generators(
            "homogeneity", *(f"translation {s}" for s in (*self.statement.coordinates[:2], t))
        )
        return [TensorAtoms(self.drift, self.bounds[:, 0].copy(), axes, clocks, self.order, np.array(found),
                            np.array(velocity), generators=names)]  # fmt: skip

    def _modes(self, axis: int, count: int) -> np.ndarray:
        sides = self.statement.sides
        assert sides is not None
        problem = self.statement.problem
        low, high = sorted((f for f in sides if problem.face_axis(f) == problem.space[axis]),
                           key=lambda f: problem.domain.sample_face(f, 1)[0, axis])  # fmt: skip
        alpha, ends = float(self.drift[axis]), []
        for face, sign in ((low, -1.0), (high, 1.0)):
            side = sides[face]
            ends.append((side.value + sign * side.slope * alpha, sign * side.slope))
        length = float(self.bounds[axis, 1] - self.bounds[axis, 0])
        return np.array(sturm_liouville(length, ends[0], ends[1], count))

    def _initial(self) -> list[tuple[sp.Expr, bool]]:
        found = []
        for term in self.statement.problem.terms:
            if term.kind == "initial":
                (data,) = term_data(term, self.statement.problem)
                if data != 0:
                    found.append((-data, bool(term.expressions[0].atoms(sp.Derivative))))
        return found

    def _projected(self, data: sp.Expr, axes: tuple[np.ndarray, np.ndarray], count: int) -> np.ndarray:
        """Coefficients in the modes, which are orthogonal, by quadrature."""
        rules, tables = [], []
        for axis, modes in enumerate(axes):
            low, high = self.bounds[axis]
            ends = [*np.linspace(low, high, count // 2 + 5), *self._breaks(data, axis)]
            nodes, weights = gauss(np.unique(np.array(ends).round(15)), 8)
            table = axis_table(modes, nodes - low)
            rules.append(nodes)
            tables.append(weights[:, None] * table / (weights @ table**2))
        grid = np.stack(np.meshgrid(*rules, indexing="ij"), axis=-1).reshape(-1, 2)
        time = np.full((len(grid), 1), self.bounds[2, 0])
        values = evaluate_data(data, self.statement.coordinates, np.hstack([grid, time]))
        values = values * np.exp(-(grid - self.bounds[:2, 0]) @ self.drift)
        return np.asarray(tables[0].T @ values.reshape(len(rules[0]), len(rules[1])) @ tables[1])

    def _breaks(self, data: sp.Expr, axis: int) -> list[float]:
        symbol, (low, high) = self.statement.coordinates[axis], self.bounds[axis]
        return kinks(data, symbol, float(low), float(high))


def read_tensor(statement: Statement) -> dict[tuple[int, ...], float] | None:
    """Coefficients by orders (x, y, t) where products of modes solve the problem; None elsewhere.

    Args:
        statement: A problem.

    Returns:
        The coefficients, for a Rectangle, constant coefficients without mixed derivatives, initial data, and a
        homogeneous value, slope or Robin condition on every side.
    """
    problem = statement.problem
    plain = statement.count == 1 and problem.time is not None and isinstance(problem.domain, Rectangle)
    if not plain or not statement.constant or statement.sides is None:
        return None
    if any(side.data != 0 for side in statement.sides.values()):
        return None
    if any(term.kind not in {"interior", "initial", "boundary"} for term in problem.terms):
        return None
    found = {tuple(orders): float(sp.simplify(c)) for (_, orders), c in statement.forms[0].coefficients.items()}
    found = {orders: c for orders, c in found.items() if c}
    order = max((o[2] for o in found), default=0)
    allowed = {(2, 0, 0), (0, 2, 0), (1, 0, 0), (0, 1, 0), (0, 0, 0), *((0, 0, k) for k in range(1, order + 1))}
    if not 1 <= order <= 2 or set(found) - allowed or not {(2, 0, 0), (0, 2, 0)} <= set(found):
        return None
    numeric = any(is_numeric_only(d) for term in problem.terms for d in term_data(term, problem))
    stable = all(found[o] * found[0, 0, order] < 0 for o in ((2, 0, 0), (0, 2, 0)))
    return found if stable and not numeric else None
