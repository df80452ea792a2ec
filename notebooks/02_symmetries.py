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
# # 02 Symmetries, and a solver made of them
#
# **Shows** how the Lie point symmetries of an equation are derived and certified, how a symmetry turns one solution
# into others, and how `LieSolver` builds the solution of an initial-boundary value problem from them, with a proven
# error bound; also Burgers' nonlinear equation.
#
# **Takes** about 20 seconds on a free processor (15 with `SCIML_FAST=1`).

# %%
import os
import time

import sympy as sp

from sciml import IBVP, Dirichlet, Disk, Interval, SolverError, coordinates, field
from sciml.notebook.family import FamilyExplorer
from solvers import FiniteElement, LieSolver, ibvp_symmetries, linearising_map, point_symmetries, similarity_reductions

FAST = os.environ.get("SCIML_FAST") == "1"
x, t = coordinates("x t")
u = field("u", x, t)

# %% [markdown]
# ## Derive
# A point symmetry moves $(x, t, u)$ so that every solution becomes a solution. Its generator is a vector field. For the
# heat equation $u_t = u_{xx}$:

# %%
heat = sp.Eq(u.diff(t), u.diff(x, 2))
algebra = point_symmetries([heat], [u])
algebra

# %% [markdown]
# Is the list complete? The determining equations are linear, so the number of their solutions can be counted
# independently of the search. Each generator is verified by a second code.

# %%
print("dimension", algebra.dimension, "- certified:", algebra.certified)
print(algebra.certificate)

# %% [markdown]
# ## Move solutions
# $X_6$ looks strange. Its flow, with parameter $\varepsilon$:

# %%
eps = sp.Symbol("epsilon", real=True)
projective = algebra.generators[5]
for old, new in projective.flow(eps).items():
    print(f"{old!s:8} becomes  {new}")

# %% [markdown]
# Let it act on the dullest of all solutions, $u = 1$. Out comes a Gaussian that spreads: the fundamental solution of
# the heat equation, up to a factor and a shift of time.

# %%
spreading = projective.transform(sp.Integer(1), eps)
assert sp.simplify(spreading.diff(t) - spreading.diff(x, 2)) == 0
spreading

# %% [markdown]
# The picture has a slider for $\varepsilon$ (previews show one value).

# %%
FamilyExplorer(spreading, {x: (-4, 4), t: (0, 2)}, {eps: (0, 3, 1)}, title="u = 1, moved along X6")

# %% [markdown]
# ## Reduce
# Solutions that a generator leaves as they are depend on one variable less. For the scaling $X_4$ it is
# $z = x/\sqrt{t}$, and the equation becomes an ordinary one, which is solved:

# %%
for reduction in similarity_reductions([heat], algebra.generators[3]):
    print(reduction)

# %% [markdown]
# ## Which symmetries survive data?
# A problem has fewer symmetries than its equation: domain, boundary and data must stay as they are. For a disk that
# cools, the rotation is left, and each of the others is dropped for a stated reason.

# %%
y = coordinates("y")
w = field("w", x, y, t)
plate = IBVP(
    pde=sp.Eq(w.diff(t), w.diff(x, 2) + w.diff(y, 2)),
    domain=Disk((x, y), center=(0, 0), radius=1),
    time=(t, 0, 1),
    initial={w: 1 - x**2 - y**2},
    boundary=[Dirichlet(w, 0)],
    name="cooling disk",
)
print(ibvp_symmetries(plate))

# %% [markdown]
# ## Solve with them
# `LieSolver` applies generators to simple solutions until it has enough exact ones, then fits the data. A rod with
# a smooth, lopsided start:

# %%
rod = IBVP(
    pde=heat,
    domain=Interval(x, 0, 1),
    time=(t, 0, sp.Rational(1, 5)),
    initial={u: 20 * x**2 * (1 - x) ** 3},
    boundary=[Dirichlet(u, 0)],
    name="lopsided rod",
)
start = time.process_time()
solution = LieSolver().solve(rod)
print(f"{time.process_time() - start:.1f} s: {solution.status}")
print(f"nowhere wrong by more than {solution.error_bound:.1e} ({solution.error_bound_reason})")

# %% [markdown]
# The answer solves the equation exactly, is everywhere closer than that to the true solution, and is a formula. It can
# be drawn, differentiated, evaluated and compared like any other solution, here with finite elements.

# %%
elements = FiniteElement(mesh_size=1 / 32 if FAST else None).solve(rod)
elements.plot(compare=solution)

# %% [markdown]
# ## Nonlinear, but only in appearance
# Burgers' equation $u_t + u u_x = \nu u_{xx}$ steepens into a shock. Yet a map makes it linear. It is not looked up: it
# is found, because a conservation law of the equation has a potential with an infinite symmetry algebra.

# %%
nu = sp.Rational(1, 50)
burgers = sp.Eq(u.diff(t) + u * u.diff(x), nu * u.diff(x, 2))
print(linearising_map([burgers], [u]))

# %% [markdown]
# So `LieSolver` solves it: the heat equation for $w$, then the map back.

# %%
shock = IBVP(
    pde=burgers,
    domain=Interval(x, -1, 1),
    time=(t, 0, 1),
    initial={u: -sp.sin(sp.pi * x)},
    boundary=[Dirichlet(u, 0)],
    name="Burgers equation",
)
start = time.process_time()
steep = LieSolver().solve(shock)
print(f"{time.process_time() - start:.1f} s: {steep.status}")

# %% [markdown]
# A second opinion from a solver that knows nothing of maps:

# %%
elements = FiniteElement(mesh_size=1 / 32 if FAST else 1 / 256).solve(shock)
elements.plot(compare=steep)

# %% [markdown]
# ## Where it ends
# Other nonlinear equations have no such map, and that can be proven by the dimension of the algebra. Then `LieSolver`
# refuses instead of pretending:

# %%
fisher = shock.replace(pde=sp.Eq(u.diff(t), u.diff(x, 2) + u * (1 - u)), name="Fisher equation")
try:
    LieSolver().solve(fisher)
except SolverError as error:
    print(error)

# %% [markdown]
# ## What to try
# 1. Find the symmetries of the Korteweg-de Vries equation `u.diff(t) + 6 * u * u.diff(x) + u.diff(x, 3)`. Which of them
#    is a Galilean boost?
# 2. `algebra.commutators()` gives the table of the algebra. Which generators commute with the translation $\partial_x$?
# 3. Move the Gaussian once more, `algebra.generators[4].transform(spreading, sp.Symbol("eta", real=True))`. What does
#    this flow do to it?
# 4. For which exponents n does $u_t = (u^n u_x)_x$ have more symmetries than usual? `solvers.special_parameters` tells.
# 5. Give the rod a jump, `initial={u: 1}`. What does the error bound say then?
