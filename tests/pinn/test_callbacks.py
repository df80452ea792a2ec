"""What a person sees of a training and how it is stopped: callbacks, bar, interrupts, CPU budget."""

from __future__ import annotations

import io
import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy as sp
import torch
from tqdm.auto import tqdm

from sciml import IBVP, MLP, Dirichlet, Interval, coordinates, field
from sciml.errors import MissingExtraError, SolverError, SolverWarning
from solvers import PINN
from solvers.pinn import Counts, EarlyStopping, LivePlot, Recorder, TensorBoard, monitor

x, t = coordinates("x t")
u = field("u", x, t)
HEAT = IBVP(sp.Eq(u.diff(t), u.diff(x, 2) / 4), Interval(x, 0, 1), (t, 0, 1), {u: sp.sin(sp.pi * x)}, [Dirichlet(u, 0)])
EXACT = sp.exp(-(sp.pi**2) * t / 4) * sp.sin(sp.pi * x)


def solver(**options: Any) -> PINN:
    return PINN(MLP(width=5, depth=1), tolerance=0, **{"steps": 20, "progress": False, **options})


def test_recorder_has_every_step_and_the_history_every_look() -> None:
    recorder = Recorder()
    solution = solver().solve(HEAT, [recorder])
    assert recorder.series["step"] == list(range(1, 21))
    assert np.isfinite(recorder.series["loss"]).all()
    looks = [
        step
        for step, value in zip(*(recorder.series[name] for name in ("step", "held out")), strict=True)
        if math.isfinite(value)
    ]
    assert looks == solution.history["step"][1:] == [5, 10, 15, 20]
    assert "loss pde" in recorder.series


def test_early_stopping_waits_for_its_patience() -> None:
    stop = EarlyStopping(patience=7, factor=1e-6, watch="loss")
    solution = solver().solve(HEAT, [stop])
    assert "a callback asked to stop" in solution.status
    assert " after 8 steps" in solution.status
    assert " after 8 steps" in solver().solve(HEAT, [stop]).status  # begins anew


def test_an_object_sees_the_running_solution_and_begin_and_finish() -> None:
    class Watch:
        def __init__(self) -> None:
            self.events: list[Any] = []

        def begin(self, run: Any) -> None:
            self.run = run
            assert run.problem is HEAT
            self.events.append("begin")

        def __call__(self, step: int, total: int, values: Any) -> None:
            assert total == 20
            if step % 10 == 0:
                seen = self.run.solution()
                self.events.append(seen.error(EXACT).relative_l2["u"])
                self.kept = seen, seen.evaluate([[0.3, 0.2]])

        def finish(self) -> None:
            self.events.append("finish")

    watch = Watch()
    solution = solver().solve(HEAT, [watch])
    begin, first, second, finish = watch.events
    assert (begin, finish) == ("begin", "finish")
    assert second < first
    assert np.array_equal(watch.kept[0].evaluate([[0.3, 0.2]]), watch.kept[1])  # a copy: training leaves it alone
    alone = solver().solve(HEAT)
    assert torch.equal(solution.record.parameters, alone.record.parameters)  # and looking changes nothing


def test_a_failing_callback_is_named_and_dropped() -> None:
    calls = []

    def broken(step: int, *_: Any) -> None:
        calls.append(step)
        if step == 3:
            raise ZeroDivisionError("no luck")

    others: list[int] = []
    with pytest.warns(SolverWarning, match=r"callback broken raised ZeroDivisionError: no luck") as caught:
        solution = solver().solve(HEAT, [broken, lambda step, *_: others.append(step)])
    assert len(caught) == 1
    assert calls == [1, 2, 3]
    assert len(others) == 20
    assert torch.equal(solution.record.parameters, solver().solve(HEAT).record.parameters)


def test_an_error_in_begin_is_the_users_before_anything_is_lost() -> None:
    class Bad:
        def begin(self, run: Any) -> None:
            raise KeyError("name")

        def __call__(self, *_: Any) -> None: ...

    with pytest.raises(KeyError, match="name"):
        solver().solve(HEAT, [Bad()])


def test_interrupt_within_a_step_returns_the_best_state(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C in the middle of an evaluation: parameters of the network are then those of a trial step."""
    from solvers.pinn.objective import Objective

    calls, real = {"n": 0}, Objective.linearise

    def linearise(self: Objective, theta: torch.Tensor) -> Any:
        calls["n"] += 1
        if calls["n"] == 12:
            self.load(theta + 100)  # what a trial may leave behind
            raise KeyboardInterrupt
        return real(self, theta)

    monkeypatch.setattr(Objective, "linearise", linearise)
    solution = solver().solve(HEAT)
    assert "interrupted by the user" in solution.status
    assert "after 11 steps" in solution.status
    monkeypatch.undo()
    ten = solver(steps=11).solve(HEAT)
    assert torch.equal(solution.record.parameters, ten.record.parameters)


def test_bar_names_losses_and_held_out_residual(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(monitor, "tqdm", lambda **options: tqdm(file=screen, **{**options, "mininterval": 0.0}))
    solver(progress=True, constraints="soft").solve(HEAT)
    text = screen.getvalue()
    assert "PINN" in text
    for name in ("loss=", "held out=", "pde=", "initial u=", "dirichlet u="):
        assert name in text
    assert "20/20" in text


@pytest.mark.parametrize(
    ("network", "optimiser", "seconds"),
    [(MLP(width=30, depth=3), "lm", 2.0), (MLP(width=10, depth=2), "lm", 1.0), (MLP(width=20, depth=2), "lbfgs", 1.0)],
    ids=["few long steps", "many short steps", "line search"],
)
def test_cpu_budget_is_kept_within_five_percent(network: MLP, optimiser: str, seconds: float) -> None:
    start = time.process_time()
    solution = PINN(network, seconds=seconds, steps=100000, tolerance=0, optimiser=optimiser, progress=False,
                    points=Counts(1500, 0, 0)).solve(HEAT)  # fmt: skip
    used = time.process_time() - start
    assert "the time budget is spent" in solution.status
    assert used <= 1.05 * seconds
    assert np.isfinite(solution.evaluate([[0.5, 0.5]])).all()


@pytest.mark.parametrize("seconds", [-1.0, float("nan"), -float("inf"), "30", True, [1]])
def test_a_budget_that_is_no_time_is_refused(seconds: Any) -> None:
    with pytest.raises(SolverError, match="seconds >= 0"):
        solver(seconds=seconds)


def test_live_plot_draws_while_training_and_at_the_end(tmp_path: Path) -> None:
    figures: list[Any] = []
    solver().solve(HEAT, [LivePlot(seconds=0, show=figures.append)])
    assert len(figures) == 5  # four looks and the end
    labels = [text.get_text() for text in figures[-1].axes[0].get_legend().get_texts()]
    assert {"loss", "held out", "pde"} <= set(labels)
    solver().solve(HEAT, [LivePlot(seconds=100, path=tmp_path / "losses.png")])
    assert (tmp_path / "losses.png").stat().st_size > 1000


def test_tensorboard_holds_every_figure(tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    recorder = Recorder()
    solver().solve(HEAT, [TensorBoard(tmp_path), recorder])
    events = accumulator.EventAccumulator(str(tmp_path))
    events.Reload()
    loss = events.Scalars("loss")
    assert [event.step for event in loss] == list(range(1, 21))
    assert np.allclose([event.value for event in loss], recorder.series["loss"], rtol=1e-6)
    assert [event.step for event in events.Scalars("loss/pde")] == [5, 10, 15, 20]


def test_tensorboard_absent_is_explained(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(__import__("sys").modules, "torch.utils.tensorboard", None)
    with pytest.raises(MissingExtraError, match=r"sciml\[tensorboard\]"):
        TensorBoard(tmp_path)


@pytest.mark.parametrize(
    "make", [lambda: EarlyStopping(patience=0), lambda: EarlyStopping(factor=0), lambda: LivePlot(seconds=-1, path="a")]
)
def test_bad_settings_are_refused(make: Any) -> None:
    with pytest.raises(SolverError, match="expected"):
        make()
