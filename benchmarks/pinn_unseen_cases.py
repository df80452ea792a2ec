"""Problems outside the library, each with an exact or an independently computed solution, for `benchmarks.pinn_unseen`.

They are stated as a user would state them. Manufactured sources are made from the exact solution by SymPy; the
solutions of Bratu's equation, the plate, Allen-Cahn and Schnakenberg come from spectral methods in
`benchmarks.pinn_unseen_references`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import sympy as sp

from benchmarks import pinn_unseen_references as references
from sciml import (
    IBVP,
    Box,
    Condition,
    Dirichlet,
    Disk,
    ExactSolution,
    Interval,
    Neumann,
    Observations,
    Periodic,
    Polygon,
    Rectangle,
    Robin,
    coordinates,
    field,
)

x, y, z, t = coordinates("x y z t")
PI, HALF = sp.pi, sp.Rational(1, 2)
SQUARE = Rectangle((x, 0, 1), (y, 0, 1))
NODES = 2000


@dataclass(frozen=True, eq=False)
class Unseen:
    """A problem and its solution.

    Attributes:
        problem: The problem.
        points: Where solutions are compared, (n, d).
        values: Field name -> (n,).
        unknowns: True values of unknown coefficients, by name.
    """

    problem: IBVP
    points: np.ndarray
    values: Mapping[str, np.ndarray]
    unknowns: Mapping[str, float] | None = None


def exactly(problem: IBVP, solution: Mapping[sp.Expr, sp.Expr]) -> Unseen:
    """A case with a closed form."""
    time = problem.bounds[-1] if problem.time else None
    points = problem.domain.sample(NODES, seed=1, time=time)
    values = ExactSolution(problem, solution).evaluate(points)
    names = [known.func.__name__ for known in problem.fields]
    return Unseen(problem, points, dict(zip(names, values.T, strict=True)))


def laplacian(known: sp.Expr, *space: sp.Symbol) -> sp.Expr:
    """Sum of the second derivatives."""
    return sp.Add(*(known.diff(s, 2) for s in space))


def manufactured(operator: Callable[[sp.Expr], sp.Expr], known: sp.Expr, solution: sp.Expr) -> sp.Equality:
    """operator(known) = operator(solution)."""
    return sp.Eq(operator(known), sp.simplify(operator(solution)))


def fisher() -> Unseen:
    """Front of u_t = u_xx + 25 u (1 - u), five times steeper than the textbook one (Ablowitz & Zeppetella 1979)."""
    u = field("u", x, t)
    exact = (1 + sp.exp(5 * (x - 25 * t / sp.sqrt(6)) / sp.sqrt(6))) ** -2
    return exactly(
        IBVP(
            sp.Eq(u.diff(t), u.diff(x, 2) + 25 * u * (1 - u)), Interval(x, -5, 5), time=(t, 0, sp.Rational(1, 5)),
            initial={u: exact.subs(t, 0)}, boundary=[Dirichlet(u, exact)],
        ),
        {u: exact},
    )  # fmt: skip


def bratu() -> Unseen:
    """Δu + 5 e^u = 0 on the unit square, the lower branch."""
    u = field("u", x, y)
    problem = IBVP(sp.Eq(laplacian(u, x, y) + 5 * sp.exp(u), 0), SQUARE, boundary=[Dirichlet(u, 0)])
    points, values = references.bratu(5.0)
    return Unseen(problem, points, {"u": values})


def allen_cahn_plane() -> Unseen:
    """u_t = Δu/100 + u - u³ on a periodic square, t <= 1."""
    u = field("u", x, y, t)
    start = sp.sin(2 * PI * x) * sp.cos(2 * PI * y) / 2 + sp.cos(2 * PI * x) / 4
    problem = IBVP(
        sp.Eq(u.diff(t), laplacian(u, x, y) / 100 + u - u**3), SQUARE, time=(t, 0, 1), initial={u: start},
        boundary=[Periodic(u, ("left", "right")), Periodic(u, ("bottom", "top"))],
    )  # fmt: skip
    points, values = references.allen_cahn_plane(sp.lambdify((x, y), start), 0.01, 1.0)
    return Unseen(problem, points, {"u": values})


def schnakenberg() -> Unseen:
    """Two reacting and diffusing fields on [0, 1] with no flux, t <= 2."""
    u, v = field("u", x, t), field("v", x, t)
    starts = (1 + sp.cos(2 * PI * x) / 10, 1 - sp.cos(PI * x) / 10)
    problem = IBVP(
        [
            sp.Eq(u.diff(t), u.diff(x, 2) / 100 + sp.Rational(1, 10) - u + u**2 * v),
            sp.Eq(v.diff(t), v.diff(x, 2) / 5 + sp.Rational(9, 10) - u**2 * v),
        ],
        Interval(x, 0, 1), time=(t, 0, 2), initial={u: starts[0], v: starts[1]},
        boundary=[Neumann(u, 0), Neumann(v, 0)],
    )  # fmt: skip
    points, values = references.schnakenberg([sp.lambdify(x, start) for start in starts], 2.0)
    return Unseen(problem, points, values)


def polygon_with_hole() -> Unseen:
    """Poisson's equation on a pentagon without a disk."""
    u = field("u", x, y)
    exact = sp.exp(x) * sp.sin(2 * y) + sp.log((x - HALF) ** 2 + (y - HALF) ** 2) / 4 + x**2 * y
    shape = Polygon((x, y), [(0, 0), (1, 0), (sp.Rational(6, 5), sp.Rational(4, 5)), (HALF, sp.Rational(13, 10)),
                             (sp.Rational(-1, 5), sp.Rational(4, 5))])  # fmt: skip
    shape = shape - Disk((x, y), center=(HALF, HALF), radius=sp.Rational(1, 5), name="hole")
    return exactly(
        IBVP(manufactured(lambda w: laplacian(w, x, y), u, exact), shape, boundary=[Dirichlet(u, exact)]), {u: exact}
    )


def variable_coefficient() -> Unseen:
    """∇·(a ∇u) = f with a between 0.1 and 1.9."""
    u = field("u", x, y)
    a = 1 + sp.Rational(9, 10) * sp.sin(2 * PI * x) * sp.sin(3 * PI * y)
    exact = sp.exp(-x) * sp.sin(PI * (x + 2 * y))
    return exactly(
        IBVP(
            manufactured(lambda w: (a * w.diff(x)).diff(x) + (a * w.diff(y)).diff(y), u, exact), SQUARE,
            boundary=[Dirichlet(u, exact, on=["left", "right"]), Dirichlet(u, exact, on=["top", "bottom"])],
        ),
        {u: exact},
    )  # fmt: skip


def plate() -> Unseen:
    """Δ²u = 100 on the unit square, clamped."""
    u = field("u", x, y)
    operator = u.diff(x, 4) + 2 * u.diff(x, 2, y, 2) + u.diff(y, 4)
    problem = IBVP(sp.Eq(operator, 100), SQUARE, boundary=[Dirichlet(u, 0), Neumann(u, 0)])
    points, values = references.clamped_plate(100.0)
    return Unseen(problem, points, {"u": values})


def helmholtz_corner() -> Unseen:
    """Δu + 100 u = f on an L-shape."""
    u = field("u", x, y)
    exact = sp.cos(6 * x + 8 * y) + sp.sin(3 * x) * sp.exp(y) / 2
    shape = Rectangle((x, -1, 1), (y, -1, 1)) - Rectangle((x, 0, 1), (y, 0, 1))
    return exactly(
        IBVP(
            manufactured(lambda w: laplacian(w, x, y) + 100 * w, u, exact), shape, boundary=[Dirichlet(u, exact)]
        ),
        {u: exact},
    )  # fmt: skip


def breather() -> Unseen:
    """u_tt = u_xx - sin u, the breather of frequency 3/5 over more than a period."""
    u = field("u", x, t)
    w, s = sp.Rational(3, 5), sp.Rational(4, 5)
    exact = 4 * sp.atan(s / w * sp.sin(w * t) / sp.cosh(s * x))
    return exactly(
        IBVP(
            sp.Eq(u.diff(t, 2), u.diff(x, 2) - sp.sin(u)), Interval(x, -8, 8), time=(t, 0, 12),
            initial={u: 0, u.diff(t): exact.diff(t).subs(t, 0)}, boundary=[Dirichlet(u, exact)],
        ),
        {u: exact},
    )  # fmt: skip


def burgers_plane() -> Unseen:
    """Two-dimensional Burgers system, Re = 80 (Fletcher 1983)."""
    u, v = field("u", x, y, t), field("v", x, y, t)
    reynolds = 80
    wave = 1 / (4 * (1 + sp.exp((4 * y - 4 * x - t) * reynolds / 32)))
    exact = {u: sp.Rational(3, 4) - wave, v: sp.Rational(3, 4) + wave}
    return exactly(
        IBVP(
            [sp.Eq(w.diff(t) + u * w.diff(x) + v * w.diff(y), laplacian(w, x, y) / reynolds) for w in (u, v)],
            SQUARE, time=(t, 0, 1), initial={w: known.subs(t, 0) for w, known in exact.items()},
            boundary=[Dirichlet(w, known) for w, known in exact.items()],
        ),
        exact,
    )  # fmt: skip


def periodic_advection() -> Unseen:
    """u_t + 10 u_x = 0 with periodic ends, ten periods of a smooth wave in 2π time units."""
    u = field("u", x, t)
    return exactly(
        IBVP(
            sp.Eq(u.diff(t) + 10 * u.diff(x), 0), Interval(x, 0, 2 * PI), time=(t, 0, 2),
            initial={u: sp.exp(sp.sin(x))}, boundary=[Periodic(u, ("left", "right"))],
        ),
        {u: sp.exp(sp.sin(x - 10 * t))},
    )  # fmt: skip


def elasticity() -> Unseen:
    """Plane strain, two displacements: held at the left and at the bottom, traction on the other sides."""
    u, v = field("u", x, y), field("v", x, y)
    lame, shear = sp.Integer(2), sp.Integer(1)

    def stress(a: sp.Expr, b: sp.Expr) -> tuple[sp.Expr, sp.Expr, sp.Expr]:
        volume = lame * (a.diff(x) + b.diff(y))
        return volume + 2 * shear * a.diff(x), shear * (a.diff(y) + b.diff(x)), volume + 2 * shear * b.diff(y)

    exact = {u: sp.sin(PI * x / 2) * sp.cos(y) / 10, v: x * sp.exp(-y) / 5 + sp.sin(2 * y) / 10}
    s, f = stress(u, v), stress(*exact.values())
    return exactly(
        IBVP(
            [
                sp.Eq(s[0].diff(x) + s[1].diff(y), f[0].diff(x) + f[1].diff(y)),
                sp.Eq(s[1].diff(x) + s[2].diff(y), f[1].diff(x) + f[2].diff(y)),
            ],
            SQUARE,
            boundary=[
                Dirichlet(u, exact[u], on=["left", "bottom"]), Dirichlet(v, exact[v], on=["left", "bottom"]),
                Condition(sp.Eq(s[0], f[0]), on="right"), Condition(sp.Eq(s[1], f[1]), on="right"),
                Condition(sp.Eq(s[1], f[1]), on="top"), Condition(sp.Eq(s[2], f[2]), on="top"),
            ],
        ),
        exact,
    )  # fmt: skip


def soliton_pair() -> Unseen:
    """Schrödinger's equation i ψ_t + ψ_xx/2 + |ψ|²ψ = 0 for the real and the imaginary part of a moving soliton."""
    u, v = field("u", x, t), field("v", x, t)
    size = sp.sech(x - t)  # at speed 1 the phase does not depend on time
    exact = {u: size * sp.cos(x), v: size * sp.sin(x)}
    square = u**2 + v**2
    return exactly(
        IBVP(
            [
                sp.Eq(u.diff(t), -v.diff(x, 2) / 2 - square * v),
                sp.Eq(v.diff(t), u.diff(x, 2) / 2 + square * u),
            ],
            Interval(x, -8, 8), time=(t, 0, 2), initial={w: known.subs(t, 0) for w, known in exact.items()},
            boundary=[Dirichlet(w, known) for w, known in exact.items()],
        ),
        exact,
    )  # fmt: skip


def inverse_diffusion() -> Unseen:
    """Unknown diffusivity and rate of decay from 200 values with 1 % noise."""
    u = field("u", x, t)
    a, b = sp.Symbol("a", positive=True), sp.Symbol("b", positive=True)
    exact = sp.exp(-(PI**2 / 10 + HALF) * t) * sp.sin(PI * x) + sp.exp(-(4 * PI**2 / 10 + HALF) * t) * sp.sin(
        2 * PI * x
    )
    random = np.random.default_rng(0)
    places = random.random((200, 2))
    clean = sp.lambdify((x, t), exact)(*places.T)
    problem = IBVP(
        sp.Eq(u.diff(t), a * u.diff(x, 2) - b * u), Interval(x, 0, 1), time=(t, 0, 1),
        initial={u: exact.subs(t, 0)}, boundary=[Dirichlet(u, 0)],
        unknowns={a: (1, sp.Rational(1, 1000), 10), b: (1, sp.Rational(1, 1000), 10)},
        observations=[Observations(u, places, clean + 0.01 * random.standard_normal(200), sigma=0.01)],
    )  # fmt: skip
    points = problem.domain.sample(NODES, seed=1, time=(0.0, 1.0))
    return Unseen(problem, points, {"u": sp.lambdify((x, t), exact)(*points.T)}, {"a": 0.1, "b": 0.5})


def lotka_volterra() -> Unseen:
    """Prey and predator over two periods: an ordinary system, its only coordinate the time."""
    u, v = field("u", t), field("v", t)
    problem = IBVP(
        [sp.Eq(u.diff(t), u - u * v), sp.Eq(v.diff(t), u * v - v)], Interval(t, 0, 12),
        boundary=[Dirichlet(u, 2, on="left"), Dirichlet(v, 1, on="left")],
    )  # fmt: skip
    points, values = references.lotka_volterra(12.0)
    return Unseen(problem, points, values)


def boundary_layer() -> Unseen:
    """-u''/100 + u' = 1: a layer of width 1/100 at the right end."""
    u = field("u", x)
    exact = x - (sp.exp((x - 1) * 100) - sp.exp(-100)) / (1 - sp.exp(-100))
    return exactly(
        IBVP(sp.Eq(-u.diff(x, 2) / 100 + u.diff(x), 1), Interval(x, 0, 1), boundary=[Dirichlet(u, 0)]), {u: exact}
    )


def poisson_box() -> Unseen:
    """Poisson's equation in three coordinates with a Robin side."""
    u = field("u", x, y, z)
    exact = sp.sin(PI * x) * sp.cos(y) * sp.exp(z) + x * y * z
    return exactly(
        IBVP(
            manufactured(lambda w: laplacian(w, x, y, z), u, exact), Box((x, 0, 1), (y, 0, 1), (z, 0, 1)),
            boundary=[
                Dirichlet(u, exact, on=["left", "right", "bottom", "back", "front"]),
                Robin(u, 2, exact.diff(y) + 2 * exact, on="top"),
            ],
        ),
        {u: exact},
    )  # fmt: skip


def anisotropic() -> Unseen:
    """u_xx + u_yy/1000 = f."""
    u = field("u", x, y)
    exact = sp.sin(PI * x) * sp.cos(4 * PI * y) + y**2
    return exactly(
        IBVP(
            manufactured(lambda w: w.diff(x, 2) + w.diff(y, 2) / 1000, u, exact), SQUARE,
            boundary=[Dirichlet(u, exact, on=["left", "right"]), Neumann(u, exact.diff(y), on="top"),
                      Neumann(u, -exact.diff(y), on="bottom")],
        ),
        {u: exact},
    )  # fmt: skip


def drum() -> Unseen:
    """Wave equation with a source on the unit disk."""
    u = field("u", x, y, t)
    r = x**2 + y**2
    exact = (1 - r) * (1 + x) * sp.cos(5 * t) + (1 - r) ** 2 * y * sp.sin(3 * t)
    return exactly(
        IBVP(
            manufactured(lambda w: w.diff(t, 2) - laplacian(w, x, y), u, exact),
            Disk((x, y), center=(0, 0), radius=1), time=(t, 0, 2),
            initial={u: exact.subs(t, 0), u.diff(t): exact.diff(t).subs(t, 0)}, boundary=[Dirichlet(u, 0)],
        ),
        {u: exact},
    )  # fmt: skip


def beam() -> Unseen:
    """u_tt + u_xxxx = 0, simply supported, two modes."""
    u = field("u", x, t)
    exact = sp.sin(x) * sp.cos(t) + sp.sin(2 * x) * sp.sin(4 * t) / 4
    return exactly(
        IBVP(
            sp.Eq(u.diff(t, 2) + u.diff(x, 4), 0), Interval(x, 0, PI), time=(t, 0, 2),
            initial={u: exact.subs(t, 0), u.diff(t): exact.diff(t).subs(t, 0)},
            boundary=[Dirichlet(u, 0), Condition(u.diff(x, 2))],
        ),
        {u: exact},
    )  # fmt: skip


def tiny_units() -> Unseen:
    """Heat in a rod of 3 mm within 2 s, diffusivity 1e-6 m²/s, temperatures around 300 K."""
    u = field("u", x, t)
    length, rate = sp.Rational(3, 1000), sp.Rational(1, 10**6)
    k = PI / length
    exact = 300 + 20 * sp.exp(-rate * k**2 * t) * sp.sin(k * x) + 5 * x / length
    return exactly(
        IBVP(
            sp.Eq(u.diff(t), rate * u.diff(x, 2)), Interval(x, 0, length), time=(t, 0, 2),
            initial={u: exact.subs(t, 0)}, boundary=[Dirichlet(u, 300, on="left"), Dirichlet(u, 305, on="right")],
        ),
        {u: exact},
    )  # fmt: skip


def corner_singularity() -> Unseen:
    """Laplace's equation on an L-shape, u = r^(2/3) sin(2θ/3): unbounded slope at the corner."""
    u = field("u", x, y)
    angle = sp.atan2(y, x)
    angle = angle + sp.Piecewise((2 * PI, angle < 0), (0, True)) - PI / 2  # 0 on x = 0, y > 0
    exact = (x**2 + y**2) ** sp.Rational(1, 3) * sp.sin(sp.Rational(2, 3) * angle)
    shape = Rectangle((x, -1, 1), (y, -1, 1)) - Rectangle((x, 0, 1), (y, 0, 1))
    return exactly(IBVP(sp.Eq(laplacian(u, x, y), 0), shape, boundary=[Dirichlet(u, exact)]), {u: exact})


CASES: dict[str, Callable[[], Unseen]] = {
    case.__name__: case
    for case in (
        fisher, bratu, allen_cahn_plane, schnakenberg, polygon_with_hole, variable_coefficient, plate,
        helmholtz_corner, breather, burgers_plane, periodic_advection, elasticity, soliton_pair, inverse_diffusion,
        lotka_volterra, boundary_layer, poisson_box, anisotropic, drum, beam, tiny_units, corner_singularity,
    )
}  # fmt: skip
