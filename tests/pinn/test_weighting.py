"""Weighting schemes against their definitions, and on problems with known answers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import sympy as sp
import torch
from torch import Tensor

from sciml import IBVP, MLP, Dirichlet, Interval, coordinates, field
from sciml.errors import SolverError
from sciml.points import PointSet
from sciml.residuals import ResidualSystem
from solvers import PINN, Fixed, RandomResample
from solvers.pinn import Counts
from solvers.pinn.objective import Objective
from solvers.pinn.optimisers import Adam
from solvers.pinn.placement import draw
from solvers.pinn.unknowns import UnknownMap
from solvers.pinn.weighting import (
    Causal,
    ConflictFree,
    GradientNorm,
    NeuralTangentKernel,
    ResidualAttention,
    SelfAdaptive,
    Weighting,
)
from solvers.pinn.weighting.conflict_free import conflict_free

x, t = coordinates("x t")
u, s = field("u", x, t), field("s", x)
HEAT = IBVP(sp.Eq(u.diff(t), u.diff(x, 2) / 4), Interval(x, 0, 1), (t, 0, 1), {u: sp.sin(sp.pi * x)}, [Dirichlet(u, 0)])
ODE = IBVP(sp.Eq(s.diff(x), sp.cos(x)), Interval(x, 0, 3), boundary=[Dirichlet(s, 0, on="left")])
SCALE = {"pde": 0.5, "initial u": 3.0, "dirichlet u": 7.0}


def objective(problem: IBVP = HEAT, scale: dict[str, float] | None = None) -> Objective:
    model = MLP(width=5, depth=1).bind(problem.bounds, 1, seed=1)
    points = draw(problem, (), Counts(30, 8, 6), seed=0)
    return Objective(ResidualSystem(problem), model, UnknownMap(()), points, scale or SCALE)


def update(scheme: Weighting, made: Objective, times: int = 1, points: PointSet | None = None) -> None:
    base = points or made.points
    for _ in range(times):
        scheme.update(made, made.start(), base, SCALE)
    made.reweight(*scheme.apply(base, SCALE))


def losses(made: Objective, theta: Tensor, labels: np.ndarray) -> dict[str, Tensor]:
    """λ Σ weight r² by component from the plain residual vector, and nothing of the code under test."""
    rows = made.system.rows(made.model, made.points)
    residual = rows.flat()
    weight = torch.tensor(made.points.weight)
    assert len(residual) == len(weight)  # one component per term: rows are the entries, term by term
    order = np.concatenate([np.flatnonzero(made.points.mask(name)) for name in made.points.terms])
    return {n: SCALE[n] * (weight[order] * residual**2)[torch.tensor(labels == n)].sum() for n in dict.fromkeys(labels)}


def gradients(made: Objective) -> dict[str, Tensor]:
    theta = made.start()
    labels = made.rows(theta).labels
    made.load(theta)
    return {
        name: torch.cat([g.reshape(-1) for g in torch.autograd.grad(loss, made.trainable, retain_graph=True)])
        for name, loss in losses(made, theta, labels).items()
    }


def test_fixed_changes_nothing() -> None:
    made = objective()
    before = made.evaluate(made.start())
    made.reweight(*Weighting().apply(made.points, SCALE))
    after = made.evaluate(made.start())
    assert (after.loss, after.parts) == (pytest.approx(before.loss), pytest.approx(before.parts))
    assert not Weighting().active


def test_gradient_norm_is_largest_over_mean() -> None:
    made, scheme = objective(), GradientNorm(average=0.75)
    expected = gradients(made)
    largest = float(expected["pde"].abs().max())
    target = {n: largest / float(g.abs().mean()) for n, g in expected.items() if n != "pde"}
    update(scheme, made)
    assert scheme.components == pytest.approx(target)
    assert made.scale == pytest.approx({n: SCALE[n] * target.get(n, 1.0) for n in SCALE})
    scheme.components = dict.fromkeys(target, 2.0)
    update(scheme, made)  # the moving average, and factors that were at work do not feed back
    assert scheme.components == pytest.approx({n: 1.5 + 0.25 * value for n, value in target.items()})


def test_neural_tangent_kernel_makes_all_traces_equal() -> None:
    made, scheme = objective(), NeuralTangentKernel()
    labels, theta = made.rows(made.start()).labels, made.start()

    def residual(parameters: Tensor) -> Tensor:
        pieces = torch.split(parameters, [p.numel() for p in made.trainable])
        named = dict(zip([n for n, _ in made.model.named_parameters()], pieces, strict=True))
        shapes = {n: piece.view(made.model.get_parameter(n).shape) for n, piece in named.items()}
        call = lambda z: torch.func.functional_call(made.model, shapes, (z,))  # ruff: ignore[lambda-assignment]
        return made.system.rows(_Module(call), made.points).flat()

    jacobian = torch.autograd.functional.jacobian(residual, theta)
    order = np.concatenate([np.flatnonzero(made.points.mask(name)) for name in made.points.terms])
    weight = made.points.weight[order]
    squares = (jacobian**2).sum(dim=1).numpy()
    trace = {n: SCALE[n] * float((weight * squares)[labels == n].sum()) for n in SCALE}
    update(scheme, made)
    total = sum(trace.values())
    assert scheme.components == pytest.approx({n: total / value for n, value in trace.items()}, rel=1e-9)
    weighted = [made.scale[n] / SCALE[n] * trace[n] for n in SCALE]
    assert weighted == pytest.approx([total] * 3)


class _Module(torch.nn.Module):
    def __init__(self, call: Any) -> None:
        super().__init__()
        self.call = call

    def forward(self, z: Tensor) -> Tensor:
        return self.call(z)


@pytest.mark.parametrize("power", [1, 2])
def test_self_adaptive_numbers_climb_where_the_residual_stays(power: int) -> None:
    made, scheme = objective(), SelfAdaptive(rate=0.05, power=power)
    squares = {n: SCALE[n] * made.rows(made.start()).flat().numpy()[made.rows(made.start()).labels == n] ** 2
               for n in SCALE}  # fmt: skip
    base = made.points
    update(scheme, made, times=5)
    for name in SCALE:
        numbers = (1 + 2 * 0.05 * squares[name]) ** 5 if power == 2 else 1 + 5 * 0.05 * squares[name]
        assert np.allclose(scheme.numbers[name], numbers, rtol=1e-12)
        weight = SCALE[name] * base.weight[base.mask(name)] * numbers**power
        assert np.allclose(made.scale[name] * made.points.weight[made.points.mask(name)], weight, rtol=1e-12)


def test_residual_attention_is_a_geometric_sum_with_mean_factor_one() -> None:
    made, scheme = objective(), ResidualAttention(decay=0.9, rate=0.2)
    rows, base = made.rows(made.start()), made.points
    update(scheme, made, times=4)
    for name in SCALE:
        size = np.abs(rows.flat().numpy()[rows.labels == name])
        numbers = 0.2 * size / size.max() * (1 - 0.9**4) / (1 - 0.9)
        assert np.allclose(scheme.numbers[name], numbers, rtol=1e-12)
        factor = made.scale[name] * made.points.weight[made.points.mask(name)]
        factor /= SCALE[name] * base.weight[base.mask(name)]
        assert np.allclose(factor, numbers**2 / np.mean(numbers**2), rtol=1e-12)
    update(scheme, made, times=150, points=base)
    bound = max(float(numbers.max()) for numbers in scheme.numbers.values())
    assert bound == pytest.approx(0.2 / (1 - 0.9))


def test_numbers_stay_with_their_points_when_others_are_replaced() -> None:
    made, scheme = objective(), SelfAdaptive(rate=0.05)
    update(scheme, made)
    old = dict(zip(made.points.ids_of("pde").tolist(), scheme.numbers["pde"].tolist(), strict=True))
    base = draw(HEAT, (), Counts(30, 8, 6), seed=0)
    gone = base.ids_of("pde")[::3]
    moved = base.remove(gone).add(np.random.default_rng(0).random((5, 2)), "pde").take(np.arange(39)[::-1])
    made.set_points(moved)
    carried = scheme._carried("pde", torch.tensor(moved.ids_of("pde")))
    mean = np.mean(list(old.values()))
    assert carried.tolist() == pytest.approx([old.get(i, mean) for i in moved.ids_of("pde").tolist()])
    assert len(set(old) & set(moved.ids_of("pde").tolist())) == 20


class Still(torch.nn.Module):
    """u = 0 whatever the parameter."""

    def __init__(self) -> None:
        super().__init__()
        self.a = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))

    def forward(self, z: Tensor) -> Tensor:
        return self.a * z[:, :1]


def causal(problem: IBVP, scale: dict[str, float], scheme: Causal) -> tuple[Objective, np.ndarray]:
    points = draw(problem, [n.name for n in problem.terms if n.kind == "boundary"], Counts(400, 1, 20), seed=0)
    made = Objective(ResidualSystem(problem), Still(), UnknownMap(()), points, scale)
    scheme.update(made, made.start(), points, scale)
    return made, points.of("pde").coordinates[:, -1]


def test_causal_factors_fall_by_the_residuals_before() -> None:
    problem = HEAT.replace(pde=sp.Eq(u.diff(t), 1), initial={u: 2}, boundary=[])
    scheme = Causal(bins=5, strengths=(0.25, 9.0))
    _, times = causal(problem, {"pde": 3.0, "initial u": 0.5}, scheme)
    # λ r² is 3 in every bin and 0.5 · 4 at the start
    expected = np.exp(-0.25 * (2.0 + 3.0 * np.floor(5 * times)))
    assert np.allclose(scheme.points["pde"], expected, rtol=1e-12)
    assert not scheme.settled


def test_causal_takes_the_next_strength_when_all_is_met() -> None:
    problem = HEAT.replace(pde=sp.Eq(u.diff(t), sp.Rational(1, 10)), initial={u: 0}, boundary=[])
    scheme = Causal(bins=5, strengths=(1e-3, 0.1, 4.0))
    causal(problem, {"pde": 1.0, "initial u": 1.0}, scheme)
    # Σ λ r² before the last bin is 0.04: 1e-3 and 0.1 leave factors above 0.99, 4 does not
    assert scheme.stage == 2
    assert float(scheme.factor.min()) == pytest.approx(math.exp(-4 * 0.04))
    scheme = Causal(bins=5)
    causal(HEAT.replace(pde=sp.Eq(u.diff(t), 0), initial={u: 0}, boundary=[]), {"pde": 1.0, "initial u": 1.0}, scheme)
    assert scheme.settled


def test_conflict_free_direction_has_equal_cosines() -> None:
    generator = torch.Generator().manual_seed(0)
    g = torch.randn(4, 30, generator=generator, dtype=torch.float64) * torch.tensor([[1.0], [1e-3], [40.0], [5.0]])
    g[1] = -1e-5 * g[2] + 1e-3 * g[1]  # in conflict with the largest
    direction = conflict_free(g)
    cosines = g @ direction / g.norm(dim=1) / direction.norm()
    assert torch.allclose(cosines, cosines[0].expand(4), rtol=1e-8)
    assert float(cosines[0]) > 0
    assert float(direction.norm()) == pytest.approx(float((g @ direction / direction.norm()).sum()))
    assert torch.allclose(conflict_free(g[:1]), g[0])
    orthogonal = torch.diag(torch.tensor([3.0, 4.0], dtype=torch.float64))
    assert torch.allclose(conflict_free(orthogonal), torch.full((2,), 3.5, dtype=torch.float64))
    assert torch.allclose(conflict_free(torch.stack([g[0], 0 * g[0]])), g[0])


def test_conflict_free_wraps_the_gradient_only() -> None:
    made = objective()
    seen = ConflictFree().wrap(made).evaluate(made.start())
    plain = made.evaluate(made.start())
    assert (seen.loss, seen.parts) == (pytest.approx(plain.loss), pytest.approx(plain.parts))
    assert torch.allclose(seen.gradient, conflict_free(torch.stack(list(gradients(made).values()))), rtol=1e-10)
    assert not torch.allclose(seen.gradient, plain.gradient, rtol=0.1)


@pytest.mark.parametrize(
    ("weighting", "mends"),
    [("fixed", False), ("residual attention", False), ("gradient norm", True), ("ntk", True), ("conflict-free", True)],
    ids=str,
)  # fmt: skip
def test_schemes_between_terms_mend_a_condition_that_weighs_nothing(weighting: str, mends: bool) -> None:
    """s' = cos x, s(0) = 3 with a weight of 1e-24: without the condition s is free up to a constant."""
    problem = ODE.replace(boundary=[Dirichlet(s, 3, on="left")])
    network = torch.nn.Sequential(torch.nn.Linear(1, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1)).double()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():  # an own module, as those of the package begin at the mean of the data
        for parameter in network.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator, dtype=torch.float64) / 2)
    solver = PINN(network, steps=3000, optimiser=Adam(rate=1e-2), tolerance=0,
                  weighting=weighting, points=Counts(60, 1, 0), weights={"dirichlet s left": 1e-24}, progress=False,
                  constraints="soft", resampler=RandomResample(every=50))  # fmt: skip
    solution = solver.solve(problem, [lambda step, *_: step == 400])
    error = solution.error(sp.sin(x) + 3).relative_l2["s"]
    assert error < 0.02 if mends else error > 0.2, error


@pytest.mark.parametrize("weighting", ["gradient norm", "ntk", "self-adaptive", "residual attention", "causal"])
def test_schemes_that_have_a_loss_go_with_levenberg_marquardt(weighting: str) -> None:
    solver = PINN(MLP(width=8, depth=2), steps=50, optimiser="lm", constraints="soft", progress=False, tolerance=0,
                  weighting=weighting, points=Counts(100, 30, 30))  # fmt: skip
    solution = solver.solve(HEAT)
    assert solution.error(sp.exp(-(sp.pi**2) * t / 4) * sp.sin(sp.pi * x)).relative_l2["u"] < 1e-3


@pytest.mark.parametrize("weighting", ["gradient norm", "self-adaptive", "residual attention"])
def test_record_is_the_weighted_objective_of_the_best_state(weighting: str) -> None:
    solver = PINN(MLP(width=6, depth=1), steps=45, optimiser=Adam(rate=1e-2), constraints="soft", progress=False,
                  weighting=weighting, points=Counts(40, 10, 10), tolerance=0, resampler=Fixed())  # fmt: skip
    solution = solver.solve(HEAT)
    for name in solution.points.terms:
        assert solution.points.weight[solution.points.mask(name)].sum() == pytest.approx(1.0)
    record = solution.record
    residual = record.rows.residual(record.parameters).detach()
    assert float((record.weights * residual**2).sum()) == pytest.approx(float(record.loss()))
    plain = PINN(MLP(width=6, depth=1), steps=0, constraints="soft", points=Counts(40, 10, 10)).solve(HEAT)
    assert solution.scale != pytest.approx(plain.scale)
    assert np.allclose(solution.points.weight, plain.points.weight) == (weighting == "gradient norm")


def test_causal_training_does_not_stop_at_a_state_that_ignores_late_times() -> None:
    """With a strength that hides late times for ever, the scheme is never settled and the training never "stalls"."""
    solver = PINN(MLP(width=4, depth=1), steps=70, optimiser="lm", progress=False, tolerance=0,
                  weighting=Causal(bins=8, strengths=(1e9,)), points=Counts(50, 10, 10))  # fmt: skip
    assert "all steps done" in solver.solve(HEAT).status


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: PINN(MLP(width=4, depth=1), weighting="magic"), "a weighting: fixed"),
        (lambda: PINN(MLP(width=4, depth=1), weighting="conflict-free").solve(HEAT), "first-order optimiser"),
        (lambda: PINN(MLP(width=4, depth=1), weighting="causal").solve(ODE), "a problem with time"),
        (lambda: Causal(strengths=(1.0, 0.5)), "increasing"),
        (lambda: ResidualAttention(decay=1.0), "decay"),
        (lambda: SelfAdaptive(rate=-1), "rate > 0"),
        (lambda: SelfAdaptive(power=0), "power >= 1"),
        (lambda: GradientNorm(every=0), "every >= 1"),
    ],
)
def test_bad_settings_are_refused(make: Any, match: str) -> None:
    with pytest.raises(SolverError, match=match):
        make()
