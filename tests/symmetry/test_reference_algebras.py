"""Every system of the reference file: dimension, certificate, span, families."""

import itertools

import pytest
import sympy as sp
from sympy.core.function import AppliedUndef

from benchmarks.symmetry_systems import ReferenceSystem, reference_systems
from solvers import point_symmetries
from solvers.symmetry.algebra import SymmetryAlgebra
from solvers.symmetry.generator import Generator
from solvers.symmetry.structure import expand_in
from solvers.symmetry.verification import Verifier

SYSTEMS = {system.name: system for system in reference_systems()}
HEAVY = {"euler_2d_incompressible", "navier_stokes_2d", "maxwell_vacuum_3d"}
SAMPLES = {"laplace_2d": (0, 1), "liouville_elliptic_2d": (0, 1), "burgers_potential": (6,)}


def cases() -> list:
    """The heavy ones are slow."""
    return [pytest.param(n, marks=pytest.mark.slow) if n in HEAVY else n for n in SYSTEMS]


def arbitrary(generator: Generator, system: ReferenceSystem) -> set:
    """The arbitrary functions in a generator."""
    return set().union(*(c.atoms(AppliedUndef) for c in generator.components)) - set(system.fields)


def derive(system: ReferenceSystem) -> SymmetryAlgebra:
    return point_symmetries(system.equations, system.fields)


def finite_generators(system: ReferenceSystem) -> list[Generator]:
    samples = SAMPLES.get(system.name, ())
    return [g for k, g in enumerate(system.generators) if k not in samples and not arbitrary(g, system)]


@pytest.mark.parametrize("name", cases())
def test_algebra_agrees_by_span(name):
    system = SYSTEMS[name]
    algebra = derive(system)
    assert algebra.infinite == system.infinite
    assert algebra.dimension == system.dimension
    if system.dimension is None:
        assert not algebra.certified
        assert algebra.reason
        return
    assert algebra.certified, algebra.reason
    assert len(algebra.generators) == system.dimension
    expected = finite_generators(system)
    if system.linear or not system.infinite or name in SAMPLES:
        assert all(coordinates is not None for coordinates in expand_in(algebra.generators, expected))
        assert all(coordinates is not None for coordinates in expand_in(expected, algebra.generators))
    for m, dimension in system.jet_dimensions.items():
        if m < len(algebra.certificate.jet_dimensions):
            assert algebra.certificate.jet_dimensions[m] == dimension
    if algebra.certificate.family_dimensions[-1]:
        rest = [
            d - f
            for d, f in zip(algebra.certificate.jet_dimensions, algebra.certificate.family_dimensions, strict=True)
        ]
        assert set(rest[-3:]) == {system.dimension}


def specialised(generator: Generator, system: ReferenceSystem, bodies: dict) -> Generator:
    """Arbitrary functions replaced by given polynomials of their argument."""
    coefficients = {}
    for z, c in generator.coefficients.items():
        for f in sorted(arbitrary(generator, system), key=str):
            s = sp.Dummy()
            c = c.replace(f.func, sp.Lambda(s, bodies[f.func].subs(sp.Symbol("s"), s)))
        coefficients[z] = c.doit()
    return Generator(generator.independent, generator.dependent, coefficients)


@pytest.mark.parametrize(
    "name",
    ["liouville", "kadomtsev_petviashvili", "prandtl_boundary_layer_stat", "wave_1d_charact",
     *(pytest.param(n, marks=pytest.mark.slow) for n in ("euler_2d_incompressible", "navier_stokes_2d"))],
)  # fmt: skip
def test_families_agree_by_span(name):
    """Families agree: with monomials as functions both sides span the same fields (and the finite part)."""
    system = SYSTEMS[name]
    algebra = derive(system)
    s = sp.Symbol("s")
    monomials = [s**k for k in range(5)]

    def instances(generator):
        functions = sorted({f.func for f in arbitrary(generator, system)}, key=str)
        return [specialised(generator, system, dict.fromkeys(functions, body)) for body in monomials]

    free = [f.generator for f in algebra.families if not f.constraints]
    ours = list(itertools.chain(algebra.generators, *(instances(g) for g in free)))
    theirs = [g for g in system.generators if not arbitrary(g, system)]
    theirs += itertools.chain(*(instances(g) for g in system.generators if arbitrary(g, system)))
    basis = []
    for g in ours:
        if not basis or expand_in(basis, [g])[0] is None:
            basis.append(g)
    assert len(basis) == algebra.dimension + 5 * len(free)
    assert all(coordinates is not None for coordinates in expand_in(basis, theirs))
    assert len(theirs) == len(basis)


@pytest.mark.parametrize("name", cases())
def test_perturbed_generators_are_rejected(name):
    """Negative control: one coefficient of one generator is changed."""
    system = SYSTEMS[name]
    verifier = Verifier(system.equations, system.fields, system.coordinates)
    generator = max(system.generators, key=lambda g: len(g.coefficients))
    assert verifier.check(generator)
    variable = max(generator.coefficients, key=lambda z: sp.count_ops(generator[z]))
    wrong = {
        **generator.coefficients,
        variable: generator[variable] + system.fields[0] ** 2 * system.coordinates[0] ** 3,
    }
    if name != "inviscid_burgers":
        assert not verifier.check(Generator(system.coordinates, system.fields, wrong))


def test_closed_under_commutators():
    """[X_i, X_j] lies in the span for every finite algebra of the file that is not heavy."""
    for name, system in SYSTEMS.items():
        if name in HEAVY or system.dimension is None:
            continue
        algebra = derive(system)
        constants = algebra.structure_constants()
        r = algebra.dimension
        for i, j, k, n in itertools.islice(itertools.product(range(r), repeat=4), 400):
            jacobi = sum(
                constants[i, j, m] * constants[m, k, n]
                + constants[j, k, m] * constants[m, i, n]
                + constants[k, i, m] * constants[m, j, n]
                for m in range(r)
            )
            assert sp.expand(jacobi) == 0, name
