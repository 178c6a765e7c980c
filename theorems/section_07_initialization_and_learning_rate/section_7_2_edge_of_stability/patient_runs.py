"""The runs of tanh networks on diabetes patients, at a step and at a quarter of it, that decide (b) and (c)."""

from __future__ import annotations

import functools
from types import SimpleNamespace

from theorems.section_07_initialization_and_learning_rate.edge_of_stability.patient_networks import (
    PatientNetworks,
    patient_networks,
)
from theorems.section_07_initialization_and_learning_rate.edge_of_stability.sharpness_path import (
    SharpnessPath,
    patient_path,
)

ETA, STEPS, SEEDS = 0.6, 1200, range(7200, 7232)
"""The step, the number of steps, and the seeds of the networks that decide."""
SETTING = SimpleNamespace(title="tanh 10-8-1, diabetes, eta = 0.6", binding=True, printed=False)
"""The setting in which the verdict was measured."""


@functools.cache
def patient_runs(eta: float) -> tuple[SharpnessPath, PatientNetworks, SharpnessPath, PatientNetworks]:
    """The run of each seed at the step eta and where it ends; then the same at a quarter of the step."""
    networks = patient_networks(SEEDS)
    return *patient_path(networks, eta, STEPS, 120), *patient_path(networks, eta / 4, STEPS, STEPS)
