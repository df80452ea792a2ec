"""The seven problems of Krasowski, Naujoks et al. 2026 (arXiv 2409.08958), well and poorly trained, and planted faults.

Equations, domains and conditions are the published ones; networks, numbers of points and schedules are smaller: the
well-trained models come from Levenberg-Marquardt steps on points drawn anew, the poorly trained ones from too few
points or from Adam stopped early.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp
import torch

from influence import Influence
from sciml import IBVP, MLP, Dirichlet, Observations
from sciml.problems import library
from sciml.record import RowMap, TrainingRecord
from sciml.solution import Solution
from solvers import PINN, RAD, Fixed
from solvers.pinn.placement import Counts


@dataclass(frozen=True)
class Setup:
    """One problem with two trainings of it.

    Attributes:
        name: In the paper.
        problem: In the library.
        network: Width and depth.
        good: Points and optimiser of the well-trained model.
        bad: The same of the poorly trained one.
        published: Uniform baseline and η of the well and the poorly trained model; None where none is given.
        quick: Whether it belongs to the short run.
    """

    name: str
    problem: str
    network: tuple[int, int]
    good: dict[str, Any]
    bad: dict[str, Any]
    published: tuple[float, float, float] | None = None
    quick: bool = True


def _training(interior: int, boundary: int, initial: int, steps: int, optimiser: str = "lm") -> dict[str, Any]:
    return {"points": Counts(interior, boundary, initial), "steps": steps, "optimiser": optimiser}


SETUPS = (
    Setup("heat", "heat.decaying_source", (20, 3), _training(1000, 100, 100, 60), _training(10, 2, 2, 60),
          (0.46, 0.33, 0.26)),
    Setup("Burgers", "burgers.shock", (20, 3), _training(1000, 100, 100, 200), _training(500, 100, 100, 25),
          (0.43, 0.41, 0.28), False),
    Setup("Allen-Cahn", "allen_cahn.cosine", (20, 3), _training(1000, 100, 100, 300),
          _training(1000, 100, 100, 1500, "adam"), (0.43, 0.50, 0.32), False),
    Setup("wave", "wave.two_modes", (20, 3), _training(1000, 100, 100, 300), _training(1000, 100, 100, 1500, "adam"),
          (0.43, 0.41, 0.11), False),
    Setup("drift-diffusion", "advection_diffusion.periodic_drift", (20, 3), _training(1000, 100, 100, 200),
          _training(200, 20, 20, 60), (0.46, 0.46, 0.21), False),
    Setup("Poisson disk", "poisson.peak", (20, 2), _training(1200, 150, 0, 200), _training(100, 20, 0, 60)),
    Setup("cylinder flow", "cylinder.dfg_steady", (20, 3), _training(1500, 400, 0, 100), _training(200, 60, 0, 40),
          None, False),
)  # fmt: skip


def trained(setup: Setup, well: bool, seed: int) -> Solution:
    """Train one of the two models of a problem: the good one on points drawn anew, the bad one on fixed points.

    Args:
        setup: The problem.
        well: Which.
        seed: Seed.
    """
    width, depth = setup.network
    solver = PINN(
        MLP(width=width, depth=depth), seed=seed, tolerance=1e-7, constraints="soft", progress=False,
        resampler=RAD(seed=seed) if well else Fixed(), **(setup.good if well else setup.bad),
    )  # fmt: skip
    return solver.solve(library()[setup.problem]().problem)


@dataclass(frozen=True, eq=False)
class Planted:
    """A model with a fault that was put there on purpose.

    Attributes:
        name: What was done.
        subject: What to diagnose.
        ids: Points concerned; none for a missing term.
        expected: Fault that a diagnosis must name.
    """

    name: str
    subject: Any
    ids: np.ndarray
    expected: str


def _shifted(
    record: TrainingRecord, term: str, count: int, shift: float, seed: int
) -> tuple[TrainingRecord, np.ndarray]:
    """The record with the data of some rows of a term shifted, and parameters fitted to them."""
    rows = record.rows
    ids = np.random.default_rng(seed).choice(record.points.ids_of(term), count, replace=False)
    moved = torch.tensor(np.where(np.isin(rows.ids, ids) & (rows.labels == term), shift, 0.0))

    def jacobian(theta: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        residual, matrix = rows.jacobian(theta)
        return residual - moved, matrix

    made = RowMap(lambda p: rows.residual(p) - moved, jacobian, rows.ids, rows.labels, at=rows.at)
    fields = {**vars(record), "rows": made}
    start = TrainingRecord(**fields)
    return TrainingRecord(**{**fields, "parameters": Influence(start).refit().theta}), ids


def boundary_values(seed: int, count: int = 5) -> Planted:
    """Heat with wrong values (0.5 instead of 0) at some boundary points.

    Args:
        seed: Seed.
        count: Number of points.
    """
    record = trained(SETUPS[0], True, seed).record
    made, ids = _shifted(record, "dirichlet u", count, 0.5, seed)
    return Planted(f"{count} wrong boundary values", made, ids, "suspect boundary or initial values")


def source_values(seed: int, count: int = 20) -> Planted:
    """Heat with a wrong source (off by 5, half its size) at some points.

    Args:
        seed: Seed.
        count: Number of points.
    """
    record = trained(SETUPS[0], True, seed).record
    made, ids = _shifted(record, "pde", count, 5.0, seed)
    return Planted(f"{count} wrong source values", made, ids, "suspect source values")


def missing_convection(seed: int, count: int = 60) -> Planted:
    """Burgers with ν = 1/10 without u u_x, fitted to values of the true solution at some points.

    Args:
        seed: Seed.
        count: Number of values.
    """
    case = library()["burgers.sine"]()
    true: IBVP = case.problem
    u = true.fields[0]
    x, t = true.coordinates
    places = true.domain.sample(count, "sobol", seed, true.bounds[-1])
    assert case.reference is not None
    values = case.reference.evaluate(places)[:, 0]
    broken = IBVP(
        pde=sp.Eq(u.diff(t), u.diff(x, 2) / 10), domain=true.domain, time=true.time, initial=true.initial,
        boundary=[Dirichlet(u, 0)], observations=[Observations(u, places, values, name="data")],
    )  # fmt: skip
    solver = PINN(
        MLP(width=16, depth=2), seed=seed, steps=60, tolerance=0, points=Counts(400, 60, 60), resampler=Fixed(),
        constraints="soft", progress=False,
    )  # fmt: skip
    return Planted(
        "u u_x missing, with data", solver.solve(broken), np.zeros(0, dtype=int), "equation contradicts data"
    )


PLANTED = (boundary_values, source_values, missing_convection)
