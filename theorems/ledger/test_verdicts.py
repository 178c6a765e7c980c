"""Self-tests: the table of roles and verdicts."""

import pytest

from theorems.ledger.verdicts import Role, Verdict, verdict_of, verdict_of_readings, weakest

PRINTED, ADDED, CORRECTED, REFUTED, VACUOUS, NECESSARY, OBSERVED, MEASURED = Role


@pytest.mark.parametrize(
    ("roles", "verdict"),
    [
        ([PRINTED], Verdict.HOLDS),
        ([PRINTED, NECESSARY, CORRECTED], Verdict.HOLDS),
        ([PRINTED, ADDED], Verdict.HOLDS),
        ([REFUTED, ADDED, NECESSARY], Verdict.HOLDS_UNDER_ADDED_HYPOTHESES),
        ([REFUTED], Verdict.REFUTED),
        ([REFUTED, CORRECTED, VACUOUS], Verdict.REFUTED),
        ([VACUOUS], Verdict.VACUOUS),
        ([VACUOUS, PRINTED], Verdict.VACUOUS),
        ([PRINTED, REFUTED], Verdict.BROKEN),
        ([CORRECTED, NECESSARY], Verdict.BROKEN),
        ([ADDED], Verdict.BROKEN),
        ([OBSERVED], Verdict.BROKEN),
        ([MEASURED], Verdict.BROKEN),
        ([OBSERVED, PRINTED], Verdict.HOLDS),
        ([OBSERVED, REFUTED], Verdict.REFUTED),
        ([], Verdict.BROKEN),
    ],
)
def test_roles_come_to_a_verdict(roles, verdict):
    assert verdict_of(roles) is verdict


@pytest.mark.parametrize(
    ("roles", "verdict"),
    [
        ([PRINTED, NECESSARY], Verdict.REPRODUCED),
        ([REFUTED, CORRECTED], Verdict.NOT_REPRODUCED),
        ([PRINTED, REFUTED], Verdict.INCONCLUSIVE),
        ([CORRECTED], Verdict.BROKEN),
    ],
)
def test_experiments_are_reproduced_or_not(roles, verdict):
    assert verdict_of(roles, experiment=True) is verdict


@pytest.mark.parametrize("other", [Verdict.REPRODUCED, Verdict.INCONCLUSIVE])
def test_readings_that_do_not_all_come_to_the_same_are_inconclusive(other):
    assert verdict_of_readings([Verdict.NOT_REPRODUCED] * 2) is Verdict.NOT_REPRODUCED
    assert verdict_of_readings([Verdict.NOT_REPRODUCED, other]) is Verdict.INCONCLUSIVE


def test_a_claim_takes_its_weakest_part():
    assert weakest([Verdict.HOLDS, Verdict.VACUOUS, Verdict.REFUTED]) is Verdict.REFUTED
    assert weakest([Verdict.HOLDS, Verdict.BROKEN]) is Verdict.BROKEN
