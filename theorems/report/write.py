"""Write the pages of a ledger beside `ledger.json`. Needs the extra `report`."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from theorems.ledger.writing import write_text
from theorems.report.anchors import way_up

PACKAGES = ("jinja2", "latex2mathml", "matplotlib", "pygments")


def missing_packages() -> list[str]:
    """The packages of the extra `report` that are not installed."""
    return [name for name in PACKAGES if importlib.util.find_spec(name) is None]


def unwritten(missing: list[str]) -> str:
    """One line: which packages the pages lack, and how to get them."""
    return f"no pages: {', '.join(missing)} not installed (pip install -c constraints.txt -e '.[report]')"


def write_pages(document: dict[str, Any], root: Path, directory: Path) -> list[str]:
    """Write the pages of a ledger of schema 2 into `directory`; the names of the files written.

    They are all made before the first is written. root: the checkout, whose source files the page shows.
    Raises OSError, and FormulaError for a formula that does not convert.
    """
    from theorems.report.errata import as_errata
    from theorems.report.figures.drawing import draw_all, stand_alone
    from theorems.report.markdown import as_markdown
    from theorems.report.page import as_page

    drawn = draw_all(document)
    pages = {"index.html": as_page(document, root, directory, drawn)}
    pages |= {"ledger.md": as_markdown(document, up=way_up(root, directory)), "errata.md": as_errata(document)}
    pages |= {f"figures/{figure.name}.svg": stand_alone(figure) for figure in drawn}
    for name, text in pages.items():
        write_text(directory / name, text)
    return list(pages)
