"""diagnose: faults are found and named, well-trained solutions are left alone, for any problem."""

import copy
import functools
import itertools
import warnings

import numpy as np
import pytest
import sympy as sp
import torch

from influence import Influence, RowBlock, diagnose
from influence.diagnosis.missing import missing_terms
from sciml import (
    IBVP,
    MLP,
    Box,
    Condition,
    Dirichlet,
    Disk,
    ExactSolution,
    Interval,
    Neumann,
    Observations,
    Rectangle,
    coordinates,
    field,
)
from sciml.errors import ProblemWarning, SolverError
from solvers import PINN, Fixed, LieSolver
from solvers.pinn.placement import Counts
from solvers.pinn.solution import PINNSolution

x, y, z, t = coordinates("x y z t")
u, v = field("u", x, t), field("v", x, t)
w, s, b = field("w", x, y), field("s", x), field("b", x, y, z)
HALF = sp.Rational(1, 2)
HEAT = IBVP(
    u.diff(t) - u.diff(x, 2) / 5, Interval(x, 0, 1), time=(t, 0, HALF), initial={u: sp.sin(sp.pi * x)},
    boundary=[Dirichlet(u, 0)], name="heat",
)  # fmt: skip
BURGERS = IBVP(
    u.diff(t) + u * u.diff(x) - u.diff(x, 2) / 10, Interval(x, -1, 1), time=(t, 0, 1),
    initial={u: -sp.sin(sp.pi * x)}, boundary=[Dirichlet(u, 0)],
)  # fmt: skip
WAVE = IBVP(
    u.diff(t, 2) - u.diff(x, 2), Interval(x, 0, 1), time=(t, 0, 1), initial={u: sp.sin(sp.pi * x), u.diff(t): 0},
    boundary=[Dirichlet(u, 0)],
)  # fmt: skip
ADVECTION = IBVP(
    u.diff(t) + u.diff(x), Interval(x, 0, 1), time=(t, 0, 1), initial={u: sp.sin(3 * x)},
    boundary=[Dirichlet(u, sp.sin(-3 * t), on="left")],
)  # fmt: skip
SYSTEM = IBVP(
    [u.diff(t) - v.diff(x), v.diff(t) - u.diff(x)], Interval(x, 0, 1), time=(t, 0, HALF),
    initial={u: sp.sin(sp.pi * x), v: 0}, boundary=[Dirichlet(u, 0)], fields=[u, v],
)  # fmt: skip
CONSTANT = HEAT.replace(initial={u: 1}, boundary=[Dirichlet(u, 1)])
ODE = IBVP(s.diff(x, 2) + s - x, Interval(x, 0, 3), boundary=[Dirichlet(s, 0, on="left"), Dirichlet(s, 1, on="right")])
POISSON = IBVP(w.diff(x, 2) + w.diff(y, 2) + 4, Disk((x, y), center=(0, 0), radius=1), boundary=[Dirichlet(w, x)])
MIXED = IBVP(
    w.diff(x, 2) + w.diff(y, 2), Rectangle((x, 0, 1), (y, 0, 1)),
    boundary=[Dirichlet(w, y**2, on="left"), Neumann(w, 2, on="right"), Neumann(w, 0, on="bottom"),
              Dirichlet(w, 1 + 2 * x, on="top")],
)  # fmt: skip
SOLID = IBVP(
    b.diff(x, 2) + b.diff(y, 2) + b.diff(z, 2), Box((x, 0, 1), (y, 0, 1), (z, 0, 1)),
    boundary=[Dirichlet(b, x * y + z**2 - x**2)],
)  # fmt: skip


@functools.cache
def trained(
    problem: IBVP, width: int = 10, depth: int = 1, counts: tuple[int, int, int] = (200, 60, 60), steps: int = 60,
    seed: int = 0, constraints: str = "soft", optimiser: str = "auto", weights: tuple = (),
) -> PINNSolution:  # fmt: skip
    solver = PINN(
        MLP(width=width, depth=depth), seed=seed, steps=steps, tolerance=0, points=Counts(*counts),
        resampler=Fixed(), constraints=constraints, optimiser=optimiser, weights=dict(weights), progress=False,
    )  # fmt: skip
    return solver.solve(problem)


def heat(points: np.ndarray) -> np.ndarray:
    return np.exp(-(np.pi**2) * points[:, 1] / 5) * np.sin(np.pi * points[:, 0])


PLACES = HEAT.domain.sample(40, "sobol", 3, (0.0, 0.5))


def observed(problem: IBVP, values: np.ndarray, places: np.ndarray = PLACES, sigma: float | None = None) -> IBVP:
    return problem.replace(observations=[Observations(u, places, values, sigma=sigma, name="data")])


WELL = {
    "heat": (HEAT, {}),
    "heat, hard constraint": (HEAT, {"constraints": "hard"}),
    "wave": (WAVE, {"width": 12}),
    "advection": (ADVECTION, {}),
    "system": (SYSTEM, {}),
    "constant": (CONSTANT, {"steps": 30}),
    "steady, one dimension": (ODE, {"counts": (60, 2, 0)}),
    "disk": (POISSON, {"counts": (150, 50, 0), "steps": 40}),
    "mixed conditions": (MIXED, {"counts": (150, 60, 0), "steps": 40}),
    "box": (SOLID, {"counts": (150, 120, 0), "steps": 40}),
}


SLOW = ("advection", "mixed conditions")


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow) if n in SLOW else n for n in WELL])
def test_well_trained_solutions_are_healthy(name: str) -> None:
    problem, options = WELL[name]
    report = diagnose(trained(problem, **options))
    assert report.healthy, str(report)
    assert report.estimated_error < 0.01
    assert report.verdict.startswith("healthy")


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("name", [*WELL, "burgers"])
def test_well_trained_solutions_are_healthy_for_every_seed(name: str, seed: int) -> None:
    problem, options = {**WELL, "burgers": (BURGERS, {"width": 16, "depth": 2})}[name]
    report = diagnose(trained(problem, seed=seed, **options), seed=seed)
    assert report.healthy, str(report)


def test_estimated_error_is_of_the_order_of_the_error() -> None:
    for width in (3, 10):
        solution = trained(HEAT, width=width)
        report = diagnose(solution)
        points, spread = report.indicators.exam.at, report.indicators.exam.targets[0][2]
        true = np.sqrt(np.mean((solution.evaluate(points)[:, 0] - heat(points)) ** 2)) / spread
        assert true / 3 < report.estimated_error < 10 * true


def test_too_few_points() -> None:
    report = diagnose(trained(HEAT, width=16, counts=(10, 4, 4)))
    assert "overfitting to points" in report, str(report)
    evidence = next(one for one in report.faults if one.name == "overfitting to points").evidence
    assert evidence["ratio"] > evidence["largest ratio by chance"]
    assert evidence["change of predictions with fresh points (spreads)"] > 0.01


@pytest.mark.parametrize(("steps", "optimiser"), [(6, "auto"), (150, "adam")])
def test_stopped_on_the_way(steps: int, optimiser: str) -> None:
    assert "not converged" in diagnose(trained(HEAT, steps=steps, optimiser=optimiser))


def test_ignored_initial_condition() -> None:
    report = diagnose(trained(HEAT, steps=40, weights=(("initial u", 1e-8),)))
    assert "one term dominates" in report
    finding = next(one for one in report.faults if one.name == "one term dominates")
    assert "'initial u'" in finding.words
    assert any("'initial u'" in text for text in finding.advice)


def test_wrong_values_on_a_piece_of_a_face() -> None:
    wrong = sp.Piecewise((HALF, (t > HALF * HALF) & (t < sp.Rational(7, 20))), (0, True))
    problem = HEAT.replace(boundary=[Dirichlet(u, 0, on="left"), Dirichlet(u, wrong, on="right")])
    report = diagnose(trained(problem, width=12))
    assert "suspect boundary or initial values" in report, str(report)
    assert "on right" in report.faults[0].where


def test_wrong_face_against_observations() -> None:
    with pytest.warns(ProblemWarning, match="jump"):
        problem = HEAT.replace(boundary=[Dirichlet(u, 0, on="left"), Dirichlet(u, HALF, on="right")])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ProblemWarning)
        problem = observed(problem, heat(PLACES))
    report = diagnose(trained(problem))
    assert "suspect boundary or initial values" in report, str(report)
    assert report.faults[0].where == "on right"


def test_wrong_measurements_are_named() -> None:
    values, bad = heat(PLACES), [3, 11, 25]
    values[bad] += 0.4
    solution = trained(observed(HEAT, values))
    report = diagnose(solution)
    assert "suspect data" in report, str(report)
    named = {int(identity) for identity in str(report.faults[0].evidence["ids"]).split(", ")}
    assert named == set(report.faults[0].ids) == set(solution.record.points.ids_of("data")[bad].tolist())


NOISY = heat(PLACES) + 0.05 * np.random.default_rng(4).standard_normal(40)


def test_noise_is_no_fault_unless_the_data_are_said_to_be_better() -> None:
    report = diagnose(trained(observed(HEAT, NOISY)))
    assert report.healthy, str(report)
    better = diagnose(trained(observed(HEAT, NOISY, sigma=0.01)))
    assert "equation contradicts data" in better, str(better)


@pytest.mark.parametrize("noise", [pytest.param(0.0, marks=pytest.mark.slow), 0.02])
def test_missing_convective_term(noise: float) -> None:
    places = BURGERS.domain.sample(40, "sobol", 5, (0.0, 1.0))
    exact = trained(BURGERS, width=14, depth=2, steps=40).evaluate(places)[:, 0]
    values = exact + noise * np.random.default_rng(0).standard_normal(40)
    broken = observed(BURGERS.replace(pde=u.diff(t) - u.diff(x, 2) / 10), values, places)
    solution = trained(broken, width=14, depth=2, steps=40)
    report = diagnose(solution)
    assert "equation contradicts data" in report, str(report)
    best = missing_terms(report.indicators.exam.influence, "pde")[0]
    assert best.term == u * u.diff(x)
    assert 0.2 < best.coefficient < 1.5
    true = diagnose(trained(observed(BURGERS, values, places), width=14, depth=2, steps=40))
    assert true.healthy, str(true)


def test_wrong_source_values_at_points() -> None:
    record = trained(HEAT).record
    ids = record.points.ids_of("pde")[[5, 60, 61, 133, 180]]
    shift = torch.tensor(np.where(np.isin(record.rows.ids, ids) & (record.rows.labels == "pde"), 2.0, 0.0))
    rows = type(record.rows)(
        residual=lambda p: record.rows.residual(p) - shift,
        jacobian=lambda p: (record.rows.jacobian(p)[0] - shift, record.rows.jacobian(p)[1]),
        ids=record.rows.ids, labels=record.rows.labels, at=record.rows.at,
    )  # fmt: skip
    planted = type(record)(**{**vars(record), "rows": rows})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theta = Influence(planted).refit().theta
    report = diagnose(type(record)(**{**vars(planted), "parameters": theta}))
    assert "suspect source values" in report, str(report)
    finding = next(one for one in report.faults if one.name == "suspect source values")
    assert {int(identity) for identity in str(finding.evidence["ids"]).split(", ")} == set(ids.tolist())
    assert set(finding.ids) == set(ids.tolist())


def flattened(solution: PINNSolution, factor: float, last: float) -> PINNSolution:
    """The same network with all parameters multiplied, those of the last layer by another number."""
    again = PINNSolution(
        solution.problem, copy.deepcopy(solution.model), solution.constraint, solution.points, solution.scale,
        solution.coefficients,
    )  # fmt: skip
    parameters = list(again.model.parameters())
    with torch.no_grad():
        for p in parameters:
            p.mul_(factor)
        for p in parameters[-2:]:
            p.mul_(last)
    return again


@pytest.mark.parametrize("factor", [100.0, 1e4, 1e-3])
def test_saturated_or_dead_network(factor: float) -> None:
    report = diagnose(flattened(trained(HEAT, width=12, depth=2, steps=0), factor, 1.0))
    assert "vanishing gradients" in report, str(report)


class Sigmoids(torch.nn.Module):
    """Eight layers of ten sigmoids, in PyTorch's own start: signals die out."""

    def __init__(self) -> None:
        super().__init__()
        sizes = [2, *[10] * 8]
        layers = [part for a, b in itertools.pairwise(sizes) for part in (torch.nn.Linear(a, b), torch.nn.Sigmoid())]
        self.layers = torch.nn.Sequential(*layers, torch.nn.Linear(10, 1)).double()

    def forward(self, points: torch.Tensor) -> torch.Tensor:
        return self.layers(points)


def test_deep_sigmoids_of_ones_own_module() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = Sigmoids()
    solver = PINN(
        network, seed=0, steps=30, tolerance=0, points=Counts(100, 30, 30), resampler=Fixed(), constraints="soft",
        optimiser="adam", progress=False,
    )  # fmt: skip
    report = diagnose(solver.solve(HEAT))
    assert "vanishing gradients" in report, str(report)
    assert report.faults[0].evidence["weakest layer"] == "layers.0.weight"


def test_fluid_at_rest() -> None:
    fields = [field(name, x, y) for name in "uvp"]
    a, c, p = fields
    equations = [a.diff(x) + c.diff(y)]
    for f, r in ((a, x), (c, y)):
        equations.append(a * f.diff(x) + c * f.diff(y) + p.diff(r) - (f.diff(x, 2) + f.diff(y, 2)) / 100)
    lid = 16 * x**2 * (1 - x) ** 2
    cavity = IBVP(
        equations, Rectangle((x, 0, 1), (y, 0, 1)), fields=fields,
        boundary=[Dirichlet(a, lid, on="top"), Dirichlet(a, 0, on=["left", "right", "bottom"]), Dirichlet(c, 0)],
    )  # fmt: skip
    start = trained(cavity, width=8, counts=(60, 60, 0), steps=0)
    report = diagnose(flattened(start, 1.0, 1e-6))
    assert "rest state" in report, str(report)


def polynomial(data: np.ndarray, powers: int) -> Influence:
    """Least squares of a user's own on [-1, 1]."""
    grid = np.linspace(-1, 1, len(data))
    theta = torch.tensor(np.linalg.lstsq(np.vander(grid, powers, increasing=True), data, rcond=None)[0])
    block = RowBlock(
        "fit", np.column_stack([grid, data]),
        lambda p, q: sum(p[k] * q[0] ** k for k in range(powers)) - q[1], 1 / len(data),
    )  # fmt: skip
    return Influence.from_rows(theta, [block])


def test_rows_of_ones_own() -> None:
    rng = np.random.default_rng(0)
    values = 1 + 2 * np.linspace(-1, 1, 60) + 0.01 * rng.standard_normal(60)
    assert diagnose(polynomial(values, 2)).healthy
    assert "overfitting to points" in diagnose(polynomial(rng.standard_normal(12), 11))
    values[[7, 30]] += 1.0
    report = diagnose(polynomial(values, 2))
    assert "suspect data" in report, str(report)
    assert str(report.faults[0].evidence["ids"]) in ("7, 30", "30, 7")


def test_linear_solution_of_lie_solver() -> None:
    assert diagnose(LieSolver().solve(HEAT)).healthy


def test_report_in_three_forms(tmp_path) -> None:
    report = diagnose(trained(HEAT, width=16, counts=(10, 4, 4)))
    text = str(report)
    assert "OVERFITTING TO POINTS" in text
    assert "evidence:" in text
    assert "try:" in text
    assert "initial u" in text
    page = report.html(tmp_path / "card.html")
    assert (tmp_path / "card.html").read_text(encoding="utf-8") == page
    assert page.startswith("<!doctype html>")
    assert "overfitting to points" in page
    assert "data:image/png;base64" in page
    assert "<script" not in page
    assert "http" not in page
    assert "overfitting" in repr(report)


def test_bad_input() -> None:
    with pytest.raises(SolverError, match="training record"):
        diagnose(ExactSolution(HEAT, sp.exp(-(sp.pi**2) * t / 5) * sp.sin(sp.pi * x)))
    with pytest.raises(SolverError, match="accuracy"):
        diagnose(trained(HEAT), accuracy=2)


def test_a_kink_that_is_smoothed_is_noted_though_predictions_hold() -> None:
    """A wave enters at the left end and leaves at the right one: u_tt jumps along x = 2t."""
    leaving = Condition(sp.Eq(u.diff(t) + 2 * u.diff(x), 0), on="right")
    problem = IBVP(u.diff(t, 2) - 4 * u.diff(x, 2), Interval(x, 0, 1), time=(t, 0, 2), initial={u: 0, u.diff(t): 0},
                   boundary=[Dirichlet(u, sp.sin(3 * t) ** 2, on="left"), leaving])  # fmt: skip
    report = diagnose(PINN(MLP(width=16, depth=2), seed=0, steps=60, progress=False).solve(problem), accuracy=0.05)
    assert report.healthy
    assert [note.name for note in report.findings] == ["equation unresolved in places"]
    assert "but" in report.verdict
    assert "'pde' is left unexplained" in report.verdict
