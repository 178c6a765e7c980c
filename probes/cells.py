"""What stands in a cell of the figure: a mark for the answer, and a tone for what is proved of it."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterable

from probes.answers import Answer, Status
from probes.literature import contradicts, expected


class Tone(enum.Enum):
    """What the literature says of an answer, in the words of the legend."""

    AGREES = "as proved, under the hypotheses of its source"
    AGAINST = "other than proved: the page names the hypothesis that is missing"
    OPEN = "nothing is proved of it"
    NONE = ""


DISK, RING = "\u25cf", "\u25cb"
SIGNS = (DISK, RING)
"""Marks that are drawn and not written."""

STATUSES = {
    Status.NOT_CONVERGED: ("\u2026", "has not converged"),
    Status.NOT_IDENTIFIABLE: ("?", "not identifiable: the candidates are not separated"),
    Status.NOT_APPLICABLE: ("\u2013", "does not apply"),
    Status.FAILED: ("\u00d7", "the optimizer failed"),
}
"""Mark and meaning of what is no answer."""

MARKS: dict[str, str] = {"yes": DISK, "only with decay": "d"}
"""The mark of each answer of a question: DISK where a property holds, RING where not, or a sign or two."""


@dataclasses.dataclass(frozen=True)
class Cell:
    """mark: what is drawn. tone: its ground. words: the answer in words."""

    mark: str
    tone: Tone
    words: str


def cell(family: str, answer: Answer | None) -> Cell:
    """The cell of an answer; an empty one where the question was not asked."""
    if answer is None:
        return Cell("", Tone.NONE, "not asked")
    if answer.status is not Status.ANSWERED:
        return Cell(STATUSES[answer.status][0], Tone.NONE, str(answer.status))
    found = expected(family, answer)
    tone = Tone.OPEN if found is None else Tone.AGAINST if contradicts(found, answer) else Tone.AGREES
    return Cell(mark_of(answer.says), tone, answer.says)


def mark_of(says: str) -> str:
    """The mark of an answer; its first letters where it has none yet."""
    return MARKS.get(says, says[:2])


def key_of_marks(cells: Iterable[Cell]) -> list[tuple[str, str]]:
    """The marks that occur with their meanings: those of answers, then what is no answer."""
    meanings: dict[str, dict[str, None]] = {}
    missing = set()
    for found in cells:
        if found.tone is Tone.NONE:
            missing.add(found.mark)
        else:
            meanings.setdefault(found.mark, {})[found.words] = None
    ordered = [*(mark for mark in SIGNS if mark in meanings), *sorted(mark for mark in meanings if mark not in SIGNS)]
    answers = [(mark, ", ".join(meanings[mark])) for mark in ordered]
    return answers + [(mark, said) for mark, said in STATUSES.values() if mark in missing]
