"""The runs of tanh networks on diabetes patients, at a step and at a quarter of it, that decide (b) and (c)."""

from __future__ import annotations

import functools
from types import SimpleNamespace

from fixtures.dynamics.sharpness_path import SharpnessPath, patient_path
from fixtures.models.patient_networks import PatientNetworks, patient_networks

ETA, STEPS, SEEDS = 0.6, 1200, range(7200, 7232)
WHERE = SimpleNamespace(title="tanh 10-8-1, diabetes, eta = 0.6", binding=True, printed=False)


@functools.cache
def patients(eta: float) -> tuple[SharpnessPath, PatientNetworks, SharpnessPath, PatientNetworks]:
    """The runs of SEEDS at the step eta, at a quarter of it, and where both end."""
    networks = patient_networks(SEEDS)
    return *patient_path(networks, eta, STEPS, 120), *patient_path(networks, eta / 4, STEPS, STEPS)
