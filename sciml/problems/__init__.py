"""Problem library: one file per equation, each problem with a reference solution and its source.

Example:
    >>> from sciml.problems import heat
    >>> case = heat.sine()
    >>> case.problem.name, case.source
    ('heat, sine', 'Klausen et al. 2025, arXiv 2510.25731')
"""

from collections.abc import Callable

from sciml.problems import burgers, heat, navier_stokes, poisson, wave
from sciml.problems.case import ProblemCase

__all__ = ["ProblemCase", "library"]

_FACTORIES: tuple[Callable[[], ProblemCase], ...] = (
    heat.sine, heat.sine_mix, heat.polynomial, heat.gauss, heat.step, heat.jump, heat.oscillating_walls,
    heat.decaying_source, heat.disk_pulse, heat.disk_product,
    wave.sine, wave.sine_mix, wave.polynomial, wave.gauss, wave.gauss_mix, wave.step, wave.jump, wave.two_modes,
    wave.membrane, wave.complex_source,
    burgers.shock, burgers.sine, burgers.travelling_wave,
    poisson.square, poisson.disk_with_hole, poisson.annulus, poisson.peak,
    navier_stokes.kovasznay, navier_stokes.taylor_green, navier_stokes.beltrami,
)  # fmt: skip


def library() -> dict[str, Callable[[], ProblemCase]]:
    """All problems by name.

    Returns:
        "equation.problem" -> function that makes the case.

    Example:
        >>> library()["poisson.square"]().problem.name
        'Poisson, square'
    """
    return {f"{make.__module__.rpartition('.')[2]}.{make.__name__}": make for make in _FACTORIES}
