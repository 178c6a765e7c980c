r"""Experiment 4 (a) - larger learning rates find flatter minima.

Printed     ResNet-18 on CIFAR-10, $\eta \in \{0.001, 0.01, 0.1, 0.5\}$: larger learning rates find flatter minima, by
            Hessian eigenvalues
Reading     No batch size, seed or stopping rule is printed. Runs that are stopped after equal times differ in how well
            they fit, and $\lambda$ of cross-entropy falls with the loss. So runs are compared at a matched training
            loss, at each of three moments: interpolated between the epochs around this loss, at the first epoch at or
            below it, and at the last epoch above it
Readings    [equal epochs] runs that last a fixed number of epochs, as runs with a schedule do - reproduced
Setting     ResNet-18 with cross-entropy, plain SGD, constant $\eta$, no decay. The sharpness $\lambda$ is the largest
            eigenvalue of the Hessian of the training loss on a fixed sample, with batch normalization in training mode.
            A seed fixes images, initialization and order for all learning rates; seeds are 500, 501, .... At the
            smallest scale, smoke: width 4, $B = 32$, 500 images
Idea        A minimum with $\eta \lambda > 2$ is linearly unstable under full-batch descent, so a large step is not
            expected to settle in a sharp one
Tolerance   Rule, frozen before the seeds were run, with 95 % intervals, Student's over seeds. The slope of
            $\log \lambda$ in $\log \eta$: reproduced below 0, not reproduced above. All else is inconclusive, and so is
            a comparison at the matched loss whose three choices of a moment do not find the same. A learning rate that
            half of the seeds do not train to the loss is left out, and the finding says so. Residuals of $\lambda$ are
            certified
Chance      Each interval misses with probability 5 % if the effects of seeds are normal; six seeds cannot show that
            they are. All seeds draw from one pool of training images and share the test images. Intervals are
            conditional on both: the standard error that is due to the test images is told beside them
Findings    On digits, seeds 500 to 505, between the epochs around training loss 0.1: $\lambda$ falls from 44 at
            $\eta = 0.001$ to 2.3 at 0.5, as $\eta$ to the $-0.46$ $[-0.56, -0.35]$, and in relative coordinates, where
            no filter's scale counts, to the $-0.43$. After 40 epochs, when small $\eta$ has fitted less, it falls as
            $\eta^{-1.1}$. Other seeds (100 to 105), matched by interpolation between stops at 0.7 and 3 times the loss,
            had found a slope of $-0.45$. On twice the images $\lambda$ was 11 to 33 % smaller, in the same order
Expected    reproduced
"""

import math

import numpy as np

from properties.certificates import assert_at_most, assert_not_positive, record_series
from properties.statistics.paired import judge, paired_slope
from theorems.ledger import measured, observed
from theorems.section_10_experiments import learning_rate_sweep
from theorems.section_10_experiments.classifier_runs import record_by_rules
from theorems.section_10_experiments.intervals import columns_with_ends
from theorems.section_10_experiments.learning_rate_sweep import (
    PRINTED_BEST,
    arms_of,
    equal_epochs,
    etas_of,
    matched,
    plan_of,
)
from theorems.section_10_experiments.measurements import NORMALIZED, RELATIVE, SHARPNESS, STEPS

EXPERIMENT = learning_rate_sweep


def record_slopes(runs, setting, rules):
    """The finding about the slope of log lambda in log eta, within each seed, by these rules."""
    arms = arms_of(setting)
    kept, (sharpness, beside) = runs.paired(arms, rules[0], SHARPNESS, NORMALIZED)
    other = paired_slope(etas_of(kept), beside)
    record_by_rules(
        rules,
        lambda rule: paired_slope(etas_of(kept), runs.paired(arms, rule, SHARPNESS)[1][0]),
        lambda slope: judge(slope, null=0, direction=-1),
        where=setting,
        runs=sharpness.size,
        reads=f"lambda goes as eta, {etas_of(kept)}, to the",
        beside=f"; lambda |w|^2 to the {other.estimate:.3g} [{other.lower:.3g}, {other.upper:.3g}]",
    )


@measured
def test_sharpness_falls_with_the_learning_rate_at_a_matched_loss(runs, setting):
    record_slopes(runs, setting, matched(setting))
    # beside  lambda and the edge
    arms, (sharpness,) = runs.paired(arms_of(setting), matched(setting)[0], SHARPNESS)
    etas, columns = np.array(etas_of(arms)), columns_with_ends(logarithmic=True, sharpness=sharpness)
    record_series(f"sharpness at a matched loss, {setting.title}", eta=etas, **columns, edge=2 / etas)


@measured(reading="equal epochs")
def test_sharpness_falls_with_the_learning_rate_after_equal_epochs(runs, setting):
    record_slopes(runs, setting, equal_epochs(setting))


@observed
def test_sharpness_in_relative_coordinates_falls_with_the_learning_rate_too(runs, setting):
    # given  lambda of diag|w| H diag|w|, which no rescaling of filters changes, where the plan measures it
    of = RELATIVE if plan_of(setting).relative else NORMALIZED
    arms, (relative,) = runs.paired(arms_of(setting), matched(setting)[0], of)
    assert_not_positive(paired_slope(etas_of(arms), relative).upper, why="slope of log lambda in log eta")


@observed
def test_every_sharpness_is_known_to_a_twentieth(runs, setting):
    # then   an eigenvalue of the Hessian is as near to lambda as the residual
    assert_at_most(runs.residuals(arms_of(setting)), 1 / 20, why="residual over lambda")


@observed
def test_a_larger_sample_has_the_same_sharpness_within_a_factor_of_two(runs, setting):
    # given  the first seed's lambda on the sample and on a larger one, where the matched loss was reached
    _, both = runs.rechecked(arms_of(setting))
    assert_at_most(np.abs(np.log(both[:, 1] / both[:, 0])), math.log(2), why="log ratio of the two")


@observed
def test_the_smallest_learning_rate_takes_no_more_steps_to_the_loss_than_in_proportion_to_its_inverse(runs, setting):
    # given  what the caps of the larger plans rest on: steps to the loss, for each learning rate
    arms, (steps,) = runs.paired(arms_of(setting), matched(setting)[1], STEPS)
    scaled_steps = steps.mean(0) * etas_of(arms)
    record_series(f"steps to the loss, {setting.title}", eta=etas_of(arms), **columns_with_ends(steps=steps))
    # then   a small learning rate takes no more of them than in proportion to 1/eta
    assert_at_most(
        scaled_steps[:1], scaled_steps[etas_of(arms).index(PRINTED_BEST)], why="steps times eta, at 0.001 and at 0.1"
    )
