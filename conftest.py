"""Options, profiles and markers. The ledger's plugin does the recording; the mathematics is elsewhere."""

import os
import sys

if sys.version_info < (3, 11):  # noqa: UP036 - one clear line where pip's own check was bypassed
    raise SystemExit("whichmin needs Python 3.11 or later, this is " + sys.version.split()[0])
if not __debug__:
    raise SystemExit("whichmin runs assertions, and this Python drops them: run without -O, unset PYTHONOPTIMIZE")

# One thread: the same sums in the same order on every run, and no contention between workers.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

import gc
import random
from pathlib import Path

import pytest
from hypothesis import Verbosity, settings
from hypothesis.database import DirectoryBasedExampleDatabase

from fixtures.problems.determinism import ignore_constants_in_our_source
from theorems.ledger.environment import (
    check_example_database,
    check_plugins,
    check_torch,
    describe_environment,
    profile_name,
)

pytest_plugins = [
    "theorems.ledger.plugin",
    "theorems.ledger.baseline_plugin",
    "theorems.experiment_options.plugin",
    "probes.plugin",
    "pytester",
]

DATABASE = Path(__file__).parent / ".hypothesis"

# Drawing instances makes many small objects and little garbage: at Python's threshold, collecting is a tenth of a run.
gc.set_threshold(200_000, 50, 50)

# Hypothesis loads a derandomized profile of its own under CI, which ours would inherit: every choice is explicit.
_COMMON = {"deadline": None, "print_blob": False, "verbosity": Verbosity.normal, "suppress_health_check": ()}
settings.register_profile("fast", max_examples=100, derandomize=True, database=None, **_COMMON)
for _name, _examples in (("thorough", 1_000), ("soak", 10_000)):
    settings.register_profile(
        _name,
        max_examples=_examples,
        derandomize=False,
        database=DirectoryBasedExampleDatabase(DATABASE / "examples"),
        **_COMMON,
    )
settings.load_profile("fast")
ignore_constants_in_our_source()


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    if not any(map(pluginmanager.has_plugin, ("timeout", "pytest_timeout"))):
        # A GPU machine may have pytest alone; its settings in tox.ini and the markers of slow tests stay known.
        parser.addini("timeout", "seconds that a test may take (needs pytest-timeout)")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    if (absent := check_plugins(config)) is not None:
        raise pytest.UsageError(absent)
    profile = config.getoption("--hypothesis-profile")
    if profile is not None and profile not in ("fast", "thorough", "soak"):
        raise pytest.UsageError(f"--hypothesis-profile {profile!r} is unknown; profiles are fast, thorough, soak")
    for problem in (check_torch(), check_example_database(DATABASE)):
        if problem is not None:
            raise pytest.UsageError(problem)
    config.addinivalue_line("markers", "timeout(seconds): how long the test may take (needs pytest-timeout)")
    seed = config.getoption("--hypothesis-seed")
    if seed is not None and not seed.strip():
        raise pytest.UsageError("--hypothesis-seed is empty: name a number, or leave --hypothesis-seed out")
    if profile in ("thorough", "soak") and seed is None:
        config.option.hypothesis_seed = str(random.SystemRandom().randrange(2**32))
    if profile in (None, "fast") and seed is not None:
        settings.register_profile("fast", settings.get_profile("fast"), derandomize=False)
        settings.load_profile("fast")


def pytest_report_header(config: pytest.Config) -> str:
    seed = config.getoption("--hypothesis-seed")
    versions = ", ".join(f"{name} {value}" for name, value in describe_environment().items())
    return f"whichmin: profile {profile_name()}{f' (--hypothesis-seed={seed})' if seed else ''}, {versions}"


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    # What has been collected stays to the end. The collector need not look at these objects again.
    gc.freeze()


@pytest.fixture(scope="session")
def scale(request: pytest.FixtureRequest) -> str:
    """The scale of the experiments: smoke, reduced or paper."""
    return request.config.getoption("--scale")
