"""Points of the unit cube, and how they are shared among parts."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import qmc

from sciml.errors import PointsError
from sciml.points import proportional
from sciml.sampling import METHODS, apportion, choose, lattice, part_points, spread, unit_points

EVERY_METHOD = pytest.mark.parametrize("method", METHODS)


@EVERY_METHOD
@pytest.mark.parametrize("d", [1, 2, 3, 4])
@pytest.mark.parametrize("n", [0, 1, 2, 7, 64, 100])
def test_shape_range_and_difference(method: str, d: int, n: int) -> None:
    points = unit_points(n, d, method, seed=2)
    assert points.shape == (n, d)
    assert ((points > 0.0) & (points < 1.0)).all()
    assert len(np.unique(points, axis=0)) == n


@EVERY_METHOD
@pytest.mark.parametrize("d", [1, 2, 3])
def test_every_coordinate_is_uniform(method: str, d: int) -> None:
    points = unit_points(1024, d, method, seed=5)
    for column in points.T:
        gap = abs(np.sort(column) - (np.arange(1024) + 0.5) / 1024).max()
        assert gap < (0.055 if method == "grid" else 0.045)  # half a cell of 10; Kolmogorov–Smirnov at 3 %
        counts = np.histogram(column, 8, (0.0, 1.0))[0]
        assert method == "grid" or ((counts - 128.0) ** 2 / 128.0).sum() < 40.0  # chi-square, 7 degrees of freedom


def test_strata() -> None:
    for method in ("latin", "hammersley"):
        first = unit_points(50, 2, method, seed=1)[:, 0]
        assert sorted((first * 50).astype(int)) == list(range(50))
    latin = unit_points(50, 3, "latin", seed=1)
    assert all(sorted((column * 50).astype(int)) == list(range(50)) for column in latin.T)
    sobol = unit_points(64, 2, "sobol", seed=9)
    cells = (sobol * 8).astype(int)
    assert len({tuple(cell) for cell in cells}) == 64  # a (0, 6, 2)-net has one point in each of 8 × 8 cells


def test_discrepancy_orders_the_methods() -> None:
    values = {m: qmc.discrepancy(unit_points(256, 2, m, seed=3)) for m in METHODS}
    assert max(values["sobol"], values["hammersley"]) < 0.2 * values["uniform"]


@pytest.mark.parametrize(
    ("n", "sides"), [(1, (1, 1)), (2, (1, 2)), (6, (2, 3)), (9, (3, 3)), (12, (3, 4)), (100, (10, 10))]
)
def test_grid_has_whole_rows(n: int, sides: tuple[int, int]) -> None:
    points = unit_points(n, 2, "grid")
    assert tuple(len(np.unique(column)) for column in points.T) == sides
    assert points.mean(axis=0) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((-1, 2), "0 or more"),
        ((1.5, 2), "whole number"),
        ((True, 2), "whole number"),
        (("3", 2), "whole number"),
        ((3, -1), "d: a whole number"),
        ((3, 2, "halton"), "sobol, hammersley, latin, uniform, grid"),
        ((3, 2, None), "sobol"),
        ((3, 2, ["grid"]), "sobol"),
        ((3, 2, "sobol", -1), "seed"),
        ((3, 2, "sobol", 1.0), "seed"),
        ((3, 2, "grid", None), "seed"),
    ],
)
def test_refused(arguments: tuple, message: str) -> None:
    with pytest.raises(PointsError, match=message):
        unit_points(*arguments)


WEIGHTS = st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=12).map(np.array)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(WEIGHTS, st.integers(0, 200))
def test_apportioned_numbers(weights: np.ndarray, total: int) -> None:
    shares, ideal = apportion(total, weights), total * weights / weights.sum()
    assert shares.sum() == total
    assert (abs(shares - ideal) < 1.0 + 1e-9).all()
    faces = proportional(total, weights)
    assert faces.sum() == (max(total, len(weights)) if total else 0)
    assert total == 0 or faces.min() >= 1
    order = np.argsort(weights, kind="stable")
    assert (np.diff(faces[order]) >= -1).all()


@settings(max_examples=100, deadline=None, derandomize=True)
@given(WEIGHTS, st.lists(st.floats(1e-6, 1.0 - 1e-6), max_size=20).map(np.array))
def test_choice_of_parts_preserves_measure(weights: np.ndarray, unit: np.ndarray) -> None:
    """The place on the joint line is where the unit number says."""
    index, rest = choose(weights, unit)
    ends = np.concatenate([[0.0], np.cumsum(weights)])
    assert np.allclose(ends[index] + rest * weights[index], unit * weights.sum(), atol=1e-9 * weights.sum())
    assert ((rest > 0.0) & (rest < 1.0)).all()


def test_parts_get_their_share_with_every_method() -> None:
    weights = np.array([1.0, 2.0, 5.0])
    for method in METHODS:
        for columns, further in ((1, 0), (1, 1), (2, 0), (2, 1)):
            part, unit = part_points(weights, 800, columns, further, method, seed=1)
            assert unit.shape == (800, columns + further)
            assert abs(np.bincount(part, minlength=3) - 100.0 * weights).max() < 60
            assert ((unit > 0.0) & (unit < 1.0)).all()
    assert part_points(np.array([3.0]), 5, 0, 0)[1].shape == (5, 0)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(1, 24), st.integers(0, 3), st.booleans())
def test_lattice_over_tiles_is_that_of_the_whole(side: int, level: int, drop: bool) -> None:
    """Walls between tiles neither lose nor repeat a centre."""
    k = 2**level
    corners = np.stack(np.meshgrid(*[np.arange(k)] * 2, indexing="ij"), axis=-1).reshape(-1, 2)
    tiles = np.stack([corners, corners + 1], axis=1) * 0.7 / k - 0.3
    if drop and k > 1:
        kept = np.ones(len(tiles), dtype=bool)
        kept[1] = False  # a tile on the edge, so that the bounding box stays
        tiles = tiles[kept]
    points = (lattice(tiles, side) + 0.3) / 0.7
    assert np.allclose(np.unique(points.round(9), axis=0), points.round(9))
    ticks = [Fraction(2 * i + 1, 2 * side) for i in range(side)]
    hit = [
        (x, y)
        for x in ticks
        for y in ticks
        if not (drop and k > 1 and x < Fraction(1, k) and Fraction(1, k) < y < Fraction(2, k))
    ]
    assert np.allclose(points, np.array(hit, dtype=float), atol=1e-9)


def test_spread() -> None:
    for available in range(1, 30):
        for wanted in range(available + 1):
            kept = spread(available, wanted)
            assert len(set(kept)) == wanted
            assert all(0 <= i < available for i in kept)
            assert wanted == 0 or max(np.diff([-1, *kept, available])) <= np.ceil(available / wanted) + 1
