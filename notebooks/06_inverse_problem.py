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
# # 06 An inverse problem, with uncertainty
#
# **Shows** how an unknown coefficient is estimated from noisy measurements by a physics-informed network, how
# uncertain the estimate is, whether that uncertainty can be believed, which measurements carried it, and where the next
# one should be taken.
#
# **Takes** about 25 seconds on a free processor (15 with `SCIML_FAST=1`).

# %%
import os

import numpy as np
import sympy as sp

from influence import Influence
from sciml import IBVP, MLP, Dirichlet, Interval, Observations, coordinates, field
from sciml.plotting.figure import Figure
from solvers import PINN, Fixed

FAST = os.environ.get("SCIML_FAST") == "1"
x, t = coordinates("x t")
u = field("u", x, t)

# %% [markdown]
# ## The question
# How well does this rod conduct heat? Its diffusivity $a$ in $u_t = a\,u_{xx}$ is unknown. Three sensors read the
# temperature at ten times, with noise of standard deviation 0.02. (They are simulated with $a = 0.12$, which only the
# next cell knows.)

# %%
TRUE_A, SIGMA = 0.12, 0.02
start = sp.sin(sp.pi * x) + sp.sin(2 * sp.pi * x) / 2
places = np.array([(where, when) for where in (0.2, 0.4, 0.7) for when in np.linspace(0.1, 1, 10)])


def temperature(where, when, a=TRUE_A):
    """Two modes, each with its own decay."""
    slow = np.exp(-(np.pi**2) * a * when) * np.sin(np.pi * where)
    return slow + np.exp(-4 * np.pi**2 * a * when) * np.sin(2 * np.pi * where) / 2


def measured(seed):
    """Readings with noise."""
    return temperature(*places.T) + SIGMA * np.random.default_rng(seed).standard_normal(len(places))


# %% [markdown]
# ## State it
# An unknown is a symbol with a start and limits; measurements are `Observations`.

# %%
a = sp.Symbol("a", positive=True)


def rod(readings, where=places):
    """The inverse problem for these readings."""
    return IBVP(
        pde=sp.Eq(u.diff(t), a * u.diff(x, 2)),
        domain=Interval(x, 0, 1),
        time=(t, 0, 1),
        initial={u: start},
        boundary=[Dirichlet(u, 0)],
        unknowns={a: (sp.Rational(1, 2), sp.Rational(1, 100), 1)},
        observations=[Observations(u, where, readings, sigma=SIGMA, name="sensors")],
        name="rod of unknown diffusivity",
    )


print(rod(measured(0)).summary())

# %% [markdown]
# ## Estimate
# The equation is certain, the readings are not. So the readings get a small weight: the network then cannot follow
# their noise by violating the equation a little.


# %%
def estimate(problem, weight=0.01):
    """Network and coefficient, fitted together."""
    solver = PINN(MLP(width=10, depth=2), seed=0, steps=60, resampler=Fixed(), weights={"sensors": weight})
    return solver.solve(problem)


solution = estimate(rod(measured(0)))
print(f"a = {solution.unknown_values()[a]:.4f}")
print(solution.status)

# %% [markdown]
# ## How sure?
# Each reading moves the estimate by a known amount per unit; noise of known size in all readings together gives the
# standard error. `Influence` reads it from the trained network, without further trainings. The size of the noise is
# estimated from the residuals too.

# %%
why = Influence(solution)
error = why.standard_error(a)[0]
print(f"a = {solution.unknown_values()[a]:.4f} ± {error:.4f}")

# %% [markdown]
# ## Can that be believed?
# Repeat the experiment with other noise, many times: the estimates should scatter as the standard errors say.

# %%
repeats = 3 if FAST else 16
fits = [estimate(rod(measured(seed))) for seed in range(repeats)]
estimates = np.array([fit.unknown_values()[a] for fit in fits])
errors = np.array([Influence(fit).standard_error(a)[0] for fit in fits])
print(f"mean estimate {estimates.mean():.4f}, truth {TRUE_A}")
print(f"scatter of {repeats} estimates {estimates.std(ddof=1):.4f}, mean standard error {errors.mean():.4f}")
print(f"truth within 2 standard errors in {np.sum(np.abs(estimates - TRUE_A) < 2 * errors)} of {repeats} cases")

# %%
sheet = Figure(figsize=(7, 3.2), layout="constrained")
axis = sheet.subplots()
axis.errorbar(range(repeats), estimates, 2 * errors, fmt="o", capsize=3, label="estimate ± 2 standard errors")
axis.axhline(TRUE_A, color="black", linestyle="--", label="truth")
axis.set(xlabel="repetition of the experiment", ylabel="diffusivity a")
sheet.legend(loc="outside upper center", ncols=2, frameon=False)
sheet

# %% [markdown]
# ## Which reading says what?
# How would $a$ change if one reading were raised by one unit? Readings where the temperature hardly depends on $a$, at
# the start and near zero, say little.

# %%
effect = why.scores(a, action="value")
sensors = effect.kinds == "sensors"
place, size = effect.train[sensors], effect.values[0, sensors]
sheet = Figure(figsize=(7, 3.4), layout="constrained")
axis = sheet.subplots()
limit = np.abs(size).max()
dots = axis.scatter(place[:, 1], place[:, 0], c=size, s=90, cmap="RdBu_r", vmin=-limit, vmax=limit, edgecolors="black")
sheet.colorbar(dots, ax=axis, label="change of a per unit of the reading")
axis.set(xlabel="t", ylabel="x", ylim=(0, 1), title="what each reading says about a")
sheet

# %% [markdown]
# Is one of them suspicious? `scores` with the default action tells how $a$ would change if a reading were left out.

# %%
removal = why.scores(a)
left_out = removal.of(solution.record.points.ids_of("sensors"))[0]
for k in np.argsort(-np.abs(left_out))[:4]:
    print(f"without the reading at x = {places[k, 0]:.1f}, t = {places[k, 1]:.1f}: a changes by {left_out[k]:+.5f}")

# %% [markdown]
# All are within a standard error or so. None decides alone.
#
# ## Where should the next sensor be?
# A reading at $(x, t)$ would tell most about $a$ where $u$ moves most when $a$ does. `direction` gives that response of
# the fitted field.

# %%
grid = np.array([(p, q) for p in np.linspace(0.02, 0.98, 41) for q in np.linspace(0.02, 1, 41)])
response = np.abs(why.direction(a, None, grid)[0, :, 0])
best = grid[response.argmax()]
sheet = Figure(figsize=(7, 3.6), layout="constrained")
axis = sheet.subplots()
values = response.reshape(41, 41) / response.max()
shade = axis.pcolormesh(grid[:41, 1], grid[::41, 0], values, cmap="viridis", shading="gouraud")
sheet.colorbar(shade, ax=axis, label="relative |change of u with a|")
axis.plot(places[:, 1], places[:, 0], "k.", label="sensors", clip_on=False)
axis.plot(*best[::-1], "r*", markersize=14, label=f"best: x = {best[0]:.2f}, t = {best[1]:.2f}")
axis.set(xlabel="t", ylabel="x", title="where a further reading would tell most")
sheet.legend(loc="outside lower center", ncols=2, frameon=False)
sheet

# %% [markdown]
# Try it: three more readings at the best place, or three where little is to be learnt.

# %%
beside = np.array([[0, 0], [0.005, 0], [-0.005, 0]])
for label, spot in (("best place", best), ("corner", grid[response.argmin()])):
    more = np.vstack([places, spot + beside])
    noise = SIGMA * np.random.default_rng(0).standard_normal(len(more))
    fit = estimate(rod(temperature(*more.T) + noise, more))
    print(f"{label:10}: a = {fit.unknown_values()[a]:.4f} ± {Influence(fit).standard_error(a)[0]:.4f}")

# %% [markdown]
# ## What to try
# 1. Move all sensors to $x = 1/2$, where the second mode is invisible. What happens to the standard error?
# 2. Let the readings weigh 1 instead of 0.01. Is the scatter still what the standard errors say?
# 3. Add a wrong reading, `readings[5] += 0.3`, and ask again which reading matters. Notebook 04 goes on from there.
# 4. Estimate two coefficients, $u_t = a\,u_{xx} - b\,u$, and look at the standard errors of both.
# 5. Ask `why.standard_error(u, at=[[0.5, 0.9]])`: a prediction has a standard error, too.
