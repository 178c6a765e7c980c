"""Draw the figures of a ledger as SVG: text to put into a page, or into a file of its own. Needs matplotlib.

for drawn in draw_all(document):
    page += drawn.svg                               # beside `style.STYLE_SHEET`, once in the page
    (directory / f"{drawn.name}.svg").write_text(stand_alone(drawn), encoding="utf-8")
"""

from __future__ import annotations

import dataclasses

from theorems.report.figures import Document, Figure, FigureError, MissingSeriesError, Recorded, evidence_of, figures
from theorems.report.figures.style import BLACK, PAPER, STYLE_SHEET, styled
from theorems.report.figures.svg import Label, render


@dataclasses.dataclass(frozen=True)
class Drawn:
    """A figure as it is shown.

    name, test, title, alt: as in `Figure`, the texts filled in. svg: an `svg` element, whose ids begin with
    `svg-NAME-`. labels: its texts with their places, for checks.
    """

    name: str
    test: str | None
    title: str
    alt: str
    svg: str
    labels: tuple[Label, ...]


def draw_all(document: Document) -> list[Drawn]:
    """Every figure whose data are in the document, in the order of `figures`.

    A figure is left out where its test did not run or did not pass, since its title is a finding, and where the test
    has parameters of which those that it draws were not run. Raises FigureError, which names the figure, where a test
    passed and lacks a series, for a color that is not of the palette, and for whatever else stops the drawing.
    """
    return [drawn for figure in figures() if (drawn := draw(figure, document)) is not None]


def draw(figure: Figure, document: Document) -> Drawn | None:
    """One figure; None where the document has no data for it. Raises FigureError, as `draw_all`."""
    tests = figure.recording or ((figure.test,) if figure.test else ())
    evidence = [item for test in tests for item in evidence_of(document, test)]
    if any(item["outcome"] != "passed" for item in evidence):
        return None
    try:
        data = figure.read(document)
        return None if not data else _drawn(figure, data)
    except FigureError as error:
        # With some of the parameters of a test, a run need not have recorded every series.
        if isinstance(error, MissingSeriesError) and any("[" in item["test"] for item in evidence):
            return None
        raise FigureError(f"the figure {figure.name}: {error}") from None
    except Exception as error:
        raise FigureError(f"the figure {figure.name}: {type(error).__name__}: {error}") from error


def _drawn(figure: Figure, data: object) -> Drawn:
    from matplotlib.figure import Figure as Canvas

    title, alt = figure.said(data)
    with styled():
        canvas = Canvas()
        figure.draw(canvas, data)
        svg, labels = render(canvas, figure.name, title, alt)
    return Drawn(figure.name, figure.test, title, alt, svg, labels)


def stand_alone(drawn: Drawn) -> str:
    """The figure as a file of its own, with its colors and a ground, light or dark as its reader prefers."""
    own = f"svg{{color:{BLACK.line}}}\n@media screen and (prefers-color-scheme:dark){{svg{{color:{BLACK.dark}}}}}\n"
    ground = f'<rect width="100%" height="100%" style="fill:var(--figure-ground,{PAPER.line})"/>'
    opening, rest = drawn.svg.split(">", 1)
    return f"{opening}><style>{STYLE_SHEET}{own}</style>{ground}{rest}\n"


def undrawn(document: Document) -> list[str]:
    """The series that no figure looks at: `test: title`, in the order of the document.

    A call in a parametrized test records several series of the same columns; it is enough to draw one of them.
    """
    seen = set()
    for figure in figures():
        data = figure.read(document)
        if isinstance(data, Recorded) and data:
            figure.draw(_blank(), data)
            seen |= {(test, frozenset(data[title])) for test in figure.recording for title in data.seen}
    return [
        f"{item['test']}: {series['title']}"
        for claim in document["claims"]
        for item in claim["evidence"]
        for series in item["series"]
        if (item["test"].partition("[")[0], frozenset(series["columns"])) not in seen
    ]


def _blank() -> object:
    from matplotlib.figure import Figure as Canvas

    return Canvas()
