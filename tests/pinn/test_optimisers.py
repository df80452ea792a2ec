"""Optimisers on least-squares problems with known answers."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from sciml.errors import SolverError
from sciml.least_squares import ScaledRows
from solvers.pinn.objective import Evaluation
from solvers.pinn.optimisers import LBFGS, SOAP, Adam, GaussNewton, LevenbergMarquardt, Optimiser, SSBroyden


class Fit:
    """Stands for an objective: Σ r² of residuals given as a function."""

    unknowns: tuple = ()

    def __init__(self, residual: Callable[[Tensor], Tensor], size: int) -> None:
        self.residual, self.evaluations = residual, 0
        self.trainable = [torch.nn.Parameter(torch.zeros(size, dtype=torch.float64))]

    def evaluate(self, theta: Tensor, gradient: bool = True) -> Evaluation:
        self.evaluations += 1
        theta = theta.detach().clone().requires_grad_(True)
        loss = (self.residual(theta) ** 2).sum()
        return Evaluation(float(loss.detach()), torch.autograd.grad(loss, theta)[0], {})

    def scaled_residual(self, theta: Tensor) -> Tensor:
        return 2**0.5 * self.residual(theta.detach())

    def linearise(self, theta: Tensor) -> ScaledRows:
        jacobian = torch.autograd.functional.jacobian(self.residual, theta.detach())
        return ScaledRows(2**0.5 * jacobian, self.scaled_residual(theta))


def rosenbrock() -> tuple[Fit, Tensor, Tensor]:
    def residual(v: Tensor) -> Tensor:
        return torch.cat([10 * (v[1:] - v[:-1] ** 2), 1 - v[:-1]])

    return Fit(residual, 6), torch.full((6,), -0.5, dtype=torch.float64), torch.ones(6, dtype=torch.float64)


def linear() -> tuple[Fit, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    matrix = torch.randn(30, 8, generator=generator, dtype=torch.float64) @ torch.diag(
        torch.logspace(0, -3, 8, dtype=torch.float64)
    )
    right = torch.randn(30, generator=generator, dtype=torch.float64)
    return (
        Fit(lambda v: matrix @ v - right, 8),
        torch.zeros(8, dtype=torch.float64),
        torch.linalg.lstsq(matrix, right).solution,
    )


def run(optimiser: Optimiser, fit: Fit, theta: Tensor, steps: int) -> Tensor:
    for _ in range(steps):
        step = optimiser.step(fit, theta)  # type: ignore[arg-type]
        theta = step.theta
        if step.stuck:
            break
    return theta


@pytest.mark.parametrize("make", [rosenbrock, linear])
@pytest.mark.parametrize(
    ("optimiser", "steps", "tolerance"),
    [(LevenbergMarquardt(), 80, 1e-8), (SSBroyden(), 400, 1e-6), (LBFGS(), 600, 1e-6)],
    ids=lambda value: getattr(value, "name", str(value)),
)
def test_second_order_methods_reach_the_minimum(make, optimiser: Optimiser, steps: int, tolerance: float) -> None:
    fit, start, answer = make()
    fresh = type(optimiser)()
    found = run(fresh, fit, start, steps)
    assert torch.allclose(found, answer, rtol=tolerance, atol=tolerance * float(answer.abs().max()))


def test_gauss_newton_solves_linear_rows_in_one_step_and_says_so() -> None:
    fit, start, answer = linear()
    first = GaussNewton().step(fit, start)  # type: ignore[arg-type]
    assert torch.allclose(first.theta, answer, rtol=1e-9, atol=1e-9 * float(answer.abs().max()))
    assert GaussNewton().step(fit, first.theta).stuck  # type: ignore[arg-type]
    with pytest.raises(SolverError, match="damping > 0"):
        GaussNewton(damping=0)


def test_gauss_newton_halves_steps_that_go_too_far() -> None:
    fit = Fit(lambda v: torch.atan(v) ** 2 + v**2 / 1e4, 1)
    start = torch.tensor([5.0], dtype=torch.float64)
    step = GaussNewton().step(fit, start)  # type: ignore[arg-type]
    assert step.numbers["step length"] < 1
    assert step.loss < float((fit.residual(start) ** 2).sum())


@pytest.mark.parametrize("optimiser", [Adam(rate=0.02), SOAP(rate=0.02)], ids=["Adam", "SOAP"])
def test_first_order_methods_come_close(optimiser: Optimiser) -> None:
    fit, start, answer = rosenbrock()
    found = run(optimiser, fit, start, 3000)
    assert torch.allclose(found, answer, atol=5e-2)


def test_levenberg_marquardt_step_is_velocity_plus_half_the_acceleration() -> None:
    """Against dense formulas with the exact second derivative along v (Transtrum & Sethna 2012, eq. 5 to 8)."""
    fit, _, _ = rosenbrock()
    theta = torch.full((6,), 0.9, dtype=torch.float64)
    damping = 50.0  # large: the step is short and accepted at once
    rows = fit.linearise(theta)
    matrix = rows.matrix.T @ rows.matrix + damping * torch.eye(6, dtype=torch.float64)
    velocity = -torch.linalg.solve(matrix, rows.gradient)
    second = torch.zeros_like(rows.residual)
    second[:5] = -(2**0.5) * 20 * velocity[:-1] ** 2
    acceleration = -torch.linalg.solve(matrix, rows.matrix.T @ second)
    step = LevenbergMarquardt(damping=damping).step(fit, theta)  # type: ignore[arg-type]
    assert torch.allclose(step.theta, theta + velocity + 0.5 * acceleration, rtol=1e-10)
    assert not torch.allclose(step.theta, theta + velocity, rtol=1e-4)


def test_levenberg_marquardt_never_increases_the_loss() -> None:
    fit, theta, _ = rosenbrock()
    optimiser, losses = LevenbergMarquardt(damping=1e-8), []
    for _ in range(30):
        step = optimiser.step(fit, theta)  # type: ignore[arg-type]
        theta = step.theta
        losses.append(step.loss)
        assert step.loss == pytest.approx(fit.evaluate(theta).loss, rel=1e-12, abs=1e-300)
    assert all(after <= before for before, after in pairwise(losses))


def test_stuck_is_said_at_a_minimum() -> None:
    fit, _, answer = linear()
    step = LevenbergMarquardt().step(fit, answer)  # type: ignore[arg-type]
    assert step.stuck
    assert torch.equal(step.theta, answer)


@pytest.mark.parametrize("make", [LevenbergMarquardt, SSBroyden, LBFGS, Adam, SOAP])
def test_state_continues_bit_by_bit(make) -> None:
    fit, theta, _ = rosenbrock()
    first = make()
    theta = run(first, fit, theta, 7)
    second = make()
    second.load_state({
        name: value.clone() if isinstance(value, Tensor) else value for name, value in first.state().items()
    })
    assert torch.equal(run(first, fit, theta, 5), run(second, fit, theta, 5))


@pytest.mark.parametrize(
    "make",
    [lambda: LevenbergMarquardt(damping=0), lambda: Adam(rate=-1), lambda: LBFGS(memory=0), lambda: SOAP(every=0)],
)
def test_bad_settings_are_refused(make) -> None:
    with pytest.raises(SolverError, match="expected"):
        make()
