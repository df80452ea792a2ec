"""Problems cross process borders: what other processes compute is what this one would."""

from __future__ import annotations

import pickle

import numpy as np
import sympy as sp
import torch

from sciml import IBVP, MLP, Dirichlet, Interval, coordinates, field, sample
from sciml.known_function import known_function
from sciml.residuals import ResidualSystem
from solvers.pinn import PINN
from solvers.pinn.slabs import slab_edges, slab_problem

x, t = coordinates("x t")
u = field("u", x, t)


def branching(points: np.ndarray) -> np.ndarray:
    return np.where(points > 0.5, 1 - points, points)


def reaction(position, time, value):
    """Branches on values, so that SymPy cannot trace it."""
    factor = 2.0 if float(torch.as_tensor(1.5)) > 1 else 0.0
    return value.diff(time) - value.diff(position, 2) + factor * torch.relu(value)


def wave(points: np.ndarray, orders: tuple[int, ...]) -> np.ndarray:
    return np.sin(points[:, 0] + orders[0] * np.pi / 2)


def problem(**changes) -> IBVP:
    arguments = {"pde": sp.Eq(u.diff(t), u.diff(x, 2)), "domain": Interval(x, 0, 1), "time": (t, 0, 1),
                 "initial": {u: sp.sin(sp.pi * x)}, "boundary": [Dirichlet(u, 0)]}  # fmt: skip
    return IBVP(**{**arguments, **changes})


def residuals(made: IBVP) -> torch.Tensor:
    model = MLP(width=4, depth=1).bind(made.bounds, 1, seed=0)
    return ResidualSystem(made).rows(model, sample(made, interior=8, boundary=4, initial=4)).flat().detach()


def test_copies_of_problems_have_the_same_rows() -> None:
    first = PINN(MLP(width=4, depth=1), steps=2).solve(problem())
    marched = slab_problem(problem(), slab_edges(problem(), 2), 1, first)
    bump = known_function("bump", 1, wave, "a test")(sp.pi * x)
    for made in (problem(), problem(initial={u: branching}), problem(pde=reaction, fields=[u]), marched,
                 problem(pde=sp.Eq(u.diff(t), u.diff(x, 2) + bump.diff(x)))):  # fmt: skip
        copy = pickle.loads(pickle.dumps(made))
        assert torch.equal(residuals(copy), residuals(made))


def test_derivatives_of_a_known_function_survive() -> None:
    slope = known_function("bump", 1, wave, "a test")(2 * x).diff(x)
    copy = pickle.loads(pickle.dumps(slope))
    np.testing.assert_allclose(copy.args[1].func.python(np.array([0.3])), np.cos(0.3), rtol=1e-14)
