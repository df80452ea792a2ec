"""Quantum networks in PINN: trained, saved, loaded, and asked for influence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import sympy as sp

from influence import Influence
from sciml import IBVP, Dirichlet, Interval, coordinates, field, load_solution
from sciml.errors import SolverWarning
from sciml.quantum import QuantumNetwork, reuploading
from solvers import PINN
from solvers.pinn import Counts, Fixed


def test_pinn_save_load_and_influence(tmp_path: Path) -> None:
    x = coordinates("x")
    u = field("u", x)
    problem = IBVP(sp.Eq(u.diff(x, 2), -u), Interval(x, 0, 1), boundary=[Dirichlet(u, sp.cos(x))])
    network = QuantumNetwork(reuploading(2, 1, layers=2), "affine", seed=0)
    solution = PINN(network, seed=0, steps=15, constraints="soft", resampler=Fixed(), points=Counts(30, 2, 1)).solve(
        problem
    )
    assert solution.error(sp.cos(x)).relative_l2["u"] < 1e-2
    solution.save(tmp_path / "quantum")
    where = np.linspace(0, 1, 7)[:, None]
    assert np.array_equal(load_solution(tmp_path / "quantum").evaluate(where), solution.evaluate(where))
    with pytest.warns(SolverWarning, match="not at a minimum"):
        influence = Influence(solution, damping=1e-6)
    scores = influence.scores(u, at=np.array([[0.4]]))
    assert np.isfinite(scores.values).all()
    assert scores.values.shape[1] == len(influence.ids)
