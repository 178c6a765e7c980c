r"""Section 6.1: aligned features - on any data the distance of a kernel from the aligned kernel is bounded.

Setting     $f = X W^\top a$, $K = X (W^\top W + \|a\|^2 I) X^\top$; $y = X\beta$ with $\beta \ne 0$ in
            $\operatorname{row}(X)$; $\sigma_1(X) \le 1$. The aligned kernel is $X X^\top + y y^\top/\|\beta\|^2$
Corrected   (C3) On any data, of every network with $a \ne 0$: $\|K/\|a\|^2 - X X^\top - y y^\top/\|\beta\|^2\|_F \le
            \|\Delta\|_*/\|a\|^2 + \sqrt2 t + \min(1, \|W_\perp^\top a\|^2/(\|\beta\| (1 - t))^2)$, where the last term
            is 1 for $t \ge 1$. Here $\Delta = W W^\top - a a^\top$, $t = r/(\sigma \|\beta\|)$, $r$ is the misfit,
            $\sigma$ the least singular value of $X$ that is not zero, and $W_\perp$ the part of $W$ orthogonal to
            $\operatorname{row}(X)$. Each term is attained up to a factor of two.
Idea        $K/\|a\|^2 = X X^\top + X b b^\top X^\top/\|a\|^4 + X E X^\top/\|a\|^2$ with $b = W^\top a$. Here $E \ge 0$
            has the trace of $\Delta$ orthogonal to $a$, and $\|a\|^4 = \|b\|^2 - a^\top \Delta a$. A small misfit
            brings the part of $b$ in $\operatorname{row}(X)$ near $\beta$.
Tolerance   The rounding of two kernels and of two decompositions, relative to $K/\|a\|^2$ and to $\sigma^2$
            (`distance_rounding`)
"""

import numpy as np
import pytest
from hypothesis import given
from numpy.linalg import norm

from fixtures.models.two_layer import TwoLayer
from fixtures.precision import factorization, rounding
from fixtures.problems.expectations import expecting
from fixtures.problems.tapes import tapes
from properties.certificates import assert_at_most, assert_within
from theorems.ledger import corrected
from theorems.section_06_beyond_lazy_training.section_6_1_aligned_features.alignment import (
    aligned_kernel,
    distance_to_aligned,
    imbalance,
)
from theorems.section_06_beyond_lazy_training.section_6_1_aligned_features.linear_targets import Target


def any_network(tape):
    """A network and a target of any shape: n, d, m in 1..4, data of rank at least 1, layers of size 2^-6 to 2^6."""
    n, d, m = (1 + tape.below(4) for _ in range(3))
    X, modes, W, a = tape.integers((n, d), 3), tape.integers(n, 3), tape.integers((m, d), 3), tape.integers(m, 3)
    X[0, 0] += not X.any()
    a[0] += not a.any()
    s = np.linalg.svd(X, compute_uv=False)
    X, s = X / s[0], s[s > 1e-9 * s[0]] / s[0]
    beta = X.T @ modes + (X.T @ X @ np.ones(d) if not (X.T @ modes).any() else 0)
    beta = beta if norm(beta) > 1e-9 else X[norm(X, axis=1).argmax()]
    net = TwoLayer(2.0 ** (tape.below(13) - 6) * W, 2.0 ** (tape.below(13) - 6) * a, "identity", 1.0)
    return net, Target(X, X @ beta, beta, W, a, s[-1], 0, 1.0, d)


# C3 and C4 do not speak of the start of a target: its frame is W, its side is a
networks = expecting(
    tapes(3 + 16 + 4 + 16 + 4 + 2).map(any_network),
    constant="[0].activation, [0].scale, [0].inner, [1].power, [1].ratio",
    integer="[1].frame, [1].side",
    related="[0].W [1].frame, [0].a [1].side",
    commuting="[0].W [1].frame",
)


def off_row_space(W, X):
    """The spectral norm of W_perp, the part of W orthogonal to the row space of X."""
    return norm(W - W @ np.linalg.pinv(X) @ X, 2)


def distance_rounding(net, target):
    """Rounding of both sides of C3, relative to |X|^2 (1 + |W|^2/|a|^2)/sigma^2.

    Entries of the two kernels are inner products of d and m terms, with five more operations. The bound has the
    eigenvalues of Delta and the row space of X, two decompositions.
    """
    (n, d), (m, _) = target.X.shape, net.W.shape
    scale = norm(target.X) ** 2 * (1 + norm(net.W) ** 2 / np.square(net.a).sum()) / target.sigma**2
    return rounding(2 * (2 * d + m + 5) + factorization(m, m) + factorization(n, d), scale)


@corrected("C3")
@given(networks)
def test_every_network_is_as_near_to_the_aligned_kernel_as_imbalance_misfit_and_unseen_weights_allow(instance):
    net, target = instance
    # then   for all weights, trained or not
    error = norm(net.kernel(target.X) / np.square(net.a).sum() - aligned_kernel(target))
    bound = distance_to_aligned(net, target, imbalance(net), off_row_space(net.W, target.X))
    slack = distance_rounding(net, target)
    assert_at_most(error, bound + slack, why="distance to the aligned kernel", instance=target)


@corrected("C3")
@pytest.mark.slow
def test_the_distance_bound_holds_at_extreme_scales_and_for_nearly_aligned_networks():
    for seed in range(2000):
        rng = np.random.default_rng(seed)
        n, d, m = rng.integers(1, 7, 3)
        U, _, V = np.linalg.svd(rng.standard_normal((n, d)), full_matrices=False)
        s = 10.0 ** -np.sort(rng.integers(0, 5, min(n, d)) * rng.integers(0, 2))
        X = (U * s / s[0]) @ V
        beta = X.T @ rng.standard_normal(n) * 10.0 ** rng.uniform(-3, 3)
        W, a = (
            rng.standard_normal((m, d)) * 10.0 ** rng.uniform(-4, 4),
            rng.standard_normal(m) * 10.0 ** rng.uniform(-4, 4),
        )
        near, root = seed % 2, np.sqrt(norm(beta))
        a = (1 - near) * a + near * a / norm(a) * root * (1 + 10.0 ** rng.uniform(-6, 0))
        W = 10.0 ** (-8 * near * rng.uniform()) * W + near * np.outer(a / norm(a), beta) / root
        net, target = TwoLayer(W, a, "identity", 1.0), Target(X, X @ beta, beta, W, a, s[-1] / s[0], 0, 1.0, d)
        error = norm(net.kernel(X) / np.square(a).sum() - aligned_kernel(target))
        bound = distance_to_aligned(net, target, imbalance(net), off_row_space(W, X))
        assert_at_most(
            error, bound + distance_rounding(net, target), why="distance to the aligned kernel", instance=seed
        )


@corrected("C3")
@pytest.mark.parametrize(
    ("X", "beta", "W", "a"),
    [
        # imbalance alone: one neuron w = 1/2, a = 2, on X = 1 with y = 1
        ([[1.0]], [1.0], [[0.5]], [2.0]),
        # misfit alone: b = (1, t) with t = 1/100, in a direction whose singular value is 1
        (np.eye(2), [1.0, 0.0], [[1.0, 0.01]], [np.hypot(1, 0.01)]),
        # misfit in a direction whose singular value is 1/100, and in which the target has a part
        (np.diag([1.0, 0.01]), [0.8, 0.6], [[0.8, 0.61]], [np.hypot(0.8, 0.61)]),
        # a part of b orthogonal to row(X): one sample along e_1, and b = (1, t)
        ([[1.0, 0.0]], [1.0, 0.0], [[1.0, 0.01]], [np.hypot(1, 0.01)]),
    ],
    ids=["imbalance", "misfit", "weakly seen", "unseen"],
)
def test_each_term_of_the_distance_bound_is_needed_up_to_a_factor_of_two(X, beta, W, a):
    X, beta, W, a = map(np.array, (X, beta, W, a))
    net = TwoLayer(W / np.sqrt(a), np.sqrt(a), "identity", 1.0) if len(beta) > 1 else TwoLayer(W, a, "identity", 1.0)
    target = Target(X, X @ beta, beta, W, a, np.linalg.svd(X, compute_uv=False).min(), 0, 1.0, len(beta))
    # when
    error = norm(net.kernel(X) / np.square(net.a).sum() - aligned_kernel(target))
    # then
    bound = distance_to_aligned(net, target, imbalance(net), off_row_space(net.W, X))
    slack = distance_rounding(net, target)
    assert_within(bound / 2, error, bound, slack=slack, why="the distance")
    assert_at_most(slack, bound / 10**6, why="what rounding may hide")
