"""What is compared: problems, samplers, optimisers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from influence import InfluenceSampler, LossGradientSampler
from solvers import PACMANN, R3, RAD, RAR, Fixed, RandomResample, SolutionGradient

PROBLEMS = {
    "diffusion": "heat.decaying_source",
    "Burgers": "burgers.shock",
    "Allen-Cahn": "allen_cahn.cosine",
    "wave": "wave.two_modes",
    "drift-diffusion": "advection_diffusion.drift",
}
TUNED_ON = "poisson.peak"  # never part of the comparison
RARELY = 50  # steps between calls of samplers that cost seconds

# A sampler is made from a seed and the final number of points. None sets `every` unless a call costs seconds: the
# trainer calls when the held-out loss exceeds four times the training loss, the same rule for all.
Make = Callable[[int, int], Any]
MAIN: dict[str, Make] = {
    "fixed": lambda seed, points: Fixed(),
    "random": lambda seed, points: RandomResample(seed=seed),
    "RAR-D": lambda seed, points: RAR(add=points // 20, most=points, seed=seed),
    "RAD": lambda seed, points: RAD(seed=seed),
    "R3": lambda seed, points: R3(seed=seed),
    "PACMANN": lambda seed, points: PACMANN(),
    "PINNfluence": lambda seed, points: LossGradientSampler("pinnfluence", every=RARELY, seed=seed),
    "ours": lambda seed, points: InfluenceSampler(seed=seed),
}
MORE: dict[str, Make] = {
    "RAD published": lambda seed, points: RAD(weighted=False, seed=seed),
    "RAR-G": lambda seed, points: RAR(add=points // 20, most=points, power=None, seed=seed),
    "R3 causal": lambda seed, points: R3(causal=True, seed=seed),
    "grad-dot": lambda seed, points: LossGradientSampler("grad-dot", every=RARELY, seed=seed),
    "loss-gradient": lambda seed, points: LossGradientSampler("loss-gradient", every=RARELY, seed=seed),
    "solution gradient": lambda seed, points: SolutionGradient(seed=seed),
    "fixed Hammersley": lambda seed, points: Fixed("hammersley", seed=seed),
    "fixed Latin hypercube": lambda seed, points: Fixed("latin", seed=seed),
}
ABLATIONS: dict[str, Make] = {
    "ours, no smoothing": lambda seed, points: InfluenceSampler(neighbours=1, seed=seed),
    "ours, no weights": lambda seed, points: InfluenceSampler(weights=False, seed=seed),
    "ours, even candidates": lambda seed, points: InfluenceSampler(edges=False, seed=seed),
    "ours, propagated": lambda seed, points: InfluenceSampler(propagate=True, seed=seed),
    "ours, exchange": lambda seed, points: InfluenceSampler(mode="exchange", candidates=1000, seed=seed),
}
ARMS = MAIN | MORE | ABLATIONS
HALF = ("RAR-D", "RAR-G")  # begin with half of the points
OPTIMISERS: dict[str, Any] = {"lm": "lm", "adam+lbfgs": [("adam", 500), ("lbfgs", 100_000)]}
