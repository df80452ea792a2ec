"""Choosing points by face and time."""

import numpy as np
import pytest
import torch

from influence import Influence, RowBlock
from influence.groups import select
from sciml import IBVP, Dirichlet, Neumann, Periodic, Rectangle, coordinates, field, sample
from sciml.errors import PointsError

x, y = coordinates("x y")
u = field("u", x, y)
STRIP = IBVP(
    u.diff(x, 2) + u.diff(y, 2) - u, Rectangle((x, 0, 1), (y, 0, 2)),
    boundary=[Periodic(u), Neumann(u, 1, on="bottom"), Dirichlet(u, 0, on="top")],
)  # fmt: skip


def test_points_of_a_periodic_condition_belong_to_both_faces() -> None:
    points = sample(STRIP, interior=20, boundary=24)
    periodic = points.ids[points.mask("periodic u left+right")]
    bottom = points.ids[points.mask("neumann u bottom")]
    assert len(periodic)
    for face in ("left", "right"):
        chosen = select(points, STRIP, face=face)
        assert set(periodic) <= set(chosen)
        others = np.setdiff1d(chosen, periodic)
        assert np.abs(points.locate(others)[:, 0] - (face == "right")).max(initial=0.0) < 1e-12
    assert set(bottom) <= set(select(points, STRIP, face="bottom"))
    assert not set(select(points, STRIP, term="pde", where=lambda p: p[:, 1] > 1)) & set(bottom)


def test_a_steady_problem_has_no_time_slabs() -> None:
    with pytest.raises(PointsError, match="with time"):
        select(sample(STRIP, interior=20, boundary=24), STRIP, time=(0.0, 0.5))


def test_defaults_of_a_target_are_not_taken_for_points() -> None:
    block = RowBlock("y", torch.tensor([[1.0, 2.0], [2.0, 3.5], [3.0, 4.0]]), lambda p, z: p[0] + p[1] * z[0] - z[1])
    influence = Influence.from_rows(torch.tensor([7 / 6, 1.0]).double(), [block])
    both = [influence.scores(lambda p, k=k: p[k]).values for k in range(2)]
    assert both[1] == pytest.approx(influence.scores(lambda p: p[1]).values)
    assert not np.allclose(both[0], both[1])
