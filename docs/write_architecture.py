"""Writes the tables of docs/architecture.md from the first line of every module's docstring."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- tables: written by docs/write_architecture.py -->", "<!-- end of tables -->"


def purpose(path: Path) -> str:
    """First line of a module's docstring."""
    return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split("\n", 1)[0].rstrip(".")


def tables() -> str:
    """One table per folder: file and what it is for."""
    blocks = []
    folders: dict[str, list[Path]] = {}
    for package in ("sciml", "solvers", "influence", "benchmarks", "demo"):
        for path in sorted((ROOT / package).rglob("*.py")):
            folders.setdefault(str(path.parent.relative_to(ROOT)), []).append(path)
    for folder, paths in folders.items():
        rows = [f"| `{path.name}` | {purpose(path).replace('|', chr(92) + '|')} |" for path in paths]
        blocks.append("\n".join([f"### {folder}/", "", "| file | what it is for |", "|---|---|", *rows]))
    return "\n\n".join(blocks)


def page(text: str) -> str:
    """The page with fresh tables."""
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n\n{tables()}\n\n{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
