"""Influence maps on the page: which points carry one prediction of a heat and of a Burgers network."""

from __future__ import annotations

import time
import warnings
from typing import Any

import numpy as np
import sympy as sp
from matplotlib.colors import SymLogNorm
from scipy.optimize import brentq

from demo.cases import heat as heat_case
from demo.page import Section
from influence import Influence, Scores
from sciml import IBVP, MLP, Dirichlet, Interval, coordinates, field
from sciml.errors import SolverWarning
from sciml.plotting.figure import Figure
from solvers import PINN


def maps() -> list[Section]:
    """Train both with soft conditions, so that data have rows, and ask about one prediction each."""
    x, t = coordinates("x t")
    u = field("u", x, t)
    burgers = IBVP(
        u.diff(t) + u * u.diff(x) - u.diff(x, 2) / 50, Interval(x, -1, 1), time=(t, 0, 1),
        initial={u: -sp.sin(sp.pi * x)}, boundary=[Dirichlet(u, 0)], name="Burgers equation",
    )  # fmt: skip
    return [
        _section(
            heat_case().problem, MLP(width=16, depth=2), (0.3, 0.03), _green,
            "Green's function of the equation", "On the right: what each initial value weighs in the prediction, "
            "beside Green's function, which the network was never told: both peak together but differ at the left end.",
        ),
        _section(
            burgers, MLP(width=16, depth=3), (0.15, 0.6), _foot,
            "foot of the characteristic", "On the right: the prediction hangs on the initial values from "
            "which its characteristic starts.",
        ),
    ]  # fmt: skip


def _section(problem: IBVP, network: MLP, place: tuple[float, float], mark: Any, label: str, remark: str) -> Section:
    start = time.process_time()
    solution = PINN(network, seed=0, steps=120, constraints="soft", progress=False).solve(problem)
    trained = time.process_time() - start
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SolverWarning)  # the block below the figure says how far it was trained
        influence = Influence(solution)
    u, at = problem.fields[0], np.array([place])
    removal, data = influence.scores(u, at), influence.scores(u, at, action="value")
    seconds = time.process_time() - start - trained
    print(f"\nInfluence on u{place}, {problem.name}\n{'-' * 40}\n{removal!r}")
    print(f"training {trained:.1f} s, influence of {len(removal.ids)} points {seconds:.1f} s CPU")
    section = Section(f"Influence map: {problem.name}")
    section.text(
        f"How u at {place} (star) would change if a point were taken out of the training: red, it would rise; blue, it "
        f"would fall. {remark}"
    )
    section.figure(_figure(influence, removal, data, mark, label), f"influence on u{place}")
    section.code(repr(removal))
    return section


def _figure(influence: Influence, removal: Scores, data: Scores, mark: Any, label: str) -> Figure:
    figure = Figure(figsize=(11, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    values = removal.values[0]
    size = float(np.abs(values).max())
    order = np.argsort(np.abs(values), kind="stable")
    picture = left.scatter(
        removal.train[order, 1], removal.train[order, 0], c=values[order], s=12, cmap="RdBu_r",
        norm=SymLogNorm(1e-3 * size, vmin=-size, vmax=size),
    )  # fmt: skip
    figure.colorbar(picture, ax=left, label="change of u when the point is removed")
    query_x, query_t = removal.query[0]
    left.plot(query_t, query_x, "k*", markersize=13)
    left.set_xlabel("t")
    left.set_ylabel("x")
    left.set_title("removal of single points")
    where, density = _density(influence, data)
    right.plot(where, density, "o-", markersize=3, label="influence of initial values")
    mark(right, query_x, query_t, label)
    right.set_xlabel("x at t = 0")
    right.set_ylabel("change of u per unit of initial data and length")
    right.set_title("initial data")
    right.legend(loc="best", framealpha=0.6)
    return figure


def _density(influence: Influence, data: Scores) -> tuple[np.ndarray, np.ndarray]:
    """Kernel of the initial data per length, in order of x: rows over their quadrature weights."""
    rows = data.row_labels == "initial u"
    weight = influence.record.weights.numpy()[rows]
    where = influence.record.points.locate(data.row_ids[rows])[:, 0]
    low, high = influence.problem.bounds[0]
    order = np.argsort(where)
    return where[order], (data.by_row[0, rows] / (weight / weight.sum() * (high - low)))[order]


def _green(axis: Any, x: float, t: float, label: str) -> None:
    """Σ 2 sin(nπx) sin(nπξ) exp(-n²π²t) on the unit interval."""
    xi, n = np.linspace(0, 1, 300), np.arange(1, 60)[:, None]
    kernel = 2 * (np.sin(n * np.pi * x) * np.sin(n * np.pi * xi) * np.exp(-((n * np.pi) ** 2) * t)).sum(axis=0)
    axis.plot(xi, kernel, "k--", label=label)


def _foot(axis: Any, x: float, t: float, label: str) -> None:
    """The ξ with x = ξ - t sin(πξ) on the side of x."""
    axis.axvline(brentq(lambda xi: xi - t * np.sin(np.pi * xi) - x, 0.5, 1.0), color="k", ls="--", label=label)
