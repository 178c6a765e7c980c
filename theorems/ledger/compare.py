"""What has changed between two runs, by their ledgers.

    python -m theorems.ledger.compare OLD/ledger.json NEW/ledger.json

prints it and ends in 1 where a verdict changed, in 2 where a file is no ledger. `--baseline OLD/ledger.json` does the
same for the run that it is given to. Claims, parts and readings have verdicts. What was not run, because another marker
or another claim was asked for, has none to compare; what is gone from the files has changed.
"""

from __future__ import annotations

import dataclasses
import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from theorems.ledger.baseline import LARGEST_FALL, MEASURING, SMALLEST_RATIO, BaselineError
from theorems.ledger.document import SCHEMA
from theorems.ledger.verdicts import Verdict
from theorems.ledger.writing import read_json

Place = tuple[str, str | None, str | None]
"""The label of a claim, and in it a part and a reading; None for all parts, and for the reading that decides."""


@dataclasses.dataclass(frozen=True)
class Shown:
    """What a ledger shows of one test that was run: its instances, and its largest ratios by their words."""

    role: str
    instances: int
    ratios: dict[str, float]


@dataclasses.dataclass(frozen=True)
class View:
    """What is compared of a ledger.

    verdicts: of claims, parts and readings. witnesses: the exact ones that are shown. tests: the names of all tests.
    shown: what those that were run have shown, by their names with their parameters. tried: the profile and the seed.
    environment: versions and device.
    """

    verdicts: dict[Place, str]
    witnesses: dict[Place, str]
    tests: list[str]
    shown: dict[str, Shown]
    tried: tuple[str, str | None]
    environment: dict[str, str]


@dataclasses.dataclass(frozen=True)
class Changes:
    """What has changed, a line each: verdicts, and all else. environment: what else the runs do not have in common."""

    verdicts: list[str]
    others: list[str]
    environment: list[str]

    @property
    def remark(self) -> str:
        """One line that sums it up."""
        counted = f"changed verdicts: {len(self.verdicts)}, other changes: {len(self.others)}"
        return "; ".join([counted, *self.environment])


def is_ledger(path: Path) -> bool:
    """Whether this file is a ledger of any schema. False if it cannot be read."""
    try:
        return "claims" in json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError):
        return False


def read(path: Path) -> View:
    """The ledger in this file. Raises BaselineError if it is missing, damaged or of another schema."""
    try:
        document = read_json(path)
    except OSError as error:
        raise BaselineError(f"ledger {path}: cannot be read ({error.strerror})") from None
    except ValueError as error:
        raise BaselineError(f"ledger {path}: is damaged ({error}): write it again by --ledger") from None
    return view_of(document, str(path))


def view_of(document: dict[str, Any], name: str) -> View:
    """What is compared of a ledger; name: its file, for the message of a BaselineError, in one line."""
    try:
        if (schema := document["schema"]) != SCHEMA:
            raise BaselineError(f"ledger {name}: has schema {schema}, not {SCHEMA}: write it again by --ledger")
        claims = document["claims"]
        verdicts = {place: Verdict(told["verdict"]) for claim in claims for place, told in _places(claim)}
        return View(
            verdicts={place: verdict.value for place, verdict in verdicts.items()},
            witnesses={place: text for claim in claims for place, text in _witnesses(claim)},
            tests=[test["test"] for claim in claims for test in claim["tests"]],
            shown={item["test"]: _shown(item) for claim in claims for item in claim["evidence"]},
            tried=(document["profile"], document.get("seed")),
            environment=dict(document["environment"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BaselineError(f"ledger {name}: is damaged ({error!r}): write it again by --ledger") from None


def _places(claim: dict[str, Any]) -> Iterator[tuple[Place, dict[str, Any]]]:
    """The claim, its parts and its readings, each with what the ledger says of it."""
    yield (claim["label"], None, None), claim
    for statement in claim["statements"]:
        if statement["part"]:
            yield (claim["label"], statement["part"], None), statement
        for reading in statement["readings"]:
            yield (claim["label"], statement["part"], reading["name"]), reading


def _witnesses(claim: dict[str, Any]) -> Iterator[tuple[Place, str]]:
    exact = {item["witness"] for item in claim["evidence"] if item["exact"]}
    told = [((claim["label"], each["part"], None), each["witness"]) for each in claim["statements"]]
    told += [(place, each["witness"]) for place, each in _places(claim) if place[2]]
    yield from ((place, witness) for place, witness in told if witness in exact)


def _shown(item: dict[str, Any]) -> Shown:
    ratios = {why: math.inf if ratio is None else float(ratio) for why, ratio in item["certificates"].items()}
    return Shown(item["role"], int(item["examples"]), ratios)


def changes(old: View, new: View) -> Changes:
    """What has changed from one run to another."""
    return Changes(
        verdicts=[line for place in old.verdicts if (line := _changed_verdict(place, old, new))],
        others=[
            *(f"{_named(place)} is new" for place in new.verdicts if place not in old.verdicts),
            *_changed_witnesses(old, new),
            *_changed_tests(old, new),
        ],
        environment=[
            f"{name} {new.environment.get(name, 'missing')}, and was {version}"
            for name, version in old.environment.items()
            if new.environment.get(name) != version
        ],
    )


def _changed_verdict(place: Place, old: View, new: View) -> str | None:
    before, now = old.verdicts[place], new.verdicts.get(place)
    if now is None:
        return f"{_named(place)} is gone, and was: {before}"
    if before == now or Verdict.NOT_RUN in (before, now):
        return None
    return f"{_named(place)}: {now}, and was: {before}"


def _changed_witnesses(old: View, new: View) -> Iterator[str]:
    for place, before in old.witnesses.items():
        now = new.witnesses.get(place, before)
        if now != before:
            yield f"{_named(place)}: fails at {now}, and before at {before}"


def _changed_tests(old: View, new: View) -> Iterator[str]:
    yield from (f"{test} is gone" for test in old.tests if test not in new.tests)
    yield from (f"{test} is new" for test in new.tests if test not in old.tests)
    # Another profile or another seed tries other instances.
    is_same = old.tried == new.tried and old.tried[1] is None
    for test, before in old.shown.items():
        now = new.shown.get(test)
        if now is None:
            continue
        if is_same and before.instances != now.instances:
            yield f"{test} tried {now.instances} instances, and {before.instances} before"
        yield from (f"{test} {line}" for line in _changed_ratios(before, now))


def _changed_ratios(before: Shown, now: Shown) -> Iterator[str]:
    for why in before.ratios | now.ratios:
        if why not in now.ratios:
            yield f"certifies no more {why!r}"
        elif why not in before.ratios:
            yield f"certifies {why!r}, and did not"
        elif before.role not in MEASURING:
            small, large = sorted((before.ratios[why], now.ratios[why]))
            if large >= SMALLEST_RATIO and small * LARGEST_FALL < large:
                yield f"has the ratio {now.ratios[why]:.2g} in {why!r}, and had {before.ratios[why]:.2g}"


def _named(place: Place) -> str:
    label, part, reading = place
    return " ".join(filter(None, (label, part, f"read as {reading}" if reading else None)))


def main(arguments: list[str]) -> int:
    """Compare two ledgers; the exit status."""
    if len(arguments) != 2:
        print("usage: python -m theorems.ledger.compare OLD/ledger.json NEW/ledger.json", file=sys.stderr)
        return 2
    try:
        old, new = (read(Path(name)) for name in arguments)
    except BaselineError as error:
        print(error, file=sys.stderr)
        return 2
    found = changes(old, new)
    print("\n".join([*found.verdicts, *found.others, found.remark]))
    return 1 if found.verdicts else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
