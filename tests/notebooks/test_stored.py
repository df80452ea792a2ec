"""The stored notebooks are their scripts, were run to the end in full, and say what they show."""

from pathlib import Path
from typing import Any

import jupytext
import nbformat
import pytest

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
SCRIPTS = sorted(FOLDER.glob("[0-9]*.py"))
LARGEST = 2_000_000  # bytes
LIVE = "application/vnd.jupyter.widget-view+json"


def stored(script: Path) -> Any:
    return nbformat.read(script.with_suffix(".ipynb"), as_version=4)


def test_every_notebook_has_its_script() -> None:
    assert SCRIPTS
    assert [path.stem for path in sorted(FOLDER.glob("*.ipynb"))] == [path.stem for path in SCRIPTS]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_script_and_notebook_agree(script: Path) -> None:
    book, text = stored(script), jupytext.read(script)
    assert book.metadata["jupytext"]["formats"] == "ipynb,py:percent"
    assert [(cell.cell_type, cell.source) for cell in book.cells] == [
        (cell.cell_type, cell.source) for cell in text.cells
    ], f"run python notebooks/store.py {script.stem}"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_outputs_are_stored_and_clean(script: Path) -> None:
    book = stored(script)
    nbformat.validate(book)
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))  # one run, from top to bottom
    outputs = [output for cell in code for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error" or output.get("name") == "stderr"]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    assert not any(LIVE in output.get("data", {}) for output in outputs)  # previews show the static figure
    assert script.with_suffix(".ipynb").stat().st_size < LARGEST


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_opens_with_what_it_shows_and_ends_with_what_to_try(script: Path) -> None:
    cells = jupytext.read(script).cells
    opening, ending = cells[0].source, cells[-1].source
    assert opening.startswith(f"# {script.stem[:2]} ")
    assert "**Shows**" in opening
    assert "**Takes**" in opening
    assert "SCIML_FAST=1" in opening
    assert "## What to try" in ending
    assert any("SCIML_FAST" in cell.source for cell in cells if cell.cell_type == "code")
