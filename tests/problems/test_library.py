"""The library beyond its contract: thin layers, the corrected peak, conserved integrals, benchmark numbers."""

import csv
from pathlib import Path

import numpy as np
import pytest
import sympy as sp

from sciml import ExactSolution, Periodic, ProblemError, ProblemWarning
from sciml.problem_json import problem_from_json, problem_to_json
from sciml.problems import (
    advection_diffusion,
    allen_cahn,
    burgers,
    cavity,
    cylinder,
    fokker_planck,
    heat,
    laplace,
    library,
    navier_stokes,
    poisson,
    schroedinger,
    wave,
)
from sciml.references.quadrature import gauss_legendre

DATA = Path(__file__).parents[1] / "data"


def table(name):
    with (DATA / name).open() as file:
        return list(csv.DictReader(file))


def test_burgers_inside_the_layer():
    case = burgers.shock()
    rng = np.random.default_rng(0)
    nu = float(burgers.THIN)
    points = np.column_stack([nu * rng.uniform(-10, 10, 500), rng.uniform(0.3, 1, 500)])
    curvature = case.reference.derivative(nu * burgers.u.diff(burgers.x, 2), points)
    assert np.abs(curvature).max() > 10  # the layer is there
    assert np.abs(case.reference.residual(points)).max() < 1e-12


@pytest.mark.parametrize("viscosity", [sp.Rational(1, 10), sp.Rational(1, 50), burgers.THIN])
def test_burgers_values_for_every_viscosity(viscosity):
    case = burgers.sine(viscosity)
    assert case.values
    for point, value in case.values.items():
        assert abs(case.reference.evaluate([point])[0, 0] - value) < 2e-14


def test_allen_cahn_is_even_and_starts_from_its_data():
    reference = allen_cahn.cosine().reference
    x = np.linspace(0, 1, 41)
    assert (reference(x=x, t=0.7) == reference(x=-x, t=0.7)).all()
    assert np.abs(reference(x=-x, t=0.0) - x**2 * np.cos(np.pi * x)).max() < 1e-13


def test_peak_near_its_centre():
    case = poisson.peak()
    rng = np.random.default_rng(1)
    angle, radius = rng.uniform(0, 2 * np.pi, 300), np.geomspace(1e-9, 0.2, 300)
    points = np.vstack([np.column_stack([radius * np.cos(angle), radius * np.sin(angle)]), [[0.0, 0.0]]])
    residual = case.reference.residual(points)
    assert np.abs(residual).max() < 1e-10  # the source reaches 398
    assert abs(case.reference(x=0.0, y=0.0).item() - 0.61339) < 5e-6
    published = ExactSolution(case.problem, -sp.log(poisson.x**2 + poisson.y**2) / (4 * sp.pi))
    assert np.abs(published.residual(points[250:251])).max() > 1
    far = points[radius.searchsorted(0.15) : -1]
    assert np.abs(case.reference.evaluate(far) - published.evaluate(far)).max() < 1e-13


def test_peak_derivatives_against_differences():
    jets = poisson._peak_jets
    points = np.array([[0.01, 0.02], [-0.03, 0.005], [0.3, -0.4]])
    step = 1e-5
    for axis in range(2):
        shift = step * np.eye(2)[axis]
        first = tuple(int(i == axis) for i in range(2))
        slope = (jets(points + shift, (0, 0)) - jets(points - shift, (0, 0))) / (2 * step)
        assert np.abs(slope - jets(points, first)).max() < 1e-5
        for orders in ((1, 0), (0, 1)):
            both = tuple(a + b for a, b in zip(first, orders, strict=True))
            bend = (jets(points + shift, orders) - jets(points - shift, orders)) / (2 * step)
            assert np.abs(bend - jets(points, both)).max() < 1e-3  # second derivatives reach 200, fourth 1e6
    with pytest.raises(ProblemError):
        jets(points, (3, 0))


def integral(function, low, high):
    nodes, weights = gauss_legendre(200)
    half = (high - low) / 2
    return half * weights @ function(low + half * (1 + nodes))


@pytest.mark.parametrize("time", [0.0, 0.5, 2.0])
def test_mass_of_the_ornstein_uhlenbeck_process(time):
    case = fokker_planck.ornstein_uhlenbeck()
    assert abs(integral(lambda x: case.reference(x=x, t=time), -6, 6) - case.numbers["mass"]) < 1e-12


@pytest.mark.parametrize("time", [0.0, 1.0])
def test_norm_of_the_wave_packet(time):
    case = schroedinger.wave_packet()

    def density(x):
        psi = case.reference(x=x, t=time)
        return psi["u"] ** 2 + psi["v"] ** 2

    assert abs(integral(density, -4, 12) - case.numbers["norm"]) < 1e-4 * time + 1e-12  # the packet reaches x = 12


@pytest.mark.parametrize("reynolds", [100, 400, 1000])
def test_extrema_of_the_cavity(reynolds):
    names = {
        "u_min_on_x=0.5": "min u on x = 1/2",
        "v_max_on_y=0.5": "max v on y = 1/2",
        "v_min_on_y=0.5": "min v on y = 1/2",
    }
    with pytest.warns(ProblemWarning, match="jump of 1"):
        case = cavity.lid(reynolds, "raw")
    rows = [row for row in table("cavity_high_accuracy_extrema.csv") if int(row["Re"]) == reynolds]
    known = {names[row["quantity"]]: float(row["value"]) for row in rows if row["quantity"] in names}
    assert case.numbers == known
    # Ghia's profiles are independent and good to a few 1e-3
    profile = [float(row[f"u_Re{reynolds}"]) for row in table("ghia1982_u_vertical_centreline.csv")]
    assert abs(min(profile) - case.numbers["min u on x = 1/2"]) < 7e-3
    smooth = cavity.lid(reynolds)
    assert len(smooth.numbers) == 3
    with pytest.raises(ProblemError, match="raw, smooth, steep"):
        cavity.lid(reynolds, "rough")


def test_cylinder():
    case = cylinder.dfg_steady()
    rows = [row for row in table("dfg_cylinder_reference.csv") if row["benchmark"] == "2D-1"]
    best = {row["quantity"]: float(row["best_value"] or "nan") for row in rows}
    wanted = [best["drag_coefficient_cD"], best["lift_coefficient_cL"], best["pressure_difference"]]
    assert np.abs(np.array(list(case.numbers.values())) - wanted).max() < 1e-14
    assert case.problem.faces == ("left", "right", "bottom", "top", "cylinder")
    (inflow,) = (term for term in case.problem.terms if term.name == "dirichlet u left")
    y = cylinder.y
    profile = -inflow.expressions[0].subs(inflow.condition.field, 0)
    assert sp.integrate(profile, (y, 0, sp.Rational(41, 10))) / sp.Rational(41, 10) == 1  # mean speed


def test_reynolds_number_and_mode_are_parameters():
    for case in (navier_stokes.kovasznay(40), heat.sine(mode=1, final=sp.Rational(1, 2))):
        points = case.problem.domain.sample(50, seed=2)
        if case.problem.time:
            points = np.column_stack([points, np.full(50, 0.4)])
        assert np.abs(case.reference.residual(points)).max() < 1e-11


def test_jump_is_the_limit_of_the_step():
    x = np.array([0.05, 0.3, 0.5, 0.7])
    for jump, step, t in ((heat.jump(), heat.step(), 0.05), (wave.jump(), wave.step(), 0.25)):
        assert np.abs(jump.reference(x=x, t=t) - step.reference(x=x, t=t)).max() < 1e-4


def test_corner_flux_is_singular():
    case = laplace.reentrant_corner()
    slopes = case.reference.derivative(laplace.u.diff(laplace.x), np.array([[1 - 1e-3, 1.0], [1 - 8e-3, 1.0]]))
    assert abs(slopes[0] / slopes[1] - 2) < 1e-10  # r^(-1/3)


def test_periodic_values_only():
    both = advection_diffusion.periodic_drift().problem
    values = advection_diffusion.periodic_drift(derivatives=False).problem
    assert [len(problem.terms[-1].expressions) for problem in (both, values)] == [2, 1]
    again = problem_from_json(*problem_to_json(values))
    assert len(again.terms[-1].expressions) == 1
    assert Periodic(advection_diffusion.u).derivatives


def test_collections():
    assert len(library("klausen2025")) == 10
    assert len(library("krasowski2026")) == 7
    assert set(library("klausen2025")) | set(library("krasowski2026")) <= set(library())
    with pytest.raises(ProblemError, match="klausen2025"):
        library("lie")
