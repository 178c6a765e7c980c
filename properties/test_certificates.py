"""Self-tests: certificates fail when they should, name the worst instance, and report to the observer."""

from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import strategies as st

from fixtures.problems.examples import simplest
from fixtures.problems.regression import Regression, regressions
from properties import certificates
from properties.certificates import (
    Certificate,
    assert_at_most,
    assert_equal_within,
    assert_identical,
    assert_keeps,
    assert_not_negative,
    assert_not_positive,
    assert_violates,
    assert_within,
    observed_by,
    record_finding,
    record_series,
)
from properties.search import smallest_violation
from properties.statistics.paired import judge, student_interval


class Notebook:
    def __init__(self):
        self.ratios, self.witnesses, self.tried, self.series, self.labels = [], [], 0, {}, []
        self.findings, self.failures, self.slacks = [], [], []

    def certified(self, kind, why, ratio, instances):
        self.ratios.append((kind, why, ratio, instances))

    def failed(self, why):
        self.failures.append(why)

    def compared(self, why, slack):
        self.slacks.append((why, slack))

    def violated(self, witness, exact):
        self.witnesses.append((witness, exact))

    def kept(self, hypotheses):
        self.labels += hypotheses

    def searched(self, tried):
        self.tried += tried

    def recorded(self, title, columns):
        self.series[title] = columns

    def found(self, finding):
        self.findings.append(finding)


@pytest.mark.parametrize(
    ("error", "bound", "ratio", "holds"),
    [
        (1, 2, 0.5, True),
        (0, 0, 0, True),
        (-3, -2, 0, True),
        (1, 0, np.inf, False),
        (2, 1, 2, False),
        (np.nan, 1, np.nan, False),
        (1, np.nan, np.nan, False),
        (Fraction(1, 3), 1, 1 / 3, True),
    ],
)
def test_ratio_and_truth_of_an_inequality(error, bound, ratio, holds):
    certificate = Certificate(error, bound, "why")
    assert np.array_equal(certificate.ratio(), ratio, equal_nan=True)
    assert certificate.holds() is holds


def test_a_failure_prints_value_bound_ratio_and_the_worst_instance():
    with pytest.raises(AssertionError) as failure:
        assert_at_most([1.0, 6.0, 2.0], 3.0, why="distance", instance={"w": np.array([[1.0], [2.5], [3.0]]), "eta": 1})
    assert str(failure.value).splitlines() == [
        "distance: error 6, bound 3, ratio 2 (instance 1 of 3)",
        "  instance: w=[2.5], eta=1",
    ]


def test_the_worst_instance_of_a_batch_of_problems_is_cut_out():

    from fixtures.problems.batches import stack

    problem = simplest(regressions())
    batch = stack([problem, problem])
    assert isinstance(batch, Regression)
    assert "X=[[1, 0]], y=[0]" in Certificate([0.0, 2.0], 1.0, "why", batch).describe()


def test_each_certificate_reports_its_kind_and_words():
    notes = Notebook()
    with observed_by(notes):
        assert_at_most([1.0, 3.0], 4.0, why="two instances")
        assert_within(1, 2, 4, why="between")
        assert_not_positive([-1.0, 0.0], why="sinks")
        assert_not_negative(2.0, why="rises")
        assert_identical(1, 1, why="one")
        assert_equal_within(2.0, 2.25, 0.5, why="near")
        assert_violates(Fraction(5), 1, reads="{value} > {limit}")
    assert notes.ratios == [
        ("inequality", "two instances", 0.75, 2),
        ("inequality", "between (from above)", 0.5, 1),
        ("inequality", "between (from below)", 0.5, 1),
        ("sign", "sinks", 0, 2),
        ("sign", "rises", 0, 1),
        ("identity", "one", 0, 1),
        ("equality", "near", 0.5, 1),
        ("violation", "{value} > {limit}", 0.2, 1),
    ]
    assert notes.slacks == [("near", 0.5 / 2.25)]


def test_a_bound_of_infinity_is_reported_with_the_ratio_zero():
    notes = Notebook()
    with observed_by(notes):
        assert_at_most([1.0, 2.0], np.inf, why="no bound")
        assert_at_most([1.0, 2.0], [np.inf, 4.0], why="a bound in the second instance")
    assert [ratio for *_, ratio, _ in notes.ratios] == [0, 0.5]


@pytest.mark.parametrize(
    ("error", "bound"),
    [
        (1e-300, 0),
        (5e-324, 0),
        (1 + 2.0**-52, 1),
        (1e300 * (1 + 2.0**-52), 1e300),
        (1e-300 * (1 + 2.0**-52), 1e-300),
        (0, -1e-300),
        (-1 + 2.0**-53, -1),
        (Fraction(10**30 + 1, 10**30), 1),
        (Fraction(1, 10**400), 0),
        ([0.0, 1e-300], [1.0, 0.0]),
    ],
)
def test_an_inequality_that_fails_by_the_least_number_fails_at_every_scale(error, bound):
    certificate = Certificate(np.asarray(error), np.asarray(bound), "why")
    assert not certificate.holds()
    with pytest.raises(AssertionError, match="why: error"):
        assert_at_most(error, bound, why="why")


@pytest.mark.parametrize(
    "call",
    [
        lambda: assert_at_most(2, 1, why="no"),
        lambda: assert_at_most([], 1, why="no"),
        lambda: assert_within(0, 2, 1, why="no"),
        lambda: assert_not_positive(5e-324, why="no"),
        lambda: assert_not_negative([1.0, -5e-324], why="no"),
        lambda: assert_not_negative(np.nan, why="no"),
        lambda: assert_identical(1, 2, why="no"),
        lambda: assert_equal_within(1.0, 2.0, 0.5, why="no"),
        lambda: assert_equal_within(1.0, 1.0, 1.0, why="no"),
        lambda: assert_equal_within([1.0, 0.0], [1.0, 0.0], 0.5, why="no"),
        lambda: assert_equal_within(1.0, 1.0, np.inf, why="no"),
        lambda: assert_violates(1, 1, reads="no"),
        lambda: assert_keeps(no=False),
        lambda: smallest_violation(st.integers(1, 3), lambda _: True),
        lambda: smallest_violation(st.integers(1, 3), lambda _: False),
        lambda: smallest_violation(st.integers(1, 3), lambda x: x < 5, spared=4),
    ],
)
def test_an_assertion_tells_the_observer_before_it_raises(call):
    notes = Notebook()
    with observed_by(notes), pytest.raises(AssertionError):
        call()
    assert len(notes.failures) == 1


def test_a_search_shows_an_instance_that_is_no_violation_and_takes_one_from_outside_the_strategy():
    assert smallest_violation(st.integers(1, 9), lambda x: x > 3) == 4
    assert smallest_violation(st.integers(4, 9), lambda x: x > 3, spared=3) == 4


def test_infinity_within_infinity_certifies_nothing():
    with pytest.raises(AssertionError, match="ratio nan"):
        assert_at_most(np.inf, np.inf, why="an infinite error")


@pytest.mark.parametrize("optimize", [0, 2])
def test_certificates_fail_in_optimized_python_too(optimize):
    # given  the module compiled as `python -O` and `-OO` compile it: without assert statements
    source = Path(certificates.__file__).read_text(encoding="utf-8")
    names = {"__name__": certificates.__name__}
    exec(compile(source, certificates.__file__, "exec", optimize=optimize, dont_inherit=True), names)
    # then
    for call in (
        lambda: names["assert_at_most"](2, 1, why="above its bound"),
        lambda: names["assert_at_most"](np.array([]), 1, why="empty"),
        lambda: names["assert_identical"](1, 2, why="different"),
        lambda: names["assert_violates"](1, 2, reads="{value} > {limit}"),
    ):
        with pytest.raises(AssertionError):
            call()


def test_a_certificate_without_instances_fails():
    with pytest.raises(AssertionError, match="nothing to certify"):
        assert_at_most(np.array([]), np.array([]), why="empty")


def test_nan_fails_on_either_side():
    with pytest.raises(AssertionError):
        assert_at_most(np.nan, 1.0, why="nan")
    with pytest.raises(AssertionError):
        assert_within(0.0, np.nan, 1.0, why="nan")


def test_a_two_sided_bound_checks_both_sides():
    assert_within(1, 2, 3, why="inside")
    with pytest.raises(AssertionError, match="from below"):
        assert_within(1, 0, 3, why="under")
    with pytest.raises(AssertionError, match="from above"):
        assert_within(1, 4, 3, why="over")


def test_assert_identical_is_exact():
    assert_identical(Fraction(1, 3), Fraction(2, 6), why="thirds")
    with pytest.raises(AssertionError, match=r"0\.1 \+ 0\.2: 0\.3 is not 0\.3"):
        assert_identical(0.1 + 0.2, 0.3, why="0.1 + 0.2")


def test_what_is_asserted_is_reported():
    notes = Notebook()
    with observed_by(notes):
        assert_at_most([1.0, 3.0], 4.0, why="two instances")
        assert_violates(Fraction(5), 1, reads="risk {value} > bound {limit}", X=[[Fraction(1, 2), 0]])
        assert_violates(1.5, 1, reads="{value} > {limit}", slack=1e-9)
        smallest_violation(st.integers(0, 100), lambda x: x >= 7)
    assert [note[2:] for note in notes.ratios[:2]] == [(0.75, 2), (0.2, 1)]
    assert notes.witnesses == [("X=[[1/2, 0]]: risk 5 > bound 1", True), ("1.5 > 1", False)]
    assert notes.tried > 0


def test_a_violation_needs_its_margin():
    with pytest.raises(AssertionError, match="not a violation - n=1: 1 > 1"):
        assert_violates(1, 1, reads="{value} > {limit}", n=1)
    with pytest.raises(AssertionError, match="not a violation"):
        assert_violates(1.5, 1, reads="{value} > {limit}", slack=0.5)


def test_hypotheses_that_are_kept_are_asserted_and_reported():
    notes = Notebook()
    with observed_by(notes):
        assert_keeps(H1=True, H3=np.array([1.0, 2.0]) > 0)
        with pytest.raises(AssertionError, match="H2 is not satisfied by this instance"):
            assert_keeps(H2=np.array([True, False]), H4=True)
        with pytest.raises(AssertionError, match="H2"):
            assert_keeps(H2=np.array([]))
        with pytest.raises(ValueError, match="names the hypotheses"):
            assert_keeps()
    assert notes.labels == ["H1", "H3"]


def test_a_search_shrinks_and_is_the_same_every_time():
    found = [smallest_violation(st.integers(0, 10**6), lambda x: x > 1234) for _ in range(2)]
    assert found == [1235, 1235]


def test_a_search_without_a_violation_is_an_error():
    with pytest.raises(AssertionError, match="refutes nothing"):
        smallest_violation(st.integers(0, 10), lambda x: x > 10, budget=20)


def test_a_series_reaches_the_observer_as_plain_numbers():
    notebook = Notebook()
    with observed_by(notebook):
        record_series("excess", alpha=np.array([1, 2]), excess=(Fraction(1, 2), 0.25))
    assert notebook.series == {"excess": {"alpha": [1.0, 2.0], "excess": [0.5, 0.25]}}


@pytest.mark.parametrize(
    ("columns", "complaint"),
    [
        ({}, "of one length and not empty"),
        ({"x": [1, 2], "y": [1]}, "of one length and not empty"),
        ({"x": []}, "of one length and not empty"),
        ({"x": 1.0}, "of one length and not empty"),
        ({"x": [1, 2], "y": [1, np.inf]}, "'y' is not finite"),
    ],
)
def test_a_series_that_cannot_be_drawn_is_refused(columns, complaint):
    with pytest.raises(ValueError, match=complaint):
        record_series("excess", **columns)


def test_a_finding_is_told_with_its_reason_and_its_setting():
    notebook, where = Notebook(), SimpleNamespace(title="digits", binding=True, printed=False)
    interval = SimpleNamespace(lower=9, estimate=9.5, upper=10, level=0.95)
    with observed_by(notebook):
        record_finding("reproduced", interval, where=where, trials=5, reads="gap {estimate}")
        record_finding(judge(interval, null=0, printed=3), interval, where=where, trials=5, reads="gap {estimate}")
    told = [(found["reads"], found["setting"], found["printed"]) for found in notebook.findings]
    assert told == [("gap 9.5", "digits", False), ("gap 9.5: excludes 0, beyond the printed size", "digits", False)]
    assert type(notebook.findings[1]["finding"]) is str


def test_a_finding_is_reported_as_plain_data_that_crosses_processes():
    notes = Notebook()
    where = SimpleNamespace(title="digits", binding=np.True_, printed=np.False_)
    interval = student_interval(np.array([2.0, 2.25, 2.5]))
    with observed_by(notes):
        record_finding(
            judge(interval, null=0, direction=1), interval, where=where, trials=np.int64(3), reads="{estimate}"
        )
    (finding,) = notes.findings
    assert {type(value) for value in finding.values()} == {str, bool, int, float}
    assert finding["finding"] == "reproduced"


@pytest.mark.parametrize(
    ("finding", "ends", "trials", "complaint"),
    [
        ("holds", (0, 1, 2), 5, "does not find 'holds'"),
        ("reproduced", (0, 1, 2), 0, "0 trials give no interval"),
        ("reproduced", (0, np.nan, 2), 5, "give no interval"),
        ("reproduced", (0, 3, 2), 5, "give no interval"),
        ("reproduced", (0, 1, np.inf), 5, "give no interval"),
    ],
)
def test_a_finding_without_a_sound_measurement_is_refused(finding, ends, trials, complaint):
    lower, estimate, upper = ends
    interval = SimpleNamespace(lower=lower, estimate=estimate, upper=upper, level=0.95)
    with pytest.raises(ValueError, match=complaint):
        record_finding(
            finding,
            interval,
            where=SimpleNamespace(title="digits", binding=True, printed=False),
            trials=trials,
            reads="",
        )
