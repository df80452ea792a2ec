"""All problems of the library by name, for tests and benchmarks."""

from __future__ import annotations

from collections.abc import Callable

from sciml.errors import ProblemError
from sciml.problems import (
    advection,
    advection_diffusion,
    allen_cahn,
    black_scholes,
    burgers,
    cavity,
    cylinder,
    fisher,
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

_FACTORIES: tuple[Callable[[], ProblemCase], ...] = (
    advection.sine, advection.pulse,
    advection_diffusion.periodic_drift, advection_diffusion.drift, advection_diffusion.boundary_layer,
    allen_cahn.cosine, allen_cahn.front,
    black_scholes.european_call,
    burgers.shock, burgers.sine, burgers.travelling_wave,
    cavity.lid,
    cylinder.dfg_steady,
    fisher.front,
    fokker_planck.ornstein_uhlenbeck, fokker_planck.bistable_drift,
    heat.sine, heat.sine_mix, heat.polynomial, heat.gauss, heat.step, heat.jump, heat.oscillating_walls,
    heat.decaying_source, heat.disk_pulse, heat.disk_product,
    helmholtz.point_source, helmholtz.plane_wave,
    kdv.soliton, kdv.two_solitons,
    klein_gordon.wave, klein_gordon.kink,
    laplace.square, laplace.l_shape, laplace.reentrant_corner,
    poiseuille.channel,
    navier_stokes.kovasznay, navier_stokes.taylor_green, navier_stokes.beltrami,
    poisson.square, poisson.disk_with_hole, poisson.annulus, poisson.peak,
    schroedinger.wave_packet,
    step.backward_facing,
    wave.sine, wave.sine_mix, wave.polynomial, wave.gauss, wave.gauss_mix, wave.step, wave.jump, wave.two_modes,
    wave.membrane, wave.complex_source,
)  # fmt: skip

COLLECTIONS: dict[str, tuple[str, ...]] = {
    "klausen2025": (
        "heat.polynomial", "heat.gauss", "heat.sine", "heat.sine_mix", "heat.step",
        "wave.gauss", "wave.gauss_mix", "wave.sine", "wave.sine_mix", "wave.step",
    ),
    "krasowski2026": (
        "heat.decaying_source",
        "burgers.shock",
        "allen_cahn.cosine",
        "wave.two_modes",
        "advection_diffusion.periodic_drift",
        "poisson.peak",
        "cylinder.dfg_steady",
    ),
}  # fmt: skip


def library(collection: str | None = None) -> dict[str, Callable[[], ProblemCase]]:
    """Problems by name.

    Args:
        collection: None for all; "klausen2025", the ten heat and wave problems of Klausen et al. 2025 (arXiv
            2510.25731); "krasowski2026", the seven problems of Krasowski, Naujoks et al. 2026 (arXiv 2409.08958).

    Returns:
        "equation.problem" -> function that makes the case.

    Raises:
        ProblemError: If there is no such collection.

    Example:
        >>> library()["poisson.square"]().problem.name
        'Poisson, square'
        >>> len(library("klausen2025")), len(library("krasowski2026"))
        (10, 7)
    """
    everything = {f"{make.__module__.rpartition('.')[2]}.{make.__name__}": make for make in _FACTORIES}
    if collection is None:
        return everything
    if collection not in COLLECTIONS:
        raise ProblemError(f"a collection among {', '.join(COLLECTIONS)}", repr(collection), "library() gives all")
    return {name: everything[name] for name in COLLECTIONS[collection]}
