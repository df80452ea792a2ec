"""The action on solutions: published formulas, validity, both checks, implicit solutions, bad input."""

import numpy as np
import pytest
import sympy as sp

from benchmarks.symmetry_systems import reference_systems
from sciml.errors import PointsError, ProblemError, SolverError
from sciml.symbols import coordinates, field
from solvers.symmetry.generator import Generator
from solvers.symmetry.implicit import ImplicitSolution
from solvers.symmetry.transform import one_parameter_group
from solvers.symmetry.transform_check import solution_defect, transform_defect, verify_transform

x, t = coordinates("x t")
u = field("u", x, t)
eps = sp.Symbol("eps", real=True)
f = sp.Function("f", real=True)
HEAT = u.diff(t) - u.diff(x, 2)
BURGERS = sp.Eq(u.diff(t) + u * u.diff(x), u.diff(x, 2))
SYSTEMS = {system.name: system for system in reference_systems()}


def generator(**parts) -> Generator:
    return Generator((x, t), (u,), {{"x": x, "t": t, "u": u}[name]: c for name, c in parts.items()})


PROJECTIVE = generator(x=4 * t * x, t=4 * t**2, u=-(x**2 + 2 * t) * u)
HEAT_FLOWS = [
    (generator(x=1), f(x - eps, t)),
    (generator(t=1), f(x, t - eps)),
    (generator(u=u), sp.exp(eps) * f(x, t)),
    (generator(x=x, t=2 * t), f(sp.exp(-eps) * x, sp.exp(-2 * eps) * t)),
    (generator(x=2 * t, u=-x * u), sp.exp(-eps * x + eps**2 * t) * f(x - 2 * eps * t, t)),
    (
        PROJECTIVE,
        sp.exp(-eps * x**2 / (1 + 4 * eps * t))
        / sp.sqrt(1 + 4 * eps * t)
        * f(x / (1 + 4 * eps * t), t / (1 + 4 * eps * t)),
    ),
    (generator(u=sp.exp(t) * sp.cosh(x)), f(x, t) + eps * sp.exp(t) * sp.cosh(x)),
]


@pytest.mark.parametrize(("symmetry", "expected"), HEAT_FLOWS)
def test_heat_solutions_move_as_published(symmetry, expected):
    """Olver 1993, example 2.41: the six flows and superposition on an arbitrary solution."""
    moved = symmetry.transform(f(x, t), eps)
    assert sp.simplify(sp.expand(moved - expected)) == 0
    assert verify_transform(symmetry, HEAT)


def test_a_mapping_gives_a_mapping_and_zero_the_identity():
    assert generator(u=u).transform({u: x}, eps) == {u: x * sp.exp(eps)}
    assert PROJECTIVE.transform(sp.exp(-t) * sp.sin(x), 0) == sp.exp(-t) * sp.sin(x)
    assert generator(x=1).transform(sp.Derivative(f(x, t), x), eps).doit().free_symbols == {x, t, eps}


@pytest.mark.parametrize("number", [sp.Rational(1, 5), -0.125, eps])
def test_a_transformed_solution_solves_the_equation(number):
    seed = sp.exp(-t) * sp.sin(x)
    moved = PROJECTIVE.transform(seed, number)
    assert solution_defect({u: moved}, HEAT) < 1e-45
    assert solution_defect({u: moved + eps * x**4}, HEAT) > 1e-6


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow) if n == "maxwell_vacuum_3d" else n for n in SYSTEMS]
)
def test_every_closed_flow_maps_every_solution_to_a_solution(name):
    system = SYSTEMS[name]
    for symmetry in system.generators:
        group = one_parameter_group(symmetry.independent, symmetry.dependent, symmetry.components)
        if group.formulas is not None:
            assert verify_transform(symmetry, system.equations), symmetry


@pytest.mark.parametrize("name", ["heat_1d", "burgers", "nls_1d_cubic", "navier_stokes_2d", "shallow_water_2d"])
def test_a_perturbed_generator_fails(name):
    system = SYSTEMS[name]
    space, unknown = system.coordinates[0], system.fields[0]
    tested = 0
    for symmetry in system.generators[:4]:
        changed = symmetry + Generator(symmetry.independent, symmetry.dependent, {unknown: space**2 / 3})
        if one_parameter_group(changed.independent, changed.dependent, changed.components).formulas is not None:
            assert not verify_transform(changed, system.equations)
            tested += 1
    assert tested >= 2


def test_rotations_of_the_graph_of_a_minimal_surface():
    system = SYSTEMS["cauchy_minimal_surface"]
    moving = [g for g in system.generators if not g.is_projectable]
    assert len(moving) == 2
    assert all(transform_defect(g, system.equations, sp.Rational(1, 6)) < 1e-40 for g in moving)
    scherk = {system.fields[0]: sp.log(sp.cos(system.coordinates[0]) / sp.cos(system.coordinates[1]))}
    assert verify_transform(moving[0], system.equations, sp.Rational(1, 6), scherk)
    with pytest.raises(ProblemError, match="solution of the equations"):
        verify_transform(moving[0], system.equations, sp.Rational(1, 6), {system.fields[0]: x**2})


def test_validity_of_the_heat_flow_and_of_its_action():
    assert PROJECTIVE.validity(eps) == (1 - 4 * eps * t > 0)
    assert PROJECTIVE.validity(eps, f(x, t)) == (1 + 4 * eps * t > 0)
    assert generator(x=1, t=1).validity(eps) == sp.true
    assert generator(u=u**2).validity(eps, f(x, t)) == (1 - eps * f(x, t) > 0)
    assert generator(x=t * x, t=t**2, u=x - t * u).validity(sp.Rational(1, 2), 0).subs(t, -3) == sp.false


def test_validity_counts_both_zeros_of_a_lorentzian_denominator():
    """1 − 2εx + ε²(x² − t²) is positive again behind its second zero."""
    special = generator(x=x**2 + t**2, t=2 * x * t)
    condition = special.validity(eps)
    assert condition.subs({x: 2, t: 1, eps: sp.Rational(1, 4)}) == sp.true
    assert condition.subs({x: 2, t: 1, eps: sp.Rational(1, 2)}) == sp.false
    assert condition.subs({x: 2, t: 1, eps: 3}) == sp.false


def test_validity_counts_both_zeros_of_an_irreducible_denominator():
    """1 − 2εt + ε²(t² − x² − y²) vanishes at ε = 1/(t ± r)."""
    y = coordinates("y")
    w = field("w", x, y, t)
    special = Generator((x, y, t), (w,), {x: 2 * t * x, y: 2 * t * y, t: t**2 + x**2 + y**2})
    condition = special.validity(eps)
    values = {
        number: condition.subs({x: 1, y: 0, t: 2, eps: number}) for number in (sp.Rational(1, 4), sp.S.Half, 3, -5)
    }
    assert list(values.values()) == [sp.true, sp.false, sp.false, sp.true]


def test_validity_of_a_compact_flow_ends_at_the_first_pole():
    condition = generator(x=t * x, t=t**2 + 1).validity(eps)
    assert condition.subs({t: 1, eps: sp.pi / 5}) == sp.true
    assert condition.subs({t: 1, eps: sp.pi / 3}) == sp.false
    assert condition.subs({t: 1, eps: sp.Rational(33, 5)}) == sp.false


def test_implicit_solution_of_a_graph_that_moves_sideways():
    """x̃ = x + εu carries the seed −tanh x to the characteristics of u_ε + u u_x = 0."""
    shear = generator(x=u)
    moved = shear.transform(-sp.tanh(x), sp.Rational(3, 4))
    assert isinstance(moved, ImplicitSolution)
    points = np.column_stack([np.linspace(-2, 2, 41), np.zeros(41)])
    values = moved.evaluate(points)
    old = points[:, :1] - 0.75 * values
    np.testing.assert_allclose(values, -np.tanh(old), atol=1e-12)
    equation = moved.equations()[u]
    assert abs(equation.subs({u: values[3, 0], x: points[3, 0], t: 0}).evalf()) < 1e-12
    assert moved.explicit() is None


def test_a_fold_is_not_crossed():
    """tanh moved by ε < 0 breaks at ε = −1; where the sheet of a point has folded there is no value."""
    moved = generator(x=u).transform(sp.sin(sp.pi * x), -1)
    points = np.column_stack([np.linspace(-0.9, 0.9, 37), np.zeros(37)])
    values = moved.evaluate(points)
    good = np.isfinite(values[:, 0])
    assert 0 < good.sum() < 37
    np.testing.assert_allclose(values[good, 0], np.sin(np.pi * (points[good, 0] + values[good, 0])), atol=1e-10)


def test_linear_implicit_solutions_become_explicit():
    moved = generator(x=u).transform(x / (1 + t), eps)
    assert sp.cancel(moved.explicit() - x / (1 + t + eps)) == 0


@pytest.mark.parametrize(
    ("bad", "message"), [({}, "one expression"), ({t: x}, "one expression"), ("x +* t", "SymPy expression")]
)
def test_bad_seeds(bad, message):
    with pytest.raises(ProblemError, match=message):
        generator(x=1).transform(bad, eps)


def test_a_system_needs_a_mapping():
    v = field("v", x, t)
    rotation = Generator((x, t), (u, v), {u: v, v: -u})
    with pytest.raises(ProblemError, match="mapping"):
        rotation.transform(x, eps)
    assert rotation.transform({u: x, v: t}, sp.pi / 2) == {u: t, v: -x}
    moved = generator(x=u).transform(x, sp.Symbol("a"))
    with pytest.raises(SolverError, match="numbers"):
        moved.evaluate([[0.0, 0.0]])
    with pytest.raises(PointsError):
        generator(x=u).transform(x, 1).evaluate([[0.0]])
