"""Self-tests: every number that Experiments 3 to 5 print is the one that is run, at the scale of the paper too.

The plans are what a run would be asked to do; nothing is trained.
"""

import pytest

from fixtures.sweeps.settings import Setting
from properties.certificates import assert_at_most, assert_identical
from theorems.section_10_experiments import batch_sweep, classifier_plans, learning_rate_sweep, width_sweep
from theorems.section_10_experiments.experiment_3_width import test_a_movement as experiment_3_a
from theorems.section_10_experiments.experiment_3_width import test_b_test_accuracy as experiment_3_b
from theorems.section_10_experiments.experiment_4_learning_rate import test_b_correlation as experiment_4_b
from theorems.section_10_experiments.experiment_4_learning_rate import test_d_edge_of_stability as experiment_4_d

PAPER, DIGITS = Setting("paper", "cifar10", "cuda", printed=True), Setting("smoke", "digits", "cpu")
SETTINGS = (PAPER, Setting("reduced", "cifar10", "cuda"), Setting("smoke", "cifar10", "cuda"), DIGITS)


def test_learning_rates_grow_as_the_square_root_of_the_batch():
    # given  roots of 4, 16, 64 and 256, which are exact
    arms = batch_sweep.arms_at_root_rate(batch_sweep.plan_of(PAPER))
    assert_identical([arm.batch for arm in arms], [32, 128, 512, 2048, 8192], why="the printed batch sizes")
    assert_identical([arm.eta / 0.05 for arm in arms], [1, 2, 4, 8, 16], why="eta over that of B = 32")
    # then   a training set smaller than a batch is the batch: 800 = 25 times 32
    few = batch_sweep.arms_at_root_rate(batch_sweep.plan_of(DIGITS))
    assert_identical([arm.batch for arm in few], [32, 128, 512, 800], why="batch sizes on digits")
    assert_identical(few[-1].eta, 5 * 0.05, why="eta of the full batch of 800")


def test_at_a_fixed_learning_rate_only_the_batch_differs():
    small, large = batch_sweep.arms_at_one_rate(batch_sweep.plan_of(PAPER))
    assert_identical([small.eta, large.eta, small.batch, large.batch], [0.05, 0.05, 32, 8192], why="eta and B")


def test_the_runs_of_experiment_5_are_the_three_families():
    found = {(it.config.batch, it.config.eta, it.config.label_noise) for it in batch_sweep.trials(PAPER)}
    root = {(32 * 4**k, 0.05 * 2**k, 0.0) for k in range(5)}
    assert found == root | {(8192, 0.05, 0.0), (32, 0.05, 0.2), (8192, 0.8, 0.2)}
    assert_identical(batch_sweep.PRINTED_GAP, 3.0, why="the printed gap, in points")


@pytest.mark.parametrize("place", SETTINGS, ids=lambda place: place.case)
def test_the_runs_of_experiment_4_are_the_printed_learning_rates(place):
    found = learning_rate_sweep.trials(place)
    assert list(dict.fromkeys(it.config.eta for it in found)) == [0.001, 0.01, 0.1, 0.5]
    assert len({it.config.batch for it in found}) == 1
    assert_identical(experiment_4_b.PRINTED_RHO, -0.89, why="the printed correlation")
    assert_identical(
        [learning_rate_sweep.PRINTED_BEST, *experiment_4_d.SLIGHTLY_BELOW], [0.1, 0.75, 1.0], why="(c) and (d)"
    )


@pytest.mark.parametrize(("place", "epochs"), [(SETTINGS[0], 23), (SETTINGS[1], 95), (DIGITS, 11)])
def test_the_cap_of_experiment_4_leaves_the_least_learning_rate_21_times_the_epochs_of_the_printed_best(place, epochs):
    # then   what the plan says of its caps: these many epochs at 0.1, where 0.001 takes 21 times as many steps
    assert_at_most(21 * epochs, learning_rate_sweep.plan_of(place).cap_epochs, why="epochs at 0.001")


@pytest.mark.parametrize(("place", "epochs"), [(SETTINGS[0], 5), (SETTINGS[1], 9), (DIGITS, 9)])
def test_the_cap_of_experiment_5_leaves_the_largest_batch_two_fifths_of_the_steps_of_the_smallest(place, epochs):
    # then   what the plan says of its caps: these many epochs at B = 32, and 0.41 of their steps at the largest batch
    plan = batch_sweep.plan_of(place)
    small, large = batch_sweep.arms_at_one_rate(plan)
    assert_at_most(0.41 * epochs * large.batch / small.batch, plan.cap_epochs, why="epochs of the largest batch")


@pytest.mark.parametrize("place", SETTINGS, ids=lambda place: place.case)
def test_the_runs_of_experiment_3_are_the_printed_widths(place):
    networks = [it for it in width_sweep.trials(place) if hasattr(it, "width")]
    assert list(dict.fromkeys(it.width for it in networks)) == [10, 100, 1000, 10_000]
    assert (width_sweep.NARROW, width_sweep.WIDE) == ((10, 100), (1000, 10_000))
    # then   every width has its random function kept, in the standard parameterization
    random = [it for it in networks if not it.antisymmetric and it.size == width_sweep.plan_of(place).size]
    assert {(it.width, it.parameterization) for it in random} == {(m, "standard") for m in width_sweep.WIDTHS}
    assert (experiment_3_b.GAIN, experiment_3_b.LEAST_GAIN, experiment_3_a.CLOSE) == ((5.0, 8.0), 2.5, -0.25)


@pytest.mark.parametrize("experiment", [width_sweep, learning_rate_sweep, batch_sweep])
def test_the_paper_is_run_on_its_data_and_its_network(experiment):
    # then   all 50,000 training images of CIFAR-10, those held out for validation included, and ResNet-18 at width 64
    found = experiment.trials(PAPER)
    if experiment is width_sweep:
        assert {it.size + it.validation for it in found if it.size > 1000} == {50_000}
    else:
        assert {(it.config.data, it.config.size, it.config.model, it.config.width) for it in found} == {
            ("cifar10", 50_000, "resnet18", 64)
        }
    assert experiment.PRINTED_DATA[0] == "cifar10"


def test_the_seeds_that_decide_are_those_that_were_frozen():
    seeds = {it.config.seed for it in (*learning_rate_sweep.trials(DIGITS), *batch_sweep.trials(DIGITS))}
    assert seeds == set(range(500, 507))
    assert {it.seed for it in width_sweep.trials(DIGITS)} == set(range(500, 505))
    assert (classifier_plans.FIRST_SEED, width_sweep.FIRST_SEED) == (500, 500)


def test_runs_are_compared_when_the_rules_say():
    assert [str(rule) for rule in learning_rate_sweep.equal_epochs(DIGITS)] == ["after 40 epochs"]
    found = [*batch_sweep.equal_epochs(DIGITS), *batch_sweep.equal_steps(DIGITS), *batch_sweep.matched(DIGITS)]
    assert [str(rule) for rule in found] == [
        "after 10 epochs",
        "after 150 steps",
        "between the epochs around training loss 0.1",
        "at the first epoch at or below training loss 0.1",
        "at the last epoch above training loss 0.1",
    ]
    assert learning_rate_sweep.matched(DIGITS) == batch_sweep.matched(DIGITS)


def test_settings_are_told_by_what_is_trained():
    assert [learning_rate_sweep.model_of(it) for it in SETTINGS] == [
        "ResNet-18 of width 64",
        "ResNet-18 of width 16, 10,000 images",
        "ResNet-18 of width 4, 300 images",
        "ResNet-18 of width 4",
    ]
    assert [width_sweep.model_of(it) for it in (SETTINGS[1], DIGITS)] == [
        "two-layer networks, 10,000 images",
        "two-layer networks",
    ]
