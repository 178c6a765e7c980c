"""Self-tests: a run that has lost power against the baseline fails, and says what it has lost."""

import json

import pytest

from theorems.ledger import baseline
from theorems.ledger.small_theory import AS_PRINTED, CORRECTED

pytestmark = pytest.mark.slow

BODY = (
    AS_PRINTED
    + """
@as_printed
@pytest.mark.parametrize("n", [1, 2, 3])
@given(st.integers(0, 10**6))
def test_scaled(n, x):
    assert_at_most(n * x, n * 10**6, why="scaled")
    assert_at_most(x, x + n, why="shifted")

@as_printed
def test_equal():
    assert_equal_within(1.0, 1.0, 2.0**-52, why="one")
"""
)
PLUGIN = ("-p", "theorems.ledger.baseline_plugin")


@pytest.fixture
def reviewed(theory, pytester):
    """Writes a claim, runs it, and keeps what it has shown; then compares other versions of the claim with that."""
    theory.write("a", BODY)
    assert theory.run(*PLUGIN, "--renew-baseline=base.json").ret == 0

    def compare(body, *options, **fields):
        theory.write("a", body, **fields)
        return theory.run(*PLUGIN, "--baseline=base.json", *options)

    compare.path = pytester.path / "base.json"
    return compare


def test_the_same_run_has_lost_nothing(reviewed):
    result = reviewed(BODY)
    result.stdout.fnmatch_lines(["baseline: nothing lost"])
    assert result.ret == 0


@pytest.mark.parametrize(
    ("old", "new", "loss"),
    [
        ("def test_one(", "def helper(", "test_one is gone"),
        ("def test_one(", "def test_other(", "test_other is new: renew the baseline"),
        ("@as_printed\ndef test_one", "@vacuous\ndef test_one", "test_one has the role vacuous, and had as printed"),
        ("[1, 2, 3]", "[1, 2]", "test_scaled has 2 parameter sets, and had 3"),
        ("st.integers(0, 10**6)", "st.just(1000)", "test_scaled tried 3 instances, and 300 before"),
        ("n * 10**6", "n * 10**8", "test_scaled has the ratio 0.01 in 'scaled', and had 1"),
        ('    assert_at_most(x, x + n, why="shifted")\n', "", "test_scaled certifies no more 'shifted'"),
        ("2.0**-52", "2.0**-42", "test_equal has the slack 2.3e-13 of what 'one' compares, and had 2.2e-16"),
    ],
)
def test_a_loss_of_power_fails_the_run(reviewed, old, new, loss):
    assert old in BODY
    result = reviewed(BODY.replace(old, new))
    result.stdout.fnmatch_lines([f"theorems/section_00/test_a.py::{loss}", "FAILED base.json::power*"])
    assert result.ret == 1


def test_a_test_that_names_other_labels_is_a_loss(reviewed):
    fields = {"Corrected": "(C1) one. (C2) two.", "expected": "holds"}
    both = CORRECTED.replace('"C1"', '"C1", "C2"').replace("test_corrected", "test_one")
    result = reviewed(
        BODY.replace('@as_printed\ndef test_one():\n    assert_at_most(1, 2, why="one")\n', both), **fields
    )
    result.stdout.fnmatch_lines(["*test_one has the labels C1, C2, and had none"])


def test_of_what_is_observed_the_certificates_are_compared_and_not_their_ratios(theory):
    observed = AS_PRINTED + "from theorems.ledger import observed\n@observed\ndef test_seen():\n    {}\n"
    theory.write("a", observed.format('assert_at_most(1, 1, why="seen")'))
    assert theory.run(*PLUGIN, "--renew-baseline=base.json").ret == 0
    theory.write("a", observed.format('assert_at_most(1, 10**6, why="seen")'))
    assert theory.run(*PLUGIN, "--baseline=base.json").ret == 0
    theory.write("a", observed.format('assert_at_most(1, 1, why="another")'))
    result = theory.run(*PLUGIN, "--baseline=base.json")
    result.stdout.fnmatch_lines(["*::test_seen certifies no more 'seen'"])


def test_a_part_of_the_tests_is_compared_with_its_own_past_alone(reviewed):
    result = reviewed(BODY.replace("[1, 2, 3]", "[1, 2]"), "-k", "test_one")
    result.stdout.fnmatch_lines(["baseline: nothing lost"])


def test_a_seeded_run_is_compared_by_its_structure(reviewed):
    weaker = BODY.replace("n * 10**6", "n * 10**9")
    result = reviewed(weaker, "--hypothesis-seed=7")
    result.stdout.fnmatch_lines(["baseline: nothing lost; instances and ratios not compared (a seeded run *)"])
    assert reviewed(weaker.replace("test_one", "test_other"), "--hypothesis-seed=7").ret == 1


def test_other_versions_are_compared_by_their_structure(reviewed):
    document = json.loads(reviewed.path.read_text(encoding="utf-8"))
    document["versions"]["numpy"] = "1.0"
    reviewed.path.write_text(json.dumps(document), encoding="utf-8")
    result = reviewed(BODY.replace("n * 10**6", "n * 10**9"))
    result.stdout.fnmatch_lines(["*ratios not compared (numpy *, not 1.0)"])
    assert result.ret == 0


def test_renewing_keeps_what_did_not_run(reviewed, theory):
    before = baseline.read(reviewed.path)
    assert theory.run(*PLUGIN, "--renew-baseline=base.json", "-k", "test_one").ret == 0
    assert baseline.read(reviewed.path) == before


@pytest.mark.parametrize("content", ["{", "[]", '{"schema": 0}', '{"schema": 1, "tests": [{}], "versions": {}}'])
def test_a_damaged_baseline_is_refused_in_one_line(reviewed, content):
    reviewed.path.write_text(content, encoding="utf-8")
    result = reviewed(BODY)
    result.stderr.fnmatch_lines(["ERROR: baseline base.json: *"])
    assert result.ret == pytest.ExitCode.USAGE_ERROR


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--baseline="], "--baseline and --renew-baseline need the name of a file"),
        (["--baseline=missing.json"], "baseline missing.json: cannot be read *"),
        (["--baseline=a", "--renew-baseline=a"], "--baseline and --renew-baseline exclude each other"),
        (["--renew-baseline=a", "--hypothesis-seed=1"], "--renew-baseline: a seeded run tries other instances"),
    ],
)
def test_options_that_cannot_be_met_are_refused_in_one_line(theory, options, line):
    theory.write("a", BODY)
    theory.run(*PLUGIN, *options).stderr.fnmatch_lines([f"ERROR: {line}"])


def test_a_baseline_that_cannot_be_written_fails_the_run(theory):
    theory.write("a", BODY)
    result = theory.run(*PLUGIN, "--renew-baseline=/proc/missing/base.json")
    result.stdout.fnmatch_lines(["baseline /proc/missing/base.json: cannot be written *", "Theorem 3.1 *holds *"])
    assert result.ret == 1
