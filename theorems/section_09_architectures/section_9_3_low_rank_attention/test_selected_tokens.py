r"""Section 9.3: low-rank attention - the rank is the number of tokens that are selected, up to all of them.

Setting     $P = \operatorname{softmax}(A)$ by rows, $A_{ij} = x_j^\top W x_i$. Gradient descent acts on $W$. $\Gamma$
            holds the rewards of the entries of $P$, and $\eta$ is the step
Hypotheses  (H1) Every query has one best token.
            (H2) The loss is linear, $-\langle\Gamma, P\rangle$; the best token of $i$ has the largest $\Gamma_{ij}$.
            (H3) The tokens are orthonormal, and $W$ starts from 0.
Corrected   (C1) Under H1, H2 and H3 $P$ tends to the 0/1 matrix of the best tokens, whose rank is the number of
            different ones, up to $T$: after $N$ steps $1 - P_{ib} \le 1/(1/(T - 1) + \eta\Delta N/T^2)$, $b$ the best
            token of $i$ and $\Delta$ its lead.
            (C2) Logits of low rank make no $P$ of low rank: for the tokens 0, 1, 2, 3 and $W = \log 2$ the logits have
            rank one and $P$ has rank four.
            (C3) Training can raise the rank: one step towards attending to oneself takes three orthonormal tokens from
            rank one to rank three
Idea        Orthonormal tokens make every row of $P$ a query of its own, and each query selects its best token
Tolerance   Witnesses are rational, as their logits are multiples of $\log 2$. Runs carry the rounding of their steps
"""

import numpy as np
from numpy.linalg import norm

from fixtures.dynamics.paths import at_time
from fixtures.precision import rounding
from fixtures.problems.batches import given_batches
from fixtures.rational import fractions, leading_pivots
from properties.certificates import assert_at_most, assert_identical, assert_keeps, assert_within
from theorems.ledger import corrected, necessity
from theorems.section_09_architectures.attention.certificates import singular_values
from theorems.section_09_architectures.attention.dynamics import weight_path
from theorems.section_09_architectures.attention.low_rank_problems import choices
from theorems.section_09_architectures.attention.model import attention, logits, softmax_of_powers, weight_gradient

STEPS = 200


def trained(problem, rewards):
    """P (B, 3, 3) after STEPS steps of gradient ascent in <rewards, P> from W = 0, and the rounding of P, (B,)."""
    ascend = lambda W: weight_gradient(attention(W, problem.X, problem.X), -rewards, problem.X, problem.X)  # noqa: E731
    W = at_time(weight_path(np.zeros((len(rewards), 4, 4)), ascend, problem.eta), STEPS)
    # logits have two products of four entries, a softmax of three 11 operations, its slope 5, the gradient two products
    # of three; the tokens, which stand on both sides, are orthonormal to 72 operations
    size = 1 + problem.eta * np.abs(rewards).max((-2, -1))
    return attention(W, problem.X, problem.X), rounding(STEPS * (2 * 4 + 11 + 5 + 2 * 3 + 2 * 72), size)


def odds_bound(T, eta, lead, steps):
    """The bound of C1 on (1 - P_ib)/P_ib, which falls from T - 1: 1/(1/(T - 1) + eta lead steps/T^2)."""
    return 1 / (1 / (T - 1) + eta * lead * steps / T**2)


@corrected("C1")
def test_a_short_step_raises_the_inverse_odds_by_less_than_twice_what_the_bound_says():
    # given  three orthonormal tokens, the loss -tr P, a step of 1/64: the odds are 2 exp(-eta/3), 1/r rises by eta/6
    X, eta = np.eye(3), 1 / 64
    W = -eta * weight_gradient(attention(0 * X, X, X), -X, X, X)
    P = attention(W, X, X)[0, 0]
    # then   by more than eta/9, and less than twice that
    due = 1 / odds_bound(3, eta, 1.0, 1) - 1 / 2
    assert_within(due, P / (1 - P) - 1 / 2, 2 * due, why="P_ii/(1 - P_ii)")


@corrected("C1", "H1", "H2", "H3")
@given_batches(problem=choices())
def test_attention_weights_tend_to_a_matrix_whose_rank_is_the_number_of_tokens_selected(problem):
    # given  three queries with at most two best tokens, and B = (1{j is the best token of i})
    T, B = 3, problem.selected
    P, error = trained(problem, problem.rewards)
    # then   r = (1 - P_ib)/P_ib falls in every row as it does for one query, and |P - B|_F <= sqrt(2) |r|
    r = odds_bound(T, problem.eta[:, None], problem.lead, STEPS)
    off = np.sqrt(2) * norm(r, axis=-1) + error
    assert_at_most(norm(P - B, axis=(-2, -1)), off, why="|P - B|_F", instance=problem)
    # then   the singular values of B are roots of how often each token is selected: 0, or at least 1
    s, number = singular_values(P), B.any(-2).sum(-1)
    least, beyond = np.take_along_axis(s, number[:, None] + [[-1, 0]], 1).T
    assert_at_most(beyond, off, why="singular value beyond the number of tokens selected", instance=problem)
    assert_at_most(1 - off, least, why="the singular values up to it", instance=problem)
    assert_at_most(off, 1 / 2, why="they are apart")


@corrected("C1", "H1", "H2", "H3")
@given_batches(problem=choices())
def test_queries_that_select_distinct_tokens_go_from_rank_one_to_full_rank(problem):
    # given  the loss -tr P, from W = 0, where P has rank one
    T = 3
    P, error = trained(problem, np.broadcast_to(np.eye(T), problem.rewards.shape))
    # then   r = (1 - P_ii)/P_ii falls by exp(-eta P_ii (1 - P_ii) T/(T - 1)) a step, sigma_T = 1 - T(1 - P_ii)/(T-1)
    r = 1 / (1 / (T - 1) + problem.eta * STEPS / (T * (T - 1)))
    bound = 1 - T / (T - 1) * r / (1 + r) - error
    assert_at_most(bound, singular_values(P)[:, -1], why="least singular value of P", instance=problem)
    assert_at_most(2 / 3, bound.min(), why="it is far from zero")


@necessity("H1")
@given_batches(problem=choices())
def test_without_H1_queries_with_two_best_tokens_divide_their_attention_for_ever(problem):
    # given  every query is rewarded equally for its two other tokens; T = 3
    rewards = np.broadcast_to(1 - np.eye(3), problem.rewards.shape)
    orthonormal = np.abs(problem.X @ problem.X.mT - np.eye(3)).max((-2, -1)) <= rounding(72 + 4)
    assert_keeps(H2=True, H3=orthonormal)
    # when
    P, error = trained(problem, rewards)
    # then   by symmetry the two tokens have equal shares, so that no entry of P exceeds 1/2
    assert_at_most(P.max((-2, -1)), 1 / 2 + error, why="P_ij", instance=problem)
    assert_at_most(error, rounding(200_000), why="ceiling", instance=problem)


@necessity("H2")
def test_without_H2_one_best_token_of_the_first_step_leaves_attention_weights_of_full_rank():
    # given  two orthonormal tokens, the loss sum (P_i1 - t_i)^2/2, t = (2/3, 4/5): all want token 1 at P_i1 = 1/2
    X, W, t, steps = np.eye(2), np.zeros((2, 2)), np.array([2 / 3, 4 / 5]), 400
    slope = lambda P: np.stack([P[:, 0] - t, 0 * t], 1)  # noqa: E731
    assert_keeps(H1=slope(attention(W, X, X)) @ [1, -1] < 0, H3=np.array_equal(X @ X.T, np.eye(2)) and not W.any())
    gradient = lambda W: weight_gradient(attention(W, X, X), slope(attention(W, X, X)), X, X)  # noqa: E731
    # when   eta = 1
    P = attention(at_time(weight_path(W, gradient, 1.0), steps), X, X)
    # then   A_i1 - A_i2 approaches log(t/(1 - t)) by 1 - 2(t(1 - t))^2 a step at least, and det P is t_1 - t_2 = -2/15;
    #        a step has 24 operations, whose errors shrink at that rate
    rate = 2 * (t * (1 - t)) ** 2
    error = np.log(t / (1 - t)) / 4 * (1 - rate) ** steps + rounding(24 / rate)
    assert_at_most(np.abs(P[:, 0] - t), error, why="P_i1 tends to t_i")
    assert_at_most(1 / 8, abs(np.linalg.det(P)), why="det P")


def rank(matrix):
    """The exact rank of an array of fractions: the positive pivots of its Gram matrix."""
    return sum(pivot > 0 for pivot in leading_pivots(matrix @ matrix.T))


def step_from_zero(tokens, rewards, eta):
    """P after one step of gradient ascent in <rewards, P>, from W = 0 at the rate eta log 2, and P before the step.

    Exact where eta A is whole, for the logits A of the step.
    """
    P = softmax_of_powers(np.zeros(rewards.shape))
    return softmax_of_powers(-eta * logits(weight_gradient(P, -rewards, tokens, tokens), tokens, tokens)), P


@necessity("H3")
def test_without_H3_queries_that_want_the_same_token_attend_each_to_itself():
    # given  the tokens -1 and 1 on a line and rewards for the second alone, (0, 1) and (0, 2)
    tokens, rewards = fractions([[-1], [1]]), fractions([[0, 1], [0, 2]])
    assert_keeps(H1=rewards[:, 1] > rewards[:, 0], H2=True)
    # when
    P, _ = step_from_zero(tokens, rewards, 2)
    # then   the reward is 1 + 1/(1 + e^(-2W)), which rises in W; the step takes W from 0 to log 2
    assert_identical(P, fractions([["4/5", "1/5"], ["1/5", "4/5"]]), why="P after a step of 2 log 2")
    assert_identical(rank(P), 2, why="rank of P")


@corrected("C2")
def test_logits_of_rank_one_make_attention_weights_of_rank_four():
    # given  the tokens 0, 1, 2, 3 and W = log 2
    tokens = fractions([0, 1, 2, 3])
    exponents = np.outer(tokens, tokens)
    P = softmax_of_powers(exponents)
    # then   the rows of P are the rows of the Vandermonde matrix of 1, 2, 4, 8, divided by their sums
    vandermonde = fractions(np.vander([1, 2, 4, 8], increasing=True))
    assert_identical(P * vandermonde.sum(1)[:, None], vandermonde, why="a Vandermonde matrix, but for the row sums")
    assert_identical([rank(exponents), rank(P)], [1, 4], why="ranks of logits and attention weights")


@corrected("C3")
def test_learning_to_attend_to_oneself_takes_the_attention_weights_from_rank_one_to_full_rank():
    # given  three orthonormal tokens and the loss -tr P
    tokens = fractions(np.eye(3, dtype=int))
    after, before = step_from_zero(tokens, tokens, 9)
    # then   a step of 9 log 2 sets the logits to 3 log 2 on the diagonal
    assert_identical(after, (7 * tokens + 1) / 10, why="P = (7I + 11')/10")
    assert_identical([rank(before), rank(after)], [1, 3], why="rank of P before and after the step")
