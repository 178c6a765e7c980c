"""What the self-tests of the pages share: a small ledger, and the page made of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from theorems.report.small_ledger import small_document, write_small_theory


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout with three claims: one that holds, one that is refuted, and one of two parts."""
    write_small_theory(tmp_path)
    return tmp_path


@pytest.fixture
def document(root: Path) -> dict[str, Any]:
    """The ledger of a run of all their tests."""
    return small_document(root)


@pytest.fixture
def render(root: Path) -> Callable[..., str]:
    """Makes the page of a document and of figures, as if it lay in the folder `out` of the checkout."""
    pytest.importorskip("jinja2", reason="the page needs the extra report")
    from theorems.report.page import as_page

    return lambda document, drawn=(): as_page(document, root, root / "out", drawn)
