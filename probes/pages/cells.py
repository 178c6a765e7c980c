"""What stands in a cell of the figure: a mark for the answer, and a tone for what is proved of it."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Collection

from probes.pages.literature import contradicts, expected
from probes.profiles.answers import Answer, Status
from probes.profiles.profile import Profile


class Tone(enum.Enum):
    """What the literature says of an answer, in the words of the legend."""

    AGREES = "as proved"
    AGAINST = "other than proved: the page says why"
    OPEN = "none of our sources speaks of it"
    NONE = ""


DISK, RING = "\u25cf", "\u25cb"
"""Marks that are drawn and not written."""

STATUSES = {
    Status.NOT_CONVERGED: ("\u2026", "not converged"),
    Status.NOT_IDENTIFIABLE: ("?", "not identifiable"),
    Status.NOT_APPLICABLE: ("\u2013", "not applicable"),
    Status.FAILED: ("\u00d7", "failed"),
}
"""Mark and meaning of what is no answer."""

MEANINGS = {
    DISK: "yes, to rounding",
    RING: "no, or none",
    "d": "only with decay",
    "b": "to low precision",
    "g": "single precision",
    "\u03b5": "up to epsilon",
    "f": "forgets its start",
    "~": "drifts off row(X)",
    "1": "l1",
    "2": "l2",
    "\u221e": "l-infinity",
    "e": "entropy",
    "h": "hypentropy",
    "F": "Frobenius",
    "N": "nuclear",
    "S": "spectral",
    "n": "couples nothing",
    "w": "couples entries",
    "p": "parameters",
    "\u03b1": "another alpha",
    "r": "least rank",
    "o": "overlapping",
    "t": "together",
    "k": "weakest first",
    "G": "2/lambda",
    "\u03b2": "2(1+beta)/lambda",
    "\u03bd": "Nesterov's step",
    "a": "always stable",
    "P": "preconditioned",
    "<": "below that",
    "L": "step/batch",
    "\u221a": "step/sqrt(batch)",
    "v": "falls with time",
    "l": "floor like step",
    "c": "constant floor",
    "R": "ridge",
    "0": "to zero",
    "=": "no effect",
    "s": "from torch's seed",
    "m": "not from a file",
}
"""What a mark means, in the order of the legend."""

MARKS = {
    DISK: (
        *("yes", "at a constant step", "projects w_0", "exact", "to rounding", "bit for bit"),
        *("kept as the step shrinks", "Q of the start", "one after another", "kept below the threshold"),
        *("vanishes",),
    ),
    RING: (
        *("no", "leaves row(X)", "none of these", "none named", "violated", "not kept", "off the curve", "neither"),
        *(
            "in no order",
            "another step",
            "above the threshold",
            "differ",
            "differs",
            "goes on otherwise",
            "cannot be resumed",
        ),
    ),
    "d": ("only with decay",),
    "b": ("to lower precision",),
    "g": ("to single precision",),
    "\u03b5": ("up to epsilon",),
    "1": ("l1",),
    "2": ("l2", "l2 ball"),
    "\u221e": ("l-infinity", "max", "l-infinity ball"),
    "f": ("forgets w_0",),
    "~": ("drifts off row(X)",),
    "e": ("entropy",),
    "h": ("hypentropy",),
    "F": ("Frobenius",),
    "N": ("nuclear", "least nuclear norm"),
    "S": ("spectral", "spectral ball"),
    "R": ("ridge",),
    "0": ("zero",),
    "=": ("no effect",),
    "s": ("from one torch seed",),
    "m": ("not from a file",),
    "\u03b1": ("Q of another alpha",),
    "r": ("least rank",),
    "o": ("overlapping",),
    "t": ("together",),
    "k": ("weakest first",),
    "G": ("2/lambda",),
    "\u03b2": ("2(1+beta)/lambda",),
    "\u03bd": ("(2+2beta)/((1+2beta)lambda)",),
    "a": ("stable at every step",),
    "P": ("at the preconditioned threshold",),
    "<": ("below the preconditioned threshold",),
    "L": ("like step/batch",),
    "\u221a": ("like step/sqrt(batch)",),
    "v": ("falls with time",),
    "l": ("floor like the step",),
    "c": ("floor at any step",),
    "n": ("nothing",),
    "w": ("entries",),
    "p": ("parameters",),
}
"""The answers that a mark stands for."""
_MARK_OF = {says: mark for mark, answers in MARKS.items() for says in answers}


@dataclasses.dataclass(frozen=True)
class Cell:
    """mark: what is drawn. tone: its ground. words: the answer in words."""

    mark: str
    tone: Tone
    words: str


def cell(profile: Profile, answer: Answer | None) -> Cell:
    """The cell of an answer; an empty one where the question was not asked."""
    if answer is None:
        return Cell("", Tone.NONE, "not asked")
    if answer.status is not Status.ANSWERED:
        return Cell(STATUSES[answer.status][0], Tone.NONE, str(answer.status))
    found = expected(profile, answer)
    tone = Tone.OPEN if found is None else Tone.AGAINST if contradicts(found, answer) else Tone.AGREES
    return Cell(mark_of(answer.says), tone, answer.says)


def mark_of(says: str) -> str:
    """The mark of an answer; its first letter where it has none of its own."""
    return _MARK_OF.get(says, says[:1])


def key_of_marks(cells: Collection[Cell]) -> list[tuple[str, str]]:
    """The marks that occur with their meanings: those of answers, then what is no answer."""
    answered = {found.mark: found.words for found in cells if found.tone is not Tone.NONE}
    missing = {found.mark for found in cells if found.tone is Tone.NONE}
    own = [(mark, meaning) for mark, meaning in MEANINGS.items() if mark in answered]
    others = [(mark, words) for mark, words in answered.items() if mark not in MEANINGS]
    return own + others + [pair for pair in STATUSES.values() if pair[0] in missing]
