"""Sound statements: terms, classification, warnings and notes."""

import re
import warnings

import numpy as np
import pytest
import sympy as sp
import torch

from sciml import (
    IBVP,
    Condition,
    Dirichlet,
    Disk,
    Interval,
    Neumann,
    Observations,
    Periodic,
    ProblemWarning,
    Rectangle,
    Robin,
    coordinates,
    field,
    normal,
)
from sciml.callables import is_numeric_only

x, y, t = coordinates("x y t")
u, v = field("u", x, t), field("v", x, t)
w, p = field("w", x, y), field("p", x, y)
LINE, SQUARE = Interval(x, 0, 1), Rectangle((x, -1, 1), (y, -1, 1))
HEAT = u.diff(t) - u.diff(x, 2)


def line(pde, **changes) -> IBVP:
    base = {"initial": {u: sp.sin(2 * sp.pi * x)}, "boundary": [Periodic(u)]}
    return IBVP(pde, LINE, (t, 0, 1), **{**base, **changes})


def square(pde, **changes) -> IBVP:
    return IBVP(pde, SQUARE, **{"boundary": [Dirichlet(w, 0)], **changes})


@pytest.mark.parametrize(
    ("pde", "wanted"),
    [
        (HEAT, (True, True, 2, True, "parabolic")),
        (u.diff(t) + u * u.diff(x) - u.diff(x, 2) / 100, (False, False, 2, False, "parabolic")),
        (u.diff(t) - ((1 + x**2) * u.diff(x)).diff(x) - sp.sin(t), (True, False, 2, False, "parabolic")),
        (u.diff(t) - (u**2).diff(x, 2), (False, False, 2, False, "parabolic")),
        (u.diff(t) + 6 * u * u.diff(x) + u.diff(x, 3), (False, False, 3, False, "dispersive")),
        (u.diff(t) + u.diff(x, 2) + u.diff(x, 4), (True, True, 4, True, "parabolic")),
        (u.diff(t) + u.diff(x), (True, True, 1, True, "hyperbolic")),
    ],
    ids=str,
)
def test_evolution_equations(pde, wanted) -> None:
    kind = line(pde).classification
    assert (kind.linear, kind.homogeneous, kind.order, kind.constant_coefficients, kind.type) == wanted
    assert kind.backward is False


@pytest.mark.parametrize(
    ("pde", "wanted"),
    [
        (w.diff(x, 2) + w.diff(y, 2) + 9 * w, (True, True, True, "elliptic")),
        (w.diff(x, 2) + w.diff(y, 2) - 1, (True, False, True, "elliptic")),
        (y * w.diff(x, 2) + w.diff(y, 2), (True, True, False, "mixed")),
        (w.diff(x, 2) - w.diff(y, 2), (True, True, True, "hyperbolic")),
        (w.diff(x, 2) + w.diff(y, 2) + sp.sin(x) ** 2 + sp.cos(x) ** 2 - 1, (True, True, True, "elliptic")),
        ((sp.sin(x) ** 2 + sp.cos(x) ** 2) * w.diff(x, 2) + w.diff(y, 2), (True, True, True, "elliptic")),
        ((w + 1) ** 2 - w**2 - 2 * w - 1 + w.diff(x, 2) + w.diff(y, 2), (True, True, True, "elliptic")),
        (w.diff(x, 2) * w.diff(y, 2) - w.diff(x, y) ** 2 - 1, (False, False, False, "mixed")),
        (
            (1 + w.diff(y) ** 2) * w.diff(x, 2)
            - 2 * w.diff(x) * w.diff(y) * w.diff(x, y)
            + (1 + w.diff(x) ** 2) * w.diff(y, 2),
            (False, False, False, "elliptic"),
        ),
    ],
    ids=str,
)
def test_steady_equations(pde, wanted) -> None:
    kind = square(pde).classification
    assert (kind.linear, kind.homogeneous, kind.constant_coefficients, kind.type) == wanted


def test_the_type_follows_the_parameters() -> None:
    a = sp.Symbol("a", real=True)
    for value, kind in ((1, "elliptic"), (-1, "hyperbolic")):
        assert square(a * w.diff(x, 2) + w.diff(y, 2), parameters={a: value}).classification.type == kind


@pytest.mark.parametrize(
    ("pde", "initial", "wanted"),
    [
        ([u.diff(t) - u.diff(x, 2) + u * v, v.diff(t) - v.diff(x, 2) / 2], {u: 0, v: 0}, "parabolic"),
        (
            [u.diff(t, 2) - u.diff(x, 2) - v.diff(x), v.diff(t, 2) - v.diff(x, 2)],
            {u: 0, v: 0, u.diff(t): 0, v.diff(t): 0},
            "hyperbolic",
        ),
        ([u.diff(t) + v.diff(x, 2), v.diff(t) - u.diff(x, 2)], {u: 0, v: 0}, "dispersive"),
        ([u.diff(t) - v.diff(x), v.diff(t) - u.diff(x)], {u: 0, v: 0}, "hyperbolic"),
    ],
)
def test_systems(pde, initial, wanted) -> None:
    problem = IBVP(pde, LINE, (t, 0, 1), initial=initial, boundary=[Dirichlet(u, 0), Dirichlet(v, 0)])
    assert problem.classification.type == wanted


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: line(u.diff(t) + u.diff(x, 2)), "ill-posed"),
        (lambda: line(u.diff(t) - u.diff(x, 4)), "ill-posed"),
        (lambda: line(HEAT, boundary=[Dirichlet(u, 2)]), "jump of 2 at"),
        (lambda: line(HEAT, initial={u: x}), "jump of 1 at"),
        (
            lambda: line(u.diff(t, 2) - u.diff(x, 2), initial={u: 0, u.diff(t): 3}, boundary=[Dirichlet(u, 0)]),
            "jump of 3",
        ),
        (lambda: line(u.diff(t) + u.diff(x), boundary=[]), "flows in through 1 face.*left"),
        (lambda: line(u.diff(t) - u.diff(x), boundary=[Dirichlet(u, 0)]), "flows out through left"),
        (lambda: line(u.diff(t) + u.diff(x, 3), boundary=[Dirichlet(u, 0)]), "needs 3 conditions.*given 2"),
        (lambda: line([HEAT, u.diff(t) - u.diff(x)]), "over-determined"),
        (lambda: line(HEAT, boundary=[Dirichlet(u, 0), Neumann(u, 0, on="left")]), "two conditions on left"),
        (
            lambda: square(
                w.diff(x, 2) + w.diff(y, 2),
                boundary=[Dirichlet(w, 1, on=["left", "right"]), Dirichlet(w, 0, on=["bottom", "top"])],
            ),
            "corner: jump of 1",
        ),
        (lambda: square(w.diff(x, 4) + 2 * w.diff(x, 2, y, 2) + w.diff(y, 4)), "order 4 across left.*given 1"),
        (lambda: square(w.diff(x, 2) / (x - sp.Rational(1, 3)) + w.diff(y, 2)), "singular inside"),
        (lambda: square([w.diff(x, 2) + w.diff(y, 2) - p, p.diff(x, 2) + p.diff(y, 2)]), "4 face.*without a condition"),
    ],
)
def test_warnings(make, message: str) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        make()
    assert {warning.category for warning in caught} == {ProblemWarning}
    assert any(re.search(message, str(warning.message)) for warning in caught)


def test_problems_that_need_no_warning() -> None:
    beam = {"initial": {u: 0, u.diff(t): 0}}
    line(u.diff(t, 2) + u.diff(x, 4), **beam, boundary=[Dirichlet(u, 0), Neumann(u, 0)])
    line(
        u.diff(t, 2) + u.diff(x, 4),
        **beam,
        boundary=[
            Dirichlet(u, 0, on="left"),
            Neumann(u, 0, on="left"),
            Condition(u.diff(x, 2), on="right"),
            Condition(u.diff(x, 3), on="right"),
        ],
    )
    square(w.diff(x, 4) + 2 * w.diff(x, 2, y, 2) + w.diff(y, 4), boundary=[Dirichlet(w, 0), Neumann(w, 0)])
    f = field("f", x)
    IBVP(f.diff(x, 2) + f, LINE, boundary=[Dirichlet(f, 0, on="left"), Neumann(f, -1, on="left")])
    IBVP(
        w.diff(x, 2) + w.diff(y, 2),
        Disk((x, y), center=(0, 0), radius=1),
        boundary=[Dirichlet(w, sp.sqrt(1 - x**2 - y**2))],
    )
    line(
        u.diff(t) - u.diff(x, 2) - u.diff(x) / x,
        initial={u: sp.besselj(0, x) - sp.besselj(0, 1)},
        boundary=[Neumann(u, 0, on="left"), Dirichlet(u, 0, on="right")],
    )


def test_notes_say_what_was_done() -> None:
    assert any("floats" in note for note in line(u.diff(t) - 0.1 * u.diff(x, 2)).notes)
    assert any("not used" in note for note in line(HEAT, parameters={sp.Symbol("k"): 1}).notes)
    slope = line(HEAT, initial={u: x**2}, boundary=[Dirichlet(u, 0, on="left"), Neumann(u, 0, on="right")])
    assert any("jumps by 2 at x=1" in note for note in slope.notes)
    free = square(w.diff(x, 2) + w.diff(y, 2), boundary=[Neumann(w, 0)])
    assert any("only up to a constant" in note for note in free.notes)


def test_floats_become_exact() -> None:
    problem = line(u.diff(t) - 0.1 * u.diff(x, 2), initial={u: lambda x: np.sin(2 * np.pi * x)})
    assert problem.equations[0].coeff(u.diff(x, 2)) == -sp.Rational(1, 10)
    assert problem.initial[u] == sp.sin(2 * sp.pi * x)


@pytest.mark.parametrize(
    ("function", "wanted"),
    [
        (lambda x: np.sin(np.pi * x) * torch.exp(-x), sp.sin(sp.pi * x) * sp.exp(-x)),
        (lambda x: np.where(x < 0.5, x, 1 - x), sp.Piecewise((x, x < sp.Rational(1, 2)), (1 - x, True))),
        (lambda x: np.maximum(x, 0.5) + np.arctan(x), sp.Max(x, sp.Rational(1, 2)) + sp.atan(x)),
        (lambda x: np.sinc(x), sp.sinc(sp.pi * x)),
        (lambda x: (-x).exp().sin(), sp.sin(sp.exp(-x))),
        (lambda x: torch.clamp(x, min=0.25), sp.Max(x, sp.Rational(1, 4))),
        (lambda x: 0 * np.ones_like(x), 0),
        (lambda x: sp.besselj(0, x), sp.besselj(0, x)),
    ],
)
def test_functions_are_traced(function, wanted) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ProblemWarning)
        problem = line(HEAT, initial={u: function}, boundary=[Neumann(u, 0)])
    assert sp.simplify(problem.initial[u] - wanted) == 0


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x if x < 0.5 else 1 - x,
        lambda x: 1.0 if x in {0.25} else 0.0,
        lambda x: np.interp(x, [0, 1], [0, 0]),
        lambda x: max(x, 0.5) - max(x, 0.5),
    ],
)
def test_functions_that_branch_are_kept_as_they_are(function) -> None:
    from sciml.expressions import evaluate_data

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ProblemWarning)
        data = line(HEAT, initial={u: function}, boundary=[Neumann(u, 0)]).initial[u]
    assert is_numeric_only(data)
    places = np.array([0.0, 0.25, 0.4, 0.5, 0.9])
    np.testing.assert_array_equal(evaluate_data(data, [x], places[:, None]), [float(function(s)) for s in places])


def test_a_pde_as_a_function() -> None:
    traced = line(lambda x, t, u: u.diff(t) - 0.1 * u.diff(x, 2) + torch.sin(u), fields=[u])
    assert traced.equations[0] == u.diff(t) - u.diff(x, 2) / 10 + sp.sin(u)
    named = line(lambda x, t, u: {"heat": u.diff(t) - u.diff(x, 2)}, fields=[u])
    assert named.equation_names == ("heat",)
    opaque = line(lambda x, t, u: u.diff(t) - u.diff(x, 2) + torch.special.i0(u), fields=[u])
    assert is_numeric_only(opaque.equations[0])
    assert any("numeric-only" in note and "i0" in note for note in opaque.notes)


def test_terms_of_every_kind_of_condition() -> None:
    n = normal(x)
    problem = line(
        HEAT,
        boundary=[
            Robin(u, lambda x, t: 1 + t, sp.exp(-t), on="left"),
            Condition(sp.Eq(u.diff(x) * n + u**4, 1), on="right"),
            Condition(sp.Eq(u, 1), on={x: sp.Rational(1, 2), t: 1}),
        ],
    )
    terms = {term.name: term for term in problem.terms}
    assert terms["robin u left"].expressions == (n * u.diff(x) + (1 + t) * u - sp.exp(-t),)
    assert terms["condition u right"].expressions == (n * u.diff(x) + u**4 - 1,)
    assert terms["condition u at x=1/2,t=1"].kind == "point"
    assert line(HEAT, initial=None, boundary=[Periodic(u), Condition(u - sp.sin(2 * sp.pi * x), on="initial")]).terms
    third = line(u.diff(t) + u.diff(x, 3)).term("periodic u")
    assert third.expressions == (u, u.diff(x), u.diff(x, 2))


def test_unknown_coefficients() -> None:
    d = coordinates("d")
    seen = Observations(u, [[0.5, 0.5], [0.2, 0.1]], [0.1, 0.2], sigma=0.1)
    problem = line(u.diff(t) - d * u.diff(x, 2), unknowns={d: (0.5, 0, float("inf"))}, observations=seen)
    assert (problem.unknowns[d].lower, problem.unknowns[d].upper) == (0.0, None)
    assert line(HEAT, unknowns={d: 1}, observations=seen, boundary=[Dirichlet(u, d)]).unknowns


def test_summary_names_every_part() -> None:
    k = sp.Symbol("k")
    problem = line(u.diff(t) - k * u.diff(x, 2), parameters={k: 0.3}, name="rod")
    for part in ("'rod'", "linear, homogeneous, order 2, parabolic", "agrees on left and right", "k = 3/10", "floats"):
        assert part in problem.summary()
    assert problem._repr_latex_().startswith("$")


def test_jumping_data_beside_a_slope_condition() -> None:
    step = line(HEAT, initial={u: sp.Heaviside(x - sp.Rational(1, 3))}, boundary=[Neumann(u, 0)])
    assert step.terms
