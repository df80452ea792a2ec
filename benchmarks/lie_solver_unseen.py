"""LieSolver on problems with exact solutions that were invented after it was written, one or two of each kind.

    python -m benchmarks.lie_solver_unseen [--quick] [--only NAME]

Errors are taken on 4096 Sobol points; CPU seconds without the derivation of symmetries, the bound has its own column.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable
from typing import Any

import sympy as sp
import torch

from sciml import IBVP, Dirichlet, Disk, Interval, Neumann, Periodic, Polygon, Rectangle, Robin, coordinates, field
from solvers import LieSolver

HALF, FIFTH = sp.Rational(1, 2), sp.Rational(1, 5)
x, y, t = coordinates("x y t")
u, v, w, q = field("u", x, t), field("v", x, t), field("w", x, y), field("q", x, y, t)
price = coordinates("S")
value = field("V", price, t)
Case = tuple[IBVP, dict[Any, sp.Expr]]


def evolution(pde: Any, domain: Any, end: Any, exact: dict[Any, sp.Expr], sides: list, moving: bool = False) -> Case:
    """A problem whose data are those of an exact solution; with initial velocities where `moving`."""
    initial = {known: e.subs(t, 0) for known, e in exact.items()}
    if moving:
        initial |= {known.diff(t): e.diff(t).subs(t, 0) for known, e in exact.items()}
    return IBVP(pde, domain, (t, 0, end), initial, sides), exact


def rod() -> Case:
    """Heat, insulated on the left, cooled on the right, a growing level."""
    exact = sp.exp(-t / 2) * sp.cos(x) + x**2 + t
    sides = [Neumann(u, 0, on="left"), Robin(u, 3, (exact.diff(x) + 3 * exact).subs(x, 2), on="right")]
    return evolution(u.diff(t) - u.diff(x, 2) / 2, Interval(x, 0, 2), 1, {u: exact}, sides)


def string() -> Case:
    """A wave of speed 2: a pulse that leaves through a free end, and a standing wave."""
    exact = sp.exp(-40 * (x - 2 * t - sp.Rational(3, 2)) ** 2) + sp.sin(x) * sp.cos(2 * t)
    sides = [Dirichlet(u, exact.subs(x, 0), on="left"), Neumann(u, exact.diff(x).subs(x, 3), on="right")]
    return evolution(u.diff(t, 2) - 4 * u.diff(x, 2), Interval(x, 0, 3), HALF, {u: exact}, sides, moving=True)


def telegraph() -> Case:
    """A damped wave with mass on a ring."""
    exact = sp.exp(-3 * t / 2) * sp.cos(2 * x - sp.sqrt(15) / 2 * t)
    pde = u.diff(t, 2) + 3 * u.diff(t) + 2 * u - u.diff(x, 2)
    return evolution(pde, Interval(x, 0, 2 * sp.pi), 2, {u: exact}, [Periodic(u)], moving=True)


def ornstein_uhlenbeck() -> Case:
    """p_t = (2xp)_x + p_xx/4 from a narrow normal density."""
    mean = sp.Rational(4, 5) * sp.exp(-2 * t)
    variance = (1 - sp.exp(-4 * t)) / 8 + sp.exp(-4 * t) / 25
    exact = sp.exp(-((x - mean) ** 2) / (2 * variance)) / sp.sqrt(2 * sp.pi * variance)
    sides = [Dirichlet(u, exact.subs(x, end), on=face) for face, end in (("left", -4), ("right", 4))]
    return evolution(u.diff(t) - (2 * x * u).diff(x) - u.diff(x, 2) / 4, Interval(x, -4, 4), 1, {u: exact}, sides)


def power_option() -> Case:
    """Black-Scholes: a claim on S^{3/2}, the asset, and cash."""
    rate, power = sp.Rational(3, 100), sp.Rational(3, 2)
    growth = (power - 1) * (rate + power * FIFTH**2 / 2)
    exact = price**power * sp.exp(growth * t) + price - 50 * sp.exp(-rate * t)
    pde = (
        value.diff(t) - FIFTH**2 * price**2 * value.diff(price, 2) / 2 - rate * price * value.diff(price) + rate * value
    )
    sides = [Dirichlet(value, exact.subs(price, end), on=face) for face, end in (("left", 20), ("right", 200))]
    return evolution(pde, Interval(price, 20, 200), 1, {value: exact}, sides)


def box() -> Case:
    """Schroedinger as a real pair: two modes of a box."""
    first, second = sp.sin(2 * x), sp.sin(5 * x) / 2
    exact = {u: first * sp.cos(4 * t) + second * sp.cos(25 * t), v: -first * sp.sin(4 * t) - second * sp.sin(25 * t)}
    pde = [u.diff(t) + v.diff(x, 2), v.diff(t) - u.diff(x, 2)]
    return evolution(pde, Interval(x, 0, sp.pi), 1, exact, [Dirichlet(u, 0), Dirichlet(v, 0)])


def sound() -> Case:
    """Acoustics: a pulse that passes both ends."""
    pulse = sp.exp(-8 * (x - 2 * t - 1) ** 2)
    sides = [Dirichlet(u, 2 * pulse.subs(x, 0), on="left"), Dirichlet(v, pulse.subs(x, 3), on="right")]
    pde = [u.diff(t) + 4 * v.diff(x), v.diff(t) + u.diff(x)]
    return evolution(pde, Interval(x, 0, 3), HALF, {u: 2 * pulse, v: pulse}, sides)


def arrow() -> Case:
    """Laplace on a polygon with a re-entrant corner, a flux on one side."""
    corners = [(0, 0), (3, 0), (3, 2), (sp.Rational(3, 2), sp.Rational(4, 5)), (0, 2)]
    exact = sp.exp(x) * sp.cos(y) / 5 + sp.log((x + 1) ** 2 + (y + 1) ** 2)
    sides = [Dirichlet(w, exact, on=["a", "c", "d", "e"]), Neumann(w, exact.diff(x), on="b")]
    return IBVP(w.diff(x, 2) + w.diff(y, 2), Polygon((x, y), corners, name=list("abcde")), boundary=sides), {w: exact}


def drum() -> Case:
    """Helmholtz on a disk, k = 7: a plane wave and one from outside."""
    exact = sp.cos(7 * (3 * x + 4 * y) / 5) + sp.besselj(0, 7 * sp.sqrt((x - 2) ** 2 + y**2))
    return IBVP(w.diff(x, 2) + w.diff(y, 2) + 49 * w, Disk((x, y)), boundary=[Dirichlet(w, exact)]), {w: exact}


def plate() -> Case:
    """Heat on a square: three cold sides and an insulated one."""
    slow = sp.exp(-sp.Rational(13, 4) * t) * sp.sin(x) * sp.cos(3 * y / 2)
    exact = slow + 2 * sp.exp(-sp.Rational(97, 4) * t) * sp.sin(2 * x) * sp.cos(9 * y / 2)
    sides = [Dirichlet(q, 0, on=["left", "right", "top"]), Neumann(q, 0, on="bottom")]
    domain = Rectangle((x, 0, sp.pi), (y, 0, sp.pi))
    return evolution(q.diff(t) - q.diff(x, 2) - q.diff(y, 2), domain, HALF, {q: exact}, sides)


def closed_channel() -> Case:
    """Drift towards one end of a channel that nothing leaves: Robin conditions of either sign."""
    decay = sp.exp(x - (1 + sp.pi**2) * t) * (sp.pi * sp.cos(sp.pi * x) + sp.sin(sp.pi * x))
    exact = sp.exp(2 * x) + 3 * decay
    sides = [Robin(u, 2, 0, on="left"), Robin(u, -2, 0, on="right")]
    return evolution(u.diff(t) - u.diff(x, 2) + 2 * u.diff(x), Interval(x, 0, 1), HALF, {u: exact}, sides)


CASES: dict[str, Callable[[], Case]] = {
    "heat, flux and cooling": rod, "wave, free end": string, "telegraph, ring": telegraph,
    "Ornstein-Uhlenbeck": ornstein_uhlenbeck, "Black-Scholes": power_option, "Schroedinger pair": box,
    "acoustics pair": sound, "Laplace, re-entrant polygon": arrow, "Helmholtz, disk": drum, "heat, square": plate,
    "drift, closed ends": closed_channel,
}  # fmt: skip


QUICK = ("wave, free end", "telegraph, ring", "Helmholtz, disk")


def row(name: str, make: Callable[[], Case], bounds: bool) -> tuple[str, bool]:
    """Solve one problem and compare; whether the error is below 1e-10 and below the bound."""
    problem, exact = make()
    started = time.process_time()
    lie: Any = LieSolver().solve(problem)
    seconds = time.process_time() - started - lie.history.get("symmetry_seconds", 0.0)
    points = problem.domain.sample(4096, seed=5, time=problem.bounds[-1] if problem.time else None)
    report = lie.error(exact if len(exact) > 1 else next(iter(exact.values())), points)
    largest, started = max(report.maximum.values()), time.process_time()
    bound, bounding = (lie.error_bound if bounds else None), time.process_time() - started
    said = (
        f"{bound:.1e}" if bound is not None else f"none: {lie.error_bound_reason[:60]}" if bounds else "not asked for"
    )
    relative = max(report.relative_l2.values())
    below = bound is not None and bound < largest
    said += "  BELOW THE ERROR" if below else ""
    text = f"{name:28s} {len(lie.terms):5d} {relative:8.1e} {largest:8.1e} {seconds:6.2f} {bounding:6.1f}  {said}"
    return text, relative <= 1e-10 and not below


def main(arguments: list[str] | None = None) -> int:
    """Print the table; the exit status is 1 if an error is above 1e-10 or above its bound."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="three problems, no bounds")
    parser.add_argument("--only", default="", help="part of the name of a problem")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")  # missed tolerances are in the table
    print(f"{'problem':28s} {'terms':>5s} {'rel L2':>8s} {'max':>8s} {'CPU s':>6s} {'bound':>6s}  bound")
    met = True
    for name, make in CASES.items():
        if options.only in name and (name in QUICK or not options.quick):
            text, good = row(name, make, not options.quick)
            print(text, flush=True)
            met = met and good
    return int(not met)


if __name__ == "__main__":
    raise SystemExit(main())
