r"""Section 6.1: aligned features - what each hypothesis on the start of a linear network is needed for.

Setting     $f = X W^\top a$, $L = \frac12 \|f - y\|^2$, both layers trained, $K = X (W^\top W + \|a\|^2 I) X^\top$;
            $y = X\beta$ with $\beta$ not zero. Whitened data: $X^\top X = I_d$, $d \ge 2$. Alignment is
            $A(K) = y^\top K y/(\|K\|_F \|y\|^2)$; under H1 to H3 it rises from $1/\sqrt d$ to nearly $2/\sqrt{d+3}$.
            $s = \max(c, \|a_0\|)$, $\eta = 1/(4(\|\beta\| + s^2))$
Hypotheses  (H1) An isotropic start, $W_0^\top W_0 = c^2 I$ with $c > 0$. (H2) A silent start, $W_0^\top a_0 = 0$. (H3)
            A small start: every entry of $W_0$ and $a_0$ is small beside $\sqrt{\|\beta\|}$; each clause says how
            small.
Idea        The start without H1 is aligned already, so it can only fall. The start without H2 runs into a saddle. The
            start without H3 is large: the weights move little beside it, and it keeps its alignment.
"""

import dataclasses
from fractions import Fraction

import numpy as np
import pytest
from numpy.linalg import norm

from fixtures.dynamics.two_layer import fit
from fixtures.problems.batches import given_batches
from fixtures.rational import fractions
from properties.certificates import (
    assert_at_most,
    assert_identical,
    assert_keeps,
    assert_not_positive,
    assert_within,
)
from theorems.ledger import necessity
from theorems.section_06_beyond_lazy_training.section_6_1_aligned_features.alignment import alignment, squared_alignment
from theorems.section_06_beyond_lazy_training.section_6_1_aligned_features.linear_targets import (
    FITTED,
    MISFIT,
    SMALL,
    alignment_rounding,
    targets,
)


@necessity("H1")
@given_batches(target=targets(whitened=True))
def test_without_H1_a_start_that_is_aligned_already_can_only_fall(target):
    # given  W_0 = epsilon u v' along the target v = beta/|beta|, and a_0 = 0: f_0 = 0 and K_0 = epsilon^2 yy'/|y|^2
    v = target.beta / target.length[:, None]
    net, eta = target.start(SMALL)
    net = dataclasses.replace(net, W=SMALL * target.side[:, :, None] * v[:, None, :], a=0 * net.a)
    assert_keeps(H2=np.vecmat(net.a, net.W) == 0, H3=np.abs(net.parameters()).max(-1) <= SMALL)
    # when
    end = fit(net, target.X, target.y, eta, FITTED, budget=800)
    # then   A falls from 1. |w|^2 - a^2 is at most epsilon^2, so A(K) = x/sqrt(x^2 + d - 1) with 2 <= x = 1 + |w|^2/a^2
    #        <= 2 + epsilon^2/a^2, and a^2 >= |beta| - epsilon^2 up to the misfit
    before, after = (alignment(state.kernel(target.X), target.y) for state in (net, end))
    limit, slack = 2 / np.sqrt(target.dimension + 3), alignment_rounding(target, 800)
    error = SMALL**2 / (target.length - MISFIT - SMALL**2)
    assert_at_most(np.abs(before - 1), alignment_rounding(target, 0), why="aligned at the start", instance=target)
    assert_within(limit, after, limit + error, slack=slack, why="the final alignment", instance=target)
    assert_at_most(after, 9 / 10, why="a fall by a tenth at least", instance=target)


@necessity("H2")
@pytest.mark.parametrize("k", [1, 10])
def test_without_H2_a_small_isotropic_start_on_a_saddle_never_fits_and_loses_its_alignment(k):
    # given  X = I_2, y = e_1, W_0 = I/2^k, a_0 = -W_0 e_1 and the eta of the setting, exact
    X, y, c = fractions([[1, 0], [0, 1]]), fractions([1, 0]), Fraction(1, 2**k)
    W, a = c * X, fractions([-c, 0])
    eta = 1 / (4 * (1 + c**2))
    assert_keeps(H1=c**2 * X == W.T @ W, H3=c**2 <= Fraction(1, 4))
    before = squared_alignment(W, a, X, y)
    # when
    for _ in range(8):
        pull = W.T @ a - y
        W, a = W - eta * np.outer(a, pull), a - eta * W @ pull
        assert_not_positive((W.T @ a)[0], why="f has the wrong sign")
    # then   w + a is zero and stays so; w and a vanish
    after = squared_alignment(W, a, X, y)
    assert_identical(W[:, 0] + a, fractions([0, 0]), why="on the way to the saddle")
    assert_at_most(25 * after, before, why="the alignment falls by a factor of five")


@necessity("H3")
@given_batches(target=targets(whitened=True))
def test_without_H3_a_lazy_network_stays_where_its_start_was(target):
    # given  |a_0| = c, and weights of the size c = 8 sqrt|beta|
    target = dataclasses.replace(target, ratio=1 + 0 * target.ratio)
    c, root = 8 * np.sqrt(target.length), np.sqrt(target.dimension)
    net, eta = target.start(c)
    real = np.arange(net.W.shape[-1]) < target.dimension[:, None]
    isotropic = norm(net.W.mT @ net.W - c[:, None, None] ** 2 * (real[:, None] * np.eye(real.shape[-1])), axis=(-2, -1))
    assert_keeps(H1=isotropic <= alignment_rounding(target, 0) * c**2)
    assert_keeps(H2=norm(np.vecmat(net.a, net.W), axis=-1) <= alignment_rounding(target, 0) * c**2)
    # when
    end = fit(net, target.X, target.y, eta, FITTED, budget=200)
    value = alignment(end.kernel(target.X), target.y)
    # then   |J - J_0| <= |theta - theta_0| bounds the change: |K - K_0| is at most 2c (|W - W_0| + sqrt(d) |a - a_0|)
    #        and the squares, and K_0 = 2 c^2 XX'
    W, a = norm(end.W - net.W, axis=(-2, -1)), norm(end.a - net.a, axis=-1)
    allowed = 2 * (2 * c * (W + root * a) + W**2 + root * a**2) / (2 * c**2 * root)
    rise = 2 / np.sqrt(target.dimension + 3) - 1 / root
    assert_at_most(allowed, rise / 4, why="what laziness allows, a quarter of the rise at most", instance=target)
    assert_at_most(np.abs(value - 1 / root), allowed, why="change of the alignment", instance=target)
    # then   the rise itself is smaller: x - 1 = (|a|^2 - c^2)/(|a|^2 + c^2) <= |beta|^2/(4 c^4)
    most = target.length**2 / (4 * c**4) / root
    assert_at_most(
        value - 1 / root, most + alignment_rounding(target, 200), why="the rise of a lazy network", instance=target
    )
