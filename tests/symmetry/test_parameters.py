"""Special values of a parameter (Ovsiannikov's classification of nonlinear diffusion, and others)."""

import pytest
import sympy as sp

from sciml import coordinates, field
from sciml.errors import ProblemError
from solvers import point_symmetries
from solvers.symmetry.parameters import special_parameters

x, t = coordinates("x t")
u, r, p = (field(name, x, t) for name in "urp")
n, g = sp.Symbol("n", real=True), sp.Symbol("gamma", positive=True)


def sizes(found):
    return {value: (a.dimension, a.infinite) for value, a in found.special.items()}


@pytest.mark.parametrize(
    ("equation", "generic", "special"),
    [
        (u.diff(t) - (u**n * u.diff(x)).diff(x), 4, {0: (6, True), sp.Rational(-4, 3): (5, False)}),
        (u.diff(t) - u.diff(x, 2) - n / x * u.diff(x), 4, {0: (6, True), 2: (6, True)}),
        (u.diff(t) - u.diff(x, 2) - (n**2 - 2) / x**2 * u, 4, {-sp.sqrt(2): (6, True), sp.sqrt(2): (6, True)}),
        (u.diff(t) + u**n * u.diff(x) + u.diff(x, 3), 3, {0: (4, True), 1: (4, False)}),
        (u.diff(t, 2) - (u**n * u.diff(x)).diff(x), 4, {0: (1, True), sp.Rational(-4, 3): (5, False), -4: (5, False)}),
    ],
)
def test_special_values(equation, generic, special):
    found = special_parameters(equation, n)
    assert found.generic.dimension == generic
    assert sizes(found) == special
    assert found.complete
    assert all(algebra.certified for algebra in found.special.values())


def test_gas_dynamics():
    system = [r * (u.diff(t) + u * u.diff(x)) + p.diff(x), r.diff(t) + (r * u).diff(x), p.diff(t) + u * p.diff(x)
              + g * p * u.diff(x)]  # fmt: skip
    found = special_parameters(system, g)
    assert found.generic.dimension == 6
    assert sizes(found) == {3: (7, False)}


def test_budget_and_unknown_parameter():
    found = special_parameters(u.diff(t) - (u**n * u.diff(x)).diff(x), n, seconds=0.05)
    assert not found.complete
    assert "spent" in found.reason
    with pytest.raises(ProblemError, match="a parameter of the equations"):
        special_parameters(u.diff(t) - u.diff(x, 2), n)


@pytest.mark.parametrize("size", [sp.Integer(10) ** 12, sp.Rational(7, 10**15)])
def test_numbers_too_large_for_one_prime(size) -> None:
    """The projective symmetry of the heat equation carries the diffusivity; its entries exceed what a prime tells."""
    algebra = point_symmetries(u.diff(t) - size * u.diff(x, 2), u, seconds=10)
    assert (algebra.dimension, algebra.certified) == (6, True)
    (found,) = (g for g in algebra.generators if g.coefficients.get(x, 0) != 0 and not g.coefficients.get(t, 0)
                and sp.sympify(g.coefficients[x]).has(t))  # fmt: skip
    assert sp.simplify(found.coefficients[x] / found.coefficients[u] + 2 * size * t / (u * x)) == 0
