r"""Theorem 4.1 (b) - convergence to the least nuclear norm under Wx = y.

Printed     Balanced initialization, in the proof $W_\ell(0) = \alpha I$, and a small learning rate imply
            $W_L \cdots W_1 \to W^*$, where $W^*$ has the least nuclear norm under $Wx = y$
Reading     The convergence that is asserted, for the constraint as printed: fully observed outputs of $n \le d$ inputs,
            $WX = Y$. By Theorem 4.1 (a) the matrix $W^*$ is $Y X^+$.
Setting     Loss $\frac12 \|WX - Y\|_F^2$, $W = W_L \cdots W_1$; all layers $d \times d$; $X$ of shape $(d, n)$ and rank
            $n \le d$; $P = X X^+$.
Hypotheses  (H1) Descent starts at $\alpha I$: $U(0) = \alpha I$ for $W = U U^\top$, or $W_\ell(0) = \alpha I$ for every
            layer.
            (H3) $\alpha \to 0$.
            (H5) $Y = SX$ with $S + S^\top$ positive definite. For one sample this is $x^\top y > 0$, which holds for
            half of all data.
Idea        Counterexamples: from $\alpha I$, for $x = 1$ and $y = -1$, $W$ is a product of positive factors and never
            crosses zero on its way to $-1$. And on directions orthogonal to all samples $W_1$ keeps its start, which
            adds to the nuclear norm. The second addition vanishes with $\alpha$.
Tolerance   Distances: $\|W - Y X^+\|_F^2$ splits exactly into the misfit and what the start leaves off the data; the
            bound adds the rounding of the layers. Nuclear norms: a dual certificate that we check. The misfit of a run
            that is stopped is added to the bound.
Findings    Bartlett, Helmbold and Long prove that H5 suffices for a fit, for symmetric $S$, white data and
            $W_\ell(0) = I$. Otherwise it was observed: 600 regressions of dimension 4, whose skew part was up to ten
            times as large as the symmetric part, were all fitted to 1/5000 in 25,000 steps.
Expected    holds under added hypotheses
"""

import dataclasses
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.dynamics.deep_linear import deep_linear_descent, descent_path, end_to_end, regression_gradient
from fixtures.dynamics.paths import until_fitted
from fixtures.problems.batches import given_batches
from fixtures.problems.expectations import expecting, expects
from fixtures.problems.interpolable import interpolables
from fixtures.problems.tapes import tapes
from fixtures.rational import fractions
from properties.certificates import (
    assert_at_most,
    assert_identical,
    assert_keeps,
    assert_not_negative,
    assert_violates,
    assert_within,
)
from properties.oracles import least_squares_map
from properties.search import smallest_violation
from properties.spectra.nuclear_norm import nuclear_norm, regression_bracket, spectrum_rounding
from theorems.ledger import counterexample, necessity, under_hypotheses
from theorems.section_04_deep_linear_networks.deep_products.deep_interpolation import null_drift, split_distance
from theorems.section_04_deep_linear_networks.theorem_4_1_minimum_nuclear_norm.starts import (
    ALPHAS,
    FIT_TOLERANCE,
    shrinking,
)


@expects(integer="lam")
@dataclasses.dataclass(frozen=True)
class Diagonal:
    """Targets diag(lam) of a fully observed problem; lam (d,) integers in -3..3."""

    lam: np.ndarray


diagonals = tapes(4).map(lambda tape: Diagonal(tape.integers(4, 3)))


@counterexample
def test_a_positive_start_never_fits_the_reflection_of_its_input():
    r"""$x = 1$, $y = -1$, $W_1 = W_2 = 1/2$, $\eta = 2/5$: a step multiplies both layers by $1 - \eta (1 + W)$, between
    0 and 1. So $W$ falls from $1/4$ to $1/16$ and stays positive: the loss $(1 + W)^2/2$ is $289/512$ after one step
    and above $1/2$ for ever. The print has $W \to W^* = -1$, of loss 0."""
    half, eta, x, y = Fraction(1, 2), Fraction(2, 5), fractions([[1]]), fractions([[-1]])
    # when
    first, fourth = (end_to_end(deep_linear_descent([half * x] * 2, x, y, eta, t))[0, 0] for t in (1, 4))
    # then
    assert_not_negative(fourth, why="0 < W_4")
    assert_at_most(fourth, first, why="W_4 < W_1")
    reads = "loss {value} after one step, and > {limit} for ever, as W > 0"
    assert_violates((1 + first) ** 2 / 2, Fraction(1, 2), reads=reads, x=1, y=-1, L=2, alpha=half, eta=eta)


@counterexample
def test_a_search_finds_a_target_that_identity_layers_never_fit():
    def stays_away(instance):
        depth, y = instance
        W = end_to_end(deep_linear_descent([np.full((1, 1), 0.5)] * depth, np.eye(1), np.full((1, 1), y), 0.03, 500))
        return abs(W[0, 0] - y) > abs(y) / 2 + 1 / 4

    depth, y = smallest_violation(st.tuples(st.integers(2, 4), st.integers(-3, 3)), stays_away, budget=60)
    assert_identical((depth, y), (2, -1), why="the smallest unfitted target is y = -x at depth two")


@counterexample
@pytest.mark.parametrize("depth", [2, 3])
@given_batches(target=diagonals)
def test_no_run_comes_nearer_to_a_negative_eigenvalue_of_a_diagonal_target_than_zero_is(target, depth):
    # given  X = I, Y = diag(lam) with integers lam, alpha = 1/2. Off-diagonal entries are exactly zero in floating
    #        point
    identity = np.eye(4)
    Y = target.lam[:, None, :] * identity
    # when
    W = end_to_end(deep_linear_descent([0 * Y + identity / 2] * depth, 0 * Y + identity, Y, 0.02, 400))
    # then   W_ii > 0, so |W - Y|_F^2 is at least the sum of the squares of the negative eigenvalues of Y
    floor = norm(np.minimum(target.lam, 0), axis=-1)
    assert_at_most(floor, norm(W - Y, axis=(-2, -1)), why="distance to a target with negative eigenvalues")


@counterexample
def test_what_no_sample_shows_is_kept_and_adds_to_the_nuclear_norm():
    # given  x = y = e_1 and W_1 = W_2 = I/2, in exact arithmetic. The least nuclear norm is |y|/|x| = 1
    half, e_1, identity = Fraction(1, 2), fractions([[1], [0]]), fractions([[1, 0], [0, 1]])
    # when
    W = end_to_end(deep_linear_descent([half * identity] * 2, e_1, e_1, half, 3))
    # then   W = diag(w_t, 1/4), and w_t in (1/4, 1) grows towards 1
    assert_identical(W[:, 1], [0, Fraction(1, 4)], why="W e_2 as at the start")
    assert_within(Fraction(1, 4), W[0, 0], 1, why="w_t rises from 1/4 towards 1")
    reads = "nuclear norm of the limit {value} > least {limit}"
    assert_violates(1 + W[1, 1], 1, reads=reads, x=[1, 0], y=[1, 0], L=2, alpha=half)


@under_hypotheses("H1", "H3", "H5")
@pytest.mark.parametrize("depth", [2, 3])
@given_batches(problem=expecting(interpolables(targets=("positive", "skewed"), scales=(0.4,)), constant="alpha"))
def test_targets_with_a_positive_symmetric_part_are_fitted_with_nearly_the_least_nuclear_norm(problem, depth):
    gradient, eta = regression_gradient(problem.X, problem.Y), problem.step(depth)
    # when   descent stops when every instance is fitted, and raises if one is not within the budget
    layers = until_fitted(
        descent_path(problem.start(depth), gradient, eta),
        lambda moving: norm(end_to_end(moving) @ problem.X - problem.Y, axis=(-2, -1)),
        tolerance=FIT_TOLERANCE,
        budget=6000,
    )
    # then   |W|_* exceeds the least by at most alpha |W_L ... W_2|_op for each of the d - n dimensions off the data
    drift = null_drift(problem.X, problem.Y, problem.alpha, depth, eta, 6000)
    split = split_distance(layers, problem.X, problem.Y, problem.alpha, drift)
    least = regression_bracket(problem.X, problem.Y, least_squares_map(problem.X, problem.Y))
    slack = problem.dimension * (split.fitted + split.rounding) + 8 * problem.condition * spectrum_rounding(least.W)
    upper = least.upper + split.ceiling * (problem.dimension - problem.samples)
    norms = nuclear_norm(end_to_end(layers))
    assert_within(least.lower, norms, upper, slack=slack, why="nuclear norm of the fit", instance=problem)


@under_hypotheses("H1", "H3", "H5")
@pytest.mark.parametrize("depth", [2, 3])
@pytest.mark.parametrize("y", [[1.0, 2, 2], [0.1, -2, 1]])
def test_as_the_start_shrinks_the_nuclear_norm_tends_to_the_least(depth, y):
    # given  x = e_1 and x'y > 0. The least nuclear norm is |y|. Three starts run at once
    X, Y, alpha = np.eye(3)[:, :1], np.array(y)[:, None], np.array([0.3, 0.03, 0.01])
    start = [alpha[:, None, None] * np.eye(3)] * depth
    path = descent_path(start, regression_gradient(X, Y), 0.04)
    # when
    layers = until_fitted(path, lambda moving: norm(end_to_end(moving) @ X - Y, axis=(-2, -1)), FIT_TOLERANCE, 10_000)
    # then   balanced layers have |W_L ... W_2|_op = |W|_op^(1 - 1/L), here below 3. The two dimensions off the data add
    #        at most 6 alpha
    norms, least, allowed = nuclear_norm(end_to_end(layers)), norm(Y), 6 * alpha
    assert_at_most(30 * allowed[-1], least, why="what the least start may add, against the least norm")
    assert_within(least, norms, least + allowed, slack=3 * FIT_TOLERANCE, why="nuclear norm from the least to 6 alpha")


@necessity("H5")
@pytest.mark.parametrize("depth", [2, 3])
def test_without_H5_no_start_however_small_fits_the_reflection_of_its_input(depth):
    # given  x = 1, y = -1, so S + S' = -2; three starts at once
    alpha, one = ALPHAS[:, None, None], np.ones((1, 1))
    start = [alpha * np.eye(1)] * depth
    assert_keeps(H1=[alpha == W for W in start], H3=shrinking(alpha))
    # when
    W = end_to_end(deep_linear_descent(start, one, -one, 0.1, 2000))
    # then   W decreases and stays positive
    assert_at_most(1.0, (W + 1).ravel(), why="distance to the only fit, W = -1")
