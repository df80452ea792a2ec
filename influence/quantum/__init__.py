"""Explanations of quantum models: Taylor-infinity, QLRP, exact Shapley values, shots, baselines, metrics."""

from influence.quantum.attribution import Attribution
from influence.quantum.qlrp import pauli_relevance, qlrp
from influence.quantum.taylor import shapley, taylor_infinity

__all__ = ["Attribution", "pauli_relevance", "qlrp", "shapley", "taylor_infinity"]
