r"""Section 3.3: coordinate descent - small steps end in the least l1 norm under the positive cone condition.

Setting     $\frac12 \|Xw - y\|^2$ with $p > n$, $\operatorname{rank} X = n$, $w_0 = 0$, the columns $x_j$ of $X$ and
            the residual $r = y - Xw$. Exact: each step minimizes the loss over one coordinate. Cyclic: the coordinates
            are taken in turn. Greedy: the coordinate of the largest $|x_j \cdot r|$. Scaled: that of the largest
            $|x_j \cdot r| / \|x_j\|$. Small steps: the coordinate of the largest $|x_j \cdot r|$ moves by $\epsilon$.
Readings    [small steps] the chosen coordinate moves by $\epsilon$, and $\epsilon$ tends to zero: no exact minimization
            is printed either - holds under added hypotheses
Hypotheses  (H1) exact recovery: $y = X_A c$, where $X_A$ has the columns of a set $A$ and full column rank, and
            $\|X_A^+ x_j\|_1 < 1$ for every $j \notin A$. For $|A| = n$ these are strict inequalities on $X$ alone: an
            open set of data, with any $y$.
            (H2) the rule is greedy and not scaled.
            (H3) for small steps, the positive cone condition: $G^{-1} \mathbf 1 \ge 0$ for the Gram matrix $G$ of every
            independent set of columns under every choice of signs. In the plane
            $|x_i \cdot x_j| < \min(\|x_i\|, \|x_j\|)^2$ for all $i \ne j$ is enough, which is an open set.
Idea        The limit path is what the iterates trace out as $\epsilon$ tends to zero. Under H3 the coordinates that
            have moved keep the largest correlation and never turn back. This is what the lasso path does, and the lasso
            path ends in the least l1 norm. Under H1 no coordinate outside $A$ is chosen.
Tolerance   Refutations and limit paths use fractions, without tolerance. Runs on floats are certified by the gap of the
            lasso, by duality, and by the residual over the least singular value of $X_A$.
Findings    For small steps, columns of one length are not enough in three dimensions.
"""

from fractions import Fraction

import numpy as np
from hypothesis import given
from numpy.linalg import norm

from fixtures.dynamics.coordinate_descent import correlations, stagewise, stagewise_limit
from fixtures.precision import factorization, rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.sparse import planes, positive_cones, recoverable_problems
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical, assert_violates, assert_within
from properties.linear_models.sparsity import dual_value, l1_norm, lasso_gap, least_l1_norm_exactly
from properties.oracles import least_l1_norm
from properties.search import smallest_violation
from theorems.ledger import counterexample, under_hypotheses
from theorems.section_03_linear_models.section_3_3_coordinate_descent.exact_recovery import distance_rounding
from theorems.section_03_linear_models.section_3_3_coordinate_descent.l1_excess import READS, excess, small_designs


def points_of_the_path(knots, levels):
    """The points (len(levels), p) of the limit path at which the largest correlation equals each level."""
    at = np.array([float(knot.correlation) for knot in knots])[::-1]
    points = np.array([knot.w.astype(float) for knot in knots])[::-1]
    return np.array([[np.interp(level, at, column) for column in points.T] for level in levels])


@counterexample(reading="small steps")
def test_small_steps_can_end_above_the_least_l1_norm_although_all_columns_have_one_length():
    r"""For the columns $(-2, -1, 2)$, $(0, 3, 0)$, $(-2, 1, 2)$, $(1, -2, -2)$ and $y = (-1, -1, 2)$ the path turns at
    $(\frac23, 0, 0, 0)$, $(\frac57, -\frac1{21}, 0, 0)$, $(\frac57, -\frac5{42}, 0, -\frac1{14})$, and ends at
    $\frac1{21} (15, -11, -15, -21)$, with the l1 norm $\frac{62}{21}$. The interpolant $(0, -1, 0, -1)$ has $2$."""
    X, y = fractions([[-2, 0, -2, 1], [-1, 3, 1, -2], [2, 0, 2, -2]]), fractions([-1, -1, 2])
    assert_identical(X @ fractions([0, -1, 0, -1]), y, why="an interpolant of l1 norm 2")
    # when   epsilon tends to zero
    limit = stagewise_limit(X, y)[-1].w
    # then
    assert_identical(X @ limit, y, why="the limit interpolates")
    assert_violates(l1_norm(limit), Fraction(2), reads=READS, X=X, y=y)


@counterexample(reading="small steps")
def test_the_steps_of_one_hundredth_already_exceed_the_least_l1_norm_of_what_they_fit():
    X, y = fractions([[-2, 0, -2, 1], [-1, 3, 1, -2], [2, 0, 2, -2]]), fractions([-1, -1, 2])
    # when   until no step lowers the loss
    w = stagewise(X, y, Fraction(1, 100), 300)
    # then
    assert_at_most(np.abs(correlations(X, y, w)).max(), Fraction(9, 200), why="no step lowers the loss any more")
    assert_violates(l1_norm(w), least_l1_norm_exactly(X, X @ w), reads=READS, epsilon="1/100", X=X, y=y)


@counterexample(reading="small steps")
def test_a_search_finds_a_stagewise_limit_with_too_large_an_l1_norm():
    X, y = smallest_violation(
        small_designs(3), lambda found: excess(*found, stagewise_limit(*map(fractions, found))[-1].w) > 0
    )
    limit = stagewise_limit(fractions(X), fractions(y))[-1].w
    assert_violates(l1_norm(limit), least_l1_norm_exactly(X, y), reads=READS, X=X, y=y)


@under_hypotheses("H3", reading="small steps")
@given(design=positive_cones())
def test_under_the_positive_cone_condition_the_limit_path_solves_the_lasso_and_ends_in_the_least_l1_norm(design):
    # given
    X, y = design
    # when
    knots = stagewise_limit(X, y)
    # then   exactly at every knot; between two knots both sides of the lasso condition are linear
    assert_identical([lasso_gap(X, y, knot.w) for knot in knots], [0] * len(knots), why="lasso gap at every knot")
    assert_identical(X @ knots[-1].w, y, why="the path ends in an interpolant")
    assert_identical(l1_norm(knots[-1].w), least_l1_norm_exactly(X, y), why="the least l1 norm")


@under_hypotheses("H3", reading="small steps")
@given_batches(size=100, problem=planes())
def test_in_the_plane_small_steps_have_nearly_the_least_l1_norm_for_what_they_fit(problem):
    # given  unit columns in the plane; epsilon = |y|/256, down to a residual of 4 epsilon/(1 - mu) or one that is drawn
    scale, mu = norm(problem.y, axis=-1), problem.coherence
    epsilon = scale / 256
    until = np.maximum(4 * epsilon / (1 - mu), scale * problem.t / 201)
    # when   the largest correlation is at least 0.38 |r|, so each step lowers |r| by 0.33 epsilon and 800 are enough
    w = stagewise(problem.X, problem.y, epsilon, 800, until=until)
    assert_at_most(norm(problem.y - np.matvec(problem.X, w), axis=-1), until, why="within budget", instance=problem)
    # then   at most two coordinates move, and the correlation of either is within epsilon (1 + mu) of the largest. What
    # HiGHS gains by missing its equations is |nu| <= 1/0.38 times as much, as 0.38 |nu| <= |X'nu|_inf <= 1
    # a correlation has p + 1 roundings in a residual and 2 in its product with a unit column; two are compared
    slack = rounding(2 * (problem.X.shape[-1] + 3), scale + l1_norm(w))
    gap, lag = lasso_gap(problem.X, problem.y, w), epsilon * (1 + mu) + slack
    assert_at_most(np.count_nonzero(w, axis=-1), 2, why="two coordinates in the plane", instance=problem)
    assert_at_most(gap, lag * l1_norm(w), why="lasso gap after steps of epsilon", instance=problem)
    fitted, largest = np.matvec(problem.X, w), np.abs(correlations(problem.X, problem.y, w)).max(-1)
    shorter, nu = least_l1_norm(problem.X, fitted)
    infeasible = 3 * norm(np.matvec(problem.X, shorter) - fitted, axis=-1) + slack
    assert_within(
        dual_value(problem.X, fitted, nu),
        l1_norm(w),
        l1_norm(shorter) + infeasible + lag * l1_norm(w) / largest,
        slack=slack,
        why="l1 norm against the least for the same fit",
        instance=problem,
    )


@under_hypotheses("H3", reading="small steps")
def test_the_limit_path_is_the_lasso_path_of_scikit_learn():
    from sklearn.linear_model import lars_path

    # given  unit columns at 0, 53.1, 90 and 157.4 degrees
    X = fractions([[1, Fraction(3, 5), 0, Fraction(-12, 13)], [0, Fraction(4, 5), 1, Fraction(5, 13)]])
    y = fractions([2, 3])
    # when   scikit-learn divides the squared loss by n = 2
    alphas, _, coefficients = lars_path(X.astype(float), y.astype(float), method="lasso")
    knots = stagewise_limit(X, y)
    ours = points_of_the_path(knots, 2 * alphas)
    # then   each corner solves for two columns at most, whose Gram matrix has the condition (13 + 12)/(13 - 12)
    slack = rounding(len(knots) * factorization(2, 2), 25 * norm(y.astype(float)))
    assert_at_most(norm(coefficients.T - ours, axis=1), slack, why="the points of lars_path")
    # and    theirs solve the lasso: two correlations, of 4 products, a difference and 2 products each, times |w|_1
    gaps = np.array([lasso_gap(X.astype(float), y.astype(float), w) for w in coefficients.T])
    longest = l1_norm(coefficients.T).max()
    assert_at_most(gaps, rounding(2 * 7, norm(y.astype(float)) * longest), why="lars_path solves the lasso")


@under_hypotheses("H1", "H2", reading="small steps")
@given_batches(problem=recoverable_problems())
def test_under_exact_recovery_small_steps_end_near_the_sparse_solution(problem):
    # given  H1; epsilon = |y|/(64 s_1). While lambda > epsilon s_1^2 a step lowers |r| by epsilon s_k/2sqrt(k)
    epsilon = norm(problem.y, axis=-1) / (64 * problem.sigma_max)
    needed = 2 * np.sqrt(problem.sparsity) * 64 * problem.condition
    assert_at_most(needed, 450, why="the budget covers the instance", instance=problem)
    # when
    w = stagewise(problem.X, problem.y, epsilon, 450)
    # then   |X_A'r|_inf <= epsilon s_1^2 once, and |r| never grows: |w - w*| <= |r|/s_k <= sqrt(k) epsilon (s_1/s_k)^2
    bound = np.sqrt(problem.sparsity) * epsilon * problem.condition**2 + distance_rounding(problem)
    assert_identical(np.count_nonzero(w[problem.w_star == 0]), 0, why="nothing off A was ever picked")
    assert_at_most(norm(w - problem.w_star, axis=-1), bound, why="distance to the sparse solution", instance=problem)
