"""Execute the notebooks in full and store their outputs: `python notebooks/store.py [NAME ...]`.

Each `NN_name.py` (percent format) is run in a fresh kernel and written beside it as `NN_name.ipynb`. Of an interactive
picture its static figure is stored, which every preview can show; the picture itself comes with a running kernel.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from pathlib import Path
from typing import Any

import jupytext
import nbclient

FOLDER = Path(__file__).resolve().parent
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}
LIVE = "application/vnd.jupyter.widget-view+json"


def stored(path: Path) -> Path:
    """Run one notebook and write it with its outputs.

    Args:
        path: The `.py`.

    Returns:
        The path of the `.ipynb`.
    """
    book = jupytext.read(path)
    book.metadata["kernelspec"] = KERNEL
    for number, cell in enumerate(book.cells):
        cell["id"] = f"cell-{number:02d}"  # the same after every run
    client = nbclient.NotebookClient(book, timeout=3600, kernel_name="python3", record_timing=False,
                                     coalesce_streams=True, resources={"metadata": {"path": str(FOLDER)}})  # fmt: skip
    client.execute()
    book.metadata.pop("widgets", None)
    for cell in book.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if _still(output)]
    target = path.with_suffix(".ipynb")
    jupytext.write(book, target)
    return target


def _still(output: Any) -> bool:
    """Take the live part out of an output; false where nothing else is to be seen (a progress bar)."""
    data = output.get("data", {})
    return data.pop(LIVE, None) is None or "image/png" in data


def main(names: list[str]) -> None:
    """Run the named notebooks, or all.

    Args:
        names: Beginnings of file names, such as "01".
    """
    os.environ.pop("SCIML_FAST", None)  # what is stored is the full version
    for path in sorted(FOLDER.glob("[0-9]*.py")):
        if not names or path.name.startswith(tuple(names)):
            start, used = time.perf_counter(), _processor()
            target = stored(path)
            seconds, cpu = time.perf_counter() - start, _processor() - used
            print(f"{target.name}: {seconds:.0f} s, of processor {cpu:.0f} s, {target.stat().st_size / 1e6:.2f} MB")


def _processor() -> float:
    """Processor seconds of the kernels that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main(sys.argv[1:])
