"""Sparse sums: pursuit, the exact Jacobian of variable projection, term budgets that are kept and honest."""

import warnings

import numpy as np
import pytest
import sympy as sp

from sciml import IBVP, Dirichlet, Interval, coordinates, field
from sciml.classification import linear_form
from sciml.errors import SolverError, SolverWarning
from sciml.problems import fokker_planck, heat
from solvers.lie import LieSolver
from solvers.lie.dictionaries import densities, dictionary_of
from solvers.lie.placement import place_rows, unit_scale
from solvers.lie.rows import ConditionRows
from solvers.lie.sparse.fit import SparseProblem, State
from solvers.lie.sparse.projection import project, projected_jacobian
from solvers.lie.sparse.pursuit import pursue
from solvers.lie.sparse.seeds import templates_of
from solvers.lie.statement import Statement

x, t = coordinates("x t")
u = field("u", x, t)


def sparse_problem(problem: IBVP) -> SparseProblem:
    forms = [linear_form(problem.substitute(e), problem.fields, problem.coordinates) for e in problem.equations]
    statement = Statement(problem, forms)
    dictionary = dictionary_of(statement)
    density = densities(dictionary, 24)[0]
    rows = ConditionRows(problem, place_rows(problem, density), unit_scale(problem))
    return SparseProblem(rows, rows.target(), dictionary.build(24), templates_of(statement))


def test_pursuit_is_orthogonal_and_leaves_dependent_columns_alone() -> None:
    generator = np.random.default_rng(1)
    pool = generator.normal(size=(60, 200))
    pool[:, 7] = pool[:, 3] + pool[:, 5]  # what plain matching pursuit would take first
    target = 2 * pool[:, 3] + 3 * pool[:, 5] - pool[:, 11]
    chosen = pursue(pool, target, 12)
    left = target - pool[:, chosen] @ np.linalg.lstsq(pool[:, chosen], target, rcond=None)[0]
    assert np.linalg.norm(left) < 1e-10 * np.linalg.norm(target)
    assert len(chosen) <= 8
    copies = np.column_stack([pool[:, :1]] * 5 + [pool[:, 1:2]])
    assert len(pursue(copies, pool[:, 0] + pool[:, 1] + pool[:, 2], 6)) == 2


@pytest.mark.parametrize("exact", [True, False])
def test_the_jacobian_of_variable_projection_agrees_with_differences(exact) -> None:
    """Parameters of three kinds of atoms; Kaufman's form differs only by a term along the columns in use."""
    problem = sparse_problem(heat.polynomial().problem)
    moving = {0: np.array([[0.31, -3.0]]), 1: np.array([[0.62, -2.4], [0.2, -5.0]]), 2: np.array([[1.9, 0.3]])}
    state = State(np.array([0, 5]), moving)
    at = project(problem.matrix(state), problem.target)
    jacobian = problem.jacobian(state, at)
    theta, step = state.parameters, 1e-5
    for k in range(len(theta)):
        ends = [project(problem.matrix(state.at(theta + s * step * np.eye(len(theta))[k])), problem.target).residual
                for s in (-1, 1)]  # fmt: skip
        difference = (ends[1] - ends[0]) / (2 * step)
        mine = jacobian[:, k]
        if not exact:
            kept = difference - at.basis @ (at.basis.T @ difference)
            mine, difference = mine - at.basis @ (at.basis.T @ mine), kept
        assert np.abs(mine - difference).max() < 1e-5 * np.abs(difference).max()


def test_kaufman_leaves_out_the_part_inside_the_columns() -> None:
    generator = np.random.default_rng(0)
    matrix, target, slopes = (generator.normal(size=s) for s in ((20, 4), (20,), (20, 4)))
    at = project(matrix, target)
    full, short = (projected_jacobian(at, slopes, np.arange(4), exact) for exact in (True, False))
    assert np.abs(at.basis.T @ short).max() < 1e-12
    assert np.abs(at.basis.T @ full).max() > 1e-3
    assert np.allclose(full.T @ at.residual, short.T @ at.residual)  # the gradient is the same


def test_the_heat_step_with_thirty_terms_is_honest() -> None:
    case = heat.step()
    with pytest.warns(SolverWarning, match="not reached"):
        lie = LieSolver(tol=1e-6, max_terms=30).solve(case.problem)
    assert len(lie.terms) <= 30
    assert "sparse" in lie.status
    assert lie.error(case.reference).relative_l2["u"] < 1e-3
    assert all(term.generators for term in lie.terms)
    # the stated mismatch is met at the start on points of its own, where it is largest
    places = np.column_stack([np.linspace(0, 1, 4001), np.zeros(4001)])
    data = sp.lambdify(x, case.problem.initial[case.problem.fields[0]], "numpy")(places[:, 0])
    mismatch = np.abs(lie.evaluate(places)[:, 0] - data).max()
    assert mismatch < 3 * lie.history["reached"]
    assert np.abs(lie.residual([[0.3, 0.05], [0.52, 0.01], [0.9, 0.1]])).max() < 1e-6


def test_one_moved_kernel_is_found_where_only_the_map_knows_it() -> None:
    """Ornstein–Uhlenbeck: the answer is one fundamental solution, moved by flows that depend on exp(t)."""
    lie = LieSolver(tol=1e-6, max_terms=3).solve(fokker_planck.ornstein_uhlenbeck().problem)
    assert [term.name for term in lie.terms] == ["moved kernel"]
    assert float(lie(x=0.5, t=0.5)) == pytest.approx(0.530829647055097, rel=1e-5)


def test_a_budget_that_suffices_changes_nothing_and_one_of_zero_is_refused() -> None:
    case = heat.sine_mix()
    few, all_terms = LieSolver(max_terms=3).solve(case.problem), LieSolver().solve(case.problem)
    assert np.array_equal(few.evaluate([[0.3, 0.05]]), all_terms.evaluate([[0.3, 0.05]]))
    with pytest.raises(SolverError, match="max_terms"):
        LieSolver(max_terms=0)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_terms() -> None:
    problem = IBVP(
        u.diff(t) - u.diff(x, 2) + 2 * u.diff(x),
        Interval(x, 0, 1),
        (t, 0, sp.Rational(1, 5)),
        {u: x * (1 - x) ** 2},
        [Dirichlet(u, 0)],
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SolverWarning)
        one, two = (LieSolver(tol=1e-4, max_terms=6, seed=3).solve(problem) for _ in range(2))
    assert np.array_equal(one.amplitudes, two.amplitudes)
    assert len(one.terms) <= 6
    whole = LieSolver().solve(problem)
    places = np.random.default_rng(0).uniform([0, 0], [1, 0.2], (200, 2))
    gap = np.abs(one.evaluate(places) - whole.evaluate(places)).max()
    assert gap < 3 * one.history["reached"] * 4 / 27  # the largest of the data is 4/27
