r"""Experiment 3 (b) - narrow networks, which learn features, outperform the kernel regime by 5 to 8 points.

Printed     Feature learning networks outperform the kernel regime by 5-8 % of test accuracy on CIFAR-10
Reading     The kernel regime is that of the wide networks, $m = 1000$ and $10000$, as the printed list has it. Networks
            are as they are: the paper nowhere subtracts the random function $f_0$ that they start as. A gain is one of
            test accuracy, the mean of $m = 10$ and $100$
Readings    [centered] the same without $f_0$, which is not learned and which no kernel needs: section 5.2 has none in
            its kernel regression - not reproduced
            [own linearization] the kernel regime of a network is its linearization at its own start, as in section 5.1,
            without $f_0$ - reproduced
            [infinite width] the kernel regime is the limit of section 5.1, the kernel of infinite width - not
            reproduced
Setting     Two-layer ReLU networks in the standard parameterization, trained by heavy-ball descent to one training
            loss. Networks are judged at their best step, kernels at their best ridge, both on one validation split.
            Starts without $f_0$ are antisymmetric. A seed fixes images and weights for all; seeds are 500, 501, .... At
            the smallest scale, smoke: 200 training images
Idea        A printed gain may come from a baseline that is worse than kernel regression need be: an $f_0$ that is kept,
            a ridge that is not tuned, or a narrow network's own kernel, which has few features
Tolerance   Rule, frozen before the seeds were run: the gain in each reading, with Student's 95 % interval over seeds.
            Reproduced above 2.5 points, half of the least printed gain. Not reproduced below it, nor where it may be
            nothing and is less than 5 points. All else is inconclusive, and so are readings that clash
Chance      Each interval misses with probability 5 % if the effects of seeds are normal; five seeds cannot show that
            they are. All seeds draw from one pool of training images and share the test images. Intervals are
            conditional on both: the standard error that is due to the test images is told beside them
Findings    On digits, seeds 500 to 504, wide networks lose to narrow ones by 18 points with $f_0$ kept, beyond the
            printed size, and win by 10 without it. The tuned linearization of a wide network learns no feature; $f_0$
            costs it 22 points, and the network 23. The gain of 11 points over their own linearizations is all at
            $m = 10$, at 75 % against 53: ten neurons in five pairs have a kernel of rank 370 at most, for 2,000
            targets; $m = 100$ is level with its own. The kernel of infinite width is at its best with the least ridge
            in 4 of 5 seeds, and no network is better in the mean. So the printed gain was found against two baselines
            that kernel regression need not have, and not against the other two. Seeds 100 to 104, run before the
            readings were parted as now, had found the same. On 200 images of CIFAR-10, the print's own data, such seeds
            showed no gain: $-1.0$ points with $f_0$ kept and $-0.5$ over their own linearizations; with $f_0$ kept,
            networks of all widths stayed at 12 to 14 %, near chance
Expected    inconclusive
"""

import numpy as np
import pytest

from fixtures.sweeps.memory_context import MemoryContext
from properties.certificates import assert_at_most, record_series
from properties.statistics.paired import judge
from theorems.ledger import measured, observed
from theorems.section_10_experiments import width_sweep
from theorems.section_10_experiments.intervals import columns_with_ends
from theorems.section_10_experiments.width import NetworkTrial
from theorems.section_10_experiments.width_results import assert_sound, record_gain
from theorems.section_10_experiments.width_sweep import NARROW, PARAMETERIZATIONS, WIDE, WIDTHS

EXPERIMENT = width_sweep
GAIN, LEAST_GAIN = (5.0, 8.0), 2.5


def judged_gain(interval):
    """What an interval says about the printed gain."""
    return judge(interval, null=LEAST_GAIN, printed=GAIN)


@measured
def test_narrow_networks_against_wide_ones_with_their_random_functions(results, setting):
    assert_sound(results, random=True)
    narrow, wide = (results.wrong_networks(m, random=True) for m in (NARROW, WIDE))
    record_gain(narrow, wide, judged_gain, where=setting, reads="m = 10, 100 less m = 1000, 10000, f_0 kept")
    columns = columns_with_ends(accuracy=results.networks("best_test", random=True))
    record_series(f"random start, {setting.title}", m=WIDTHS, **columns)


@observed
def test_random_function_at_the_start_costs_the_linearization_of_a_wide_network_what_it_costs_the_network(results):
    # given  m = 1000, and the kernel of its start, with f_0 and without, both tuned
    kept, centered = (results.linearizations(WIDE[:1], kept=name, random=True) for name in ("_with_f0", ""))
    network = results.networks("best_test", WIDE[:1], random=True, linear=True)
    # then   f_0 costs it a printed gain at least, and the network is no better
    assert_at_most(kept.mean() + GAIN[0], centered.mean(), why="tuned linearization with f_0, without")
    assert_at_most(network.mean() + GAIN[0], centered.mean(), why="network as it is, centered linearization")


@measured(reading="centered")
def test_narrow_networks_against_wide_ones_without_their_random_functions(results, setting):
    assert_sound(results)
    narrow, wide = (results.wrong_networks(m) for m in (NARROW, WIDE))
    record_gain(narrow, wide, judged_gain, where=setting, reads="m = 10, 100 less m = 1000, 10000, f_0 = 0")
    for name in PARAMETERIZATIONS:
        columns = columns_with_ends(accuracy=results.networks("best_test", parameterization=name))
        record_series(f"{name} accuracy, {setting.title}", m=WIDTHS, **columns)
    record_series(f"infinite width, {setting.title}", **columns_with_ends(accuracy=results.infinite()[:, None]))


@observed
@pytest.mark.parametrize("parameterization", ["ntk", "mean-field"])
def test_narrow_networks_gain_nothing_in_other_parameterizations_either(results, parameterization):
    assert_sound(results, parameterization=parameterization)
    narrow, wide = (results.networks("best_test", m, parameterization).mean() for m in (NARROW, WIDE))
    assert_at_most(narrow, wide + LEAST_GAIN, why="mean accuracy of narrow networks")


@measured(reading="own linearization")
def test_narrow_networks_against_their_own_centered_linearizations(results, setting):
    networks, kernels = results.wrong_networks(NARROW, linear=True), results.wrong_linearizations(NARROW)
    reads = "m = 10, 100 less their tuned centered linearizations"
    record_gain(networks, kernels, judged_gain, where=setting, reads=reads)


@observed
@pytest.mark.slow
def test_without_a_ridge_the_linearization_with_as_many_weights_as_targets_is_far_below_its_best():
    # given  200 digits of 10 classes and m (64 + 10) weights, m = 28, at a random start that is not trained
    trials = [
        NetworkTrial("digits", 200, 300, 100, "standard", 28, seed, 0.0, 0, False, linearize=True)
        for seed in range(100, 103)
    ]
    tuned = [trial.run(MemoryContext())["linearization"] for trial in trials]
    # then   the smallest ridge of the grid against the best, both on the validation split
    best = np.mean([found["best_validation"] for found in tuned])
    none = np.mean([found["validation"][0] for found in tuned])
    assert_at_most(none + GAIN[1] / 100, best, why="no ridge, the best ridge")


@measured(reading="infinite width")
def test_narrow_networks_against_the_tuned_kernel_of_infinite_width(results, setting):
    reads = f"m = 10, 100 less the infinite kernel, {results.ridgeless()}"
    record_gain(results.wrong_networks(NARROW), results.wrong_infinite(), judged_gain, where=setting, reads=reads)


@observed
def test_no_width_and_no_parameterization_outperforms_the_infinite_kernel_by_what_is_printed(results):
    best = np.max([results.networks("best_test", parameterization=name).mean(0) for name in PARAMETERIZATIONS])
    assert_at_most(best, results.infinite().mean() + GAIN[0], why="accuracy of the best of all networks")
