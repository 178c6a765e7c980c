"""Self-tests: deviations have their false-alarm probability, are not much too wide, and find the errors they name."""

import numpy as np
import pytest
import scipy.integrate
import scipy.special
import scipy.stats

from fixtures.precision import UNIT_ROUNDOFF
from properties.certificates import assert_at_most, assert_equal_within, assert_identical, assert_within
from properties.statistics.concentration import (
    Deviations,
    chernoff,
    chi_square_interval,
    chi_square_power,
    clopper_pearson,
    clopper_pearson_power,
    detectable_error,
    dvoretzky_kiefer_wolfowitz,
    hoeffding,
    relu_ntk_deviations,
    relu_ntk_diagonal_cdf,
    relu_ntk_log_mgf,
    relu_ntk_mean,
    sup_distance,
    union_bound_share,
)

CORRELATIONS = np.array([-0.8, -0.3, 0.0, 0.3, 0.95, 1.0])


def kernel_entries(r, width, replicates, seed, output_power=2):
    """ReLU kernel entries (replicates, len(r)) of unit inputs at correlations r, with |a|^output_power for a^2."""
    u, z, a = np.random.default_rng(seed).standard_normal((3, replicates, width, 1))
    v = r * u + np.sqrt(1 - r**2) * z
    active = (u > 0) & (v > 0)
    return (active * (u * v + np.abs(a) ** output_power * r)).mean(1)


@pytest.mark.parametrize("r", [-0.7, 0.0, 0.3, 0.95])
def test_the_moment_generating_function_of_a_relu_entry_is_its_integral(r):
    # given  s on both sides of -1/(1 - r), where the shifted correlation passes -1, within the domain
    left = -1 / (2 * abs(r)) if r < 0 else -20.0
    s = np.array([0.9 * left, -0.5, 0.3, 0.9]) / [1, 1, 1 + r, 1 + r]
    shifted = r + s * (1 - r**2)
    # when   the radius is integrated in closed form (polar coordinates), and the angle by quadrature
    pairs = [scipy.integrate.quad(lambda t, c=c: 1 / (1 - c * np.sin(2 * t)), 0, np.pi / 2) for c in shifted]
    integral, error = np.array(pairs).T * np.sqrt(1 - r**2) / np.sqrt(1 - 2 * s * r) / (2 * np.pi)
    expected = (np.pi + np.arccos(r)) / (2 * np.pi) + integral
    bound = error + 32 * UNIT_ROUNDOFF * expected
    assert_at_most(np.abs(np.exp(relu_ntk_log_mgf(r, s)) - expected), bound, why="mgf against quadrature")


def test_parallel_and_antipodal_entries_have_the_laws_of_chi_square_and_of_zero():
    # given  Z is a chi-square of two degrees with probability 1/2 at r = 1, and zero at r = -1
    s = np.array([-30.0, -0.4, 0.1, 0.49])
    parallel = np.log(0.5 + 0.5 / (1 - 2 * s))
    assert_at_most(np.abs(relu_ntk_log_mgf(1, s) - parallel), 64 * UNIT_ROUNDOFF * (1 + np.abs(parallel)), why="r = 1")
    assert_identical(relu_ntk_log_mgf(-1, s[1:]), np.zeros(3), why="r = -1")


def test_the_mean_is_the_derivative_of_the_log_moment_generating_function():
    # then   central differences are off by h^2/6 times a third derivative below 50, and by rounding over h
    h = 1e-4
    slope = (relu_ntk_log_mgf(CORRELATIONS, h) - relu_ntk_log_mgf(CORRELATIONS, -h)) / (2 * h)
    bound = 50 * h**2 / 6 + 8 * UNIT_ROUNDOFF / h
    assert_at_most(np.abs(slope - relu_ntk_mean(CORRELATIONS)), bound, why="mean of an entry")


def test_the_chernoff_deviation_of_a_gaussian_is_its_closed_form_on_both_sides():
    # given  log mgf mu s + s^2/2: t = sqrt(2 log(1/delta)/n), whatever mu
    count, delta = np.array([1, 30, 1000]), 1e-9
    exact = np.sqrt(2 * np.log(1 / delta) / count)
    found = chernoff(lambda s: 3 * s + s**2 / 2, 3.0, count, delta)
    rounding = 64 * UNIT_ROUNDOFF * 3
    assert_within(exact, found.above, exact, slack=rounding, why="above a Gaussian mean")
    assert_within(exact, found.below, exact, slack=rounding, why="below a Gaussian mean")
    # then   samples whose mean is off by 13 standard errors are missed with exactly this probability
    missed = scipy.stats.norm.cdf(np.sqrt(count) * found.above - 13)
    assert_at_most(missed, 1e-9, why="a shifted mean that is missed")


@pytest.mark.slow
def test_relu_entries_exceed_their_deviations_at_most_as_often_as_promised_and_at_least_a_twentieth_as_often():
    # given  4000 replicates of width 32 at 5 percent a side: Chernoff overestimates by a factor below twenty
    entries, promised = kernel_entries(CORRELATIONS, 32, 4000, seed=1), 0.05
    side = relu_ntk_deviations(CORRELATIONS, 32, promised)
    mean = relu_ntk_mean(CORRELATIONS)
    for_one = scipy.stats.binom.isf(1e-9, 4000, promised)
    above, below = (entries > mean + side.above).sum(0), (entries < mean - side.below).sum(0)
    assert_within(4000 * promised / 20, above, for_one, why="violations above")
    assert_within(4000 * promised / 20, below, for_one, why="violations below")


@pytest.mark.slow
def test_relu_entries_show_an_output_weight_that_is_not_squared():
    # given  |a| in place of a^2: the mean shifts by r k0(r) (1 - sqrt(2/pi)), and the transform is that of |a|
    r, width, delta = 0.95, 2**15, 1e-9
    active = (np.pi - np.arccos(r)) / (2 * np.pi)
    shift = r * active * (1 - np.sqrt(2 / np.pi))

    def log_mgf(s):
        without_a = (np.expm1(relu_ntk_log_mgf(r, s)) + active) * np.sqrt(1 - 2 * s * r)
        return np.log(1 - active + without_a * scipy.special.erfcx(-s * r / np.sqrt(2)))

    # when   the tolerance at 1e-9 is added to a deviation of the planted law itself at one in a thousand
    strayed = chernoff(log_mgf, relu_ntk_mean(r) - shift, width, 1e-3, domain=(-np.inf, 1 / (1 + r)))
    reach = relu_ntk_deviations(r, width, delta).below + strayed.above
    assert_at_most(reach, shift, why="what is missed with probability 1e-3, against |a| for a^2")
    # then   the planted error is caught in all of 10 replicates
    planted = kernel_entries(np.array([r]), width, 10, seed=2, output_power=1)[:, 0]
    caught = relu_ntk_mean(r) - relu_ntk_deviations(r, width, delta).below
    assert_at_most(planted, caught, why="|a| for a^2 falls out of its deviation")


def test_the_diagonal_of_a_relu_kernel_has_its_exact_law_with_its_atom():
    # given  width 4: the kernel is 0 with probability 1/16, so a one-sided distance would show a gap of 1/16
    count, delta, width = 4000, 1e-9, 4
    samples = kernel_entries(np.ones(1), width, count, seed=3)[:, 0]
    bound = dvoretzky_kiefer_wolfowitz(count, delta)
    law = [lambda x: relu_ntk_diagonal_cdf(x, width), lambda x: relu_ntk_diagonal_cdf(x, width) - (x == 0) / 2**width]
    assert_at_most(sup_distance(samples, *law), bound, why="Gamma mixture, DKW")
    # then   a width that is wrong by a factor of two, and a forgotten atom, are found
    other = sup_distance(samples, lambda x: relu_ntk_diagonal_cdf(x, 2 * width))
    assert_at_most(bound, other, why="the law of twice the width")
    assert_at_most(bound, sup_distance(samples, law[0]), why="the atom, taken for a continuous law")
    # and    the wrong width is missed with probability at most 1e-9
    distance = abs(relu_ntk_diagonal_cdf(1 / 4, width) - relu_ntk_diagonal_cdf(1 / 4, 2 * width))
    assert_at_most(
        detectable_error(lambda p: dvoretzky_kiefer_wolfowitz(count, p), delta, delta),
        distance,
        why="what is detectable",
    )


def test_the_hoeffding_deviation_solves_hoeffdings_inequality():
    for spread, count, delta in ((2.0, 100, 0.05), (0.5, 7, 1e-9)):
        t = hoeffding(spread, count, delta)
        probability = 2 * np.exp(-2 * count * t**2 / spread**2)
        assert_within(delta, probability, delta, slack=256 * UNIT_ROUNDOFF * delta, why="2 exp(-2 n t^2/spread^2)")


def test_hoeffding_finds_what_it_calls_detectable():
    # given  2000 means of 100 fair signs, and an expectation that is off by the detectable error
    count, promised = 100, 0.05
    means = np.random.default_rng(4).choice([-1.0, 1.0], (2000, count)).mean(1)
    error = detectable_error(lambda delta: hoeffding(2, count, delta), promised, 0.1)
    missed = np.count_nonzero(np.abs(means + error) < hoeffding(2, count, promised))
    assert_at_most(missed, scipy.stats.binom.isf(1e-9, 2000, 0.1), why="detectable errors that are missed")


@pytest.mark.parametrize(("count", "delta"), [(20, 0.05), (200, 0.05), (4000, 1e-9)])
def test_dvoretzky_kiefer_wolfowitz_has_between_three_quarters_and_all_of_its_false_alarm_probability(count, delta):
    exact = scipy.stats.kstwo.sf(dvoretzky_kiefer_wolfowitz(count, delta), count)
    assert_within(3 / 4 * delta, exact, delta, why="Kolmogorov's law at the deviation")


def test_dvoretzky_kiefer_wolfowitz_finds_a_shifted_law():
    # given  300 samples of 200 uniform numbers, and a law that is shifted by the detectable distance
    count, promised = 200, 0.05
    bound = dvoretzky_kiefer_wolfowitz(count, promised)
    samples = np.random.default_rng(5).random((300, count))
    shift = detectable_error(lambda delta: dvoretzky_kiefer_wolfowitz(count, delta), promised, 0.1)
    shifted = np.array([sup_distance(sample, lambda x: np.clip(x + shift, 0, 1)) for sample in samples])
    missed = np.count_nonzero(shifted <= bound)
    assert_at_most(missed, scipy.stats.binom.isf(1e-9, 300, 0.1), why="shifted laws that are missed")


@pytest.mark.slow
def test_the_chi_square_interval_has_its_false_alarm_probability_and_finds_a_factor_of_two():
    freedom, promised = 400, 0.05
    squares = (np.random.default_rng(6).standard_normal((4000, freedom)) ** 2).sum(1)
    lower, upper = chi_square_interval(freedom, promised)
    expected = clopper_pearson(np.count_nonzero((squares < lower) | (squares > upper)), 4000, 1e-9)
    assert_within(expected[0], promised, expected[1], why="sums of squares outside their interval")
    # then   at 1e-9, at most one test in a hundred misses twice or half the variance; twice the variance is caught here
    assert_at_most(0.99, chi_square_power(freedom, 1e-9, [2, 1 / 2]), why="power against twice and half the variance")
    caught = np.count_nonzero(2 * squares > chi_square_interval(freedom, 1e-9)[1])
    assert_at_most(clopper_pearson(caught, 4000, 1e-9)[0], chi_square_power(freedom, 1e-9, 2.0), why="sums caught")
    assert_at_most(0.95 * 4000, caught, why="sums of squares with twice the variance that are caught")


def test_clopper_pearson_covers_exactly_and_finds_a_biased_coin():
    # given  every count of 60 trials, weighted by the binomial law: coverage by enumeration, at several probabilities
    trials, promised = 60, 0.05
    successes, true = np.arange(trials + 1), np.array([0.02, 0.3, 0.5, 0.97])[:, None]
    lower, upper = clopper_pearson(successes, trials, promised)
    errs = (scipy.stats.binom.pmf(successes, trials, true) * ((true < lower) | (true > upper))).sum(1)
    assert_within(promised / 20, errs, promised, why="intervals that miss the probability")
    power = clopper_pearson_power(0.5, 0.7, 400, 1e-9)
    assert_at_most(0.9, power, why="power against a coin at 0.7 for one at 1/2")
    heads = np.random.default_rng(7).binomial(400, 0.7)
    assert_at_most(0.5, clopper_pearson(heads, 400, 1e-9)[0], why="the biased coin is found")


@pytest.mark.parametrize("successes", [0, 1, 7, 29, 30])
def test_the_ends_of_clopper_pearson_leave_half_the_false_alarm_probability_on_each_side(successes):
    # when  the interval of 30 trials at 1/10; then at an end, a count as extreme as this one has probability 1/20
    lower, upper = clopper_pearson(successes, 30, 0.1)
    as_few, as_many = scipy.stats.binom.cdf(successes, 30, upper), scipy.stats.binom.sf(successes - 1, 30, lower)
    for end, tail, expected in ((upper < 1, as_few, 1.0), (lower > 0, as_many, 1.0)):
        assert_equal_within(tail, 0.05 if end else expected, 1e-9, why="the tail at an end of the interval")


def test_a_probability_is_shared_equally_and_anything_else_is_refused():
    assert_at_most(abs(union_bound_share(1e-7, 500) - 2e-10), 1e-7 * UNIT_ROUNDOFF, why="the share of each of 500")
    for total, comparisons in ((0.0, 3), (1.5, 3), (1e-7, 0), (1e-7, 2.5)):
        with pytest.raises(ValueError, match="no probability"):
            union_bound_share(total, comparisons)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: relu_ntk_deviations(0.3, 10, 1.5), "false alarm 1.5"),
        (lambda: relu_ntk_deviations(1 + 2.0**-52, 10, 0.5), "outside .-1, 1.: 1.00"),
        (lambda: relu_ntk_mean(np.nan), "a correlation is outside"),
        (lambda: hoeffding(1, 10, [0.5, 3.0]), "false alarm"),
        (lambda: dvoretzky_kiefer_wolfowitz(0, 0.5), "less than one sample: 0"),
        (lambda: chi_square_interval(0, 0.5), "less than one sample: 0"),
        (lambda: clopper_pearson(3, 5, 0.0), "false alarm 0.0"),
        (lambda: clopper_pearson([5, 7], 5, 0.5), "successes in 5 trials"),
    ],
)
def test_an_invalid_probability_count_or_correlation_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_the_detectable_error_of_an_asymmetric_law_adds_opposite_sides():
    # given  below = p, above = 10 p at the probability p. A mean that is too large is found at above + below
    found = detectable_error(lambda p: Deviations(below=p, above=10 * p), 0.25, 0.5)
    assert_identical([found.above, found.below], [2.5 + 0.5, 0.25 + 5], why="sides")


def test_the_lower_deviation_of_a_nonnegative_entry_does_not_reach_below_zero():
    # given  Z >= 0 (zero at r = -1), at widths so small that the infimum over s is at infinity: the search ends at e^35
    r, width = np.array([-1.0, 0.0, 0.3, 1.0]), np.array([[1], [4], [16]])
    reach = relu_ntk_deviations(r, width, 1e-9).below - relu_ntk_mean(r)
    bound = np.exp(-35) * np.log(1e9) / width + 8 * UNIT_ROUNDOFF
    assert_at_most(reach, np.broadcast_to(bound, reach.shape), why="reach below zero")
