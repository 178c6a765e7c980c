r"""Theorem 5.1 (d) - what a random start adds to the limit of training.

Setting     The network is linearized at its start, and all weights are trained by the flow or by descent with
            $\eta \|K_0\| < 2$ on the loss $\frac12 \sum_i (f(x_i) - y_i)^2$. $K_0$ is the kernel of the start,
            $K^\infty$ its limit for infinite width, and $k_x = K(x, X)$, where $K$ is $K_0$ in C5 and $K^\infty$ in C6.
Corrected   (C5) Where $K_0$ is invertible training ends at $k_x K_0^{-1} y + f_0(x) - k_x K_0^{-1} f_0(X)$.
            (C6) One hidden ReLU layer, $c = (1, -K^{-1} k_x)$ for $K = K^\infty$, and $f_0$ taken at $x$ and $X$: the
            offset $c^\top f_0$ has the variance $c^\top \Sigma c$ at every width, $\Sigma$ the limiting covariance of
            $f_0$; given the hidden weights it is normal, with their empirical covariance.
Idea        (C5) Descent ends at the interpolant whose weights are nearest to the start. (C6) $f_0$ is linear in the
            output weights, which are independent and normal. The variance given $W$ is a mean over neurons, so its
            expectation is the same at every width.
Tolerance   (C5) the rounding of a solve with $K$. (C6) Chernoff, the $\chi^2$ law and Dvoretzky-Kiefer-Wolfowitz
            (`properties.statistics.concentration`).
Chance      (C6) each comparison fails by chance with probability $10^{-12}$.
"""

import numpy as np
import pytest
import scipy.stats
from numpy.linalg import norm

from fixtures.kernels.infinite_width import relu_nngp, relu_ntk
from fixtures.kernels.regression import interpolant_coefficients
from fixtures.precision import factorization, rounding
from fixtures.problems.batches import given_batches
from properties.certificates import assert_at_most, assert_equal_within, assert_within
from properties.oracles import nearest_interpolant
from properties.statistics.concentration import (
    chernoff,
    chi_square_interval,
    chi_square_power,
    detectable_error,
    dvoretzky_kiefer_wolfowitz,
    sup_distance,
)
from theorems.ledger import corrected
from theorems.section_05_neural_tangent_kernel.theorem_5_1_infinite_width.networks import (
    FIXED_DELTA,
    POINTS,
    drawn_network,
    independent_networks,
)
from theorems.section_05_neural_tangent_kernel.wide_networks.network_inputs import trainings


@corrected("C5")
@given_batches(problem=trainings(log_widths=range(6, 9)))
def test_the_limit_is_the_interpolant_of_least_norm_plus_what_the_start_leaves(problem):
    # given  ReLU, both layers trained, any start
    start, X, Z = drawn_network(problem, "relu"), problem.X, problem.Z
    J, f_0 = start.jacobian(X), start.predict(X)
    # when   LAPACK finds the limit of descent of the linearized network: the interpolating weights nearest to theta_0
    theta = nearest_interpolant(J, problem.y - f_0, np.zeros((len(J), J.shape[-1])))
    limit = start.predict(Z) + np.matvec(start.jacobian(Z), theta)
    # then   k_x K^-1 y + f_0(x) - k_x K^-1 f_0(X)
    K, k = problem.gram(lambda inputs: start.kernel(inputs)), start.kernel(Z, X)
    offset = start.predict(Z) - np.matvec(k, interpolant_coefficients(K, f_0))
    error = norm(limit - np.matvec(k, interpolant_coefficients(K, problem.y)) - offset, axis=-1)
    w = np.linalg.eigvalsh(K)
    scale = norm(start.jacobian(Z), axis=(-2, -1)) * (norm(problem.y, axis=-1) + norm(f_0, axis=-1)) / np.sqrt(w[:, 0])
    # rounding: J is decomposed on one side; on the other K sums over p weights and is solved
    p, n = J.shape[-1], K.shape[-1]
    slack = rounding(p + factorization(p, n) + factorization(n, n), w[:, -1] / w[:, 0] * scale)
    assert_at_most(error, slack, why="limit against interpolant and offset", instance=problem)


def offsets_of_networks(width):
    """The offset c'f_0 at the last of POINTS, trained at the others, for networks of this width; 2^18 neurons in all.

    Returns c = (1, -K^-1 k_x), the points x and X, the networks, and v = c' Sigma_m c, the variance given W.
    """
    points, nets = POINTS[[2, 0, 1]], independent_networks(width, 2**18 // width)
    c = np.append(1, -interpolant_coefficients(relu_ntk(points[1:]), relu_ntk(points)[0, 1:]))
    return c, points, nets, np.vecdot(nets.kernel(points, train="output") @ c, c)


@corrected("C6")
@pytest.mark.parametrize("width", [8, 64])
def test_given_the_hidden_weights_the_offset_is_gaussian_with_the_empirical_variance(width):
    c, points, nets, v = offsets_of_networks(width)
    # given  c removes what training can correct: K(X, points) c = 0
    K = relu_ntk(points)[1:]
    assert_equal_within(K[:, 1:] @ c[1:], -K[:, 0], rounding(2 + factorization(2, 2), 2), why="k_x - K K^-1 k_x")
    # then   c'f_0 ~ N(0, v) given W. Two comparisons at FIXED_DELTA: the sum of squares over v, and the law. A network
    #        of width 8 has no active neuron at any point, so v = 0, with probability 1/30,000
    active = v > 0
    offsets, count = (nets.predict(points) @ c)[active] / np.sqrt(v[active]), active.sum()
    inside, bound = chi_square_interval(count, FIXED_DELTA), dvoretzky_kiefer_wolfowitz(count, FIXED_DELTA)
    assert_within(inside[0], np.sum(offsets**2), inside[1], why="squares of the offsets over their variances")
    assert_at_most(sup_distance(offsets, scipy.stats.norm.cdf), bound, why="law of the offsets, DKW")
    # and    power: a wrong variance is seen, and random signs in place of normal a would be seen at width 8
    found = chi_square_power(count, FIXED_DELTA, [1 / 1.3, 1.3])
    assert_at_most(1 - 1e-5, found, why="chance that a variance wrong by a factor 1.3 is seen")


@corrected("C6")
@pytest.mark.parametrize("width", [16, 64])
def test_the_offset_of_the_limiting_predictor_has_the_same_exact_variance_at_every_width(width):
    c, points, _, v = offsets_of_networks(width)
    variance, G = c @ relu_nngp(points) @ c, (np.abs(c) @ norm(points, axis=1)) ** 2
    ends = (-np.inf, 1 / (2 * G))

    # given  v is a mean of |w|^2 g, with |w|^2/2 exponential and independent of g in [0, G], and E g = variance/2. Its
    #        moment generating function E 1/(1 - 2sg) is convex in g, so it is largest if g takes only the values 0 and
    #        G
    def deviations(delta):
        return chernoff(
            lambda s: np.log1p(variance * s / (1 - 2 * s * G)), variance, v.size * width, delta, domain=ends
        )

    # then
    allowed, found = deviations(FIXED_DELTA), detectable_error(deviations, FIXED_DELTA, FIXED_DELTA)
    assert_within(variance - allowed.below, v.mean(), variance + allowed.above, why="mean variance of the offset")
    assert_at_most(
        max(found.below, found.above), 2 / 5 * variance, why="error that is missed with probability FIXED_DELTA"
    )
    assert_at_most(1 / 3, variance, why="c' Sigma c, the same at every width")
