"""One style for all figures: sizes, colors that color-blind readers can tell apart, and lines that print.

A figure draws with the constants of this module. In the SVG each of them becomes a CSS custom property, with one value
for light pages and one for dark ones (`STYLE_SHEET`). Every line has a contrast of 3:1 at least against its ground, and
every text one of 4.5:1, also where the ground is slightly tinted.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager


@dataclasses.dataclass(frozen=True)
class Shades:
    """The shades of one color: of lines and of text on a light ground, and of both on a dark one."""

    line: str
    text: str
    dark: str


BLUE = Shades("#0072b2", "#0072b2", "#4aa8e0")
VERMILLION = Shades("#d55e00", "#b84f00", "#ff8a4c")
GREEN = Shades("#009e73", "#007d5b", "#2fc99a")
PURPLE = Shades("#c568a0", "#a8487c", "#e39ac2")
ORANGE = Shades("#bb8000", "#8a6000", "#f0b840")
SKY = Shades("#2f8fcc", "#1a70a3", "#9bd5f7")
GRAY = Shades("#8a8a8a", "#6e6e6e", "#8f959b")
BLACK = Shades("#222222", "#222222", "#e6e6e6")
PAPER = Shades("#ffffff", "#ffffff", "#14171a")

HUES = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY)
"""The hues of Okabe and Ito (2008); the light ones are darkened, since they would not be seen on white."""
COLORS = tuple(hue.line for hue in HUES)
"""The colors of curves, in the order of use: blue, vermillion, green, purple, orange, sky."""
INK = BLACK.line
"""Text, axes, and what the paper prints. On a page it is the color of the page's text."""
FAINT = GRAY.line
"""Guides: grids, thresholds, what is only a frame."""
GROUND = PAPER.line
"""The page behind the figure: for hollow markers and for what is drawn to cover something."""
SIZE = (5.0, 3.6)
"""Width and height of a figure, inches; on a phone of 375 px its type is still 9 px."""
FONTS = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", Arial, sans-serif'

PROPERTIES = {
    **{f"--figure-{number}": hue for number, hue in enumerate(HUES, 1)},
    "--figure-faint": GRAY,
    "--figure-ground": PAPER,
}
"""The custom property of every color but INK, which is `currentColor`. The shade of text has the suffix `-text`."""

RULES = {
    "figure.figsize": SIZE,
    "figure.facecolor": "none",
    "figure.constrained_layout.use": True,
    "font.family": "DejaVu Sans",
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.facecolor": "none",
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.grid": False,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": FAINT,
    "patch.edgecolor": INK,
    "hatch.color": INK,
    "lines.linewidth": 1.8,
    "lines.markersize": 5,
    "legend.frameon": False,
    "legend.fontsize": 10,
    "svg.fonttype": "none",
    "svg.hashsalt": "whichmin",
    "savefig.transparent": True,
}


@contextmanager
def styled() -> Iterator[None]:
    """Draw in the style of the page, whatever matplotlibrc says; needs matplotlib."""
    import matplotlib
    from cycler import cycler

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update({**RULES, "axes.prop_cycle": cycler(color=COLORS)})
        yield


def _values(shade: str) -> str:
    lines = {name: getattr(shades, "line" if shade == "light" else "dark") for name, shades in PROPERTIES.items()}
    texts = {
        f"{name}-text": getattr(shades, "text" if shade == "light" else "dark") for name, shades in PROPERTIES.items()
    }
    return ";".join(f"{name}:{value}" for name, value in (lines | texts).items())


STYLE_SHEET = (
    f":root{{{_values('light')}}}\n@media screen and (prefers-color-scheme:dark){{:root{{{_values('dark')}}}}}\n"
    f"svg.drawing{{font-family:{FONTS}}}\n"
)
"""The custom properties, for the page that the figures stand on: light, and on a screen dark where the reader wants."""
