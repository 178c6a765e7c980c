r"""Section 9.3: low-rank attention - factored weights under a loss that is linear in W: the law of the rank.

Setting     The weights of the logits are $W = K^\top Q$ with $K_0 = \alpha E$, $Q_0 = \alpha F$; $-\partial L/\partial
            W = M = U \operatorname{diag}(s) V^\top$; $Y = EU + FV$, $Z = EU - FV$. Gradient descent or gradient flow
            acts on $K$ and $Q$
Hypotheses  (H6) $W$ is factored, and $\alpha$ is small enough for $E$, $F$ and $s$.
            (H7) $s_1 > s_2$.
            (H8) The first column of $Y$ is not 0.
            (H9) The first two columns of $Y$ are independent.
Corrected   (C9) Under H6, H7 and H8, for a loss linear in $W$ and $\alpha e^{s_1 t} = 1$, $\sigma_1(W)$ is between two
            constants, and $\sigma_2/\sigma_1$ is at most a constant times $\alpha^{2(1 - s_2/s_1)}$.
            (C10) Under H6, H7 and H9, for the same loss and time, $\sigma_2/\sigma_1$ is at least another constant
            times the same power for $s_2 > 0$, and it can be 0 for $s_2 = 0$.
            (C11) The flow of a linear loss is $W = \frac{\alpha^2}4 U e^{St} N_t e^{St} V^\top$,
            $N_t = (Y + Z e^{-2St})^\top (Y - Z e^{-2St})$, with $S = \operatorname{diag}(s)$.
            (C12) Along the flow every force conserves $KK^\top - QQ^\top$.
            (C14) From $K_0 = Q_0 = I/1000$ descent on the loss $-\operatorname{tr} W$, of which $s_1 = s_2$, leads to a
            multiple of $I$
Idea        The flow multiplies $[K\; Q]$ by $e^{tB}$, $B = \begin{pmatrix} 0 & M \\ M^\top & 0 \end{pmatrix}$. Its
            first mode has grown by $e^{s_1 t}$ when the second has grown by $e^{s_2 t}$ only
Tolerance   Runs and flows carry the rounding of a matrix exponential. Single steps are exact in fractions
"""

import dataclasses
from fractions import Fraction

import numpy as np
from hypothesis import given
from numpy.linalg import norm

from fixtures.dynamics.paths import at_time
from fixtures.problems.batches import given_batches
from fixtures.problems.tapes import tapes
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_equal_within, assert_identical, assert_within
from theorems.ledger import corrected
from theorems.section_09_architectures.attention.certificates import attention_growth_shape, singular_values
from theorems.section_09_architectures.attention.dynamics import factored_gradients, factored_weight_path
from theorems.section_09_architectures.attention.low_rank_problems import SmallStart, small_starts
from theorems.section_09_architectures.section_9_3_low_rank_attention.small_starts import (
    balance_of_spectrum,
    flow_rounding,
    flow_weights,
    largest_growth,
    rank_law,
)


@corrected("C9", "H6", "H7", "H8")
@given_batches(start=small_starts())
def test_of_a_linear_loss_the_weights_grow_to_a_fixed_size_at_a_rank_that_falls_to_one(start):
    # when   alpha e^(s_1 t) = 1
    s, y, z = singular_values(flow_weights(start)), norm(start.Y[..., 0], axis=-1), norm(start.Z[..., 0], axis=-1)
    # then   N_11 = |y|^2 - |z|^2 alpha^4, and sigma_1 sigma_2(N_t) <= |N_t|^2
    least = y**2 - z**2 * start.alpha**4
    most, slack = largest_growth(start), flow_rounding(start)
    assert_within(least / 4, s[:, 0], most / 4, slack=slack, why="sigma_1", instance=start)
    share = rank_law(start) * (most / least) ** 2
    assert_at_most(
        s[:, 1], share * s[:, 0] + slack * (1 + share), why="sigma_2/sigma_1 < C alpha^(2(1 - s_2))", instance=start
    )


@corrected("C10", "H6", "H7", "H9")
@given_batches(start=small_starts())
def test_the_exponent_of_the_second_singular_value_is_exact(start):
    # given  theta = |Z_2| e^(-2 s_2 t)/sigma_2(Y_2), for the first two columns
    s, pair = singular_values(flow_weights(start)), singular_values(start.Y[..., :2])
    theta = singular_values(start.Z[..., :2])[:, 0] * start.alpha ** (2 * start.s[:, 1]) / pair[:, 1]
    assert_at_most(theta, 1 / 2, why="the time is long enough", instance=start)
    # then   the leading minor of N_t is at least (1 - theta^2)^2 det(Y_2'Y_2)
    minor = (1 - theta**2) ** 2 * pair.prod(-1) ** 2
    share = rank_law(start) * minor / largest_growth(start) ** 2
    assert_at_most(share * s[:, 0], s[:, 1] + 2 * flow_rounding(start), why="sigma_2/sigma_1 > c alpha^(2(1 - s_2))")


@corrected("C10")
def test_of_a_force_of_rank_one_the_second_singular_value_can_be_zero():
    # given  s = (1, 0), u_i = v_i = e_i, E = (e_1, e_2) and F = (e_1, e_3), for which H6, H7 and H9 hold
    frame, E, F = np.eye(2), np.eye(3)[:, [0, 1]], np.eye(3)[:, [0, 2]]
    start = SmallStart(*(at[None] for at in (E, F, frame, frame, np.array([1.0, 0]), np.array(1 / 16))))
    assert_at_most(1, singular_values(start.Y)[0, 1], why="H9")
    # then   the second columns of K and Q rest, orthogonal to each other
    s, slack = singular_values(flow_weights(start)), flow_rounding(start)
    assert_equal_within(s.sum(-1), s[:, 0], slack, why="sigma_2(W) adds nothing")
    assert_equal_within(s[:, 0], 1, slack, why="sigma_1(W) = (alpha e^t)^2")


@corrected("C11")
@given_batches(start=small_starts())
def test_the_flow_of_a_linear_loss_has_its_closed_form_at_every_time(start):
    # given  times between 0 and that of alpha e^(s_1 t) = 1
    start = dataclasses.replace(start, alpha=start.alpha ** (np.arange(len(start.s)) % 4 / 3))
    # when   the closed form, in the singular frames of M; the flow itself is [K Q] expm(tS)
    N = attention_growth_shape(start.Y, start.Z, start.s, start.time)
    exponentials = np.exp(start.s * start.time[:, None])
    inner = start.alpha[:, None, None] ** 2 / 4 * exponentials[:, :, None] * N * exponentials[:, None, :]
    # then
    error = norm(flow_weights(start) - start.U @ inner @ start.V.mT, axis=(-2, -1))
    assert_at_most(error, flow_rounding(start), why="K'Q", instance=start)
    assert_at_most(flow_rounding(start), 1e-10, why="ceiling", instance=start)


@corrected("C12")
@given(entries=tapes(3 * 12 + 9))
def test_every_force_leaves_the_difference_of_the_gram_matrices_at_rest(entries):
    # given  any K, Q and dL/dW, in integers
    K, Q, G = (fractions(entries.integers(shape, 3).astype(int)) for shape in ((4, 3), (4, 3), (3, 3)))
    # when
    to_K, to_Q = (-slope for slope in factored_gradients(K, Q, G))
    # then   d(KK' - QQ')/dt
    change = to_K @ K.T + K @ to_K.T - to_Q @ Q.T - Q @ to_Q.T
    assert_identical(change, 0 * change, why="KK' - QQ' is conserved")


@corrected("C14")
def test_equal_forces_lead_from_a_small_start_to_a_multiple_of_the_identity():
    # given  K_0 = Q_0 = I/1000, the loss -tr W, eta = 1
    start, descend = fractions(np.eye(2, dtype=int)) / 1000, lambda W: 0 * W - np.eye(2, dtype=int)
    # when   twelve steps, each of which doubles K and Q
    K, Q = at_time(factored_weight_path(start, start, descend, 1), 12)
    # then   sigma_1 = sigma_2 = 16.8
    assert_identical(K.T @ Q, fractions(np.eye(2, dtype=int)) * Fraction(4**12, 10**6), why="W")
    assert_identical(balance_of_spectrum(K.T @ Q), 1, why="2 sigma_1 sigma_2/(sigma_1^2 + sigma_2^2)")
