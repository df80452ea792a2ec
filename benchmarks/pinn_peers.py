"""One peer in a process of its own: `python -m benchmarks.pinn_peers deepxde kovasznay --iterations 40`.

Prints one line of JSON: milliseconds of CPU time per Adam iteration, or with `--seconds` the error of Adam followed by
L-BFGS against CPU-seconds. Peers may live in another environment; this package must be importable there.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import json
import math
import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from benchmarks.engine import burgers, kovasznay
from sciml import PointSet, sample
from sciml.compatibility import term_data
from sciml.expressions.data import evaluate_data
from sciml.problems import library

DECAY = 10 - math.sqrt(100 + 4 * math.pi**2)


@dataclass(frozen=True)
class Setting:
    """Layers, points and residuals of one benchmark problem.

    Attributes:
        layers: Sizes of the layers.
        points: Points by term.
        names: Coordinates and fields.
        data: Faces of soft data: term name, number of the field.
        residual: (grad, fields) -> residuals; grad(values, k) differentiates a column in coordinate k.
    """

    layers: list[int]
    points: PointSet
    names: tuple[tuple[str, ...], tuple[str, ...]]
    data: tuple[tuple[str, int], ...]
    residual: Callable[[Callable[..., Any], list[Any]], list[Any]]


def flow_residual(grad: Callable[..., Any], fields: list[Any]) -> list[Any]:
    """Momentum and continuity at Re = 20."""
    u, v, p = fields
    first = {(w, k): grad(value, k) for w, value in (("u", u), ("v", v), ("p", p)) for k in (0, 1)}
    rows = []
    for w, k in (("u", 0), ("v", 1)):
        friction = grad(first[w, 0], 0) + grad(first[w, 1], 1)
        rows.append(u * first[w, 0] + v * first[w, 1] + first["p", k] - friction / 20)
    return [*rows, first["u", 0] + first["v", 1]]


def burgers_residual(grad: Callable[..., Any], fields: list[Any]) -> list[Any]:
    """u_t + u u_x - (0.01/π) u_xx."""
    (u,) = fields
    slope = grad(u, 0)
    return [grad(u, 1) + u * slope - 0.01 / math.pi * grad(slope, 0)]


def allen_cahn_residual(grad: Callable[..., Any], fields: list[Any]) -> list[Any]:
    """Residual u_t - u_xx/1000 + 5 u³ - 5 u."""
    (u,) = fields
    return [grad(u, 1) - grad(grad(u, 0), 0) / 1000 + 5 * u**3 - 5 * u]


def heat_residual(grad: Callable[..., Any], fields: list[Any]) -> list[Any]:
    """Residual u_t - u_xx."""
    (u,) = fields
    return [grad(u, 1) - grad(grad(u, 0), 0)]


def drift_residual(grad: Callable[..., Any], fields: list[Any]) -> list[Any]:
    """Residual u_t + 20 u_x - u_xx."""
    (u,) = fields
    slope = grad(u, 0)
    return [grad(u, 1) + 20 * slope - grad(slope, 0)]


AGAINST_TIME = {
    "kovasznay": ("navier_stokes.kovasznay", flow_residual),
    "burgers": ("burgers.shock", burgers_residual),
    "allen_cahn": ("allen_cahn.cosine", allen_cahn_residual),
    "heat": ("heat.sine", heat_residual),
    "drift": ("advection_diffusion.drift", drift_residual),
}


def setting(name: str) -> Setting:
    """The benchmark problem of a name.

    Args:
        name: "kovasznay" or "burgers".
    """
    if name == "kovasznay":
        problem, points = kovasznay(2601, 400)
        data = tuple((term.name, i) for i, term in enumerate(t for t in problem.terms if t.kind == "boundary"))
        return Setting([2, *[50] * 4, 3], points, (("x", "y"), ("u", "v", "p")), data, flow_residual)
    problem, points = burgers(2540, 240)
    data = tuple((term.name, 0) for term in problem.terms if term.kind != "interior")
    return Setting([2, *[32] * 3, 1], points, (("x", "t"), ("u",)), data, burgers_residual)


def values_at(name: str, term: str, field: int, places: np.ndarray) -> np.ndarray:
    """Data of a condition, (n, 1)."""
    if name not in ("kovasznay", "burgers"):
        problem = library()[AGAINST_TIME[name][0]]().problem
        stated = next(one for one in problem.terms if one.name == term)
        return -evaluate_data(term_data(stated, problem)[0], problem.coordinates, places, problem.bounds)[:, None]
    first, second = places.T
    if name == "kovasznay":
        wave, size = 2 * np.pi * second, np.exp(DECAY * first)
        exact = (1 - size * np.cos(wave), DECAY / (2 * np.pi) * size * np.sin(wave))
        return exact[field][:, None]
    return (-np.sin(np.pi * first) if term.startswith("initial") else 0 * first)[:, None]


def deepxde_model(name: str, case: Setting) -> tuple[Any, Any]:
    """DeepXDE's model on the same points and network, float64, and the module."""
    os.environ["DDE_BACKEND"] = "pytorch"
    import deepxde

    deepxde.config.set_default_float("float64")
    interior = case.points.of(case.points.terms[0]).coordinates
    low, high = interior.min(axis=0), interior.max(axis=0)
    domain = deepxde.geometry.Rectangle(low, high)
    conditions = []
    for term, field in case.data:
        places = case.points.of(term).coordinates
        conditions.append(deepxde.icbc.PointSetBC(places, values_at(name, term, field, places), component=field))

    def equations(x: Any, y: Any) -> list[Any]:
        columns = [y[:, i : i + 1] for i in range(y.shape[1])]
        return case.residual(lambda column, k: deepxde.grad.jacobian(column, x, i=0, j=k), columns)

    data = deepxde.data.PDE(domain, equations, conditions, num_domain=0, anchors=interior)
    return deepxde.Model(data, deepxde.nn.FNN(case.layers, "tanh", "Glorot normal")), deepxde


def deepxde_iteration(name: str, case: Setting, iterations: int) -> float:
    """Milliseconds per Adam iteration."""
    model, deepxde = deepxde_model(name, case)
    model.compile("adam", lr=1e-3, verbose=0)
    times: list[float] = []

    class Clock(deepxde.callbacks.Callback):
        def on_epoch_begin(self) -> None:
            times.append(time.process_time())

    model.train(iterations=iterations, display_every=10**9, callbacks=[Clock()], verbose=0)
    return 1e3 * statistics.median(np.diff(times))


def deepxde_errors(name: str, seconds: float) -> list[tuple[float, float]]:
    """(CPU-seconds, relative L2 error of u): Adam for a third of the time, then L-BFGS; 3x20."""
    known, residual = AGAINST_TIME[name]
    made = library()[known]()
    problem, exact = made.problem, made.reference
    assert exact is not None
    if name == "kovasznay":
        points = kovasznay(400, 120)[1]
        data = setting(name).data
    else:
        points = sample(problem, interior=2000, boundary=100, initial=200)
        data = tuple((term.name, 0) for term in problem.terms if term.kind != "interior")
    case = Setting([2, *[20] * 3, len(problem.fields)], points, (("x", "t"), ("u",)), data, residual)
    model, deepxde = deepxde_model(name, case)
    places = problem.domain.sample(2000, seed=1, time=problem.bounds[-1] if problem.time else None)
    column = problem.field_names.index("u")
    truth = exact.evaluate(places)[:, column]
    start, curve = time.process_time(), []

    def record() -> float:
        used = time.process_time() - start
        error = float(np.linalg.norm(model.predict(places)[:, 0] - truth) / np.linalg.norm(truth))
        curve.append((used, error))
        return used

    class Stop(deepxde.callbacks.Callback):
        def __init__(self, limit: float) -> None:
            super().__init__()
            self.limit = limit

        def on_epoch_end(self) -> None:
            if time.process_time() - start > self.limit:
                self.model.stop_training = True

    model.compile("adam", lr=1e-3, verbose=0)
    model.train(iterations=10**6, display_every=10**9, callbacks=[Stop(seconds / 3)], verbose=0)
    deepxde.optimizers.set_LBFGS_options(maxiter=200, gtol=0, ftol=0)
    model.compile("L-BFGS", verbose=0)
    while record() < seconds:  # it ends after `maxiter`, or silently when its own test is met
        before = [p.detach().clone() for p in model.net.parameters()]
        model.train(display_every=10**9, callbacks=[Stop(seconds)], verbose=0)
        if all(torch.equal(p, q) for p, q in zip(before, model.net.parameters(), strict=True)):
            break
    return curve


def pina_iteration(name: str, case: Setting, iterations: int) -> float:
    """Milliseconds per Adam iteration of PINA."""
    import lightning
    from pina import Condition, LabelTensor, Trainer
    from pina.domain import CartesianDomain
    from pina.equation import Equation
    from pina.model import FeedForward
    from pina.operator import grad
    from pina.problem import SpatialProblem
    from pina.solver import PhysicsInformedSingleModelSolver

    inputs, outputs = case.names
    torch.set_default_dtype(torch.float64)

    def equations(x: Any, y: Any) -> Any:
        columns = [y.extract([name]) for name in outputs]
        rows = case.residual(lambda column, k: grad(column, x, d=[inputs[k]]), columns)
        return torch.cat([row.as_subclass(torch.Tensor) for row in rows], dim=1)

    def labelled(places: np.ndarray) -> Any:
        return LabelTensor(torch.tensor(places), list(inputs))

    conditions = {"pde": Condition(input=labelled(case.points.of(case.points.terms[0]).coordinates),
                                   equation=Equation(equations))}  # fmt: skip
    for number, (term, field) in enumerate(case.data):
        places = case.points.of(term).coordinates
        target = torch.tensor(values_at(name, term, field, places))
        conditions[f"data{number}"] = Condition(
            input=labelled(places), equation=Equation(_misfit(outputs[field], target))
        )

    members = {
        "output_variables": list(outputs),
        "spatial_domain": CartesianDomain({name: [0, 1] for name in inputs}),
        "conditions": conditions,
    }
    problem = type("Problem", (SpatialProblem,), members)()
    times: list[float] = []

    class Clock(lightning.Callback):
        def on_train_batch_start(self, *_: Any) -> None:
            times.append(time.process_time())

    network = FeedForward(len(inputs), len(outputs), inner_size=case.layers[1], n_layers=len(case.layers) - 2)
    solver = PhysicsInformedSingleModelSolver(problem, network.double())
    trainer = Trainer(
        solver, max_epochs=iterations, accelerator="cpu", logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, callbacks=[Clock()],
    )  # fmt: skip
    trainer.train()
    return 1e3 * statistics.median(np.diff(times))


def _misfit(name: str, target: torch.Tensor) -> Callable[[Any, Any], Any]:
    return lambda x, y: y.extract([name]).as_subclass(torch.Tensor) - target


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure one peer and print JSON.

    Args:
        arguments: Command line.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("peer", choices=["deepxde", "pina"])
    parser.add_argument("problem", choices=list(AGAINST_TIME))
    parser.add_argument("--iterations", type=int, default=40)
    parser.add_argument("--seconds", type=float, help="error against time instead of an iteration")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    distribution = {"deepxde": "deepxde", "pina": "pina-mathlab"}[options.peer]
    try:
        importlib.import_module(options.peer)
    except ImportError:
        print(json.dumps({"missing": f"{distribution} is not installed"}))
        return
    found = {"version": importlib.metadata.version(distribution)}
    if options.seconds is not None:
        print(json.dumps({**found, "errors": deepxde_errors(options.problem, options.seconds)}))
        return
    iteration = {"deepxde": deepxde_iteration, "pina": pina_iteration}[options.peer]
    case = setting(options.problem)
    print(json.dumps({**found, "milliseconds": iteration(options.problem, case, options.iterations)}))


if __name__ == "__main__":
    main()
