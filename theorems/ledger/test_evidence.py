"""Self-tests: passed tests that do not carry the verdict of their claim fail the run."""

import pytest

from theorems.ledger.small_theory import AS_PRINTED, NECESSARY, PINNED, SEARCHED

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("body", "expected", "complaint"),
    [
        (AS_PRINTED, "refuted", "the evidence says holds, the docstring expects refuted"),
        (AS_PRINTED + PINNED + SEARCHED, "refuted", "contradict each other"),
        (PINNED, "refuted", "no search finds a counterexample"),
        (SEARCHED, "refuted", "no pinned counterexample"),
        (SEARCHED + PINNED.replace("2, 1", "2.0, 1.0"), "refuted", "no pinned counterexample"),
        (
            PINNED + SEARCHED.replace("():\n", '():\n    "Take two."\n'),
            "refuted",
            "test_searched is worked by hand and records no witness with rational sides",
        ),
        (AS_PRINTED.partition("@as_printed\n@given")[0], "holds", "its evidence is a single test"),
        (AS_PRINTED + "@as_printed\ndef test_idle():\n    pass\n", "holds", "test_idle certifies nothing"),
        (AS_PRINTED + "@as_printed\ndef test_skip():\n    pytest.skip('why')\n", "holds", "test_skip skipped"),
        (
            AS_PRINTED + "@as_printed\n@pytest.mark.parametrize('x', [])\ndef test_none(x):\n    pass\n",
            "holds",
            "test_none skipped",
        ),
    ],
)
def test_evidence_that_does_not_carry_its_verdict_fails_the_run(theory, body, expected, complaint):
    theory.write("a", body, expected=expected)
    result = theory.run()
    result.stdout.fnmatch_lines([f"Theorem 3.1: *{complaint}*", "FAILED theorems/section_00/test_a.py::verdict*"])
    assert result.ret == 1


def test_a_failed_test_breaks_its_claim_and_is_counted_once(theory):
    theory.write("a", AS_PRINTED.replace("x, 4", "x, 2"))
    result = theory.run()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["Theorem 3.1 *broken*", "    test_many failed"])
    assert result.ret == 1


def test_a_file_that_skips_itself_is_broken(theory):
    theory.write("a", AS_PRINTED + "\npytest.skip('not today', allow_module_level=True)\n")
    theory.write("b", AS_PRINTED, label="Theorem 3.3")
    result = theory.run()
    result.stdout.fnmatch_lines(["Theorem 3.1: a file of it skips itself", "Theorem 3.1 *broken*"])
    assert result.ret == 1


def test_an_empty_run_of_examples_is_no_evidence(theory):
    body = AS_PRINTED + "@as_printed\n@given(st.integers().filter(lambda x: False))\ndef test_never(x):\n    pass\n"
    theory.write("a", body)
    assert theory.run().ret == 1


def test_a_necessity_test_asserts_the_hypotheses_that_it_keeps(theory):
    fields = {"Hypotheses": "(H1) one. (H2) two.", "expected": "holds under added hypotheses"}
    theory.write("a", PINNED + SEARCHED + NECESSARY, **fields)
    assert theory.run().ret == 0
    theory.write("a", PINNED + SEARCHED + NECESSARY.replace("    assert_keeps(H1=1 < 2)\n", ""), **fields)
    result = theory.run()
    result.stdout.fnmatch_lines(["Theorem 3.1: test_without_H2 does not assert that its instance keeps H1"])
    assert result.ret == 1
    theory.write("a", PINNED + SEARCHED + NECESSARY.replace("1 < 2", "1 > 2"), **fields)
    theory.run().stdout.fnmatch_lines(["*AssertionError: H1 is not satisfied by this instance: False"])


def test_a_necessity_test_drops_one_hypothesis(theory):
    fields = {"Hypotheses": "(H1) one. (H2) two.", "expected": "holds under added hypotheses"}
    theory.write("a", PINNED + SEARCHED + NECESSARY.replace('@necessity("H1")', '@necessity("H1", "H2")'), **fields)
    theory.run().stderr.fnmatch_lines(["ERROR: *test_a.py: test_without_H1 drops 2 hypotheses at once, not one"])


def test_passed_evidence_above_its_bound_breaks_the_claim(theory):
    # given  a certificate that reports and does not raise, as under an interpreter that drops assertions
    silent = """
from properties import certificates
@as_printed
@pytest.mark.parametrize("ratio", [{ratio}])
def test_silent(ratio):
    certificates._observer.get().certified(certificates.Kind.INEQUALITY, 'silent', ratio, 1)
"""
    for ratio in ("float('inf')", "float('nan')", "1.0004"):
        theory.write("a", AS_PRINTED + silent.format(ratio=ratio))
        result = theory.run()
        result.stdout.fnmatch_lines(["Theorem 3.1: test_silent passed with the ratio *", "Theorem 3.1 *broken *"])
        assert result.ret == 1


def test_a_claim_that_cannot_be_tested_says_why(theory):
    theory.write("a", "", expected="not testable", Reason="No quantity is defined.")
    theory.write("b", AS_PRINTED, label="Theorem 3.3")
    theory.run().stdout.fnmatch_lines(["Theorem 3.1 *not testable*", "*No quantity is defined.*"])


def test_what_is_true_instead_can_be_shown_of_a_claim_that_cannot_be_tested(theory):
    shown = AS_PRINTED.replace("@as_printed", "@corrected('C1')")
    theory.write("a", shown, expected="not testable", Reason="Nothing is defined.", Corrected="(C1) a true statement")
    theory.run().stdout.fnmatch_lines(["Theorem 3.1 *not testable, corrected*"])
    theory.write("a", AS_PRINTED, expected="not testable", Reason="Nothing is defined.")
    result = theory.run()
    result.stdout.fnmatch_lines(["Theorem 3.1 *holds*"])
    assert result.ret != 0


SUPPRESSED = """
def forgive():
    try:
        assert_at_most(2, 1, why="too much")
    except AssertionError:
        pass

@as_printed
def test_suppressed():
    forgive()
    assert_at_most(1, 2, why="one")
"""
IDLE = """
@as_printed
def test_idle():
    assert_at_most({error}, {bound}, why="a half")
    assert_at_most(1, 2, why="one")
"""
WIDE = """
@as_printed
@given(st.integers(0, 10**6))
{settings}def test_wide(x):
    assert_at_most(x, 10**6, why="wide")
"""
BATCHED = """
import dataclasses
import numpy as np
from fixtures.problems import batches

@dataclasses.dataclass(frozen=True)
class Number:
    x: float

NUMBERS = st.builds(Number, st.floats(0, 1))

@as_printed
@{decorator}
def test_batched(number):
    assert_at_most(number.x, 1, why="batched")
"""


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (SUPPRESSED, "test_suppressed passed, and in it this had failed: too much: error 2, bound 1, ratio 2"),
        (IDLE.format(error="0.0", bound="1.0"), "test_idle certifies nothing by 'a half': *"),
        (IDLE.format(error="0.5", bound="float('inf')"), "test_idle certifies nothing by 'a half': *"),
        (IDLE.format(error="-0.5", bound="0"), "test_idle certifies nothing by 'a half': *"),
        (
            "from hypothesis import settings" + WIDE.format(settings="@settings(max_examples=49)\n"),
            "test_wide tried 49 instances of at least 50 that its profile promises",
        ),
        (
            BATCHED.format(decorator="batches.settings(max_examples=1)\n@given(number=batches.batches(NUMBERS, 60))"),
            "test_batched tried 1 instances of at least 50 that its profile promises",
        ),
        (
            BATCHED.format(decorator="batches.given_batches(number=NUMBERS, size=1)"),
            "test_batched holds one instance in each of its batches",
        ),
    ],
)
def test_a_test_that_has_gone_blind_breaks_its_claim(theory, body, complaint):
    theory.write("a", AS_PRINTED + body)
    result = theory.run()
    result.stdout.fnmatch_lines([f"Theorem 3.1: {complaint}", "Theorem 3.1 *broken *"])
    assert result.ret == 1


@pytest.mark.parametrize(
    "body",
    [
        WIDE.replace("10**6)\n{", "9)\n{").format(settings=""),
        WIDE.format(settings=""),
        BATCHED.format(decorator="batches.given_batches(number=NUMBERS)"),
        IDLE.format(error="[0.0, 0.5]", bound="[float('inf'), 1.0]"),
    ],
)
def test_a_finite_set_and_a_bound_that_is_finite_once_are_evidence(theory, body):
    theory.write("a", AS_PRINTED + body)
    result = theory.run()
    result.stdout.fnmatch_lines(["Theorem 3.1 *holds *"])
    assert result.ret == 0
