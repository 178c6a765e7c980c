r"""Section 6.1: incremental learning - one layer learns strong modes first too, but no mode waits.

Setting     $f = Xw$, $L = \frac12 \|Xw - y\|^2$, gradient descent with the step $\eta$. This is the kernel regime. The
            residual has modes along the eigenvectors of $K = X X^\top$, with eigenvalues $k$
Hypotheses  (H6) In the kernel regime: $\eta \le 1/\lambda_{\max}(K)$.
Corrected   (C7) In the kernel regime, under H6, mode $k$ of the residual is multiplied by $1 - \eta k$ in every step,
            and of a stronger mode no larger share is left.
            (C8) One layer learns in this order too, but no mode waits: with modes 2 and 1 and $\eta = 1/8$, when the
            first is half learned the second is too, from $10^{-1}$, $10^{-3}$ and $10^{-6}$.
Idea        The modes of the residual do not interact, and each decays at its own rate from the first step on.
Tolerance   The rounding of the iterates (`properties.linear_models.least_squares`). The instances of C8 and without H6
            are rational, and exact
"""

from fractions import Fraction

import numpy as np
import pytest
from numpy.linalg import norm

from fixtures.dynamics.gradient_descent import exact_descent, gradient_descent
from fixtures.precision import rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.regression import off_the_minima, regressions
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical, record_series
from properties.linear_models.least_squares import iterate_rounding
from theorems.ledger import corrected, necessity, observed


def modes_rounding(problem, run):
    """Rounding of the modes of two residuals and of the factors (1 - eta k)^t between them.

    The iterate; and of each residual p roundings for Xw, n for its modes and 6(n + p) for the construction. A factor
    costs 4 for each of its t.
    """
    n, p = problem.rows, problem.columns
    size = problem.sigma_max * (norm(run.w, axis=-1) + norm(problem.w0, axis=-1)) + norm(problem.y, axis=-1)
    return iterate_rounding(problem, run) * problem.sigma_max + rounding(2 * 7 * (n + p) + 4 * (1 + problem.t), size)


@corrected("C7", "H6")
@given_batches(problem=regressions())
def test_in_the_kernel_regime_a_stronger_mode_loses_more_of_its_residual(problem):
    # given  H6: eta = 0.9/lambda_max; w0 is no minimum
    problem = off_the_minima(problem)
    start, eta = problem.modes(np.matvec(problem.X, problem.w0) - problem.y), 0.9 / problem.sigma_max**2
    # when
    run = gradient_descent(problem.X, problem.y, problem.w0, eta, problem.t)
    after = problem.modes(np.matvec(problem.X, run.w) - problem.y)
    # then   each mode is multiplied by (1 - eta k)^t, a factor that falls with k
    factors = (1 - eta[:, None] * problem.s**2) ** problem.t[:, None]
    slack = modes_rounding(problem, run)
    assert_at_most(np.abs(after - factors * start).max(-1), slack, why="modes of the residual", instance=problem)
    # then   of the strongest mode no larger share is left than of the weakest
    (first, share, left), (last, other, kept) = (
        [np.take_along_axis(of, at[:, None], 1)[:, 0] for of in (start, factors, after)]
        for at in (0 * problem.rows, problem.rows - 1)
    )
    stronger, weaker, lead = np.abs(left * last), np.abs(kept * first), np.abs(first * last) * (other - share)
    slack *= 2 * np.abs(start).max(-1)
    assert_at_most(np.abs(weaker - stronger - lead), slack, why="lead of the stronger mode", instance=problem)
    assert_at_most(stronger, weaker + slack, why="the order of the modes", instance=problem)


@corrected("C8")
@pytest.mark.parametrize("k", [1, 3, 6])
def test_without_a_second_layer_the_modes_do_not_wait_for_each_other(k):
    # given  one layer, f = w on whitened inputs, s = (2, 1), both modes start at 10^-k; eta = 1/8, exact
    start = fractions([Fraction(1, 10**k)] * 2)
    path = exact_descent(fractions([[1, 0], [0, 1]]), fractions([2, 1]), start, Fraction(1, 8), 8)
    # when   the first is half learned
    w = next(w for w in path if w[0] >= 1)
    # then   so is the second
    assert_at_most(Fraction(1, 2), w[1], why="share of the second mode")


@observed
def test_the_deeper_a_linear_network_the_longer_its_second_mode_waits():
    # given  the scalar maps u <- u + eta u^(L-1) (s - u^L) of the modes 4, 2, 1, all from 1/100, and eta = 1/100
    s, waits, ends = np.array([4.0, 2.0, 1.0]), [], []
    for depth in (1, 2, 3, 4):
        u = np.full((601, 3), 0.01 ** (1 / depth))
        for t in range(600):
            u[t + 1] = u[t] + 0.01 * u[t] ** (depth - 1) * (s - u[t] ** depth)
        modes = u**depth
        waits += [(modes / s)[np.argmax(modes[:, 0] >= 2), 1]]  # the share of the second when the first is half learned
        ends += [(modes[-1] / s).min()]
        columns = dict(zip(("first", "second", "third"), np.round(modes[::5].T, 4), strict=True))
        record_series(f"modes of a linear network of depth {depth}", time=np.arange(121) / 20, **columns)
    # then
    assert_at_most(9 / 10, ends, why="shares of the modes at the end")
    assert_at_most(1 / 2, waits[0], why="share of the second mode, one layer")
    assert_at_most(waits[1:], [1 / 10, 1 / 30, 1 / 50], why="share of the second mode, two to four layers")


@necessity("H6")
def test_without_H6_the_strongest_mode_can_be_the_slowest():
    # given  k = (4, 1) and eta = 19/40 < 2/lambda_max, from (1, 1) towards 0
    X = fractions([[2, 0], [0, 1]])
    path = exact_descent(X, fractions([0, 0]), fractions([1, 1]), Fraction(19, 40), 5)
    # then   the residual modes are (1 - eta k)^t: (-9/10)^t against (21/40)^t
    residual = path[5] @ X
    assert_identical(path[5], [Fraction(-9, 10) ** 5, Fraction(21, 40) ** 5], why="modes after five steps")
    assert_at_most(10 * abs(residual[1]), abs(residual[0]), why="the stronger mode keeps more of its residual")
