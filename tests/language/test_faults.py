"""Wrong statements: each is refused with a message that names the fault, all faults at once."""

import numpy as np
import pytest
import sympy as sp

from sciml import (
    IBVP,
    Condition,
    Dirichlet,
    Interval,
    Neumann,
    Observations,
    Periodic,
    ProblemError,
    Rectangle,
    Robin,
    coordinates,
    field,
)

x, y, t = coordinates("x y t")
u, v = field("u", x, t), field("v", x, t)
k = sp.Symbol("k", positive=True)
HEAT = sp.Eq(u.diff(t), u.diff(x, 2))
GOOD = {
    "pde": HEAT,
    "domain": Interval(x, 0, 1),
    "time": (t, 0, 1),
    "initial": {u: sp.sin(sp.pi * x)},
    "boundary": [Dirichlet(u, 0)],
}
SEEN = Observations(u, [[0.5, 0.5]], [1.0])


def other_assumptions() -> dict:
    plain = sp.Function("u")(x, t)
    return {"pde": plain.diff(t) - plain.diff(x, 2)}


FAULTS = {
    "reversed time": ({"time": (t, 1, 0)}, "start < end"),
    "infinite time": ({"time": (t, 0, sp.oo)}, "finite time interval"),
    "time symbol of space": ({"time": (x, 0, 1)}, "no space coordinate"),
    "unknown face": ({"boundary": [Dirichlet(u, 0, on=["left", "rihgt"])]}, "unknown face 'rihgt'.*mean 'right'"),
    "unknown periodic face": ({"boundary": [Periodic(u, on=("west", "right"))]}, "'west'"),
    "missing condition": ({"boundary": [Dirichlet(u, 0, on="left")]}, "1 face.* without a condition: right"),
    "same condition twice": ({"boundary": [Dirichlet(u, 0), Dirichlet(u, 1, on="left")]}, "two conditions on left"),
    "no initial value": ({"initial": None}, "needs 1 initial value"),
    "velocity missing": ({"pde": u.diff(t, 2) - u.diff(x, 2)}, r"Derivative\(u\(x, t\), t\)"),
    "velocity not needed": ({"initial": {u: 0, u.diff(t): 0}}, "belongs to none"),
    "vanished velocity": ({"initial": {u: 0, u.func(x, 0).diff(t): 0}}, r"u\(x, 0\).diff\(t\) is 0"),
    "initial by name": ({"initial": {"u": 0}}, "not its name"),
    "initial without key": ({"initial": sp.sin(x)}, "a dictionary as `initial`"),
    "initial in time": ({"initial": {u: t}}, "should depend on"),
    "vanished condition": (
        {"boundary": [Dirichlet(u, 0), Condition(sp.Eq(u.func(0, t).diff(x), 0), on="left")]},
        "differentiate first",
    ),
    "field away from itself": (
        {"boundary": [Dirichlet(u.func(0, t), 0, on="left"), Dirichlet(u, 0, on="right")]},
        "away from its own arguments",
    ),
    "substituted derivative": (
        {"boundary": [Dirichlet(u, 0), Condition(u.diff(x).subs(x, 0), on="left")]},
        "values at other places",
    ),
    "symbol of other assumptions": ({"initial": {u: sp.sin(sp.Symbol("x"))}}, "other assumptions.*real=True"),
    "field of other assumptions": (other_assumptions(), "other assumptions"),
    "unknown symbol": ({"pde": u.diff(t) - k * u.diff(x, 2)}, "unknown symbol k"),
    "value against assumption": ({"pde": u.diff(t) - k * u.diff(x, 2), "parameters": {k: -1}}, "positive=True"),
    "parameter by name": ({"parameters": {"k": 1}}, "the key is the SymPy symbol"),
    "complex parameter": ({"parameters": {k: sp.I}}, "finite real number"),
    "nan": ({"boundary": [Dirichlet(u, float("nan"))]}, "NaN"),
    "nan coefficient": ({"pde": u.diff(t) - float("nan") * u.diff(x, 2)}, "NaN"),
    "array": ({"initial": {u: np.zeros(3)}}, "ndarray"),
    "text": ({"initial": {u: "sin(x)"}}, "not a text"),
    "pole": ({"initial": {u: 1 / (x - sp.Rational(1, 3))}}, "not finite at x=0.333"),
    "source with a pole": ({"pde": u.diff(t) - u.diff(x, 2) - 1 / (t - sp.Rational(2, 7))}, "not finite at .*t=0.2857"),
    "boundary data with a pole": (
        {"boundary": [Dirichlet(u, 1 / (t - sp.Rational(2, 7)))]},
        "not finite at .*t=0.2857",
    ),
    "no real value": ({"initial": {u: sp.log(x - sp.Rational(1, 4))}}, "not finite"),
    "unsupported function": ({"initial": {u: sp.zeta(x + 2)}}, "zeta"),
    "delta": ({"pde": u.diff(t) - u.diff(x, 2) - sp.DiracDelta(x)}, "DiracDelta"),
    "complex": ({"pde": sp.I * u.diff(t) - u.diff(x, 2)}, "real and an imaginary part"),
    "integral": ({"pde": u.diff(t) - u.diff(x, 2) - sp.Integral(u, (x, 0, 1))}, "integrals"),
    "too few equations": ({"pde": [u.diff(t) - v.diff(x, 2)]}, "under-determined"),
    "equation twice": ({"pde": [HEAT, HEAT]}, "same as an earlier one"),
    "field without time": ({"pde": [HEAT, field("w", x).diff(x, 2)]}, r"w\(x\) should depend on exactly"),
    "two argument lists": ({"pde": [HEAT, field("u", t, x).diff(x)]}, "one field per name"),
    "wrong coordinate": ({"domain": Interval(y, 0, 1)}, "no field of the coordinates"),
    "no domain": ({"domain": None}, "a geometry"),
    "no equation": ({"pde": []}, "at least one equation"),
    "collapsed equation": ({"pde": sp.Eq(u.func(x, 0).diff(t), 1)}, "Eq collapses"),
    "text equation": ({"pde": "u_t = u_xx"}, r"sp.Eq\(u.diff"),
    "algebraic": ({"pde": u - 1}, "not a differential equation"),
    "condition on a number": ({"boundary": [Dirichlet(3, 0)]}, "a field such as u"),
    "condition on a name": ({"boundary": [Dirichlet("u", 0)]}, "a field such as u"),
    "condition on a derivative": ({"boundary": [Dirichlet(u.diff(x), 0)]}, "a field such as u"),
    "condition on a stranger": ({"boundary": [Dirichlet(u, 0), Dirichlet(v, 0)]}, "no field of the problem"),
    "no condition": ({"boundary": [sp.Eq(u, 0)]}, "Dirichlet, Neumann, Robin"),
    "data with the field": ({"boundary": [Neumann(u, -u)]}, "use Condition"),
    "nonlinear Robin": ({"boundary": [Robin(u, u**3, 0)]}, "use Condition"),
    "Robin by name": ({"boundary": [Robin(u, "k", 0)]}, "not a text"),
    "point outside": ({"boundary": [Dirichlet(u, 0), Condition(u - 1, on={x: 5, t: 0})]}, "outside the domain"),
    "time without point": ({"boundary": [Dirichlet(u, 0), Condition(u - 1, on={t: 0})]}, "a value for each"),
    "point by name": ({"boundary": [Dirichlet(u, 0), Condition(u - 1, on={"x": 0, "t": 0})]}, "symbols as keys"),
    "observed outside": ({"observations": Observations(u, [[2, 0.5]], [1])}, "outside the domain.*2.0"),
    "observed columns": ({"observations": Observations(u, [[0.5]], [1])}, "need 2 columns"),
    "observed stranger": ({"observations": Observations(v, [[0.5, 0.5]], [1])}, "no field of the problem"),
    "observed name": ({"observations": Observations("u", [[0.5, 0.5]], [1])}, "a field or an expression"),
    "observed coordinates": ({"observations": Observations(x + t, [[0.5, 0.5]], [1])}, "a field or an expression"),
    "observation of another kind": ({"observations": [3]}, "Observations objects"),
    "unknown unused": ({"unknowns": {k: 1}, "observations": SEEN}, "appears in no equation"),
    "unknown and parameter": (
        {"pde": u.diff(t) - k * u.diff(x, 2), "unknowns": {k: 1}, "parameters": {k: 1}},
        "either in",
    ),
    "unknown out of bounds": ({"pde": u.diff(t) - k * u.diff(x, 2), "unknowns": {k: (1, 2, 3)}}, "lower < start"),
    "unknown nan": ({"pde": u.diff(t) - k * u.diff(x, 2), "unknowns": {k: float("nan")}}, "all finite"),
    "function of no value": ({"initial": {u: lambda x: None}}, "returned None"),
    "function of other arguments": ({"initial": {u: lambda x, y, z: x}}, "one number per point"),
    "function of another shape": ({"initial": {u: lambda x: np.zeros(3)}}, r"shape \(3,\)"),
    "function that fails": ({"initial": {u: lambda x: 1 / 0}}, "division by zero"),
    "pde function without fields": ({"pde": lambda x, t, u: u.diff(t)}, "fields="),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_named(name: str) -> None:
    change, message = FAULTS[name]
    with pytest.raises(ProblemError, match=message) as caught:
        IBVP(**{**GOOD, **change})
    assert caught.value.findings


@pytest.mark.parametrize("name", ["reversed time", "missing condition", "nan", "pole", "unknown symbol", "text"])
def test_one_fault_is_one_finding(name: str) -> None:
    with pytest.raises(ProblemError) as caught:
        IBVP(**{**GOOD, **FAULTS[name][0]})
    assert len(caught.value.findings) == 1, caught.value


def test_the_sound_problem_is_accepted() -> None:
    problem = IBVP(**GOOD)
    assert problem.notes == ()


def test_all_faults_at_once() -> None:
    with pytest.raises(ProblemError) as caught:
        IBVP(
            u.diff(t) - k * u.diff(x, 2),
            Interval(x, 0, 1),
            time=(t, 2, 1),
            observations=[3],
            parameters={"q": 1},
            boundary=[Dirichlet(u, 0, on="lft"), Dirichlet(u, sp.Symbol("x"), on="right")],
        )
    text = str(caught.value)
    for part in (
        "start < end",
        "Observations objects",
        "'q'",
        "unknown symbol k",
        "'lft'",
        "other assumptions",
        "initial value",
    ):
        assert part in text
    assert len(caught.value.findings) == 7


def test_observations_refuse_numbers_that_are_none() -> None:
    for points, values in [([[0.1, 0.2]], [np.nan]), ([[0.1, np.inf]], [1]), ([[0.1, 0.2]], [1, 2]), ([], [])]:
        with pytest.raises(ProblemError):
            Observations(u, points, values)
    with pytest.raises(ProblemError, match="sigma"):
        Observations(u, [[0.1, 0.2]], [1.0], sigma=0)


def test_replace_checks_again() -> None:
    problem = IBVP(**GOOD)
    assert problem.replace(time=(t, 0, 2)).bounds[-1] == (0.0, 2.0)
    assert problem.bounds[-1] == (0.0, 1.0)
    with pytest.raises(ProblemError, match="start < end"):
        problem.replace(time=(t, 2, 0))
    with pytest.raises(ProblemError, match="check the spelling"):
        problem.replace(intial={u: 0})


def test_a_problem_is_frozen() -> None:
    problem = IBVP(**GOOD)
    with pytest.raises(AttributeError, match="replace"):
        problem.time = None


def test_opposite_faces_for_periodic() -> None:
    w = field("w", x, y)
    with pytest.raises(ProblemError, match="opposite"):
        IBVP(
            w.diff(x, 2) + w.diff(y, 2) - 1,
            Rectangle((x, 0, 1), (y, 0, 1)),
            boundary=[Periodic(w, on=("left", "top")), Dirichlet(w, 0, on=["right", "bottom"])],
        )
