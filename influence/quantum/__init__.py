"""Explanations of quantum models: Taylor-infinity, QLRP, exact Shapley values, shots, baselines, metrics."""

from influence.quantum.attribution import Attribution
from influence.quantum.baselines import (
    exact_shapley,
    gradient,
    gradient_input,
    integrated_gradients,
    occlusion,
    sampled_shapley,
    smoothgrad,
    surrogate,
)
from influence.quantum.harmonics import Harmonics, harmonics
from influence.quantum.metrics import ScoreTable, evaluate
from influence.quantum.orders import Orders, taylor_orders
from influence.quantum.qlrp import pauli_relevance, qlrp
from influence.quantum.shots import shapley_shots
from influence.quantum.taylor import shapley, taylor_infinity

__all__ = [
    "Attribution",
    "Harmonics",
    "Orders",
    "ScoreTable",
    "evaluate",
    "exact_shapley",
    "gradient",
    "gradient_input",
    "harmonics",
    "integrated_gradients",
    "occlusion",
    "pauli_relevance",
    "qlrp",
    "sampled_shapley",
    "shapley",
    "shapley_shots",
    "smoothgrad",
    "surrogate",
    "taylor_infinity",
    "taylor_orders",
]
