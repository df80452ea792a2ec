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
# # 04 Debug a PINN
#
# **Shows** how a fault in the data of a physics-informed network is found by asking the trained network: a health card
# says what is wrong and where, influence maps show what the fault did to the predictions, and a forecast of what
# removing it would change is compared with the truth.
#
# **Takes** about 30 seconds on a free processor (15 with `SCIML_FAST=1`).

# %%
import os
import time

import numpy as np
import sympy as sp

from influence import Influence, diagnose, self_influence
from sciml import IBVP, MLP, Dirichlet, Interval, Observations, coordinates, field
from sciml.plotting import plot_history
from solvers import PINN, Fixed

FAST = os.environ.get("SCIML_FAST") == "1"

# %% [markdown]
# ## An experiment
# A rod cools; nine sensors measure its temperature at twelve times. The equation, the initial temperature and the ends
# are known, the readings carry 1 % of noise.

# %%
x, t = coordinates("x t")
u = field("u", x, t)
rod = IBVP(
    pde=sp.Eq(u.diff(t), u.diff(x, 2) / 10),
    domain=Interval(x, 0, 1),
    time=(t, 0, 1),
    initial={u: sp.sin(sp.pi * x)},
    boundary=[Dirichlet(u, 0)],
    name="rod with sensors",
)
truth = sp.exp(-(sp.pi**2) * t / 10) * sp.sin(sp.pi * x)
sensors, times = np.linspace(0.1, 0.9, 9), np.linspace(0.05, 1, 12)
places = np.array([(a, b) for a in sensors for b in times])


def readings(seed):
    """What the sensors say."""
    clean = sp.lambdify((x, t), truth, "numpy")(*places.T)
    return clean + 0.01 * np.random.default_rng(seed).standard_normal(len(places))


# %% [markdown]
# ## A fault, planted
# One sensor, nobody knows which, reads too much or too little from some time on. `plant` keeps the answer in a second
# value, which is **not looked at** before the end.


# %%
def plant(seed):
    """Readings with a fault, and the secret."""
    draw, values = np.random.default_rng([seed, 1]), readings(seed)
    sensor, since = draw.choice(sensors), draw.uniform(0.2, 0.7)
    offset = draw.uniform(0.2, 0.4) * draw.choice([-1, 1])
    wrong = (places[:, 0] == sensor) & (places[:, 1] > since)
    return values + offset * wrong, {"wrong": wrong, "words": f"x = {sensor:.1f} after t = {since:.2f}: {offset:+.2f}"}


def train(values, seed):
    """A network fitted to the equation and to these readings."""
    problem = rod.replace(observations=[Observations(u, places, values, name="sensors")])
    return PINN(MLP(width=12, depth=2), seed=seed, steps=80, resampler=Fixed()).solve(problem)


values, secret = plant(seed=3)
solution = train(values, seed=3)
solution.status

# %% [markdown]
# ## The loss curves do not tell
# Something is wrong: soon the residual on held-out points rises, because the network begins to bend towards its
# readings. (`PINN` returns the best state before that.) Is the noise large, the network too large, the equation wrong,
# a reading wrong? The curves cannot say.

# %%
plot_history(solution)

# %% [markdown]
# ## The health card
# `diagnose` asks the network where its rows pull against each other. It knows nothing about the fault, nor about the
# true solution.

# %%
report = diagnose(solution)
print(report.verdict)
for finding in report.findings:
    print()
    print(finding)

# %% [markdown]
# The whole card on one sheet. (As the last line of a cell, `report` shows it as a page with tables;
# `report.html("card.html")` writes it.)

# %%
report.plot()

# %% [markdown]
# ## Where does the network hurt?
# Cook's distance of a row says how far the whole fit would move without it: large where a row is both wrong and
# powerful. Each dot is a training point.

# %%
why = Influence(solution)
self_influence(why).plot()

# %% [markdown]
# How far can these answers be trusted? `Influence` says so itself. The training ended near a minimum of its objective;
# the last steps are made on a copy, and it is said how much they changed. Below, a forecast is checked against a refit.

# %%
print(why)

# %% [markdown]
# ## What did the fault do?
# `scores` asks how predictions would change if single training points were removed. In JupyterLab this opens two linked
# maps: click a training point to see the predictions that it moved, click a prediction to see what shaped it,
# shift-click for a group. Previews show the static figure.

# %%
grid = np.array([(a, b) for a in np.linspace(0, 1, 21) for b in np.linspace(0, 1, 21)])
scores = why.scores(u, at=grid)
scores.explore()

# %% [markdown]
# In numbers: the ten points that shape all predictions most. They are readings of one place.

# %%
for identity in scores.top(10):
    column = list(scores.ids).index(identity)
    (where, when), size = scores.train[column], np.abs(scores.values[:, column]).max()
    print(f"{scores.kinds[column]:10} x = {where:.2f}  t = {when:.2f}   moves a prediction by up to {size:.4f}")

# %% [markdown]
# ## Forecast, then truth
# The finding names its points. What would the solution be without all of them together? `group` forecasts it without
# training; `refit` trains again. On the right, what the change should be: minus the error of the network, known here
# because this is a game.

# %%
suspects = report.faults[0].ids
before = scores.before  # the predictions as they are
start = time.process_time()
forecast = why.group(suspects, u, at=grid).values[:, 0]
middle = time.process_time()
refitted = why.value(u, grid, why.refit(suspects).theta) - before
end = time.process_time()
print(f"forecast in {middle - start:.2f} s, refit in {end - middle:.2f} s")
print(f"they differ by {np.abs(forecast - refitted).max() / np.abs(refitted).max():.1%} of the largest change")

# %%
from sciml.plotting.figure import Figure

wanted = sp.lambdify((x, t), truth, "numpy")(*grid.T) - before
sheet = Figure(figsize=(11, 3.2), layout="constrained")
size = np.abs(refitted).max()
titles = ("forecast: without the suspects", "refit without them", "what would be right")
for axis, title, change in zip(sheet.subplots(1, 3), titles, (forecast, refitted, wanted), strict=True):
    style = {"cmap": "RdBu_r", "vmin": -size, "vmax": size, "shading": "gouraud"}
    shade = axis.pcolormesh(grid[:21, 1], grid[::21, 0], change.reshape(21, 21), **style)
    axis.plot(*places[:, ::-1].T, "k.", markersize=2)
    axis.set(xlabel="t", ylabel="x", title=title)
sheet.colorbar(shade, label="change of u")
sheet

# %% [markdown]
# ## Repair
# Leave out what the card suspects, train again, ask again.

# %%
suspected = np.isin(solution.record.points.ids_of("sensors"), suspects)


def without(values, suspected, seed):
    """The same training without the suspected readings."""
    data = Observations(u, places[~suspected], values[~suspected], name="sensors")
    return PINN(MLP(width=12, depth=2), seed=seed, steps=80, resampler=Fixed()).solve(rod.replace(observations=[data]))


repaired = without(values, suspected, seed=3)
print(diagnose(repaired).verdict)
print("error before:", solution.error(truth))
print("error after: ", repaired.error(truth))

# %% [markdown]
# Now the secret may be opened.

# %%
hits, wrong = int((suspected & secret["wrong"]).sum()), int(secret["wrong"].sum())
print("planted:", secret["words"])
print("found:  ", report.faults[0].where)
print(f"{hits} of {wrong} wrong readings found, {int(suspected.sum()) - hits} right ones suspected")

# %% [markdown]
# ## Was that luck?
# Other sensors, times, offsets and networks; and, as a control, the same readings without any fault. A card that cries
# wolf would be of no use.

# %%
print(f"{'seed':>4}  {'planted':32}{'found':28}{'wrong readings':>15}{'false alarms':>14}   without a fault")
for seed in range(1) if FAST else range(6):
    faulty, hidden = plant(seed)
    trained = train(faulty, seed)
    card, control = diagnose(trained), diagnose(train(readings(seed), seed))
    named = [finding for finding in card.faults if finding.ids]
    ids = [identity for finding in named for identity in finding.ids]
    marked = np.isin(trained.record.points.ids_of("sensors"), ids)
    hits = f"{int((marked & hidden['wrong']).sum())} of {int(hidden['wrong'].sum())}"
    found = named[0].where if named else "nothing"
    verdict = "healthy" if control.healthy else ", ".join(finding.name for finding in control.faults)
    print(f"{seed:4}  {hidden['words']:32}{found:28}{hits:>15}{int((marked & ~hidden['wrong']).sum()):14}   {verdict}")

# %% [markdown]
# ## What to try
# 1. Make the offset smaller, `draw.uniform(0.05, 0.1)`. A card calls something a fault only if it moves predictions by
#    more than `accuracy`, 1 % of their spread; ask `diagnose(solution, accuracy=0.003)`.
# 2. Plant another fault: a wrong equation, `u.diff(x, 2) / 5`, with right readings. What does the card say then?
# 3. Stop the training early, `steps=5`. Is the verdict about the data or about the training?
# 4. In the linked maps, shift-click the suspects one by one and watch the effect of the group; *Refit without them*
#    sets the truth beside it.
