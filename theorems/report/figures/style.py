"""One style for all figures: sizes, colors that color-blind readers can tell apart, and lines that print."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""The colors of Okabe and Ito (2008), in the order of use: blue, vermillion, green, purple, orange, sky."""
INK = "#222222"
"""Text, axes, and what the paper prints."""
FAINT = "#999999"
"""Guides: grids, thresholds, what is only a frame."""
SIZE = (5.0, 3.6)
"""Width and height of a figure, inches; at the width of a phone, 375 px, its type is still 9 px."""

RULES = {
    "figure.figsize": SIZE,
    "figure.constrained_layout.use": True,
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.grid": False,
    "lines.linewidth": 1.8,
    "lines.markersize": 5,
    "legend.frameon": False,
    "legend.fontsize": 10,
    "svg.fonttype": "none",
    "savefig.transparent": True,
}


@contextmanager
def styled() -> Iterator[None]:
    """Draw in the style of the page; needs matplotlib."""
    import matplotlib
    from cycler import cycler

    with matplotlib.rc_context({**RULES, "axes.prop_cycle": cycler(color=COLORS)}):
        yield
