"""Checkpoints of a training: bit-exact continuation, kills, damaged files, full disks."""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy as sp
import torch

from sciml import IBVP, MLP, Dirichlet, Interval, Neumann, Observations, coordinates, field
from sciml.checkpoint import read_tables
from sciml.errors import CheckpointError, SolverWarning
from solvers import PINN, RAD, RandomResample
from solvers.pinn import Checkpoint, Counts
from solvers.pinn.checkpointing import KIND, restore

x, t = coordinates("x t")
u = field("u", x, t)
HEAT = IBVP(sp.Eq(u.diff(t), u.diff(x, 2) / 4), Interval(x, 0, 1), (t, 0, 1), {u: sp.sin(sp.pi * x)}, [Dirichlet(u, 0)])
OPTIMISERS = ["lm", "adam", "lbfgs", "ssbroyden", "soap"]


def solver(**options: Any) -> PINN:
    return PINN(MLP(width=5, depth=2), seed=2, tolerance=0, progress=False,
                **{"steps": 24, "resampler": RAD(every=7, seed=1), **options})  # fmt: skip


def final(path: Path) -> dict[str, np.ndarray]:
    """Every array of the newest checkpoint, and its content without times as one more."""
    slots = [read_tables(slot.with_suffix(""), KIND) for slot in path.parent.glob(f"{path.name}.?.json")]
    content, arrays = max(slots, key=lambda slot: slot[0]["number"])
    training, clocks = content["training"], set()
    for name, state in training.items():
        if name == "state" or name.startswith("earlier"):
            state.pop("used")
            clocks |= {
                f"{name}.history.{i}" for i, of in enumerate(state["history"]) if of in ("seconds", "resampling")
            }
    text = json.dumps([training, content["settings"]], sort_keys=True).encode()
    return {**{n: a for n, a in arrays.items() if n not in clocks}, "content": np.frombuffer(text, dtype=np.uint8)}


def assert_same(left: dict[str, np.ndarray], right: dict[str, np.ndarray]) -> None:
    assert left.keys() == right.keys()
    for name in left:
        assert left[name].dtype == right[name].dtype, name
        assert left[name].tobytes() == right[name].tobytes(), name


@pytest.mark.parametrize(
    ("optimiser", "stops"),
    [*((name, (11,)) for name in OPTIMISERS), ([("adam", 9), ("lbfgs", 20)], (17,)),
     *(pytest.param(name, range(24), marks=pytest.mark.slow) for name in OPTIMISERS)],
    ids=str,
)  # fmt: skip
def test_stopped_and_resumed_is_bitwise_uninterrupted(tmp_path: Path, optimiser: Any, stops: Any) -> None:
    whole = solver(optimiser=optimiser).solve(HEAT, [Checkpoint(tmp_path / "whole", steps=1000)])
    for stop in stops:
        path = tmp_path / f"part{stop}"
        solver(optimiser=optimiser).solve(HEAT, [Checkpoint(path, steps=1000), lambda step, *_, s=stop: step >= s])
        keep = Checkpoint(path, steps=1000)
        more = solver(optimiser=optimiser).solve(HEAT, [keep], resume=keep.found)
        assert torch.equal(more.record.parameters, whole.record.parameters)
        assert_same(final(path), final(tmp_path / "whole"))


@pytest.mark.parametrize("weighting", ["gradient norm", "ntk", "self-adaptive", "residual attention", "causal"])
def test_weights_are_resumed(tmp_path: Path, weighting: str) -> None:
    made = {"optimiser": "adam", "weighting": weighting, "constraints": "soft", "steps": 14}
    solver(**made).solve(HEAT, [Checkpoint(tmp_path / "whole", steps=1000)])
    solver(**{**made, "steps": 9}).solve(HEAT, [Checkpoint(tmp_path / "part", steps=1000)])
    solver(**made).solve(HEAT, [Checkpoint(tmp_path / "part", steps=1000)], resume=tmp_path / "part")
    assert_same(final(tmp_path / "part"), final(tmp_path / "whole"))


def test_a_sampler_with_a_random_generator_is_resumed(tmp_path: Path) -> None:
    class Drawn(RandomResample):
        def __init__(self) -> None:
            super().__init__(every=3)
            self.generator = np.random.default_rng(5)

        def resample(self, problem: IBVP, model: Any, points: Any) -> Any:
            self.seed = int(self.generator.integers(1000))
            return super().resample(problem, model, points)

    solver(resampler=Drawn()).solve(HEAT, [Checkpoint(tmp_path / "whole", steps=1000)])
    solver(resampler=Drawn(), steps=11).solve(HEAT, [Checkpoint(tmp_path / "part", steps=1000)])
    solver(resampler=Drawn()).solve(HEAT, [Checkpoint(tmp_path / "part", steps=1000)], resume=tmp_path / "part")
    assert_same(final(tmp_path / "part"), final(tmp_path / "whole"))


def test_the_second_attempt_is_resumed_and_compared_with_the_first(tmp_path: Path) -> None:
    """A problem without solution: hard constraints stall, soft ones are tried, the better attempt is returned."""
    s = field("s", x)
    problem = IBVP(sp.Eq(s.diff(x), 1), Interval(x, 0, 1), boundary=[Dirichlet(s, 0, on="left")],
                   observations=[Observations(s, [[0.2], [0.5], [0.9]], [5.0, -5.0, 5.0])])  # fmt: skip
    options = {"steps": 70, "resampler": None, "points": Counts(40, 1, 1)}
    whole = solver(**options).solve(problem, [Checkpoint(tmp_path / "whole", steps=1000)])
    calls = {"attempts": 0, "before": 0}

    def stop(step: int, *_: Any) -> bool:
        calls["attempts"] += step < calls["before"]
        calls["before"] = step
        return calls["attempts"] == 1 and step == 4

    solver(**options).solve(problem, [Checkpoint(tmp_path / "part", steps=1000), stop])
    assert calls["attempts"] == 1
    more = solver(**options).solve(problem, [Checkpoint(tmp_path / "part", steps=1000)], resume=tmp_path / "part")
    assert torch.equal(more.record.parameters, whole.record.parameters)
    assert_same(final(tmp_path / "part"), final(tmp_path / "whole"))


def check_kills(tmp_path: Path, kills: int, optimisers: list[str], longest: float) -> None:
    script, root = Path(__file__).with_name("killing.py"), Path(__file__).resolve().parents[2]
    command = [sys.executable, str(script), str(tmp_path), str(kills), ",".join(optimisers), str(longest)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(root)}
    ended = subprocess.run(command, capture_output=True, text=True, cwd=root, env=environment, check=False)
    assert ended.returncode == 0, ended.stderr
    report = json.loads(ended.stdout.splitlines()[-1])
    assert report["survived"] >= kills
    assert report["finished"]
    for optimiser, digest in report["finished"]:
        assert digest == report["expected"][optimiser], optimiser
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []  # nothing half-written is left


def test_kill_at_random_moments(tmp_path: Path) -> None:
    check_kills(tmp_path, 2, ["lm"], 0.8)


@pytest.mark.slow
def test_a_hundred_kills(tmp_path: Path) -> None:
    check_kills(tmp_path, 100, OPTIMISERS, 1.5)


def damage(path: Path, kind: str, generator: random.Random) -> None:
    content = bytearray(path.read_bytes())
    if kind == "truncated":
        del content[generator.randrange(len(content)) :]
    elif kind == "emptied":
        content.clear()
    else:
        place = generator.randrange(8 * len(content))
        content[place // 8] ^= 1 << place % 8
    path.write_bytes(bytes(content))


def slot_files(path: Path) -> list[list[Path]]:
    """Manifest and arrays of every slot, oldest first."""
    slots = []
    for manifest in path.parent.glob(f"{path.name}.?.json"):
        content, _ = read_tables(manifest.with_suffix(""), KIND)
        slots.append((content["number"], [manifest, manifest.parent / content["arrays"]["file"]]))
    return [files for _, files in sorted(slots)]


@pytest.mark.parametrize("kind", ["truncated", "emptied", "flipped"])
@pytest.mark.parametrize("part", [0, 1], ids=["manifest", "arrays"])
def test_a_damaged_checkpoint_is_refused_and_the_one_before_loads(tmp_path: Path, kind: str, part: int) -> None:
    path = tmp_path / "run"
    quick = {"optimiser": "adam", "resampler": RAD(every=5)}
    solver(steps=6, **quick).solve(HEAT, [Checkpoint(path, steps=4)])
    older, newer = slot_files(path)
    kept = {file: file.read_bytes() for file in (*older, *newer)}
    whole = solver(steps=8, **quick).solve(HEAT)
    generator = random.Random(1)
    damage(newer[part], kind, generator)
    with pytest.warns(SolverWarning, match="damaged"):
        more = solver(steps=8, **quick).solve(HEAT, resume=path)
    assert torch.equal(more.record.parameters, whole.record.parameters)
    damage(older[0], kind, generator)
    with pytest.raises(CheckpointError, match="truncated or was changed"):
        solver(steps=8, **quick).solve(HEAT, resume=path)
    for _ in range(40):  # any bit of any file
        for file, content in kept.items():
            file.write_bytes(content)
        damage(newer[part], kind, generator)
        with pytest.warns(SolverWarning, match="damaged"):
            restore(path, {})


def test_a_full_disk_costs_nothing_but_the_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "run"
    whole = solver(steps=12).solve(HEAT)
    real, writes = os.fsync, []

    def full(handle: int) -> None:
        writes.append(handle)
        if 5 < len(writes) < 30:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(handle)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.warns(SolverWarning, match="No space left") as caught:
        solution = solver(steps=12).solve(HEAT, [Checkpoint(path, steps=1)])
    assert len([w for w in caught if issubclass(w.category, SolverWarning)]) == 1  # said once, not at every step
    assert torch.equal(solution.record.parameters, whole.record.parameters)
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith(".")] == []
    monkeypatch.undo()
    more = solver(steps=12).solve(HEAT, resume=path)
    assert torch.equal(more.record.parameters, whole.record.parameters)


def test_a_folder_that_vanishes_is_a_warning(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()

    def remove(step: int, *_: Any) -> None:
        if step == 3:
            shutil.rmtree(folder)

    with pytest.warns(SolverWarning, match="no checkpoint could be written"):
        solution = solver(steps=6).solve(HEAT, [remove, Checkpoint(folder / "run", steps=1)])
    assert "all steps done" in solution.status


def test_a_folder_that_cannot_be_written_to_is_an_error_before_the_first_step(tmp_path: Path) -> None:
    steps = []
    with pytest.raises(CheckpointError, match="path without suffix in an existing folder"):
        solver().solve(HEAT, [Checkpoint(tmp_path / "missing" / "run"), lambda step, *_: steps.append(step)])
    locked = tmp_path / "locked"
    locked.mkdir()
    locked.chmod(0o500)
    if not os.access(locked, os.W_OK):  # an administrator may write anywhere
        with pytest.raises(CheckpointError, match="writable folder"):
            solver().solve(HEAT, [Checkpoint(locked / "run"), lambda step, *_: steps.append(step)])
    assert steps == []


def test_another_training_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "run"
    solver(steps=2).solve(HEAT, [Checkpoint(path)])
    with pytest.raises(CheckpointError, match="seed was 2 and is 3"):
        PINN(MLP(width=5, depth=2), seed=3, steps=4, resampler=RAD(every=7, seed=1)).solve(HEAT, resume=path)
    with pytest.raises(CheckpointError, match=r"network was .*'width': 5.* and is .*'width': 6"):
        PINN(MLP(width=6, depth=2), seed=2, steps=4, resampler=RAD(every=7, seed=1)).solve(HEAT, resume=path)
    with pytest.raises(CheckpointError, match="optimiser was 'auto' and is 'adam'"):
        solver(optimiser="adam").solve(HEAT, resume=path)
    with pytest.raises(CheckpointError, match="problem was"):
        solver().solve(HEAT.replace(boundary=[Neumann(u, 0)]), resume=path)
    with pytest.raises(CheckpointError, match="no file"):
        solver().solve(HEAT, resume=tmp_path / "other")
    solver(steps=3).solve(HEAT).save(tmp_path / "solved.1")
    with pytest.raises(CheckpointError, match="'pinn'"):
        solver().solve(HEAT, resume=tmp_path / "solved")


def test_an_own_module_with_buffers_is_recognised(tmp_path: Path) -> None:
    class Own(torch.nn.Module):
        def __init__(self, shift: float) -> None:
            super().__init__()
            self.a = torch.nn.Linear(2, 5, dtype=torch.float64)
            self.b = torch.nn.Linear(5, 1, dtype=torch.float64)
            self.register_buffer("shift", torch.tensor(shift, dtype=torch.float64))

        def forward(self, z: torch.Tensor) -> torch.Tensor:
            return self.b(torch.tanh(self.a(z) + self.shift))

    options = {"optimiser": "adam", "progress": False}
    network = Own(0.1)
    whole = PINN(network, steps=8, **options).solve(HEAT)
    PINN(network, steps=4, **options).solve(HEAT, [Checkpoint(tmp_path / "run")])
    more = PINN(Own(0.1), steps=8, **options).solve(HEAT, resume=tmp_path / "run")  # starts elsewhere, ends alike
    assert torch.equal(more.record.parameters, whole.record.parameters)
    with pytest.raises(CheckpointError, match="network was"):
        PINN(Own(0.2), steps=8, **options).solve(HEAT, resume=tmp_path / "run")


def test_the_same_optimiser_object_serves_two_trainings() -> None:
    from solvers.pinn.optimisers import LevenbergMarquardt

    optimiser = LevenbergMarquardt()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        first, second = (solver(optimiser=optimiser, steps=6).solve(HEAT) for _ in range(2))
    assert torch.equal(first.record.parameters, second.record.parameters)


@pytest.mark.parametrize("options", [{"seconds": -1.0}, {"seconds": float("nan")}, {"steps": 0}, {"slots": 1}])
def test_bad_settings_of_a_checkpoint_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(CheckpointError, match="slots >= 2"):
        Checkpoint("run", **options)
