"""Self-tests: an effect that is planted into records is found, with its sign, and its mirror image is not.

No network is trained: records are made up, with the fields that the trials give them.
"""

from unittest.mock import Mock

import numpy as np
import pytest

from fixtures.kernels.tuned_ridge import LIMITS, RATIOS
from fixtures.sweeps.settings import Setting
from fixtures.training.answers import pack_answers
from properties.certificates import observed_by
from theorems.section_10_experiments import batch_sweep, learning_rate_sweep, width_sweep
from theorems.section_10_experiments.classifier_runs import Runs
from theorems.section_10_experiments.experiment_3_width import test_b_test_accuracy as experiment_3_b
from theorems.section_10_experiments.experiment_4_learning_rate import test_a_flatter_minima as experiment_4_a
from theorems.section_10_experiments.experiment_4_learning_rate import test_b_correlation as experiment_4_b
from theorems.section_10_experiments.experiment_4_learning_rate import test_c_least_error as experiment_4_c
from theorems.section_10_experiments.experiment_4_learning_rate import test_d_edge_of_stability as experiment_4_d
from theorems.section_10_experiments.experiment_5_batch_size import test_a_flatter_minima as experiment_5_a
from theorems.section_10_experiments.experiment_5_batch_size import test_b_convergence as experiment_5_b
from theorems.section_10_experiments.experiment_5_batch_size import test_c_generalization_gap as experiment_5_c
from theorems.section_10_experiments.measurements import EPOCHS, STEPS
from theorems.section_10_experiments.section_10_3_limits_of_the_kernel_perspective import (
    test_a_kernel_regime as section_10_3_a,
)
from theorems.section_10_experiments.section_10_3_limits_of_the_kernel_perspective import (
    test_b_prediction as section_10_3_b,
)
from theorems.section_10_experiments.section_10_5_noise_as_regularizer import test_a_test_error as section_10_5_a
from theorems.section_10_experiments.section_10_5_noise_as_regularizer import test_b_curvature as section_10_5_b
from theorems.section_10_experiments.width_results import Results

pytestmark = pytest.mark.slow

DIGITS, IMAGES = Setting("smoke", "digits", "cpu", model="networks"), 200


def found(record, *arguments):
    """The findings that a call records."""
    notebook = Mock()
    with observed_by(notebook):
        record(*arguments)
    return [call.args[0] for call in notebook.found.call_args_list]


def answers(share, seed):
    """Wrong answers of this share, spread over the images by the seed."""
    return pack_answers(np.random.default_rng(seed).permutation(IMAGES) < round(share * IMAGES))


def planted(module, *, sharpness, error, steps):
    """Runs whose sharpness, share of errors and steps are functions of eta and B, seeds differing a little."""
    plan, records = module.plan_of(DIGITS), []
    for trial in module.trials(DIGITS):
        it = trial.config
        spread = 1 + 0.01 * np.sin(it.seed + 3 * it.eta)
        value, taken = float(sharpness(it.eta, it.batch) * spread), int(1000 * steps(it.eta, it.batch) * spread)
        share = float(np.clip(error(it.eta, it.batch) * spread, 0, 1))
        measured = {
            "step": taken,
            "epoch": taken * it.batch,
            "test_error": share,
            "test_wrong": answers(share, it.seed),
            "sharpness": {"value": value, "loss": 0.1, "squared_norm": 1.0, "residual": 0.0, "scale_invariant": value},
            "edge": it.eta * value / 2,
            "recheck": None,
        }
        moments = [("before loss", plan.loss, 1.5), ("loss", plan.loss, 0.75), ("epochs", plan.epochs, 1)]
        moments += [("steps", plan.steps, 1)] if plan.steps else []
        measurements = [
            measured | {"rule": rule, "at": float(at), "train_loss": plan.loss * factor} for rule, at, factor in moments
        ]
        fields = {"eta": it.eta, "batch": it.batch, "label_noise": it.label_noise, "seed": it.seed}
        records.append({"trial": {"fields": {"config": fields}}, "result": {"measurements": measurements}})
    return Runs.of(records)


def constant(*_):
    return 1.0


def verdicts(record, runs, rules):
    return [finding["finding"] for finding in found(record, runs, DIGITS, rules(DIGITS))]


@pytest.mark.parametrize(("power", "verdict"), [(-0.5, "reproduced"), (0.5, "not reproduced")])
def test_experiment_4_finds_flatter_minima_and_their_correlation(power, verdict):
    # given  lambda as eta to this power, and an error that rises with log lambda where it falls with eta
    runs = planted(
        learning_rate_sweep,
        sharpness=lambda eta, _: eta**power,
        error=lambda eta, _: 0.4 + 0.1 * np.log10(eta),
        steps=constant,
    )
    for rules in (learning_rate_sweep.matched, learning_rate_sweep.equal_epochs):
        assert verdicts(experiment_4_a.record_slopes, runs, rules) == [verdict]
        # then   sharp and better is what is printed: the error rises with eta here
        assert verdicts(experiment_4_b.record_correlation, runs, rules) == [verdict]


@pytest.mark.parametrize(
    ("best", "verdict"), [((0.1,), "reproduced"), ((0.1, 0.5), "inconclusive"), ((0.5,), "not reproduced")]
)
def test_experiment_4_finds_the_best_learning_rate(best, verdict):
    runs = planted(
        learning_rate_sweep, sharpness=lambda *_: 1.0, error=lambda eta, _: 0.1 if eta in best else 0.3, steps=constant
    )
    for rules in (learning_rate_sweep.matched, learning_rate_sweep.equal_epochs):
        assert verdicts(experiment_4_c.record_minimum, runs, rules) == [verdict]


@pytest.mark.parametrize(
    ("edge", "verdict"), [(0.9, "reproduced"), (0.5, "not reproduced"), (1.1, "not reproduced"), (0.75, "inconclusive")]
)
def test_experiment_4_finds_what_is_slightly_below_the_edge(edge, verdict):
    runs = planted(learning_rate_sweep, sharpness=lambda eta, _: 2 * edge / eta, error=lambda *_: 0.1, steps=constant)
    for rules in (learning_rate_sweep.matched, learning_rate_sweep.equal_epochs):
        assert verdicts(experiment_4_d.record_edge, runs, rules) == [verdict]


@pytest.mark.parametrize(("sign", "verdict"), [(1, "reproduced"), (-1, "not reproduced")])
def test_experiment_5_finds_sharper_and_worse_large_batches(sign, verdict):
    # given  lambda, error and speed that rise with B, or fall
    runs = planted(
        batch_sweep,
        sharpness=lambda _, batch: batch ** (0.2 * sign),
        error=lambda _, batch: 0.2 + 0.02 * sign * np.log2(batch / 160),
        steps=lambda _, batch: batch ** (-0.5 * sign),
    )
    for rules in (batch_sweep.matched, batch_sweep.equal_epochs, batch_sweep.equal_steps):
        assert verdicts(experiment_5_a.record_sharpness, runs, rules) == [verdict]
        assert verdicts(experiment_5_c.record_gap, runs, rules) == [verdict]
    (speed,) = found(experiment_5_b.record_speed, runs, DIGITS, STEPS, "steps")
    assert speed["finding"] == verdict
    # then   so do both rules of the learning rate in Section 10.5
    plan = batch_sweep.plan_of(DIGITS)
    for arms in (batch_sweep.arms_at_root_rate(plan), batch_sweep.arms_at_one_rate(plan)):
        for record in (section_10_5_a.record_error, section_10_5_b.record_curvature):
            assert [finding["finding"] for finding in found(record, runs, DIGITS, arms, "")] == [verdict]


def test_experiment_5_counts_work_in_epochs():
    # given  steps as 1/sqrt(B), so that epochs grow as sqrt(B)
    runs = planted(batch_sweep, sharpness=constant, error=lambda *_: 0.1, steps=lambda _, batch: batch**-0.5)
    (work,) = found(experiment_5_b.record_speed, runs, DIGITS, EPOCHS, "epochs")
    assert work["finding"] == "not reproduced"
    assert abs(work["estimate"] - 0.5) < 0.01


def test_a_gap_is_that_of_the_largest_batch_with_the_error_of_its_images():
    runs = planted(batch_sweep, sharpness=constant, error=lambda _, batch: 0.3 if batch == 800 else 0.1, steps=constant)
    (gap,) = found(experiment_5_c.record_gap, runs, DIGITS, batch_sweep.matched(DIGITS))
    assert abs(gap["estimate"] - 20) < 1
    assert "the 200 test images do not" in gap["reads"]
    assert gap["reads"].endswith("excludes 0, beyond the printed size")


TUNED = {"ratio": 1e-3, "ratios": list(RATIOS), "at_edge": None}


def widths_planted(*, accuracy, kernel=lambda m: 1 / m, infinite=0.9, linear=0.5, ridge=TUNED):
    """Results whose networks have this accuracy and change of the kernel, functions of the width and of a kept f_0."""

    def told(trial):
        if not hasattr(trial, "width"):
            return ridge | {"test": infinite, "test_wrong": answers(1 - infinite, trial.seed)}
        right, seed = accuracy(trial.width, not trial.antisymmetric), trial.seed
        return {
            "test": right,
            "best_test": right,
            "best_test_wrong": answers(1 - right, seed),
            "diverged": False,
            "reached": True,
            "relative": 1 / trial.width,
            "kernel": float(kernel(trial.width) * (1 + 0.01 * np.sin(seed))),
            "linearization": ridge | {"test": linear, "test_wrong": answers(1 - linear, seed + 1)},
        }

    return Results(DIGITS, [{"result": told(trial)} for trial in width_sweep.trials(DIGITS)])


GAINS = {
    experiment_3_b.test_narrow_networks_against_wide_ones_with_their_random_functions: ("reproduced", 10),
    experiment_3_b.test_narrow_networks_against_wide_ones_without_their_random_functions: ("not reproduced", -10),
    experiment_3_b.test_narrow_networks_against_their_own_centered_linearizations: ("reproduced", 20),
    experiment_3_b.test_narrow_networks_against_the_tuned_kernel_of_infinite_width: ("not reproduced", -20),
    section_10_3_b.test_narrow_networks_are_better_than_their_own_linearizations: ("reproduced", 20),
    section_10_3_b.test_narrow_networks_are_better_than_the_kernel_of_infinite_width: ("not reproduced", -20),
}


@pytest.mark.parametrize("measure", GAINS, ids=lambda measure: measure.__name__)
def test_a_gain_is_that_of_narrow_networks_over_what_a_reading_names(measure):
    # given  narrow networks at 70 %, wide ones at 60 with f_0 and 80 without, linearizations at 50, the kernel at 90
    results = widths_planted(accuracy=lambda m, kept: 0.7 if m < 500 else 0.6 if kept else 0.8)
    (finding,) = found(measure, results, DIGITS)
    assert (finding["finding"], round(finding["estimate"], 6)) == GAINS[measure]
    assert "the 200 test images do not" in finding["reads"]


@pytest.mark.parametrize(
    "ridge",
    [
        {"ratio": RATIOS[-1], "ratios": list(RATIOS), "at_edge": None},
        {"ratio": RATIOS[0], "ratios": list(RATIOS), "at_edge": None},
        {"ratio": LIMITS[1], "ratios": [*RATIOS, LIMITS[1]], "at_edge": "highest"},
        {"ratio": 1e-3, "ratios": [1e-4, 1e-3, 1e-2], "at_edge": None},
    ],
    ids=["the last of the grid", "the first of the grid", "the highest limit", "a short grid"],
)
@pytest.mark.parametrize("measure", [measure for measure in GAINS if "wide_ones" not in measure.__name__])
def test_a_kernel_whose_ridge_is_not_tuned_is_no_reference(measure, ridge):
    results = widths_planted(accuracy=lambda *_: 0.7, ridge=ridge)
    with pytest.raises(AssertionError, match="grid"):
        found(measure, results, DIGITS)


def test_a_kernel_that_is_best_without_a_ridge_is_a_reference_and_told():
    ridge = {"ratio": LIMITS[0], "ratios": [LIMITS[0], *RATIOS], "at_edge": "lowest"}
    results = widths_planted(accuracy=lambda *_: 0.7, ridge=ridge)
    (finding,) = found(experiment_3_b.test_narrow_networks_against_the_tuned_kernel_of_infinite_width, results, DIGITS)
    assert "best without a ridge in 5 of 5 seeds" in finding["reads"]


@pytest.mark.parametrize(("gain", "verdict"), [(0.02, "not reproduced"), (0.03, "reproduced")])
def test_half_of_the_least_printed_gain_is_asked_for(gain, verdict):
    results = widths_planted(accuracy=lambda m, _: 0.6 + gain if m < 500 else 0.6)
    measure = experiment_3_b.test_narrow_networks_against_wide_ones_with_their_random_functions
    assert found(measure, results, DIGITS)[0]["finding"] == verdict


@pytest.mark.parametrize(
    ("power", "narrow", "wide"),
    [
        (-1 / 2, ["reproduced"] * 2, ["reproduced"] * 2),
        (-1, ["reproduced", "not reproduced"], ["reproduced"] * 2),
        (0, ["reproduced"] * 2, ["not reproduced"] * 2),
    ],
)
def test_a_kernel_that_changes_by_a_tenth_has_left_the_regime(power, narrow, wide):
    # given  a change of 2 m^power: 0.63, 0.2, 0.063, 0.02 at the power -1/2
    results = widths_planted(accuracy=lambda *_: 0.5, kernel=lambda m: 2 * m**power)
    measures = (
        section_10_3_a.test_the_kernel_of_narrow_networks_changes_by_more_than_a_tenth,
        section_10_3_a.test_the_kernel_of_wide_networks_changes_by_less_than_a_tenth,
    )
    assert [[it["finding"] for it in found(measure, results, DIGITS)] for measure in measures] == [narrow, wide]
