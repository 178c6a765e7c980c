r"""What is different between two profiles, judged by the spread over instances.

A sample is a measured number with one value for each of m independent instances. It has changed if the ranges
[min, max] of the old and of the new sample lie apart by more than the larger resolution. Under the hypothesis that
nothing has changed the m + n values are exchangeable, so that every choice of m of them is equally likely to be the
old ones, and 2 of the C(m + n, m) choices part them into lower and upper ones: an exact permutation test (R. A.
Fisher, The Design of Experiments, 1935, Chapter III), whose false alarm has probability 2 m! n!/(m + n)!, or less with
ties; 7.4e-7 for m = n = 12. Over K numbers the probabilities add up to at most K times that (Boole's inequality). An
instance without a value (nan) is put apart in the same way: the old sample has none and the new one has all, or the
reverse. A sample with fewer than 12 values on either side is not judged, and the comparison says so.

A number that does not depend on the instances has a single value; it has changed if it moves by more than the larger
resolution. An answer in words is a rule applied to the numbers. With the same seed, versions and processor its change
is a change, and so is a number that is gone or new. Otherwise words may sit at a threshold, over which other instances
or other roundings bring them without a change of any number: they are a change where one of their numbers has changed,
or where none of them is a sample, and are told otherwise without being a change. A number that only one of the two has
follows from such a word, and is not judged.
"""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from probes.profiles.answers import Answer, Measured, Status
from probes.profiles.document import ProfileError, load_all
from probes.profiles.profile import Profile
from probes.running.faults import Severity

FEWEST = 12
"""The smallest sample that is judged."""


@dataclasses.dataclass(frozen=True)
class Comparison:
    """What is different, in lines.

    changes: the bias has changed. unjudged: numbers on which the comparison cannot decide. others: what is different
    and no change. judged: how many samples were compared. false_alarm: the probability, at most, that two runs of one
    optimizer with other instances have a change.
    """

    old: str
    new: str
    changes: tuple[str, ...]
    unjudged: tuple[str, ...]
    others: tuple[str, ...]
    judged: int
    false_alarm: float

    @property
    def has_changed(self) -> bool:
        """Whether the bias has changed."""
        return bool(self.changes)

    def __str__(self) -> str:
        count = f"{len(self.changes)} changes" if len(self.changes) != 1 else "1 change"
        head = f"{self.new} against {self.old}: {count if self.changes else 'the bias has not changed'}"
        chance = f"{self.judged} samples compared, false alarm at most {self.false_alarm:.1g} with other instances"
        lines = [*self.changes, *(f"not judged: {line}" for line in self.unjudged), *self.others, chance]
        return "\n".join([head, *(f"    {line}" for line in lines)])

    __repr__ = __str__


def compare(old: Profile, new: Profile, questions: Iterable[str] | None = None) -> Comparison:
    """What is different in `new`. questions: the keys to compare, all if None.

    Raises ProfileError where the numbers of instances or steps differ: then other things were measured.
    """
    mine, theirs = (dataclasses.replace(profile.effort, seed=0) for profile in (old, new))
    if mine != theirs:
        told = [f"{effort.instances} instances and {effort.steps} steps" for effort in (mine, theirs)]
        raise ProfileError(f"{old.name} was asked with {told[0]}, {new.name} with {told[1]}: they cannot be compared")
    before, now = ({answer.question: answer for answer in profile.answers} for profile in (old, new))
    wanted = list(dict.fromkeys([*before, *now])) if questions is None else list(questions)
    differences = _differences(old, new)
    found = _Found(is_paired=not differences)
    for key in wanted:
        if key not in before or key not in now:
            found.changes.append(f"{key}: {'is not in the older profile' if key in now else 'is gone'}")
        else:
            found.question(before[key], now[key])
    found.faults(old, new)
    found.versions(differences, [(before[key], now[key]) for key in wanted if key in before and key in now])
    return Comparison(
        old.name,
        new.name,
        tuple(found.changes),
        tuple(found.unjudged),
        tuple(found.others),
        found.judged,
        min(1.0, found.false_alarm),
    )


def chance(m: int, n: int) -> float:
    """The probability that the smaller and the larger of m + n exchangeable values are parted as the samples are."""
    return 2 / math.comb(m + n, m)


@dataclasses.dataclass
class _Found:
    is_paired: bool  # the same seed, versions and processor
    changes: list[str] = dataclasses.field(default_factory=list)
    unjudged: list[str] = dataclasses.field(default_factory=list)
    others: list[str] = dataclasses.field(default_factory=list)
    judged: int = 0
    false_alarm: float = 0.0

    def question(self, before: Answer, now: Answer) -> None:
        key, size = before.question, len(self.changes)
        numbers, others = ({one.name: one for one in answer.measured} for answer in (before, now))
        for name in dict.fromkeys([*numbers, *others]):
            if name in numbers and name in others:
                self._number(f"{key}, {name}", numbers[name], others[name])
            elif before.status is now.status:
                found = self.changes if self.is_paired else self.unjudged
                found.append(f"{key}, {name}: {'is gone' if name in numbers else 'is new'}")
        if (before.status, before.says) == (now.status, now.says):
            return
        line = f"{key}: {in_words(before)}, and is now: {in_words(now)}"
        has_sample = any(len(one.values) > 1 for one in (*before.measured, *now.measured))
        is_failed = Status.FAILED in (before.status, now.status)
        if self.is_paired or is_failed or not has_sample or len(self.changes) > size:
            self.changes.insert(size, line)
        else:
            self.others.append(f"{line}; none of its numbers has changed, and seed, versions or processor are others")

    def _number(self, name: str, before: Measured, now: Measured) -> None:
        resolution = max(before.resolution, now.resolution)
        sizes = len(before.values), len(now.values)
        lacking = tuple(len(one.values) - len(one.finite) for one in (before, now))
        has_value = tuple(size - lack for size, lack in zip(sizes, lacking, strict=True))
        if 0 not in has_value and not all(0 <= one.resolution < math.inf for one in (before, now)):
            self.unjudged.append(f"{name}: its resolution is {before.resolution:g}, and now {now.resolution:g}")
        elif sizes == (1, 1):
            if not _is_near(before.values[0], now.values[0], resolution):
                self.changes.append(f"{name}: {before.values[0]:.6g}, and is now {now.values[0]:.6g}")
        elif min(sizes) < FEWEST:
            self.unjudged.append(f"{name}: {sizes[0]} values, and now {sizes[1]}; {FEWEST} are needed")
        elif min(has_value) >= FEWEST or (0 in has_value and 0 in lacking):
            self.judged += 1
            self.false_alarm += chance(*(size or lack for size, lack in zip(has_value, lacking, strict=True)))
            if 0 in has_value or are_apart(before.finite, now.finite, resolution):
                self.changes.append(f"{name}: {spread(before)}, and is now {spread(now)}")
        elif max(has_value) > 0 and not np.array_equal(before.values, now.values, equal_nan=True):
            shares = [f"{count} of {size}" for count, size in zip(has_value, sizes, strict=True)]
            self.unjudged.append(f"{name}: {shares[0]} instances have a value, and now {shares[1]}")

    def faults(self, old: Profile, new: Profile) -> None:
        worse = [[fault for fault in profile.faults if fault.severity != Severity.REMARK] for profile in (old, new)]
        lines = [[fault.line for fault in found] for found in worse]
        self.changes += [f"a fault is new: {line}" for line in lines[1] if line not in lines[0]]
        self.changes += [f"a fault is gone: {line}" for line in lines[0] if line not in lines[1]]

    def versions(self, differences: Sequence[str], pairs: Sequence[tuple[Answer, Answer]]) -> None:
        self.others += differences
        if not differences:
            values = [(_values(before), _values(now)) for before, now in pairs]
            total = sum(len(before) for before, _ in values)
            same = sum(a == b for before, now in values for a, b in zip(before, now, strict=False))
            told = "all bit for bit the same" if same == total else f"{total - same} not bit for bit the same"
            self.others.append(f"same seed and versions: of {total} values, {told}")


def _differences(old: Profile, new: Profile) -> list[str]:
    """What is another seed, version, device or processor, a line each."""
    names = dict.fromkeys([*old.environment, *new.environment])
    both = [(name, old.environment.get(name), new.environment.get(name)) for name in names]
    if old.package == new.package:
        both.append((new.package or "package", old.version, new.version))
    both += [("device", old.device, new.device), ("seed", old.effort.seed, new.effort.seed)]
    return [f"{name} {after}, and was {before}" for name, before, after in dict.fromkeys(both) if before != after]


def are_apart(before: Sequence[float], now: Sequence[float], resolution: float) -> bool:
    """Whether the ranges are disjoint by more than the resolution."""
    return min(now) - max(before) > resolution or min(before) - max(now) > resolution


def _is_near(before: float, now: float, resolution: float) -> bool:
    if before == now or (math.isnan(before) and math.isnan(now)):
        return True
    return abs(before - now) <= resolution


def _values(answer: Answer) -> list[str]:
    return [value.hex() for one in answer.measured for value in one.values]


def spread(measured: Measured) -> str:
    """The least and the largest value, "1e-3 .. 2e-3", or "no value"."""
    finite = measured.finite
    return f"{min(finite):.3g} .. {max(finite):.3g}" if finite else "no value"


def in_words(answer: Answer) -> str:
    """The answer, or why there is none."""
    return answer.says if answer.status is Status.ANSWERED else f"{answer.status.value} ({answer.detail})"


def pairs(old: Sequence[Profile], new: Sequence[str], file: str) -> list[Profile]:
    """The profile of `old` that each name is compared with: of its name, or the only one where both have one.

    Raises ProfileError where a name has none.
    """
    if len(old) == len(new) == 1:
        return [old[0]]
    by_name = {profile.name: profile for profile in old}
    for name in new:
        if name not in by_name:
            raise ProfileError(f"{file} has no profile of {name}: it has {', '.join(by_name)}")
    return [by_name[name] for name in new]


def main(arguments: Sequence[str]) -> int:
    """Compare two files of profiles; the exit status."""
    if len(arguments) != 2:
        print("usage: python -m probes.compare OLD.json NEW.json", file=sys.stderr)
        return 2
    try:
        old, new = (load_all(Path(name)) for name in arguments)
        matched = pairs(old, [profile.name for profile in new], arguments[0])
        found = [compare(*both) for both in zip(matched, new, strict=True)]
    except ProfileError as error:
        print(error, file=sys.stderr)
        return 2
    print("\n".join(map(str, found)))
    return 1 if any(comparison.has_changed for comparison in found) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
