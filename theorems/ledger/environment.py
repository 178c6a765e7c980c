"""What a run runs on: versions, device, and the checks that refuse a run which could not be believed."""

from __future__ import annotations

import platform
from hashlib import sha384
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from hypothesis.database import choices_from_bytes

OLDEST_TORCH = (2, 11)
# Hypothesis keeps an entry in a folder named by the hash of its key; this folder lists the keys, and is no example.
_LIST_OF_KEYS = sha384(b".hypothesis-keys").hexdigest()[:16]


def describe_environment(device: str = "cpu") -> dict[str, str]:
    """Versions and device, for the header and the ledger."""
    packages = {name: _version(name) for name in ("numpy", "scipy", "torch", "hypothesis")}
    return {"python": platform.python_version(), **packages, "dtype": "float64", "device": device}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"


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
    """One line saying what is damaged in Hypothesis' example database, or None if it is sound or absent.

    Damaged entries would be dropped without a word by Hypothesis, and with them failures that were to be replayed.
    """
    examples = directory / "examples"
    for folder in (directory, examples):
        if folder.exists() and not folder.is_dir():
            return f"{folder} is not a folder of Hypothesis examples: remove it"
    for entry in examples.glob("*/*"):
        if entry.parent.name != _LIST_OF_KEYS and not _is_sound(entry):
            return f"the Hypothesis example database is damaged at {entry}: remove {directory}"
    return None


def _is_sound(entry: Path) -> bool:
    try:
        return not entry.is_file() or choices_from_bytes(entry.read_bytes()) is not None
    except OSError:
        return False
