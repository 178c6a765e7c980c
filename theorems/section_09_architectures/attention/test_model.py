"""Self-tests of softmax attention: against torch's own, and against its exact twin."""

import numpy as np

from fixtures.precision import UNIT_ROUNDOFF
from properties.certificates import assert_at_most, assert_identical
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
    # then   either side is off by at most 64 u times the sum of the absolute values that it adds
    torch_P, torch_K, torch_Q = torch_gradients(K, Q, X, values, targets)
    assert_at_most(np.abs(P - torch_P.numpy()).max(), 256 * UNIT_ROUNDOFF, why="P")
    size = 64 * UNIT_ROUNDOFF * np.abs(X).sum() ** 2 * np.abs(residual).sum() * np.abs(values).max()
    assert_at_most(np.abs(to_K - torch_K.numpy()).max(), size * np.abs(Q).sum(), why="dL/dK")
    assert_at_most(np.abs(to_Q - torch_Q.numpy()).max(), size * np.abs(K).sum(), why="dL/dQ")


def test_the_softmax_of_powers_of_two_is_the_softmax_of_multiples_of_log_two():
    exponents = np.array([[0, 3, -2], [5, 5, 6]])
    exact = softmax_of_powers(exponents)
    assert_identical(exact.sum(1), [1, 1], why="rows are of sum 1")
    error = np.abs(softmax(exponents * np.log(2)) - exact.astype(float)).max()
    assert_at_most(error, 64 * UNIT_ROUNDOFF, why="softmax in floats")


def test_a_logit_of_minus_infinity_has_no_weight():
    assert_identical(softmax(np.array([[0.0, -np.inf, 0.0]])), [[0.5, 0, 0.5]], why="softmax with padding")
