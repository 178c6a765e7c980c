"""How long the theorem files are, and how much a reader must know: `python docs/house.py` prints the counts.

A theorem file is one sitting, and so is a question to an optimizer. Its measures: lines; lines of its docstring;
project names, which are the names that it imports from theorems, properties, fixtures and probes.
"""

from __future__ import annotations

import ast
import dataclasses
import statistics
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROJECT = ("theorems", "properties", "fixtures", "probes")

# The theorem files over 250 lines, each with the reason why a cut would not help its reader.
LONG: dict[str, str] = {}


@dataclasses.dataclass(frozen=True)
class Measures:
    """The measures of a file below theorems/section_*, or of a question file; path is relative to the root."""

    path: str
    lines: int
    docstring: int
    names: int

    @property
    def is_theorem_file(self) -> bool:
        """Whether the file has tests or questions; the others are pages of claims and helper modules."""
        return Path(self.path).name.startswith(("test_", "question_"))


def measure(root: Path = ROOT) -> list[Measures]:
    """The measures of every file of the sections, but for self-tests, and of every question file."""
    found = []
    for path in sorted([*root.glob("theorems/section_*/**/*.py"), *root.glob("probes/question_*.py")]):
        text = path.read_text(encoding="utf-8")
        module = ast.parse(text)
        docstring = ast.get_docstring(module, clean=False) or ""
        if not docstring.startswith("Self-test"):
            lines = len(text.splitlines())
            place = path.relative_to(root).as_posix()
            found.append(Measures(place, lines, len(docstring.splitlines()), len(_project_names(module))))
    return found


def _project_names(module: ast.Module) -> set[tuple[str, str]]:
    return {
        (node.module, alias.name)
        for node in ast.walk(module)
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in PROJECT
        for alias in node.names
    }


def excesses(files: list[Measures], long: dict[str, str]) -> list[str]:
    """What is beyond the limits, a line each. long: the files that may have more than 250 lines."""
    wrong = []
    tests = [file for file in files if file.is_theorem_file]
    for file in files:
        if file.lines > 350 or (file.is_theorem_file and file.lines > 250 and file.path not in long):
            wrong.append(f"{file.path} has {file.lines} lines")
        if not file.is_theorem_file and file.lines > 200:
            wrong.append(f"{file.path} is a helper module of {file.lines} lines")
        if file.docstring > 45:
            wrong.append(f"{file.path} has a docstring of {file.docstring} lines")
        if file.names > 40:
            wrong.append(f"{file.path} has {file.names} project names")
    if tests and (median := statistics.median(file.lines for file in tests)) > 160:
        wrong.append(f"the median theorem file has {median:g} lines")
    kept = {file.path for file in tests if file.lines > 250}
    wrong += [f"{path} is listed as long, and is not" for path in long if path not in kept]
    if len(long) > 6:
        wrong.append(f"{len(long)} files are listed as long")
    return wrong


def main() -> None:
    """Print the counts."""
    files = measure()
    tests = [file for file in files if file.is_theorem_file]
    lengths = [file.lines for file in tests]
    print(
        f"{len(tests)} theorem and question files, median {statistics.median(lengths):g} lines, longest {max(lengths)}"
    )
    print(f"{sum(length > 250 for length in lengths)} of them over 250 lines")
    for path, reason in LONG.items():
        print(f"    {path}: {reason}")
    print(f"longest docstring {max(file.docstring for file in files)} lines")
    print(f"most project names {max(file.names for file in files)}")
    helpers = [file.lines for file in files if not file.is_theorem_file]
    print(f"longest helper module {max(helpers)} lines")
    sys.exit("\n".join(excesses(files, LONG)) or None)


if __name__ == "__main__":
    main()
