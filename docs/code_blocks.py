"""The fenced code blocks of the pages: what each is for, and how the runnable ones are run, page by page.

The word after the opening backquotes says what a block is, and a second word what is done with it:

    sh                is run in a copy of the repository; it must succeed
    sh fails          is run there; its last line must fail, and the lines before must not
    python            is run there; it must succeed
    python FILE       becomes this file of the copy
    python from FILE  is an excerpt of this file: whole lines, one after the other
    text output       is what the block before prints; three dots stand for what is left out
    sh REASON         is not run, for a reason that NOT_RUN lists

The blocks of a page are run in order, in one copy: a later block finds what an earlier one wrote.
"""

from __future__ import annotations

import dataclasses
import doctest
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
NOT_RUN = {
    "set-up": "changes the machine: an environment, hooks, a folder for a group",
    "ci": "is what `.ci/run` runs",
    "gpu": "needs a GPU",
    "slurm": "needs a cluster with Slurm",
    "network": "fetches data",
    "slow": "takes minutes",
}
SECONDS = 120
_FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


class BlockError(Exception):
    """A block cannot be read, fails, or does not print what the page says. The message names its page and line."""


@dataclasses.dataclass(frozen=True)
class Block:
    """A fenced block: its page and the line of its fence, the language, what is done with it, and its text.

    use: "" where the language says it all.
    """

    page: str
    line: int
    language: str
    use: str
    text: str

    @property
    def place(self) -> str:
        """Where the block stands, "docs/use.md:12"."""
        return f"{self.page}:{self.line}"

    @property
    def is_known(self) -> bool:
        """Whether the words after the backquotes are among those that this module understands."""
        if self.language == "python":
            return self.use == "" or self.use.endswith(".py")
        known = {"sh": {"", "fails", *NOT_RUN}, "text": {"output"}}
        return self.use in known.get(self.language, set())

    @property
    def runs(self) -> bool:
        """Whether the block is run, by the shell or by Python."""
        return self.language != "text" and self.use in ("", "fails")


def pages(root: Path = ROOT) -> list[Path]:
    """README, the pages beside it, and those of docs/; not the pages that a run writes to docs/ledger/."""
    return [*sorted(root.glob("*.md")), *sorted((root / "docs").glob("*.md"))]


def blocks_of(page: Path, root: Path = ROOT) -> list[Block]:
    """The fenced blocks of a page, in order. Raises BlockError for one that is not known, or is not closed."""
    source, name = page.read_text(encoding="utf-8"), page.relative_to(root).as_posix()
    found = []
    for match in _FENCE.finditer(source):
        language, _, use = match["info"].strip().partition(" ")
        block = Block(name, source.count("\n", 0, match.start()) + 1, language, use.strip(), match["text"])
        if not block.is_known:
            raise BlockError(f"{block.place}: nobody knows what to do with a block {match['info'].strip()!r}")
        if block.runs and re.search(r"\b(?:pip|tox|pre-commit|conda|apt-get)\b", block.text):
            raise BlockError(f"{block.place}: would change the machine, so it is a block 'sh set-up'")
        found.append(block)
    if len(re.findall(r"^[\s>*+-]*(?:```|~~~)", source, re.MULTILINE)) != 2 * len(found):
        why = "a block is not closed, is indented or quoted, or has another fence than three backquotes"
        raise BlockError(f"{name}: {why}")
    return found


def run_blocks(blocks: list[Block], copy: Path) -> None:
    """Run the blocks of one page in a copy of the repository. Raises BlockError for the first that does not hold."""
    printed = None
    for block in blocks:
        if block.language == "text":
            _compare(block, printed)
        elif block.use.startswith("from "):
            _find(block, copy / block.use.removeprefix("from "))
        elif block.use.endswith(".py"):
            (copy / block.use).parent.mkdir(parents=True, exist_ok=True)
            (copy / block.use).write_text(block.text, encoding="utf-8")
        printed = _run(block, copy) if block.runs else None


def _run(block: Block, copy: Path) -> str:
    """Run a block; what it prints, errors included."""
    command = [sys.executable, "-c", block.text] if block.language == "python" else ["bash", "-c", _script(block)]
    # The programs are those of this Python; nothing of the pytest that runs this one reaches the one in the block.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "WHICHMIN_"))}
    environment |= {"PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}
    with subprocess.Popen(
        command,
        cwd=copy,
        env=environment | {"COLUMNS": "120", "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        start_new_session=True,
    ) as running:
        try:
            printed, _ = running.communicate(timeout=SECONDS)
        except BaseException as error:
            os.killpg(running.pid, signal.SIGKILL)  # what the shell has started too
            if isinstance(error, subprocess.TimeoutExpired):
                raise BlockError(f"{block.place}: takes more than {SECONDS} seconds") from None
            raise
    if running.returncode:
        raise BlockError(f"{block.place}: ends with status {running.returncode} and prints\n{printed}")
    return printed


def _find(block: Block, file: Path) -> None:
    if not file.exists() or f"\n{block.text}" not in f"\n{file.read_text(encoding='utf-8')}":
        raise BlockError(f"{block.place}: these lines are not in {file.name}")


def _script(block: Block) -> str:
    *first, last = block.text.rstrip("\n").split("\n")
    # 126 and 127: the command was not found, or is none; that is no failure of what the page tells of.
    failing = ["if (", last, "); then exit 1; else test $? -lt 126; fi"]
    return "\n".join(["set -euo pipefail", *first, *(failing if block.use == "fails" else [last])])


def _compare(block: Block, printed: str | None) -> None:
    if printed is None:
        raise BlockError(f"{block.place}: is the output of nothing")
    if not doctest.OutputChecker().check_output(f"...\n{block.text}...", f"\n{printed}\n", doctest.ELLIPSIS):
        raise BlockError(f"{block.place}: this is not what the block before prints, which is\n{printed}")
