"""Every class of the table: the bound is never below the error on dense points, nor far above on smooth problems."""

import warnings

import numpy as np
import pytest
import sympy as sp

from sciml import IBVP, Box, Dirichlet, Disk, Interval, Neumann, Periodic, Polygon, Rectangle, Robin, coordinates, field
from sciml.problems import black_scholes, burgers, heat, helmholtz, schroedinger, wave
from solvers.lie.bounds import error_bound

pytest.importorskip("flint")

x, y, z, t = coordinates("x y z t")
u, v = field("u", x, t), field("v", x, t)
U, W = field("u", x, y), field("u", x, y, t)
pi, exp, sin, cos, R = sp.pi, sp.exp, sp.sin, sp.cos, sp.Rational


def dense(problem, count=2000):
    time = tuple(map(float, problem.time[1:])) if problem.time else None
    parts = [problem.domain.sample(count, method="uniform", seed=5, time=time)]
    parts += [problem.domain.sample_face(face, 200, method="uniform", seed=6, time=time) for face in problem.faces]
    if time:
        start = problem.domain.sample(count, method="uniform", seed=7, time=time)
        start[:, -1] = time[0] + 1e-9 * (time[1] - time[0])
        parts.append(start)
    return np.concatenate(parts)


def largest_error(problem, exact, approximation):
    points, worst = dense(problem), 0.0
    for known in problem.fields:
        values = [np.broadcast_to(sp.lambdify(problem.coordinates, e[known], "scipy")(*points.T), len(points))
                  for e in (exact, approximation)]  # fmt: skip
        worst = max(worst, np.abs(values[0] - values[1]).max())
    return worst


def check(problem, exact, approximation, factor, case=""):
    if not isinstance(exact, dict):
        exact, approximation = {problem.fields[0]: exact}, {problem.fields[0]: approximation}
    error = largest_error(problem, exact, approximation)
    bound = error_bound(problem, approximation)
    assert bound.sup is not None, bound.reason
    assert error <= bound.sup, (case, error, bound)
    assert bound.sup <= factor * error, (case, error, bound)
    return bound


def rod(exact, boundary, pde=None, end=1, domain=None):
    return IBVP(
        pde=sp.Eq(u.diff(t), u.diff(x, 2)) if pde is None else pde,
        domain=domain or Interval(x, 0, 1),
        time=(t, 0, end),
        initial={u: exact.subs(t, 0)},
        boundary=boundary,
    )


mode = exp(-(pi**2) * t) * cos(pi * x)
walls = exp(-x) * cos(2 * t - x)


def test_heat_dirichlet():
    case = heat.oscillating_walls()
    wrong = R(1, 10**6) * sin(7 * pi * x) * exp(-49 * pi**2 * t) + sp.Float(1e-7) * (x**2 + 2 * t)
    check(case.problem, case.exact, case.exact + wrong, 2)


def test_truncated_fourier_series():
    # x(1-x) by 30 of its modes: floats as a solver would have them
    waves = [k for k in range(1, 60, 2)]

    def term(k):
        rate = sp.Float(np.pi * k)
        return sp.Float(8 / (np.pi * k) ** 3) * sin(rate * x) * exp(-sp.Float((np.pi * k) ** 2) * t)

    exact = sp.Add(*[8 / (pi * k) ** 3 * sin(pi * k * x) * exp(-(pi**2) * k**2 * t) for k in range(1, 400, 2)])
    problem = rod(x * (1 - x), [Dirichlet(u, 0)], end=R(1, 10))
    check(problem, exact, sp.Add(*map(term, waves)), 2)


def test_heat_neumann():
    problem = rod(mode, [Neumann(u, 0)])
    check(problem, mode, mode * (1 + R(1, 10**6)) + R(1, 10**7) * (x**2 + 2 * t), 10)


def test_heat_mixed_neumann_dirichlet():
    problem = rod(walls, [Dirichlet(u, walls, on="left"), Neumann(u, walls.diff(x), on="right")])
    check(problem, walls, walls + R(1, 10**6) * (x**3 + 6 * x * t), 3)


def test_heat_robin():
    left, right = -walls.diff(x) + 2 * walls, walls.diff(x) + walls
    problem = rod(walls, [Robin(u, 2, left, on="left"), Robin(u, 1, right, on="right")])
    check(problem, walls, walls + R(1, 10**6) * (x**2 + 2 * t), 3)


def test_heat_periodic():
    wave_ = exp(-4 * pi**2 * t) * sin(2 * pi * x)
    problem = rod(wave_, [Periodic(u)])
    check(problem, wave_, wave_ * (1 + R(1, 10**6)), 2)
    # a little beside the period: the jumps are lifted
    check(problem, wave_, exp(-4 * pi**2 * t) * sin((2 * pi + R(1, 10**6)) * x), 40)


def test_growth_and_drift():
    exact = exp(t) * sin(x) * exp(x)  # u_t = u_xx - 2 u_x + 3 u
    pde = sp.Eq(u.diff(t), u.diff(x, 2) - 2 * u.diff(x) + 3 * u)
    assert sp.simplify(exact.diff(t) - exact.diff(x, 2) + 2 * exact.diff(x) - 3 * exact) == 0
    problem = rod(exact, [Dirichlet(u, exact)], pde, end=R(1, 2))
    check(problem, exact, exact * (1 + R(1, 10**6)), 5)


def test_growth_is_counted():
    pde = sp.Eq(u.diff(t), u.diff(x, 2) + u)
    problem = rod(exp(t), [Neumann(u, 0)], pde)
    check(problem, exp(t), exp(t) * (1 + R(1, 10**6)), 1.3)


def test_variable_coefficients():
    exact = exp(-t) * x**2  # u_t = x² u_xx - (3 + x) u ... with a source
    pde = sp.Eq(u.diff(t), (1 + x**2) * u.diff(x, 2) - x * u + (-(x**2) - 2 * (1 + x**2) + x**3) * exp(-t))
    problem = rod(exact, [Dirichlet(u, exact)], pde)
    check(problem, exact, exact + R(1, 10**6) * sin(3 * x + t), 25)


def test_jump_in_the_data():
    case = heat.jump()
    check(case.problem, case.exact, case.exact * sp.Float(1.0001), 2)


def test_black_scholes():
    case = black_scholes.european_call()
    S = black_scholes.S
    check(case.problem, case.exact, case.exact + sp.Float(1e-6) * S, 2)


@pytest.mark.parametrize("case", [heat.disk_product(), heat.disk_pulse()], ids=["product", "pulse"])
def test_heat_on_the_disk(case):
    check(case.problem, case.exact, case.exact + R(1, 10**8) * (x**2 + y**2 + 4 * t), 3)


def test_heat_on_the_disk_neumann():
    exact = x**2 + y**2 + 4 * t
    problem = IBVP(
        pde=sp.Eq(W.diff(t), W.diff(x, 2) + W.diff(y, 2)),
        domain=Disk((x, y)),
        time=(t, 0, R(1, 5)),
        initial={W: exact.subs(t, 0)},
        boundary=[Neumann(W, 2)],
    )
    check(problem, exact, exact + R(1, 10**6) * exp(-t) * sin(x), 10)


L_SHAPE = Polygon((x, y), [(0, 0), (2, 0), (2, 1), (1, 1), (1, 2), (0, 2)])


@pytest.mark.parametrize(
    "domain", [Rectangle((x, 0, 1), (y, 0, 1)), Disk((x, y)), L_SHAPE], ids=["square", "disk", "L"]
)
def test_laplace_dirichlet(domain):
    exact = exp(x) * sin(y)
    problem = IBVP(pde=sp.Eq(U.diff(x, 2) + U.diff(y, 2), 0), domain=domain, boundary=[Dirichlet(U, exact)])
    check(problem, exact, exact + R(1, 10**6) * (x**3 - 3 * x * y**2), 1.3)


def test_poisson_with_residual_and_robin():
    exact = x**2 * y
    problem = IBVP(
        pde=sp.Eq(U.diff(x, 2) + U.diff(y, 2) - U, 2 * y - x**2 * y),
        domain=Rectangle((x, 0, 1), (y, 0, 1)),
        boundary=[
            Dirichlet(U, exact, on=["left", "right", "bottom"]),
            Robin(U, 2, x**2 + 2 * x**2, on="top"),
        ],
    )
    check(problem, exact, exact + R(1, 10**6) * x * y * (1 - x), 10)


@pytest.mark.parametrize("case", [helmholtz.point_source(), helmholtz.plane_wave()], ids=["source", "plane"])
def test_helmholtz(case):
    k = {"Helmholtz, point source": 20}.get(case.problem.name, 10)
    wrong = R(1, 10**9) * sin(R(3, 5) * k * x) * sin(R(4, 5) * k * y)
    check(case.problem, case.exact, case.exact + wrong, 10)


def test_helmholtz_near_a_resonance():
    # the side sees sin(b) = -0.008 of an error of size 1
    b = sp.sqrt(pi**2 + R(1, 20))
    problem = IBVP(
        pde=sp.Eq(U.diff(x, 2) + U.diff(y, 2) + (2 * pi**2 + R(1, 20)) * U, 0),
        domain=Rectangle((x, 0, 1), (y, 0, 1)),
        boundary=[Dirichlet(U, 0)],
    )
    check(problem, sp.S.Zero, R(1, 10**6) * sin(pi * x) * sin(b * y), 2)


def test_helmholtz_at_a_resonance_has_no_bound():
    problem = IBVP(
        pde=sp.Eq(U.diff(x, 2) + U.diff(y, 2) + 2 * pi**2 * U, 0),
        domain=Rectangle((x, 0, 1), (y, 0, 1)),
        boundary=[Dirichlet(U, cos(pi * x) * cos(pi * y))],
    )
    bound = error_bound(problem, cos(pi * x) * cos(pi * y))
    assert bound.sup is None
    assert "eigenvalue" in bound.reason


@pytest.mark.parametrize("case", [wave.sine_mix(), wave.two_modes()], ids=["mix", "speed 2"])
def test_wave_on_the_string(case):
    wrong = R(1, 10**7) * (x**2 + (2 if "two" in case.problem.name else 1) ** 2 * t**2)
    check(case.problem, case.exact, case.exact + wrong, 10)


def test_wave_at_a_resonance_of_the_side():
    # the mismatch cos(πt) of the left side arrives again and again in phase: the error grows with the time
    problem = IBVP(
        pde=sp.Eq(u.diff(t, 2), u.diff(x, 2)),
        domain=Interval(x, 0, 1),
        time=(t, 0, 6),
        initial={u: 0, u.diff(t): 0},
        boundary=[Dirichlet(u, 0)],
    )
    wrong = (1 - x) * cos(pi * x) * cos(pi * t) + t * sin(pi * x) * sin(pi * t)
    check(problem, sp.S.Zero, wrong * R(1, 10**6), 2)


def test_wave_with_a_free_end():
    exact = sin(pi * x / 2) * cos(pi * t / 2)
    problem = IBVP(
        pde=sp.Eq(u.diff(t, 2), u.diff(x, 2)),
        domain=Interval(x, 0, 1),
        time=(t, 0, 2),
        initial={u: exact.subs(t, 0), u.diff(t): 0},
        boundary=[Dirichlet(u, 0, on="left"), Neumann(u, 0, on="right")],
    )
    check(problem, exact, exact + R(1, 10**6) * (x**3 + 3 * x * t**2), 10)


def test_damped_wave_with_variable_damping():
    exact = exp(-t) * sin(pi * x)
    damping = 1 + x
    source = exact.diff(t, 2) + damping * exact.diff(t) - exact.diff(x, 2)
    problem = IBVP(
        pde=sp.Eq(u.diff(t, 2) + damping * u.diff(t), u.diff(x, 2) + source),
        domain=Interval(x, 0, 1),
        time=(t, 0, 1),
        initial={u: exact.subs(t, 0), u.diff(t): -sin(pi * x)},
        boundary=[Dirichlet(u, 0)],
    )
    check(problem, exact, exact * (1 + R(1, 10**6)), 10)


def test_wave_on_the_square():
    exact = sin(pi * x) * sin(pi * y) * cos(sp.sqrt(2) * pi * t)
    problem = IBVP(
        pde=sp.Eq(W.diff(t, 2), W.diff(x, 2) + W.diff(y, 2)),
        domain=Rectangle((x, 0, 1), (y, 0, 1)),
        time=(t, 0, 1),
        initial={W: exact.subs(t, 0), W.diff(t): 0},
        boundary=[Dirichlet(W, 0)],
    )
    check(problem, exact, exact * (1 + R(1, 10**6)), 10)
    check(problem, exact, exact + R(1, 10**6) * cos(x) * cos(sp.sqrt(2) * t) * cos(y), 20)


def test_membrane_with_a_tiny_jump_has_an_l2_bound():
    case = wave.membrane()
    bound = error_bound(case.problem, sp.S.Zero)
    assert bound.sup is None
    assert "do not agree" in bound.reason
    points = dense(case.problem)[:2000]
    late = points.copy()
    late[:, -1] = 0.7
    assert np.sqrt((case.reference.evaluate(late) ** 2).mean()) <= bound.l2


def test_schroedinger():
    case = schroedinger.wave_packet()
    check(case.problem, case.exact, {k: e * (1 + R(1, 10**6)) for k, e in case.exact.items()}, 10)


def test_advection():
    exact = sin(3 * (x - t))
    problem = IBVP(
        pde=sp.Eq(u.diff(t) + u.diff(x), 0),
        domain=Interval(x, 0, 1),
        time=(t, 0, 1),
        initial={u: exact.subs(t, 0)},
        boundary=[Dirichlet(u, exact, on="left")],
    )
    check(problem, exact, exact + R(1, 10**6) * exp(x - t), 2)


def test_periodic_advection():
    exact = sin(2 * pi * (x - 3 * t))
    problem = IBVP(
        pde=sp.Eq(u.diff(t) + 3 * u.diff(x), 0),
        domain=Interval(x, 0, 1),
        time=(t, 0, 1),
        initial={u: exact.subs(t, 0)},
        boundary=[Periodic(u)],
    )
    check(problem, exact, exact * (1 + R(1, 10**6)), 2)
    # off the period by a little: every passage adds the jump
    check(problem, exact, sin((2 * pi + R(1, 10**6)) * (x - 3 * t)), 4)


def acoustics():
    return IBVP(
        pde=[sp.Eq(u.diff(t) + 4 * v.diff(x), 0), sp.Eq(v.diff(t) + u.diff(x), 0)],
        domain=Interval(x, 0, 1),
        time=(t, 0, 1),
        initial={u: cos(pi * x), v: 0},
        boundary=[Dirichlet(v, 0)],
        fields=[u, v],
    )


def test_acoustics():
    exact = {u: cos(pi * x) * cos(2 * pi * t), v: sin(pi * x) * sin(2 * pi * t) / 2}
    wrong = {u: -4 * R(1, 10**6) * t, v: R(1, 10**6) * x}
    check(acoustics(), exact, {k: exact[k] + wrong[k] for k in exact}, 20)


def test_burgers():
    case = burgers.travelling_wave()
    bound = check(case.problem, case.exact, case.exact * (1 + R(1, 10**8)), 1e6)
    assert bound.details["growth"] > 1


def test_three_dimensions():
    f = field("u", x, y, z, t)
    exact = exp(-3 * pi**2 * t) * sin(pi * x) * sin(pi * y) * sin(pi * z)
    problem = IBVP(
        pde=sp.Eq(f.diff(t), f.diff(x, 2) + f.diff(y, 2) + f.diff(z, 2)),
        domain=Box((x, 0, 1), (y, 0, 1), (z, 0, 1)),
        time=(t, 0, R(1, 10)),
        initial={f: exact.subs(t, 0)},
        boundary=[Dirichlet(f, 0)],
    )
    check(problem, exact, exact * (1 + R(1, 10**6)), 2)


@pytest.fixture(autouse=True)
def _quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
