"""Profiles as tables: for a terminal and for a notebook."""

from __future__ import annotations

import html
import math
import shutil
import textwrap
from collections.abc import Iterator, Sequence

import numpy as np

from probes.pages.literature import contradicts, expected
from probes.profiles.answers import Answer, Measured, Question, Status
from probes.profiles.profile import Profile
from probes.profiles.questions import all_questions

WIDTH, NARROWEST = 120, 80
LEGEND = "Numbers: least .. median .. largest over the instances; control: plain gradient descent on the same ones."
_INDENT = " " * 4
_COLUMNS = {"question": 11, "answer": 11, "": 20, "number": 22, "values": 18, "control": 18}
"""The columns of a notebook's table, and their shares of its width in percent."""
_CELL = "text-align:left;padding:.15em .5em"


def terminal_width() -> int:
    """The columns of the terminal, from NARROWEST to WIDTH; WIDTH where there is no terminal."""
    return max(NARROWEST, min(WIDTH, shutil.get_terminal_size((WIDTH, 24)).columns))


def as_text(profile: Profile, width: int = WIDTH) -> str:
    """One optimizer: each answer with its numbers beside those of plain gradient descent, and what is proved of it.

    Numbers: least, median and largest value over the instances. width: in columns, at least NARROWEST.
    """
    lines = [*_wrapped(_headline(profile), width=width), *_wrapped(LEGEND, width=width), ""]
    titles = _titles()
    for answer in profile.answers:
        step = "" if answer.step is None else f" [step {answer.step:.3g}]"
        head = f"{titles.get(answer.question, answer.question)}: {_short(answer)}"
        is_told = answer.detail and answer.status is not Status.FAILED  # below, once
        lines += _wrapped(f"{head} - {answer.detail}{step}" if is_told else head + step, width=width)
        lines += _numbers(answer.measured, width)
        lines += (line for text in _literature(profile, answer) for line in _wrapped(text, _INDENT, width))
    return "\n".join([*lines, *_closing([profile])])


def as_page(profiles: Sequence[Profile], width: int = WIDTH) -> str:
    """Several optimizers: a row each, a column for each question, in as many blocks as the width needs."""
    titles = _titles()
    keys = list(dict.fromkeys(answer.question for profile in profiles for answer in profile.answers))
    names = ["optimizer", *(_name(profile) for profile in profiles)]
    columns = [_column(titles.get(key, key), [_cell(profile, key) for profile in profiles]) for key in keys]
    first = max(map(len, names))
    blocks, block, taken = [], [], first
    for column in columns:
        needed = 2 + max(map(len, column))
        if block and taken + needed > width:
            blocks.append(block)
            block, taken = [], first
        block.append(column)
        taken += needed
    lines = []
    for group in [*blocks, block] if block else []:
        lines += [""] if lines else []
        for row, name in enumerate(names):
            cells = [column[row].ljust(max(map(len, column))) for column in group]
            lines.append("  ".join([name.ljust(first), *cells]).rstrip())
    told = [f"{_name(profile)}: {text}" for profile in profiles for text in _findings(profile)]
    lines += ["", *(line for text in told for line in _wrapped(text, width=width))] if told else []
    return "\n".join([*lines, *_closing(profiles)])


def as_html(profiles: Sequence[Profile]) -> str:
    """The tables of a notebook, after the figure."""
    return figure(profiles) + "".join(_html(profile) for profile in profiles)


def figure(profiles: Sequence[Profile]) -> str:
    """The figure of one profile, or of several, as an image whose style changes nothing around it."""
    from probes.pages.figure import as_image, draw
    from probes.pages.one_figure import draw_one

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
    says = f"{' or '.join(known.says)} ({known.source}: {known.proves})"
    if not contradicts(known, answer):
        yield f"expected: {says}"
        return
    yield f"contradicts what is proved: {says}" + (f". Missing hypothesis: {known.where}" if known.where else "")


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


def _wrapped(text: str, indent: str = "", width: int = WIDTH) -> list[str]:
    return textwrap.wrap(text, width, initial_indent=indent, subsequent_indent=indent + _INDENT) or [""]


def _numbers(measured: Sequence[Measured], width: int) -> list[str]:
    """A line for each number, in columns; two lines, the second one for the control, where the width is too small."""
    rows = [
        (textwrap.shorten(one.name, 60, placeholder="..."), range_of(one.values), _control(one)) for one in measured
    ]
    names, values, controls = (max((len(row[column]) for row in rows), default=0) for column in range(3))
    is_wide = len(_INDENT) + names + 2 + values + 3 + controls > width
    lines = []
    for name, own, control in rows:
        if is_wide:
            lines.append(f"{_INDENT}{name.ljust(names)}  {own}")
            lines += [f"{_INDENT}{' ' * names}  {control}"] if control else []
        else:
            lines.append(f"{_INDENT}{name.ljust(names)}  {own.ljust(values)}   {control}".rstrip())
    return lines


def _control(one: Measured) -> str:
    return f"control {range_of(one.control)}" if one.control else ""


def range_of(values: Sequence[float]) -> str:
    """Least, median and largest of the values that there are, one number if they look alike; or "no value"."""
    present = np.array([value for value in values if not math.isnan(value)])
    if len(present) == 0:
        return "no value"
    lacking = f" ({len(values) - len(present)} without)" if len(present) < len(values) else ""
    shown = [_digits(value) for value in (present.min(), np.median(present), present.max())]
    return (shown[0] if len(set(shown)) == 1 else " .. ".join(shown)) + lacking


def _digits(value: float) -> str:
    """Three significant digits, and whole thousands without an exponent."""
    return f"{value:.0f}" if 1e3 <= abs(value) < 1e6 else f"{value:.3g}"


def _html(profile: Profile) -> str:
    titles = _titles()
    heads = "".join(f'<th style="text-align:left;width:{share}%">{head}</th>' for head, share in _COLUMNS.items())
    rows = []
    for answer in profile.answers:
        notes = "<br>".join(map(html.escape, filter(None, [answer.detail, *_literature(profile, answer)])))
        own = [html.escape(titles.get(answer.question, answer.question)), html.escape(_short(answer)), notes]
        numbers = [
            [html.escape(one.name), range_of(one.values), range_of(one.control) if one.control else ""]
            for one in answer.measured
        ]
        span = f' rowspan="{len(numbers)}"' if len(numbers) > 1 else ""
        cells = [f'<td{span} style="{_CELL};vertical-align:top">{cell}</td>' for cell in own]
        for name, *values in numbers or [["", "", ""]]:
            cells.append(f'<td style="{_CELL}">{name}</td>')
            cells += [f'<td style="{_CELL}">{value}</td>' for value in values]
            rows.append(f"<tr>{''.join(cells)}</tr>")
            cells = []
    faults = "".join(f"<p>{html.escape(line)}</p>" for line in _closing([profile]) if line)
    return (
        f"<table><caption>{html.escape(_headline(profile))}. {html.escape(LEGEND)}</caption>"
        f"<thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table>{faults}"
    )
