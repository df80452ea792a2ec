"""The dimension count: the full stop rule, false plateaus, growth, agreement of points."""

import itertools
import random

import pytest
import sympy as sp

from sciml import coordinates, field
from solvers.symmetry.clock import Clock
from solvers.symmetry.counting import Counter, Prolonged, finite_stop, stable_growth
from solvers.symmetry.derivation import Derivation
from solvers.symmetry.echelon import Echelon, null_space
from solvers.symmetry.equations import read_equations

x, t = coordinates("x t")
u = field("u", x, t)
k = sp.Symbol("k", positive=True)
RADIAL = u.diff(t) - u.diff(x, 2) - 2 * k / x * u.diff(x)
FISHER = u.diff(t) - u.diff(x, 2) - u + u**2


def determined(equation):
    derivation = Derivation(read_equations(equation), Clock())
    derivation.determine()
    return derivation.system


def history(equation, highest=9):
    """D_m(N) of the system as it stands, without the vanishing derivatives that the counter adds."""
    prolonged = Prolonged(determined(equation), random.Random(0), Clock())
    result = []
    for order in range(highest):
        prolonged.extend(order)
        result.append(prolonged.dimensions())
    return result


@pytest.mark.parametrize(("equation", "false", "true"), [(RADIAL, 6, 4), (FISHER, 3, 2)])
def test_weak_rule_stops_at_a_false_plateau(equation, false, true):
    """D_m(N) = D_{m+1}(N) alone is wrong; with D_{m+1}(N+1) it is right."""
    dimensions = history(equation)
    weak = [row[m] for row in dimensions[1:] for m in range(len(row) - 1) if row[m] == row[m + 1]]
    assert weak[0] == false
    pairs = itertools.pairwise(dimensions[1:])
    strong = [before[m] for before, after in pairs if (m := finite_stop(before, after)) is not None]
    assert strong[0] == true


@pytest.mark.parametrize(("equation", "dimension"), [(RADIAL, 4), (FISHER, 2)])
def test_counter_is_not_deceived(equation, dimension):
    for seed in range(5):
        count = Counter(determined(equation), random.Random(seed), Clock()).count()
        assert count.dimension == dimension
        assert len(set(count.primes)) == 2


def test_stop_rule_waits_for_equations_of_high_order():
    """A condition of order five is not yet in the rows of order two."""
    assert finite_stop([3, 3, 3], [3, 3, 3, 3]) == 0
    assert finite_stop([3, 3, 3], [3, 3, 3, 3], highest=5) is None
    assert finite_stop([2, 3, 3], [2, 3, 3, 3]) == 1
    assert finite_stop([3, 3], [2, 2, 2]) is None


def test_growth_must_be_steady():
    steady = [3, 5, 7, 9, 11]
    assert stable_growth([[*steady, 20], [*steady, 20, 30], [*steady, 13, 30, 40]]) == 4
    assert stable_growth([[*steady, 20], [*steady[:3], 10, 12, 20, 30], [*steady, 13, 30, 40]]) is None
    assert stable_growth([[3, 3, 3, 3, 3, 9]] * 3) is None


def test_elimination_finds_ranks_and_null_vectors():
    prime = 2**61 - 1
    source = random.Random(1)
    rows = [{j: source.randrange(1, prime) for j in range(6)} for _ in range(3)]
    rows.append({j: (rows[0][j] + 5 * rows[1][j]) % prime for j in range(6)})
    kernel = null_space(rows, range(6), prime)
    assert len(kernel) == 3
    for vector in kernel:
        assert all(sum(row[j] * v for j, v in vector.items()) % prime == 0 for row in rows)
    echelon = Echelon(prime)
    assert [echelon.insert(dict(row)) is not None for row in rows] == [True, True, True, False]


def test_determinant_of_the_elimination():
    prime = 10**9 + 7
    rows = [[2, 3, 5], [7, 11, 13], [17, 19, 29]]
    echelon = Echelon(prime)
    for row in rows:
        echelon.insert(dict(enumerate(row)))
    assert echelon.determinant in {int(sp.Matrix(rows).det()) % prime, -int(sp.Matrix(rows).det()) % prime}
