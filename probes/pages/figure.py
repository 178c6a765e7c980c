"""The figure of all profiles: a row for each optimizer, a column for each question, in each cell the answer.

A mark says the answer in a sign or two, and the ground of its cell says whether this is what is proved, in
`literature`. It is drawn without matplotlib, so that a notebook shows it after the first installation.
"""

from __future__ import annotations

import base64
import itertools
import math
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from probes.pages.cells import STATUSES, Cell, Tone, cell, key_of_marks
from probes.pages.sheet import LINE, MARGIN, WIDTH, Sheet, width_of
from probes.profiles.answers import Question
from probes.profiles.questions import all_questions
from theorems.report.figures.drawing import Drawn, stand_alone
from theorems.report.figures.faults import faults

if TYPE_CHECKING:
    from probes.profiles.profile import Profile

GAP, MARK, COLUMNS = 3.0, 16.0, 3
"""Between the questions of two files; in the legend, the width of a mark, and the columns."""
LONGEST = 12
"""Letters of a name at most."""
NICKNAMES = {
    "SGD(momentum=0.9)": "heavy ball",
    "SGD(momentum=0.9, nesterov=True)": "Nesterov",
    "AdamW(weight_decay=0.1)": "AdamW(0.1)",
    "Muon(ns_coefficients=(1.5, -0.5, 0.0), ns_steps=20, weight_decay=0.0)": "cubic Muon",
    "ScheduleFreeAdamW": "SF-AdamW",
    "heavyball:AdamW": "AdamW (hb)",
}
TITLE = "Which minimum does your optimizer pick?"


def draw(profiles: Sequence[Profile], questions: Iterable[Question] | None = None) -> str:
    """The figure as an SVG file with its colors and a ground, light or dark as its reader prefers.

    questions: those of all files if None. A question that a profile lacks is an empty cell.
    """
    return stand_alone(drawn(profiles, questions))


def drawn(profiles: Sequence[Profile], questions: Iterable[Question] | None = None) -> Drawn:
    """The figure with its texts and their places, for checks."""
    asked = list(all_questions() if questions is None else questions)
    rows = [(label_of(profile), cells_of(profile, asked)) for profile in profiles]
    names = 2 * MARGIN + max((width_of(label) for label, _ in rows), default=0)
    sheet = Sheet()
    lefts, pitch = _columns(asked, names)
    _heads(sheet, asked, lefts, pitch)
    for label, cells in rows:
        sheet.write(label, MARGIN, sheet.y)
        for left, found in zip(lefts, cells, strict=True):
            sheet.square(left, sheet.y, pitch, found)
        sheet.y += LINE
    legend(sheet, [found for _, cells in rows for found in cells])
    alt = say(profiles, asked)
    return Drawn("biases", None, TITLE, alt, sheet.svg("biases", TITLE, alt), tuple(sheet.labels))


def complaints(figure: Drawn) -> list[str]:
    """What a reader would complain about, a line each: small type on a phone, texts that are cut or overlap."""
    return faults(figure)


def as_image(svg: str, width: int = 640) -> str:
    """A figure for a notebook: an `img` of its own, so that the style of the figure changes nothing around it.

    width: in px, less where there is less room.
    """
    alt = re.search(r"<desc[^>]*>(.*?)</desc>", svg, re.DOTALL)
    data = base64.b64encode(svg.encode()).decode()
    style = f"width:{width}px;max-width:100%"
    return f'<img alt="{alt[1] if alt else ""}" style="{style}" src="data:image/svg+xml;base64,{data}">'


def cells_of(profile: Profile, questions: Sequence[Question]) -> list[Cell]:
    """One cell for each question."""
    answers = {answer.question: answer for answer in profile.answers}
    return [cell(profile, answers.get(question.key)) for question in questions]


def label_of(profile: Profile) -> str:
    """What a row is called: the name without the package or the file that it is imported from, shortened if need be."""
    own = re.sub(r"^[^:(]*:", "", profile.name)
    own = NICKNAMES.get(profile.name, NICKNAMES.get(own, own))
    return own if len(own) <= LONGEST else f"{own[: LONGEST - 1]}\u2026"


def number_of(question: Question) -> int:
    """The K of its file `question_K_name.py`; 0 for another file."""
    found = re.search(r"question_(\d+)_", question.file)
    return int(found[1]) if found else 0


def in_order(profiles: Iterable[Profile]) -> list[Profile]:
    """Those of torch.optim first, each part by name."""
    return sorted(profiles, key=lambda profile: (not profile.name.startswith("torch.optim:"), profile.name.lower()))


def say_counts(profiles: Sequence[Profile], questions: Sequence[Question]) -> str:
    """How many answers there are, as proved, other than proved, and of what is not proved."""
    cells = [found for profile in profiles for found in cells_of(profile, questions)]
    counts = {tone: sum(found.tone is tone for found in cells) for tone in Tone}
    return (
        f"A table of {len(profiles)} optimizers and {len(questions)} questions. {counts[Tone.AGREES]} answers are as "
        f"proved, {counts[Tone.AGAINST]} are not, {counts[Tone.OPEN]} are about what is not proved, and "
        f"{counts[Tone.NONE]} cells have no answer."
    )


def say(profiles: Sequence[Profile], questions: Sequence[Question]) -> str:
    """The alternative text: the counts, the optimizers, and every answer that is other than proved."""
    against = [
        f"{label_of(profile)}, {question.title}: {found.words}"
        for profile in profiles
        for question, found in zip(questions, cells_of(profile, questions), strict=True)
        if found.tone is Tone.AGAINST
    ]
    return (
        f"{say_counts(profiles, questions)} The optimizers: {', '.join(map(label_of, profiles)) or 'none'}. "
        f"Other than proved: {'; '.join(against) or 'none'}."
    )


def _columns(questions: Sequence[Question], first: float) -> tuple[list[float], float]:
    """The left ends of the columns, and their width; there is a gap between the questions of two files."""
    numbers = [number_of(question) for question in questions]
    gaps = [0, *(int(a != b) for a, b in itertools.pairwise(numbers))][: len(questions)]
    pitch = (WIDTH - first - MARGIN - GAP * sum(gaps)) / max(len(questions), 1)
    passed = itertools.accumulate(gaps)
    return [first + pitch * place + GAP * count for place, count in enumerate(passed)], pitch


def _heads(sheet: Sheet, questions: Sequence[Question], lefts: Sequence[float], pitch: float) -> None:
    """The titles of the questions, upright, and above them the number of their file."""
    top = sheet.y
    sheet.y += LINE + 6 + max((width_of(question.title) for question in questions), default=0)
    for number, found in itertools.groupby(zip(lefts, questions, strict=True), lambda pair: number_of(pair[1])):
        own = [left for left, _ in found]
        sheet.rule(own[0] + 1, own[-1] + pitch - 1, top + LINE - 1)
        sheet.write(str(number), (own[0] + own[-1] + pitch) / 2, top - 2, middle=True)
    for left, question in zip(lefts, questions, strict=True):
        sheet.write_upright(question.title, left + pitch / 2, sheet.y - 3)


def legend(sheet: Sheet, cells: Sequence[Cell]) -> None:
    """What the grounds and the marks mean, of those that occur, in columns; long words take several."""
    sheet.y += 5
    tones = [tone for tone in Tone if tone.value and any(found.tone is tone for found in cells)]
    grounds = [(Cell("", tone, ""), tone.value) for tone in tones]
    without = {mark for mark, _ in STATUSES.values()}
    marks = [
        (Cell(mark, Tone.NONE if mark in without else Tone.OPEN, ""), meaning) for mark, meaning in key_of_marks(cells)
    ]
    width = (WIDTH - 2 * MARGIN) / COLUMNS
    for entries in (grounds, marks):
        column = 0
        for found, meaning in entries:
            needed = min(COLUMNS, math.ceil((MARK + width_of(meaning)) / width))
            if column + needed > COLUMNS:
                sheet.y, column = sheet.y + LINE, 0
            left = MARGIN + column * width
            sheet.square(left, sheet.y, 12, found)
            sheet.write(meaning, left + MARK, sheet.y)
            column += needed
        sheet.y += LINE + 3
    sheet.y += MARGIN
