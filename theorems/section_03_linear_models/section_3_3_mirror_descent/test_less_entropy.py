r"""Section 3.3: mirror descent - from other starts the limit has less entropy than another interpolant.

Setting     $L(w) = \frac12 \|Xw - y\|^2$; $\nabla\phi(w_{t+1}) = \nabla\phi(w_t) - \eta X^\top (X w_t - y)$ with
            $\phi(w) = \sum_j w_j \ln w_j - w_j$, that is $w_{t+1} = w_t \odot e^{-\eta X^\top (X w_t - y)}$;
            $\mathrm{KL}(v \| w) = \sum_j v_j \ln(v_j/w_j) - v_j + w_j$; $\operatorname{rank} X = n$, and $s_1$ is the
            largest singular value; $\mathbf 1$ is the vector of ones
Hypotheses  (H3) $\mathbf 1 + \ln w_0 \in \operatorname{row}(X)$: the start $w_0 = \mathbf 1/e$, any
            $w_0 = e^{X^\top \mu - \mathbf 1}$, and $w_0 = c \mathbf 1$ if $\mathbf 1 \in \operatorname{row}(X)$.
Corrected   (C2) The limit's entropy is less than the largest by the $\mathrm{KL}$ of the limit from the interpolant of
            most entropy. This $\mathrm{KL}$ is zero if and only if H3 holds.
Idea        The limit is the interpolant nearest $w_0$ in relative entropy. For $X = (1, 2)$ and $w_0 = (1, 1)$,
            $\ln w_t$ is a multiple of $(1, 2)$, so the second weight is the square of the first at every step.
Tolerance   The pinned instance is rational: $e^{12H}$ is compared. In the search the slack is what moving a computed
            point to an exact interpolant can change in $H$.
"""

from fractions import Fraction
from math import prod

import numpy as np
from numpy.linalg import norm

from fixtures.dynamics.mirror_descent import ENTROPY, mirror_descent_to_residual
from fixtures.precision import rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.positive import PositiveSystem, positive_systems
from fixtures.problems.regression import regression_of_design
from properties.certificates import assert_at_most, assert_equal_within, assert_identical, assert_violates
from properties.linear_models.divergences import (
    entropy,
    multiplier,
    null_part_of_log,
    relative_entropy,
    relative_entropy_rounding,
    residual_with_rounding,
)
from properties.oracles import nearest_in_relative_entropy
from properties.search import smallest_violation
from theorems.ledger import corrected, counterexample
from theorems.section_03_linear_models.section_3_3_mirror_descent.runs import (
    CONVERGED,
    logarithm,
    run_to_convergence,
    start_of_most_entropy,
)


def entropy_power(w, k):
    """Exp(k H(w)) = prod w_j^(-k w_j), exact: w in fractions, every k w_j an integer."""
    return prod(1 / weight ** int(k * weight) for weight in w)


@counterexample
def test_from_one_the_limit_one_half_one_quarter_has_less_entropy_than_one_third_one_third():
    r"""$X = (1, 2)$, $y = 1$, $w_0 = (1, 1)$: $\ln w_t = \nu_t (1, 2)$, so the second weight is the square of the
    first, and the limit is $(\frac12, \frac14)$, with $H = \frac12 \ln 2 + \frac14 \ln 4 = \ln 2 = 0.693$. The print
    says that this is the most. The interpolant $(\frac13, \frac13)$ has $H = \frac23 \ln 3 = 0.732$."""
    limit, other = (Fraction(1, 2), Fraction(1, 4)), (Fraction(1, 3), Fraction(1, 3))
    assert_identical(limit[1], limit[0] ** 2, why="w_2 = w_1^2")
    assert_identical([w[0] + 2 * w[1] for w in (limit, other)], [1, 1], why="Xw = y")
    # then
    value, bound = entropy_power(other, 12), entropy_power(limit, 12)
    reads = "e^12H = {value} at the interpolant (1/3, 1/3) > {limit} at the limit (1/2, 1/4)"
    assert_violates(value, bound, reads=reads, X=[[1, 2]], y=[1], w0=[1, 1])


@counterexample
def test_mirror_descent_does_run_from_one_to_one_half_one_quarter():
    X, y, start = np.array([[1.0, 2]]), np.array([1.0]), np.ones(2)
    # when
    run = mirror_descent_to_residual(ENTROPY, X, y, start, CONVERGED)
    # then   ln w is (nu, 2 nu) without rounding; two exponentials, a square and a difference have some
    slack = rounding(4)
    assert_equal_within(run.w[1], run.w[0] ** 2, slack, why="w_2 = w_1^2 along the run")
    # and    w_1 + 2 w_1^2 = 1 + r gives |w_1 - 1/2| <= |r|/2 and |w_2 - 1/4| <= |r|/2
    assert_equal_within(run.w, [1 / 2, 1 / 4], CONVERGED / 2 + slack, why="the run ends at (1/2, 1/4)")


def entropies(problem):
    """H of the interpolant of most entropy, H of the limit from w_0, and a bound on the numerical error of both.

    An exact interpolant is at most |Xw - y|/s_n away. H changes by |1 + ln w| times that, doubled for the second order.
    """
    limit = run_to_convergence(problem, problem.w0).w
    best = nearest_in_relative_entropy(problem.X, problem.y, start_of_most_entropy(problem))
    slopes = [norm(1 + np.log(w)) * residual_with_rounding(problem, w) for w in (best, limit)]
    return entropy(best), entropy(limit), 2 * sum(slopes) / problem.sigma_min


def limit_has_less_entropy(problem):
    """Whether the entropies differ by more than their slack."""
    best, limit, slack = entropies(problem)
    return best > limit + slack


@counterexample
def test_a_search_finds_a_start_whose_limit_has_less_entropy_than_another_interpolant():
    # given  a system that is spared: w_1 + w_2 = 2 from (1, 1), where the start has the most entropy of all
    X, one = np.ones((1, 2)), np.ones(2)
    design = vars(regression_of_design(X, X @ one)) | {"w0": one}
    spared = PositiveSystem(**design, w_p=one, mu=np.zeros(1), exponent=0)
    # when
    found = smallest_violation(positive_systems(), limit_has_less_entropy, spared=spared)
    # then   in the simplest instance a coordinate that no row of X contains keeps its initial value
    best, limit, slack = entropies(found)
    reads = "entropy {value} of an interpolant > {limit} of the limit"
    assert_violates(best, limit, slack=slack, reads=reads, X=found.X, y=found.y, w0=found.w0)


@corrected("C2")
@given_batches(problem=positive_systems())
def test_the_limit_misses_the_most_entropy_by_its_divergence_from_it(problem):
    w = run_to_convergence(problem, problem.w0).w
    best = nearest_in_relative_entropy(problem.X, problem.y, start_of_most_entropy(problem))
    # then   H(w*) - H(w) = KL(w || w*) = KL of the limit from the maximum, zero only if they agree
    change, slope = w - best, norm(null_part_of_log(problem, best, start_of_most_entropy(problem)), axis=-1)
    miss = residual_with_rounding(problem, w) + residual_with_rounding(problem, best)
    nu = multiplier(problem, np.where(best > 0, 1 + logarithm(best), 0))
    slack = norm(nu, axis=-1) * miss + norm(change, axis=-1) * (slope + 4 * problem.construction * norm(best, axis=-1))
    slack += 2 * relative_entropy_rounding(w, best)
    error = np.abs(entropy(best) - entropy(w) - relative_entropy(best, change))
    assert_at_most(error, slack, why="what the start costs in entropy", instance=problem)
