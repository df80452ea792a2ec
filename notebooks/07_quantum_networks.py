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
# # 07 Quantum networks and their explanations
#
# **Shows** how a parametrised quantum circuit is used as the trial function of a differential equation, what its
# features and gates contribute to a prediction, where the explanations can be checked by mathematics, and what finite
# numbers of measurements do to them.
#
# **Takes** about 40 seconds on a free processor (20 with `SCIML_FAST=1`). Circuits are simulated.

# %%
import math
import os
import warnings

import sympy as sp
import torch

from influence import Influence
from influence.quantum import integrated_gradients, qlrp, shapley, shapley_shots, taylor_infinity
from sciml import IBVP, Interval, SolverWarning, coordinates, field
from sciml.quantum import QuantumNetwork, light_cone, reuploading
from sciml.quantum.drawing import draw_circuit
from solvers import PINN, Fixed
from solvers.pinn import Counts

FAST = os.environ.get("SCIML_FAST") == "1"

# %% [markdown]
# ## A circuit
# Four qubits, three layers. In every layer the data are uploaded as rotation angles, then come trained rotations and
# entangling gates. The output is the mean of four measurements $\langle Z_q \rangle$, scaled and shifted.

# %%
circuit = reuploading(
    4, 2, layers=3, assignment=(1, 1, 0, 0), scales=[0.6, 1.2], observables=[{f"Z{q}": 0.25 for q in range(4)}]
)
network = QuantumNetwork(circuit, "affine", seed=0)
draw_circuit(circuit)

# %% [markdown]
# Which features and angles can reach the measurement at all? That is a question of wiring, not of data:

# %%
print(light_cone(circuit))

# %% [markdown]
# ## An equation
# Radioactive decay for all rates at once: $u_t = -k u$, $u(k, 0) = 1$, with $k$ as a coordinate. The solution is
# $e^{-kt}$. A `QuantumNetwork` is a torch module, so `PINN` trains it like any other network.

# %%
k, t = coordinates("k t")
u = field("u", k, t)
decay = IBVP(sp.Eq(u.diff(t), -k * u), Interval(k, 0, 2), time=(t, 0, 1), initial={u: 1}, name="decay")
solver = PINN(
    network, seed=0, steps=15 if FAST else 80, constraints="soft", resampler=Fixed(), points=Counts(144, 1, 30)
)
solution = solver.solve(decay)
print(solution.status)
solution.plot(compare=sp.exp(-k * t))

# %% [markdown]
# ## Which input made the prediction?
# At $k = 1.5$, $t = 1$ the network says 0.22, at the reference $(0, 0)$ it says 1. The Shapley values share out the
# difference. Here mathematics knows the answer: from $(0, 0)$ neither $k$ nor $t$ changes anything alone, so each must
# get one half, $(e^{-kt} - 1)/2$.

# %%
trained = solution.model
point = torch.tensor([[1.5, 1.0]], dtype=torch.float64)
half = (math.exp(-1.5) - 1) / 2
print(f"{'':36}{'k':>9}{'t':>9}")
print(f"{'mathematics':36}{half:9.4f}{half:9.4f}")
explanations = {
    "Shapley values, exact": shapley(trained, point),
    "Taylor series, interactions by degree": taylor_infinity(trained, point, split="degree"),
    "integrated gradients, 32 steps": integrated_gradients(trained, point),
    "effects of each input alone": taylor_infinity(trained, point, split="none"),
}
for name, explanation in explanations.items():
    a, b = explanation.values[0].tolist()
    print(f"{name:38}{a:7.4f}{b:9.4f}")

# %% [markdown]
# The last line should be zero: inputs alone do nothing. What is left there is the error of the network.
#
# ## Which gate made it?
# Each input is uploaded on two qubits in three layers, so there are twelve encoding gates (x0 is $k$, x1 is $t$). The
# gates play a game of their own, and each has a Shapley value, too.

# %%
by_gate = qlrp(trained, point, rule="gate")
by_gate.plot()

# %% [markdown]
# ## Measured instead of computed
# A real device gives samples. With finite numbers of shots the Shapley values have standard errors, which fall like
# $1/\sqrt{\text{shots}}$.

# %%
for shots in (10_000, 100_000):
    sampled = shapley_shots(trained, point, shots=shots)
    a, b = sampled.values[0].tolist()
    print(f"{shots:>7} shots: k {a:.3f}, t {b:.3f}, standard error {sampled.standard_error.max():.3f}")

# %% [markdown]
# ## Which training points made it?
# That question is the same as for classical networks: influence functions read the objective that was minimised.

# %%
with warnings.catch_warnings():
    warnings.simplefilter("ignore", SolverWarning)
    why = Influence(solution)
why.scores(u, at=point.numpy()).plot(query=0)

# %% [markdown]
# ## What to try
# 1. Leave out the entangling gates between two halves of a circuit, and look at `light_cone` again.
# 2. Explain another point, $k = 0.5$, $t = 0.25$. Do the Shapley values still agree with $(e^{-kt} - 1)/2$?
# 3. One layer instead of three: how good can the fit become? (A circuit with few uploads is a short Fourier series.)
# 4. `reference="uniform"` compares with the mean over all inputs instead of a point. What changes?
