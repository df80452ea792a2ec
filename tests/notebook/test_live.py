"""Pictures in JupyterLab and Voila with a running kernel: exact group effects, refits and the Stop button."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("anywidget", reason="anywidget is not installed (extra notebook)")
pytestmark = pytest.mark.slow

MAPS = """
import os
import numpy as np, torch
from influence import Influence, RowBlock
x = torch.linspace(0, 1, 5, dtype=torch.float64)
block = RowBlock("fit", torch.stack([x, x**2], dim=1), lambda p, z: p[0] + p[1] * z[0] - z[1], 0.2)
fit = Influence.from_rows(torch.tensor([-0.125, 1.0]).double(), [block])
maps = fit.scores(lambda p, z: p[0] + p[1] * z[0], at=np.array([[0.2, 0.0], [0.8, 0.1]])).explore()
with open("kernel.pid", "w") as file: file.write(str(os.getpid()))
maps
"""
BOARD = """
import sympy as sp
from sciml import IBVP, MLP, Dirichlet, Interval, coordinates, field
from sciml.notebook.dashboard import Dashboard
from solvers import PINN
x = coordinates("x"); v = field("v", x)
line = IBVP(sp.Eq(v.diff(x, 2), -sp.sin(x)), Interval(x, 0, sp.pi), boundary=[Dirichlet(v, 0)])
board = Dashboard(line)
board.train(PINN(MLP(width=6, depth=1), steps=10**7, tolerance=0.0, progress=False))
board
"""


def notebook(folder: Path) -> Path:
    empty = {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": []}
    cells = [{**empty, "source": text, "id": f"c{k}"} for k, text in enumerate((MAPS, BOARD))]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    path = folder / "pictures.ipynb"
    path.write_text(json.dumps({"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}))
    return path


def free_port() -> int:
    with socket.socket() as open_:
        open_.bind(("127.0.0.1", 0))
        return int(open_.getsockname()[1])


def served(command: list[str], folder: Path, port: int) -> Iterator[int]:
    """A server as a subprocess, with its settings and kernels in a folder of its own."""
    home = {name: str(folder) for name in ("HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")}
    environment = {**os.environ, **home, "OMP_NUM_THREADS": "1"}
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *command], cwd=folder, env=environment, stdout=log, stderr=log
        )
        try:
            for _ in range(240):
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).close()
                    break
                except OSError:
                    if process.poll() is not None:
                        pytest.fail((folder / "server.log").read_text()[-2000:])
                    time.sleep(0.5)
            yield port
        finally:
            process.terminate()
            process.wait(30)


@pytest.fixture
def voila(tmp_path: Path) -> Iterator[int]:
    pytest.importorskip("voila", reason="voila is not installed")
    notebook(tmp_path)
    port = free_port()
    options = ["--no-browser", f"--port={port}", "pictures.ipynb"]
    yield from served(["voila", *options], tmp_path, port)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[int]:
    pytest.importorskip("jupyterlab", reason="jupyterlab is not installed")
    notebook(tmp_path)
    port = free_port()
    options = ["--no-browser", "--allow-root", f"--port={port}", "--IdentityProvider.token=", "--ServerApp.password=",
               "--LabApp.news_url=None"]  # fmt: skip
    yield from served(["jupyterlab", *options], tmp_path, port)


def check_pictures(page: Any) -> None:
    maps = page.locator(".sciml-linked")
    maps.wait_for(timeout=120_000)
    canvas = maps.locator("canvas[data-plot=train]")
    canvas.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.keyboard.press("PageDown")
    page.keyboard.press("Shift+Enter")
    page.wait_for_function("document.querySelector('.sciml-linked').dataset.exact === 'true'", timeout=60_000)
    assert "2 points (0, 1)" in maps.locator(".sciml-told").inner_text()
    assert "exact group effect" in maps.locator(".sciml-told").inner_text()
    maps.locator("button[data-action=refit]").click()
    page.wait_for_function("document.querySelector('.sciml-linked .sciml-told').innerText.includes('real refit')",
                           timeout=60_000)  # fmt: skip
    board = page.locator(".sciml-view")
    page.wait_for_function("Number(document.querySelector('.sciml-view').dataset.step) > 0", timeout=120_000)
    board.locator("button[data-action=stop]").click()
    page.wait_for_function("document.querySelector('.sciml-view').dataset.done === 'true'", timeout=60_000)


def test_voila(voila: int, page: Any) -> None:
    page.goto(f"http://127.0.0.1:{voila}/", timeout=180_000)
    check_pictures(page)


def run_all(lab: int, page: Any) -> None:
    page.goto(f"http://127.0.0.1:{lab}/lab/tree/pictures.ipynb", timeout=120_000)
    page.get_by_text("| Idle").wait_for(timeout=120_000)  # a cell that is run before the kernel is there is dropped
    page.get_by_text("Run", exact=True).first.click()
    page.get_by_text("Run All Cells", exact=True).click()


def test_jupyterlab(lab: int, page: Any) -> None:
    run_all(lab, page)
    check_pictures(page)


def check_after_death(page: Any, folder: Path) -> None:
    """The kernel is killed while the page is open: the matrix still answers, and what needs a kernel says so."""
    maps = page.locator(".sciml-linked")
    board = page.locator(".sciml-view")
    page.wait_for_function("Number(document.querySelector('.sciml-view')?.dataset.step) > 0", timeout=120_000)
    os.kill(int((folder / "kernel.pid").read_text()), signal.SIGKILL)
    told = maps.locator(".sciml-told")
    canvas = maps.locator("canvas[data-plot=train]")
    page.wait_for_timeout(5000)  # the page hears of it
    dialog = page.locator(".jp-Dialog button")
    if dialog.count():
        dialog.last.click()  # "the kernel appears to have died"
    canvas.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert maps.get_attribute("data-selection") == "0"
    assert "Point 0 (fit" in told.inner_text()
    page.keyboard.press("PageDown")
    page.keyboard.press("Shift+Enter")
    assert maps.get_attribute("data-selection") == "0,1"
    assert "sum of single effects" in told.inner_text()
    maps.locator("button[data-action=refit]").click()
    page.get_by_text("No answer from the kernel").wait_for(timeout=30_000)
    assert "sum of single effects" in told.inner_text()  # still there
    board.locator("button[data-action=stop]").click()
    board.get_by_text("no answer from the kernel").wait_for(timeout=30_000)


def test_voila_after_the_kernel_died(voila: int, page: Any, tmp_path: Path) -> None:
    page.goto(f"http://127.0.0.1:{voila}/", timeout=180_000)
    check_after_death(page, tmp_path)


def test_jupyterlab_after_the_kernel_died(lab: int, page: Any, tmp_path: Path) -> None:
    run_all(lab, page)
    check_after_death(page, tmp_path)
