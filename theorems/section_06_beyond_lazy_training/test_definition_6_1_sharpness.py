r"""Definition 6.1 - the sharpness of a minimum is the largest eigenvalue of its Hessian, a number of its coordinates.

Section     6.3
Printed     $\lambda_{\max}(\nabla^2 \mathcal{L}(\theta^*))$ characterizes the sharpness of a minimum $\theta^*$
Reading     A definition cannot be false. So the tests ask what the number measures: by how much the loss can rise near
            the minimum, how it is related to the tangent kernel, and whether it belongs to the function or to its
            parameters
Setting     $L(\theta) = \frac{1}{2n} \sum_i (f(x_i; \theta) - y_i)^2$; $J = \partial f(X)/\partial\theta$,
            $K = J J^\top$; $f(x) = \sum_j a_j s(w_j^\top x)$ with both layers trained. $K_W$ and $K_a$ are the tangent
            kernels of the two layers alone
Hypotheses  (H1) $\theta^*$ interpolates the data, for $S = \lambda_{\max}(K)/n$. (H2) the coordinates are given, up to
            a rotation: $S$ is a property of parameters, not of the function.
Idea        The Hessian is $J^\top J/n$ plus residuals times second derivatives of $f$, and $J^\top J$ shares its
            nonzero eigenvalues with $K$. Divide $w$ and multiply $a$ by $c > 0$: no prediction of a ReLU network
            changes, and $K$ becomes $c^2 K_W + c^{-2} K_a$. Where neither of them is zero, $S$ has a least value and
            takes any value above it
Source      Dinh, Pascanu, Bengio, Bengio (2017), Sharp Minima Can Generalize for Deep Nets, ICML (the map and its
            effect)
Tolerance   The map runs on Fractions, or on floats by powers of two, which round nothing. The sharpness of a network is
            enclosed by Cholesky on the Hessian of autograd (`properties.curvature.sharpness`), and the kernel has a
            closed form. The slack covers the rounding of the kernel, and that of residuals that should be zero
Findings    The residual of a Ritz pair plus its value bounds nothing from above, so an implementation of the definition
            by Lanczos needs a certificate of its own (`properties.curvature.lanczos`). For $c < 0$, or for tanh, the
            map can change the predictions, and then it says nothing. Where neither $K_W$ nor $K_a$ is zero, no $c$
            makes $S$ small: $S \ge 2 \sqrt{\operatorname{tr} K_W \operatorname{tr} K_a}/n^2$. Where all output weights
            are zero, $S$ is proportional to $1/c^2$
Expected    holds
"""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.linalg import norm

from fixtures.models.exact_relu import ExactReluNetwork
from fixtures.models.two_layer import two_layer
from fixtures.precision import factorization, rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.regression import regressions
from fixtures.rational import fractions, leading_pivots
from properties.certificates import (
    assert_at_most,
    assert_identical,
    assert_keeps,
    assert_not_negative,
    assert_within,
    record_series,
)
from properties.curvature.lanczos import largest_eigenvalue_of_matrix
from properties.curvature.sharpness import sharpness
from theorems.ledger import as_printed, necessity, observed
from theorems.section_06_beyond_lazy_training.rescaled_networks import kernels_of_layers, relu_networks, rescaled
from theorems.section_06_beyond_lazy_training.rises import rise_rounding
from theorems.section_06_beyond_lazy_training.sharpness_at_interpolation import (
    ACCURACY,
    NETWORKS,
    PARAMETERS,
    at_interpolation,
)


def mean_loss(problem, w):
    """(1/2n)|Xw - y|^2."""
    return ((np.matvec(problem.X, w) - problem.y) ** 2).sum(-1) / (2 * problem.rows)


@as_printed
@given_batches(problem=regressions())
def test_sharpness_is_twice_the_worst_rise_of_the_loss_over_the_squared_distance(problem):
    # given  a linear model at its minimum w, where L = 0; S = s_1^2/n
    w, S = np.matvec(problem.V, problem.divide_by_s(problem.modes(problem.y))), problem.sigma_max**2 / problem.rows
    slack = rise_rounding(problem, w)
    # then   in any direction at most S|v|^2/2, and just that along the top eigenvector
    any_rise, top_rise = mean_loss(problem, w + problem.w0), mean_loss(problem, w + problem.V[..., 0])
    bound = S * norm(problem.w0, axis=-1) ** 2 / 2
    assert_at_most(any_rise, bound + slack, why="rise along w0", instance=problem)
    assert_at_most(np.abs(top_rise - S / 2), slack, why="rise along the top eigenvector", instance=problem)


@as_printed
@pytest.mark.parametrize("activation", ["tanh", "erf"])
def test_at_interpolation_the_sharpness_is_the_top_of_the_tangent_kernel_over_n(activation):
    # given  H1: y = f(X), for networks of both layers and inputs off the unit sphere
    lower, from_kernel, upper, slack = np.array([at_interpolation(seed, activation) for seed in range(NETWORKS)]).T
    # then
    assert_within(lower, from_kernel, upper, slack=slack, why="lambda_max(K)/n inside the enclosure")
    assert_at_most(upper - lower, ACCURACY * from_kernel, why="width of the enclosure")
    assert_at_most(upper - lower + 2 * slack, from_kernel / 10**8, why="width with slack, to eight digits")


@as_printed
def test_a_rotation_of_the_coordinates_leaves_the_sharpness_alone():
    # given  H1 and H2: tanh networks at interpolation, their weights rotated at random
    rotations = [
        np.linalg.qr(np.random.default_rng(seed).standard_normal((PARAMETERS, PARAMETERS)))[0] for seed in range(4)
    ]
    # when
    found = np.array([at_interpolation(seed, "tanh", rotation) for seed, rotation in enumerate(rotations)])
    # then
    lower, from_kernel, upper, slack = found.T
    assert_within(
        lower, from_kernel, upper, slack=slack, why="lambda_max(K)/n inside the enclosure in rotated coordinates"
    )


@necessity("H1")
def test_without_H1_the_kernel_misses_the_residual_times_the_curvature_of_f():
    # given  f = a w x with a = w = x = 1 and y = 0: K = 2, and the Hessian is [[1, 2], [2, 1]], in these coordinates
    assert_keeps(H2=True)
    H, top = fractions([[1, 2], [2, 1]]), fractions([1, 1])
    # then   its top eigenvalue is 3, by an eigenvector and by the pivots of 3I - H
    assert_identical(H @ top, 3 * top, why="an eigenvalue")
    assert_not_negative(min(leading_pivots(3 * fractions(np.eye(2, dtype=int)) - H)), why="the largest one")
    # and    autograd agrees, which sees the loss only
    import torch

    a, w = (torch.ones((), dtype=torch.float64, requires_grad=True) for _ in range(2))
    found = sharpness(lambda: (a * w).square() / 2, [a, w], accuracy=ACCURACY)
    assert_within(found.lower, 3, found.upper, why="the sharpness of (aw)^2/2 at (1, 1), not 2")


@necessity("H2")
@given(relu_networks())
def test_without_H2_one_function_of_a_relu_network_has_sharpnesses_without_bound(instance):
    net, X, c = instance
    # given  the targets y = f(X), which both networks interpolate
    y, moved, n = net.predict(X), rescaled(net, c), len(X)
    assert_keeps(H1=moved.predict(X) == y)
    # then   the kernel is another one, all exact
    J, theta = net.jacobian(X), np.concatenate([net.W.ravel(), net.a])
    assert_identical(J @ theta, 2 * y, why="Euler's identity of a function of degree two")
    K_W, K_a = kernels_of_layers(net, X)
    K = moved.kernel(X)
    assert_identical(K, c**2 * K_W + K_a / c**2, why="kernel of the rescaled network")
    # and    n S = lambda_max(K) is between tr K/n and tr K, so S grows like c^2, and like 1/c^2
    S = largest_eigenvalue_of_matrix(K.astype(float) / n)
    slack = rounding(factorization(n) + n + 2, float(np.trace(K)) / n)
    assert_within(float(np.trace(K)) / n**2, S.upper, float(np.trace(K)) / n, slack=slack + S.width, why="S at c")
    # and    tr K is 2 sqrt(tr K_W tr K_a) at least
    assert_at_most(4 * np.trace(K_W) * np.trace(K_a), np.trace(K) ** 2, why="the least S over all c")


@necessity("H2")
@pytest.mark.parametrize("power", [-20, -1, 1, 20])
def test_a_power_of_two_changes_the_sharpness_and_no_bit_of_a_prediction(power):
    # given  50 standard normal inputs, and Gaussian weights
    net, X, c = two_layer("standard", 30, 4, 0), np.random.default_rng(1).standard_normal((50, 4)), 2.0**power
    moved = type(net)(net.W / c, net.a * c, net.activation, net.scale)
    y = net.predict(X)
    assert_keeps(H1=moved.predict(X) == y)
    # then
    assert_identical(moved.predict(X), y, why="predictions")
    kernels = c**2 * net.kernel(X, train="hidden") + net.kernel(X, train="output") / c**2
    assert_identical(moved.kernel(X), kernels, why="kernel, also without rounding")


@necessity("H2")
@given(st.integers(1, 50), st.integers(1, 50))
def test_the_sharpness_of_one_neuron_is_the_square_of_its_factor_and_of_the_inverse(p, q):
    # given  f(x) = a max(wx, 0) at w = 1/c, a = c, and the sample x = y = 1: L = 0
    c = Fraction(p, q)
    net = rescaled(ExactReluNetwork(fractions([[1]]), fractions([1]), Fraction(1)), c)
    assert_keeps(H1=net.predict(fractions([[1]])) == 1)
    # then   S = c^2 + 1/c^2, never less than 2
    S = net.kernel(fractions([[1]]))[0, 0]
    assert_identical(S, c**2 + 1 / c**2, why="sharpness of one neuron")
    assert_at_most(2, S, why="the least sharpness, at balance")


@necessity("H2")
@pytest.mark.parametrize("c", [3.0, 0.1])
def test_other_units_change_the_sharpness_of_any_model(c):
    # given  tanh networks in the coordinates theta/c, and as targets their own values
    assert_keeps(H1=True)
    found = np.array([at_interpolation(seed, "tanh", c * np.eye(PARAMETERS)) for seed in range(4)])
    # then
    lower, from_kernel, upper, slack = found.T
    assert_within(lower, c**2 * from_kernel, upper, slack=c**2 * slack, why="c^2 lambda_max(K)/n inside the enclosure")


@observed
def test_for_tanh_or_a_negative_factor_the_map_is_to_another_function():
    # given  one neuron at x = w = a = 1
    net = ExactReluNetwork(fractions([[1]]), fractions([1]), Fraction(1))
    assert_identical([*net.predict(fractions([[1]])), *rescaled(net, -1).predict(fractions([[1]]))], [1, 0], why="c=-1")
    # then   c tanh(1/c) is not tanh(1): 0.924 against 0.762 for c = 2
    gap = 2 * np.tanh(0.5) - np.tanh(1.0)
    assert_within(0.16, gap, 0.163, slack=rounding(5, 2), why="predictions of the rescaled tanh network")


@observed
def test_one_function_has_every_sharpness_above_the_least_one_as_its_layers_are_scaled():
    # given  50 standard normal inputs, a Gaussian ReLU network, its own values as targets, and c = 1/8 to 8 in quarters
    net, X = two_layer("standard", 30, 4, 0), np.random.default_rng(1).standard_normal((50, 4))
    c = 2.0 ** (np.arange(-12, 13) / 4)
    K_W, K_a = net.kernel(X, train="hidden"), net.kernel(X, train="output")
    # when
    S = np.linalg.eigvalsh(c[:, None, None] ** 2 * K_W + K_a / c[:, None, None] ** 2)[:, -1] / 50
    least = 2 * np.sqrt(np.trace(K_W) * np.trace(K_a)) / 50**2
    record_series("sharpness of one function against c", c=c, S=np.round(S, 4))
    # then
    assert_at_most(least, S.min(), why="the least sharpness over all c")
    assert_at_most([10 * S.min()] * 2, S[[0, -1]], why="the sharpness at c = 1/8 and at c = 8")
