"""Exported pictures in a real browser, without a kernel: clicks, keys and sliders change what is shown."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import sympy as sp

pytest.importorskip("anywidget", reason="anywidget is not installed (extra notebook)")

from sciml import IBVP, MLP, Dirichlet, ExactSolution, Interval, Rectangle, coordinates, field
from sciml.notebook.dashboard import Dashboard
from sciml.notebook.family import FamilyExplorer
from sciml.notebook.linked import LinkedMaps
from sciml.notebook.page import source
from sciml.notebook.replay import Replay
from sciml.notebook.viewer import FieldViewer
from solvers import PINN
from solvers.symmetry.generator import Generator

x, t = coordinates("x t")
u = field("u", x, t)
TRAIN = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [0.5, 0.5]])
QUERY = np.array([[0.25, 0.25], [0.75, 0.25], [0.5, 0.9]])
VALUES = np.array([[0.1, -0.4, 0.2, 0.0, 0.3], [0.0, 0.05, -0.9, 0.5, 0.1], [-2.0, 0.3, 0.0, 0.25, 0.0]])


def scores() -> SimpleNamespace:
    kinds = np.array(["initial u", "initial u", "pde", "pde", "pde"], dtype=object)
    return SimpleNamespace(
        values=VALUES, ids=np.array([11, 12, 13, 14, 15]), train=TRAIN, kinds=kinds, query=QUERY, target="u(x, t)",
        before=np.array([1.0, 2.0, 3.0]), coordinates=("x", "t"), plot=None,
        unit="change of u when the point is removed",
    )  # fmt: skip


def place(page: Any, name: str, across: float, up: float, lows: Any, highs: Any) -> dict[str, float]:
    """Where a point of the data lies on the canvas: time is horizontal."""
    width, height, left, top = 430 - 58 - 84, 300 - 70, 58, 26
    edge = 0.03 * (np.array(highs) - np.array(lows))
    share = (np.array([across, up]) - (np.array(lows) - edge)) / (np.array(highs) - np.array(lows) + 2 * edge)
    zoom = page.locator(f"canvas[data-plot={name}]").bounding_box()["width"] / 430
    return {"x": float(zoom * (left + share[0] * width)), "y": float(zoom * (top + (1 - share[1]) * height))}


def click_train(page: Any, index: int, **how: Any) -> None:
    position = place(page, "train", TRAIN[index, 1], TRAIN[index, 0], [0, 0], [1, 1])
    page.locator("canvas[data-plot=train]").click(position=position, **how)


def click_query(page: Any, index: int) -> None:
    position = place(page, "query", QUERY[index, 1], QUERY[index, 0], [0, 0], [1, 1])  # the section of the other map
    page.locator("canvas[data-plot=query]").click(position=position)


def picture_of(page: Any, name: str) -> str:
    return page.locator(f"canvas[data-plot={name}]").evaluate("canvas => canvas.toDataURL()")


def test_click_on_a_training_point_changes_the_map_of_predictions(show: Any) -> None:
    page = show(LinkedMaps(scores()))
    before = picture_of(page, "query")
    click_train(page, 0)
    assert page.locator(".sciml-linked").get_attribute("data-selection") == "11"
    assert picture_of(page, "query") != before
    told = page.locator(".sciml-told").inner_text()
    assert "Point 11 (initial u, x = 0, t = 0): largest change -2 at x = 0.5, t = 0.9" in told
    assert page.locator(".sciml-top tr").nth(1).inner_text().split("\t")[0] == "2"


def test_click_on_a_prediction_ranks_points_and_shares(show: Any) -> None:
    page = show(LinkedMaps(scores()))
    before = picture_of(page, "train")
    click_query(page, 1)
    assert page.locator(".sciml-linked").get_attribute("data-query") == "1"
    assert picture_of(page, "train") != before
    rows = [row.split("\t")[0] for row in page.locator(".sciml-top tr").all_inner_texts()[1:]]
    assert rows == ["13", "14", "15", "12", "11"]
    total = np.abs(VALUES[1]).sum()
    shares = {
        one.get_attribute("data-kind"): one.get_attribute("data-share") for one in page.locator(".sciml-share").all()
    }
    assert shares == {"initial u": f"{0.05 / total:.4f}", "pde": f"{1.5 / total:.4f}"}


def test_shift_click_makes_a_group_and_says_that_effects_are_added(show: Any) -> None:
    page = show(LinkedMaps(scores()))
    click_train(page, 0)
    click_train(page, 2, modifiers=["Shift"])
    assert page.locator(".sciml-linked").get_attribute("data-selection") == "11,13"
    told = page.locator(".sciml-told").inner_text()
    assert "2 points (11, 13): largest change -2" in told
    assert "sum of single effects" in told
    assert page.locator("button[data-action=group]").is_disabled()
    page.locator("button[data-action=clear]").click()
    assert page.locator(".sciml-linked").get_attribute("data-selection") == ""


def test_keyboard_alone_is_enough(show: Any) -> None:
    page = show(LinkedMaps(scores()))
    canvas = page.locator("canvas[data-plot=train]")
    canvas.focus()
    for key in ("ArrowRight", "ArrowRight"):  # onto the first point, then to the one after it in time
        page.keyboard.press(key)
    assert "point 13, pde, x = 0, t = 1" in page.locator(".sciml-told").inner_text()
    for key in ("PageDown", "PageDown", "Enter"):
        page.keyboard.press(key)
    assert page.locator(".sciml-linked").get_attribute("data-selection") == "15"
    page.keyboard.press("Escape")
    assert page.locator(".sciml-linked").get_attribute("data-selection") == ""
    assert "training points" in canvas.get_attribute("aria-label")


def test_lengths_share_one_scale(show: Any) -> None:
    flat, known = show(LinkedMaps(scores())).locator("canvas[data-plot=train]"), scores()
    assert flat.get_attribute("data-equal") == "false"  # x over t
    known.coordinates, known.train = ("x", "y", "t"), np.column_stack([TRAIN, TRAIN[:, 0]])
    known.query = np.column_stack([QUERY, QUERY[:, 0]])
    page = show(LinkedMaps(known))
    canvas = page.locator("canvas[data-plot=train]")
    assert canvas.get_attribute("data-equal") == "true"  # x and y
    page.get_by_label("axis").nth(1).select_option("2")
    assert canvas.get_attribute("data-equal") == "false"


def test_viewer_slides_through_time(show: Any) -> None:
    heat = IBVP(u.diff(t) - u.diff(x, 2), Interval(x, 0, 1), time=(t, 0, 1), initial={u: sp.sin(sp.pi * x)},
                boundary=[Dirichlet(u, 0)])  # fmt: skip
    exact = ExactSolution(heat, sp.exp(-(sp.pi**2) * t) * sp.sin(sp.pi * x))
    page = show(FieldViewer(exact, sp.exp(-(sp.pi**2) * t) * sp.sin(sp.pi * x) + x / 10, frames=5, resolution=101))
    before = picture_of(page, "solution")
    page.locator("input[type=range]").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator(".sciml-view").get_attribute("data-frame") == "1"
    assert picture_of(page, "solution") != before
    size = np.exp(-(np.pi**2) / 4)
    told = page.locator(".sciml-told").inner_text()
    assert f"t = 0.25: largest |solution| {size:.3g}" in told
    assert "largest |error| 0.1" in told


def test_family_computes_in_the_page(show: Any) -> None:
    move = sp.Symbol("epsilon", real=True)
    page = show(FamilyExplorer(sp.exp(-((x - move) ** 2) - t), {x: (-1, 1), t: (0, 1)}, {move: (-4, 4)}))
    before = picture_of(page, "family")
    page.locator("input[data-parameter=epsilon]").fill("3")
    assert page.locator(".sciml-view").get_attribute("data-values") == "3"
    assert picture_of(page, "family") != before
    low, high = np.exp(-16.0 - 1), np.exp(-4.0)
    told = page.locator(".sciml-told").inner_text()
    assert f"to {high:.3g}" in told
    assert float(told.split()[2]) == pytest.approx(low, rel=1e-2)
    page.locator("button[data-action=reset]").click()
    assert page.locator(".sciml-view").get_attribute("data-values") == "0"


def test_replay_slides_through_a_training(show: Any) -> None:
    v = field("v", x)
    line = IBVP(sp.Eq(v.diff(x, 2), -sp.sin(x)), Interval(x, 0, sp.pi), boundary=[Dirichlet(v, 0)])
    steps = [ExactSolution(line, size * sp.sin(x)) for size in (sp.Rational(1, 5), sp.Rational(3, 5), 1)]
    page = show(Replay(steps, [0, 10, 25], sp.sin(x), resolution=41))
    told, slider = page.locator(".sciml-told"), page.locator("input[type=range]")
    assert slider.get_attribute("aria-label") == "step"
    assert page.locator(".sciml-view").get_attribute("data-frame") == "2"  # the end of the training is shown first
    assert "step = 25: largest |solution| 1, " in told.inner_text()
    before = picture_of(page, "solution")
    slider.focus()
    page.keyboard.press("ArrowLeft")
    assert page.locator(".sciml-view").get_attribute("data-frame") == "1"
    assert "step = 10: largest |solution| 0.6, largest |error| 0.4, largest |residual| 0.4" in told.inner_text()
    assert picture_of(page, "solution") != before
    page.locator("button[data-action=play]").click()
    page.locator(".sciml-view[data-frame='0']").wait_for(timeout=10_000)  # round the end, without another key
    assert "Pause" in page.locator("button[data-action=play]").inner_text()


BURGERS = sp.Eq(u.diff(t) + u * u.diff(x), u.diff(x, 2))
MOVED = {  # equation, a symmetry, a solution, and where the flow takes that solution, by hand
    "heat": (sp.Eq(u.diff(t), u.diff(x, 2)), {x: 1}, sp.exp(x + t), lambda e: sp.exp(x - e + t)),
    "wave": (sp.Eq(u.diff(t, 2), u.diff(x, 2)), {x: t, t: x}, (x - t) ** 2, lambda e: sp.exp(2 * e) * (x - t) ** 2),
    "Burgers": (BURGERS, {x: x * t, t: t**2, u: x - t * u}, sp.Integer(1), lambda e: (1 + e * x) / (1 + e * t)),
}


@pytest.mark.parametrize("name", MOVED)
def test_symmetry_moves_a_solution(show: Any, name: str) -> None:
    equation, coefficients, start, known = MOVED[name]
    move = sp.Symbol("epsilon", real=True)
    symmetry = Generator((x, t), (u,), coefficients)
    moved = symmetry.transform(start, move)
    assert sp.simplify((equation.lhs - equation.rhs).subs(u, moved).doit()) == 0
    page = show(FamilyExplorer(moved, {x: (0, 1), t: (0, 1)}, {move: (-0.5, 0.5)}))
    page.locator("input[data-parameter=epsilon]").focus()
    page.keyboard.press("End")
    assert page.locator(".sciml-view").get_attribute("data-values") == "0.5"
    grid = np.meshgrid(np.linspace(0, 1, 121), np.linspace(0, 1, 81), indexing="ij")
    values = sp.lambdify((x, t), known(sp.Rational(1, 2)), "numpy")(*grid)
    assert values.max() - values.min() > 0.3
    told = page.locator(".sciml-told").inner_text().split()
    assert [float(told[2]), float(told[4])] == pytest.approx([values.min(), values.max()], abs=5e-3 * values.max())


def test_family_of_curves(show: Any) -> None:
    move = sp.Symbol("epsilon", real=True)
    page = show(FamilyExplorer(sp.sqrt(x - move), {x: (0, 1)}, {move: (0, 1)}))
    page.locator("input[data-parameter=epsilon]").fill("0.5")
    told = page.locator(".sciml-told").inner_text()
    assert f"values from 0 to {np.sqrt(0.5):.3g}; not defined at 50 %" in told
    assert told in page.locator("canvas[data-plot=family]").get_attribute("aria-label")


def test_residuals_of_systems_are_sizes(show: Any) -> None:
    v, w = field("v", x), field("w", x)
    pair = IBVP([sp.Eq(v.diff(x), w), sp.Eq(w.diff(x), -v)], Interval(x, 0, 1), boundary=[Dirichlet(v, 0, on="left"),
                Dirichlet(w, 1, on="left")])  # fmt: skip
    page = show(FieldViewer(ExactSolution(pair, {v: sp.sin(x), w: 1}), resolution=21))
    assert "size of the residual" in page.locator("canvas[data-plot=residual]").get_attribute("aria-label")
    size = np.hypot(np.cos(1.0) - 1, np.sin(1.0))
    assert f"largest |residual| {size:.3g}" in page.locator(".sciml-told").inner_text()
    page.get_by_label("field").select_option("w")
    assert page.locator(".sciml-view").get_attribute("data-field") == "w"


def test_replay_scales_errors_by_frame(show: Any) -> None:
    v = field("v", x)
    line = IBVP(sp.Eq(v.diff(x, 2), -sp.sin(x)), Interval(x, 0, sp.pi), boundary=[Dirichlet(v, 0)])
    page = show(Replay([ExactSolution(line, size * sp.sin(x)) for size in (2, 1.5)], [0, 1], sp.sin(x), resolution=41))
    view, error = page.locator(".sciml-view"), page.locator("canvas[data-plot=error]")
    assert (view.get_attribute("data-scale"), error.get_attribute("data-range")) == ("frame", "-0.5,0.5")
    page.get_by_label("scale of this frame").uncheck()
    assert (view.get_attribute("data-scale"), error.get_attribute("data-range")) == ("all", "-1,1")


def answering(page: Any, path: Path, maps: LinkedMaps, values: list[float]) -> None:
    """Open a picture with an answering kernel in place of the silent one of an exported page."""
    answers = "message => (heard['msg:custom'] || []).forEach(call => call({ answer: message.ask, ids: message.ids, "
    text = maps.html(path).read_text().replace("send: () => {}", f"send: {answers} values: {values} }}))")
    for name in ("can_refit", "can_group"):
        text = text.replace(f'"{name}": false', f'"{name}": true')
    path.write_text(text)
    page.goto(path.as_uri())


def test_shift_click_asks_the_kernel_for_the_exact_group_effect(page: Any, tmp_path: Path) -> None:
    answering(page, tmp_path / "maps.html", LinkedMaps(scores()), [0.2, -3.5, 1.0])
    view = page.locator(".sciml-linked")
    click_train(page, 0)
    assert view.get_attribute("data-exact") == "false"
    click_train(page, 2, modifiers=["Shift"])
    assert view.get_attribute("data-exact") == "true"
    assert "largest change -3.5 at x = 0.75, t = 0.25 (exact group effect)" in page.locator(".sciml-told").inner_text()
    label = page.locator("canvas[data-plot=query]").get_attribute("aria-label")
    assert label.startswith("change when 2 points are removed;")
    click_train(page, 4, modifiers=["Shift"])
    click_train(page, 1)  # a single point needs no answer
    assert view.get_attribute("data-exact") == "false"
    assert page.locator("canvas[data-plot=query]").get_attribute("aria-label").startswith("change when the point is ")


def test_many_kinds_of_points_have_marks_of_their_own(show: Any) -> None:
    known = scores()
    known.kinds = np.array(["pde 1", "pde 2", "pde 3", "dirichlet u", "dirichlet v"], dtype=object)
    page = show(LinkedMaps(known))
    legend = page.locator(".sciml-linked .sciml-note").first.inner_text().split(" — ")[0].split("   ")
    assert len({entry.split()[0] for entry in legend}) == 5
    drawn = page.evaluate(
        """source => {
      const Plot = new Function(source + "; return Plot")();
      const shapes = [...Array(8).keys()].map(kind => {
        const sheet = document.createElement("canvas");
        const plot = Object.assign(Object.create(Plot.prototype), { pen: sheet.getContext("2d") });
        plot.shape(kind, 50, 50, 20);
        plot.pen.fill();
        return sheet.toDataURL();
      });
      return new Set(shapes).size;
    }""",
        source("draw.js"),
    )
    assert drawn == 8


def test_wide_maps_leave_no_blank(show: Any) -> None:
    known = scores()
    known.coordinates, known.train, known.query = ("x", "y"), TRAIN * [4, 1], QUERY * [4, 1]
    canvas = show(LinkedMaps(known)).locator("canvas[data-plot=train]")
    assert canvas.get_attribute("data-equal") == "true"
    assert canvas.bounding_box()["height"] < 200  # the map is four times as wide as high


def test_refit_is_shown_beside_the_forecast(page: Any, tmp_path: Path) -> None:
    answering(page, tmp_path / "maps.html", LinkedMaps(scores()), [0.2, -0.1, -4])
    truth = page.locator("canvas[data-plot=refit]")
    click_train(page, 0)
    assert not truth.is_visible()
    page.locator("button[data-action=refit]").click()
    assert truth.is_visible()
    ranges = [page.locator(f"canvas[data-plot={name}]").get_attribute("data-range") for name in ("query", "refit")]
    assert ranges == ["-4,4", "-4,4"]  # one scale, so that forecast and truth can be compared
    told = page.locator(".sciml-told").inner_text()
    off = 100 * np.linalg.norm(VALUES[:, 0] - [0.2, -0.1, -4]) / np.linalg.norm([0.2, -0.1, -4])
    assert f"the forecast is off by {off:.3g} %" in told
    assert page.locator(".sciml-top tr").nth(1).inner_text().split("\t")[-1] == "-4"
    click_train(page, 1)
    assert not truth.is_visible()


def test_dashboard_keeps_lengths_and_says_where_it_cuts(show: Any) -> None:
    y = coordinates("y")
    p = field("p", x, y, t)
    plate = IBVP(p.diff(t) - p.diff(x, 2) - p.diff(y, 2), Rectangle((x, 0, 1), (y, 0, 2)), time=(t, 0, 1),
                 initial={p: x * y}, boundary=[Dirichlet(p, x * y)])  # fmt: skip
    board = Dashboard(plate, fixed={t: 0.25}, resolution=10)
    PINN(MLP(width=4, depth=1), steps=1, progress=False).solve(plate, [board])
    page = show(board)
    assert "residual at t = 0.25" in page.locator("canvas[data-plot=residual]").get_attribute("aria-label")
    tall = page.locator("canvas[data-plot=points]").bounding_box()
    assert tall["height"] > page.locator("canvas[data-plot=losses]").bounding_box()["height"]


def test_dashboard_tells_how_a_training_ended(show: Any) -> None:
    v = field("v", x)
    line = IBVP(sp.Eq(v.diff(x, 2), -sp.sin(x)), Interval(x, 0, sp.pi), boundary=[Dirichlet(v, 0)])
    board = Dashboard(line)
    page = show(board)
    assert "waiting for the first step" in page.locator(".sciml-told").inner_text()
    assert page.locator("button[data-action=stop]").is_disabled()  # nothing was started that could be stopped
    board.now = {"done": True, "error": "SolverError: no"}
    page = show(board)
    assert "the training failed. SolverError: no" in page.locator(".sciml-told").inner_text()
    assert page.locator("button[data-action=stop]").inner_text() == "Ended"


def test_stop_button_asks_the_training_to_stop(page: Any, tmp_path: Path) -> None:
    v = field("v", x)
    line = IBVP(sp.Eq(v.diff(x, 2), -sp.sin(x)), Interval(x, 0, sp.pi), boundary=[Dirichlet(v, 0)])
    board = Dashboard(line)
    PINN(MLP(width=4, depth=1), steps=2, progress=False).solve(line, [board])
    board.now = {**board.now, "done": False}
    path = board.html(tmp_path / "board.html")
    text = path.read_text().replace('"can_stop": false', '"can_stop": true')
    path.write_text(
        text.replace("save_changes: () => {}", "save_changes: () => { document.title = String(held.stop); }")
    )
    page.goto(path.as_uri())
    stop = page.locator("button[data-action=stop]")
    assert stop.inner_text() == "Stop"
    stop.click()
    assert page.title() == "true"  # what the kernel is told
    assert stop.inner_text() == "Stopping …"
    assert stop.is_disabled()
