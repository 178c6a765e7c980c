r"""Section 3.3: mirror descent - what fails without each hypothesis.

Setting     $L(w) = \frac12 \|Xw - y\|^2$; $\nabla\phi(w_{t+1}) = \nabla\phi(w_t) - \eta X^\top (X w_t - y)$ with
            $\phi(w) = \sum_j w_j \ln w_j - w_j$, that is $w_{t+1} = w_t \odot e^{-\eta X^\top (X w_t - y)}$;
            $\mathrm{KL}(v \| w) = \sum_j v_j \ln(v_j/w_j) - v_j + w_j$; $\operatorname{rank} X = n$, and $s_1$ is the
            largest singular value; $\mathbf 1$ is the vector of ones
Hypotheses  (H1) the mirror map is the entropy's, as printed.
            (H2) some $w_p > 0$ solves $X w_p = y$, which is so for an open set of $y$.
            (H3) $\mathbf 1 + \ln w_0 \in \operatorname{row}(X)$: the start $w_0 = \mathbf 1/e$, any
            $w_0 = e^{X^\top \mu - \mathbf 1}$, and $w_0 = c \mathbf 1$ if $\mathbf 1 \in \operatorname{row}(X)$.
            (H4) $\eta < 2/\Lambda$, $\Lambda = s_1^2 (\sqrt{\mathbf 1 \cdot w_p} + \sqrt{\mathrm{KL}(w_p \| w_0)})^2$,
            or backtracking on the dual.
Idea        Without H1 the run minimizes another distance from the start. Without H2 the target cannot be fitted by a
            positive $w$. Without H3 the component of $\mathbf 1 + \ln w_t$ in $\operatorname{null}(X)$ keeps its
            initial value, which is not zero. Without H4 the limit can repel what starts near it.
Tolerance   Iterates by a first-order rounding analysis; a step at the limit by the third derivative of the dual.
Findings    A step that is safe for gradient descent, below $2/\lambda_{\max}(X X^\top)$, need not be safe here: the
            curvature is $X \operatorname{diag}(w) X^\top$, which grows with $y$. With a step above
            $2/\lambda_{\max}(X \operatorname{diag}(w^*) X^\top)$ the limit $w^*$ repels what starts near it.
"""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.dynamics.gradient_descent import gradient_descent
from fixtures.dynamics.mirror_descent import ENTROPY, exponentiated_gradient, mirror_descent
from fixtures.precision import rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.positive import positive_systems
from fixtures.problems.tapes import times
from properties.certificates import assert_at_most, assert_keeps, assert_violates, assert_within, record_series
from properties.linear_models.divergences import curvature_bound, entropy, multiplier, relative_entropy
from properties.linear_models.least_squares import residual_rounding
from theorems.ledger import necessity
from theorems.section_03_linear_models.section_3_3_mirror_descent.runs import (
    learning_rate,
    logarithm,
    trajectory_rounding,
)


@necessity("H1")
def test_without_H1_gradient_descent_finds_an_interpolant_of_less_entropy():
    # given  X = [1, 2], y = 10, w_p = (2, 4), the start 1/e and a step below 2/Lambda
    X, y, start, w_p = np.array([[1.0, 2]]), np.array([10.0]), np.full(2, np.exp(-1)), np.array([2.0, 4])
    Lambda = 5 * (np.sqrt(6) + np.sqrt(relative_entropy(start, w_p - start))) ** 2
    eta = 1.9 / Lambda
    assert_keeps(H2=X @ w_p == y, H3=np.abs(1 + np.log(start)) <= rounding(1), H4=eta < 2 / Lambda)
    # when   the way to M shrinks by 1 - 5 eta < 0.94 a step; 1 + ln w is along (1, 2) at the most entropy, (q, q^2)/e
    run = gradient_descent(X, y, start, eta, 700)
    q = (np.sqrt(1 + 80 * np.e) - 1) / 4
    best = np.array([q, q**2]) / np.e
    # a step has 8 roundings of at most 10, and errors of all steps add up to 1/(1 - 0.94) times that of one; below u is
    # what is left of the way
    missing = rounding(17 * 8, 10)
    assert_at_most(np.abs(X @ np.array([run.w, best]).T - y).max(), missing, why="both interpolate")
    # then   the entropies are -6.74 and -7.01. Each has a slope of at most |1 + ln w| < 4, and errors of w are those of
    #        the residual over s_n, and of the null part
    reads, slack = "entropy {value} of an interpolant > {limit} of the limit of gradient descent", 4 * 2 * missing
    assert_violates(entropy(best), entropy(run.w), slack=slack, reads=reads, X=X, y=y, w0="1/e")


@necessity("H2")
@given(x=st.lists(st.integers(1, 3), min_size=1, max_size=4), y=st.integers(-4, -1), t=times(61))
def test_without_H2_a_target_that_no_positive_point_attains_is_never_interpolated(x, y, t):
    # given  a positive row and a negative target; the start 1/e of H3
    x, start, eta = np.array(x, float), np.full(len(x), np.exp(-1)), 1 / 8
    # given  w only falls, so that the curvature x'diag(w)x is largest at the start
    assert_keeps(H1=True, H3=np.abs(1 + np.log(start)) <= rounding(1), H4=eta * (x**2 @ start) < 2)
    # when
    run = mirror_descent(ENTROPY, x[None], np.array([float(y)]), start, eta, t)
    # then   |y| <= residual, and the gradient is at least x_j |y|: w_j <= exp(-1 - eta x_j |y| t)
    beyond = (x * np.exp(eta * x * y * t - 1)).sum()
    # a step in ln w: p + 3 in its gradient, two in the update and in the exponential; then the sum over w
    step = 1 + eta * x.max() * (x.sum() - y)
    slack = rounding((1 + t) * (2 * len(x) + 6), step * (x.sum() - y))
    assert_within(-y, (x @ run.w) - y, beyond - y, slack=slack, why="the residual stays", instance=(x, y, t))


@necessity("H3")
@given_batches(problem=positive_systems())
def test_without_H3_the_slope_of_the_entropy_along_the_interpolants_never_changes(problem):
    eta, miss = learning_rate(problem, problem.w0), norm(np.matvec(problem.X, problem.w_p) - problem.y, axis=-1)
    fits = miss <= residual_rounding(problem, problem.w_p)
    assert_keeps(H1=True, H2=fits, H4=eta * curvature_bound(problem, problem.w0) < 2)
    # when   at the drawn time, from any start
    run = mirror_descent(ENTROPY, problem.X, problem.y, problem.w0, eta, problem.t)
    # then   the null part of 1 + ln w_t is that of 1 + ln w_0; at a maximum in the interior it would be zero
    support = (problem.w_p > 0).astype(float)
    before = problem.in_null_space(support + logarithm(problem.w0))
    after = problem.in_null_space(support + logarithm(run.w))
    slack = trajectory_rounding(problem, run)
    assert_at_most(norm(after - before, axis=-1), slack, why="null part of the entropy's slope", instance=problem)


@necessity("H3")
def test_without_H3_two_starts_on_the_simplex_end_with_less_entropy_than_its_center_does():
    # given  distributions on {0, 1, 2} with the mean 10/7; the center meets H3, and the two other starts do not
    starts = np.array([[1, 1, 1], [2, 9, 2], [18, 1, 3]]) / np.array([[3], [13], [22]])
    limits = np.array([[5, 10, 20], [1, 18, 16], [9, 2, 24]]) / 35
    X, y, eta, t = np.arange(3.0)[None], np.array([10 / 7]), 1 / 2, np.arange(61)
    # given  H4: the curvature is a variance on {0, 1, 2}, at most 1
    assert_keeps(H1=True, H2=np.abs(limits @ X[0] - y) <= rounding(4, 2), H4=eta * 1 < 2)
    # when
    w = exponentiated_gradient(X, y, np.repeat(starts, 61, axis=0), eta, np.tile(t, 3)).reshape(3, 61, 3)
    # then   w_t is in proportion to w_0 (1, q, q^2), as the limit is, and the variance is at least v on the way, since
    #        each p_i p_j is log-concave in ln q. So |w - w*|^2 <= KL(w || w*) + KL(w* || w) <= r^2/v
    pairs = np.minimum(starts * np.roll(starts, 1, axis=1), limits * np.roll(limits, 1, axis=1))
    v = pairs @ np.array([4, 1, 1])
    r = np.abs(w[:, -1] @ X[0] - y)
    slack = rounding(60 * 12, 4)
    assert_at_most(r, 2.0**-10, why="sixty steps")
    assert_at_most(norm(w[:, -1] - limits, axis=-1), r / np.sqrt(v) + slack, why="distance to the limits")
    # and
    most, *others = entropy(limits)
    reads = "entropy {value} of the limit from the center > {limit} of the limit from elsewhere"
    assert_violates(most, max(others), slack=rounding(16), reads=reads, X=X, y=y)
    w_1, w_2, w_3 = w.reshape(-1, 3).T.round(5)
    record_series("mirror descent on the simplex", start=np.repeat(range(3), 61), w_1=w_1, w_2=w_2, w_3=w_3)


@necessity("H4")
@given_batches(problem=positive_systems())
def test_without_H4_a_step_beyond_twice_the_inverse_curvature_is_repelled_by_the_limit(problem):
    # given  the interpolant w = exp(X'mu - 1), which has the most entropy, and the start w exp(-X'nu) with
    #        nu = epsilon v, v the top eigenvector of A = X diag(w) X'
    w = problem.entropic_start
    curvature, vectors = np.linalg.eigh((problem.X * w[:, None, :]) @ problem.X.mT)
    top, v, epsilon = curvature[:, -1], vectors[:, :, -1], 2.0**-20
    start = w * np.exp(-epsilon * np.vecmat(v, problem.X))
    off = norm(problem.in_null_space(np.where(w > 0, 1 + logarithm(start), 0)), axis=-1)
    # an exponential and its logarithm, a product and its exponential; and the projection of X'mu, |X'mu| <= s_1 |mu|
    n, p, reach = problem.rows, problem.columns, 1 + problem.sigma_max * norm(problem.mu, axis=-1)
    hidden = rounding(4 + n, np.sqrt(p) * reach) + 2 * problem.construction * reach
    assert_keeps(H1=True, H2=(w > 0) == (problem.w_p > 0), H3=off <= hidden)
    # when   one step of 2.2/lambda_max(A)
    run = mirror_descent(ENTROPY, problem.X, np.matvec(problem.X, w), start, 2.2 / top, 1)
    grown = norm(multiplier(problem, run.shift) - epsilon * v, axis=-1)
    # then   the error of nu is multiplied by 2.2 - 1, up to the third derivative of D, s_1^3 max w_p e^epsilon
    third = 1.1 / top * problem.sigma_max**3 * w.max(-1) * np.exp(epsilon) * epsilon**2
    # the gradient at w and at its neighbour, n + p + 6 roundings of s_1^2 |w|; s_n turns a step into one of nu
    gradient = rounding(n + p + 6, 2 * np.sqrt(n) * problem.sigma_max**2 * norm(w, axis=-1))
    hidden = 2.2 / top * gradient / problem.sigma_min
    error = np.abs(grown - 1.2 * epsilon)
    assert_at_most(error, third + hidden, why="the limit repels", instance=problem)


@necessity("H4")
def test_without_H4_a_step_that_is_safe_for_gradient_descent_leaves_mirror_descent_at_zero():
    # given  X = [1, 1], y = 8, w_0 = 1 and eta = 0.95 < 2/lambda_max(XX') = 1
    X, y, eta, t = np.ones((1, 2)), np.array([8.0]), 0.95, 60
    assert_keeps(H1=True, H2=y == X @ [4, 4], H3=X[0] == np.ones(2))
    # when   ln w: 0, 5.7, then 5.7 - 0.95 (2 e^5.7 - 8) = -554, from where a step adds at most 0.95 * 8 = 7.6
    run = mirror_descent(ENTROPY, X, y, np.ones(2), eta, t)
    euclidean = gradient_descent(X, y, np.ones(2), eta, 200)
    # then
    highest = 2 * np.exp(5.7 - eta * (2 * np.exp(5.7) - 8) + 7.6 * (t - 2))
    assert_at_most(8 - highest, 8 - X[0] @ run.w, why="the residual at t = 60 is the whole target")
    assert_at_most(abs(8 - X[0] @ euclidean.w), 6 * 0.9**200 + rounding(10 * 5, 8), why="gradient descent arrives")
