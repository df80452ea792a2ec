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
# # 03 Navier-Stokes equations with networks
#
# **Shows** two classical steady flows by physics-informed networks, the lid-driven cavity and the flow around a
# cylinder, with streamlines, published numbers and forces, beside finite elements, and what to distrust.
#
# **Takes** about 4 minutes on a free processor (20 seconds with `SCIML_FAST=1`, which is too short for good numbers).

# %%
import os

from sciml import MLP
from sciml.flows import mass_balance
from sciml.plotting import plot_flow, plot_profiles
from sciml.problems import cavity, cylinder
from solvers import PINN, FiniteElement

FAST = os.environ.get("SCIML_FAST") == "1"

# %% [markdown]
# ## The cavity
# A lid slides over a square full of fluid, the other walls rest. The equations are
# $$u u_x + v u_y + p_x = \tfrac{1}{\mathrm{Re}} \Delta u, \quad u v_x + v v_y + p_y = \tfrac{1}{\mathrm{Re}} \Delta v,
# \quad u_x + v_y = 0.$$
# Here Re = 100, and the lid's speed $16x^2(1-x)^2$ is smooth. (With a lid of constant speed the pressure is infinite in
# the upper corners, which no smooth network can follow.)

# %%
case = cavity.lid(100)
print(case.problem.summary())

# %% [markdown]
# Nobody gives the pressure; the equations fix it up to a constant, and the solver takes care of that. Velocities on the
# walls hold exactly by construction.

# %%
network = PINN(MLP(width=20, depth=3), seed=0, seconds=3 if FAST else 60).solve(case.problem)
print(network.status)

# %%
plot_flow(network)

# %% [markdown]
# ## Compare
# Finite elements as a second opinion, and extrema of the velocities on the centre lines from a fine computation.

# %%
elements = FiniteElement(mesh_size=1 / 10 if FAST else 1 / 20).solve(case.problem)
print(f"{'':18}{'reference':>10}{'network':>10}{'elements':>10}")
mine, theirs = case.measure(network), case.measure(elements)
for name, value in case.numbers.items():
    print(f"{name:18}{value:10.4f}{mine[name]:10.4f}{theirs[name]:10.4f}")

# %%
lines = [("u", (0.5, 0.0), (0.5, 1.0)), ("v", (0.0, 0.5), (1.0, 0.5))]
plot_profiles({"network": network, "finite elements": elements}, lines)

# %% [markdown]
# ## Is mass conserved?
# Of an incompressible flow nothing may get lost. The net flux through the walls is zero here by construction; inside,
# the divergence tells.

# %%
balance = mass_balance(network)
print(f"net flux {balance.net:.1e}, root mean square of the divergence {balance.divergence:.1e}")

# %% [markdown]
# ## The cylinder
# A channel of length 22 and height 4.1 with a cylinder of diameter 1, slightly off the middle: the benchmark DFG 2D-1
# of Schäfer and Turek (1996) at Re 20. Its drag and lift are known to many digits. Lift is small and comes from the
# asymmetry alone: a hard test.

# %%
benchmark = cylinder.dfg_steady()
size = {"width": 16, "depth": 3} if FAST else {"width": 32, "depth": 4}
stream = PINN(MLP(**size), seed=0, seconds=4 if FAST else 200).solve(benchmark.problem)
print(stream.status)

# %%
plot_flow(stream, resolution=120 if FAST else 260)

# %% [markdown]
# ## Forces
# The drag can be taken from the stress on the cylinder or from the balance of momentum around it. A solution of the
# equations gives the same number both ways; the difference is a warning that needs no reference.

# %%
reference = FiniteElement(mesh_size=0.6 if FAST else 0.4, refine={"cylinder": 0.1 if FAST else 0.04})
grid = reference.solve(benchmark.problem)
mine, theirs = benchmark.measure(stream), benchmark.measure(grid)
print(f"{'':34}{'published':>10}{'network':>10}{'elements':>10}")
for name in mine:
    known = benchmark.numbers.get(name.removesuffix(" by its traction"))
    print(f"{name:34}{known:10.4f}{mine[name]:10.4f}{theirs[name]:10.4f}")

# %%
print("network against finite elements:", stream.error(grid))
plot_flow(stream, "vorticity", resolution=120 if FAST else 260)

# %% [markdown]
# ## What to distrust
# In the stored run the network's drag is right to 0.2 % both ways, but its lift, five hundred times smaller, is wrong
# by a factor of three. A small number that is left over from large ones needs a residual that is smaller still; the
# status says how large it is.
#
# For plane steady flows at such Reynolds numbers finite elements are more accurate in less time, and a network is not
# the tool of choice. It may become one where measurements enter and coefficients are unknown (notebook 06).
#
# ## What to try
# 1. Give the cavity a tenth of the time. Which of the three extrema suffers first?
# 2. `cavity.lid(400)`: start from Re 100 or from nothing? Which budget does it need?
# 3. Take a smaller network for the cylinder, 24 × 3. The status says whether it arrives.
# 4. `influence.diagnose(stream)`: does the health card see that the lift is off?
