"""Contract of the library: every reference satisfies its equations and conditions, and has the known values."""

import warnings
from decimal import Decimal

import numpy as np
import pytest
import sympy as sp
import torch

from sciml import ExactSolution, ProblemWarning, ResidualSystem, sample
from sciml.problems import library

LIBRARY = library()
WARNS = {"wave.gauss": r"jump of 3.73e-06", "wave.gauss_mix": r"jump of 7.88e-08"}
WITHOUT_REFERENCE = {"cavity.lid", "cylinder.dfg_steady", "laplace.l_shape", "step.backward_facing"}


class ReferenceEngine:
    """Derivative engine that asks a solution instead of a network."""

    def __init__(self, solution):
        self.solution = solution

    def jets(self, model, points, needed, parameters=True):
        return torch.tensor(self.solution.jets(points.numpy(), needed))


def largest_rows(problem, solution, seed=7):
    """Largest modulus of the rows of each term at random points."""
    points = sample(problem, interior=80, boundary=40, initial=40, method="uniform", seed=seed)
    rows = ResidualSystem(problem, engine=ReferenceEngine(solution)).rows(None, points)
    return {term.name: float(term.values.abs().max()) for term in rows.terms}


@pytest.fixture(scope="module")
def cases():
    made = {}

    def make(name):
        if name not in made:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ProblemWarning)
                made[name] = LIBRARY[name]()
        return made[name]

    return make


@pytest.mark.parametrize("name", LIBRARY)
def test_builds_with_the_expected_warnings_only(name):
    if name in WARNS:
        with pytest.warns(ProblemWarning, match=WARNS[name]) as caught:
            case = LIBRARY[name]()
        assert all("jump" in str(warning.message) for warning in caught)
    else:
        case = LIBRARY[name]()
    assert case.source
    assert case.problem.name


@pytest.mark.parametrize("name", [name for name in LIBRARY if name not in WITHOUT_REFERENCE])
def test_reference_satisfies_equations_and_conditions(name, cases):
    case = cases(name)
    worst = largest_rows(case.problem, case.reference)
    assert set(worst) == {term.name for term in case.problem.terms}
    assert {term: size for term, size in worst.items() if not size <= case.tolerance} == {}
    assert case.tolerance <= (1e-8 if name == "allen_cahn.cosine" else 1e-10)


@pytest.mark.parametrize("name", [name for name in LIBRARY if name not in WITHOUT_REFERENCE])
def test_known_values(name, cases):
    case = cases(name)
    for point, value in case.values.items():
        given = np.atleast_1d(value)
        last_digit = max(10.0 ** Decimal(repr(float(v))).as_tuple().exponent for v in given)
        gap = np.abs(case.reference.evaluate([point])[0] - given).max()
        assert gap <= last_digit + 2e-14 * np.abs(given).max()


def test_only_statements_lack_a_reference(cases):
    assert {name for name in LIBRARY if cases(name).reference is None} == WITHOUT_REFERENCE
    for name in WITHOUT_REFERENCE:
        assert cases(name).values or cases(name).numbers


def test_names_of_problems_are_unique(cases):
    titles = [cases(name).problem.name for name in LIBRARY]
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize(
    ("name", "factor", "term"),
    [
        ("heat.sine", 1 + 1e-8, "initial u"),
        ("wave.two_modes", 1 + 1e-8, "initial u"),
        ("kdv.soliton", 1 + 1e-8, "pde"),
        ("navier_stokes.kovasznay", 1 + 1e-8, "pde"),
    ],
)
def test_the_contract_rejects_a_slightly_wrong_reference(name, factor, term, cases):
    case = cases(name)
    exact = case.exact if isinstance(case.exact, dict) else {case.problem.fields[0]: case.exact}
    wrong = ExactSolution(case.problem, {known: sp.Float(factor, 17) * value for known, value in exact.items()})
    assert largest_rows(case.problem, wrong)[term] > case.tolerance
