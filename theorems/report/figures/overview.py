"""The figure of the whole document: every claim of the paper with its verdict."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from theorems.report.figures import Document, figure
from theorems.report.figures.style import COLORS, FAINT, GROUND, INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

MARKS = {
    "holds": ("o", COLORS[0], COLORS[0]),
    "reproduced": ("D", COLORS[0], COLORS[0]),
    "holds under added hypotheses": ("s", COLORS[2], GROUND),
    "refuted": ("X", COLORS[1], COLORS[1]),
    "not reproduced": ("P", COLORS[1], COLORS[1]),
    "vacuous": ("v", COLORS[1], GROUND),
    "inconclusive": ("^", COLORS[4], GROUND),
    "not testable": ("d", FAINT, GROUND),
    "not run": ("o", FAINT, GROUND),
    "broken": ("x", INK, INK),
}
"""The marker of each verdict, its line and its face."""
SHORT = {"Theorem": "Thm", "Proposition": "Prop", "Corollary": "Cor", "Definition": "Def", "Experiment": "Exp"}
WIDEST = 8
"""Claims in a row; a section with more has two rows."""


def short_label(label: str) -> str:
    """The label of a claim in a few letters: "Thm 3.1", "§ 2.2"."""
    kind, number = label.partition(":")[0].split()
    return f"{SHORT.get(kind, '§')} {number}"


def verdicts_of(document: Document) -> list[dict[str, Any]]:
    """The claims, in the order of the paper."""
    return list(document["claims"])


def counted(claims: list[dict[str, Any]]) -> list[tuple[str, int]]:
    """How many claims have each verdict, in the order of MARKS."""
    counts = Counter(claim["verdict"] for claim in claims)
    return [(verdict, counts[verdict]) for verdict in MARKS if counts[verdict]]


def say_counts(claims: list[dict[str, Any]]) -> str:
    """The title: the counts of verdicts."""
    told = [f"{count} {verdict}" for verdict, count in counted(claims)]
    return f"The {len(claims)} claims of the paper: {', '.join(told)}"


def say_claims(claims: list[dict[str, Any]]) -> str:
    """The alternative text: every claim under its verdict."""
    labels = {verdict: [claim["label"] for claim in claims if claim["verdict"] == verdict] for verdict in MARKS}
    told = [f"{verdict}: {', '.join(found)}" for verdict, found in labels.items() if found]
    return f"A row of marks for each section, a mark for each claim. {'. '.join(told)}."


def rows_of(claims: list[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """The heading of each row, empty where a section goes on, and its claims."""
    rows: list[tuple[str, list[dict[str, Any]]]] = []
    for folder, found in itertools.groupby(claims, lambda claim: claim["path"].split("/")[1]):
        number, name = re.match(r"section_(\d+)_?(.*)", folder).groups()
        heading = f"{int(number)}  {name.replace('_', ' ').capitalize()}"
        members = list(found)
        parts = [members[start : start + WIDEST] for start in range(0, len(members), WIDEST)]
        rows += zip([heading, *[""] * (len(parts) - 1)], parts, strict=True)
    return rows


@figure(read=verdicts_of, title=say_counts, alt=say_claims)
def verdicts_over_the_paper(canvas: Canvas, claims: list[dict[str, Any]]) -> None:
    """A row for each section, in the order of the paper; the legend counts the verdicts."""
    rows, legend = rows_of(claims), counted(claims)
    lines = -(-len(legend) // 2)
    units = len(rows) + 0.45 * lines + 0.3
    canvas.set_layout_engine("none")
    canvas.set_size_inches(5.0, 0.5 * units)
    axes = canvas.add_axes((0.02, 0.01, 0.96, 0.98))
    axes.set(xlim=(0, WIDEST), ylim=(units, 0))
    axes.set_axis_off()
    for row, (heading, found) in enumerate(rows):
        axes.text(0, row + 0.3, heading, fontsize=10)
        for column, claim in enumerate(found):
            _mark(axes, column + 0.42, row + 0.56, claim["verdict"])
            axes.text(column + 0.42, row + 0.93, short_label(claim["label"]), fontsize=9.5, ha="center", color=FAINT)
    for place, (verdict, count) in enumerate(legend):
        x, y = 4.9 * (place // lines), len(rows) + 0.6 + 0.45 * (place % lines)
        _mark(axes, x + 0.15, y - 0.09, verdict)
        axes.text(x + 0.45, y, f"{count} {verdict}", fontsize=10)


def _mark(axes: Axes, x: float, y: float, verdict: str) -> None:
    marker, line, face = MARKS[verdict]
    axes.plot(x, y, marker, color=line, markerfacecolor=face, markersize=8, markeredgewidth=1.6, clip_on=False)
