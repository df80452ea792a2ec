"""The flows of `benchmarks.navier_stokes`: problem, network, points, budget, reference and what is measured."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import sympy as sp

from benchmarks.graded_gauss import GradedGauss
from sciml import IBVP, MLP, Condition, Dirichlet, Disk, Neumann, Rectangle, Solution
from sciml import field as symbol
from sciml.errors import ProblemWarning
from sciml.flows import force, mass_balance
from sciml.flows.stream import StreamForm
from sciml.flows.subtraction import RestoredSolution, corner_flow, subtracted
from sciml.networks import ObstacleMLP
from sciml.problems import cavity, cylinder, flow_identification, navier_stokes
from solvers import PINN, FiniteElement, Fixed
from solvers.pinn.placement import Counts

CORNERS = np.array([[0.0, 1.0], [1.0, 1.0]])
DAMPED = sp.Rational(1, 10)  # radius around the lid's corners in which momentum is damped and errors are not counted


@dataclass
class Outcome:
    """One flow by the network; `restored` holds what a saved solution lacks: known parts or the stream function."""

    case: str
    budget: float
    seconds: float
    parameters: int
    numbers: dict[str, float]
    targets: dict[str, str]
    status: str
    solutions: dict[str, Solution] = field(default_factory=dict)


def solve(
    problem: IBVP, width: int, depth: int, seconds: float, seed: int, kind: type[MLP] = MLP, **options: Any
) -> tuple[Solution, float, int]:
    """A network's solution, its CPU seconds and number of parameters; an `ObstacleMLP` gets the domain's holes."""
    start = time.process_time()
    network = ObstacleMLP(width, depth, holes=problem.domain) if kind is ObstacleMLP else kind(width, depth)
    solver = PINN(network, seed=seed, seconds=seconds, tolerance=0, progress=False, steps=3000, **options)
    solution = solver.solve(problem)
    model = getattr(solution, "model", None)
    count = sum(p.numel() for p in model.parameters()) if model is not None else 0
    return solution, time.process_time() - start, count


def against(solution: Solution, reference: Any, points: np.ndarray | None = None) -> dict[str, float]:
    """Relative L2 errors per field."""
    report = solution.error(reference, points)
    return {f"relative L2 of {name}": value for name, value in report.relative_l2.items()}


def velocity_error(solution: Solution, reference: Solution, apart: float = 0.0) -> float:
    """Relative L2 error of (u, v) together, outside a distance from the corners of the lid."""
    points = solution.problem.domain.sample(6000, seed=3)
    gap = np.linalg.norm(points[:, None] - CORNERS, axis=2).min(axis=1)
    points = points[gap >= apart]
    mine, theirs = solution.evaluate(points)[:, :2], reference.evaluate(points)[:, :2]
    return float(np.linalg.norm(mine - theirs) / np.linalg.norm(theirs))


def kovasznay(share: float, seed: int) -> Outcome:
    """Kovasznay flow at Re 20."""
    case, budget = navier_stokes.kovasznay(), 40 * share
    solution, seconds, count = solve(case.problem, 20, 3, budget, seed)
    targets = {"relative L2 of u": "5e-7", "relative L2 of p": "5e-6"}
    return Outcome("Kovasznay, Re 20", budget, seconds, count, against(solution, case.reference), targets,
                   solution.status)  # fmt: skip


def taylor_green(share: float, seed: int) -> Outcome:
    """Taylor-Green vortices at Re 100 up to t = 2."""
    case, budget = navier_stokes.taylor_green(), 40 * share
    problem = case.problem.replace(time=(navier_stokes.t, 0, 2))
    solution, seconds, count = solve(problem, 24, 3, budget, seed)
    numbers = against(solution, case.exact)
    return Outcome("Taylor-Green, Re 100, t <= 2", budget, seconds, count, numbers,
                   dict.fromkeys(numbers, "1e-4"), solution.status)  # fmt: skip


def beltrami(share: float, seed: int) -> Outcome:
    """Beltrami flow in the cube, ν = 1, t <= 1."""
    case, budget = navier_stokes.beltrami(), 600 * share
    solution, seconds, count = solve(case.problem, 24, 3, budget, seed)
    numbers = against(solution, case.reference)
    return Outcome("Beltrami 3D", budget, seconds, count, numbers, dict.fromkeys(numbers, "1e-4"), solution.status)


def cavity_reference(case: Any) -> Solution:
    """The flow by Taylor-Hood elements of size 1/60, 0.003 at the walls.

    From 1/40 to 1/60 the velocity moves by 1.1e-4 (smooth lid), 2.3e-4, 3.3e-4 and 4.7e-4 (raw lid, Re 100, 400, 1000,
    outside r < 0.1); errors of quadratic elements fall by (60/40)³ between them, so that 0.4 of that is left.
    """
    return FiniteElement(mesh_size=1 / 60, refine=dict.fromkeys(case.problem.faces, 0.003)).solve(case.problem)


def _cavity(name: str, case: Any, solution: Solution, apart: float, wanted: tuple[str, str], rest: tuple) -> Outcome:
    reference, (budget, seconds, count) = cavity_reference(case), rest
    numbers = {"relative L2 of the velocity": velocity_error(solution, reference, apart)}
    targets = {"relative L2 of the velocity": wanted[0]}
    mine, theirs = case.measure(solution), case.measure(reference)
    for key, value in mine.items():
        numbers[f"{key}: error"] = abs(value - theirs[key]) / abs(theirs[key])
        numbers[f"{key}: reference against the table"] = abs(theirs[key] / case.numbers[key] - 1)
        targets[f"{key}: error"] = wanted[1]
    balance = mass_balance(solution)
    numbers["root mean square of the divergence"] = balance.divergence
    return Outcome(name, budget, seconds, count, numbers, targets, solution.status,
                   {"PINN": solution, "FiniteElement": reference})  # fmt: skip


def cavity_smooth(share: float, seed: int) -> Outcome:
    """Cavity with the lid 16x²(1 - x)² at Re 100."""
    case, budget = cavity.lid(100), 110 * share
    points = GradedGauss(30, 40)
    solution, seconds, count = solve(case.problem, 20, 3, budget, seed, resampler=points, constraints="soft")
    return _cavity("cavity, smooth lid, Re 100", case, solution, 0.0, ("1e-4", "1e-3"), (budget, seconds, count))


def raw_lid(reynolds: int) -> tuple[Any, IBVP, dict[sp.Expr, sp.Expr]]:
    """The raw cavity, the problem of what is left of it without its corner flows, and these flows.

    What is left has momentum rows of the size of a constant at the corners, which no smooth network meets: they are
    multiplied by (r/δ)², so that the residual on other points than the trained ones falls as the error does.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ProblemWarning)  # the jump of the lid, which is what this is about
        case = cavity.lid(reynolds, "raw")
    problem, nu = case.problem, sp.Rational(1, reynolds)
    x, y = problem.space
    left = corner_flow((x, y), (0, 1), (1, 0), (0, -1), nu)
    right = corner_flow((x, y), (1, 1), (-1, 0), (0, -1), nu, speed=-1)
    known = {key: a + b for key, a, b in zip(problem.fields, left, right, strict=True)}
    damp = sp.prod([sp.Min(1, (a**2 + (1 - y) ** 2) / DAMPED**2) for a in (x, 1 - x)])
    return case, subtracted(problem, known, {"momentum x": damp, "momentum y": damp}), known


def cavity_raw(reynolds: int, seconds: float, width: int, points: tuple[int, int], wanted: tuple[str, str]) -> Callable:
    """Raw lid: corner flows subtracted, momentum damped at the corners, fixed graded points."""

    def run(share: float, seed: int) -> Outcome:
        case, rest, known = raw_lid(reynolds)
        budget = seconds * share
        resampler = GradedGauss(*points)
        found, used, count = solve(rest, width, 3, budget, seed, resampler=resampler, constraints="soft")
        solution = RestoredSolution(case.problem, found, known)
        return _cavity(f"cavity, raw lid, Re {reynolds}", case, solution, 0.1, wanted, (budget, used, count))

    return run


def cavity_stream(share: float, seed: int) -> Outcome:
    """Raw lid at Re 100 with a stream function: mass is conserved exactly, derivatives are of third order."""
    case, rest, known = raw_lid(100)
    budget, form = 60 * share, StreamForm(rest)
    resampler = GradedGauss(34, 50)
    found, used, count = solve(form.problem, 20, 3, budget, seed, resampler=resampler, constraints="soft")
    solution = RestoredSolution(case.problem, form.velocity(found), known)
    return _cavity("cavity, raw lid, Re 100, stream function", case, solution, 0.1, ("7e-4", "5e-4"),
                   (budget, used, count))  # fmt: skip


def undisturbed(problem: IBVP, length: Any, height: Any, viscosity: Any) -> tuple[IBVP, dict[sp.Expr, sp.Expr]]:
    """The problem of what obstacles change in a channel of mean speed 1, and the flow of the empty channel."""
    (x, y), (u, _, p) = problem.space, problem.fields
    known = {u: 6 * y * (height - y) / height**2, p: 12 * viscosity * (length - x) / height**2}
    return subtracted(problem, known), known


DFG_CHANNEL = (22, sp.Rational(41, 10), sp.Rational(1, 20))


def past_obstacles(
    problem: IBVP, channel: tuple[Any, Any, Any], seconds: float, seed: int
) -> tuple[Solution, float, int]:
    """A flow past obstacles in a channel (length, height, viscosity), on fixed points.

    The flow of the empty channel is subtracted. `ObstacleMLP` sees the rest in the coordinates of every obstacle, and
    half of the points lie around them (`sciml.hole_points`).
    """
    rest, known = undisturbed(problem, *channel)
    found, used, count = solve(rest, 16, 3, seconds, seed, ObstacleMLP, points=Counts(1400, 280, 0),
                               resampler=Fixed(), constraints="soft")  # fmt: skip
    return RestoredSolution(problem, found, known), used, count


def dfg(share: float, seed: int) -> Outcome:
    """DFG 2D-1 without data inside."""
    case, budget = cylinder.dfg_steady(), 100 * share
    solution, seconds, count = past_obstacles(case.problem, DFG_CHANNEL, budget, seed)
    # drag 5.57954, lift 0.01050, pressure difference 0.11746; a third halving gives 5.57952, 0.01061, 0.11750
    reference = FiniteElement(mesh_size=0.8, refine={"cylinder": 0.15}, refinements=2).solve(case.problem)
    numbers = case.measure(solution)
    numbers |= {f"{key}: finite elements": value for key, value in case.measure(reference).items()}
    numbers["net mass flux over the inflow"] = mass_balance(solution).net / 4.1
    numbers |= against(solution, reference)
    targets = {"drag coefficient": "5.57..5.59", "lift coefficient": "0.0104..0.0110",
               "pressure difference": "0.1172..0.1176"}  # fmt: skip
    return Outcome("DFG 2D-1, Re 20", budget, seconds, count, numbers, targets, solution.status,
                   {"PINN": solution, "FiniteElement": reference})  # fmt: skip


def two_cylinders() -> IBVP:
    """Two cylinders of different size, one above and one below the middle of a channel of height 4, ν = 1/20."""
    domain = Rectangle((navier_stokes.x, 0, 12), (navier_stokes.y, 0, 4))
    for centre, radius, name in (((3, sp.Rational(3, 2)), sp.Rational(2, 5), "first"),
                                 ((5, sp.Rational(13, 5)), sp.Rational(3, 10), "second")):  # fmt: skip
        domain = domain - Disk((navier_stokes.x, navier_stokes.y), center=centre, radius=radius, name=name)
    x, y = navier_stokes.x, navier_stokes.y
    u, v, p = (symbol(name, x, y) for name in "uvp")
    viscosity, solid = sp.Rational(1, 20), ["bottom", "top", "first", "second"]
    return IBVP(
        navier_stokes.equations([u, v], p, (x, y), viscosity), domain, fields=[u, v, p], name="two cylinders",
        boundary=[Dirichlet(u, 6 * y * (4 - y) / 16, on="left"), Dirichlet(u, 0, on=solid),
                  Dirichlet(v, 0, on=["left", *solid]), Condition(sp.Eq(viscosity * u.diff(x), p), on="right"),
                  Neumann(v, 0, on="right")],
    )  # fmt: skip


def obstacles(share: float, seed: int) -> Outcome:
    """Forces on two cylinders, with the settings of DFG 2D-1."""
    problem, budget = two_cylinders(), 100 * share
    solution, seconds, count = past_obstacles(problem, (12, sp.Integer(4), sp.Rational(1, 20)), budget, seed)
    near = {"first": 0.12, "second": 0.12}
    reference = FiniteElement(mesh_size=0.5, refine=near, refinements=1).solve(problem)
    numbers, targets = {}, {}
    for body in near:
        mine, theirs = (force(one, body, "volume").value for one in (solution, reference))
        for axis, name in enumerate(("drag", "lift")):
            numbers[f"{name} of the {body}"] = float(mine[axis])
            numbers[f"{name} of the {body}: finite elements"] = float(theirs[axis])
            numbers[f"{name} of the {body}: error over its drag"] = float(abs(mine[axis] - theirs[axis]) / theirs[0])
            targets[f"{name} of the {body}: error over its drag"] = "2e-3"
    numbers |= against(solution, reference)
    return Outcome("two cylinders in a channel", budget, seconds, count, numbers, targets, solution.status,
                   {"PINN": solution, "FiniteElement": reference})  # fmt: skip


def inverse(share: float, seed: int) -> Outcome:
    """Viscosity from 200 velocities with 1 % noise.

    An observation weighs the square of its noise, so that the equations, which hold exactly, are not bent to fit it.
    """
    noise = 0.01
    case, budget = flow_identification.viscosity(seed=seed, noise=noise), 40 * share
    light = {term.name: noise**2 for term in case.problem.terms if term.kind == "observation"}
    solution, seconds, count = solve(case.problem, 20, 3, budget, seed, weights=light)
    (nu,) = case.problem.unknowns
    found, truth = solution.unknown_values()[nu], case.numbers["nu"]
    numbers = {"viscosity": found, "relative error of the viscosity": abs(found / truth - 1),
               "standard error over the viscosity": float(solution.std(nu)[0]) / truth}  # fmt: skip
    numbers |= against(solution, case.reference)
    return Outcome("viscosity from 200 noisy velocities", budget, seconds, count, numbers,
                   {"relative error of the viscosity": "1e-2"}, solution.status)  # fmt: skip


CASES: dict[str, Callable[[float, int], Outcome]] = {
    "kovasznay": kovasznay, "taylor_green": taylor_green, "beltrami": beltrami, "cavity_smooth": cavity_smooth,
    "cavity_raw": cavity_raw(100, 60, 20, (30, 40), ("7e-4", "5e-4")),
    "cavity_raw_400": cavity_raw(400, 200, 20, (30, 40), ("1e-3", "1e-3")),
    "cavity_raw_1000": cavity_raw(1000, 300, 28, (38, 50), ("3e-3", "5e-3")),
    "cavity_stream": cavity_stream, "dfg": dfg, "obstacles": obstacles, "inverse": inverse,
}  # fmt: skip
