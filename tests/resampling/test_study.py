"""The benchmark study: it goes on where it was killed, and its statistics are those of the textbook."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import wilcoxon

from benchmarks.resampling import study
from benchmarks.resampling.arms import ARMS
from benchmarks.resampling.page import HEAD, TESTS, comparisons_of, lines_of, markdown, ranking, write_page
from benchmarks.resampling.statistics import compared, holm, ranks, table
from benchmarks.resampling.store import Outcome, append, read
from benchmarks.resampling.study import Plan, run_all, run_one
from sciml import MLP, sample
from sciml.residuals import ConstrainedNetwork, hard_constraint

PLAN = Plan(("diffusion", "Burgers"), ("fixed", "ours"), 2, 1.0, 100, 4, 1)
BASE = Outcome("diffusion", "fixed", "lm", 0, 1.0, 100, 4, 1, 0.5, 0.1, 2.0, 9, 0.0, 1.0, 100, 1.1, "done, in words")


def fake(errors: dict[str, list[float]]) -> list[Outcome]:
    return [
        replace(BASE, sampler=name, seed=seed, error=error)
        for name, values in errors.items()
        for seed, error in enumerate(values)
    ]


def test_a_killed_study_continues(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, made = tmp_path / "runs.csv", []

    def run(plan: Plan, problem: str, sampler: str, seed: int) -> Outcome:
        if len(made) == 3:
            made.append("killed")
            raise KeyboardInterrupt
        made.append((problem, sampler, seed))
        return replace(BASE, problem=problem, sampler=sampler, seed=seed)

    monkeypatch.setattr(study, "run_one", run)
    with pytest.raises(KeyboardInterrupt):
        run_all(PLAN, path, show=False)
    with path.open("a") as file:
        file.write("Burgers,ours,lm,0,1.0,10")  # a line that was cut off
    outcomes = run_all(PLAN, path, show=False)
    assert len(outcomes) == len({outcome.key for outcome in outcomes}) == 8
    assert len(made) == 9  # nothing was run twice
    assert run_all(PLAN, path, show=False) == outcomes
    assert len(run_all(replace(PLAN, seeds=1), path, show=False)) == 4


def test_no_run_begins_after_the_end(tmp_path: Path) -> None:
    assert run_all(replace(PLAN, stop=0.0), tmp_path / "runs.csv", show=False) == []


def test_lines_come_back_as_they_were(tmp_path: Path) -> None:
    outcome = replace(BASE, sampler="ours, exchange", error=float("1.234567890123456e-05"), status='said "no", ended')
    append(tmp_path / "runs.csv", outcome)
    append(tmp_path / "runs.csv", BASE)
    assert read(tmp_path / "runs.csv") == [outcome, BASE]


def test_medians_failures_and_worst_seed() -> None:
    line = table(fake({"fixed": [1e-3, 1e-2, 0.5, float("nan"), 1e-4]}))[0]
    assert line.median == pytest.approx(1e-2)
    assert (line.runs, line.failures) == (5, 2)
    assert line.worst == pytest.approx(10.0)
    assert line.low == pytest.approx(1e-3)


def test_holm_and_paired_tests() -> None:
    assert np.allclose(holm([0.01, 0.02, 0.5]), [0.03, 0.04, 0.5])
    generator = np.random.default_rng(0)
    base = 10 ** generator.normal(-3, 0.5, 10)
    noise = 10 ** generator.normal(0, 0.05, 10)
    outcomes = fake({"ours": list(0.5 * base * noise), "RAD": list(base), "random": list(0.5 * base * noise)})
    by_name = {c.sampler: c for c in compared(outcomes)}
    assert by_name["RAD"].verdict == "better"
    assert by_name["RAD"].p == pytest.approx(wilcoxon(np.log10(0.5 * noise)).pvalue)
    assert by_name["RAD"].holm == pytest.approx(2 * by_name["RAD"].p)
    assert by_name["random"].p == pytest.approx(1.0)
    assert by_name["random"].verdict == ""
    mean, p = ranks(outcomes)
    assert mean["RAD"] == pytest.approx(3.0)
    assert mean["ours"] == pytest.approx(1.5)
    assert p < 0.01


def test_one_real_run_and_its_page(tmp_path: Path) -> None:
    outcome = run_one(replace(PLAN, seconds=0.4), "diffusion", "ours", 0)
    assert 0 < outcome.error < 1
    assert outcome.number == 100
    write_page([outcome, replace(outcome, sampler="RAD")], tmp_path / "page.html", "a test")
    assert "<svg" in (tmp_path / "page.html").read_text() or "data:image" in (tmp_path / "page.html").read_text()
    text = markdown(HEAD, lines_of([outcome])) + markdown(TESTS, comparisons_of([outcome])) + ranking([outcome])
    assert "| diffusion | ours" in text


def test_every_arm_can_be_made_and_draws_points() -> None:
    problem = study.case("diffusion").problem
    model = ConstrainedNetwork(MLP(4, 1).bind(problem.bounds, 1, seed=0), hard_constraint(problem))
    points = sample(problem, interior=60, boundary=0, initial=0)
    points = points.take(points.mask("pde"))
    for name, make in ARMS.items():
        sampler = make(0, 60)
        for option in {"candidates", "queries"} & set(vars(sampler)) if "RAD" not in name else ():
            setattr(sampler, option, 100)
        new = sampler.resample(problem, model, points)
        assert new.of("pde").weight.sum() == pytest.approx(1.0), name
        assert 60 <= len(new) <= 66, name
