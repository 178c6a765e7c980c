"""What the self-tests of the pages share."""

import pytest

from theorems.ledger.plugin import FILES
from theorems.ledger.registry import TheoremFile


@pytest.fixture(scope="session")
def theorem_files(pytestconfig: pytest.Config) -> list[TheoremFile]:
    """Every theorem file, in the order of the paper, as this run has read them."""
    return pytestconfig.stash[FILES]
