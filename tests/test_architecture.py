"""The architecture page lists every file with its purpose."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_the_tables_are_true() -> None:
    spec = importlib.util.spec_from_file_location("write_architecture", ROOT / "docs" / "write_architecture.py")
    assert spec is not None
    assert spec.loader is not None
    writer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(writer)
    text = writer.PAGE.read_text(encoding="utf-8")
    assert writer.page(text) == text, "run python docs/write_architecture.py"


def test_every_file_says_what_it_is_for() -> None:
    for package in ("sciml", "solvers", "influence", "demo", "benchmarks"):
        for path in (ROOT / package).rglob("*.py"):
            assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), path
