r"""Theorem 4.1 (b) - the distance to the least nuclear norm, at every step.

Setting     Gradient descent on $\frac12 \|WX - Y\|_F^2$, $W = W_L \cdots W_1$; all layers $d \times d$; $X$ of shape
            $(d, n)$ and rank $n \le d$; $P = X X^+$. The matrix $Y X^+$ has the least nuclear norm under $WX = Y$.
Hypotheses  (H1) Descent starts at $\alpha I$: $U(0) = \alpha I$ for $W = U U^\top$, or $W_\ell(0) = \alpha I$ for every
            layer.
Corrected   (C1) Under H1, at every depth and step size and after every step, $W_1 (I - P) = \alpha (I - P)$ and $\|W -
            Y X^+\|_F^2 = \|(WX - Y) X^+\|_F^2 + \alpha^2 \|W_L \cdots W_2 (I - P)\|_F^2$, so that $\|W - Y X^+\|_F \le
            \|(WX - Y) X^+\|_F + \alpha \|W_L \cdots W_2\|_{\mathrm{op}} \sqrt{d - n}$.
            (C2) Under H1, where $Y = SX$, $S$ is symmetric, and $S$ and $X X^\top$ commute, every layer is diagonal in
            one basis, and each mode follows a recursion of its own; modes that are orthogonal to all samples keep
            $\alpha$ at all times.
            (C3) For $x = e_1$, $y = (3, 4)/5$ and depth two the distance to $Y X^+$ that is left is $\alpha/\sqrt{5}$,
            within a tenth for $\alpha = 0.1, 0.01, 0.001$: it is of order $\alpha$, and not $\alpha^2$.
Idea        (C1) The gradient in $W_1$ has its rows in the span of the samples, so $W_1$ does not move off this span.
            (C2) A polynomial in commuting symmetric matrices is diagonal in their common basis.
Tolerance   The split is exact, and the bounds are the rounding of the layers (`deep_products.deep_interpolation`). For
            torch the rounding of a step, and how later steps amplify it, are bounded beside the test.
Findings    The nuclear norm can be nearer to the least than the distance of C3 says: for $x = e_1$, $y = (1, 2, 2)$ and
            depth two its excess was 0.55, 0.055 and 0.018 times $\alpha$ at $\alpha = 0.3, 0.03, 0.01$.
"""

import numpy as np
import pytest
from numpy.linalg import norm

from fixtures.datasets.diabetes import serum_regression
from fixtures.dynamics.deep_linear import deep_linear_descent, end_to_end
from fixtures.dynamics.torch_training import train_deep_linear
from fixtures.precision import rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.interpolable import interpolables
from properties.certificates import assert_at_most, assert_within
from properties.oracles import least_squares_map
from theorems.ledger import corrected
from theorems.section_04_deep_linear_networks.deep_products.deep_interpolation import (
    modes_of_descent,
    null_drift,
    split_distance,
)
from theorems.section_04_deep_linear_networks.theorem_4_1_minimum_nuclear_norm.starts import FIT_TOLERANCE


def train(problem, depth, steps):
    """The layers after `steps` steps of gradient descent from alpha I, and the split of their distance to YX^+ (C1)."""
    eta = problem.step(depth)
    layers = deep_linear_descent(problem.start(depth), problem.X, problem.Y, eta, steps)
    drift = null_drift(problem.X, problem.Y, problem.alpha, depth, eta, steps)
    return layers, split_distance(layers, problem.X, problem.Y, problem.alpha, drift)


@corrected("C1")
@pytest.mark.parametrize("depth", [3])
@given_batches(problem=interpolables())
def test_the_first_layer_never_moves_off_the_data(problem, depth):
    layers = deep_linear_descent(problem.start(depth), problem.X, problem.Y, problem.step(depth), problem.t)
    # then   W_1 (I - P) = alpha (I - P) at the drawn time
    moved = (layers[0] - problem.start(depth)[0]) @ problem.off_the_data
    drift = null_drift(problem.X, problem.Y, problem.alpha, depth, problem.step(depth), problem.t)
    assert_at_most(norm(moved, axis=(-2, -1)), drift, why="W_1 off the data", instance=problem)


@corrected("C1")
@pytest.mark.parametrize("depth", [2, 4])
@given_batches(problem=interpolables())
def test_at_every_time_the_distance_splits_into_misfit_and_start(problem, depth):
    least = least_squares_map(problem.X, problem.Y)
    # when   at the drawn time; the data need not be fitted
    layers, split = train(problem, depth, problem.t)
    # then   the split is exact, and the second form of C1, with alpha |W_L ... W_2|_op sqrt(d - n), is an upper bound
    distance = norm(end_to_end(layers) - least, axis=(-2, -1))
    exact = split.distance
    assert_within(exact, distance, exact, slack=split.rounding, why="distance to YX^+", instance=problem)
    bound = split.fitted + split.ceiling * np.sqrt(problem.dimension - problem.samples)
    assert_at_most(distance, bound + split.rounding, why="certificate of the distance to YX^+", instance=problem)


@corrected("C2")
@pytest.mark.parametrize("depth", [2, 3])
@given_batches(problem=interpolables(targets=("commuting",)))
def test_where_data_and_target_commute_every_iterate_is_known_mode_by_mode(problem, depth):
    # when   at the drawn time, which is long before the limit
    layers, _ = train(problem, depth, problem.t)
    # then   W_t = basis diag(v_t^L) basis', and v_t = alpha at all times in the modes that no sample shows
    modes = modes_of_descent(problem, depth, problem.step(depth), problem.t)
    exact = (problem.basis * modes.v[:, None, :] ** depth) @ problem.basis.mT
    error = norm(end_to_end(layers) - exact, axis=(-2, -1))
    assert_at_most(error, modes.error, why="iterate against its modes", instance=problem)


@corrected("C3")
@pytest.mark.parametrize("alpha", [0.1, 0.01, 0.001])
def test_what_the_start_adds_is_of_order_alpha_at_depth_two_and_not_alpha_squared(alpha):
    # given  x = e_1, y = (3, 4)/5. W_1 e_1 and W_2'y grow along v = (e_1 + y)/|e_1 + y| = (2, 1)/sqrt(5)
    X, Y = np.array([[1.0], [0.0]]), np.array([[0.6], [0.8]])
    # when
    layers = deep_linear_descent([alpha * np.eye(2)] * 2, X, Y, 0.1, 300)
    split = split_distance(layers, X, Y, alpha, null_drift(X, Y, alpha, 2, 0.1, 300))
    # then   as alpha -> 0, W_2 tends to y v', so the part alpha |W_2 e_2| that the start leaves is near alpha/sqrt(5)
    assert_at_most(split.fitted, FIT_TOLERANCE, why="the misfit after 300 steps")
    assert_within(0.9 / np.sqrt(5), split.unseen / alpha, 1.1 / np.sqrt(5), why="excess over alpha, within a tenth")


# Two orthogonal samples with s_1 = 3, and their outputs Y = SX for an asymmetric S with S + S' > 0.
TWO_SAMPLES = np.array([[1.0, 2], [2, -2], [2, 1]])
TWO_OUTPUTS = np.array([[2.0, 1, 0], [0, 1, 1], [0, 0, 1]]) @ TWO_SAMPLES


@corrected("C1")
def test_torch_users_take_the_same_steps():
    # given  three layers nn.Linear without bias, torch.optim.SGD, float64
    X, Y, start, eta, steps = TWO_SAMPLES, TWO_OUTPUTS, [np.eye(3) / 10] * 3, 0.004, 20
    # when
    layers, ours = train_deep_linear(start, X, Y, lr=eta, steps=steps), deep_linear_descent(start, X, Y, eta, steps)
    # then   a gradient has 2(L + 1) d roundings, a step two more; their size is that of a layer, below 1/2. A step
    #        multiplies a difference by at most 1 + eta (L-1) rho |(WX - Y)X'|_op, where rho < 1/4 is the largest
    #        |W_l|_op, and |(WX - Y)X'|_op <= |S|_op s_1^2 < 25. In twenty steps the product of these factors is below e
    assert_at_most([norm(layer, 2) for layer in layers], 1 / 4, why="rho after twenty steps")
    error = [norm(layer - mine) for layer, mine in zip(layers, ours, strict=True)]
    slack = 2 * steps * rounding(2 * 4 * 3 + 2, np.e / 2)
    assert_at_most(error, slack, why="layers after twenty steps, on two sides")


@corrected("C1")
def test_torch_users_get_the_same_certificate():
    X, Y, start, alpha, eta, steps = TWO_SAMPLES, TWO_OUTPUTS, [np.eye(3) / 10] * 3, 0.1, 0.004, 900
    # when   torch.optim.SGD takes 900 steps on three layers nn.Linear without bias
    layers = train_deep_linear(start, X, Y, lr=eta, steps=steps)
    split = split_distance(layers, X, Y, alpha, null_drift(X, Y, alpha, 3, eta, steps))
    # then
    distance = norm(end_to_end(layers) - least_squares_map(X, Y))
    assert_within(split.distance, distance, split.distance, slack=split.rounding, why="torch.optim.SGD on nn.Linear")
    assert_at_most(split.fitted, FIT_TOLERANCE, why="the stack fits its data in 900 steps")


@corrected("C1")
def test_six_serum_values_of_four_patients_are_certified_as_far_as_the_start_allows():
    # given  diabetes data: W is 6 x 6, and four patients leave two dimensions off the data; s_4/s_1 = 0.157
    X, Y = serum_regression(patients=4)
    least, alpha, eta, steps = least_squares_map(X, Y), 0.2, 1 / 8, 5000
    # when
    layers = deep_linear_descent([alpha * np.eye(6)] * 2, X, Y, eta, steps)
    split = split_distance(layers, X, Y, alpha, null_drift(X, Y, alpha, 2, eta, steps))
    # then   the misfit after 5000 steps is 1/500 of |Y|. With what the start leaves, the distance to YX^+ is certified
    #        to be below a fifth of |YX^+|
    distance = norm(end_to_end(layers) - least)
    assert_at_most(split.fitted + split.ceiling * np.sqrt(2), norm(least) / 5, why="the certificate, diabetes")
    assert_within(split.distance, distance, split.distance, slack=split.rounding, why="distance to YX^+, diabetes")
    assert_at_most(norm(end_to_end(layers) @ X - Y), norm(Y) / 500, why="the misfit after 5000 steps, diabetes")
