"""Group laws g(a)g(b) = g(a + b), g(0) = 1 and d/dε g = X, as properties and over the reference file."""

import itertools
import random
from decimal import Decimal, DecimalException, localcontext

import pytest
import sympy as sp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sympy.core.function import AppliedUndef

from benchmarks.symmetry_systems import reference_systems
from solvers.symmetry.flows import closed_flow
from solvers.symmetry.manifold import random_polynomial
from solvers.symmetry.taylor import DIGITS, SeriesDomainError, TaylorRing

x, y, t, v, s = sp.symbols("x y t v s", real=True)
RING = TaylorRing(1, 1)
SYSTEMS = {system.name: system for system in reference_systems()}
# For an arbitrary function f the flow of f(x) ∂_x needs the inverse of ∫dx/f: no closed form.
WITHOUT_FORMULA = {"wave_1d_charact": 2, "liouville": 2, "kadomtsev_petviashvili": 1}
SMALL = Decimal("1e-35")


def number(value) -> Decimal:
    return value if isinstance(value, Decimal) else value[0]


def moved(formulas: dict, point: dict, eps) -> dict:
    memo: dict = {}
    table = point | {s: eps}
    return {z: RING.evaluate(e, table, memo) for z, e in formulas.items()}


def deviation(components: dict, formulas: dict, seed: int = 0, points: int = 2) -> float | None:
    """Largest violation of the three laws at random points; None if no point is in the domain."""
    source, heads = random.Random(seed), {}
    for e in (*components.values(), *formulas.values()):
        heads |= {f.func: len(f.args) for f in e.atoms(AppliedUndef)}
    for head, arity in sorted(heads.items(), key=str):
        concrete = random_polynomial(arity, source)
        components, formulas = (
            {z: e.replace(head, concrete).doit() for z, e in table.items()} for table in (components, formulas)
        )
    others = set().union(*(e.free_symbols for e in (*components.values(), *formulas.values()))) - set(components) - {s}
    good, worst = 0, Decimal(0)
    with localcontext() as context:
        context.prec = DIGITS
        for _ in range(12):
            draw = {q: Decimal(repr(source.uniform(0.2, 0.9))) for q in (*components, *sorted(others, key=str))}
            first, second = (Decimal(repr(source.uniform(-0.1, 0.12))) for _ in range(2))
            try:
                there = {z: number(value) for z, value in moved(formulas, draw, first).items()}
                both = moved(formulas, draw | there, second)
                once = moved(formulas, draw, first + second)
                start = moved(formulas, draw, RING.variable(0, Decimal("1e-58")))
                rate = moved(components, draw, Decimal(0))
            except (SeriesDomainError, DecimalException):
                continue
            for z in components:
                size = 1 + abs(number(once[z]))
                slope = start[z][1] if isinstance(start[z], list) else Decimal(0)
                laws = (number(both[z]) - number(once[z]), number(start[z]) - draw[z], slope - number(rate[z]))
                worst = max(worst, max(map(abs, laws)) / size)
            good += 1
            if good == points:
                break
    return worst if good else None


def check(variables, components) -> None:
    flow = closed_flow(tuple(variables), tuple(map(sp.sympify, components)), s)
    assert flow is not None
    error = deviation(
        dict(zip(variables, map(sp.sympify, components), strict=True)), dict(zip(variables, flow, strict=True))
    )
    assert error is not None
    assert error < SMALL, flow


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow) if n == "maxwell_vacuum_3d" else n for n in SYSTEMS]
)
def test_every_reference_generator(name):
    system, missing = SYSTEMS[name], 0
    symbols = {u: sp.Symbol(u.func.__name__, real=True) for u in system.fields}
    variables = (*system.coordinates, *symbols.values())
    for generator in system.generators:
        components = tuple(c.xreplace(symbols) for c in generator.components)
        flow = closed_flow(variables, components, s)
        if flow is None:
            missing += 1
            continue
        assert not any(e.has(sp.Abs) for e in flow)
        error = deviation(dict(zip(variables, components, strict=True)), dict(zip(variables, flow, strict=True)))
        assert error is not None
        assert error < SMALL, generator
    assert missing == WITHOUT_FORMULA.get(name, 0)


def test_the_laws_can_fail():
    right = {x: x / (1 - s * t), t: t / (1 - s * t)}
    rates = {x: x * t, t: t**2}
    assert deviation(rates, right) < SMALL
    assert deviation(rates, right | {x: x / (1 - s * t) + s**2 / 9}) > 1e-5
    assert deviation(rates | {x: 2 * x * t}, right) > 1e-5
    assert deviation({x: x}, {x: x * sp.exp(s) + s**2}) > 1e-5


small = st.integers(-2, 2)
quick = settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)


@quick
@given(st.lists(small, min_size=9, max_size=9))
def test_affine_fields(m):
    """A 2 × 2 block (real, complex or defective), a third variable below it, and shifts."""
    check((x, y, v), (m[0] * x + m[1] * y + m[2] * v + m[3], m[4] * x + m[5] * y + m[6], m[7] * v + m[8]))


@quick
@given(st.sampled_from([1, t, 2 * t + 1, t**2, sp.exp(t), sp.exp(-2 * t)]), st.lists(small, min_size=4, max_size=4))
def test_triangular_fields(clock, c):
    """The clock t, x of weight c₀ over it, u multiplied by an exponential of integrals of both."""
    speed = sp.diff(sp.sympify(clock), t)
    check((t, x, v), (clock, c[0] * x * speed, v * (c[1] + c[2] * speed + c[3] * x)))


@quick
@given(st.lists(small, min_size=6, max_size=6), st.booleans())
def test_projective_fields(c, multiplicative):
    """sl(2) in t with any invariant form, x of weight 1/2; u as in the heat equation or as in Burgers' equation."""
    clock = c[0] * t**2 + c[1] * t + c[2]
    half = sp.diff(clock, t) / 2
    last = (c[3] * half + c[4] + c[5] * x**2) * v if multiplicative else c[5] * x - half * v
    check((t, x, v), (clock, half * x, last))


@settings(quick, max_examples=3)
@given(st.lists(small, min_size=4, max_size=4), st.lists(small, min_size=4, max_size=4))
def test_conformal_fields_of_the_plane(translation_and_scaling, special):
    """Translations, scaling, rotation, and both inversions with weight."""
    p, q, d, r = translation_and_scaling
    m, n, weight, _ = special
    first = p + d * x - r * y + m * (x**2 - y**2) + 2 * n * x * y
    second = q + r * x + d * y + 2 * m * x * y + n * (y**2 - x**2)
    check((x, y, v), (first, second, weight * (m * x + n * y) * v))


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_order_of_variables_does_not_matter(order):
    variables, components = (t, x, v), (t**2, x * t, x - t * v)
    flow = closed_flow(tuple(variables[k] for k in order), tuple(components[k] for k in order), s)
    expected = dict(zip(variables, (t / (1 - s * t), x / (1 - s * t), v * (1 - s * t) + s * x), strict=True))
    for k, image in zip(order, flow, strict=True):
        assert sp.simplify(image - expected[variables[k]]) == 0
