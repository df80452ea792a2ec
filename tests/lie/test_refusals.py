"""Bad input: refused or warned with the reason and the alternative; well-posed neighbours are not."""

import warnings

import numpy as np
import pytest
import sympy as sp

from sciml import IBVP, Condition, Dirichlet, Interval, Neumann, Periodic, Rectangle, coordinates, field
from sciml.classification import linear_form
from sciml.errors import ProblemError, ProblemWarning, SolverError, SolverWarning
from solvers.lie import LieSolver
from solvers.lie.wellposed import require_well_posed, warn_unbounded

x, y, t = coordinates("x y t")
u, v, w, q = field("u", x, t), field("v", x, y), field("w", x, y, t), field("q", x)
a, b = field("a", x, t), field("b", x, t)
rod, square, half = Interval(x, 0, 1), Rectangle((x, 0, 1), (y, 0, 1)), sp.Rational(1, 2)
hump = sp.sin(sp.pi * x)
laplace = v.diff(x, 2) + v.diff(y, 2)


def moving(pde, domain=rod, boundary=None):
    known = w if domain is square else u
    initial = {known: hump * (sp.sin(sp.pi * y) if domain is square else 1)}
    if pde.has(known.diff(t, 2)):
        initial[known.diff(t)] = 0
    sides = boundary or [Dirichlet(known, 0)]
    return IBVP(pde=pde, domain=domain, time=(t, 0, half), initial=initial, boundary=sides)


def pair(first, second):
    sides = [Dirichlet(a, 0), Dirichlet(b, 0)]
    return IBVP(pde=[first, second], domain=rod, time=(t, 0, half), initial={a: hump, b: 0}, boundary=sides)


def steady(pde, boundary, domain=square):
    return IBVP(pde=pde, domain=domain, boundary=boundary)


ILL_POSED = {
    "backward heat": lambda: moving(sp.Eq(u.diff(t), -u.diff(x, 2))),
    "backward on one half": lambda: moving(sp.Eq(u.diff(t), (x - half) * u.diff(x, 2))),
    "backward at some times": lambda: moving(sp.Eq(u.diff(t), sp.cos(4 * t) * u.diff(x, 2))),
    "backward by the factor of u_t": lambda: moving(sp.Eq((x - half) * u.diff(t), u.diff(x, 2))),
    "backward along y": lambda: moving(sp.Eq(w.diff(t), w.diff(x, 2) - w.diff(y, 2)), square),
    "backward along a diagonal": lambda: moving(
        sp.Eq(w.diff(t), w.diff(x, 2) + 3 * w.diff(x).diff(y) + w.diff(y, 2)), square),
    "a pair that is backward": lambda: pair(sp.Eq(a.diff(t), a.diff(x, 2) + 3 * b.diff(x, 2)),
                                            sp.Eq(b.diff(t), 3 * a.diff(x, 2) + b.diff(x, 2))),
    "elliptic in time": lambda: moving(sp.Eq(u.diff(t, 2), -u.diff(x, 2))),
    "elliptic in time along y": lambda: moving(sp.Eq(w.diff(t, 2), w.diff(x, 2) - w.diff(y, 2)), square),
    "Cauchy-Riemann in time": lambda: pair(sp.Eq(a.diff(t), b.diff(x)), sp.Eq(b.diff(t), -a.diff(x))),
    "fourth order of the wrong sign": lambda: moving(sp.Eq(u.diff(t), u.diff(x, 4)), rod,
                                                     [Dirichlet(u, 0), Neumann(u, 0)]),
}  # fmt: skip
WELL_POSED = {
    "diffusion along a diagonal": lambda: moving(
        sp.Eq(w.diff(t), w.diff(x, 2) + w.diff(x).diff(y) + w.diff(y, 2)), square),
    "growth, drift and damping": lambda: moving(
        sp.Eq(w.diff(t), w.diff(x, 2) + w.diff(y, 2) + 50 * w.diff(x) + 900 * w), square),
    "a membrane": lambda: moving(sp.Eq(w.diff(t, 2), 4 * w.diff(x, 2) + w.diff(y, 2) - w), square),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::sciml.errors.ProblemWarning")
@pytest.mark.parametrize("name", ILL_POSED)
def test_ill_posed_evolutions_are_refused(name: str) -> None:
    with pytest.raises(SolverError, match="well-posed") as refusal:
        LieSolver().solve(ILL_POSED[name]())
    assert "PINN" in str(refusal.value)


@pytest.mark.parametrize("name", WELL_POSED)
def test_well_posed_evolutions_are_not(name: str) -> None:
    problem = WELL_POSED[name]()
    forms = [_form(problem)]
    require_well_posed(problem, forms)
    warn_unbounded(problem, forms)


def _form(problem):
    return linear_form(problem.equations[0], problem.fields, problem.coordinates)


def test_data_that_are_missing() -> None:
    with pytest.raises(ProblemError, match="initial value"):
        IBVP(pde=sp.Eq(u.diff(t, 2), u.diff(x, 2)), domain=rod, time=(t, 0, 1), initial={u: hump},
             boundary=[Dirichlet(u, 0)])  # fmt: skip
    sides = [Dirichlet(v, hump, on="bottom"), Neumann(v, 0, on="bottom"), Dirichlet(v, 0, on=["left", "right"])]
    with pytest.raises(ProblemError, match="top"):
        steady(sp.Eq(laplace, 0), sides)  # Cauchy data


RESONANT = {
    "square": lambda: steady(sp.Eq(laplace + 2 * sp.pi**2 * v, 0), [Dirichlet(v, 1)]),
    "square with a source": lambda: steady(sp.Eq(laplace + 2 * sp.pi**2 * v, 1), [Dirichlet(v, 0)]),
    "slopes": lambda: steady(sp.Eq(laplace + sp.pi**2 * v, 0), [Neumann(v, 1)]),
    "interval": lambda: steady(sp.Eq(q.diff(x, 2) + sp.pi**2 * q, 0), [Dirichlet(q, 1)], rod),
    "interval, variable coefficients": lambda: steady(
        # u = sin(π log(x + 1)/log 2) solves it with the values 0
        sp.Eq((x + 1) ** 2 * q.diff(x, 2) + (x + 1) * q.diff(x) + (sp.pi / sp.log(2)) ** 2 * q, 0),
        [Dirichlet(q, x)], rod),
}  # fmt: skip


@pytest.mark.parametrize("name", RESONANT)
def test_resonances_are_refused(name: str) -> None:
    with pytest.raises(SolverError, match="resonance") as refusal:
        LieSolver().solve(RESONANT[name]())
    assert "PINN" in str(refusal.value)


def test_close_to_a_resonance_is_warned() -> None:
    near = steady(sp.Eq(q.diff(x, 2) + (sp.pi**2 + sp.Rational(1, 10**5)) * q, 0), [Dirichlet(q, x)], rod)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        LieSolver().solve(near)
    assert any("close to a resonance" in str(w.message) for w in seen)


@pytest.mark.parametrize(
    ("pde", "boundary", "domain"),
    [
        (sp.Eq(laplace, 0), [Neumann(v, 1)], square),
        (sp.Eq(laplace, 1), [Neumann(v, 1)], square),
        (sp.Eq(q.diff(x, 2), 1), [Neumann(q, 0)], rod),
        (sp.Eq(laplace, 1), [Periodic(v, on=("left", "right")), Periodic(v, on=("bottom", "top"))], square),
    ],
)
def test_slopes_that_do_not_fit_are_refused(pde, boundary, domain) -> None:
    with pytest.raises(SolverError, match="integral"):
        LieSolver().solve(steady(pde, boundary, domain))


@pytest.mark.parametrize(
    ("pde", "boundary", "domain"),
    [
        (sp.Eq(laplace, 4), [Neumann(v, 1)], square),
        (sp.Eq(q.diff(x, 2), 1), [Neumann(q, half)], rod),
    ],
)
def test_free_constants_are_told(pde, boundary, domain) -> None:
    with pytest.warns(SolverWarning, match="up to a constant"):
        LieSolver().solve(steady(pde, boundary, domain))


@pytest.mark.parametrize("drift", [u.diff(x) / x, u / x**2, sp.log(x) * u, u.diff(x) / (2 * x - half)])
def test_unbounded_coefficients_are_warned(drift: sp.Expr) -> None:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        problem = moving(sp.Eq(u.diff(t), u.diff(x, 2) + drift))
        warn_unbounded(problem, [_form(problem)])
    told = [str(w.message) for w in seen if issubclass(w.category, SolverWarning)]
    assert len(told) == 1
    assert "not bounded" in told[0]
    assert "PINN" in told[0]


def test_bounded_coefficients_are_not_warned() -> None:
    problem = moving(sp.Eq(u.diff(t), u.diff(x, 2) + u.diff(x) / (x + half) + sp.exp(5 * x) * u))
    warn_unbounded(problem, [_form(problem)])


def test_corners_that_disagree_are_solved_and_located() -> None:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        problem = IBVP(pde=sp.Eq(u.diff(t), u.diff(x, 2)), domain=rod, time=(t, 0, half), initial={u: 1},
                       boundary=[Dirichlet(u, 0)])  # fmt: skip
    told = [str(w.message) for w in seen if issubclass(w.category, ProblemWarning)]
    assert any("jump of 1 at x=0, t=0" in message for message in told)
    lie = LieSolver().solve(problem)
    n = np.arange(1, 200, 2) * np.pi
    exact = (4 / n * np.sin(n * 0.3) * np.exp(-(n**2) * 0.02)).sum()
    assert abs(lie(x=0.3, t=0.02) - exact) < 1e-11
    assert "largest relative mismatch" in lie.status
    assert "at x =" in lie.status


@pytest.mark.parametrize("source", [u**3, sp.exp(u) * u.diff(x)])
def test_nonlinear_equations_without_a_map_are_refused(source: sp.Expr) -> None:
    with pytest.raises(SolverError, match="linear") as refusal:
        LieSolver().solve(moving(sp.Eq(u.diff(t), u.diff(x, 2) + source)))
    assert "PINN" in str(refusal.value)


def test_nonlinear_conditions_are_refused() -> None:
    radiation = Condition(u.diff(x) + u**4, on="right")
    problem = moving(sp.Eq(u.diff(t), u.diff(x, 2)), rod, [Dirichlet(u, 0, on="left"), radiation])
    with pytest.raises(SolverError, match="nonlinear") as refusal:
        LieSolver().solve(problem)
    assert "PINN" in str(refusal.value)


@pytest.mark.parametrize(
    "problem",
    [
        lambda: IBVP(sp.Eq(u.diff(t), u.diff(x, 2)), Interval(x, 0, 1), (t, 0, 1), {u: 0}, [Dirichlet(u, 0)]),
        lambda: IBVP(
            sp.Eq(u.diff(t, 2), u.diff(x, 2)), Interval(x, 0, 1), (t, 0, 1), {u: 0, u.diff(t): 0}, [Dirichlet(u, 0)]
        ),
    ],
    ids=["heat", "wave"],
)
def test_data_of_zeros_have_the_zero_solution(problem) -> None:
    solution = LieSolver().solve(problem())
    assert solution.expr == 0
    assert not solution(x=0.3, t=0.4).any()
