"""Samplers by scores: even where scores are even, no gain from shuffled scores, bad scores refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import sympy as sp
import torch
from scipy.stats import chisquare
from torch import nn

from influence import InfluenceSampler, LossGradientSampler, choosing
from influence.published import inverse_applied
from influence.scoring import Pool
from sciml import (
    IBVP,
    MLP,
    Dirichlet,
    Interval,
    Observations,
    PointsError,
    PointSet,
    Rectangle,
    SolverError,
    coordinates,
    field,
    sample,
)
from sciml.placing import scored
from sciml.resampling import TrainingView
from sciml.residuals import ConstrainedNetwork, hard_constraint
from solvers import PINN, RAD, Checkpoint, Fixed, SolutionGradient
from solvers.pinn import Counts

x, y, t = coordinates("x y t")
u, w = field("u", x, y), field("w", x, t)
PLANE = IBVP(u.diff(x, 2) + u.diff(y, 2), Rectangle((x, 0, 1), (y, 0, 2)), boundary=[Dirichlet(u, x)])
HEAT = IBVP(sp.Eq(w.diff(t), w.diff(x, 2)), Interval(x, 0, 1), time=(t, 0, 1),
            initial={w: sp.sin(sp.pi * x)}, boundary=[Dirichlet(w, 0)])  # fmt: skip


class Slope(nn.Module):
    """u = x² / 2 + c x: the same residual everywhere, and the same gradient of it."""

    def __init__(self) -> None:
        super().__init__()
        self.free = nn.Parameter(torch.tensor([1.0, 0.3], dtype=torch.float64))

    def forward(self, places: torch.Tensor) -> torch.Tensor:
        return (self.free[0] * places[:, :1] ** 2 / 2 + self.free[1] * places[:, :1]) * torch.ones(1, 1).double()


def even_counts(places: np.ndarray, sides: tuple[float, float]) -> np.ndarray:
    """Points in 4 x 4 equal cells."""
    cells = np.minimum((places / sides * 4).astype(int), 3)
    return np.bincount(4 * cells[:, 0] + cells[:, 1], minlength=16)


@pytest.mark.parametrize(
    "sampler",
    [
        InfluenceSampler(edges=False, kinds=("interior",), seed=1),
        InfluenceSampler(edges=False, kinds=("interior",), propagate=True, budget=1.0, candidates=800, seed=1),
        LossGradientSampler("loss-gradient", candidates=5000, seed=1),
    ],
)
def test_equal_scores_give_even_points(sampler) -> None:
    points = sample(PLANE, interior=160, boundary=20)
    new = sampler.resample(PLANE, Slope(), points)
    assert chisquare(even_counts(new.of("pde").coordinates, (1.0, 2.0))).pvalue > 1e-3


def test_unequal_scores_do_not() -> None:
    points, generator = sample(PLANE, interior=400), np.random.default_rng(0)
    pool = generator.random((5000, 2)) * (1.0, 2.0)
    new = scored(points, "pde", pool, pool[:, 0] ** 2, None, generator)
    assert chisquare(even_counts(new.of("pde").coordinates, (1.0, 2.0))).pvalue < 1e-6


class Bump(nn.Module):
    """A field whose residual sits near x = 0.8."""

    def __init__(self) -> None:
        super().__init__()
        self.free = nn.Parameter(torch.ones(1, dtype=torch.float64))

    def forward(self, places: torch.Tensor) -> torch.Tensor:
        return self.free * torch.exp(-200 * (places[:, :1] - 0.8) ** 2)


def near(points: PointSet) -> float:
    return float((abs(points.of("pde").coordinates[:, 0] - 0.8) < 0.15).mean())


def test_shuffled_scores_gain_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    points, model = sample(PLANE, interior=300, boundary=30), Bump()
    sampler = InfluenceSampler(edges=False, kinds=("interior",))
    honest = near(sampler.resample(PLANE, model, points))
    energy = Pool.energy
    monkeypatch.setattr(Pool, "energy", lambda pool: np.random.default_rng(0).permutation(energy(pool)))
    shuffled = near(sampler.resample(PLANE, model, points))
    assert honest > 0.6
    assert abs(shuffled - 0.3) < 0.1  # as evenly as without any score


def test_weights_stay_below_their_bound_and_keep_the_integral() -> None:
    points = sample(PLANE, interior=500, boundary=40)
    sampler = InfluenceSampler()
    new = sampler.resample(PLANE, Bump(), points)
    own = new.of("pde")
    assert sampler.history[0]["largest weight"] < 5
    assert own.weight @ (2 * own.coordinates[:, 0] - 1) ** 2 == pytest.approx(1 / 3, rel=0.1)  # 1/2 by the candidates


class Spike(nn.Module):
    """A field whose residual is a spike of a width of 0.004: more points are wanted there than candidates lie there."""

    def __init__(self) -> None:
        super().__init__()
        self.free = nn.Parameter(torch.ones(1, dtype=torch.float64))

    def forward(self, places: torch.Tensor) -> torch.Tensor:
        return self.free * torch.exp(-((places[:, :1] - 0.5) ** 2) / 2 / 0.004**2)


@pytest.mark.parametrize("make", [lambda seed: RAD(seed=seed), lambda seed: InfluenceSampler(edges=False, seed=seed)])
def test_weights_keep_the_integral_where_candidates_run_out(make) -> None:
    points = sample(PLANE, interior=400)
    points = points.take(points.mask("pde"))
    shares = []
    for seed in range(8):
        new = make(seed).resample(PLANE, Spike(), points).of("pde")
        shares.append(float(new.weight[abs(new.coordinates[:, 0] - 0.5) < 0.02].sum()))
    assert np.mean(shares) == pytest.approx(0.04, rel=0.15)


def test_a_kind_without_points_is_refused_and_training_survives() -> None:
    model = ConstrainedNetwork(MLP(4, 1).bind(HEAT.bounds, 1, seed=0), hard_constraint(HEAT))
    points = sample(HEAT, interior=50)
    points = points.take(points.mask("pde"))
    with pytest.raises(PointsError, match="hard constraint"):
        InfluenceSampler(kinds=("interior", "boundary")).resample(HEAT, model, points)
    with pytest.raises(SolverError, match="kinds among"):
        InfluenceSampler(kinds=("somewhere",))
    sampler = InfluenceSampler(kinds=("boundary",), every=2)
    with pytest.warns(UserWarning, match="hard constraint"):
        solution = PINN(MLP(4, 1), steps=4, constraints="hard", resampler=sampler, progress=False).solve(HEAT)
    assert np.isfinite(solution(x=0.3, t=0.2))
    assert len(solution.record.points)


@pytest.mark.parametrize("bad", [np.zeros(40), np.full(40, np.nan), np.zeros(0)])
def test_scores_that_say_nothing_are_refused(bad: np.ndarray) -> None:
    points = sample(PLANE, interior=30)
    with pytest.raises(PointsError, match=r"at least one candidate|finite scores|score above zero"):
        scored(points, "pde", np.zeros((len(bad), 2)), bad, None, np.random.default_rng(0))


def test_more_points_than_candidates_and_fewer_than_conditions_are_refused() -> None:
    points = sample(HEAT, interior=60, boundary=12, initial=12)
    model = MLP(4, 1).bind(HEAT.bounds, 1, seed=0)
    with pytest.raises(PointsError, match="at least 60 candidates"):
        SolutionGradient(candidates=20).resample(HEAT, model, points)
    with pytest.raises(PointsError, match="at least one point for each of 3"):
        InfluenceSampler(mode="replace", count=2).resample(HEAT, model, points)
    with pytest.raises(PointsError, match="at least one candidate of every type"):
        InfluenceSampler(mode="replace", candidates=2).resample(HEAT, model, points)


def test_a_solved_problem_has_nothing_to_choose_by() -> None:
    model = Slope()
    with torch.no_grad():
        model.free.copy_(torch.tensor([0.0, 1.0]))  # u = x solves the problem
    with pytest.raises(PointsError, match="score above zero"):
        InfluenceSampler().resample(PLANE, model, sample(PLANE, interior=40, boundary=20))


def test_weights_and_factor_of_the_trainer_are_used() -> None:
    """A λ of the boundary of 1e6 moves points there; the sampler takes it from what the trainer tells."""
    points, model = sample(HEAT, interior=200, boundary=40, initial=40), MLP(8, 2).bind(HEAT.bounds, 1, seed=0)
    told = InfluenceSampler()
    told.inform(TrainingView({"dirichlet w": 1e6}))
    plain = InfluenceSampler().resample(HEAT, model, points).mask("dirichlet w").sum()
    assert told.resample(HEAT, model, points).mask("dirichlet w").sum() > 1.5 * plain


def test_arnoldi_inverts_the_leading_space() -> None:
    generator = torch.Generator().manual_seed(0)
    turn = torch.linalg.qr(torch.randn(30, 30, dtype=torch.float64, generator=generator))[0]
    values = torch.cat([torch.linspace(1, 5, 10), torch.zeros(20)]).double()
    matrix = turn * values @ turn.T
    vectors = torch.randn(3, 30, dtype=torch.float64, generator=generator)
    wanted = vectors @ turn[:, :10] / (values[:10] + 1e-3) @ turn[:, :10].T
    assert torch.allclose(inverse_applied(lambda v: matrix @ v, vectors, 0), wanted, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("score", ["pinnfluence", "grad-dot", "loss-gradient"])
@pytest.mark.parametrize("mode", ["add", "replace"])
def test_published_scores_keep_ids_and_repeat(score: str, mode: str) -> None:
    points, model = sample(PLANE, interior=60, boundary=20), MLP(6, 1).bind(PLANE.bounds, 1, seed=0)
    sampler = LossGradientSampler(score, mode=mode, candidates=200, queries=50, add=7, most=65)
    new = sampler.resample(PLANE, model, points)
    assert new == sampler.resample(PLANE, model, points)
    kept = np.intersect1d(points.ids, new.ids)
    assert np.array_equal(points.locate(kept), new.locate(kept))
    assert int(new.mask("pde").sum()) == (65 if mode == "add" else 60)
    assert new.of("pde").weight.sum() == pytest.approx(1.0)
    if mode == "add":
        assert sampler.resample(PLANE, model, new) is new


def test_solution_gradient_goes_where_the_solution_is_steep() -> None:
    points = sample(PLANE, interior=200, boundary=20)
    assert near(SolutionGradient("add", add=200).resample(PLANE, Bump(), points)) > 0.5
    assert near(SolutionGradient().resample(PLANE, Bump(), points)) > 0.4
    with pytest.raises(SolverError, match="mode"):
        SolutionGradient("magic")


def test_fixed_points_of_a_method_are_drawn_once() -> None:
    points, sampler = sample(PLANE, interior=64, boundary=20), Fixed("hammersley", seed=3)
    new = sampler.resample(PLANE, Bump(), points)
    assert len(np.intersect1d(new.ids, points.ids)) == 0
    assert [int(new.mask(name).sum()) for name in points.terms] == [int(points.mask(n).sum()) for n in points.terms]
    assert sampler.resample(PLANE, Bump(), new) is new
    with pytest.raises(SolverError, match="a method among"):
        Fixed("magic")


def test_a_coefficient_as_target_inside_the_trainer(monkeypatch: pytest.MonkeyPatch) -> None:
    """λ, the present coefficient and the factor of the last step arrive, and the factor is not made anew."""
    kappa = sp.Symbol("kappa", positive=True)
    values = np.exp(-0.4 * np.pi**2 * 0.1) * np.sin(np.pi * np.array([0.3, 0.6]))
    problem = IBVP(sp.Eq(w.diff(t), kappa * w.diff(x, 2)), Interval(x, 0, 1), time=(t, 0, sp.Rational(1, 5)),
                   initial={w: sp.sin(sp.pi * x)}, boundary=[Dirichlet(w, 0)], unknowns={kappa: (0.8, 0.1, 2.0)},
                   observations=[Observations(w, [[0.3, 0.1], [0.6, 0.1]], values)])  # fmt: skip
    views: list[TrainingView] = []
    inform = InfluenceSampler.inform

    def watched(sampler: InfluenceSampler, view: TrainingView) -> None:
        views.append(view)
        inform(sampler, view)

    def refused(*arguments: object) -> None:
        raise AssertionError("the trainer's factor was there")

    monkeypatch.setattr(InfluenceSampler, "inform", watched)
    monkeypatch.setattr(choosing, "build_curvature", refused)
    sampler = InfluenceSampler(every=4, target="kappa", budget=1.0)
    solution = PINN(MLP(6, 1), seed=0, steps=24, points=Counts(80, 20, 20), constraints="soft", resampler=sampler,
                    progress=False).solve(problem)  # fmt: skip
    assert len(views) >= 5
    assert all(view.factor is not None and view.scale["pde"] > 0 for view in views)
    assert views[-1].coefficients[kappa] != views[0].coefficients[kappa]
    assert solution.history["resampling"][-1] > 0
    assert abs(solution.coefficients[kappa] - 0.4) < 0.2
    assert len(solution.record.points) == 122


def test_a_training_with_chosen_points_resumes_bit_by_bit(tmp_path: Path) -> None:
    def solver(steps: int) -> PINN:
        sampler = InfluenceSampler(every=4, propagate=True, budget=1.0)
        return PINN(
            MLP(4, 1), seed=2, steps=steps, tolerance=0, points=Counts(60, 1, 1), resampler=sampler, progress=False
        )

    whole = solver(14).solve(HEAT)
    solver(10).solve(HEAT, [Checkpoint(tmp_path / "part", steps=1000)])
    more = solver(14).solve(HEAT, resume=tmp_path / "part")
    assert torch.equal(more.record.parameters, whole.record.parameters)
    assert more.record.points == whole.record.points
