"""The figure of one profile: a row for each question, the numbers of the optimizer beside those of gradient descent."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from statistics import median
from typing import TYPE_CHECKING

from probes.pages.cells import cell
from probes.pages.figure import MARK, legend
from probes.pages.sheet import LINE, MARGIN, WIDTH, Sheet, width_of
from probes.profiles.answers import Answer, Measured, Question
from probes.profiles.questions import all_questions
from theorems.report.figures.drawing import Drawn, stand_alone

if TYPE_CHECKING:
    from probes.profiles.profile import Profile

NUMBERS = 92.0
"""Width of the numbers at the right end."""
DECADES = 2.0
"""Positive numbers that span more are drawn on a logarithmic scale."""


def draw_one(profile: Profile, questions: Iterable[Question] | None = None) -> str:
    """The figure as an SVG file with its colors and a ground. questions: those of all files if None."""
    return stand_alone(drawn_one(profile, questions))


def drawn_one(profile: Profile, questions: Iterable[Question] | None = None) -> Drawn:
    """The figure with its texts and their places, for checks."""
    asked = {question.key: question for question in (all_questions() if questions is None else questions)}
    answers = [answer for answer in profile.answers if answer.question in asked]
    names = max((width_of(asked[answer.question].title) for answer in answers), default=0)
    left = 2 * MARGIN + names + LINE + 6
    sheet = Sheet()
    for answer in answers:
        sheet.write(asked[answer.question].title, MARGIN, sheet.y)
        sheet.square(MARGIN + names + 4, sheet.y, LINE, cell(profile, answer))
        _strip(sheet, answer, left, WIDTH - NUMBERS - 2 * MARGIN)
        sheet.y += LINE
    sheet.y += 4
    y = sheet.y + LINE / 2
    sheet.dots([MARGIN + 6], y)
    sheet.write("an instance", MARGIN + MARK, sheet.y)
    sheet.dots([WIDTH / 3 + 6], y, is_control=True)
    sheet.write("one of plain gradient descent", WIDTH / 3 + MARK, sheet.y)
    sheet.y += LINE
    cells = [cell(profile, answer) for answer in answers]
    legend(sheet, cells)
    title, alt = f"The biases of {profile.name}", say_one(profile, asked)
    return Drawn("bias", None, title, alt, sheet.svg("bias", title, alt), tuple(sheet.labels))


def say_one(profile: Profile, questions: dict[str, Question]) -> str:
    """The alternative text: every answer with its number and that of gradient descent."""
    told = []
    for answer in profile.answers:
        if answer.question in questions:
            one = headline(answer)
            numbers = f" ({one.name}: {range_of(one.finite)})" if one and one.finite else ""
            told.append(f"{questions[answer.question].title}: {answer.says or answer.status}{numbers}")
    return f"A row for each question. {'; '.join(told)}."


def headline(answer: Answer) -> Measured | None:
    """The number that stands for an answer: the one that is called after it, or the first."""
    called = [one for one in answer.measured if answer.says and f" {answer.says} " in f" {one.name} ".replace(",", " ")]
    return next(iter([*called, *answer.measured]), None)


def range_of(values: Sequence[float]) -> str:
    """The least and the largest of some numbers, or the one that they all are."""
    low, middle, high = (f"{value:.2g}" for value in (min(values), median(values), max(values)))
    return middle if low == high else f"{low}..{high}"


def _strip(sheet: Sheet, answer: Answer, left: float, right: float) -> None:
    """The numbers of an answer on a scale of their own, and their range in digits."""
    one = headline(answer)
    if one is None or not one.finite:
        return
    control = [value for value in one.control if math.isfinite(value)]
    own = [value for value in one.finite if math.isfinite(value)]
    place = _scale([*own, *control], left + 3, right - 3)
    sheet.rule(left, right, sheet.y + LINE / 2)
    sheet.dots(map(place, control), sheet.y + LINE / 2, is_control=True)
    sheet.dots(map(place, own), sheet.y + LINE / 2)
    sheet.write(range_of(one.finite), right + MARGIN, sheet.y)


def _scale(values: Sequence[float], left: float, right: float) -> Callable[[float], float]:
    """Where a number stands: linear from the least to the largest, or logarithmic."""
    low, high = min(values, default=0.0), max(values, default=0.0)
    if low > 0 and math.log10(high / low) > DECADES:
        low, high = math.log(low), math.log(high)
        return lambda value: left + (right - left) * (math.log(value) - low) / (high - low)
    return lambda value: left + (right - left) * ((value - low) / (high - low) if high > low else 0.5)
