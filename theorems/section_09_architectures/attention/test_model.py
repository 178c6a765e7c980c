"""Self-tests of softmax attention: against torch's own, and against its exact twin."""

import numpy as np
from numpy.linalg import norm

from fixtures.precision import rounding
from properties.certificates import assert_at_most, assert_equal_within, assert_identical
from theorems.section_09_architectures.attention.dynamics import factored_gradients
from theorems.section_09_architectures.attention.model import attention, softmax, softmax_of_powers, weight_gradient


def torch_gradients(K, Q, X, values, targets):
    """P, dL/dK and dL/dQ of L = |P values - targets|^2/2 by torch's attention and autograd."""
    import torch

    K, Q = (torch.tensor(weights, requires_grad=True) for weights in (K, Q))
    X, values, targets = (torch.tensor(data) for data in (X, values, targets))
    attend = torch.nn.functional.scaled_dot_product_attention
    output = attend(X @ Q.T, X @ K.T, values, scale=1.0)
    ((output - targets) ** 2).sum().div(2).backward()
    return attend(X @ Q.T, X @ K.T, torch.eye(len(X), dtype=X.dtype), scale=1.0).detach(), K.grad, Q.grad


def test_weights_and_gradients_are_those_of_torch():
    # given  five tokens in three dimensions, key and query matrices (2, 3), two columns of values
    rng = np.random.default_rng(93)
    X, K, Q, values, targets = (rng.standard_normal(shape) for shape in ((5, 3), (2, 3), (2, 3), (5, 2), (5, 2)))
    # when
    P = attention(K.T @ Q, X, X)
    residual = P @ values - targets
    to_K, to_Q = factored_gradients(K, Q, weight_gradient(P, residual @ values.T, X, X))
    # then   both sides round: a logit has products of 2, 3 and 3 entries, a softmax of five 15 operations
    torch_P, torch_K, torch_Q = torch_gradients(K, Q, X, values, targets)
    by_logits = rounding(2 * 8, (np.abs(X) @ np.abs(Q).T @ np.abs(K) @ np.abs(X).T).max())
    of_P = 2 * by_logits + 2 * rounding(15)
    assert_equal_within(P, torch_P.numpy(), of_P, why="P")
    # and    a gradient has sums of 2, 5, 5, 5 and 3 entries and ten operations; P is a factor three times, and its
    #        error moves the residual
    size = 2 * norm(X) ** 2 * norm(values)
    slack = size * (norm(residual) * (rounding(2 * 30) + 3 * of_P) + norm(values) * of_P)
    assert_at_most(norm(to_K - torch_K.numpy()), slack * norm(Q), why="dL/dK")
    assert_at_most(norm(to_Q - torch_Q.numpy()), slack * norm(K), why="dL/dQ")
    assert_at_most(slack, 1e-9, why="ceiling")


def test_the_softmax_of_powers_of_two_is_the_softmax_of_multiples_of_log_two():
    exponents = np.array([[0, 3, -2], [5, 5, 6]])
    exact = softmax_of_powers(exponents)
    assert_identical(exact.sum(1), [1, 1], why="rows are of sum 1")
    # then   a softmax of three has 11 operations; log 2 times up to 6 is off by 2 of the size 4.2
    assert_equal_within(softmax(exponents * np.log(2)), exact, rounding(11 + 2 * 5), why="softmax in floats")


def test_a_logit_of_minus_infinity_has_no_weight():
    assert_identical(softmax(np.array([[0.0, -np.inf, 0.0]])), [[0.5, 0, 0.5]], why="softmax with padding")
