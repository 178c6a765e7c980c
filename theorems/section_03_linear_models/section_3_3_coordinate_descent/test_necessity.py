r"""Section 3.3: coordinate descent - what fails without each hypothesis.

Setting     $\frac12 \|Xw - y\|^2$ with $p > n$, $\operatorname{rank} X = n$, $w_0 = 0$, the columns $x_j$ of $X$ and
            the residual $r = y - Xw$. Exact: each step minimizes the loss over one coordinate. Cyclic: the coordinates
            are taken in turn. Greedy: the coordinate of the largest $|x_j \cdot r|$. Scaled: that of the largest
            $|x_j \cdot r| / \|x_j\|$. Small steps: the coordinate of the largest $|x_j \cdot r|$ moves by $\epsilon$.
Hypotheses  (H1) exact recovery: $y = X_A c$, where $X_A$ has the columns of a set $A$ and full column rank, and
            $\|X_A^+ x_j\|_1 < 1$ for every $j \notin A$. For $|A| = n$ these are strict inequalities on $X$ alone: an
            open set of data, with any $y$.
            (H2) the rule is greedy and not scaled.
            (H3) for small steps, the positive cone condition: $G^{-1} \mathbf 1 \ge 0$ for the Gram matrix $G$ of every
            independent set of columns under every choice of signs. In the plane
            $|x_i \cdot x_j| < \min(\|x_i\|, \|x_j\|)^2$ for all $i \ne j$ is enough, which is an open set.
Idea        Without H1 the greedy rule can choose a column that no shortest interpolant uses. The scaled rule prefers
            short columns, which cost more l1 norm. Without H3 the path of small steps can leave that of the lasso.
Tolerance   The instances are rational, so there is no tolerance.
"""

from fractions import Fraction

from fixtures.dynamics.coordinate_descent import greedy, stagewise_limit
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical, assert_keeps, assert_violates
from properties.linear_models.sparsity import l1_norm, least_l1_norm_exactly, satisfies_positive_cone
from theorems.ledger import necessity
from theorems.section_03_linear_models.section_3_3_coordinate_descent.exact_recovery import recovery_coefficients
from theorems.section_03_linear_models.section_3_3_coordinate_descent.l1_excess import READS


@necessity("H1")
def test_without_H1_greedy_descent_interpolates_with_more_than_the_least_l1_norm():
    # given  two equations, and y is a multiple of no column: so the set A of H1 would have two columns
    X, y = fractions([[2, -1, 2], [-1, -2, 0]]), fractions([-1, -1])
    assert_identical(0 in X[0] * y[1] - X[1] * y[0], False, why="y is a multiple of no column")
    # when   for every A of two columns the third column has |X_A^+ x_j|_1 > 1
    of_each_pair = [recovery_coefficients(X, list(A))[0] for A in ((0, 1), (0, 2), (1, 2))]
    assert_identical(of_each_pair, fractions(["6/5", "9/2", "7/4"]), why="A = {1, 2}, {1, 3}, {2, 3}")
    assert_keeps(H2=True)
    w = greedy(X, y, 2)
    # then   (-1/5, 3/5, 0) has the l1 norm 4/5, and (0, 1/2, -1/4) has 3/4
    assert_identical(X @ w, y, why="two steps interpolate")
    assert_violates(l1_norm(w), least_l1_norm_exactly(X, y), reads=READS, X=X, y=y)


@necessity("H2")
def test_without_H2_the_scaled_rule_leaves_the_support_and_ends_with_twice_the_least_l1_norm():
    # given  H1 with A = {1, 2}, an open condition since |A| = n: |X_A^+ x_3|_1 = 1/2
    X, y = fractions([[1, 0, "1/4"], [0, 1, "1/4"]]), fractions([1, 1])
    assert_keeps(H1=recovery_coefficients(X, [0, 1]) < 1)
    # when   x_3 . r = 1/2 is less than 1, but it is sqrt(2) over the length of x_3
    scaled, plain = greedy(X, y, 1, scaled=True), greedy(X, y, 2)
    # then   (0, 0, 4) has the l1 norm 4, and (1, 1, 0) has 2
    assert_identical([X @ scaled, X @ plain], [y, y], why="both interpolate")
    assert_identical(l1_norm(plain), least_l1_norm_exactly(X, y), why="the greedy rule attains the least")
    assert_violates(l1_norm(scaled), l1_norm(plain), reads=READS, rule="largest decrease", X=X, y=y)


@necessity("H3", reading="small steps")
def test_without_H3_two_equations_are_enough_for_the_limit_to_be_too_long():
    # given  columns of different lengths in the plane; the first is the target's negative
    X, y = fractions([[2, -1, 0, 3], [1, -2, 1, 3]]), fractions([-2, -1])
    assert_identical(satisfies_positive_cone(X), False, why="the positive cone condition fails")
    # when
    limit = stagewise_limit(X, y)[-1].w
    # then   (-5/9, -4/9, 0, -4/9) has the l1 norm 13/9, and (-1, 0, 0, 0) has 1
    assert_identical(l1_norm(limit), Fraction(13, 9), why="l1 norm of the limit")
    assert_at_most(Fraction(1) + Fraction(4, 9), l1_norm(limit), why="four ninths above the least")
