"""Pieces that several figures draw: curves with intervals, forests of estimates, series of one setting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from theorems.report.figures import Document, MissingSeriesError, evidence_of
from theorems.report.figures.style import COLORS, FAINT, INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARKERS = "osD^vP"
"""A marker for each color, so that curves differ in gray too."""


def of_setting(series: Mapping[str, Any], start: str) -> tuple[str, Any]:
    """The setting and the columns of the first series whose title is `start, SETTING`. Raises MissingSeriesError."""
    for title in series:
        if title.startswith(f"{start}, "):
            return title.removeprefix(f"{start}, "), series[title]
    raise MissingSeriesError(f"no series {start!r} of any setting among {', '.join(map(repr, series))}")


def findings_of(document: Document, *tests: str) -> list[dict[str, Any]]:
    """The findings of these tests in the first setting of the first, in order; none unless all measured it."""
    found = [[finding for item in evidence_of(document, test) for finding in item["findings"]] for test in tests]
    setting = found[0][0]["setting"] if found[0] else None
    chosen = [[finding for finding in findings if finding["setting"] == setting] for findings in found]
    return [finding for findings in chosen for finding in findings] if all(chosen) else []


def say_findings(seen: str, findings: list[dict[str, Any]]) -> str:
    """An alternative text: what is seen, and every finding in words."""
    return f"{seen}. {'. '.join(finding['reads'] for finding in findings)}."


def plot_with_ends(
    axes: Axes, columns: Mapping[str, np.ndarray], x: str, name: str, style: int, **options: Any
) -> None:
    """The column `name` against `x` with its interval, in color and marker number `style`."""
    y = columns[name]
    ends = np.abs(np.stack([y - columns[f"{name}_lower"], columns[f"{name}_upper"] - y]))
    axes.errorbar(columns[x], y, ends, marker=MARKERS[style], color=COLORS[style], capsize=3, **options)


def decades(axes: Axes, *names: str) -> None:
    """Logarithmic axes with ticks at powers of ten alone."""
    from matplotlib.ticker import LogLocator, NullLocator

    for axis in (getattr(axes, f"{name}axis") for name in names):
        getattr(axes, f"set_{axis.axis_name}scale")("log")
        axis.set_major_locator(LogLocator(numticks=6))
        axis.set_minor_locator(NullLocator())


def ticks_at(axes: Axes, name: str, values: Sequence[float]) -> None:
    """A logarithmic axis with ticks at these values alone, as plain numbers."""
    from matplotlib.ticker import NullLocator

    getattr(axes, f"set_{name}scale")("log")
    getattr(axes, f"set_{name}ticks")(values, [f"{value:g}" for value in values])
    getattr(axes, f"{name}axis").set_minor_locator(NullLocator())


def plain_ticks(axes: Axes, name: str, most: int = 6) -> None:
    """A logarithmic axis with a few plain numbers inside the limits of what is drawn: call it after the drawing."""
    getattr(axes, f"set_{name}scale")("log")
    low, high = getattr(axes, f"get_{name}lim")()
    places = 10.0 ** np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    for steps in ((1, 1.5, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,)):
        values = [value for place in places for value in place * np.array(steps) if low <= value <= high]
        if len(values) <= most:
            break
    ticks_at(axes, name, values)
    getattr(axes, f"set_{name}lim")(low, high)


def forest(axes: Axes, rows: Sequence[tuple[str, float, float, float]], styles: Sequence[int] | None = None) -> None:
    """A row for each (label, estimate, lower, upper), from the top down; styles: color and marker of each."""
    for row, ((_, estimate, lower, upper), style) in enumerate(zip(rows, styles or [0] * len(rows), strict=True)):
        ends = [[estimate - lower], [upper - estimate]]
        axes.errorbar(estimate, row, xerr=ends, marker=MARKERS[style], color=COLORS[style], capsize=4, markersize=7)
    axes.set_yticks(range(len(rows)), [label for label, *_ in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)


def guide(axes: Axes, words: str, *, x: float | None = None, y: float | None = None, left: bool = False) -> None:
    """A dashed line at x, with words above the axes; or at y, with words above its right end, or its left one."""
    if x is not None:
        axes.axvline(x, color=FAINT, linestyle="--", linewidth=1.2, zorder=0)
        place, coordinates, side = (x, 1.0), ("data", "axes fraction"), "center"
    else:
        axes.axhline(y, color=FAINT, linestyle="--", linewidth=1.2, zorder=0)
        place, coordinates, side = (0.0 if left else 1.0, y), ("axes fraction", "data"), "left" if left else "right"
    options = {"textcoords": "offset points", "va": "bottom", "ha": side, "color": INK, "fontsize": 10}
    axes.annotate(words, place, (3 if left else 0, 3), xycoords=coordinates, **options)
