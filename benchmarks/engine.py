"""Milliseconds of CPU time per loss-and-gradient iteration and per Jacobian, for every derivative engine.

Kovasznay flow: tanh network 2-50x4-3, 2601 + 400 points. Burgers: 2-32x3-1, 2540 + 240 points. One thread, float64.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence

import sympy as sp
import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from sciml import IBVP, MLP, Dirichlet, Interval, PointSet, Rectangle, coordinates, field, sample
from sciml.jets import Jet
from sciml.residuals import AutogradEngine, Engine, ResidualSystem, StreamEngine, row_jacobian
from sciml.residuals.engines import point_jets


class ForwardEngine(AutogradEngine):
    """Nested forward derivatives of `torch.func`, point by point under `vmap`."""

    def jets(self, model: nn.Module, points: Tensor, needed: Sequence[Jet], parameters: bool = True) -> Tensor:
        """Jets (n, k)."""
        names = dict(model.named_parameters()) | dict(model.named_buffers())

        def network(x: Tensor) -> Tensor:
            return functional_call(model, names, (x[None],))[0]

        return vmap(lambda x: point_jets(network, x, needed))(points)


ENGINES: dict[str, Engine] = {
    "streams": StreamEngine(),
    "nested autograd": AutogradEngine(),
    "torch.func": ForwardEngine(),
}


def kovasznay(interior: int, boundary: int) -> tuple[IBVP, PointSet]:
    """Kovasznay flow at Re = 20 with Dirichlet data for the velocity.

    Args:
        interior: Points of the equations.
        boundary: Points of the boundary.
    """
    x, y = coordinates("x y")
    u, v, p = (field(name, x, y) for name in "uvp")
    decay, nu = 10 - sp.sqrt(100 + 4 * sp.pi**2), sp.Rational(1, 20)
    momentum = [
        u * w.diff(x) + v * w.diff(y) + p.diff(s) - nu * (w.diff(x, 2) + w.diff(y, 2)) for w, s in ((u, x), (v, y))
    ]
    exact = (
        1 - sp.exp(decay * x) * sp.cos(2 * sp.pi * y),
        decay / (2 * sp.pi) * sp.exp(decay * x) * sp.sin(2 * sp.pi * y),
    )
    domain = Rectangle((x, sp.Rational(-1, 2), 1), (y, sp.Rational(-1, 2), sp.Rational(3, 2)))
    problem = IBVP(
        [*momentum, u.diff(x) + v.diff(y)], domain, boundary=[Dirichlet(u, exact[0]), Dirichlet(v, exact[1])]
    )
    return problem, sample(problem, interior=interior, boundary=boundary)


def burgers(interior: int, other: int) -> tuple[IBVP, PointSet]:
    """Burgers' equation with viscosity 0.01/pi on [-1, 1] x [0, 1].

    Args:
        interior: Points of the equation.
        other: Points of the boundary and the start together.
    """
    x, t = coordinates("x t")
    u = field("u", x, t)
    problem = IBVP(u.diff(t) + u * u.diff(x) - u.diff(x, 2) / (100 * sp.pi), Interval(x, -1, 1), time=(t, 0, 1),
                   initial={u: -sp.sin(sp.pi * x)}, boundary=[Dirichlet(u, 0)])  # fmt: skip
    return problem, sample(problem, interior=interior, boundary=other // 3, initial=other - other // 3)


def iteration(problem: IBVP, points: PointSet, model: nn.Module, engine: Engine) -> Callable[[], object]:
    """One evaluation of the loss and its gradient.

    Args:
        problem: The problem.
        points: Its points.
        model: The network.
        engine: The engine.
    """
    system = ResidualSystem(problem, engine=engine)
    batch, parameters = system.prepare(points), list(model.parameters())

    def step() -> object:
        loss = torch.stack([term.mean_square().sum() for term in system.rows(model, batch).terms]).sum()
        return torch.autograd.grad(loss, parameters, allow_unused=True)

    return step


def milliseconds(work: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Median CPU time of each piece of work, taken in turn so that a busy machine disturbs all alike.

    Args:
        work: Name -> function.
        repeats: Rounds after two that warm up.
    """
    times: dict[str, list[float]] = {name: [] for name in work}
    for round_ in range(repeats + 2):
        for name, function in work.items():
            start = time.process_time()
            function()
            if round_ >= 2:
                times[name].append(1e3 * (time.process_time() - start))
    return {name: statistics.median(values) for name, values in times.items()}


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table.

    Args:
        arguments: Command line, `--quick` for few repeats.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="5 rounds instead of 30")
    parser.add_argument("--only", nargs="*", default=list(ENGINES), help="engines")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    repeats = 5 if options.quick else 30
    cases = {
        "Kovasznay 2-50x4-3, 2601+400": (kovasznay(2601, 400), MLP(50, 4, inputs=2, outputs=3)),
        "Burgers 2-32x3-1, 2540+240": (burgers(2540, 240), MLP(32, 3, inputs=2, outputs=1)),
    }
    chosen = {name: ENGINES[name] for name in options.only}
    for title, ((problem, points), model) in cases.items():
        measured = milliseconds({name: iteration(problem, points, model, e) for name, e in chosen.items()}, repeats)
        for name, value in measured.items():
            print(f"{title:32} {name:16} loss+gradient {value:8.2f} ms")
    (problem, points), model = kovasznay(324, 120), MLP(20, 3, inputs=2, outputs=3)
    system = ResidualSystem(problem)
    batch = system.prepare(points)
    rows, jacobian = row_jacobian(system, model, batch)
    value = milliseconds({"jacobian": lambda: row_jacobian(system, model, batch)}, repeats)["jacobian"]
    print(f"{'Kovasznay Jacobian ' + 'x'.join(map(str, jacobian.shape)):32} {'streams':16} {value:22.2f} ms")
    value = milliseconds({"rows": lambda: system.rows(model, batch, parameters=False)}, repeats)["rows"]
    print(f"{'Kovasznay rows ' + str(len(rows)):32} {'streams':16} {value:22.2f} ms")


if __name__ == "__main__":
    main()
