r"""Corollary 8.2 (a) - the stationary variance where the step grows with the batch.

Setting     Least squares with one parameter: $h_i = x_i^2$ are the curvatures of the samples, $h$ is their mean, $c$
            the variance of the samples' gradients at the minimum, and $S$ the stationary variance of SGD with the step
            $\eta$ and the batch $B$. $T_B$ takes a second moment $M$ to $((1 - \eta h)^2 + \eta^2 f_B
            \operatorname{Var} h_i) M$; with replacement $f_B = \frac1B$. The batch and the step are multiplied by $k$,
            and $\varepsilon > 0$ is the share by which $S$ may grow
Hypotheses  (H1) SGD is stable in mean square: $\rho(T_B) < 1$, at the smaller of two batches; at both where the step
            grows with the batch.  (H3) samples are drawn with replacement.  (H4) the step is small: $\eta(k h +
            \operatorname{Var}(h_i)/(Bh)) \le 2\varepsilon/(1 + \varepsilon)$.
Corrected   (C2) For one parameter, with H1, H3, $S = \frac{\eta}{B} c/(h(2 - \eta h) - \frac{\eta}{B}
            \operatorname{Var} h_i)$. From $(\eta, B)$ to $(k\eta, kB)$ it grows by the share $(k - 1)\eta h/(2 - k\eta
            h - \eta \operatorname{Var}(h_i)/(Bh))$ of itself, at most $\varepsilon (k - 1)/k$ with H4. A step that
            grows by $\sqrt k$ keeps the noise $\eta^2/B$ of a step; to first order in $\eta$, $S$ then falls like
            $1/\sqrt k$
Tolerance   Exact: all numbers are fractions
Findings    In 8.2 the paper states no rule for the step. In practice the step is often scaled linearly with $B$.
            Experiment 5 scales it with $\sqrt B$
"""

from fractions import Fraction

from hypothesis import given

from fixtures.dynamics.minibatch_law import noise_share, second_moments, stationary_covariance
from fixtures.problems.tapes import tapes
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical, assert_keeps
from theorems.ledger import corrected, necessity

CONSTANT_NOISE = fractions([[1], [1]]), fractions([1, -1])
"""X and y of two samples of curvature 1. At every w their gradients are the mean gradient -+ 1."""


def stationary_variance(X, y, eta, batch, replacement=True):
    """The stationary variance S of SGD on least squares with one parameter, X (n, 1). Exact."""
    return stationary_covariance(X, y, eta, noise_share(len(X), batch, replacement))[1].item()


def largest_excess(k, epsilon):
    """The bound of C2 on the share by which S grows from (eta, B) to (k eta, kB) under H4."""
    return epsilon * (k - 1) / k


@corrected("C2")
def test_a_batch_and_a_step_four_times_as_large_have_three_sixteenths_more_variance():
    # given  constant noise, eta h = 1/10
    S, scaled = (stationary_variance(*CONSTANT_NOISE, Fraction(k, 10), k) for k in (1, 4))
    # then   the excess is (3/10)/(2 - 4/10) = 3/16
    assert_identical(scaled / S, Fraction(19, 16), why="ratio of the variances")


@corrected("C2")
def test_at_the_largest_step_of_H4_the_excess_is_nearly_epsilon_for_a_large_factor():
    # given  constant noise, k = 10, epsilon = 1/10 and the largest step of H4: k eta h = 2 epsilon/(1 + epsilon)
    eta = Fraction(2, 110)
    S, scaled = (stationary_variance(*CONSTANT_NOISE, k * eta, k) for k in (1, 10))
    # then
    assert_identical(scaled / S - 1, largest_excess(10, Fraction(1, 10)), why="(k - 1)/k of epsilon")
    assert_identical(largest_excess(10, Fraction(1, 10)), Fraction(9, 100), why="nine tenths of a tenth")


@corrected("C2", "H3", "H4")
@given(tape=tapes(10))
def test_for_small_steps_linear_scaling_keeps_the_variance_up_to_the_share_epsilon(tape):
    # given  samples that no w fits, and the largest step of H4; epsilon = 9 is near the end of stability
    X, y = fractions(1 + tape.naturals((3, 1), 4)), fractions(tape.integers(3, 3).astype(int))
    y[0] += not (y * X[0, 0] - y[0] * X[:, 0]).any()
    k, B, epsilon = 1 + tape.below(6), 1 + tape.below(4), Fraction(tape.choice((1, 10, 90)), 10)
    h, v = (X**2).sum() / 3, (X**4).sum() / 3 - ((X**2).sum() / 3) ** 2
    eta = 2 * epsilon / (1 + epsilon) / (k * h + v / (B * h))
    # when
    S, scaled = (stationary_variance(X, y, m * eta, m * B) for m in (1, k))
    # then
    residual = y - X[:, 0] * (X[:, 0] @ y) / (3 * h)
    c = ((X[:, 0] * residual) ** 2).sum() / 3
    assert_identical(S, eta / B * c / (h * (2 - eta * h) - eta * v / B), why="stationary variance at (eta, B)")
    excess = (k - 1) * eta * h / (2 - k * eta * h - eta * v / (B * h))
    assert_identical(scaled / S - 1, excess, why="excess at (k eta, kB)")
    assert_at_most(float(excess), float(largest_excess(k, epsilon)), why="excess against the share epsilon")


@corrected("C2")
def test_a_step_that_grows_by_the_root_keeps_the_noise_of_a_step_and_lowers_the_stationary_variance():
    # given  B = 32 and 8192, a step 16 times as large, h = 1 and eta = 1/100, samples of constant noise
    X, y = CONSTANT_NOISE
    laws = [(Fraction(1, 100), 32), (Fraction(16, 100), 8192)]
    # when
    small, large = (stationary_variance(X, y, eta, batch) for eta, batch in laws)
    step_noise = [second_moments(X, y, fractions([0]), eta, 1, Fraction(1, B))[1][0, 0] for eta, B in laws]
    # then
    assert_identical(step_noise[0], step_noise[1], why="eta^2/B, the variance after one step")
    assert_identical(large / small, Fraction(199, 184) / 16, why="the stationary variance falls by about 16")


@necessity("H1")
def test_without_H1_at_the_scaled_step_the_variance_has_no_limit_though_the_small_batch_is_stable():
    # given  constant noise, h = 1, eta = 3/4 and k = 4: (1 - eta)^2 = 1/16, but (1 - 4 eta)^2 = 4
    X, y = CONSTANT_NOISE
    assert_keeps(H3=True)
    # when   batches of four
    moments = second_moments(X, y, fractions([0]), Fraction(3), 6, Fraction(1, 4))
    # then   the variance is (4^t - 1)(9/4)/3 and has no limit; the share (k - 1) eta h/(2 - k eta h) is negative
    assert_identical([M[0, 0] for M in moments], [Fraction(3 * (4**t - 1), 4) for t in range(7)], why="variance")


@necessity("H3")
def test_without_H3_twice_the_batch_has_half_the_variance_at_small_steps():
    # given  three samples of constant noise, h = 1, drawn without replacement: from B = 1 to B = 2 the share of the
    #        noise falls from 1 to 1/4, not to 1/2. H4 holds with k = 2 and epsilon = 1/99
    X, y, eta = fractions([[1]] * 3), fractions([1, 0, -1]), Fraction(1, 100)
    assert_keeps(H1=(1 - 2 * eta) ** 2 < 1, H4=2 * eta <= 2 * Fraction(1, 99) / (1 + Fraction(1, 99)))
    # when
    S, scaled = (stationary_variance(X, y, k * eta, k, False) for k in (1, 2))
    # then   for small eta the ratio is (n - kB)/(n - B) = 1/2
    assert_identical(scaled / S, Fraction(1, 2) * Fraction(199, 198), why="ratio of the variances")


@necessity("H4")
def test_without_H4_the_variance_grows_by_more_than_twice_itself():
    # given  constant noise, h = 1, eta = 3/8, k = 4, with replacement. H4 with epsilon = 1/10 asks for k eta h <= 2/11
    eta = Fraction(3, 8)
    assert_keeps(H1=[(1 - k * eta) ** 2 < 1 for k in (1, 4)], H3=True)
    assert_at_most(2 / 11, float(4 * eta), why="H4 fails")
    # then
    S, scaled = (stationary_variance(*CONSTANT_NOISE, k * eta, k) for k in (1, 4))
    assert_identical(scaled / S - 1, Fraction(9, 4), why="excess of (4 eta, 4) over (eta, 1)")
