r"""Experiment 3 - narrow networks move and learn features, wide ones stay and are kernels, 5 to 8 points worse.

Section     10.3
Printed     Two-layer networks of width $m = 10, 100, 1000, 10000$. Narrow networks ($m = 10, 100$): substantial
            parameter movement, feature learning regime. Wide networks ($m = 1000, 10000$): parameters close to
            initialization, kernel regime. Feature learning networks outperform the kernel regime by 5-8 % of test
            accuracy on CIFAR-10
Reading     "Substantial" and "close" are said of $|\theta_T - \theta_0| / |\theta_0|$ as it falls with m, in the
            "standard" parameterization, the network of section 2.1 with the initialization of section 7.1; what others
            do is observed. The kernel regime may be three things: wide networks, as the list has it; the
            linearization of each narrow network at its own start; the kernel of infinite width. Each is a part. A
            wide network keeps the random function $f_0$ that it starts as, which is not learning and no kernel needs
            it: (b) compares networks as they are, (c) without $f_0$. (c) is the fair reading of the print, and decides
            it; (d) and (e) need no $f_0$ either. Gains are of test accuracy, the mean of m = 10 and 100
Setting     Two-layer ReLU networks, centered one-hot targets, squared distance, full-batch heavy-ball descent (batches
            beyond smoke scale) to one training loss; networks are judged at their best step, kernels at their best
            ridge, both on one validation split. Starts without $f_0$ are antisymmetric. A seed fixes images and weights
            for all of them; seeds are 100, 101, .... Smoke: 200 training images
Parts       (a) wide networks stay close to their start - reproduced
            (b) narrow networks outperform wide ones, random functions kept - reproduced
            (c) narrow networks outperform wide ones - not reproduced
            (d) narrow networks outperform their own centered linearizations - reproduced
            (e) narrow networks outperform the kernel of infinite width - not reproduced
Idea        To fit its targets a network moves by about $|f_T - f_0| / |J_0|$, and |theta_0| grows with m: in standard
            and ntk coordinates movement falls relative to it, in mean-field ones it does not, where wide networks learn
            features too. More neurons approximate better at any rate. What printed gains may come from is a baseline
            that is worse than kernel regression need be: an $f_0$ that is kept, a ridge that is not tuned, a narrow
            network's own kernel, of few features.
Source      Chizat, Oyallon, Bach (2019), On Lazy Training in Differentiable Programming; Lee et al. (2020), Finite
            Versus Infinite Neural Networks: an Empirical Study; Arora et al. (2019), On Exact Computation with an
            Infinitely Wide Neural Net
Tolerance   Rules, frozen before the seeds were run: 95 % intervals, Student's over seeds. (a) The slope of log relative
            movement in log m: reproduced below -1/4, half of what the ntk parameterization has in theory. (b) to (e)
            The gain: reproduced above 2.5 points, half of the least printed; not reproduced below it, nor where it may
            be nothing and is less than 5 points. All else is inconclusive. Limits of what is observed: seeds 0 to 4
Findings    On digits relative movement falls as m to the -0.81 with f_0 kept; without it the change of the kernel falls
            from 0.9 to 6e-6 in standard and from 2 to 0.004 in ntk coordinates, and stays near 3 in mean-field ones.
            Wide networks lose to narrow ones by 20 points with f_0 kept and win by 8 without it; the linearization of a
            wide network, which learns no feature, loses the same 25 points to f_0. Of the 12 points over their own
            linearizations all but a quarter of a point are those of m = 10. Its ten neurons are five pairs, whose
            kernel has a rank of 370 at most, for 2,000 targets; starting without pairs it has 740, and the centered
            linearization 74 % and not 56, while m = 100 gains nothing over its own at either start. The kernel of
            infinite width is at its best where its ridge vanishes, and better than every network. So the print's gain
            is there for two baselines that kernel regression need not have, and not for the third. On 200 images of
            CIFAR-10, the print's own data, no baseline shows it: (b) -1.0 and (d) -0.5 points; with f_0 kept networks
            of all widths stay at 12 to 14 %, near chance
Chance      Each interval misses with probability 5 % if effects of seeds are normal, which five seeds cannot show
Expected    not reproduced
"""

import dataclasses

import numpy as np
import pytest

from fixtures.sweeps.desk import Desk
from properties.certificates import assert_at_most, assert_identical, record_finding, record_series
from properties.paired import judge, log_slopes, paired_slope, student_interval
from theorems.ledger import measured, observed
from theorems.section_10_experiments.width import InfiniteKernelTrial, NetworkTrial

PRINTED_DATA = ("cifar10", "mnist")
WIDTHS, NARROW, WIDE = (10, 100, 1000, 10_000), (10, 100), (1000, 10_000)
PARAMETERIZATIONS = ("standard", "ntk", "mean-field")
CLASSES, FIRST_SEED = 10, 100

CLOSE = -1 / 4
ACCURACIES = ("test", "best_test")
GAIN, LEAST_GAIN = (5.0, 8.0), 2.5


@dataclasses.dataclass(frozen=True)
class Plan:
    """Images of the three splits and of the linearizations, the training loss, steps at most, seeds, the batch."""

    size: int
    validation: int
    test: int
    linear: int
    target: float
    cap: int
    seeds: int
    batch: int | None = None


PLANS = {
    "digits": Plan(200, 300, 797, linear=200, target=0.05, cap=3000, seeds=5),
    "smoke": Plan(200, 300, 2000, linear=200, target=0.05, cap=1000, seeds=5),
    "reduced": Plan(10_000, 2000, 10_000, linear=500, target=0.5, cap=1000, seeds=3, batch=2000),
    "paper": Plan(45_000, 5000, 10_000, linear=1000, target=0.6, cap=3000, seeds=5, batch=4500),
}
"""A step of a batch of 2000 at m = 10,000 on CIFAR-10 is 0.4 Tflop, some 10 ms of an H100's float32: `reduced` has 12
such runs of 1000 steps, 2 minutes, and `paper` 20 runs of 3000 steps of twice that, 20 minutes; the rest is less."""


def plan_of(setting):
    return PLANS["digits" if setting.data == "digits" else setting.scale]


def seeds_of(setting):
    return range(FIRST_SEED, FIRST_SEED + plan_of(setting).seeds)


def network(setting, width, seed, parameterization="standard", *, random=False, linear=False):
    """One trial. random: an ordinary start, with its f_0. linear: on as few images as linearizations take."""
    plan = plan_of(setting)
    size = plan.linear if linear else plan.size
    kernels = (WIDE[0],) if random else (*NARROW, WIDE[0])
    return NetworkTrial(
        data=setting.data,
        size=size,
        validation=plan.validation,
        test=plan.test,
        parameterization=parameterization,
        width=width,
        seed=seed,
        target=plan.target,
        cap=plan.cap,
        antisymmetric=not random,
        batch=None if linear else plan.batch,
        linearize=size == plan.linear and parameterization == "standard" and width in kernels,
        device=setting.device,
    )


def infinite(setting, seed):
    """The trial of the infinitely wide kernel."""
    plan = plan_of(setting)
    return InfiniteKernelTrial(setting.data, plan.size, plan.validation, plan.test, seed, setting.device)


def trials(setting):
    """Every trial once: three parameterizations and a random start, small ones for linearizations, the kernel."""
    found = []
    for seed in seeds_of(setting):
        found += [network(setting, m, seed, name) for name in PARAMETERIZATIONS for m in WIDTHS]
        found += [network(setting, m, seed, random=True) for m in WIDTHS]
        found += [network(setting, m, seed, linear=True) for m in (*NARROW, WIDE[0])]
        found += [network(setting, WIDE[0], seed, random=True, linear=True)]
        found += [infinite(setting, seed)]
    return list(dict.fromkeys(found))


class Results:
    """What the trials of a setting came to; tables have a row for each seed, accuracies are in percent."""

    def __init__(self, setting, records):
        self.setting = setting
        self._of = {trial: record["result"] for trial, record in zip(trials(setting), records, strict=True)}

    def networks(self, key, widths=WIDTHS, parameterization="standard", **options):
        """(seeds, widths) of one result of networks."""
        unit = 100 if key in ACCURACIES else 1
        return unit * np.array(
            [
                [self._of[network(self.setting, m, seed, parameterization, **options)][key] for m in widths]
                for seed in seeds_of(self.setting)
            ],
            float,
        )

    def linearizations(self, widths, *, kept="", random=False):
        """(seeds, widths) of the test accuracy of linearizations; kept: "_with_f0" for those that keep f_0."""
        return 100 * np.array(
            [
                [
                    self._of[network(self.setting, m, seed, random=random, linear=True)][f"linearization{kept}"]["test"]
                    for m in widths
                ]
                for seed in seeds_of(self.setting)
            ],
        )

    def infinite(self):
        """(seeds,) of the test accuracy of the infinitely wide kernel."""
        return 100 * np.array([self._of[infinite(self.setting, seed)]["test"] for seed in seeds_of(self.setting)])

    def ridgeless(self):
        """The share of seeds whose infinite kernel is at its best with the least ridge, in words."""
        edges = [self._of[infinite(self.setting, seed)]["at_edge"] for seed in seeds_of(self.setting)]
        return f"best without a ridge in {edges.count('lowest')} of {len(edges)} seeds"

    def narrow_less_wide(self, parameterization="standard", **options):
        """(seeds,) of the gain of narrow networks over wide ones."""
        narrow, wide = (self.networks("best_test", m, parameterization, **options) for m in (NARROW, WIDE))
        return narrow.mean(1) - wide.mean(1)


@pytest.fixture(scope="module")
def results(setting, sweep):
    """The results of all trials."""
    return Results(setting, sweep(trials(setting)))


def record_gain(gains, results, reads):
    """The finding about a gain (seeds,), and its interval."""
    interval = student_interval(gains)
    finding = judge(interval, null=LEAST_GAIN, printed=GAIN)
    told = f"{reads}: {{estimate}} points [{{lower}}, {{upper}}] of test accuracy"
    record_finding(finding, interval, where=results.setting, trials=len(gains), reads=told)


def assert_sound(results, **options):
    """Wide networks came to the loss that all are matched at, and no network diverged."""
    assert_at_most(results.networks("diverged", **options).sum(), 0, why="networks that diverged")
    assert_at_most(1, results.networks("reached", WIDE, **options).min(), why="wide networks came to the loss")


# (a) movement


@measured(part="(a)")
def test_movement_relative_to_the_start_falls_with_the_width_in_the_standard_parameterization(results, setting):
    assert_sound(results, random=True)
    # given  networks as they are; when  the slope of log relative movement in log m, within each seed
    slope = paired_slope(WIDTHS, results.networks("relative", random=True))
    # then
    reads = "standard networks: relative movement goes as m to the {estimate} [{lower}, {upper}]"
    record_finding(
        judge(slope, null=CLOSE, direction=-1), slope, where=setting, trials=slope.count * len(WIDTHS), reads=reads
    )


@observed(part="(a)")
def test_movement_falls_in_standard_and_ntk_coordinates_and_not_where_wide_networks_learn_features(results, setting):
    # given  four parameterizations: of mup the weights are those of mean-field over sqrt(m)
    slopes = {}
    for name in PARAMETERIZATIONS:
        moved, relative, kernel = (
            results.networks(key, parameterization=name) for key in ("moved", "relative", "kernel")
        )
        record_series(
            f"{name}, {setting.title}", m=WIDTHS, moved=moved.mean(0), relative=relative.mean(0), kernel=kernel.mean(0)
        )
        slopes[name] = [log_slopes(WIDTHS[1:], table[:, 1:]).mean() for table in (relative, kernel)]
    # then   from m = 100 on relative movement and kernel change fall in two of them and stay in the others
    assert_at_most([*slopes["standard"], *slopes["ntk"]], CLOSE, why="slopes of standard and ntk")
    assert_at_most(CLOSE, slopes["mean-field"], why="slopes of mean-field and mup")


@observed(part="(a)")
def test_mup_and_mean_field_networks_are_one_function_in_two_coordinates():
    # given  the same draws; m = 16, a power of 4, so that all scales are powers of two and nothing is rounded
    ends = [trained_on_digits(name, 16) for name in ("mean-field", "mup")]
    # then   one function, and weights that differ by sqrt(m)
    for key in ("loss", "best_test", "relative", "steps"):
        assert_identical(ends[0][key], ends[1][key], why=key)
    assert_identical(ends[0]["moved"], 4 * ends[1]["moved"], why="movement, over sqrt(m)")


def trained_on_digits(parameterization, width):
    """The result of forty steps on sixty digits."""
    trial = NetworkTrial("digits", 60, 60, 60, parameterization, width, seed=0, target=0.0, cap=40)
    return trial.run(Desk())


# (b) as they are


@measured(part="(b)")
def test_narrow_networks_against_wide_ones_with_their_random_functions(results, setting):
    assert_sound(results, random=True)
    record_gain(results.narrow_less_wide(random=True), results, "m = 10, 100 less m = 1000, 10000, f_0 kept")
    columns = {key: results.networks(key, random=True).mean(0) for key in ("best_test", "test", "relative")}
    record_series(f"random start, {setting.title}", m=WIDTHS, **columns)


@observed(part="(b)")
def test_random_function_at_the_start_costs_the_linearization_of_a_wide_network_what_it_costs_the_network(results):
    # given  m = 1000; the same kernel, both tuned
    kept, centered = (results.linearizations(WIDE[:1], kept=name, random=True) for name in ("_with_f0", ""))
    network = results.networks("best_test", WIDE[:1], random=True, linear=True)
    # then   f_0 costs it a printed gain at least, and the network is no better
    assert_at_most(kept.mean() + GAIN[0], centered.mean(), why="tuned linearization with f_0, without")
    assert_at_most(network.mean() + GAIN[0], centered.mean(), why="network as it is, centered linearization")


# (c) without f_0


@measured(part="(c)")
def test_narrow_networks_against_wide_ones_without_their_random_functions(results, setting):
    assert_sound(results)
    record_gain(results.narrow_less_wide(), results, "m = 10, 100 less m = 1000, 10000, f_0 = 0")
    for name in PARAMETERIZATIONS:
        columns = {key: results.networks(key, parameterization=name).mean(0) for key in ("best_test", "test")}
        record_series(
            f"{name} accuracy, {setting.title}", m=WIDTHS, **columns, infinite=[results.infinite().mean()] * len(WIDTHS)
        )


@observed(part="(c)")
@pytest.mark.parametrize("parameterization", ["ntk", "mean-field"])
def test_narrow_networks_gain_nothing_in_other_parameterizations_either(results, parameterization):
    assert_sound(results, parameterization=parameterization)
    gain = student_interval(results.narrow_less_wide(parameterization))
    assert_at_most(gain.estimate, LEAST_GAIN, why="mean gain of narrow networks")


# (d) their own linearizations


@measured(part="(d)")
def test_narrow_networks_against_their_own_centered_linearizations(results):
    networks, kernels = results.networks("best_test", NARROW, linear=True), results.linearizations(NARROW)
    record_gain((networks - kernels).mean(1), results, "m = 10, 100 less their tuned centered linearizations")


@observed(part="(d)")
@pytest.mark.slow
def test_without_a_ridge_the_linearization_with_as_many_weights_as_targets_is_far_below_its_best():
    # given  200 digits of 10 classes and m (64 + 10) weights, m = 28, at a random start that is not trained
    trials = [
        NetworkTrial("digits", 200, 300, 100, "standard", 28, seed, 0.0, 0, False, linearize=True)
        for seed in range(100, 103)
    ]
    tuned = [trial.run(Desk())["linearization"] for trial in trials]
    # then   the smallest ridge of the grid against the best, both on the validation split
    best = np.mean([found["best_validation"] for found in tuned])
    none = np.mean([found["validation"][0] for found in tuned])
    assert_at_most(none + GAIN[1] / 100, best, why="no ridge, the best ridge")


# (e) the infinite kernel


@measured(part="(e)")
def test_narrow_networks_against_the_tuned_kernel_of_infinite_width(results):
    gains = results.networks("best_test", NARROW).mean(1) - results.infinite()
    record_gain(gains, results, f"m = 10, 100 less the infinite kernel, {results.ridgeless()}")


@observed(part="(e)")
def test_no_width_and_no_parameterization_outperforms_the_infinite_kernel_by_what_is_printed(results):
    best = np.max([results.networks("best_test", parameterization=name).mean(0) for name in PARAMETERIZATIONS])
    assert_at_most(best - results.infinite().mean(), GAIN[0], why="gain of the best of all networks")
