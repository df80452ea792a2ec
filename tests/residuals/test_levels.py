"""Level functions vanish on their faces alone, with unit slope, whatever the shape; data are met exactly there."""

from __future__ import annotations

import numpy as np
import pytest
import sympy as sp

from sciml import IBVP, MLP, Dirichlet, Disk, Neumann, Polygon, Rectangle, coordinates, field, sample
from sciml.expressions.data import evaluate_data
from sciml.residuals import ResidualSystem, hard_constraint
from sciml.residuals.levels import Levels

x, y = coordinates("x y")
u = field("u", x, y)
R = sp.Rational
SQUARE = Rectangle((x, -1, 1), (y, -1, 1))
SHAPES = {
    "L": SQUARE - Rectangle((x, 0, 1), (y, 0, 1)),
    "one name": Polygon((x, y), [(-1, -1), (1, -1), (1, 0), (0, 0), (0, 1), (-1, 1)]),
    "slit": SQUARE - Rectangle((x, R(-1, 50), R(1, 50)), (y, -1, R(3, 10))),
    "disk without a quarter": Disk((x, y)) - Rectangle((x, 0, 2), (y, 0, 2)),
    "two disks": Disk((x, y)) | Disk((x, y), center=(1, 0), radius=1, name="second"),
    "triangular hole": Polygon((x, y), [(0, 0), (4, 0), (0, 3)], holes=[[(1, 1), (1, R(3, 2)), (R(3, 2), 1)]]),
    "hole in a pentagon": Polygon((x, y), [(0, 0), (2, 0), (R(12, 5), R(8, 5)), (1, R(13, 5)), (R(-2, 5), R(8, 5))])
    - Disk((x, y), center=(1, 1), radius=R(2, 5), name="hole"),
}  # fmt: skip
LAPLACE = u.diff(x, 2) + u.diff(y, 2)


@pytest.mark.parametrize("name", SHAPES)
def test_levels_vanish_on_their_face_alone(name: str) -> None:
    shape = SHAPES[name]
    for face in shape.faces:
        level = Levels(shape).of([face])
        assert level is not None
        away = [shape.sample(1000, seed=3), *(shape.sample_face(f, 50, seed=3) for f in shape.faces if f != face)]
        assert (evaluate_data(level, (x, y), np.concatenate(away)) > 0).all()
        on = shape.sample_face(face, 30, seed=4)
        corners = shape.corners().reshape(-1, 2)
        far = np.ones(len(on), dtype=bool)
        if len(corners):
            far = np.linalg.norm(on[:, None] - corners, axis=2).min(axis=1) > 0.02
        assert np.abs(evaluate_data(level, (x, y), on)).max() < 1e-13
        inward = -shape.normals(face, on[far])
        slope = sum(evaluate_data(level.diff(s), (x, y), on[far]) * inward[:, i] for i, s in enumerate((x, y)))
        if not (len(shape.primitives()) > 2 and sum(f == face for f, _, _ in shape.primitives()) > 1):
            assert slope == pytest.approx(1, abs=1e-9)  # of several whole lines it is their product
        bend = evaluate_data(level.diff(x, 2, simplify=False), (x, y), on[far])
        assert np.abs(bend).max() < 2e3  # a trimmed level bends like 1/distance from the ends of its piece


@pytest.mark.parametrize("name", SHAPES)
def test_data_are_met_on_every_shape(name: str) -> None:
    shape, data = SHAPES[name], sp.exp(x) * sp.cos(y)
    problem = IBVP(LAPLACE, shape, boundary=[Dirichlet(u, data, on=face) for face in shape.faces])
    constraint = hard_constraint(problem, require=True)
    assert constraint is not None
    model = MLP(6, 2).bind(problem.bounds, 1, seed=4)
    points = sample(problem, interior=50, boundary=64, initial=0)
    rows = ResidualSystem(problem, constraint).rows(model, points, parameters=False)
    assert np.isfinite(rows.terms[0].values.detach().numpy()).all()
    assert max(float(term.values.abs().max()) for term in rows.terms[1:]) < 1e-12
    inside = constraint.particular[0] + constraint.factor[0]
    gap = evaluate_data(inside - data, (x, y), shape.sample(20, seed=9))
    assert (gap > 0).all()  # the network is free inside


def test_different_data_are_blended() -> None:
    shape = SHAPES["hole in a pentagon"]
    problem = IBVP(LAPLACE, shape, boundary=[Dirichlet(u, x * y, on="boundary"), Dirichlet(u, 3, on="hole")])
    constraint = hard_constraint(problem, require=True)
    assert constraint is not None
    for face, data in (("boundary", x * y), ("hole", sp.Integer(3))):
        on = shape.sample_face(face, 20, seed=1)
        assert np.abs(evaluate_data(constraint.particular[0] - data, (x, y), on)).max() < 1e-12


def test_a_face_on_the_same_line_stays_free() -> None:
    shape = Rectangle((x, 0, 1), (y, 0, 1)).rename({"bottom": "heated"}) | Rectangle((x, 1, 2), (y, 0, 1))
    rest = [face for face in shape.faces if face not in ("heated", "bottom")]
    problem = IBVP(LAPLACE, shape, boundary=[Dirichlet(u, 0, on=["heated", *rest]), Neumann(u, 1, on="bottom")])
    full, smooth = hard_constraint(problem), hard_constraint(problem, trimmed=False)
    assert full is not None
    assert smooth is None  # one term, which holds on the heated face as well
    assert (evaluate_data(full.factor[0], (x, y), shape.sample_face("bottom", 50)) > 0).all()
    assert evaluate_data(full.factor[0], (x, y), shape.sample_face("heated", 50)) == pytest.approx(0, abs=1e-15)
