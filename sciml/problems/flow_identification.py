"""Inverse flow: viscosity and pressure from scattered velocities."""

from __future__ import annotations

import numpy as np
import sympy as sp

from sciml.conditions import Observations
from sciml.problems.case import ProblemCase
from sciml.problems.navier_stokes import equations, kovasznay, x, y


def viscosity(samples: int = 200, noise: float = 0.01, seed: int = 0, reynolds: int = 20) -> ProblemCase:
    """Kovasznay flow whose viscosity is unknown, seen through noisy velocities at scattered points.

    No boundary values and no pressures are given: the equations and `samples` places with both components of the
    velocity determine ν = 1/Re and, up to a constant, the pressure. The search starts at ν = 0.2 in (0.001, 1).

    Source: the setting of Raissi, Yazdani and Karniadakis 2020, Science 367, 1026, on the flow of Kovasznay 1948.

    Args:
        samples: Number of places.
        noise: Standard deviation of the noise, relative to the largest speed.
        seed: Seed of places and noise.
        reynolds: Re.

    Returns:
        The case; `numbers` holds the viscosity, and its reference is the flow without noise.
    """
    case = kovasznay(reynolds)
    whole, exact = case.problem, dict(case.exact)  # type: ignore[arg-type]
    u, v, p = whole.fields
    points = whole.domain.sample(samples, method="uniform", seed=seed)
    values = case.reference.evaluate(points)[:, :2]  # type: ignore[union-attr]
    sigma = noise * float(np.linalg.norm(values, axis=1).max())
    values = values + sigma * np.random.default_rng(seed).standard_normal(values.shape)
    nu = sp.Symbol("nu", positive=True)
    problem = whole.replace(
        pde=equations([u, v], p, (x, y), nu),
        boundary=[],
        unknowns={nu: (0.2, 1e-3, 1.0)},
        observations=[Observations(known, points, values[:, k], sigma=sigma or None) for k, known in enumerate((u, v))],
        name=f"viscosity from {samples} velocities",
    )
    return ProblemCase(problem, exact, "Kovasznay 1948", numbers={"nu": 1 / reynolds})
