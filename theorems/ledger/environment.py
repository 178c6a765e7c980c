"""The environment of a run: versions, device, and checks that refuse a run before it starts."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest
from hypothesis import settings

OLDEST_TORCH = (2, 11)


def describe_environment(device: str = "cpu") -> dict[str, str]:
    """Versions and device, for the header and the ledger."""
    packages = {name: _version(name) for name in ("numpy", "scipy", "torch", "hypothesis")}
    return {"python": platform.python_version(), **packages, "dtype": "float64", "device": device}


def profile_name() -> str:
    """The profile of the run, without what Hypothesis adds to its name for --hypothesis-verbosity and its like."""
    return settings.get_current_profile_name().partition("-with-")[0]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"


def check_plugins(config: pytest.Config) -> str | None:
    """One line saying how to turn on Hypothesis's pytest plugin, which has the profiles and the seed, or None."""
    if hasattr(config.option, "hypothesis_profile"):
        return None
    return (
        "Hypothesis's pytest plugin is off, and every run needs it: leave out -p no:hypothesispytest, and unset"
        " PYTEST_DISABLE_PLUGIN_AUTOLOAD or add -p _hypothesis_pytestplugin"
    )


def check_torch(found: str | None = None) -> str | None:
    """One line saying what is wrong with the installed torch (or with version `found`), or None."""
    found = found or _version("torch")
    remedy = "pip install -c constraints.txt torch"
    if found == "missing":
        return f"torch is not installed: {remedy}"
    release = tuple(int(digits) for digits in found.split("+")[0].split(".")[:2])
    if release < OLDEST_TORCH:
        return f"torch {found} is too old, {'.'.join(map(str, OLDEST_TORCH))} or later is needed: {remedy}"
    return None


def check_example_database(directory: Path) -> str | None:
    """One line saying why Hypothesis cannot keep its failing examples in this folder, or None.

    What the folder holds is left to Hypothesis. It ignores an entry that it cannot read, and finds the failure anew.
    """
    for folder in (directory, directory / "examples"):
        if folder.exists() and not folder.is_dir():
            return f"{folder} is not a folder of Hypothesis examples: remove it"
    return None
