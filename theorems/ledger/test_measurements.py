"""Self-tests: readings and measurements are shown, and decide where they should."""

import pytest

from theorems.ledger.small_theory import AS_PRINTED, MEASURED, PINNED, SEARCHED, measurements, read_as

pytestmark = pytest.mark.slow


def test_what_a_measurement_finds_is_the_verdict_of_an_experiment(theory):
    theory.write("a", measurements("'reproduced'"), label="Experiment 3", expected="reproduced")
    result = theory.run()
    result.stdout.fnmatch_lines(["Experiment 3 *reproduced (digits) *6 *", "    digits: gap 2 [[]1, 3.25[]]"])
    assert result.ret == 0
    (claim,) = theory.ledger()["claims"]
    (finding,) = claim["evidence"][1]["findings"]
    assert (finding["lower"], finding["upper"], finding["trials"], finding["level"]) == (1.0, 3.25, 5, 0.95)


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (["'reproduced'", "'inconclusive'"], "inconclusive"),
        (["'not reproduced'", "'inconclusive'"], "not reproduced"),
        (["'not reproduced'", "'reproduced'"], "inconclusive"),
    ],
)
def test_several_measurements_come_to_the_weakest_finding_unless_they_clash(theory, found, verdict):
    theory.write("a", measurements(*found), label="Experiment 3", expected=verdict)
    assert theory.ledger()["claims"][0]["verdict"] == verdict


def test_the_expected_verdict_binds_in_the_setting_it_was_frozen_for(theory):
    theory.write("a", measurements("'reproduced'"), label="Experiment 3", expected="not reproduced")
    theory.run().stdout.fnmatch_lines(["*the evidence says reproduced, the docstring expects not reproduced"])
    theory.write("a", measurements("'reproduced', binding=False"), label="Experiment 3", expected="not reproduced")
    result = theory.run()
    result.stdout.fnmatch_lines(["Experiment 3 *reproduced *", "    the paper's: gap 2 *"])
    assert result.ret == 0


def test_a_file_that_expects_inconclusive_accepts_any_measured_result(theory):
    theory.write("a", measurements("'reproduced'"), label="Experiment 3", expected="inconclusive")
    assert theory.run().ret == 0
    theory.write("a", measurements("'inconclusive'"), label="Experiment 3", expected="reproduced")
    theory.run().stdout.fnmatch_lines(["*the evidence says inconclusive, the docstring expects reproduced"])


def test_a_reading_that_does_not_decide_is_shown_with_its_verdict(theory):
    body = AS_PRINTED + read_as("wide", PINNED + SEARCHED)
    theory.write("a", body, Readings="[wide] for every start - refuted")
    result = theory.run()
    result.stdout.fnmatch_lines(
        ["Theorem 3.1 *holds *", "    read as wide: refuted", "        fails at n=1: risk 2 > *"]
    )
    assert result.ret == 0
    (claim,) = theory.ledger()["claims"]
    assert claim["verdict"] == "holds"
    (reading,) = claim["statements"][0]["readings"]
    told = {"name": "wide", "words": "for every start", "verdict": "refuted", "expected": "refuted"}
    assert reading == told | {"witness": "n=1: risk 2 > bound 1", "worked": None, "findings": []}


def test_a_reading_refutes_with_a_witness_and_a_search_of_its_own(theory):
    theory.write("a", AS_PRINTED + read_as("wide", PINNED), Readings="[wide] every start - refuted")
    result = theory.run()
    result.stdout.fnmatch_lines(["Theorem 3.1: read as wide: no search finds a counterexample by itself"])
    assert result.ret == 1


def test_the_reading_most_favourable_to_the_author_decides(theory):
    body = PINNED + SEARCHED + read_as("in the limit", AS_PRINTED)
    theory.write("a", body, expected="refuted", Readings="[in the limit] as lambda -> 0+ - holds")
    result = theory.run()
    result.stdout.fnmatch_lines(["*read as in the limit it holds, which is better than refuted*should decide"])
    assert result.ret == 1


def test_the_verdict_that_is_expected_of_a_reading_binds(theory):
    body = AS_PRINTED + read_as("wide", PINNED + SEARCHED)
    theory.write("a", body, Readings="[wide] for every start - vacuous")
    theory.run().stdout.fnmatch_lines(["*read as wide: the evidence says refuted, the docstring expects vacuous"])


def test_a_slow_reading_of_a_theorem_waits_without_holding_up_the_verdict(theory):
    slow = "@pytest.mark.slow\n@vacuous(reading='wide')\ndef test_long():\n    assert_at_most(1, 1, why='')\n"
    theory.write("a", AS_PRINTED + slow, Readings="[wide] for every start - vacuous")
    result = theory.run("-m", "fast")
    result.stdout.fnmatch_lines(["Theorem 3.1 *holds *"])
    assert "read as wide" not in result.stdout.str()
    assert result.ret == 0
    theory.run().stdout.fnmatch_lines(["    read as wide: vacuous"])


def test_a_slow_reading_of_an_experiment_holds_up_its_verdict(theory):
    body = measurements("'reproduced'", "'reproduced'").replace(
        "@measured\ndef test_0", "@pytest.mark.fast\n@measured\ndef test_0"
    )
    body = body.replace("@measured\ndef test_1", "@measured(reading='centered')\ndef test_1")
    fields = {"Readings": "[centered] networks less their start - reproduced"}
    theory.write("a", body, label="Experiment 3", expected="reproduced", **fields)
    theory.run("-m", "fast").stdout.fnmatch_lines(["Experiment 3 *not run *", "    needs -m slow"])
    theory.run().stdout.fnmatch_lines(["Experiment 3 *reproduced *"])


def test_readings_of_an_experiment_that_clash_are_inconclusive(theory):
    body = measurements("'reproduced'", "'not reproduced'").replace(
        "@measured\ndef test_1", "@measured(reading='centered')\ndef test_1"
    )
    fields = {"Readings": "[centered] networks less their start - not reproduced"}
    theory.write("a", body, label="Experiment 3", expected="inconclusive", **fields)
    result = theory.run()
    result.stdout.fnmatch_lines(["Experiment 3 *inconclusive (digits) *", "    read as centered: not reproduced"])
    assert result.ret == 0


def test_a_long_setting_has_a_line_of_its_own(theory):
    long = "digits, " + "a network with many layers, " * 4
    body = measurements("'reproduced'").replace('title="digits"', f"title={long!r}")
    theory.write("a", body, label="Experiment 3", expected="reproduced")
    result = theory.run()
    result.stdout.fnmatch_lines(["Experiment 3 *reproduced *6 *", "    (digits, a network with many layers, *"])
    start = next(index for index, line in enumerate(result.outlines) if "= ledger =" in line)
    assert max(map(len, result.outlines[start:])) <= 120


def test_an_observation_is_judged_as_an_experiment(theory):
    theory.write("a", measurements("'reproduced'"), expected="reproduced", Kind='observation: "often"')
    result = theory.run()
    result.stdout.fnmatch_lines(["Theorem 3.1 *reproduced (digits) *"])
    assert result.ret == 0


def test_without_its_measurements_an_experiment_is_not_run(theory):
    theory.write("a", measurements("'reproduced'"), label="Experiment 3", expected="reproduced")
    theory.run("-k", "beside").stdout.fnmatch_lines(["Experiment 3 *not run*", "*needs -m slow*"])


def test_a_measurement_without_a_finding_breaks_its_claim(theory):
    silent = MEASURED + "\n@measured\ndef test_silent():\n    pass\n"
    theory.write("a", silent, label="Experiment 3", expected="reproduced")
    result = theory.run()
    result.stdout.fnmatch_lines(["*test_silent finds nothing*"])
    assert result.ret == 1
