"""A fit of the LieSolver: which initial and boundary data shaped it."""

import numpy as np
import pytest
import sympy as sp
import torch

from influence import Influence
from sciml import IBVP, Dirichlet, Interval, coordinates, field
from sciml.errors import SolverError
from solvers import LieSolver

x, t = coordinates("x t")
u = field("u", x, t)
HEAT = IBVP(
    u.diff(t) - u.diff(x, 2), Interval(x, 0, 1), time=(t, 0, sp.Rational(1, 2)),
    initial={u: x * (1 - x)}, boundary=[Dirichlet(u, 0)],
)  # fmt: skip
INSIDE = np.array([[0.3, 0.02], [0.7, 0.1], [0.5, 0.4]])


def test_datum_kernel_is_that_of_a_fit_to_changed_data() -> None:
    solution = LieSolver().solve(HEAT)
    influence = Influence(solution)
    scores = influence.scores(u, INSIDE, action="value")
    record, mu = influence.record, influence.curvature.damping
    initial = scores.row_labels == "initial u"
    assert initial.any()
    moved = np.where(initial, np.sin(3 * np.pi * record.points.locate(scores.row_ids)[:, 0]), 0.0)
    # the same fit to changed data, by a least-squares solver that knows nothing of influences
    residual, jacobian = (part.numpy() for part in record.rows.jacobian(record.parameters))
    root = np.sqrt(2 * record.weights.numpy())
    rows = np.vstack([root[:, None] * jacobian, np.sqrt(mu) * np.eye(jacobian.shape[1])])
    right = np.concatenate([root * (moved - residual), np.zeros(jacobian.shape[1])])
    step = torch.tensor(np.linalg.lstsq(rows, right, rcond=None)[0])
    true = influence.value(u, INSIDE, record.parameters + step) - scores.before
    assert np.abs(true).max() > 1e-3
    assert scores.by_row @ moved == pytest.approx(true, rel=1e-5, abs=1e-8)
    with pytest.raises(SolverError, match="other points"):
        influence.scores(u, INSIDE, action="move")


def test_a_fit_to_rounding_says_that_removals_tell_nothing() -> None:
    influence = Influence(LieSolver().solve(HEAT))
    assert any("residuals are at rounding" in note for note in influence.reliability.notes)
    assert np.abs(influence.scores(u, INSIDE).values).max() < 1e-10
    assert "residuals are at rounding" in str(influence.check(3, u, INSIDE, quiet=True))


def test_refits_that_are_rounding_are_said_to_tell_nothing() -> None:
    agreement = Influence(LieSolver().solve(HEAT)).check(3, u, INSIDE, quiet=True)
    assert (np.abs(agreement.true).max(axis=0) <= 1e-14 * agreement.level).any()
    assert "neither forecast nor refit can tell them" in str(agreement)
