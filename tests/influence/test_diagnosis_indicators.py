"""Indicators on influences whose answer is known by construction, and against direct sums."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from influence import (
    Influence,
    RowBlock,
    cancellation,
    component_ratio,
    conflict,
    held_out_residual,
    influence_clusters,
    initial_share,
    proximity,
    region_fraction,
    self_influence,
    temporal_causality,
)
from influence.diagnosis.conflict import Conflict
from influence.diagnosis.held_out import HeldOut
from influence.diagnosis.training_faults import _noise_explains
from influence.scores import Scores
from sciml.errors import PointsError, SolverError

RNG = np.random.default_rng(0)
TRAIN, QUERY = RNG.random((120, 2)), RNG.random((40, 2))
LABELS = np.array(["pde"] * 90 + ["initial u"] * 30, dtype=object)


def made(by_row: np.ndarray, ids: np.ndarray | None = None, query: np.ndarray | None = QUERY) -> Scores:
    """Scores of rows; rows of equal id are one point."""
    row_ids = np.arange(by_row.shape[1]) if ids is None else ids
    points = np.unique(row_ids)
    values = np.stack([by_row[:, row_ids == identity].sum(axis=1) for identity in points], axis=1)
    train = TRAIN[: len(points)]
    return Scores(
        values, points, train, np.array(["pde"] * len(points)), query, "u", "", by_row=by_row, row_ids=row_ids,
        row_labels=LABELS[: by_row.shape[1]], coordinates=("x", "t"),
    )  # fmt: skip


BY_ROW = RNG.standard_normal((40, 120))


def test_component_ratio_is_the_share_of_absolute_influence() -> None:
    found = component_ratio(made(BY_ROW))
    size = np.abs(BY_ROW)
    expected = size[:, :90].sum(axis=1) / size.sum(axis=1)
    assert found.names == ("pde", "initial u")
    assert found.values[:, 0] == pytest.approx(expected)
    assert found.values.sum(axis=1) == pytest.approx(1)
    assert found.rows == pytest.approx([0.75, 0.25])
    with pytest.raises(SolverError, match="rows add up"):
        component_ratio(Scores(BY_ROW, np.arange(120), TRAIN, LABELS, QUERY, "u", ""))


def test_cancellation_of_rows_of_one_point() -> None:
    ids = np.concatenate([np.arange(90), np.arange(30)])  # 30 points have two rows
    rows = BY_ROW.copy()
    rows[:, 90:100] = -rows[:, :10]  # cancel
    rows[:, 100:110] = 2 * rows[:, 10:20]  # reinforce
    found = cancellation(made(rows, ids))
    assert found.ids.tolist() == list(range(30))
    assert found.values[:, :10] == pytest.approx(1)
    assert found.values[:, 10:20] == pytest.approx(0)
    expected = 1 - np.abs(rows[3, 25] + rows[3, 115]) / (abs(rows[3, 25]) + abs(rows[3, 115]))
    assert found.values[3, 25] == pytest.approx(expected)
    assert np.isnan(cancellation(made(BY_ROW)).median)


def test_causality_against_a_direct_sum_and_its_band() -> None:
    scores = made(BY_ROW)
    found = temporal_causality(scores, permutations=999)
    size = np.abs(BY_ROW)
    past = [size[z, TRAIN[:, 1] <= QUERY[z, 1]].sum() / size[z].sum() for z in range(40)]
    assert found.eta == pytest.approx(1 - np.mean(past))
    assert found.baseline == pytest.approx((TRAIN[:, 1] > QUERY[:, 1:]).mean())
    blind = [temporal_causality(made(RNG.standard_normal((40, 120))), permutations=199) for _ in range(60)]
    outside = sum(not one.band[0] <= one.eta <= one.band[1] for one in blind)
    assert outside <= 8  # influences that know nothing of time leave a 95 % band 3 times in 60
    direct = []
    rng = np.random.default_rng(5)
    for _ in range(300):
        times = TRAIN[rng.permutation(120), 1]
        direct.append(np.mean((size * (times > QUERY[:, 1:])).sum(axis=1) / size.sum(axis=1)))
    assert found.drawn.mean() == pytest.approx(np.mean(direct), abs=3e-3)
    assert found.drawn.std() == pytest.approx(np.std(direct), rel=0.15)
    causal = np.where(TRAIN[:, 1] <= QUERY[:, 1:], 1.0, 0.2) * BY_ROW
    assert temporal_causality(made(causal)).below
    with pytest.raises(SolverError, match="places"):
        temporal_causality(made(BY_ROW, query=None))


def test_initial_share_falls_only_where_it_falls() -> None:
    size = np.ones((40, 120))
    flat = initial_share(made(size), permutations=499)
    assert flat.values == pytest.approx(0.25)
    assert flat.p_value == 1
    size[:, 90:] *= np.exp(-3 * QUERY[:, 1:])
    falling = initial_share(made(size), permutations=499)
    assert falling.trend == pytest.approx(-1)
    assert falling.p_value < 0.01
    assert falling.early > falling.late
    assert initial_share(made(size), column=0).along == "x"
    with pytest.raises(SolverError, match="initial"):
        initial_share(made(size), labels=["u0"])


def test_region_and_proximity() -> None:
    size = np.abs(BY_ROW)
    scores = made(BY_ROW)
    left = TRAIN[:, 0] < 0.5
    found = region_fraction(scores, left, lambda z: z[:, 1] > 0.5)
    rows = QUERY[:, 1] > 0.5
    assert found.value == pytest.approx((size[rows][:, left].sum(axis=1) / size[rows].sum(axis=1)).mean())
    assert found.uniform == pytest.approx(left.mean())
    with pytest.raises(PointsError, match="at least one true"):
        region_fraction(scores, lambda z: z[:, 0] > 2)
    every = np.concatenate([TRAIN, QUERY])
    low, extent = every.min(axis=0), np.ptp(every, axis=0)
    distance = np.linalg.norm((TRAIN - QUERY[7]) / extent, axis=1)
    assert low.shape == (2,)
    for kernel, k in (("exponential", np.exp(-distance / 2)), ("gaussian", np.exp(-(distance**2) / 2))):
        near = proximity(scores, kernel)
        assert near.values[7] == pytest.approx((k * size[7]).sum() / size[7].sum())
        assert near.band[0] < near.uniform < near.band[1]
    local = np.exp(-10 * np.linalg.norm(TRAIN - QUERY[:, None], axis=2))
    assert proximity(made(local)).value > proximity(made(local)).band[1]
    with pytest.raises(SolverError, match="kernel"):
        proximity(scores, "rbf")


def test_clusters_find_planted_kinds_of_maps() -> None:
    kind = np.arange(40) % 3
    patterns = RNG.standard_normal((3, 120))
    maps = patterns[kind] + 0.1 * RNG.standard_normal((40, 120))
    maps = maps * 10.0 ** RNG.uniform(-3, 3, (40, 1))  # the kind of a map is its direction, not its size
    found = influence_clusters(made(maps), neighbours=6)
    assert len(found.shares) == 3
    assert all(len(set(found.labels[kind == k].tolist())) == 1 for k in range(3))
    assert found.stability > 0.9
    assert len(influence_clusters(made(maps), side="train", k=4).labels) == 120
    with pytest.raises(SolverError, match="side"):
        influence_clusters(made(maps), side="both")


def line(values: np.ndarray, names: tuple[str, ...] = ("fit",)) -> Influence:
    """A straight line through data: everything about it is exact."""
    x = np.linspace(0, 1, len(values))
    design = np.column_stack([np.ones_like(x), x])
    theta = torch.tensor(np.linalg.lstsq(design, values, rcond=None)[0])
    parts = np.array_split(np.arange(len(x)), len(names))
    blocks = [
        RowBlock(name, np.column_stack([x, values])[own], lambda p, z: p[0] + p[1] * z[0] - z[1], 1.0)
        for name, own in zip(names, parts, strict=True)
    ]
    return Influence.from_rows(theta, blocks)


def test_outlying_rows_and_cook() -> None:
    values = 2 + np.linspace(0, 1, 60) + 0.01 * RNG.standard_normal(60)
    assert not self_influence(line(values)).outlying.any()
    values[[11, 40]] += 0.3
    found = self_influence(line(values))
    assert np.flatnonzero(found.outlying).tolist() == [11, 40]
    assert set(found.top(2)) == {11, 40}
    assert found.share > 0.9
    design = np.column_stack([np.ones(60), np.linspace(0, 1, 60)])
    hat = design @ np.linalg.inv(design.T @ design) @ design.T
    left = values - hat @ values
    student = np.abs(left) / np.sqrt(1 - np.diag(hat))
    assert found.student == pytest.approx(student / (np.median(student) / 0.6745), rel=1e-4)


def test_loss_without_a_group_is_that_of_a_refit() -> None:
    x = np.linspace(0, 1, 30)
    values = 1 + x + 0.05 * np.sin(9 * x)
    values[20:] += 0.5
    found = conflict(line(values, ("first", "second", "third")))
    assert isinstance(found, Conflict)
    design = np.column_stack([np.ones_like(x), x])
    total = np.linalg.lstsq(design, values, rcond=None)[1][0]
    for i, own in enumerate(np.array_split(np.arange(30), 3)):
        rest = np.setdiff1d(np.arange(30), own)
        left = np.linalg.lstsq(design[rest], values[rest], rcond=None)[1][0]
        assert found.left[i] == pytest.approx(left / total, rel=1e-9)
    assert found.names[found.best] == "third"


def test_noise_of_data_explains_no_more_than_it_causes() -> None:
    def found(p_value: float, level: float) -> SimpleNamespace:
        return SimpleNamespace(structures=[SimpleNamespace(p_value=p_value)], excess={"pde": (level, 1.0)})

    missed = {"pde": 0.2}
    assert _noise_explains(found(0.4, 1.5), missed)
    assert not _noise_explains(found(0.4, 5.0), missed)  # five times what the noise can cause
    assert not _noise_explains(found(0.001, 1.5), missed)  # a pattern is no noise
    assert not _noise_explains(found(0.4, 1.5), {"initial u": 0.2})
    assert not _noise_explains(SimpleNamespace(structures=[], excess={}), missed)


def test_residual_of_left_out_points_is_exact_for_a_line() -> None:
    x = np.linspace(0, 1, 25)
    values = x + 0.1 * RNG.standard_normal(25)
    found = held_out_residual(line(values))
    design, errors = np.column_stack([np.ones_like(x), x]), []
    for i in range(25):
        rest = np.arange(25) != i
        fit = np.linalg.lstsq(design[rest], values[rest], rcond=None)[0]
        errors.append(design[i] @ fit - values[i])
    assert isinstance(found, HeldOut)
    assert found.left_out[0] == pytest.approx(np.sqrt(np.mean(np.square(errors))), rel=1e-9)
    assert np.isnan(found.held_out[0])


def test_every_indicator_draws_itself() -> None:
    scores, fit = made(np.abs(BY_ROW)), line(np.linspace(0, 1, 30) ** 2, ("a", "b"))
    parts = [
        component_ratio(scores), cancellation(scores), temporal_causality(scores), initial_share(scores),
        region_fraction(scores, TRAIN[:, 0] < 0.5), proximity(scores), self_influence(fit), held_out_residual(fit),
        conflict(fit), influence_clusters(scores),
    ]  # fmt: skip
    for part in parts:
        figure = part.plot()
        figure.canvas.draw()
        assert figure.axes[0].get_title() or figure.axes[0].get_xlabel()
        assert str(part)
