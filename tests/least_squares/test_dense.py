"""Damped solves, leverage, steps and conjugate gradients against dense NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sciml.errors import ConvergenceError, SolverError
from sciml.least_squares import NormalMatrix, conjugate_gradient, damped_factor, gauss_newton_step, scale_rows


def matrix(rows: int, columns: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(rows, columns))


def close(given_: torch.Tensor, wanted: np.ndarray, tolerance: float = 1e-10) -> bool:
    return bool(np.abs(given_.numpy() - wanted).max() <= tolerance * max(np.abs(wanted).max(), 1e-300))


@settings(max_examples=30, deadline=None)
@given(
    rows=st.integers(1, 12),
    columns=st.integers(1, 12),
    kind=st.sampled_from(["primal", "dual", "svd", "auto"]),
    damping=st.sampled_from([1e-4, 1e-2, 1.0, 30.0]),
    seed=st.integers(0, 100),
)
def test_solves_and_leverage(rows: int, columns: int, kind: str, damping: float, seed: int) -> None:
    a = matrix(rows, columns, seed)
    damped = a.T @ a + damping * np.eye(columns)

    def solved(right: np.ndarray) -> np.ndarray:  # an explicit inverse would lose up to five digits here
        return np.linalg.solve(damped, right)

    factor = damped_factor(torch.tensor(a), damping, kind)
    assert kind in {factor.kind, "auto"}
    v, u = matrix(columns, 2, seed + 1), matrix(rows, 2, seed + 2)
    assert close(factor.solve(torch.tensor(v)), solved(v), 1e-9)
    assert close(factor.solve(torch.tensor(v[:, 0])), solved(v[:, 0]), 1e-9)
    assert close(factor.solve_rows(torch.tensor(u)), solved(a.T @ u), 1e-9)
    leverage = np.diag(a @ solved(a.T))
    assert np.abs(factor.leverage().numpy() - leverage).max() < 1e-10
    assert float(factor.leverage().min()) >= 0
    assert float(factor.leverage().max()) < 1


def test_auto_takes_the_smaller_matrix() -> None:
    assert damped_factor(torch.tensor(matrix(4, 9)), 0.1).kind == "dual"
    assert damped_factor(torch.tensor(matrix(9, 4)), 0.1).kind == "primal"


@pytest.mark.parametrize("shape", [(30, 8), (8, 30)])
def test_tiny_damping_goes_through_singular_values(shape: tuple[int, int]) -> None:
    left, _, right = np.linalg.svd(matrix(*shape), full_matrices=False)
    singular = np.logspace(0, -8, 8)
    a = (left * singular) @ right
    factor = damped_factor(torch.tensor(a), 1e-17)
    assert factor.kind == "svd"
    u = matrix(shape[0], 1, 3)[:, 0]
    wanted = right.T @ (singular / (singular**2 + 1e-17) * (left.T @ u))
    assert close(factor.solve_rows(torch.tensor(u)), wanted, 1e-6)
    squared = np.linalg.solve(a.T @ a + 1e-17 * np.eye(shape[1]), a.T @ u)
    assert np.abs(squared - wanted).max() > 1e-3 * np.abs(wanted).max()  # what the normal equations would give


def test_no_damping_gives_the_shortest_least_squares_solution() -> None:
    a = matrix(9, 3) @ matrix(3, 5, 1)
    u = matrix(9, 1, 2)[:, 0]
    assert close(damped_factor(torch.tensor(a), 0.0).solve_rows(torch.tensor(u)), np.linalg.pinv(a) @ u)


def test_one_matrix_many_dampings() -> None:
    a = matrix(20, 6)
    normal = NormalMatrix(torch.tensor(a))
    for damping in (1e-3, 0.5, 10.0):
        v = matrix(6, 1, 4)[:, 0]
        assert close(normal.factor(damping).solve(torch.tensor(v)), np.linalg.solve(a.T @ a + damping * np.eye(6), v))


def test_scaled_rows_and_step() -> None:
    j, r, w = matrix(12, 5), matrix(12, 1, 1)[:, 0], np.abs(matrix(12, 1, 2)[:, 0])
    rows = scale_rows(torch.tensor(r), torch.tensor(j), torch.tensor(w))
    assert float(rows.loss) == pytest.approx((w * r**2).sum(), rel=1e-14)
    assert close(rows.gradient, 2 * j.T @ (w * r))
    centre = matrix(5, 1, 3)[:, 0]
    hessian = 2 * j.T @ (w[:, None] * j) + 0.3 * np.eye(5)
    step, factor = gauss_newton_step(rows, 0.3)
    assert close(step, -np.linalg.solve(hessian, 2 * j.T @ (w * r)))
    pulled, _ = gauss_newton_step(rows, 0.3, torch.tensor(centre))
    assert close(pulled, -np.linalg.solve(hessian, 2 * j.T @ (w * r) + 0.3 * centre))
    assert factor.damping == pytest.approx(0.3)


def test_conjugate_gradients() -> None:
    a = matrix(20, 8)
    b = torch.tensor(a.T @ a + 1e-3 * np.eye(8))
    v = torch.tensor(matrix(8, 1, 1)[:, 0])
    wanted = np.linalg.solve(b.numpy(), v.numpy())
    assert close(conjugate_gradient(lambda x: b @ x, v, tolerance=1e-13), wanted, 1e-9)
    inverse = torch.linalg.inv(b)
    assert close(conjugate_gradient(lambda x: b @ x, v, lambda x: inverse @ x, iterations=3), wanted, 1e-9)
    with pytest.raises(ConvergenceError, match="positive definite"):
        conjugate_gradient(lambda x: -x, v)
    with pytest.raises(ConvergenceError, match="within 2 iterations"):
        conjugate_gradient(lambda x: b @ x, v, iterations=2)


def test_refused() -> None:
    a = torch.tensor(matrix(4, 3))
    with pytest.raises(SolverError, match="float64"):
        damped_factor(a.float(), 0.1)
    with pytest.raises(SolverError, match="1 entries not finite"):
        damped_factor(torch.where(torch.eye(4, 3) * torch.arange(3) == 2, torch.nan, a), 0.1)
    with pytest.raises(SolverError, match="damping >= 0"):
        damped_factor(a, -1.0)
    with pytest.raises(SolverError, match="positive definite"):
        damped_factor(torch.zeros(3, 3, dtype=torch.float64), 0.0, "primal")
    with pytest.raises(SolverError, match="w \\(N,\\)"):
        scale_rows(a[:, 0], a, -torch.ones(4, dtype=torch.float64))
