r"""Section 9.3: low-rank attention - the law of the rank needs each of its hypotheses.

Setting     The weights of the logits are $W = K^\top Q$ with $K_0 = \alpha E$, $Q_0 = \alpha F$; the loss is linear in
            $W$, $-\partial L/\partial W = M = U \operatorname{diag}(s) V^\top$; $Y = EU + FV$. The law: at
            $\alpha e^{s_1 t} = 1$, $\sigma_2/\sigma_1$ is of the order $\alpha^{2(1 - s_2/s_1)}$
Hypotheses  (H6) $W$ is factored, and $\alpha$ is small enough for $E$, $F$ and $s$.
            (H7) $s_1 > s_2$.
            (H8) The first column of $Y$ is not 0.
            (H9) The first two columns of $Y$ are independent.
Idea        Weights that are not factored grow by $\eta M$ in every step, and keep the spectrum of $M$. Two equal forces
            grow alike. Without a part of the start in the first mode, that mode decays. In two dimensions $\det M < 0$
            makes the columns of $Y$ dependent from $E = F = I$
Tolerance   Flows carry the rounding of a matrix exponential, steps that of their sum
Findings    H9 is needed for the exponent, not for low rank: where it fails from $E = F = I$ in two dimensions, the
            exponent is $2(1 + s_2/s_1)$. From $E = F = I$ the loss with $M = -I$ never grows at all
"""

import dataclasses

import numpy as np
from numpy.linalg import norm

from fixtures.dynamics.paths import at_time
from fixtures.precision import factorization, rounding
from fixtures.problems.batches import given_batches
from properties.certificates import assert_at_most, assert_keeps, assert_within
from theorems.ledger import necessity
from theorems.section_09_architectures.attention.certificates import singular_values
from theorems.section_09_architectures.attention.dynamics import weight_path
from theorems.section_09_architectures.attention.low_rank_problems import reflecting_forces, small_starts
from theorems.section_09_architectures.section_9_3_low_rank_attention.small_starts import (
    flow_rounding,
    flow_weights,
    has_top_mode,
    largest_growth,
)


@necessity("H6")
@given_batches(start=small_starts())
def test_without_H6_weights_that_are_not_factored_keep_the_spectrum_of_the_force(start):
    assert_keeps(H7=start.s[:, 1] <= 7 / 8, H8=has_top_mode(start))
    # given  the same W at the start, alpha^2 E'F, which is trained itself
    W = start.alpha[:, None, None] ** 2 * start.E.mT @ start.F
    # when   100 steps of 1/4
    s = singular_values(at_time(weight_path(W, lambda W: 0 * W - start.M, 1 / 4), 100))
    # then   W = W_0 + 25M, |W_0| <= 2 alpha^2; a step has two operations, M two rotations of 54 and a product
    error = 2 * start.alpha[:, None] ** 2 + rounding(2 * 100 + 2 * 54 + 3 + factorization(3, 3), 25)
    assert_at_most(np.abs(s - 25 * start.s), error + 0 * s, why="sigma_2/sigma_1 stays s_2/s_1", instance=start)


@necessity("H7")
@given_batches(start=small_starts())
def test_without_H7_two_singular_values_stay_comparable_from_every_small_start(start):
    # given  s_1 = s_2
    assert_keeps(H6=start.alpha <= 2.0**-12, H8=has_top_mode(start))
    start = dataclasses.replace(start, s=np.stack([start.s[:, 0], start.s[:, 0], start.s[:, 2]], -1))
    s, pair = singular_values(flow_weights(start)), singular_values(start.Y[..., :2])
    # then   sigma_2/sigma_1 is at least a share that does not depend on alpha, for theta <= 1/2
    theta = singular_values(start.Z[..., :2])[:, 0] * start.alpha**2 / pair[:, 1]
    assert_at_most(theta, 1 / 2, why="the time is long enough", instance=start)
    share = (1 - theta**2) ** 2 * pair.prod(-1) ** 2 / largest_growth(start) ** 2
    assert_at_most(share * s[:, 0], s[:, 1] + 2 * flow_rounding(start), why="sigma_2 > c sigma_1", instance=start)


@necessity("H8")
@given_batches(start=small_starts())
def test_without_H8_the_weights_never_grow(start):
    # given  F = -EUV', so that Y = 0; for E = I and M = -I this is the start K = Q
    start = dataclasses.replace(start, F=-start.E @ start.U @ start.V.mT)
    assert_keeps(H6=start.alpha <= 2.0**-12, H7=start.s[:, 1] <= 7 / 8)
    # then   W is -alpha^2 U exp(-2st) V' for the orthonormal columns of E, and K and Q are of the size alpha
    bound = start.alpha**2 + flow_rounding(start) * (start.alpha + flow_rounding(start))
    assert_at_most(singular_values(flow_weights(start))[:, 0], bound, why="|W| <= alpha^2", instance=start)


@necessity("H9")
@given_batches(start=reflecting_forces())
def test_without_H9_a_force_of_negative_determinant_in_two_dimensions_has_the_exponent_of_the_sum(start):
    # given  K_0 = Q_0 = alpha I: U'V is a reflection, and U + V has rank one: N = 4vv', v_1 = a; s_2 > 0
    assert_keeps(H6=start.alpha <= 1 / 4, H7=(start.s[:, 1] >= 1 / 8) & (start.s[:, 1] <= 7 / 8))
    a2, lead = norm(start.Y[..., 0], axis=-1) ** 2 / 4, np.exp((1 - start.s[:, 1]) * start.time)
    # when
    W = flow_weights(start)
    # then   |det W| = alpha^4 (a^2 e^((s_1 - s_2)t) + (1 - a^2) e^(-(s_1 - s_2)t))^2, where alpha^4 is e^(-4 s_1 t)
    exact = start.alpha**4 * (a2 * lead + (1 - a2) / lead) ** 2
    slack = 4 * flow_rounding(start) * (1 + singular_values(W)[:, 0])
    assert_within(exact, np.abs(np.linalg.det(W)), exact, slack=slack, why="|det W|", instance=start)
