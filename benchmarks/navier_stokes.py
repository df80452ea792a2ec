"""Flows by the PINN trainer against exact and finite element flows: `python -m benchmarks.navier_stokes`.

Tanh networks, one thread, float64, CPU-seconds of the process with 1 seed; `--quick` takes a tenth of the budgets,
`--only` some of the cases. Nothing is measured inside the domain except in the inverse problem. References: closed
solutions, or `FiniteElement` with Taylor-Hood elements on meshes refined at walls, whose own distance from published
numbers is printed too. Errors of a raw cavity leave out r < 0.1 around the corners of the lid.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import sympy as sp
import torch

from influence import Influence
from sciml import IBVP, MLP, PointSet, Solution
from sciml.errors import ProblemWarning, SolverWarning
from sciml.flows import mass_balance
from sciml.flows.subtraction import RestoredSolution, corner_flow, subtracted
from sciml.problems import cavity, cylinder, flow_identification, navier_stokes
from sciml.references.quadrature import gauss_legendre
from solvers import PINN, FiniteElement

CORNERS = np.array([[0.0, 1.0], [1.0, 1.0]])


@dataclass
class Outcome:
    """One flow by the network."""

    case: str
    budget: float
    seconds: float
    parameters: int
    numbers: dict[str, float]
    targets: dict[str, str]
    status: str
    solutions: dict[str, Solution] = field(default_factory=dict)


class GradedGauss:
    """Fixed Gauss points that crowd at the walls of a rectangle, with their weights: a resampler that acts once."""

    every: int | None = 1

    def __init__(self, inside: int, side: int) -> None:
        self.inside, self.side, self.made = inside, side, None

    def resample(self, problem: IBVP, model: Any, points: PointSet) -> PointSet:
        """The points, made at the first call."""
        if self.made is None:
            self.made = self._points(problem, points)
        return self.made

    def _points(self, problem: IBVP, points: PointSet) -> PointSet:
        node, weight = graded(self.inside)
        low, high = np.array(problem.domain.bounds).T
        grid = np.stack(np.meshgrid(node, node, indexing="ij"), axis=-1).reshape(-1, 2)
        made = points
        for name, kind in zip(points.terms, points.term_kinds, strict=True):
            if kind == "interior":
                place, share = low + (high - low) * grid, np.outer(weight, weight).ravel()
            elif kind == "boundary":
                place, share = self._sides(problem, problem.term(name).faces)
            else:
                continue
            old = made.ids_of(name)
            made = made.add(place, name, weight=share * made.of(name).weight.sum() / share.sum())
            made = made.remove([i for i in old if i in set(made.ids.tolist())]) if len(old) else made
        return made

    def _sides(self, problem: IBVP, faces: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
        node, weight = graded(self.side)
        (x0, x1), (y0, y1) = problem.domain.bounds
        along = {"left": (x0, None), "right": (x1, None), "bottom": (None, y0), "top": (None, y1)}
        places = []
        for face in faces:
            x, y = along[face]
            column = [np.full(self.side, x) if x is not None else x0 + (x1 - x0) * node,
                      np.full(self.side, y) if y is not None else y0 + (y1 - y0) * node]  # fmt: skip
            places.append(np.stack(column, axis=1))
        return np.concatenate(places), np.tile(weight, len(faces))


def graded(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Gauss points and weights of [0, 1] under x = (1 + sin(πs/2))/2."""
    s, w = gauss_legendre(count)
    return (1 + np.sin(np.pi * s / 2)) / 2, np.pi / 4 * np.cos(np.pi * s / 2) * w


def solve(
    problem: IBVP, width: int, depth: int, seconds: float, seed: int, **options: Any
) -> tuple[Solution, float, int]:
    """A network's solution, its CPU seconds and number of parameters."""
    start = time.process_time()
    solver = PINN(MLP(width=width, depth=depth), seed=seed, seconds=seconds, tolerance=0, progress=False,
                  steps=2000, **options)  # fmt: skip
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
    case, budget = navier_stokes.taylor_green(), 100 * share
    problem = case.problem.replace(time=(navier_stokes.t, 0, 2))
    solution, seconds, count = solve(problem, 24, 3, budget, seed)
    numbers = against(solution, case.exact)
    return Outcome("Taylor-Green, Re 100, t <= 2", budget, seconds, count, numbers,
                   dict.fromkeys(numbers, "1e-4"), solution.status)  # fmt: skip


def beltrami(share: float, seed: int) -> Outcome:
    """Beltrami flow in the cube, ν = 1, t <= 1."""
    case, budget = navier_stokes.beltrami(), 100 * share
    solution, seconds, count = solve(case.problem, 24, 3, budget, seed)
    numbers = against(solution, case.reference)
    return Outcome("Beltrami 3D", budget, seconds, count, numbers, dict.fromkeys(numbers, "1e-4"), solution.status)


def _reference(case: Any) -> Solution:
    return FiniteElement(mesh_size=1 / 40, refine=dict.fromkeys(case.problem.faces, 0.003)).solve(case.problem)


def _cavity(name: str, case: Any, solution: Solution, apart: float, target: str, rest: tuple) -> Outcome:
    reference, (budget, seconds, count) = _reference(case), rest
    numbers = {"relative L2 of the velocity": velocity_error(solution, reference, apart)}
    mine, theirs = case.measure(solution), case.measure(reference)
    for key, value in mine.items():
        numbers[f"{key}: error"] = abs(value - theirs[key]) / abs(theirs[key])
        numbers[f"{key}: reference against the table"] = abs(theirs[key] / case.numbers[key] - 1)
    balance = mass_balance(solution)
    numbers["root mean square of the divergence"] = balance.divergence
    return Outcome(name, budget, seconds, count, numbers, {"relative L2 of the velocity": target}, solution.status,
                   {"PINN": solution, "FiniteElement": reference})  # fmt: skip


def cavity_smooth(share: float, seed: int) -> Outcome:
    """Cavity with the lid 16x²(1 - x)² at Re 100."""
    case, budget = cavity.lid(100), 110 * share
    solution, seconds, count = solve(case.problem, 20, 3, budget, seed)
    return _cavity("cavity, smooth lid, Re 100", case, solution, 0.0, "1e-4", (budget, seconds, count))


def raw_lid(reynolds: int) -> tuple[Any, IBVP, dict[sp.Expr, sp.Expr]]:
    """The raw cavity, the problem of what is left of it without its corner flows, and these flows."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ProblemWarning)  # the jump of the lid, which is what this is about
        case = cavity.lid(reynolds, "raw")
    problem, nu = case.problem, sp.Rational(1, reynolds)
    x, y = problem.space
    left = corner_flow((x, y), (0, 1), (1, 0), (0, -1), nu)
    right = corner_flow((x, y), (1, 1), (-1, 0), (0, -1), nu, speed=-1)
    known = {key: a + b for key, a, b in zip(problem.fields, left, right, strict=True)}
    damp = sp.prod([sp.Min(1, 10 * sp.sqrt(a**2 + (1 - y) ** 2)) for a in (x, 1 - x)])
    return case, subtracted(problem, known, {"momentum x": damp, "momentum y": damp}), known


def cavity_raw(share: float, seed: int) -> Outcome:
    """Raw lid at Re 100: corner flows subtracted, momentum damped at the corners, fixed graded points."""
    case, rest, known = raw_lid(100)
    budget = 80 * share
    found, seconds, count = solve(rest, 20, 3, budget, seed, resampler=GradedGauss(30, 40), constraints="soft")
    solution = RestoredSolution(case.problem, found, known)
    return _cavity("cavity, raw lid, Re 100", case, solution, 0.1, "7e-4", (budget, seconds, count))


def dfg(share: float, seed: int) -> Outcome:
    """DFG 2D-1 without data inside."""
    case, budget = cylinder.dfg_steady(), 200 * share
    solution, seconds, count = solve(case.problem, 32, 4, budget, seed)
    reference = FiniteElement(mesh_size=0.3, refine={"cylinder": 0.03}).solve(case.problem)
    numbers = case.measure(solution)
    numbers |= {f"{key}: finite elements": value for key, value in case.measure(reference).items()}
    numbers["net mass flux over the inflow"] = mass_balance(solution).net / 4.1
    numbers |= against(solution, reference)
    targets = {"drag coefficient": "5.57..5.59", "lift coefficient": "0.0104..0.0110",
               "pressure difference": "0.1172..0.1176"}  # fmt: skip
    return Outcome("DFG 2D-1, Re 20", budget, seconds, count, numbers, targets, solution.status,
                   {"PINN": solution, "FiniteElement": reference})  # fmt: skip


def inverse(share: float, seed: int) -> Outcome:
    """Viscosity from 200 velocities with 1 % noise."""
    case, budget = flow_identification.viscosity(seed=seed), 40 * share
    # both components carry the same noise, and the equations hold exactly: weigh the data equally and lightly
    light = {term.name: 0.1 for term in case.problem.terms if term.kind == "observation"}
    solution, seconds, count = solve(case.problem, 20, 3, budget, seed, weights=light)
    (nu,) = case.problem.unknowns
    found, truth = solution.unknown_values()[nu], case.numbers["nu"]
    numbers = {"viscosity": found, "relative error of the viscosity": abs(found / truth - 1)}
    try:
        numbers["standard error over the viscosity"] = (
            float(np.ravel(Influence(solution).standard_error(nu))[0]) / truth
        )
    except Exception as error:  # said in the table, never hidden
        print(f"   standard error: {type(error).__name__}: {error}")
    numbers |= against(solution, case.reference)
    return Outcome("viscosity from 200 noisy velocities", budget, seconds, count, numbers,
                   {"relative error of the viscosity": "1e-2"}, solution.status)  # fmt: skip


CASES: dict[str, Callable[[float, int], Outcome]] = {
    "kovasznay": kovasznay, "taylor_green": taylor_green, "beltrami": beltrami, "cavity_smooth": cavity_smooth,
    "cavity_raw": cavity_raw, "dfg": dfg, "inverse": inverse,
}  # fmt: skip


def shown(outcome: Outcome) -> str:
    """A table of one flow."""
    spent = f"{outcome.seconds:.0f} s CPU (budget {outcome.budget:.0f})"
    lines = [f"{outcome.case}: {outcome.parameters} parameters, {spent}", f"   {outcome.status}"]
    for name, value in outcome.numbers.items():
        wanted = f"   wanted {outcome.targets[name]}" if name in outcome.targets else ""
        lines.append(f"   {name:58s} {value:12.5g}{wanted}")
    return "\n".join(lines)


def main() -> None:
    """Run the cases and print their tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the budgets")
    parser.add_argument("--only", nargs="*", choices=list(CASES), default=list(CASES))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--results", type=Path, help="a JSON file to which the numbers are added")
    parser.add_argument("--solutions", type=Path, help="a folder for the network's and the reference flow")
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", SolverWarning)
    for name in options.only:
        outcome = CASES[name](0.1 if options.quick else 1.0, options.seed)
        print(shown(outcome), flush=True)
        if options.results:
            known = json.loads(options.results.read_text()) if options.results.exists() else {}
            known[name] = asdict(replace(outcome, solutions={}))
            options.results.write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n")
        for label, solution in outcome.solutions.items() if options.solutions else ():
            options.solutions.mkdir(exist_ok=True)
            kept = solution.remainder if isinstance(solution, RestoredSolution) else solution
            kept.save(options.solutions / f"{name}-{label}")
    if importlib.util.find_spec("deepxde") is None:
        print("DeepXDE: not installed, so not measured")


if __name__ == "__main__":
    main()
