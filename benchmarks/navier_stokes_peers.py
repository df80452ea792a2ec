"""DeepXDE on flows of `benchmarks.navier_stokes`: `python -m benchmarks.navier_stokes_peers kovasznay --seconds 40`.

The same network and CPU time in float64, in cavities the same points: Adam for a third of the time, then its L-BFGS,
started again when it ends by its own test, with unit weights of all terms, which is how its examples are written.
Prints one line of JSON. Runs in any environment that has DeepXDE and can import this package.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import json
import os
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from benchmarks.graded_gauss import GradedGauss
from sciml import IBVP, PointSet, sample
from sciml.errors import ProblemWarning
from sciml.expressions.compiler import Program
from sciml.expressions.data import evaluate_data
from sciml.jets import jet_atoms
from sciml.problems import cavity, flow_identification, navier_stokes


@dataclass(frozen=True)
class Setting:
    """A case of the library, the width of three layers, and its points."""

    case: Callable[[int], Any]
    width: int
    points: Callable[[IBVP], PointSet]


def vortices() -> Any:
    """Taylor-Green vortices up to t = 2."""
    case = navier_stokes.taylor_green()
    return replace(case, problem=case.problem.replace(time=(navier_stokes.t, 0, 2)))


def _even(problem: IBVP) -> PointSet:
    return sample(problem, interior=400, boundary=120, method="sobol", seed=0)


def _graded(problem: IBVP) -> PointSet:
    return GradedGauss(30, 40).resample(problem, None, sample(problem, interior=4, boundary=4))


def _in_time(problem: IBVP) -> PointSet:
    return sample(problem, interior=1500, boundary=1, initial=300, method="sobol", seed=0)


def _in_body(problem: IBVP) -> PointSet:
    return sample(problem, interior=2000, boundary=100, initial=400, method="sobol", seed=0)


SETTINGS = {
    "taylor_green": Setting(lambda seed: vortices(), 24, _in_time),
    "kovasznay": Setting(lambda seed: navier_stokes.kovasznay(), 20, _even),
    "cavity_smooth": Setting(lambda seed: cavity.lid(100), 20, _graded),
    "cavity_raw": Setting(lambda seed: cavity.lid(100, "raw"), 20, _graded),
    "cavity_raw_400": Setting(lambda seed: cavity.lid(400, "raw"), 20, _graded),
    "cavity_raw_1000": Setting(lambda seed: cavity.lid(1000, "raw"), 28, _graded),
    "beltrami": Setting(lambda seed: navier_stokes.beltrami(), 24, _in_body),
    "inverse": Setting(lambda seed: flow_identification.viscosity(seed=seed), 20, _even),
}


def model_of(problem: IBVP, points: PointSet, width: int) -> tuple[Any, Any, list[Any]]:
    """DeepXDE's model of a problem with Dirichlet, initial and observed data on given points, and its unknowns.

    Periodic sides are met exactly by feeding sines and cosines, as DeepXDE's documentation does it.
    """
    os.environ["DDE_BACKEND"] = "pytorch"
    import deepxde

    deepxde.config.set_default_float("float64")
    equations = [problem.substitute(equation) for equation in problem.equations]
    atoms = {}
    for equation in equations:
        atoms |= jet_atoms(equation, problem.fields, problem.coordinates)
    unknowns = [deepxde.Variable(value.start) for value in problem.unknowns.values()]
    program = Program(equations, [*problem.coordinates, *problem.unknowns, *atoms])

    def residual(x: Any, y: Any) -> list[Any]:
        known: dict[tuple, Any] = {}

        def jet(index: int, orders: tuple[int, ...]) -> Any:
            if (index, orders) not in known:
                axis = next((k for k, order in enumerate(orders) if order), None)
                if axis is None:
                    known[index, orders] = y[:, index : index + 1]
                else:
                    lower = tuple(order - (k == axis) for k, order in enumerate(orders))
                    known[index, orders] = deepxde.grad.jacobian(jet(index, lower), x, i=0, j=axis)
            return known[index, orders]

        columns = [x[:, k : k + 1] for k in range(x.shape[1])]
        values = [unknown.expand(len(x), 1) for unknown in unknowns]
        return program(*columns, *values, *(jet(*atom) for atom in atoms.values()))

    conditions = []
    for term in problem.terms:
        if term.kind not in ("boundary", "initial", "observation") or term.periodic:
            continue
        known = next(f for f in problem.fields if term.expressions[0].has(f))
        if term.observation is not None:
            place, values = term.observation.points, term.observation.values
        else:
            place = points.of(term.name).coordinates
            data = problem.substitute(known - term.expressions[0])
            values = evaluate_data(data, problem.coordinates, place, problem.bounds)
        component = problem.fields.index(known)
        conditions.append(deepxde.icbc.PointSetBC(place, values[:, None], component=component))
    low, high = np.array(problem.bounds).T
    interior = points.of(points.terms[0]).coordinates
    data = deepxde.data.PDE(deepxde.geometry.Hypercube(low, high), residual, conditions, num_domain=0,
                            anchors=interior)  # fmt: skip
    axes = [
        k for k, face in enumerate(("left", "bottom")) if any(t.periodic and face in t.faces for t in problem.terms)
    ]
    layers = [len(problem.coordinates) + len(axes), *[width] * 3, len(problem.fields)]
    network = deepxde.nn.FNN(layers, "tanh", "Glorot normal")
    if axes:
        network.apply_feature_transform(lambda x: _periodic(x, axes, low, high))
    return deepxde.Model(data, network), deepxde, unknowns


def _periodic(x: torch.Tensor, axes: list[int], low: np.ndarray, high: np.ndarray) -> torch.Tensor:
    """Sine and cosine of the periodic coordinates, the others as they are."""
    angles = [2 * np.pi * (x[:, k : k + 1] - low[k]) / (high[k] - low[k]) for k in axes]
    waves = [wave(angle) for angle in angles for wave in (torch.sin, torch.cos)]
    return torch.cat([*waves, *(x[:, k : k + 1] for k in range(x.shape[1]) if k not in axes)], dim=1)


def train(model: Any, deepxde: Any, unknowns: list[Any], seconds: float) -> str:
    """Adam, then L-BFGS until the time is spent or nothing changes any more."""
    start = time.process_time()

    class Stop(deepxde.callbacks.Callback):
        def __init__(self, limit: float) -> None:
            super().__init__()
            self.limit = limit

        def on_epoch_end(self) -> None:
            if time.process_time() - start > self.limit:
                self.model.stop_training = True

    options = {"external_trainable_variables": unknowns} if unknowns else {}
    model.compile("adam", lr=1e-3, verbose=0, **options)
    model.train(iterations=10**6, display_every=10**9, callbacks=[Stop(seconds / 3)], verbose=0)
    deepxde.optimizers.set_LBFGS_options(maxiter=200, gtol=0, ftol=0)
    model.compile("L-BFGS", verbose=0, **options)
    while time.process_time() - start < seconds:
        before = [p.detach().clone() for p in model.net.parameters()]
        model.train(display_every=10**9, callbacks=[Stop(seconds)], verbose=0)
        if all(torch.equal(p, q) for p, q in zip(before, model.net.parameters(), strict=True)):
            return "L-BFGS changes nothing any more"
    return "the time budget is spent"


def numbers_of(name: str, case: Any, predict: Callable[[np.ndarray], np.ndarray], unknowns: list[Any]) -> dict:
    """Errors as for the PINN: per field against a closed solution, else of the velocity and its extrema."""
    problem, found = case.problem, {}
    if unknowns:
        truth = case.numbers["nu"]
        found = {
            "viscosity": float(unknowns[0]),
            "relative error of the viscosity": abs(float(unknowns[0]) / truth - 1),
        }
    if case.reference is not None:
        points = sample(problem, interior=4096, boundary=1, initial=1, seed=20).of(problem.terms[0].name).coordinates
        mine, theirs = predict(points), case.reference.evaluate(points)
        for values in (mine, theirs):  # the pressure, known up to a constant
            values[:, -1] -= values[:, -1].mean()
        error = np.linalg.norm(mine - theirs, axis=0) / np.linalg.norm(theirs, axis=0)
        return found | {f"relative L2 of {n}": float(e) for n, e in zip(problem.field_names, error, strict=True)}
    line, half = np.linspace(0.0, 1.0, 2001), np.full(2001, 0.5)
    u, v = predict(np.stack([half, line], axis=1))[:, 0], predict(np.stack([line, half], axis=1))[:, 1]
    extrema = zip(case.numbers.items(), (u.min(), v.max(), v.min()), strict=True)
    return {f"{key}: error": abs(float(value) / known - 1) for (key, known), value in extrema}


def main() -> None:
    """Train and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("case", choices=list(SETTINGS))
    parser.add_argument("--seconds", type=float, default=40.0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    if importlib.util.find_spec("deepxde") is None:
        print(json.dumps({"missing": "deepxde is not installed"}))
        return
    warnings.simplefilter("ignore", ProblemWarning)
    setting = SETTINGS[options.case]
    case = setting.case(options.seed)
    model, deepxde, unknowns = model_of(case.problem, setting.points(case.problem), setting.width)
    torch.manual_seed(options.seed)
    start = time.process_time()
    status = train(model, deepxde, unknowns, options.seconds)
    print(json.dumps({
        "version": importlib.metadata.version("deepxde"), "status": status, "seconds": time.process_time() - start,
        "parameters": sum(p.numel() for p in model.net.parameters()),
        "numbers": numbers_of(options.case, case, model.predict, unknowns),
    }))  # fmt: skip


if __name__ == "__main__":
    main()
