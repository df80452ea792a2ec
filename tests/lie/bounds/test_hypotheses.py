"""Each stability constant has hypotheses; where one fails there is no bound, and never one below the error."""

import pytest
import sympy as sp

from sciml import IBVP, Dirichlet, Interval, Neumann, Periodic, Polygon, Rectangle, Robin, coordinates, field
from sciml.errors import ProblemWarning
from solvers.lie.bounds import error_bound

pytest.importorskip("flint")
pytestmark = pytest.mark.filterwarnings("ignore::sciml.errors.ProblemWarning")

x, y, t = coordinates("x y t")
u, v, w = field("u", x, t), field("v", x, y), field("w", x, y, t)
a, b = field("a", x, t), field("b", x, t)
half, quarter = sp.Rational(1, 2), sp.Rational(1, 4)
rod, square = Interval(x, 0, 1), Rectangle((x, 0, 1), (y, 0, 1))
heat = sp.Eq(u.diff(t), u.diff(x, 2))
wave = sp.Eq(u.diff(t, 2), u.diff(x, 2))
telegraph = sp.Eq(u.diff(t, 2) + u.diff(t), u.diff(x, 2))
membrane = sp.Eq(w.diff(t, 2), w.diff(x, 2) + w.diff(y, 2))
laplace = sp.Eq(v.diff(x, 2) + v.diff(y, 2), 0)
bent = sp.Piecewise((half - x, x < half), (x - half, True))
step = sp.Piecewise((1, x < half), (0, True))
disc = sp.Piecewise((1, (x - half) ** 2 + (y - half) ** 2 < quarter**2), (0, True))


def moving(pde, start, boundary, end=1):
    known = u if pde.has(u) else w
    initial = {known: start}
    if pde.has(known.diff(t, 2)):
        initial[known.diff(t)] = 0
    return IBVP(pde=pde, domain=rod if known is u else square, time=(t, 0, end), initial=initial, boundary=boundary)


def steady(data):
    return IBVP(pde=laplace, domain=square, boundary=[Dirichlet(v, data)])


CASES = {
    # the approximation 0 has e0 = -1, whose derivative and energy are 0; the error is 1
    "energy, sides against start": (lambda: moving(telegraph, 1, [Dirichlet(u, 0)], quarter), 0, "do not agree"),
    "energy, jump of the data": (lambda: moving(telegraph, x * step, [Dirichlet(u, 0)], quarter), 0, "may jump"),
    "energy, jump in time on a side": (
        lambda: moving(telegraph, 0, [Dirichlet(u, sp.Piecewise((0, t < quarter), (1, True)), on="left"),
                              Dirichlet(u, 0, on="right")]), 0, "cannot be lifted"),
    "energy, Neumann": (lambda: moving(telegraph, 1, [Neumann(u, 0)], quarter), 0, "Dirichlet"),
    # |e0| = 1, its gradient as a formula 0; where the front of the disc meets itself the error is above 3/2
    "membrane, jump of the data": (lambda: moving(membrane, disc, [Dirichlet(w, 0)], half), 0, "may jump"),
    "membrane, saw tooth by periodicity": (
        lambda: moving(membrane, x - half, [Periodic(w, on=("left", "right")), Periodic(w, on=("bottom", "top"))]), 0,
        "do not agree"),
    # classical residual 0, but u_xx holds a delta
    "heat, bent approximation": (lambda: moving(heat, bent, [Dirichlet(u, half)]), bent, "kinks"),
    "heat, bent approximation by a root": (
        lambda: moving(heat, bent, [Dirichlet(u, half)]), sp.sqrt(x**2 - x + quarter), "singular inside"),
    "wave, kink that stands": (lambda: moving(wave, bent, [Dirichlet(u, half)]), bent, "kinks"),
    "Laplace, pole": (lambda: steady(0), sp.log((x - half) ** 2 + (y - half) ** 2), "singular inside"),
    "Laplace, cut": (lambda: steady(0), sp.atan2(y - half, x - half), "singular inside"),
    # near 0 all solutions are 1 + O(x^2.5): u_x = 0 there says nothing
    "Neumann beside an unbounded drift": (
        lambda: moving(sp.Eq(u.diff(t), u.diff(x, 2) - 3 / (2 * x) * u.diff(x)), 0,
               [Neumann(u, 0, on="left"), Dirichlet(u, 0, on="right")]), 0, "unbounded"),
    "Neumann beside a degenerate diffusion": (
        lambda: moving(sp.Eq(u.diff(t), x**2 * u.diff(x, 2)), 0,
                       [Neumann(u, 0, on="left"), Dirichlet(u, 0, on="right")]), 0, "degenerate"),
    "Robin of the wrong sign": (lambda: moving(heat, 1, [Robin(u, -2, 0)]), 0, "negative"),
    "diffusion that changes its sign": (
        lambda: moving(sp.Eq(u.diff(t), (x - half) * u.diff(x, 2)), 0, [Dirichlet(u, 0)]), 0,
        "not proven to be positive"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_no_bound_without_its_hypotheses(name: str) -> None:
    problem, approximation, words = CASES[name]
    bound = error_bound(problem(), sp.sympify(approximation))
    assert bound.sup is None
    assert words in bound.reason


def test_schroedinger_with_a_jump() -> None:
    jump = sp.Piecewise((x, x < half), (0, True))
    pde = [sp.Eq(a.diff(t), -b.diff(x, 2) / 2), sp.Eq(b.diff(t), a.diff(x, 2) / 2)]
    sides = [Dirichlet(a, 0), Dirichlet(b, 0)]
    problem = IBVP(pde=pde, domain=rod, time=(t, 0, quarter), initial={a: jump, b: 0}, boundary=sides)
    bound = error_bound(problem, {a: sp.S.Zero, b: sp.S.Zero})
    assert bound.sup is None
    assert "may jump" in bound.reason


def test_periodic_heat_with_a_saw_tooth_keeps_its_bound() -> None:
    """Maximum principles need no continuity: the bound is |e0|, and the error reaches it."""
    problem = moving(heat, x - half, [Periodic(u, on=("left", "right"))])
    bound = error_bound(problem, sp.S.Zero)
    assert 0.5 <= bound.sup <= 0.55


def test_kinks_of_the_data_alone_are_fine() -> None:
    problem = moving(telegraph, half - sp.Abs(x - half), [Dirichlet(u, 0)], quarter)
    bound = error_bound(problem, sp.S.Zero)
    assert bound.sup is not None, bound.reason
    assert 0.5 <= bound.sup <= 2.0


def test_jumps_that_travel_are_weak_solutions() -> None:
    front = sp.Piecewise((1, x - t < half), (0, True))
    problem = moving(wave, front.subs(t, 0), [Dirichlet(u, 1, on="left"), Dirichlet(u, 0, on="right")], quarter)
    problem = problem.replace(initial={u: front.subs(t, 0), u.diff(t): 0})
    bound = error_bound(problem, front + sp.Rational(1, 1000))
    assert bound.sup is not None, bound.reason


def test_corner_function_outside_its_cut() -> None:
    """The cut of r^(2/3) sin(2θ/3) runs through the missing quarter of the L; along an edge, or inside, is told."""
    domain = Polygon((x, y), [(0, 0), (2, 0), (2, 1), (1, 1), (1, 2), (0, 2)])
    # θ from the diagonal into the domain
    along, across = -(x - 1) - (y - 1), (x - 1) - (y - 1)
    radius = (x - 1) ** 2 + (y - 1) ** 2
    corner = radius ** sp.Rational(1, 3) * sp.cos(sp.Rational(2, 3) * sp.atan2(across, along))
    problem = IBVP(pde=laplace, domain=domain, boundary=[Dirichlet(v, corner)])
    bound = error_bound(problem, corner + sp.Rational(1, 1000))
    assert "singular inside" not in bound.reason
    assert bound.sup is None or bound.sup >= 1e-3
    turned = corner.xreplace({along: -along, across: -across})
    inside = error_bound(problem, turned)
    assert "singular inside" in inside.reason


def test_warnings_are_those_of_the_problem() -> None:
    with pytest.warns(ProblemWarning):
        moving(telegraph, 1, [Dirichlet(u, 0)], quarter)
