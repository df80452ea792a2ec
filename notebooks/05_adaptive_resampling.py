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
# # 05 Choosing points while training
#
# **Shows** why the points of a physics-informed network should not stay where they are, how to notice that they do not
# suffice, and what the published rules for choosing new ones do on a shock.
#
# **Takes** about 65 seconds on a free processor (20 with `SCIML_FAST=1`).

# %%
import os

import numpy as np

from influence import InfluenceSampler, diagnose
from sciml import MLP
from sciml.notebook.dashboard import Dashboard
from sciml.plotting.figure import Figure
from sciml.problems import burgers
from solvers import PACMANN, PINN, R3, RAD, RAR, Fixed, RandomResample

FAST = os.environ.get("SCIML_FAST") == "1"
SECONDS = 1 if FAST else 6

# %% [markdown]
# ## A problem with a sharp place
# Burgers' equation from a sine: by $t = 0.4$ a shock of width 0.01 stands at $x = 0$. The reference is the formula of
# Cole and Hopf.

# %%
case = burgers.shock()
problem, exact = case.problem, case.reference
exact.plot()

# %% [markdown]
# ## Points that stay
# The same network and time for all trainings to come; here the points are drawn once.


# %%
def train(resampler, seed=0):
    """The training of this notebook."""
    return PINN(MLP(width=16, depth=3), seed=seed, seconds=SECONDS, resampler=resampler).solve(problem)


fixed = train(Fixed())
print(fixed.status)
fixed.plot(compare=exact)

# %% [markdown]
# The status says it: on the training points the equation holds much better than between them. The network has found a
# function that solves the equation *at its points* and does as it likes elsewhere. The health card agrees:

# %%
report = diagnose(fixed)
print(report.verdict)
print()
print(report.findings[0])

# %% [markdown]
# ## Points that move
# Every sampler replaces points during the training. The rules:
#
# | sampler | rule |
# |---|---|
# | `RandomResample` | all points anew, evenly |
# | `RAD` (the default) | all points anew, density by the residual; weights keep the integral |
# | `RAR` | points are added where the residual is large |
# | `R3` | points with a residual above the mean stay, the others are new |
# | `PACMANN` | points climb the residual |
# | `InfluenceSampler` | density by residual times what it does to the solution |

# %%
samplers = {
    "Fixed": Fixed,
    "RandomResample": RandomResample,
    "RAD": RAD,
    "RAR": RAR,
    "R3": R3,
    "PACMANN": PACMANN,
    "InfluenceSampler": lambda: InfluenceSampler(every=20),
}
if FAST:
    samplers = {name: samplers[name] for name in ("Fixed", "RAD", "InfluenceSampler")}
solutions = {name: fixed if name == "Fixed" else train(make()) for name, make in samplers.items()}
print(f"{'sampler':18}{'relative L2 error':>18}{'largest error':>15}")
for name, solution in solutions.items():
    error = solution.error(exact)
    print(f"{name:18}{error.relative_l2['u']:18.1e}{error.maximum['u']:15.1e}")

# %% [markdown]
# One seed, one problem and one budget are no ranking of methods. But here every one of them is far better than points
# that stay.
#
# ## Where they put the points


# %%
def draw_points(named):
    """Interior points of trained solutions."""
    columns = min(len(named), 4)
    rows = -(-len(named) // columns)
    sheet = Figure(figsize=(3.0 * columns, 2.7 * rows), layout="constrained")
    axes = np.ravel(sheet.subplots(rows, columns, sharex=True, sharey=True))
    for axis, (name, solution) in zip(axes, named.items(), strict=False):
        place = solution.record.points.of("pde").coordinates
        axis.plot(place[:, 1], place[:, 0], ".", markersize=2)
        axis.set_title(name)
    for axis in axes:
        axis.set(xlabel="t", ylabel="x")
        axis.label_outer()
        axis.set_visible(bool(axis.lines))
    return sheet


draw_points(solutions)

# %% [markdown]
# ## Watch it
# `Dashboard` shows losses, points that come and go, and a map of the residual while the training runs, with a Stop
# button. It trains in the background; `result()` waits. (Previews show the losses.)

# %%
board = Dashboard(problem)
board.train(PINN(MLP(width=16, depth=3), seed=1, seconds=SECONDS, resampler=RAD()))
watched = board.result()
print(watched.error(exact))
board

# %% [markdown]
# ## What to try
# 1. Repeat the table with other seeds, `train(make(), seed=1)`. Which differences stay?
# 2. Give `RAD` another `power` and `floor`. When does it forget the quiet parts?
# 3. `InfluenceSampler(every=20, target=u, at=[[0.5, 0.9]])` chooses points for one prediction of
#    `u = problem.fields[0]`. Is it more accurate there than `RAD`? (In one training it was not: 9e-5 against 7e-5.)
# 4. Give all samplers fewer points, `points=solvers.pinn.Counts(150, 20, 20)`. Which suffers most?
# 5. A sampler of your own: notebook 08.
