"""Quantum networks on the page: two equations solved by circuits, explained gate by gate and point by point."""

from __future__ import annotations

import math
import time
import warnings

import sympy as sp
import torch

from demo.page import Section
from influence import Influence
from influence.quantum import harmonics, qlrp, shapley, taylor_infinity, taylor_orders
from sciml import IBVP, Dirichlet, Interval, coordinates, field
from sciml.errors import SolverWarning
from sciml.quantum import QuantumNetwork, light_cone, reuploading
from solvers import PINN
from solvers.pinn import Counts, Fixed

MEAN_Z = [{f"Z{q}": 0.25 for q in range(4)}]


def decay_problem() -> tuple[IBVP, sp.Expr]:
    """u_t = -k u, u(0) = 1, for all rates k in [0, 2] at once, and its solution."""
    k, t = coordinates("k t")
    u = field("u", k, t)
    equation = sp.Eq(u.diff(t), -k * u)
    return IBVP(equation, Interval(k, 0, 2), time=(t, 0, 1), initial={u: 1}, name="decay"), sp.exp(-k * t)


def heat_problem() -> tuple[IBVP, sp.Expr]:
    """u_t = u_xx / 5 with a sine at the start, and its solution."""
    x, t = coordinates("x t")
    u = field("u", x, t)
    problem = IBVP(
        sp.Eq(u.diff(t), u.diff(x, 2) / 5), Interval(x, 0, 1), time=(t, 0, 1), initial={u: sp.sin(sp.pi * x)},
        boundary=[Dirichlet(u, 0)], name="heat by a circuit",
    )  # fmt: skip
    return problem, sp.exp(-(sp.pi**2) * t / 5) * sp.sin(sp.pi * x)


def decay_solver(seed: int, steps: int = 80) -> PINN:
    """Four qubits, three uploads: k on two qubits, t on the others.

    Args:
        seed: Seed of angles and points.
        steps: Levenberg-Marquardt steps.
    """
    circuit = reuploading(4, 2, layers=3, assignment=(1, 1, 0, 0), scales=[0.6, 1.2], observables=MEAN_Z)
    return PINN(
        QuantumNetwork(circuit, "affine", seed=seed), seed=seed, steps=steps, constraints="soft", resampler=Fixed(),
        points=Counts(144, 1, 30),
    )  # fmt: skip


def heat_solver(seed: int, steps: int = 60) -> PINN:
    """Four qubits, three uploads of x and t.

    Args:
        seed: Seed of angles and points.
        steps: Levenberg-Marquardt steps.
    """
    circuit = reuploading(4, 2, layers=3, assignment=(0, 0, 1, 1), scales=[2.0, 0.8], observables=MEAN_Z)
    return PINN(
        QuantumNetwork(circuit, "affine", seed=seed), seed=seed, steps=steps, constraints="soft", resampler=Fixed(),
        points=Counts(100, 20, 20),
    )  # fmt: skip


def decay() -> Section:
    """The decay for all rates, with the explanation that mathematics gives beside that of the circuit."""
    problem, exact = decay_problem()
    section = Section("Decay for all rates by a quantum network")
    section.text(
        "The trial function is the expectation of a circuit of four qubits, u_t = -k u is met by least squares. From "
        "(0, 0) neither t nor k changes anything alone, so each has the Shapley value (exp(-kt) - 1)/2."
    )
    start = time.process_time()
    solution = decay_solver(0, steps=45).solve(problem)
    error = solution.error(exact).relative_l2["u"]
    line = f"relative L2 {error:.1e}, {time.process_time() - start:.1f} s CPU"
    print(f"\n{section.title}\n{'-' * len(section.title)}\n{line}")
    network, rows = solution.model, []
    for k, t in ((1.5, 1.0), (0.5, 1.0), (2.0, 0.25)):
        point = torch.tensor([[k, t]], dtype=torch.float64)
        values = shapley(network, point).values[0].tolist()
        alone = taylor_infinity(network, point, split="none").values[0].tolist()
        truth = (math.exp(-k * t) - 1) / 2
        rows.append((f"{k}", f"{t}", f"{truth:.4f}", *(f"{v:.4f}" for v in values), *(f"{v:.4f}" for v in alone)))
        print("k={} t={}: exact {}  circuit k {} t {}".format(*rows[-1][:5]))
    head = ("k", "t", "exact, each", "Shapley of k", "Shapley of t", "k alone (exact 0)", "t alone (exact 0)")
    section.table(head, rows, f"{line}; effects of one variable alone show the error of the solution")
    section.figure(solution.plot(compare=exact), "the circuit beside the exact solution")
    point = torch.tensor([[1.5, 1.0]], dtype=torch.float64)
    gates = qlrp(network, point, rule="gate")
    section.figure(gates.plot(), "gate Shapley values at k = 1.5, t = 1, on the circuit")
    section.figure(gates.plot("uploads"), "the same by place and upload", width=560)
    section.figure(harmonics(network).plot(), "harmonics of the trained circuit in k and t", width=560)
    section.figure(taylor_orders(network, point, order=30).plot(), "orders of the Taylor series there", width=560)
    residual = shapley(lambda z: solution.residual(z.numpy()), point).values[0].tolist()
    section.text(
        f"The residual u_t + k u itself, there and from (0, 0), is shared as {residual[0]:.1e} for k and "
        f"{residual[1]:.1e} for t; it should vanish."
    )
    section.code(str(light_cone(network.circuit)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SolverWarning)
        scores = Influence(solution).scores(problem.fields[0], at=point.numpy())
    section.figure(scores.plot(query=0), "influence of the collocation points on u(1.5, 1)", width=640)
    return section


def heat() -> Section:
    """The heat equation solved by a circuit."""
    problem, exact = heat_problem()
    section = Section("Heat equation by a quantum network")
    start = time.process_time()
    solution = heat_solver(0, steps=40).solve(problem)
    error = solution.error(exact).relative_l2["u"]
    line = f"relative L2 {error:.1e}, {time.process_time() - start:.1f} s CPU"
    print(f"\n{section.title}\n{'-' * len(section.title)}\n{line}")
    section.text(
        f"Four qubits, three uploads of x and t, second derivatives by autograd: {line}. From (0, 0), t alone changes "
        "nothing and x alone gives sin πx: x has the Shapley value (sin πx + u)/2, t has (u - sin πx)/2."
    )
    section.figure(solution.plot(compare=exact), "the circuit beside the exact solution")
    rows = []
    for x, t in ((0.5, 0.5), (0.25, 1.0), (0.8, 0.2)):
        values = shapley(solution.model, torch.tensor([[x, t]], dtype=torch.float64)).values[0].tolist()
        start = math.sin(math.pi * x)
        u = start * math.exp(-(math.pi**2) * t / 5)
        rows.append((f"{x}", f"{t}", f"{(start + u) / 2:.4f}", f"{values[0]:.4f}", f"{(u - start) / 2:.4f}",
                     f"{values[1]:.4f}"))  # fmt: skip
        print("x={} t={}: exact x {} circuit {}, exact t {} circuit {}".format(*rows[-1]))
    head = ("x", "t", "exact for x", "Shapley of x", "exact for t", "Shapley of t")
    section.table(head, rows, "explanation of the circuit beside that of the exact solution")
    return section
