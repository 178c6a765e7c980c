"""What the files of the experiments share: the results of an experiment's trials, read once for each file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from fixtures.sweeps.settings import Setting
from fixtures.sweeps.trials import Trial
from theorems.section_10_experiments.classifier_runs import Runs
from theorems.section_10_experiments.width_results import Results

Records = list[dict[str, Any]]


@pytest.fixture(scope="module")
def records(request: pytest.FixtureRequest, setting: Setting, sweep: Callable[[Sequence[Trial]], Records]) -> Records:
    """The records of all trials of the experiment that the file names, in this setting."""
    return sweep(request.module.EXPERIMENT.trials(setting))


@pytest.fixture(scope="module")
def results(setting: Setting, records: Records) -> Results:
    """What the trials of Experiment 3 came to."""
    return Results(setting, records)


@pytest.fixture(scope="module")
def runs(records: Records) -> Runs:
    """What the runs of Experiment 4 or 5 came to."""
    return Runs.of(records)
