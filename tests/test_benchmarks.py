"""The one command for all benchmarks: every name exists, failures and missed bars are not hidden."""

import importlib.util
import sys
from pathlib import Path

import pytest

from benchmarks import __main__ as together
from benchmarks import pages, ratios


@pytest.mark.parametrize("name", together.BENCHMARKS)
def test_every_benchmark_has_a_command(name: str) -> None:
    spec = importlib.util.find_spec(f"benchmarks.{name}")
    assert spec is not None
    if spec.submodule_search_locations is not None:
        assert importlib.util.find_spec(f"benchmarks.{name}.__main__") is not None


def test_page_and_exit_status(tmp_path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def process(name: str, quick: bool) -> together.Outcome:
        return together.Outcome(name, f"python -m benchmarks.{name}", "value 1.0\n", int(name == "pinn"), 2.0)

    monkeypatch.setattr(together, "run", process)
    assert together.main(["--only", "engine"]) == 0
    assert together.main(["--only", "engine", "pinn", "--write", str(tmp_path / "page.md")]) == 1
    text = (tmp_path / "page.md").read_text()
    assert text.count("value 1.0") == 2
    assert text.count("a bar missed") == 1
    assert "missed" in capsys.readouterr().out


def ratio(**changes: object) -> ratios.Ratio:
    values = {"case": "iteration", "peer": "autograd", "ours": 1.0, "theirs": 3.0, "unit": "ms", "ratio": 3.0,
              "low": 2.9, "high": 3.1, "rounds": 5}  # fmt: skip
    return ratios.Ratio(**{**values, **changes})  # type: ignore[arg-type]


def test_a_fallen_ratio_is_a_regression_and_noise_is_none(tmp_path: Path) -> None:
    old = [ratio(), ratio(peer="deepxde")]
    assert ratios.regressions(old, [ratio(ratio=2.7, low=2.5, high=2.8)]) == []  # the quartiles nearly meet
    fallen = ratios.regressions(old, [ratio(ratio=2.0, low=1.9, high=2.1)])
    assert fallen == ["iteration beside autograd: 3 [2.9, 3.1] fell to 2 [1.9, 2.1]"]
    assert ratios.regressions(old, []) == ["iteration beside autograd: not measured any more"]
    ratios.write(tmp_path / "ratios.csv", old)
    where, again = ratios.read(tmp_path / "ratios.csv")
    assert again == old
    assert "cores" in where


def test_ratios_are_paired_by_round() -> None:
    """A round in which the machine is twice as slow for both leaves the ratio alone."""
    made = ratios.Ratio.of("iteration", "autograd", [1.0, 2.0, 1.0], [3.0, 6.0, 3.0], "ms")
    assert (made.low, made.ratio, made.high) == pytest.approx((3.0, 3.0, 3.0))


@pytest.mark.parametrize("name", pages.TABLES)
def test_tables_of_the_pages_are_those_of_the_files(name: str) -> None:
    text = (pages.DOCS / name).read_text(encoding="utf-8")
    assert pages.filled(text, pages.TABLES[name]()) == text
    assert "|" in pages.TABLES[name]()


def test_lines_and_status_of_a_process(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(together.sys, "executable", sys.executable)
    outcome = together.run("no_such_benchmark", True)
    assert outcome.status != 0
    assert outcome.command == "python -m benchmarks.no_such_benchmark --quick"
    assert outcome.seconds > 0
