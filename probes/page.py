"""The page of what optimizers are biased to: `python -m probes.page`, from the root of the checkout.

It renews, from the profiles in `probes/reference`, the blocks of docs/what-optimizers-are-biased-to.md and of the
README that stand between `<!-- made: NAME -->` and `<!-- end -->`, and draws docs/biases.svg. What stands outside of
the blocks is written by hand.
"""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from probes.pages.figure import complaints, draw, drawn, in_order, number_of, say_counts
from probes.pages.report import answers_of_file, setting, sources_of, surprises
from probes.profiles.answers import Question
from probes.profiles.questions import all_questions
from theorems.ledger.writing import write_text

if TYPE_CHECKING:
    from probes.profiles.profile import Profile

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "probes" / "reference"
PAGE, README, FIGURE = "docs/what-optimizers-are-biased-to.md", "README.md", "docs/biases.svg"
NUMBERS = range(1, 10)
"""Those of the files that the page has a heading for."""
COMMAND = "python -m probes.page"
_BLOCK = re.compile(r"(<!-- made: (?P<name>[\w ]+) -->\n).*?(<!-- end -->\n)", re.DOTALL)


class BlockError(ValueError):
    """A page has a block that nothing makes; the message names both."""


def reference_profiles(folder: Path = REFERENCE) -> list[Profile]:
    """The committed profiles: those of torch.optim first. Raises ProfileError for a file that is none."""
    return in_order([profile for file in sorted(folder.glob("*.json")) for profile in _profiles_in(file)])


def _profiles_in(file: Path) -> list[Profile]:
    from probes.profiles.document import load_all

    return load_all(file)


def as_markdown(profiles: Sequence[Profile], questions: Sequence[Question] | None = None) -> dict[str, str]:
    """The text of every block, by its name."""
    asked = all_questions() if questions is None else list(questions)
    numbers = sorted({*NUMBERS, *(number_of(question) for question in asked)})
    blocks = {f"answers {number}": answers_of_file(profiles, asked, number) for number in numbers}
    blocks |= {"setting": setting(profiles), "surprises": surprises(profiles, asked), "sources": sources_of(asked)}
    return blocks | {"figure in docs": _image(profiles, asked, "biases.svg"), "figure": _image(profiles, asked, FIGURE)}


def renewed(text: str, blocks: dict[str, str]) -> str:
    """A page with its blocks as they are made now. Raises BlockError for a block that is not made."""

    def block(match: re.Match[str]) -> str:
        if match["name"] not in blocks:
            raise BlockError(f"nothing makes the block {match['name']!r}; there are {', '.join(sorted(blocks))}")
        inside = f"{blocks[match['name']]}\n\n" if blocks[match["name"]] else ""
        return f"{match[1]}\n{inside}{match[3]}"

    return _BLOCK.sub(block, text)


def made(profiles: Sequence[Profile], root: Path = ROOT) -> dict[str, str]:
    """The text of each file that is made of the profiles, by its path from the root."""
    blocks = as_markdown(profiles)
    pages = {name: renewed((root / name).read_text(encoding="utf-8"), blocks) for name in (PAGE, README)}
    return pages | {FIGURE: draw(profiles)}


def main() -> None:
    """Write the files, unless a reader could not read the figure."""
    profiles = reference_profiles()
    if wrong := complaints(drawn(profiles)):
        sys.exit("\n".join(wrong))
    for name, text in made(profiles).items():
        write_text(ROOT / name, text)
    print(f"{PAGE}, {README} and {FIGURE}: {len(profiles)} profiles")


def _image(profiles: Sequence[Profile], questions: Sequence[Question], link: str) -> str:
    return textwrap.fill(f"![{say_counts(profiles, questions)}]({link})", 120, break_long_words=False)


if __name__ == "__main__":
    main()
