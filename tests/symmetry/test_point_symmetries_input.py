"""What the user meets: bad input, budgets, notes, problems."""

import pytest
import sympy as sp

from sciml import IBVP, Dirichlet, Interval, coordinates, field
from sciml.errors import ProblemError, ScimlError
from solvers import point_symmetries

x, y, t = coordinates("x y t")
u, v, w = (field(name, x, t) for name in "uvw")
F = sp.Function("F")


@pytest.mark.parametrize(
    ("problem", "fields", "words"),
    [
        (3, None, "differential equation"),
        ("u_t = u_xx", None, "in SymPy"),
        ([], None, "at least one equation"),
        (sp.Eq(u, u), None, "both sides"),
        (u**2 - x, None, "without derivatives"),
        (u.diff(t) - u.diff(x, 2), [v], "occur in the equations"),
        (u.diff(t) - u.diff(x, 2), [sp.Symbol("u")], "applied functions"),
        (u.diff(t) - v * u.diff(x, 2), None, "name the unknowns"),
        (u.diff(t) - F(u.diff(x)) * u.diff(x, 2), [u], "arbitrary function of derivatives"),
        (u.diff(t) - abs(u) * u.diff(x, 2), [u], "smooth"),
        ([u.diff(x) - 1, u.diff(x) - 2, v.diff(t)], [u, v], "consistent"),
        ([u.diff(x) - t * u, u.diff(t) - u**2], [u], "a relation without derivatives"),
        (u.diff(t) - sp.Symbol("x") * u.diff(x, 2), [u], "one symbol per name"),
        (u.diff(t) - sp.oo * u.diff(x, 2), [u], "finite"),
        (u.diff(t) - u.func(0, t) * u.diff(x, 2), [u], "conditions are separate"),
    ],
)
def test_bad_input_is_refused_with_the_reason(problem, fields, words):
    with pytest.raises(ScimlError, match=words) as caught:
        point_symmetries(problem, fields)
    assert caught.value.fix or caught.value.given


def test_inconsistent_systems_are_named():
    with pytest.raises(ProblemError, match="no solution"):
        point_symmetries([u.diff(x, 2) - t, u.diff(t) - x**3], [u])


def test_first_order_scalar_equation():
    for equation in (u.diff(t) + u * u.diff(x), u.diff(t) ** 2 - u.diff(x) ** 3):
        algebra = point_symmetries(equation)
        assert (algebra.infinite, algebra.dimension, algebra.certified) == (True, None, False)
        assert "first-order" in algebra.reason


def test_floats_are_made_rational_and_said():
    algebra = point_symmetries(u.diff(t) - 0.1 * u.diff(x, 2))
    assert algebra.dimension == 6
    assert any("1/10" in note for note in algebra.notes)
    assert not any(e.has(sp.Float) for e in algebra.equations)


def test_parameters_stay_symbolic_and_are_said():
    a = sp.Symbol("a", positive=True)
    problem = IBVP(
        pde=sp.Eq(u.diff(t), a * u.diff(x, 2)), domain=Interval(x, 0, 1), time=(t, 0, 1),
        initial={u: sp.sin(sp.pi * x)}, boundary=[Dirichlet(u, 0)], parameters={a: sp.Rational(1, 2)},
    )  # fmt: skip
    algebra = point_symmetries(problem)
    assert algebra.dimension == 6
    assert a in set().union(*(c.free_symbols for g in algebra.generators for c in g.components))
    assert any("generic values of a" in note for note in algebra.notes)


def test_names_that_clash_with_sympy():
    names = [field(n, x, t) for n in ("E", "I", "S", "N")]
    e, i, s, n = names
    algebra = point_symmetries(
        [e.diff(t) - i.diff(x), i.diff(t) - e.diff(x) - e, s.diff(t) - n.diff(x), n.diff(t) - s], names
    )
    assert algebra.certified or algebra.reason


def test_arbitrary_functions_do_not_take_names_in_use():
    f, g, h = (field(name, x, y, t) for name in "fgh")
    momentum = [
        f.diff(t) + f * f.diff(x) + g * f.diff(y) + h.diff(x),
        g.diff(t) + f * g.diff(x) + g * g.diff(y) + h.diff(y),
    ]
    algebra = point_symmetries([*momentum, f.diff(x) + g.diff(y)])
    used = {function.func.__name__ for family in algebra.families for function in family.functions}
    assert algebra.certified
    assert not used & {"f", "g", "h"}


@pytest.mark.parametrize("seconds", [0.0, 0.02, 0.1, 0.3])
def test_spent_time_gives_no_certificate(seconds):
    U, V, P = (field(name, x, y, t) for name in ("U", "V", "P"))
    euler = [
        U.diff(t) + U * U.diff(x) + V * U.diff(y) + P.diff(x),
        V.diff(t) + U * V.diff(x) + V * V.diff(y) + P.diff(y),
        U.diff(x) + V.diff(y),
    ]
    algebra = point_symmetries(euler, seconds=seconds)
    assert not algebra.certified
    assert "CPU seconds are spent" in algebra.reason
    assert len(algebra.generators) <= 4


def test_spent_memory_gives_no_certificate():
    algebra = point_symmetries(u.diff(t) - u.diff(x, 2), memory=-1)
    assert not algebra.certified
    assert "memory" in algebra.reason


def test_same_seed_same_result_and_other_seeds_agree():
    equation = u.diff(t) + u * u.diff(x) + u.diff(x, 3)
    texts = {str(point_symmetries(equation, seed=seed)) for seed in (0, 0, 1, 2)}
    assert len(texts) == 1
