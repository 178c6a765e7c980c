"""Self-tests: the files that name versions of packages agree."""

import re
import tomllib
from pathlib import Path

from theorems.ledger.environment import OLDEST_TORCH

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]


def lowest(requirements):
    """The lower bound of each requirement, by name; a requirement is NAME>=VERSION and nothing else."""
    return dict(re.fullmatch(r"([\w-]+)>=([\d.]+)", line).groups() for line in requirements)


def pinned(name):
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


def number(version):
    """The release as a tuple without trailing zeros, so that 3 is 3.0.0."""
    return tuple(int(part) for part in re.sub(r"(\.0)+$", "", version).split("."))


def test_the_lowest_releases_are_the_lower_bounds_of_what_a_run_needs():
    bounds = lowest(PROJECT["dependencies"] + EXTRAS["test"] + EXTRAS["report"])
    pins = pinned("constraints-lowest.txt")
    assert {name: number(version) for name, version in pins.items()} == {
        name: number(version) for name, version in bounds.items()
    }


def test_every_requirement_is_pinned_at_or_above_its_lower_bound():
    pins = {name.replace("_", "-"): version for name, version in pinned("constraints.txt").items()}
    every = lowest(PROJECT["dependencies"] + [line for extra in EXTRAS.values() for line in extra])
    assert {name for name, bound in every.items() if number(pins[name]) < number(bound)} == set()


def test_the_torch_that_a_run_refuses_is_the_one_that_pip_refuses():
    assert number(lowest(PROJECT["dependencies"])["torch"]) == OLDEST_TORCH


def test_the_citation_and_the_changelog_name_this_version_and_one_day():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    version, day = re.search(r"^## (\d\S+) - (\S+)$", changelog, re.MULTILINE).groups()
    assert version == PROJECT["version"]
    assert f"\nversion: {version}\n" in citation
    assert f'\ndate-released: "{day}"\n' in citation


def test_workflows_call_environments_of_tox_that_exist():
    workflows = [path.read_text(encoding="utf-8") for path in sorted((ROOT / ".github" / "workflows").glob("*.yml"))]
    called = {name for text in workflows for name in re.findall(r"tox run -q?e (\w+)", text)}
    known = set(re.findall(r"^\[testenv:(\w+)\]$", (ROOT / "tox.ini").read_text(encoding="utf-8"), re.MULTILINE))
    assert {"fast", "all"} <= called <= known
