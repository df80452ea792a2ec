import numpy as np
import pytest

from sciml import Box, Disk, Interval, Polygon, Rectangle, coordinates
from sciml.errors import SolverError
from solvers.reference import FiniteElement
from solvers.reference.mesh import build_mesh
from solvers.reference.refinement import refined
from solvers.reference.space import build_space
from solvers.reference.triangulation import triangulate

x, y, z = coordinates("x y z")
REGIONS = {
    "disk": Disk((x, y), center=(1, 2), radius=3),
    "ring": Disk((x, y)) - Disk((x, y), center=(0.2, 0), radius=0.25, name="hole"),
    "L": Polygon((x, y), [(0, 0), (2, 0), (2, 1), (1, 1), (1, 2), (0, 2)]),
    "window": Polygon((x, y), [(0, 0), (3, 0), (3, 3), (0, 3)], holes=[[(1, 1), (2, 1), (1.5, 2)]]),
    "channel": Rectangle((x, 0, 2.2), (y, 0, 0.41)) - Disk((x, y), center=(0.2, 0.2), radius=0.05, name="cylinder"),
    "lens": Disk((x, y)) & Disk((x, y), center=(1, 0), name="other"),
    "union": Rectangle((x, 0, 2), (y, 0, 1)) | Disk((x, y), center=(2, 0.5), radius=0.5, name="cap"),
    "needle": Polygon((x, y), [(0, 0), (4, 0), (4, 0.5)]),
    "gap": Rectangle((x, 0, 1), (y, 0, 1)) - Disk((x, y), center=(0.5, 0.02), radius=0.01, name="wire"),
}


@pytest.mark.parametrize("name", REGIONS)
@pytest.mark.parametrize("relative", [0.2, 0.06])
def test_triangles_fill_the_region_and_keep_its_boundary(name, relative):
    domain = REGIONS[name]
    mesh = triangulate(domain, relative * np.sqrt(domain.measure))
    quality = mesh.quality()
    assert quality.min() > (0.2 if name == "needle" else 0.05 if name == "channel" else 0.25)
    assert np.mean(quality) > 0.7
    assert set(mesh.faces) == set(domain.faces)
    ends = mesh.points[mesh.edges]
    for face in domain.faces:
        mine = np.array(mesh.faces) == face
        assert domain.on_face(face, ends[mine].reshape(-1, 2)).all()
        assert domain.on_face(face, mesh.middles[mine]).all()
        length = np.linalg.norm(ends[mine, 1] - ends[mine, 0], axis=1).sum()
        assert domain.face_measure(face) * 0.97 < length < domain.face_measure(face) * (1 + 1e-12)
    sides = np.sort(mesh.triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    pairs, count = np.unique(sides, axis=0, return_counts=True)
    assert set(map(tuple, pairs[count == 1])) == set(map(tuple, np.sort(mesh.edges, axis=1)))
    assert count.max() == 2


def test_triangulation_is_repeatable():
    first, second = (triangulate(REGIONS["ring"], 0.15) for _ in range(2))
    assert (first.points == second.points).all()
    assert (first.triangles == second.triangles).all()


def test_edges_shrink_with_the_mesh_size():
    for size in (0.4, 0.2, 0.1):
        mesh = triangulate(REGIONS["L"], size)
        sides = mesh.points[mesh.triangles[:, [[0, 1], [1, 2], [2, 0]]]]
        lengths = np.linalg.norm(sides[:, :, 1] - sides[:, :, 0], axis=2)
        assert lengths.max() < 1.7 * size
        assert lengths.mean() > 0.6 * size


def test_weights_and_normals_on_curved_sides():
    domain = REGIONS["ring"]
    space = build_space(domain, 0.15, 2)
    assert space.cells.weights.sum() == pytest.approx(domain.measure, rel=3e-5)
    for face in domain.faces:
        q = space.faces[face]
        assert q.weights.sum() == pytest.approx(domain.face_measure(face), rel=3e-5)
        assert np.abs(q.normals - domain.normals(face, q.points)).max() < 0.02
        assert np.abs(np.linalg.norm(q.normals, axis=1) - 1).max() < 1e-12


def test_grid_meshes_know_their_faces():
    mesh, faces = build_mesh(Interval(x, 0, 3) - Interval(x, 1, 2), 0.25, 2)
    assert mesh.t.shape[1] == 8
    assert {name: len(found) for name, found in faces.items()} == {"left": 1, "right": 1, "cut": 2}
    solid = Box((x, 0, 2), (y, 0, 1), (z, 0, 1)) - Box((x, 1, 2), (y, 0, 1), (z, 0, 0.5))
    space = build_space(solid, 0.5, 2)
    assert space.cells.weights.sum() == pytest.approx(1.5, rel=1e-12)
    for face in solid.faces:
        assert space.faces[face].weights.sum() == pytest.approx(solid.face_measure(face), rel=1e-12)


def test_too_fine_meshes_are_refused():
    with pytest.raises(SolverError, match="mesh_size"):
        triangulate(REGIONS["disk"], 1e-4)
    with pytest.raises(SolverError, match="mesh_size"):
        build_mesh(Box((x, 0, 1), (y, 0, 1), (z, 0, 1)), 1e-3, 2)


@pytest.mark.parametrize("name", ["channel", "lens", "window"])
def test_halved_edges_keep_the_region_and_lie_on_it(name):
    domain = REGIONS[name]
    coarse = triangulate(domain, 0.3 * np.sqrt(domain.measure))
    fine = refined(refined(coarse))
    assert len(fine.triangles) == 16 * len(coarse.triangles)
    assert set(map(tuple, coarse.points)) <= set(map(tuple, fine.points))
    assert len(np.unique(fine.points, axis=0)) == len(fine.points)
    for face in domain.faces:
        mine = np.array(fine.faces) == face
        ends = fine.points[fine.edges[mine]]
        assert np.abs(domain._distance(ends.reshape(-1, 2), (face,))).max() < 1e-13
        assert np.abs(domain._distance(fine.middles[mine], (face,))).max() < 1e-13
        gap = np.linalg.norm(fine.middles[mine] - ends.mean(axis=1), axis=1)
        assert (gap <= 0.11 * np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1)).all()
    sides = np.diff(fine.points[fine.triangles], axis=1)
    assert (np.linalg.det(sides) > 0).all()


def test_grids_are_halved_too():
    places = build_mesh(Interval(x, 0, 1), 0.5, 2, refinements=2)[0].p[0]
    assert np.sort(places) == pytest.approx([0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1])


def test_refinements_that_are_none_or_too_many():
    for wrong in (-1, 0.5, True):
        with pytest.raises(SolverError, match="refinements"):
            FiniteElement(refinements=wrong)
    with pytest.raises(SolverError, match="fewer refinements"):
        build_mesh(REGIONS["disk"], 1.0, 2, refinements=12)
