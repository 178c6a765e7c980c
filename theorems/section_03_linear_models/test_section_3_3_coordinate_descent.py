r"""Section 3.3: coordinate descent - which coordinate rule has an l1 bias, and under which conditions.

Section     3.3, the paragraph on coordinate descent
Printed     Coordinate descent has an implicit $\ell_1$ regularization under certain conditions, and selects sparse $w$
Reading     "Under certain conditions" makes it a statement of existence, whose conditions and rule are ours to supply:
            for $\frac12 \|Xw - y\|^2$ with p > n, rank X = n and $w_0 = 0$, coordinate descent ends in the $w$ of least
            $\|w\|_1$ with $Xw = y$, and w has at most n coordinates that are not zero
Readings    [cyclic] the coordinates are taken in turn, as "coordinate descent" without a rule is often meant, and the
            conditions are those of Theorem 3.1 alone, as no others are printed - refuted
            [small steps] the chosen coordinate moves by epsilon, and epsilon tends to zero: no exact minimization is
            printed either - holds under added hypotheses
Setting     Exact: the loss is minimized over one coordinate at a time. Greedy: over that of the largest
            $|x_j \cdot r|$, $r = y - Xw$. Scaled: of the largest $|x_j \cdot r| / \|x_j\|$. Small steps: that of the
            largest $|x_j \cdot r|$ moves by $\epsilon$
Hypotheses  (H1) exact recovery: y = X_A c with X_A of full column rank, and |X_A^+ x_j|_1 < 1 for every j not in A. For
            |A| = n these are strict inequalities on X alone: an open set of data, with any y.
            (H2) the rule is greedy and not scaled.
            (H3) of small steps, positive cone: G^-1 1 >= 0 for the Gram matrix G of every independent set of columns
            under every choice of signs. In the plane |x_i . x_j| < min(|x_i|, |x_j|)^2 for all i, j is enough, which is
            an open set.
Corrected   (C1) The iterates of exact cyclic descent from zero, those of Gauss and Seidel, are linear functions of y;
            for X = [[1, 0, 1], [0, 1, 1]] no linear function of y attains the least l1 norm for every y.
            (C2) On separable data and with the exponential loss, greedy coordinate descent from zero with steps of
            lengths e_t, S = sum e_t, R = max |z_i|_inf, has an l1 margin of at least gamma^* - [R^2 sum e_t^2/2 + ln
            n]/S where this is positive.
            (C3) For one equation with x_1 != 0 and y != 0, exact cyclic descent ends in (y/x_1, 0, ..., 0), which has
            the least l1 norm if and only if |x_1| is the largest |x_j|.
Idea        Under H1 the residual stays in the span of X_A, where |x_j . r| < max_A |x_i . r| for j not in A: nothing
            off A is ever picked. Under H3 the coordinates that have moved keep the largest correlation and never turn
            back, as on the lasso path, which ends in the least l1 norm
Source      Tropp (2004), Greed is Good: Algorithmic Results for Sparse Approximation; Gribonval, Vandergheynst (2006),
            On the Exponential Convergence of Matching Pursuits in Quasi-Incoherent Dictionaries; Efron, Hastie,
            Johnstone, Tibshirani (2004), Least Angle Regression; Hastie, Taylor, Tibshirani, Walther (2007), Forward
            Stagewise Regression and the Monotone Lasso; Telgarsky (2013), Margins, Shrinkage, and Boosting
Tolerance   Refutations, limit paths and the search of wide range are run on fractions, without tolerance. Runs on
            floats are certified by duality, |w|_1 >= <nu, y> for |X'nu|_inf <= 1, and by residual over the least
            singular value of X_A
Findings    H1 is a condition that the print leaves open, and it is one for the greedy rule alone: the scaled rule can
            leave A under it. For small steps, columns of one length are not enough in three dimensions
Expected    holds under added hypotheses
"""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.dynamics.coordinate_descent import correlations, cyclic, greedy, squared_norms, stagewise, stagewise_limit
from fixtures.dynamics.steepest_descent import EXPONENTIAL, steepest_descent
from fixtures.precision import UNIT_ROUNDOFF
from fixtures.problems.batches import given_batches
from fixtures.problems.separable import separable_data
from fixtures.problems.sparse import planes, positive_cones, recoverable_problems
from fixtures.problems.tapes import tapes
from fixtures.problems.wide import wide_regressions
from fixtures.rational import fractions, inverse, solve
from properties.certificates import assert_at_most, assert_identical, assert_keeps, assert_violates, assert_within
from properties.margins import largest_margin, normalized_margin, run_rounding, shortfall
from properties.oracles import least_l1_norm
from properties.search import smallest_violation
from properties.sparsity import dual_value, l1_norm, lasso_gap, least_l1_norm_exactly, satisfies_positive_cone
from theorems.ledger import corrected, counterexample, necessity, under_hypotheses

CONVERGED = 1e-10
READS = "l1 norm {value} > {limit} of another interpolant"


def small_designs(columns):
    """X (2, columns) of rank 2 and y, small integers."""
    entries = st.lists(st.integers(-2, 2), min_size=2 * columns + 2, max_size=2 * columns + 2).map(np.array)
    pairs = entries.map(lambda z: (z[:-2].reshape(2, columns), z[-2:]))
    return pairs.filter(lambda pair: np.linalg.matrix_rank(pair[0]) == 2)


def excess(X, y, w):
    """How much longer w is in l1 than the shortest interpolant of what w fits, if w fits y; else 0. Exact."""
    return l1_norm(w) - least_l1_norm_exactly(X, y) if not (X @ w - y).any() else 0


def leaders(X, y, steps):
    """How many coordinates share the largest correlation after that many greedy steps. Exact."""
    scores = np.abs(correlations(X, y, greedy(X, y, steps)))
    return np.count_nonzero(scores == scores.max())


def recoveries(X, A):
    """|X_A^+ x_j|_1 of every column off A, for independent columns A. Exact."""
    X_A, others = X[:, A], np.delete(X, A, axis=1)
    return np.abs(solve(X_A.T @ X_A, X_A.T @ others)).sum(0)


def gauss_seidel(X, y, sweeps):
    """Take w <- w + L^-1 X'(y - Xw) `sweeps` times, L the lower triangle of X'X with 1 for padding; (B, p)."""
    lower = np.tril(X.mT @ X) + np.eye(X.shape[-1]) * (X == 0).all(axis=-2)[..., None]
    w = np.zeros(X.shape[:-2] + X.shape[-1:])
    for _ in range(sweeps):
        w = w + np.linalg.solve(lower, correlations(X, y, w)[..., None])[..., 0]
    return w


def on_path(knots, levels):
    """The weights (len(levels), p) at which the limit path's largest correlation is at each level."""
    at = np.array([float(knot.correlation) for knot in knots])[::-1]
    corners = np.array([knot.w.astype(float) for knot in knots])[::-1]
    return np.array([[np.interp(level, at, column) for column in corners.T] for level in levels])


def assert_shortest(problem, w, slack):
    """The dual point, whose constraints hold by construction, and HiGHS agree that no interpolant is shorter than w*.

    HiGHS may miss its equations a little: an interpolant of y + d has l1 norm at least <dual, y + d>.
    """
    shorter, _ = least_l1_norm(problem.X, problem.y)
    infeasible = norm(problem.dual, axis=-1) * norm(np.matvec(problem.X, shorter) - problem.y, axis=-1)
    lower = dual_value(problem.X, problem.y, problem.dual)
    upper = l1_norm(shorter) + infeasible
    slack = slack + distance_rounding(problem) * l1_norm(problem.w_star)
    assert_within(lower, l1_norm(w), lower, slack=slack, why="the least l1 norm by duality", instance=problem)
    assert_within(lower, upper, lower + 2 * infeasible, slack=slack, why="HiGHS on the l1 norm", instance=problem)


def distance_rounding(problem):
    """What roundings add to |w - w*| for weights on A: 64 (n + p) u (|y| + 3 k) / sigma_min^2.

    The residual of a computed w on A is off by (n + p) u (|w|_1 + |y|) with columns of norm at most 1 and |w|_1 <= 9;
    the factors of X_A are orthogonal to 36 n u, and sigma_min turns both into distances.
    """
    size = (problem.rows + problem.columns) * (norm(problem.y, axis=-1) + 3 * problem.sparsity)
    return 64 * size * UNIT_ROUNDOFF / problem.sigma_min**2


@counterexample(reading="cyclic")
def test_the_cyclic_rule_fits_with_whichever_coordinate_comes_first():
    # given  one equation w_1 + 2 w_2 = 1
    X, y = fractions([[1, 2]]), fractions([1])
    # when   one sweep, after which the residual is zero for good
    w = cyclic(X, y, sweeps=1)
    # then   (1, 0), where (0, 1/2) would do
    assert_identical(X @ w, y, why="one sweep interpolates")
    assert_violates(l1_norm(w), Fraction(1, 2), reads=READS, X=X, y=y)


@counterexample(reading="cyclic")
@given(K=st.integers(2, 1000))
def test_no_constant_times_the_least_norm_bounds_the_cyclic_limit(K):
    # given  w_1 + K w_2 = K
    X, y = fractions([[1, K]]), fractions([K])
    # when
    w = cyclic(X, y, sweeps=1)
    # then   (K, 0) against (0, 1)
    assert_identical(l1_norm(w), K * least_l1_norm_exactly(X, y), why="K times the least norm")


@counterexample(reading="cyclic")
@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_in_every_order_the_cyclic_rule_misses_one_of_three_targets(order):
    # given  e_1, e_2 and e_1 + e_2 as columns and as targets: each is one of the columns, so the least norms are 1
    X = fractions([[1, 0, 1], [0, 1, 1]])
    permuted = X[:, list(order)]
    # when
    limits = [cyclic(permuted, y, sweeps=2) for y in X.T]
    # then
    assert_identical([permuted @ w for w in limits], X.T, why="two sweeps interpolate")
    total = sum(l1_norm(w) for w in limits)
    assert_violates(total, Fraction(3), reads="l1 norms sum to {value} > {limit} of the columns", X=permuted)


@counterexample(reading="cyclic")
def test_a_search_finds_a_cyclic_run_with_too_large_an_l1_norm():
    X, y = smallest_violation(
        small_designs(3), lambda found: excess(*found, cyclic(fractions(found[0]), fractions(found[1]), sweeps=2)) > 0
    )
    w = cyclic(fractions(X), fractions(y), sweeps=2)
    assert_violates(l1_norm(w), least_l1_norm_exactly(X, y), reads=READS, X=X, y=y)


@corrected("C1")
@given(design=positive_cones(), sweeps=st.integers(1, 2))
def test_the_cyclic_iterate_is_a_linear_function_of_the_targets(design, sweeps):
    # given
    X, y = design
    # when   for the targets e_1, ..., e_n and for y
    columns = [cyclic(X, e, sweeps) for e in fractions(np.eye(len(y), dtype=int))]
    # then
    assert_identical(cyclic(X, y, sweeps), y @ np.array(columns), why="superposition at every time")


@corrected("C1")
@given_batches(problem=planes())
def test_the_cyclic_iterate_is_the_gauss_seidel_iterate_at_every_sweep(problem):
    # given  at most 5 unit columns
    sweeps = 5
    # when
    w = cyclic(problem.X, problem.y, sweeps)
    # then   with |w|_1 <= N |y| over the N = 5 sweeps updates, one update rounds by 8 (N + 1) u |y|, and disturbs each
    # later one by no more, as none expands the residual; the reference does the same sums in another order
    N = 5 * sweeps
    slack = 2 * N**2 * 8 * (N + 1) * UNIT_ROUNDOFF * norm(problem.y, axis=-1)
    error = norm(w - gauss_seidel(problem.X, problem.y, sweeps), axis=-1)
    assert_at_most(error, slack, why="Gauss-Seidel on the normal equations", instance=problem)


@corrected("C1")
def test_no_linear_function_attains_the_least_l1_norm_for_three_targets():
    # given  e_1, e_2 and e_1 + e_2, each of which is a column; nu = (1, -1/2) and (-1/2, 1) for the first two
    X, nu = fractions([[1, 0, 1], [0, 1, 1]]), fractions([[1, "-1/2"], ["-1/2", 1]])
    # when   <nu, y> = 1 and |<nu, x_j>| = 1/2 for the other columns: no second interpolant has l1 norm 1
    correlations_of_duals = np.abs(nu @ X)
    assert_identical(
        correlations_of_duals, fractions([[1, "1/2", "1/2"], ["1/2", 1, "1/2"]]), why="e_1, e_2 are unique"
    )
    # then   a linear function that attains the least norm for e_1 and e_2 has their sum (1, 1, 0) for e_1 + e_2
    superposed = fractions([1, 1, 0])
    assert_identical(X @ superposed, X[:, 2], why="it interpolates")
    assert_identical(excess(X, X[:, 2], superposed), Fraction(1), why="2 where the third column alone has 1")


@corrected("C3")
@given(st.lists(st.integers(-9, 9), min_size=1, max_size=4), st.integers(1, 9), st.integers(1, 9))
def test_with_one_equation_the_cyclic_rule_attains_the_least_norm_just_if_its_first_column_is_longest(others, x_1, y):
    X, target = fractions([[x_1, *others]]), fractions([y])
    # when   one sweep, after which the residual is zero for good
    w = cyclic(X, target, sweeps=1)
    # then   the least norm is y over the longest column
    assert_identical(w, fractions([Fraction(y, x_1)] + [0] * len(others)), why="the first column takes all")
    longest = max(map(abs, others)) <= x_1
    assert_identical(l1_norm(w) == least_l1_norm_exactly(X, target), longest, why="least just if |x_1| is largest")


@counterexample
def test_exact_greedy_steps_can_end_above_the_least_l1_norm():
    # given  no two scores tie in either step
    X, y, other = fractions([[2, -1, 2], [-1, -2, 0]]), fractions([-1, -1]), fractions([0, "1/2", "-1/4"])
    assert_identical([leaders(X, y, steps) for steps in (0, 1)], [1, 1], why="one coordinate leads")
    # when   two steps
    w = greedy(X, y, 2)
    # then   4/5 by (-1/5, 3/5, 0) against 3/4
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
    # given  H1; each step lowers |r|^2 by at least sigma^2 |r|^2 / k, so 600 are enough: (11/12)^300 < CONVERGED
    assert_at_most(problem.sparsity / problem.sigma_min**2, 12, why="the budget covers the instance", instance=problem)
    floor = CONVERGED * norm(problem.y, axis=-1)
    # when   until no correlation exceeds the floor
    w = greedy(problem.X, problem.y, 600, floor=floor)
    # then   X_A'X_A (w* - w) = X_A'r, and w* is shortest, as its dual point shows and HiGHS confirms
    assert_identical(np.count_nonzero(w[problem.w_star == 0]), 0, why="nothing off A was ever picked")
    bound = np.sqrt(problem.sparsity) * floor / problem.sigma_min**2 + distance_rounding(problem)
    assert_at_most(norm(w - problem.w_star, axis=-1), bound, why="distance to the sparse solution", instance=problem)
    assert_shortest(problem, w, np.sqrt(problem.sparsity) * bound)


@under_hypotheses("H1", "H2")
@given_batches(problem=recoverable_problems())
def test_under_exact_recovery_the_residual_contracts_at_every_step(problem):
    # given  H1, by which the largest correlation is at least sigma |r| / sqrt(k)
    floor, y = CONVERGED * norm(problem.y, axis=-1), problem.y[:, None]
    # when   the first six steps, one after the other
    w = np.stack([greedy(problem.X, problem.y, steps, floor=floor) for steps in range(7)], axis=1)
    # then   |r_{t+1}|^2 <= (1 - sigma^2/k) |r_t|^2 until no correlation exceeds the floor
    residual = norm(y - np.matvec(problem.X[:, None], w), axis=-1)
    rate = np.sqrt(1 - problem.sigma_min**2 / problem.sparsity)
    resting = np.sqrt(problem.sparsity) * floor / problem.sigma_min
    bound = np.maximum(rate[:, None] * residual[:, :-1], resting[:, None]) + distance_rounding(problem)[:, None]
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
    assert_at_most(recoveries(X, [2 + i for i in range(k)]).max(), 1 - Fraction(1, 2**20), why="exact recovery")
    # when
    runs = [greedy(X, y, steps) for steps in range(5)]
    # then   |r|^2 falls by the square of the largest correlation over |x_i|^2, and s_k^2 |r|^2 <= k max_A |x_i . r|^2
    assert_identical([w[:2] for w in runs], np.zeros((5, 2)), why="nothing off A was ever picked")
    residuals = [y - X @ w for w in runs]
    squares = np.array([r @ r for r in residuals])
    least = 1 / np.trace(inverse(X_A.T @ X_A))
    rate = 1 - least / (k * squared_norms(X_A).max())
    assert_at_most(squares[1:], rate * squares[:-1], why="contraction of the residual")
    # and    the only point to rest in is shortest
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
    # then   an exact step removes its own correlation and leaves rho times it to the other
    assert_identical(np.abs(later).max(), abs(rho) ** t * np.abs(first[:2]).max(), why="geometric decay")


@necessity("H1")
def test_without_H1_greedy_descent_interpolates_with_more_than_the_least_l1_norm():
    # given  two equations; y = X_A c with X_A of full column rank leaves A two columns, y being no multiple of one
    X, y = fractions([[2, -1, 2], [-1, -2, 0]]), fractions([-1, -1])
    assert_identical(0 in X[0] * y[1] - X[1] * y[0], False, why="y is a multiple of no column")
    # when   j is the column off A: |X_A^+ x_j|_1 < 1 for no A
    of_each_pair = [recoveries(X, list(A))[0] for A in ((0, 1), (0, 2), (1, 2))]
    assert_identical(of_each_pair, fractions(["6/5", "9/2", "7/4"]), why="A = {1, 2}, {1, 3}, {2, 3}")
    assert_keeps(H2=True)
    w = greedy(X, y, 2)
    # then   (-1/5, 3/5, 0) against (0, 1/2, -1/4)
    assert_identical(X @ w, y, why="two steps interpolate")
    assert_violates(l1_norm(w), least_l1_norm_exactly(X, y), reads=READS, X=X, y=y)


@necessity("H2")
def test_without_H2_the_scaled_rule_leaves_the_support_and_ends_with_twice_the_least_l1_norm():
    # given  H1 with A = {1, 2}, an open condition since |A| = n: |X_A^+ x_3|_1 = 1/2
    X, y = fractions([[1, 0, "1/4"], [0, 1, "1/4"]]), fractions([1, 1])
    assert_keeps(H1=recoveries(X, [0, 1]) < 1)
    # when   x_3 . r = 1/2 is less than 1, but it is sqrt(2) over the length of x_3
    scaled, plain = greedy(X, y, 1, scaled=True), greedy(X, y, 2)
    # then   (0, 0, 4) against (1, 1, 0)
    assert_identical([X @ scaled, X @ plain], [y, y], why="both interpolate")
    assert_identical(l1_norm(plain), least_l1_norm_exactly(X, y), why="the greedy rule attains the least")
    assert_violates(l1_norm(scaled), l1_norm(plain), reads=READS, rule="largest decrease", X=X, y=y)


@corrected("C2")
@given_batches(problem=separable_data())
def test_greedy_descent_with_short_steps_on_the_exponential_loss_maximizes_the_l1_margin(problem):
    # given  separable data and 300 equal steps; the largest l1 margin from HiGHS, primal and dual re-evaluated
    best = largest_margin(problem, 1)
    lengths = np.repeat(0.1 / np.abs(problem.Z).max((1, 2))[:, None], 300, axis=1)
    # when
    run = steepest_descent(problem.Z, problem.present, np.zeros_like(problem.u), lengths, 1)
    # then   R^2 sum e^2 / (2 S) = R/20 and ln n / S = R ln n / 30 are what may be missing
    missing = shortfall(problem, run, EXPONENTIAL, 1) / run.length
    assert_at_most(missing, best.lower, why="300 steps guarantee a margin", instance=problem)
    reached = normalized_margin(problem, run.w, 1)
    slack = run_rounding(problem, run, 1) / run.length
    assert_within(best.lower - missing, reached, best.upper, slack=slack, why="l1 margin", instance=problem)


@counterexample(reading="small steps")
def test_small_steps_can_end_above_the_least_l1_norm_although_all_columns_have_one_length():
    # given  columns of length 3; (0, -1, 0, -1) interpolates
    X, y = fractions([[-2, 0, -2, 1], [-1, 3, 1, -2], [2, 0, 2, -2]]), fractions([-1, -1, 2])
    assert_identical(X @ fractions([0, -1, 0, -1]), y, why="an interpolant of l1 norm 2")
    # when   epsilon tends to zero
    limit = stagewise_limit(X, y)[-1].w
    # then   the limit is 1/21 times 15, -11, -15, -21
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
    # then   exactly, at every corner; between two corners both sides of the lasso condition are linear
    assert_identical([lasso_gap(X, y, knot.w) for knot in knots], [0] * len(knots), why="lasso gap at every corner")
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
    rounding = 64 * UNIT_ROUNDOFF * scale
    gap, lag = lasso_gap(problem.X, problem.y, w), epsilon * (1 + mu) + rounding
    assert_at_most(np.count_nonzero(w, axis=-1), 2, why="two coordinates in the plane", instance=problem)
    assert_at_most(gap, lag * l1_norm(w), why="lasso gap after steps of epsilon", instance=problem)
    fitted, largest = np.matvec(problem.X, w), np.abs(correlations(problem.X, problem.y, w)).max(-1)
    shorter, nu = least_l1_norm(problem.X, fitted)
    infeasible = 3 * norm(np.matvec(problem.X, shorter) - fitted, axis=-1) + rounding
    assert_within(
        dual_value(problem.X, fitted, nu),
        l1_norm(w),
        l1_norm(shorter) + infeasible + lag * l1_norm(w) / largest,
        slack=rounding,
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
    ours = on_path(knots, 2 * alphas)
    # then   half the squared distance of the fits is at most the lasso gap of theirs, as ours is zero on the path
    gaps = np.array([lasso_gap(X.astype(float), y.astype(float), w) for w in coefficients.T])
    distance = norm((coefficients.T - ours) @ X.T.astype(float), axis=1)
    rounding = 64 * UNIT_ROUNDOFF * 4
    assert_at_most(distance, np.sqrt(2 * np.maximum(gaps, 0) + rounding), why="fitted values of lars_path")
    assert_at_most(gaps, rounding, why="lars_path solves the lasso")


@under_hypotheses("H1", "H2", reading="small steps")
@given_batches(problem=recoverable_problems())
def test_under_exact_recovery_small_steps_end_near_the_sparse_solution(problem):
    # given  H1; epsilon = |y|/64. While lambda > epsilon a step lowers |r| by epsilon sigma/(2 sqrt k): 450 are enough
    scale = norm(problem.y, axis=-1)
    needed = 2 * np.sqrt(problem.sparsity) * 64 / problem.sigma_min
    assert_at_most(needed, 450, why="the budget covers the instance", instance=problem)
    # when
    w = stagewise(problem.X, problem.y, scale / 64, 450)
    # then   |X_A'r|_inf <= epsilon once, and |r| never grows: |w - w*| <= |r|/sigma <= sqrt(k) epsilon / sigma^2
    bound = np.sqrt(problem.sparsity) * scale / 64 / problem.sigma_min**2 + distance_rounding(problem)
    assert_identical(np.count_nonzero(w[problem.w_star == 0]), 0, why="nothing off A was ever picked")
    assert_at_most(norm(w - problem.w_star, axis=-1), bound, why="distance to the sparse solution", instance=problem)


@necessity("H3", reading="small steps")
def test_without_H3_two_equations_are_enough_for_the_limit_to_be_too_long():
    # given  columns of different lengths in the plane; the first is the target's negative
    X, y = fractions([[2, -1, 0, 3], [1, -2, 1, 3]]), fractions([-2, -1])
    assert_identical(satisfies_positive_cone(X), False, why="the positive cone condition fails")
    # when
    limit = stagewise_limit(X, y)[-1].w
    # then   (-5/9, -4/9, 0, -4/9) against (-1, 0, 0, 0)
    assert_identical(l1_norm(limit), Fraction(13, 9), why="l1 norm of the limit")
    assert_at_most(Fraction(1) + Fraction(4, 9), l1_norm(limit), why="four ninths above the least")
