"""The strategies that theorem tests use, collected from the tests themselves: none can be left out of a list."""

from __future__ import annotations

import dataclasses
import importlib
import re
from collections.abc import Callable
from pathlib import Path

from hypothesis.strategies import SearchStrategy

ROOT = Path(__file__).parents[1]


@dataclasses.dataclass(frozen=True)
class Used:
    """A strategy, its section, and the first test and argument that use it: "test_speed.py: problem of test_..."."""

    strategy: SearchStrategy
    section: str
    where: str

    @property
    def name(self) -> str:
        """A short name: how the strategy is written, cut to sixty characters."""
        text = repr(self.strategy)
        text = re.sub(r"binary\(min_size=(\d+), max_size=\d+\)\.map\(Tape\)", r"tapes(\1)", text)
        text = re.sub(r"(min|max)_value=", "", text)
        return f"{text[:60]} in {self.where.partition(':')[0]}"


def strategies_of(test: Callable) -> dict[str, SearchStrategy]:
    """The strategies of single instances that a test of `given` or `given_batches` uses, by argument.

    Empty for a test without strategies. Raises ValueError for a test of Hypothesis whose strategies are not known.
    """
    handle = getattr(test, "hypothesis", None)
    if handle is None:
        return {}
    strategies = getattr(test, "strategies", None) or getattr(handle, "_given_kwargs", None)
    if not strategies:
        raise ValueError(f"the strategies of {test.__name__} are not known")
    return strategies


def used_by_theorems(root: Path = ROOT) -> list[Used]:
    """Every strategy of the theorem files, once for each section that uses it.

    Two strategies of one section are taken for the same if they are written alike and declare the same.
    """
    found: dict[tuple[str, str, str], Used] = {}
    for path in sorted((root / "theorems").glob("section_*/**/test_*.py")):
        place = path.relative_to(root)
        module = importlib.import_module(".".join(place.with_suffix("").parts))
        for name, test in vars(module).items():
            if name.startswith("test_"):
                for argument, strategy in strategies_of(test).items():
                    declared = str(getattr(strategy, "symmetries", ""))
                    used = Used(strategy, place.parts[1], f"{place.name}: {argument} of {name}")
                    found.setdefault((place.parts[1], repr(strategy), declared), used)
    return list(found.values())
