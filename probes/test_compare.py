"""Self-tests: what counts as a changed bias, with which probability of a false alarm, and what is not judged."""

import dataclasses
import math

import numpy as np
import pytest

from probes.compare import FEWEST, are_apart, chance, compare, main, pairs
from probes.profiles.answers import Answer, Measured, Status
from probes.profiles.document import ProfileError, save
from probes.running.faults import Fault, Severity
from probes.running.problem import Effort

LOW, HIGH = np.arange(12) / 12, 2 + np.arange(12) / 12
INF, NAN = math.inf, math.nan


def test_ranges_that_are_apart_are_a_change_from_and_to(profile_of):
    found = compare(profile_of(LOW), profile_of(HIGH))
    assert found.changes == ("interpolation, distance: 0 .. 0.917, and is now 2 .. 2.92",)
    assert compare(profile_of(HIGH), profile_of(LOW)).changes == (
        "interpolation, distance: 2 .. 2.92, and is now 0 .. 0.917",
    )


@pytest.mark.parametrize(
    ("before", "now", "resolution", "has_changed"),
    [
        (LOW, LOW + 0.9, 0.0, False),  # the ranges meet
        (LOW, HIGH, 1.0, True),  # 2 - 11/12 > 1
        (LOW, HIGH, 1.25, False),
        ([0.0], [0.5], 0.4, True),  # a number that no instance moves
        ([0.0], [0.5], 0.5, False),
        ([NAN], [NAN], 0.0, False),
        ([NAN], [1.0], 9.0, True),
        ([INF], [INF], 0.0, False),
        ([INF], [1.0], 9.0, True),
        ([INF] * 12, [INF] * 12, 0.0, False),
        ([INF] * 12, LOW, 9.0, True),
        ([-INF] * 12, [INF] * 12, 9.0, True),
        ([NAN] * 12, LOW, 9.0, True),  # the instances have lost, or found, their values
        ([NAN] * 12, [NAN] * 12, 0.0, False),
        ([*LOW, NAN], [*HIGH, NAN, NAN], 0.0, True),  # 12 values are enough
    ],
)
def test_a_number_changes_by_more_than_its_resolution(profile_of, before, now, resolution, has_changed):
    one, other = (profile_of(values, resolution=resolution) for values in (before, now))
    assert (compare(one, other).has_changed, compare(other, one).has_changed) == (has_changed, has_changed)
    assert compare(one, other).unjudged == ()


@pytest.mark.parametrize(
    ("before", "now", "resolution", "why"),
    [
        (LOW[:11], HIGH[:11], 0.0, "11 values, and now 11; 12 are needed"),
        ([0.0], HIGH, 0.0, "1 values, and now 12; 12 are needed"),
        ([*LOW[:11], NAN], HIGH, 0.0, "11 of 12 instances have a value, and now 12 of 12"),
        (LOW, HIGH, NAN, "its resolution is nan, and now nan"),
        (LOW, HIGH, INF, "its resolution is inf, and now inf"),
        ([0.0], [9.0], -1.0, "its resolution is -1, and now -1"),
    ],
)
def test_what_cannot_be_judged_is_said(profile_of, before, now, resolution, why):
    found = compare(*(profile_of(values, resolution=resolution) for values in (before, now)))
    assert found.unjudged == (f"interpolation, distance: {why}",)
    assert not found.has_changed


def test_no_resolution_is_needed_where_a_sample_has_lost_its_values(profile_of):
    lost = profile_of([NAN] * 12, resolution=NAN)
    assert compare(profile_of(LOW), lost).changes == ("interpolation, distance: 0 .. 0.917, and is now no value",)
    assert compare(lost, lost).changes == compare(lost, lost).unjudged == ()


def test_the_larger_of_two_resolutions_counts(profile_of):
    assert not compare(profile_of(LOW, resolution=0.0), profile_of(HIGH, resolution=9.0)).has_changed
    assert not compare(profile_of(LOW, resolution=9.0), profile_of(HIGH, resolution=0.0)).has_changed


def test_the_false_alarm_is_counted_over_all_choices_and_added_over_numbers(profile_of):
    assert chance(2, 2) == 2 / 6  # of aabb abab abba baab baba bbaa, the first and the last
    assert chance(12, 12) == pytest.approx(2 * math.factorial(12) ** 2 / math.factorial(24))
    numbers = tuple(Measured(name, tuple(LOW), 0.0) for name in "abc")
    answer = Answer("interpolation", Status.ANSWERED, "yes", "", None, numbers)
    many = dataclasses.replace(profile_of(), answers=(answer,))
    found = compare(many, many)
    assert (found.judged, found.false_alarm) == (3, pytest.approx(3 * chance(12, 12)))


def test_exchangeable_samples_are_apart_as_often_as_that():
    drawn = np.random.default_rng(0).random((5_000, 2, 2))
    share = np.mean([are_apart(one, other, 0.0) for one, other in drawn])
    # Hoeffding: a mean of 5,000 indicators is further than this from 2/C(4, 2) with probability 1e-9 at most.
    assert abs(share - chance(2, 2)) <= math.sqrt(math.log(2e9) / 10_000)


def test_an_answer_in_words_is_a_change_on_the_same_instances(profile_of):
    found = compare(profile_of(LOW, says="yes"), profile_of(LOW, says="only with decay"))
    assert found.changes == ("interpolation: yes, and is now: only with decay",)
    found = compare(profile_of(LOW), profile_of(LOW, says=""))
    assert found.changes == ("interpolation: yes, and is now: not converged (so it is)",)


def test_on_other_instances_words_need_a_number_that_has_changed(profile_of):
    before = profile_of(LOW)
    at_threshold = compare(before, profile_of(LOW, says="only with decay", seed=1))
    assert not at_threshold.has_changed
    assert "none of its numbers has changed" in at_threshold.others[0]
    changed = compare(before, profile_of(HIGH, says="only with decay", seed=1))
    assert changed.changes[0] == "interpolation: yes, and is now: only with decay"
    assert len(changed.changes) == 2
    failed = compare(before, profile_of(LOW, says="", status=Status.FAILED, seed=1))
    assert failed.has_changed
    single = compare(profile_of([1.0]), profile_of([1.0], says="only with decay", seed=1))
    assert single.has_changed


@pytest.mark.parametrize("other", [{"torch": "2.12"}, {"torch": "2.13", "processor": "AVX2"}])
def test_with_other_versions_or_another_processor_words_need_a_number_that_has_changed(profile_of, other):
    before, moved = profile_of(LOW, environment={"torch": "2.13"}), profile_of(HIGH, says="no", environment=other)
    rounded = compare(before, profile_of(LOW, says="only with decay", environment=other))
    assert not rounded.has_changed
    assert "none of its numbers has changed" in rounded.others[0]
    assert len(compare(before, moved).changes) == 2
    assert compare(before, profile_of(LOW, says="no", environment={"torch": "2.13"})).has_changed


def test_the_same_few_values_again_need_no_judge(profile_of):
    few = profile_of([*LOW[:2], *[NAN] * 10])
    assert compare(few, few).unjudged == ()


def test_on_other_instances_a_number_that_is_gone_or_new_is_not_judged(profile_of):
    full = profile_of(LOW, seed=1)
    lacking = dataclasses.replace(full, answers=(dataclasses.replace(full.answers[0], measured=()),))
    for found in (compare(profile_of(LOW), lacking), compare(lacking, profile_of(LOW))):
        assert not found.has_changed
        assert len(found.unjudged) == 1


def test_a_question_or_a_number_that_is_gone_or_new_is_a_change(profile_of):
    full, empty = profile_of(LOW), dataclasses.replace(profile_of(), answers=())
    assert compare(full, empty).changes == ("interpolation: is gone",)
    assert compare(empty, full).changes == ("interpolation: is not in the older profile",)
    assert not compare(full, empty, questions=[]).has_changed
    lacking = dataclasses.replace(full, answers=(dataclasses.replace(full.answers[0], measured=()),))
    assert compare(full, lacking).changes == ("interpolation, distance: is gone",)
    assert compare(lacking, full).changes == ("interpolation, distance: is new",)


def test_a_fault_that_is_new_or_gone_is_a_change(profile_of):
    broken = profile_of(LOW, faults=(Fault(Severity.FAULT, "it never moves"),))
    assert compare(profile_of(LOW), broken).changes == ("a fault is new: it never moves",)
    assert compare(broken, profile_of(LOW)).changes == ("a fault is gone: it never moves",)
    assert not compare(broken, broken).has_changed
    assert not compare(profile_of(LOW), profile_of(LOW, faults=(Fault(Severity.REMARK, "it warns"),))).has_changed


def test_with_the_same_seed_and_versions_other_bits_are_told_and_are_no_change(profile_of):
    same = compare(profile_of(LOW), profile_of(LOW))
    assert same.others == ("same seed and versions: of 12 values, all bit for bit the same",)
    moved = compare(profile_of(LOW), profile_of([*LOW[:11], LOW[11] + 2**-52]))
    assert moved.others == ("same seed and versions: of 12 values, 1 not bit for bit the same",)
    assert not moved.has_changed
    other = compare(profile_of(LOW, environment={"torch": "2.12"}), profile_of(LOW, environment={"torch": "2.13"}))
    assert other.others == ("torch 2.13, and was 2.12",)
    assert compare(profile_of(LOW), profile_of(LOW, seed=1)).others == ("seed 1, and was 0",)


def test_profiles_of_another_effort_are_refused(profile_of):
    short = dataclasses.replace(profile_of(LOW), effort=Effort(steps=400))
    with pytest.raises(ProfileError, match=r"12 instances and 4000 steps, torch.optim:SGD with 12 instances and 400"):
        compare(profile_of(LOW), short)


def test_a_profile_is_found_by_its_name_or_is_the_only_one(profile_of):
    one, other = profile_of(name="a"), profile_of(name="b")
    assert pairs([one], ["anything"], "x.json") == [one]
    assert pairs([one, other], ["b"], "x.json") == [other]
    with pytest.raises(ProfileError, match=r"x.json has no profile of c: it has a, b"):
        pairs([one, other], ["a", "c"], "x.json")


def test_two_files_are_compared_from_the_command_line(profile_of, tmp_path, capsys):
    names = [str(tmp_path / name) for name in ("old.json", "new.json")]
    for name, values in zip(names, (LOW, HIGH), strict=True):
        save([profile_of(values)], tmp_path / name)
    assert main(names) == 1
    assert "0 .. 0.917, and is now 2 .. 2.92" in capsys.readouterr().out
    assert main(names[::-1]) == 1
    assert "2 .. 2.92, and is now 0 .. 0.917" in capsys.readouterr().out
    assert main([names[0]] * 2) == 0
    assert "the bias has not changed" in capsys.readouterr().out
    assert main(names[:1]) == main([names[0], str(tmp_path / "none.json")]) == 2


def test_the_smallest_sample_is_that_of_the_usual_effort():
    assert Effort().instances == FEWEST
