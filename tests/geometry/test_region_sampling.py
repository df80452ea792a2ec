"""Samples of regions and faces: inside, uniform, repeatable, every part reached."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import sympy as sp
from scipy.stats import chi2

from sciml.geometry import Box, Disk, Geometry, Interval, Polygon, Rectangle
from sciml.geometry.interior import interior_points
from sciml.sampling import METHODS

X, Y, Z = sp.symbols("x y z", real=True)
RING = Disk((X, Y), radius=1) - Disk((X, Y), radius=0.95, name="inner")
FRAME = Box((X, 0, 4), (Y, 0, 4), (Z, 0, 1)) - Box((X, 1, 3), (Y, 1, 3), (Z, -1, 2))
SHAPES: dict[str, Geometry] = {
    "interval": Interval(X, -1, 2),
    "intervals": (Interval(X, 0, 1) | Interval(X, 2, 2.25)) - Interval(X, 0.25, 0.5),
    "rectangle": Rectangle((X, 0, 3), (Y, 1, 2)),
    "disk": Disk((X, Y), center=(1, 1), radius=2),
    "channel": Rectangle((X, 0, 2.2), (Y, 0, 0.41)) - Disk((X, Y), (0.2, 0.2), 0.05, name="cylinder"),
    "ring": RING,
    "ell": Polygon((X, Y), [(0, 0), (4, 0), (4, 0.25), (0.25, 0.25), (0.25, 4), (0, 4)]),
    "needle": Polygon((X, Y), [(0, 0), (1, 1), (0, 1e-3)]),
    "frame": FRAME,
}
EVERY_METHOD = pytest.mark.parametrize("method", METHODS)
EVERY_SHAPE = pytest.mark.parametrize("name", SHAPES)


def uniform(share: np.ndarray, weights: np.ndarray) -> bool:
    """Whether counts fit probabilities: chi-square at one in a million."""
    expected = share.sum() * weights / weights.sum()
    assert expected.min() >= 5.0
    return bool(((share - expected) ** 2 / expected).sum() < chi2.isf(1e-6, len(share) - 1))


@EVERY_METHOD
@EVERY_SHAPE
@pytest.mark.parametrize("n", [0, 1, 2, 37])
def test_as_many_as_asked_and_all_inside(method: str, name: str, n: int) -> None:
    shape = SHAPES[name]
    points = shape.sample(n, method, seed=3)
    assert points.shape == (n, shape.dimension)
    assert (shape.signed_distance(points) < 0.0).all()
    timed = shape.sample(n, method, seed=3, time=(2.0, 5.0))
    assert timed.shape == (n, shape.dimension + 1)
    assert (shape.signed_distance(timed[:, :-1]) < 0.0).all()
    assert ((timed[:, -1] > 2.0) & (timed[:, -1] < 5.0)).all()
    for face in shape.faces:
        on = shape.sample_face(face, n, method, seed=3, time=(2.0, 5.0))
        assert on.shape == (n, shape.dimension + 1)
        assert shape.on_face(face, on[:, :-1], 1e-13).all()
        assert ((on[:, -1] > 2.0) & (on[:, -1] < 5.0)).all()


def global_state() -> np.ndarray:
    return np.random.mtrand._rand.get_state()[1].copy()


@EVERY_METHOD
@EVERY_SHAPE
def test_seeds(method: str, name: str) -> None:
    shape = SHAPES[name]
    state = global_state()
    first, again, other = (shape.sample(40, method, seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert np.array_equal(first, other) == (method == "grid" or (method == "hammersley" and shape.dimension == 1))
    assert len(np.unique(first, axis=0)) == 40
    assert np.array_equal(state, global_state())


@EVERY_METHOD
def test_interior_is_uniform_in_space(method: str) -> None:
    """Boxes of the channel's grid, with areas that the geometry gives independently of sampling."""
    shape, n = SHAPES["channel"], 3000
    points = shape.sample(n, method, seed=4)
    edges_x, edges_y = np.linspace(0.0, 2.2, 12), np.linspace(0.0, 0.41, 4)
    counts = np.histogram2d(*points.T, [edges_x, edges_y])[0].ravel()
    areas = [
        (shape & Rectangle((X, a, b), (Y, c, d)).rename("cell")).measure
        for a, b in pairwise(edges_x)
        for c, d in pairwise(edges_y)
    ]
    assert uniform(counts, np.array(areas))


@EVERY_METHOD
@pytest.mark.parametrize("timed", [False, True])
def test_thin_ring_is_filled_all_around(method: str, timed: bool) -> None:
    points = RING.sample(800, method, seed=1, time=(0.0, 1.0) if timed else None)
    angles = np.histogram(np.arctan2(points[:, 1], points[:, 0]), 32, (-np.pi, np.pi))[0]
    if method != "grid" or not timed:  # a grid in space and time is coarser in space than this ring is thick
        assert uniform(angles, np.ones(32))
    if method in ("grid", "sobol", "hammersley", "latin"):
        assert angles.min() >= 8
    if timed:
        assert uniform(np.histogram(points[:, 2], 8, (0.0, 1.0))[0], np.ones(8))


@EVERY_METHOD
def test_intervals_are_uniform_in_space_and_time(method: str) -> None:
    shape = SHAPES["intervals"]
    points = shape.sample(1600, method, seed=2, time=(-1.0, 1.0))
    space = np.array([((points[:, 0] > a) & (points[:, 0] < b)).sum() for a, b in ((0, 0.25), (0.5, 1), (2, 2.25))])
    assert space.sum() == 1600
    assert uniform(space, np.array([1.0, 2.0, 1.0]))
    late = np.histogram2d(*points.T, [[0.0, 0.4, 1.0, 3.0], np.linspace(-1.0, 1.0, 5)])[0].ravel()
    assert uniform(late, np.repeat([0.25, 0.5, 0.25], 4))


@EVERY_METHOD
def test_space_and_time_are_independent_on_a_curved_face(method: str) -> None:
    points = RING.sample_face("boundary", 1600, method, seed=6, time=(0.0, 2.0))
    angle = np.arctan2(points[:, 1], points[:, 0])
    counts = np.histogram2d(angle, points[:, 2], [np.linspace(-np.pi, np.pi, 9), np.linspace(0.0, 2.0, 5)])[0]
    assert uniform(counts.ravel(), np.ones(32))


@EVERY_METHOD
def test_face_of_several_segments_is_uniform_in_length(method: str) -> None:
    shape = SHAPES["ell"]
    points = shape.sample_face("boundary", 1600, method, seed=8)
    lengths = np.array([4.0, 0.25, 3.75, 3.75, 0.25, 4.0])
    distances = []
    corners = shape.vertices
    for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        along = (end - start) / np.hypot(*(end - start))
        place = (points - start) @ along
        off = abs((points - start) @ np.array([along[1], -along[0]]))
        distances.append((off < 1e-9) & (place > 0) & (place < np.hypot(*(end - start))))
    counts = np.array(distances).sum(axis=1)
    assert counts.sum() == 1600
    assert uniform(counts, lengths)


@EVERY_METHOD
def test_face_of_several_facets_reaches_each_of_them(method: str) -> None:
    """The back of a frame consists of facets around the hole; the cut of four walls."""
    points = FRAME.sample_face("back", 480, method, seed=1)
    counts = np.histogram2d(points[:, 0], points[:, 1], 4, [[0, 4], [0, 4]])[0]
    assert counts[1:3, 1:3].sum() == 0
    ring = np.concatenate([counts[0], counts[3], counts[1:3, 0], counts[1:3, 3]])
    assert uniform(ring, np.ones(12))
    walls = FRAME.sample_face("cut", 400, method, seed=1, time=(0.0, 1.0))
    normals = FRAME.normals("cut", walls[:, :3])
    assert uniform(np.array([(normals[:, k] == s).sum() for k in (0, 1) for s in (-1, 1)]), np.ones(4))


@EVERY_METHOD
def test_ends_of_an_interval(method: str) -> None:
    both = Interval(X, 0, 1).rename("ends")
    points = both.sample_face("ends", 200, method, seed=5, time=(0.0, 1.0))
    assert set(points[:, 0]) == {0.0, 1.0}
    assert uniform(np.array([(points[:, 0] == end).sum() for end in (0.0, 1.0)]), np.ones(2))
    assert set(Interval(X, 0, 1).sample_face("right", 5, method).ravel()) == {1.0}


def test_few_points_of_a_grid_are_not_heaped_on_few_facets() -> None:
    points = FRAME.sample_face("back", 100, "grid")
    counts = np.histogram2d(points[:, 0], points[:, 1], 4, [[0, 4], [0, 4]])[0]
    counts[1:3, 1:3] = 8
    assert counts.min() >= 6
    assert counts.max() <= 12


@pytest.mark.parametrize("method", ["latin", "hammersley"])
def test_surplus_points_are_thinned_evenly(method: str) -> None:
    """These sets are balanced as a whole: the first half of a Hammersley set has only small first coordinates."""
    unit = np.array([[[0.0, 0.0], [1.0, 1.0]]])
    points = interior_points(unit, 0.5, lambda p: np.ones(len(p), dtype=bool), 100, False, method, 1)
    assert points is not None
    assert uniform(np.histogram(points[:, 0], 4, (0.0, 1.0))[0], np.ones(4))


def test_no_point_of_a_face_is_a_vertex() -> None:
    shape = SHAPES["ell"]
    points = shape.sample_face("boundary", 20_000, "uniform")
    assert abs(points[:, None] - shape.corners()).max(axis=2).min() > 1e-8


def test_grid_of_a_region_is_a_grid() -> None:
    points = SHAPES["disk"].sample(500, "grid")
    gaps = np.diff(np.unique(points[:, 0].round(9)))
    assert np.allclose(gaps, gaps[0], rtol=1e-6)
    timed = RING.sample(4000, "grid", time=(0.0, 1.0))
    steps = np.unique(timed[:, 2].round(12))
    assert np.allclose(np.diff(steps), steps[1] - steps[0])
    assert len(steps) < 60


def test_quasi_random_points_integrate_better_than_random_ones() -> None:
    """∫ x² + y² over the unit disk is π/2."""
    errors = {}
    for method in METHODS:
        points = Disk((X, Y)).sample(4096, method, seed=1)
        errors[method] = abs((points**2).sum(axis=1).mean() - 0.5)
    deviation = np.sqrt(1.0 / 12.0 / 4096)  # of a random mean: r² is uniform on (0, 1)
    assert errors["uniform"] < 4.0 * deviation
    assert max(errors["sobol"], errors["hammersley"]) < deviation / 10.0
    assert errors["grid"] < deviation  # lattice points in a circle: Gauss's problem, no better than n^(-2/3)
