"""Nothing of the user's is changed: precision, seeds, threads, warnings, matplotlib's settings, folders."""

from __future__ import annotations

import os
import random
import warnings
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
import sympy as sp
import torch

from influence import Influence, InfluenceSampler, diagnose
from sciml import IBVP, MLP, Dirichlet, Interval, coordinates, field, load_solution
from solvers import PINN, RAD, FiniteElement, LieSolver, point_symmetries

x, t = coordinates("x t")
u = field("u", x, t)
HEAT = IBVP(sp.Eq(u.diff(t), u.diff(x, 2)), Interval(x, 0, 1), (t, 0, 1), {u: sp.sin(sp.pi * x)}, [Dirichlet(u, 0)])


def surroundings() -> dict[str, Any]:
    return {
        "dtype": torch.get_default_dtype(),
        "device": torch.get_default_device(),
        "threads": torch.get_num_threads(),
        "gradients": torch.is_grad_enabled(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "torch seed": torch.random.get_rng_state().numpy().tobytes(),
        "numpy seed": repr(np.random.get_state()),  # ruff: ignore[numpy-legacy-random]
        "python seed": random.getstate(),
        "numpy errors": np.geterr(),
        "numpy print": repr(np.get_printoptions()),
        "filters": list(warnings.filters),
        "backend": mpl.get_backend(),
        "matplotlib": {k: repr(v) for k, v in mpl.rcParams.items() if not k.startswith("backend")},
        "folder": os.getcwd(),
        "environment": dict(os.environ),
    }


def network(**options: Any) -> Any:
    return PINN(MLP(width=6, depth=1), steps=12, progress=False, **options).solve(HEAT)


ACTIONS: dict[str, Any] = {
    "PINN": network,
    "PINN, adam": lambda: network(optimiser="adam"),
    "PINN, resampled": lambda: network(resampler=RAD(every=5)),
    "PINN, resampled by influence": lambda: network(resampler=InfluenceSampler(every=5)),
    "LieSolver": lambda: LieSolver().solve(HEAT),
    "bound": lambda: LieSolver().solve(HEAT).error_bound,
    "FiniteElement": lambda: FiniteElement(mesh_size=0.2, steps=5).solve(HEAT),
    "symmetries": lambda: point_symmetries(HEAT).generators[0].flow(sp.Rational(1, 3)),
    "influence": lambda: Influence(network()).scores(u, at=[[0.5, 0.5]]).top(3),
    "diagnosis": lambda: str(diagnose(network())),
    "plot": lambda: network().plot(),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ACTIONS)
def test_surroundings_are_left_as_found(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ACTIONS[name]()  # imports of extras happen once
    before = surroundings()
    ACTIONS[name]()
    after = surroundings()
    assert [key for key in before if before[key] != after[key]] == []
    assert list(tmp_path.iterdir()) == []  # no file where nobody asked for one


def test_the_users_seed_and_precision_do_not_matter() -> None:
    first = network().evaluate(np.array([[0.3, 0.4]]))
    used = torch.get_default_dtype()
    torch.manual_seed(123)
    try:
        for dtype in (torch.float32, torch.float64):
            torch.set_default_dtype(dtype)
            assert network().evaluate(np.array([[0.3, 0.4]])).tobytes() == first.tobytes()
    finally:
        torch.set_default_dtype(used)


def test_saving_and_loading_leave_no_other_file(tmp_path: Path) -> None:
    before = surroundings()
    solution = LieSolver().solve(HEAT)
    solution.save(tmp_path / "heat")
    load_solution(tmp_path / "heat")
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".json", ".safetensors"]
    assert before["filters"] == surroundings()["filters"]
