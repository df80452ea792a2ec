"""Writes the figures of the README and of the pages: `python -m docs.write_pictures` (Chromium and playwright).

The flows are drawn by `benchmarks/navier_stokes_figures.py`.
"""

from __future__ import annotations

import base64
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import sympy as sp

from demo import lie
from influence import Influence
from sciml import IBVP, MLP, Dirichlet, Interval, coordinates, field
from sciml.notebook.dashboard import Dashboard
from sciml.notebook.family import FamilyExplorer
from sciml.notebook.viewer import FieldViewer
from sciml.problems import burgers
from solvers import PINN, RAD, LieSolver, point_symmetries

DOCS = Path(__file__).resolve().parent
ASSETS, IMAGES = DOCS / "assets", DOCS / "images"
NOTEBOOK = DOCS.parent / "notebooks" / "04_debug_a_pinn.ipynb"
x, t = coordinates("x t")
u = field("u", x, t)


def heat() -> IBVP:
    """The problem of the README."""
    return IBVP(
        pde=sp.Eq(u.diff(t), u.diff(x, 2)),
        domain=Interval(x, 0, 1),
        time=(t, 0, sp.Rational(1, 2)),
        initial={u: sp.sin(sp.pi * x)},
        boundary=[Dirichlet(u, 0)],
    )


def linked(solution: Any) -> Any:
    """Influence maps of the heat equation, one boundary point selected."""
    places = np.stack(np.meshgrid(np.linspace(0, 1, 21), np.linspace(0, 0.5, 26), indexing="ij"), axis=-1).reshape(
        -1, 2
    )
    scores = Influence(solution).scores(u, at=places)
    maps = scores.explore()
    side = np.flatnonzero((scores.kinds == "dirichlet u") & (scores.train[:, 1] > 0.1))
    maps.select([int(scores.ids[side[np.argmax(np.abs(scores.values[:, side]).max(axis=0))]])])
    return maps


def dashboard() -> Any:
    """A training of the Burgers shock, some seconds old."""
    problem = burgers.shock().problem
    board = Dashboard(problem)
    PINN(MLP(width=16, depth=3), seed=0, seconds=12, progress=False, resampler=RAD(every=2)).solve(problem, [board])
    return board


def stored_picture(path: Path, words: str) -> bytes:
    """The figure of the cell of a stored notebook whose source has these words.

    Args:
        path: The notebook.
        words: Part of the source of one cell.

    Returns:
        A PNG file.

    Raises:
        ValueError: If there is not exactly one.
    """
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    found = [
        output["data"]["image/png"]
        for cell in cells if words in "".join(cell["source"])
        for output in cell.get("outputs", ()) if "image/png" in output.get("data", {})
    ]  # fmt: skip
    if len(found) != 1:
        raise ValueError(f"expected one figure of a cell with {words!r} in {path.name}, found {len(found)}")
    return base64.b64decode("".join(found[0]))


def shoot(pictures: dict[str, Any]) -> None:
    """Export every picture and photograph it in a browser."""
    from playwright.sync_api import sync_playwright

    ASSETS.mkdir(exist_ok=True)
    with sync_playwright() as driver, tempfile.TemporaryDirectory() as folder:
        browser = driver.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        for name, picture in pictures.items():
            page = browser.new_page(viewport={"width": 1120, "height": 700}, device_scale_factor=1.5)
            page.goto(picture.html(Path(folder) / f"{name}.html").as_uri())
            page.locator("#picture > div").screenshot(path=ASSETS / f"{name}.png")
        browser.close()


def main() -> None:
    """Solve, ask, photograph."""
    exact = sp.exp(-(sp.pi**2) * t) * sp.sin(sp.pi * x)
    solution = PINN(MLP(width=16, depth=2), seed=0).solve(heat())
    IMAGES.mkdir(exist_ok=True)
    solution.plot(compare=exact).savefig(IMAGES / "readme.png", dpi=110)
    solved = [(title, LieSolver().solve(make().problem)) for title, make in lie.CASES.items()]
    lie.picture(solved).savefig(IMAGES / "lie.png", dpi=110)
    (ASSETS / "notebook-debug.png").write_bytes(stored_picture(NOTEBOOK, "what would be right"))
    soft = PINN(MLP(width=12, depth=2), seed=0, seconds=5, constraints="soft").solve(heat())
    eps = sp.Symbol("epsilon", real=True)
    algebra = point_symmetries([sp.Eq(u.diff(t), u.diff(x, 2))], [u])
    moved = algebra.generators[5].transform(exact, eps)
    viewer = FieldViewer(soft, exact, frames=11)
    viewer.frame = 3
    shoot({
        "linked": linked(soft), "dashboard": dashboard(), "viewer": viewer,
        "family": FamilyExplorer(moved, {x: (-2, 2), t: (0, 1)}, {eps: (0, 1, 0.3)}, title="heat, sixth symmetry"),
    })  # fmt: skip


if __name__ == "__main__":
    main()
