"""The figures of the page: each draws what a run has recorded, and says what the run has shown.

A figure is a function of a module `section_NN.py`, with the decorator `figure`. It draws and decides nothing: the data
come from the run (`record_series`, or the evidence itself), and its title says no more than its test certifies.
`drawing.draw_all` draws the figures of a ledger as SVG.
"""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

Document = Mapping[str, Any]
"""A ledger of schema 2."""
Series = Mapping[str, Mapping[str, np.ndarray]]
"""The series of a test by their titles, over all its parameter sets: columns (T,) of numbers by their names."""
Draw = Callable[["Canvas", Any], None]
Words = str | Callable[[Any], str]
"""Plain text, or a function of the data that the figure draws: then it may say what this run has measured."""


class FigureError(ValueError):
    """A figure that cannot be drawn; the message names it, or the series that it misses."""


class MissingSeriesError(FigureError):
    """A series or a column that a figure asks for and its test has not recorded; the message names both."""


@dataclasses.dataclass(frozen=True)
class Figure:
    """A figure before it is drawn.

    name: that of its function, with hyphens; it is unique. test: path and name of the test function that it belongs to;
    None for a figure of the whole document. title: the finding, one sentence of plain text. alt: what a reader who does
    not see it must know. read: the data of a document; a figure without data is left out. recording: the tests whose
    series it draws.
    """

    name: str
    test: str | None
    title: Words
    alt: Words
    draw: Draw
    read: Callable[[Document], Any]
    recording: tuple[str, ...] = ()

    def said(self, data: Any) -> tuple[str, str]:
        """Title and alternative text for these data."""
        title, alt = (words if isinstance(words, str) else words(data) for words in (self.title, self.alt))
        return title, alt


class Recorded(dict[str, Any]):
    """Series by their titles, or columns by their names; a lookup of what is missing raises MissingSeriesError.

    what: what holds them, for the message. seen: the keys that were looked up; all, once they have been listed.
    """

    def __init__(self, what: str, items: Mapping[str, Any]) -> None:
        super().__init__(items)
        self.what, self.seen = what, set()

    def __getitem__(self, key: str) -> Any:
        self.seen.add(key)
        return super().__getitem__(key)

    def __missing__(self, key: str) -> Any:
        raise MissingSeriesError(f"{self.what} has no {key!r}; it has {', '.join(map(repr, self)) or 'nothing'}")

    def items(self) -> Any:
        """All of them; they count as seen."""
        self.seen.update(self)
        return super().items()

    def values(self) -> Any:
        """All of them; they count as seen."""
        self.seen.update(self)
        return super().values()


_FIGURES: dict[str, Figure] = {}


def figure(
    *,
    title: Words,
    alt: Words,
    test: str | None = None,
    also: tuple[str, ...] = (),
    read: Callable[[Document], Any] | None = None,
) -> Callable[[Draw], Draw]:
    """Make a function `draw(canvas, data)` a figure: it adds axes to an empty matplotlib figure.

    test: `path::function`, relative to the root. also: other tests whose series it draws; it is left out unless all of
    them ran. read: the data of a document, None where there are none; without it, the data are the series of the test
    and of the others. Raises ValueError for a name that another figure has, and for a figure without a test and `read`.
    """

    def registered(draw: Draw) -> Draw:
        name = draw.__name__.replace("_", "-")
        if name in _FIGURES:
            raise ValueError(f"two figures have the name {name}")
        if test is None and read is None:
            raise ValueError(f"the figure {name} has neither a test nor data of the document")
        tests = (str(test), *also)
        _FIGURES[name] = Figure(
            name, test, title, alt, draw, read or (lambda document: series_of(document, *tests)), () if read else tests
        )
        return draw

    return registered


def figures() -> tuple[Figure, ...]:
    """Every figure: those of the whole document, then in the order of the paper."""
    for module in sorted(module.name for module in pkgutil.iter_modules(__path__) if _draws(module.name)):
        importlib.import_module(f"{__name__}.{module}")
    return tuple(_FIGURES.values())


def _draws(module: str) -> bool:
    return module == "overview" or module.startswith("section_")


def evidence_of(document: Document, test: str) -> list[dict[str, Any]]:
    """The evidence of a test function, over all its parameter sets; none if it did not run."""
    return [
        item for claim in document["claims"] for item in claim["evidence"] if item["test"].partition("[")[0] == test
    ]


def series_of(document: Document, *tests: str) -> dict[str, Any]:
    """The series that test functions have recorded in a ledger of schema 2, by their titles; none if one did not run.

    Raises FigureError for two series of one title.
    """
    found: dict[str, Any] = {}
    for test in tests:
        evidence = evidence_of(document, test)
        if not evidence:
            return Recorded(test, {})
        for series in (series for item in evidence for series in item["series"]):
            title = series["title"]
            if title in found:
                raise FigureError(f"{test} has recorded two series {title!r}")
            columns = {name: np.asarray(column, float) for name, column in series["columns"].items()}
            found[title] = Recorded(f"the series {title!r} of {test}", columns)
    return Recorded(" and ".join(tests), found)
