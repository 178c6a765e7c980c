r"""Experiment 4 (c) - the test error is least at eta = 0.1.

Printed     ResNet-18 on CIFAR-10, $\eta \in \{0.001, 0.01, 0.1, 0.5\}$: optimal generalization at $\eta = 0.1$
Reading     No batch size, seed or stopping rule is printed. Runs that are stopped after equal times differ in how well
            they fit. So runs are compared at a matched training loss, at each of three moments: interpolated between
            the epochs around this loss, at the first epoch at or below it, and at the last epoch above it
Readings    [equal epochs] runs that last a fixed number of epochs, as runs with a schedule do - inconclusive
Setting     ResNet-18 with cross-entropy, plain SGD, constant $\eta$, no decay. The sharpness $\lambda$ is the largest
            eigenvalue of the Hessian of the training loss on a fixed sample, with batch normalization in training mode.
            A seed fixes images, initialization and order for all learning rates; seeds are 500, 501, .... At the
            smallest scale, smoke: width 4, $B = 32$, 500 images
Idea        After equal epochs a small $\eta$ has fitted less, so that its error is that of another fit. A matched loss
            compares runs that fit equally well
Tolerance   Rule, frozen before the seeds were run, with 95 % intervals, Student's over seeds. The learning rates that
            may be best, with a familywise level: reproduced if 0.1 alone may be best, not reproduced if 0.1 is not
            among them. All else is inconclusive, and so is a comparison at the matched loss whose three choices of a
            moment do not find the same. A learning rate that half of the seeds do not train to the loss is left out,
            and the finding says so
Chance      Each interval misses with probability 5 % if the effects of seeds are normal; six seeds cannot show that
            they are. All seeds draw from one pool of training images and share the test images. Intervals are
            conditional on both: the standard error that is due to the test images is told beside them
Findings    On digits, seeds 500 to 505, at training loss 0.1, the error is least at 0.5, by each choice of a moment.
            After 40 epochs it is 4.3 % there and 6.4 % at 0.1, and six seeds do not tell the two apart. With the
            rounding of another processor (AVX2) the last epoch above the loss does not tell them apart either. So (c)
            is expected to be inconclusive
Expected    inconclusive
"""

import numpy as np

from properties.certificates import assert_at_most, record_series
from properties.statistics.held_out import describe_test_set_error
from properties.statistics.matched_loss import matched_arms
from properties.statistics.paired import Finding, minimizer_interval
from theorems.ledger import measured, observed
from theorems.section_10_experiments import learning_rate_sweep
from theorems.section_10_experiments.classifier_runs import record_by_rules
from theorems.section_10_experiments.intervals import columns_with_ends
from theorems.section_10_experiments.learning_rate_sweep import (
    ETAS,
    PRINTED_BEST,
    arms_of,
    equal_epochs,
    etas_of,
    matched,
)
from theorems.section_10_experiments.measurements import TEST_ERROR, TRAIN_LOSS

EXPERIMENT = learning_rate_sweep


def judge_minimizer(minimum):
    """The finding about the printed learning rate, from the learning rates that may be best."""
    if PRINTED_BEST not in minimum.candidates:
        return Finding("not reproduced", f"{PRINTED_BEST} is not among those that may be best")
    if minimum.candidates == (PRINTED_BEST,):
        return Finding("reproduced", f"{PRINTED_BEST} alone may be best")
    return Finding("inconclusive", f"{', '.join(map(str, minimum.candidates))} may be best")


def excess_over_the_best(table):
    """The error at the printed learning rate less that at the best other one, of errors (seeds, etas)."""
    means, printed = table.mean(0), ETAS.index(PRINTED_BEST)
    return means[printed] - np.delete(means, printed).min()


def record_minimum(runs, setting, rules):
    """The finding about where the test error is least, by these rules."""
    arms = arms_of(setting)
    kept, (errors,) = runs.paired(arms, rules[0], TEST_ERROR)
    wrong = runs.wrong_answers(arms, rules[0])
    record_by_rules(
        rules,
        lambda rule: minimizer_interval(etas_of(kept), runs.paired(arms, rule, TEST_ERROR)[1][0]),
        judge_minimizer,
        where=setting,
        runs=errors.size,
        reads="the eta of the least test error, and those that may be:",
        beside=""
        if kept != arms
        else describe_test_set_error(100 * wrong, excess_over_the_best, " points of 0.1 less the best"),
    )


@measured
def test_test_error_is_least_at_one_learning_rate_at_a_matched_loss(runs, setting):
    record_minimum(runs, setting, matched(setting))
    arms, (errors,) = runs.paired(arms_of(setting), matched(setting)[0], TEST_ERROR)
    columns = columns_with_ends(test_error=errors)
    record_series(f"test error at a matched loss, {setting.title}", eta=etas_of(arms), **columns)


@measured(reading="equal epochs")
def test_test_error_is_least_at_one_learning_rate_after_equal_epochs(runs, setting):
    record_minimum(runs, setting, equal_epochs(setting))


@observed
def test_after_equal_epochs_the_smallest_learning_rate_has_fitted_less(runs, setting):
    # given  the reading without a matched loss: errors of small eta are of another fit
    (rule,) = equal_epochs(setting)
    quantities = TEST_ERROR, TRAIN_LOSS
    kept, (errors, losses) = matched_arms(*(runs.by_rule(arms_of(setting), of, rule) for of in quantities))
    etas, means = np.array(ETAS)[kept], losses.mean(0)
    record_series(f"test error after equal epochs, {setting.title}", eta=etas, **columns_with_ends(test_error=errors))
    assert_at_most(means[etas == PRINTED_BEST], means[:1], why="train loss at 0.1 and 0.001")
