"""Write the pages of a ledger beside `ledger.json`. Needs the extra `report`."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

PACKAGES = ("jinja2", "latex2mathml", "matplotlib", "pygments")


def missing_packages() -> list[str]:
    """The packages of the extra `report` that are not installed."""
    return [name for name in PACKAGES if importlib.util.find_spec(name) is None]


def write_pages(document: dict[str, Any], root: Path, directory: Path) -> list[str]:
    """Write the pages of a ledger of schema 2 into `directory`; the names of the files written.

    root: the checkout, whose source files the page shows. Raises OSError.
    """
    raise NotImplementedError((document, root, directory))
