"""Every Python block of the README and of all pages runs, in order, as a reader would; quoted prints are true."""

import contextlib
import io
import re
import warnings
from pathlib import Path

import matplotlib
import pytest

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```python\n(.*?)^```$(?:\n+```text\n(.*?)^```$)?", re.MULTILINE | re.DOTALL)
PAGES = [
    path.relative_to(ROOT).as_posix()
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    if BLOCK.search(path.read_text(encoding="utf-8"))
]


def head(text: str) -> list[str]:
    """The words of a printed text up to its first empty line: the numbers differ from processor to processor."""
    return re.sub(r"\d[\d.e%+-]*", "#", text.strip().split("\n\n")[0]).split()


@pytest.mark.parametrize("name", PAGES)
def test_page(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    matplotlib.use("agg")
    space: dict[str, object] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        for number, (block, quoted) in enumerate(BLOCK.findall((ROOT / name).read_text(encoding="utf-8"))):
            with contextlib.redirect_stdout(io.StringIO()) as printed:
                exec(compile(block, f"{name}, block {number + 1}", "exec"), space)
            if quoted:
                assert head(printed.getvalue()) == head(quoted)


def test_pages_with_code_are_found() -> None:
    assert {"README.md", "docs/index.md", "docs/debug.md", "docs/quantum.md"} <= set(PAGES)


def test_pages_link_to_files_that_exist() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), f"{page.name}: {link}"
