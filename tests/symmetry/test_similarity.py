"""Similarity reductions: invariants, reduced equations, solutions; the checks of a reduction can fail."""

from dataclasses import replace

import pytest
import sympy as sp

from sciml import ProblemError, coordinates, field
from solvers import similarity_reductions
from solvers.symmetry.generator import Generator
from solvers.symmetry.linear_odes import linear_solutions
from solvers.symmetry.substitution import residual_size

x, y, t, z = coordinates("x y t z")
u, U, s = field("u", x, t), field("u", x, y, t), field("s", x, y)
a, c, n = sp.symbols("a c n", real=True)
nu = sp.Symbol("nu", positive=True)
heat = u.diff(t) - u.diff(x, 2)
burgers = u.diff(t) + u * u.diff(x) - nu * u.diff(x, 2)
kdv = u.diff(t) + 6 * u * u.diff(x) + u.diff(x, 3)
porous = (u.diff(t) - (u**n * u.diff(x)).diff(x)).doit()


def field_of(**coefficients):
    return Generator((x, t), (u,), {dict(x=x, t=t, u=u)[k]: v for k, v in coefficients.items()})


def plane(**coefficients):
    return Generator((x, y), (s,), {dict(x=x, y=y, s=s)[k]: v for k, v in coefficients.items()})


SOLVED = {
    "heat, weighted scaling": (heat, field_of(x=x, t=2 * t, u=a * u)),
    "heat, Galilei": (heat, field_of(x=2 * t, u=-x * u)),
    "heat, projective": (heat, field_of(x=t * x, t=t**2, u=-(t / 2 + x**2 / 4) * u)),
    "heat, Galilei and time: Airy": (heat, field_of(t=1, x=2 * t, u=-x * u)),
    "heat, elliptic": (heat, field_of(x=x * t, t=1 + t**2, u=-(t / 2 + x**2 / 4) * u)),
    "Burgers, wave": (burgers, field_of(t=1, x=c)),
    "Burgers, scaling: Kummer": (burgers, field_of(x=x, t=2 * t, u=-u)),
    "KdV, soliton": (kdv, field_of(t=1, x=c)),
    "KdV, Galilei": (kdv, field_of(x=6 * t, u=1)),
    "porous medium, Barenblatt": (porous, field_of(x=x, t=(n + 2) * t, u=-u)),
    "Laplace, spiral": (s.diff(x, 2) + s.diff(y, 2), plane(x=y, y=-x, s=a * s)),
    "wave, boost": (s.diff(x, 2) - s.diff(y, 2), plane(x=y, y=x)),
    "Fokker-Planck, unseen": ((u.diff(t) - (x * u).diff(x) - u.diff(x, 2)).doit(), field_of(t=1, u=a * u)),
}


@pytest.mark.parametrize("name", SOLVED)
def test_invariant_solutions(name):
    equation, generator = SOLVED[name]
    (reduction,) = similarity_reductions(equation, generator)
    assert reduction.defect(seed=5) < 1e-25
    assert reduction.solutions
    for solution in reduction.solutions:
        assert residual_size(solution, [equation], seed=11) < 1e-30
        # Invariant: the characteristic vanishes on the solution.
        (known,) = solution
        characteristic = generator.characteristic()[known]
        assert residual_size(solution, [characteristic], seed=12) < 1e-30


def test_heat_scaling_is_the_error_function():
    (reduction,) = similarity_reductions(heat, field_of(x=x, t=2 * t))
    new = reduction.coordinates[0]
    (f,) = reduction.functions
    assert reduction.invariants[new] == x / sp.sqrt(t)
    assert sp.expand(reduction.equations[0].lhs - (f.diff(new, 2) + new * f.diff(new) / 2)) == 0
    assert reduction.solutions[0][u].has(sp.erf)


def test_constants_of_integration_are_independent():
    (reduction,) = similarity_reductions(heat, field_of(x=x, t=2 * t, u=a * u))
    constants = [sp.Symbol(f"C{k}", real=True) for k in (1, 2)]
    columns = [reduction.solutions[0][u].diff(k) for k in constants]
    points = [{x: 0.4, t: 0.7, a: 0.3}, {x: 1.3, t: 0.5, a: 0.3}]
    assert abs(sp.Matrix(2, 2, lambda i, j: sp.N(columns[j].subs(points[i]))).det()) > 1e-3


def test_fields_inside_the_coordinates_give_relations():
    generator = field_of(x=u, t=1)
    equation = u.diff(t) - u.diff(x, 2) / u.diff(x) ** 2
    (reduction,) = similarity_reductions(equation, generator)
    assert not reduction.ansatz
    assert len(reduction.relations) == 1
    assert reduction.verify()


def test_system_in_three_variables():
    u1, v1, p1 = U, field("v", x, y, t), field("p", x, y, t)
    flow = [
        u1.diff(t) + u1 * u1.diff(x) + v1 * u1.diff(y) + p1.diff(x) - nu * (u1.diff(x, 2) + u1.diff(y, 2)),
        v1.diff(t) + u1 * v1.diff(x) + v1 * v1.diff(y) + p1.diff(y) - nu * (v1.diff(x, 2) + v1.diff(y, 2)),
        u1.diff(x) + v1.diff(y),
    ]
    rotation = Generator((x, y, t), (u1, v1, p1), {x: y, y: -x, u1: v1, v1: -u1})
    (reduction,) = similarity_reductions(flow, rotation)
    assert len(reduction.coordinates) == 2
    assert len(reduction.equations) == 3
    radius = sp.sqrt(x**2 + y**2)
    assert radius in reduction.invariants.values()
    # The right branch in every quadrant: the radial velocity is u·x/r + v·y/r, also for negative x.
    radial = reduction.dependent_invariants[reduction.functions[[f.name for f in reduction.functions].index("U")]]
    assert sp.simplify(radial - (x * u1 + y * v1) / radius) == 0


def test_default_reduces_by_every_generator():
    found = similarity_reductions(heat, solve=False)
    assert len(found) >= 5
    assert all(reduction.verify() for reduction in found)


def test_no_invariant_solutions():
    (reduction,) = similarity_reductions(u.diff(t) - u.diff(x, 2) / u.diff(x) ** 2, field_of(x=1))
    assert reduction.equations == () or sp.false in reduction.equations or reduction.solutions == ()


@pytest.mark.parametrize(
    "generator", [field_of(x=x), field_of(x=2 * t, u=x * u), field_of(u=u)], ids=["dilation", "sign", "no coordinate"]
)
def test_bad_generators_are_refused(generator):
    with pytest.raises(ProblemError):
        similarity_reductions(heat, generator)


def test_check_of_reductions_can_fail():
    (reduction,) = similarity_reductions(heat, field_of(x=x, t=2 * t, u=a * u))
    (f,), (new,) = reduction.functions, reduction.coordinates
    wrong = sp.Eq(reduction.equations[0].lhs + f.diff(new) / 7, 0)
    assert not replace(reduction, equations=(wrong,)).verify()
    assert not replace(reduction, invariants={new: x / t}).verify()


def test_check_of_solutions_can_fail():
    assert residual_size({u: sp.erf(x / (2 * sp.sqrt(t)))}, [heat]) < 1e-40
    assert residual_size({u: sp.erf(x / (3 * sp.sqrt(t)))}, [heat]) > 1e-3


@pytest.mark.parametrize(
    "coefficients",
    [[0, z / 2, 1], [-a / 2, z / 2, 1], [z, 0, 1], [z**2 / 4, 0, 1], [1, 2, 1], [z**2 - 1, z, z**2], [a**2, z, z**2],
     [1, 0, 0, 1], [a - z**2, 0, 1], [c - a * z, 0, 1], [a**2 - a, 2 * z - 2 * a * z, z**2 + 1]],
    ids=str,
)  # fmt: skip
def test_linear_equations(coefficients):
    f = field("f", z)
    equation = sum(sp.sympify(k) * (f.diff(z, i) if i else f) for i, k in enumerate(coefficients))
    solutions = linear_solutions(coefficients, z)
    assert len(solutions) == len(coefficients) - 1
    for solution in solutions:
        assert residual_size({f: solution}, [equation]) < 1e-35
