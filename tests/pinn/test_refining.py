"""RAR, R3 and PACMANN do what they were published to do."""

from typing import Any

import numpy as np
import pytest
import sympy as sp
import torch

from sciml import IBVP, Dirichlet, Interval, PointSet, SolverError, coordinates, field, sample
from sciml.networks import MLP
from solvers import PACMANN, PINN, R3, RAR

x, t = coordinates("x t")
u = field("u", x, t)
# with u = 0 the residual is the source: a ridge along x = 0.3, higher for late times
SOURCE = sp.exp(-50 * (x - sp.Rational(3, 10)) ** 2) * (1 + t)
PROBLEM = IBVP(sp.Eq(u.diff(t), u.diff(x, 2) + SOURCE), Interval(x, 0, 1), time=(t, 0, 1), initial={u: 0},
               boundary=[Dirichlet(u, 0)])  # fmt: skip


class Zero(torch.nn.Module):
    def forward(self, points: torch.Tensor) -> torch.Tensor:
        return 0 * points[:, :1]


def size(places: np.ndarray) -> np.ndarray:
    return np.exp(-50 * (places[:, 0] - 0.3) ** 2) * (1 + places[:, 1])


def start() -> PointSet:
    return sample(PROBLEM, interior=100, boundary=10, initial=10)


def others(points: PointSet) -> PointSet:
    return points.take(~points.mask("pde"))


def test_rar_g_adds_the_largest_residuals() -> None:
    points = start()
    new = RAR(add=20, power=None, candidates=2000).resample(PROBLEM, Zero(), points)
    added = new.locate(np.setdiff1d(new.ids, points.ids))
    assert len(added) == 20
    pool = sample(PROBLEM, interior=2000, boundary=0, initial=0, seed=5).of("pde").coordinates
    assert size(added).min() > np.quantile(size(pool), 0.98)
    assert set(points.ids) <= set(new.ids)
    assert np.ptp(new.of("pde").weight) < 1e-15


def test_rar_d_draws_by_the_square() -> None:
    points = start()
    new = RAR(add=2000, candidates=40000).resample(PROBLEM, Zero(), points)
    added = new.locate(np.setdiff1d(new.ids, points.ids))
    grid = np.stack(np.meshgrid(np.linspace(0, 1, 400), np.linspace(0, 1, 400)), axis=-1).reshape(-1, 2)
    weight = size(grid) ** 2
    assert added[:, 1].mean() == pytest.approx(weight @ grid[:, 1] / weight.sum(), abs=0.01)
    assert added[:, 0].std() == pytest.approx(np.sqrt(weight @ (grid[:, 0] - 0.3) ** 2 / weight.sum()), rel=0.05)


def test_rar_stops_at_its_limit() -> None:
    points, sampler = start(), RAR(add=30, most=110, candidates=500)
    once = sampler.resample(PROBLEM, Zero(), points)
    assert once.mask("pde").sum() == 110
    assert sampler.resample(PROBLEM, Zero(), once) is once


def test_r3_keeps_what_is_above_the_mean() -> None:
    points = start()
    new = R3().resample(PROBLEM, Zero(), points)
    own = points.of("pde")
    kept = own.ids[size(own.coordinates) > size(own.coordinates).mean()]
    assert np.array_equal(np.intersect1d(new.ids_of("pde"), own.ids), np.sort(kept))
    assert new.mask("pde").sum() == 100
    assert np.array_equal(others(new).coordinates, others(points).coordinates)


def test_causal_r3_looks_at_early_times_first() -> None:
    points, sampler = start(), R3(causal=True, steepness=10, front=0.3)
    new = sampler.resample(PROBLEM, Zero(), points)
    kept = new.locate(np.intersect1d(new.ids_of("pde"), points.ids))
    plain = R3().resample(PROBLEM, Zero(), points)
    assert kept[:, 1].mean() < plain.locate(np.intersect1d(plain.ids_of("pde"), points.ids))[:, 1].mean() - 0.1
    assert sampler.front > 0.3
    w = field("w", x)
    steady = IBVP(w.diff(x, 2) - 1, Interval(x, 0, 1), boundary=[Dirichlet(w, 0)])
    with pytest.raises(SolverError, match="a problem with time"):
        sampler.resample(steady, Zero(), sample(steady, interior=5))


def test_pacmann_climbs_and_stays_inside() -> None:
    points = start()
    new = PACMANN(steps=40, rate=0.01).resample(PROBLEM, Zero(), points)
    before, after = points.of("pde"), new.of("pde")
    assert np.array_equal(np.sort(before.ids), np.sort(after.ids))
    assert size(after.coordinates).mean() > 2 * size(before.coordinates).mean()
    assert ((after.coordinates >= 0) & (after.coordinates <= 1)).all()
    assert np.array_equal(others(new).coordinates, others(points).coordinates)


@pytest.mark.parametrize("sampler", [RAR(add=20), R3(), PACMANN()], ids=["RAR", "R3", "PACMANN"])
def test_they_serve_a_training(sampler: Any) -> None:
    solution = PINN(MLP(width=8, depth=1), steps=30, resampler=sampler, progress=False).solve(PROBLEM)
    assert solution.history["held out"][-1] < solution.history["held out"][0]


@pytest.mark.parametrize(
    "make", [lambda: RAR(add=0), lambda: RAR(add=50, candidates=10), lambda: R3(rate=0), lambda: PACMANN(rate=2)]
)
def test_numbers_out_of_range(make: Any) -> None:
    with pytest.raises(SolverError):
        make()
