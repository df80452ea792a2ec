import numpy as np
import pytest
import sympy as sp

from sciml import IBVP, Condition, Dirichlet, Disk, Interval, Neumann, Periodic, Rectangle, coordinates, field, normal
from sciml.errors import ConvergenceError, ProblemWarning
from solvers.reference import FiniteElement
from solvers.reference.time_stepping import time_grid

x, y, t = coordinates("x y t")
u = field("u", x, t)
v = field("v", x, y, t)
nx, ny = normal(x, y)
LINE = Interval(x, 0, 1)
RING = Disk((x, y)) - Disk((x, y), center=(0.2, 0), radius=0.25, name="hole")


def start(known, exact, order=1):
    keys = [known, known.diff(t)][:order]
    return {key: (exact.diff(t, k) if k else exact).subs(t, 0) for k, key in enumerate(keys)}


def time_order(problem, exact, size, steps):
    errors = []
    for count in steps:
        report = FiniteElement(mesh_size=size, steps=count).solve(problem).error(exact)
        errors.append(max(report.relative_l2.values()))
    return np.log(errors[-2] / errors[-1]) / np.log(steps[-1] / steps[-2]), errors[-1]


def test_heat_equation():
    exact = sp.exp(-(sp.pi**2) * t) * sp.sin(sp.pi * x)
    problem = IBVP(
        sp.Eq(u.diff(t), u.diff(x, 2)), LINE, time=(t, 0, 0.5), initial=start(u, exact), boundary=[Dirichlet(u, 0)]
    )
    order, _ = time_order(problem, exact, 0.02, (20, 40))
    assert order == pytest.approx(2, abs=0.15)
    solution = FiniteElement(mesh_size=0.02).solve(problem)
    assert solution.error(exact).relative_l2["u"] < 1e-5
    assert solution.history["time_error"][-1] <= 1e-5
    points = np.column_stack([np.linspace(0.01, 0.99, 50), np.linspace(0.02, 0.5, 50)])
    truth = -(np.pi**2) * np.exp(-(np.pi**2) * points[:, 1]) * np.sin(np.pi * points[:, 0])
    assert np.abs(solution.derivative(u.diff(t), points) - truth).max() < 1e-3


def test_moving_coefficients_and_data_on_a_ring():
    exact = sp.exp(-t) * sp.sin(x + 2 * y + 3 * t)

    def operator(e):
        return (1 + x**2 + t) * e.diff(t) - (1 + t) * (e.diff(x, 2) + e.diff(y, 2)) + x * e.diff(y)

    def robin(e):
        return nx * e.diff(x) + ny * e.diff(y) + t * e

    problem = IBVP(
        sp.Eq(operator(v), operator(exact)),
        RING,
        time=(t, 0, 1),
        initial=start(v, exact),
        boundary=[Dirichlet(v, exact, on="hole"), Condition(sp.Eq(robin(v), robin(exact)), on="boundary")],
    )
    order, error = time_order(problem, exact, 0.2, (10, 20))
    assert order == pytest.approx(2, abs=0.2)
    assert error < 1e-3


def test_periodic_advection_diffusion_is_of_third_order_in_space():
    exact = sp.exp(-t / 10) * sp.sin(2 * sp.pi * (x - t)) * sp.cos(2 * sp.pi * y)

    def operator(e):
        return e.diff(t) + e.diff(x) - (e.diff(x, 2) + e.diff(y, 2)) / 10

    problem = IBVP(
        sp.Eq(operator(v), operator(exact)),
        Rectangle((x, 0, 1), (y, 0, 1)),
        time=(t, 0, 0.5),
        initial=start(v, exact),
        boundary=[Periodic(v, ("left", "right")), Periodic(v, ("bottom", "top"))],
    )
    errors = [FiniteElement(mesh_size=h, steps=150).solve(problem).error(exact).relative_l2["v"] for h in (0.2, 0.1)]
    assert np.log2(errors[0] / errors[1]) > 2.7


@pytest.mark.parametrize("damping", [0, 1])
def test_wave_equation_with_moving_ends(damping):
    exact = sp.sin(x + 2 * t) + sp.cos(x - t)

    def operator(e):
        return (1 + x**2) * e.diff(t, 2) + damping * e.diff(t) - e.diff(x, 2)

    problem = IBVP(sp.Eq(operator(u), operator(exact)), LINE, time=(t, 0, 2), initial=start(u, exact, 2),
                   boundary=[Dirichlet(u, exact, on="left"), Neumann(u, exact.diff(x), on="right")])  # fmt: skip
    order, _ = time_order(problem, exact, 0.05, (40, 80))
    assert order == pytest.approx(2, abs=0.15)


def test_wave_keeps_its_energy():
    exact = sp.cos(sp.pi * t) * sp.sin(sp.pi * x)
    problem = IBVP(
        sp.Eq(u.diff(t, 2), u.diff(x, 2)), LINE, time=(t, 0, 40), initial=start(u, exact, 2), boundary=[Dirichlet(u, 0)]
    )
    solution = FiniteElement(mesh_size=0.1, steps=400).solve(problem)
    late = solution(x=0.5, t=np.linspace(38, 40, 200))
    assert np.abs(late).max() == pytest.approx(1, abs=5e-3)


def test_fields_of_different_order_in_time():
    a, b = field("a", x, t), field("b", x, t)
    exact = {a: sp.sin(x) * sp.cos(3 * t), b: sp.cos(x) * sp.exp(-t)}

    def operators(p, q):
        return [p.diff(t, 2) - p.diff(x, 2) + q.diff(x) + p.diff(t), q.diff(t) - q.diff(x, 2) + p.diff(x, t)]

    equations = [sp.Eq(m, n) for m, n in zip(operators(a, b), operators(*exact.values()), strict=True)]
    problem = IBVP(equations, LINE, time=(t, 0, 1), initial=start(a, exact[a], 2) | start(b, exact[b]),
                   boundary=[Dirichlet(a, exact[a]), Dirichlet(b, exact[b])])  # fmt: skip
    order, _ = time_order(problem, exact, 0.05, (20, 40))
    assert order == pytest.approx(2, abs=0.15)


def test_field_without_time_derivative():
    a, b = field("a", x, t), field("b", x, t)
    exact = {a: sp.sin(x) * sp.cos(3 * t), b: sp.cos(x) * sp.exp(-t)}

    def operators(p, q):
        return [p.diff(t) - p.diff(x, 2) + q, q.diff(x, 2) - q + p]

    equations = [sp.Eq(m, n) for m, n in zip(operators(a, b), operators(*exact.values()), strict=True)]
    problem = IBVP(equations, LINE, time=(t, 0, 1), initial=start(a, exact[a]),
                   boundary=[Dirichlet(a, exact[a]), Dirichlet(b, exact[b])])  # fmt: skip
    order, error = time_order(problem, exact, 0.05, (40, 80))
    assert order == pytest.approx(2, abs=0.2)
    assert error < 1e-4
    first = FiniteElement(mesh_size=0.05, steps=40).solve(problem)(x=0.3, t=0.0)["b"]
    assert float(first) == pytest.approx(np.cos(0.3), abs=1e-3)


def test_polynomials_in_space_and_time_are_exact():
    heat = IBVP(sp.Eq(u.diff(t), u.diff(x, 2)), LINE, time=(t, 0, 1), initial={u: x**2},
                boundary=[Dirichlet(u, x**2 + 2 * t, on="left"), Neumann(u, 2, on="right")])  # fmt: skip
    wave = IBVP(sp.Eq(u.diff(t, 2), u.diff(x, 2)), LINE, time=(t, 0, 1), initial={u: x**2, u.diff(t): x},
                boundary=[Dirichlet(u, x**2 + x * t + t**2, on="left"), Neumann(u, 2 + t, on="right")])  # fmt: skip
    assert FiniteElement(mesh_size=0.2, steps=7).solve(heat).error(x**2 + 2 * t).maximum["u"] < 1e-11
    assert FiniteElement(mesh_size=0.2, steps=7).solve(wave).error(x**2 + x * t + t**2).maximum["u"] < 1e-11


def test_data_that_jump_at_the_start():
    with pytest.warns(ProblemWarning, match="jump of 1"):
        problem = IBVP(
            sp.Eq(u.diff(t), u.diff(x, 2)), LINE, time=(t, 0, 0.2), initial={u: 1}, boundary=[Dirichlet(u, 0)]
        )
    series = [4 / (sp.pi * k) * sp.sin(k * sp.pi * x) * sp.exp(-((k * sp.pi) ** 2) * t) for k in range(1, 60, 2)]
    generator = np.random.default_rng(0)
    points = np.column_stack([generator.random(2000), 0.004 + 0.196 * generator.random(2000)])
    solution = FiniteElement(mesh_size=0.02, steps=64).solve(problem)
    assert solution.error(sp.Add(*series), points).maximum["u"] < 1e-3
    assert solution(x=[0.0, 0.5], t=0.0) == pytest.approx([1, 1])
    assert len(time_grid(0, 1, 64, True)) > len(time_grid(0, 1, 64, False)) == 65


def test_opaque_data_in_time():
    exact = sp.exp(-t) * sp.cos(x)
    problem = IBVP(sp.Eq(u.diff(t), u.diff(x, 2)), LINE, time=(t, 0, 1), initial={u: sp.cos(x)},
                   boundary=[Dirichlet(u, lambda x, t: np.exp(-np.asarray(t)) * np.cos(np.asarray(x)))])  # fmt: skip
    order, error = time_order(problem, exact, 0.1, (20, 40))
    assert order > 1.8
    assert error < 1e-4


def test_callbacks_see_every_step_and_may_stop():
    problem = IBVP(
        sp.Eq(u.diff(t), u.diff(x, 2)), LINE, time=(t, 0, 1), initial={u: sp.sin(sp.pi * x)}, boundary=[Dirichlet(u, 0)]
    )
    seen = []
    FiniteElement(mesh_size=0.1, steps=5).solve(problem, [lambda *values: seen.append(values)])
    assert [step for step, _, _ in seen] == [1, 2, 3, 4, 5]
    assert seen[-1][1:] == (5, {"time": 1.0})
    with pytest.raises(ConvergenceError, match="callback"):
        FiniteElement(mesh_size=0.1, steps=5).solve(problem, [lambda step, total, values: step == 3])
    partial = FiniteElement(mesh_size=0.1).solve(problem, [lambda step, total, values: total > 64])
    assert "stopped" in partial.status
