import builtins

import numpy as np
import pytest
import sympy as sp

from sciml import (
    IBVP,
    Condition,
    Dirichlet,
    Disk,
    Interval,
    Neumann,
    Polygon,
    Rectangle,
    coordinates,
    field,
    load_solution,
)
from sciml.errors import ConvergenceError, MissingExtraError, PointsError, ProblemWarning, SolverError, SolverWarning
from solvers import FiniteElement
from solvers.reference.location import ElementFinder
from solvers.reference.shapes import physical_derivatives, shape_functions
from solvers.reference.space import build_space

x, y, t = coordinates("x y t")
u, v = field("u", x, y), field("v", x, t)
DISK = Disk((x, y))
SQUARE = Rectangle((x, 0, 1), (y, 0, 1))


@pytest.fixture(scope="module")
def poisson():
    problem = IBVP(sp.Eq(u.diff(x, 2) + u.diff(y, 2), -4), DISK, boundary=[Dirichlet(u, 0)])
    return FiniteElement(mesh_size=0.15).solve(problem)


def test_points_on_the_curved_side_are_found(poisson):
    angle = np.linspace(0, 2 * np.pi, 999)
    rim = np.column_stack([np.cos(angle), np.sin(angle)])
    assert np.abs(poisson.evaluate(rim)).max() < 2e-4
    assert poisson.error(1 - x**2 - y**2).maximum["u"] < 2e-4
    with pytest.raises(PointsError, match="outside"):
        poisson.evaluate([[1.01, 0.0]])


def test_every_point_lies_in_its_element():
    for domain, degree in ((DISK, 2), (SQUARE, 1), (Interval(x, 0, 1), 2)):
        space = build_space(domain, 0.2, degree)
        points = domain.sample(3000)
        owner, reference = ElementFinder(space.nodes, space.elements, degree).find(points)
        phi = shape_functions(reference, degree)[0]
        back = np.einsum("nb,nbi->ni", phi, space.nodes[space.elements[owner]])
        assert np.abs(back - points).max() < 1e-12
        depth = np.minimum(reference.min(axis=1), 1 - reference.sum(axis=1))
        assert (depth > -1e-9).mean() > 0.97
        assert depth.min() > -0.02


@pytest.mark.parametrize("degree", [1, 2])
@pytest.mark.parametrize("d", [1, 2, 3])
def test_shape_functions_against_scikit_fem_and_differences(d, degree):
    import skfem

    element = getattr(skfem, f"Element{('Line', 'Tri', 'Tet')[d - 1]}P{degree}")()
    points = np.random.default_rng(d).random((5, d)) / d
    values, slopes, curvature = shape_functions(points, degree)
    for i in range(values.shape[1]):
        phi, dphi = element.lbasis(points.T, i)
        assert np.broadcast_to(phi, 5) == pytest.approx(values[:, i], abs=1e-14)
        assert np.broadcast_to(dphi.T, (5, d)) == pytest.approx(slopes[:, i], abs=1e-14)
    moved = (
        shape_functions(points + 1e-3 * np.eye(d)[0], degree)[1]
        - shape_functions(points - 1e-3 * np.eye(d)[0], degree)[1]
    )
    assert moved / 2e-3 == pytest.approx(np.broadcast_to(curvature[:, :, 0], moved.shape), abs=1e-10)


def test_derivatives_on_a_curved_element():
    """Against differences of the inverse map: second derivatives need the curvature of the map."""
    corners = np.array([[0, 0], [1, 0], [0, 1], [0.5, 0.1], [0.6, 0.6], [-0.1, 0.5]], dtype=float)
    finder = ElementFinder(corners, np.arange(6)[None], 2)
    centre, step = np.array([[0.3, 0.35]]), 1e-4

    def values(offset):
        return shape_functions(finder.find(centre + offset)[1], 2)[0][0]

    phi, slopes, hessians = physical_derivatives(corners[None], finder.find(centre)[1], 2)
    axes = step * np.eye(2)
    assert values(0) == pytest.approx(phi[0], abs=1e-14)
    for i in range(2):
        assert (values(axes[i]) - values(-axes[i])) / (2 * step) == pytest.approx(slopes[0, :, i], abs=1e-6)
        second = (values(axes[i]) - 2 * values(0) + values(-axes[i])) / step**2
        assert second == pytest.approx(hessians[0, :, i, i], abs=1e-5)


def test_saved_solutions_are_bitwise_equal(poisson, tmp_path):
    heat = IBVP(
        sp.Eq(v.diff(t), v.diff(x, 2)),
        Interval(x, 0, 1),
        time=(t, 0, 1),
        initial={v: sp.sin(sp.pi * x)},
        boundary=[Dirichlet(v, 0)],
    )
    for solution in (poisson, FiniteElement(mesh_size=0.1, steps=5).solve(heat)):
        solution.save(tmp_path / "saved")
        loaded = load_solution(tmp_path / "saved", solution.problem)
        points = np.random.default_rng(0).random((200, 2)) * 0.7
        assert (loaded.evaluate(points) == solution.evaluate(points)).all()
        assert (loaded.residual(points) == solution.residual(points)).all()
        assert loaded.status == solution.status
        assert type(loaded) is type(solution)


def test_runs_are_repeatable(poisson):
    again = FiniteElement(mesh_size=0.15).solve(poisson.problem)
    assert (again.values == poisson.values).all()
    assert "degrees of freedom" in repr(again)
    assert "mesh size 0.15" in again.status


def test_third_derivatives_are_refused(poisson):
    with pytest.raises(SolverError, match="second"):
        poisson.derivative(u.diff(x, 3), [[0.1, 0.2]])


def test_refusals_name_the_reason_and_the_alternative():
    wall = [Dirichlet(u, 0)]
    with pytest.warns(ProblemWarning, match="order 4"):
        fourth = IBVP(u.diff(x, 4) + u.diff(y, 2), SQUARE, boundary=wall)
    cases = [
        (IBVP(u.diff(x, 2) ** 2 + u.diff(y, 2) - u, SQUARE, boundary=wall), "nonlinear"),
        (fourth, "second order"),
        (
            IBVP(
                sp.Eq(u.diff(x, 2) + u.diff(y, 2), 0),
                SQUARE,
                boundary=[Dirichlet(u, 0, on=["left", "right", "top"]), Condition(u.diff(y) - u**3, on="bottom")],
            ),
            "linear",
        ),
        (
            IBVP(sp.Eq(u.diff(x, 2) + u.diff(y, 2), 0), SQUARE, boundary=[*wall, Condition(u - 1, on={x: 0, y: 0})]),
            "faces",
        ),
    ]
    for problem, reason in cases:
        with pytest.raises(SolverError, match=reason) as caught:
            FiniteElement(mesh_size=0.3).solve(problem)
        assert "PINN" in str(caught.value)


def test_jumps_of_principal_coefficients_are_not_silent():
    w, half = field("w", x), sp.Rational(1, 2)
    line, ends = Interval(x, 0, 1), [Dirichlet(w, 0, on="left"), Dirichlet(w, 1, on="right")]
    with pytest.raises(SolverError, match="jump"):
        FiniteElement(mesh_size=0.3).solve(IBVP((1 + sp.Heaviside(x - half)) * w.diff(x, 2), line, boundary=ends))
    layers = IBVP(sp.Piecewise((1, x < half), (2, True)) * w.diff(x, 2), line, boundary=ends)
    with pytest.warns(SolverWarning, match="continuous"):
        solution = FiniteElement(mesh_size=0.1).solve(layers)
    assert solution(x=0.5) == pytest.approx(2 / 3, abs=1e-12)  # the flux 4/3 is the same on both sides


def test_derivative_conditions_that_would_be_ignored_are_refused():
    problem = IBVP(
        u.diff(x, 2) - u + u.diff(y), SQUARE, boundary=[Dirichlet(u, 0, on=["left", "right"]), Neumann(u, 1, on="top")]
    )
    with pytest.raises(SolverError, match="no second derivatives"):
        FiniteElement(mesh_size=0.3).solve(problem)


def test_eigenvalues_are_noticed():
    w = field("w", x)
    problem = IBVP(sp.Eq(w.diff(x, 2) + sp.pi**2 * w, 1), Interval(x, 0, 1), boundary=[Dirichlet(w, 0)])
    with pytest.raises(ConvergenceError, match="singular"):
        FiniteElement().solve(problem)


def test_missing_scikit_fem_is_named(monkeypatch, poisson):
    true_import = builtins.__import__

    def without(name, *arguments, **options):
        if name.partition(".")[0] == "skfem":
            raise ImportError("No module named 'skfem'")
        return true_import(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtraError, match=r"sciml\[reference\]"):
        FiniteElement().solve(poisson.problem)


@pytest.mark.parametrize("options", [{"mesh_size": 0}, {"steps": 1.5}, {"steps": 0}, {"degree": 3}, {"tolerance": 2}])
def test_options_are_checked(options):
    with pytest.raises(SolverError):
        FiniteElement(**options)


def test_rotated_square_agrees_with_the_square():
    """The same problem on a polygon with oblique sides."""
    s = sp.sqrt(2)
    rotated = Polygon((x, y), [(0, 0), (1 / s, 1 / s), (0, s), (-1 / s, 1 / s)])
    values = [float(FiniteElement(mesh_size=0.1).solve(
        IBVP(sp.Eq(u.diff(x, 2) + u.diff(y, 2), -1), domain, boundary=[Dirichlet(u, 0)]))(x=px, y=py))
        for domain, px, py in ((SQUARE, 0.5, 0.5), (rotated, 0.0, np.sqrt(0.5)))]  # fmt: skip
    assert values[0] == pytest.approx(0.0736713532814, abs=1e-5)  # series solution
    assert values[1] == pytest.approx(values[0], abs=2e-5)
