"""Vorticity, streamlines, forces, balances and wall shear against closed flows, and of finite element flows."""

import numpy as np
import pytest
import sympy as sp

from sciml import ExactSolution
from sciml.errors import PointsError, ProblemError
from sciml.flows import (
    force,
    mass_balance,
    profile,
    reattachment,
    stream_function,
    streamlines,
    velocity,
    vorticity,
    wall_shear,
)
from sciml.flows.subtraction import RestoredSolution, corner_flow, subtracted
from sciml.plotting import plot_flow, plot_profiles
from sciml.problems import cylinder, flow_identification, navier_stokes, poiseuille
from solvers.reference import FiniteElement

VORTEX = navier_stokes.taylor_green().reference
CHANNEL = poiseuille.channel(sp.Rational(1, 5), 3)


@pytest.fixture(scope="module")
def around():
    return FiniteElement(mesh_size=0.5, refine={"cylinder": 0.05}).solve(cylinder.dfg_steady().problem)


def test_vorticity_in_the_plane_and_in_space():
    points = np.array([[0.3, 1.1], [2.0, 4.0]])
    wanted = 2 * np.cos(points[:, 0]) * np.cos(points[:, 1]) * np.exp(-0.01)
    assert vorticity(VORTEX, points, time=0.5) == pytest.approx(wanted, abs=1e-12)
    twist = navier_stokes.beltrami().reference
    places = np.random.default_rng(1).uniform(-1, 1, (5, 3))
    turn, speed = vorticity(twist, places, 0.2), velocity(twist, places, 0.2)
    assert np.abs(np.cross(turn, speed)).max() < 1e-12  # parallel, the definition of a Beltrami flow
    with pytest.raises(PointsError, match="time="):
        vorticity(VORTEX, points)


def test_stream_function_and_streamlines_of_a_vortex():
    points = np.random.default_rng(0).uniform(1, 5, (6, 2))
    found = stream_function(VORTEX, points, (3.0, 3.0), time=0.0)

    def psi(p):
        return np.cos(p[..., 0]) * np.cos(p[..., 1])

    assert found == pytest.approx(psi(points) - psi(np.array([3.0, 3.0])), abs=1e-9)
    for line in streamlines(VORTEX, [[3.0, 2.2], [2.0, 3.3]], time=0.0, count=40):
        assert len(line) == 81
        assert np.ptp(psi(line)) < 1e-7


def test_profile_of_a_channel():
    points, values = profile(CHANNEL.reference, (1, 0), (1, 1), 5)
    assert points[:, 1] == pytest.approx([0, 0.25, 0.5, 0.75, 1])
    assert values["u"] == pytest.approx([0, 0.75, 1, 0.75, 0])


def test_forces_of_a_channel_on_its_walls():
    walls = force(CHANNEL.reference, ("bottom", "top"))
    assert walls.value == pytest.approx([8 * 0.2 * 3, 0], abs=1e-12)
    lower = force(CHANNEL.reference, "bottom")
    assert lower.value == pytest.approx([2.4, -0.5 * 8 * 0.2 * 9], abs=1e-12)  # ∫ p = 8 ν L²/2 presses downwards
    assert lower.quadrature_error.max() < 1e-12
    with pytest.raises(ProblemError, match="room between"):
        force(CHANNEL.reference, "bottom", method="volume")
    with pytest.raises(ProblemError, match="line"):
        force(CHANNEL.reference, "bottom", method="surface")


def test_wall_shear_and_balance_of_a_channel():
    for face in ("bottom", "top"):
        points, shear = wall_shear(CHANNEL.reference, face, 7)
        assert len(points) == 7
        assert shear == pytest.approx(np.full(7, 0.8), abs=1e-12)
    balance = mass_balance(CHANNEL.reference)
    assert balance.faces["left"] == pytest.approx(-2 / 3)
    assert balance.net == pytest.approx(0, abs=1e-14)
    assert balance.divergence < 1e-14


def test_places_where_the_wall_shear_turns():
    u, v, p = CHANNEL.problem.fields
    x, y = CHANNEL.problem.space
    back = ExactSolution(CHANNEL.problem, {u: y * (x - 1) * (x - sp.Rational(5, 2)), v: sp.S.Zero, p: sp.S.Zero})
    assert reattachment(back, "bottom") == pytest.approx([1, 2.5], abs=1e-5)


def test_both_forms_of_the_force_agree_for_a_smooth_field():
    """Any field is a flow with suitable sources; the body is the disk, far from the walls."""
    case = cylinder.dfg_steady()
    u, v, p = case.problem.fields
    x, y = case.problem.space
    # momentum and continuity hold: potential flow around nothing, with its Bernoulli pressure
    exact = {u: x / 10, v: -y / 10, p: -(x**2 + y**2) / 200}
    smooth = ExactSolution(case.problem, exact)
    line, volume = force(smooth, "cylinder"), force(smooth, "cylinder", "volume", nodes=96)
    assert (np.abs(volume.value - line.value) < 2 * volume.quadrature_error + 1e-9).all()
    assert volume.value == pytest.approx(line.value, rel=0.02)
    assert np.abs(line.value).max() > 1e-2
    assert line.quadrature_error.max() < 1e-10


def test_cylinder_of_the_dfg_benchmark_on_a_coarse_mesh(around):
    case = cylinder.dfg_steady()
    found = case.measure(around)
    assert 5.57 < found["drag coefficient"] < 5.59
    assert 0.1172 < found["pressure difference"] < 0.1176
    balance = mass_balance(around)
    assert abs(balance.net) < 1e-5 * balance.largest
    assert force(around, "cylinder", "volume").quadrature_error.max() < 1e-5


def test_pictures(around):
    figure = plot_flow(around, "vorticity", resolution=60)
    assert [bar.get_ylabel() for bar in figure.axes[0].child_axes] == ["vorticity"]
    table = {"published": (np.array([1.0, 2.0]), np.array([0.5, 0.6]))}
    profiles = plot_profiles({"flow": around, "again": around}, [("u", (6, 0), (6, 4.1))], [table])
    assert [line.get_label() for line in profiles.axes[0].lines] == ["flow", "again", "published"]


def test_corner_flow_is_a_stokes_flow_with_the_data_of_the_lid():
    x, y = navier_stokes.x, navier_stokes.y
    nu = sp.Rational(1, 3)
    u, v, p = corner_flow((x, y), (1, 1), (-1, 0), (0, -1), nu, speed=-1)
    residuals = [u.diff(x) + v.diff(y), *(p.diff(s) - nu * (c.diff(x, 2) + c.diff(y, 2)) for c, s in ((u, x), (v, y)))]
    for place in ({x: 0.3, y: 0.2}, {x: 0.9, y: 0.7}):
        assert max(abs(float(r.subs(place))) for r in residuals) < 1e-12
    assert float(u.subs({x: 0.4, y: 1})) == pytest.approx(1)
    assert float(v.subs({x: 0.4, y: 1})) == pytest.approx(0, abs=1e-15)
    assert abs(float(u.subs({x: 1, y: 0.4}))) + abs(float(v.subs({x: 1, y: 0.4}))) < 1e-14


def test_a_known_part_can_be_subtracted_and_restored():
    case = navier_stokes.kovasznay()
    u, _, p = case.problem.fields
    x, y = case.problem.space
    known = {u: sp.sin(x) * y, p: x * y}
    rest = subtracted(case.problem, known, {"momentum x": 1 + x**2})
    exact = {key: value - known.get(key, 0) for key, value in case.exact.items()}
    remainder = ExactSolution(rest, exact)
    points = rest.domain.sample(50)
    assert np.abs(remainder.residual(points)).max() < 1e-10
    whole = RestoredSolution(case.problem, remainder, known)
    assert whole.error(case.reference).maximum["u"] < 1e-12
    slope = u.diff(x) * p
    assert whole.derivative(slope, points) == pytest.approx(case.reference.derivative(slope, points), abs=1e-10)
    with pytest.raises(ProblemError, match="names of equations"):
        subtracted(case.problem, known, {"energy": x})


def test_the_inverse_problem_holds_noisy_velocities_only():
    with pytest.warns(UserWarning, match="second derivatives"):
        case = flow_identification.viscosity(samples=50, noise=0.02, seed=3)
    first = case.problem.observations[0]
    clean = case.reference.evaluate(first.points)[:, 0]
    assert np.std(first.values - clean) == pytest.approx(first.sigma, rel=0.35)
    assert {str(o.quantity) for o in case.problem.observations} == {"u(x, y)", "v(x, y)"}
    assert case.numbers == {"nu": 0.05}
