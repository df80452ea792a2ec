"""Points of a training: counts, identities, weights."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp
import torch

from sciml import IBVP, MLP, Dirichlet, Interval, Observations, PointSet, coordinates, field
from sciml.drawing import systematic
from sciml.errors import SolverError
from solvers import RAD, Fixed, RandomResample
from solvers.pinn.placement import Counts, counts_for_rows, draw

x, t = coordinates("x t")
u = field("u", x, t)
HEAT = IBVP(
    pde=sp.Eq(u.diff(t), u.diff(x, 2)),
    domain=Interval(x, 0, 1),
    time=(t, 0, 1),
    initial={u: sp.sin(sp.pi * x)},
    boundary=[Dirichlet(u, 0)],
    observations=[Observations(u, [[0.5, 0.5], [0.2, 0.1]], [0.1, 0.2])],
)
MODEL = MLP(width=8, depth=2).bind(HEAT.bounds, 1, seed=0)


def points() -> PointSet:
    return draw(HEAT, (), Counts(200, 40, 30), seed=0)


def test_counts_give_the_rows_that_were_asked_for() -> None:
    counts = counts_for_rows(HEAT, (), 1000)
    rows = counts.interior + counts.boundary + counts.initial
    assert rows == pytest.approx(1000, rel=0.01)
    assert counts_for_rows(HEAT, {"initial u", "dirichlet u"}, 1000) == Counts(1000, 0, 0)


def test_satisfied_terms_have_no_points() -> None:
    drawn = draw(HEAT, {"initial u"}, Counts(50, 20, 20), seed=0)
    assert not drawn.mask("initial u").any()
    assert drawn.mask("dirichlet u").sum() == 20


@pytest.mark.parametrize("sampler", [RandomResample(seed=3), RAD(seed=3), RAD(seed=3, weighted=False)])
def test_resampling_keeps_counts_measured_points_and_weights(sampler) -> None:
    before = points()
    after = sampler.resample(HEAT, MODEL, before)
    for name in before.terms:
        assert after.mask(name).sum() == before.mask(name).sum()
        assert after.weight[after.mask(name)].sum() == pytest.approx(1.0)
    observed = "observed u(x, t)"
    assert np.array_equal(after.ids_of(observed), before.ids_of(observed))
    assert np.array_equal(after.of(observed).value, before.of(observed).value)
    fresh = np.setdiff1d(after.ids, before.ids_of(observed))
    assert fresh.min() >= before.next_id
    assert sampler.resample(HEAT, MODEL, before) == after
    assert not np.array_equal(sampler.resample(HEAT, MODEL, after).coordinates, after.coordinates)


def test_fixed_returns_the_same_object() -> None:
    before = points()
    assert Fixed().resample(HEAT, MODEL, before) is before


class Bump(torch.nn.Module):
    """A field whose residual sits near one place."""

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return torch.exp(-60 * ((z[:, :1] - 0.3) ** 2 + (z[:, 1:] - 0.4) ** 2))


def test_rad_crowds_where_the_residual_is_large() -> None:
    places = RAD(seed=0).resample(HEAT, Bump(), points()).of("pde").coordinates
    near = np.linalg.norm(places - [0.3, 0.4], axis=1) < 0.25
    assert near.mean() > 2 * np.pi * 0.25**2


def test_rad_weights_leave_the_integral_as_it_is() -> None:
    """Mean of a smooth function under the weights, against the exact mean; equal weights miss it."""

    def mean(drawn: PointSet) -> float:
        piece = drawn.of("pde")
        return float(piece.weight @ np.exp(piece.coordinates[:, 0] + piece.coordinates[:, 1]))

    exact = (np.e - 1) ** 2
    errors: dict[bool, list[float]] = {True: [], False: []}
    for seed in range(20):
        for weighted, values in errors.items():
            sampler = RAD(seed=seed, weighted=weighted)
            values.append(mean(sampler.resample(HEAT, Bump(), points())) - exact)
    assert abs(np.mean(errors[True])) < 0.01 * exact
    assert abs(np.mean(errors[False])) > 0.05 * exact


def test_systematic_sampling_is_proportional_and_without_repetition() -> None:
    generator = np.random.default_rng(0)
    density = np.array([1.0, 2.0, 3.0, 4.0, 100.0])
    counts = np.zeros(5)
    for _ in range(2000):
        chosen = systematic(density, 3, generator)
        assert len(chosen) == 3
        counts[chosen] += 1
    assert np.allclose(counts / 2000, [0.2, 0.4, 0.6, 0.8, 1.0], atol=0.03)


def test_non_finite_residuals_are_reported() -> None:
    broken = MLP(width=8, depth=2).bind(HEAT.bounds, 1, seed=0)
    with torch.no_grad():
        broken.layers[0].weight.fill_(float("nan"))
    with pytest.raises(SolverError, match="finite residuals"):
        RAD().resample(HEAT, broken, points())


@pytest.mark.parametrize("make", [lambda: RandomResample(every=0), lambda: RAD(power=-1), lambda: RAD(candidates=0)])
def test_bad_settings_are_refused(make) -> None:
    with pytest.raises(SolverError, match="expected"):
        make()
