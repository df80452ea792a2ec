"""What every solution offers, on ExactSolution."""

import numpy as np
import pytest
import sympy as sp
import torch

from sciml import (
    IBVP,
    Dirichlet,
    ExactSolution,
    Interval,
    PointsError,
    ProblemError,
    Rectangle,
    coordinates,
    field,
)

x, y, t = coordinates("x y t")
u = field("u", x, t)
k = sp.Symbol("k")
HEAT = IBVP(
    u.diff(t) - k * u.diff(x, 2),
    Interval(x, 0, 1),
    (t, 0, 1),
    initial={u: sp.sin(sp.pi * x)},
    boundary=[Dirichlet(u, 0)],
    parameters={k: sp.Rational(1, 10)},
)
FORMULA = sp.exp(-k * sp.pi**2 * t) * sp.sin(sp.pi * x)
SOLUTION = ExactSolution(HEAT, FORMULA)
POINTS = np.random.default_rng(1).random((50, 2))
U, V, P = (field(name, x, y) for name in "uvp")
STOKES = IBVP(
    [U.diff(x, 2) + U.diff(y, 2) - P.diff(x), V.diff(x, 2) + V.diff(y, 2) - P.diff(y), U.diff(x) + V.diff(y)],
    Rectangle((x, 0, 1), (y, 0, 1)),
    fields=[U, V, P],
    boundary=[Dirichlet(U, y * (1 - y)), Dirichlet(V, 0)],
)


def formula(xs, ts):
    return np.exp(-0.1 * np.pi**2 * ts) * np.sin(np.pi * xs)


def test_call_broadcasts() -> None:
    xs, ts = np.linspace(0, 1, 5), np.linspace(0, 1, 3)[:, None]
    values = SOLUTION(x=xs, t=ts)
    assert values.shape == (3, 5)
    np.testing.assert_allclose(values, formula(xs, ts), atol=1e-15)
    assert SOLUTION(x=0.5, t=0).shape == ()
    assert SOLUTION(x=np.zeros((0, 1)), t=0.5).shape == (0, 1)


def test_a_system_gives_fields_by_name() -> None:
    flow = ExactSolution(STOKES, {U: y * (1 - y), V: 0, P: -2 * x})
    values = flow(x=[0.0, 1.0], y=0.5)
    assert list(values) == ["u", "v", "p"]
    np.testing.assert_allclose(values["p"], [0, -2])
    assert flow.evaluate([[0.5, 0.5]]).shape == (1, 3)
    assert np.abs(flow.residual([[0.3, 0.6]])).max() < 1e-14


def test_a_free_constant_is_no_error() -> None:
    flow = ExactSolution(STOKES, {U: y * (1 - y), V: 0, P: -2 * x})
    report = flow.error({U: y * (1 - y), V: 0, P: 7 - 2 * x})
    assert max(report.maximum.values()) < 1e-13
    assert flow.error({U: y * (1 - y) + 1, V: 0, P: -2 * x}).maximum["u"] == pytest.approx(1)


def test_derivatives_and_residual() -> None:
    value = formula(*POINTS.T)
    np.testing.assert_allclose(
        SOLUTION.derivative(u.diff(x, 2) * u + x, POINTS), -(np.pi**2) * value**2 + POINTS[:, 0], atol=1e-13
    )
    np.testing.assert_allclose(SOLUTION.derivative(k * u, torch.tensor(POINTS)), 0.1 * value, atol=1e-15)
    np.testing.assert_allclose(SOLUTION.derivative((u**2).diff(t), POINTS), -0.2 * np.pi**2 * value**2, atol=1e-13)
    assert np.abs(SOLUTION.residual(POINTS)).max() < 1e-13
    assert np.abs(ExactSolution(HEAT, FORMULA + t).residual(POINTS) - 1).max() < 1e-13


def test_error_report() -> None:
    report = SOLUTION.error(1.01 * FORMULA)
    assert report.relative_l2["u"] == pytest.approx(0.01 / 1.01)
    assert report.points == 4096
    assert "u: relative L2 9.901e-03" in repr(report)
    assert SOLUTION.error(lambda x, t: np.exp(-0.1 * np.pi**2 * t) * np.sin(np.pi * x)).maximum["u"] < 1e-15
    assert SOLUTION.error(SOLUTION, points=POINTS).maximum["u"] == 0
    assert ExactSolution(HEAT, 3).error(0).relative_l2["u"] == pytest.approx(3)


@pytest.mark.parametrize(
    "points", [[[1.5, 0.5]], [[0.5, -0.1]], [[np.nan, 0.5]], [[0.5]], [0.5, 0.5], np.zeros((2, 3))]
)
def test_bad_points(points) -> None:
    for ask in (
        SOLUTION.evaluate,
        SOLUTION.residual,
        lambda p: SOLUTION.derivative(u, p),
        lambda p: SOLUTION.error(0, p),
    ):
        with pytest.raises(PointsError):
            ask(points)


@pytest.mark.parametrize("coordinates_given", [{"x": 0}, {"x": 0, "t": 0, "z": 0}, {"x": [0, 1], "t": [0, 1, 0]}, {}])
def test_bad_coordinates(coordinates_given) -> None:
    with pytest.raises(PointsError):
        SOLUTION(**coordinates_given)
    with pytest.raises(PointsError, match="by name"):
        SOLUTION(0.5, 0.5)


def test_foreign_expressions() -> None:
    for stranger in (field("w", x, t), sp.Symbol("x"), sp.Symbol("q"), "u"):
        with pytest.raises(ProblemError):
            SOLUTION.derivative(stranger, POINTS)
    for wrong in (sp.Symbol("q") * x, "sin(x)", {field("w", x, t): x}, np.zeros(3)):
        with pytest.raises(ProblemError):
            ExactSolution(HEAT, wrong)
    with pytest.raises(ProblemError, match="nothing for"):
        ExactSolution(STOKES, {U: 0, V: 0, P: 0}).error({U: 0})
    with pytest.raises(ProblemError, match="coordinates"):
        SOLUTION.error(ExactSolution(STOKES, {U: 0, V: 0, P: 0}))


def test_values_at_the_ends_are_limits() -> None:
    step = IBVP(
        u.diff(t) - u.diff(x, 2),
        Interval(x, 0, 1),
        (t, 0, 1),
        initial={u: 0},
        boundary=[
            Dirichlet(u, sp.erfc(x / (2 * sp.sqrt(t))), on="right"),
            Dirichlet(u, sp.erfc(1 / sp.sqrt(t)), on="left"),
        ],
    )
    np.testing.assert_array_equal(ExactSolution(step, sp.erfc((x + 1) / (2 * sp.sqrt(t))))(x=[0.0, 0.5, 1.0], t=0), 0)
