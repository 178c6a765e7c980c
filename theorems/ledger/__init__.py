"""The vocabulary of claims, roles and verdicts, and the ledger that a run ends in.

A test of a claim carries exactly one role, a pytest marker:

    @as_printed                     the printed statement, literally, over generated instances
    @under_hypotheses("H1", "H2")   its conclusion, once the named hypotheses are added
    @corrected("C1")                the named clauses of the statement that is true instead
    @counterexample                 an exact instance on which the print fails, or a search that finds one
    @vacuous                        a term or condition of the print that has no effect
    @necessity("H1")                without the named hypothesis the conclusion provably fails
    @observed                       what was measured and no theorem bounds: an experiment inside a claim
    @measured                       of an experiment or an observation: the finding that it records is the verdict

The part is that of the file. Each marker takes `reading="name"` where the test is about a reading of the print that
does not decide (`docs/verdicts.md`).
"""

import pytest

as_printed = pytest.mark.as_printed
under_hypotheses = pytest.mark.under_hypotheses
corrected = pytest.mark.corrected
counterexample = pytest.mark.counterexample
vacuous = pytest.mark.vacuous
necessity = pytest.mark.necessity
observed = pytest.mark.observed
measured = pytest.mark.measured

__all__ = [
    "as_printed",
    "corrected",
    "counterexample",
    "measured",
    "necessity",
    "observed",
    "under_hypotheses",
    "vacuous",
]
