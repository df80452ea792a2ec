"""Multi-parameter families: isotropy removed, effective parameters, solutions of the equation."""

import numpy as np
import pytest
import sympy as sp

from benchmarks.symmetry_systems import reference_systems
from sciml.errors import ProblemError, SolverError
from sciml.symbols import coordinates, field
from solvers.symmetry.generator import Generator
from solvers.symmetry.isotropy import group_orbit, isotropy_algebra
from solvers.symmetry.transform_check import solution_defect

x, t = coordinates("x t")
u = field("u", x, t)
HEAT = u.diff(t) - u.diff(x, 2)
SYSTEMS = {system.name: system for system in reference_systems()}
SIX = SYSTEMS["heat_1d"].generators
PARAMETERS = sp.symbols("a1:7", real=True)
k = sp.Symbol("k", positive=True)


def invariant(generator: Generator, seed: sp.Expr) -> bool:
    characteristic = generator.characteristic()[u].subs(u, seed).doit()
    return sp.simplify(characteristic) == 0


@pytest.mark.parametrize(
    ("seed", "dimension"),
    [
        (sp.S.One, 3),  # both translations, scaling
        (sp.exp(x + t), 3),
        (sp.exp(k * x + k**2 * t), 3),
        (sp.exp(-(x**2) / (4 * t)) / sp.sqrt(t), 3),  # Galilei, projective and scaling with weight 1/2
        (sp.exp(-t) * sp.sin(x), 1),
        (x**2 + 2 * t, 1),
        (x**3 + 6 * x * t, 1),
        (sp.erf(x / sp.sqrt(4 * t)), 1),
        (sp.exp(-t) * sp.sin(x) + x**2 + 2 * t, 0),
    ],
)
def test_isotropy_of_heat_solutions(seed, dimension):
    algebra = isotropy_algebra(SIX, seed)
    assert len(algebra) == dimension
    assert all(invariant(generator, seed) for generator in algebra)


def test_the_orbit_of_an_exponential_has_three_parameters_and_solves_the_equation():
    orbit = group_orbit(SIX, PARAMETERS, sp.exp(k * x + k**2 * t))
    assert len(orbit.parameters) == len(orbit.generators) == 3
    assert orbit.solution.free_symbols - {x, t, k} == set(orbit.parameters)
    assert solution_defect({u: orbit.solution}, HEAT) < 1e-45
    assert solution_defect({u: orbit.solution * sp.exp(PARAMETERS[0] * x * t)}, HEAT) > 1e-6


def test_the_parameters_of_an_orbit_are_effective():
    """The derivatives by the parameters at 0 are independent functions: −Q of the generators kept."""
    seed = sp.exp(-t) * sp.sin(x) + x
    orbit = group_orbit(SIX, PARAMETERS, seed)
    zero = dict.fromkeys(orbit.parameters, 0)
    tangents = [orbit.solution.diff(a).subs(zero) for a in orbit.parameters]
    for tangent, generator in zip(tangents, orbit.generators, strict=True):
        assert sp.simplify(tangent - generator.characteristic()[u].subs(u, seed).doit()) == 0
    points = [(sp.Rational(n, 7), sp.Rational(n * n + 1, 11)) for n in range(1, 9)]
    matrix = np.array([[float(g.subs({x: p, t: q})) for g in tangents] for p, q in points])
    assert np.linalg.svd(matrix, compute_uv=False)[-1] > 1e-3
    assert len(orbit.isotropy) + len(orbit.parameters) == 6


def test_validity_of_a_product():
    projective, shift = SIX[3], SIX[4]
    a, b = PARAMETERS[:2]
    orbit = group_orbit([shift, projective], [a, b], sp.exp(-t) * sp.sin(x))
    assert orbit.condition == (b * (t - a) + 1 > 0) or sp.expand(orbit.condition.lhs - b * (t - a) - 1) == 0
    assert solution_defect({u: orbit.solution}, HEAT) < 1e-45


def test_a_system_and_a_seed_with_symmetry():
    system = SYSTEMS["nls_1d_cubic"]
    v, w = system.fields
    wave = {v: sp.cos(t), w: -sp.sin(t)}
    orbit = group_orbit(system.generators, sp.symbols("c1:6", real=True), wave)
    assert len(orbit.isotropy) == 2  # translation in x; time against phase
    assert len(orbit.parameters) == 3
    assert solution_defect(dict(orbit.solution), system.equations) < 1e-40


def test_bad_input():
    with pytest.raises(ProblemError, match="one group parameter"):
        group_orbit(SIX, PARAMETERS[:2], x)
    with pytest.raises(ProblemError, match="undefined functions"):
        isotropy_algebra(SIX, sp.Function("f")(x, t))
    with pytest.raises(SolverError, match="by themselves"):
        group_orbit([Generator((x, t), (u,), {x: u})], [1], x**2)
