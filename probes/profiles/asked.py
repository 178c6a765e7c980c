"""What one run of `pytest -m bias` asks: its options, read and checked before it starts, and its outcome."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

import pytest

from probes.compare import Comparison, compare, pairs
from probes.profiles.answers import Answer
from probes.profiles.document import ProfileError, load_all, save
from probes.profiles.profile import Profile, assemble, find_faults, questions_of
from probes.profiles.specs import STEPS, Named, SpecError, check_device, named, torch_optimizers
from probes.running.faults import Fault, Severity
from probes.running.problem import Effort


class Asked:
    """What a run asks: the optimizers, the questions, the effort, and the profiles to compare with."""

    def __init__(self, config: pytest.Config) -> None:
        option = config.getoption
        self.effort = Effort(seed=_seed(option("--bias-seed")))
        self.shown = option("--save")
        self.save = _writable(self.shown)
        if (step := option("--optimizer-step")) is not None and step not in STEPS:
            raise SpecError(f"--optimizer-step {step!r} is neither {' nor '.join(STEPS)}")
        check_device(option("--device"))
        keys = [key.strip() for text in option("--question") for key in text.split(",")]
        self.is_narrowed = bool(keys)
        self.questions = questions_of(keys or None)
        self.named = _named(option("--optimizer"), option("--optimizer-args"), step, option("--device"))
        self.file = option("--compare")
        self.old = self._read() if self.file is not None else []
        self.answers: dict[tuple[str, str], Answer] = {}
        self._faults: dict[str, tuple[Fault, ...]] = {}
        self.profiles: list[Profile] = []
        self.comparisons: list[Comparison] = []
        self.remarks: list[str] = []
        self.is_unsaved = False

    def _read(self) -> list[Profile]:
        """The profiles to compare with, one for each optimizer, in order."""
        found = pairs(load_all(self.file), list(self.named), self.file)
        keys = [question.key for question in self.questions]
        for profile in found:
            known = [answer.question for answer in profile.answers]
            if lacking := [key for key in keys if key not in known]:
                raise ProfileError(
                    f"{self.file} lacks the question {', '.join(lacking)} of {profile.name}: save it anew"
                )
            if (profile.effort.instances, profile.effort.steps) != (self.effort.instances, self.effort.steps):
                raise ProfileError(f"{self.file} was made with another number of instances or steps: save it anew")
        return found

    def faults_of(self, name: str) -> tuple[Fault, ...]:
        """What is wrong with an optimizer, found once in each process."""
        if name not in self._faults:
            self._faults[name] = find_faults(self.named[name].candidate, self.effort)
        return self._faults[name]

    def finish(self) -> None:
        """Make the profiles of what was answered; save and compare them where every question was answered."""
        for name, one in self.named.items():
            found = [self.answers[name, q.key] for q in self.questions if (name, q.key) in self.answers]
            if found:
                wrong = self.faults_of(name)
                profile = assemble(one.candidate, self.effort, found, arguments=one.arguments, faults=wrong)
                self.profiles.append(profile)
        if len(self.answers) < len(self.named) * len(self.questions):
            if self.save or self.old:
                self.remarks.append("not every question was asked: nothing is saved or compared")
            return
        if self.save:
            try:
                save(self.profiles, self.save)
                self.remarks.append(f"written to {self.shown}")
            except OSError as error:
                self.is_unsaved = True
                self.remarks.append(f"--save {self.shown}: cannot be written ({error.strerror})")
        keys = [question.key for question in self.questions] if self.is_narrowed else None
        self.comparisons = [compare(*both, keys) for both in zip(self.old, self.profiles, strict=False)]

    @property
    def has_failed(self) -> bool:
        """Whether the exit code is 1: a fault, a question that failed, a changed bias, a file that is not written."""
        faults = [fault for profile in self.profiles for fault in profile.faults if fault.severity != Severity.REMARK]
        failed = [answer for profile in self.profiles for answer in profile.failed]
        return bool(faults or failed or self.is_unsaved or any(one.has_changed for one in self.comparisons))


def _seed(text: str | None) -> int:
    if text is None:
        return 0
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise SpecError(f"--bias-seed {text!r} is no number from 0 on")
    return int(text)


def _writable(name: str | None) -> Path | None:
    """The absolute path of a file that can be written, or None without a name. Raises SpecError."""
    if name is None:
        return None
    if not name.strip():
        raise SpecError("--save is empty: name a file, or leave --save out")
    try:
        path = Path(name).expanduser().absolute()
        if path.is_dir():
            raise SpecError(f"--save {name}: it is a folder: name a file in it")
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
        if path.exists() and not os.access(path, os.W_OK):
            raise SpecError(f"--save {name}: may not be written")
    except (OSError, RuntimeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise SpecError(f"--save {name}: cannot write there ({why})") from None
    return path


def _named(specs: list[str], arguments: list[str], step: str | None, device: str) -> dict[str, Named]:
    """The optimizers by their names."""
    if not specs:
        if arguments:
            raise SpecError("--optimizer-args needs --optimizer, which says whose they are")
        specs = torch_optimizers()
    if len(arguments) not in (0, 1, len(specs)):
        raise SpecError(
            f"--optimizer-args is given {len(arguments)} times, and --optimizer {len(specs)} times:"
            " once for all, or once for each"
        )
    shared = arguments * len(specs) if len(arguments) == 1 else arguments or [""] * len(specs)
    found: dict[str, Named] = {}
    for spec, text in zip(specs, shared, strict=True):
        one = named(spec, text, step, device)
        if one.candidate.name in found:
            raise SpecError(f"--optimizer {one.candidate.name} is given twice")
        found[one.candidate.name] = one
    return found
