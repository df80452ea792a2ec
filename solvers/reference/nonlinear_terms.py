"""Nonlinear terms on a space: their load and its derivative, by quadrature."""

from __future__ import annotations

import numpy as np
import sympy as sp
import torch
from scipy.sparse import bmat, csr_matrix

from sciml.errors import ConvergenceError
from sciml.expressions.compiler import Program
from sciml.ibvp import IBVP
from solvers.reference.nonlinearity import Nonlinear, first_order_jets
from solvers.reference.space import Space


class NonlinearTerms:
    """N(U), N_i = Σ ∫ f(x, t, U, ∇U) (φ_i or ∂φ_i), and its Jacobian.

    Args:
        problem: The problem.
        terms: Nonlinear terms of the equation of each field.
        space: The space.
    """

    def __init__(self, problem: IBVP, terms: tuple[tuple[Nonlinear, ...], ...], space: Space) -> None:
        self._problem, self._space = problem, space
        self._terms = [(row, term.test) for row, line in enumerate(terms) for term in line]
        self._jets = first_order_jets([term for line in terms for term in line], problem)
        symbols = {atom: sp.Dummy(real=True) for atom in self._jets}
        flat = [problem.substitute(term.expression).xreplace(symbols) for line in terms for term in line]
        inputs = [*problem.coordinates, *symbols.values()]
        self._load = Program(flat, inputs)
        self._slopes = [(i, jet, expression.diff(symbols[atom])) for i, expression in enumerate(flat)
                        for atom, jet in self._jets.items() if symbols[atom] in expression.free_symbols]  # fmt: skip
        self._derivative = Program([slope for *_, slope in self._slopes], inputs)

    @property
    def fields(self) -> set[int]:
        """Fields that appear."""
        return {field for field, _ in self._jets.values()}

    def _table(self, axis: int | None) -> csr_matrix:
        return self._space.cells.values if axis is None else self._space.cells.slopes[axis]

    def _run(self, program: Program, state: np.ndarray, t: float | None) -> list[np.ndarray]:
        q, fields = self._space.cells, state.reshape(len(self._problem.fields), -1)
        columns = list(q.points.T) + ([np.full(len(q.points), t)] if self._problem.time else [])
        columns += [self._table(axis) @ fields[field] for field, axis in self._jets.values()]
        with torch.no_grad():
            results = [r.numpy() for r in program(*[torch.tensor(column) for column in columns])]
        if not all(np.isfinite(r).all() for r in results):
            raise ConvergenceError("finite nonlinear terms", "overflow or a singular value on the way", "a better mesh")
        return [np.broadcast_to(r, (len(q.points),)) for r in results]

    def load(self, state: np.ndarray, t: float | None) -> np.ndarray:
        """N(U), (m N,)."""
        result = np.zeros((len(self._problem.fields), state.size // len(self._problem.fields)))
        for (row, test), value in zip(self._terms, self._run(self._load, state, t), strict=True):
            result[row] += self._table(test).T @ (self._space.cells.weights * value)
        return result.ravel()

    def jacobian(self, state: np.ndarray, t: float | None) -> csr_matrix:
        """N'(U), (m N, m N)."""
        m, size = len(self._problem.fields), state.size // len(self._problem.fields)
        trials: dict[tuple[int, int | None, int], np.ndarray] = {}
        shape = self._space.cells.values
        for (i, (field, axis), _), value in zip(self._slopes, self._run(self._derivative, state, t), strict=True):
            row, test = self._terms[i]
            # values and slopes are tabulated with one pattern, so their entries can be added
            scaled = np.repeat(self._space.cells.weights * value, np.diff(shape.indptr)) * self._table(axis).data
            key = (row, test, field)
            trials[key] = trials.get(key, 0.0) + scaled
        blocks: list[list] = [[None] * m for _ in range(m)]
        for (row, test, field), data in trials.items():
            right = csr_matrix((data, shape.indices, shape.indptr), shape.shape)
            block = self._table(test).T @ right
            blocks[row][field] = block if blocks[row][field] is None else blocks[row][field] + block
        for k in range(m):
            if blocks[k][k] is None:
                blocks[k][k] = csr_matrix((size, size))
        return bmat(blocks, format="csr")
