"""Load: many points in bounded memory, many solves without leaking, many threads reading one solution."""

from __future__ import annotations

import gc
import resource
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy as sp

from sciml import IBVP, MLP, Dirichlet, ExactSolution, Interval, coordinates, field
from solvers import PINN, FiniteElement, LieSolver

x, t = coordinates("x t")
u = field("u", x, t)
HEAT = IBVP(sp.Eq(u.diff(t), u.diff(x, 2)), Interval(x, 0, 1), (t, 0, 1), {u: sp.sin(sp.pi * x)}, [Dirichlet(u, 0)])
SOLVERS: dict[str, Any] = {
    "PINN": lambda: PINN(MLP(width=32, depth=3), steps=2, progress=False),
    "LieSolver": LieSolver,
    "FiniteElement": lambda: FiniteElement(mesh_size=0.1, steps=20),
}
SMALL: dict[str, Any] = {**SOLVERS, "PINN": lambda: PINN(MLP(width=6, depth=1), steps=4, progress=False)}


@pytest.fixture(scope="module", params=[*SOLVERS, "ExactSolution"])
def solution(request: pytest.FixtureRequest) -> Any:
    if request.param == "ExactSolution":
        return ExactSolution(HEAT, sp.exp(-(sp.pi**2) * t) * sp.sin(sp.pi * x))
    return SOLVERS[request.param]().solve(HEAT)


def peak() -> float:
    """MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def test_any_split_of_the_points_gives_the_same_values(solution: Any) -> None:
    """Chunks inside must not show: the same rows whatever stands beside them."""
    points = np.random.default_rng(0).random((70_000, 2))
    whole, order = solution.residual(points), np.random.default_rng(1).permutation(len(points))
    scale = np.abs(whole).max()
    assert np.abs(solution.residual(points[order]) - whole[order]).max() <= 1e-10 * scale
    values = solution.evaluate(points)
    parts = np.concatenate([solution.evaluate(part) for part in np.array_split(points, [1, 10, 40_000])])
    assert np.abs(parts - values).max() <= 1e-12 * np.abs(values).max()


def test_threads_may_read_one_solution(solution: Any) -> None:
    points = np.random.default_rng(2).random((2000, 2))
    values, slopes = solution.evaluate(points), solution.derivative(u.diff(x), points)
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: (solution.evaluate(points), solution.derivative(u.diff(x), points)), range(8)):
            np.testing.assert_array_equal(found[0], values)
            np.testing.assert_array_equal(found[1], slopes)


@pytest.mark.slow
@pytest.mark.parametrize("name", SOLVERS)
def test_a_million_points_take_bounded_memory(name: str) -> None:
    script = f"""
        import sys, warnings
        warnings.simplefilter("ignore")
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from test_load import HEAT, SOLVERS, np, peak, u, x
        solution, points = SOLVERS[{name!r}]().solve(HEAT), np.random.default_rng(0).random((10**6, 2))
        for part in (points[:1000], points):
            solution.evaluate(part), solution.derivative(u.diff(x), part), solution.residual(part)
            print(peak())
    """
    run = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    few, many = map(float, run.stdout.split())
    assert many - few < 300  # MiB; the points take 16 and the answers 24


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", SMALL)
def test_a_thousand_solves_do_not_leak(name: str) -> None:
    def resident() -> float:
        gc.collect()
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20

    for number in range(1000):
        SMALL[name]().solve(HEAT)
        if number == 99:
            before = resident()
    assert resident() < 1.05 * before
