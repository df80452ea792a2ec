# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#       jupytext_version: 1.19.6
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 08 Your own equation, network, sampler and loop
#
# **Shows** that nothing is closed: an equation that is in no library, checked with a made-up solution; a network of
# your own; a sampler of your own; at last a training loop of your own, which can still be asked why.
#
# **Takes** about 40 seconds on a free processor (15 with `SCIML_FAST=1`).

# %%
import os
import warnings

import numpy as np
import sympy as sp
import torch
from torch import nn

from influence import Influence, diagnose
from sciml import (
    IBVP,
    MLP,
    Dirichlet,
    Interval,
    Neumann,
    ResidualSystem,
    SolverWarning,
    coordinates,
    field,
    record_of,
    sample,
)
from sciml.plotting.figure import Figure
from solvers import PINN

FAST = os.environ.get("SCIML_FAST") == "1"
SECONDS = 2 if FAST else 6
x, t = coordinates("x t")
u = field("u", x, t)

# %% [markdown]
# ## Your own equation
# Heat in a material that conducts better where it is hot or cold: $u_t = \left(k(u)\, u_x\right)_x + f$ with
# $k(u) = (1 + u^2)/20$. Write it as a Python function of anything that can be differentiated.


# %%
def conducts(v):
    """u_t - (k(u) u_x)_x."""
    return v.diff(t) - ((1 + v**2) / 20 * v.diff(x)).diff(x)


conducts(u).doit()

# %% [markdown]
# How will you know that the answer is right? Make the answer up and compute the source that it needs (the method of
# manufactured solutions). Here a front that runs to the right:

# %%
front = sp.tanh(15 * (x - sp.Rational(1, 4) - t / 2))
problem = IBVP(
    pde=sp.Eq(conducts(u), conducts(front)),
    domain=Interval(x, 0, 1),
    time=(t, 0, 1),
    initial={u: front.subs(t, 0)},
    boundary=[Dirichlet(u, front, on="left"), Neumann(u, front.diff(x), on="right")],
    name="running front",
)
plain = PINN(MLP(width=16, depth=2), seed=0, seconds=SECONDS).solve(problem)
print(plain.status)
plain.plot(compare=front)

# %% [markdown]
# ## Your own network
# Any torch module from points `(n, d)` to values `(n, m)` in float64 will do; derivatives are taken by autograd. This
# one begins with sines of random frequencies.


# %%
class Waves(nn.Module):
    """A layer of sines, a layer of tanh, a sum."""

    def __init__(self, width, seed):
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.frequencies = nn.Parameter(3 * torch.randn(2, width, generator=generator, dtype=torch.float64))
        self.phases = nn.Parameter(2 * torch.pi * torch.rand(width, generator=generator, dtype=torch.float64))
        scale = width**-0.5
        self.mix = nn.Parameter(scale * torch.randn(width, width, generator=generator, dtype=torch.float64))
        self.weights = nn.Parameter(scale * torch.randn(width, 1, generator=generator, dtype=torch.float64))

    def forward(self, points):
        return torch.tanh(torch.sin(points @ self.frequencies + self.phases) @ self.mix) @ self.weights


waves = PINN(Waves(16, seed=0), seed=0, seconds=SECONDS).solve(problem)
print(waves.status)
print("MLP:  ", plain.error(front))
print("Waves:", waves.error(front))

# %% [markdown]
# In the same time the network of the package makes more steps, because a special engine computes its derivatives.
#
# ## Your own sampler
# A sampler has one method, `resample(problem, model, points)`, and `every`, the number of steps between two calls
# (`None` leaves that to the optimiser). `model` is the solved field as a module. This sampler goes where the field is
# steep, and gives each point the weight 1/density, so that the integral that is minimised stays the same.


# %%
class Steep:
    """Interior points with density 1 + |∇u| / mean |∇u|."""

    every = None

    def __init__(self, seed=0):
        self.seed = seed

    def resample(self, problem, model, points):
        count = len(points.of("pde"))
        draw = np.random.default_rng([self.seed, points.next_id])
        low, high = np.array(problem.bounds).T
        pool = low + (high - low) * draw.random((10 * count, len(low)))
        place = torch.tensor(pool, requires_grad=True)
        (slopes,) = torch.autograd.grad(model(place).sum(), place)
        density = 1 + slopes.norm(dim=1).numpy() / slopes.norm(dim=1).mean().item()
        chosen = draw.choice(len(pool), count, replace=False, p=density / density.sum())
        return points.remove(points.ids_of("pde")).add(pool[chosen], "pde", weight=1 / density[chosen])


steep = PINN(MLP(width=16, depth=2), seed=0, seconds=SECONDS, resampler=Steep()).solve(problem)
print(steep.status)
print("by residual (the default):", plain.error(front))
print("by slope:                 ", steep.error(front))

# %%
sheet = Figure(figsize=(9, 3.2), layout="constrained")
for axis, title, solution in zip(sheet.subplots(1, 2), ("by residual", "by slope"), (plain, steep), strict=True):
    place = solution.record.points.of("pde").coordinates
    axis.plot(place[:, 1], place[:, 0], ".", markersize=3)
    axis.set(xlabel="t", ylabel="x", title=f"last points, {title}")
sheet

# %% [markdown]
# The front can be seen in the points of the second. Whether that helps is another question; for this equation the
# numbers above answer it.
#
# ## Your own loop
# `sample` draws points, `ResidualSystem` turns problem, points and network into residual rows. The rest is torch.

# %%
torch.manual_seed(0)
model = nn.Sequential(nn.Linear(2, 20), nn.Tanh(), nn.Linear(20, 20), nn.Tanh(), nn.Linear(20, 1)).double()
points = sample(problem, interior=300, boundary=40, initial=60, seed=0)
system = ResidualSystem(problem)
batch = system.prepare(points)
optimiser = torch.optim.LBFGS(
    model.parameters(), max_iter=80 if FAST else 600, history_size=50, line_search_fn="strong_wolfe"
)
scale = {"pde": 1.0, "initial u": 100.0, "dirichlet u left": 100.0, "neumann u right": 1.0}
losses = []


def closure():
    """The objective Σ w r² and its gradient."""
    optimiser.zero_grad()
    rows = system.rows(model, batch)
    loss = (rows.weights(scale) * rows.flat() ** 2).sum()
    loss.backward()
    losses.append(loss.item())
    return loss


optimiser.step(closure)
print(f"{len(losses)} evaluations, loss {losses[0]:.1e} -> {losses[-1]:.1e}")

# %% [markdown]
# ## ... which can still be asked why
# `record_of` writes down what was minimised. From then on the loop of your own is like any other training: a health
# card says how far to trust it, influence functions say what shaped it.

# %%
record = record_of(problem, model, points, scale)
report = diagnose(record)
print(report.verdict)
for finding in report.faults:
    print()
    print(finding)

# %%
with warnings.catch_warnings():
    warnings.simplefilter("ignore", SolverWarning)  # the card has said how far from its minimum the network is
    why = Influence(record)
why.scores(u, at=[[0.5, 0.8]]).plot(query=0)

# %% [markdown]
# The star is the prediction. Most of the points that shape it lie along the front, and before it in time.
#
# ## What to try
# 1. Make the front twice as steep, `tanh(30 ...)`. Which of the samplers notices first? Which network?
# 2. Write a sampler that drops points where the residual is small. (`ResidualSystem(problem).rows(model, points)` gives
#    residuals.)
# 3. Train your own loop with Adam, and ask `diagnose` again. Does the verdict change?
# 4. Give the loop wrong weights, `"initial u": 1e-4`. What does the card say?
