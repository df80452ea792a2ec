"""Influence functions: which points, conditions and terms shaped an answer, exact, fast and checked."""

from influence.diagnosis import (
    Cancellation,
    ComponentRatio,
    Conflict,
    Diagnosis,
    Finding,
    HeldOut,
    InfluenceClusters,
    InitialShare,
    Proximity,
    RegionFraction,
    SelfInfluence,
    Sensitivity,
    TemporalCausality,
    cancellation,
    component_ratio,
    conflict,
    diagnose,
    held_out_residual,
    influence_clusters,
    initial_share,
    proximity,
    region_fraction,
    self_influence,
    sensitivity,
    temporal_causality,
)
from influence.explanation import Explanation
from influence.functions import Influence
from influence.integrals import Integral
from influence.published import LossGradientSampler
from influence.refits import Agreement, Refit
from influence.reliability import Reliability
from influence.resampling import InfluenceSampler
from influence.rows import RowBlock
from influence.scores import Scores
from influence.streaming import TotalScores, stream_scores, total_scores
from influence.sweep import Sweep
from influence.targets import MeanSquare, Residual, SmoothMax

__all__ = [
    "Agreement",
    "Cancellation",
    "ComponentRatio",
    "Conflict",
    "Diagnosis",
    "Explanation",
    "Finding",
    "HeldOut",
    "Influence",
    "InfluenceClusters",
    "InfluenceSampler",
    "InitialShare",
    "Integral",
    "LossGradientSampler",
    "MeanSquare",
    "Proximity",
    "Refit",
    "RegionFraction",
    "Reliability",
    "Residual",
    "RowBlock",
    "Scores",
    "SelfInfluence",
    "Sensitivity",
    "SmoothMax",
    "Sweep",
    "TemporalCausality",
    "TotalScores",
    "cancellation",
    "component_ratio",
    "conflict",
    "diagnose",
    "held_out_residual",
    "influence_clusters",
    "initial_share",
    "proximity",
    "region_fraction",
    "self_influence",
    "sensitivity",
    "stream_scores",
    "temporal_causality",
    "total_scores",
]
