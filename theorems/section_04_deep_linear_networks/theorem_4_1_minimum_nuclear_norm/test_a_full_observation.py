r"""Theorem 4.1 (a) - under Wx = y the nuclear norm selects the limit.

Printed     $W^* = \operatorname{argmin}_W \|W\|_*$ subject to $Wx = y$ (Theorem 4.1, display)
Reading     The constraint as printed: fully observed outputs of $n \le d$ inputs, $WX = Y$.
Setting     $X$ of shape $(d, n)$ and rank $n \le d$, $P = X X^+$; $Y X^+$ is the least-squares map of least Frobenius
            norm.
Idea        Every interpolant $S$ satisfies $S = Y X^+ + S(I - P)$, so $Y X^+ = SP$, and no singular value of $SP$
            exceeds that of $S$. So $Y X^+$ has the least value of every unitarily invariant norm. The nuclear norm
            chooses nothing that least squares does not choose, and gradient descent without depth finds $Y X^+$ as
            well.
Tolerance   The polar factor of $Y X^+$ is a dual certificate of its nuclear norm. The bounds are the rounding of
            singular values, divided by the least singular value of $X$, and the contraction of descent.
Expected    vacuous
"""

import numpy as np
from numpy.linalg import norm

from fixtures.dynamics.deep_linear import deep_linear_descent
from fixtures.problems.batches import given_batches
from fixtures.problems.interpolable import interpolables
from properties.certificates import assert_at_most, assert_within
from properties.oracles import least_squares_map
from properties.spectra.nuclear_norm import nuclear_norm, regression_bracket, spectrum_rounding
from theorems.ledger import vacuous


@vacuous
@given_batches(problem=interpolables())
def test_least_squares_has_the_least_nuclear_norm_already(problem):
    # when   LAPACK finds the minimizer of |WX - Y|_F with the least |W|_F
    W = least_squares_map(problem.X, problem.Y)
    # then   no interpolant has a smaller nuclear norm: the polar factor of W is a dual certificate
    dual = regression_bracket(problem.X, problem.Y, W)
    rounding = 8 * problem.condition * spectrum_rounding(W)
    assert_at_most(dual.upper - dual.lower, rounding, why="nuclear norm of YX^+ less its dual", instance=problem)


@vacuous
@given_batches(problem=interpolables())
def test_every_interpolant_has_every_singular_value_at_least_as_large(problem):
    # given  S is an interpolant. Every interpolant is S P + Z(I - P) for some Z; here Z = S
    W = least_squares_map(problem.X, problem.Y)
    # then   sigma_i(YX^+) <= sigma_i(S) for each i, hence |YX^+| <= |S| in every unitarily invariant norm
    least, other = (np.linalg.svd(matrix, compute_uv=False) for matrix in (W, problem.S))
    rounding = spectrum_rounding(problem.S) * 8 * problem.condition
    assert_at_most((least - other).max(-1), rounding, why="singular values of YX^+ and S", instance=problem)


@vacuous
@given_batches(problem=interpolables())
def test_gradient_descent_without_depth_finds_the_same_matrix(problem):
    # when   L = 1, start at zero, eta = 1/s_1^2. The slowest mode shrinks by 1 - (s_n/s_1)^2 <= 9/10 a step
    layers = deep_linear_descent([0 * problem.S], problem.X, problem.Y, 1 / problem.sigma_max**2, 260)
    dual = regression_bracket(problem.X, problem.Y, least_squares_map(problem.X, problem.Y))
    # then   sqrt(d) |W - YX^+|_F bounds the difference of nuclear norms
    remaining = 2 * (1 - 1 / problem.condition**2) ** 260 * norm(problem.least_squares_map, axis=(-2, -1))
    rounding = 260 * 8 * problem.condition * spectrum_rounding(dual.W)
    assert_within(dual.lower, nuclear_norm(layers[0]), dual.upper, slack=remaining + rounding, why="L = 1 from zero")
