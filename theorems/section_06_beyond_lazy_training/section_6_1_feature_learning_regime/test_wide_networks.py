r"""Section 6.1: feature learning regime - wide networks are lazy under H4 to H6, and not without one of them.

Setting     $f(x) = c \sum_j a_j s(w_j \cdot x)$ of width $m$, gradient descent on $\frac12 \|f(X) - y\|^2$,
            $D = \|\theta_T - \theta_0\|$, $K = J J^\top$. The turning rate $C$ bounds how fast $J$ turns, $\|J(\theta)
            - J_0\| \le C \|\theta - \theta_0\|$. A linearized network has the Jacobian $J_0$ throughout
Hypotheses  (H4) $c = m^{-1/2}$. (H5) $X$ and $y$ do not grow with $m$. (H6) The slope $s'$ is Lipschitz.
Corrected   (C5) On three samples in four dimensions, at the widths 1024 and 4096, under H4 to H6 and with
            $\eta \|K_0\| = \frac13$: the movement differs from that of the linearized network by $\frac52 C
            R^2/\sqrt{\lambda_{\min}(K_0)}$ at most, where $R$ is the bound on $D$ that is known from the start, and the
            kernel changes by $\frac52 C D/\|J_0\|$ of itself at most. $\sqrt m\, C$ is the same at both widths.
Idea        As $a_j = \pm 1$, $\sqrt m\, C$ does not depend on $m$. So both deviations fall as $m^{-1/2}$ where $R$,
            $\|J_0\|$ and $\lambda_{\min}(K_0)$ stay of order 1.
Tolerance   The bounds are deterministic (`properties.lazy_training`) and asserted at every step. The instances without
            H4, H5 or H6 are rational, and exact
"""

from fractions import Fraction

import numpy as np
import pytest
from numpy.linalg import norm

from fixtures.models.exact_relu import ExactReluNetwork
from fixtures.models.two_layer import two_layer
from fixtures.precision import rounding
from fixtures.rational import fractions
from properties.certificates import (
    assert_at_most,
    assert_equal_within,
    assert_identical,
    assert_keeps,
    assert_violates,
    assert_within,
)
from properties.lazy_training import LAZY_STEP, lazy_radius, movement_error, path_error, turning_rate
from theorems.ledger import corrected, necessity
from theorems.section_06_beyond_lazy_training.features.movement import relative_kernel_change
from theorems.section_06_beyond_lazy_training.section_6_1_feature_learning_regime.exact_networks import (
    exact_linear_fit,
    exact_network,
    squared_movement,
)
from theorems.section_06_beyond_lazy_training.section_6_1_feature_learning_regime.runs import (
    linear_movement,
    residual_scale,
    run_descent,
    run_rounding,
)
from theorems.section_06_beyond_lazy_training.section_6_1_feature_learning_regime.tasks import WIDE_X, WIDE_Y


def wide_run(m):
    """A network under H4 to H6, on the same data at every width: it, the spectrum of K_0, eta, a run of 120 steps."""
    net = two_layer("ntk", m, 4, np.array([3]), activation="tanh", antisymmetric=True, signs=True)
    k, V = np.linalg.eigh(net.kernel(WIDE_X, train="hidden"))
    eta = LAZY_STEP / k[:, -1]
    return net, k, V, eta, run_descent(net, WIDE_X, WIDE_Y, eta, 120, "hidden")


@corrected("C5", "H4", "H5", "H6")
@pytest.mark.parametrize("m", [1024, 4096])
def test_wide_lazy_networks_fit_and_move_by_the_norm_of_their_target_whatever_the_width(m):
    # given  C is of order 1/sqrt(m), sigma of order 1
    net, k, V, eta, run = wide_run(m)
    C, sigma = turning_rate(net, WIDE_X, "hidden"), np.sqrt(k[:, 0])
    assert_at_most(run.misfit[-1], norm(WIDE_Y) / 10**6, why="the target is fitted to a millionth")
    # then   at every step the movement is near sqrt(v' K_0^-1 v), v = f_t - f_0
    learned = np.array([np.vecmat(at.predict(WIDE_X) - net.predict(WIDE_X), V) for at in run.networks])
    exact = np.sqrt(np.sum(learned**2 / k, axis=-1))
    slack = run_rounding(net, WIDE_X, 120) * (k[:, -1] / k[:, 0] * exact + residual_scale(net, WIDE_X, WIDE_Y) / sigma)
    bound = movement_error(C, sigma, eta, run.moved, run.misfit)
    assert_at_most(np.abs(run.moved - exact), bound + slack, why="movement, by the RKHS norm of what is learned")
    # and    near that of the linearized network
    exact = linear_movement(k, np.vecmat(WIDE_Y, V), eta, 120)
    bound = path_error(C, sigma, eta, run.moved, run.lengths, run.misfit)
    assert_at_most(np.abs(run.moved - exact), bound + slack, why="movement, by that of the linearized network")


@corrected("C5", "H4", "H5", "H6")
@pytest.mark.parametrize("m", [1024, 4096])
def test_what_a_wide_network_may_deviate_by_is_known_beforehand_for_all_time_and_of_order_one_over_root_m(m):
    # given  the condition of the statement, 8 C |y| <= sigma^2
    net, k, _, eta, run = wide_run(m)
    C, known = turning_rate(net, WIDE_X, "hidden"), lazy_radius(net, WIDE_X, WIDE_Y)
    assert_at_most(known.laziness, 1, why="the target is small enough at this width")
    # then   both bounds are C times quantities that have a limit as m grows. The second: K changes by at most
    #        C D (2 |J_0| + C D), and by 5/2 C D |J_0| where C D <= |J_0|/2
    deviation = path_error(C, np.sqrt(k[:, 0]), eta, run.moved, run.lengths, run.misfit)[-1]
    assert_at_most(deviation, 5 / 2 * C * known.radius**2 / np.sqrt(k[:, 0]), why="distance to the linearized network")
    changed = relative_kernel_change(net, run.networks[-1], WIDE_X, "hidden")
    assert_at_most(changed, 5 / 2 * C * run.moved[-1] / np.sqrt(k[:, -1]), why="relative kernel change")
    # and    sqrt(m) C = sup|s''| |X| max|x_i| at every m, as a = +-1
    one = net.nonlinearity.curvature * norm(WIDE_X, 2) * norm(WIDE_X, axis=-1).max()
    assert_equal_within(np.sqrt(m) * C, one, rounding(8, one), why="C sqrt(m) at every width")


@necessity("H4")
@pytest.mark.parametrize("m", [4, 16, 256])
def test_without_H4_the_kernel_changes_as_much_at_every_width(m):
    # given  mean-field: c = 1/m, with the identity, whose slope is constant, and y = 1 at every width
    assert_keeps(H5=True, H6=True)
    _, change, misfit = exact_linear_fit(m, 1, Fraction(1, m), 1)
    # then
    assert_identical([change, misfit], [Fraction(1, 4), 0], why="relative kernel change of a mean-field network")


@necessity("H5")
@pytest.mark.parametrize("k", [1, 2, 4])
def test_without_H5_a_target_that_grows_with_the_width_moves_the_kernel_of_an_ntk_network(k):
    # given  y = sqrt(m), with c = m^(-1/2) and the identity, whose slope is constant
    m, c = 4**k, Fraction(1, 2**k)
    assert_keeps(H4=m * c**2 == 1, H6=True)
    _, change, misfit = exact_linear_fit(m, 1, c, 2**k)
    # then
    assert_identical([change, misfit], [Fraction(1, 4), 0], why="relative kernel change for y = sqrt(m)")


@necessity("H6")
@pytest.mark.parametrize("k", [1, 2, 4])
def test_without_H6_a_step_of_order_one_switches_half_of_the_neurons_off(k):
    # given  ntk, m = 4^k ReLU neurons w_j = (1/(4 sqrt(m)), 1), a_j = +-1, at x = (1, 0): all of them barely on. The
    #        target is y = -1 at every width
    m, x = 4**k, fractions([[1, 0]])
    W, c = fractions([[Fraction(1, 4 * 2**k), 1]] * m), Fraction(1, 2**k)
    net = ExactReluNetwork(W, exact_network(m, 1, c).a, c)
    assert_keeps(H4=m * net.scale**2 == 1, H5=True)
    # when   one step with eta = 1/2 < 1/K_0 towards y = -1
    end = net.descend(x, fractions([-1]), Fraction(1, 2))
    # then   weights of order 1 move by order 1, and K falls by more than a third at every width
    assert_within(Fraction(1, 4), squared_movement(net, end).sum(), Fraction(1, 2), why="squared movement")
    change = 1 - end.kernel(x)[0, 0] / net.kernel(x)[0, 0]
    assert_violates(change, Fraction(1, 3), reads="relative kernel change {value} > {limit}", m=m, x=x, y=-1)
