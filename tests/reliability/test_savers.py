"""Scores and studies: killed at random moments, or on a full disk, the old or the new state loads."""

from __future__ import annotations

import os
import random
import resource
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.resampling.store import Outcome, append, read
from influence.scores import Scores
from sciml import CheckpointError

RUN = Outcome("diffusion", "fixed", "lm", 0, 1.0, 100, 4, 1, 0.5, 0.1, 2.0, 9, 0.0, 1.0, 100, 1.1, "all steps done")


def scores(number: int, count: int = 20_000) -> Scores:
    """Tables that all hold the same number, so that a mixture would show."""
    same, kinds = float(number), np.array(["pde"] * count, dtype=object)
    values, train, query = np.full((2, count), same), np.full((count, 2), same), np.full((2, 2), same)
    return Scores(values, np.arange(count), train, kinds, query, f"u {number}", "u")


def in_child(work: Callable[[], None]) -> int:
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        finally:
            os._exit(1)
    return child


def save_for_ever(folder: Path, first: int) -> None:
    number = first
    while True:
        scores(number).save(folder / "map")
        append(folder / "runs.csv", replace(RUN, seed=number))
        number += 1


def check(folder: Path, least: int) -> int:
    """The newest number; everything that was finished before is there, nothing is a mixture."""
    found = Scores.load(folder / "map")
    number = int(found.values[0, 0])
    assert (found.values == number).all()
    assert (found.train == number).all()
    assert found.target == f"u {number}"
    seeds = [outcome.seed for outcome in read(folder / "runs.csv")]
    assert seeds == sorted(seeds)
    assert number >= least
    assert set(range(1, number)) <= set(seeds)  # each line was on the disk before the next table was begun
    return number


@pytest.mark.parametrize("kills", [8, pytest.param(100, marks=pytest.mark.slow)])
def test_kills_at_random_moments(tmp_path: Path, kills: int) -> None:
    scores(0).save(tmp_path / "map")
    generator, number = random.Random(0), 0
    for _ in range(kills):
        child = in_child(lambda first=number + 1: save_for_ever(tmp_path, first))  # type: ignore[misc]
        time.sleep(generator.uniform(0.0, 0.25))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        number = check(tmp_path, number)
        if number not in {outcome.seed for outcome in read(tmp_path / "runs.csv")} and number:
            append(tmp_path / "runs.csv", replace(RUN, seed=number))  # a study runs again what has no line
    assert number > kills / 4  # the child did get somewhere


def limited(folder: Path, size: int) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    with pytest.raises(CheckpointError, match="the old state is kept"):
        scores(2).save(folder / "map")
    with pytest.raises(OSError, match=r"File too large|No space"):
        append(folder / "runs.csv", replace(RUN, seed=2))


def test_a_full_disk_keeps_the_old_state(tmp_path: Path) -> None:
    scores(1).save(tmp_path / "map")
    append(tmp_path / "runs.csv", replace(RUN, seed=1))
    whole = (tmp_path / "runs.csv").read_bytes()
    for room in (0, 20):  # not one byte of a line, a part of it
        _, status = os.waitpid(in_child(lambda room=room: limited(tmp_path, len(whole) + room)), 0)  # type: ignore[misc]
        assert status == 0
        assert (tmp_path / "runs.csv").read_bytes() == whole
        assert check(tmp_path, 1) == 1
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".csv", ".json", ".safetensors"]
