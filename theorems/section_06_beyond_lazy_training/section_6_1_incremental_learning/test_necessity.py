r"""Section 6.1: incremental learning - without one of the hypotheses a linear network learns a weaker mode first.

Setting     $f = W_2 W_1 x$ on whitened inputs, $L = \frac12 \|W_2 W_1 - T\|_F^2$,
            $T = Q_2 \operatorname{diag}(s) Q_0^\top$. A mode of the network is $q_2^\top W_2 W_1 q_0$, and it is half
            learned when it is at $s/2$. Gradient descent with the step $\eta$; under gradient flow a mode that starts
            at $s_0$ is half learned at its half time $t(s) = \ln(s/s_0 - 1)/(2s)$
Hypotheses  (H1) All modes start at the same size $s_0$. (H2) The start is small: $s_0$ is below $s/4.5911$ for every
            mode $s$.
            (H3) The layers are balanced, $W_2^\top W_2 = W_1 W_1^\top$. (H4) The layers are aligned with $T$:
            $Q_2^\top W_2 W_1 Q_0$ is diagonal and not negative. (H5) The step tells different modes apart: for any two
            modes $s > s'$ the half times $t(s)$ and $t(s')$ differ by more than $\eta (1 + \frac98 \ln(s/s_0 - 1))$.
            Gradient flow does not need this.
Idea        From a large start $t(s)$ rises with $s$. A weak mode that starts larger can precede a strong one. Without
            H3 or H4 a weak mode can grow out of weights that are large though their product is small. A long step jumps
            over the half of a mode.
Findings    H1 to H4 without H5 do not order gradient descent: with $\eta = \frac{67}{100}$ the mode $\frac{28}{25}$
            takes two steps and the mode 1 takes one
"""

from fractions import Fraction

import numpy as np
from numpy.linalg import norm

from fixtures.dynamics.deep_linear import end_to_end
from fixtures.precision import rounding
from fixtures.problems.batches import given_batches
from properties.certificates import assert_at_most, assert_keeps
from theorems.ledger import necessity
from theorems.section_06_beyond_lazy_training.section_6_1_incremental_learning.half_times import (
    THRESHOLD,
    enclosed_half_time,
    longest_step_of_H5,
    satisfies_H5,
)
from theorems.section_06_beyond_lazy_training.section_6_1_incremental_learning.modes import (
    large_starts,
    spectral_steps_to_half,
    step_roundings,
    steps_to_half,
)


def balance_error(W_1, W_2):
    """|W_2'W_2 - W_1 W_1'|_F, which is zero under H3."""
    return norm(W_2.mT @ W_2 - W_1 @ W_1.mT, axis=(-2, -1))


def aligned(networks):
    """Whether H4 holds, up to rounding."""
    Q, W = np.moveaxis(networks.frames, -3, 0), end_to_end(networks.layers(2))
    modes = Q[2].mT @ W @ Q[0]
    error = norm(modes - np.eye(modes.shape[-1]) * networks.start[:, None, :], axis=(-2, -1))
    return error <= rounding(step_roundings(networks))


@necessity("H1")
def test_without_H1_a_weak_mode_with_a_head_start_is_learned_first():
    # given  s = (2, 1), and starts below s/4.5911, 10^-6 and 1/10; aligned and balanced layers under the flow
    starts = Fraction(1, 10**6), Fraction(1, 10)
    strong, weak = enclosed_half_time(2, starts[0]), enclosed_half_time(1, starts[1])
    assert_keeps(H2=THRESHOLD[1] * max(starts) < 1, H3=True, H4=True, H5=strong[0] > weak[1])
    # then   the half times are 3.63 and 1.10
    assert_at_most(3 * weak[1], strong[0], why="half times")


@necessity("H2")
@given_batches(network=large_starts)
def test_without_H2_the_weaker_mode_is_learned_first(network):
    s, start = network.target, network.start
    eta = longest_step_of_H5(s, start)
    assert_keeps(H1=start == start[:, :1], H4=aligned(network), H5=satisfies_H5(s, start, eta))
    assert_keeps(H3=balance_error(*network.layers(2)) <= rounding(step_roundings(network)))
    steps, _ = spectral_steps_to_half(network, eta)
    # then   all s/s_0 lie between 2 and 4.5911, and the whole order is reversed
    assert_at_most(steps[:, 2], steps[:, 1] - 1, why="third before second", instance=network)
    assert_at_most(steps[:, 1], steps[:, 0] - 1, why="second before first", instance=network)


@necessity("H3")
def test_without_H3_a_weak_mode_grows_out_of_one_large_layer():
    # given  s = (2, 1); both modes start at 1/100, one as 1/10 * 1/10, one as 1 * 1/100; H5 allows eta up to 1/7.2
    s, layers = np.array([2.0, 1.0]), [np.diag([0.1, 1.0]), np.diag([0.1, 0.01])]
    start = end_to_end(layers)
    modes = np.diag(start)
    assert_keeps(H1=np.ptp(modes) <= rounding(4, 0.01), H2=4.5912 * modes < s)
    assert_keeps(H4=[not (start - np.diag(modes)).any(), modes.min() >= 0], H5=satisfies_H5(s, modes, 1 / 8))
    steps, _ = steps_to_half(layers, np.diag(s), s, np.diag, 1 / 8)
    # then   the stronger mode takes 11 steps, the weaker one 6
    assert_at_most(steps[1] + 4, steps[0], why="the weaker mode is learned first, by four steps")


@necessity("H4")
def test_without_H4_weak_modes_grow_out_of_off_diagonal_entries():
    # given  s = (3/2, 1, 1) and balanced layers of the size 3/5 on the last two modes. One layer is rotated, with the
    #        cosine 20/101, so that the product has large off-diagonal entries
    s, Q = np.array([1.5, 1.0, 1.0]), np.array([[101, 0, 0], [0, 20, 99], [0, -99, 20]]) / 101
    size = np.diag([0.6 * np.sqrt(20 / 101), 0.6, 0.6])
    layers = [size, Q @ size]
    modes, slack = np.diag(end_to_end(layers)), rounding(2 * 3 + 6)  # two products of 3 entries
    assert_keeps(H1=np.ptp(modes) <= slack, H2=4.5912 * modes < s, H3=balance_error(*layers) <= slack)
    assert_keeps(H5=satisfies_H5(s[:2], modes[:2], 1 / 20))
    # when   H5 allows eta = 1/20
    steps, _ = steps_to_half(layers, np.diag(s), s, np.diag, 1 / 20)
    # then
    assert_at_most(steps[1:] + 4, steps[0], why="the weaker modes are learned first, by four steps")


@necessity("H5")
def test_without_H5_the_weaker_mode_can_take_fewer_steps():
    # given  s = 28/25 and 1, both above 4.5911 s_0 for s_0 = 5/23, and eta = 67/100, exact
    s, start, eta = [Fraction(28, 25), Fraction(1)], Fraction(5, 23), Fraction(67, 100)
    # given  the scalar maps are those of aligned and balanced layers
    assert_keeps(H1=True, H2=THRESHOLD[1] * start < min(s), H3=True, H4=True)
    one = [start * (1 + eta * (mode - start)) ** 2 for mode in s]
    # then   after one step the weaker is at half, and the stronger is not
    assert_at_most(s[1] / 2, one[1], why="the weaker mode is learned")
    assert_at_most(one[0] + Fraction(1, 10_000), s[0] / 2, why="the stronger mode is not")
