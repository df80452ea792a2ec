"""What interactive pictures hold, answer and write, without a browser."""

import base64
import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import sympy as sp

pytest.importorskip("anywidget", reason="anywidget is not installed (extra notebook)")

from sciml import (
    IBVP,
    MLP,
    Dirichlet,
    ExactSolution,
    Interval,
    NotSymbolicError,
    PointsError,
    ProblemError,
    Rectangle,
    SolverError,
    UnsupportedFunctionError,
    coordinates,
    field,
)
from sciml.notebook import linked
from sciml.notebook.circuit_view import CircuitView
from sciml.notebook.dashboard import Dashboard
from sciml.notebook.family import FamilyExplorer, javascript
from sciml.notebook.grids import frames_grid, plane_grid
from sciml.notebook.linked import LinkedMaps
from sciml.notebook.replay import Replay, Snapshots
from sciml.notebook.viewer import FieldViewer
from solvers import PINN, FiniteElement

x, y, t = coordinates("x y t")
u, w = field("u", x, t), field("w", x, y)
HEAT = IBVP(u.diff(t) - u.diff(x, 2), Interval(x, 0, 1), time=(t, 0, 1), initial={u: sp.sin(sp.pi * x)},
            boundary=[Dirichlet(u, 0)])  # fmt: skip
EXACT = sp.exp(-(sp.pi**2) * t) * sp.sin(sp.pi * x)
LINE = IBVP(sp.Eq(field("v", x).diff(x, 2), -sp.sin(x)), Interval(x, 0, sp.pi), boundary=[Dirichlet(field("v", x), 0)])


def scores(count: int = 3) -> SimpleNamespace:
    values = np.random.default_rng(0).normal(size=(count, 2))
    train, kinds = np.array([[0.0, 0.1], [1.0, 0.2]]), np.array(["pde", "initial u"])
    return SimpleNamespace(
        values=values, ids=np.array([7, 9]), train=train, kinds=kinds, query=np.zeros((count, 2)), plot=None,
        before=np.arange(count), coordinates=("x", "t"), target="u", unit="removed",
    )  # fmt: skip


def decoded(text: str, kind: str = "<f4") -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), dtype=kind)


def sent(maps: LinkedMaps, monkeypatch: pytest.MonkeyPatch, **content: Any) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []
    monkeypatch.setattr(LinkedMaps, "send", lambda self, message, buffers=None: messages.append(message))
    maps._answer(maps, content, None)
    return messages


def test_linked_maps_hold_the_matrix() -> None:
    known = scores()
    state = LinkedMaps(known).state
    assert np.allclose(decoded(state["values"]).reshape(3, 2), known.values, rtol=1e-6)
    assert [state["kinds"][k] for k in decoded(state["kind_of"], "<u2")] == ["pde", "initial u"]
    assert not state["can_group"]


def test_large_matrices_are_thinned_and_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linked, "MOST_NUMBERS", 8)
    known = scores(50)
    maps = LinkedMaps(known, group=lambda ids: np.arange(50.0))
    assert maps.state["shape"] == [4, 2]
    assert "4 of 50 predictions are shown" in maps.state["note"]
    messages = sent(maps, monkeypatch, ask="group", ids=[7])
    assert messages[1]["values"] == [0.0, 16.0, 32.0, 49.0]  # the answer for the predictions that are shown


def test_kernel_answers_and_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(ids: Any) -> np.ndarray:
        raise PointsError("known ids", str(ids), "")

    maps = LinkedMaps(scores(), group=lambda ids: np.array([1.0, 2.0, len(ids)]), refit=refused)
    first, last = sent(maps, monkeypatch, ask="group", ids=[7, 9])
    assert first == {"answer": "group", "ids": [7, 9], "started": True}  # before the work, which may take long
    assert last["values"] == [1.0, 2.0, 2.0]
    assert "known ids" in sent(maps, monkeypatch, ask="refit", ids=[7])[1]["error"]
    assert sent(maps, monkeypatch, ask="format the disk", ids=[7]) == []


def test_selection_is_a_traitlet_and_checked() -> None:
    maps, seen = LinkedMaps(scores()), []
    maps.observe(lambda change: seen.append(change["new"]), names="selection")
    maps.select([9])
    assert seen == [[9]]
    with pytest.raises(PointsError, match=r"unknown: \[8\]"):
        maps.select([8])


def test_page_is_one_file_without_network(tmp_path: Path) -> None:
    bad = scores()
    bad.target = "</script><script>alert(1)</script>"
    text = LinkedMaps(bad).html(tmp_path / "maps.html").read_text()
    assert not re.search(r"https?://", text)
    assert "<script>alert" not in text
    held = re.search(r'id="held">(.*?)</script>', text, re.DOTALL)
    assert held is not None
    assert json.loads(held.group(1))["state"]["target"] == bad.target


def test_viewer_frames_are_the_solution() -> None:
    view = FieldViewer(ExactSolution(HEAT, EXACT), EXACT * (1 + x), frames=3, resolution=11)
    shown = decoded(view.state["data"]["u"]["solution"]).reshape(3, 11)
    across = np.linspace(0, 1, 11)
    assert np.allclose(shown[1], np.exp(-(np.pi**2) / 2) * np.sin(np.pi * across), atol=1e-7)
    error = decoded(view.state["data"]["u"]["error"]).reshape(3, 11)
    assert np.allclose(error[0], -across * np.sin(np.pi * across), atol=1e-7)
    assert np.abs(decoded(view.state["data"]["u"]["residual"])).max() < 1e-12
    assert view.figure().axes


def test_viewer_leaves_holes_blank() -> None:
    from sciml import Disk

    plate = IBVP(w.diff(x, 2) + w.diff(y, 2), Rectangle((x, -1, 1), (y, -1, 1)) - Disk((x, y), radius=0.5, name="hole"),
                 boundary=[Dirichlet(w, x)])  # fmt: skip
    view = FieldViewer(ExactSolution(plate, x), resolution=20)
    shown = decoded(view.state["data"]["w"]["solution"]).reshape(view.state["shape"])
    assert np.isnan(shown[10, 10])
    assert np.isfinite(shown[0]).all()


def body(*, steady: bool) -> IBVP:
    from sciml import Box

    z = coordinates("z")
    q = field("q", x, y, z) if steady else field("q", x, y, z, t)
    flow = 0 if steady else q.diff(t)
    when = {} if steady else {"time": (t, 0, 1), "initial": {q: x * y * z}}
    return IBVP(flow - q.diff(x, 2) - q.diff(y, 2) - q.diff(z, 2), Box((x, 0, 1), (y, 0, 2), (z, 0, 4)),
                boundary=[Dirichlet(q, x * y * z)], **when)  # fmt: skip


PLATE = IBVP(field("p", x, y, t).diff(t) - field("p", x, y, t).diff(x, 2) - field("p", x, y, t).diff(y, 2),
             Rectangle((x, 0, 1), (y, 0, 2)), time=(t, 0, 1), initial={field("p", x, y, t): x * y},
             boundary=[Dirichlet(field("p", x, y, t), x * y)])  # fmt: skip


@pytest.mark.parametrize(
    ("problem", "fixed", "axes", "slider", "held"),
    [
        (LINE, {}, ("x",), "", ""),
        (HEAT, {}, ("x",), "t", ""),
        (HEAT, {t: 0.5}, ("x",), "", "t = 0.5"),
        (PLATE, {}, ("x", "y"), "t", ""),
        (PLATE, {y: 0.5}, ("x",), "t", "y = 0.5"),
        (PLATE, {"t": 0.25}, ("x", "y"), "", "t = 0.25"),
        (body(steady=True), {}, ("x", "y"), "z", ""),
        (body(steady=True), {x: 0.25}, ("y", "z"), "", "x = 0.25"),
        (body(steady=False), {}, ("x", "y"), "t", "z = 2"),
        (body(steady=False), {t: 0.5}, ("x", "y"), "z", "t = 0.5"),
    ],
)
def test_cuts(problem: IBVP, fixed: Any, axes: Any, slider: str, held: str) -> None:
    grid = frames_grid(problem, 3, 9, fixed)
    assert (grid.axes, grid.slider, grid.held) == (axes, slider, held)
    for name, value in (part.split(" = ") for part in held.split(", ") if part):
        column = [symbol.name for symbol in problem.coordinates].index(name)
        assert set(grid.points[:, column]) == {float(value)}
    if len(problem.space) == 1:
        return
    exact = ExactSolution(problem, x * y * coordinates("z") if len(problem.space) == 3 else x * y)
    view = FieldViewer(exact, frames=3, resolution=9, fixed=fixed)
    assert view.state["title"].endswith(f" at {held}" if held else "Solution")
    shown = decoded(next(iter(view.state["data"].values()))["solution"])
    assert np.allclose(shown, exact.evaluate(grid.points)[:, 0], rtol=1e-6)


def test_cuts_of_one_picture() -> None:
    assert plane_grid(HEAT, 9).axes == ("t", "x")
    assert plane_grid(PLATE, 9).held == "t = 0.5"
    assert plane_grid(PLATE, 9, {y: 1}).axes == ("t", "x")
    assert plane_grid(body(steady=False), 9, {x: 1, t: 0}).held == "x = 1, t = 0"
    assert Dashboard(PLATE, fixed={t: 1}).state["held"] == "t = 1"
    assert Replay([ExactSolution(PLATE, x * y)], fixed={t: 1}).state["title"].endswith("at t = 1")


def test_cuts_are_refused() -> None:
    for fixed, message in (({"z": 1}, "among: x, y, t"), ({y: 3}, "y between 0 and 2"), ({t: -1}, "t between 0 and 1"),
                           ({x: 0, y: 0}, "that is not fixed")):  # fmt: skip
        with pytest.raises(ProblemError, match=message):
            frames_grid(PLATE, 3, 10, fixed)
        with pytest.raises(ProblemError, match=message):
            Dashboard(PLATE, fixed=fixed)
    with pytest.raises(SolverError, match="at least one frame"):
        FieldViewer(ExactSolution(HEAT, EXACT), frames=0)


def test_references_of_systems_name_every_field() -> None:
    v, w = field("v", x, t), field("w", x, t)
    pair = IBVP([v.diff(t) + w.diff(x, 2), w.diff(t) - v.diff(x, 2)], Interval(x, 0, sp.pi), time=(t, 0, 1),
                initial={v: sp.sin(x), w: 0}, boundary=[Dirichlet(v, 0), Dirichlet(w, 0)])  # fmt: skip
    exact = ExactSolution(pair, {v: sp.sin(x) * sp.cos(t), w: -sp.sin(x) * sp.sin(t)})
    view = FieldViewer(exact, {v: 0, w: -sp.sin(x) * sp.sin(t)}, frames=3)
    error = [np.abs(decoded(view.state["data"][name]["error"])).max() for name in "vw"]
    assert error == [pytest.approx(1.0, rel=1e-3), pytest.approx(0.0, abs=1e-7)]
    with pytest.raises(ProblemError, match="nothing for w"):
        FieldViewer(exact, {v: 0})
    with pytest.raises(ProblemError, match="nothing for w"):
        FieldViewer(exact, sp.sin(x))
    with pytest.raises(ProblemError, match="over the coordinates"):
        FieldViewer(exact, ExactSolution(LINE, sp.sin(x)))


def test_replay_of_saved_solutions(tmp_path: Path) -> None:
    paths = [tmp_path / "first", tmp_path / "second"]
    for path, steps in zip(paths, (2, 8), strict=True):
        PINN(MLP(width=6, depth=1), steps=steps, tolerance=0.0).solve(LINE).save(path)
    state = Replay(paths, [2, 8], sp.sin(x)).state
    error = np.abs(decoded(state["data"]["v"]["error"]).reshape(2, -1)).max(axis=1)
    assert error[1] < 0.1 * error[0]
    assert state["own_scale"]


def test_javascript_refuses_what_a_page_cannot_compute() -> None:
    a = sp.Symbol("a", real=True)
    with pytest.raises(NotSymbolicError, match="give them values"):
        javascript(a * x, [x])
    with pytest.raises(UnsupportedFunctionError, match="erf"):
        javascript(sp.erf(x), [x])
    with pytest.raises(UnsupportedFunctionError, match="Integral"):
        javascript(sp.Integral(sp.exp(sp.sin(x**3)), (x, 0, a)), [a])
    assert javascript(sp.Piecewise((a, a > 0), (0, True)), [a])[0] == "((a0 > 0) ? (\n   a0\n)\n: (\n   0\n))"
    with pytest.raises(SolverError, match="increasing range"):
        FamilyExplorer(a * x, {x: (0, 1)}, {a: (1, 1)})
    with pytest.raises(SolverError, match="one or two coordinates"):
        FamilyExplorer(a, {}, {a: (0, 1)})


def test_dashboard_watches_and_stops_a_training() -> None:
    board = Dashboard(LINE)
    board._cost = 0.0
    board.train(PINN(MLP(width=6, depth=1), steps=100000, tolerance=0.0))
    with pytest.raises(SolverError, match="one training at a time"):
        board.train(PINN(MLP(width=6, depth=1), steps=5))
    board.stop = True
    solution = board.result(timeout=120)
    assert "callback asked to stop" in solution.status
    now = board.now
    assert now["done"]
    assert now["step"] < 100000
    assert now["counts"]["kept"] + now["counts"]["added"] == len(np.unique(solution.record.points.ids))
    assert len(now["steps"]) == len(now["series"]["loss"])
    assert board.figure().axes


def test_dashboard_is_drawn_at_most_twice_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    from sciml.notebook import dashboard

    clock = [0.0]
    monkeypatch.setattr(dashboard.time, "monotonic", lambda: clock[0])
    board, drawn = Dashboard(LINE), []
    board.observe(lambda change: drawn.append(clock[0]), names="now")
    for step in range(1, 401):
        clock[0] += 1 / 64
        board(step, 400, {"loss": 1.0 / step})
    assert len(drawn) == 12
    assert np.diff(drawn).min() >= 0.5
    board._cost = 0.2  # an expensive picture takes at most a tenth of the time
    for step in range(401, 801):
        clock[0] += 1 / 64
        board(step, 800, {"loss": 1.0 / step})
        board._cost = 0.2
    assert len(drawn) == 15
    slept: list[float] = []
    monkeypatch.setattr(dashboard.time, "sleep", slept.append)
    clock[0] = board._last + 0.1
    board.finish()
    assert slept == [pytest.approx(0.4)]  # the last picture keeps the distance, too


def test_background_errors_come_back() -> None:
    board = Dashboard(LINE)
    with pytest.raises(SolverError, match="none was started"):
        board.result()
    board.train(PINN(MLP(width=6, depth=1), steps=5), "no problem")  # type: ignore[arg-type]
    with pytest.raises(ProblemError, match="an IBVP"):
        board.result()
    assert "an IBVP" in board.now["error"]  # who looks at the picture sees it too
    assert board.now["done"]
    with pytest.raises(SolverError, match="a solver\n  given: IBVP"):
        board.train(LINE)  # type: ignore[arg-type]
    board.train(FiniteElement())  # does not tell its steps
    board.result(timeout=60)
    assert board.now == {"done": True}


def test_replay_shows_the_training() -> None:
    film = Snapshots(every=2, most=4)
    solution = PINN(MLP(width=6, depth=1), steps=20, tolerance=0.0).solve(LINE, [film])
    assert len(film.steps) <= 5
    assert film.steps[0] == 0
    assert film.steps[-1] == 20
    replay = film.replay(sp.sin(x))
    shown = decoded(replay.state["data"]["v"]["solution"]).reshape(len(film.steps), -1)
    assert np.allclose(shown[-1], solution(x=np.linspace(0, np.pi, shown.shape[1])), atol=1e-3)
    assert replay.state["slider"]["values"] == film.steps
    with pytest.raises(SolverError, match="a step for each"):
        Replay(film.solutions, [1])
    with pytest.raises(SolverError, match="every >= 1"):
        Snapshots(every=0)


def test_what_is_no_solution_or_no_problem_is_refused() -> None:
    for made in (lambda: FieldViewer(HEAT), lambda: Replay([HEAT])):
        with pytest.raises(SolverError, match=r"a solution, what solver\.solve\(problem\) returns\n  given: IBVP"):
            made()
    with pytest.raises(SolverError, match="scores\n  given: ndarray"):
        LinkedMaps(np.zeros((2, 2)))
    with pytest.raises(SolverError, match="explanations of quantum models\n  given: ndarray"):
        CircuitView(np.zeros((2, 2)))
    with pytest.raises(NotSymbolicError, match="SymPy expression"):
        FamilyExplorer(ExactSolution(HEAT, EXACT), {x: (0, 1)}, {t: (0, 1)})  # type: ignore[arg-type]
    with pytest.raises(SolverError, match="ranges of"):
        FamilyExplorer(x * t, [x], [t])  # type: ignore[arg-type]
    with pytest.raises(SolverError, match="finite, increasing"):
        FamilyExplorer(x * t, {x: (0, sp.oo)}, {t: (0, 1)})
    with pytest.raises(ProblemError, match="an IBVP"):
        Dashboard(ExactSolution(HEAT, EXACT))  # type: ignore[arg-type]
