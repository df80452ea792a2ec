"""Problem library: one file per equation, each problem with a reference solution and its source.

Example:
    >>> from sciml.problems import heat
    >>> case = heat.sine()
    >>> case.problem.name, case.source
    ('heat, sine', 'Klausen et al. 2025, arXiv 2510.25731')
"""

from sciml.problems import (
    advection,
    advection_diffusion,
    allen_cahn,
    black_scholes,
    burgers,
    cavity,
    cylinder,
    fisher,
    flow_identification,
    fokker_planck,
    heat,
    helmholtz,
    kdv,
    klein_gordon,
    laplace,
    navier_stokes,
    poiseuille,
    poisson,
    schroedinger,
    step,
    wave,
)
from sciml.problems.case import ProblemCase
from sciml.problems.registry import library

__all__ = [
    "ProblemCase", "advection", "advection_diffusion", "allen_cahn", "black_scholes", "burgers", "cavity", "cylinder",
    "fisher", "flow_identification", "fokker_planck", "heat", "helmholtz", "kdv", "klein_gordon", "laplace",
    "library", "navier_stokes", "poiseuille", "poisson", "schroedinger", "step", "wave",
]  # fmt: skip
