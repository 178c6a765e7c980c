r"""Proposition 4.2 (b) - what the comparison of two depths needs.

Setting     $f(x) = W_L \cdots W_1 x$, balanced layers, gradient flow. A mode is a singular value of
            $W = W_L \cdots W_1$. Under H1 to H5 the deeper of two networks has no larger second mode and no higher
            effective rank.
Hypotheses  (H1) $X = I$, and $W(0)$ lies in the singular frames of the target, so that modes decouple.
            (H2) No mode starts larger than the first mode, which has the largest target $\lambda_1$.
            (H3) Networks of all depths start from the same end-to-end matrix, whose singular values are positive.
            (H4) Each mode starts below its target.
            (H5) Networks are compared when the first mode has reached the same size $c < \lambda_1$.
Idea        Each test drops one hypothesis and asserts that the instance satisfies the others. Then the deeper network
            has a larger second mode or a higher rank, or no mode falls with depth.
Findings    What pinned instances show. At a matched loss of the targets 4, 2, 1 the rank rises from depth two to three
            in all three of its measures (nuclear over operator norm, stable, entropic). With full data the depths 1, 2
            and 3 end at the same matrix. From $W_\ell = \alpha I$ the start of $W$ is $\alpha^L I$, and
            $\alpha = \frac{11}{10}$ reverses the comparison.
"""

from fractions import Fraction

import numpy as np
import pytest
from numpy.linalg import norm

from fixtures.dynamics.deep_linear import end_to_end
from fixtures.dynamics.gradient_flow import gradient_flow
from fixtures.precision import rounding
from properties.certificates import assert_at_most, assert_keeps, assert_violates
from theorems.ledger import necessity
from theorems.section_04_deep_linear_networks.proposition_4_2_depth.effective_ranks import (
    entropic_rank,
    nuclear_rank,
    stable_rank,
)
from theorems.section_04_deep_linear_networks.proposition_4_2_depth.races import (
    exact_power,
    second_mode_at_depth_one,
    second_mode_at_depth_two,
)
from theorems.section_04_deep_linear_networks.proposition_4_2_depth.rotated_layers import (
    rotated_network,
    second_singular_value,
)


def to_equal_loss(L, fraction):
    """The modes for the target diag(4, 2, 1) at depth L when `fraction` of the loss is left, and their error.

    All modes start at 1/100.
    """
    target, start = np.array([4.0, 2, 1]), np.full(3, 0.01)

    def excess(s):
        return ((s - target) ** 2).sum() - fraction * ((start - target) ** 2).sum()

    run = gradient_flow(lambda s: L * s ** (2 - 2 / L) * (target - s), start, [1e4], until=excess)
    return run.states[-1], run.error[-1]


@necessity("H1")
def test_without_H1_a_slow_sample_of_a_large_target_lets_depth_raise_the_rank():
    # given  X = diag(1, 1/2) and targets 1 and 2, both modes from 1/10 at either depth; compared when s_1 = 1
    eps, goal = Fraction(1, 10), Fraction(1)
    assert_keeps(H2=True, H3=True, H4=eps < 1, H5=eps < goal < 2)
    # when   the mode of target 2 has the rate 1/4, that of target 1 the rate 1. L = 1: 2 - s shrinks by the factor
    #        1/1.9, and 1 - s by its fourth power. L = 2: odds grow like exp(2 rate lambda t), for target 2 by the
    #        factor 19 and for target 1 by 19^2
    shallow = 1 - (1 - eps) * ((2 - goal) / (2 - eps)) ** 4
    odds = eps / (1 - eps) * (goal / (2 - goal) * (2 - eps) / eps) ** 2
    deep = odds / (1 + odds)
    # then   `deep` and `shallow` are second singular values
    assert_at_most(deep, goal, why="the mode of target 2 is the larger one at L = 2, and so at L = 1")
    assert_violates(deep, shallow, reads="s_2 = {value} at L = 2 > {limit} at L = 1", X=[1, Fraction(1, 2)], eps=eps)


@necessity("H2")
def test_without_H2_the_layers_run_into_the_counterexample():
    # given  layers in rotated frames; the first mode starts at 1/5, the second at 1/2; X = I; compared when s_1 = 1
    networks = {L: rotated_network([0.2, 0.5], L) for L in (1, 2)}
    W = np.stack([end_to_end(network.layers(L)) for L, network in networks.items()])
    modes = [network.frames[-1].T @ W[L - 1] @ network.frames[0] for L, network in networks.items()]
    built = rounding(30)  # three frames of four roundings, and six products of three entries
    assert_keeps(
        H1=np.abs(modes - np.diag([0.2, 0.5])) <= built,
        H3=np.abs(W[1] - W[0]) <= built,
        H4=[network.start < network.target for network in networks.values()],
        H5=[network.start[0] < 1 < network.target[0] for network in networks.values()],
    )
    # when
    (shallow, first), (deep, second) = (second_singular_value(network, L) for L, network in networks.items())
    # then   13/18 and 3/4
    assert_violates(deep, shallow, slack=first + second, reads="s_2 = {value} at L = 2 > {limit} at L = 1, s_1 = 1")
    assert_at_most(abs(shallow - 13 / 18), first, why="second singular value at depth one")
    assert_at_most(abs(deep - 3 / 4), second, why="second singular value at depth two")


@necessity("H3")
def test_without_H3_layers_that_start_alike_give_the_deeper_network_a_head_start():
    # given  W_l(0) = (11/10) I at both depths, targets 4 and 2; compared when s_1 = 121/100, the start of the deeper
    #        network
    alpha, target = Fraction(11, 10), [Fraction(4), Fraction(2)]
    goal = alpha**2
    assert_keeps(H1=True, H2=True, H4=[alpha < min(target), alpha**2 < min(target)], H5=goal < target[0])
    # when
    shallow = second_mode_at_depth_one(target, [alpha, alpha], goal)
    # then
    assert_violates(goal, shallow, reads="s_2 = {value} at L = 2 > {limit} at L = 1", alpha=alpha, target=target)


@necessity("H4")
def test_without_H4_modes_that_start_above_their_target_wear_down_more_slowly_in_the_deeper_network():
    # given  targets diag(1, 1/2), both modes from 3/4 at either depth; compared when s_1 = 12/13
    target, start, goal = [Fraction(1), Fraction(1, 2)], [Fraction(3, 4)] * 2, Fraction(12, 13)
    assert_keeps(H1=True, H2=start[1] <= start[0], H3=True, H5=start[0] < goal < target[0])
    # when   the odds of the first mode grow by 4 = 2^2
    shallow = second_mode_at_depth_one(target, start, goal)
    deep = second_mode_at_depth_two(target, start, goal, power=exact_power)
    # then   15/26 and 3/5
    assert_violates(deep, shallow, reads="s_2 = {value} at L = 2 > {limit} at L = 1", target=target, eps=start[0])


@necessity("H5")
@pytest.mark.parametrize("rank", [nuclear_rank, stable_rank, entropic_rank])
def test_without_H5_at_a_matched_loss_every_effective_rank_rises_with_depth(rank):
    # given  targets diag(4, 2, 1), all modes from 1/100 at every depth; compared when 1/50 of the loss is left
    assert_keeps(H1=True, H2=True, H3=True, H4=0.01 < 1)
    (shallow, first), (deep, second) = to_equal_loss(2, 0.02), to_equal_loss(3, 0.02)
    # then   |d(rank)/ds| is at most 4 rank/s_1, and for the entropic rank sqrt(3) rank |ln share|/sum s. Both are below
    #        12 where s_1 is above 3 and every share above 1/40
    least = min(*shallow / shallow.sum(), *deep / deep.sum(), shallow[0] / 120, deep[0] / 120)
    assert_at_most(1 / 40, least, why="shares of the modes, and size of the first")
    slack = 12 * (first + second) + rounding(16, 3)  # sixteen operations for a rank of at most 3
    reads = "effective rank {value} at L = 3 > {limit} at L = 2"
    assert_violates(rank(deep), rank(shallow), slack=slack, reads=reads, measure=rank.__name__, target="(4, 2, 1)")


@necessity("H5")
@pytest.mark.parametrize("L", [1, 2, 3])
def test_without_H5_training_to_the_end_erases_depth(L):
    # given  the same start and target at every depth; 10^-12 of the loss is left, so 10^-6 of the distance
    assert_keeps(H1=True, H2=True, H3=True, H4=0.01 < 1)
    s, error = to_equal_loss(L, 1e-12)
    # then
    left = 1e-6 * norm(np.array([3.99, 1.99, 0.99]))
    assert_at_most(norm(s - np.array([4.0, 2, 1])), left + error, why="every depth ends at the target")
