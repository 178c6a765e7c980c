"""Profiles as JSON: written completely or not at all, and read strictly.

The file is described by docs/bias.schema.json. A number that an instance lacks (nan) is null, and an infinite one is
"inf" or "-inf".
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from probes.profiles.answers import Answer, Measured, Status
from probes.profiles.profile import Profile
from probes.profiles.questions import all_questions
from probes.running.faults import Fault, Severity
from probes.running.problem import Effort
from theorems.ledger.writing import read_json, write_json

SCHEMA = 1


class ProfileError(ValueError):
    """A file is no profile, or not one that can be used here. The message is one line, and names the file."""


def save(profiles: Sequence[Profile], path: Path) -> None:
    """Write profiles to a file, completely or not at all. Raises OSError; then the file is as it was."""
    write_json(path, as_document(profiles))


def load(path: str | Path) -> Profile:
    """The profile in a file that has one. Raises ProfileError."""
    found = load_all(path)
    if len(found) != 1:
        raise ProfileError(f"{path} has {len(found)} profiles, not one: use load_all")
    return found[0]


def load_all(path: str | Path) -> list[Profile]:
    """The profiles in a file. Raises ProfileError: it is absent, damaged, of another schema, or has other questions."""
    try:
        document = read_json(Path(path))
    except OSError as error:
        raise ProfileError(f"{path} cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError):
        raise ProfileError(f"{path} is damaged: it is no JSON") from None
    if not isinstance(document, dict) or "profiles" not in document:
        raise ProfileError(f"{path} is no file of profiles, as pytest -m bias --save writes it")
    if document.get("schema") != SCHEMA:
        raise ProfileError(
            f"{path} has schema {document.get('schema')}, and this whichmin reads {SCHEMA}: save it anew"
        )
    try:
        profiles = [_read_profile(entry) for entry in _list(document["profiles"])]
    except _DamagedError as error:
        raise ProfileError(f"{path} is damaged: {error}") from None
    known = {question.key for question in all_questions()}
    for profile in profiles:
        for answer in profile.answers:
            if answer.question not in known:
                raise ProfileError(
                    f"{path} has the question {answer.question!r}, which is not asked here: save it anew"
                )
    names = [profile.name for profile in profiles]
    if len(set(names)) < len(names) or not names:
        raise ProfileError(f"{path} is damaged: {'two profiles have one name' if names else 'it has no profile'}")
    return profiles


def as_document(profiles: Iterable[Profile]) -> dict[str, Any]:
    """Profiles as plain JSON."""
    return {"schema": SCHEMA, "profiles": [_profile(profile) for profile in profiles]}


def _profile(profile: Profile) -> dict[str, Any]:
    return {
        "name": profile.name,
        "family": profile.family,
        "package": profile.package,
        "version": profile.version,
        "arguments": dict(profile.arguments),
        "step": profile.step,
        "settings": {name: _plain(value) for name, value in profile.settings.items()},
        "effort": dataclasses.asdict(profile.effort),
        "device": profile.device,
        "environment": dict(profile.environment),
        "seconds": round(profile.seconds, 3),
        "faults": [dataclasses.asdict(fault) for fault in profile.faults],
        "answers": [plain_answer(answer) for answer in profile.answers],
    }


def plain_answer(answer: Answer) -> dict[str, Any]:
    """An answer as plain JSON; `read_answer` is its inverse."""
    return {
        "question": answer.question,
        "status": answer.status.value,
        "says": answer.says,
        "detail": answer.detail,
        "step": _plain(answer.step),
        "seconds": round(answer.seconds, 3),
        "measured": [_plain_measured(measured) for measured in answer.measured],
    }


def _plain_measured(measured: Measured) -> dict[str, Any]:
    return {
        "name": measured.name,
        "values": [_plain(value) for value in measured.values],
        "resolution": _plain(measured.resolution),
        "control": [_plain(value) for value in measured.control],
        "certificate": measured.certificate,
        "worst_ratio": _plain(measured.worst_ratio),
    }


def _plain(value: float | None) -> float | str | None:
    if value is None or math.isnan(value):
        return None
    return str(float(value)) if math.isinf(value) else float(value)


class _DamagedError(Exception):
    """What is wrong, in words."""


def _read_profile(entry: Any) -> Profile:
    get = _fields(entry, _profile_fields(), "a profile")
    effort = _fields(get["effort"], {"instances": _count, "steps": _count, "seed": _count}, "the effort")
    texts = {name: _texts(get[name], name) for name in ("arguments", "environment")}
    return Profile(
        name=get["name"],
        family=get["family"],
        effort=Effort(**effort),
        answers=tuple(read_answer(answer) for answer in get["answers"]),
        arguments=texts["arguments"],
        step=get["step"],
        settings=get["settings"],
        package=get["package"],
        version=get["version"],
        device=get["device"],
        environment=texts["environment"],
        faults=tuple(
            Fault(**_fields(fault, {"severity": _severity, "line": _text}, "a fault")) for fault in get["faults"]
        ),
    )


def _read_fault(entry: Any) -> Fault:
    return Fault(**_fields(entry, {"severity": _severity, "line": _text}, "a fault"))


def read_answer(entry: Any) -> Answer:
    """The answer in plain JSON. Raises an error in words where it is damaged."""
    fields = {"question": _text, "status": _status, "says": _text, "detail": _text, "step": _optional}
    get = _fields(entry, fields | {"seconds": _finite, "measured": _list}, "an answer")
    measured = tuple(_read_measured(one) for one in get["measured"])
    names = [one.name for one in measured]
    if len(set(names)) < len(names):
        raise _DamagedError(f"the question {get['question']!r} has two numbers of one name")
    return Answer(**(get | {"measured": measured}))


def _read_measured(entry: Any) -> Measured:
    fields = {"name": _text, "values": _numbers, "resolution": _number, "control": _numbers}
    get = _fields(entry, fields | {"certificate": _text, "worst_ratio": _optional}, "a number")
    return Measured(**get)


Reader = Callable[[Any], Any]


def _profile_fields() -> dict[str, Reader]:
    texts = dict.fromkeys(("name", "family", "step", "device"), _text)
    texts |= dict.fromkeys(("package", "version"), _text_or_none)
    plain = dict.fromkeys(("arguments", "effort", "environment"), lambda value: value)
    return texts | plain | {"settings": _settings, "seconds": _finite, "faults": _list, "answers": _list}


def _fields(entry: Any, readers: dict[str, Reader], what: str) -> dict[str, Any]:
    """The fields of an object, each read by its reader; no field is missing, and no other is there."""
    if not isinstance(entry, dict):
        raise _DamagedError(f"{what} is no object")
    for name in [*readers, *entry]:
        if name not in entry:
            raise _DamagedError(f"{what} lacks {name!r}")
        if name not in readers:
            raise _DamagedError(f"{what} has the unknown field {name!r}")
    found = {}
    for name, read in readers.items():
        try:
            found[name] = read(entry[name])
        except (TypeError, ValueError, OverflowError):
            raise _DamagedError(f"{what} has {name!r}: {str(entry[name])[:60]!r}") from None
    return found


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _text_or_none(value: Any) -> str | None:
    return None if value is None else _text(value)


def _texts(value: Any, what: str) -> dict[str, str]:
    if not isinstance(value, dict):
        raise _DamagedError(f"{what} is no object")
    return _fields(value, dict.fromkeys(value, _text), what)


def _settings(value: Any) -> dict[str, float]:
    if not isinstance(value, dict):
        raise _DamagedError("settings is no object")
    return _fields(value, dict.fromkeys(value, _number), "settings")


def _status(value: Any) -> Status:
    return Status(_text(value))


def _severity(value: Any) -> Severity:
    return Severity(_text(value))


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise _DamagedError("a list is missing")
    return value


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise TypeError
    return value


def _finite(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError
    return float(value)


def _number(value: Any) -> float:
    if value is None:
        return math.nan
    return float(value) if value in ("inf", "-inf") else _finite(value)


def _optional(value: Any) -> float | None:
    return None if value is None else _number(value)


def _numbers(value: Any) -> tuple[float, ...]:
    return tuple(_number(entry) for entry in _list(value))
