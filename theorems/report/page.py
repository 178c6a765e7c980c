"""The page: a ledger of schema 2 as one HTML file, which needs no script, no network and no other file to be read.

Needs jinja2, latex2mathml and pygments (extra `report`).
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from theorems.ledger.verdicts import Verdict
from theorems.report.anchors import anchor_of
from theorems.report.figures.drawing import Drawn
from theorems.report.figures.style import STYLE_SHEET
from theorems.report.formulas import as_html
from theorems.report.highlight import highlighted
from theorems.report.numbers import decimal, ratio_text
from theorems.report.prose import MEANINGS, counted, stopped
from theorems.report.views import Viewer
from theorems.report.wrapping import fitted

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

TEMPLATES = Path(__file__).parent / "templates"

SIGNS = {
    Verdict.HOLDS: "✓",
    Verdict.REPRODUCED: "✓",
    Verdict.HOLDS_UNDER_ADDED_HYPOTHESES: "✓+",
    Verdict.REFUTED: "✗",
    Verdict.VACUOUS: "∅",
    Verdict.NOT_REPRODUCED: "✗",
    Verdict.INCONCLUSIVE: "?",
    Verdict.NOT_TESTABLE: "?",
    Verdict.NOT_RUN: "–",
    Verdict.BROKEN: "!",
}
"""A sign for each verdict, for those who do not see its color."""


def as_page(document: Mapping[str, Any], root: Path, directory: Path, drawn: Iterable[Drawn] = ()) -> str:
    """The HTML of the page.

    document: a ledger of schema 2. root: the checkout, whose sources the page shows. directory: where the page will
    be, for its links to files of the checkout. drawn: the figures.
    Raises FormulaError for a formula that does not convert.
    """
    figures = list(drawn)
    viewer = Viewer(root, directory, figures)
    sections = viewer.sections(document["claims"])
    labels = {claim.entry["label"] for section in sections for claim in section.claims}
    counts = Counter(claim.verdict for section in sections for claim in section.claims)
    return (
        _environment()
        .get_template("page.html")
        .render(
            document=document,
            sections=sections,
            labels=labels,
            counts=[(verdict, counts[verdict], words) for verdict, words in MEANINGS.items() if counts[verdict]],
            overview=[figure for figure in figures if figure.test is None],
            figure_style=STYLE_SHEET,
            link_to=viewer.link_to,
            style=(TEMPLATES / "style.css").read_text(encoding="utf-8"),
        )
    )


@functools.cache
def _environment() -> Environment:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"mathematics": _mathematics, "highlighted": _highlighted, "decimal": decimal}
    environment.filters |= {"ratio": ratio_text, "anchor": anchor_of, "sign": lambda verdict: SIGNS[Verdict(verdict)]}
    environment.filters |= {"count": counted, "trusted": _trusted, "paragraphs": _paragraphs}
    return environment


def _mathematics(text: str) -> Markup:
    """A text of a docstring as HTML, which `as_html` has escaped."""
    return _trusted(fitted(as_html(text)))


def _highlighted(source: str) -> Markup:
    return _trusted(highlighted(source))


def _trusted(markup: str) -> Markup:
    """Markup that this project has made, such as a figure."""
    from markupsafe import Markup

    return Markup(markup)


def _paragraphs(text: str) -> Markup:
    """A field as HTML: a paragraph for each of its lines, which come from several files; each ends as a sentence.

    A line that a longer one says too is left out.
    """
    said = text.splitlines()
    told = (line for line in said if not any(line.rstrip(".") in more for more in said if len(more) > len(line)))
    return _trusted("".join(f"<p>{_mathematics(stopped(line))}</p>" for line in told))
