r"""Section 3.3: coordinate descent - the greedy rule attains the least l1 norm under exact recovery.

Printed     Coordinate descent has an implicit $\ell_1$ regularization under certain conditions, and selects sparse $w$
Setting     $\frac12 \|Xw - y\|^2$ with $p > n$, $\operatorname{rank} X = n$, $w_0 = 0$, the columns $x_j$ of $X$ and
            the residual $r = y - Xw$. Exact: each step minimizes the loss over one coordinate. Cyclic: the coordinates
            are taken in turn. Greedy: the coordinate of the largest $|x_j \cdot r|$. Scaled: that of the largest
            $|x_j \cdot r| / \|x_j\|$. Small steps: the coordinate of the largest $|x_j \cdot r|$ moves by $\epsilon$.
Reading     "Under certain conditions" makes it a statement of existence: the conditions and the rule are ours to
            supply. For $\frac12 \|Xw - y\|^2$ with $p > n$, $\operatorname{rank} X = n$ and $w_0 = 0$, coordinate
            descent ends in the $w$ of least $\|w\|_1$ with $Xw = y$, and $w$ has at most $n$ coordinates that are not
            zero.
Hypotheses  (H1) exact recovery: $y = X_A c$, where $X_A$ has the columns of a set $A$ and full column rank, and
            $\|X_A^+ x_j\|_1 < 1$ for every $j \notin A$. For $|A| = n$ these are strict inequalities on $X$ alone: an
            open set of data, with any $y$.
            (H2) the rule is greedy and not scaled.
Idea        Under H1 the residual stays in the span of $X_A$, where $|x_j \cdot r| < \max_{i \in A} |x_i \cdot r|$ for
            $j \notin A$. So no coordinate outside $A$ is ever chosen.
Tolerance   Counterexamples and the search of wide range use fractions, without tolerance. Runs on floats are certified
            by duality, $\|w\|_1 \ge \langle \nu, y \rangle$ for $\|X^\top \nu\|_\infty \le 1$, and by the residual over
            the least singular value of $X_A$.
Findings    The print leaves the condition H1 open, and H1 is one for the greedy rule alone: under it the scaled rule
            can choose a coordinate outside $A$.
Expected    holds under added hypotheses
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.dynamics.coordinate_descent import correlations, greedy, squared_norms
from fixtures.problems.batches import given_batches
from fixtures.problems.sparse import recoverable_problems
from fixtures.problems.tapes import tapes
from fixtures.problems.wide import wide_regressions
from fixtures.rational import fractions, inverse, solve
from properties.certificates import assert_at_most, assert_identical, assert_violates, assert_within
from properties.linear_models.sparsity import dual_value, l1_norm, least_l1_norm_exactly
from properties.oracles import least_l1_norm
from properties.search import smallest_violation
from theorems.ledger import counterexample, under_hypotheses
from theorems.section_03_linear_models.section_3_3_coordinate_descent.exact_recovery import (
    distance_rounding,
    recovery_coefficients,
)
from theorems.section_03_linear_models.section_3_3_coordinate_descent.l1_excess import READS, excess, small_designs

CONVERGED = 1e-10


def count_of_largest_correlations(X, y, steps):
    """How many coordinates have the largest correlation after this many greedy steps. Exact."""
    scores = np.abs(correlations(X, y, greedy(X, y, steps)))
    return np.count_nonzero(scores == scores.max())


def assert_shortest(problem, w, slack):
    """Assert that |w|_1 is least: by the problem's dual point, whose constraints hold by construction, and by HiGHS.

    HiGHS may miss its equations a little: an interpolant of y + d has l1 norm at least <dual, y + d>.
    """
    shorter, _ = least_l1_norm(problem.X, problem.y)
    infeasible = norm(problem.dual, axis=-1) * norm(np.matvec(problem.X, shorter) - problem.y, axis=-1)
    lower = dual_value(problem.X, problem.y, problem.dual)
    upper = l1_norm(shorter) + infeasible
    slack = slack + distance_rounding(problem) * l1_norm(problem.w_star)
    assert_within(lower, l1_norm(w), lower, slack=slack, why="the least l1 norm by duality", instance=problem)
    assert_within(lower, upper, lower + 2 * infeasible, slack=slack, why="HiGHS on the l1 norm", instance=problem)


@counterexample
def test_exact_greedy_steps_can_end_above_the_least_l1_norm():
    r"""$x_1 = (2, -1)$, $x_2 = (-1, -2)$, $x_3 = (2, 0)$, $y = (-1, -1)$: the correlations are $-1, 3, -2$. The first
    step is $w_2 = \frac35$ and leaves $-1, 0, -\frac45$; the second is $w_1 = -\frac15$, with residual $0$ and the l1
    norm $\frac45$. It is not the least: the interpolant $(0, \frac12, -\frac14)$ has $\frac34$."""
    X, y, other = fractions([[2, -1, 2], [-1, -2, 0]]), fractions([-1, -1]), fractions([0, "1/2", "-1/4"])
    assert_identical(
        [count_of_largest_correlations(X, y, steps) for steps in (0, 1)], [1, 1], why="one coordinate leads"
    )
    # when   two steps, in neither of which two coordinates tie
    w = greedy(X, y, 2)
    # then
    assert_identical([X @ w, X @ other], [y, y], why="both interpolate")
    assert_violates(l1_norm(w), l1_norm(other), reads=READS, X=X, y=y)


@counterexample
def test_a_search_finds_a_greedy_run_with_too_large_an_l1_norm():
    X, y = smallest_violation(
        small_designs(3), lambda found: excess(*found, greedy(fractions(found[0]), fractions(found[1]), 3)) > 0
    )
    w = greedy(fractions(X), fractions(y), 3)
    assert_violates(l1_norm(w), least_l1_norm_exactly(X, y), reads=READS, X=X, y=y)


@under_hypotheses("H1", "H2")
@given_batches(problem=recoverable_problems())
def test_under_exact_recovery_greedy_descent_reaches_the_sparse_solution_of_least_l1_norm(problem):
    # given  H1; each step lowers |r|^2 by at least (s_k/s_1)^2 |r|^2/k, so 600 are enough: (11/12)^300 < CONVERGED
    assert_at_most(problem.sparsity * problem.condition**2, 12, why="the budget covers the instance", instance=problem)
    floor = CONVERGED * problem.sigma_max * norm(problem.y, axis=-1)
    # when   until no correlation exceeds the floor
    w = greedy(problem.X, problem.y, 600, floor=floor)
    # then   X_A'X_A (w* - w) = X_A'r; w* has the least l1 norm by its dual point and by HiGHS
    assert_identical(np.count_nonzero(w[problem.w_star == 0]), 0, why="nothing off A was ever picked")
    bound = np.sqrt(problem.sparsity) * floor / problem.sigma_min**2 + distance_rounding(problem)
    assert_at_most(norm(w - problem.w_star, axis=-1), bound, why="distance to the sparse solution", instance=problem)
    assert_at_most(
        bound, 1e-9 * norm(problem.y, axis=-1) / problem.sigma_max, why="a bound that says something", instance=problem
    )
    assert_shortest(problem, w, np.sqrt(problem.sparsity) * bound)


@under_hypotheses("H1", "H2")
@given_batches(problem=recoverable_problems())
def test_under_exact_recovery_the_residual_contracts_at_every_step(problem):
    # given  H1, by which the largest correlation is at least s_k |r| / sqrt(k)
    floor, y = CONVERGED * problem.sigma_max * norm(problem.y, axis=-1), problem.y[:, None]
    # when   the first six steps, one after the other
    w = np.stack([greedy(problem.X, problem.y, steps, floor=floor) for steps in range(7)], axis=1)
    # then   |r_{t+1}|^2 <= (1 - (s_k/s_1)^2/k) |r_t|^2 until no correlation exceeds the floor
    residual = norm(y - np.matvec(problem.X[:, None], w), axis=-1)
    rate = np.sqrt(1 - 1 / (problem.condition**2 * problem.sparsity))
    resting = np.sqrt(problem.sparsity) * floor / problem.sigma_min
    bound = (
        np.maximum(rate[:, None] * residual[:, :-1], resting[:, None])
        + (problem.sigma_max * distance_rounding(problem))[:, None]
    )
    assert_at_most(residual[:, 1:], bound, why="contraction of the residual", instance=problem)


@pytest.mark.slow
@under_hypotheses("H1", "H2")
@given(problem=wide_regressions(), tape=tapes(7))
def test_under_exact_recovery_of_wide_range_no_step_leaves_the_support_and_each_contracts_the_residual(problem, tape):
    # given  H1 with |A| = n and any y: columns from 2^-220 to 2^200, and |X_A^+ x_j|_1 as near to 1 as 1 - 2^-20
    X_A, y, k = problem.C, problem.y, problem.rank
    a = fractions(tape.integers((k, 2), 3).astype(int))
    a = a * (1 - Fraction(1, 2 ** tape.choice((1, 20)))) / np.maximum(1, np.abs(a).sum(0))
    X = np.hstack([X_A @ a, X_A])
    assert_at_most(
        recovery_coefficients(X, [2 + i for i in range(k)]).max(), 1 - Fraction(1, 2**20), why="exact recovery"
    )
    # when
    runs = [greedy(X, y, steps) for steps in range(5)]
    # then   |r|^2 falls by the square of the largest correlation over |x_i|^2, and s_k^2 |r|^2 <= k max_A |x_i . r|^2
    assert_identical([w[:2] for w in runs], np.zeros((5, 2)), why="nothing off A was ever picked")
    residuals = [y - X @ w for w in runs]
    squares = np.array([r @ r for r in residuals])
    least = 1 / np.trace(inverse(X_A.T @ X_A))
    rate = 1 - least / (k * squared_norms(X_A).max())
    assert_at_most(squares[1:], rate * squares[:-1], why="contraction of the residual")
    # and    the only point at which the run can stop has the least l1 norm
    assert_identical(least_l1_norm_exactly(X, y), l1_norm(solve(X_A, y)), why="the least l1 norm is that on A")


@under_hypotheses("H1", "H2")
@given(t=st.integers(1, 12), turn=st.sampled_from([(3, 4, 5), (5, 12, 13), (-12, 5, 13)]))
def test_on_two_unit_columns_each_greedy_step_multiplies_the_correlation_by_their_product(t, turn):
    # given  A = {1, 2} in R^3 with x_1 . x_2 = rho; X_A^+ x_3 = (1/4, 1/4) and more out of the plane; y = x_1 + 2 x_2
    rho, height = Fraction(turn[0], turn[2]), Fraction(turn[1], turn[2])
    x_1, x_2 = fractions([1, 0, 0]), np.array([rho, height, Fraction(0)])
    X = np.column_stack([x_1, x_2, (x_1 + x_2) / 4 + fractions([0, 0, 1])])
    y = x_1 + 2 * x_2
    # when
    first, later = (correlations(X, y, greedy(X, y, steps)) for steps in (1, 1 + t))
    # then   an exact step makes its own correlation zero; the other, which was zero, gets |rho| times its size
    assert_identical(np.abs(later).max(), abs(rho) ** t * np.abs(first[:2]).max(), why="geometric decay")
