"""The figures of the page: each draws the series that one test has recorded, and says what the test has shown.

A figure is a function of a module `section_NN.py`, with the decorator `figure`. It draws and decides nothing: the data
come from the run (`record_series`), and its title says no more than its test certifies.
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

Series = Mapping[str, Mapping[str, np.ndarray]]
"""The series of a test by their titles, over all its parameter sets: columns (T,) of numbers by their names."""
Draw = Callable[["Canvas", Series], None]


@dataclasses.dataclass(frozen=True)
class Figure:
    """A figure before it is drawn.

    name: that of its function, with hyphens; it is unique. test: path and name of the test function whose series it
    draws. title: the finding, one sentence of plain text. alt: what a reader who does not see it must know.
    """

    name: str
    test: str
    title: str
    alt: str
    draw: Draw


_FIGURES: dict[str, Figure] = {}


def figure(*, test: str, title: str, alt: str) -> Callable[[Draw], Draw]:
    """Make a function `draw(canvas, series)` a figure: it adds axes to an empty matplotlib figure.

    test: `path::function`, relative to the root. Raises ValueError for a name that another figure has.
    """

    def registered(draw: Draw) -> Draw:
        name = draw.__name__.replace("_", "-")
        if name in _FIGURES:
            raise ValueError(f"two figures have the name {name}")
        _FIGURES[name] = Figure(name, test, title, alt, draw)
        return draw

    return registered


def figures() -> tuple[Figure, ...]:
    """Every figure, in the order of the paper."""
    for module in sorted(
        module.name for module in pkgutil.iter_modules(__path__) if module.name.startswith("section_")
    ):
        importlib.import_module(f"{__name__}.{module}")
    return tuple(_FIGURES.values())


def series_of(document: Mapping[str, Any], test: str) -> dict[str, dict[str, np.ndarray]]:
    """The series that a test function has recorded in a ledger of schema 2, by their titles; none if it did not run."""
    return {
        series["title"]: {name: np.asarray(column, float) for name, column in series["columns"].items()}
        for claim in document["claims"]
        for item in claim["evidence"]
        if item["test"].partition("[")[0] == test
        for series in item["series"]
    }
