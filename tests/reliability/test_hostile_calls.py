"""Calls that a tired or hostile user makes: each is refused by an error of ours that says what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy as sp
import torch

from influence import Influence, InfluenceSampler, RowBlock, diagnose, stream_scores, total_scores
from sciml import (
    IBVP,
    MLP,
    Box,
    Dirichlet,
    Disk,
    Interval,
    Neumann,
    Observations,
    Polygon,
    Rectangle,
    Robin,
    coordinates,
    field,
    load_solution,
    record_of,
    sample,
)
from sciml.errors import ArgumentsError, ProblemWarning, ScimlError, SolverWarning
from solvers import PACMANN, PINN, R3, RAD, RAR, FiniteElement, LieSolver, RandomResample, point_symmetries, study
from solvers.pinn import Counts

x, y, t = coordinates("x y t")
u, w = field("u", x, t), field("w", x, y)
NAN, INF = float("nan"), float("inf")


def heat(**changes: Any) -> IBVP:
    stated = {"pde": sp.Eq(u.diff(t), u.diff(x, 2)), "domain": Interval(x, 0, 1), "time": (t, 0, 1),
              "initial": {u: sp.sin(sp.pi * x)}, "boundary": [Dirichlet(u, 0)]}  # fmt: skip
    return IBVP(**{**stated, **changes})


HEAT = heat()
LAPLACE = IBVP(w.diff(x, 2) + w.diff(y, 2), Rectangle((x, 0, 1), (y, 0, 1)), boundary=[Dirichlet(w, 0)])
MASKED = np.ma.array([[0.5, 0.5], [0.2, 0.5]], mask=[[False, False], [False, True]])
PLACES, FITTED = np.linspace(0, 1, 4)[:, None], torch.tensor([0.5, 0.0], dtype=torch.float64)
LINE = RowBlock("line", PLACES, lambda theta, z: theta[0] + theta[1] * z[0] - 0.5)
NETWORK = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1)).double()


def network(**options: Any) -> PINN:
    return PINN(MLP(width=4, depth=1), steps=2, progress=False, **options)


MISNAMED: dict[str, Callable[[], Any]] = {
    "sides of a box missing": lambda: Box((x, 0, 1)),
    "an interval without ends": lambda: Interval(x),
    "a rectangle as an interval": lambda: Rectangle(x, 0, 1),
    "British spelling": lambda: Disk((x, y), centre=(0, 0)),
    "a polygon without vertices": lambda: Polygon((x, y)),
    "interiors": lambda: sample(HEAT, interiors=3),
    "n for a problem": lambda: sample(HEAT, n=3),
    "interior for a domain": lambda: sample(HEAT.domain, interior=3),
    "too many numbers": lambda: sample(HEAT, 1, 2, 3, "sobol", 0, 7),
    "boundaries": lambda: heat(boundaries=[]),
    "no problem at all": lambda: IBVP(),
    "a condition on nothing": lambda: Dirichlet(),
    "Robin without coefficient": lambda: Robin(u),
    "PINN(lr=)": lambda: PINN(lr=1e-3),
    "LieSolver(tolerance=)": lambda: LieSolver(tolerance=1e-3),
    "FiniteElement(size=)": lambda: FiniteElement(size=1e-3),
    "Influence(damp=)": lambda: Influence(None, damp=1),
    "RAD(k=)": lambda: RAD(k=1),
    "InfluenceSampler(steps=)": lambda: InfluenceSampler(steps=5),
}

REFUSED: dict[str, Callable[[], Any]] = {
    "swapped arguments of an interval": lambda: Interval(0, 1, x),
    "words as ends": lambda: Interval(x, "a", "b"),
    "NaN as an end": lambda: Interval(x, NAN, 1),
    "a field as a coordinate": lambda: Interval(u, 0, 1),
    "negative radius": lambda: Disk((x, y), radius=-1),
    "NaN in a centre": lambda: Disk((x, y), center=(0, NAN)),
    "two corners": lambda: Polygon((x, y), [(0, 0), (1, 0)]),
    "crossing sides": lambda: Polygon((x, y), [(0, 0), (1, 1), (1, 0), (0, 1)]),
    "a corner twice": lambda: Polygon((x, y), [(0, 0), (0, 0), (1, 0), (0, 1)]),
    "negative number of points": lambda: sample(HEAT, interior=-1),
    "half a point": lambda: sample(HEAT, interior=1.5),
    "NaN points": lambda: sample(HEAT, interior=NAN),
    "more points than fit": lambda: sample(HEAT, interior=10**15),
    "unknown method": lambda: sample(HEAT, method="halton"),
    "a word as seed": lambda: sample(HEAT, seed="a"),
    "points of a number": lambda: sample(3),
    "text as an equation": lambda: heat(pde="u_t = u_xx"),
    "no equation": lambda: heat(pde=[]),
    "an inequality": lambda: heat(pde=u.diff(t) < 0),
    "numbers as a domain": lambda: heat(domain=(0, 1)),
    "endless time": lambda: heat(time=(t, 0, INF)),
    "initial values as a list": lambda: heat(initial=[sp.sin(x)]),
    "NaN at the start": lambda: heat(initial={u: NAN}),
    "an array at the start": lambda: heat(initial={u: np.zeros(3)}),
    "swapped condition": lambda: heat(boundary=[Dirichlet(0, u)]),
    "swapped flux": lambda: heat(boundary=[Neumann(0, u)]),
    "infinite wall": lambda: heat(boundary=[Dirichlet(u, INF)]),
    "a number of a face": lambda: heat(boundary=[Dirichlet(u, 0, on=3)]),
    "NaN as a parameter": lambda: heat(parameters={sp.Symbol("k"): NAN}),
    "measurements outside": lambda: heat(observations=[Observations(u, [[5, 0.5]], [1.0])]),
    "a word as noise": lambda: Observations(u, [[0.5, 0.5]], [1.0], sigma="small"),
    "a word as network": lambda: PINN("mlp"),
    "negative seconds": lambda: PINN(seconds=-1),
    "NaN seconds": lambda: PINN(seconds=NAN),
    "endless steps": lambda: PINN(steps=INF),
    "points by number": lambda: network(points=300),
    "negative points": lambda: network(points=Counts(-3, 1, 1)).solve(HEAT),
    "resampler by name": lambda: network(resampler="rad"),
    "resampler as a class": lambda: network(resampler=RAD),
    "optimiser by a wrong name": lambda: network(optimiser="sgd").solve(HEAT),
    "a callback, not a list": lambda: network().solve(HEAT, print),
    "a callback that cannot be called": lambda: LieSolver().solve(HEAT, [3]),
    "resume from a number": lambda: network().solve(HEAT, resume=3),
    "resume from nothing": lambda: network().solve(HEAT, resume="no/such/file"),
    "a network of other inputs": lambda: PINN(torch.nn.Linear(5, 1), steps=1, progress=False).solve(HEAT),
    "units without end": lambda: MLP(width=10**9, depth=3),
    "half a unit": lambda: MLP(width=2.5, depth=1),
    "a word as tolerance": lambda: LieSolver(tol="small"),
    "NaN as tolerance": lambda: LieSolver(tol=NAN),
    "half a term": lambda: LieSolver(max_terms=1.5),
    "a word as mesh size": lambda: FiniteElement(mesh_size="fine"),
    "a mesh without end": lambda: FiniteElement(mesh_size=1e-12).solve(HEAT),
    "steps without end": lambda: FiniteElement(steps=10**12),
    "code as a group parameter": lambda: point_symmetries(HEAT).generators[0].flow("__import__('os')"),
    "code as a solution": lambda: point_symmetries(HEAT).generators[0].transform("__import__('os')", 1),
    "RAD with NaN": lambda: RAD(power=NAN),
    "RAD with a word": lambda: RAD(every="often"),
    "RAR without end": lambda: RAR(power=INF),
    "R3 with NaN": lambda: R3(rate=NAN),
    "half a step": lambda: PACMANN(steps=1.5),
    "half a draw": lambda: RandomResample(every=1.5),
    "a word to the influence sampler": lambda: InfluenceSampler(every="often"),
    "record of nothing": lambda: record_of(HEAT, None, None),
    "influence of nothing": lambda: Influence(None),
    "rows in words": lambda: RowBlock("a", "points", lambda theta, z: theta),
    "diagnosis of a class": lambda: diagnose(PINN),
    "a file that is a number": lambda: load_solution(3),
    "a path with a zero byte": lambda: load_solution("heat\0"),
    "a path without end": lambda: load_solution("a" * 300),
    "a solution of no problem": lambda: load_solution("heat", problem=3),
    "an interval of time beyond double precision": lambda: heat(time=(t, 0, sp.Float("1e-300"))),
    "time counted from far away": lambda: heat(time=(t, 10**16, 10**16 + 1)),
    "a coefficient beyond double precision": lambda: heat(pde=u.diff(t) - sp.Float("1e300") * u.diff(x, 2)),
    "a coefficient whose square is zero": lambda: heat(pde=u.diff(t) - sp.Float("1e-300") * u.diff(x, 2)),
    "data beyond double precision": lambda: heat(boundary=[Dirichlet(u, 10**200)]),
    "masked measurements": lambda: Observations(
        u, [[0.5, 0.5], [0.2, 0.5]], np.ma.array([1.0, 2.0], mask=[False, True])
    ),
    "weights as a list": lambda: PINN(weights=[1, 2]),
    "no limit of the residual": lambda: PINN(tolerance=INF),
    "a seed beyond 64 bits": lambda: PINN(seed=2**70),
    "no optimiser in the list": lambda: PINN(optimiser=[]),
    "optimisers without steps": lambda: PINN(optimiser=["adam", "lm"]),
    "steps in words": lambda: PINN(optimiser=[("adam", "many")]),
    "negative steps of an optimiser": lambda: PINN(optimiser=[("adam", -3)]),
    "refinement of no face": lambda: FiniteElement(refine=0.1),
    "points of another problem": lambda: RAD().resample(HEAT, NETWORK, sample(LAPLACE)),
    "an array of points": lambda: R3().resample(HEAT, NETWORK, [[0.1, 0.1]]),
    "no network to resample for": lambda: RAD().resample(HEAT, None, sample(HEAT)),
    "no network for influence": lambda: InfluenceSampler().resample(HEAT, "network", sample(HEAT)),
    "a record of a network of other inputs": lambda: record_of(HEAT, torch.nn.Linear(5, 1).double(), sample(HEAT)),
    "a study of nothing": lambda: study(None, [1]),
    "a study without values": lambda: study(lambda value: HEAT, None),
    "rows without a function": lambda: RowBlock("a", PLACES, "residual"),
    "parameters in words": lambda: Influence.from_rows("theta", [LINE]),
    "blocks that are none": lambda: Influence.from_rows(FITTED, [3]),
    "regularisation of other parameters": lambda: Influence.from_rows(FITTED, [LINE], regularisation=np.ones(5)),
    "a centre of other parameters": lambda: Influence.from_rows(FITTED, [LINE], reference=np.ones(7)),
    "no module": lambda: Influence.from_module(None, [LINE]),
    "a stream of a solution": lambda: next(stream_scores(SOLUTION, u, [[0.5, 0.5]])),
}


@pytest.mark.parametrize("name", MISNAMED)
def test_misspelt_and_missing_arguments_are_told(name: str) -> None:
    with pytest.raises(ArgumentsError) as caught:
        MISNAMED[name]()
    assert isinstance(caught.value, TypeError)  # what Python itself would raise
    assert "(" in caught.value.expected
    assert "for instance" in caught.value.fix.lower()


def test_the_probable_name_is_offered() -> None:
    with pytest.raises(ArgumentsError, match="did you mean center"):
        Disk((x, y), centre=(0, 0))
    with pytest.raises(ArgumentsError, match="did you mean boundary"):
        heat(boundaries=[])


@pytest.mark.parametrize("name", REFUSED)
def test_bad_values_are_refused(name: str) -> None:
    with pytest.raises(ScimlError) as caught:
        REFUSED[name]()
    assert caught.value.expected


SOLUTION = network().solve(HEAT)
ASKED: dict[str, Callable[[Any], Any]] = {
    "coordinates by position": lambda s: s(0.5, 0.5),
    "NaN": lambda s: s(x=NAN, t=0.5),
    "words": lambda s: s(x="a", t=0.5),
    "outside": lambda s: s(x=5, t=0.5),
    "nothing": lambda s: s.evaluate(None),
    "text": lambda s: s.evaluate("abc"),
    "ragged": lambda s: s.evaluate([[0.1, 0.2], [0.1]]),
    "complex": lambda s: s.evaluate([[0.1j, 0.2]]),
    "masked places": lambda s: s.evaluate(MASKED),
    "one dimension": lambda s: s.evaluate([0.5, 0.5]),
    "a foreign field": lambda s: s.derivative(w, [[0.5, 0.5]]),
    "text as an expression": lambda s: s.derivative("u", [[0.5, 0.5]]),
    "path of a number": lambda s: s.save(3),
    "path of nothing": lambda s: s.save(None),
    "accuracy": lambda s: diagnose(s, accuracy=NAN),
    "accuracy in words": lambda s: diagnose(s, accuracy="high"),
    "negative seed": lambda s: diagnose(s, seed=-1),
    "text as places": lambda s: diagnose(s, at="here"),
    "damping in words": lambda s: Influence(s, damping="strong"),
    "NaN damping": lambda s: Influence(s, damping=NAN),
}


@pytest.mark.parametrize("name", ASKED)
def test_bad_questions_to_a_solution_are_refused(name: str) -> None:
    with pytest.raises(ScimlError):
        ASKED[name](SOLUTION)


AT = [[0.5, 0.5]]
QUESTIONS: dict[str, Callable[[Any], Any]] = {
    "unknown term": lambda i: i.scores("no such term"),
    "outside": lambda i: i.scores(u, at=[[5, 5]]),
    "NaN": lambda i: i.scores(u, at=[[NAN, 0.5]]),
    "text": lambda i: i.scores(u, at="here"),
    "ragged": lambda i: i.scores(u, at=[[0.5, 0.5], [0.5]]),
    "swapped": lambda i: i.scores(AT, u),
    "no places": lambda i: i.scores(u, at=[]),
    "empty group": lambda i: i.group([], u, at=AT),
    "unknown point": lambda i: i.group([10**9], u, at=AT),
    "half a point": lambda i: i.group([1.5], u, at=AT),
    "a mask for ids": lambda i: i.group(np.arange(len(i.ids)) < 2, u, at=AT),
    "a stream in words": lambda i: next(stream_scores(i, u, "here")),
    "half a part": lambda i: next(stream_scores(i, u, AT, 1.5)),
    "masked queries": lambda i: total_scores(i, u, MASKED),
    "no refit": lambda i: i.check(k=0, target=u, at=AT),
    "refits in words": lambda i: i.check(k="all", target=u, at=AT),
    "negative rank": lambda i: i.scores(u, at=AT).top(-1),
    "rank in words": lambda i: i.scores(u, at=AT).top("all"),
}


@pytest.fixture(scope="module")
def influence() -> Influence:
    with pytest.warns(SolverWarning, match="not at a minimum") as told:
        made = Influence(SOLUTION)
    assert {w.filename for w in told if w.category is SolverWarning} == {__file__}  # a warning points at the call
    return made


@pytest.mark.parametrize("name", QUESTIONS)
def test_bad_questions_to_influence_are_refused(name: str, influence: Influence) -> None:
    with pytest.raises(ScimlError):
        QUESTIONS[name](influence)


def test_warnings_of_a_problem_point_at_the_line_that_stated_it() -> None:
    with pytest.warns(ProblemWarning) as told:
        IBVP(sp.Eq(u.diff(t), -u.diff(x, 2)), Interval(x, 0, 1), (t, 0, 1), {u: sp.sin(sp.pi * x)}, [Dirichlet(u, 0)])
    assert {w.filename for w in told if w.category is ProblemWarning} == {__file__}
