"""The one command for all benchmarks: every name exists, failures and missed bars are not hidden."""

import importlib.util
import sys

import pytest

from benchmarks import __main__ as together


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


def test_lines_and_status_of_a_process(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(together.sys, "executable", sys.executable)
    outcome = together.run("no_such_benchmark", True)
    assert outcome.status != 0
    assert outcome.command == "python -m benchmarks.no_such_benchmark --quick"
    assert outcome.seconds > 0
