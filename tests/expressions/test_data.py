"""Data as one-sided limits, removable singularities, and the search for poles."""

import numpy as np
import pytest
import sympy as sp

from sciml.expressions import evaluate_data
from sciml.expressions.poles import find_pole
from sciml.expressions.singular import singular_nodes

X, T = sp.symbols("x t", real=True)
UNIT = [(0.0, 1.0), (0.0, 1.0)]
HALF = sp.Rational(1, 2)


@pytest.mark.parametrize(
    ("expression", "point", "bounds", "wanted"),
    [
        (sp.erfc(1 / sp.sqrt(T)), (0.3, 0), UNIT, 0.0),
        (sp.erfc(X / (2 * sp.sqrt(T))), (0.3, 0), UNIT, 0.0),
        (sp.exp(-1 / T) / T**5, (0.3, 0), UNIT, 0.0),
        (sp.sin(X) / X, (0, 0.5), UNIT, 1.0),
        (sp.sin(X) / X, (0, 0.5), [(-1, 1), (0, 1)], 1.0),
        (sp.besselj(1, X) / X, (0, 0), UNIT, 0.5),
        ((1 - sp.cos(X)) / X**2, (0, 0.5), UNIT, 0.5),
        (X * sp.log(X), (0, 0.5), UNIT, 0.0),
        (sp.Heaviside(X), (0, 0.5), UNIT, 1.0),
        (sp.Heaviside(X), (0, 0.5), [(-1, 0), (0, 1)], 0.0),
        (sp.Heaviside(X), (0, 0.5), [(-1, 1), (0, 1)], 0.5),
        (sp.Piecewise((1, X < HALF), (2, True)), (0.5, 0), [(0.5, 1), (0, 1)], 2.0),
        (sp.Piecewise((1, X < HALF), (2, True)), (0.5, 0), [(0, 0.5), (0, 1)], 1.0),
        (sp.sqrt(1 - X**2 - T**2), (0.6, 0.8), None, 0.0),
        (sp.sqrt(1 - X**2 - T**2), (np.cos(2.1), np.sin(2.1)), None, 0.0),
        (sp.pi, (0.5, 0.5), UNIT, np.pi),
    ],
)
def test_limits(expression, point, bounds, wanted) -> None:
    assert abs(evaluate_data(expression, (X, T), np.array([point], float), bounds)[0] - wanted) < 1e-14


@pytest.mark.parametrize(
    ("expression", "point", "bounds"),
    [
        (1 / X, (0, 0.5), UNIT),
        (sp.log(X), (0, 0.5), UNIT),
        (sp.Abs(X) / X, (0, 0.5), [(-1, 1), (0, 1)]),
        (sp.tan(sp.pi * X / 2), (1, 0.5), UNIT),
        (sp.sqrt(X), (-0.1, 0), None),
        (sp.log(1 - X**2 - T**2), (0.6, 0.8), None),
        (sp.sin(1 / X), (0, 0.5), UNIT),
    ],
)
def test_where_no_limit_exists_there_is_no_number(expression, point, bounds) -> None:
    assert not np.isfinite(evaluate_data(expression, (X, T), np.array([point], float), bounds)[0])


GRID = np.linspace(0.01, 0.99, 64)[:, None]


def inside(places: np.ndarray) -> np.ndarray:
    return (places[:, 0] >= 0) & (places[:, 0] <= 1)


@pytest.mark.parametrize("place", [sp.Rational(1, 3), sp.sqrt(2) / 2, sp.Rational(1, 2), sp.Rational(9, 10)])
@pytest.mark.parametrize(
    "shape",
    [
        lambda s: 1 / s,
        lambda s: 1 / s**2,
        lambda s: sp.log(sp.Abs(s)),
        lambda s: sp.Abs(s) ** -HALF,
        lambda s: 1 / sp.sin(s),
        lambda s: 5 + 1e-3 / s,
    ],
)
def test_poles_between_the_samples_are_found(place, shape) -> None:
    found = find_pole(shape(X - place), [X], GRID, inside)
    assert found is not None
    assert abs(found[0] - float(place)) < 1e-6


@pytest.mark.parametrize(
    "expression",
    [
        1 / (X + 1),
        1 / (X**2 + sp.Rational(1, 10**6)),
        sp.sqrt(sp.Abs(X - HALF)),
        sp.exp(-((X - HALF) ** 2) * 10**6),
        1 / X,
        sp.log(X),
        sp.tan(X),
        1 / (1 - X),
        sp.sin(X - HALF) / (X - HALF),
        1 / (2 + sp.cos(20 * X)),
        sp.atan(10**5 * (X - HALF)),
        1 / (1 + sp.exp(-1000 * (X - HALF))),
    ],
    ids=str,
)
def test_bounded_data_and_singular_ends_are_not_poles(expression) -> None:
    assert find_pole(expression, [X], GRID, inside) is None


def test_polynomials_and_entire_functions_have_nothing_singular() -> None:
    assert singular_nodes(sp.exp(X) * X**3 + sp.sin(X) * sp.erf(X) + 2**X + sp.pi**-2) == []
    assert set(singular_nodes(sp.sqrt(X) + sp.log(X) + sp.tan(X))) == {sp.sqrt(X), sp.log(X), sp.tan(X)}
