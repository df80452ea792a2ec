"""The semi-discrete system M2 u'' + M1 u' + K u + N(u) = F with constraints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import sympy as sp
from scipy.sparse import coo_matrix, csr_matrix, diags

from sciml.conditions import normal
from sciml.errors import SolverError
from sciml.ibvp import IBVP
from solvers.reference.constraints import Constraints, build_constraints
from solvers.reference.data import sampled
from solvers.reference.factor import Factor
from solvers.reference.nonlinear_terms import NonlinearTerms
from solvers.reference.ordering import nested_dissection
from solvers.reference.outflow import check_outflow
from solvers.reference.space import Quadrature, Space
from solvers.reference.weak_form import Entry, FaceRow, Matrix, WeakForm


@dataclass(frozen=True)
class _Block:
    """A part of a matrix (column given) or of the load (column None)."""

    row: int
    column: int | None
    order: int
    moving: bool
    build: Callable[[float | None], csr_matrix | np.ndarray]


class System:
    """Matrices and loads of a problem on a space.

    Args:
        problem: The problem.
        form: Its weak form.
        space: The space.

    Raises:
        SolverError: If a face lacks a condition, or one cannot replace the conormal derivative.
    """

    def __init__(self, problem: IBVP, form: WeakForm, space: Space) -> None:
        self.problem, self.form, self.space = problem, form, space
        self.size = len(space.nodes)
        self.constraints: Constraints = build_constraints(problem, form, space)
        self._symbol = problem.time[0] if problem.time else None
        self._blocks: list[_Block] = []
        for condition in form.rows:
            if condition.gradient is not None and condition.field not in form.equations[condition.field].principal:
                given = f"one on {problem.field_names[condition.field]}, whose equation has no second derivatives of it"
                raise SolverError("derivative conditions where the equation is of second order", given, "use a PINN")
        check_outflow(problem, form)
        for row, equation in enumerate(form.equations):
            for entry in equation.entries:
                self._volume(row, entry)
            if equation.source != 0:
                self._load(row, space.cells, -equation.source)
            for column, matrix in equation.principal.items():
                for face in problem.faces:
                    self._face(row, column, matrix, face)
        self.nonlinear = None
        if form.nonlinear:
            self.nonlinear = NonlinearTerms(problem, tuple(equation.nonlinear for equation in form.equations), space)
        self._static: dict[int | None, csr_matrix | np.ndarray] = {}
        self._kept: dict[tuple, Factor] = {}
        self.measure = float(space.cells.weights.sum())

    def moves(self, *expressions: sp.Expr) -> bool:
        """Whether any of the expressions depends on time."""
        return any(self._symbol in expression.free_symbols for expression in expressions)

    def _sampled(self, expression: sp.Expr, q: Quadrature, t: float | None) -> np.ndarray:
        return sampled(expression, self.problem, q.points, t, q.normals)

    def _volume(self, row: int, entry: Entry) -> None:
        q = self.space.cells
        left = q.values if entry.test is None else q.slopes[entry.test]
        right = q.values if entry.trial is None else q.slopes[entry.trial]

        def build(t: float | None) -> csr_matrix:
            return left.T @ diags(q.weights * self._sampled(entry.coefficient, q, t)) @ right

        self._blocks.append(_Block(row, entry.field, entry.order, self.moves(entry.coefficient), build))

    def _load(self, row: int, q: Quadrature, expression: sp.Expr) -> None:
        def build(t: float | None) -> np.ndarray:
            return q.values.T @ (q.weights * self._sampled(expression, q, t))

        self._blocks.append(_Block(row, None, 0, self.moves(expression), build))

    def _face(self, row: int, column: int, matrix: Matrix, face: str) -> None:
        """∮ v n·A∇u on one face, with the condition of the field put in."""
        own = [r for r in self.form.rows if r.field == column and face in r.faces]
        flux = [r for r in own if r.gradient is not None]
        if len(own) > 1 and flux:
            given = f"{len(own)} conditions on {self.problem.field_names[column]} on {face}"
            raise SolverError("one condition per field and face for finite elements", given, "use a PINN, or drop one")
        if any(r.field == row and r.gradient is None and face in r.faces for r in self.form.rows):
            return  # test functions vanish there
        periodic = {index for index, *faces in self.form.periodic if face in faces}
        if {row, column} <= periodic:
            return self._check_periodic(column, matrix, face)
        q = self.space.faces[face]
        normals = _normal(self.problem)
        conormal = [sp.Add(*[n * c for n, c in zip(normals, part, strict=True)]) for part in zip(*matrix, strict=True)]
        if flux:
            self._flux(row, column, q, conormal, flux[0], face)
        elif own:  # value given for u, but not for the test function: n·A∇u stays as it is
            for axis, component in enumerate(conormal):
                self._oblique(row, column, q, axis, component)
        elif max(np.abs(self._sampled(c, q, self.inner_time())).max() for c in conormal) > 0:
            raise SolverError(
                f"a condition on {self.problem.field_names[column]} on {face}, across which it has second derivatives",
                "none",
                f"add Dirichlet, Neumann, Robin or Periodic there; Neumann({self.problem.field_names[column]}, 0) is a "
                "wall without flux",
            )
        return None

    def inner_time(self) -> float | None:
        """A time inside the interval that is no special one."""
        return None if self._symbol is None else float(np.dot([0.381966, 0.618034], self.problem.bounds[-1]))

    def _check_periodic(self, column: int, matrix: Matrix, face: str) -> None:
        """The boundary terms of both faces cancel only where the coefficients are periodic too."""
        pairs = [(a, b) for index, a, b in self.form.periodic if index == column and face == a]
        t = self.inner_time()
        for first, second in pairs:
            one, other = (self.space.faces[name] for name in (first, second))
            axis = self.problem.space.index(self.problem.face_axis(first))
            shifted = one.points.copy()
            shifted[:, axis] = other.points[0, axis]
            for coefficient in (c for line in matrix for c in line if c.free_symbols):
                here, there = (sampled(coefficient, self.problem, p, t) for p in (one.points, shifted))
                if np.abs(here - there).max() > 1e-9 * (np.abs(here).max() + np.abs(there).max()):
                    raise SolverError("equal coefficients on periodic faces", f"{coefficient} on {first} and {second}",
                                      "state the flux balance with a PINN")  # fmt: skip

    def _oblique(self, row: int, column: int, q: Quadrature, axis: int, component: sp.Expr) -> None:
        """∮ v c ∂_axis u."""
        if component == 0:
            return

        def build(t: float | None) -> csr_matrix:
            return q.values.T @ diags(q.weights * self._sampled(component, q, t)) @ q.slopes[axis]

        self._blocks.append(_Block(row, column, 0, self.moves(component), build))

    def _flux(
        self, row: int, column: int, q: Quadrature, conormal: list[sp.Expr], condition: FaceRow, face: str
    ) -> None:
        assert condition.gradient is not None
        normals = _normal(self.problem)
        across = sp.Add(*[n * c for n, c in zip(normals, conormal, strict=True)])
        direct = sp.Add(*[n * g for n, g in zip(normals, condition.gradient, strict=True)])
        unit = {normals[-1] ** 2: 1 - sp.Add(*[n**2 for n in normals[:-1]])}
        across, direct = sp.expand(sp.expand(across).subs(unit)), sp.expand(sp.expand(direct).subs(unit))
        sizes = [np.abs(self._sampled(e, q, self.inner_time())) for e in (across, direct)]
        if ((sizes[1] < 1e-8 * sizes[1].max(initial=1e-300)) & (sizes[0] > 0)).any() or not sizes[1].any():
            raise SolverError(
                "a derivative condition that is not tangential to its face",
                f"{condition.gradient} on {face}",
                "use a PINN for this problem",
            )
        if not sizes[0].any():
            given = f"{condition.gradient} on {face}, across which there are no second derivatives"
            raise SolverError("derivative conditions only where the equation is of second order", given, "drop it")
        share = across / direct
        for axis in range(len(normals)):
            left_over = sp.expand(sp.expand(conormal[axis] - share * condition.gradient[axis]).subs(unit))
            if left_over != 0 and np.abs(self._sampled(left_over, q, self.inner_time())).max() > 1e-13 * sizes[0].max():
                self._oblique(row, column, q, axis, left_over)
        if condition.data != 0:
            self._load(row, q, -share * condition.data)
        for other, beta in condition.values.items():
            self._mass(row, other, q, -share * beta)
        for other, gradient in condition.others.items():
            for axis, component in enumerate(gradient):
                self._oblique(row, other, q, axis, sp.expand(-share * component))

    def _mass(self, row: int, column: int, q: Quadrature, coefficient: sp.Expr) -> None:
        def build(t: float | None) -> csr_matrix:
            return q.values.T @ diags(q.weights * self._sampled(coefficient, q, t)) @ q.values

        self._blocks.append(_Block(row, column, 0, self.moves(coefficient), build))

    def matrix(self, order: int, t: float | None) -> csr_matrix:
        """K (order 0), M1 or M2 at a time, (m N, m N)."""
        blocks = [b for b in self._blocks if b.column is not None and b.order == order]
        if order not in self._static:
            self._static[order] = self._summed([b for b in blocks if not b.moving], t)
        moving = [b for b in blocks if b.moving]
        return self._static[order] + self._summed(moving, t) if moving else self._static[order]

    def _summed(self, blocks: list[_Block], t: float | None) -> csr_matrix:
        size = self.size * len(self.form.equations)
        parts: list[coo_matrix] = [coo_matrix(b.build(t)) for b in blocks]
        rows = [p.row + self.size * b.row for p, b in zip(parts, blocks, strict=True)]
        columns = [p.col + self.size * (b.column or 0) for p, b in zip(parts, blocks, strict=True)]
        if not parts:
            return csr_matrix((size, size))
        index = (np.concatenate(rows), np.concatenate(columns))
        return csr_matrix((np.concatenate([p.data for p in parts]), index), shape=(size, size))

    def load(self, t: float | None) -> np.ndarray:
        """F at a time, (m N,)."""
        if None not in self._static:
            self._static[None] = self._loads(False, t)
        return self._static[None] + self._loads(True, t)

    def _loads(self, moving: bool, t: float | None) -> np.ndarray:
        result = np.zeros((len(self.form.equations), self.size))
        for block in self._blocks:
            if block.column is None and block.moving is moving:
                result[block.row] += block.build(t)
        return result.ravel()

    @property
    def moving(self) -> bool:
        """Whether a matrix depends on time."""
        return any(block.moving and block.column is not None for block in self._blocks)

    def operator(self, rate: float, t: float | None) -> csr_matrix:
        """K + rate M1 + rate² M2, (m N, m N), with u' = rate u + ... put in."""
        full = self.matrix(0, t)
        for order in (1, 2) if rate else ():
            full = full + rate**order * self.matrix(order, t)
        return full

    def factor(self, rate: float, t: float | None) -> Factor:
        """The factorised P^T (K + rate M1 + rate² M2) P with means of floating fields; kept where it does not move.

        Args:
            rate: Factor of the time derivative.
            t: Time.

        Returns:
            The factor.
        """
        key = (rate, t if self.moving else None)
        if key not in self._kept:
            if self.moving:
                self._kept.clear()
            self._kept[key] = self.factorised(self.operator(rate, t), not self._kept)
        return self._kept[key]

    def factorised(self, full: csr_matrix, check: bool = False) -> Factor:
        """LU factors of P^T A P, bordered by the means of floating fields.

        Args:
            full: A, (m N, m N).
            check: Whether to estimate the condition number.

        Returns:
            The factor.
        """
        mean = self.space.cells.values.T @ self.space.cells.weights
        means = np.zeros((len(self.form.floating), len(self.form.equations), self.size))
        for k, field in enumerate(self.form.floating):
            means[k, field] = mean
        lines = means.reshape(len(means), self.size * len(self.form.equations))
        # interpolated velocities let a little through even where the data do not
        tolerance = 2e-2 if self.form.multipliers else 1e-3
        return Factor(full, self.constraints.projection, lines, self.measure, check, self._order, tolerance)

    @cached_property
    def _order(self) -> np.ndarray | None:
        """Free values in an order of elimination: part by part, in each multipliers last; None to leave it open."""
        if not (self.form.multipliers or self.form.nonlinear):
            return None
        field, node = np.divmod(self.constraints.free, self.size)
        part = nested_dissection(self.space.nodes, self.space.elements)[node]
        return np.lexsort((node, np.isin(field, self.form.multipliers), part))


def _normal(problem: IBVP) -> list[sp.Symbol]:
    components = normal(*problem.space)
    return list(components) if isinstance(components, tuple) else [components]
