"""The bound is never below the error: every problem of the library that LieSolver solves, on dense random points."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from sciml.errors import ProblemWarning, SolverError, SolverWarning
from sciml.problems import library
from solvers.lie import LieSolver
from solvers.lie.bounds.sup import NotEnclosed

pytest.importorskip("flint")

# refused: nonlinear equations that no map makes linear
REFUSED = ("allen_cahn", "cavity", "cylinder", "fisher", "flow_identification", "kdv", "klein_gordon.kink",
           "navier_stokes", "poiseuille", "step")  # fmt: skip
QUICK = ("advection.sine", "advection_diffusion.periodic_drift", "heat.oscillating_walls", "heat.sine_mix",
         "laplace.square", "poisson.square", "wave.sine_mix", "wave.two_modes")  # fmt: skip
ROUNDING = 2e-13  # times the size of the solution: below it a bound is one of rounding in its worst case


def dense(problem, count: int = 4000) -> np.ndarray:
    """Inside, on the faces, and at the start."""
    time = tuple(map(float, problem.time[1:])) if problem.time else None
    parts = [problem.domain.sample(count, method="uniform", seed=5, time=time)]
    parts += [problem.domain.sample_face(face, count // 10, method="uniform", seed=6, time=time)
              for face in problem.faces]  # fmt: skip
    if time:
        start = problem.domain.sample(count // 4, method="uniform", seed=7, time=time)
        start[:, -1] = time[0]
        parts.append(start)
    return np.concatenate(parts)


def solved(name: str):
    with warnings.catch_warnings():
        for category in (ProblemWarning, SolverWarning):
            warnings.simplefilter("ignore", category)
        case = library()[name]()
        return case, LieSolver().solve(case.problem)


def check(name: str, close: bool) -> None:
    """No bound without a reason, and none below the error; close to it where it is asked for."""
    case, lie = solved(name)
    assert lie.error_bound_reason
    if lie.error_bound is None or case.reference is None:
        assert not close
        return
    points = dense(case.problem)
    exact = case.reference.evaluate(points)
    error = float(np.nanmax(np.abs(lie.evaluate(points) - exact)))
    size = float(np.nanmax(np.abs(exact)))
    assert error <= lie.error_bound + 4e-15 * size  # the reference is rounded too
    if close:
        assert lie.error_bound <= max(10 * error, ROUNDING * size)


@pytest.mark.parametrize("name", QUICK)
def test_quick(name: str) -> None:
    check(name, close=True)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(library()) - set(QUICK)))
def test_all(name: str) -> None:
    if name.startswith(REFUSED):
        with pytest.raises((SolverError, NotEnclosed)):
            solved(name)
        return
    check(name, close=False)
