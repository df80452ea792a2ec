"""Diagnosis: indicators of influence and the health card of a solution."""

from influence.diagnosis.causality import TemporalCausality, temporal_causality
from influence.diagnosis.clusters import InfluenceClusters, influence_clusters
from influence.diagnosis.conflict import Conflict, conflict
from influence.diagnosis.diagnosis import Diagnosis, diagnose
from influence.diagnosis.findings import Finding
from influence.diagnosis.held_out import HeldOut, held_out_residual
from influence.diagnosis.progress import Sensitivity, sensitivity
from influence.diagnosis.regions import Proximity, RegionFraction, proximity, region_fraction
from influence.diagnosis.self_influence import SelfInfluence, self_influence
from influence.diagnosis.shares import (
    Cancellation,
    ComponentRatio,
    InitialShare,
    cancellation,
    component_ratio,
    initial_share,
)

__all__ = [
    "Cancellation",
    "ComponentRatio",
    "Conflict",
    "Diagnosis",
    "Finding",
    "HeldOut",
    "InfluenceClusters",
    "InitialShare",
    "Proximity",
    "RegionFraction",
    "SelfInfluence",
    "Sensitivity",
    "TemporalCausality",
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
    "temporal_causality",
]
