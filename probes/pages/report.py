"""The profiles in words: which optimizers give which answer, with their numbers, beside what is proved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from probes.pages.expectations import EXPECTATIONS
from probes.pages.figure import label_of, number_of
from probes.pages.literature import contradicts, expected
from probes.pages.one_figure import headline, range_of
from probes.pages.sources import Expectation
from probes.profiles.answers import Answer, Measured, Question, Status

if TYPE_CHECKING:
    from probes.profiles.profile import Profile

SURPRISE = "**(!)**"
"""Stands after an optimizer whose answer is other than proved."""


def answers_of_file(profiles: Sequence[Profile], questions: Sequence[Question], number: int) -> str:
    """The questions of a file: for each a table of the answers and who gives them, and what is proved of it."""
    return "\n\n".join(_question(profiles, question) for question in questions if number_of(question) == number)


def surprises(profiles: Sequence[Profile], questions: Sequence[Question]) -> str:
    """Every answer that is other than proved, with the hypothesis that is missing; alike ones together."""
    lines = []
    for question in questions:
        for known in (known for known in EXPECTATIONS if known.question == question.key):
            found: dict[str, list[str]] = {}
            for profile, answer in _answers(profiles, question):
                if expected(profile, answer) is known and contradicts(known, answer):
                    found.setdefault(answer.says, []).append(label_of(profile))
            lines += [_surprise(question, known, says, who) for says, who in found.items()]
    return "\n".join(lines) or "None."


def setting(profiles: Sequence[Profile]) -> str:
    """With what the profiles were made."""
    facts = {
        f"{effort.instances} instances, {effort.steps:,} steps, seed {effort.seed}"
        for effort in (profile.effort for profile in profiles)
    }
    packages = {
        f"{profile.package} {profile.version}" for profile in profiles if getattr(profile, "package", None) is not None
    }
    seconds = [sum(answer.seconds for answer in profile.answers) for profile in profiles]
    if not profiles:
        return "No profile is committed yet."
    return (
        f"{len(profiles)} optimizers; {'; '.join(sorted(facts))}; {', '.join(sorted(packages)) or 'own code'}; "
        f"{min(seconds):.0f} to {max(seconds):.0f} seconds each."
    )


def sources_of(questions: Sequence[Question]) -> str:
    """The papers that the expectations of these questions rest on, a line each."""
    keys = {question.key for question in questions}
    return "\n".join(f"- {source}." for source in sorted({k.source for k in EXPECTATIONS if k.question in keys}))


def _answers(profiles: Iterable[Profile], question: Question) -> Iterator[tuple[Profile, Answer]]:
    for profile in profiles:
        yield from ((profile, answer) for answer in profile.answers if answer.question == question.key)


def _question(profiles: Sequence[Profile], question: Question) -> str:
    found = list(_answers(profiles, question))
    told = [(says, [pair for pair in found if _says(pair[1]) == says]) for says in _order(question)]
    usual = next((headline(answer) for _, answer in found if answer.measured), None)
    rows = [f"| {_head(says, who, usual)} | {', '.join(_who(*pair) for pair in who)} |" for says, who in told if who]
    known = [known for known in EXPECTATIONS if known.question == question.key]
    proved = [f"- {', '.join(k.families)}: *{' or '.join(k.says)}*. {k.proves} ({_short(k.source)})" for k in known]
    parts = [f"### {question.title}", _numbers(usual)]
    parts += ["\n".join(["| answer | optimizers |", "|---|---|", *rows])] if rows else []
    return "\n\n".join(part for part in [*parts, "\n".join(proved)] if part)


def _order(question: Question) -> list[str]:
    return [*question.answers, *(str(status) for status in Status if status is not Status.ANSWERED)]


def _says(answer: Answer) -> str:
    return answer.says if answer.status is Status.ANSWERED else str(answer.status)


def _who(profile: Profile, answer: Answer) -> str:
    known = expected(profile, answer)
    is_surprise = known is not None and contradicts(known, answer)
    one = headline(answer)
    return " ".join(
        filter(None, [label_of(profile), range_of(one.finite) if one and one.finite else "", SURPRISE * is_surprise])
    )


def _head(says: str, who: Sequence[tuple[Profile, Answer]], usual: Measured | None) -> str:
    """The answer, and what its numbers are where they are not those of the other rows."""
    one = headline(who[0][1])
    other = f" (`{one.name}`)" if one and usual and one.name != usual.name else ""
    return _cell(says + other)


def _numbers(one: Measured | None) -> str:
    """What the numbers in the table are, and those of plain gradient descent."""
    if one is None:
        return ""
    beside = f"; plain gradient descent has {range_of(_finite(one))}" if one.control else ""
    over = f", least to largest over {len(one.values)} instances" if len(one.values) > 1 else ""
    return f"In the table: `{one.name}`{over}{beside}."


def _finite(measured: Measured) -> tuple[float, ...]:
    return Measured(measured.name, measured.control, measured.resolution).finite


def _surprise(question: Question, known: Expectation, says: str, who: Sequence[str]) -> str:
    why = known.where or "Which hypothesis is missing is not known"
    return (
        f"- {question.title}: {', '.join(who)} {'answer' if len(who) > 1 else 'answers'} *{says}*, and "
        f"*{' or '.join(known.says)}* is proved ({_short(known.source)}). {why}."
    )


def _short(source: str) -> str:
    """Authors and year."""
    return source.partition(")")[0].replace(" (", " ")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
