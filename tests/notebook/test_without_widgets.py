"""Without the widget libraries every picture is a static figure that names the extra, and can be exported."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy as sp
import torch

import sciml.notebook
from influence import Influence, RowBlock
from influence.quantum import shapley
from sciml import IBVP, MLP, Dirichlet, Interval, SolverError, coordinates, field
from sciml.quantum import QuantumNetwork, reuploading
from solvers import PINN

x = coordinates("x")
v = field("v", x)
LINE = IBVP(sp.Eq(v.diff(x, 2), -sp.sin(x)), Interval(x, 0, sp.pi), boundary=[Dirichlet(v, 0)])


@pytest.fixture(autouse=True)
def without_widgets(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The pictures' modules anew, with the libraries blocked; the old ones come back afterwards."""
    for name in [name for name in sys.modules if name.startswith("sciml.notebook.")]:
        monkeypatch.setattr(sciml.notebook, name.rsplit(".", 1)[1], sys.modules[name])
        monkeypatch.delitem(sys.modules, name)
    for library in ("anywidget", "ipywidgets", "traitlets"):
        monkeypatch.setitem(sys.modules, library, None)
    yield
    for name in [name for name in sys.modules if name.startswith("sciml.notebook.")]:
        del sys.modules[name]


def made(module: str, name: str) -> Any:
    return getattr(importlib.import_module(f"sciml.notebook.{module}"), name)


def check_static(picture: Any, path: Path) -> None:
    assert 'pip install "sciml[notebook]"' in repr(picture)
    data, _ = picture._repr_mimebundle_(include=None, exclude=None)
    assert data["image/png"].startswith(b"\x89PNG")
    assert set(data) == {"image/png", "text/plain"}  # nothing that asks a page for a widget
    assert picture.figure().axes
    assert "render" in picture.html(path / "page.html").read_text(encoding="utf-8")


def test_training_viewer_and_replay(tmp_path: Path) -> None:
    film, board = made("replay", "Snapshots")(every=3), made("dashboard", "Dashboard")(LINE)
    seen: list[bool] = []
    board.observe(lambda change: seen.append(change["new"]["done"]), names="now")
    board.train(PINN(MLP(width=4, depth=1), steps=6, tolerance=0.0), callbacks=[film])
    solution = board.result(timeout=120)
    assert seen[-1] is True
    for picture in (board, film.replay(sp.sin(x)), made("viewer", "FieldViewer")(solution, sp.sin(x))):
        check_static(picture, tmp_path)


def test_linked_maps(tmp_path: Path) -> None:
    z = torch.linspace(0, 1, 5, dtype=torch.float64)[:, None]
    block = RowBlock("fit", z, lambda p, at: p[0] + p[1] * at[0] - at[0] ** 2, 0.2)
    fit = Influence.from_rows(torch.tensor([-0.125, 1.0], dtype=torch.float64), [block])
    maps = fit.scores(lambda p, at: p[0] + p[1] * at[0], at=np.array([[0.2], [0.8]])).explore()
    maps.select([3])
    assert maps.selection == [3]
    check_static(maps, tmp_path)


def test_family_and_circuit(tmp_path: Path) -> None:
    move = sp.Symbol("epsilon", real=True)
    check_static(made("family", "FamilyExplorer")(sp.exp(-((x - move) ** 2)), {x: (-1, 1)}, {move: (-1, 1)}), tmp_path)
    points = torch.full((2, 2), 0.5, dtype=torch.float64)
    view = shapley(QuantumNetwork(reuploading(2), seed=0), points).explore(points=points)
    with pytest.raises(made("picture", "traitlets").TraitError, match=r"sample 0 \.\.\. 1"):
        view.sample = 2
    with pytest.raises(SolverError, match="a player among"):
        view.select("x7")
    view.sample = 1
    view.select("x1")
    assert view.relevance() == pytest.approx(float(view.attributions[0].values[1, 1]))
    check_static(view, tmp_path)
