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
# # 01 One problem, three solvers
#
# **Shows** how an initial-boundary value problem (IBVP) is stated once in SymPy and handed to three solvers that have
# nothing in common: symmetries, finite elements, a neural network. Then the answers are compared.
#
# **Takes** about 20 seconds on a free processor (12 with `SCIML_FAST=1`).

# %%
import os
import time

import sympy as sp

from sciml import IBVP, MLP, Dirichlet, Interval, Neumann, ProblemError, coordinates, field
from solvers import PINN, FiniteElement, LieSolver, solve

FAST = os.environ.get("SCIML_FAST") == "1"

# %% [markdown]
# ## State it
# A rod of length 1 with thermal diffusivity 1/10 is warm at the start, held at temperature 0 at its left end and
# insulated at its right end:
#
# $$u_t = \tfrac{1}{10} u_{xx}, \qquad u(x, 0) = x(2 - x), \qquad u(0, t) = 0, \qquad u_x(1, t) = 0.$$
#
# `u` is an ordinary SymPy function, so the equation is written as on paper.

# %%
x, t = coordinates("x t")
u = field("u", x, t)
rod = IBVP(
    pde=sp.Eq(u.diff(t), u.diff(x, 2) / 10),
    domain=Interval(x, 0, 1),
    time=(t, 0, 2),
    initial={u: x * (2 - x)},
    boundary=[Dirichlet(u, 0, on="left"), Neumann(u, 0, on="right")],
    name="rod",
)
rod

# %% [markdown]
# A problem is checked when it is built. Forget the right end, and you are told so before anything is solved:

# %%
try:
    rod.replace(boundary=[Dirichlet(u, 0, on="left")])
except ProblemError as error:
    print(error)

# %% [markdown]
# ## Way 1: symmetries
# `LieSolver` derives the symmetries of the equation, builds solutions from them, and fits only the initial and boundary
# data. The equation itself holds exactly, so the error can be *bounded*: by the maximum principle, the solution is
# nowhere further from the truth than its data are.


# %%
def timed(solver, problem):
    start = time.process_time()
    solution = solver.solve(problem)
    return solution, time.process_time() - start


lie, lie_seconds = timed(LieSolver(), rod)
print(lie.status)
print(f"largest error anywhere: at most {lie.error_bound:.1e} ({lie.error_bound_reason})")

# %% [markdown]
# The answer is a formula, a sum of exact solutions of the equation. The largest of its terms, each with the symmetries
# that made it:

# %%
for term in sorted(lie.terms, key=lambda term: -abs(term.amplitude))[:3]:
    print(f"{term.amplitude:+.4f} × {str(term.atom)[:60]}")
    for generator in term.generators:
        print("          made by", generator)

# %% [markdown]
# ## Way 2: finite elements

# %%
fem, fem_seconds = timed(FiniteElement(), rod)
print(fem.status)

# %% [markdown]
# ## Way 3: a physics-informed neural network (PINN)
# A small network $u_\theta(x, t)$ is trained until the residual $u_t - u_{xx}/10$ is small at sample points. `seconds`
# is a budget of CPU time; the best state by then is returned.

# %%
pinn, pinn_seconds = timed(PINN(MLP(width=16, depth=2), seed=0, seconds=1.5 if FAST else 8), rod)
print(pinn.status)

# %%
from sciml.plotting import plot_history

plot_history(pinn)

# %% [markdown]
# ## Compare
# Every solution answers the same calls, whichever solver made it. The symmetry solution has a proven bound, so it
# serves as the reference for the other two.

# %%
print(f"{'solver':16}{'CPU seconds':>12}{'relative L2 error':>20}{'largest error':>16}")
print(f"{'LieSolver':16}{lie_seconds:12.2f}{'':>20}{'<= ' + format(lie.error_bound, '.0e'):>16}")
for name, solution, seconds in (("FiniteElement", fem, fem_seconds), ("PINN", pinn, pinn_seconds)):
    report = solution.error(lie)
    print(f"{name:16}{seconds:12.2f}{report.relative_l2['u']:20.1e}{report.maximum['u']:16.1e}")

# %% [markdown]
# Where is the network wrong? With the extra `notebook` installed this picture has a slider over time; previews show the
# static figure that `pinn.plot(compare=lie)` makes.

# %%
from sciml.notebook.viewer import FieldViewer

FieldViewer(pinn, lie)

# %% [markdown]
# ## Use it
# Values by name with NumPy broadcasting, derivatives and residuals as expressions: the heat that leaves through the
# left end is $\frac{1}{10} u_x(0, t)$.

# %%
print("temperature at the insulated end:", lie(x=1.0, t=[0.0, 0.5, 1.0, 2.0]).round(4))
print("heat flux through the left end:  ", lie.derivative(u.diff(x) / 10, [[0, 0.5], [0, 1.0], [0, 2.0]]).round(4))
print("residual of the network there:   ", pinn.residual([[0, 0.5], [0, 1.0], [0, 2.0]])[:, 0].round(6))

# %% [markdown]
# ## Let the package choose
# `solve` picks a solver and says why.

# %%
solve(rod).status

# %% [markdown]
# ## What to try
# 1. Make the initial data a bump, `sp.exp(-50 * (x - sp.Rational(1, 2))**2)`. Which solver notices most?
# 2. Replace the insulated end by a convective one, `Robin(u, 2, 0, on="right")`: $u_x + 2u = 0$.
# 3. Make the equation nonlinear, `u.diff(t) + u * u.diff(x) - u.diff(x, 2) / 10`, and ask `solve` again.
# 4. Give the network other budgets, `seconds=2` and `seconds=20`. What does `pinn.status` say of each?
