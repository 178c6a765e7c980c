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


def cause(error: Exception) -> str:
    """One line: what kept the pages from being made."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def write_pages(document: dict[str, Any], root: Path, directory: Path) -> list[str]:
    """Write the pages of a ledger of schema 2 into `directory`; the names of the files written.

    They are all made before the first is written, and `index.html` is written last. Figures of an earlier run that this
    one does not have are removed. root: the checkout, whose source files the page shows.
    Raises OSError, FormulaError for a formula that does not convert, and FigureError.
    """
    from theorems.report.errata import as_errata
    from theorems.report.figures.drawing import draw_all, stand_alone
    from theorems.report.markdown import as_markdown
    from theorems.report.page import as_page

    drawn = draw_all(document)
    pages = {f"figures/{figure.name}.svg": stand_alone(figure) for figure in drawn}
    pages |= {"ledger.md": as_markdown(document, up=way_up(root, directory)), "errata.md": as_errata(document)}
    pages |= {"index.html": as_page(document, root, directory, drawn)}
    for name, text in pages.items():
        write_text(directory / name, text)
    for file in (directory / "figures").glob("*.svg"):
        if f"figures/{file.name}" not in pages and f'id="svg-{file.stem}-title"' in file.read_text("utf-8", "replace"):
            file.unlink()
    return list(pages)
