"""The baseline: what a run showed when its power was last reviewed, and what another run has lost of it.

A suite loses power in silence: a test is deleted, a bound is multiplied by a million, a strategy draws one instance.
All of that stays green. So the repository keeps a file with every test of every claim: role, part, reading, labels,
parameter sets, instances, and the ratio of each of its certificates. `--baseline FILE` compares a run with it, and a
loss fails the run. `--renew-baseline FILE` writes what this run showed; the diff of the file is then reviewed.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from theorems.ledger.evidence import Evidence
from theorems.ledger.registry import StatedClaim
from theorems.ledger.verdicts import Role

SCHEMA = 1
SMALLEST_RATIO = 1e-3
"""Ratios below this one are not compared: they are far from their bounds by design."""
LARGEST_FALL = 10
"""By which factor a ratio may fall, and a slack grow. Between the BLAS kernels of processors no ratio fell so much."""
MEASURING = (Role.OBSERVED.value, Role.MEASURED.value)
"""The roles whose ratios are not compared: training amplifies rounding, so another processor trains other networks."""


class BaselineError(Exception):
    """The file of the baseline cannot be read. The message is one line with the cause and the remedy."""


@dataclasses.dataclass(frozen=True)
class Power:
    """What one test of a claim is and has shown.

    labels: the hypotheses and clauses that it names. cases: its parameter sets. instances: over all its cases.
    certificates: the largest ratio of each of its certificates, by their words, over all its cases; it is 0 for signs,
    identities and equalities up to rounding, which have no ratio to compare. slacks: of these equalities the largest
    slack, as a share of what is compared.
    A test that has not run yet has no cases, no instances and no certificates.
    """

    test: str
    role: str
    part: str | None
    reading: str | None
    labels: tuple[str, ...]
    cases: int = 0
    instances: int = 0
    certificates: Mapping[str, float] = dataclasses.field(default_factory=dict)
    slacks: Mapping[str, float] = dataclasses.field(default_factory=dict)

    @property
    def about(self) -> dict[str, Any]:
        """What the source says of the test, without what a run has shown."""
        return {"role": self.role, "part": self.part, "reading": self.reading, "labels": self.labels}


@dataclasses.dataclass(frozen=True)
class Baseline:
    """The power of every test, by its path and name; versions: those of the packages under which it was measured."""

    versions: dict[str, str]
    tests: dict[str, Power]

    def as_text(self) -> str:
        """JSON with one test on each line, for a diff that can be read."""
        lines = [json.dumps(dataclasses.asdict(power), ensure_ascii=False) for power in self.tests.values()]
        head = json.dumps({"schema": SCHEMA, "versions": self.versions})
        return head[:-1] + ', "tests": [\n' + ",\n".join(lines) + "\n]}\n"


def read(path: Path) -> Baseline:
    """The baseline in this file. Raises BaselineError if it is missing, damaged or of another schema."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["schema"] != SCHEMA:
            raise BaselineError(f"baseline {path}: has schema {document['schema']}, not {SCHEMA}: renew it")
        tests = [Power(**entry | {"labels": tuple(entry["labels"])}) for entry in document["tests"]]
        return Baseline(document["versions"], {power.test: power for power in tests})
    except OSError as error:
        raise BaselineError(f"baseline {path}: cannot be read ({error.strerror})") from None
    except (ValueError, KeyError, TypeError) as error:
        raise BaselineError(f"baseline {path}: is damaged ({error}): restore it, or renew it") from None


def measure(
    claims: Iterable[StatedClaim], evidence: Iterable[Evidence], versions: dict[str, str], old: Baseline | None = None
) -> Baseline:
    """What the registry promises and this evidence showed; for tests that did not run in full, what `old` has."""
    shown: dict[str, list[Evidence]] = {}
    for item in evidence:
        shown.setdefault("::".join(item.place), []).append(item)
    tests = {}
    for stated in claims:
        for test in stated.tests:
            name = f"{test.path}::{test.name}"
            power = Power(name, test.role.value, test.part, test.reading, test.labels)
            items = shown.get(name, [])
            if items and len(items) >= items[0].cases:
                power = _measured(power, items)
            elif old and name in old.tests:
                known = old.tests[name]
                power = dataclasses.replace(known, **power.about)
            tests[name] = power
    return Baseline(versions, tests)


def _measured(power: Power, items: list[Evidence]) -> Power:
    return dataclasses.replace(
        power,
        cases=len(items),
        instances=sum(item.examples for item in items),
        certificates=_largest(item.certificates for item in items),
        slacks=_largest(item.slacks for item in items),
    )


def _largest(numbers: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """The largest number of each name, to two digits."""
    largest: dict[str, float] = {}
    for each in numbers:
        for name, number in each.items():
            largest[name] = max(number, largest.get(name, 0.0))
    return {name: float(f"{number:.2g}") for name, number in sorted(largest.items())}


def losses(old: Baseline, new: Baseline, *, is_comparable: bool) -> list[str]:
    """What a run has lost against the baseline, a line each; and tests that the baseline does not have yet.

    new: measured without `old`, so that a test which did not run has no instances.
    is_comparable: whether instances and ratios mean the same in both: the same profile and versions, and no seed.
    """
    lines = [f"{name} is gone" for name in old.tests if name not in new.tests]
    lines += [f"{name} is new: renew the baseline" for name in new.tests if name not in old.tests]
    for name, before in old.tests.items():
        now = new.tests.get(name)
        if now is None:
            continue
        lines += [
            f"{name} has the {field} {_told(now.about[field])}, and had {_told(value)}"
            for field, value in before.about.items()
            if now.about[field] != value
        ]
        if is_comparable and now.instances:
            lines += [f"{name} {loss}" for loss in _lost_power(before, now)]
    return lines


def _told(value: Any) -> str:
    return ", ".join(value) or "none" if isinstance(value, tuple) else str(value or "none")


def _lost_power(before: Power, now: Power) -> list[str]:
    lost = []
    if now.cases < before.cases:
        lost.append(f"has {now.cases} parameter sets, and had {before.cases}")
    if now.instances < before.instances / 2:
        lost.append(f"tried {now.instances} instances, and {before.instances} before")
    for why, ratio in before.certificates.items():
        if why not in now.certificates:
            lost.append(f"certifies no more {why!r}")
        elif before.role not in MEASURING and ratio >= SMALLEST_RATIO and now.certificates[why] * LARGEST_FALL < ratio:
            lost.append(f"has the ratio {now.certificates[why]:g} in {why!r}, and had {ratio:g}")
    for why, slack in before.slacks.items():
        if before.role not in MEASURING and now.slacks.get(why, 0.0) > LARGEST_FALL * slack:
            lost.append(f"has the slack {now.slacks[why]:g} of what {why!r} compares, and had {slack:g}")
    return lost
