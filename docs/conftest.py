"""What the self-tests of the pages share."""

import pytest

from theorems.ledger.plugin import CLAIMS
from theorems.ledger.registry import StatedClaim


@pytest.fixture(scope="session")
def stated_claims(pytestconfig: pytest.Config) -> list[StatedClaim]:
    """Every claim, in the order of the paper, as this run has read them from its files."""
    return pytestconfig.stash[CLAIMS]
