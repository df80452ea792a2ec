"""Deliberately broken set-ups: each is caught by validation, by an error, by the status, or by the diagnosis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy as sp

from influence import diagnose
from sciml import (
    IBVP,
    MLP,
    Condition,
    Dirichlet,
    GeometryError,
    Interval,
    Neumann,
    Observations,
    Periodic,
    ProblemError,
    ProblemWarning,
    Rectangle,
    coordinates,
    field,
)
from sciml.errors import ConvergenceError, SolverError, SolverWarning
from solvers import PINN, FiniteElement, LieSolver
from solvers.pinn import Counts

x, y, t = coordinates("x y t")
u, v, w, s = field("u", x, t), field("v", x, y, t), field("w", x, y), field("s", x)
p, a, b = field("p", x, t), field("a", x, y, t), field("b", x, y, t)
SQUARE = Rectangle((x, 0, 1), (y, 0, 1))
GOOD: dict[str, Any] = {
    "pde": sp.Eq(u.diff(t), u.diff(x, 2) / 10),
    "domain": Interval(x, 0, 1),
    "time": (t, 0, 1),
    "initial": {u: sp.sin(sp.pi * x)},
    "boundary": [Dirichlet(u, 0)],
}
PLANE: dict[str, Any] = {
    "domain": SQUARE,
    "time": (t, 0, 1),
    "initial": {v: 0, v.diff(t): 0},
    "boundary": [Dirichlet(v, 0)],
}

ILL_POSED = {
    "backward heat": {"pde": sp.Eq(u.diff(t), -u.diff(x, 2))},
    "backward in a part": {"pde": sp.Eq(u.diff(t), (x - sp.Rational(1, 2)) * u.diff(x, 2))},
    "elliptic in time": {"pde": sp.Eq(u.diff(t, 2), -u.diff(x, 2)), "initial": {u: 0, u.diff(t): 0}},
    "beam, wrong sign": {
        "pde": sp.Eq(u.diff(t, 2), u.diff(x, 4)),
        "initial": {u: 0, u.diff(t): 0},
        "boundary": [Dirichlet(u, 0), Condition(u.diff(x, 2))],
    },
    "time is not the direction of propagation": {**PLANE, "pde": v.diff(t, 2) + v.diff(x, 2) - v.diff(y, 2)},
    "one equation of a system, wrong sign": {
        "pde": [sp.Eq(u.diff(t), u.diff(x, 2)), sp.Eq(p.diff(t), u - p.diff(x, 2))],
        "initial": {u: 0, p: sp.sin(sp.pi * x)},
        "boundary": [Dirichlet(u, 0), Dirichlet(p, 0)],
    },
    "cross diffusion stronger than diffusion": {
        "pde": [sp.Eq(u.diff(t), u.diff(x, 2) + 3 * p.diff(x, 2)), sp.Eq(p.diff(t), p.diff(x, 2) + 3 * u.diff(x, 2))],
        "initial": {u: 0, p: sp.sin(sp.pi * x)},
        "boundary": [Dirichlet(u, 0), Dirichlet(p, 0)],
    },
    "wave as a system, wrong sign": {
        "pde": [sp.Eq(u.diff(t), p.diff(x)), sp.Eq(p.diff(t), -u.diff(x))],
        "initial": {u: sp.sin(sp.pi * x), p: 0},
    },
    "acoustics in the plane, wrong sign": {
        "pde": [v.diff(t) + a.diff(x) + b.diff(y), a.diff(t) - v.diff(x), b.diff(t) - v.diff(y)],
        "domain": SQUARE,
        "initial": {v: 0, a: 0, b: 0},
        "boundary": [Dirichlet(v, 0)],
    },
    "thin film, wrong sign": {
        "pde": sp.Eq(u.diff(t), u.diff(x, 4)),
        "boundary": [Dirichlet(u, 0), Condition(u.diff(x, 2))],
    },
}
WELL_POSED = {
    "wave with a mixed derivative": {
        "pde": u.diff(t, 2) + 2 * u.diff(x, t) + u.diff(x, 2) / 2,
        "initial": {u: 0, u.diff(t): 0},
    },
    "membrane": {**PLANE, "pde": v.diff(t, 2) - v.diff(x, 2) - 2 * v.diff(y, 2)},
    "beam": {
        "pde": sp.Eq(u.diff(t, 2), -u.diff(x, 4)),
        "initial": {u: 0, u.diff(t): 0},
        "boundary": [Dirichlet(u, 0), Condition(u.diff(x, 2))],
    },
    "wave as a system": {
        "pde": [sp.Eq(u.diff(t), p.diff(x)), sp.Eq(p.diff(t), u.diff(x))],
        "initial": {u: sp.sin(sp.pi * x), p: 0},
    },
    "acoustics in the plane": {
        "pde": [v.diff(t) + a.diff(x) + b.diff(y), a.diff(t) + v.diff(x), b.diff(t) + v.diff(y)],
        "domain": SQUARE,
        "initial": {v: 0, a: 0, b: 0},
        "boundary": [Dirichlet(v, 0)],
    },
    "damped wave": {"pde": u.diff(t, 2) + u.diff(t) - u.diff(x, 2), "initial": {u: 0, u.diff(t): 0}},
}


@pytest.mark.parametrize("name", ILL_POSED)
def test_ill_posed_evolutions_are_said_when_the_problem_is_built(name: str) -> None:
    with pytest.warns(ProblemWarning, match="ill-posed forwards in time"):
        problem = IBVP(**{**GOOD, **ILL_POSED[name]})
    if len(problem.space) == 1:
        with pytest.raises((SolverError, ConvergenceError)):
            LieSolver().solve(problem)


@pytest.mark.parametrize("name", WELL_POSED)
def test_well_posed_evolutions_are_built_in_silence(name: str) -> None:
    assert not IBVP(**{**GOOD, **WELL_POSED[name]}).classification.backward  # warnings are errors here


def test_a_reference_method_does_not_return_numbers_for_an_ill_posed_problem() -> None:
    with pytest.warns(ProblemWarning):
        problem = IBVP(**{**GOOD, **ILL_POSED["backward heat"]})
    with pytest.raises(SolverError, match="ill-posed"):
        FiniteElement().solve(problem)


STATED_WRONGLY = {
    "swapped coordinates of a field": {"pde": field("u", t, x).diff(t) - field("u", t, x).diff(x, 2)},
    "swapped columns of measurements": {
        "domain": Interval(x, 0, 3),
        "initial": {u: 0},
        "observations": [Observations(u, [[0.5, 2.0], [0.3, 1.5]], [1.0, 1.0])],
    },
    "missing condition": {"boundary": [Dirichlet(u, 0, on="left")]},
    "missing velocity": {"pde": u.diff(t, 2) - u.diff(x, 2)},
    "initial values of another coordinate": {"initial": {u: sp.sin(y)}},
    "value that is not finite inside": {"initial": {u: 1 / (x - sp.Rational(1, 2))}},
    "initial values at the end": {"initial": {u.subs(t, 1): sp.sin(sp.pi * x)}},
    "complex coefficient": {"pde": sp.Eq(u.diff(t), sp.I * u.diff(x, 2))},
    "complex values in a part of the domain": {"initial": {u: sp.sqrt(x - sp.Rational(1, 2))}},
    "point source": {"pde": sp.Eq(u.diff(t), u.diff(x, 2) + sp.DiracDelta(x - sp.Rational(1, 2)))},
    "point mass at the start": {"initial": {u: sp.DiracDelta(x - sp.Rational(1, 2))}},
    "coefficient that is not a number": {"pde": sp.Eq(u.diff(t), sp.nan * u.diff(x, 2))},
    "one face with two values": {
        "boundary": [Dirichlet(u, 0, on="left"), Dirichlet(u, 1, on="left"), Dirichlet(u, 0, on="right")]
    },
    "a value on all faces, another on one": {"boundary": [Dirichlet(u, 0), Dirichlet(u, 1, on="left")]},
    "time backwards": {"time": (t, 1, 0)},
    "no time at all": {"time": (t, 0, 0)},
    "the same equation twice": {"pde": [u.diff(t) - u.diff(x, 2)] * 2},
}


@pytest.mark.parametrize("name", STATED_WRONGLY)
def test_wrong_statements_are_errors(name: str) -> None:
    with pytest.raises(ProblemError):
        IBVP(**{**GOOD, **STATED_WRONGLY[name]})


MALFORMED: dict[str, Callable[[], object]] = {
    "no face": lambda: Dirichlet(u, 0, on=[]),
    "NaN among measured values": lambda: Observations(u, [[0.2, 0.5]], [float("nan")]),
    "NaN among places": lambda: Observations(u, [[float("nan"), 0.5]], [1.0]),
    "no measurements": lambda: Observations(u, [], []),
    "words for numbers": lambda: Observations(u, "places", "values"),
    "complex measurements": lambda: Observations(u, [[0.2, 0.5]], [1j]),
    "an array of complex measurements": lambda: Observations(u, [[0.2, 0.5]], np.array([1 + 2j])),
    "ragged places": lambda: Observations(u, [[0.2, 0.5], [0.1]], [1.0, 2.0]),
    "reversed interval": lambda: Interval(x, 1, 0),
    "interval without end": lambda: Interval(x, 0, sp.oo),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_parts_are_errors(name: str) -> None:
    with pytest.raises((ProblemError, GeometryError)) as caught:
        MALFORMED[name]()
    assert caught.value.expected
    assert caught.value.given


def test_periodic_sides_with_data_that_are_not_periodic_are_said() -> None:
    with pytest.warns(ProblemWarning, match="disagree on left"):
        IBVP(**{**GOOD, "initial": {u: x}, "boundary": [Periodic(u)]})


def test_an_incompatible_corner_is_said() -> None:
    with pytest.warns(ProblemWarning, match="jump of 1"):
        IBVP(**{**GOOD, "boundary": [Dirichlet(u, 1, on="left"), Dirichlet(u, 0, on="right")]})


def test_data_without_bound_at_an_end_are_said() -> None:
    with pytest.warns(ProblemWarning, match="not finite at x=0"):
        IBVP(**{**GOOD, "initial": {u: 1 / x - 1}})


def trained(problem: IBVP, **options: Any) -> Any:
    return PINN(MLP(width=10, depth=2), **{"seed": 0, "steps": 120, "progress": False, **options}).solve(problem)


FAILED: dict[str, Callable[[], IBVP]] = {
    "no solution: flux against source": lambda: IBVP(
        sp.Eq(w.diff(x, 2) + w.diff(y, 2), 1), SQUARE, boundary=[Neumann(w, 0)]
    ),
    "resonance": lambda: IBVP(
        sp.Eq(w.diff(x, 2) + w.diff(y, 2) + 2 * sp.pi**2 * w, 1), SQUARE, boundary=[Dirichlet(w, 0)]
    ),
    "blow-up before the end": lambda: IBVP(**{
        **GOOD, "pde": sp.Eq(u.diff(t), u.diff(x, 2) / 10 + 10 * u**2), "initial": {u: 2 * sp.sin(sp.pi * x)}
    }),
}  # fmt: skip


@pytest.mark.parametrize("name", FAILED)
def test_a_training_that_failed_says_so(name: str) -> None:
    solution = trained(FAILED[name]())
    assert "has not halved" in solution.status or "all steps done" in solution.status
    held_out = diagnose(solution)
    assert held_out.findings, str(held_out)


UNRESOLVED: dict[str, Callable[[], IBVP]] = {
    "waves shorter than the elements": lambda: IBVP(
        s.diff(x, 2) + sp.sin(400 * x), Interval(x, 0, 1), boundary=[Dirichlet(s, 0)]
    ),
    "blow-up inside": lambda: IBVP(s.diff(x) - s**2, Interval(x, 0, 1), boundary=[Dirichlet(s, 2, on="left")]),
    "drift that is singular at an end": lambda: IBVP(
        s.diff(x, 2) + s.diff(x) / x**2 + 1, Interval(x, 0, 1), boundary=[Dirichlet(s, 0)]
    ),
}


@pytest.mark.parametrize("name", UNRESOLVED)
def test_finite_elements_that_do_not_solve_the_equation_say_so(name: str) -> None:
    with pytest.warns(SolverWarning, match=r"of its largest term, most of all near x=|drift dominates") as told:
        solution = FiniteElement().solve(UNRESOLVED[name]())
    assert "is missed by" in solution.status
    assert {w.filename for w in told if w.category is SolverWarning} == {__file__}


def test_too_few_points_show_in_the_held_out_residual() -> None:
    problem = IBVP(**GOOD)
    solution = trained(problem, points=Counts(6, 4, 4), resampler=None)
    names = {finding.name for finding in diagnose(solution).findings if finding.level == "fault"}
    assert "overfitting to points" in names or "do not resolve" in solution.status, (names, solution.status)
