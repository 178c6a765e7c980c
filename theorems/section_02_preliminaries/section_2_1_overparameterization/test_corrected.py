r"""Section 2.1: overparameterization enables interpolation - the rank of the features decides.

Setting     $L = \frac{1}{2n} \sum_i (f(x_i) - y_i)^2$. A linear model is $f = \phi(x)^\top w$ with the feature matrix
            $\Phi$ ($n \times p$), which is $X$ where $\phi(x) = x$. A network is
            $f(x) = W_L \sigma(W_{L-1} \sigma(\cdots \sigma(W_1 x)))$; $\sigma$ is ReLU unless a clause names another
Corrected   (C1) A model that is linear in its parameters, $f = \phi(x)^\top w$ with feature matrix $\Phi$
            ($n \times p$), interpolates every $y$ if and only if $\operatorname{rank} \Phi = n$.
            (C2) Otherwise, for $u \ne 0$ with $u^\top \Phi = 0$, its least residual is at least $|u^\top y| / \|u\|$,
            with equality where the rank is $n - 1$.
            (C3) With a constant feature, $n$ ReLU units interpolate any $n$ samples with distinct scalar inputs.
            (C4) On a ray the last hidden layer of a ReLU network without biases has rank one at most, whatever its
            width and depth.
            (C5) With the identity for $\sigma$, as in Section 4, $f$ is linear in $x$: on $x = (1, -1)$, $y = (1, 2)$
            the loss is at least $9/8$ for every width and depth, where two ReLU units have none.
Differs     The corrected condition is on the rank of the features, or adds a bias; $p \ge n$ is neither
Idea        $\Phi w = y$ has a solution for every $y$ if and only if the columns of $\Phi$ span $\mathbb R^n$. The part
            of $y$ along $u$ with $u^\top \Phi = 0$ is out of reach
Tolerance   Networks and their losses are exact. The least residual of a design of lower rank is LAPACK's, up to the
            rounding of a backward stable solve, or exact
"""

from fractions import Fraction

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.precision import factorization, rounding
from fixtures.problems.regression import regressions
from fixtures.problems.wide import wide_regressions
from fixtures.rational import fractions, inverse
from properties.certificates import assert_at_most, assert_identical
from theorems.ledger import corrected
from theorems.section_02_preliminaries.section_2_1_overparameterization.bias_free_networks import (
    features,
    identity,
    least_loss,
    loss,
    networks,
    outputs,
    rationals,
    relu,
)


@corrected("C5")
@given(networks())
def test_linear_activations_cannot_fit_a_kink_that_two_relus_fit(weights):
    # given  x = (1, -1), y = (1, 2)
    right, left = outputs(weights, [1, -1], identity)
    # then   L = 9/8 + (f(1) + 1/2)^2/2, while relu(x) + 2 relu(-x) has L = 0
    floor = loss([right, left], [1, 2]) - (int(right) + Fraction(1, 2)) ** 2 / 2
    assert_identical(floor, Fraction(9, 8), why="loss of an odd function, less a square")
    assert_identical(least_loss([1, -1], [1, 2])[0], 0, why="loss of two ReLUs")


@corrected("C1")
@given(regressions())
def test_a_linear_model_of_full_row_rank_fits_every_target(problem):
    # given  rank n by construction; every y is a combination of e_1, ..., e_n
    weights = scipy.linalg.lstsq(problem.X, np.eye(problem.rows))[0]
    # then
    residual = norm(problem.X @ weights - np.eye(problem.rows))
    # a backward error of LAPACK, and p + 1 in the residual; s_1 |W|_F is at most cond(X) |I|_F
    n, p = problem.rows, problem.columns
    bound = rounding(factorization(n, p) + p + 1, problem.condition * np.sqrt(n))
    assert_at_most(residual, bound, why="residual of the interpolants of e_1, ..., e_n", instance=problem)


@corrected("C1", "C2")
@given(regressions())
def test_a_linear_model_of_lower_rank_misses_targets_by_their_part_off_its_range(problem):
    # given  one more sample, a combination c of the others: u = (c, -1) has u'X = 0. There are still more features than
    #        samples, or as many
    c, off = problem.w0[: problem.rows], 1 + problem.t % 8
    X, y = np.vstack([problem.X, c @ problem.X]), np.append(problem.y, c @ problem.y - off)
    # when   the least residual, by LAPACK; the cutoff separates s_{n+1} = 0 from s_n >= 0.1
    residual = norm(X @ scipy.linalg.lstsq(X, y, cond=1e-6)[0] - y)
    # then   the least residual is |u'y|/|u| exactly, since u spans the null space of X'
    exact = off / np.sqrt(c @ c + 1)
    # a backward error of LAPACK, n in the new row and p + 1 in the residual; s_1 grows by 1 + |c| at most
    n, p = problem.rows, problem.columns
    slack = rounding(factorization(n + 1, p) + n + p + 1, (1 + norm(c)) * problem.condition * norm(y))
    assert_at_most(abs(residual - exact), slack, why="least residual of a deficient design", instance=problem)


@corrected("C4")
@given(networks(), st.lists(st.integers(1, 9), min_size=2, max_size=2))
def test_on_a_ray_no_width_gives_the_last_layer_a_second_rank(weights, x):
    # given  the last hidden layer at two inputs of one sign
    phi = features(weights, x)
    # then   every minor of order two vanishes
    minors = np.outer(phi[:, 0], phi[:, 1]) - np.outer(phi[:, 1], phi[:, 0])
    assert_identical(minors, np.zeros_like(minors), why="rank of the feature matrix is at most one")


@corrected("C3")
@given(st.lists(st.tuples(rationals, st.integers(-9, 9)), min_size=1, max_size=6, unique_by=lambda s: s[0]))
def test_with_a_constant_feature_as_many_relus_as_samples_fit_them(samples):
    # given  inputs (x_i, 1) in increasing order, and units relu(x - b_j) with x_{j-1} < b_j < x_j: the features are
    #        triangular
    x, y = fractions(sorted(samples)).T
    b = np.append(x[0] - 1, (x[1:] + x[:-1]) / 2)
    phi = relu(x[:, None] - b[None])
    assert_identical((phi.diagonal() > 0).all(), True, why="unit j sees sample j")
    assert_identical(np.triu(phi, 1), 0 * phi, why="and no sample before")
    # when   the last layer is solved for in exact arithmetic
    first, last = np.stack([np.ones(len(x), int), -b], axis=1), inverse(phi) @ y
    # then
    predictions = last @ relu(first @ np.stack([x, np.ones(len(x), int)]))
    assert_identical(loss(predictions, y), 0, why="interpolation, exactly")


@pytest.mark.slow
@corrected("C1", "C2")
@given(wide_regressions(full_rank=False))
def test_on_features_of_wide_range_the_least_residual_is_orthogonal_to_every_feature(problem):
    # given  exact arithmetic; at least as many samples as the rank; the residual of the least-squares solution
    residual = problem.y - problem.X @ problem.limit(problem.w0)
    # then   the residual is a u with u'Phi = 0 and |u'y|/|u| = |u|, and no other w does better
    assert_identical(residual @ problem.X, 0 * problem.w0, why="u'Phi = 0")
    assert_identical(residual @ problem.y, residual @ residual, why="|u'y| = |u|^2")
    full = len(problem.y) == problem.rank
    assert_identical(not full or not residual.any(), True, why="rank n interpolates")
    other = problem.y - problem.X @ problem.other
    assert_at_most(residual @ residual, other @ other, why="least residual")
