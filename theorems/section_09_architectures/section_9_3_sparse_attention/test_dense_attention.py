r"""Section 9.3: sparse attention - attention need not become sparse.

Setting     One query $q$ and $T$ tokens, the rows of $X$, have the logits $p = XWq$ and the weights
            $s = \operatorname{softmax}(p)$; $f = \gamma^\top s$ is the reward. Under all three hypotheses gradient
            ascent in $f$ gives one token all the attention in the limit
Hypotheses  (H1) One token has the largest $\gamma_j$.
            (H2) The loss is linear in $s$, as $f$ is.
            (H3) The tokens are orthonormal, and $W$ starts from 0.
Corrected   (C5) Attention need not become sparse: a target that is the average of four orthonormal tokens is fitted by
            equal weights and by no others; where all tokens are equally good, ascent rests at any weights, such as
            equal ones and $(\frac9{10}, \frac1{10})$; the tokens 1 and $-1$ with the loss $\frac12 (s_1 - s_2)^2$ go
            from the weights $(\frac9{10}, \frac1{10})$ to equal ones.
            (C6) A token that is the mean of two others never has more than a third of the attention, for any $W$ and
            $q$, which it has for $W = 0$
Idea        Equally good tokens have equal gradients. A loss that is not linear can have its minimum at dense weights.
            The logit of a token between two others is between theirs
Tolerance   Witnesses are rational, or runs that carry the rounding of their steps and their own rate
Findings    By C5 an average is learned as a dense pattern, from a sparse start too, and where all tokens are equally
            good the pattern of the start stays
"""

import dataclasses
from fractions import Fraction
from itertools import islice

import numpy as np
from hypothesis import given

from fixtures.dynamics.paths import at_time
from fixtures.precision import rounding
from fixtures.problems.batches import given_batches
from fixtures.problems.tapes import tapes
from fixtures.rational import fractions
from properties.certificates import assert_at_most, assert_equal_within, assert_identical, assert_keeps, assert_within
from theorems.ledger import corrected, necessity
from theorems.section_09_architectures.attention.dynamics import weight_path
from theorems.section_09_architectures.attention.model import (
    attention,
    softmax,
    softmax_of_powers,
    through_softmax,
    weight_gradient,
)
from theorems.section_09_architectures.attention.sparse_problems import selections
from theorems.section_09_architectures.section_9_3_sparse_attention.ascents import ascent, effective_number


@corrected("C5")
def test_a_target_that_is_an_average_is_best_attended_to_densely():
    # given  four orthonormal tokens, weights 1/4, the loss (1/2)|X's - mean|^2
    X, s = fractions(np.eye(4, dtype=int)), softmax_of_powers(np.zeros((1, 4)))
    residual = s @ X - X.mean(0)
    # then   the loss and its gradient are 0, and no other weights have this output
    assert_identical(residual, 0 * residual, why="the loss is 0")
    assert_identical(through_softmax(s, residual @ X.T), 0 * s, why="gradient descent rests")
    assert_identical(effective_number(s[0]), 4, why="the optimum attends to four tokens")


@corrected("C5")
def test_equally_good_tokens_are_attended_to_equally_for_ever():
    # given  gamma = (1, 1, 1)
    s = softmax_of_powers(np.zeros((1, 3)))
    assert_identical(through_softmax(s, fractions([1, 1, 1])), 0 * s, why="gradient ascent rests")
    assert_identical(effective_number(s[0]), 3, why="effective number of tokens")
    # then   two of them rest at unequal weights as well
    unequal = fractions([["9/10", "1/10"]])
    assert_identical(through_softmax(unequal, fractions([1, 1])), 0 * unequal, why="so it does when it is sparse")


def distance_of_pair(W):
    """The gradient dL/dW of L = u^2/2, u = s_1 - s_2, for the tokens 1 and -1 and the query 1."""
    X, q = np.array([[1.0], [-1.0]]), np.ones((1, 1))
    s = attention(W, X, q)
    return weight_gradient(s, s @ X @ X.T, X, q)


@corrected("C5")
def test_a_pair_that_should_balance_becomes_dense_from_a_sparse_start():
    # given  the loss u^2/2, u = tanh(W) as p_1 - p_2 = 2W, and W = ln 3, where s = (9/10, 1/10) and u = 4/5
    steps, kept = 150, 1 - 4 / 5 * (1 - 16 / 25) / np.log(9)
    # when   eta = 1/2: W goes to W - u(1 - u^2)/2
    path = islice(weight_path(np.full((1, 1), np.log(3)), distance_of_pair, 1 / 2), steps + 1)
    W, N = np.array([w[0, 0] for w in path]), np.arange(steps + 1)
    # then   u(1 - u^2)/(2W) falls in W, from 1/2 at 0 to its value at the start; a step has 20 operations
    slack = rounding(20 * steps)
    assert_within(W[0] * 2.0**-N, W, W[0] * kept**N, slack=slack, why="half the difference of the logits")
    assert_at_most(kept**steps, 1e-9, why="the weights are equal but for a billionth")


@corrected("C6")
@given(tape=tapes(9))
def test_a_token_halfway_between_two_others_never_has_more_than_a_third_of_the_attention(tape):
    # given  integer tokens 2y, y + z and 2z in two dimensions, one more, and a row q'W' in units of log 2
    y, z, last, w = tape.integers((4, 2), 3)
    exponents = np.stack([y + z, 2 * y, 2 * z, last]) @ w
    third = Fraction(1, 3)
    assert_at_most(softmax_of_powers(exponents[None])[0, 0], third, why="attention on y + z")
    assert_identical(softmax_of_powers(np.zeros((1, 3)))[0, 0], third, why="attained for W = 0 by three tokens")


def tied(task):
    """The task with a second token that is as good as the best one, and the index of that token (B,)."""
    rival = (task.best + 1) % task.tokens.astype(int)
    gamma = np.array(task.gamma)
    np.put_along_axis(gamma, rival[:, None], task.of_best(gamma)[:, None], -1)
    return dataclasses.replace(task, gamma=gamma), rival


@necessity("H1")
@given_batches(task=selections())
def test_without_H1_tied_tokens_share_the_attention_for_ever(task):
    # given  a second token as good as the best one
    task, rival = tied(task)
    assert_keeps(H2=True, H3=(task.present == 0) | (task.start == 0))
    # when
    s = softmax(ascent(task))
    # then   both have the same weights to the last bit, so that none exceeds one half
    of_rival = dataclasses.replace(task, best=rival).of_best(s)
    assert_identical(task.of_best(s), of_rival, why="equal weights")
    # and    a softmax of up to six has 17 operations, and the sum of its squares 8
    found = effective_number(s).min(0) + rounding(17 + 8, 6)
    assert_at_most(2, found, why="two tokens at least", instance=task)


@necessity("H2")
def test_without_H2_a_loss_that_wants_three_quarters_gets_three_quarters():
    # given  two orthonormal tokens, W = 0, and the loss (s_1 - 3/4)^2/2; at the start token 1 alone is wanted
    X, W, q, t, steps = np.eye(2), np.zeros((2, 2)), np.eye(1, 2), 3 / 4, 400
    assert_keeps(H1=attention(W, X, q)[0, 0] < t, H3=np.array_equal(X @ X.T, np.eye(2)) and not W.any())
    gradient = lambda W: weight_gradient(attention(W, X, q), [[1, 0]] * (attention(W, X, q) - t), X, q)  # noqa: E731
    # when   eta = 1
    s = attention(at_time(weight_path(W, gradient, 1.0), steps), X, q)[0]
    # then   p_1 - p_2 approaches log 3 from below, by 1 - 2(t(1 - t))^2 a step at least; a step has 24 operations, of
    #        which the errors shrink at that rate
    rate = 2 * (t * (1 - t)) ** 2
    assert_equal_within(s[0], t, np.log(3) / 4 * (1 - rate) ** steps + rounding(24 / rate), why="s_1 tends to 3/4")


@necessity("H3")
def test_without_H3_a_best_token_between_the_others_leaves_attention_dense_for_ever():
    # given  the tokens 0, 1, 2 on a line, gamma = (0, 1, 0), q = 1: s_2 = 1/(1 + 2 cosh W) is largest at W = 0
    X, gamma, s = fractions([[0], [1], [2]]), fractions([[0, 1, 0]]), softmax_of_powers(np.zeros((1, 3)))
    assert_keeps(H1=(gamma == gamma.max()).sum() == 1, H2=True)
    gradient = weight_gradient(s, -gamma, X, fractions([[1]]))
    # then
    assert_identical(gradient, fractions([[0]]), why="gradient ascent rests at W = 0")
    assert_identical(effective_number(s[0]), 3, why="effective number of tokens")
