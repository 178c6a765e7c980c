r"""Section 6.1: feature learning regime - what the output scale c and the prediction say of the kernel.

Setting     $f(x) = c \sum_j a_j s(w_j \cdot x)$ of width $m$, $s$ ReLU or the identity, both layers trained on
            $\frac12 \|f - y\|^2$. $D = \|\theta_T - \theta_0\|$, $K$ the tangent kernel. A mean-field network has
            $c = 1/m$
Corrected   (C2) At any $c$ the criterion speaks of $\sqrt c\, D$ in place of $D$: for homogeneous $s$, $(c, \theta)$
            and $(1, \sqrt c\, \theta)$ are one network. On $x = 1$, where all neurons are on, with half of the weights
            $(u, u)$ and half $(u, -u)$, $y$ fitted in one step, the kernel changes by exactly $c^2 D^4/y^2$ of itself.
            (C6) For ReLU and identity with both layers trained $K(x, x) \ge 2 c \|x\| |f(x)|$ at every $\theta$.
            Neurons of equal weights attain this bound. So a mean-field network multiplies $K(x, x)$ by
            $2 \|x\| |f_T(x)|/(m K_0(x, x))$ at least.
Idea        $K(x, x) = c^2 \sum_j s_j^2 + (a_j s_j' \|x\|)^2 \ge 2 c^2 \sum_j |a_j s_j| \|x\|$, where
            $s_j = s_j'\, w_j \cdot x$.
Tolerance   Rational instances are exact. Elsewhere `rounding` and `residual_scale` bound the rounding of $K$ and $f$
"""

from fractions import Fraction

import numpy as np
import pytest
from numpy.linalg import norm

from fixtures.dynamics.two_layer import fit
from fixtures.models.exact_relu import ExactReluNetwork
from fixtures.models.two_layer import two_layer
from fixtures.problems.batches import given_batches
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical
from theorems.ledger import corrected
from theorems.section_06_beyond_lazy_training.features.movement import relative_kernel_change
from theorems.section_06_beyond_lazy_training.section_6_1_feature_learning_regime.exact_networks import (
    ONE,
    exact_linear_fit,
)
from theorems.section_06_beyond_lazy_training.section_6_1_feature_learning_regime.runs import (
    largest_kernel,
    residual_scale,
    run_descent,
    run_rounding,
)
from theorems.section_06_beyond_lazy_training.section_6_1_feature_learning_regime.tasks import WIDE_X, WIDE_Y, tasks


@corrected("C2")
@pytest.mark.parametrize("c", [Fraction(1, 16), Fraction(1, 4), 4], ids=str)
@pytest.mark.parametrize("y", [Fraction(1, 2), 3], ids=str)
@pytest.mark.parametrize(("m", "u"), [(4, Fraction(1, 2)), (16, 1), (64, 3)])
def test_at_any_scale_the_kernel_changes_by_the_fourth_power_of_the_root_of_c_times_the_movement(c, y, m, u):
    moved, change, misfit = exact_linear_fit(m, u, c, y)
    assert_identical([misfit, change], [0, (c * moved) ** 2 / y**2], why="fit, and relative change of the kernel")


@corrected("C6")
@pytest.mark.parametrize("activation", ["relu", "identity"])
@given_batches(task=tasks())
def test_the_kernel_of_a_homogeneous_network_is_at_least_twice_what_it_predicts(task, activation):
    # given  both layers trained. The bound holds for every c; mean-field networks make it a large part of the kernel
    net = two_layer("mean-field", task.width, 4, task.seed, activation=activation, antisymmetric=True)
    eta = 0.1 * task.step / largest_kernel(net, task.X)
    # when   targets of order 1 and above
    run = run_descent(net, task.X, 8 * task.y, eta, 12)
    # then   K(x, x) = c^2 sum_j s_j^2 + (a_j s_j' |x|)^2 >= 2 c^2 sum_j |a_j s_j| |x| >= 2 c |x| |f(x)|, s = s' w.x
    lengths, c = norm(task.X, axis=-1), net.scale[:, None]
    least = np.array([2 * c * lengths * np.abs(at.predict(task.X)) for at in run.networks])
    own = np.array([np.diagonal(at.kernel(task.X), axis1=-2, axis2=-1) for at in run.networks])
    slack = run_rounding(net, task.X, 1) * (own + c * lengths * residual_scale(net, task.X, task.y)[:, None])
    assert_at_most(least.swapaxes(0, 1), (own + slack).swapaxes(0, 1), why="2 c |x| |f(x)|", instance=task)


@corrected("C6")
@pytest.mark.parametrize("k", [1, 2, 4])
def test_neurons_of_equal_weights_attain_twice_the_prediction(k):
    # given  m = 4^k ReLU neurons (1, 1) at x = 1, mean-field
    m = 4**k
    net = ExactReluNetwork(fractions([[1]] * m), fractions([1] * m), Fraction(1, m))
    # when   one step with eta = m/4 towards y = 2
    end = net.descend(ONE, fractions([2]), Fraction(m, 4))
    # then   K = 2 c f before and after, where f is 1 and (5/4)^2
    assert_identical(net.kernel(ONE)[0, 0], 2 * net.scale, why="K = 2 c f at the start")
    after = [end.predict(ONE)[0], end.kernel(ONE)[0, 0]]
    assert_identical(after, [Fraction(25, 16), 2 * net.scale * after[0]], why="K = 2 c f after a step")


@corrected("C6")
@pytest.mark.parametrize("m", [16, 64, 256, 1024])
def test_mean_field_networks_of_every_width_change_their_kernel_by_order_one(m):
    # given  eight networks, and targets +-3 |x_i| at every width
    net, lengths = two_layer("mean-field", m, 4, np.arange(8), antisymmetric=True), norm(WIDE_X, axis=-1)
    own, y = np.diagonal(net.kernel(WIDE_X), axis1=-2, axis2=-1), 3 * lengths * np.sign(WIDE_Y)
    # when   fitted at the rate m/50, each residual at most a hundredth of the least target
    fitted = fit(net, WIDE_X, y, m / 50, (np.abs(y).min() / 100) ** 2 / 2, budget=2000)
    # then   each K(x_i, x_i) is multiplied by 2 |x||f|/(m K_0) or more, and this factor is above 2 here. |K_T - K_0| is
    #        at least the mean growth of the three K(x_i, x_i)
    factor, least = (
        np.diagonal(fitted.kernel(WIDE_X), axis1=-2, axis2=-1) / own,
        2 * lengths * 0.99 * np.abs(y) / (m * own),
    )
    assert_at_most(least, factor, why="growth of K(x, x)")
    assert_at_most(2, least.min(-1), why="which is of order 1 at every width")
    change = relative_kernel_change(net, fitted, WIDE_X)
    assert_at_most((least.min(-1) - 1) / 3, change, why="relative kernel change, at every width")
