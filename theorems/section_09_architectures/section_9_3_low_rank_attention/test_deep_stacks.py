r"""Section 9.3: low-rank attention - tokens and attention weights of a deep stack.

Setting     A layer of a stack is $X \leftarrow PX$ with $P = \operatorname{softmax}(A)$ by rows and
            $A_{ij} = x_j^\top W x_i$. With a skip connection it is $X \leftarrow X + PX$. A layer has no other parts.
            $\operatorname{osc}$ is the range over the tokens of a column, $\omega$ its maximum over the columns
Hypotheses  (H4) There is no skip connection.
            (H5) $\sum |W_{ab}| \le \beta$ in all layers.
Corrected   (C4) $\operatorname{osc}(PV) \le \delta \operatorname{osc}(V)$ for any values $V$, with $\delta$ the largest
            distance of two rows of $P$ in total variation, and $\delta \le \tanh(D/4)$ with $D$ the largest range of a
            difference of two rows of $A$.
            (C5) Under H4 and H5 tokens and attention weights of a stack tend to rank one, no slower than two tokens
            would: $\omega \leftarrow \omega \tanh(\beta\omega^2/4)$, layer by layer, and $\sigma_2(P) \le \sqrt{T - 1}
            \tanh(\beta\omega^2/4)$; two tokens $\pm r$ attain both.
            (C6) Under H4, with $v = W(x_i - x_j)$, $C$ the covariance of the tokens and $\rho$ the largest range of a
            row of $A$, a layer has $e^{-\rho} v^\top C v \le v^\top(x_i' - x_j') \le e^\rho v^\top C v$.
            (C7) With a skip connection the tokens 1 and $-1$ move apart for $W = \log 2$
Idea        The less the tokens differ, the less the rows of $P$ differ, and a layer averages the tokens by these rows.
            For the two tokens $\pm r$ both bounds are equalities. With a skip connection the average is added to the
            tokens, and does not replace them
Tolerance   The floor of a contraction is absolute in each column, derived in `attention.certificates`. A relative
            tolerance would ask too much of a column whose range is tiny against its entries
"""

import dataclasses
from fractions import Fraction
from functools import reduce
from itertools import islice

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fixtures.dynamics.paths import at_time
from fixtures.precision import factorization, rounding
from fixtures.problems.batches import given_batches
from fixtures.rational import fractions
from properties.certificates import (
    assert_at_most,
    assert_equal_within,
    assert_identical,
    assert_keeps,
    assert_within,
    record_series,
)
from theorems.ledger import corrected, necessity
from theorems.section_09_architectures.attention.certificates import (
    averaging_rounding,
    contraction_coefficient,
    layer_rounding,
    logit_diameter,
    logit_rounding,
    oscillation,
    singular_values,
    softmax_rounding,
    two_token_bound,
)
from theorems.section_09_architectures.attention.dynamics import self_attention_path
from theorems.section_09_architectures.attention.low_rank_problems import Stack, stacks
from theorems.section_09_architectures.attention.model import logits, softmax_of_powers

DEPTH = 8


def through_layers(problem, depth=DEPTH, *, skip=False):
    """The tokens X (B, depth, T, d) and the attention weights P (B, depth, T, T) of the first `depth` layers."""
    X, P = zip(*islice(self_attention_path(problem.X, problem.W, skip=skip), depth), strict=True)
    return np.stack(X, 1), np.stack(P, 1)


@corrected("C4")
@given_batches(problem=stacks())
def test_a_layer_contracts_every_column_by_the_total_variation_of_its_rows(problem):
    X, P = through_layers(problem, 4)
    values = np.broadcast_to(problem.values[:, None], (*P.shape[:2], *problem.values.shape[1:]))
    # then   for values that do not depend on the tokens
    bound = contraction_coefficient(P)[..., None] * oscillation(values) + averaging_rounding(values)
    assert_at_most(oscillation(P @ values), bound, why="osc(PV) <= delta(P) osc(V)", instance=problem)
    # then   delta is bounded by the logits of the softmax, with two subtractions and a tanh
    A = logits(problem.W[:, None], X, X)
    slack = 2 * softmax_rounding(A) + rounding(2, np.abs(A).max((-2, -1))) + rounding(4)
    assert_at_most(contraction_coefficient(P), np.tanh(logit_diameter(A) / 4) + slack, why="delta <= tanh(Delta/4)")


def second_singular_bound(T, beta, omega):
    """The bound of C5 on sigma_2(P) of T tokens of oscillation omega: sqrt(T - 1) tanh(beta omega^2/4)."""
    return np.sqrt(T - 1) * np.tanh(beta * omega**2 / 4)


@corrected("C5", "H4", "H5")
@given_batches(problem=stacks())
def test_without_a_skip_connection_tokens_and_attention_weights_tend_to_rank_one(problem):
    # when   DEPTH layers
    X, P = through_layers(problem)
    # then   the tokens collapse as two tokens would
    omega = oscillation(X).max(-1)
    bound = two_token_bound(omega[:, 0], problem.beta, DEPTH)
    #        a layer adds its floor, and for the rounding of its weights, on omega <= 2 max |X|, less than thrice that
    floor = np.arange(DEPTH) * averaging_rounding(problem.X).max(-1)[:, None] * 4
    assert_at_most(omega, bound + floor, why="omega_l", instance=problem)
    # then   with the mean row p, sigma_2(P)^2 <= |P - 1 p'|_F^2 = sum |P_i - P_j|^2/(2T) <= (T - 1) delta^2
    most = second_singular_bound(4, problem.beta[:, None], bound + floor)
    slack = 2 * softmax_rounding(P) + 4 * logit_rounding(problem.W[:, None], X) + rounding(factorization(4, 4), 2)
    assert_at_most(singular_values(P)[..., 1], most + slack, why="sigma_2(P), T = 4", instance=problem)


@corrected("C5")
@given(r=st.integers(1, 8), w=st.integers(1, 8))
def test_two_opposite_tokens_attain_both_bounds_of_a_stack(r, w):
    # given  the tokens r and -r in quarters, w in halves
    r, w = r / 4, w / 2
    X, P = through_layers(Stack(np.array([[[r], [-r]]]), np.array([[[w]]]), np.zeros((1, 2, 1))), 2)
    # then   omega is 2r; a softmax of two has 9 operations, logits 4 of their size, tanh 4, and singular values are by
    #        LAPACK
    slack = rounding(9 + 4 + 4 + factorization(2, 2), 1 + w * r**2)
    bound = two_token_bound(np.array([2 * r]), np.array([w]), 2)[0, 1]
    assert_equal_within(np.ptp(X[0, 1]), bound, 2 * r * slack, why="omega after a layer")
    assert_equal_within(singular_values(P[0, 0])[1], second_singular_bound(2, w, 2 * r), slack, why="sigma_2(P)")


@corrected("C6", "H4")
@given_batches(problem=stacks())
def test_a_layer_contracts_differences_of_tokens_by_their_covariance_and_no_faster(problem):
    # given  v = W(x_i - x_j), C the covariance, rho the largest range of a row of A
    X, W = problem.X, problem.W
    A = logits(W, X, X)
    v = (X[:, :, None] - X[:, None, :]) @ W.mT[:, None]
    rho = np.ptp(A, axis=-1).max(-1)[:, None, None]
    cubic = np.square(v @ (X - X.mean(-2, keepdims=True)).mT[:, None]).mean(-1)
    # when
    (_, (after, _)) = islice(self_attention_path(X, W), 2)
    moved = (v * (after[:, :, None] - after[:, None, :])).sum(-1)
    # then   v has products of three entries, centered tokens five operations, and a mean of squares twice these and 8
    size = np.abs(v).sum(-1).max((-2, -1))
    largest = np.abs(X).max((-2, -1))
    slack = 2 * size * layer_rounding(W, X, A) + rounding(2 * (3 + 5 + 3) + 8, size * largest * (1 + size * largest))
    slack = (np.exp(rho[:, 0, 0]) * slack)[:, None, None]
    assert_within(
        cubic * np.exp(-rho), moved, cubic * np.exp(rho), slack=slack, why="v'(x_i' - x_j')", instance=problem
    )


@corrected("C7")
def test_with_a_skip_connection_two_tokens_move_apart():
    # given  the tokens 1 and -1, W = log 2
    X = fractions([[1], [-1]])
    # when
    after = X + softmax_of_powers(X @ X.T) @ X
    # then
    assert_identical([np.ptp(X), np.ptp(after)], [2, Fraction(16, 5)], why="oscillation before and after the layer")


@necessity("H4")
@given_batches(problem=stacks())
def test_without_H4_no_pair_of_tokens_comes_closer_in_the_seminorm_of_a_positive_W(problem):
    # given  W = RR'/4; x_i' - x_j' = (I + C'W)(x_i - x_j) for a mean covariance C' of the tokens
    W = problem.W @ problem.W.mT / 4
    assert_keeps(H5=np.abs(W).sum((-2, -1)) <= 2)
    X, _ = through_layers(dataclasses.replace(problem, W=W), 4, skip=True)
    # when   |x_i - x_j|_W^2 layer by layer
    apart = X[:, :, :, None] - X[:, :, None, :]
    square = (apart @ W[:, None, None] * apart).sum(-1)
    # then   an error e in the entries of the tokens changes a square by 2 beta (2M)(2e), M the largest entry
    M = np.abs(X).max((-2, -1))
    #        and the entries have two operations, the square two products of three
    error = layer_rounding(W[:, None], X, logits(W[:, None], X, X)) + rounding(2 + 2 * 3, M)
    slack = 8 * (error * M)[:, 1:, None, None] * np.abs(W).sum((-2, -1))[:, None, None, None]
    assert_at_most(square[:, :-1], square[:, 1:] + slack, why="|x_i - x_j|_W does not fall", instance=problem)


def layer_that_keeps_apart(X, layer):
    """Two tokens through the layer whose w satisfies tanh(w osc^2/4) = 1 - 2^-(layer + 2)."""
    w = 4 * np.arctanh(1 - 2.0 ** -(layer + 2)) / np.ptp(X) ** 2
    return at_time(self_attention_path(X, np.array([[w]])), 1)[0]


@necessity("H5")
def test_without_H5_weights_that_grow_with_the_depth_keep_the_tokens_apart():
    # given  the tokens +-1, and a w that grows with the layer
    assert_keeps(H4=True)
    X = reduce(layer_that_keeps_apart, range(12), np.array([[1.0], [-1.0]]))
    # then   prod (1 - 2^-(l+2)) >= 1 - sum 2^-(l+2) > 1/2, where the first w would leave less than 1e-11 in five
    assert_at_most(1, np.ptp(X), why="half of the oscillation is left")
    first = two_token_bound(np.array([2.0]), np.arctanh([3 / 4]), 6)
    assert_at_most(first[0, -1], 1e-11, why="what the bound of C5 leaves")


@corrected("C5")
def test_four_tokens_in_the_plane_collapse_and_with_a_skip_connection_they_do_not():
    # given  four tokens in the plane, W = [[1, 1/2], [0, 1]]
    X, W = np.array([[1.0, 0], [0, 1], [-0.5, 0.5], [0.25, -1]]), np.array([[1.0, 0.5], [0, 1]])
    problem = Stack(X[None], W[None], X[None])
    # when
    without = oscillation(through_layers(problem, 7)[0]).max(-1)[0]
    with_skip = oscillation(through_layers(problem, 7, skip=True)[0]).max(-1)[0]
    record_series("token oscillation against depth", depth=range(7), without=without, with_skip=with_skip)
    # then   without the skip connection omega keeps the bound of the recursion, with it omega does not fall
    bound = two_token_bound(without[:1], problem.beta, 7)[0]
    assert_at_most(without, bound + 7 * averaging_rounding(X).max(), why="without skip connection")
    assert_at_most(with_skip[0], with_skip[1:].min(), why="with skip connection")
