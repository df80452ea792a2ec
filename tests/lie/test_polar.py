"""Heat and waves on disks: Bessel series, free rims, moving data, derivatives, checkpoints."""

import warnings

import mpmath
import numpy as np
import pytest
import sympy as sp
from scipy.special import j0, j1, jn_zeros, jnp_zeros, jv, jvp

from sciml import IBVP, Dirichlet, Disk, Neumann, Robin, coordinates, field, load_solution
from sciml.errors import SolverWarning
from sciml.problems import heat
from solvers.lie import LieSolution, LieSolver
from solvers.lie.polar.bessel_table import bessel_j
from solvers.lie.polar.dictionary import rim_waves
from solvers.lie.polar.polar_atoms import PolarAtoms, radial
from solvers.lie.statement import Side

x, y, t = coordinates("x y t")
u = field("u", x, y, t)
HEAT = u.diff(t) - u.diff(x, 2) - u.diff(y, 2)


@pytest.mark.filterwarnings("ignore::sciml.errors.SolverWarning")
def test_cooling_disk_against_its_series(tmp_path) -> None:
    """u0 = 1 - r²: 8 Σ J0(λr) exp(-λ²t)/(λ³ J1(λ)) (Carslaw & Jaeger 1959, section 7.6)."""
    last = sp.Rational(1, 5)
    lie = LieSolver(tol=1e-4).solve(IBVP(HEAT, Disk((x, y)), (t, 0, last), {u: 1 - x**2 - y**2}, [Dirichlet(u, 0)]))
    zeros = jn_zeros(0, 200)
    value = float((8 * j0(0.5 * zeros) * np.exp(-(zeros**2) * 0.05) / (zeros**3 * j1(zeros))).sum())
    assert float(lie(x=0.3, y=0.4, t=0.05)) == pytest.approx(value, rel=1e-6)
    points = np.random.default_rng(0).uniform([-0.6, -0.6, 0.02], [0.6, 0.6, 0.2], (50, 3))
    assert np.abs(lie.residual(points)).max() < 1e-9
    lie.save(tmp_path / "lie")
    assert np.array_equal(load_solution(tmp_path / "lie").evaluate(points), lie.evaluate(points))
    assert any("∂_t" in name for name in lie.terms[0].generators)
    formula = lie.expr.subs({x: sp.Float(0.3), y: sp.Float(0.4), t: sp.Float(0.05)}).evalf()
    assert float(sp.re(formula)) == pytest.approx(value, rel=1e-6)


def test_a_drum_with_a_free_rim_rings_with_one_mode() -> None:
    """u = J1(κr) cos θ cos κt with J1'(κ) = 0, on a disk that is not the unit disk."""
    kappa = float(jnp_zeros(1, 1)[0]) / 2
    radius = sp.sqrt((x - 1) ** 2 + y**2)
    start = sp.besselj(1, sp.Float(kappa, 20) * radius) * (x - 1) / radius
    problem = IBVP(u.diff(t, 2) - u.diff(x, 2) - u.diff(y, 2), Disk((x, y), center=(1, 0), radius=2), (t, 0, 2),
                   {u: start, u.diff(t): 0}, [Neumann(u, 0)])  # fmt: skip
    lie = LieSolver(tol=1e-8).solve(problem)
    angle = np.arctan2(0.7, 0.5)
    expected = jv(1, kappa * np.hypot(0.5, 0.7)) * np.cos(angle) * np.cos(kappa * 1.3)
    assert float(lie(x=1.5, y=0.7, t=1.3)) == pytest.approx(expected, abs=1e-8)


def test_robin_rim_and_moving_data() -> None:
    """A plane thermal wave crosses the disk; its flux at the rim is prescribed."""
    exact = sp.exp(-t) * sp.cos(x)
    normal = (x * exact.diff(x) + y * exact.diff(y)) / 1 + 2 * exact
    problem = IBVP(HEAT, Disk((x, y)), (t, 0, sp.Rational(1, 2)), {u: sp.cos(x)}, [Robin(u, 2, normal)])
    lie = LieSolver(tol=1e-5).solve(problem)
    assert lie.error(exact).maximum["u"] < 1e-5


def test_spreading_pulse() -> None:
    case = heat.disk_pulse()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SolverWarning)
        lie = LieSolver(tol=1e-8).solve(case.problem)
    assert lie.error(case.reference).relative_l2["u"] < 1e-8
    for place, value in case.values.items():
        assert float(lie.evaluate([list(place)])[0, 0]) == pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize("order", [0, 3, 40, 130, 255, 300])
def test_bessel_functions_from_the_table(order) -> None:
    random = np.random.default_rng(order)
    places = np.concatenate([random.uniform(0, 2 * order + 20, 30), random.uniform(0, 1500, 20), [0.0, 1.0, 32.0]])
    expected = [float(mpmath.besselj(order, mpmath.mpf(z))) for z in places]
    exact = 3e-15 if order < 256 else 3e-14  # beyond the table SciPy's values
    assert np.abs(bessel_j(order, places) - expected).max() < exact


@pytest.mark.parametrize(("value", "slope"), [(1.0, 0.0), (0.0, 1.0), (2.0, 1.0), (-0.5, 1.0)])
def test_no_wave_of_the_rim_is_skipped(value, slope) -> None:
    for order in (0, 1, 30, 119):
        waves = rim_waves(order, 100, 2.0, Side(value, slope, sp.S.Zero))
        z = 2.0 * waves
        condition = value * jv(order, z) + slope * waves * jvp(order, z)
        assert len(waves) == 100
        assert np.abs(condition).max() < 1e-11 * max(z.max() * slope, 1)
        fine = np.linspace(1e-3 if not order else order / 2, z[-1] - 0.5, 40000)
        values = value * jv(order, fine) + slope * fine / 2 * jvp(order, fine)
        assert np.count_nonzero(values[:-1] * values[1:] < 0) == 99


def test_radial_factors_near_the_centre_and_far_from_it() -> None:
    waves = np.array([0.0, 3.0, 40.0, 5 + 5j])
    found = radial(3, waves, np.array([1e-3, 0.9]))
    assert found[1, 0] == pytest.approx(0.9**3)
    for column in (1, 2, 3):
        expected = 6 * (2 / waves[column]) ** 3 * jv(3, waves[column] * 0.9)
        assert abs(found[1, column] - expected) < 1e-12 * abs(expected)
    assert np.allclose(found[0], 1e-9, rtol=1e-2)


def test_the_formula_of_many_products_is_made_on_demand_and_agrees_with_the_values(monkeypatch) -> None:
    random = np.random.default_rng(4)
    orders = np.sort(random.integers(0, 9, 72))
    waves = random.uniform(0.5, 9.0, 72) * np.resize([1, 1j, 0, 0.6 + 0.4j], 72)  # modes, steady and driven waves
    rates = np.where(np.arange(72) % 3, -(waves**2), 1j * random.uniform(-3, 3, 72))
    amplitudes = random.normal(size=72) + 1j * random.normal(size=72)
    atoms = PolarAtoms(np.array([0.25, -0.5, 0.1, 1.0]), orders, waves, rates, amplitudes)
    problem = IBVP(HEAT, Disk((x, y), center=(0.25, -0.5)), (t, 0, 1), {u: 0}, [Dirichlet(u, 0)])
    lie, made = LieSolution(problem, [atoms], np.array([0.5])), []
    formula = PolarAtoms.formula
    monkeypatch.setattr(PolarAtoms, "formula", lambda self, *given: made.append(1) or formula(self, *given))
    (term,) = lie.terms
    assert (term.name, term.amplitude, term.parameters["products"], made) == (atoms.name, 0.5, 72, [])
    points = np.column_stack([random.uniform([-0.4, -1.1], [0.9, 0.1], (20, 2)), random.uniform(0.1, 0.3, 20)])
    for expression, factor in ((lie.expr, 1.0), (term.atom, 0.5)):
        values = sp.lambdify((x, y, t), expression, ["numpy", "scipy"])(*points.T)
        expected = lie.evaluate(points)[:, 0]
        assert np.allclose(factor * values, expected, rtol=0, atol=1e-12 * np.abs(expected).max())
    assert made == [1]
