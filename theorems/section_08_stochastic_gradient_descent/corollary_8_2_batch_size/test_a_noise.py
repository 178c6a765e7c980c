r"""Corollary 8.2 (a) - noise.

Printed     A smaller batch size increases the noise
Reading     The noise is the covariance of the minibatch gradient
Setting     Minibatches of $B$ samples out of $n$, with $f_B = \frac1B$ (with replacement) or $\frac{n-B}{B(n-1)}$
            (without). Least squares: $f_i = \frac12 (x_i^\top w - y_i)^2$, $H_i = x_i x_i^\top$, $H$ their mean, $H_B$
            their mean over a minibatch, $C$ the covariance of the samples' gradients at the minimum. If the distance to
            the minimum has the mean 0 and the covariance $S$, then after a step it has the covariance
            $T_B(S) + \eta^2 f_B C$, where $T_B(S) = E[(I - \eta H_B) S (I - \eta H_B)] = (I - \eta H)S(I - \eta H) +
            \eta^2 f_B (E[H_i S H_i] - HSH)$
Hypotheses  (H1) SGD is stable in mean square: $\rho(T_B) < 1$, at the smaller of two batches; at both where the step
            grows with the batch.  (H3) samples are drawn with replacement.
Corrected   (C1) On least squares with H1 the covariance of SGD has the limit $S = T_B(S) + \eta^2 f_B C$, which does
            not grow with $B$ in any direction
Idea        The variance of a mean. On least squares the noise acts on the second moment only, through a positive
            operator that is monotone in $f_B$: more noise gives more variance, and no bias
Tolerance   Fractions. The slow search is in floating point: the rounding of a linear system, over its spectral gap
Expected    holds
"""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given

from fixtures.dynamics.minibatch_law import (
    mean_and_covariance,
    minibatch_gradients,
    moment_operator,
    noise_share,
    sample_gradients,
    second_moments,
    stationary_covariance,
)
from fixtures.precision import factorization, rounding
from fixtures.rational import fractions, leading_pivots
from properties.certificates import assert_at_most, assert_identical, assert_keeps, assert_not_negative
from theorems.ledger import as_printed, corrected, necessity
from theorems.section_08_stochastic_gradient_descent.corollary_8_2_batch_size.least_squares import (
    small_least_squares,
    wide_least_squares,
)
from theorems.section_08_stochastic_gradient_descent.corollary_8_2_batch_size.stability import operator_rounding


@as_printed
@given(problem=small_least_squares())
def test_the_covariance_of_a_minibatch_gradient_is_its_share_of_that_of_a_sample(problem):
    _, sample = mean_and_covariance(sample_gradients(problem.X, problem.y, problem.w))
    # when   every minibatch is enumerated, of two samples and of all but one
    sizes = [2, len(problem.X) - 1]
    laws = [minibatch_gradients(problem.X, problem.y, problem.w, size, problem.replacement) for size in sizes]
    # then
    expected = [problem.shares[size - 1] * sample for size in sizes]
    assert_identical([mean_and_covariance(law)[1] for law in laws], expected, why="covariance of the gradient")


@as_printed
def test_pairs_out_of_three_samples_have_a_quarter_of_the_noise_and_half_of_it_with_replacement():
    # given  gradients (4, 1), (-2, 1), (-2, -2) at w = 0, of covariance [[8, 2], [2, 2]]
    X, y, w = fractions([[4, 1], [2, -1], [2, 2]]), fractions([-1, 1, 1]), fractions([0, 0])
    # when
    noise = [mean_and_covariance(minibatch_gradients(X, y, w, 2, law))[1] for law in (False, True)]
    # then   f = (3 - 2)/(2 * 2) and 1/2
    assert_identical(noise, fractions([[[2, "1/2"], ["1/2", "1/2"]], [[4, 1], [1, 1]]]), why="f_B Sigma")


@as_printed
@pytest.mark.parametrize("n", range(2, 9))
def test_each_further_sample_in_a_batch_lowers_the_noise(n):
    # given  B = 1 ... n - 1
    steps = [Fraction(1, B * (B + 1)) for B in range(1, n)]
    # then   the share falls by 1/(B(B + 1)) with replacement, and by n/(n - 1) times that without
    for_each_law = [[noise_share(n, B, law) - noise_share(n, B + 1, law) for B in range(1, n)] for law in (True, False)]
    assert_identical(for_each_law, [steps, [Fraction(n, n - 1) * step for step in steps]], why="fall of the share")


@corrected("C1", "H1")
@given(problem=small_least_squares())
def test_a_step_on_every_minibatch_keeps_the_stationary_covariance(problem):
    # given  H1: eta max |x_i|^2 <= 1 and rows that span the plane
    w_star, S = stationary_covariance(problem.X, problem.y, problem.eta, problem.shares[1])
    # when
    rows = problem.X[problem.minibatches(2)]
    A = np.eye(2, dtype=int) - problem.eta * (rows.mT @ rows / 2)
    g = problem.eta * minibatch_gradients(problem.X, problem.y, w_star, 2, problem.replacement)
    # then
    assert_identical(g.sum(0), [0, 0], why="mean gradient at the minimum")
    after = (A @ S @ A + g[:, :, None] * g[:, None, :]).sum(0) / len(rows)
    assert_identical(after, S, why="E[(A e - eta g)(A e - eta g)'] for Cov e = S")


@corrected("C1", "H1")
@given(problem=small_least_squares(rows=(3, 2)))
def test_the_covariance_falls_in_every_direction_as_batches_grow(problem):
    # given  H1
    limits = [stationary_covariance(problem.X, problem.y, problem.eta, f) for f in problem.shares]
    late, w_star = [S for _, S in limits], limits[0][0]
    # when   samples one by one, two steps from the minimum
    moments = second_moments(problem.X, problem.y, w_star, problem.eta, 2, problem.shares[0])
    early = moments[2][:2, :2] - np.outer(w_star, w_star)
    # then   S_B - S_(B+1), and S_1 - the covariance after two steps, are semidefinite: no pivot is negative
    falls = [*itertools.pairwise(late), (late[0], early)]
    pivots = [float(min(leading_pivots(more - less))) for more, less in falls]
    assert_not_negative(pivots, why="a fall of the covariance is semidefinite")


def covariance_in_floats(X, g, eta, share):
    """S = (I - T_B)^-1 eta^2 f C, C = g'g/n, and its error; None unless 1 - rho(T_B) is above a millionth.

    The error is that of the operator, of a solve and of forming C, over 1 - rho(T_B). Asserts that it is small.
    """
    T = moment_operator(X, eta, share)
    gap = 1 - np.linalg.eigvalsh((T + T.T) / 2)[-1]
    if gap < 1e-6:
        return None
    S = np.linalg.solve(np.eye(len(T)) - T, eta**2 * share * (g.T @ g).ravel() / len(X)).reshape(2 * X.shape[1:])
    solved = rounding(factorization(len(T), len(T)) + len(X) + 5, np.linalg.norm(np.eye(len(T)) - T))
    error = (operator_rounding(X, np.asarray(eta), share) + solved) / gap
    assert_at_most(error, rounding(10_000) / gap, why="ceiling of the error, as a share of S")
    return S, error * np.linalg.norm(S)


@corrected("C1", "H1")
@pytest.mark.slow
@given(problem=wide_least_squares())
def test_on_data_of_all_scales_no_direction_varies_more_in_a_larger_batch(problem):
    # given  H1, by the spectral radius, at the smaller batch; the least squares solution nearest 0
    X, y, eta, replacement = problem
    g = sample_gradients(X, y, np.linalg.lstsq(X, y, rcond=None)[0])
    shares = [float(noise_share(len(X), batch, replacement)) for batch in sorted({1, 2, len(X)})]
    # when
    stable = [law for f in shares if (law := covariance_in_floats(X, g, eta, f))]
    # then   in the direction in which the covariance falls least; a batch that is alone has nothing to compare
    variances, slack = [(0.0, 0.0)], [0.0]
    for (more, error), (less, other) in itertools.pairwise(stable):
        v = np.linalg.eigh(more - less)[1][:, 0]
        variances.append((v @ less @ v, v @ more @ v))
        slack.append(error + other)
    less, more = np.array(variances).T
    assert_at_most(less, more + slack, why="variance in the larger batch and in the smaller")


@necessity("H1")
def test_without_H1_the_variance_grows_without_bound():
    # given  h_i = 1/4, 4 and eta = 3/4: E(1 - eta h_i)^2 = 597/256 > 2, although eta h < 2; samples with replacement
    X, y, eta = fractions([["1/2"], [2]]), fractions([1, 0]), Fraction(3, 4)
    assert_keeps(H3=True)
    w_star, _ = stationary_covariance(X, y, eta, 0)
    moments = second_moments(X, y, w_star, eta, 8, noise_share(2, 1, True))
    # then
    variances = [M[0, 0] - w_star[0] ** 2 for M in moments]
    assert_at_most([2 * float(v) for v in variances[1:-1]], [float(v) for v in variances[2:]], why="a step doubles it")
    assert_at_most(1 / 100, float(variances[1]), why="variance after one step")
