"""Profiles as tables: for a terminal and for a notebook."""

from __future__ import annotations

import html
import math
import textwrap
from collections.abc import Iterator, Sequence

import numpy as np

from probes.answers import Answer, Measured, Question, Status
from probes.literature import contradicts, expected
from probes.profile import Profile
from probes.questions import all_questions

WIDTH = 120
_INDENT = " " * 4


def as_text(profile: Profile) -> str:
    """One optimizer: each answer with its numbers beside those of plain gradient descent, and what is proved of it.

    Numbers: least, median and largest value over the instances.
    """
    lines = [*_wrapped(_headline(profile)), ""]
    titles = _titles()
    for answer in profile.answers:
        step = "" if answer.step is None else f" [step {answer.step:.3g}]"
        head = f"{titles.get(answer.question, answer.question)}: {_short(answer)}"
        is_told = answer.detail and answer.status is not Status.FAILED  # below, once
        lines += _wrapped(f"{head} - {answer.detail}{step}" if is_told else head + step)
        lines += _numbers(answer.measured)
        lines += (line for text in _literature(profile, answer) for line in _wrapped(text, _INDENT))
    return "\n".join([*lines, *_closing([profile])])


def as_page(profiles: Sequence[Profile]) -> str:
    """Several optimizers: a row each, a column for each question, in as many blocks as the width needs."""
    titles = _titles()
    keys = list(dict.fromkeys(answer.question for profile in profiles for answer in profile.answers))
    names = ["optimizer", *(_name(profile) for profile in profiles)]
    columns = [_column(titles.get(key, key), [_cell(profile, key) for profile in profiles]) for key in keys]
    first = max(map(len, names))
    blocks, block, width = [], [], first
    for column in columns:
        needed = 2 + max(map(len, column))
        if block and width + needed > WIDTH:
            blocks.append(block)
            block, width = [], first
        block.append(column)
        width += needed
    lines = []
    for group in [*blocks, block] if block else []:
        lines += [""] if lines else []
        for row, name in enumerate(names):
            cells = [column[row].ljust(max(map(len, column))) for column in group]
            lines.append("  ".join([name.ljust(first), *cells]).rstrip())
    told = [f"{_name(profile)}: {text}" for profile in profiles for text in _findings(profile)]
    lines += ["", *(line for text in told for line in _wrapped(text))] if told else []
    return "\n".join([*lines, *_closing(profiles)])


def as_html(profiles: Sequence[Profile]) -> str:
    """The tables of a notebook, after the figure."""
    return figure(profiles) + "".join(_html(profile) for profile in profiles)


def figure(profiles: Sequence[Profile]) -> str:
    """The figure of one profile, or of several, as an image whose style changes nothing around it."""
    from probes.figure import as_image, draw
    from probes.one_figure import draw_one

    return as_image(draw_one(profiles[0]) if len(profiles) == 1 else draw(profiles))


def _titles() -> dict[str, str]:
    return {question.key: _title(question) for question in all_questions()}


def _title(question: Question) -> str:
    return question.title


def _name(profile: Profile) -> str:
    return profile.name.removeprefix("torch.optim:")


def _headline(profile: Profile) -> str:
    versions = f"{profile.package} {profile.version}" if profile.package else ""
    effort = profile.effort
    facts = [
        profile.family if profile.family not in profile.name else "",
        versions,
        f"step {profile.step}",
        f"{effort.instances} instances, {effort.steps} steps, seed {effort.seed}",
        profile.environment.get("device", profile.device),
        f"{profile.seconds:.0f} s",
    ]
    return f"{profile.name}: {'; '.join(filter(None, facts))}"


def _short(answer: Answer) -> str:
    return answer.says if answer.status is Status.ANSWERED else answer.status.value


def _cell(profile: Profile, key: str) -> str:
    """The answer of one optimizer to one question; ! marks one that contradicts the literature."""
    answer = next((answer for answer in profile.answers if answer.question == key), None)
    if answer is None:
        return "-"
    known = expected(profile, answer)
    return _short(answer) + (" !" if known and contradicts(known, answer) else "")


def _column(title: str, cells: list[str]) -> list[str]:
    return [title, *cells]


def _literature(profile: Profile, answer: Answer) -> Iterator[str]:
    known = expected(profile, answer)
    if known is None:
        return
    verdict = "contradicts" if contradicts(known, answer) else "expected"
    yield f"{verdict}: {' or '.join(known.says)} ({known.source}: {known.proves})"


def _findings(profile: Profile) -> Iterator[str]:
    titles = _titles()
    for answer in profile.answers:
        known = expected(profile, answer)
        if known and contradicts(known, answer):
            title = titles.get(answer.question, answer.question)
            yield f"{title}: {answer.says}, and expected is {' or '.join(known.says)} ({known.source})"


def _closing(profiles: Sequence[Profile]) -> list[str]:
    """What is wrong: a line each, however long, and a fault that fails several questions once."""
    lines = []
    for profile in profiles:
        told = {fault.line: fault.severity.value for fault in profile.faults}
        told |= {answer.detail: "failed" for answer in profile.failed if answer.detail not in told}
        for line, what in told.items():
            whose = "" if line.startswith(profile.name) else f"{_name(profile)}: "
            lines.append(f"{what}: {whose}{line}")
    return ["", *lines] if lines else []


def _wrapped(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent + _INDENT) or [""]


def _numbers(measured: Sequence[Measured]) -> list[str]:
    names = [textwrap.shorten(one.name, 60, placeholder="...") for one in measured]
    longest = max(map(len, names), default=0)
    lines = []
    for name, one in zip(names, measured, strict=True):
        beside = f"   control {range_of(one.control)}" if one.control else ""
        lines.append(f"{_INDENT}{name.ljust(longest)}  {range_of(one.values)}{beside}".rstrip())
    return lines


def range_of(values: Sequence[float]) -> str:
    """The least, the median and the largest value, of those that there are; one value alone; or "no value"."""
    present = np.array([value for value in values if not math.isnan(value)])
    if len(present) == 0:
        return "no value"
    if len(values) == 1:
        return f"{present[0]:.3g}"
    lacking = f" ({len(values) - len(present)} without)" if len(present) < len(values) else ""
    return " .. ".join(f"{value:.3g}" for value in (present.min(), np.median(present), present.max())) + lacking


def _html(profile: Profile) -> str:
    titles = _titles()
    heads = "".join(f"<th>{head}</th>" for head in ("question", "answer", "", "numbers", "plain gradient descent"))
    rows = []
    for answer in profile.answers:
        notes = [answer.detail, *_literature(profile, answer)]
        cells = [
            _escaped([titles.get(answer.question, answer.question)]),
            _escaped([_short(answer)]),
            _escaped(filter(None, notes)),
            _escaped(f"{one.name}: {range_of(one.values)}" for one in answer.measured),
            _escaped(range_of(one.control) if one.control else "" for one in answer.measured),
        ]
        rows.append("<tr>" + "".join(f'<td style="text-align:left">{cell}</td>' for cell in cells) + "</tr>")
    faults = "".join(f"<p>{html.escape(line)}</p>" for line in _closing([profile]) if line)
    return (
        f"<table><caption>{html.escape(_headline(profile))}</caption>"
        f"<thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table>{faults}"
    )


def _escaped(lines: Sequence[str] | Iterator[str]) -> str:
    return "<br>".join(html.escape(line) for line in lines)
