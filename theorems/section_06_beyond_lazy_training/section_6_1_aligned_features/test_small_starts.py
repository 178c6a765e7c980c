r"""Section 6.1: aligned features - a small start ends aligned with the data and the target, on any data.

Setting     $f = X W^\top a$, $L = \frac12 \|f - y\|^2$, both layers trained, $K = X (W^\top W + \|a\|^2 I) X^\top$;
            $y = X\beta$ with $\beta \ne 0$ in $\operatorname{row}(X)$; $\sigma_1(X) \le 1$. Alignment is
            $A(K) = y^\top K y/(\|K\|_F \|y\|^2)$. $\Delta = W W^\top - a a^\top$, and $W_\perp$ is the part of $W$
            orthogonal to $\operatorname{row}(X)$. $s = \max(c, \|a_0\|)$, $\eta = 1/(4(\|\beta\| + s^2))$
Hypotheses  (H1) An isotropic start, $W_0^\top W_0 = c^2 I$ with $c > 0$. (H2) A silent start, $W_0^\top a_0 = 0$. (H3)
            A small start: every entry of $W_0$ and $a_0$ is small beside $\sqrt{\|\beta\|}$; each clause says how
            small.
Corrected   (C4) $W_\perp$ is that of the start, and a step changes $\Delta$ by its squared length at most, which a
            silent start attains. So a network of weights up to $2^{-10}$ that does fit, at half that $\eta$, ends
            aligned with $X X^\top + y y^\top/\|\beta\|^2$ up to the bound of C3, $\|\Delta\|_*/\|a\|^2 + \sqrt2 t +
            \min(1, \|W_\perp^\top a\|^2/(\|\beta\| (1 - t))^2)$, which `distance_to_aligned` evaluates. The last term
            is 1 for $t \ge 1$. Here $t = r/(\sigma \|\beta\|)$, $r$ is the misfit, and $\sigma$ the least singular
            value of $X$ that is not zero. Under H1 and H2 this is a rise from the alignment of $X X^\top$.
Idea        Gradient flow conserves $\Delta$, so a small start ends with $\|a\|^4$ near $\|b\|^2$, $b = W^\top a$, and
            $K/\|a\|^2$ near $X X^\top + y y^\top/\|\beta\|^2$. Adding $y y^\top$ to a kernel raises its cosine with
            $y y^\top$.
Tolerance   `distance_to_aligned` bounds the distance of kernels. Two cosines with $y y^\top$ differ by the chord
            between the kernels at most (`chord`)
"""

import dataclasses
from itertools import islice

import numpy as np

from fixtures.dynamics.paths import until_fitted
from fixtures.dynamics.two_layer import network_path
from fixtures.problems.batches import given_batches
from properties.certificates import assert_at_most
from theorems.ledger import corrected
from theorems.section_06_beyond_lazy_training.section_6_1_aligned_features.alignment import (
    aligned_kernel,
    alignment,
    chord,
    distance_to_aligned,
    imbalance,
)
from theorems.section_06_beyond_lazy_training.section_6_1_aligned_features.linear_targets import (
    MISFIT,
    SMALL,
    alignment_rounding,
    misfit,
    targets,
)


def with_drift(path):
    """The networks of a path, each with a bound on the change of imbalance by the steps up to it.

    A step changes Delta by dW dW' - da da', where dW = -eta a rho' has rank one. This is pp' - qq' for two vectors, and
    its nuclear norm is sqrt((|p|^2 + |q|^2)^2 - 4 (p.q)^2).
    """
    last, total = next(path), 0.0
    yield last, total
    for net in path:
        dW, da = net.W - last.W, net.a - last.a
        p, q, across = np.square(dW).sum((-2, -1)), np.square(da).sum(-1), np.square(np.vecmat(da, dW)).sum(-1)
        total = total + np.sqrt(np.maximum((p + q) ** 2 - 4 * across, 0))
        yield net, total
        last = net


@corrected("C4", "H3")
@given_batches(target=targets(whitened=False))
def test_a_small_start_ends_with_the_kernel_of_the_data_plus_that_of_the_target(target):
    # given  data that are not whitened and may be orthogonal to some directions, and a start that is not isotropic
    net, eta = target.start(SMALL / 2)
    net = dataclasses.replace(net, W=net.W / (1 + np.arange(net.W.shape[-1])))
    # when
    path = with_drift(network_path(net, target.X, target.y, eta / 2))
    end, drift = until_fitted(path, lambda state: misfit(state[0], target), MISFIT, 3000)
    # then   the imbalance is that of the start, at most (d + 1) SMALL^2, plus that of the steps
    e = (target.dimension + 1) * SMALL**2 + drift + alignment_rounding(target, 3000) * target.length
    assert_at_most(imbalance(end), e, why="imbalance", instance=target)
    assert_at_most(misfit(end, target), MISFIT, why="the fit", instance=target)
    # then   so the alignment is near that of the aligned kernel
    aligned = aligned_kernel(target)
    value, limit = alignment(end.kernel(target.X), target.y), alignment(aligned, target.y)
    slack = chord(distance_to_aligned(end, target, e, SMALL), aligned) + alignment_rounding(target, 3000)
    assert_at_most(np.abs(value - limit), slack, why="the final alignment", instance=target)


@corrected("C4", "H1", "H2", "H3")
@given_batches(target=targets(whitened=False))
def test_a_small_isotropic_start_rises_without_whitening(target):
    net, eta = target.start(SMALL / 2)
    # when
    path = with_drift(network_path(net, target.X, target.y, eta / 2))
    end, drift = until_fitted(path, lambda state: misfit(state[0], target), MISFIT, 3000)
    # then   from the alignment of XX' to that of XX' + yy'/|beta|^2, which is no less
    before, after = (alignment(state.kernel(target.X), target.y) for state in (net, end))
    aligned = aligned_kernel(target)
    plain, limit = (alignment(K, target.y) for K in (target.X @ target.X.mT, aligned))
    e = (target.dimension + 1) * SMALL**2 + drift + alignment_rounding(target, 3000) * target.length
    slack = chord(distance_to_aligned(end, target, e, SMALL), aligned) + alignment_rounding(target, 3000)
    assert_at_most(np.abs(before - plain), alignment_rounding(target, 0), why="alignment of the start", instance=target)
    assert_at_most(np.abs(after - before - (limit - plain)), slack, why="the rise", instance=target)
    assert_at_most(
        plain, limit + alignment_rounding(target, 0), why="adding yy' raises the cosine with yy'", instance=target
    )


@corrected("C4")
@given_batches(target=targets(whitened=False))
def test_the_first_step_of_a_silent_start_changes_the_imbalance_by_its_squared_length(target):
    net, eta = target.start(1.0)
    # when
    (_, _), (after, drift) = islice(with_drift(network_path(net, target.X, target.y, eta)), 2)
    # then   the change of Delta has the nuclear norm |dW|^2 + |da|^2, because dW'da = 0
    change = after.W @ after.W.mT - net.W @ net.W.mT - after.a[:, :, None] * after.a[:, None, :]
    change += net.a[:, :, None] * net.a[:, None, :]
    length = np.square(after.parameters() - net.parameters()).sum(-1)
    found, slack = np.abs(np.linalg.eigvalsh(change)).sum(-1), alignment_rounding(target, 1) * (1 + target.ratio**2)
    assert_at_most(np.abs(found - length), slack, why="change of Delta", instance=target)
    assert_at_most(np.abs(drift - found), slack, why="the drift that is summed", instance=target)
