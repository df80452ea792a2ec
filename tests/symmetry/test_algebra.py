"""Structure constants, Levi data, text, LaTeX, JSON."""

import json

import pytest
import sympy as sp

from sciml import coordinates, field
from sciml.errors import CheckpointError, SolverError
from solvers import point_symmetries
from solvers.symmetry.algebra import SymmetryAlgebra
from solvers.symmetry.generator import Generator
from solvers.symmetry.structure import expand_in, levi_data, structure_constants

x, y, t = coordinates("x y t")
u = field("u", x, t)
a = sp.Symbol("a", positive=True)
BURGERS = point_symmetries(u.diff(t) + u * u.diff(x) - u.diff(x, 2))
HEAT = point_symmetries(u.diff(t) - a * u.diff(x, 2))
OU = point_symmetries(u.diff(t) - u.diff(x, 2) - a * (x * u).diff(x))


@pytest.mark.parametrize("algebra", [BURGERS, HEAT, OU])
def test_structure_constants_reproduce_the_brackets(algebra):
    c, table, r = algebra.structure_constants(), algebra.commutators(), algebra.dimension
    for i in range(r):
        for j in range(r):
            expected = sum(
                (algebra.generators[k] * c[i, j, k] for k in range(1, r)), algebra.generators[0] * c[i, j, 0]
            )
            assert all(
                sp.simplify(p - q) == 0 for p, q in zip(expected.components, table[i][j].components, strict=True)
            )


def test_levi_data():
    assert BURGERS.levi().levi_dimension == 3
    assert BURGERS.levi().radical.rows == 2
    assert HEAT.levi().levi_dimension == 3
    assert HEAT.levi().radical.rows == 3
    assert HEAT.levi().centre.rows == 1
    # Ornstein-Uhlenbeck is equivalent to the heat equation: the same data.
    assert OU.levi().derived_series == HEAT.levi().derived_series
    assert OU.levi().levi_dimension == 3
    kdv = point_symmetries(u.diff(t) + u * u.diff(x) + u.diff(x, 3)).levi()
    assert kdv.is_solvable
    assert not kdv.is_nilpotent
    assert kdv.derived_series == (4, 3, 1, 0)


def test_known_algebras():
    def so3(i, j, k):
        return sp.LeviCivita(i, j, k)

    rotations = levi_data(
        sp.ImmutableDenseNDimArray([so3(i, j, k) for i in range(3) for j in range(3) for k in range(3)], (3, 3, 3))
    )
    assert rotations.is_semisimple
    assert rotations.killing_form == -2 * sp.eye(3)
    X, Y, Z = (Generator((x, y), (), c) for c in ({x: 1}, {y: 1}, {y: x}))
    heisenberg = levi_data(structure_constants([X, Y, Z]))
    assert heisenberg.is_nilpotent
    assert not heisenberg.is_abelian
    assert heisenberg.centre == sp.Matrix([[0, 1, 0]])


def test_expansion_refuses_what_is_outside():
    outside = Generator((x, t), (u,), {u: u**2})
    inside = BURGERS.generators[0] * 3 - BURGERS.generators[3]
    assert expand_in(BURGERS.generators, [outside, inside]) == [None, [3, 0, 0, -1, 0]]
    assert not BURGERS.contains(outside)
    with pytest.raises(SolverError, match="closed under"):
        structure_constants([BURGERS.generators[1], BURGERS.generators[2]])
    with pytest.raises(SolverError, match="independent"):
        expand_in([BURGERS.generators[0], BURGERS.generators[0] * 2], [outside])


@pytest.mark.parametrize("algebra", [BURGERS, HEAT, OU, point_symmetries(u.diff(x, t) - sp.exp(u))])
def test_json_round_trip(algebra):
    again = SymmetryAlgebra.from_json(algebra.to_json())
    assert str(again) == str(algebra)
    assert again.generators == algebra.generators
    assert again.families == algebra.families
    assert again.certificate == algebra.certificate
    assert again.notes == algebra.notes


def test_damaged_json_is_refused():
    data = json.loads(BURGERS.to_json())
    for broken in (
        "{}",
        "[]",
        "no json",
        json.dumps({**data, "format": "other"}),
        json.dumps({**data, "fields": [["run", "os"]]}),
    ):
        with pytest.raises(CheckpointError):
            SymmetryAlgebra.from_json(broken)


def test_text_and_latex():
    text = str(BURGERS)
    assert "dimension 5; certified: 5 verified generators = 5 counted" in text
    assert "X5 = (t*x) ∂_x + (t**2) ∂_t - (t*u - x) ∂_u" in text
    assert BURGERS.latex().startswith(r"\begin{aligned}X_{1} &= \partial_{x}")
    assert BURGERS._repr_latex_().startswith("$")
    assert "2*X2" in BURGERS.commutator_table()
    assert "superposition" in str(HEAT)
