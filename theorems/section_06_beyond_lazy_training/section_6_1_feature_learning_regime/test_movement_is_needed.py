r"""Section 6.1: feature learning regime - a kernel changes only as far as the weights move.

Setting     $f(x) = c \sum_j a_j s(w_j \cdot x)$, gradient descent on $\frac12 \|f(X) - y\|^2$. $J$ is the Jacobian of
            $f$ in the weights, $K = J J^\top$, $D = \|\theta_T - \theta_0\|$, $A = \|a\|^2$. The turning rate $C$
            bounds how fast $J$ turns, $\|J(\theta) - J_0\| \le C \|\theta - \theta_0\|$ along the run; $s_1$ is the
            largest singular value of $X$
Hypotheses  (H1) $c = 1$, as in section 2.1. (H3) All neurons are ReLU neurons that are on at all samples along the run:
            inputs and hidden weights are positive. Then the kernel of the hidden weights is $A X X^\top$.
Corrected   (C1) Features need movement: where $s'$ has no jump along the run, $\|K_T - K_0\|/\|K_0\| \le 2 \epsilon +
            \epsilon^2$ with $\epsilon = C D/\|J_0\|$, and $|f_T - f_0| \le D (\|J_0\| + C D/2)$. Under H3 the turning
            rate is $C = c s_1$. One neuron of equal weights attains both bounds.
Idea        $J$ moves by $C D$ at most, so $K$ moves by $2 \|J_0\| C D + (C D)^2$ at most. The second bound is the mean
            value theorem.
Tolerance   Rounding grows with the width and the number of steps (`run_rounding`, `residual_scale`). The instance that
            attains both bounds is rational, and exact
"""

from fractions import Fraction

import numpy as np
import pytest
from numpy.linalg import norm

from fixtures.models.exact_relu import ExactReluNetwork
from fixtures.problems.batches import given_batches
from fixtures.problems.tapes import tapes
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_identical
from properties.lazy_training import spectral, turning_rate
from theorems.ledger import corrected, under_hypotheses
from theorems.section_06_beyond_lazy_training.features.movement import relative_kernel_change
from theorems.section_06_beyond_lazy_training.section_6_1_feature_learning_regime.exact_networks import ONE
from theorems.section_06_beyond_lazy_training.section_6_1_feature_learning_regime.positive_networks import (
    read_positive_task,
)
from theorems.section_06_beyond_lazy_training.section_6_1_feature_learning_regime.runs import (
    residual_scale,
    run_descent,
    run_rounding,
)
from theorems.section_06_beyond_lazy_training.section_6_1_feature_learning_regime.tasks import tasks


@under_hypotheses("H1", "H3")
@given_batches(task=tapes(2 + 32 + 1 + 3 + 12).map(read_positive_task))
def test_in_the_coordinates_of_section_2_1_a_kernel_changes_only_as_far_as_its_weights_move(task):
    net, eta = task.network(), task.step()
    # when
    run = run_descent(net, task.X, task.y, eta, 60)
    # then   C = s_1 at every width
    steepest, C = np.sqrt(spectral(net.kernel(task.X))), norm(task.X, 2, axis=(-2, -1))
    epsilon, relative = C * run.moved[-1] / steepest, run_rounding(net, task.X, 60)
    change = relative_kernel_change(net, run.networks[-1], task.X)
    assert_at_most(change, change_allowed(epsilon) + relative, why="relative change of the kernel", instance=task)
    learned = norm(run.networks[-1].predict(task.X), axis=-1)
    bound = values_allowed(run.moved[-1], steepest, C) + relative * residual_scale(net, task.X, task.y)
    assert_at_most(learned, bound, why="mean value theorem", instance=task)


def change_allowed(epsilon):
    """An upper bound on the relative change of a kernel whose Jacobian changes by epsilon |J_0|."""
    return 2 * epsilon + epsilon**2


def values_allowed(D, steepest, C):
    """An upper bound on |f_T - f_0| for the movement D, from |J_0| = steepest and the turning rate C."""
    return D * (steepest + C * D / 2)


@corrected("C1")
@pytest.mark.parametrize("train", ["hidden", "both"])
@given_batches(task=tasks())
def test_every_network_moves_as_far_as_its_values_do_over_the_norm_of_its_jacobian(task, train):
    # given  tanh and a = +-1: J turns by at most C |theta - theta_0|
    net = task.lazy_network()
    K = net.kernel(task.X, train=train)
    # when
    run = run_descent(net, task.X, task.y, task.step / spectral(K), 12, train)
    # then   at every step, lazy or not. So a network that fits a target of order 1 while |J| is of order 1 moves by
    #        order 1
    bound = values_allowed(run.moved, np.sqrt(spectral(K)), turning_rate(net, task.X, train))
    changed = np.array([norm(at.predict(task.X) - net.predict(task.X), axis=-1) for at in run.networks])
    slack = run_rounding(net, task.X, 12) * (bound + residual_scale(net, task.X, task.y))
    assert_at_most(changed.T, (bound + slack).T, why="mean value theorem", instance=task)


@corrected("C1", "H1", "H3")
@pytest.mark.parametrize("w", [Fraction(1, 3), 1, 5], ids=str)
def test_both_bounds_are_attained_by_one_neuron_of_equal_weights(w):
    # given  f(x) = a max(wx, 0) at x = 1 with w = a, moved to (1 + d) w and (1 + d) a: with root^2 = 2 the movement is
    #        D = root w d, and |J_0| = root w
    net, d = ExactReluNetwork(fractions([[w]]), fractions([w]), Fraction(1)), Fraction(1, 7)
    end = net.moved(fractions([w, w]), d)
    # then   epsilon = D/|J_0| = d, and D (|J_0| + D/2) has the factor root^2 = 2
    change = end.kernel(ONE)[0, 0] / net.kernel(ONE)[0, 0] - 1
    assert_identical(change, change_allowed(d), why="relative change of the kernel")
    assert_identical(end.predict(ONE)[0] - net.predict(ONE)[0], 2 * values_allowed(w * d, w, 1), why="change of f")
