"""Jobs of two processes as a user starts them."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from sciml import load_solution
from sciml.checkpoint import read_tables
from solvers.pinn.__main__ import main

TWO = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
STEPS = ["heat.sine", "--width", "6", "--depth", "1"]


def start(*arguments: str, two: bool = True) -> subprocess.Popen:
    root = Path(__file__).resolve().parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    launcher = TWO if two else [sys.executable]
    return subprocess.Popen([*launcher, "-m", "solvers.pinn", *arguments], env=environment, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # fmt: skip


def run(*arguments: str, two: bool = True) -> str:
    with start(*arguments, two=two) as job:
        text, _ = job.communicate(timeout=300)
    assert job.returncode == 0, text
    return text


def test_the_command_on_one_process(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*STEPS, "--steps", "8", "--save", str(tmp_path / "one")]) == 0
    said = capsys.readouterr().out
    assert "heat, sine, 1 process(es)" in said
    assert "after 8 steps" in said
    assert "relative L2" in said
    assert load_solution(tmp_path / "one").problem.name == "heat, sine"
    assert main(["list"]) == 0
    assert "burgers.shock" in capsys.readouterr().out
    assert main(["no.such"]) == 2
    assert "burgers.shock" in capsys.readouterr().err
    assert main([*STEPS, "--steps", "-1"]) == 1
    assert "whole number of steps" in capsys.readouterr().err


@pytest.mark.slow
def test_the_command_of_the_page(tmp_path: Path) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "scaling.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"^torchrun (.*)$", page, re.MULTILINE)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    launcher = [sys.executable, "-m", "torch.distributed.run", *command.split()]
    done = subprocess.run(launcher, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "heat, sine, 2 process(es)" in done.stdout
    assert load_solution(tmp_path / "heat").problem.name == "heat, sine"


@pytest.mark.slow
def test_two_processes_print_once_save_once_and_agree_with_one(tmp_path: Path) -> None:
    said = run(*STEPS, "--steps", "15", "--save", str(tmp_path / "two"))
    assert said.count("heat, sine, 2 process(es)") == 1
    run(*STEPS, "--steps", "15", "--save", str(tmp_path / "one"), two=False)
    places = np.random.default_rng(0).random((300, 2)) * [1.0, 0.1]
    one, two = (load_solution(tmp_path / name).evaluate(places) for name in ("one", "two"))
    assert np.abs(two - one).max() <= 1e-10 * np.abs(one).max()


def pid_of(rank: int, job: subprocess.Popen) -> int:
    """Process of a rank, by its environment."""
    for folder in Path("/proc").iterdir():
        try:
            child = folder.name.isdigit() and f"\nPPid:\t{job.pid}\n" in (folder / "status").read_text()
            if child and f"RANK={rank}" in (folder / "environ").read_text().split("\0"):
                return int(folder.name)
        except OSError:  # gone in the meantime
            continue
    raise AssertionError(f"no process of rank {rank}")


def steps_in(path: Path) -> int:
    found = [read_tables(path.with_name(f"{path.name}.{slot}"), "training")[0] for slot in (1, 2)]
    return max(content["training"]["state"]["step"] for content in found)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="finds processes in /proc")
@pytest.mark.parametrize("rank", [0, 1])
def test_a_killed_rank_ends_the_job_which_is_resumed(rank: int, tmp_path: Path) -> None:
    path, options = tmp_path / "run", [*STEPS, "--every", "0", "--optimiser", "adam", "--checkpoint"]
    job = start(*options, str(path), "--steps", "100000")
    waited = time.monotonic() + 120
    while not (tmp_path / "run.1.json").exists() or not (tmp_path / "run.2.json").exists():
        assert job.poll() is None
        assert time.monotonic() < waited
        time.sleep(0.05)
    time.sleep(1)
    os.kill(pid_of(rank, job), signal.SIGKILL)
    text, _ = job.communicate(timeout=120)
    assert job.returncode != 0
    reached = steps_in(path)
    assert reached > 0
    if rank:
        assert "rank 0 lost one" in text
        assert "resume" in text
    said = run(*options, str(path), "--steps", str(reached + 10))
    assert f"after {reached + 10} steps" in said
