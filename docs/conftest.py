"""What the self-tests of the pages share."""

from pathlib import Path

import pytest

from theorems.ledger.registry import TheoremFile, scan


@pytest.fixture(scope="session")
def theorem_files() -> list[TheoremFile]:
    """Every theorem file, in the order of the paper."""
    return scan(Path(__file__).parents[1])
